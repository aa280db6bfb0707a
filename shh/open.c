/* SPDX-License-Identifier: MIT */
/* shh/open.c - trying keys on envelopes (hardening W6).
 *
 * Filters walk the pool with two cursors: one for all of them together, which
 * stands at the end of arrivals most of the time, and one for those that were
 * installed later and have to catch up, pass by pass.  Envelopes that were not
 * tried yet wait in the pool, so nothing of a user's is lost; how much is tried
 * is bounded by a budget of processor time, a fifth of a core.
 *
 * For one envelope the chains are walked in this order: symmetric filters of
 * its topic, those of all topics, then asymmetric ones likewise.  A key is
 * tried once, however many filters share it; when one fits, only filters with
 * that key can be meant.
 */
#include "shh/filter.h"

#include <assert.h>

#define BUDGET_RATE  200000000u /* ns a second */
#define BUDGET_BURST 10000000u	/* ns at once: a turn of the loop stays short */
#define COST_SYM     300u	/* ns of a wrong key, and for each byte a third */
#define COST_ASYM    40000u
#define COST_LOOK    20u	  /* of an envelope that no filter wants */
#define SCRATCH_KEPT (128u << 10) /* a larger buffer is given back when there is nothing to do */

const struct bucket_rate shh__trial_rate = { BUDGET_RATE, BUDGET_BURST };

static void budget_spend(struct shh *s, uint64_t ns)
{
	bucket_charge(&s->filters->budget, shh__trial_rate, ns, s->now_ms);
}

static bool budget_left(struct shh *s)
{
	struct shh__filters *fs = s->filters;

	fs->wait_ms = bucket_ready_at(&fs->budget, shh__trial_rate, 1, s->now_ms);
	if (fs->wait_ms > s->now_ms)
		return false;
	fs->wait_ms = UINT64_MAX;
	return true;
}

/* --- the envelope under way ------------------------------------------------------------ */

/* What a work is about, read again for each step: the pool may have moved it. */
struct target {
	struct shh_envelope env;
	enum shh_digest digest;
	unsigned bits;
	bool graded;
};

static bool target_read(struct shh *s, struct target *t)
{
	const struct shh__work *w = &s->filters->work;
	const struct shh__entry *e;
	struct rlp_reader r;

	*t = (struct target){ .graded = false };
	if (w->pass == SHH__PASS_DIRECT) {
		r = rlp_reader_init(s->filters->direct->raw, s->filters->direct->len);
		return shh_envelope_read(&t->env, &r) == OK;
	}
	e = shh__pool_live(&s->pool, w->idx, w->seq);
	if (e == NULL)
		return false;
	t->digest = e->first;
	t->bits = e->bits[e->first];
	t->graded = true;
	shh__entry_envelope(&s->pool, e, t->digest, &t->env);
	return true;
}

/* The work as its sender's family sees it; a direct message is graded now (rule 1.9). */
static double pow_of(const struct target *t)
{
	if (!t->graded)
		return shh_work_value(
			SHH_RULE_GETH19,
			shh_work_bits(t->env.content, t->env.nonce, SHH_DIGEST_SINGLE), &t->env);
	return shh_work_value(t->digest == SHH_DIGEST_DOUBLE ? SHH_RULE_GETH18 : SHH_RULE_GETH19,
			      t->bits, &t->env);
}

static void work_begin(struct shh__filters *fs, enum shh__pass pass, uint32_t idx, uint64_t seq)
{
	fs->work = (struct shh__work){ .pass = pass, .idx = idx, .seq = seq };
	fs->work.number = ++fs->work_number;
	fs->work.stage = 0;
}

static void work_end(struct shh *s)
{
	struct shh__filters *fs = s->filters;
	struct shh__direct *d = fs->direct;

	if (fs->work.pass == SHH__PASS_DIRECT) {
		fs->direct = d->next;
		if (fs->direct == NULL)
			fs->direct_end = &fs->direct;
		fs->direct_count--;
		mem_free(s->cfg.mem, MEM_FILTERS, d, sizeof(*d) + d->len);
	}
	fs->work.pass = SHH__PASS_NONE;
}

/* --- candidates -------------------------------------------------------------------------- */

static struct shh__ref *chain_first(const struct shh__filters *fs, unsigned stage,
				    struct shh_topic topic)
{
	unsigned kind = stage / 2;
	const struct shh__topics *t = &fs->topics[kind];

	if (stage % 2 == 1)
		return fs->all[kind].first;
	return t->size == 0 ? NULL : t->v[shh__chain_of(t, topic)].first;
}

/* Whether a filter is concerned by this pass over this envelope. */
static bool is_due(const struct shh__work *w, const struct shh__filter *f)
{
	switch (w->pass) {
	case SHH__PASS_MAIN: return w->seq >= f->from_seq && f->seen != w->number;
	case SHH__PASS_BEHIND:
		return f->behind == SHH__IN_PASS && w->seq < f->from_seq && f->seen != w->number;
	case SHH__PASS_DIRECT: return f->direct && f->seen != w->number;
	case SHH__PASS_NONE: break;
	}
	return false;
}

/* The next filter that may be meant; NULL at the end of the last chain. */
static struct shh__filter *candidate_next(struct shh__filters *fs, struct shh_topic topic)
{
	struct shh__work *w = &fs->work;

	/* stage counts chains begun: 0 before the first */
	for (;;) {
		struct shh__ref *r = w->at;

		if (r == NULL) {
			if (w->stage == 4)
				return NULL;
			w->at = chain_first(fs, w->stage++, topic);
			continue;
		}
		w->at = r->next;
		if (r->chain != SHH__NONE && memcmp(&r->topic, &topic, sizeof(topic)) != 0)
			continue;
		if (is_due(w, r->filter))
			return r->filter;
	}
}

/* --- opening -------------------------------------------------------------------------------- */

static bool scratch_reserve(struct shh *s, size_t len)
{
	struct shh__filters *fs = s->filters;
	void *scratch;

	if (len <= fs->scratch_room)
		return true;
	scratch = mem_resize(s->cfg.mem, MEM_FILTERS, fs->scratch, fs->scratch_room, len);
	if (scratch == NULL)
		return false;
	fs->scratch = scratch;
	fs->scratch_room = len;
	return true;
}

/* Try one key; true if it opens the envelope and what is inside has a form. */
static bool key_try(struct shh *s, struct shh__key *k, const struct target *t)
{
	struct shh__filters *fs = s->filters;
	size_t len;
	enum err err;

	if (!scratch_reserve(s, t->env.data.len + 1))
		return false;
	if (k->is_sym) {
		budget_spend(s, COST_SYM + t->env.data.len / 3);
		err = shh_decrypt_sym(fs->scratch, &len, t->env.data, k->gcm);
	} else {
		struct seckey key;

		if (t->env.data.len < ECIES_OVERHEAD || t->env.data.data[0] != 4)
			return false; /* nothing that was sealed to a key */
		budget_spend(s, COST_ASYM + t->env.data.len);
		memcpy(key.b, k->b, sizeof(key.b));
		err = shh_decrypt_asym(fs->scratch, &len, t->env.data, &key, s->cfg.crypto);
		crypto_wipe(&key, sizeof(key));
	}
	if (err != OK)
		return false;
	return shh_plain_read_any(&fs->work.plain, span_of(fs->scratch, len), s->cfg.crypto) == OK;
}

static bool wants(const struct shh__filter *f, const struct shh__work *w)
{
	if (f->has_signer &&
	    !(w->plain.is_signed && memcmp(&f->signer, &w->plain.signer, sizeof(f->signer)) == 0))
		return false;
	return w->pow >= f->min_pow;
}

static void message_event(struct shh *s, struct shh__filter *f, const struct target *t,
			  struct shh_event *ev)
{
	struct shh__work *w = &s->filters->work;

	*ev = (struct shh_event){ .type = SHH_EV_MESSAGE };
	ev->u.message.filter = f->id;
	ev->u.message.plain = &w->plain;
	ev->u.message.topic = t->env.topic;
	memcpy(ev->u.message.hash, w->hash, sizeof(w->hash));
	ev->u.message.ttl_s = (uint32_t)t->env.ttl;
	ev->u.message.sent_s = t->env.expiry - t->env.ttl;
	ev->u.message.pow = w->pow;
	ev->u.message.direct = w->pass == SHH__PASS_DIRECT;
	f->seen = w->number;
	s->stats.opened++;
}

/* Go on with the work until a filter has a message, the work is done, or time
 * is up; true for a message. */
static bool work_run(struct shh *s, struct shh_event *ev)
{
	struct shh__filters *fs = s->filters;
	struct shh__work *w = &fs->work;
	struct shh__filter *f;
	struct target t;

	if (!target_read(s, &t)) {
		work_end(s);
		return false;
	}
	while (budget_left(s)) {
		f = candidate_next(fs, t.env.topic);
		if (f == NULL) {
			work_end(s);
			return false;
		}
		if (w->opened == NULL && f->key->tried != w->number) {
			f->key->tried = w->number;
			if (!key_try(s, f->key, &t))
				continue;
			w->opened = f->key;
			w->pow = pow_of(&t);
			shh_envelope_hash(w->hash, t.env.content, t.env.nonce);
		}
		if (w->opened == f->key && wants(f, w)) {
			message_event(s, f, &t, ev);
			return true;
		}
	}
	return false;
}

/* --- what to work on ---------------------------------------------------------------------------- */

static bool main_next(struct shh *s, uint32_t *steps)
{
	struct shh__filters *fs = s->filters;
	uint32_t idx = shh__cursor_next(&s->pool, &fs->main, steps);
	uint64_t seq;

	if (idx == SHH__NONE)
		return false;
	seq = shh__entry(&s->pool, idx)->seq;
	if (seq < fs->main_seq)
		return true; /* its second place in the log */
	fs->main_seq = seq + 1;
	work_begin(fs, SHH__PASS_MAIN, idx, seq);
	return true;
}

/* Everybody who waits is in the next pass, which ends where the main cursor
 * stands now; whoever comes later waits for another. */
static void pass_begin(struct shh__filters *fs)
{
	for (uint32_t i = 0; i < fs->room; i++)
		if (fs->slots[i] != NULL && fs->slots[i]->behind == SHH__WAITING)
			fs->slots[i]->behind = SHH__IN_PASS;
	fs->back_end = fs->main_seq;
	fs->back_seq = 0;
	fs->back.at = 0;
}

static void pass_end(struct shh__filters *fs)
{
	for (uint32_t i = 0; i < fs->room; i++)
		if (fs->slots[i] != NULL && fs->slots[i]->behind == SHH__IN_PASS) {
			fs->slots[i]->behind = SHH__CAUGHT_UP;
			fs->behind--;
		}
	fs->back_end = 0;
}

static bool behind_next(struct shh *s, uint32_t *steps)
{
	struct shh__filters *fs = s->filters;
	uint32_t idx;
	uint64_t seq;

	if (fs->behind == 0)
		return false;
	if (fs->back_end == 0)
		pass_begin(fs);
	idx = shh__cursor_next(&s->pool, &fs->back, steps);
	if (idx == SHH__NONE && *steps == 0)
		return false;
	seq = idx == SHH__NONE ? UINT64_MAX : shh__entry(&s->pool, idx)->seq;
	if (seq >= fs->back_end) {
		pass_end(fs);
		return true;
	}
	if (seq < fs->back_seq)
		return true;
	fs->back_seq = seq + 1;
	work_begin(fs, SHH__PASS_BEHIND, idx, seq);
	return true;
}

static void idle_clean(struct shh *s)
{
	struct shh__filters *fs = s->filters;

	if (fs->scratch_room <= SCRATCH_KEPT)
		return;
	crypto_wipe(fs->scratch, fs->scratch_room);
	mem_free(s->cfg.mem, MEM_FILTERS, fs->scratch, fs->scratch_room);
	fs->scratch = NULL;
	fs->scratch_room = 0;
}

bool shh__filters_poll(struct shh *s, struct shh_event *ev)
{
	struct shh__filters *fs = s->filters;
	uint32_t steps = SHH__STEPS_PER_MS;

	if (fs->count == 0 && fs->direct == NULL) { /* whoever comes will catch up */
		fs->main.at = s->pool.log_len;
		fs->main_seq = s->pool.next_seq;
		fs->work.pass = SHH__PASS_NONE;
		fs->wait_ms = UINT64_MAX;
		return false;
	}
	while (budget_left(s)) {
		if (fs->work.pass != SHH__PASS_NONE) {
			if (work_run(s, ev))
				return true;
			continue;
		}
		if (steps == 0) {
			fs->wait_ms = s->now_ms + 1;
			return false;
		}
		budget_spend(s, COST_LOOK);
		if (fs->direct != NULL)
			work_begin(fs, SHH__PASS_DIRECT, 0, 0);
		else if (!main_next(s, &steps) && !behind_next(s, &steps) && steps > 0) {
			idle_clean(s);
			return false;
		}
	}
	return false;
}

uint64_t shh__filters_deadline(const struct shh *s)
{
	return s->filters->wait_ms;
}
