/* SPDX-License-Identifier: MIT */
/* rlpx/disconnect.h - Disconnect in every form seen. Source: devp2p rlpx.md, "Disconnect (0x01)". */
#ifndef RLPX_DISCONNECT_H
#define RLPX_DISCONNECT_H

#include "rlpx/rlpx.h"

#define DISCONNECT_MAX 100 /* bytes of payload looked at; more: reason unknown (hardening B5) */

/* The reason in a payload, already decompressed if need be; enum rlpx_reason or
 * any other byte, RLPX_REASON_UNKNOWN if there is none or it is larger. */
unsigned rlpx__disconnect_read(struct span payload);

/* The reason in a payload as it came in a frame, whether compression is on or
 * not: some peers do not compress this one message. */
unsigned rlpx__disconnect_read_frame(struct span payload, bool snappy);

/* Write one: a list of one reason. Returns its length, at most 3. */
size_t rlpx__disconnect_write(uint8_t out[static 3], unsigned reason);

#endif /* RLPX_DISCONNECT_H */
