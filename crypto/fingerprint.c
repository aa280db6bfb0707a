/* SPDX-License-Identifier: MIT */
/* crypto/fingerprint.c - telling contents apart, fast, under a secret key.
 *
 * The tag of AES-128-GCM over the bytes as additional data under one secret
 * key and nonce.  The nonce repeats, which would be fatal to a tag that is
 * shown; this one never leaves the process, so what is left is the universal
 * hash: two different contents of n blocks meet with chance n / 2^128.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "crypto/context.h"

struct fingerprinter {
	EVP_CIPHER_CTX *ctx;
	uint8_t nonce[12];
};

enum err fingerprinter_new(struct fingerprinter **out, const struct rng *rng)
{
	struct fingerprinter *f = calloc(1, sizeof(*f));
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	uint8_t key[16];
	enum err e = ERR_MEM;

	if (f != NULL && cipher != NULL) {
		f->ctx = EVP_CIPHER_CTX_new();
		if (f->ctx != NULL)
			e = rng_fill(rng, key, sizeof(key));
		if (e == OK)
			e = rng_fill(rng, f->nonce, sizeof(f->nonce));
		if (e == OK && EVP_EncryptInit_ex2(f->ctx, cipher, key, f->nonce, NULL) != 1)
			e = ERR_MEM;
	}
	EVP_CIPHER_free(cipher);
	crypto_wipe(key, sizeof(key));
	if (e == OK)
		*out = f;
	else
		fingerprinter_free(f);
	return e;
}

void fingerprinter_free(struct fingerprinter *f)
{
	if (f == NULL)
		return;
	EVP_CIPHER_CTX_free(f->ctx);
	crypto_wipe(f, sizeof(*f));
	free(f);
}

void fingerprint_of(struct fingerprinter *f, struct fingerprint *out, const uint8_t *data,
		    size_t len)
{
	int n = 0;
	int ok = EVP_EncryptInit_ex2(f->ctx, NULL, NULL, f->nonce, NULL);

	assert(len <= INT_MAX);
	if (ok == 1 && len > 0)
		ok = EVP_EncryptUpdate(f->ctx, NULL, &n, data, (int)len);
	if (ok == 1)
		ok = EVP_EncryptFinal_ex(f->ctx, out->b, &n);
	if (ok == 1)
		ok = EVP_CIPHER_CTX_ctrl(f->ctx, EVP_CTRL_AEAD_GET_TAG, 16, out->b);
	assert(ok == 1);
	(void)ok;
}
