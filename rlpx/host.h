/* SPDX-License-Identifier: MIT */
/* rlpx/host.h - what the connections of one identity share; for this folder. */
#ifndef RLPX_HOST_H
#define RLPX_HOST_H

#include "base/siphash.h"
#include "rlpx/handshake.h"
#include "rlpx/hello.h"

#define SCRATCH_MIN	4096  /* bytes; the scratch grows in powers of two */
#define SCRATCH_IDLE_MS 10000 /* unused so long: given back */
#define REPLAYS_KEEP_MS 600000

struct rlpx__replay {
	uint64_t digest; /* keyed, of an auth's point and tag */
	uint64_t at_ms;
};

struct rlpx_host {
	struct seckey key;
	struct pubkey id;
	struct crypto *crypto;
	struct mem *mem;
	struct rng rng;
	struct log log;
	uint8_t version;
	bool accept_plain;
	uint8_t cap_count;
	struct rlpx_capability caps[RLPX_CAPS_MAX]; /* sorted */
	size_t hello_len;
	uint8_t hello[HELLO_SIZE_MAX]; /* our Hello's payload, the same for everybody */

	struct rlpx_hello peer_hello; /* lent with RLPX_HELLO */

	/* Where the one message that is being looked at is decompressed. */
	uint8_t *scratch;
	size_t scratch_len;
	uint64_t scratch_used_ms;

	/* Auth packets seen, oldest at replay_head; doubles up to RLPX_REPLAYS_MAX. */
	struct siphash_key replay_key;
	struct rlpx__replay *replays;
	size_t replay_room, replay_head, replay_count;

	uint64_t refused_auths;
	size_t connections; /* alive; none may be when the host goes */
};

/* The host as a handshake sees it. */
struct rlpx__identity rlpx__host_identity(const struct rlpx_host *h);

/* Whether an auth's ciphertext was seen in the last 10 minutes (hardening H5). */
bool rlpx__host_replayed(const struct rlpx_host *h, struct span sealed, uint64_t now_ms);

/* Remember one whose tag was genuine; at the cap the oldest is forgotten. */
void rlpx__host_remember(struct rlpx_host *h, struct span sealed, uint64_t now_ms);

/* Whether frames in reassembly may take more bytes: the last quarter of
 * MEM_RECEIVE is kept for the scratch. */
bool rlpx__host_may_gather(const struct rlpx_host *h, size_t more);

/* At least len bytes of scratch, its old content gone; NULL if memory is short. */
uint8_t *rlpx__host_scratch(struct rlpx_host *h, size_t len);

/* Give the scratch back if it was idle. */
void rlpx__host_tick(struct rlpx_host *h, uint64_t now_ms);

#endif /* RLPX_HOST_H */
