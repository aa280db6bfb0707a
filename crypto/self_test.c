/* SPDX-License-Identifier: MIT */
/* crypto/self_test.c - known answers, asked at start (hardening C9). */
#include "crypto/context.h"
#include "crypto/keccak.h"

static bool keccak_good(void)
{
	static const uint8_t empty[32] = {
		0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
		0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
		0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70,
	};
	uint8_t out[32];

	keccak256(out, NULL, 0);
	return memcmp(out, empty, 32) == 0;
}

static bool sha256_good(struct crypto *c)
{
	static const uint8_t empty[4] = { 0xe3, 0xb0, 0xc4, 0x42 };
	uint8_t out[32];

	crypto_sha256(c, out, NULL, 0);
	return memcmp(out, empty, 4) == 0;
}

const char *crypto_self_test(struct crypto *c)
{
	if (!keccak_good())
		return "Keccak-256";
	if (!sha256_good(c))
		return "SHA-256";
	return NULL;
}
