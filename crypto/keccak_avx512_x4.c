/* SPDX-License-Identifier: MIT */
/* crypto/keccak_avx512_x4.c - four states in 256-bit registers, with AVX-512's
 * rotations, three-operand logic and 32 registers: for four lanes or fewer it
 * is done sooner than the eight-lane kernel. */
#include "crypto/keccak_body.h"

#if KECCAK__X86
#include "crypto/keccak_lanes4.h"

#define KERNEL		   keccak__avx512_x4
#define XOR3(a, b, c)	   _mm256_ternarylogic_epi64(a, b, c, 0x96)
#define THETA(v, l, r, lr) XOR3(v, l, r)
#define CHI(a, b, c)	   _mm256_ternarylogic_epi64(a, b, c, 0xd2)
#define ROL(v, n)	   _mm256_rol_epi64(v, n)

#include "crypto/keccak_kernel.h"
#endif
