/* SPDX-License-Identifier: MIT */
/* rlp/read.c - the strict reader: every header checked, no byte copied.
 *
 * One function reads a header, item_header(); everything else is built on it.
 * A header is accepted only in its shortest form (hardening R2), with at most
 * four bytes of length (R1), and only if its payload lies within what is left.
 */
#include "rlp/rlp.h"

#define LEN_BYTES_MAX 4 /* bytes of a length; hardening R1 */

struct item {
	bool is_list;
	size_t header; /* bytes before the payload; 0 for a single byte below 0x80 */
	size_t payload;
};

struct rlp_reader rlp_reader_init(const uint8_t *data, size_t len)
{
	return (struct rlp_reader){ .at = data, .left = len, .err = OK };
}

/* The length of the long forms: n bytes behind the first, no leading zero, >= 56. */
static bool long_length(struct item *item, const uint8_t *at, size_t left, size_t n)
{
	size_t len = 0;

	if (n > LEN_BYTES_MAX || n > left - 1 || at[1] == 0)
		return false;
	for (size_t i = 1; i <= n; i++)
		len = len << 8 | at[i];
	item->header = 1 + n;
	item->payload = len;
	return len >= 56;
}

static bool item_header(struct item *item, const uint8_t *at, size_t left)
{
	uint8_t first;

	if (left == 0)
		return false;
	first = at[0];
	item->is_list = first >= 0xc0;
	if (first < 0x80) {
		item->header = 0;
		item->payload = 1;
		return true;
	}
	if (first >= 0xf8 || (first >= 0xb8 && first < 0xc0)) {
		if (!long_length(item, at, left, (first & 0x3fu) - 0x37u))
			return false;
	} else {
		item->header = 1;
		item->payload = first & 0x3fu;
	}
	if (item->payload > left - item->header)
		return false;
	/* 81 00..7f: a byte that should stand for itself */
	return first != 0x81 || at[1] >= 0x80;
}

/* Take one item of either kind; false with the error set if there is none. */
static bool take(struct rlp_reader *r, struct item *item, const uint8_t **payload)
{
	if (r->err != OK)
		return false;
	if (!item_header(item, r->at, r->left)) {
		rlp_fail(r, ERR_RLP);
		return false;
	}
	*payload = r->at + item->header;
	r->at = *payload + item->payload;
	r->left -= item->header + item->payload;
	return true;
}

/* Take one item of the kind asked for. */
static bool take_kind(struct rlp_reader *r, bool is_list, struct span *out)
{
	const uint8_t *payload;
	struct item item;

	if (!take(r, &item, &payload))
		return false;
	if (item.is_list != is_list) {
		rlp_fail(r, ERR_RLP);
		return false;
	}
	*out = span_of(payload, item.payload);
	return true;
}

void rlp_fail(struct rlp_reader *r, enum err e)
{
	if (r->err == OK)
		r->err = e;
}

bool rlp_next_is_list(const struct rlp_reader *r)
{
	return r->err == OK && r->left > 0 && r->at[0] >= 0xc0;
}

void rlp_read_list(struct rlp_reader *r, struct rlp_reader *list)
{
	struct span payload = { NULL, 0 };

	(void)take_kind(r, true, &payload);
	*list = (struct rlp_reader){ .at = payload.data, .left = payload.len, .err = r->err };
}

struct span rlp_read_bytes(struct rlp_reader *r)
{
	struct span s = { NULL, 0 };

	(void)take_kind(r, false, &s);
	return s;
}

const uint8_t *rlp_read_fixed(struct rlp_reader *r, size_t len)
{
	struct span s;

	if (!take_kind(r, false, &s))
		return NULL;
	if (s.len != len) {
		rlp_fail(r, ERR_RLP);
		return NULL;
	}
	return s.data;
}

/* An integer of at most width bytes: big-endian, no leading zero, zero is empty. */
static uint64_t read_uint(struct rlp_reader *r, size_t width)
{
	struct span s;
	uint64_t v = 0;

	if (!take_kind(r, false, &s))
		return 0;
	if (s.len > width || (s.len > 0 && s.data[0] == 0)) {
		rlp_fail(r, ERR_RLP);
		return 0;
	}
	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | s.data[i];
	return v;
}

uint64_t rlp_read_u64(struct rlp_reader *r)
{
	return read_uint(r, 8);
}

uint32_t rlp_read_u32(struct rlp_reader *r)
{
	return (uint32_t)read_uint(r, 4);
}

uint16_t rlp_read_u16(struct rlp_reader *r)
{
	return (uint16_t)read_uint(r, 2);
}

bool rlp_read_bool(struct rlp_reader *r)
{
	uint64_t v = read_uint(r, 1);

	if (v > 1)
		rlp_fail(r, ERR_RLP);
	return v == 1;
}

struct span rlp_read_raw(struct rlp_reader *r)
{
	const uint8_t *start = r->at;
	const uint8_t *payload;
	struct item item;

	if (!take(r, &item, &payload))
		return span_of(NULL, 0);
	return span_of(start, item.header + item.payload);
}

void rlp_skip(struct rlp_reader *r)
{
	(void)rlp_read_raw(r);
}

void rlp_expect_end(struct rlp_reader *r)
{
	if (r->left > 0)
		rlp_fail(r, ERR_TRAILING);
}

size_t rlp_count(const struct rlp_reader *r)
{
	struct rlp_reader ahead = *r;
	size_t n = 0;

	while (!rlp_reader_at_end(&ahead)) {
		rlp_skip(&ahead);
		n++;
	}
	return ahead.err == OK ? n : 0;
}
