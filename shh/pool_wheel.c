/* SPDX-License-Identifier: MIT */
/* shh/pool_wheel.c - who is due at which second: three wheels, like a clock's hands.
 *
 * The first has a slot for each of the next 256 seconds, the second one for
 * each 256 seconds, the third one for each 65,536, which is more than two days
 * of life and the tombstone's time.  A record moves inwards twice at most.
 */
#include "shh/pool.h"

#define SLOTS_1 256u
#define SLOTS_2 512u	      /* where the third wheel begins */
#define REACH	(7u * 65536u) /* seconds; what is due later comes round before, and is put again */

void shh__wheel_init(struct shh__pool *p, uint64_t now_s)
{
	for (size_t i = 0; i < sizeof(p->wheel) / sizeof(p->wheel[0]); i++)
		p->wheel[i] = SHH__NONE;
	memset(p->wheel_marks, 0, sizeof(p->wheel_marks));
	p->wheel_s = now_s;
}

static uint32_t slot_for(const struct shh__pool *p, uint64_t when_s)
{
	uint64_t ahead = when_s - p->wheel_s;

	if (ahead <= 256)
		return (uint32_t)(when_s & 255);
	if (ahead <= 65536)
		return SLOTS_1 + (uint32_t)(when_s >> 8 & 255);
	return SLOTS_2 + (uint32_t)(when_s >> 16 & 7);
}

void shh__wheel_put(struct shh__pool *p, uint32_t idx, uint64_t when_s)
{
	struct shh__entry *e = shh__entry(p, idx), *head;
	uint32_t slot =
		slot_for(p, u64_min(u64_max(when_s, p->wheel_s + 1), p->wheel_s + REACH - 1));

	e->slot = slot & 0x3ff;
	if (p->wheel[slot] == SHH__NONE) {
		e->wheel_next = e->wheel_prev = idx;
		p->wheel[slot] = idx;
		p->wheel_marks[slot / 64] |= 1ull << slot % 64;
		return;
	}
	head = shh__entry(p, p->wheel[slot]);
	e->wheel_next = p->wheel[slot];
	e->wheel_prev = head->wheel_prev;
	shh__entry(p, head->wheel_prev)->wheel_next = idx;
	head->wheel_prev = idx;
}

void shh__wheel_drop(struct shh__pool *p, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);

	if (e->wheel_next == idx) {
		p->wheel[e->slot] = SHH__NONE;
		p->wheel_marks[e->slot / 64] &= ~(1ull << e->slot % 64);
		return;
	}
	shh__entry(p, e->wheel_prev)->wheel_next = e->wheel_next;
	shh__entry(p, e->wheel_next)->wheel_prev = e->wheel_prev;
	if (p->wheel[e->slot] == idx)
		p->wheel[e->slot] = e->wheel_next;
}

/* Take a slot's ring as a chain that ends with SHH__NONE. */
static uint32_t slot_take(struct shh__pool *p, uint32_t slot)
{
	uint32_t head = p->wheel[slot];

	if (head == SHH__NONE)
		return SHH__NONE;
	shh__entry(p, shh__entry(p, head)->wheel_prev)->wheel_next = SHH__NONE;
	p->wheel[slot] = SHH__NONE;
	p->wheel_marks[slot / 64] &= ~(1ull << slot % 64);
	return head;
}

uint64_t shh__wheel_when(const struct shh__entry *e)
{
	return (uint64_t)e->expiry + 1 + (e->state == SHH__TOMB ? SHH__TOMB_S : 0);
}

static void slot_spread(struct shh__pool *p, uint32_t slot)
{
	uint32_t idx = slot_take(p, slot), next;

	for (; idx != SHH__NONE; idx = next) {
		next = shh__entry(p, idx)->wheel_next;
		shh__wheel_put(p, idx, shh__wheel_when(shh__entry(p, idx)));
	}
}

uint32_t shh__wheel_serve(struct shh__pool *p, uint64_t second)
{
	p->wheel_s = second - 1; /* what moves inwards may be due this very second */
	if (second % 65536 == 0)
		slot_spread(p, SLOTS_2 + (uint32_t)(second >> 16 & 7));
	if (second % 256 == 0)
		slot_spread(p, SLOTS_1 + (uint32_t)(second >> 8 & 255));
	p->wheel_s = second;
	return slot_take(p, (uint32_t)(second & 255));
}

/* Steps from slot `from` on to the first marked one of a wheel of 256; 256 if none is. */
static unsigned steps_to_mark(const uint64_t marks[static 4], unsigned from)
{
	for (unsigned done = 0; done < 256;) {
		unsigned at = (from + done) % 256, bit = at % 64;
		uint64_t word = marks[at / 64] >> bit;

		if (word != 0)
			return done + (unsigned)__builtin_ctzll(word);
		done += 64 - bit;
	}
	return 256;
}

uint64_t shh__wheel_due(const struct shh__pool *p)
{
	uint64_t due = UINT64_MAX, block = p->wheel_s >> 8, day = p->wheel_s >> 16;
	unsigned steps = steps_to_mark(p->wheel_marks, (unsigned)((p->wheel_s + 1) & 255));

	if (steps < 256)
		due = p->wheel_s + 1 + steps;
	steps = steps_to_mark(p->wheel_marks + 4, (unsigned)((block + 1) & 255));
	if (steps < 256)
		due = u64_min(due, (block + 1 + steps) << 8);
	for (unsigned i = 1; i <= 8; i++)
		if ((p->wheel_marks[8] >> ((day + i) & 7) & 1) != 0) {
			due = u64_min(due, (day + i) << 16);
			break;
		}
	return due;
}
