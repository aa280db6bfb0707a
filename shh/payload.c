/* SPDX-License-Identifier: MIT */
/* shh/payload.c - sealing and opening a message, and keys and topics of names.
 *
 * symmetric    AES-256-GCM: ciphertext | tag (16) | nonce (12), the nonce last
 * asymmetric   ECIES as in RLPx, without shared information
 */
#include "shh/payload.h"

#define TAG_SIZE	   16
#define NONCE_SIZE	   12
#define WNODE_TOPIC_ROUNDS 4096
#define WNODE_TOPIC_BYTES  128

_Static_assert(SHH_SYM_OVERHEAD == TAG_SIZE + NONCE_SIZE, "a tag and a nonce");

static const struct span nothing = { NULL, 0 };

enum err shh_encrypt_sym(uint8_t *out, struct span plain, struct aes_gcm *key,
			 const struct rng *rng)
{
	uint8_t nonce[NONCE_SIZE];
	enum err e = rng_fill(rng, nonce, sizeof(nonce));

	if (e == OK)
		e = aes_gcm_seal(key, out, nonce, plain.data, plain.len);
	if (e == OK)
		memcpy(out + plain.len + TAG_SIZE, nonce, sizeof(nonce));
	return e;
}

enum err shh_encrypt_asym(uint8_t *out, struct span plain, const struct pubkey *to,
			  struct crypto *c, const struct rng *rng)
{
	return ecies_seal(c, out, rng, plain, to, nothing, nothing);
}

enum err shh_decrypt_sym(uint8_t *out, size_t *len, struct span data, struct aes_gcm *key)
{
	struct span nonce = data, sealed;
	enum err e;

	if (data.len < SHH_SYM_OVERHEAD || !span_take(&nonce, &sealed, data.len - NONCE_SIZE))
		return ERR_SIZE;
	e = aes_gcm_open(key, out, nonce.data, sealed.data, sealed.len);
	if (e == OK)
		*len = sealed.len - TAG_SIZE;
	return e;
}

enum err shh_decrypt_asym(uint8_t *out, size_t *len, struct span data, const struct seckey *key,
			  struct crypto *c)
{
	enum err e = ecies_open(c, out, data, key, nothing, nothing);

	if (e == OK)
		*len = data.len - ECIES_OVERHEAD;
	return e;
}

enum err shh_key_of_password(struct symkey *out, struct span password)
{
	return crypto_pbkdf2_sha256(out->b, sizeof(out->b), password, nothing, SHH_KDF_ROUNDS);
}

enum err shh_topic_of_password(struct shh_topic *out, struct span password)
{
	uint8_t bytes[WNODE_TOPIC_BYTES];
	enum err e =
		crypto_pbkdf2_sha512(bytes, sizeof(bytes), password, password, WNODE_TOPIC_ROUNDS);

	if (e != OK)
		return e;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(bytes); i++)
		out->b[i % SHH_TOPIC_SIZE] ^= bytes[i];
	crypto_wipe(bytes, sizeof(bytes));
	return OK;
}

void shh_topic_of_name(struct shh_topic *out, struct span name)
{
	uint8_t digest[32];

	keccak256(digest, name.data, name.len);
	memcpy(out->b, digest, SHH_TOPIC_SIZE);
}
