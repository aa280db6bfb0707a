/* SPDX-License-Identifier: MIT */
/* base/buf.h - a growable byte queue with a ceiling at birth. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/mem.h"

struct buf {
	uint8_t *data; /* owned; the content is data[start .. start+len) */
	size_t start;
	size_t len;
	size_t room; /* bytes allocated */
	size_t max;  /* the append that would pass it fails and changes nothing */
	struct mem *mem;
	enum mem_account account;
};

void buf_init(struct buf *b, struct mem *mem, enum mem_account account, size_t max);

/* Release the bytes (wiping is the caller's business); the buffer stays usable. */
void buf_reset(struct buf *b);

/* errors   ERR_SIZE past max; ERR_MEM from the account */
MUST_CHECK enum err buf_append(struct buf *b, const void *data, size_t len);

/* Lend room for len more bytes at the end; commit what was written of it. */
MUST_CHECK enum err buf_reserve(struct buf *b, uint8_t **out, size_t len);
void buf_commit(struct buf *b, size_t len);

/* Drop n bytes from the front, n <= len; releases the memory when it runs empty. */
void buf_drain(struct buf *b, size_t n);

static inline struct span buf_span(const struct buf *b)
{
	return span_of(b->len ? b->data + b->start : NULL, b->len);
}

#endif /* BASE_BUF_H */
