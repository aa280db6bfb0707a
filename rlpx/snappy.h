/* SPDX-License-Identifier: MIT */
/* rlpx/snappy.h - the raw block format of Snappy, bounded before it is decoded.
 *
 * Source: EIP-706; the format description that comes with Snappy.
 */
#ifndef RLPX_SNAPPY_H
#define RLPX_SNAPPY_H

#include "base/bytes.h"

/* Bytes that len bytes may take at most when compressed; len <= 2^32 - 1. */
size_t rlpx__snappy_bound(size_t len);

/* Compress; *out_len is rlpx__snappy_bound(len) on entry and what it took on return. */
void rlpx__snappy_compress(uint8_t *out, size_t *out_len, const uint8_t *in, size_t len);

/* The length that a block declares, if it is believable: at most max, and not
 * more than the format can make of so many bytes (hardening F5).
 *
 * errors   ERR_SNAPPY
 */
MUST_CHECK enum err rlpx__snappy_length(size_t *len, struct span block, size_t max);

/* Decode a block whose length was asked for first.
 *
 * out      len bytes; undefined on error
 * errors   ERR_SNAPPY unless the whole block gives exactly len bytes (hardening F6)
 */
MUST_CHECK enum err rlpx__snappy_decode(uint8_t *out, size_t len, struct span block);

#endif /* RLPX_SNAPPY_H */
