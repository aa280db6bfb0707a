/* SPDX-License-Identifier: MIT */
/* shh/relay.c - what goes to whom, and when.
 *
 * Each peer has a cursor over the order of arrival and a bit for each envelope
 * that it knows.  When something arrives, the peers that stood at the end are
 * woken, all at once; each is served in turn: its cursor walks on, a verdict is
 * taken on each envelope, and what the peer takes goes out as one packet.
 * Peers that need the same packet share one: packets just made are kept for
 * the round under a keyed sum of what is in them.
 *
 * When a packet goes: at once, if the last one is long enough ago.  The fuller
 * the last one was, the longer the next one gathers, up to 4 ms, and peers
 * gather until the same instant, so that they can share.  A full packet is
 * followed at once.  A packet waits for the transport's credit, and towards
 * those who pass on in bundles without bound, for their pace.
 */
#include "shh/internal.h"

#include <assert.h>

#define HEADER_MAX    5	  /* of a Messages packet's list */
#define CLOCK_SLACK_S 1	  /* seconds that a peer's clock may stand behind ours */
#define AHEAD_GETH    8	  /* seconds that an envelope may be ahead of our clock, of 10 */
#define GATHER_PART   8	  /* envelopes in a packet for each ms that the next one gathers */
#define RETRY_MS      50  /* after memory was refused */
#define DELAY_PARTS   256 /* precision of the privacy delay's chance */

/* --- verdicts ------------------------------------------------------------------------- */

enum verdict { SKIP, TAKE, AWAIT };

/* How long the data is, from the length of its item: the content's last part. */
static size_t data_len(const struct shh__entry *e, struct span content)
{
	size_t item = content.len - rlp_size_u64(e->expiry) - rlp_size_u64(e->ttl) -
		      rlp_size_string(SHH_TOPIC_SIZE);

	if (item == 1)
		return content.data[content.len - 1] == 0x80 ? 0 : 1;
	for (size_t header = 1; header <= 9; header++)
		if (rlp_size_string(item - header) == item)
			return item - header;
	assert(false);
	return 0;
}

void shh__entry_envelope(const struct shh__pool *p, const struct shh__entry *e, enum shh_digest d,
			 struct shh_envelope *env)
{
	struct span content = shh__content(p, e);
	size_t len = data_len(e, content);

	*env = (struct shh_envelope){ .expiry = e->expiry, .ttl = e->ttl, .topic = e->topic };
	env->nonce = e->nonce[d];
	env->content = content;
	env->data = span_of(content.data + (content.len - len), len);
}

/* Seconds that an envelope's creation lies ahead of now. */
static uint32_t ahead_s(const struct shh__entry *e, uint64_t now_s)
{
	uint64_t sent = (uint64_t)e->expiry - e->ttl;

	return sent > now_s ? (uint32_t)(sent - now_s) : 0;
}

/* geth tolerates 10 s, parity and nim-eth 2 (docs/PEERS.md "Clocks"); clocks differ. */
static uint32_t ahead_max(enum shh_dialect d)
{
	return d == SHH_DIALECT_PARITY || d == SHH_DIALECT_NIMBUS ? 0 : AHEAD_GETH;
}

static bool bloom_wants(const struct shh__peer *p, struct shh_topic topic)
{
	enum shh_bloom_kind kind = SHH_BLOOM_GETH;
	struct shh_bloom sample;

	if (!p->status.has_bloom)
		return true;
	if (p->dialect == SHH_DIALECT_NIMBUS)
		kind = SHH_BLOOM_EIP627;
	if (p->dialect == SHH_DIALECT_PARITY)
		kind = SHH_BLOOM_PARITY;
	shh_bloom_of(&sample, topic, kind);
	return shh_bloom_match(&p->status.bloom, &sample);
}

static double work_of(const struct shh *s, const struct shh__entry *e, enum shh_digest d,
		      enum shh_rule rule, uint32_t life_s)
{
	struct shh_envelope env;

	shh__entry_envelope(&s->pool, e, d, &env);
	return shh_work_value_life(rule, e->bits[d], &env, life_s);
}

/* Whether the peer finds enough work in one form.  To a clock that stands behind
 * ours a fresh envelope comes from the future, and geth divides its work by that
 * much more life: one at the limit waits until nobody can see it so. */
static enum verdict work_verdict(const struct shh *s, const struct shh__peer *p,
				 const struct shh__entry *e, enum shh_digest d, enum shh_rule rule)
{
	uint32_t ahead = ahead_s(e, shh__now_s(s) - CLOCK_SLACK_S);
	uint32_t longer = ahead > 0 ? ahead + 1 : 0;

	if (work_of(s, e, d, rule, e->ttl + longer) >= p->status.min_pow)
		return TAKE;
	if (ahead > 0 && work_of(s, e, d, rule, e->ttl) >= p->status.min_pow)
		return AWAIT;
	return SKIP;
}

/* Choose the form for a peer; SKIP if there is none that it takes. */
static enum verdict form_choose(const struct shh *s, const struct shh__peer *p,
				const struct shh__entry *e, uint8_t *digest)
{
	enum shh_digest own = shh__dialect_digest(p->dialect);
	bool has_own = (e->forms >> own & 1) != 0;
	bool any = p->status.min_pow <= 0;

	if (p->dialect == SHH_DIALECT_SOTTO) {
		*digest = e->first;
		return any ? TAKE
			   : work_verdict(s, p, e, e->first,
					  e->first == SHH_DIGEST_DOUBLE ? SHH_RULE_GETH18
									: SHH_RULE_GETH19);
	}
	if (p->dialect == SHH_DIALECT_UNKNOWN) {
		*digest = e->first;
		return any ? TAKE : SKIP;
	}
	if (any && !has_own) { /* parity names no minimum, but its users want its work */
		*digest = e->first;
		return p->dialect != SHH_DIALECT_PARITY || !s->cfg.bridge ? TAKE : SKIP;
	}
	*digest = (uint8_t)own;
	if (!has_own)
		return SKIP;
	return any ? TAKE : work_verdict(s, p, e, own, shh__dialect_rule(p->dialect));
}

static enum verdict verdict(const struct shh *s, const struct shh__peer *p, uint32_t idx,
			    uint8_t *digest)
{
	const struct shh__entry *e = shh__entry(&s->pool, idx);
	uint64_t now_s = shh__now_s(s);
	enum verdict v;

	if (shh__known(&s->pool, idx, p->slot) || e->expiry <= now_s)
		return SKIP;
	if (s->cfg.light && !e->own) /* light: we relay nothing */
		return SKIP;
	if (!bloom_wants(p, e->topic))
		return SKIP;
	v = form_choose(s, p, e, digest);
	if (v == SKIP)
		return SKIP;
	if (HEADER_MAX + shh_envelope_size(e->len, e->nonce[*digest]) > s->cfg.message_max)
		return SKIP;
	return ahead_s(e, now_s) > ahead_max(p->dialect) ? AWAIT : v;
}

/* An envelope that is too young for a peer is looked at again by everybody when
 * it may be sent, or when its work cannot look less any more. */
static void await(struct shh *s, uint32_t idx, enum shh_dialect d)
{
	struct shh__entry *e = shh__entry(&s->pool, idx);
	uint32_t ahead = ahead_s(e, shh__now_s(s));
	uint64_t wait_s = ahead > ahead_max(d) ? ahead - ahead_max(d)
					       : ahead_s(e, shh__now_s(s) - CLOCK_SLACK_S);
	struct shh__due due = { .at_ms = s->now_ms + wait_s * 1000, .seq = e->seq, .idx = idx };

	if (e->awaited)
		return;
	if (shh__later_put(&s->later, s->cfg.mem, MEM_POOL, &due) == OK)
		e->awaited = 1;
}

/* --- packets ---------------------------------------------------------------------------- */

/* What a packet under way may still hold. */
struct load {
	size_t size, limit;
	uint32_t count;
	uint64_t sum;
	bool full;
};

/* Known from now on, for an envelope may come by twice in one walk. */
static bool load_add(struct shh *s, const struct shh__peer *p, struct load *l, uint32_t idx,
		     uint8_t digest)
{
	const struct shh__entry *e = shh__entry(&s->pool, idx);
	size_t size = shh_envelope_size(e->len, e->nonce[digest]);

	if (l->count > 0 &&
	    (l->count == SHH__BATCH_MAX || l->size >= l->limit || size > l->limit - l->size)) {
		l->full = true;
		return false;
	}
	s->picks[l->count++] = (struct shh__pick){ idx, digest };
	l->size += size;
	/* keyed multiplication: order and form count, and nobody can aim */
	l->sum = (l->sum ^ (e->seq << 1 | digest)) * (s->rand_key.k0 | 1);
	l->sum ^= l->sum >> 29;
	shh__known_set(&s->pool, idx, p->slot);
	return true;
}

static enum err packet_write(struct shh *s, const struct load *l, struct blob **out)
{
	struct rlp_writer w;
	enum err err = blob_new(out, s->cfg.mem, MEM_SEND, rlp_size_list(l->size));

	if (err != OK)
		return err;
	w = rlp_writer_init((*out)->data, (*out)->len);
	rlp_write_list(&w, l->size);
	for (uint32_t i = 0; i < l->count; i++) {
		const struct shh__pick *pick = &s->picks[i];
		const struct shh__entry *e = shh__entry(&s->pool, pick->idx);

		w.len += shh_envelope_write(w.out + w.len, shh__content(&s->pool, e),
					    e->nonce[pick->digest]);
	}
	assert(w.err == OK && w.len == (*out)->len);
	return OK;
}

/* The packet of these picks: one that was made for another peer, or a new one. */
static enum err packet_get(struct shh *s, const struct load *l, struct blob **out)
{
	struct shh__shared *slot;
	enum err err;

	for (unsigned i = 0; i < SHH__SHARED; i++)
		if (s->shared[i].blob != NULL && s->shared[i].sum == l->sum &&
		    s->shared[i].count == l->count) {
			*out = blob_ref(s->shared[i].blob);
			return OK;
		}
	err = packet_write(s, l, out);
	if (err != OK)
		return err;
	slot = &s->shared[s->shared_next++ % SHH__SHARED];
	blob_unref(slot->blob);
	*slot = (struct shh__shared){ l->sum, l->count, blob_ref(*out) };
	return OK;
}

void shh__shared_clear(struct shh *s)
{
	for (unsigned i = 0; i < SHH__SHARED; i++) {
		blob_unref(s->shared[i].blob);
		s->shared[i].blob = NULL;
	}
}

/* --- choosing --------------------------------------------------------------------------- */

/* Walk the cursor until the packet is full or everything was looked at. */
static void load_from_cursor(struct shh *s, struct shh__peer *p, struct load *l)
{
	uint32_t idx, at = p->cursor.at;
	uint8_t digest;

	while ((idx = shh__cursor_next(&s->pool, &p->cursor, &s->steps)) != SHH__NONE) {
		switch (verdict(s, p, idx, &digest)) {
		case SKIP: break;
		case AWAIT: await(s, idx, p->dialect); break;
		case TAKE:
			if (!load_add(s, p, l, idx, digest)) {
				p->cursor.at = at;
				return;
			}
			break;
		}
		at = p->cursor.at;
	}
}

/* An exponential delay with the configured mean: -ln(u), by repeated halving, so
 * that machines agree to the last bit. */
static uint64_t poisson_ms(struct shh *s)
{
	uint64_t mean = s->cfg.delay_ms, sum = 0;

	/* a geometric number of steps of mean / DELAY_PARTS each */
	for (;;) {
		uint64_t word = shh__random(s);

		for (unsigned i = 0; i < 8; i++, word >>= 8) {
			if ((word & 0xff) == 0)
				return sum * mean / DELAY_PARTS;
			if (++sum > DELAY_PARTS * 32ull)
				return sum * mean / DELAY_PARTS;
		}
	}
}

/* With a privacy delay: what the cursor meets is held, each for its own random time. */
static void hold_from_cursor(struct shh *s, struct shh__peer *p)
{
	uint32_t idx, at = p->cursor.at;
	uint8_t digest;

	while ((idx = shh__cursor_next(&s->pool, &p->cursor, &s->steps)) != SHH__NONE) {
		struct shh__due due = { .seq = shh__entry(&s->pool, idx)->seq, .idx = idx };
		enum verdict v = verdict(s, p, idx, &digest);

		if (v == AWAIT)
			await(s, idx, p->dialect);
		due.at_ms = s->now_ms + poisson_ms(s);
		if (v == TAKE && shh__later_put(&p->held, s->cfg.mem, MEM_PEERS, &due) != OK) {
			p->cursor.at = at; /* it waits in the pool */
			return;
		}
		at = p->cursor.at;
	}
}

static void load_from_held(struct shh *s, struct shh__peer *p, struct load *l)
{
	struct shh__due due;
	uint8_t digest;

	while (shh__later_take(&p->held, s->now_ms, &due)) {
		if (shh__pool_live(&s->pool, due.idx, due.seq) == NULL ||
		    verdict(s, p, due.idx, &digest) != TAKE)
			continue;
		if (load_add(s, p, l, due.idx, digest))
			continue;
		/* it was in the heap a moment ago, so there is room */
		if (shh__later_put(&p->held, s->cfg.mem, MEM_PEERS, &due) != OK)
			assert(false);
		return;
	}
}

/* A packet could not be made: nothing of it is known, and what was taken from
 * the heap goes back there. */
static void load_undo(struct shh *s, struct shh__peer *p, const struct load *l, bool held)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct shh__due due = { .at_ms = s->now_ms + RETRY_MS, .idx = s->picks[i].idx };

		shh__known_clear(&s->pool, due.idx, p->slot);
		if (!held)
			continue;
		due.seq = shh__entry(&s->pool, due.idx)->seq;
		if (shh__later_put(&p->held, s->cfg.mem, MEM_PEERS, &due) != OK)
			assert(false);
	}
}

/* --- serving ------------------------------------------------------------------------------ */

static bool is_paced(const struct shh *s, const struct shh__peer *p)
{
	return s->cfg.pace > 0 && p->dialect != SHH_DIALECT_SOTTO &&
	       p->dialect != SHH_DIALECT_PARITY;
}

/* Leave the active until ms, or until something else wakes it. */
static void sleep_until(struct shh *s, struct shh__peer *p, uint64_t ms)
{
	shh__list_leave(&p->link);
	p->send_ms = ms;
	shh__peer_arm(s, p);
}

/* Status can announce how many packets a second it bears, and may end the
 * connection over more: what is left between two of them. */
static uint64_t rate_gap_ms(const struct shh__peer *p)
{
	const struct shh_rates *r = &p->status.rates;
	uint64_t least = r->ip > 0 && (r->peer == 0 || r->ip < r->peer) ? r->ip : r->peer;

	return p->status.has_rates && least > 0 && least <= 1000 ? (999 + least) / least : 0;
}

/* Whether a packet may go to it now; if not, it is put where it waits. */
static bool may_send(struct shh *s, struct shh__peer *p)
{
	uint64_t at = 0;

	if (p->phase != SHH__READY || p->credit == 0) {
		shh__list_leave(&p->link);
		return false;
	}
	if (p->gap_ms > 0) /* all peers gather until the same instants */
		at = (p->last_sent_ms / p->gap_ms + 1) * p->gap_ms;
	if (p->envelopes_out > 0)
		at = u64_max(at, p->last_sent_ms + rate_gap_ms(p));
	if (is_paced(s, p))
		at = u64_max(at, bucket_ready_at(&p->pace, shh__pace_rate(s), 1, s->now_ms));
	if (at <= s->now_ms)
		return true;
	sleep_until(s, p, at);
	return false;
}

static void sent(struct shh *s, struct shh__peer *p, const struct load *l, size_t len)
{
	p->credit -= size_min(p->credit, len);
	if (is_paced(s, p))
		bucket_charge(&p->pace, shh__pace_rate(s), len, s->now_ms);
	if (p->first_sent_ms == UINT64_MAX)
		p->first_sent_ms = s->now_ms;
	p->last_sent_ms = s->now_ms;
	p->gap_ms = l->full ? 0 : (uint32_t)u64_min(1 + l->count / GATHER_PART, SHH__GATHER_MAX_MS);
	p->envelopes_out += l->count;
	s->stats.delivered += l->count;
}

/* Nothing to send: wait for arrivals, for what is held, or for the next millisecond. */
static void rest(struct shh *s, struct shh__peer *p)
{
	if (!shh__cursor_at_end(&s->pool, &p->cursor)) {
		if (p->held.count < SHH__LATER_MAX) {
			shh__list_append(&s->active, &p->link); /* out of steps */
			return;
		}
		sleep_until(s, p, u64_max(shh__later_due(&p->held), s->now_ms + 1));
		return;
	}
	shh__list_append(&s->idle, &p->link);
	p->send_ms = shh__later_due(&p->held);
	shh__peer_arm(s, p);
}

bool shh__relay(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	struct load l = { .sum = s->rand_key.k1 };
	struct blob *blob;
	uint32_t at = p->cursor.at;
	bool held = s->cfg.delay_ms > 0 || p->held.count > 0;

	if (!may_send(s, p))
		return false;
	l.limit = size_min(SHH_BUNDLE_MAX, s->cfg.message_max) - HEADER_MAX;
	l.limit = size_min(l.limit, p->credit);
	if (held) {
		hold_from_cursor(s, p);
		at = p->cursor.at;
		load_from_held(s, p, &l);
	} else {
		load_from_cursor(s, p, &l);
	}
	if (l.count == 0) {
		rest(s, p);
		return false;
	}
	if (packet_get(s, &l, &blob) != OK) {
		p->cursor.at = at;
		load_undo(s, p, &l, held);
		sleep_until(s, p, s->now_ms + RETRY_MS);
		return false;
	}
	sent(s, p, &l, blob->len);
	shh__list_append(&s->active, &p->link);
	*ev = (struct shh_event){ .type = SHH_EV_SEND, .peer = p->slot };
	ev->u.send.code = SHH_MESSAGES;
	ev->u.send.payload = blob;
	return true;
}
