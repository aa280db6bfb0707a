/* SPDX-License-Identifier: MIT */
/* crypto/curve.c - secp256k1: keys, agreement, signatures.
 *
 * A public key of ours is 64 bytes that claim to be a point.  Every function
 * that uses one checks it on the curve first, by the library's public parser
 * and nothing else (hardening C1).
 */
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include "crypto/context.h"

#define GENERATE_TRIES 16 /* each misses the range with chance 2^-128 */

static enum err point_parse(const struct crypto *c, secp256k1_pubkey *out,
			    const uint8_t xy[static 64])
{
	uint8_t in[65] = { 0x04 };

	memcpy(in + 1, xy, 64);
	return secp256k1_ec_pubkey_parse(c->curve, out, in, sizeof(in)) == 1 ? OK : ERR_KEY;
}

static void point_store(const struct crypto *c, struct pubkey *out, const secp256k1_pubkey *point)
{
	uint8_t buf[65];
	size_t len = sizeof(buf);

	secp256k1_ec_pubkey_serialize(c->curve, buf, &len, point, SECP256K1_EC_UNCOMPRESSED);
	memcpy(out->b, buf + 1, 64);
}

bool seckey_valid(const struct crypto *c, const struct seckey *key)
{
	return secp256k1_ec_seckey_verify(c->curve, key->b) == 1;
}

enum err seckey_generate(const struct crypto *c, struct seckey *out, const struct rng *rng)
{
	for (unsigned i = 0; i < GENERATE_TRIES; i++) {
		if (rng_fill(rng, out->b, sizeof(out->b)) != OK)
			break;
		if (seckey_valid(c, out))
			return OK;
	}
	crypto_wipe(out, sizeof(*out));
	return ERR_RANDOM;
}

enum err pubkey_of(const struct crypto *c, struct pubkey *out, const struct seckey *key)
{
	secp256k1_pubkey point;

	if (secp256k1_ec_pubkey_create(c->curve, &point, key->b) != 1)
		return ERR_KEY;
	point_store(c, out, &point);
	return OK;
}

enum err pubkey_check(const struct crypto *c, const struct pubkey *key)
{
	secp256k1_pubkey point;

	return point_parse(c, &point, key->b);
}

enum err pubkey_parse65(const struct crypto *c, struct pubkey *out, const uint8_t in[static 65])
{
	secp256k1_pubkey point;

	if (in[0] != 0x04) /* the library would take hybrid 06 and 07 too */
		return ERR_KEY;
	if (secp256k1_ec_pubkey_parse(c->curve, &point, in, 65) != 1)
		return ERR_KEY;
	memcpy(out->b, in + 1, 64);
	return OK;
}

enum err pubkey_parse33(const struct crypto *c, struct pubkey *out, const uint8_t in[static 33])
{
	secp256k1_pubkey point;

	if (secp256k1_ec_pubkey_parse(c->curve, &point, in, 33) != 1)
		return ERR_KEY;
	point_store(c, out, &point);
	return OK;
}

void pubkey_compress(uint8_t out[static 33], const struct pubkey *key)
{
	out[0] = (uint8_t)(0x02 | (key->b[63] & 1));
	memcpy(out + 1, key->b, 32);
}

static int copy_x(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
		  void *data)
{
	(void)y32;
	(void)data;
	memcpy(out, x32, 32);
	return 1;
}

static int copy_compressed(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
			   void *data)
{
	(void)data;
	out[0] = (unsigned char)(0x02 | (y32[31] & 1));
	memcpy(out + 1, x32, 32);
	return 1;
}

static enum err agree(const struct crypto *c, uint8_t *out, const struct seckey *key,
		      const struct pubkey *peer, secp256k1_ecdh_hash_function form)
{
	secp256k1_pubkey point;
	enum err e = point_parse(c, &point, peer->b);

	if (e == OK && secp256k1_ecdh(c->curve, out, &point, key->b, form, NULL) != 1)
		e = ERR_KEY;
	return e;
}

enum err crypto_ecdh(const struct crypto *c, uint8_t out[static 32], const struct seckey *key,
		     const struct pubkey *peer)
{
	return agree(c, out, key, peer, copy_x);
}

enum err crypto_ecdh33(const struct crypto *c, uint8_t out[static 33], const struct seckey *key,
		       const struct pubkey *peer)
{
	return agree(c, out, key, peer, copy_compressed);
}

enum err crypto_sign(const struct crypto *c, uint8_t sig[static SIG_SIZE],
		     const uint8_t digest[static 32], const struct seckey *key)
{
	secp256k1_ecdsa_recoverable_signature s;
	int recid = 0;

	if (secp256k1_ecdsa_sign_recoverable(c->curve, &s, digest, key->b, NULL, NULL) != 1)
		return ERR_KEY;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(c->curve, sig, &recid, &s);
	sig[64] = (uint8_t)recid;
	return OK;
}

enum err crypto_recover(const struct crypto *c, struct pubkey *out, const uint8_t digest[static 32],
			const uint8_t sig[static SIG_SIZE])
{
	secp256k1_ecdsa_recoverable_signature s;
	secp256k1_pubkey point;

	if (sig[64] > 3) /* the library takes it for a bug and aborts */
		return ERR_SIG;
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(c->curve, &s, sig, sig[64]) != 1)
		return ERR_SIG;
	if (secp256k1_ecdsa_recover(c->curve, &point, &s, digest) != 1)
		return ERR_SIG;
	point_store(c, out, &point);
	return OK;
}

enum err crypto_verify(const struct crypto *c, const uint8_t sig[static 64],
		       const uint8_t digest[static 32], const struct pubkey *key)
{
	secp256k1_ecdsa_signature s;
	secp256k1_pubkey point;
	enum err e = point_parse(c, &point, key->b);

	if (e != OK)
		return e;
	if (secp256k1_ecdsa_signature_parse_compact(c->curve, &s, sig) != 1)
		return ERR_SIG;
	return secp256k1_ecdsa_verify(c->curve, &s, digest, &point) == 1 ? OK : ERR_SIG;
}
