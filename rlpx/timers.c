/* SPDX-License-Identifier: MIT */
/* rlpx/timers.c - when a connection is too late.
 *
 *	handshake, Hello, goodbye	until_ms, set when the state begins
 *	silence				IDLE_MS after the last frame
 *	a frame				FRAME_MS after its header
 *	memory short			FRAME_MS after the pause began
 *	writes				STALL_MS after the last byte was taken
 *	ping				every PING_MS, whatever else is said
 */
#include "rlpx/conn.h"

/* When silence or a slow frame ends the connection; heard_ms is set by both. */
static uint64_t silence_at(const struct rlpx *c)
{
	return time_add(c->heard_ms, c->have_header ? FRAME_MS : IDLE_MS);
}

static uint64_t stall_at(const struct rlpx *c)
{
	return c->stalled_ms == NEVER ? NEVER : time_add(c->stalled_ms, STALL_MS);
}

static uint64_t pause_at(const struct rlpx *c)
{
	return c->paused_ms == NEVER ? NEVER : time_add(c->paused_ms, FRAME_MS);
}

uint64_t rlpx_deadline(const struct rlpx *c)
{
	uint64_t at = c->until_ms;

	switch ((enum rlpx__state)c->state) {
	case RLPX__AUTH:
	case RLPX__ACK:
	case RLPX__HELLO:
	case RLPX__GOODBYE: return at;
	case RLPX__OPEN:
		at = u64_min(silence_at(c), stall_at(c));
		at = u64_min(at, pause_at(c));
		return u64_min(at, c->ping_at_ms);
	case RLPX__CLOSED:
	case RLPX__STATES: break;
	}
	return NEVER;
}

static void tick_open(struct rlpx *c, uint64_t now_ms)
{
	if (now_ms >= stall_at(c)) {
		/* It takes nothing, so it will not hear a goodbye either: the
		 * reason is for us (hardening F8). */
		rlpx__drop(c, ERR_TIMEOUT, RLPX_NETWORK_ERROR);
	} else if (now_ms >= pause_at(c)) {
		rlpx__fail(c, ERR_MEM, RLPX_BREACH, now_ms);
	} else if (now_ms >= silence_at(c)) {
		rlpx__fail(c, ERR_TIMEOUT, RLPX_PING_TIMEOUT, now_ms);
	} else if (now_ms >= c->ping_at_ms) {
		c->ping_due = true;
		c->ping_at_ms = time_add(now_ms, PING_MS);
	}
}

enum err rlpx_ping(struct rlpx *c)
{
	if (c->state != RLPX__OPEN || c->ping_due || c->pinged_ms != NEVER)
		return ERR_STATE;
	c->ping_due = true;
	return OK;
}

void rlpx_tick(struct rlpx *c, uint64_t now_ms)
{
	rlpx__host_tick(c->host, now_ms);
	if (c->state == RLPX__OPEN) {
		tick_open(c, now_ms);
	} else if (now_ms >= c->until_ms) {
		if (rlpx__action_of((enum rlpx__state)c->state, RLPX__ON_LATE) == RLPX__DROP)
			rlpx__drop(c, (enum err)c->err, c->reason);
		else
			rlpx__fail(c, ERR_TIMEOUT, RLPX_REASON_UNKNOWN, now_ms);
	}
}
