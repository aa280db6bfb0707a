/* SPDX-License-Identifier: MIT */
/* The score machine against a plain model: few ids on two hosts, so that decay,
 * steps of back-off and offenders of one host meet (hardening §3). */
#include "node/guard.h"
#include "tests/fuzz/fuzz.h"

#define IDS   6
#define HOSTS 2

struct model_id {
	uint64_t score, scored_ms, until_ms;
	unsigned level;
};

struct model_host {
	uint64_t until_ms;
	unsigned level;
	struct {
		bool there;
		uint64_t when_ms;
	} offender[IDS];
};

struct model {
	struct model_id id[IDS];
	struct model_host host[HOSTS];
};

static const uint64_t steps[] = { 30000, 180000, 900000, 3600000, 86400000 };

static void step_up(uint64_t *until_ms, unsigned *level, uint64_t now)
{
	if (*level > 0 && now > time_add(*until_ms, 86400000))
		*level = 0;
	*until_ms = time_add(now, steps[*level]);
	*level += *level < 4;
}

static void offend(struct model_host *h, unsigned id, uint64_t now)
{
	unsigned others = 0;

	for (unsigned i = 0; i < IDS; i++) {
		if (i == id || !h->offender[i].there)
			continue;
		if (time_add(h->offender[i].when_ms, 3600000) > now)
			others++;
		else
			h->offender[i].there = false;
	}
	h->offender[id].there = true;
	h->offender[id].when_ms = now;
	if (others < 2)
		return;
	memset(h->offender, 0, sizeof(h->offender));
	step_up(&h->until_ms, &h->level, now);
}

static bool model_charge(struct model *m, unsigned id, unsigned host, bool lan, bool named,
			 unsigned fault, uint64_t now)
{
	struct model_id *p = &m->id[id];

	if (fault == 0)
		return false;
	for (; p->score > 0 && now >= p->scored_ms + 30000; p->scored_ms += 30000)
		p->score--;
	if (p->score == 0)
		p->scored_ms = now;
	p->score += fault;
	if (p->score < 50)
		return false;
	p->score = 0;
	if (named) {
		p->until_ms = now + 10000;
		return true;
	}
	step_up(&p->until_ms, &p->level, now);
	if (!lan)
		offend(&m->host[host], id, now);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned faults[] = { 0, 1, 4, 16, 50 };
	static const uint64_t leaps[] = { 0, 1, 29999, 30000, 600000, 3600000, 86400000, 90000000 };
	struct span in = span_of(data, size);
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 1);
	struct model m = { 0 };
	struct node__guard g;
	struct mem mem;
	uint64_t now = 1;

	mem_init(&mem);
	fuzz_check(node__guard_init(&g, &mem, &rng, now) == OK);
	while (in.len > 0) {
		uint8_t a = fuzz_u8(&in), b = fuzz_u8(&in);
		unsigned id = a % IDS, host = a / IDS % HOSTS, fault = faults[b % 5];
		bool lan = b & 0x20, named = b & 0x40;
		struct pubkey key = { { (uint8_t)id } };
		const uint8_t bytes[4] = { 192, 0, 2, (uint8_t)host };
		struct ip ip = ip_from4(bytes);
		uint64_t until;

		now += leaps[a >> 5];
		fuzz_check(node__guard_charge(&g, &key, &ip, lan, named, (enum node__fault)fault,
					      now) ==
			   model_charge(&m, id, host, lan, named, fault, now));
		until = m.id[id].until_ms > now ? m.id[id].until_ms : 0;
		fuzz_check(node__guard_until(&g, &key, now) == until);
		until = m.host[host].until_ms > now ? m.host[host].until_ms : 0;
		fuzz_check(node__guard_host_until(&g, &ip, now) == until);
	}
	node__guard_reset(&g);
	fuzz_check(mem.total_used == 0);
	return 0;
}
