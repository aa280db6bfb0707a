/* SPDX-License-Identifier: MIT */
/* tests/shh_guests.h - one machine, and guests of any family before it.  Header
 * only; it looks into the machine.
 */
#ifndef TESTS_SHH_GUESTS_H
#define TESTS_SHH_GUESTS_H

#include "shh/internal.h"
#include "tests/shh_one_world.h"

static inline struct shh *machine(void)
{
	return w->node[0].shh;
}

static inline struct world_end *guest_named(const char *client, double min_pow, int *end)
{
	static uint64_t hosts = 1000;
	int e = world_guest(w, 0, &(struct shh_peer_info){ .client = client, .host_key = hosts++ });

	world_hello(w, e, min_pow);
	if (end != NULL)
		*end = e;
	return &w->end[e];
}

#define GETH18 "Geth/v1.8.27-stable-4bcc0a37/linux-amd64/go1.10"
#define GETH19 "Geth/v1.9.18-stable/linux-amd64/go1.14"
#define NIMBUS "nim-eth-p2p/0.2.0"
#define SOTTO  "sotto/0.1.0"

/* parity shows an empty Status. */
static inline struct world_end *guest_parity(int *end)
{
	int e = world_guest(w, 0, &(struct shh_peer_info){ .client = "Parity-network" });

	assert_int_equal(world_send(w, e, SHH_STATUS, span_of("\xc0", 1)), OK);
	if (end != NULL)
		*end = e;
	return &w->end[e];
}

static inline struct shh__peer *peer_of(const struct world_end *guest)
{
	return machine()->peers[w->end[guest->other].peer];
}

static inline void node_plain(void)
{
	struct shh_config cfg;

	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.bridge = false;
	world_node(w, 0, &cfg);
}

#endif /* TESTS_SHH_GUESTS_H */
