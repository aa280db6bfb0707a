/* SPDX-License-Identifier: MIT */
/* base/blob.c - immutable bytes with a reference count. */
#include "base/blob.h"

#include <assert.h>

enum err blob_new(struct blob **out, struct mem *mem, enum mem_account account, size_t len)
{
	struct blob *b;
	size_t room;
	enum err e = size_add(&room, sizeof(*b), len);

	if (e != OK)
		return e;
	b = mem_resize(mem, account, NULL, 0, room); /* unlike mem_alloc(), does not zero */
	if (b == NULL)
		return ERR_MEM;
	*b = (struct blob){ .refs = 1, .mem = mem, .account = account, .len = len, .room = room };
	*out = b;
	return OK;
}

struct blob *blob_ref(struct blob *b)
{
	assert(b->refs > 0 && b->refs < UINT32_MAX);
	b->refs++;
	return b;
}

void blob_unref(struct blob *b)
{
	while (b != NULL) {
		struct blob *twin = b->twin;

		assert(b->refs > 0);
		if (--b->refs > 0)
			return;
		mem_free(b->mem, b->account, b, b->room);
		b = twin;
	}
}
