/* SPDX-License-Identifier: MIT */
/* crypto/ecies.c - ECIES as devp2p and Whisper use it: 04 X Y | iv | body | tag.
 *
 * z = x of the shared point; keys = SHA-256(00000001 | z | s1), the first half
 * for AES-128-CTR, the SHA-256 of the second half for HMAC-SHA-256 over
 * iv | body | s2 (devp2p rlpx.md, "ECIES Encryption").
 */

#include "crypto/context.h"

enum { POINT = 65, IV = 16, TAG = 32 };
_Static_assert(POINT + IV + TAG == ECIES_OVERHEAD, "parts of a sealed message");

struct ecies_keys {
	uint8_t enc[16];
	uint8_t mac[32];
};

static void derive(struct crypto *c, struct ecies_keys *out, const uint8_t z[static 32],
		   struct span s1)
{
	static const uint8_t counter[4] = { 0, 0, 0, 1 };
	const struct span in[] = { span_of(counter, 4), span_of(z, 32), s1 };
	uint8_t k[32];
	struct span half = span_of(k + 16, 16);

	crypto_sha256(c, k, in, 3);
	memcpy(out->enc, k, 16);
	crypto_sha256(c, out->mac, &half, 1);
	crypto_wipe(k, sizeof(k));
}

static void tag_of(struct crypto *c, uint8_t out[static TAG], const struct ecies_keys *keys,
		   struct span iv_body, struct span s2)
{
	const struct span in[] = { iv_body, s2 };

	crypto_hmac_sha256(c, out, span_of(keys->mac, sizeof(keys->mac)), in, 2);
}

static void stream(struct crypto *c, uint8_t *out, const uint8_t *in, size_t len,
		   const struct ecies_keys *keys, const uint8_t iv[static IV])
{
	crypto__must(EVP_EncryptInit_ex2(c->cipher, NULL, keys->enc, iv, NULL));
	crypto__stream(c->cipher, out, in, len);
}

enum err ecies_seal(struct crypto *c, uint8_t *out, const struct rng *rng, struct span plain,
		    const struct pubkey *to, struct span s1, struct span s2)
{
	struct seckey ephemeral;
	struct pubkey point;
	struct ecies_keys keys;
	uint8_t iv[IV], z[32];
	enum err e;

	if (plain.len == 0 || plain.len > SIZE_MAX - ECIES_OVERHEAD)
		return ERR_SIZE;
	e = seckey_generate(c, &ephemeral, rng);
	if (e == OK)
		e = rng_fill(rng, iv, sizeof(iv));
	if (e == OK)
		e = pubkey_of(c, &point, &ephemeral);
	if (e == OK)
		e = crypto_ecdh(c, z, &ephemeral, to);
	if (e == OK) {
		derive(c, &keys, z, s1);
		out[0] = 0x04;
		memcpy(out + 1, point.b, 64);
		memcpy(out + POINT, iv, IV);
		stream(c, out + POINT + IV, plain.data, plain.len, &keys, iv);
		tag_of(c, out + POINT + IV + plain.len, &keys, span_of(out + POINT, IV + plain.len),
		       s2);
		crypto_wipe(&keys, sizeof(keys));
		crypto__forget(c);
	}
	crypto_wipe(&ephemeral, sizeof(ephemeral));
	crypto_wipe(z, sizeof(z));
	return e;
}

enum err ecies_open(struct crypto *c, uint8_t *out, struct span sealed, const struct seckey *key,
		    struct span s1, struct span s2)
{
	struct pubkey point;
	struct ecies_keys keys;
	uint8_t z[32], tag[TAG];
	size_t body;
	bool good;

	if (sealed.len < ECIES_OVERHEAD)
		return ERR_SIZE;
	body = sealed.len - ECIES_OVERHEAD;
	if (pubkey_parse65(c, &point, sealed.data) != OK || crypto_ecdh(c, z, key, &point) != OK) {
		crypto_wipe(z, sizeof(z));
		return ERR_DECRYPT;
	}
	derive(c, &keys, z, s1);
	tag_of(c, tag, &keys, span_of(sealed.data + POINT, IV + body), s2);
	good = crypto_eq(tag, sealed.data + POINT + IV + body, TAG);
	if (good)
		stream(c, out, sealed.data + POINT + IV, body, &keys, sealed.data + POINT);
	crypto_wipe(&keys, sizeof(keys));
	crypto_wipe(z, sizeof(z));
	crypto_wipe(tag, sizeof(tag));
	crypto__forget(c);
	return good ? OK : ERR_DECRYPT;
}
