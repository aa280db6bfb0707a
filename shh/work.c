/* SPDX-License-Identifier: MIT */
/* shh/work.c - proof of work under the four rules that shh/6 is spoken with.
 *
 * Work is a number of zero bits in a digest, divided by size and life.  There
 * are two digests and four divisors (shh/envelope.h); values are the doubles
 * that each family computes, in its order of operations, since a value one
 * step below a peer's minimum costs the connection.
 */
#include "shh/envelope.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD != 0
#error "doubles must be computed as doubles: on 32-bit x86 build with -msse2 -mfpmath=sse"
#endif
_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "double must be IEEE-754 binary64");

#define BITS_MAX	   256u
#define HEADER_MAX	   9  /* bytes of a list header */
#define LENGTH_PREFIX_SIZE 20 /* what geth 1.8 and nim-eth count beside the data */
#define NONCE_RLP_MAX	   9
#define GROUP_MAX	   64 /* envelopes that are ordered by length together */

enum shh_digest shh_rule_digest(enum shh_rule rule)
{
	return rule == SHH_RULE_GETH18 ? SHH_DIGEST_DOUBLE : SHH_DIGEST_SINGLE;
}

static enum keccak_zeros digest_zeros(enum shh_digest d)
{
	return d == SHH_DIGEST_DOUBLE ? KECCAK_TRAILING : KECCAK_LEADING;
}

/* The list header of the four fields alone, of "short". */
static struct span short_header(uint8_t out[static HEADER_MAX], size_t content_len)
{
	struct rlp_writer w = rlp_writer_init(out, HEADER_MAX);

	rlp_write_list(&w, content_len);
	return span_of(out, w.len);
}

/* The second stage of SHH_DIGEST_DOUBLE: 32 digest bytes are in place already. */
#define DOUBLE_INPUT_SIZE 64
static void double_input_finish(uint8_t in[static DOUBLE_INPUT_SIZE], uint64_t nonce)
{
	memset(in + 32, 0, 24);
	be64_store(in + 56, nonce);
}

void shh_work_digest(uint8_t out[static 32], struct span content, uint64_t nonce, enum shh_digest d)
{
	uint8_t header[HEADER_MAX], in[DOUBLE_INPUT_SIZE], n8[8];
	struct span h = short_header(header, content.len);

	if (d == SHH_DIGEST_DOUBLE) {
		keccak256_parts(in, (struct span[]){ h, content }, 2);
		double_input_finish(in, nonce);
		keccak256(out, in, sizeof(in));
		return;
	}
	be64_store(n8, nonce);
	keccak256_parts(out, (struct span[]){ h, content, span_of(n8, sizeof(n8)) }, 3);
}

unsigned shh_work_bits(struct span content, uint64_t nonce, enum shh_digest d)
{
	uint8_t digest[32];

	shh_work_digest(digest, content, nonce, d);
	return keccak_zero_bits(digest, digest_zeros(d));
}

/* Grade up to a lane's worth of envelopes, of similar lengths if it is to pay. */
static void bits_of_lanes(struct shh_work_item *const *items, size_t count)
{
	struct keccak states[KECCAK_LANES_MAX], *at[KECCAK_LANES_MAX];
	uint8_t first[KECCAK_LANES_MAX][KECCAK_RATE], n8[KECCAK_LANES_MAX][8];
	uint8_t digests[KECCAK_LANES_MAX][32], in[KECCAK_LANES_MAX][DOUBLE_INPUT_SIZE];
	struct span heads[KECCAK_LANES_MAX], rests[KECCAK_LANES_MAX], nonces[KECCAK_LANES_MAX];
	struct keccak_item second[KECCAK_LANES_MAX];
	size_t doubles = 0;

	for (size_t i = 0; i < count; i++) {
		struct span h = short_header(first[i], items[i]->content.len), head;

		/* header and content fill the first block together, so that
		 * the rest is absorbed in whole blocks from where it lies */
		rests[i] = items[i]->content;
		head.len = size_min(rests[i].len, KECCAK_RATE - h.len);
		if (!span_take(&rests[i], &head, head.len))
			assert(false);
		if (head.len > 0)
			memcpy(first[i] + h.len, head.data, head.len);
		heads[i] = span_of(first[i], h.len + head.len);
		be64_store(n8[i], items[i]->nonce);
		nonces[i] = span_of(n8[i], items[i]->digest == SHH_DIGEST_SINGLE ? 8 : 0);
		keccak_init(&states[i]);
		at[i] = &states[i];
	}
	keccak_update_many(at, heads, count);
	keccak_update_many(at, rests, count);
	keccak_update_many(at, nonces, count);
	keccak_peek_many((const struct keccak *const *)at, digests, count);
	for (size_t i = 0; i < count; i++) {
		if (items[i]->digest != SHH_DIGEST_DOUBLE)
			continue;
		memcpy(in[i], digests[i], 32);
		double_input_finish(in[i], items[i]->nonce);
		second[doubles++] = (struct keccak_item){ in[i], DOUBLE_INPUT_SIZE, digests[i] };
	}
	keccak256_many(second, doubles);
	for (size_t i = 0; i < count; i++)
		items[i]->bits = keccak_zero_bits(digests[i], digest_zeros(items[i]->digest));
}

void shh_work_bits_many(struct shh_work_item *items, size_t count)
{
	struct shh_work_item *order[GROUP_MAX];

	for (size_t base = 0; base < count; base += GROUP_MAX) {
		size_t n = size_min(count - base, GROUP_MAX);

		for (size_t i = 0; i < n; i++) { /* insertion: by length, neighbours share lanes */
			struct shh_work_item *item = &items[base + i];
			size_t j = i;

			for (; j > 0 && order[j - 1]->content.len > item->content.len; j--)
				order[j] = order[j - 1];
			order[j] = item;
		}
		for (size_t i = 0; i < n; i += KECCAK_LANES_MAX)
			bits_of_lanes(order + i, size_min(n - i, KECCAK_LANES_MAX));
	}
}

/* 2^bits, exact; no libm. */
static double power_of_two(unsigned bits)
{
	uint64_t raw = (uint64_t)(1023 + (bits < BITS_MAX ? bits : BITS_MAX)) << 52;
	double v;

	memcpy(&v, &raw, sizeof(v));
	return v;
}

static size_t rule_size(enum shh_rule rule, const struct shh_envelope *env, size_t nonce_len)
{
	switch (rule) {
	case SHH_RULE_GETH19: return rlp_size_list(env->content.len);
	case SHH_RULE_EIP627: return rlp_size_list(env->content.len + nonce_len);
	case SHH_RULE_GETH18:
	case SHH_RULE_NIMBUS:
	case SHH_RULES: break;
	}
	return LENGTH_PREFIX_SIZE + env->data.len;
}

static double value_of(enum shh_rule rule, unsigned bits, size_t size, uint64_t life_s)
{
	double work = power_of_two(bits);

	if (life_s == 0)
		return (double)INFINITY;
	if (rule == SHH_RULE_GETH18 || rule == SHH_RULE_GETH19) {
		work /= (double)size;
		return work / (double)life_s;
	}
	return work / ((double)size * (double)life_s);
}

double shh_work_value(enum shh_rule rule, unsigned bits, const struct shh_envelope *env)
{
	return value_of(rule, bits, rule_size(rule, env, rlp_size_u64(env->nonce)), env->ttl);
}

double shh_work_value_life(enum shh_rule rule, unsigned bits, const struct shh_envelope *env,
			   uint32_t life_s)
{
	return value_of(rule, bits, rule_size(rule, env, rlp_size_u64(env->nonce)), life_s);
}

unsigned shh_work_bits_needed(enum shh_rule rule, double target, const struct shh_envelope *env)
{
	size_t size = rule_size(rule, env, NONCE_RLP_MAX);
	unsigned bits = 0;

	while (bits <= BITS_MAX && !(value_of(rule, bits, size, env->ttl) >= target))
		bits++;
	return bits;
}

void shh_seal_search_init(struct keccak_search *s, struct span content, enum shh_digest d)
{
	uint8_t header[HEADER_MAX], prefix[KECCAK_RATE];
	struct span h = short_header(header, content.len), blocks;
	size_t rest = (h.len + content.len) % KECCAK_RATE;
	struct keccak k;

	if (d == SHH_DIGEST_DOUBLE) {
		keccak256_parts(prefix, (struct span[]){ h, content }, 2);
		memset(prefix + 32, 0, 24);
		keccak_search_init(s, prefix, 56);
		return;
	}
	keccak_init(&k);
	if (rest < h.len + content.len) { /* whole blocks first: the state after them */
		keccak_update(&k, h.data, h.len);
		h.len = 0;
		if (!span_take(&content, &blocks, content.len - rest))
			assert(false);
		keccak_update(&k, blocks.data, blocks.len);
	}
	memcpy(prefix, h.data, h.len);
	if (content.len > 0)
		memcpy(prefix + h.len, content.data, content.len);
	keccak_search_init(s, prefix, rest);
	memcpy(s->mid, k.a, sizeof(s->mid));
}
