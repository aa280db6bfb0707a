/* SPDX-License-Identifier: MIT */
/* crypto/context.h - what a struct crypto holds; inside this folder only. */
#ifndef CRYPTO_CONTEXT_H
#define CRYPTO_CONTEXT_H

#include <secp256k1.h>

#include "crypto/crypto.h"
#include "crypto/openssl.h"

struct crypto {
	secp256k1_context *curve;
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	EVP_CIPHER *aes128_ctr;
	EVP_CIPHER_CTX *cipher; /* AES-128-CTR, keyed anew by each use */
};

#endif /* CRYPTO_CONTEXT_H */
