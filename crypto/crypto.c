/* SPDX-License-Identifier: MIT */
/* crypto/crypto.c - contexts: made once, blinded, reused, wiped. */
#include "crypto/crypto.h"

#include <secp256k1_preallocated.h>

#include "crypto/context.h"

enum err crypto_rerandomise(struct crypto *c, const struct rng *rng)
{
	uint8_t seed[32];
	enum err e = rng_fill(rng, seed, sizeof(seed));

	if (e == OK && secp256k1_context_randomize(c->curve, seed) != 1)
		e = ERR_RANDOM;
	crypto_wipe(seed, sizeof(seed));
	return e;
}

static bool fetch(struct crypto *c)
{
	const unsigned flags = SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY;

	/* given no room, the library would abort for want of memory */
	c->curve_room = malloc(secp256k1_context_preallocated_size(flags));
	if (c->curve_room != NULL)
		c->curve = secp256k1_context_preallocated_create(c->curve_room, flags);
	c->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	c->md = EVP_MD_CTX_new();
	c->aes128_ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	c->cipher = EVP_CIPHER_CTX_new();
	return c->curve != NULL && c->sha256 != NULL && c->md != NULL && c->aes128_ctr != NULL &&
	       c->cipher != NULL && EVP_DigestInit_ex2(c->md, c->sha256, NULL) == 1 &&
	       EVP_EncryptInit_ex2(c->cipher, c->aes128_ctr, NULL, NULL, NULL) == 1;
}

enum err crypto_new(struct crypto **out, const struct rng *rng)
{
	struct crypto *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_MEM;
	e = fetch(c) ? crypto_rerandomise(c, rng) : ERR_MEM;
	if (e != OK) {
		crypto_free(c);
		return e;
	}
	*out = c;
	return OK;
}

void crypto_free(struct crypto *c)
{
	if (c == NULL)
		return;
	if (c->curve != NULL)
		secp256k1_context_preallocated_destroy(c->curve);
	free(c->curve_room);
	EVP_MD_CTX_free(c->md);
	EVP_MD_free(c->sha256);
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_CIPHER_free(c->aes128_ctr);
	crypto_wipe(c, sizeof(*c));
	free(c);
}

/* A cipher keeps its last key in its context until it is given another: so it
 * is, one of zeros.  A digest's context ends each message with the tag in it,
 * which is no secret. */
void crypto__forget(struct crypto *c)
{
	static const uint8_t zeros[16];

	crypto__must(EVP_EncryptInit_ex2(c->cipher, NULL, zeros, zeros, NULL));
}

bool crypto_eq(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
