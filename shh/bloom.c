/* SPDX-License-Identifier: MIT */
/* shh/bloom.c - 512 bits that say which topics are wanted, in three dialects.
 *
 * A topic sets three bits: its first three bytes, each in the lower or the
 * upper half as a bit of the fourth byte tells.  geth assigns whole bytes where
 * it means to set bits, so one topic in 25 loses some; parity counts the bits
 * of a byte from the other end (EIP-627 "Bloom filter").
 */
#include "shh/envelope.h"

void shh_bloom_of(struct shh_bloom *out, struct shh_topic topic, enum shh_bloom_kind kind)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = topic.b[i] + (((unsigned)topic.b[3] >> i & 1u) != 0 ? 256u : 0u);
		unsigned bit = kind == SHH_BLOOM_PARITY ? 7 - n % 8 : n % 8;

		if (kind == SHH_BLOOM_GETH)
			out->b[n / 8] = 0;
		out->b[n / 8] |= (uint8_t)(1u << bit);
	}
}

void shh_bloom_add(struct shh_bloom *to, const struct shh_bloom *other)
{
	for (size_t i = 0; i < SHH_BLOOM_SIZE; i++)
		to->b[i] |= other->b[i];
}

bool shh_bloom_match(const struct shh_bloom *filter, const struct shh_bloom *sample)
{
	unsigned missing = 0;

	if (filter == NULL)
		return true;
	for (size_t i = 0; i < SHH_BLOOM_SIZE; i++)
		missing |= sample->b[i] & ~(unsigned)filter->b[i];
	return missing == 0;
}

bool shh_bloom_is_full(const struct shh_bloom *b)
{
	unsigned all = 0xff;

	for (size_t i = 0; i < SHH_BLOOM_SIZE; i++)
		all &= b->b[i];
	return all == 0xff;
}
