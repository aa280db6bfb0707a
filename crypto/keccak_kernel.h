/* SPDX-License-Identifier: MIT */
/* crypto/keccak_kernel.h - Keccak-f[1600], written once for every vector width.
 *
 * No header in the usual sense: a body defines what a lane is and how lanes
 * are combined, then includes this file, which defines its functions.
 *
 *	LANES                 states side by side: 1, 4 or 8
 *	LANE                  a type that holds one word of each
 *	KERNEL                the name of the struct keccak__kernel to define
 *	lane_load, lane_store from and to LANES adjacent words
 *	lane_same(v)          v in every lane
 *	lane_count(v)         v, v + 1, v + 2 … in the lanes
 *	lane_words(out, p, k) LANES consecutive words, little endian, from byte k on of
 *	                      each p[i]; out[j] holds word j of every lane (a transposition)
 *	lane_word(p, k)       one such word
 *	lane_gather(out, s, w)  the same from word w on of each state s[i]
 *	lane_scatter(s, w, v) the same backwards
 *	lane_swap(v)          bytes of each word reversed
 *	lane_keep(fresh)      ones in the lanes whose bit is clear, else zeros
 *	lane_any_zero(v)      whether some lane is zero
 *	LEFT, RIGHT           shift by a variable count, 64 gives zero
 *	XOR, XOR3, AND, CHI   a^b, a^b^c, a&b, a^(~b&c)
 *	THETA(v, l, r, lr)    v^l^r, where lr is l^r: whichever takes fewer instructions
 *	ROL(v, n)             rotate left by a constant from 1 to 63
 *
 * Two rounds make one turn of the loop, from a to e and back, so that no word
 * ever moves from one register to another.
 *
 * Source: The Keccak reference, version 3.0, section 1.2.
 */

static const uint64_t round_constants[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define STATE_WORDS	   KECCAK__STATE_WORDS
#define RATE_WORDS	   KECCAK__RATE_WORDS

/* The parity of column x. */
#define COLUMN(a, x)	   XOR3(XOR3(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20])

/* Words y..y+4 of e: theta's rest, rho, pi, then chi.  The i-th word comes
 * from a[w], whose column is x, turned by r. */
#define TURNED(a, w, x, r) ROL(THETA(a[w], left[x], right[x], both[x]), r)
#define CHI_ROW(e, y)                       \
	do {                                \
		e[y] = CHI(b0, b1, b2);     \
		e[y + 1] = CHI(b1, b2, b3); \
		e[y + 2] = CHI(b2, b3, b4); \
		e[y + 3] = CHI(b3, b4, b0); \
		e[y + 4] = CHI(b4, b0, b1); \
	} while (0)

#define ROUND(e, a, constant)                                                                   \
	do {                                                                                    \
		LANE c0 = COLUMN(a, 0), c1 = COLUMN(a, 1), c2 = COLUMN(a, 2);                   \
		LANE c3 = COLUMN(a, 3), c4 = COLUMN(a, 4), b0, b1, b2, b3, b4;                  \
		const LANE left[5] = { c4, c0, c1, c2, c3 };                                    \
		const LANE right[5] = { ROL(c1, 1), ROL(c2, 1), ROL(c3, 1), ROL(c4, 1),         \
					ROL(c0, 1) };                                           \
		const LANE both[5] = { XOR(c4, right[0]), XOR(c0, right[1]), XOR(c1, right[2]), \
				       XOR(c2, right[3]), XOR(c3, right[4]) };                  \
                                                                                                \
		(void)left;                                                                     \
		(void)both; /* one of them is not needed */                                     \
		b0 = THETA(a[0], left[0], right[0], both[0]);                                   \
		b1 = TURNED(a, 6, 1, 44);                                                       \
		b2 = TURNED(a, 12, 2, 43);                                                      \
		b3 = TURNED(a, 18, 3, 21);                                                      \
		b4 = TURNED(a, 24, 4, 14);                                                      \
		CHI_ROW(e, 0);                                                                  \
		e[0] = XOR(e[0], lane_same(constant));                                          \
		b0 = TURNED(a, 3, 3, 28);                                                       \
		b1 = TURNED(a, 9, 4, 20);                                                       \
		b2 = TURNED(a, 10, 0, 3);                                                       \
		b3 = TURNED(a, 16, 1, 45);                                                      \
		b4 = TURNED(a, 22, 2, 61);                                                      \
		CHI_ROW(e, 5);                                                                  \
		b0 = TURNED(a, 1, 1, 1);                                                        \
		b1 = TURNED(a, 7, 2, 6);                                                        \
		b2 = TURNED(a, 13, 3, 25);                                                      \
		b3 = TURNED(a, 19, 4, 8);                                                       \
		b4 = TURNED(a, 20, 0, 18);                                                      \
		CHI_ROW(e, 10);                                                                 \
		b0 = TURNED(a, 4, 4, 27);                                                       \
		b1 = TURNED(a, 5, 0, 36);                                                       \
		b2 = TURNED(a, 11, 1, 10);                                                      \
		b3 = TURNED(a, 17, 2, 15);                                                      \
		b4 = TURNED(a, 23, 3, 56);                                                      \
		CHI_ROW(e, 15);                                                                 \
		b0 = TURNED(a, 2, 2, 62);                                                       \
		b1 = TURNED(a, 8, 3, 55);                                                       \
		b2 = TURNED(a, 14, 4, 39);                                                      \
		b3 = TURNED(a, 15, 0, 41);                                                      \
		b4 = TURNED(a, 21, 1, 2);                                                       \
		CHI_ROW(e, 20);                                                                 \
	} while (0)

static inline __attribute__((always_inline)) void permute(LANE a[STATE_WORDS])
{
	LANE e[STATE_WORDS];

	for (unsigned r = 0; r < 24; r += 2) {
		ROUND(e, a, round_constants[r]);
		ROUND(a, e, round_constants[r + 1]);
	}
}

static void absorb(uint64_t *s, const uint8_t *const *data, size_t blocks, unsigned fresh)
{
	const LANE keep = lane_keep(fresh);
	LANE a[STATE_WORDS];

	KECCAK__UNROLL
	for (unsigned w = 0; w < STATE_WORDS; w++)
		a[w] = AND(lane_load(s + w * LANES), keep);
	for (size_t at = 0; blocks > 0; blocks--, at += KECCAK_RATE) {
		LANE in[LANES];

		KECCAK__UNROLL
		for (unsigned w = 0; w < RATE_WORDS - 1; w += LANES) {
			lane_words(in, data, at + 8 * w);
			KECCAK__UNROLL
			for (unsigned i = 0; i < LANES; i++)
				a[w + i] = XOR(a[w + i], in[i]);
		}
		a[RATE_WORDS - 1] =
			XOR(a[RATE_WORDS - 1], lane_word(data, at + 8 * (RATE_WORDS - 1)));
		permute(a);
	}
	KECCAK__UNROLL
	for (unsigned w = 0; w < STATE_WORDS; w++)
		lane_store(s + w * LANES, a[w]);
}

static void load(uint64_t *s, const uint64_t *const *states)
{
	LANE in[LANES];

	for (unsigned w = 0; w < STATE_WORDS - 1; w += LANES) {
		lane_gather(in, states, w);
		for (unsigned i = 0; i < LANES; i++)
			lane_store(s + (w + i) * LANES, in[i]);
	}
	for (unsigned i = 0; i < LANES; i++)
		s[(STATE_WORDS - 1) * LANES + i] = states[i][STATE_WORDS - 1];
}

static void store(const uint64_t *s, uint64_t *const *states)
{
	LANE out[LANES];

	for (unsigned w = 0; w < STATE_WORDS - 1; w += LANES) {
		for (unsigned i = 0; i < LANES; i++)
			out[i] = lane_load(s + (w + i) * LANES);
		lane_scatter(states, w, out);
	}
	for (unsigned i = 0; i < LANES; i++)
		states[i][STATE_WORDS - 1] = s[(STATE_WORDS - 1) * LANES + i];
}

static uint64_t search(const struct keccak__plan *plan, uint64_t nonce, uint64_t steps)
{
	const unsigned at = plan->nonce_word, shift = plan->nonce_shift;
	LANE start[STATE_WORDS], a[STATE_WORDS];

	for (unsigned w = 0; w < STATE_WORDS; w++)
		start[w] = lane_same(plan->first[w]);
	for (uint64_t step = 0; step < steps; step++, nonce += LANES) {
		LANE n = lane_swap(lane_count(nonce)), rest = RIGHT(n, 64 - shift), test;

		start[at] = XOR(lane_same(plan->first[at]), LEFT(n, shift));
		if (at + 1 < RATE_WORDS)
			start[at + 1] = XOR(lane_same(plan->first[at + 1]), rest);
		KECCAK__UNROLL
		for (unsigned w = 0; w < STATE_WORDS; w++)
			a[w] = start[w];
		permute(a);
		if (plan->blocks == 2) {
			KECCAK__UNROLL
			for (unsigned w = 0; w < RATE_WORDS; w++)
				a[w] = XOR(a[w], lane_same(plan->second[w]));
			if (at + 1 == RATE_WORDS)
				a[0] = XOR(a[0], rest);
			permute(a);
		}
		test = plan->test_word == 0 ? a[0] : a[3];
		if (lane_any_zero(AND(test, lane_same(plan->test_mask))))
			return step;
	}
	return steps;
}

const struct keccak__kernel KERNEL = {
	.lanes = LANES,
	.absorb = absorb,
	.load = load,
	.store = store,
	.search = search,
};
