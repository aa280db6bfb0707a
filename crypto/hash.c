/* SPDX-License-Identifier: MIT */
/* crypto/hash.c - SHA-256, HMAC and PBKDF2. */
#include <limits.h>

#include "crypto/context.h"

#define SHA256_BLOCK 64

static void begin(struct crypto *c)
{
	crypto__must(EVP_DigestInit_ex2(c->md, NULL, NULL));
}

static void add(struct crypto *c, const struct span *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		crypto__must(EVP_DigestUpdate(c->md, parts[i].data, parts[i].len));
}

static void end(struct crypto *c, uint8_t out[static 32])
{
	crypto__must(EVP_DigestFinal_ex(c->md, out, NULL));
}

void crypto_sha256(struct crypto *c, uint8_t out[static 32], const struct span *parts, size_t count)
{
	begin(c);
	add(c, parts, count);
	end(c, out);
}

/* RFC 2104: H(key ^ opad, H(key ^ ipad, text)). */
void crypto_hmac_sha256(struct crypto *c, uint8_t out[static 32], struct span key,
			const struct span *parts, size_t count)
{
	uint8_t pad[SHA256_BLOCK] = { 0 };
	uint8_t inner[32];
	struct span in = span_of(pad, sizeof(pad));

	if (key.len > sizeof(pad))
		crypto_sha256(c, pad, &key, 1);
	else if (key.len > 0)
		memcpy(pad, key.data, key.len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	begin(c);
	add(c, &in, 1);
	add(c, parts, count);
	end(c, inner);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	crypto_sha256(c, out, (struct span[]){ in, span_of(inner, sizeof(inner)) }, 2);
	crypto_wipe(pad, sizeof(pad));
	crypto_wipe(inner, sizeof(inner));
}

static enum err pbkdf2(uint8_t *out, size_t out_len, struct span password, struct span salt,
		       unsigned rounds, const char *digest)
{
	EVP_MD *md;
	int ok;

	if (out_len > INT_MAX || password.len > INT_MAX || salt.len > INT_MAX || rounds > INT_MAX ||
	    rounds == 0)
		return ERR_ARG;
	md = EVP_MD_fetch(NULL, digest, NULL);
	if (md == NULL)
		return ERR_MEM;
	ok = PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len, salt.data,
			       (int)salt.len, (int)rounds, md, (int)out_len, out);
	EVP_MD_free(md);
	return ok == 1 ? OK : ERR_MEM;
}

enum err crypto_pbkdf2_sha256(uint8_t *out, size_t out_len, struct span password, struct span salt,
			      unsigned rounds)
{
	return pbkdf2(out, out_len, password, salt, rounds, "SHA2-256");
}

enum err crypto_pbkdf2_sha512(uint8_t *out, size_t out_len, struct span password, struct span salt,
			      unsigned rounds)
{
	return pbkdf2(out, out_len, password, salt, rounds, "SHA2-512");
}
