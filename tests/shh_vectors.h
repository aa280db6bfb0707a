/* SPDX-License-Identifier: MIT */
/* tests/shh_vectors.h - what the tests of shh/ share: recorded sessions, envelopes
 * made of fields, and chance that was written down beforehand.
 */
#ifndef TESTS_SHH_VECTORS_H
#define TESTS_SHH_VECTORS_H

#include "tests/vectors.h"

#include "base/port.h"
#include "shh/envelope.h"

/* Call fn for every envelope of every recorded session with a peer.
 *
 * e        its object: fields, hash, pow, and key, plaintext, form where known
 * where    file, session and number, for messages
 * returns  how many there were
 */
size_t sessions_each(void (*fn)(const json_t *e, const char *where, void *ctx), void *ctx);

/* How many envelopes tests/vectors/session_*.json hold, and how many of them can be opened. */
#define SESSION_ENVELOPES 123
#define SESSION_OPENED	  101

/* The first four fields of an envelope from its members expiry, ttl, topic and
 * data; the bytes live as those of vec_bytes(). */
struct span vec_content(const json_t *e);

/* Read bytes that must be one whole envelope. */
struct shh_envelope envelope_of(struct span raw);

/* A generator that gives out the script and fails the test where it ends. */
struct rng_script {
	struct span left;
};
struct rng rng_script_init(struct rng_script *state, struct span script);

#endif /* TESTS_SHH_VECTORS_H */
