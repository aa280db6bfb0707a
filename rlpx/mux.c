/* SPDX-License-Identifier: MIT */
/* rlpx/mux.c - which capabilities are shared, and whose turn it is.
 *
 * Clockwork: each shared capability has a lane, a ring of at most
 * RLPX_QUEUE_MAX references to payloads.  A lane counts the bytes it has sent
 * (served); the next message is taken from the lane that counts least.  A lane
 * that was idle starts at the count of the lane served last, so that silence
 * is not saved up.  Order inside a lane is kept.
 *
 * Caps: RLPX_QUEUE_MAX messages a lane; RLPX_SEND_HARD bytes a connection, and
 * RLPX_SEND_SOFT a lane where several share it (hardening B7).  At a cap a push
 * fails with ERR_FULL, unless nothing else waits: one message always fits.
 */
#include "rlpx/mux.h"

#include <assert.h>

#define RING_MIN 8

struct entry {
	struct blob *payload;
	uint32_t code; /* relative */
};

struct lane {
	struct entry *ring;
	uint16_t room; /* a power of two, or 0 */
	uint16_t head;
	uint16_t count;
	size_t bytes;
	uint64_t served;
};

struct rlpx__mux {
	struct mem *mem;
	struct rlpx_shared *shared; /* behind the lanes, count of them */
	size_t count;
	size_t bytes;	 /* of all lanes */
	uint64_t served; /* count of the lane served last, before that message */
	struct lane lanes[];
};

int rlpx__capability_compare(const struct rlpx_capability *a, const struct rlpx_capability *b)
{
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return order;
	return (a->version > b->version) - (a->version < b->version);
}

static bool offers(const struct rlpx_capability *caps, size_t count,
		   const struct rlpx_capability *cap)
{
	for (size_t i = 0; i < count; i++)
		if (rlpx__capability_compare(&caps[i], cap) == 0)
			return true;
	return false;
}

size_t rlpx__capabilities_match(struct rlpx_shared out[static RLPX_CAPS_MAX],
				const struct rlpx_capability *ours, size_t our_count,
				const struct rlpx_capability *theirs, size_t their_count)
{
	uint32_t offset = MUX_BASE;
	size_t n = 0;

	for (size_t i = 0; i < our_count; i++) {
		bool same_name = n > 0 && strcmp(ours[out[n - 1].cap].name, ours[i].name) == 0;

		if (!offers(theirs, their_count, &ours[i]))
			continue;
		if (same_name) /* a higher version of the name before takes its place */
			offset = out[--n].offset;
		out[n++] = (struct rlpx_shared){ (uint8_t)i, offset, ours[i].length };
		offset += ours[i].length;
	}
	return n;
}

static size_t mux_size(size_t count)
{
	return sizeof(struct rlpx__mux) +
	       count * (sizeof(struct lane) + sizeof(struct rlpx_shared));
}

enum err rlpx__mux_new(struct rlpx__mux **out, struct mem *mem, const struct rlpx_shared *shared,
		       size_t count)
{
	struct rlpx__mux *m = mem_alloc(mem, MEM_PEERS, mux_size(count));

	if (m == NULL)
		return ERR_MEM;
	m->mem = mem;
	m->count = count;
	m->shared = (struct rlpx_shared *)(void *)&m->lanes[count];
	memcpy(m->shared, shared, count * sizeof(*shared));
	*out = m;
	return OK;
}

static void ring_free(struct rlpx__mux *m, struct lane *lane)
{
	mem_free(m->mem, MEM_SEND, lane->ring, lane->room * sizeof(*lane->ring));
	lane->ring = NULL;
	lane->room = 0;
	lane->head = 0;
}

void rlpx__mux_free(struct rlpx__mux *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->count; i++) {
		struct lane *lane = &m->lanes[i];

		for (; lane->count > 0; lane->count--) {
			blob_unref(lane->ring[lane->head].payload);
			lane->head = (uint16_t)((lane->head + 1) & (lane->room - 1));
		}
		ring_free(m, lane);
	}
	mem_free(m->mem, MEM_PEERS, m, mux_size(m->count));
}

const struct rlpx_shared *rlpx__mux_shared(const struct rlpx__mux *m, size_t *count)
{
	*count = m->count;
	return m->shared;
}

const struct rlpx_shared *rlpx__mux_find(const struct rlpx__mux *m, uint64_t code)
{
	for (size_t i = 0; i < m->count; i++)
		if (code >= m->shared[i].offset && code - m->shared[i].offset < m->shared[i].length)
			return &m->shared[i];
	return NULL;
}

size_t rlpx__mux_bytes(const struct rlpx__mux *m)
{
	return m->bytes;
}

/* Double the ring, its content unrolled to the front. */
static enum err ring_grow(struct rlpx__mux *m, struct lane *lane)
{
	size_t room = lane->room == 0 ? RING_MIN : 2 * (size_t)lane->room;
	struct entry *ring = mem_alloc(m->mem, MEM_SEND, room * sizeof(*ring));
	size_t count = lane->count;

	if (ring == NULL)
		return ERR_MEM;
	for (size_t i = 0; i < count; i++)
		ring[i] = lane->ring[(lane->head + i) & (lane->room - 1u)];
	ring_free(m, lane);
	lane->ring = ring;
	lane->room = (uint16_t)room;
	return OK;
}

static size_t cost(const struct blob *payload)
{
	return payload->len + MUX_OVERHEAD;
}

enum err rlpx__mux_push(struct rlpx__mux *m, uint8_t cap, uint32_t code, struct blob *payload,
			size_t beside)
{
	struct lane *lane = NULL;
	size_t waiting = m->bytes + beside, more = cost(payload);

	for (size_t i = 0; i < m->count; i++)
		if (m->shared[i].cap == cap) {
			if (code >= m->shared[i].length)
				return ERR_CODE;
			lane = &m->lanes[i];
		}
	if (lane == NULL)
		return ERR_STATE;
	if (lane->count == RLPX_QUEUE_MAX ||
	    (waiting > 0 && (waiting > RLPX_SEND_HARD || more > RLPX_SEND_HARD - waiting)) ||
	    (m->count > 1 && lane->count > 0 &&
	     (lane->bytes > RLPX_SEND_SOFT || more > RLPX_SEND_SOFT - lane->bytes)))
		return ERR_FULL;
	if (lane->count == lane->room && ring_grow(m, lane) != OK)
		return ERR_MEM;
	if (lane->count == 0)
		lane->served = u64_max(lane->served, m->served);
	lane->ring[(lane->head + lane->count) & (lane->room - 1u)] =
		(struct entry){ payload, code };
	lane->count++;
	lane->bytes += more;
	m->bytes += more;
	return OK;
}

/* The lane whose turn it is, the first in order of offset among equals; m->count if none. */
static size_t lane_next(const struct rlpx__mux *m)
{
	size_t best = m->count;

	for (size_t i = 0; i < m->count; i++)
		if (m->lanes[i].count > 0 &&
		    (best == m->count || m->lanes[i].served < m->lanes[best].served))
			best = i;
	return best;
}

struct blob *rlpx__mux_next(const struct rlpx__mux *m, uint32_t *code)
{
	size_t i = lane_next(m);
	const struct entry *entry;

	if (i == m->count)
		return NULL;
	entry = &m->lanes[i].ring[m->lanes[i].head];
	*code = m->shared[i].offset + entry->code;
	return entry->payload;
}

void rlpx__mux_pop(struct rlpx__mux *m)
{
	size_t i = lane_next(m);
	struct lane *lane = &m->lanes[i];
	struct blob *payload;

	assert(i < m->count);
	payload = lane->ring[lane->head].payload;
	lane->head = (uint16_t)((lane->head + 1) & (lane->room - 1));
	lane->count--;
	lane->bytes -= cost(payload);
	m->bytes -= cost(payload);
	m->served = lane->served;
	lane->served += cost(payload);
	blob_unref(payload);
	if (lane->count == 0)
		ring_free(m, lane);
}
