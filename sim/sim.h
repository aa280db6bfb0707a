/* SPDX-License-Identifier: MIT */
/* sim/sim.h - the other driver: many nodes in one process, in virtual time.
 *
 * Links have a rate, a delay and can be cut; every node has its own dialect,
 * clock offset, limits and seed.  A run is a function of scenario and seed:
 * two runs give the same digest of everything that happened.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "node/node.h"

#define SIM_WHY_MAX 512

struct sim_result {
	uint64_t deliveries;	 /* messages opened by somebody who should */
	uint64_t envelopes_sent; /* copies over all links */
	double duplicates;	 /* repeated copies per delivery */
	uint64_t bytes_per_node;
	uint64_t latency_p50_ms, latency_p95_ms, latency_max_ms;
	uint64_t virtual_ms;
	uint8_t digest[32];	   /* of the trace */
	char failure[SIM_WHY_MAX]; /* empty: every expectation held; else line, time and what */
};

/* Run one scenario (a text, docs/SIM.md) with a seed. errors ERR_ARG with why for a
 * text that is no scenario; a failed expectation is not an error but a result. */
MUST_CHECK enum err sim_run(struct sim_result *out, const char *name, const char *text, size_t len,
			    uint64_t seed, const struct log *log, char why[static SIM_WHY_MAX]);

#endif /* SIM_SIM_H */
