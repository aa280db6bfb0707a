/* SPDX-License-Identifier: MIT */
/* shh/later.c - rings of members, and heaps of what is due when. */
#include "shh/internal.h"

void shh__list_init(struct shh__link *list)
{
	list->next = list->prev = list;
}

void shh__list_leave(struct shh__link *l)
{
	if (l->next == NULL)
		return;
	l->next->prev = l->prev;
	l->prev->next = l->next;
	l->next = l->prev = NULL;
}

void shh__list_append(struct shh__link *list, struct shh__link *l)
{
	shh__list_leave(l);
	l->prev = list->prev;
	l->next = list;
	list->prev->next = l;
	list->prev = l;
}

void shh__list_splice(struct shh__link *to, struct shh__link *from)
{
	if (shh__list_is_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	shh__list_init(from);
}

/* --- heaps ------------------------------------------------------------------------ */

void shh__later_free(struct shh__later *l, struct mem *mem, enum mem_account a)
{
	mem_free(mem, a, l->v, l->room * sizeof(*l->v));
	*l = (struct shh__later){ 0 };
}

/* By time, then by arrival: a total order, so that runs repeat. */
static bool earlier(const struct shh__due *a, const struct shh__due *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return a->seq != b->seq ? a->seq < b->seq : a->what < b->what;
}

static enum err room_make(struct shh__later *l, struct mem *mem, enum mem_account a)
{
	uint32_t room = l->room == 0 ? 16 : l->room * 2;
	void *v;

	if (l->count < l->room)
		return OK;
	if (l->count >= SHH__LATER_MAX)
		return ERR_FULL;
	v = mem_resize(mem, a, l->v, l->room * sizeof(*l->v), room * sizeof(*l->v));
	if (v == NULL)
		return ERR_MEM;
	l->v = v;
	l->room = room;
	return OK;
}

enum err shh__later_put(struct shh__later *l, struct mem *mem, enum mem_account a,
			const struct shh__due *d)
{
	enum err err = room_make(l, mem, a);
	uint32_t i, up;

	if (err != OK)
		return err;
	for (i = l->count++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!earlier(d, &l->v[up]))
			break;
		l->v[i] = l->v[up];
	}
	l->v[i] = *d;
	return OK;
}

bool shh__later_take(struct shh__later *l, uint64_t now_ms, struct shh__due *out)
{
	struct shh__due last;
	uint32_t i = 0, down;

	if (l->count == 0 || l->v[0].at_ms > now_ms)
		return false;
	*out = l->v[0];
	last = l->v[--l->count];
	while ((down = 2 * i + 1) < l->count) {
		if (down + 1 < l->count && earlier(&l->v[down + 1], &l->v[down]))
			down++;
		if (!earlier(&l->v[down], &last))
			break;
		l->v[i] = l->v[down];
		i = down;
	}
	l->v[i] = last;
	return true;
}
