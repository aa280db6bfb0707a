/* SPDX-License-Identifier: MIT */
/* crypto/keccak.h - Keccak-256 as Ethereum uses it (padding 01, not SHA-3's 06).
 *
 * One permutation in four bodies chosen at run time: portable, scalar with
 * BMI, AVX2 on 4 states, AVX-512 on 4 and 8 states.  All give the same bytes.
 * The running state serves RLPx MACs, the lanes serve whatever comes in numbers:
 * the envelopes of a packet, the MACs of several connections, proof of work.
 *
 * Nothing here fails, allocates or keeps anything; any thread may call it.
 * Data is borrowed during the call and may be NULL where its length is 0.
 *
 * Source: The Keccak reference, version 3.0; rate 1088, capacity 512.
 */
#ifndef CRYPTO_KECCAK_H
#define CRYPTO_KECCAK_H

#include "base/bytes.h"

#define KECCAK_RATE	 136 /* bytes a permutation absorbs */
#define KECCAK_LANES_MAX 8

/* A running sponge: absorbs in place, 208 bytes, no heap.  It may be copied; who
 * absorbed a secret wipes it. */
struct keccak {
	uint64_t a[25];
	uint32_t pos; /* bytes absorbed into the current block, < KECCAK_RATE */
};

void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, const void *data, size_t len);

/* The digest of what was absorbed so far; k goes on absorbing untouched. */
void keccak_peek(const struct keccak *k, uint8_t out[static 32]);

void keccak256(uint8_t out[static 32], const void *data, size_t len);

/* keccak256 of data's parts one after the other. */
void keccak256_parts(uint8_t out[static 32], const struct span *parts, size_t count);

/* Many independent digests side by side; lengths may differ, lanes refill.
 * Same results as one by one; fastest when there are at least as many as lanes,
 * and the longer ones come first.  No output may overlap any input. */
struct keccak_item {
	const uint8_t *data; /* borrowed */
	size_t len;
	uint8_t *out; /* 32 bytes */
};
void keccak256_many(const struct keccak_item *items, size_t count);

/* Absorb into many running states side by side: states[i] takes data[i].  The
 * states are all different ones. */
void keccak_update_many(struct keccak *const *states, const struct span *data, size_t count);

/* The digests so far of many running states, as keccak_peek(); a state may come twice. */
void keccak_peek_many(const struct keccak *const *states, uint8_t (*out)[32], size_t count);

/* A search for proof of work: digests of prefix ‖ BE64(nonce) for running
 * nonces.  Smallest first whatever the lanes: the nonce found is the smallest
 * sufficient one in the range. */
struct keccak_search {
	uint64_t mid[25];	       /* after the prefix's whole blocks */
	uint8_t tail[2 * KECCAK_RATE]; /* padded rest with room for the nonce */
	uint32_t tail_blocks;	       /* 1 or 2 */
	uint32_t nonce_at;	       /* offset of the nonce in tail */
};

enum keccak_zeros {
	KECCAK_LEADING, /* most significant bits of the first byte first */
	KECCAK_TRAILING, /* least significant bits of the last byte first; an all-zero digest counts 0 */
};

void keccak_search_init(struct keccak_search *s, const void *prefix, size_t len);

/* Try the count nonces from first on; behind 2^64 - 1 comes 0.  It takes as long
 * as count asks: who must stay responsive or stoppable asks in pieces.
 *
 * nonce    set to the first one whose digest has at least bits zero bits; else untouched
 * bits     more than 256 are never found
 * returns  whether there is one
 */
bool keccak_search_run(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
		       uint64_t count, enum keccak_zeros kind, unsigned bits);

/* The best (most zero bits, first nonce among equals) of the range; returns its bits.
 * Of no nonces, or if all have none, that is 0 bits at first. */
unsigned keccak_search_best(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
			    uint64_t count, enum keccak_zeros kind);

/* Zero bits of one digest by either rule. */
unsigned keccak_zero_bits(const uint8_t digest[static 32], enum keccak_zeros kind);

/* The bodies from narrow to wide, for tests and benchmarks, which cross them. */
enum keccak_body { KECCAK_PORTABLE, KECCAK_BMI, KECCAK_AVX2, KECCAK_AVX512, KECCAK_BODIES };
bool keccak_body_usable(enum keccak_body body); /* this build and machine have it */
const char *keccak_body_name(enum keccak_body body);

/* Use one body from now on in the calling process, for tests and benchmarks
 * only; without it, the widest usable one is chosen at the first use.  Returns
 * false, and changes nothing, if it is unusable. */
bool keccak_body_force(enum keccak_body body);
enum keccak_body keccak_body_in_use(void);

#endif /* CRYPTO_KECCAK_H */
