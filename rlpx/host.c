/* SPDX-License-Identifier: MIT */
/* rlpx/host.c - one identity and what its connections share.
 *
 * Clockwork: no states.  The scratch is mapped when a compressed message is
 * first looked at, grows to the largest so far and is given back when nobody
 * used it for SCRATCH_IDLE_MS, or when the last connection goes.  The list of
 * auth packets seen forgets after 10 minutes, or the oldest when it is full.
 */
#include "rlpx/host.h"

#include <assert.h>

#include "rlpx/mux.h"

#define REPLAYS_MIN 64

_Static_assert((RLPX_REPLAYS_MAX & (RLPX_REPLAYS_MAX - 1)) == 0, "a power of two");

/* Copy, check and sort the capabilities. */
static enum err caps_take(struct rlpx_host *h, const struct rlpx_config *cfg)
{
	uint32_t codes = 0;

	if (cfg->cap_count < 1 || cfg->cap_count > RLPX_CAPS_MAX)
		return ERR_ARG;
	for (size_t i = 0; i < cfg->cap_count; i++) {
		const struct rlpx_capability *cap = &cfg->caps[i];
		size_t at = i, len = strnlen(cap->name, sizeof(cap->name));

		if (len < 1 || len > RLPX_NAME_MAX || cap->length < 1 ||
		    cap->length > MUX_CODES_MAX - codes)
			return ERR_ARG;
		codes += cap->length;
		for (; at > 0 && rlpx__capability_compare(cap, &h->caps[at - 1]) < 0; at--)
			h->caps[at] = h->caps[at - 1];
		if (at > 0 && rlpx__capability_compare(cap, &h->caps[at - 1]) == 0)
			return ERR_EXISTS;
		h->caps[at] = *cap;
	}
	h->cap_count = (uint8_t)cfg->cap_count;
	return OK;
}

static enum err host_fill(struct rlpx_host *h, const struct rlpx_config *cfg)
{
	uint8_t draw[16];
	enum err e;

	h->key = *cfg->key;
	h->crypto = cfg->crypto;
	h->mem = cfg->mem;
	h->rng = cfg->rng;
	h->log = cfg->log;
	h->version = cfg->version;
	h->accept_plain = cfg->accept_plain;
	if (cfg->version < HELLO_VERSION_MIN || cfg->version > HELLO_SNAPPY)
		return ERR_ARG;
	e = caps_take(h, cfg);
	if (e == OK)
		e = pubkey_of(h->crypto, &h->id, &h->key);
	if (e == OK)
		e = rlpx__hello_write(h->hello, &h->hello_len, cfg, h->caps, &h->id);
	if (e == OK)
		e = rng_fill(&h->rng, draw, sizeof(draw));
	if (e == OK)
		h->replay_key = (struct siphash_key){ le64_load(draw), le64_load(draw + 8) };
	return e;
}

enum err rlpx_host_new(struct rlpx_host **out, const struct rlpx_config *cfg, uint64_t now_ms)
{
	struct rlpx_host *h = mem_alloc(cfg->mem, MEM_FIXED, sizeof(*h));
	enum err e;

	if (h == NULL)
		return ERR_MEM;
	e = host_fill(h, cfg);
	h->scratch_used_ms = now_ms;
	if (e == OK)
		*out = h;
	else
		rlpx_host_free(h);
	return e;
}

static void scratch_free(struct rlpx_host *h)
{
	mem_free(h->mem, MEM_RECEIVE, h->scratch, h->scratch_len);
	h->scratch = NULL;
	h->scratch_len = 0;
}

void rlpx_host_free(struct rlpx_host *h)
{
	struct mem *mem;

	if (h == NULL)
		return;
	assert(h->connections == 0);
	scratch_free(h);
	mem = h->mem;
	mem_free(mem, MEM_FIXED, h->replays, h->replay_room * sizeof(*h->replays));
	crypto_wipe(h, sizeof(*h));
	mem_free(mem, MEM_FIXED, h, sizeof(*h));
}

const struct pubkey *rlpx_host_id(const struct rlpx_host *h)
{
	return &h->id;
}

const struct rlpx_capability *rlpx_host_caps(const struct rlpx_host *h, size_t *count)
{
	*count = h->cap_count;
	return h->caps;
}

struct rlpx__identity rlpx__host_identity(const struct rlpx_host *h)
{
	return (struct rlpx__identity){
		.crypto = h->crypto,
		.rng = &h->rng,
		.key = &h->key,
		.id = &h->id,
		.accept_plain = h->accept_plain,
	};
}

/* --- replays ----------------------------------------------------------------- */

/* A keyed digest of the parts that no replay can change: the point and the tag. */
static uint64_t replay_digest(const struct rlpx_host *h, struct span sealed)
{
	uint8_t parts[65 + 32];

	memcpy(parts, sealed.data, 65);
	memcpy(parts + 65, sealed.data + sealed.len - 32, 32);
	return siphash(&h->replay_key, parts, sizeof(parts));
}

static bool replay_old(const struct rlpx__replay *r, uint64_t now_ms)
{
	return now_ms >= time_add(r->at_ms, REPLAYS_KEEP_MS);
}

bool rlpx__host_replayed(const struct rlpx_host *h, struct span sealed, uint64_t now_ms)
{
	uint64_t digest = replay_digest(h, sealed);

	/* At most 64 KiB read in a row: a fraction of the ECDH it saves. */
	for (size_t i = 0; i < h->replay_count; i++) {
		const struct rlpx__replay *r =
			&h->replays[(h->replay_head + i) & (h->replay_room - 1)];

		if (r->digest == digest && !replay_old(r, now_ms))
			return true;
	}
	return false;
}

/* Make room by doubling while memory allows; otherwise the oldest will go. */
static void replays_grow(struct rlpx_host *h)
{
	size_t room = h->replay_room == 0 ? REPLAYS_MIN : 2 * h->replay_room;
	struct rlpx__replay *grown;

	if (room > RLPX_REPLAYS_MAX)
		return;
	grown = mem_alloc(h->mem, MEM_FIXED, room * sizeof(*grown));
	if (grown == NULL)
		return;
	for (size_t i = 0; i < h->replay_count; i++)
		grown[i] = h->replays[(h->replay_head + i) & (h->replay_room - 1)];
	mem_free(h->mem, MEM_FIXED, h->replays, h->replay_room * sizeof(*grown));
	h->replays = grown;
	h->replay_room = room;
	h->replay_head = 0;
}

static void replay_forget_oldest(struct rlpx_host *h)
{
	h->replay_head = (h->replay_head + 1) & (h->replay_room - 1);
	h->replay_count--;
}

void rlpx__host_remember(struct rlpx_host *h, struct span sealed, uint64_t now_ms)
{
	while (h->replay_count > 0 && replay_old(&h->replays[h->replay_head], now_ms))
		replay_forget_oldest(h);
	if (h->replay_count == h->replay_room)
		replays_grow(h);
	if (h->replay_room == 0)
		return;
	if (h->replay_count == h->replay_room)
		replay_forget_oldest(h);
	h->replays[(h->replay_head + h->replay_count) & (h->replay_room - 1)] =
		(struct rlpx__replay){ replay_digest(h, sealed), now_ms };
	h->replay_count++;
}

/* --- scratch ----------------------------------------------------------------- */

bool rlpx__host_may_gather(const struct rlpx_host *h, size_t more)
{
	size_t cap = h->mem->cap[MEM_RECEIVE];
	size_t gathered = h->mem->used[MEM_RECEIVE] - h->scratch_len;

	return gathered <= cap - cap / 4 && more <= cap - cap / 4 - gathered;
}

uint8_t *rlpx__host_scratch(struct rlpx_host *h, size_t len)
{
	size_t room = SCRATCH_MIN;

	if (h->scratch != NULL && len <= h->scratch_len)
		return h->scratch;
	while (room < len)
		room *= 2;
	scratch_free(h);
	h->scratch = mem_resize(h->mem, MEM_RECEIVE, NULL, 0, room);
	if (h->scratch != NULL)
		h->scratch_len = room;
	return h->scratch;
}

void rlpx__host_tick(struct rlpx_host *h, uint64_t now_ms)
{
	if (h->connections == 0 || now_ms >= time_add(h->scratch_used_ms, SCRATCH_IDLE_MS))
		scratch_free(h);
}
