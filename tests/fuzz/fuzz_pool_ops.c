/* SPDX-License-Identifier: MIT */
/* The pool: the bytes choose what comes, is filled, known, expires and is walked,
 * and when memory is refused.  Every few steps every record is where it belongs,
 * every sum is right, every content is what it was (hardening O1, O4, O5).
 *
 * input	limits, then operations of two bytes
 */
#include "shh/pool.h"
#include "tests/fuzz/fuzz.h"

#define OPS_MAX 400
#define START_S 1600000000u
#define SLOTS	66 /* peer slots, in two groups */
#define CURSORS 3
#define LEN_MAX 40000

struct world {
	struct mem mem;
	struct shh__pool pool;
	struct shh__cursor cursors[CURSORS];
	uint64_t last[CURSORS]; /* first arrival that the cursor has not come by */
	bool joined[SLOTS];
	uint64_t now_s;
	uint64_t id;
};

static uint8_t content[LEN_MAX];

/* What a record's content looks like, told from its fingerprint alone. */
static uint8_t fill_of(const struct fingerprint *p)
{
	return (uint8_t)(p->b[8] ^ 0x5a);
}

/* Everything a slow look at every record can tell. */
struct audit {
	size_t bytes, slab;
	uint32_t live, tombs, places;
	size_t source_bytes[SHH__SOURCES_MAX];
	uint32_t source_count[SHH__SOURCES_MAX];
};

static void audit_record(const struct world *w, struct audit *a, uint32_t idx)
{
	const struct shh__pool *p = &w->pool;
	const struct shh__entry *e = shh__entry(p, idx);
	struct span c;

	if (e->state == SHH__FREE)
		return;
	fuzz_check(shh__pool_find(p, &e->print) == idx);
	a->bytes += SHH__RECORD_COST;
	/* its ring of the wheel leads back to it */
	fuzz_check(shh__entry(p, shh__entry(p, idx)->wheel_next)->wheel_prev == idx);
	fuzz_check(shh__entry(p, e->rank_next)->rank_prev == idx);
	fuzz_check(shh__entry(p, e->wheel_next)->slot == e->slot);
	if (e->state == SHH__TOMB) {
		a->tombs++;
		fuzz_check(shh__entry(p, e->rank_next)->state == SHH__TOMB);
		fuzz_check((uint64_t)e->expiry + SHH__TOMB_S + 60 >= w->now_s);
		return;
	}
	a->live++;
	a->places += e->places;
	a->bytes += e->len;
	a->source_bytes[e->source] += SHH__RECORD_COST + e->len;
	a->source_count[e->source]++;
	fuzz_check(e->places >= 1 && e->bridging == 0);
	fuzz_check(shh__entry(p, e->rank_next)->class == e->class);
	fuzz_check(e->forms != 0 && (e->forms >> e->first & 1) != 0);
	c = shh__content(p, e);
	fuzz_check(c.data[0] == fill_of(&e->print) && c.data[c.len - 1] == fill_of(&e->print));
	a->slab += 4 * (1 + e->len / 4 + (e->len % 4 != 0));
}

static void audit(const struct world *w)
{
	static struct audit a;
	const struct shh__pool *p = &w->pool;
	uint32_t sources = 0;

	memset(&a, 0, sizeof(a));
	for (uint32_t i = 0; i < p->chunk_count << 8; i++)
		if (p->chunks[i >> 8] != NULL)
			audit_record(w, &a, i);
	fuzz_check(a.live == p->live && a.tombs == p->tombs);
	fuzz_check(a.bytes == p->bytes && p->bytes <= p->bytes_max);
	fuzz_check(p->live + p->tombs <= p->count_max);
	fuzz_check(p->index_used == p->live + p->tombs);
	fuzz_check(a.places == p->log_live && p->log_live <= p->log_len);
	fuzz_check(a.slab == p->slab.live && p->slab.live <= p->slab.held);
	for (uint32_t i = 0; i < SHH__SOURCES_MAX; i++) {
		const struct shh__source *s = p->sources[i];

		fuzz_check(a.source_bytes[i] == (s == NULL ? 0 : s->bytes));
		fuzz_check(a.source_count[i] == (s == NULL ? 0 : s->count));
		fuzz_check(s == NULL || s->count > 0);
		sources += s != NULL;
	}
	fuzz_check(sources == p->source_count);
	fuzz_check(shh__pool_due(p) > p->wheel_s);
	for (unsigned i = 0; i < CURSORS; i++)
		fuzz_check(w->cursors[i].at <= p->log_len);
}

static void insert(struct world *w, unsigned op, unsigned arg)
{
	struct shh__arrival a = { .digest = op & 1 };
	enum err err;
	uint32_t idx;
	size_t len = 10 + (size_t)arg * (arg & 0x40 ? 8 : 1);

	if (arg == 255)
		len = LEN_MAX; /* a chunk of its own */
	w->id++;
	le64_store(a.print.b, op & 2 ? w->id & 3 : w->id * 0x9e3779b97f4a7c15ull);
	le64_store(a.print.b + 8, w->id);
	memset(content, fill_of(&a.print), len);
	a.content = span_of(content, len);
	a.nonce = w->id;
	a.work = (double)(1 + (arg & 31)) / 64;
	a.expiry = (uint32_t)(w->now_s + (op & 4 ? arg : arg * 600u));
	a.ttl = 5;
	a.source = 1 + (op >> 3 & 7);
	a.own = (op & 0x40) != 0;
	if (shh__pool_find(&w->pool, &a.print) != SHH__NONE)
		return;
	err = shh__pool_insert(&w->pool, &idx, &a);
	fuzz_check(err == OK || err == ERR_FULL || err == ERR_MEM);
	fuzz_check((shh__pool_find(&w->pool, &a.print) != SHH__NONE) == (err == OK));
	if (err != OK)
		return;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (w->joined[slot])
			fuzz_check(!shh__known(&w->pool, idx, slot));
}

/* The arg-th live record on a walk from the start; SHH__NONE if there are not so many. */
static uint32_t some_live(struct world *w, unsigned arg)
{
	struct shh__cursor c;
	uint32_t steps = 1000, idx;

	shh__cursor_join(&w->pool, &c);
	do {
		idx = shh__cursor_next(&w->pool, &c, &steps);
	} while (idx != SHH__NONE && arg-- > 0);
	shh__cursor_leave(&w->pool, &c);
	return idx;
}

static void walk(struct world *w, unsigned arg)
{
	struct shh__cursor *c = &w->cursors[arg % CURSORS];
	uint64_t *last = &w->last[arg % CURSORS];
	uint32_t steps = arg / CURSORS, idx;

	while ((idx = shh__cursor_next(&w->pool, c, &steps)) != SHH__NONE) {
		const struct shh__entry *e = shh__entry(&w->pool, idx);

		fuzz_check(shh__pool_live(&w->pool, idx, e->seq) == e);
		/* a second place comes later than the first, never before */
		fuzz_check(e->seq < w->pool.next_seq);
		if (e->seq >= *last)
			*last = e->seq + 1;
		else
			fuzz_check(e->places > 1 || e->seq < *last);
	}
}

static void known(struct world *w, unsigned arg)
{
	uint32_t slot = arg % SLOTS, idx = some_live(w, arg / 8);

	if (idx == SHH__NONE || !w->joined[slot])
		return;
	shh__known_set(&w->pool, idx, slot);
	fuzz_check(shh__known(&w->pool, idx, slot));
	if (arg & 1)
		shh__known_clear(&w->pool, idx, slot);
	fuzz_check(shh__known(&w->pool, idx, slot) == ((arg & 1) == 0));
}

static void join(struct world *w, unsigned arg)
{
	uint32_t slot = arg % SLOTS;

	if (w->joined[slot])
		shh__known_leave(&w->pool, slot);
	else if (shh__known_join(&w->pool, slot) != OK)
		return;
	w->joined[slot] = !w->joined[slot];
}

static void operate(struct world *w, unsigned op, unsigned arg)
{
	uint32_t idx;

	if (op < 0x80) {
		insert(w, op, arg);
		return;
	}
	switch (op & 7) {
	case 0:
		idx = some_live(w, arg);
		if (idx != SHH__NONE && shh__entry(&w->pool, idx)->forms != 3)
			shh__pool_fill(&w->pool, idx,
				       shh__entry(&w->pool, idx)->first ? SHH_DIGEST_DOUBLE
									: SHH_DIGEST_SINGLE,
				       w->id, arg);
		break;
	case 1:
		idx = some_live(w, arg);
		if (idx != SHH__NONE)
			(void)shh__pool_again(&w->pool, idx);
		break;
	case 2: known(w, arg); break;
	case 3: join(w, arg); break;
	case 4: walk(w, arg); break;
	case 5: w->now_s += arg; break;
	case 6:
		w->now_s += (uint64_t)arg * (arg & 1 ? 1000 : 30);
		if (arg == 254)
			w->now_s -= 100000; /* a wall clock is set back */
		break;
	default: w->mem.fail_after = arg < 128 ? arg / 8 : UINT64_MAX; break;
	}
	if ((op & 7) == 5 || (op & 7) == 6)
		shh__pool_expire(&w->pool, w->now_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct span in = span_of(data, size);
	uint32_t count = 1 + fuzz_u8(&in) * 2u;
	size_t bytes = 4096 + fuzz_u8(&in) * 500u;

	memset(&w, 0, sizeof(w));
	mem_init(&w.mem);
	w.now_s = START_S + fuzz_u8(&in) * 300u;
	shh__pool_init(&w.pool, &w.mem, bytes, count, w.now_s);
	for (unsigned i = 0; i < CURSORS; i++)
		shh__cursor_join(&w.pool, &w.cursors[i]);
	for (unsigned i = 0; i < OPS_MAX && in.len > 0; i++) {
		unsigned op = fuzz_u8(&in);

		operate(&w, op, fuzz_u8(&in));
		if (i % 8 == 7 || in.len == 0)
			audit(&w);
	}
	for (unsigned i = 0; i < CURSORS; i++)
		shh__cursor_leave(&w.pool, &w.cursors[i]);
	shh__pool_fini(&w.pool);
	fuzz_check(w.mem.total_used == 0);
	return 0;
}
