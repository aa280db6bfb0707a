/* SPDX-License-Identifier: MIT */
/* shh/packet.c - Status, and the control packets of shh/6: codes 0, 2 and 3.
 *
 * Codes 0 and 1 are lists, 2 and 3 bare items.  What may follow the end is
 * ignored in these three and an error everywhere else (hardening R5).
 */
#include "shh/packet.h"

#include <assert.h>
#include <math.h>

#define SHH_VERSION 6

/* A minimum work from the 64 bits of its double; -0.0 counts as 0.
 * False for NaN, infinities and negative values (hardening U1). */
static bool pow_of_bits(double *out, uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	if (!isfinite(v) || v < 0)
		return false;
	*out = v == 0 ? 0 : v;
	return true;
}

static uint64_t bits_of_pow(double v)
{
	uint64_t bits;

	if (v == 0)
		return 0;
	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static void rates_read(struct shh_rates *out, struct rlp_reader *r)
{
	struct rlp_reader list;

	rlp_read_list(r, &list);
	out->ip = rlp_read_u64(&list);
	out->peer = rlp_read_u64(&list);
	out->topic = rlp_read_u64(&list);
	rlp_expect_end(&list);
	rlp_fail(r, rlp_reader_err(&list));
}

static void bloom_take(struct shh_status *s, const uint8_t *b)
{
	memcpy(s->bloom.b, b, SHH_BLOOM_SIZE);
	s->bloom_was_sent = true;
	s->has_bloom = !shh_bloom_is_full(&s->bloom);
}

/* Items 2 and 3.  errors ERR_STATUS; what cannot be decoded sets list's own error. */
static enum err limits_read(struct shh_status *s, struct rlp_reader *list)
{
	uint64_t bits = rlp_read_u64(list);
	struct span bloom;

	if (rlp_reader_err(list) != OK)
		return OK;
	if (!pow_of_bits(&s->min_pow, bits))
		return ERR_STATUS;
	bloom = rlp_read_bytes(list);
	if (rlp_reader_err(list) != OK || bloom.len == 0)
		return OK;
	if (bloom.len != SHH_BLOOM_SIZE)
		return ERR_STATUS;
	bloom_take(s, bloom.data);
	return OK;
}

/* Items 4 to 6: what cannot be decoded counts as not sent. */
static void dialect_read(struct shh_status *s, struct rlp_reader *list)
{
	struct shh_rates rates;
	bool flag = rlp_read_bool(list);

	if (rlp_reader_err(list) != OK)
		return;
	s->form = SHH_STATUS_FOUR;
	s->light = flag;
	flag = rlp_read_bool(list);
	if (rlp_reader_err(list) != OK)
		return;
	s->form = SHH_STATUS_FIVE;
	s->confirmations = flag;
	rates_read(&rates, list);
	if (rlp_reader_err(list) != OK)
		return;
	s->form = SHH_STATUS_SIX;
	s->has_rates = true;
	s->rates = rates;
}

enum err shh_status_read(struct shh_status *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_status s = { .form = SHH_STATUS_EMPTY };
	uint64_t version;

	rlp_read_list(&r, &list);
	if (rlp_reader_err(&list) != OK)
		return ERR_STATUS;
	if (!rlp_reader_at_end(&list)) {
		s.form = SHH_STATUS_SHORT;
		version = rlp_read_u64(&list);
		if (rlp_reader_err(&list) != OK)
			return ERR_STATUS;
		if (version != SHH_VERSION)
			return ERR_VERSION;
		if (limits_read(&s, &list) != OK)
			return ERR_STATUS;
		dialect_read(&s, &list);
	}
	*out = s;
	return OK;
}

static void rates_write(struct rlp_writer *w, const struct shh_rates *rates)
{
	rlp_write_list(w, rlp_size_u64(rates->ip) + rlp_size_u64(rates->peer) +
				  rlp_size_u64(rates->topic));
	rlp_write_u64(w, rates->ip);
	rlp_write_u64(w, rates->peer);
	rlp_write_u64(w, rates->topic);
}

size_t shh_status_write(uint8_t *out, size_t max, const struct shh_status *s)
{
	struct rlp_writer w = rlp_writer_init(out, max);
	bool six = s->has_rates || s->form == SHH_STATUS_SIX;
	bool five = six || s->confirmations || s->form == SHH_STATUS_FIVE;
	struct shh_bloom full;
	size_t list;

	memset(full.b, 0xff, sizeof(full.b));
	list = rlp_list_begin(&w);
	rlp_write_u64(&w, SHH_VERSION);
	rlp_write_u64(&w, bits_of_pow(s->min_pow));
	if (s->has_bloom || s->bloom_was_sent)
		rlp_write_bytes(&w, s->has_bloom ? s->bloom.b : full.b, SHH_BLOOM_SIZE);
	else
		rlp_write_bytes(&w, NULL, 0);
	rlp_write_bool(&w, s->light);
	if (five)
		rlp_write_bool(&w, s->confirmations);
	if (six)
		rates_write(&w, &s->rates);
	rlp_list_end(&w, list);
	return w.err == OK ? w.len : 0;
}

enum err shh_pow_read(double *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	uint64_t bits = rlp_read_u64(&r);

	return rlp_reader_err(&r) == OK && pow_of_bits(out, bits) ? OK : ERR_STATUS;
}

size_t shh_pow_write(uint8_t out[static 9], double min_pow)
{
	struct rlp_writer w = rlp_writer_init(out, 9);

	rlp_write_u64(&w, bits_of_pow(min_pow));
	assert(w.err == OK);
	return w.len;
}

enum err shh_bloom_read(struct shh_bloom *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	const uint8_t *b = rlp_read_fixed(&r, SHH_BLOOM_SIZE);

	if (b == NULL)
		return ERR_STATUS;
	memcpy(out->b, b, SHH_BLOOM_SIZE);
	return OK;
}

size_t shh_bloom_write(uint8_t out[static 66], const struct shh_bloom *bloom)
{
	struct rlp_writer w = rlp_writer_init(out, 66);

	rlp_write_bytes(&w, bloom->b, SHH_BLOOM_SIZE);
	assert(w.err == OK);
	return w.len;
}

enum err shh_rates_read(struct shh_rates *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	struct shh_rates rates;

	rates_read(&rates, &r);
	rlp_expect_end(&r);
	if (rlp_reader_err(&r) == OK)
		*out = rates;
	return rlp_reader_err(&r);
}
