/* SPDX-License-Identifier: MIT */
/* crypto/keccak_body.h - how the permutation's bodies are called; inside this folder only.
 *
 * A kernel works on so many states side by side, one per lane.  Its states
 * lie interleaved: word w of lane i is s[w * lanes + i], so that one vector
 * register holds one word of all lanes.  A body is a set of kernels from wide
 * to narrow; the last always has one lane and serves the single sponges.
 */
#ifndef CRYPTO_KECCAK_BODY_H
#define CRYPTO_KECCAK_BODY_H

#include "crypto/keccak.h"

#define KECCAK__STATE_WORDS 25
#define KECCAK__RATE_WORDS  17
#define KECCAK__KERNELS_MAX 3

/* A search in the form kernels want: everything constant is in place. */
struct keccak__plan {
	uint64_t first[KECCAK__STATE_WORDS]; /* before the permutation, nonce zero */
	uint64_t second[KECCAK__RATE_WORDS]; /* one more block, if there are two */
	unsigned blocks;		     /* 1 or 2 */
	unsigned nonce_word;		     /* in first; the word behind it takes the rest */
	unsigned nonce_shift;		     /* in bits, a multiple of 8 below 64 */
	unsigned test_word;		     /* of the digest: 0 or 3 */
	uint64_t test_mask;		     /* which of its bits must be zero */
};

/* Compilers keep an array in registers only where no index varies. */
#define KECCAK__UNROLL _Pragma("GCC unroll 25")

struct keccak__kernel {
	unsigned lanes;

	/* Absorb so many whole blocks of each lane's data.
	 *
	 * fresh    lanes, as bits, whose state starts from zero whatever s holds
	 */
	void (*absorb)(uint64_t *s, const uint8_t *const *data, size_t blocks, unsigned fresh);

	/* All lanes from, and to, states that lie apart. */
	void (*load)(uint64_t *s, const uint64_t *const *states);
	void (*store)(const uint64_t *s, uint64_t *const *states);

	/* Try steps times lanes nonces from nonce on; returns the first step
	 * in which some lane passes the plan's test, or steps. */
	uint64_t (*search)(const struct keccak__plan *plan, uint64_t nonce, uint64_t steps);
};

extern const struct keccak__kernel keccak__portable, keccak__bmi;
extern const struct keccak__kernel keccak__avx2_x4;
extern const struct keccak__kernel keccak__avx512_x4, keccak__avx512_x8;

/* Whether these exist in this build. */
#if defined(__x86_64__)
#define KECCAK__X86 1
#else
#define KECCAK__X86 0
#endif

/* Exclusive-or len bytes into a state from byte pos on; pos + len <= KECCAK_RATE. */
void keccak__add(uint64_t *a, size_t pos, const uint8_t *data, size_t len);

/* The narrowest kernel in use that has so many lanes, or the widest there is. */
const struct keccak__kernel *keccak__kernel_for(size_t lanes);

/* The kernel in use that works on one state. */
const struct keccak__kernel *keccak__kernel_single(void);

#endif /* CRYPTO_KECCAK_BODY_H */
