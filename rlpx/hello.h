/* SPDX-License-Identifier: MIT */
/* rlpx/hello.h - the first message of each side. Source: devp2p rlpx.md, "Hello (0x00)". */
#ifndef RLPX_HELLO_H
#define RLPX_HELLO_H

#include "rlpx/rlpx.h"

#define HELLO_VERSION_MIN 4   /* older ones cannot be spoken to (hardening B8) */
#define HELLO_SNAPPY	  5   /* from here on payloads are compressed (EIP-706) */
#define HELLO_SIZE_MAX	  768 /* bytes of ours: caps 8 * 17, client 256, id 64, and headers */

/* Write the payload of our Hello; *len is set. errors ERR_SIZE */
MUST_CHECK enum err rlpx__hello_write(uint8_t out[static HELLO_SIZE_MAX], size_t *len,
				      const struct rlpx_config *cfg,
				      const struct rlpx_capability *caps, const struct pubkey *id);

/* Read a peer's, extra elements and trailing bytes ignored (EIP-8).
 *
 * id       the key that the handshake proved; another one in the Hello is refused
 * errors   ERR_HELLO for anything malformed; ERR_KEY for an id of zeros;
 *          ERR_IDENTITY; ERR_VERSION
 */
MUST_CHECK enum err rlpx__hello_read(struct rlpx_hello *out, struct span payload,
				     const struct pubkey *id);

#endif /* RLPX_HELLO_H */
