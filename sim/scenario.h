/* SPDX-License-Identifier: MIT */
/* sim/scenario.h - a running scenario, for the files that carry it out:
 * scenario.c (who and what there is), steps.c (statements), expect.c. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/family.h"
#include "sim/sim.h"
#include "sim/words.h"

#define SCENARIO_MEMBERS_MAX  1024
#define SCENARIO_MESSAGES_MAX 4096
#define SCENARIO_FORMS_MAX    16

/* One host by name. */
struct member {
	char name[WORD_MAX];
	char client[128];	 /* what it calls itself */
	struct family *family;	 /* NULL: one of ours */
	uint64_t family_call_ms; /* the call that is under way; UINT64_MAX: none */
};

/* Somebody who dials somebody. */
struct tie {
	uint32_t from, to;
};

struct message {
	char name[WORD_MAX];
	uint32_t from;
	uint64_t posted_ms;
	uint8_t *heard;			      /* by member: how often */
	uint8_t form[SCENARIO_FORMS_MAX][32]; /* hashes of its sealed forms */
	size_t forms;
};

/* Something to be done later: what sim_call_at() carries is its number. */
struct errand {
	enum { ERRAND_FAMILY, ERRAND_POST, ERRAND_KILL, ERRAND_START } kind;
	uint32_t member;
	uint32_t message; /* of ERRAND_POST; of ERRAND_KILL: ms to stay down */
};

/* How a message is to be posted. */
struct posting {
	uint32_t ttl_s;
	uint64_t size;
	double pow;
	enum shh_form form;
};

struct figures {
	uint64_t deliveries, envelopes_sent, duplicates, bytes_per_node, downs, refused;
	uint64_t latency_p50_ms, latency_p95_ms, latency_max_ms;
};

struct scenario {
	struct sim_world *w;
	struct family_channel channel;
	struct member *member;
	uint32_t members;
	struct tie *tie;
	size_t ties, tie_room;
	struct message *message;
	struct posting *posting; /* by message */
	uint32_t messages;
	struct errand *errand;
	size_t errands, errand_room;
	uint32_t *latency_ms;
	size_t latencies, latency_room;
	struct shh_stats past; /* of nodes that are gone */
	uint64_t downs;
	bool news; /* an expectation may have come true */
	struct words_line line;
	char *why;     /* SIM_WHY_MAX: what is wrong with the text */
	char *failure; /* SIM_WHY_MAX: what did not hold */
	bool no_memory;
};

/* --- scenario.c ---------------------------------------------------------------- */

/* Say what is wrong with the line at hand, and return false. */
bool scenario_complain(struct scenario *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

uint32_t scenario_find(const struct scenario *s, const char *name); /* UINT32_MAX: nobody */

/* The members that a word names: "all", "n*", "n1..n5", "a,b", and so on.
 *
 * set      a byte for each member, set to 1 or 0
 */
bool scenario_group(struct scenario *s, uint8_t *set, const char *word);

MUST_CHECK bool scenario_add(struct scenario *s, const char *name, const struct node_config *cfg,
			     const struct ip *ip, int64_t clock_ms, const enum family_kind *family,
			     double min_pow);
bool scenario_start(struct scenario *s, uint32_t member);
bool scenario_tie(struct scenario *s, uint32_t from, uint32_t to);
bool scenario_message(struct scenario *s, uint32_t *message, const char *name, uint32_t from,
		      const struct posting *how);
bool scenario_post(struct scenario *s, uint32_t message);
bool scenario_errand(struct scenario *s, uint64_t at_ms, struct errand e);
void scenario_figures(struct scenario *s, struct figures *out);

/* --- steps.c, expect.c ------------------------------------------------------------ */

/* Carry out the line at hand.  False: the text is wrong (why), or an expectation
 * did not hold (failure), or the world ended. */
bool scenario_step(struct scenario *s);
bool scenario_expect(struct scenario *s);

#endif /* SIM_SCENARIO_H */
