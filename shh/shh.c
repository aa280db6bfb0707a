/* SPDX-License-Identifier: MIT */
/* shh/shh.c - the Whisper machine: made, set, polled, ticked.
 *
 * Its clockwork, that is everything that happens without being called for:
 *
 *   each peer    Status timeout, dialect wait, gathering, pace, privacy delay,
 *                updates that wait for their turn (peer.c, relay.c)
 *   pool         the next envelope that expires (pool_wheel.c)
 *   later        envelopes from the future
 *   bridges      what is to be sealed again (bridge.c)
 *   filters      when there is budget again for trying keys (open.c)
 *   bloom        a narrower one is announced after a while
 *
 * Toleration of old settings needs no timer: it is compared when it matters.
 */
#include "shh/internal.h"

#include <assert.h>
#include <math.h>

#define NARROW_MS 10000 /* a narrower bloom waits so long for the next filter */

void shh_config_init(struct shh_config *cfg)
{
	*cfg = (struct shh_config){
		.min_pow = 0.2,
		.message_max = SHH_MESSAGE_MAX,
		.bridge = true,
		.pace = 2u << 20,
		.pool_bytes = SHH_POOL_BYTES,
		.pool_count = SHH_POOL_COUNT,
		.confirmations = true,
	};
}

/* --- made and freed ------------------------------------------------------------------------ */

static enum err refuse(const char **what, const char *name)
{
	if (what != NULL)
		*what = name;
	return ERR_ARG;
}

static bool message_max_valid(uint32_t bytes)
{
	return bytes >= 1024 && bytes <= SHH_MESSAGE_LIMIT;
}

static enum err config_check(const struct shh_config *cfg, const char **what)
{
	if (!isfinite(cfg->min_pow) || cfg->min_pow < 0)
		return refuse(what, "min_pow");
	if (!message_max_valid(cfg->message_max))
		return refuse(what, "message_max");
	if (cfg->pool_count == 0 || cfg->pool_count > SHH__POOL_COUNT_MAX)
		return refuse(what, "pool_count");
	if (cfg->pool_bytes < 4096)
		return refuse(what, "pool_bytes");
	if (cfg->delay_ms > 600000)
		return refuse(what, "delay_ms");
	return OK;
}

static enum err parts_make(struct shh *s)
{
	uint8_t key[16];
	enum err err = rng_fill(&s->cfg.rng, key, sizeof(key));

	if (err == OK)
		err = fingerprinter_new(&s->prints, &s->cfg.rng);
	if (err == OK)
		err = shh__filters_new(s);
	s->rand_key.k0 = le64_load(key);
	s->rand_key.k1 = le64_load(key + 8);
	crypto_wipe(key, sizeof(key));
	return err;
}

enum err shh_new(struct shh **out, const struct shh_config *cfg, const char **what, uint64_t now_ms)
{
	enum err err = config_check(cfg, what);
	struct shh *s;

	if (err != OK)
		return err;
	s = mem_alloc(cfg->mem, MEM_FIXED, sizeof(*s));
	if (s == NULL)
		return ERR_MEM;
	s->cfg = *cfg;
	s->now_ms = now_ms;
	s->steps = SHH__STEPS_PER_MS;
	s->tolerated_pow = cfg->min_pow;
	s->announce_ms = UINT64_MAX;
	shh__list_init(&s->active);
	shh__list_init(&s->idle);
	shh__list_init(&s->job_news);
	shh__pool_init(&s->pool, cfg->mem, cfg->pool_bytes, cfg->pool_count, shh__now_s(s));
	err = parts_make(s);
	if (err == OK)
		shh__bridge_init(s);
	if (err != OK) {
		shh_free(s);
		return err;
	}
	*out = s;
	return OK;
}

void shh_free(struct shh *s)
{
	struct mem *mem;

	if (s == NULL)
		return;
	mem = s->cfg.mem;
	s->cfg.bridge = false; /* nobody looks for families any more */
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++)
		if (s->peers[i] != NULL)
			shh__peer_free(s, s->peers[i]);
	for (uint32_t i = 0; i < SHH_JOBS_MAX; i++)
		if (s->jobs[i] != NULL)
			shh__job_free(s, s->jobs[i]);
	shh__shared_clear(s);
	shh__filters_free(s);
	shh__later_free(&s->later, mem, MEM_POOL);
	shh__later_free(&s->bridges, mem, MEM_POOL);
	shh__pool_fini(&s->pool);
	fingerprinter_free(s->prints);
	crypto_wipe(s, sizeof(*s));
	mem_free(mem, MEM_FIXED, s, sizeof(*s));
}

/* --- time and chance --------------------------------------------------------------------------- */

uint64_t shh__now_s(const struct shh *s)
{
	int64_t wall = (int64_t)s->now_ms + s->cfg.wall_offset_ms;

	return wall > 0 ? (uint64_t)wall / 1000 : 0;
}

void shh_set_wall_offset(struct shh *s, int64_t wall_offset_ms)
{
	s->cfg.wall_offset_ms = wall_offset_ms;
	shh__pool_expire(&s->pool, shh__now_s(s));
}

/* A stream that nobody can predict without the key drawn at the start, and that
 * cannot fail; secrets are never made of it. */
uint64_t shh__random(struct shh *s)
{
	uint8_t count[8];

	le64_store(count, s->rand_count++);
	return siphash(&s->rand_key, count, sizeof(count));
}

uint64_t shh__random_below(struct shh *s, uint64_t bound)
{
	return (uint64_t)((unsigned __int128)shh__random(s) * bound >> 64);
}

void shh__enter(struct shh *s, uint64_t now_ms)
{
	if (now_ms <= s->now_ms)
		return;
	s->now_ms = now_ms;
	s->steps = SHH__STEPS_PER_MS;
	shh__pool_expire(&s->pool, shh__now_s(s));
}

/* Envelopes from the future whose second has come are offered to everybody again. */
static void later_run(struct shh *s)
{
	struct shh__due due;

	while (shh__later_take(&s->later, s->now_ms, &due)) {
		struct shh__entry *e = shh__pool_live(&s->pool, due.idx, due.seq);

		if (e == NULL)
			continue;
		e->awaited = 0;
		(void)shh__pool_again(&s->pool, due.idx);
	}
}

void shh_tick(struct shh *s, uint64_t now_ms)
{
	shh__enter(s, now_ms);
	while (s->timer_count > 0 && s->timers[0]->due_ms <= s->now_ms)
		shh__peer_due(s, s->timers[0]);
	later_run(s);
	shh__bridge_due(s);
	if (s->announce_ms <= s->now_ms) {
		s->announce_ms = UINT64_MAX;
		shh__announce(s, SHH__SAY_BLOOM);
	}
}

/* Milliseconds at which the wall clock begins a second. */
static uint64_t second_ms(const struct shh *s, uint64_t second)
{
	int64_t ms;

	if (second > INT64_MAX / 1000)
		return UINT64_MAX;
	ms = (int64_t)second * 1000 - s->cfg.wall_offset_ms;
	return ms > 0 ? (uint64_t)ms : 0;
}

uint64_t shh_deadline(const struct shh *s)
{
	uint64_t due = second_ms(s, shh__pool_due(&s->pool));

	if (s->timer_count > 0)
		due = u64_min(due, s->timers[0]->due_ms);
	due = u64_min(due, shh__later_due(&s->later));
	due = u64_min(due, shh__bridge_deadline(s));
	due = u64_min(due, shh__filters_deadline(s));
	due = u64_min(due, s->announce_ms);
	if (!shh__list_is_empty(&s->active)) /* out of steps for this millisecond */
		due = 0;
	return u64_max(due, s->now_ms + 1);
}

/* --- events ----------------------------------------------------------------------------------------- */

static bool peers_poll(struct shh *s, struct shh_event *ev)
{
	while (!shh__list_is_empty(&s->active)) {
		struct shh__peer *p = shh__peer_of(s->active.next);

		if (p->marks != 0 || p->parcels != NULL || p->confirmed_count > 0 ||
		    p->phase == SHH__ENDED) {
			if (shh__peer_poll(s, p, ev))
				return true;
			continue;
		}
		if (s->steps == 0)
			return false;
		if (shh__relay(s, p, ev))
			return true;
	}
	return false;
}

bool shh_poll(struct shh *s, struct shh_event *ev)
{
	for (;;) {
		if (peers_poll(s, ev))
			return true;
		if (s->log_seen == s->pool.log_puts)
			break;
		s->log_seen = s->pool.log_puts; /* something arrived: wake the idle */
		shh__list_splice(&s->active, &s->idle);
	}
	shh__bridge_run(s);
	if (shh__jobs_poll(s, ev) || shh__filters_poll(s, ev))
		return true;
	shh__shared_clear(s);
	return false;
}

/* --- settings ------------------------------------------------------------------------------------------- */

double shh_min_pow(const struct shh *s)
{
	return s->cfg.min_pow;
}

double shh__floor(const struct shh *s)
{
	if (s->now_ms < s->pow_until_ms && s->tolerated_pow < s->cfg.min_pow)
		return s->tolerated_pow;
	return s->cfg.min_pow;
}

bool shh__bloom_wants(const struct shh *s, struct shh_topic topic, bool tolerant)
{
	struct shh_bloom sample;

	if (!s->has_bloom)
		return true;
	/* geth's sample has the fewest bits: with another, geth peers look like
	 * spammers for one topic in 25 (docs/PEERS.md "Blooms") */
	shh_bloom_of(&sample, topic, SHH_BLOOM_GETH);
	if (shh_bloom_match(&s->bloom, &sample))
		return true;
	return tolerant && s->now_ms < s->bloom_until_ms &&
	       (s->tolerate_all || shh_bloom_match(&s->tolerated_bloom, &sample));
}

void shh__announce(struct shh *s, unsigned mark)
{
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		struct shh__peer *p = s->peers[i];

		if (p == NULL || p->phase == SHH__ENDED || (p->marks & SHH__SAY_STATUS) != 0)
			continue;
		p->marks |= mark;
		shh__peer_wake(s, p);
	}
}

enum err shh_set_min_pow(struct shh *s, double min_pow, uint64_t now_ms)
{
	shh__enter(s, now_ms);
	if (!isfinite(min_pow) || min_pow < 0)
		return ERR_ARG;
	min_pow = min_pow == 0 ? 0 : min_pow; /* no -0.0 */
	if (min_pow == s->cfg.min_pow)
		return OK;
	s->tolerated_pow = shh__floor(s);
	s->pow_until_ms = s->now_ms + SHH__TOLERATE_MS;
	s->cfg.min_pow = min_pow;
	shh__announce(s, SHH__SAY_POW);
	return OK;
}

/* Change our bloom; what it no longer wants is tolerated for a while. */
void shh__bloom_set(struct shh *s, const struct shh_bloom *bloom, uint64_t now_ms)
{
	bool has = bloom != NULL && !shh_bloom_is_full(bloom);
	bool wider = !has || (s->has_bloom && shh_bloom_match(bloom, &s->bloom));

	shh__enter(s, now_ms);
	if (has == s->has_bloom && (!has || memcmp(bloom, &s->bloom, sizeof(*bloom)) == 0))
		return;
	s->tolerate_all = !s->has_bloom || (s->now_ms < s->bloom_until_ms && s->tolerate_all);
	if (s->has_bloom) {
		if (s->now_ms >= s->bloom_until_ms)
			s->tolerated_bloom = s->bloom;
		else
			shh_bloom_add(&s->tolerated_bloom, &s->bloom);
	}
	s->bloom_until_ms = s->now_ms + SHH__TOLERATE_MS;
	s->has_bloom = has;
	if (has)
		s->bloom = *bloom;
	if (wider || !s->bloom_auto) {
		s->announce_ms = UINT64_MAX;
		shh__announce(s, SHH__SAY_BLOOM);
	} else if (s->announce_ms == UINT64_MAX) {
		s->announce_ms = s->now_ms + NARROW_MS;
	}
}

void shh_set_bloom(struct shh *s, const struct shh_bloom *bloom, uint64_t now_ms)
{
	s->bloom_auto = false;
	shh__bloom_set(s, bloom, now_ms);
}

void shh_set_bloom_auto(struct shh *s, bool on, uint64_t now_ms)
{
	if (on == s->bloom_auto)
		return;
	s->bloom_auto = on;
	if (on)
		shh__filters_bloom(s, now_ms);
	else
		shh__bloom_set(s, NULL, now_ms);
}

enum err shh_set_message_max(struct shh *s, uint32_t bytes)
{
	if (!message_max_valid(bytes))
		return ERR_ARG;
	s->cfg.message_max = bytes;
	return OK;
}

void shh_set_light(struct shh *s, bool light, uint64_t now_ms)
{
	shh__enter(s, now_ms);
	s->cfg.light = light;
	if (light)
		return;
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++)
		if (s->peers[i] != NULL)
			shh__peer_rewind(s, s->peers[i]);
}

void shh_set_pressure(struct shh *s, bool pressure)
{
	s->pressure = pressure;
}

/* --- looking in --------------------------------------------------------------------------------------------- */

void shh_stats(const struct shh *s, struct shh_stats *out)
{
	*out = s->stats;
	out->evicted = s->pool.evicted;
	out->expired = s->pool.expired;
	out->pool_count = s->pool.live;
	out->pool_bytes = s->pool.bytes;
	out->peers = s->peer_count;
	out->filters = shh__filters_count(s);
	out->jobs = s->job_count;
}
