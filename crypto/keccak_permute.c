/* SPDX-License-Identifier: MIT */
/* crypto/keccak_permute.c - Keccak-f[1600], one state, portable. */
#include "crypto/keccak_body.h"

static const uint64_t round_constants[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* The rotation of lane x + 5y. */
static const unsigned rotations[25] = {
	0,  1,	62, 28, 27, 36, 44, 6,	55, 20, 3,  10, 43,
	25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14,
};

static uint64_t rotate(uint64_t v, unsigned n)
{
	return n == 0 ? v : (v << n) | (v >> (64 - n));
}

void keccak__permute(uint64_t a[static 25])
{
	for (size_t round = 0; round < 24; round++) {
		uint64_t b[25], c[5];

		for (size_t x = 0; x < 5; x++)
			c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
		for (size_t i = 0; i < 25; i++)
			a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
		for (size_t x = 0; x < 5; x++)
			for (size_t y = 0; y < 5; y++)
				b[y + 5 * ((2 * x + 3 * y) % 5)] =
					rotate(a[x + 5 * y], rotations[x + 5 * y]);
		for (size_t y = 0; y < 25; y += 5)
			for (size_t x = 0; x < 5; x++)
				a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
		a[0] ^= round_constants[round];
	}
}
