/* SPDX-License-Identifier: MIT */
/* rlpx/snappy.c - libsnappy between two checks of the declared length. */
#include "rlpx/snappy.h"

#include <assert.h>
#include <snappy-c.h>

/* Up to here a single literal is the whole encoding: no match of Snappy's is
 * likely, and the library would ask for working memory. */
#define LITERAL_MAX 60

size_t rlpx__snappy_bound(size_t len)
{
	return snappy_max_compressed_length(len);
}

void rlpx__snappy_compress(uint8_t *out, size_t *out_len, const uint8_t *in, size_t len)
{
	snappy_status s;

	if (len <= LITERAL_MAX) {
		out[0] = (uint8_t)len;
		*out_len = 1;
		if (len > 0) {
			out[1] = (uint8_t)((len - 1) << 2);
			memcpy(out + 2, in, len);
			*out_len = len + 2;
		}
		return;
	}
	s = snappy_compress((const char *)in, len, (char *)out, out_len);
	assert(s == SNAPPY_OK); /* it fails for want of room only */
	(void)s;
}

enum err rlpx__snappy_length(size_t *len, struct span block, size_t max)
{
	size_t declared;

	if (snappy_uncompressed_length((const char *)block.data, block.len, &declared) != SNAPPY_OK)
		return ERR_SNAPPY;
	/* A copy makes at most 64 bytes of 3. */
	if (declared > max || declared > 64 + 22 * (uint64_t)block.len)
		return ERR_SNAPPY;
	*len = declared;
	return OK;
}

enum err rlpx__snappy_decode(uint8_t *out, size_t len, struct span block)
{
	size_t got = len;

	if (snappy_uncompress((const char *)block.data, block.len, (char *)out, &got) !=
		    SNAPPY_OK ||
	    got != len)
		return ERR_SNAPPY;
	return OK;
}
