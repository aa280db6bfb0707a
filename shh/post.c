/* SPDX-License-Identifier: MIT */
/* shh/post.c - messages of our own: encrypted, sealed, and then like any other.
 *
 * A post is written and encrypted at once, sealed by a job, and enters the pool
 * by the door that all envelopes use; relay does not know whose it is.  Its
 * creation second is drawn from the ages that relayed envelopes arrive with, so
 * that a neighbour cannot tell the origin from a fresh date (hardening W9).
 */
#include "shh/internal.h"

#include <assert.h>
#include <math.h>

#define TTL_DEFAULT_S	50
#define TIME_DEFAULT_MS 5000
#define MARGIN_S	2  /* of life: peers may look later (docs/PEERS.md "Work") */
#define AGES_MIN	16 /* fewer tell nothing */
#define AGE_PART	4  /* of its life at most are given away */

static enum err post_check(const struct shh *s, const struct shh_post *post)
{
	if ((post->sym == NULL) == (post->to == NULL) || post->ttl_s > SHH_TTL_MAX ||
	    !isfinite(post->pow) || post->pow < 0 || post->direct >= SHH_PEERS_MAX)
		return ERR_ARG;
	if (post->payload.len > SHH_PAYLOAD_MAX || post->padding.len > SHH_PAYLOAD_MAX)
		return ERR_SIZE;
	if (post->direct >= 0) {
		const struct shh__peer *p = shh__peer(s, (uint32_t)post->direct);

		if (p == NULL || p->phase != SHH__READY ||
		    !shh__peer_takes_code(p, SHH_P2P_MESSAGE))
			return ERR_NOT_FOUND;
		return OK;
	}
	if (post->pow < s->cfg.min_pow)
		return ERR_WORK;
	return shh__bloom_wants(s, post->topic, false) ? OK : ERR_BLOOM;
}

/* --- the envelope ---------------------------------------------------------------------- */

/* Encrypted data of a post in a buffer of its own, from MEM_JOBS. */
struct sealed {
	uint8_t *v;
	size_t room, len;
};

static enum err data_encrypt(struct shh *s, const struct shh_post *post, struct span plain,
			     struct sealed *out)
{
	struct aes_gcm *gcm;
	enum err err;

	out->len = plain.len + (post->sym != NULL ? SHH_SYM_OVERHEAD : ECIES_OVERHEAD);
	out->room = out->len;
	out->v = mem_alloc(s->cfg.mem, MEM_JOBS, out->room);
	if (out->v == NULL)
		return ERR_MEM;
	if (post->to != NULL)
		return shh_encrypt_asym(out->v, plain, post->to, s->cfg.crypto, &s->cfg.rng);
	err = aes_gcm_new(&gcm, post->sym->b);
	if (err != OK)
		return err;
	err = shh_encrypt_sym(out->v, plain, gcm, &s->cfg.rng);
	aes_gcm_free(gcm);
	return err;
}

static enum err data_make(struct shh *s, const struct shh_post *post, struct sealed *out)
{
	struct shh_plain m = { .form = post->form,
			       .payload = post->payload,
			       .padding = post->padding,
			       .is_signed = post->sign != NULL };
	size_t room = shh_plain_room(&m), len;
	uint8_t *plain;
	enum err err;

	*out = (struct sealed){ 0 };
	if (room > s->cfg.message_max)
		return ERR_SIZE;
	plain = mem_alloc(s->cfg.mem, MEM_JOBS, room);
	if (plain == NULL)
		return ERR_MEM;
	err = shh_plain_write(plain, &len, room, &m, post->sign, s->cfg.crypto, &s->cfg.rng);
	if (err == OK)
		err = data_encrypt(s, post, span_of(plain, len), out);
	crypto_wipe(plain, room);
	mem_free(s->cfg.mem, MEM_JOBS, plain, room);
	if (err != OK)
		mem_free(s->cfg.mem, MEM_JOBS, out->v, out->room);
	return err;
}

/* How old the post shall look: an age that another envelope came with. */
static uint64_t age_draw(struct shh *s, uint32_t ttl)
{
	uint64_t kept = u64_min(s->age_count, sizeof(s->ages)), age;

	if (kept < AGES_MIN)
		return 0;
	age = s->ages[shh__random_below(s, kept)];
	return u64_min(age, ttl / AGE_PART);
}

static enum err content_make(struct shh *s, struct shh__job *j, struct span data)
{
	uint64_t expiry = shh__now_s(s) - age_draw(s, j->ttl) + j->ttl;

	if (expiry > UINT32_MAX)
		return ERR_EXPIRED;
	j->expiry = (uint32_t)expiry;
	j->room = shh_content_size(expiry, j->ttl, data.len, data.data);
	if (j->room > s->cfg.message_max - 16) /* header, nonce, and the packet's header */
		return ERR_SIZE;
	j->content = mem_alloc(s->cfg.mem, MEM_JOBS, j->room);
	if (j->content == NULL)
		return ERR_MEM;
	j->len = shh_content_write(j->content, j->room, expiry, j->ttl, j->topic, data);
	j->data_len = data.len;
	assert(j->len == j->room);
	return OK;
}

static void envelope_of(const struct shh__job *j, uint64_t nonce, struct shh_envelope *env)
{
	*env = (struct shh_envelope){ .expiry = j->expiry, .ttl = j->ttl, .topic = j->topic };
	env->nonce = nonce;
	env->content = span_of(j->content, j->len);
	env->data = span_of(j->content + (j->len - j->data_len), j->data_len);
}

/* --- sealing --------------------------------------------------------------------------------- */

/* The digest that most of our peers want; 1.9's among equals. */
static enum shh_digest digest_choose(const struct shh *s, const struct shh_post *post)
{
	int doubles = 0;

	if (post->direct >= 0)
		return shh__dialect_digest(shh__peer(s, (uint32_t)post->direct)->dialect);
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		const struct shh__peer *p = s->peers[i];

		if (p == NULL || p->phase != SHH__READY || p->dialect == SHH_DIALECT_SOTTO ||
		    p->dialect == SHH_DIALECT_UNKNOWN)
			continue;
		doubles += shh__dialect_digest(p->dialect) == SHH_DIGEST_DOUBLE ? 1 : -1;
	}
	return doubles > 0 ? SHH_DIGEST_DOUBLE : SHH_DIGEST_SINGLE;
}

/* Bits that satisfy every rule of the digest, for peers who look a little later too. */
static unsigned bits_for(const struct shh__job *j, double target)
{
	struct shh_envelope env;
	unsigned most = 0;

	envelope_of(j, UINT64_MAX, &env);
	env.ttl += MARGIN_S;
	for (enum shh_rule r = 0; r < SHH_RULES; r++) {
		unsigned bits = shh_rule_digest(r) == j->seal.digest
					? shh_work_bits_needed(r, target, &env)
					: 0;

		most = bits > most ? bits : most;
	}
	return most;
}

static void post_end(struct shh *s, struct shh__job *j, enum err err)
{
	j->state = SHH__JOB_ENDED;
	j->err = err;
	mem_free(s->cfg.mem, MEM_JOBS, j->content, j->room);
	j->content = NULL;
	j->room = 0;
	if (err == OK)
		s->stats.posted++;
	shh__job_tell(s, j);
}

static void post_direct(struct shh *s, struct shh__job *j, const struct shh_envelope *env)
{
	struct blob *blob;

	if (j->to == NULL || j->to->phase != SHH__READY) {
		post_end(s, j, ERR_NOT_FOUND);
		return;
	}
	if (blob_new(&blob, s->cfg.mem, MEM_SEND, shh_envelope_size(j->len, env->nonce)) != OK) {
		post_end(s, j, ERR_MEM);
		return;
	}
	blob->len = shh_envelope_write(blob->data, env->content, env->nonce);
	if (j->to->parcel_count >= SHH__PARCELS_MAX) {
		blob_unref(blob);
		post_end(s, j, ERR_FULL);
		return;
	}
	shh__peer_parcel(s, j->to, SHH_P2P_MESSAGE, blob);
	post_end(s, j, OK);
}

static enum err post_pool(struct shh *s, const struct shh__job *j, const struct shh_envelope *env,
			  unsigned bits)
{
	struct shh__arrival a = {
		.content = env->content,
		.nonce = env->nonce,
		.digest = j->seal.digest,
		.bits = bits,
		.work = shh__work_best(env, j->seal.digest, bits),
		.expiry = j->expiry,
		.ttl = j->ttl,
		.topic = j->topic,
		.own = true,
	};
	uint32_t idx;

	if (j->expiry <= shh__now_s(s))
		return ERR_EXPIRED;
	fingerprint_of(s->prints, &a.print, env->content.data, env->content.len);
	if (shh__pool_find(&s->pool, &a.print) != SHH__NONE)
		return ERR_EXISTS;
	return shh__pool_insert(&s->pool, &idx, &a);
}

void shh__post_done(struct shh *s, struct shh__job *j, const struct shh_seal_progress *r)
{
	struct shh_envelope env;
	unsigned bits;

	if (r->bits < j->seal.bits) {
		post_end(s, j, ERR_TARGET);
		return;
	}
	envelope_of(j, r->nonce, &env);
	bits = shh_work_bits(env.content, env.nonce, j->seal.digest);
	if (bits < j->seal.bits) {
		post_end(s, j, ERR_TARGET);
		return;
	}
	j->pow = shh_work_value(j->seal.digest == SHH_DIGEST_DOUBLE ? SHH_RULE_GETH18
								    : SHH_RULE_GETH19,
				bits, &env);
	shh_envelope_hash(j->hash, env.content, env.nonce);
	if (j->direct >= 0)
		post_direct(s, j, &env);
	else
		post_end(s, j, post_pool(s, j, &env, bits));
}

/* --- the door ------------------------------------------------------------------------------------ */

static enum err job_fill(struct shh *s, struct shh__job *j, const struct shh_post *post)
{
	struct sealed data;
	enum err err = data_make(s, post, &data);

	if (err != OK)
		return err;
	j->ttl = post->ttl_s > 0 ? post->ttl_s : TTL_DEFAULT_S;
	j->topic = post->topic;
	j->direct = post->direct >= 0 ? post->direct : -1;
	j->to = post->direct >= 0 ? shh__peer(s, (uint32_t)post->direct) : NULL;
	err = content_make(s, j, span_of(data.v, data.len));
	mem_free(s->cfg.mem, MEM_JOBS, data.v, data.room);
	if (err != OK)
		return err;
	j->seal.digest = digest_choose(s, post);
	j->seal.bits = post->pow > 0 ? bits_for(j, post->pow) : 0;
	if (j->seal.bits > 256)
		return ERR_TARGET;
	j->seal.time_ms = post->pow_time_ms > 0 ? post->pow_time_ms : TIME_DEFAULT_MS;
	j->seal.hashes_max = UINT64_MAX;
	return OK;
}

enum err shh_post(struct shh *s, uint32_t *id, const struct shh_post *post, uint64_t now_ms)
{
	struct shh__job *j;
	enum err err;

	shh__enter(s, now_ms);
	err = post_check(s, post);
	if (err == OK)
		err = shh__job_new(s, &j, SHH__JOB_POST);
	if (err != OK)
		return err;
	err = job_fill(s, j, post);
	if (err != OK) {
		shh__job_free(s, j);
		return err;
	}
	*id = j->id;
	if (j->seal.bits == 0) { /* any nonce will do */
		j->state = SHH__JOB_RUNNING;
		shh__post_done(s, j, &(struct shh_seal_progress){ .done = true });
		return OK;
	}
	shh_seal_search_init(&j->seal.search, span_of(j->content, j->len), j->seal.digest);
	shh__job_tell(s, j);
	return OK;
}
