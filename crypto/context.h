/* SPDX-License-Identifier: MIT */
/* crypto/context.h - what a struct crypto holds; inside this folder only. */
#ifndef CRYPTO_CONTEXT_H
#define CRYPTO_CONTEXT_H

#include <secp256k1.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/openssl.h"

struct crypto {
	secp256k1_context *curve; /* lies in curve_room */
	void *curve_room;
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	EVP_CIPHER *aes128_ctr;
	EVP_CIPHER_CTX *cipher; /* AES-128-CTR, keyed anew by each use */
};

/* For calls into OpenSSL that nothing outside can make fail: whatever a broken
 * library left behind must not pass for a result, in no build. */
static inline void crypto__must(int ok)
{
	if (ok != 1)
		abort();
}

/* Run a stream, or blocks without chaining, through a keyed context. */
void crypto__stream(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len);

/* Leave nothing of the last message's keys in the contexts that c reuses. */
void crypto__forget(struct crypto *c);

/* One primitive's known answers; flip is exclusive-ored into what it computes,
 * so that a test can see the check fail. */
struct crypto__check {
	const char *name;
	bool (*good)(struct crypto *c, uint8_t flip);
};

extern const struct crypto__check crypto__checks[];
extern const size_t crypto__check_count;

#endif /* CRYPTO_CONTEXT_H */
