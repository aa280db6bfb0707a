/* SPDX-License-Identifier: MIT */
/* shh/hear.c - what a peer says: Status and its updates, and each packet to its place.
 *
 * A wish that becomes stricter holds at once, since its peer gives ten seconds
 * of grace at most.  One that becomes wider means to walk the pool again, so it
 * waits for its turn, and the latest wins (hardening U2).
 */
#include "shh/internal.h"

#define UPDATE_TOKENS 5 /* of shh__shh__update_rate, for one walk */

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
	p->ready_ms = s->now_ms;
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
void shh__update_apply(struct shh *s, struct shh__peer *p)
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
	if (bucket_take(&p->updates, shh__update_rate, UPDATE_TOKENS, s->now_ms)) {
		shh__update_apply(s, p);
		return;
	}
	p->update_ms = bucket_ready_at(&p->updates, shh__update_rate, UPDATE_TOKENS, s->now_ms);
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
