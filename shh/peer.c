/* SPDX-License-Identifier: MIT */
/* shh/peer.c - one peer: joined, timed, charged, ended.  What is heard from it is
 * hear.c, what is said to it and told about it is tell.c.
 *
 * States and times of a peer (the times are one timer each peer, the earliest):
 *
 *   JOINING  our Status goes out at once; theirs must come within 5 s.  Codes 2
 *            and 3 may come before it: geth sends them to peers whose handshake
 *            is still under way.
 *   READY    everything flows.  A family not known yet is waited for 5 s.
 *   ENDED    forgotten; only marks that tell the caller so are left.
 */
#include "shh/internal.h"

#define CREDIT_FIRST SHH_BUNDLE_MAX /* until the transport has told its own */
/* Of a second's pace so much may go at once: a geth hands on in one packet what
 * 300 ms bring. */
#define PACE_PART    8

const struct bucket_rate shh__update_rate = { 1, 20 }; /* in fifths: 1 per 5 s, burst 4 (U2) */
static const struct bucket_rate envelope_rate = { 1000, 5000 };
static const struct bucket_rate host_rate = { 2000, 10000 };
const struct bucket_rate shh__fill_rate = { 100, 500 };

/* --- timers: a heap by due time, places kept in the peers ------------------------------ */

static bool sooner(const struct shh__peer *a, const struct shh__peer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->slot < b->slot;
}

static void timer_place(struct shh *s, struct shh__peer *p, uint32_t i)
{
	s->timers[i] = p;
	p->timer_at = i;
}

static void timer_sift(struct shh *s, struct shh__peer *p)
{
	uint32_t i = p->timer_at, down;

	while (i > 0 && sooner(p, s->timers[(i - 1) / 2])) {
		timer_place(s, s->timers[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	while ((down = 2 * i + 1) < s->timer_count) {
		if (down + 1 < s->timer_count && sooner(s->timers[down + 1], s->timers[down]))
			down++;
		if (!sooner(s->timers[down], p))
			break;
		timer_place(s, s->timers[down], i);
		i = down;
	}
	timer_place(s, p, i);
}

static void timer_leave(struct shh *s, struct shh__peer *p)
{
	struct shh__peer *last = s->timers[--s->timer_count];

	if (last != p) {
		timer_place(s, last, p->timer_at);
		timer_sift(s, last);
	}
}

void shh__peer_arm(struct shh *s, struct shh__peer *p)
{
	uint64_t due =
		u64_min(u64_min(p->status_ms, p->dialect_ms), u64_min(p->send_ms, p->update_ms));

	if (p->phase == SHH__ENDED)
		due = UINT64_MAX;
	if (due == p->due_ms)
		return;
	p->due_ms = due;
	timer_sift(s, p);
}

/* --- life ----------------------------------------------------------------------------------- */

struct shh__peer *shh__peer(const struct shh *s, uint32_t slot)
{
	struct shh__peer *p = slot < SHH_PEERS_MAX ? s->peers[slot] : NULL;

	return p != NULL && p->phase != SHH__ENDED ? p : NULL;
}

/* Among the active; with something to tell, before all others. */
void shh__peer_wake(struct shh *s, struct shh__peer *p)
{
	struct shh__link *l = &p->link;

	if (p->marks == 0 && p->parcels == NULL) {
		shh__list_append(&s->active, l);
		return;
	}
	shh__list_leave(l);
	l->next = s->active.next;
	l->prev = &s->active;
	l->next->prev = l;
	s->active.next = l;
}

/* Slots are given out in turn, so that a number is not somebody else's at once. */
static uint32_t slot_find(const struct shh *s)
{
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		uint32_t slot = (s->peer_next + i) % SHH_PEERS_MAX;

		/* within the 64 that are in use already, while they last */
		if (s->peer_count < 64)
			slot = (s->peer_next + i) % 64;
		if (s->peers[slot] == NULL)
			return slot;
	}
	return SHH_PEERS_MAX;
}

struct bucket_rate shh__pace_rate(const struct shh *s)
{
	uint64_t part = s->cfg.pace / PACE_PART;

	return (struct bucket_rate){ s->cfg.pace, part > 0 ? part : 1 };
}

/* The record that peers of one host share. errors ERR_MEM */
static enum err host_open(struct shh *s, struct shh__host **out, uint64_t key)
{
	struct shh__host *h = s->hosts;

	while (h != NULL && h->key != key)
		h = h->next;
	if (h == NULL) {
		h = mem_alloc(s->cfg.mem, MEM_PEERS, sizeof(*h));
		if (h == NULL)
			return ERR_MEM;
		*h = (struct shh__host){ .next = s->hosts, .key = key };
		bucket_init(&h->envelopes, host_rate, s->now_ms);
		s->hosts = h;
	}
	h->refs++;
	*out = h;
	return OK;
}

static void host_close(struct shh *s, struct shh__host *h)
{
	struct shh__host **at = &s->hosts;

	if (--h->refs > 0)
		return;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	mem_free(s->cfg.mem, MEM_PEERS, h, sizeof(*h));
}

/* Memory for a peer, its host and its column of known bits, or nothing at all. */
static enum err peer_alloc(struct shh *s, struct shh__peer **out, uint32_t slot, uint64_t host_key)
{
	struct shh__peer *p = mem_alloc(s->cfg.mem, MEM_PEERS, sizeof(*p));

	if (p == NULL)
		return ERR_MEM;
	if (host_open(s, &p->host, host_key) != OK) {
		mem_free(s->cfg.mem, MEM_PEERS, p, sizeof(*p));
		return ERR_MEM;
	}
	if (shh__known_join(&s->pool, slot) != OK) {
		host_close(s, p->host);
		mem_free(s->cfg.mem, MEM_PEERS, p, sizeof(*p));
		return ERR_MEM;
	}
	p->slot = slot;
	*out = p;
	return OK;
}

static void peer_begin(struct shh *s, struct shh__peer *p, const struct shh_peer_info *info)
{
	p->phase = SHH__JOINING;
	p->marks = SHH__SAY_STATUS;
	p->trusted = info->trusted;
	p->one_byte_codes = info->one_byte_codes;
	p->code_offset = info->code_offset;
	p->dialect = info->dialect != SHH_DIALECT_UNKNOWN ? info->dialect
							  : shh__dialect_of_name(info->client);
	p->digest_double = shh__dialect_digest(p->dialect) == SHH_DIGEST_DOUBLE;
	p->credit = CREDIT_FIRST;
	p->parcels_end = &p->parcels;
	p->status_ms = s->now_ms + SHH__STATUS_MS;
	p->dialect_ms = p->send_ms = p->update_ms = UINT64_MAX;
	p->first_sent_ms = UINT64_MAX;
	bucket_init(&p->updates, shh__update_rate, s->now_ms);
	bucket_init(&p->envelopes, envelope_rate, s->now_ms);
	bucket_init(&p->fills, shh__fill_rate, s->now_ms);
	if (s->cfg.pace > 0)
		bucket_init(&p->pace, shh__pace_rate(s), s->now_ms);
}

enum err shh_peer_add(struct shh *s, uint32_t *peer, const struct shh_peer_info *info,
		      uint64_t now_ms)
{
	struct shh__peer *p;
	uint32_t slot;

	shh__enter(s, now_ms);
	slot = slot_find(s);
	if (slot == SHH_PEERS_MAX)
		return ERR_FULL;
	if (peer_alloc(s, &p, slot, info->host_key) != OK)
		return ERR_MEM;
	peer_begin(s, p, info);
	p->timer_at = s->timer_count++;
	p->due_ms = UINT64_MAX;
	s->timers[p->timer_at] = p;
	shh__peer_arm(s, p);
	s->peers[slot] = p;
	s->peer_next = slot + 1;
	s->peer_count++;
	shh__peer_wake(s, p);
	*peer = slot;
	return OK;
}

static void parcels_free(struct shh__peer *p, struct mem *mem)
{
	while (p->parcels != NULL) {
		struct shh__parcel *next = p->parcels->next;

		blob_unref(p->parcels->blob);
		mem_free(mem, MEM_PEERS, p->parcels, sizeof(*p->parcels));
		p->parcels = next;
	}
	p->parcels_end = &p->parcels;
	p->parcel_count = 0;
}

/* Everything but the marks that are still to be told. */
static void peer_end(struct shh *s, struct shh__peer *p)
{
	if (p->phase == SHH__READY)
		shh__cursor_leave(&s->pool, &p->cursor);
	p->phase = SHH__ENDED;
	parcels_free(p, s->cfg.mem);
	shh__later_free(&p->held, s->cfg.mem, MEM_PEERS);
	mem_free(s->cfg.mem, MEM_PEERS, p->confirmed, SHH__CONFIRMED_MAX * sizeof(*p->confirmed));
	p->confirmed = NULL;
	p->confirmed_count = 0;
	for (uint32_t i = 0; i < SHH_JOBS_MAX; i++)
		if (s->jobs[i] != NULL && s->jobs[i]->to == p)
			s->jobs[i]->to = NULL;
	shh__bridge_families(s);
}

void shh__peer_free(struct shh *s, struct shh__peer *p)
{
	if (p->phase != SHH__ENDED)
		peer_end(s, p);
	shh__list_leave(&p->link);
	timer_leave(s, p);
	shh__known_leave(&s->pool, p->slot);
	host_close(s, p->host);
	s->peers[p->slot] = NULL;
	s->peer_count--;
	mem_free(s->cfg.mem, MEM_PEERS, p, sizeof(*p));
}

void shh_peer_remove(struct shh *s, uint32_t peer, uint64_t now_ms)
{
	struct shh__peer *p = peer < SHH_PEERS_MAX ? s->peers[peer] : NULL;
	enum shh_dialect better;

	shh__enter(s, now_ms);
	if (p == NULL)
		return;
	better = shh__dialect_flipped(s, p);
	if (better == SHH_DIALECT_UNKNOWN) {
		shh__peer_free(s, p);
		return;
	}
	peer_end(s, p);
	p->dialect = better;
	p->marks = SHH__TELL_DIALECT;
	shh__peer_arm(s, p);
	shh__peer_wake(s, p);
}

void shh__peer_drop(struct shh *s, struct shh__peer *p, enum err err, const char *why)
{
	log_line(&s->cfg.log, LOG_DEBUG, "shh drop peer=%u err=%s why=\"%s\"", p->slot,
		 err_name(err), why);
	peer_end(s, p);
	p->drop_err = err;
	p->drop_why = why;
	p->marks = SHH__TELL_DROP;
	shh__peer_arm(s, p);
	shh__peer_wake(s, p);
}

void shh_peer_trust(struct shh *s, uint32_t peer, bool trusted)
{
	struct shh__peer *p = shh__peer(s, peer);

	if (p != NULL)
		p->trusted = trusted;
}

void shh_peer_credit(struct shh *s, uint32_t peer, size_t bytes, uint64_t now_ms)
{
	struct shh__peer *p = shh__peer(s, peer);

	shh__enter(s, now_ms);
	if (p == NULL)
		return;
	p->credit = bytes;
	if (bytes > 0 && p->link.next == NULL)
		shh__peer_wake(s, p);
}

/* --- times --------------------------------------------------------------------------------- */

void shh__peer_due(struct shh *s, struct shh__peer *p)
{
	if (p->status_ms <= s->now_ms) {
		p->status_ms = UINT64_MAX;
		shh__peer_drop(s, p, ERR_TIMEOUT, "no Status in time");
		return;
	}
	if (p->dialect_ms <= s->now_ms)
		shh__dialect_set(s, p, SHH_DIALECT_GETH19);
	if (p->update_ms <= s->now_ms) {
		p->update_ms = UINT64_MAX;
		shh__update_apply(s, p);
	}
	if (p->send_ms <= s->now_ms) {
		p->send_ms = UINT64_MAX;
		shh__peer_wake(s, p);
	}
	shh__peer_arm(s, p);
}

void shh__peer_rewind(struct shh *s, struct shh__peer *p)
{
	if (p->phase != SHH__READY)
		return;
	p->cursor.at = 0;
	shh__peer_wake(s, p);
}

/* --- what it costs us ------------------------------------------------------------------------ */

/* What was taken while nothing bound is no debt: a moment of pressure does not
 * punish for the hours before it. */
static void charge(struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms, bool binds)
{
	bucket_charge(b, r, n, now_ms);
	if (!binds && b->credit < 0)
		b->credit = 0;
}

/* Take from its budget and its host's.  They bind only under pressure; then the
 * link pauses until there is credit again (hardening section 3). */
void shh__peer_charge(struct shh *s, struct shh__peer *p, uint64_t envelopes)
{
	bool binds = s->pressure || mem_above(s->cfg.mem, MEM_SEND, 4, 5);

	charge(&p->envelopes, envelope_rate, envelopes, s->now_ms, binds);
	charge(&p->host->envelopes, host_rate, envelopes, s->now_ms, binds);
	if (p->trusted || !binds)
		return;
	p->paused_ms = u64_max(bucket_ready_at(&p->envelopes, envelope_rate, 1, s->now_ms),
			       bucket_ready_at(&p->host->envelopes, host_rate, 1, s->now_ms));
	if (p->paused_ms <= s->now_ms)
		return;
	p->marks |= SHH__TELL_PAUSE;
	shh__peer_wake(s, p);
}

/* --- looking in ------------------------------------------------------------------------------- */

enum err shh_peer_stats(const struct shh *s, uint32_t peer, struct shh_peer_stats *out)
{
	const struct shh__peer *p = shh__peer(s, peer);

	if (p == NULL)
		return ERR_NOT_FOUND;
	*out = (struct shh_peer_stats){
		.dialect = p->dialect,
		.ready = p->phase == SHH__READY,
		.trusted = p->trusted,
		.light = p->status.light,
		.min_pow = p->status.min_pow,
		.envelopes_in = p->envelopes_in,
		.duplicates_in = p->duplicates_in,
		.dropped_in = p->dropped_in,
		.envelopes_out = p->envelopes_out,
		.clock_offset_ms = (int32_t)p->offset_ms,
	};
	return OK;
}
