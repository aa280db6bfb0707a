/* SPDX-License-Identifier: MIT */
/* rlp/rlp.h - Recursive Length Prefix: a strict reader that never allocates and
 * a writer into bounded buffers.
 *
 * Reading is canonical: what is accepted re-encodes to itself.  A reader that
 * failed stays failed with its first error, so read all the fields and ask
 * once at the end:
 *
 *	struct rlp_reader r = rlp_reader_init(data, len), list;
 *	rlp_read_list(&r, &list);
 *	expiry = rlp_read_u64(&list);
 *	data = rlp_read_bytes(&list);
 *	rlp_expect_end(&list);
 *	err = rlp_reader_err(&list);   (an error in r is carried into list)
 *
 * Source: Ethereum Yellow Paper, appendix B.
 */
#ifndef RLP_RLP_H
#define RLP_RLP_H

#include "base/bytes.h"

#define RLP_WALK_DEPTH_MAX 128	 /* nesting the generic walker follows (hardening R3) */
#define RLP_WALK_ITEMS_MAX 65536 /* items the generic walker counts (hardening R4) */

/* A position in a list's payload, or in a message; copy it to look ahead. */
struct rlp_reader {
	const uint8_t *at; /* borrowed input */
	size_t left;
	enum err err; /* OK, or the first failure: ERR_RLP or ERR_TRAILING */
};

struct rlp_reader rlp_reader_init(const uint8_t *data, size_t len);

static inline bool rlp_reader_at_end(const struct rlp_reader *r)
{
	return r->err != OK || r->left == 0;
}

static inline enum err rlp_reader_err(const struct rlp_reader *r)
{
	return r->err;
}

/* Whether the next item is there and is a list; does not move. */
bool rlp_next_is_list(const struct rlp_reader *r);

/* Each takes one item and moves past it.  On failure the reader's error is set
 * and the value is empty or zero. */
void rlp_read_list(struct rlp_reader *r, struct rlp_reader *list);
struct span rlp_read_bytes(struct rlp_reader *r); /* a string of any length */
const uint8_t *rlp_read_fixed(struct rlp_reader *r,
			      size_t len);   /* exactly len bytes; NULL on failure */
uint64_t rlp_read_u64(struct rlp_reader *r); /* canonical integers up to the width */
uint32_t rlp_read_u32(struct rlp_reader *r);
uint16_t rlp_read_u16(struct rlp_reader *r);
bool rlp_read_bool(struct rlp_reader *r);	/* 80 or 01 */
struct span rlp_read_raw(struct rlp_reader *r); /* header and payload, not looked into */
void rlp_skip(struct rlp_reader *r);		/* one item, its header checked */

/* Set ERR_TRAILING if anything is left. */
void rlp_expect_end(struct rlp_reader *r);

/* Record a failure that the caller found (a value out of range): first one wins. */
void rlp_fail(struct rlp_reader *r, enum err e);

/* Number of items in what is left; 0 on failure.  Headers are checked on the way. */
size_t rlp_count(const struct rlp_reader *r);

/* Check one whole item of any shape, every level, iteratively.
 *
 * errors   ERR_RLP (also past depth or items of the caps above), ERR_TRAILING
 */
MUST_CHECK enum err rlp_validate(const uint8_t *data, size_t len);

/* A writer into the caller's buffer: a bump pointer that fails once, for good.
 * Lists are opened with the payload size known: the size pass is arithmetic
 * with rlp_size_*(), the write pass must fill exactly that (hardening R7). */
struct rlp_writer {
	uint8_t *out; /* borrowed */
	size_t len;
	size_t max;
	enum err err; /* OK or ERR_SIZE */
};

struct rlp_writer rlp_writer_init(uint8_t *out, size_t max);

size_t rlp_size_u64(uint64_t v);
size_t rlp_size_bytes(const uint8_t *data, size_t len); /* looks at data[0] when len is 1 */
size_t rlp_size_string(size_t len);			/* for len != 1 */
size_t rlp_size_list(size_t payload_len);		/* header and payload */
size_t rlp_size_header(size_t payload_len);		/* header of a list or long string alone */

void rlp_write_u64(struct rlp_writer *w, uint64_t v);
void rlp_write_bool(struct rlp_writer *w, bool v);
void rlp_write_bytes(struct rlp_writer *w, const uint8_t *data, size_t len);
void rlp_write_text(struct rlp_writer *w, const char *text);
void rlp_write_list(struct rlp_writer *w, size_t payload_len); /* the header; items follow */
void rlp_write_raw(struct rlp_writer *w, const uint8_t *item, size_t len);

/* The simple way when sizes are a nuisance: open a list, write, close; the
 * payload is moved once to make room for its header. */
size_t rlp_list_begin(struct rlp_writer *w);
void rlp_list_end(struct rlp_writer *w, size_t begin);

#endif /* RLP_RLP_H */
