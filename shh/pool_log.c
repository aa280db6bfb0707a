/* SPDX-License-Identifier: MIT */
/* shh/pool_log.c - the order of arrival, and the cursors that walk it.
 *
 * An item names a record and the life it means, so a record that ended leaves
 * its items behind; they are passed over, and swept when they are as many as
 * the living.  Cursors are positions; sweeping moves them along.
 */
#include "shh/pool.h"

#include <assert.h>

#define ROOM_MIN   1024u
#define SWEEP_MIN  1024u /* dead items that are worth a sweep */
#define PLACES_MAX 60	 /* of one record */
#define BLOCKS	   256u	 /* counts taken for moving cursors */

static bool item_lives(const struct shh__pool *p, const struct shh__log_item *i)
{
	const struct shh__entry *e = shh__entry(p, i->idx);

	return e->state == SHH__LIVE && (uint32_t)e->seq == i->seq;
}

/* A chunk of records may be gone when its last record ended. */
static bool item_valid(const struct shh__pool *p, const struct shh__log_item *i)
{
	return p->chunks[i->idx >> 8] != NULL && item_lives(p, i);
}

void shh__cursor_join(struct shh__pool *p, struct shh__cursor *c)
{
	*c = (struct shh__cursor){ .at = 0, .next = p->cursors };
	if (p->cursors != NULL)
		p->cursors->prev = c;
	p->cursors = c;
}

void shh__cursor_leave(struct shh__pool *p, struct shh__cursor *c)
{
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else if (p->cursors == c)
		p->cursors = c->next;
	c->next = c->prev = NULL;
}

uint32_t shh__cursor_next(const struct shh__pool *p, struct shh__cursor *c, uint32_t *steps)
{
	while (c->at<p->log_len && * steps> 0) {
		const struct shh__log_item *i = &p->log[c->at++];

		--*steps;
		if (item_valid(p, i))
			return i->idx;
	}
	return SHH__NONE;
}

/* Move the cursors to where they will stand when the dead are gone: each counts
 * from the nearest of BLOCKS counts taken on one walk. */
static void cursors_move(struct shh__pool *p)
{
	uint32_t block = p->log_len / BLOCKS + 1, before[BLOCKS + 1] = { 0 }, live = 0;

	for (uint32_t i = 0; i < p->log_len; i++) {
		if (i % block == 0)
			before[i / block] = live;
		live += item_valid(p, &p->log[i]);
	}
	for (struct shh__cursor *c = p->cursors; c != NULL; c = c->next) {
		uint32_t at = live;

		if (c->at < p->log_len) {
			at = before[c->at / block];
			for (uint32_t i = c->at / block * block; i < c->at; i++)
				at += item_valid(p, &p->log[i]);
		}
		c->at = at;
	}
}

static void sweep(struct shh__pool *p)
{
	uint32_t kept = 0;

	cursors_move(p);
	for (uint32_t i = 0; i < p->log_len; i++)
		if (item_valid(p, &p->log[i]))
			p->log[kept++] = p->log[i];
	p->log_len = kept;
	p->log_live = kept;
}

static bool log_resize(struct shh__pool *p, uint32_t room)
{
	void *log = mem_resize(p->mem, MEM_POOL, p->log, p->log_room * sizeof(*p->log),
			       room * sizeof(*p->log));

	if (log == NULL)
		return false;
	p->log = log;
	p->log_room = room;
	return true;
}

enum err shh__log_reserve(struct shh__pool *p)
{
	uint32_t dead = p->log_len - p->log_live;

	if (p->log_len < p->log_room)
		return OK;
	if (dead >= SWEEP_MIN && dead >= p->log_live)
		sweep(p);
	if (p->log_len < p->log_room ||
	    log_resize(p, p->log_room < ROOM_MIN ? ROOM_MIN : p->log_room + p->log_room / 4))
		return OK;
	if (dead > 0)
		sweep(p);
	return p->log_len < p->log_room ? OK : ERR_MEM;
}

void shh__log_put(struct shh__pool *p, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);

	assert(p->log_len < p->log_room);
	p->log[p->log_len++] = (struct shh__log_item){ idx, (uint32_t)e->seq };
	p->log_live++;
	p->log_puts++;
	e->places = (e->places + 1u) & 0x3f;
}

void shh__log_lost(struct shh__pool *p, const struct shh__entry *e)
{
	assert(e->places <= p->log_live);
	p->log_live -= e->places;
	if (p->log_live == 0) { /* nothing left: every cursor stands at the end of nothing */
		for (struct shh__cursor *c = p->cursors; c != NULL; c = c->next)
			c->at = 0;
		p->log_len = 0;
	}
	if (p->log_room > ROOM_MIN && p->log_live < p->log_room / 8) {
		if (p->log_len > 0)
			sweep(p);
		(void)log_resize(p, p->log_room / 4 > ROOM_MIN ? p->log_room / 4 : ROOM_MIN);
	}
}

bool shh__pool_again(struct shh__pool *p, uint32_t idx)
{
	if (shh__entry(p, idx)->places >= PLACES_MAX || shh__log_reserve(p) != OK)
		return false;
	shh__log_put(p, idx);
	return true;
}
