/* SPDX-License-Identifier: MIT */
/* rlpx/secrets.h - what both sides know after auth and ack. */
#ifndef RLPX_SECRETS_H
#define RLPX_SECRETS_H

#include "crypto/crypto.h"
#include "crypto/keccak.h"

struct rlpx__secrets {
	uint8_t aes[32];   /* key of the frame stream, one for both directions */
	uint8_t mac[32];   /* key of the block cipher inside the MACs */
	struct keccak i2r; /* running MAC state, initiator to recipient */
	struct keccak r2i; /* the other way */
};

/* Derive them; the caller wipes them.
 *
 * ephemeral        our ephemeral private key
 * peer_ephemeral   the peer's ephemeral point
 * auth, ack        the packets as they went over the wire, prefix included
 * errors           ERR_KEY
 * source           devp2p rlpx.md, "Initial Handshake"
 */
MUST_CHECK enum err rlpx__secrets_derive(struct rlpx__secrets *out, const struct crypto *crypto,
					 const struct seckey *ephemeral,
					 const struct pubkey *peer_ephemeral,
					 const uint8_t initiator_nonce[static 32],
					 const uint8_t recipient_nonce[static 32], struct span auth,
					 struct span ack);

#endif /* RLPX_SECRETS_H */
