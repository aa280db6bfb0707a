/* SPDX-License-Identifier: MIT */
/* rlpx/secrets.c - from two ephemeral keys and two nonces to keys and MAC states. */
#include "rlpx/secrets.h"

/* Start a direction's MAC: (mac XOR nonce of the receiving side) and the packet. */
static void mac_start(struct keccak *k, const uint8_t mac[static 32],
		      const uint8_t nonce[static 32], struct span packet)
{
	uint8_t masked[32];

	for (size_t i = 0; i < sizeof(masked); i++)
		masked[i] = mac[i] ^ nonce[i];
	keccak_init(k);
	keccak_update(k, masked, sizeof(masked));
	keccak_update(k, packet.data, packet.len);
	crypto_wipe(masked, sizeof(masked));
}

static void hash2(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32])
{
	const struct span parts[] = { span_of(a, 32), span_of(b, 32) };

	keccak256_parts(out, parts, 2);
}

enum err rlpx__secrets_derive(struct rlpx__secrets *out, const struct crypto *crypto,
			      const struct seckey *ephemeral, const struct pubkey *peer_ephemeral,
			      const uint8_t initiator_nonce[static 32],
			      const uint8_t recipient_nonce[static 32], struct span auth,
			      struct span ack)
{
	uint8_t agreed[32], nonces[32], shared[32];
	enum err e = crypto_ecdh(crypto, agreed, ephemeral, peer_ephemeral);

	if (e != OK)
		return e;
	hash2(nonces, recipient_nonce, initiator_nonce);
	hash2(shared, agreed, nonces);
	hash2(out->aes, agreed, shared);
	hash2(out->mac, agreed, out->aes);
	mac_start(&out->i2r, out->mac, recipient_nonce, auth);
	mac_start(&out->r2i, out->mac, initiator_nonce, ack);
	crypto_wipe(agreed, sizeof(agreed));
	crypto_wipe(shared, sizeof(shared));
	return OK;
}
