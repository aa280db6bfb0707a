/* SPDX-License-Identifier: MIT */
/* crypto/keccak_avx512_x8.c - eight states in 512-bit registers. */
#include "crypto/keccak_body.h"

#if KECCAK__X86
#include <immintrin.h>

#define KERNEL keccak__avx512_x8
#define LANES  8
#define LANE   __m512i

static inline __m512i lane_load(const uint64_t *p)
{
	return _mm512_loadu_si512(p);
}

static inline void lane_store(uint64_t *p, __m512i v)
{
	_mm512_storeu_si512(p, v);
}

/* Row i of words becomes word i of rows, and back: by pairs, fours, halves. */
static inline void transpose(__m512i out[8], const __m512i in[8])
{
	const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
	const __m512i high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
	__m512i pair[8], four[8];

	KECCAK__UNROLL
	for (unsigned i = 0; i < 8; i += 2) {
		pair[i] = _mm512_unpacklo_epi64(in[i], in[i + 1]);
		pair[i + 1] = _mm512_unpackhi_epi64(in[i], in[i + 1]);
	}
	KECCAK__UNROLL
	for (unsigned i = 0; i < 8; i += 4) {
		four[i] = _mm512_permutex2var_epi64(pair[i], low, pair[i + 2]);
		four[i + 1] = _mm512_permutex2var_epi64(pair[i + 1], low, pair[i + 3]);
		four[i + 2] = _mm512_permutex2var_epi64(pair[i], high, pair[i + 2]);
		four[i + 3] = _mm512_permutex2var_epi64(pair[i + 1], high, pair[i + 3]);
	}
	KECCAK__UNROLL
	for (unsigned i = 0; i < 4; i++) {
		out[i] = _mm512_shuffle_i64x2(four[i], four[i + 4], 0x44);
		out[i + 4] = _mm512_shuffle_i64x2(four[i], four[i + 4], 0xee);
	}
}

static inline void lane_words(__m512i out[8], const uint8_t *const *p, size_t k)
{
	__m512i in[8];

	KECCAK__UNROLL
	for (unsigned i = 0; i < 8; i++)
		in[i] = _mm512_loadu_si512(p[i] + k);
	transpose(out, in);
}

static inline void lane_gather(__m512i out[8], const uint64_t *const *s, unsigned w)
{
	__m512i in[8];

	KECCAK__UNROLL
	for (unsigned i = 0; i < 8; i++)
		in[i] = lane_load(s[i] + w);
	transpose(out, in);
}

static inline void lane_scatter(uint64_t *const *s, unsigned w, const __m512i v[8])
{
	__m512i out[8];

	transpose(out, v);
	KECCAK__UNROLL
	for (unsigned i = 0; i < 8; i++)
		lane_store(s[i] + w, out[i]);
}

static inline long long word_at(const uint8_t *p)
{
	return (long long)le64_load(p);
}

static inline __m512i lane_word(const uint8_t *const *p, size_t k)
{
	return _mm512_setr_epi64(word_at(p[0] + k), word_at(p[1] + k), word_at(p[2] + k),
				 word_at(p[3] + k), word_at(p[4] + k), word_at(p[5] + k),
				 word_at(p[6] + k), word_at(p[7] + k));
}

static inline __m512i lane_same(uint64_t v)
{
	return _mm512_set1_epi64((long long)v);
}

static inline __m512i lane_count(uint64_t v)
{
	return _mm512_add_epi64(lane_same(v), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __m512i lane_swap(__m512i v)
{
	const __m512i order = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);

	return _mm512_shuffle_epi8(v, order);
}

static inline __m512i lane_keep(unsigned fresh)
{
	return _mm512_maskz_set1_epi64((__mmask8)~fresh, -1);
}

static inline bool lane_any_zero(__m512i v)
{
	return _mm512_testn_epi64_mask(v, v) != 0;
}

#define LEFT(v, n)	   _mm512_sll_epi64(v, _mm_cvtsi32_si128((int)(n)))
#define RIGHT(v, n)	   _mm512_srl_epi64(v, _mm_cvtsi32_si128((int)(n)))
#define XOR(a, b)	   _mm512_xor_si512(a, b)
#define XOR3(a, b, c)	   _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define AND(a, b)	   _mm512_and_si512(a, b)
#define THETA(v, l, r, lr) XOR3(v, l, r)
#define CHI(a, b, c)	   _mm512_ternarylogic_epi64(a, b, c, 0xd2)
#define ROL(v, n)	   _mm512_rol_epi64(v, n)

#include "crypto/keccak_kernel.h"
#endif
