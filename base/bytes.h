/* SPDX-License-Identifier: MIT */
/* base/bytes.h - spans of bytes, byte order, hex, and sizes that cannot wrap. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Borrowed bytes: len of them at data; data may be NULL when len is 0. */
struct span {
	const uint8_t *data;
	size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){ .data = data, .len = len };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Take the first len bytes off *s; false and both untouched if it has fewer. */
static inline MUST_CHECK bool span_take(struct span *s, struct span *out, size_t len)
{
	if (len > s->len)
		return false;
	*out = span_of(s->data, len);
	if (len > 0)
		*s = span_of(s->data + len, s->len - len);
	return true;
}

/* Add or multiply into *out; ERR_SIZE and *out untouched if it would wrap. */
static inline MUST_CHECK enum err size_add(size_t *out, size_t a, size_t b)
{
	size_t n;

	if (__builtin_add_overflow(a, b, &n))
		return ERR_SIZE;
	*out = n;
	return OK;
}

static inline MUST_CHECK enum err size_mul(size_t *out, size_t a, size_t b)
{
	size_t n;

	if (__builtin_mul_overflow(a, b, &n))
		return ERR_SIZE;
	*out = n;
	return OK;
}

/* Saturating sums for deadlines: UINT64_MAX means never and stays never. */
static inline uint64_t time_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline size_t size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Big and little endian, unaligned. */
static inline uint16_t be16_load(const uint8_t p[static 2])
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t be24_load(const uint8_t p[static 3])
{
	return ((uint32_t)p[0] << 16) | ((uint32_t)p[1] << 8) | p[2];
}

static inline uint32_t be32_load(const uint8_t p[static 4])
{
	return ((uint32_t)p[0] << 24) | be24_load(p + 1);
}

static inline uint64_t be64_load(const uint8_t p[static 8])
{
	return ((uint64_t)be32_load(p) << 32) | be32_load(p + 4);
}

static inline void be16_store(uint8_t p[static 2], uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be24_store(uint8_t p[static 3], uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

static inline void be32_store(uint8_t p[static 4], uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	be24_store(p + 1, v);
}

static inline void be64_store(uint8_t p[static 8], uint64_t v)
{
	be32_store(p, (uint32_t)(v >> 32));
	be32_store(p + 4, (uint32_t)v);
}

static inline uint64_t le64_load(const uint8_t p[static 8])
{
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline void le64_store(uint8_t p[static 8], uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, 8);
}

/* Write len bytes as 2*len lower-case digits and a NUL.
 *
 * out      at least 2*len + 1 bytes
 */
void hex_encode(char *out, const uint8_t *data, size_t len);

/* Read hex of either case, with or without "0x", of exactly 2*len digits.
 *
 * errors   ERR_SIZE if the text is shorter or longer; ERR_ARG at a non-digit
 */
MUST_CHECK enum err hex_decode(uint8_t *out, size_t len, const char *text);

/* The same for text_len characters of any even count up to 2*max; *len is set. */
MUST_CHECK enum err hex_decode_any(uint8_t *out, size_t *len, size_t max, const char *text,
				   size_t text_len);

/* Escape what a stranger wrote so that it can stand in a log line: printable
 * ASCII stays, the rest becomes \xNN, and so do the quote and the backslash, so
 * that it cannot leave its quotes; cut at 64 characters of input, which "..."
 * then tells (hardening X3).
 *
 * out      TEXT_ESCAPED_MAX bytes, NUL-terminated
 */
#define TEXT_ESCAPED_MAX 260
void text_escape(char out[static TEXT_ESCAPED_MAX], const uint8_t *text, size_t len);

#endif /* BASE_BYTES_H */
