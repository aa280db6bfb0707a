/* SPDX-License-Identifier: MIT */
/* rlpx/mux.h - capabilities that share a link: matching, codes, fair queues. */
#ifndef RLPX_MUX_H
#define RLPX_MUX_H

#include "rlpx/rlpx.h"

#define MUX_BASE      0x10   /* codes below belong to the base protocol */
#define MUX_CODES_MAX 4096   /* codes of all shared capabilities (hardening B3) */
#define MUX_CODE_MAX  0xffff /* a code above it is refused (hardening B2) */

/* Order by name bytes, then version. */
int rlpx__capability_compare(const struct rlpx_capability *a, const struct rlpx_capability *b);

/* Match: of each name the highest version of both; codes from MUX_BASE on in
 * order of name.  ours must be sorted; theirs need not.
 *
 * out      at most our_count entries; the number of them is returned
 * source   devp2p rlpx.md, "Capability Messaging"
 */
size_t rlpx__capabilities_match(struct rlpx_shared out[static RLPX_CAPS_MAX],
				const struct rlpx_capability *ours, size_t our_count,
				const struct rlpx_capability *theirs, size_t their_count);

/* The table and queues of one connection: 48 bytes and 56 for each shared
 * capability; a queue's ring exists only while it holds something. */
struct rlpx__mux;

MUST_CHECK enum err rlpx__mux_new(struct rlpx__mux **out, struct mem *mem,
				  const struct rlpx_shared *shared, size_t count);
void rlpx__mux_free(struct rlpx__mux *m); /* drops what is queued; NULL is allowed */

const struct rlpx_shared *rlpx__mux_shared(const struct rlpx__mux *m, size_t *count);

/* Whose code it is; NULL if nobody's. */
const struct rlpx_shared *rlpx__mux_find(const struct rlpx__mux *m, uint64_t code);

/* Bytes that wait, counting MUX_OVERHEAD for each message. */
#define MUX_OVERHEAD 48
size_t rlpx__mux_bytes(const struct rlpx__mux *m);

/* Queue a message; the reference is taken over on success only.
 *
 * cap      the host's index of a capability
 * beside   bytes that wait elsewhere on this connection, for RLPX_SEND_HARD
 * errors   ERR_STATE if not shared; ERR_CODE; ERR_FULL; ERR_MEM
 */
MUST_CHECK enum err rlpx__mux_push(struct rlpx__mux *m, uint8_t cap, uint32_t code,
				   struct blob *payload, size_t beside);

/* The message to send next: of the capability that was served least.
 *
 * code     set to its absolute code
 * returns  NULL if none; still owned by the queue
 */
struct blob *rlpx__mux_next(const struct rlpx__mux *m, uint32_t *code);

/* The message that rlpx__mux_next() gave was sent: drop it. */
void rlpx__mux_pop(struct rlpx__mux *m);

#endif /* RLPX_MUX_H */
