/* SPDX-License-Identifier: MIT */
/* rlpx/handshake.h - auth and ack, both roles, both forms.
 *
 * plain (before EIP-8)	auth 307 bytes, ack 210, nothing but the ciphertext
 * EIP-8		BE16(size) | ciphertext of an RLP list and padding
 *
 * What a handshake needs lives in one block that is freed, wiped, as soon as
 * the secrets are known: fixed size, nothing grows with what a peer claims.
 *
 * Source: devp2p rlpx.md, "Initial Handshake"; EIP-8.
 */
#ifndef RLPX_HANDSHAKE_H
#define RLPX_HANDSHAKE_H

#include "rlpx/rlpx.h"
#include "rlpx/secrets.h"

#define AUTH_PLAIN	   307 /* bytes of a plain auth */
#define ACK_PLAIN	   210 /* bytes of a plain ack */
#define AUTH_SIZE_MIN	   282 /* size prefix below which the fields do not fit (hardening H2) */
#define ACK_SIZE_MIN	   215
#define PAD_MIN		   100 /* old readers wait for the length of a plain packet */
#define PAD_SPREAD	   200 /* padding is PAD_MIN .. PAD_MIN + PAD_SPREAD - 1 zero bytes */

#define HANDSHAKE_BODY_MAX (169 + PAD_MIN + PAD_SPREAD) /* of ours, before sealing */

struct rlpx__handshake {
	bool initiator;
	bool plain;	/* form of the packets; a recipient learns it from the auth */
	bool not_plain; /* what is coming was tried as plain, in vain */
	uint16_t got_len;
	uint16_t sent_len;
	struct seckey ephemeral;     /* ours */
	struct pubkey ephemeral_pub; /* ours */
	uint8_t nonce[32];	     /* ours */
	struct pubkey peer;	     /* static key; an initiator knows it before */
	struct pubkey peer_ephemeral;
	uint8_t peer_nonce[32];
	uint8_t sent[2 + ECIES_OVERHEAD + HANDSHAKE_BODY_MAX]; /* our packet */
	uint8_t got[2 + RLPX_AUTH_MAX];			       /* the peer's, so far */
};

/* What a handshake borrows from its host. */
struct rlpx__identity {
	struct crypto *crypto;
	const struct rng *rng;
	const struct seckey *key;
	const struct pubkey *id;
	bool accept_plain;
};

/* Draw our ephemeral key, then our nonce. errors ERR_RANDOM */
MUST_CHECK enum err rlpx__handshake_begin(struct rlpx__handshake *hs,
					  const struct rlpx__identity *us, bool initiator);

/* Write our auth for hs->peer in the form hs->plain, or our ack after the
 * peer's auth was opened.  Chance is drawn as: two bytes for the length of the
 * padding (EIP-8 form only), then what ecies_seal() draws.
 *
 * errors   ERR_KEY if hs->peer is no point; ERR_RANDOM
 */
MUST_CHECK enum err rlpx__auth_write(struct rlpx__handshake *hs, const struct rlpx__identity *us);
MUST_CHECK enum err rlpx__ack_write(struct rlpx__handshake *hs, const struct rlpx__identity *us);

/* Take bytes of the peer's packet into hs->got, never more than belong to it.
 *
 * whole    set when the packet is complete as far as can be told
 * errors   ERR_SIZE for a size prefix outside its range
 */
MUST_CHECK enum err rlpx__handshake_take(struct rlpx__handshake *hs,
					 const struct rlpx__identity *us, size_t *taken,
					 bool *whole, const uint8_t *data, size_t len);

/* The ciphertext of a whole packet without its prefix; the point is its first 65
 * bytes, the tag its last 32. */
struct span rlpx__handshake_sealed(const struct rlpx__handshake *hs,
				   const struct rlpx__identity *us);

/* Open a whole packet: tag first (one ECDH), then the fields, then the curve
 * (hardening H4).  Fills peer (auth), peer_ephemeral, peer_nonce.
 *
 * more     set if it is not plain after all and goes on as EIP-8: take more
 * errors   ERR_DECRYPT, ERR_RLP, ERR_KEY, ERR_SIG: all the same from outside
 */
MUST_CHECK enum err rlpx__auth_open(struct rlpx__handshake *hs, const struct rlpx__identity *us,
				    bool *more);
MUST_CHECK enum err rlpx__ack_open(struct rlpx__handshake *hs, const struct rlpx__identity *us,
				   bool *more);

/* The secrets, when both packets are there. errors ERR_KEY */
MUST_CHECK enum err rlpx__handshake_secrets(const struct rlpx__handshake *hs,
					    const struct rlpx__identity *us,
					    struct rlpx__secrets *out);

#endif /* RLPX_HANDSHAKE_H */
