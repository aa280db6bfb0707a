/* SPDX-License-Identifier: MIT */
/* Envelopes one after the other, as inside a Messages packet: what is read is
 * written again to the byte, and graded the same way alone and among others.
 */
#include <math.h>

#include "tests/fuzz/fuzz.h"

#include "shh/envelope.h"

#define MANY 16

static void check_rewritten(const struct shh_envelope *e)
{
	size_t len = shh_content_size(e->expiry, e->ttl, e->data.len, e->data.data);
	size_t size = shh_envelope_size(len, e->nonce);
	uint8_t *out = malloc(size);

	fuzz_check(out != NULL);
	fuzz_check(shh_content_write(out, len, e->expiry, e->ttl, e->topic, e->data) == len);
	fuzz_check(span_eq(span_of(out, len), e->content));
	fuzz_check(shh_content_write(out, len - 1, e->expiry, e->ttl, e->topic, e->data) == 0);
	fuzz_check(shh_envelope_write(out, e->content, e->nonce) == size);
	fuzz_check(span_eq(span_of(out, size), e->raw));
	free(out);
}

static void check_hash(const struct shh_envelope *e)
{
	uint8_t hash[32], again[32];

	shh_envelope_hash(hash, e->content, e->nonce);
	keccak256(again, e->raw.data, e->raw.len);
	fuzz_check(memcmp(hash, again, 32) == 0);
}

static void check_values(const struct shh_envelope *e, unsigned bits, enum shh_digest d)
{
	for (unsigned r = 0; r < SHH_RULES; r++) {
		enum shh_rule rule = (enum shh_rule)r;
		double v = shh_work_value(rule, bits, e);

		if (shh_rule_digest(rule) != d)
			continue;
		fuzz_check(e->ttl == 0 ? isinf(v) : isfinite(v) && v > 0);
		fuzz_check(e->ttl == 0 || rule == SHH_RULE_EIP627 ||
			   shh_work_bits_needed(rule, v, e) == bits);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rlp_reader r = rlp_reader_init(data, size);
	struct shh_envelope envelopes[MANY];
	struct shh_work_item items[2 * MANY];
	size_t count = 0, n = 0;

	while (!rlp_reader_at_end(&r) && count < MANY) {
		struct shh_envelope *e = &envelopes[count];

		if (shh_envelope_read(e, &r) != OK) {
			fuzz_check(rlp_reader_err(&r) == ERR_ENVELOPE);
			break;
		}
		check_rewritten(e);
		check_hash(e);
		for (unsigned d = 0; d < SHH_DIGESTS; d++)
			items[n++] = (struct shh_work_item){ e->content, e->nonce,
							     (enum shh_digest)d, 0 };
		count++;
	}
	shh_work_bits_many(items, n);
	for (size_t i = 0; i < n; i++) {
		fuzz_check(items[i].bits ==
			   shh_work_bits(items[i].content, items[i].nonce, items[i].digest));
		check_values(&envelopes[i / 2], items[i].bits, items[i].digest);
	}
	return 0;
}
