/* SPDX-License-Identifier: MIT */
/* sim/family.h - a stranger: how another implementation of shh/6 behaves, over the
 * RLPx links of a node that has no Whisper of its own.
 *
 * Just so much of each family as a relay in between must get along with: the
 * form of its Status, the rule it grades by and what it does with an envelope
 * that fails it, when it broadcasts, what it can read.  No limit of its pool.
 *
 * Sources: EIP-627; go-ethereum whisperv6 1.8.27 and 1.9.18, nim-eth,
 * parity-whisper 2.4.9 as docs/SPECS.md describes them.
 */
#ifndef SIM_FAMILY_H
#define SIM_FAMILY_H

#include "sim/world.h"

enum family_kind { FAMILY_GETH18, FAMILY_GETH19, FAMILY_NIMBUS, FAMILY_PARITY, FAMILIES };

/* The one conversation of a scenario. */
struct family_channel {
	struct symkey key;
	struct shh_topic topic;
};

struct family_figures {
	uint64_t sent;	     /* envelope copies */
	uint64_t received;   /* the same */
	uint64_t duplicates; /* of those received */
	uint64_t refused;    /* envelopes that cost the link, or would be dropped */
};

struct family;

const char *family_name(enum family_kind kind); /* as scenarios spell it */

/* Make one for a host that was added with family_node_config().
 *
 * heard    called for each message that it opened, once
 */
MUST_CHECK enum err family_new(struct family **out, struct sim_world *w, uint32_t host,
			       enum family_kind kind, double min_pow,
			       const struct family_channel *channel,
			       void (*heard)(void *ctx, uint32_t host, struct span payload,
					     const uint8_t hash[static 32]),
			       void *ctx);
void family_free(struct family *f);

/* Make the configuration of its node: no shh, but the capability by that name. */
void family_node_config(struct node_config *cfg, enum family_kind kind);

/* Pass on what its node tells, and the calls for it: at family_due_ms(). */
void family_event(struct family *f, const struct node_event *ev);
void family_broadcast(struct family *f);
/* When it wants family_broadcast(); UINT64_MAX: not now.  May move with any call above. */
uint64_t family_due_ms(const struct family *f);
void family_restart(struct family *f); /* its process began anew: all is forgotten */

/* Seal and broadcast a message in its own layout.
 *
 * errors   ERR_MEM, ERR_RANDOM, ERR_KEY
 */
MUST_CHECK enum err family_post(struct family *f, struct span payload, uint32_t ttl_s, double pow);

void family_figures(const struct family *f, struct family_figures *out);

#endif /* SIM_FAMILY_H */
