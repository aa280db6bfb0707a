/* SPDX-License-Identifier: MIT */
/* node/evict.h - whom a full node drops so that it can admit another.
 *
 * An attacker who fills the slots must beat honest peers in every respect at
 * once.  Protected are, one after the other: 4 of subnets that a keyed hash
 * prefers, 4 with the lowest round trip, 4 that sent something new last, and
 * the longer-connected half of the rest.  Of those left, the youngest of the
 * largest subnet goes.
 *
 * Source: hardening P2.
 */
#ifndef NODE_EVICT_H
#define NODE_EVICT_H

#include <stddef.h>
#include <stdint.h>

#define NODE__PROTECT 4 /* of each kind */

/* One who may be dropped: inbound, not named by the operator, outside the LAN. */
struct node__evictable {
	uint32_t link;	    /* tells equals apart */
	uint32_t rtt_ms;    /* UINT32_MAX: not known */
	uint64_t subnet;    /* keyed hash */
	uint64_t since_ms;  /* connected since */
	uint64_t useful_ms; /* sent something new last; 0: never */
};

/* Returns the link to drop, or UINT32_MAX if all are protected.  The array is
 * the caller's scratch: reordered. */
uint32_t node__evict_choose(struct node__evictable *peers, size_t count);

#endif /* NODE_EVICT_H */
