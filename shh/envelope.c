/* SPDX-License-Identifier: MIT */
/* shh/envelope.c - the envelope as bytes: read, written, named by its hash.
 *
 * [expiry, ttl, topic, data, nonce], five canonical fields.  Expiry and ttl have
 * 32 bits on the wire: geth, status-go and nim-eth end the connection over
 * longer ones, so nobody can be meant by them.  A list of topics, which parity
 * sends to its own kind only, is not an envelope for the same reason.
 */
#include "shh/envelope.h"

#include <assert.h>

enum err shh_envelope_read(struct shh_envelope *out, struct rlp_reader *r)
{
	struct rlp_reader rest = *r, raw = *r, list;
	struct shh_envelope e = { .expiry = 0 };
	const uint8_t *topic, *start;
	size_t whole;

	if (r->err != OK)
		return r->err;
	rlp_read_list(&rest, &list);
	start = list.at;
	whole = list.left;
	e.expiry = rlp_read_u32(&list);
	e.ttl = rlp_read_u32(&list);
	topic = rlp_read_fixed(&list, SHH_TOPIC_SIZE);
	e.data = rlp_read_bytes(&list);
	e.content = span_of(start, whole - list.left);
	e.nonce = rlp_read_u64(&list);
	rlp_expect_end(&list);
	if (rlp_reader_err(&list) != OK) {
		rlp_fail(r, ERR_ENVELOPE);
		return ERR_ENVELOPE;
	}
	memcpy(e.topic.b, topic, SHH_TOPIC_SIZE);
	e.raw = rlp_read_raw(&raw);
	*out = e;
	*r = rest;
	return OK;
}

size_t shh_envelope_size(size_t content_len, uint64_t nonce)
{
	return rlp_size_list(content_len + rlp_size_u64(nonce));
}

size_t shh_envelope_write(uint8_t *out, struct span content, uint64_t nonce)
{
	size_t size = shh_envelope_size(content.len, nonce);
	struct rlp_writer w = rlp_writer_init(out, size);

	rlp_write_list(&w, content.len + rlp_size_u64(nonce));
	rlp_write_raw(&w, content.data, content.len);
	rlp_write_u64(&w, nonce);
	assert(w.err == OK && w.len == size);
	return size;
}

size_t shh_content_size(uint64_t expiry, uint64_t ttl, size_t data_len, const uint8_t *data)
{
	return rlp_size_u64(expiry) + rlp_size_u64(ttl) + rlp_size_string(SHH_TOPIC_SIZE) +
	       rlp_size_bytes(data, data_len);
}

size_t shh_content_write(uint8_t *out, size_t max, uint64_t expiry, uint64_t ttl,
			 struct shh_topic topic, struct span data)
{
	struct rlp_writer w = rlp_writer_init(out, max);

	rlp_write_u64(&w, expiry);
	rlp_write_u64(&w, ttl);
	rlp_write_bytes(&w, topic.b, SHH_TOPIC_SIZE);
	rlp_write_bytes(&w, data.data, data.len);
	return w.err == OK ? w.len : 0;
}

void shh_envelope_hash(uint8_t out[static 32], struct span content, uint64_t nonce)
{
	uint8_t head[16], tail[16];
	struct rlp_writer h = rlp_writer_init(head, sizeof(head));
	struct rlp_writer t = rlp_writer_init(tail, sizeof(tail));

	rlp_write_u64(&t, nonce);
	rlp_write_list(&h, content.len + t.len);
	keccak256_parts(out, (struct span[]){ span_of(head, h.len), content, span_of(tail, t.len) },
			3);
}
