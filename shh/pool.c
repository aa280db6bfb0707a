/* SPDX-License-Identifier: MIT */
/* shh/pool.c - what may stay in the pool, who must leave, and when (hardening O1, O4). */
#include "shh/pool.h"

#include <assert.h>

#define EXPIRE_WALK_MAX \
	(1u << 18)	/* seconds served one by one; a longer jump starts the wheel anew */
#define CLOCK_BACK_S 60 /* a clock may step back so far without that */
#define SCARCE_ROOM  (256u << 10) /* bytes evicted when memory is refused */

void shh__pool_init(struct shh__pool *p, struct mem *mem, size_t bytes_max, uint32_t count_max,
		    uint64_t now_s)
{
	*p = (struct shh__pool){ .mem = mem, .bytes_max = bytes_max, .count_max = count_max };
	p->tomb_head = SHH__NONE;
	shh__slab_init(&p->slab, mem);
	shh__wheel_init(p, now_s);
}

void shh__pool_fini(struct shh__pool *p)
{
	shh__slab_fini(&p->slab);
	for (uint32_t i = 0; i < p->chunk_count; i++) {
		struct shh__records *c = p->chunks[i];

		if (c == NULL)
			continue;
		for (unsigned g = 0; g < SHH__KNOWN_GROUPS; g++)
			mem_free(p->mem, MEM_POOL, c->known[g], sizeof(c->e) / sizeof(c->e[0]) * 8);
		mem_free(p->mem, MEM_POOL, c, sizeof(*c));
	}
	for (uint32_t i = 0; i < p->source_top; i++)
		mem_free(p->mem, MEM_POOL, p->sources[i], sizeof(*p->sources[i]));
	mem_free(p->mem, MEM_POOL, p->chunks, p->chunk_room * sizeof(*p->chunks));
	mem_free(p->mem, MEM_POOL, p->index, p->index_size * sizeof(*p->index));
	mem_free(p->mem, MEM_POOL, p->log, p->log_room * sizeof(*p->log));
	memset(p, 0, sizeof(*p));
}

struct shh__entry *shh__pool_live(const struct shh__pool *p, uint32_t idx, uint64_t seq)
{
	struct shh__entry *e;

	if (p->chunks[idx >> 8] == NULL)
		return NULL;
	e = shh__entry(p, idx);
	return e->state == SHH__LIVE && e->seq == seq ? e : NULL;
}

/* Quarter octaves by exponent and the next two bits, from the double's own bits. */
unsigned shh__class_of(double work)
{
	uint64_t bits;
	int64_t quarter;

	if (!(work > 0))
		return 0;
	memcpy(&bits, &work, sizeof(bits));
	quarter = (int64_t)(bits >> 50) - ((1023 - 17) << 2);
	if (quarter < 0)
		return 0;
	return quarter < SHH__CLASSES ? (unsigned)quarter : SHH__CLASSES - 1;
}

/* --- rings of rank: a source's class, or the tombstones ----------------------------- */

static void ring_put(struct shh__pool *p, uint32_t *head, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx), *first;

	if (*head == SHH__NONE) {
		e->rank_next = e->rank_prev = idx;
		*head = idx;
		return;
	}
	first = shh__entry(p, *head);
	e->rank_next = *head;
	e->rank_prev = first->rank_prev;
	shh__entry(p, first->rank_prev)->rank_next = idx;
	first->rank_prev = idx;
}

static void ring_drop(struct shh__pool *p, uint32_t *head, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);

	if (e->rank_next == idx) {
		*head = SHH__NONE;
		return;
	}
	shh__entry(p, e->rank_prev)->rank_next = e->rank_next;
	shh__entry(p, e->rank_next)->rank_prev = e->rank_prev;
	if (*head == idx)
		*head = e->rank_next;
}

/* --- sources ------------------------------------------------------------------------- */

struct shh__source *shh__pool_source(const struct shh__pool *p, uint16_t number)
{
	return p->sources[number];
}

static uint32_t source_number(struct shh__pool *p, const struct shh__arrival *a)
{
	uint32_t hole = SHH__NONE, i;

	if (a->own)
		return SHH__SOURCE_SELF;
	if (a->source_hint != NULL && *a->source_hint != SHH__SOURCE_SELF &&
	    p->sources[*a->source_hint] != NULL && p->source_keys[*a->source_hint] == a->source)
		return *a->source_hint;
	for (i = SHH__SOURCE_SELF + 1; i < p->source_top; i++) {
		if (p->sources[i] == NULL)
			hole = hole == SHH__NONE ? i : hole;
		else if (p->source_keys[i] == a->source)
			return i;
	}
	if (hole != SHH__NONE)
		return hole;
	i = i < SHH__SOURCE_SELF + 1 ? SHH__SOURCE_SELF + 1 : i;
	if (i < SHH__SOURCES_MAX)
		return i;
	return SHH__SOURCE_SELF + 1 + (uint32_t)(a->source % (SHH__SOURCES_MAX - 1));
}

static enum err source_open(struct shh__pool *p, uint32_t *number, const struct shh__arrival *a)
{
	struct shh__source *s;

	*number = source_number(p, a);
	if (p->sources[*number] != NULL)
		return OK;
	s = mem_alloc(p->mem, MEM_POOL, sizeof(*s));
	if (s == NULL)
		return ERR_MEM;
	for (unsigned i = 0; i < SHH__CLASSES; i++)
		s->head[i] = SHH__NONE;
	p->sources[*number] = s;
	p->source_keys[*number] = a->source;
	if (*number >= p->source_top)
		p->source_top = *number + 1;
	return OK;
}

/* Give back the record of a source that has nothing here. */
static void source_close(struct shh__pool *p, uint32_t number)
{
	struct shh__source *s = p->sources[number];

	if (s->count > 0 || s->busy)
		return;
	mem_free(p->mem, MEM_POOL, s, sizeof(*s));
	p->sources[number] = NULL;
	while (p->source_top > 0 && p->sources[p->source_top - 1] == NULL)
		p->source_top--;
}

static void source_put(struct shh__pool *p, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);
	struct shh__source *s = p->sources[e->source];

	ring_put(p, &s->head[e->class], idx);
	s->classes[e->class / 64] |= 1ull << e->class % 64;
	s->bytes += SHH__RECORD_COST + e->len;
	if (s->count++ == 0)
		p->source_count++;
}

static void source_drop(struct shh__pool *p, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);
	struct shh__source *s = p->sources[e->source];

	ring_drop(p, &s->head[e->class], idx);
	if (s->head[e->class] == SHH__NONE)
		s->classes[e->class / 64] &= ~(1ull << e->class % 64);
	s->bytes -= SHH__RECORD_COST + e->len;
	if (--s->count == 0)
		p->source_count--;
}

/* The lowest class that a source has; SHH__CLASSES if it has nothing. */
static unsigned source_lowest(const struct shh__source *s)
{
	for (unsigned w = 0; w < SHH__CLASSES / 64; w++)
		if (s->classes[w] != 0)
			return w * 64 + (unsigned)__builtin_ctzll(s->classes[w]);
	return SHH__CLASSES;
}

/* --- leaving ---------------------------------------------------------------------------- */

static uint32_t content_len(void *ctx, uint32_t owner)
{
	const struct shh__pool *p = ctx;

	return shh__entry(p, owner)->len;
}

static void content_moved(void *ctx, uint32_t owner, uint32_t at)
{
	struct shh__pool *p = ctx;

	shh__entry(p, owner)->at = at;
}

static bool clean(struct shh__pool *p, bool force)
{
	struct shh__owners owners = { content_len, content_moved, p };

	return shh__slab_clean(&p->slab, force, &owners);
}

/* A live record becomes a tombstone; it stays where it is on the wheel. */
static void bury(struct shh__pool *p, uint32_t idx)
{
	struct shh__entry *e = shh__entry(p, idx);
	uint32_t source = e->source;

	p->sources[source]->bridging -= e->bridging;
	e->bridging = 0;
	source_drop(p, idx);
	shh__slab_drop(&p->slab, e->at, e->len);
	p->bytes -= e->len;
	e->state = SHH__TOMB;
	p->live--;
	p->tombs++;
	ring_put(p, &p->tomb_head, idx);
	shh__log_lost(p, e);
	source_close(p, source);
	(void)clean(p, false);
}

/* A tombstone that is off the wheel is forgotten. */
static void forget(struct shh__pool *p, uint32_t idx)
{
	ring_drop(p, &p->tomb_head, idx);
	shh__index_drop(p, idx);
	shh__record_free(p, idx);
	p->tombs--;
	p->bytes -= SHH__RECORD_COST;
}

static void tomb_drop(struct shh__pool *p)
{
	uint32_t idx = p->tomb_head;

	shh__wheel_drop(p, idx);
	forget(p, idx);
}

static void evict(struct shh__pool *p, uint32_t idx)
{
	p->evicted++;
	bury(p, idx);
}

static void serve(struct shh__pool *p, uint64_t second)
{
	uint32_t idx = shh__wheel_serve(p, second), next;

	for (; idx != SHH__NONE; idx = next) {
		struct shh__entry *e = shh__entry(p, idx);

		next = e->wheel_next;
		if (shh__wheel_when(e) <= second && e->state == SHH__TOMB) {
			forget(p, idx);
			continue;
		}
		if (shh__wheel_when(e) <= second) {
			p->expired++;
			bury(p, idx);
		}
		shh__wheel_put(p, idx, shh__wheel_when(e));
	}
}

static void wheel_restart(struct shh__pool *p, uint64_t now_s)
{
	shh__wheel_init(p, now_s);
	for (uint32_t i = 0; i < p->chunk_count << 8; i++) {
		const struct shh__entry *e;

		if (p->chunks[i >> 8] == NULL)
			continue;
		e = shh__entry(p, i);
		if (e->state != SHH__FREE)
			shh__wheel_put(p, i, shh__wheel_when(e));
	}
}

void shh__pool_expire(struct shh__pool *p, uint64_t now_s)
{
	uint64_t due;

	if (now_s + CLOCK_BACK_S < p->wheel_s ||
	    (now_s > p->wheel_s && now_s - p->wheel_s > EXPIRE_WALK_MAX))
		wheel_restart(p, now_s - (now_s > 0));
	while (p->wheel_s < now_s) {
		due = shh__wheel_due(p);
		if (due > now_s) {
			p->wheel_s = now_s;
			break;
		}
		serve(p, due);
	}
}

uint64_t shh__pool_due(const struct shh__pool *p)
{
	return shh__wheel_due(p);
}

/* --- arriving ----------------------------------------------------------------------------- */

/* Who goes for an arrival of this class, if anybody does: the least of the
 * largest source while there are several, else the least of all. */
static uint32_t victim(const struct shh__pool *p, unsigned class)
{
	const struct shh__source *largest = NULL, *lowest = NULL;
	unsigned least = SHH__CLASSES;

	for (uint32_t i = 0; i < p->source_top; i++) {
		const struct shh__source *s = p->sources[i];
		unsigned c;

		if (s == NULL || s->count == 0)
			continue;
		c = source_lowest(s);
		if (largest == NULL || s->bytes > largest->bytes)
			largest = s;
		if (c < least || (c == least && shh__entry(p, s->head[c])->seq <
							shh__entry(p, lowest->head[c])->seq)) {
			least = c;
			lowest = s;
		}
	}
	if (largest == NULL)
		return SHH__NONE;
	if (p->source_count >= SHH__SHARE_SOURCES && source_lowest(largest) <= class)
		return largest->head[source_lowest(largest)];
	return least <= class ? lowest->head[least] : SHH__NONE;
}

/* Whether this source must give up something of its own for what it brings. */
static bool over_share(const struct shh__pool *p, const struct shh__source *s, size_t need)
{
	return p->source_count >= SHH__SHARE_SOURCES && p->bytes > p->bytes_max / 2 &&
	       s->bytes + need > p->bytes_max / 4;
}

static enum err room_make(struct shh__pool *p, uint32_t source, unsigned class, size_t need)
{
	uint32_t idx;

	if (need > p->bytes_max)
		return ERR_FULL;
	for (;;) {
		const struct shh__source *s = p->sources[source];

		if (over_share(p, s, need)) {
			unsigned c = source_lowest(s);

			if (c > class)
				return ERR_FULL;
			idx = s->head[c];
		} else if (p->bytes <= p->bytes_max - need && p->live + p->tombs < p->count_max) {
			return OK;
		} else if (p->tomb_head != SHH__NONE) {
			tomb_drop(p);
			continue;
		} else {
			idx = victim(p, class);
			if (idx == SHH__NONE)
				return ERR_FULL;
		}
		evict(p, idx);
	}
}

/* Take memory for everything a record needs, or nothing at all. */
static enum err record_enter(struct shh__pool *p, uint32_t *idx, const struct shh__arrival *a)
{
	struct shh__entry *e;

	if (shh__log_reserve(p) != OK || shh__record_new(p, idx) != OK)
		return ERR_MEM;
	e = shh__entry(p, *idx);
	e->print = a->print;
	e->len = (uint32_t)a->content.len;
	if (shh__slab_put(&p->slab, &e->at, a->content, *idx) != OK) {
		shh__record_free(p, *idx);
		return ERR_MEM;
	}
	if (shh__index_put(p, *idx) != OK) {
		shh__slab_drop(&p->slab, e->at, e->len);
		shh__record_free(p, *idx);
		return ERR_MEM;
	}
	return OK;
}

/* Memory was refused before our own caps were reached: make some, in the same order. */
static void scarce_room_make(struct shh__pool *p, unsigned class, size_t need)
{
	size_t want = need + SCARCE_ROOM, before = p->bytes;

	while (before - p->bytes < want) {
		uint32_t idx = victim(p, class);

		if (p->tomb_head != SHH__NONE) {
			tomb_drop(p);
			continue;
		}
		if (idx == SHH__NONE)
			break;
		evict(p, idx);
	}
	while (clean(p, true))
		;
}

enum err shh__pool_insert(struct shh__pool *p, uint32_t *idx, const struct shh__arrival *a)
{
	unsigned class = shh__class_of(a->work);
	size_t need = SHH__RECORD_COST + a->content.len;
	struct shh__entry *e;
	uint32_t source;
	enum err err;

	if (source_open(p, &source, a) != OK)
		return ERR_MEM;
	p->sources[source]->busy = true; /* it may lose its last envelope to this one */
	err = room_make(p, source, class, need);
	if (err == OK)
		err = record_enter(p, idx, a);
	if (err == ERR_MEM) {
		scarce_room_make(p, class, need);
		err = record_enter(p, idx, a);
	}
	p->sources[source]->busy = false;
	if (err != OK) {
		source_close(p, source);
		return err;
	}
	e = shh__entry(p, *idx);
	e->seq = p->next_seq++;
	e->expiry = a->expiry;
	e->ttl = a->ttl;
	e->topic = a->topic;
	e->nonce[a->digest] = a->nonce;
	e->bits[a->digest] = (uint8_t)(a->bits < 255 ? a->bits : 255);
	e->forms = (1u << a->digest) & 3;
	e->first = a->digest & 1;
	e->class = (uint8_t) class;
	e->source = (uint16_t)source;
	e->own = a->own;
	e->state = SHH__LIVE;
	if (a->source_hint != NULL)
		*a->source_hint = (uint16_t)source;
	p->live++;
	p->bytes += need;
	source_put(p, *idx);
	shh__wheel_put(p, *idx, (uint64_t)e->expiry + 1);
	shh__log_put(p, *idx);
	return OK;
}

void shh__pool_fill(struct shh__pool *p, uint32_t idx, enum shh_digest d, uint64_t nonce,
		    unsigned bits)
{
	struct shh__entry *e = shh__entry(p, idx);

	assert(e->state == SHH__LIVE && (e->forms >> d & 1) == 0);
	e->nonce[d] = nonce;
	e->bits[d] = (uint8_t)(bits < 255 ? bits : 255);
	e->forms = (e->forms | 1u << d) & 3;
	/* without room in the log only those who come later will see this form */
	(void)shh__pool_again(p, idx);
}
