/* SPDX-License-Identifier: MIT */
/* crypto/crypto.h - keys, signatures, ciphers and hashes: the front door of the
 * only folder that names libsecp256k1 or OpenSSL.
 *
 * A struct crypto holds one thread's contexts; like every object made here it is
 * used by one thread at a time.  Everything that is secret is compared with
 * crypto_eq() and wiped with crypto_wipe(), contexts that are reused forget the
 * last key, and no function branches or indexes on a secret unless its name
 * ends in _var.  Inputs are borrowed during the call; lengths are bytes.
 *
 * Sources: SEC 1 and SEC 2 (secp256k1), RFC 6979, devp2p rlpx.md (ECIES), FIPS 180-4,
 * RFC 2104, RFC 8018, FIPS 197, SP 800-38A, SP 800-38D.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/port.h"

struct crypto; /* opaque; one per thread */

struct seckey {
	uint8_t b[32];
}; /* a scalar in 1..n-1, big endian; secret */
struct pubkey {
	uint8_t b[64];
}; /* X then Y, big endian, on the curve */
struct digest {
	uint8_t b[32];
};

#define SIG_SIZE       65  /* r, s, and the recovery id 0..3 */
#define ECIES_OVERHEAD 113 /* point 65, iv 16, tag 32 */

/* Make contexts, blinded with random bytes.
 *
 * errors   ERR_MEM; ERR_RANDOM
 */
MUST_CHECK enum err crypto_new(struct crypto **out, const struct rng *rng);
void crypto_free(struct crypto *c); /* NULL is allowed */

/* Blind the curve context afresh (every 10 minutes, hardening C6). */
MUST_CHECK enum err crypto_rerandomise(struct crypto *c, const struct rng *rng);

/* Known-answer tests of every primitive in every body in use; under 10 ms.
 * Returns NULL, or the name of the primitive that failed (hardening C9). */
const char *crypto_self_test(struct crypto *c);

/* Constant-time comparison, whose time depends on len alone; wiping that the
 * compiler cannot drop.  Of no bytes all are equal. */
bool crypto_eq(const void *a, const void *b, size_t len);
void crypto_wipe(void *p, size_t len);

/* --- keys --------------------------------------------------------------- */

bool seckey_valid(const struct crypto *c, const struct seckey *key);

/* errors   ERR_RANDOM, also if rng gives nothing in range 16 times; out is wiped then */
MUST_CHECK enum err seckey_generate(const struct crypto *c, struct seckey *out,
				    const struct rng *rng);

/* errors   ERR_KEY if key is no scalar in range */
MUST_CHECK enum err pubkey_of(const struct crypto *c, struct pubkey *out, const struct seckey *key);

/* Check that 64 bytes are a point on the curve. errors ERR_KEY */
MUST_CHECK enum err pubkey_check(const struct crypto *c, const struct pubkey *key);

/* From 65 bytes (04 X Y; hybrid and compressed forms refused) or 33 (02/03 X). errors ERR_KEY */
MUST_CHECK enum err pubkey_parse65(const struct crypto *c, struct pubkey *out,
				   const uint8_t in[static 65]);
MUST_CHECK enum err pubkey_parse33(const struct crypto *c, struct pubkey *out,
				   const uint8_t in[static 33]);
void pubkey_compress(uint8_t out[static 33], const struct pubkey *key);

/* --- curve operations --------------------------------------------------- */

/* The x coordinate of key·peer, leading zeros kept. errors ERR_KEY */
MUST_CHECK enum err crypto_ecdh(const struct crypto *c, uint8_t out[static 32],
				const struct seckey *key, const struct pubkey *peer);

/* The compressed point key·peer, 33 bytes (discv5). errors ERR_KEY */
MUST_CHECK enum err crypto_ecdh33(const struct crypto *c, uint8_t out[static 33],
				  const struct seckey *key, const struct pubkey *peer);

/* Recoverable signature over 32 bytes, nonce by RFC 6979 (so the same each time), low s.
 *
 * digest   a hash; from n on, which no hash gives, versions of the library differ
 * errors   ERR_KEY if key is no scalar in range
 */
MUST_CHECK enum err crypto_sign(const struct crypto *c, uint8_t sig[static SIG_SIZE],
				const uint8_t digest[static 32], const struct seckey *key);

/* The signer's key.
 *
 * sig      sig[64] must be 0..3; high s is accepted (as geth does)
 * out      untouched on error
 * errors   ERR_SIG
 */
MUST_CHECK enum err crypto_recover(const struct crypto *c, struct pubkey *out,
				   const uint8_t digest[static 32],
				   const uint8_t sig[static SIG_SIZE]);

/* 64-byte signature (r, s) under a known key; high s refused. errors ERR_SIG, ERR_KEY */
MUST_CHECK enum err crypto_verify(const struct crypto *c, const uint8_t sig[static 64],
				  const uint8_t digest[static 32], const struct pubkey *key);

/* --- ECIES as devp2p and Whisper use it (devp2p rlpx.md, EIP-627) -------- */

/* Encrypt to a public key.
 *
 * out      plain.len + ECIES_OVERHEAD bytes; must not overlap plain
 * rng      gives the ephemeral key, then the iv, in that order
 * s1       shared information into the key derivation; empty in devp2p
 * s2       shared information into the tag: the EIP-8 size prefix, or empty
 * errors   ERR_KEY; ERR_RANDOM; ERR_SIZE if plain is empty
 */
MUST_CHECK enum err ecies_seal(struct crypto *c, uint8_t *out, const struct rng *rng,
			       struct span plain, const struct pubkey *to, struct span s1,
			       struct span s2);

/* Open.  Every failure past the length check costs one ECDH and one HMAC at
 * most and reads the same from outside (hardening C4).
 *
 * out      sealed.len - ECIES_OVERHEAD bytes; untouched on error
 * errors   ERR_SIZE if shorter than ECIES_OVERHEAD; ERR_DECRYPT for all else
 */
MUST_CHECK enum err ecies_open(struct crypto *c, uint8_t *out, struct span sealed,
			       const struct seckey *key, struct span s1, struct span s2);

/* --- hashes and derivation ---------------------------------------------- */

void crypto_sha256(struct crypto *c, uint8_t out[static 32], const struct span *parts,
		   size_t count);
void crypto_hmac_sha256(struct crypto *c, uint8_t out[static 32], struct span key,
			const struct span *parts, size_t count);

/* PBKDF2 with HMAC-SHA256 or -SHA512; slow on purpose (65,356 rounds take 12 ms):
 * for workers, whence no struct crypto.
 *
 * rounds   1..2^31-1; what a stranger may ask for is the caller's to bound (hardening C11)
 * errors   ERR_ARG for other rounds or lengths past 2^31-1; ERR_MEM
 */
MUST_CHECK enum err crypto_pbkdf2_sha256(uint8_t *out, size_t out_len, struct span password,
					 struct span salt, unsigned rounds);
MUST_CHECK enum err crypto_pbkdf2_sha512(uint8_t *out, size_t out_len, struct span password,
					 struct span salt, unsigned rounds);

/* --- ciphers ------------------------------------------------------------- */

/* AES-CTR stream with a 128-bit big-endian counter.  A stream weighs 656 bytes
 * of heap, as does a block cipher; a sealing key weighs 1168.
 *
 * key_len  16 or 32
 * iv       the counter's first value
 * errors   ERR_ARG for other lengths of key; ERR_MEM
 */
struct aes_ctr;
MUST_CHECK enum err aes_ctr_new(struct aes_ctr **out, const uint8_t *key, size_t key_len,
				const uint8_t iv[static 16]);
void aes_ctr_free(struct aes_ctr *a); /* wipes; NULL is allowed */

/* The next len bytes of the stream, combined with in; in place allowed. */
void aes_ctr_run(struct aes_ctr *a, uint8_t *out, const uint8_t *in, size_t len);

/* Go on at another counter, as if made anew with this iv.  So one context
 * serves several streams under one key: RLPx has two directions under one. */
void aes_ctr_seek(struct aes_ctr *a, const uint8_t iv[static 16]);

/* AES-256 on single blocks, nothing chained; in place allowed. errors ERR_MEM */
struct aes_block;
MUST_CHECK enum err aes_block_new(struct aes_block **out, const uint8_t key[static 32]);
void aes_block_free(struct aes_block *a); /* wipes; NULL is allowed */
void aes_block_run(struct aes_block *a, uint8_t out[static 16], const uint8_t in[static 16]);

/* AES-256-GCM, 12-byte nonce, 16-byte tag behind the ciphertext, no additional data.
 * A key object is kept for trials with the same key. */
struct aes_gcm;
MUST_CHECK enum err aes_gcm_new(struct aes_gcm **out, const uint8_t key[static 32]);
void aes_gcm_free(struct aes_gcm *a); /* wipes; NULL is allowed */

/* Seal.  A nonce must not come twice under one key.
 *
 * out      len + 16 bytes; in place allowed
 * errors   ERR_SIZE past 1 GiB
 */
MUST_CHECK enum err aes_gcm_seal(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
				 const uint8_t *plain, size_t len);

/* No plaintext leaves before the tag is checked (hardening C7): out is wiped on error.
 *
 * out      len - 16 bytes; in place allowed
 * errors   ERR_SIZE if len < 16, or past 1 GiB; ERR_DECRYPT
 */
MUST_CHECK enum err aes_gcm_open(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
				 const uint8_t *sealed, size_t len);

/* --- fingerprints ---------------------------------------------------------- */

/* A keyed 128-bit hash that is fast on 256 B (20 ns) and on 16 KiB (13 GB/s) alike,
 * for telling contents apart inside one process; never sent, never stored
 * (docs/decisions/0002).  Two different contents
 * up to 16 MiB agree with chance below 2^-120, and any of its bits serve as a
 * table's index; crypto/fingerprint.c has the argument.
 *
 * errors   ERR_MEM; ERR_RANDOM
 */
struct fingerprint {
	uint8_t b[16];
};
struct fingerprinter;
MUST_CHECK enum err fingerprinter_new(struct fingerprinter **out, const struct rng *rng);
void fingerprinter_free(struct fingerprinter *f);
void fingerprint_of(struct fingerprinter *f, struct fingerprint *out, const uint8_t *data,
		    size_t len);

#endif /* CRYPTO_CRYPTO_H */
