/* SPDX-License-Identifier: MIT */
/* shh/intake.c - a Messages packet, from bytes to the pool (hardening W2 to W6).
 *
 * A packet is taken in slices of SHH__SLICE envelopes, each in two passes:
 *
 *   look     parse; refuse by size, life and clock; recognise what is here
 *            already, by fingerprint; refuse what our bloom does not want
 *   grade    hash what is new side by side, under the digest that the sender's
 *            family uses, and once more under the other what did not suffice
 *
 * What breaks the form of a packet ends the peer before its slice was hashed.
 * What is stale, weak or unwanted is dropped and charged to the sender, never
 * punished: honest relays of another family or clock bring such things.
 */
#include "shh/internal.h"

#include <assert.h>

#define REFUSED_MAX 64	  /* told in one confirmation; more: the rest is not told */
#define CODE	    37	  /* of any refusal: what status-go v6.2.6 puts, whatever its reason */
#define SETTLED_MS  10000 /* until then a peer may hand over what it had stored */
#define STRONG_BITS 8	  /* fewer zero bits may be chance */
#define AGE_MAX	    255	  /* seconds, of the ages kept for our own posts */

/* One packet under way. */
struct intake {
	struct shh__peer *peer;
	bool confirms; /* refusals are told */
	uint64_t now_s;
	struct shh__refused refused[REFUSED_MAX];
	size_t refused_count;
};

static void refuse(struct shh *s, struct intake *in, const struct shh_envelope *env,
		   uint64_t *counter, const char *text)
{
	++*counter;
	in->peer->dropped_in++;
	shh__peer_charge(s, in->peer, SHH__DROP_CHARGE);
	if (!in->confirms || in->refused_count == REFUSED_MAX)
		return;
	shh_envelope_hash(in->refused[in->refused_count].hash, env->content, env->nonce);
	in->refused[in->refused_count].code = CODE;
	in->refused[in->refused_count++].text = text;
}

/* Cheap checks first: size, a life that makes sense, the clock. */
static bool is_timely(struct shh *s, struct intake *in, const struct shh_envelope *env)
{
	if (env->raw.len > s->cfg.message_max) {
		refuse(s, in, env, &s->stats.dropped_size, "envelope too large");
		return false;
	}
	if (env->ttl == 0 || env->ttl > SHH_TTL_MAX || env->expiry <= env->ttl) {
		refuse(s, in, env, &s->stats.dropped_ttl, "life out of range");
		return false;
	}
	if (env->expiry - env->ttl > in->now_s + SHH_SENT_AHEAD_MAX) {
		refuse(s, in, env, &s->stats.dropped_stale, "envelope from future");
		return false;
	}
	if (env->expiry < in->now_s) {
		refuse(s, in, env, &s->stats.dropped_stale, "very old envelope");
		return false;
	}
	return true;
}

/* Estimate the sender's clock: a message is created before it is sent, so the
 * youngest that it brings tells most; the estimate sinks slowly to follow. */
static void clock_saw(struct shh *s, struct shh__peer *p, const struct shh_envelope *env)
{
	int64_t sent_ms = (int64_t)(env->expiry - env->ttl) * 1000;
	int64_t ahead = sent_ms - ((int64_t)s->now_ms + s->cfg.wall_offset_ms);

	if (!p->offset_known || ahead > p->offset_ms)
		p->offset_ms = ahead;
	else
		p->offset_ms -= (p->offset_ms - ahead) / 64;
	p->offset_known = true;
}

double shh__work_best(const struct shh_envelope *env, enum shh_digest d, unsigned bits)
{
	double best = 0;

	for (enum shh_rule r = 0; r < SHH_RULES; r++) {
		double v = shh_rule_digest(r) == d ? shh_work_value(r, bits, env) : 0;

		best = v > best ? v : best;
	}
	return best;
}

/* A copy of what is here.  It is known to the sender; and if it is in the form
 * that we lack, it is worth grading, once in a while. */
static bool duplicate_seen(struct shh *s, struct shh__peer *p, const struct shh_envelope *env,
			   uint32_t idx)
{
	const struct shh__entry *e = shh__entry(&s->pool, idx);

	p->duplicates_in++;
	s->stats.duplicates++;
	if (e->state != SHH__LIVE)
		return false;
	shh__known_set(&s->pool, idx, p->slot);
	if (e->forms == 3 || env->nonce == e->nonce[e->first])
		return false;
	return bucket_take(&p->fills, shh__fill_rate, 1, s->now_ms);
}

/* First pass over one slice. errors ERR_ENVELOPE */
static enum err slice_look(struct shh *s, struct intake *in, struct rlp_reader *list)
{
	struct shh__slice *slice = &s->slice;
	uint32_t n = 0;

	slice->count = 0;
	while (n < SHH__SLICE && !rlp_reader_at_end(list)) {
		if (shh_envelope_read(&slice->c[n].env, list) != OK)
			return ERR_ENVELOPE;
		n++;
	}
	if (rlp_reader_err(list) != OK)
		return ERR_ENVELOPE;
	for (uint32_t i = 0; i < n; i++) {
		struct shh__candidate *c = &slice->c[slice->count];

		if (i != slice->count)
			c->env = slice->c[i].env;
		s->stats.envelopes_in++;
		in->peer->envelopes_in++;
		if (!is_timely(s, in, &c->env))
			continue;
		fingerprint_of(s->prints, &c->print, c->env.content.data, c->env.content.len);
		shh__pool_prefetch(&s->pool, &c->print);
		slice->count++;
	}
	return OK;
}

static void slice_recognise(struct shh *s, struct intake *in)
{
	struct shh__slice *slice = &s->slice;
	uint32_t n = slice->count;

	slice->count = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct shh__candidate *c = &slice->c[slice->count];

		if (i != slice->count)
			*c = slice->c[i];
		c->known = shh__pool_find(&s->pool, &c->print);
		if (c->known != SHH__NONE && !duplicate_seen(s, in->peer, &c->env, c->known))
			continue;
		if (c->known == SHH__NONE && !shh__bloom_wants(s, c->env.topic, true)) {
			refuse(s, in, &c->env, &s->stats.dropped_bloom,
			       "envelope does not match bloom filter");
			continue;
		}
		slice->count++;
	}
}

/* The digest to try on a candidate: a record's missing form, or the sender's own. */
static enum shh_digest first_digest(const struct shh *s, const struct shh__peer *p,
				    const struct shh__candidate *c)
{
	if (c->known != SHH__NONE)
		return shh__entry(&s->pool, c->known)->first == SHH_DIGEST_DOUBLE
			       ? SHH_DIGEST_SINGLE
			       : SHH_DIGEST_DOUBLE;
	return p->digest_double ? SHH_DIGEST_DOUBLE : SHH_DIGEST_SINGLE;
}

static void slice_hash(struct shh *s, uint32_t count)
{
	struct shh__slice *slice = &s->slice;

	shh_work_bits_many(slice->work, count);
	for (uint32_t i = 0; i < count; i++) {
		struct shh__candidate *c = &slice->c[slice->who[i]];
		enum shh_digest d = slice->work[i].digest;

		c->bits[d] = slice->work[i].bits;
		c->work[d] = shh__work_best(&c->env, d, c->bits[d]);
	}
}

static void slice_ask(struct shh__slice *slice, uint32_t n, uint32_t who, enum shh_digest d)
{
	const struct shh_envelope *env = &slice->c[who].env;

	slice->work[n] = (struct shh_work_item){ .content = env->content, .nonce = env->nonce };
	slice->work[n].digest = d;
	slice->who[n] = (uint16_t)who;
}

static enum shh_digest other_digest(enum shh_digest d)
{
	return d == SHH_DIGEST_DOUBLE ? SHH_DIGEST_SINGLE : SHH_DIGEST_DOUBLE;
}

/* Second pass: grade under the likelier digest; then what failed under the
 * other, and what has so little work that it may be chance: a form that was
 * sealed for the other digest must not be taken for a poor one of this. */
static void slice_grade(struct shh *s, struct shh__peer *p)
{
	struct shh__slice *slice = &s->slice;
	double floor = shh__floor(s);
	uint32_t n = 0;

	for (uint32_t i = 0; i < slice->count; i++) {
		slice->c[i].digest = first_digest(s, p, &slice->c[i]);
		slice_ask(slice, n++, i, slice->c[i].digest);
	}
	slice_hash(s, n);
	n = 0;
	for (uint32_t i = 0; i < slice->count; i++) {
		struct shh__candidate *c = &slice->c[i];

		c->work[other_digest(c->digest)] = -1;
		if (c->known == SHH__NONE &&
		    (c->work[c->digest] < floor || c->bits[c->digest] < STRONG_BITS))
			slice_ask(slice, n++, i, other_digest(c->digest));
	}
	slice_hash(s, n);
	for (uint32_t i = 0; i < n; i++) {
		struct shh__candidate *c = &slice->c[slice->who[i]];
		enum shh_digest other = other_digest(c->digest);

		if (c->work[other] >= floor &&
		    (c->work[c->digest] < floor || c->bits[other] >= STRONG_BITS))
			c->digest = other;
	}
}

/* The least work that the second form of an envelope is worth keeping for. */
static double second_floor(const struct shh *s, enum shh_digest d)
{
	double floor = shh__floor(s), target = shh__bridge_target(s, d);

	return floor > target ? floor : target;
}

/* The form that was missing has come: give it to the record, unless it is gone
 * or somebody filled it within this very slice. */
static void fill(struct shh *s, const struct shh__candidate *c)
{
	uint32_t idx = shh__pool_find(&s->pool, &c->print);
	const struct shh__entry *e = idx == SHH__NONE ? NULL : shh__entry(&s->pool, idx);

	if (e == NULL || e->state != SHH__LIVE || (e->forms >> c->digest & 1) != 0)
		return;
	shh__pool_fill(&s->pool, idx, c->digest, c->env.nonce, c->bits[c->digest]);
	shh__bridge_filled(s, idx, e->seq);
}

/* Remember how old envelopes are that come fresh from the network; what a peer
 * that has just joined hands over from its pool says nothing about that (W9). */
static void age_saw(struct shh *s, const struct intake *in, uint64_t sent)
{
	uint64_t age = in->now_s - sent;

	if (sent > in->now_s || s->now_ms - in->peer->ready_ms < SETTLED_MS)
		return;
	s->ages[s->age_count++ % sizeof(s->ages)] = (uint8_t)(age < AGE_MAX ? age : AGE_MAX);
}

static void insert(struct shh *s, struct intake *in, const struct shh__candidate *c)
{
	struct shh__arrival a = {
		.print = c->print,
		.content = c->env.content,
		.nonce = c->env.nonce,
		.digest = c->digest,
		.bits = c->bits[c->digest],
		.work = c->work[c->digest],
		.expiry = (uint32_t)c->env.expiry,
		.ttl = (uint32_t)c->env.ttl,
		.topic = c->env.topic,
		.source = in->peer->host->key,
		.source_hint = &in->peer->source,
	};
	uint64_t sent = c->env.expiry - c->env.ttl;
	uint32_t idx = shh__pool_find(&s->pool, &c->print);

	if (idx != SHH__NONE) { /* twice in one slice */
		(void)duplicate_seen(s, in->peer, &c->env, idx);
		return;
	}
	if (shh__pool_insert(&s->pool, &idx, &a) != OK) {
		refuse(s, in, &c->env, &s->stats.dropped_full, "pool is full");
		return;
	}
	shh__known_set(&s->pool, idx, in->peer->slot);
	if (c->work[other_digest(c->digest)] >= second_floor(s, other_digest(c->digest)))
		shh__pool_fill(&s->pool, idx, other_digest(c->digest), c->env.nonce,
			       c->bits[other_digest(c->digest)]);
	s->stats.envelopes_new++;
	clock_saw(s, in->peer, &c->env);
	age_saw(s, in, sent);
}

static void slice_take(struct shh *s, struct intake *in)
{
	struct shh__slice *slice = &s->slice;

	for (uint32_t i = 0; i < slice->count; i++) {
		struct shh__candidate *c = &slice->c[i];
		double least = c->known == SHH__NONE ? shh__floor(s) : second_floor(s, c->digest);

		if (c->work[c->digest] < least) {
			refuse(s, in, &c->env, &s->stats.dropped_work,
			       "envelope with low PoW received");
			continue;
		}
		if (c->known != SHH__NONE)
			fill(s, c);
		else
			insert(s, in, c);
		in->peer->digest_double = c->digest == SHH_DIGEST_DOUBLE;
		shh__dialect_saw(s, in->peer, c->digest, c->bits[c->digest]);
	}
}

static enum err packet_take(struct shh *s, struct intake *in, struct rlp_reader *list)
{
	size_t before = s->stats.envelopes_in;

	while (!rlp_reader_at_end(list)) {
		if (slice_look(s, in, list) != OK)
			return ERR_ENVELOPE;
		slice_recognise(s, in);
		slice_grade(s, in->peer);
		slice_take(s, in);
		if (s->stats.envelopes_in - before >= SHH__PACKET_ENVELOPES)
			return rlp_reader_at_end(list) ? OK : ERR_SIZE;
	}
	return rlp_reader_err(list) == OK ? OK : ERR_ENVELOPE;
}

enum err shh__intake(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct intake in = { .peer = p, .now_s = shh__now_s(s) };
	uint64_t before = p->envelopes_in;
	enum err err;

	in.confirms = s->cfg.confirmations && p->status.confirmations;
	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	if (rlp_reader_err(&r) != OK || rlp_reader_err(&list) != OK)
		return ERR_ENVELOPE;
	err = packet_take(s, &in, &list);
	if (err != OK)
		return err;
	shh__peer_charge(s, p, p->envelopes_in - before);
	if (in.confirms)
		shh__ack(s, p, payload, in.refused, in.refused_count);
	return OK;
}
