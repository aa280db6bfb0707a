/* SPDX-License-Identifier: MIT */
/* shh/packet_status.c - what Status' Whisper adds to shh/6: confirmations (codes
 * 11 and 12) and mail (123 to 126).
 *
 * Source: status-go whisper v6.2.6.  Unlike its readers, ours take nothing
 * that is longer, shorter or out of range (hardening R5, R6).
 */
#include "shh/packet.h"

#include <assert.h>

#define HASH_SIZE	 32
#define CURSOR_SIZE	 36 /* sent time and hash of the last envelope */
#define RESPONSE_VERSION 1
#define MAIL_LIMIT_MAX	 1000 /* envelopes a request may ask for */
#define COMPLETE_MAX	 (2 * HASH_SIZE + CURSOR_SIZE)

static void hash_read(uint8_t out[static HASH_SIZE], struct rlp_reader *r)
{
	const uint8_t *b = rlp_read_fixed(r, HASH_SIZE);

	if (b != NULL)
		memcpy(out, b, HASH_SIZE);
}

static void bloom_item_read(struct shh_bloom *out, struct rlp_reader *r)
{
	const uint8_t *b = rlp_read_fixed(r, SHH_BLOOM_SIZE);

	if (b != NULL)
		memcpy(out->b, b, SHH_BLOOM_SIZE);
}

/* --- confirmations ---------------------------------------------------------- */

size_t shh_batch_ack_write(uint8_t out[static 33], const uint8_t batch_hash[static 32])
{
	struct rlp_writer w = rlp_writer_init(out, 33);

	rlp_write_bytes(&w, batch_hash, HASH_SIZE);
	assert(w.err == OK);
	return w.len;
}

enum err shh_batch_ack_read(uint8_t batch_hash[static 32], struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	const uint8_t *b = rlp_read_fixed(&r, HASH_SIZE);

	rlp_expect_end(&r);
	if (rlp_reader_err(&r) == OK)
		memcpy(batch_hash, b, HASH_SIZE);
	return rlp_reader_err(&r);
}

enum err shh_response_read(struct shh_response *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list, body;
	struct shh_response s = { .known_version = false };
	uint64_t version;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	rlp_fail(&list, rlp_reader_err(&r));
	version = rlp_read_u64(&list);
	if (version == RESPONSE_VERSION) {
		s.known_version = true;
		rlp_read_list(&list, &body);
		hash_read(s.batch_hash, &body);
		rlp_read_list(&body, &s.items);
		rlp_expect_end(&body);
		rlp_fail(&list, rlp_reader_err(&body));
	} else {
		rlp_skip(&list);
	}
	rlp_expect_end(&list);
	if (rlp_reader_err(&list) == OK)
		*out = s;
	return rlp_reader_err(&list);
}

bool shh_response_next(struct shh_response *r, struct shh_response_item *item)
{
	struct rlp_reader list;

	if (!r->known_version || rlp_reader_at_end(&r->items))
		return false;
	rlp_read_list(&r->items, &list);
	hash_read(item->hash, &list);
	item->code = rlp_read_u64(&list);
	item->text = rlp_read_bytes(&list);
	rlp_expect_end(&list);
	rlp_fail(&r->items, rlp_reader_err(&list));
	return rlp_reader_err(&r->items) == OK;
}

size_t shh_response_write(uint8_t *out, size_t max, const uint8_t batch_hash[static 32],
			  const struct shh_response_item *items, size_t count)
{
	struct rlp_writer w = rlp_writer_init(out, max);
	size_t outer = rlp_list_begin(&w), body, list, one;

	rlp_write_u64(&w, RESPONSE_VERSION);
	body = rlp_list_begin(&w);
	rlp_write_bytes(&w, batch_hash, HASH_SIZE);
	list = rlp_list_begin(&w);
	for (size_t i = 0; i < count; i++) {
		one = rlp_list_begin(&w);
		rlp_write_bytes(&w, items[i].hash, HASH_SIZE);
		rlp_write_u64(&w, items[i].code);
		rlp_write_bytes(&w, items[i].text.data, items[i].text.len);
		rlp_list_end(&w, one);
	}
	rlp_list_end(&w, list);
	rlp_list_end(&w, body);
	rlp_list_end(&w, outer);
	return w.err == OK ? w.len : 0;
}

/* --- mail ------------------------------------------------------------------- */

enum err shh_sync_request_read(struct shh_sync_request *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_sync_request q;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	rlp_fail(&list, rlp_reader_err(&r));
	q.lower = rlp_read_u32(&list);
	q.upper = rlp_read_u32(&list);
	bloom_item_read(&q.bloom, &list);
	q.limit = rlp_read_u32(&list);
	q.cursor = rlp_read_bytes(&list);
	rlp_expect_end(&list);
	if (rlp_reader_err(&list) != OK)
		return rlp_reader_err(&list);
	if (q.lower > q.upper || q.limit == 0 || q.limit > MAIL_LIMIT_MAX)
		return ERR_RLP;
	*out = q;
	return OK;
}

enum err shh_sync_response_read(struct shh_sync_response *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_sync_response s;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	rlp_fail(&list, rlp_reader_err(&r));
	rlp_read_list(&list, &s.envelopes);
	s.cursor = rlp_read_bytes(&list);
	s.is_final = rlp_read_bool(&list);
	s.error = rlp_read_bytes(&list);
	rlp_expect_end(&list);
	if (rlp_reader_err(&list) == OK)
		*out = s;
	return rlp_reader_err(&list);
}

/* "ERROR=", the request, and why. */
static bool complete_failed(struct shh_complete *s, struct span text)
{
	static const char prefix[] = "ERROR=";
	struct span head, id;

	if (!span_take(&text, &head, sizeof(prefix) - 1) ||
	    !span_eq(head, span_of(prefix, sizeof(prefix) - 1)) ||
	    !span_take(&text, &id, HASH_SIZE))
		return false;
	s->failed = true;
	memcpy(s->request, id.data, HASH_SIZE);
	s->text = text;
	return true;
}

enum err shh_complete_read(struct shh_complete *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	struct span rest = rlp_read_bytes(&r), id;
	struct shh_complete s = { .failed = false };

	rlp_expect_end(&r);
	if (rlp_reader_err(&r) != OK)
		return rlp_reader_err(&r);
	if (!complete_failed(&s, rest)) {
		if (rest.len > COMPLETE_MAX || !span_take(&rest, &id, HASH_SIZE))
			return ERR_SIZE;
		memcpy(s.request, id.data, HASH_SIZE);
		if (span_take(&rest, &s.last_hash, HASH_SIZE) && rest.len == CURSOR_SIZE)
			s.cursor = rest;
	}
	*out = s;
	return OK;
}

/* [id, from, to, limit, cursor, bloom] */
static void clear_request_read(struct shh_mail_request *q, struct rlp_reader *r)
{
	struct rlp_reader list;

	rlp_read_list(r, &list);
	hash_read(q->id, &list);
	q->from = rlp_read_u32(&list);
	q->to = rlp_read_u32(&list);
	q->limit = rlp_read_u32(&list);
	q->cursor = rlp_read_bytes(&list);
	bloom_item_read(&q->bloom, &list);
	rlp_expect_end(&list);
	rlp_fail(r, rlp_reader_err(&list));
	if (q->from > q->to || q->limit > MAIL_LIMIT_MAX)
		rlp_fail(r, ERR_RLP);
}

enum err shh_mail_request_read(struct shh_mail_request *out, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), again = r;
	struct shh_mail_request q = { .is_envelope = true };

	if (shh_envelope_read(&q.envelope, &r) != OK) {
		q.is_envelope = false;
		r = again;
		clear_request_read(&q, &r);
	}
	rlp_expect_end(&r);
	if (rlp_reader_err(&r) == OK)
		*out = q;
	return rlp_reader_err(&r);
}
