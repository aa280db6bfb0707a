/* SPDX-License-Identifier: MIT */
/* crypto/keccak_lanes4.h - four lanes in a 256-bit register, as AVX2 handles them.
 *
 * Shared by keccak_avx2.c and keccak_avx512_x4.c, which add what combines
 * lanes: AVX-512VL has rotations and three-operand logic at this width too.
 */
#ifndef CRYPTO_KECCAK_LANES4_H
#define CRYPTO_KECCAK_LANES4_H

#include <immintrin.h>

#include "crypto/keccak_body.h"

#define LANES 4
#define LANE  __m256i

static inline __m256i lane_load(const uint64_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void lane_store(uint64_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

/* Row i of words becomes word i of rows, and back. */
static inline void transpose(__m256i out[4], const __m256i in[4])
{
	const __m256i even01 = _mm256_unpacklo_epi64(in[0], in[1]);
	const __m256i odd01 = _mm256_unpackhi_epi64(in[0], in[1]);
	const __m256i even23 = _mm256_unpacklo_epi64(in[2], in[3]);
	const __m256i odd23 = _mm256_unpackhi_epi64(in[2], in[3]);

	out[0] = _mm256_permute2x128_si256(even01, even23, 0x20);
	out[1] = _mm256_permute2x128_si256(odd01, odd23, 0x20);
	out[2] = _mm256_permute2x128_si256(even01, even23, 0x31);
	out[3] = _mm256_permute2x128_si256(odd01, odd23, 0x31);
}

static inline void lane_words(__m256i out[4], const uint8_t *const *p, size_t k)
{
	const __m256i in[4] = {
		_mm256_loadu_si256((const __m256i *)(const void *)(p[0] + k)),
		_mm256_loadu_si256((const __m256i *)(const void *)(p[1] + k)),
		_mm256_loadu_si256((const __m256i *)(const void *)(p[2] + k)),
		_mm256_loadu_si256((const __m256i *)(const void *)(p[3] + k)),
	};

	transpose(out, in);
}

static inline void lane_gather(__m256i out[4], const uint64_t *const *s, unsigned w)
{
	__m256i in[4];

	KECCAK__UNROLL
	for (unsigned i = 0; i < 4; i++)
		in[i] = lane_load(s[i] + w);
	transpose(out, in);
}

static inline void lane_scatter(uint64_t *const *s, unsigned w, const __m256i v[4])
{
	__m256i out[4];

	transpose(out, v);
	KECCAK__UNROLL
	for (unsigned i = 0; i < 4; i++)
		lane_store(s[i] + w, out[i]);
}

static inline long long word_at(const uint8_t *p)
{
	return (long long)le64_load(p);
}

static inline __m256i lane_word(const uint8_t *const *p, size_t k)
{
	return _mm256_setr_epi64x(word_at(p[0] + k), word_at(p[1] + k), word_at(p[2] + k),
				  word_at(p[3] + k));
}

static inline __m256i lane_same(uint64_t v)
{
	return _mm256_set1_epi64x((long long)v);
}

static inline __m256i lane_count(uint64_t v)
{
	return _mm256_add_epi64(lane_same(v), _mm256_setr_epi64x(0, 1, 2, 3));
}

static inline __m256i lane_swap(__m256i v)
{
	const __m256i order =
		_mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4,
				 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);

	return _mm256_shuffle_epi8(v, order);
}

static inline __m256i lane_keep(unsigned fresh)
{
	const __m256i bits = _mm256_setr_epi64x(1, 2, 4, 8);

	return _mm256_cmpeq_epi64(_mm256_and_si256(lane_same(fresh), bits), _mm256_setzero_si256());
}

static inline bool lane_any_zero(__m256i v)
{
	return _mm256_movemask_epi8(_mm256_cmpeq_epi64(v, _mm256_setzero_si256())) != 0;
}

#define LEFT(v, n)  _mm256_sll_epi64(v, _mm_cvtsi32_si128((int)(n)))
#define RIGHT(v, n) _mm256_srl_epi64(v, _mm_cvtsi32_si128((int)(n)))
#define XOR(a, b)   _mm256_xor_si256(a, b)
#define AND(a, b)   _mm256_and_si256(a, b)

#endif /* CRYPTO_KECCAK_LANES4_H */
