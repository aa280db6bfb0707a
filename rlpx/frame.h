/* SPDX-License-Identifier: MIT */
/* rlpx/frame.h - frames: the cipher stream and the running MACs of one connection.
 *
 * wire = header 16 | header MAC 16 | body, padded to 16 | body MAC 16
 *
 * Every function works on several connections at once, so that their Keccak
 * permutations run side by side; a lone frame is simply a count of one.  No
 * connection may stand twice in one call: its frames are a chain.
 *
 * Source: devp2p rlpx.md, "Framing".
 */
#ifndef RLPX_FRAME_H
#define RLPX_FRAME_H

#include "crypto/crypto.h"
#include "crypto/keccak.h"
#include "rlpx/secrets.h"

#define FRAME_HEADER 32 /* bytes of header and header MAC */
#define FRAME_MAC    16
#define FRAME_BLOCK  16

/* One direction: 240 bytes. */
struct rlpx__flow {
	struct keccak mac;
	uint8_t last[16]; /* front of the digest of mac as it stands: never computed twice */
	uint64_t block;	  /* position in the cipher stream */
};

struct rlpx__frames {
	struct aes_ctr *stream;	 /* both directions: one key, two positions */
	uint64_t stream_at;	 /* the block where stream stands */
	struct aes_block *block; /* inside the MACs */
	struct rlpx__flow in, out;
};

/* Begin with fresh secrets.  errors ERR_MEM; f is then as after rlpx__frames_end(). */
MUST_CHECK enum err rlpx__frames_begin(struct rlpx__frames *f, const struct rlpx__secrets *s,
				       bool initiator);

/* Free the contexts and wipe; allowed on zeroed memory and twice. */
void rlpx__frames_end(struct rlpx__frames *f);

/* Bytes of a body of size bytes with its padding; size <= 0xffffff. */
static inline size_t rlpx__frame_padded(size_t size)
{
	return (size + FRAME_BLOCK - 1) & ~(size_t)(FRAME_BLOCK - 1);
}

struct rlpx__header_job {
	struct rlpx__frames *frames;
	uint8_t *data; /* FRAME_HEADER bytes, decrypted in place if genuine */
	uint32_t size; /* out: bytes of the body without padding; may be 0 */
	enum err err;  /* out: OK or ERR_MAC, and then nothing was decrypted */
};
void rlpx__open_headers(struct rlpx__header_job *jobs, size_t count);

struct rlpx__body_job {
	struct rlpx__frames *frames;
	uint8_t *data; /* padded body and MAC; the body decrypted in place if genuine */
	size_t size;   /* bytes of the body without padding */
	enum err err;  /* out: OK or ERR_MAC, and then nothing was decrypted */
};
void rlpx__open_bodies(struct rlpx__body_job *jobs, size_t count);

struct rlpx__seal_job {
	struct rlpx__frames *frames;
	uint8_t *data; /* a whole frame: the plain body stands behind FRAME_HEADER bytes,
	                  padding zeroed; header and MACs are filled in */
	size_t size;   /* bytes of the body without padding, 1..0xffffff */
};
void rlpx__seal_frames(struct rlpx__seal_job *jobs, size_t count);

#endif /* RLPX_FRAME_H */
