/* SPDX-License-Identifier: MIT */
/* crypto/keccak_scalar.h - a lane that is a plain word; compiled twice, see below.
 *
 * KERNEL is set by the two files that include this one: keccak_portable.c,
 * and keccak_bmi.c, which is compiled with -mbmi -mbmi2 and so gets
 * and-not and rotations that need no extra move.
 */
#include "crypto/keccak_body.h"

#define LANES 1
#define LANE  uint64_t

static inline uint64_t lane_load(const uint64_t *p)
{
	return *p;
}

static inline void lane_store(uint64_t *p, uint64_t v)
{
	*p = v;
}

static inline uint64_t lane_word(const uint8_t *const *p, size_t k)
{
	return le64_load(p[0] + k);
}

static inline void lane_words(uint64_t out[1], const uint8_t *const *p, size_t k)
{
	out[0] = lane_word(p, k);
}

static inline void lane_gather(uint64_t out[1], const uint64_t *const *s, unsigned w)
{
	out[0] = s[0][w];
}

static inline void lane_scatter(uint64_t *const *s, unsigned w, const uint64_t v[1])
{
	s[0][w] = v[0];
}

static inline uint64_t lane_same(uint64_t v)
{
	return v;
}

static inline uint64_t lane_count(uint64_t v)
{
	return v;
}

static inline uint64_t lane_swap(uint64_t v)
{
	return __builtin_bswap64(v);
}

static inline uint64_t lane_keep(unsigned fresh)
{
	return (fresh & 1) != 0 ? 0 : UINT64_MAX;
}

static inline bool lane_any_zero(uint64_t v)
{
	return v == 0;
}

#define LEFT(v, n)	   ((n) < 64 ? (v) << (n) : 0)
#define RIGHT(v, n)	   ((n) < 64 ? (v) >> (n) : 0)
#define XOR(a, b)	   ((a) ^ (b))
#define XOR3(a, b, c)	   ((a) ^ (b) ^ (c))
#define THETA(v, l, r, lr) ((v) ^ (lr))
#define AND(a, b)	   ((a) & (b))
#define CHI(a, b, c)	   ((a) ^ (~(b) & (c)))
#define ROL(v, n)	   (((v) << (n)) | ((v) >> (64 - (n))))

#include "crypto/keccak_kernel.h"
