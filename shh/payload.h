/* SPDX-License-Identifier: MIT */
/* shh/payload.h - what is inside an envelope: encryption, signature, padding,
 * in geth's layout (EIP-627) and in parity's.
 */
#ifndef SHH_PAYLOAD_H
#define SHH_PAYLOAD_H

#include "crypto/crypto.h"
#include "shh/envelope.h"

#define SHH_PAYLOAD_MAX	 0xffffff /* bytes; a longer size field would collide with a flag */
#define SHH_PAD_BLOCK	 256	  /* geth pads the plaintext to multiples of it */
#define SHH_SYM_OVERHEAD 28	  /* tag 16, nonce 12 */
#define SHH_KDF_ROUNDS	 65356	  /* password to symmetric key, as geth spells it */

struct symkey {
	uint8_t b[32];
};

enum shh_form { SHH_FORM_GETH, SHH_FORM_PARITY };

/* A message before or after encryption; spans borrow. */
struct shh_plain {
	enum shh_form form;
	struct span payload;
	struct span padding; /* building: used as is if not empty, else generated */
	bool is_signed;
	struct pubkey signer; /* after opening, if is_signed: recovered, proves itself only */
	uint8_t hash[32];     /* after opening: keccak of what the signature covers */
};

/* Bytes that shh_plain_write() needs at most; SIZE_MAX for what cannot be built. */
size_t shh_plain_room(const struct shh_plain *m);

/* Build the plaintext, padded, signed with sign if not NULL.  Generated padding
 * fills it up to a whole number of blocks in geth's layout, which gets 1 to
 * SHH_PAD_BLOCK bytes, and to one byte less in parity's, so that
 * shh_plain_read_any() knows one from the other.
 *
 * out      max bytes, at least shh_plain_room(m); must not overlap m's spans
 * m        form, payload and padding are used
 * errors   ERR_SIZE past SHH_PAYLOAD_MAX or max; ERR_RANDOM, also for four and
 *          more random bytes that are all zero; ERR_KEY; *len is untouched then
 */
MUST_CHECK enum err shh_plain_write(uint8_t *out, size_t *len, size_t max,
				    const struct shh_plain *m, const struct seckey *sign,
				    struct crypto *c, const struct rng *rng);

/* Take a decrypted plaintext apart under one layout.  Never reads outside it
 * (hardening W8).  form says which; both may succeed on the same bytes.  Spans
 * of out borrow plain; out is untouched on error.
 *
 * errors   ERR_PAYLOAD; ERR_SIG if it is signed and no key can be recovered
 */
MUST_CHECK enum err shh_plain_read(struct shh_plain *out, struct span plain, enum shh_form form,
				   struct crypto *c);

/* The likelier layout: geth's, unless it does not fit, or the bytes could be
 * parity's (version 1, known flags, sizes that fit) and are not padded as geth
 * pads, to whole blocks.  Wrong only for 0, 32, 64, ... 224 bytes that somebody
 * sent unsigned in geth's layout with padding of his own, and for parity messages
 * that happen to fill one block.  errors as shh_plain_read() of geth's. */
MUST_CHECK enum err shh_plain_read_any(struct shh_plain *out, struct span plain, struct crypto *c);

/* Encrypt: data = ciphertext ‖ tag ‖ nonce, or ECIES.
 *
 * out      plain.len + SHH_SYM_OVERHEAD, or + ECIES_OVERHEAD bytes
 * errors   ERR_RANDOM; ERR_KEY; ERR_SIZE for an empty plaintext under ECIES */
MUST_CHECK enum err shh_encrypt_sym(uint8_t *out, struct span plain, struct aes_gcm *key,
				    const struct rng *rng);
MUST_CHECK enum err shh_encrypt_asym(uint8_t *out, struct span plain, const struct pubkey *to,
				     struct crypto *c, const struct rng *rng);

/* Decrypt into out (data.len bytes are enough); errors ERR_SIZE, ERR_DECRYPT. */
MUST_CHECK enum err shh_decrypt_sym(uint8_t *out, size_t *len, struct span data,
				    struct aes_gcm *key);
MUST_CHECK enum err shh_decrypt_asym(uint8_t *out, size_t *len, struct span data,
				     const struct seckey *key, struct crypto *c);

/* Password to symmetric key: PBKDF2-HMAC-SHA256, empty salt, SHH_KDF_ROUNDS: 12 ms
 * and more, for a worker or a command. errors ERR_MEM */
MUST_CHECK enum err shh_key_of_password(struct symkey *out, struct span password);

/* wnode's topic from a password (PBKDF2-HMAC-SHA512 folded to 4 bytes). */
MUST_CHECK enum err shh_topic_of_password(struct shh_topic *out, struct span password);

/* First four bytes of keccak(name). */
void shh_topic_of_name(struct shh_topic *out, struct span name);

#endif /* SHH_PAYLOAD_H */
