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

/* A double must be computed as a double: 0 and 1 of C11, 16 to 64 of TS 18661-3
 * (gcc says 16 where it has AVX512-FP16) only concern narrower types. */
#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 2 || FLT_EVAL_METHOD > 64
#error "doubles are computed in a wider type: on 32-bit x86 build with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "work must be the double that peers compute, to the last bit: build without -ffast-math"
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

/* Envelopes whose first digest is computed together: enough for all lanes,
 * twice, and their scratch fits a small stack. */
#define BATCH_MAX 16
#define SHORT_MAX (8 * KECCAK_RATE) /* bytes of input that are gathered by copying */

/* What the first digest of an item is of, beside the list header. */
static struct span nonce_bytes(uint8_t out[static 8], const struct shh_work_item *item)
{
	be64_store(out, item->nonce);
	return span_of(out, item->digest == SHH_DIGEST_SINGLE ? 8 : 0);
}

/* First digests of short contents: gathered, since moving some hundred bytes is
 * cheaper than stopping and resuming a sponge. */
static void digest_short(struct shh_work_item *const *items, uint8_t (*digests)[32], size_t count)
{
	uint8_t gathered[BATCH_MAX][HEADER_MAX + SHORT_MAX + 8];
	struct keccak_item in[BATCH_MAX];

	for (size_t i = 0; i < count; i++) {
		struct rlp_writer w = rlp_writer_init(gathered[i], sizeof(gathered[i]));
		uint8_t n8[8];
		struct span n = nonce_bytes(n8, items[i]);

		rlp_write_list(&w, items[i]->content.len);
		rlp_write_raw(&w, items[i]->content.data, items[i]->content.len);
		rlp_write_raw(&w, n.data, n.len);
		assert(w.err == OK);
		in[i] = (struct keccak_item){ gathered[i], w.len, digests[i] };
	}
	keccak256_many(in, count);
}

/* First digests of long contents, absorbed from where they lie: the header and
 * the content's beginning fill the first block, so that the rest comes in
 * whole ones. */
static void digest_long(struct shh_work_item *const *items, uint8_t (*digests)[32], size_t count)
{
	struct keccak states[BATCH_MAX], *at[BATCH_MAX];
	const struct keccak *done[BATCH_MAX];
	uint8_t first[BATCH_MAX][KECCAK_RATE], n8[BATCH_MAX][8];
	struct span firsts[BATCH_MAX], rests[BATCH_MAX], nonces[BATCH_MAX];

	for (size_t i = 0; i < count; i++) {
		struct span h = short_header(first[i], items[i]->content.len), begin;

		rests[i] = items[i]->content;
		if (!span_take(&rests[i], &begin, KECCAK_RATE - h.len))
			assert(false);
		memcpy(first[i] + h.len, begin.data, begin.len);
		firsts[i] = span_of(first[i], KECCAK_RATE);
		nonces[i] = nonce_bytes(n8[i], items[i]);
		keccak_init(&states[i]);
		at[i] = &states[i];
		done[i] = &states[i];
	}
	keccak_update_many(at, firsts, count);
	keccak_update_many(at, rests, count);
	keccak_update_many(at, nonces, count);
	keccak_peek_many(done, digests, count);
}

static void bits_of_batch(struct shh_work_item *const *items, size_t count)
{
	uint8_t digests[BATCH_MAX][32], in[BATCH_MAX][DOUBLE_INPUT_SIZE];
	struct keccak_item second[BATCH_MAX];
	size_t doubles = 0;

	if (items[count - 1]->content.len <= SHORT_MAX) /* the longest of them */
		digest_short(items, digests, count);
	else
		digest_long(items, digests, count);
	for (size_t i = 0; i < count; i++) {
		if (items[i]->digest != SHH_DIGEST_DOUBLE)
			continue;
		memcpy(in[doubles], digests[i], 32);
		double_input_finish(in[doubles], items[i]->nonce);
		second[doubles] =
			(struct keccak_item){ in[doubles], DOUBLE_INPUT_SIZE, digests[i] };
		doubles++;
	}
	keccak256_many(second, doubles);
	for (size_t i = 0; i < count; i++)
		items[i]->bits = keccak_zero_bits(digests[i], digest_zeros(items[i]->digest));
}

/* How many of the items from the front are of a kind, short or long. */
static size_t batch_len(struct shh_work_item *const *items, size_t count)
{
	size_t n = 1;

	count = size_min(count, BATCH_MAX);
	while (n < count &&
	       (items[n]->content.len <= SHORT_MAX) == (items[0]->content.len <= SHORT_MAX))
		n++;
	return n;
}

void shh_work_bits_many(struct shh_work_item *items, size_t count)
{
	struct shh_work_item *order[GROUP_MAX];

	for (size_t base = 0; base < count; base += GROUP_MAX) {
		size_t n = size_min(count - base, GROUP_MAX), len;

		for (size_t i = 0; i < n; i++) { /* by length: neighbours keep step in the lanes */
			struct shh_work_item *item = &items[base + i];
			size_t j = i;

			for (; j > 0 && order[j - 1]->content.len > item->content.len; j--)
				order[j] = order[j - 1];
			order[j] = item;
		}
		for (size_t i = 0; i < n; i += len) {
			len = batch_len(order + i, n - i);
			bits_of_batch(order + i, len);
		}
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
