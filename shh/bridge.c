/* SPDX-License-Identifier: MIT */
/* shh/bridge.c - carrying messages between families that refuse each other's.
 *
 * The nonce is neither encrypted nor signed, so anybody may seal an envelope
 * again under another family's digest.  A bridge walks arrivals with a cursor
 * of its own for each digest while a peer of such a family is connected; what
 * lacks that form waits a random 0.3 to 0.6 s, in which it may yet come from
 * elsewhere, and is then sealed by a job.
 *
 * The search goes up from 0 and takes the first nonce that reaches a canonical
 * target, so any two bridges make the same envelope.  What it may cost is
 * bounded in hashes per second: in all, for each source, and for each envelope.
 */
#include "shh/internal.h"

#include <assert.h>

#define TARGET		   0.2 /* what geth demands unless told otherwise */
#define WAIT_MIN_MS	   300
#define WAIT_SPAN_MS	   301
#define HASHES_DEFAULT	   2000000u /* per second: less than half of a core's scalar speed */
#define BURST_S		   4  /* seconds of the budget may be spent at once, and on one envelope */
#define SOURCE_PART	   4  /* of the budget for any one source */
#define TRIES		   16 /* times the expected number of hashes before giving up */
#define MARGIN_S	   2  /* as in relay.c: the peer may look later */
#define BUSY_MS		   1000 /* until it asks again when too many jobs are under way */
#define LIFE_MIN_S	   2	/* less is not worth sealing */
#define SOURCE_WAITING_MAX (SHH__LATER_MAX / 8) /* of one source; more are not sealed again */
#define STEPS		   1024			/* arrivals looked at in one go */

static struct bucket_rate budget_rate(const struct shh *s)
{
	uint64_t rate = s->cfg.bridge_hashes > 0 ? s->cfg.bridge_hashes : HASHES_DEFAULT;

	return (struct bucket_rate){ rate, rate * BURST_S };
}

static struct bucket_rate source_rate(const struct shh *s)
{
	struct bucket_rate r = budget_rate(s);

	return (struct bucket_rate){ r.rate / SOURCE_PART + 1, r.burst / SOURCE_PART + 1 };
}

void shh__bridge_init(struct shh *s)
{
	bucket_init(&s->bridge_budget, budget_rate(s), s->now_ms);
}

/* --- who is there to bridge to ---------------------------------------------------------------- */

static bool is_family(const struct shh__peer *p, enum shh_digest d)
{
	return p != NULL && p->phase == SHH__READY && p->dialect != SHH_DIALECT_SOTTO &&
	       p->dialect != SHH_DIALECT_UNKNOWN && shh__dialect_digest(p->dialect) == d;
}

/* The middle one of a family's announced minima, the upper of two: a single
 * peer that asks for the moon does not price the others out. */
static double family_minimum(const struct shh *s, enum shh_digest d, uint32_t *count)
{
	double sorted[SHH_PEERS_MAX / 16];
	uint32_t n = 0;

	*count = 0;
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		uint32_t j;

		if (!is_family(s->peers[i], d))
			continue;
		++*count;
		if (n == sizeof(sorted) / sizeof(sorted[0]))
			continue;
		for (j = n++; j > 0 && sorted[j - 1] > s->peers[i]->status.min_pow; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = s->peers[i]->status.min_pow;
	}
	return n > 0 ? sorted[n / 2] : 0;
}

/* The canonical target: 0.2, or the next power of two at or above a higher minimum. */
static double target_for(double minimum)
{
	double target = 1;

	if (minimum <= TARGET)
		return TARGET;
	while (target / 2 >= minimum)
		target /= 2;
	while (target < minimum && target < 1e18)
		target *= 2;
	return target;
}

void shh__bridge_families(struct shh *s)
{
	for (enum shh_digest d = 0; d < SHH_DIGESTS && s->cfg.bridge; d++) {
		uint32_t count;
		double minimum = family_minimum(s, d, &count);
		double target = target_for(minimum);

		if (count == 0) {
			if (s->bridge_on[d])
				shh__cursor_leave(&s->pool, &s->bridge[d]);
			s->bridge_on[d] = false;
			continue;
		}
		if (!s->bridge_on[d])
			shh__cursor_join(&s->pool, &s->bridge[d]);
		else if (target != s->bridge_target[d])
			s->bridge[d].at = 0;
		s->bridge_on[d] = true;
		s->bridge_target[d] = target;
	}
}

double shh__bridge_target(const struct shh *s, enum shh_digest d)
{
	return s->bridge_on[d] ? s->bridge_target[d] : TARGET;
}

/* --- from arrival to job ------------------------------------------------------------------------- */

static bool lacks(const struct shh *s, const struct shh__entry *e, enum shh_digest d)
{
	return (e->forms >> d & 1) == 0 && e->expiry > shh__now_s(s) + LIFE_MIN_S;
}

/* Wait, at least so long as it may come from elsewhere.  errors as shh__later_put() */
static enum err wait_for(struct shh *s, uint32_t idx, enum shh_digest d, uint64_t at_ms)
{
	struct shh__entry *e = shh__entry(&s->pool, idx);
	struct shh__due due = { .at_ms = at_ms, .seq = e->seq, .idx = idx, .what = d };
	enum err err = shh__later_put(&s->bridges, s->cfg.mem, MEM_POOL, &due);

	if (err == OK) {
		e->bridging = 1;
		shh__pool_source(&s->pool, e->source)->bridging++;
	}
	return err;
}

static uint64_t wait_end(struct shh *s)
{
	return s->now_ms + WAIT_MIN_MS + shh__random_below(s, WAIT_SPAN_MS);
}

/* Let a bridge's cursor walk on; what lacks its form is put off for a while. */
static void arrivals_look(struct shh *s, enum shh_digest d)
{
	uint32_t steps = STEPS, idx, at = s->bridge[d].at;

	while ((idx = shh__cursor_next(&s->pool, &s->bridge[d], &steps)) != SHH__NONE) {
		const struct shh__entry *e = shh__entry(&s->pool, idx);

		if (lacks(s, e, d) && !e->bridging &&
		    shh__pool_source(&s->pool, e->source)->bridging < SOURCE_WAITING_MAX &&
		    wait_for(s, idx, d, wait_end(s)) != OK) {
			s->bridge[d].at = at; /* the heap is full: it waits in the pool */
			return;
		}
		at = s->bridge[d].at;
	}
}

void shh__bridge_run(struct shh *s)
{
	for (enum shh_digest d = 0; d < SHH_DIGESTS; d++)
		if (s->bridge_on[d] && !shh__cursor_at_end(&s->pool, &s->bridge[d]))
			arrivals_look(s, d);
}

/* The fewest bits that every rule of this digest is content with. */
static unsigned bits_for(const struct shh *s, const struct shh__entry *e, enum shh_digest d,
			 double target)
{
	struct shh_envelope env;
	unsigned most = 0;

	shh__entry_envelope(&s->pool, e, d, &env);
	env.ttl += MARGIN_S;
	for (enum shh_rule r = 0; r < SHH_RULES; r++) {
		unsigned bits = shh_rule_digest(r) == d ? shh_work_bits_needed(r, target, &env) : 0;

		most = bits > most ? bits : most;
	}
	return most;
}

/* Spend the budgets on one envelope: 0 if granted, else when to ask again;
 * UINT64_MAX if it costs more than any envelope may. */
static uint64_t budget_take(struct shh *s, const struct shh__entry *e, unsigned bits)
{
	struct shh__source *source = shh__pool_source(&s->pool, e->source);
	uint64_t hashes = bits < 63 ? 1ull << bits : UINT64_MAX, at;
	bool own = e->own;

	if (hashes > (own ? budget_rate(s) : source_rate(s)).burst)
		return UINT64_MAX;
	if (!source->bridged) {
		bucket_init(&source->bridge, source_rate(s), s->now_ms);
		source->bridged = true;
	}
	at = bucket_ready_at(&s->bridge_budget, budget_rate(s), hashes, s->now_ms);
	if (!own)
		at = u64_max(at,
			     bucket_ready_at(&source->bridge, source_rate(s), hashes, s->now_ms));
	if (at > s->now_ms)
		return at;
	bucket_charge(&s->bridge_budget, budget_rate(s), hashes, s->now_ms);
	if (!own)
		bucket_charge(&source->bridge, source_rate(s), hashes, s->now_ms);
	return 0;
}

/* Begin to seal one envelope; 0 if that was done or never will be, else when to
 * try again. */
static uint64_t seal_begin(struct shh *s, uint32_t idx, enum shh_digest d)
{
	const struct shh__entry *e = shh__entry(&s->pool, idx);
	unsigned bits = bits_for(s, e, d, s->bridge_target[d]);
	struct shh__job *j;
	uint64_t at;

	if (s->job_count >= SHH_JOBS_MAX / 2) /* posts come first */
		return s->now_ms + BUSY_MS;
	at = budget_take(s, e, bits);
	if (at > 0)
		return at == UINT64_MAX ? 0 : at;
	if (shh__job_new(s, &j, SHH__JOB_BRIDGE) != OK)
		return s->now_ms + BUSY_MS;
	shh_seal_search_init(&j->seal.search, shh__content(&s->pool, e), d);
	j->seal.digest = d;
	j->seal.bits = bits;
	j->seal.hashes_max = (1ull << bits) * TRIES;
	j->idx = idx;
	j->seq = e->seq;
	shh__job_tell(s, j);
	return 0;
}

void shh__bridge_due(struct shh *s)
{
	struct shh__due due;

	while (shh__later_take(&s->bridges, s->now_ms, &due)) {
		struct shh__entry *e = shh__pool_live(&s->pool, due.idx, due.seq);
		enum shh_digest d =
			due.what == SHH_DIGEST_DOUBLE ? SHH_DIGEST_DOUBLE : SHH_DIGEST_SINGLE;
		uint64_t at;

		if (e == NULL) /* it left the pool, and its source's count, before */
			continue;
		e->bridging = 0;
		shh__pool_source(&s->pool, e->source)->bridging--;
		if (!s->bridge_on[d] || !lacks(s, e, d))
			continue;
		at = seal_begin(s, due.idx, d);
		/* one was just taken out, so there is room */
		if (at > 0 && wait_for(s, due.idx, d, at) != OK)
			assert(false);
	}
}

uint64_t shh__bridge_deadline(const struct shh *s)
{
	uint64_t due = shh__later_due(&s->bridges);

	for (enum shh_digest d = 0; d < SHH_DIGESTS; d++)
		if (s->bridge_on[d] && !shh__cursor_at_end(&s->pool, &s->bridge[d]) &&
		    s->bridges.count < SHH__LATER_MAX)
			due = 0;
	return due;
}

/* The form came from elsewhere: a job for it is not needed any more. */
void shh__bridge_filled(struct shh *s, uint32_t idx, uint64_t seq)
{
	for (uint32_t i = 0; i < SHH_JOBS_MAX && s->job_count > 0; i++) {
		struct shh__job *j = s->jobs[i];

		if (j != NULL && j->kind == SHH__JOB_BRIDGE && j->idx == idx && j->seq == seq)
			shh__job_cancel(s, j);
	}
}

void shh__bridge_done(struct shh *s, struct shh__job *j, const struct shh_seal_progress *r)
{
	const struct shh__entry *e = shh__pool_live(&s->pool, j->idx, j->seq);
	enum shh_digest d = j->seal.digest;
	unsigned bits;

	if (e != NULL && r->done && r->bits >= j->seal.bits && (e->forms >> d & 1) == 0) {
		bits = shh_work_bits(shh__content(&s->pool, e), r->nonce, d);
		if (bits >= j->seal.bits) {
			shh__pool_fill(&s->pool, j->idx, d, r->nonce, bits);
			s->stats.bridged++;
		}
	}
	shh__job_free(s, j);
}
