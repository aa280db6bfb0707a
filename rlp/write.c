/* SPDX-License-Identifier: MIT */
/* rlp/write.c - the writer: a bump pointer into a buffer of the caller's. */
#include "rlp/rlp.h"

#include <assert.h>

#define PAYLOAD_MAX UINT32_MAX /* what four bytes of length can say; hardening R1 */

struct rlp_writer rlp_writer_init(uint8_t *out, size_t max)
{
	return (struct rlp_writer){ .out = out, .max = max, .err = OK };
}

/* Bytes of v without leading zeros; 0 for 0. */
static size_t uint_len(uint64_t v)
{
	return v == 0 ? 0 : (size_t)(71 - __builtin_clzll(v)) / 8;
}

static size_t add_saturating(size_t a, size_t b)
{
	return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

size_t rlp_size_header(size_t payload_len)
{
	return payload_len < 56 ? 1 : 1 + uint_len(payload_len);
}

size_t rlp_size_list(size_t payload_len)
{
	return add_saturating(payload_len, rlp_size_header(payload_len));
}

size_t rlp_size_string(size_t len)
{
	return rlp_size_list(len);
}

size_t rlp_size_bytes(const uint8_t *data, size_t len)
{
	return len == 1 && data[0] < 0x80 ? 1 : rlp_size_string(len);
}

size_t rlp_size_u64(uint64_t v)
{
	return v < 0x80 ? 1 : 1 + uint_len(v);
}

/* Room for len bytes, or NULL and the writer failed. */
static uint8_t *claim(struct rlp_writer *w, size_t len)
{
	uint8_t *p;

	if (w->err != OK)
		return NULL;
	if (len > w->max - w->len) {
		w->err = ERR_SIZE;
		return NULL;
	}
	p = w->out + w->len;
	w->len += len;
	return p;
}

static void put_uint(uint8_t *p, uint64_t v, size_t len)
{
	for (size_t i = len; i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

/* base is 80 for strings and c0 for lists; p has rlp_size_header(len) bytes. */
static void put_header(uint8_t *p, uint8_t base, size_t len)
{
	size_t n = uint_len(len);

	if (len < 56) {
		p[0] = (uint8_t)(base + len);
		return;
	}
	p[0] = (uint8_t)(base + 55 + n);
	put_uint(p + 1, len, n);
}

static void write_header(struct rlp_writer *w, uint8_t base, size_t len)
{
	uint8_t *p;

	if (len > PAYLOAD_MAX && w->err == OK)
		w->err = ERR_SIZE;
	p = claim(w, rlp_size_header(len));
	if (p != NULL)
		put_header(p, base, len);
}

void rlp_write_u64(struct rlp_writer *w, uint64_t v)
{
	uint8_t bytes[8];
	size_t len = uint_len(v);

	put_uint(bytes, v, len);
	rlp_write_bytes(w, bytes, len);
}

void rlp_write_bool(struct rlp_writer *w, bool v)
{
	rlp_write_u64(w, v ? 1 : 0);
}

void rlp_write_bytes(struct rlp_writer *w, const uint8_t *data, size_t len)
{
	if (len != 1 || data[0] >= 0x80)
		write_header(w, 0x80, len);
	rlp_write_raw(w, data, len);
}

void rlp_write_text(struct rlp_writer *w, const char *text)
{
	rlp_write_bytes(w, (const uint8_t *)text, strlen(text));
}

void rlp_write_list(struct rlp_writer *w, size_t payload_len)
{
	write_header(w, 0xc0, payload_len);
}

void rlp_write_raw(struct rlp_writer *w, const uint8_t *item, size_t len)
{
	uint8_t *p = claim(w, len);

	if (p != NULL && len > 0)
		memcpy(p, item, len);
}

size_t rlp_list_begin(struct rlp_writer *w)
{
	return w->len;
}

void rlp_list_end(struct rlp_writer *w, size_t begin)
{
	size_t payload_len = w->len - begin;
	size_t header = rlp_size_header(payload_len);

	assert(begin <= w->len);
	if (payload_len > PAYLOAD_MAX && w->err == OK)
		w->err = ERR_SIZE;
	if (claim(w, header) == NULL)
		return;
	memmove(w->out + begin + header, w->out + begin, payload_len);
	put_header(w->out + begin, 0xc0, payload_len);
}
