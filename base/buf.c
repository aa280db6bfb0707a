/* SPDX-License-Identifier: MIT */
/* base/buf.c - a growable byte queue: appended at the end, drained at the front.
 *
 * What was drained leaves a gap at the front.  When an append finds no room
 * at the end it closes the gap, and grows by half only if that is not enough;
 * so a queue that is kept below its ceiling moves each byte a few times at most.
 */
#include "base/buf.h"

#include <assert.h>
#include <string.h>

#define BUF_ROOM_MIN 256

void buf_init(struct buf *b, struct mem *mem, enum mem_account account, size_t max)
{
	*b = (struct buf){ .max = max, .mem = mem, .account = account };
}

void buf_reset(struct buf *b)
{
	mem_free(b->mem, b->account, b->data, b->room);
	b->data = NULL;
	b->start = 0;
	b->len = 0;
	b->room = 0;
}

static enum err buf_grow(struct buf *b, size_t need)
{
	size_t room = need > b->max - need / 2 ? b->max : need + need / 2;
	void *data;

	if (room < size_min(BUF_ROOM_MIN, b->max))
		room = size_min(BUF_ROOM_MIN, b->max);
	data = mem_resize(b->mem, b->account, b->data, b->room, room);
	if (data == NULL && room > need) { /* the exact size may still fit its account */
		room = need;
		data = mem_resize(b->mem, b->account, b->data, b->room, room);
	}
	if (data == NULL)
		return ERR_MEM;
	b->data = data;
	b->room = room;
	return OK;
}

enum err buf_reserve(struct buf *b, uint8_t **out, size_t len)
{
	if (len > b->max - b->len)
		return ERR_SIZE;
	if (len > b->room - b->start - b->len) {
		if (b->start > 0)
			memmove(b->data, b->data + b->start, b->len);
		b->start = 0;
		if (len > b->room - b->len && buf_grow(b, b->len + len) != OK)
			return ERR_MEM;
	}
	*out = b->data != NULL ? b->data + b->start + b->len : NULL;
	return OK;
}

void buf_commit(struct buf *b, size_t len)
{
	assert(len <= b->room - b->start - b->len);
	b->len += len;
}

enum err buf_append(struct buf *b, const void *data, size_t len)
{
	uint8_t *out;
	enum err e = buf_reserve(b, &out, len);

	if (e != OK || len == 0)
		return e;
	memcpy(out, data, len);
	buf_commit(b, len);
	return OK;
}

void buf_drain(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->start += n;
	b->len -= n;
	if (b->len == 0)
		buf_reset(b);
}
