/* SPDX-License-Identifier: MIT */
/* shh/peer.c - one peer: joined, heard, told, ended.
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

#include <assert.h>
#include <math.h>

#define CREDIT_FIRST SHH_BUNDLE_MAX /* until the transport has told its own */
#define PACE_PART \
	8		   /* of a second's pace may go at once: a geth
					 hands on in one packet what 300 ms bring */
#define PARITY_CODES   112 /* from this code on parity loses the connection */
#define PARITY_POW_MIN 0x1p-1000
#define ONE_BYTE_CODES 0x80

static const struct bucket_rate update_rate = { 1, 20 }; /* 1 per 5 s, burst 4 (U2) */
#define UPDATE_TOKENS 5
static const struct bucket_rate envelope_rate = { 1000, 5000 };
static const struct bucket_rate fill_rate = { 100, 500 };

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

static struct bucket_rate pace_rate(const struct shh *s)
{
	uint64_t part = s->cfg.pace / PACE_PART;

	return (struct bucket_rate){ s->cfg.pace, part > 0 ? part : 1 };
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
	p = mem_alloc(s->cfg.mem, MEM_PEERS, sizeof(*p));
	if (p == NULL)
		return ERR_MEM;
	if (shh__known_join(&s->pool, slot) != OK) {
		mem_free(s->cfg.mem, MEM_PEERS, p, sizeof(*p));
		return ERR_MEM;
	}
	p->slot = slot;
	p->phase = SHH__JOINING;
	p->marks = SHH__SAY_STATUS;
	p->host_key = info->host_key;
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
	bucket_init(&p->updates, update_rate, s->now_ms);
	bucket_init(&p->envelopes, envelope_rate, s->now_ms);
	bucket_init(&p->fills, fill_rate, s->now_ms);
	if (s->cfg.pace > 0)
		bucket_init(&p->pace, pace_rate(s), s->now_ms);
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

static void update_apply(struct shh *s, struct shh__peer *p);

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
		update_apply(s, p);
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

/* Take from its budget.  It binds only under pressure; then the link pauses
 * until there is credit again (hardening section 3). */
void shh__peer_charge(struct shh *s, struct shh__peer *p, uint64_t envelopes)
{
	bucket_charge(&p->envelopes, envelope_rate, envelopes, s->now_ms);
	if (p->trusted || !(s->pressure || mem_above(s->cfg.mem, MEM_SEND, 4, 5)))
		return;
	p->paused_ms = bucket_ready_at(&p->envelopes, envelope_rate, 1, s->now_ms);
	if (p->paused_ms <= s->now_ms)
		return;
	p->marks |= SHH__TELL_PAUSE;
	shh__peer_wake(s, p);
}

/* --- Status, and its updates ------------------------------------------------------------------- */

static enum err status_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct shh_status st;
	enum err err = shh_status_read(&st, payload);
	bool proven;

	if (err != OK)
		return err;
	if (s->cfg.light && st.light && !p->trusted)
		return ERR_USELESS;
	if (p->early_pow) /* which of the two is newer cannot be told: the stricter is safe */
		st.min_pow = st.min_pow > p->status.min_pow ? st.min_pow : p->status.min_pow;
	if (p->early_bloom) {
		st.has_bloom = p->status.has_bloom;
		st.bloom = p->status.bloom;
	}
	p->status = st;
	p->dialect = shh__dialect_of_status(p->dialect, &st, &proven);
	p->dialect_proven = proven;
	p->digest_double = shh__dialect_digest(p->dialect) == SHH_DIGEST_DOUBLE;
	p->phase = SHH__READY;
	p->status_ms = UINT64_MAX;
	p->dialect_ms =
		p->dialect == SHH_DIALECT_UNKNOWN ? s->now_ms + SHH__DIALECT_MS : UINT64_MAX;
	shh__peer_arm(s, p);
	shh__cursor_join(&s->pool, &p->cursor);
	p->marks |= SHH__TELL_READY;
	shh__peer_wake(s, p);
	shh__bridge_families(s);
	return OK;
}

/* What became wider was held back for its turn: offer everything again. */
static void update_apply(struct shh *s, struct shh__peer *p)
{
	if (p->pow_waits)
		p->status.min_pow = p->pow_next;
	if (p->bloom_waits) {
		p->status.has_bloom = p->has_bloom_next;
		p->status.bloom = p->bloom_next;
	}
	p->pow_waits = p->bloom_waits = false;
	shh__peer_rewind(s, p);
	shh__bridge_families(s);
}

/* A wider wish means walking the pool again: once per turn, the latest wins. */
static void update_later(struct shh *s, struct shh__peer *p)
{
	if (p->update_ms != UINT64_MAX)
		return;
	if (bucket_take(&p->updates, update_rate, UPDATE_TOKENS, s->now_ms)) {
		update_apply(s, p);
		return;
	}
	p->update_ms = bucket_ready_at(&p->updates, update_rate, UPDATE_TOKENS, s->now_ms);
	p->paused_ms = p->update_ms;
	p->marks |= SHH__TELL_PAUSE;
	shh__peer_arm(s, p);
	shh__peer_wake(s, p);
}

/* A wish that became narrower holds from now on; its peer gives only 10 s of grace. */
static enum err pow_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	double min_pow;

	if (shh_pow_read(&min_pow, payload) != OK)
		return ERR_STATUS;
	if (p->phase == SHH__JOINING || min_pow >= p->status.min_pow) {
		p->early_pow = p->phase == SHH__JOINING;
		p->status.min_pow = min_pow;
		p->pow_waits = false;
		if (p->phase == SHH__READY)
			shh__bridge_families(s);
		return OK;
	}
	p->pow_next = min_pow;
	p->pow_waits = true;
	update_later(s, p);
	return OK;
}

static enum err bloom_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct shh_bloom bloom;
	bool has;

	if (shh_bloom_read(&bloom, payload) != OK)
		return ERR_STATUS;
	has = !shh_bloom_is_full(&bloom);
	if (p->phase == SHH__JOINING ||
	    (has && (!p->status.has_bloom || shh_bloom_match(&p->status.bloom, &bloom)))) {
		p->early_bloom = p->phase == SHH__JOINING;
		p->status.has_bloom = has;
		p->status.bloom = bloom;
		p->bloom_waits = false;
		return OK;
	}
	p->bloom_next = bloom;
	p->has_bloom_next = has;
	p->bloom_waits = true;
	update_later(s, p);
	return OK;
}

/* --- hearing -------------------------------------------------------------------------------------- */

/* Code 127: an envelope, or Status' list of them, from those we trust (W7). */
static enum err direct_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope env;
	size_t taken = 0;

	if (!p->trusted) {
		shh__peer_charge(s, p, SHH__DROP_CHARGE);
		return OK;
	}
	rlp_read_list(&r, &list);
	if (rlp_reader_err(&list) != OK)
		return ERR_ENVELOPE;
	if (!rlp_reader_at_end(&list) && !rlp_next_is_list(&list)) {
		r = rlp_reader_init(payload.data, payload.len);
		list = r;
		if (shh_envelope_read(&env, &list) != OK || !rlp_reader_at_end(&list))
			return ERR_ENVELOPE;
		shh__filters_direct(s, env.raw);
		return OK;
	}
	rlp_expect_end(&r);
	if (rlp_reader_err(&r) != OK)
		return ERR_ENVELOPE;
	while (!rlp_reader_at_end(&list) && taken++ < SHH__PACKET_ENVELOPES) {
		if (shh_envelope_read(&env, &list) != OK)
			return ERR_ENVELOPE;
		shh__filters_direct(s, env.raw);
	}
	return rlp_reader_err(&list) == OK ? OK : ERR_ENVELOPE;
}

/* Codes 123 to 126 belong to mail; without a mail service they are checked for
 * their shape where Status checks it, and charged. */
static enum err mail_recv(struct shh *s, struct shh__peer *p, uint32_t code, struct span payload)
{
	struct shh_sync_response response;
	struct shh_complete complete;

	shh__peer_charge(s, p, SHH__DROP_CHARGE);
	if (!p->trusted)
		return OK;
	if (code == SHH_SYNC_RESPONSE)
		return shh_sync_response_read(&response, payload);
	if (code == SHH_P2P_COMPLETE)
		return shh_complete_read(&complete, payload);
	return OK;
}

static enum err rates_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct shh_rates rates;

	if (shh_rates_read(&rates, payload) != OK) {
		shh__peer_charge(s, p, SHH__DROP_CHARGE);
		return p->status.form == SHH_STATUS_SIX ? ERR_RLP : OK;
	}
	p->status.has_rates = true;
	p->status.rates = rates;
	return OK;
}

static enum err dispatch(struct shh *s, struct shh__peer *p, uint32_t code, struct span payload)
{
	if (p->phase == SHH__JOINING && code != SHH_STATUS && code != SHH_POW && code != SHH_BLOOM)
		return ERR_PROTOCOL;
	switch (code) {
	case SHH_STATUS: return p->phase == SHH__JOINING ? status_recv(s, p, payload) : OK;
	case SHH_MESSAGES: return shh__intake(s, p, payload);
	case SHH_POW: return pow_recv(s, p, payload);
	case SHH_BLOOM: return bloom_recv(s, p, payload);
	case SHH_BATCH_ACK:
	case SHH_MESSAGE_RESPONSE: return shh__ack_recv(s, p, code, payload);
	case SHH_RATE_LIMITS: return rates_recv(s, p, payload);
	case SHH_SYNC_REQUEST:
	case SHH_SYNC_RESPONSE:
	case SHH_P2P_COMPLETE:
	case SHH_P2P_REQUEST: return mail_recv(s, p, code, payload);
	case SHH_P2P_MESSAGE: return direct_recv(s, p, payload);
	default: break; /* codes are the peer's: unknown ones are ignored, as all families do */
	}
	shh__peer_charge(s, p, 1);
	return OK;
}

static const char *why_of(uint32_t code)
{
	switch (code) {
	case SHH_STATUS: return "bad Status";
	case SHH_MESSAGES: return "bad Messages packet";
	case SHH_POW: return "bad minimum work";
	case SHH_BLOOM: return "bad bloom filter";
	case SHH_P2P_MESSAGE: return "bad direct message";
	default: return "bad packet";
	}
}

enum err shh_recv(struct shh *s, uint32_t peer, uint32_t code, struct span payload, uint64_t now_ms)
{
	struct shh__peer *p;
	enum err err;

	shh__enter(s, now_ms);
	p = shh__peer(s, peer);
	if (p == NULL)
		return ERR_STATE;
	s->stats.packets_in++;
	err = dispatch(s, p, code, payload);
	if (err != OK)
		shh__peer_drop(s, p, err,
			       err == ERR_PROTOCOL ? "a packet before its Status" : why_of(code));
	return err;
}

/* --- telling --------------------------------------------------------------------------------------- */

bool shh__peer_takes_code(const struct shh__peer *p, uint32_t code)
{
	if (p->one_byte_codes && p->code_offset + code >= ONE_BYTE_CODES)
		return false;
	return p->dialect != SHH_DIALECT_PARITY || code < PARITY_CODES;
}

void shh__peer_parcel(struct shh *s, struct shh__peer *p, uint32_t code, struct blob *blob)
{
	struct shh__parcel *parcel = NULL;

	if (p->parcel_count < SHH__PARCELS_MAX)
		parcel = mem_alloc(s->cfg.mem, MEM_PEERS, sizeof(*parcel));
	if (parcel == NULL) {
		blob_unref(blob);
		return;
	}
	*parcel = (struct shh__parcel){ .code = code, .blob = blob };
	*p->parcels_end = parcel;
	p->parcels_end = &parcel->next;
	p->parcel_count++;
	shh__peer_wake(s, p);
}

static bool say(struct shh *s, struct shh__peer *p, struct shh_event *ev, uint32_t code,
		const uint8_t *data, size_t len)
{
	struct blob *blob;

	if (blob_new(&blob, s->cfg.mem, MEM_SEND, len) != OK) {
		shh__peer_drop(s, p, ERR_MEM, "no memory for a packet");
		return false;
	}
	memcpy(blob->data, data, len);
	*ev = (struct shh_event){ .type = SHH_EV_SEND, .peer = p->slot };
	ev->u.send.code = code;
	ev->u.send.payload = blob;
	return true;
}

/* Confirmations are Status' own; between two of us they would only cost. */
static bool say_status(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	struct shh_status st = { .form = SHH_STATUS_FOUR, .min_pow = s->cfg.min_pow };
	uint8_t packet[SHH_STATUS_MAX];

	st.has_bloom = s->has_bloom;
	st.bloom = s->bloom;
	st.light = s->cfg.light;
	st.confirmations = s->cfg.confirmations && p->dialect != SHH_DIALECT_SOTTO;
	return say(s, p, ev, SHH_STATUS, packet, shh_status_write(packet, sizeof(packet), &st));
}

/* parity takes eight bytes of a "normal" double only, and ends the connection over
 * others (whisper.md 1.3): instead of none it hears of hardly any. */
static bool say_pow(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	double least = p->dialect == SHH_DIALECT_PARITY ? PARITY_POW_MIN : 0;
	uint8_t packet[9];

	return say(s, p, ev, SHH_POW, packet, shh_pow_write(packet, fmax(s->cfg.min_pow, least)));
}

/* parity would read our bits from the other end. */
static bool say_bloom(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	uint8_t packet[66];
	struct shh_bloom bloom = s->bloom;

	if (p->dialect == SHH_DIALECT_PARITY)
		return false;
	if (!s->has_bloom)
		memset(bloom.b, 0xff, sizeof(bloom.b));
	return say(s, p, ev, SHH_BLOOM, packet, shh_bloom_write(packet, &bloom));
}

static bool say_parcel(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	struct shh__parcel *parcel = p->parcels;

	p->parcels = parcel->next;
	p->parcel_count--;
	if (p->parcels == NULL)
		p->parcels_end = &p->parcels;
	*ev = (struct shh_event){ .type = SHH_EV_SEND, .peer = p->slot };
	ev->u.send.code = parcel->code;
	ev->u.send.payload = parcel->blob;
	mem_free(s->cfg.mem, MEM_PEERS, parcel, sizeof(*parcel));
	return true;
}

static bool tell_confirmed(struct shh__peer *p, struct shh_event *ev)
{
	const struct shh__confirmed *c = &p->confirmed[p->confirmed_at];

	*ev = (struct shh_event){ .type = SHH_EV_CONFIRMED, .peer = p->slot };
	memcpy(ev->u.confirmed.batch_hash, c->hash, sizeof(c->hash));
	ev->u.confirmed.refused = c->refused;
	p->confirmed_at = (p->confirmed_at + 1) % SHH__CONFIRMED_MAX;
	p->confirmed_count--;
	return true;
}

static bool tell(struct shh *s, struct shh__peer *p, unsigned mark, struct shh_event *ev)
{
	switch (mark) {
	case SHH__SAY_STATUS: return say_status(s, p, ev);
	case SHH__SAY_POW: return say_pow(s, p, ev);
	case SHH__SAY_BLOOM: return say_bloom(s, p, ev);
	case SHH__TELL_READY:
	case SHH__TELL_DIALECT:
		*ev = (struct shh_event){ .peer = p->slot };
		ev->type = mark == SHH__TELL_READY ? SHH_EV_READY : SHH_EV_DIALECT;
		ev->u.ready.dialect = p->dialect;
		ev->u.ready.status = &p->status;
		return true;
	case SHH__TELL_PAUSE:
		*ev = (struct shh_event){ .type = SHH_EV_PAUSE, .peer = p->slot };
		ev->u.pause.until_ms = p->paused_ms;
		return true;
	case SHH__TELL_DROP:
		*ev = (struct shh_event){ .type = SHH_EV_DROP, .peer = p->slot };
		ev->u.drop.err = p->drop_err;
		ev->u.drop.why = p->drop_why;
		return true;
	default: return false;
	}
}

/* The next thing to say to it or to tell about it; false when there is none,
 * and then an ended peer is gone. */
bool shh__peer_poll(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	while (p->marks != 0) {
		unsigned mark = p->marks & (0u - p->marks);

		p->marks &= ~mark;
		if (tell(s, p, mark, ev))
			return true;
	}
	if (p->confirmed_count > 0)
		return tell_confirmed(p, ev);
	if (p->parcels != NULL)
		return say_parcel(s, p, ev);
	if (p->phase == SHH__ENDED)
		shh__peer_free(s, p);
	else
		shh__list_append(&s->active, &p->link);
	return false;
}

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
