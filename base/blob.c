/* SPDX-License-Identifier: MIT */
/* base/blob.c - immutable bytes with a reference count. */
#include "base/blob.h"

#include <assert.h>

enum err blob_new(struct blob **out, struct mem *mem, enum mem_account account, size_t len)
{
	struct blob *b;
	size_t size;

	if (size_add(&size, sizeof(*b), len) != OK)
		return ERR_SIZE;
	b = mem_resize(mem, account, NULL, 0, size); /* unlike mem_alloc(), does not zero */
	if (b == NULL)
		return ERR_MEM;
	*b = (struct blob){ .refs = 1, .mem = mem, .account = account, .len = len, .room = len };
	*out = b;
	return OK;
}

struct blob *blob_ref(struct blob *b)
{
	assert(b->refs > 0 && b->refs < UINT32_MAX);
	b->refs++;
	return b;
}

/* A twin may have one of its own in theory, so this is a loop and no recursion. */
void blob_unref(struct blob *b)
{
	while (b != NULL) {
		struct blob *twin = b->twin;

		assert(b->refs > 0);
		if (--b->refs > 0)
			return;
		mem_free(b->mem, b->account, b, sizeof(*b) + b->room);
		b = twin;
	}
}
