/* SPDX-License-Identifier: MIT */
/* crypto/keccak_avx2.c - four states in 256-bit registers; compiled with -mavx2. */
#include "crypto/keccak_body.h"

#if KECCAK__X86
#include "crypto/keccak_lanes4.h"

#define KERNEL		   keccak__avx2_x4
#define XOR3(a, b, c)	   XOR(XOR(a, b), c)
#define THETA(v, l, r, lr) XOR(v, lr)
#define CHI(a, b, c)	   XOR(a, _mm256_andnot_si256(b, c))

/* By whole bytes one shuffle does; else there is no rotation, only shifts. */
#define ROL(v, n)                   \
	((n) == 8    ? rotate_8(v)  \
	 : (n) == 56 ? rotate_56(v) \
		     : XOR(_mm256_slli_epi64(v, n), _mm256_srli_epi64(v, 64 - (n))))

static inline __m256i rotate_8(__m256i v)
{
	const __m256i order =
		_mm256_setr_epi8(7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14, 7, 0, 1, 2,
				 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14);

	return _mm256_shuffle_epi8(v, order);
}

static inline __m256i rotate_56(__m256i v)
{
	const __m256i order =
		_mm256_setr_epi8(1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8, 1, 2, 3, 4,
				 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8);

	return _mm256_shuffle_epi8(v, order);
}

#include "crypto/keccak_kernel.h"
#endif
