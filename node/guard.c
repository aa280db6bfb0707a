/* SPDX-License-Identifier: MIT */
/* node/guard.c - buckets before a peer is known, scores after.
 *
 * A score is a sum of faults that decays by one in NODE__SCORE_DECAY_MS.  At
 * NODE__SCORE_LIMIT the peer is penalised: its score starts again at zero, and
 * it is not welcome for a time that grows with each penalty.  Several penalised
 * ids of one host within an hour penalise the host likewise, so that a fresh
 * key is no way out.
 */
#include "node/guard.h"

static const uint64_t penalty_ms[] = { 30000, 180000, 900000, 3600000, 86400000 };
#define LEVELS (sizeof(penalty_ms) / sizeof(penalty_ms[0]))

enum err node__guard_init(struct node__guard *g, struct mem *mem, const struct rng *rng,
			  uint64_t now_ms)
{
	struct siphash_key secret[2];
	enum err err;

	err = rng_fill(rng, (uint8_t *)secret, sizeof(secret));
	if (err)
		return err;
	*g = (struct node__guard){ .mem = mem, .secret = secret[0] };
	bucket_init(&g->accept, NODE__ACCEPT_RATE, now_ms);
	bucket_init(&g->crypto, NODE__CRYPTO_RATE, now_ms);
	bucket_init(&g->crypto_known, NODE__CRYPTO_KNOWN, now_ms);
	node__memory_init(&g->memory, mem, secret[1]);
	return OK;
}

void node__guard_reset(struct node__guard *g)
{
	mem_free(g->mem, MEM_PEERS, g->cells, NODE__CELLS * sizeof(*g->cells));
	g->cells = NULL;
	node__memory_reset(&g->memory);
}

/* --- buckets ------------------------------------------------------------------ */

/* The cell of an address; one that was never used starts full. */
static struct bucket *cell(struct node__guard *g, struct ip ip, struct bucket_rate rate,
			   uint64_t now_ms)
{
	struct bucket *b = &g->cells[siphash(&g->secret, ip.b, sizeof(ip.b)) % NODE__CELLS];

	if (b->last_ms == 0 && b->credit == 0)
		bucket_init(b, rate, now_ms);
	return b;
}

enum err node__guard_accept(struct node__guard *g, const struct ip *ip, bool lan, uint64_t now_ms)
{
	struct bucket *host, *subnet;

	if (lan)
		return OK;
	if (!g->cells)
		g->cells = mem_alloc(g->mem, MEM_PEERS, NODE__CELLS * sizeof(*g->cells));
	if (!g->cells)
		return ERR_MEM;
	host = cell(g, ip_host(ip), NODE__HOST_RATE, now_ms);
	subnet = cell(g, ip_subnet(ip), NODE__SUBNET_RATE, now_ms);
	/* Look first, so that what one bucket refuses costs the others nothing. */
	if (bucket_ready_at(host, NODE__HOST_RATE, NODE__HOST_TAKE, now_ms) > now_ms ||
	    bucket_ready_at(subnet, NODE__SUBNET_RATE, NODE__SUBNET_TAKE, now_ms) > now_ms ||
	    !bucket_take(&g->accept, NODE__ACCEPT_RATE, 1, now_ms))
		return ERR_FLOOD;
	bucket_charge(host, NODE__HOST_RATE, NODE__HOST_TAKE, now_ms);
	bucket_charge(subnet, NODE__SUBNET_RATE, NODE__SUBNET_TAKE, now_ms);
	return OK;
}

void node__guard_wasted(struct node__guard *g, const struct ip *ip, bool lan, uint64_t now_ms)
{
	if (lan || !g->cells)
		return;
	bucket_charge(cell(g, ip_host(ip), NODE__HOST_RATE, now_ms), NODE__HOST_RATE,
		      NODE__HOST_TAKE, now_ms);
}

bool node__guard_crypto(struct node__guard *g, const struct ip *ip, bool lan, uint64_t now_ms,
			uint64_t *ready_ms)
{
	const struct node__past *host = lan ? NULL : node__memory_find_host(&g->memory, ip);
	bool known = lan || (host && host->good);

	if (known && bucket_take(&g->crypto_known, NODE__CRYPTO_KNOWN, 1, now_ms))
		return true;
	if (bucket_take(&g->crypto, NODE__CRYPTO_RATE, 1, now_ms))
		return true;
	*ready_ms = bucket_ready_at(&g->crypto, NODE__CRYPTO_RATE, 1, now_ms);
	if (known)
		*ready_ms = u64_min(*ready_ms, bucket_ready_at(&g->crypto_known, NODE__CRYPTO_KNOWN,
							       1, now_ms));
	return false;
}

/* --- score ---------------------------------------------------------------------- */

void node__guard_good(struct node__guard *g, const struct pubkey *id, const struct ip *ip)
{
	struct node__past *p = node__memory_use_node(&g->memory, id);

	if (p)
		p->good = true;
	p = node__memory_use_host(&g->memory, ip);
	if (p)
		p->good = true;
}

static void decay(struct node__past *p, uint64_t now_ms)
{
	uint64_t steps = now_ms > p->scored_ms ? (now_ms - p->scored_ms) / NODE__SCORE_DECAY_MS : 0;

	if (steps >= p->score) {
		p->score = 0;
		p->scored_ms = now_ms;
	} else {
		p->score -= (uint32_t)steps;
		p->scored_ms += steps * NODE__SCORE_DECAY_MS;
	}
}

static void penalise(struct node__past *p, uint64_t now_ms)
{
	if (p->level > 0 && now_ms > time_add(p->until_ms, NODE__LEVEL_MS))
		p->level = 0;
	p->until_ms = time_add(now_ms, penalty_ms[p->level]);
	if (p->level + 1u < LEVELS)
		p->level++;
	p->score = 0;
}

/* Note an offender of a host; whether it makes the number full. */
static bool host_offended(struct node__past *host, uint64_t who, uint64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < NODE__OFFENDERS - 1; i++) {
		bool lately = host->offender[i].who != 0 &&
			      time_add(host->offender[i].when_ms, NODE__HOST_WINDOW_MS) > now_ms;

		if (lately && host->offender[i].who != who)
			host->offender[n++] = host->offender[i];
	}
	if (n == NODE__OFFENDERS - 1) {
		memset(host->offender, 0, sizeof(host->offender));
		return true;
	}
	for (size_t i = n; i > 0; i--)
		host->offender[i] = host->offender[i - 1];
	host->offender[0].who = who;
	host->offender[0].when_ms = now_ms;
	for (size_t i = n + 1; i < NODE__OFFENDERS - 1; i++)
		host->offender[i].who = 0;
	return false;
}

bool node__guard_charge(struct node__guard *g, const struct pubkey *id, const struct ip *ip,
			bool lan, bool named, enum node__fault fault, uint64_t now_ms)
{
	struct node__past *p;

	if (fault == NODE__FAULT_NONE)
		return false;
	p = node__memory_use_node(&g->memory, id);
	if (!p)
		return false;
	decay(p, now_ms);
	p->score += (uint32_t)fault;
	if (p->score < NODE__SCORE_LIMIT)
		return false;
	if (named) {
		p->score = 0;
		p->until_ms = time_add(now_ms, NODE__NAMED_MS);
		return true;
	}
	penalise(p, now_ms);
	if (lan)
		return true;
	p = node__memory_use_host(&g->memory, ip);
	if (p && host_offended(p, node__memory_key(&g->memory, id), now_ms))
		penalise(p, now_ms);
	return true;
}

static uint64_t until(const struct node__past *p, uint64_t now_ms)
{
	return p && p->until_ms > now_ms ? p->until_ms : 0;
}

uint64_t node__guard_until(struct node__guard *g, const struct pubkey *id, uint64_t now_ms)
{
	return until(node__memory_find_node(&g->memory, id), now_ms);
}

uint64_t node__guard_host_until(struct node__guard *g, const struct ip *ip, uint64_t now_ms)
{
	return until(node__memory_find_host(&g->memory, ip), now_ms);
}

/* Structural errors on an authenticated link are breaches; shh's own are bad
 * messages; a MAC that fails may be somebody in between, and proves nothing. */
enum node__fault node__fault_of(enum err e)
{
	switch (e) {
	case ERR_RLP:
	case ERR_TRAILING:
	case ERR_SNAPPY:
	case ERR_CODE:
	case ERR_SIZE:
	case ERR_HELLO:
	case ERR_PROTOCOL: return NODE__FAULT_BREACH;
	case ERR_STATUS:
	case ERR_ENVELOPE:
	case ERR_PAYLOAD:
	case ERR_FLOOD: return NODE__FAULT_BAD_MESSAGE;
	case ERR_TIMEOUT: return NODE__FAULT_TIMEOUT;
	case ERR_EXPIRED:
	case ERR_WORK:
	case ERR_BLOOM:
	case ERR_REPLAY: return NODE__FAULT_ODD;
	case OK:
	case ERR_MEM:
	case ERR_FULL:
	case ERR_STATE:
	case ERR_RANDOM:
	case ERR_ARG:
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_IO:
	case ERR_TARGET:
	case ERR_KEY:
	case ERR_SIG:
	case ERR_MAC:
	case ERR_VERSION:
	case ERR_IDENTITY:
	case ERR_SELF:
	case ERR_USELESS:
	case ERR_DUPLICATE:
	case ERR_TOO_MANY:
	case ERR_DECRYPT:
	case ERR_CLOSED: return NODE__FAULT_NONE;
	}
	return NODE__FAULT_NONE;
}
