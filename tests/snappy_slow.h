/* SPDX-License-Identifier: MIT */
/* tests/snappy_slow.h - a second decoder of Snappy blocks, written from the format's
 * description and for nothing but agreement. */
#ifndef TESTS_SNAPPY_SLOW_H
#define TESTS_SNAPPY_SLOW_H

#include "base/bytes.h"

#define SLOW_MAX 4096

/* The format, read literally and byte by byte; -1 if the block is not sound. */
static inline long slow_decode(uint8_t out[static SLOW_MAX], struct span in)
{
	size_t at = 0, n = 0;
	uint64_t declared = 0;

	for (unsigned shift = 0;; shift += 7) {
		if (at == in.len || shift > 28)
			return -1;
		declared |= (uint64_t)(in.data[at] & 0x7f) << shift;
		if (declared > UINT32_MAX)
			return -1;
		if (in.data[at++] < 0x80)
			break;
	}
	while (at < in.len) {
		uint8_t tag = in.data[at++];
		size_t len = (tag >> 2) + 1u, offset = 0, more = 0;

		if ((tag & 3) == 0) { /* literal */
			if (len > 60)
				more = len - 60;
		} else if ((tag & 3) == 1) {
			more = 1;
			len = ((tag >> 2) & 7) + 4u;
			offset = (size_t)(tag >> 5) << 8;
		} else {
			more = (tag & 3) == 2 ? 2 : 4;
		}
		if (more > in.len - at)
			return -1;
		if ((tag & 3) == 0 && more > 0)
			len = 1;
		for (size_t i = 0; i < more; i++) {
			if ((tag & 3) == 0)
				len += (size_t)in.data[at++] << (8 * i);
			else
				offset += (size_t)in.data[at++] << (8 * i);
		}
		if ((tag & 3) == 0) /* libsnappy counts in 32 bits: 2^32 is none */
			len = (uint32_t)len;
		if (len > declared - n || len > SLOW_MAX - n)
			return -1;
		if ((tag & 3) == 0) {
			if (len > in.len - at)
				return -1;
			memcpy(out + n, in.data + at, len);
			at += len;
			n += len;
			continue;
		}
		if (offset == 0 || offset > n)
			return -1;
		for (size_t i = 0; i < len; i++, n++)
			out[n] = out[n - offset];
	}
	return n == declared ? (long)n : -1;
}

#endif /* TESTS_SNAPPY_SLOW_H */
