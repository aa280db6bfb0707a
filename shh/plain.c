/* SPDX-License-Identifier: MIT */
/* shh/plain.c - the plaintext of a message in its two layouts.
 *
 * geth, status-go, nim-eth and EIP-627:
 *	flags | payload size, 0..3 bytes, little endian | payload | padding | signature
 * parity:
 *	01 | flags | padding size, 0..3 bytes, big endian | padding | signature | payload
 *
 * A layout is read from a span that only shrinks, so nothing outside it can be
 * reached, whatever sizes a sender claims (hardening W8; geth to 1.9.20 reads
 * past the end and falls over).
 */
#include "shh/payload.h"

#define SIZE_BYTES_MASK	   0x03u /* geth flags */
#define SIGNED_FLAG	   0x04u
#define PARITY_VERSION	   1
#define PARITY_SIGNED_FLAG 0x20u
#define PARITY_SIZE_SHIFT  6
#define PARITY_FLAGS_KNOWN 0xe0u
#define SIGNED_MIN	   (SIG_SIZE + 2) /* geth wants two bytes before a signature */

/* All that can stand around payload and padding. */
#define FRAME_MAX	   (2 + 3 + SIG_SIZE)

size_t shh_plain_room(const struct shh_plain *m)
{
	size_t padding = m->padding.len > 0 ? m->padding.len : SHH_PAD_BLOCK;
	size_t n;

	if (size_add(&n, m->payload.len, FRAME_MAX) != OK || size_add(&n, n, padding) != OK)
		return SIZE_MAX;
	return n;
}

/* --- writing -------------------------------------------------------------- */

/* A plaintext in the making: a bump pointer into the caller's room. */
struct room {
	uint8_t *at;
	size_t left;
};

/* Lend len bytes; there is room, as shh_plain_write() saw to. */
static uint8_t *room_take(struct room *r, size_t len)
{
	uint8_t *at = r->at;

	r->at += len;
	r->left -= len;
	return at;
}

static void room_put(struct room *r, struct span s)
{
	uint8_t *at = room_take(r, s.len);

	if (s.len > 0)
		memcpy(at, s.data, s.len);
}

static void room_put_byte(struct room *r, unsigned byte)
{
	*room_take(r, 1) = (uint8_t)byte;
}

/* Padding of len random bytes.  geth takes a long run of zeros for a generator
 * that does not work, and so do we. */
static enum err room_put_random(struct room *r, size_t len, const struct rng *rng)
{
	uint8_t *at = room_take(r, len);
	unsigned any = len > 3 ? 0 : 1;
	enum err e = rng_fill(rng, at, len);

	for (size_t i = 0; i < len; i++)
		any |= at[i];
	return e == OK && any == 0 ? ERR_RANDOM : e;
}

static size_t size_bytes(size_t n)
{
	return n > 0xffff ? 3 : n > 0xff ? 2 : 1;
}

static enum err geth_write(struct room *r, const uint8_t *begin, const struct shh_plain *m,
			   const struct seckey *sign, struct crypto *c, const struct rng *rng)
{
	size_t n = size_bytes(m->payload.len);
	size_t used = 1 + n + m->payload.len + (sign != NULL ? SIG_SIZE : 0);
	uint8_t digest[32];
	enum err e = OK;

	room_put_byte(r, (unsigned)n | (sign != NULL ? SIGNED_FLAG : 0u));
	for (size_t i = 0; i < n; i++)
		room_put_byte(r, (unsigned)(m->payload.len >> 8 * i) & 0xff);
	room_put(r, m->payload);
	if (m->padding.len > 0)
		room_put(r, m->padding);
	else
		e = room_put_random(r, SHH_PAD_BLOCK - used % SHH_PAD_BLOCK, rng);
	if (e != OK || sign == NULL)
		return e;
	keccak256(digest, begin, (size_t)(r->at - begin));
	return crypto_sign(c, room_take(r, SIG_SIZE), digest, sign);
}

/* Generated padding ends one byte short of a block: a plaintext that fills its
 * blocks is geth's, which is how shh_plain_read_any() tells the two apart. */
static enum err parity_write(struct room *r, const struct shh_plain *m, const struct seckey *sign,
			     struct crypto *c, const struct rng *rng)
{
	size_t given = m->padding.len;
	size_t n = given > 0 ? size_bytes(given) : 1;
	size_t used = 2 + n + (sign != NULL ? SIG_SIZE : 0) + m->payload.len;
	size_t padding = given > 0 ? given : SHH_PAD_BLOCK - 1 - used % SHH_PAD_BLOCK;
	uint8_t digest[32];
	enum err e = OK;

	room_put_byte(r, PARITY_VERSION);
	room_put_byte(r,
		      (unsigned)n << PARITY_SIZE_SHIFT | (sign != NULL ? PARITY_SIGNED_FLAG : 0u));
	for (size_t i = n; i-- > 0;)
		room_put_byte(r, (unsigned)(padding >> 8 * i) & 0xff);
	if (given > 0)
		room_put(r, m->padding);
	else
		e = room_put_random(r, padding, rng);
	if (e == OK && sign != NULL) {
		keccak256(digest, m->payload.data, m->payload.len);
		e = crypto_sign(c, room_take(r, SIG_SIZE), digest, sign);
	}
	if (e == OK)
		room_put(r, m->payload);
	return e;
}

enum err shh_plain_write(uint8_t *out, size_t *len, size_t max, const struct shh_plain *m,
			 const struct seckey *sign, struct crypto *c, const struct rng *rng)
{
	struct room r = { .at = out, .left = max };
	enum err e;

	if (m->payload.len > SHH_PAYLOAD_MAX || m->padding.len > SHH_PAYLOAD_MAX ||
	    shh_plain_room(m) > max)
		return ERR_SIZE;
	e = m->form == SHH_FORM_PARITY ? parity_write(&r, m, sign, c, rng)
				       : geth_write(&r, out, m, sign, c, rng);
	if (e == OK)
		*len = max - r.left;
	return e;
}

/* --- reading -------------------------------------------------------------- */

/* Take one byte. */
static bool take_byte(struct span *s, unsigned *byte)
{
	struct span b;

	if (!span_take(s, &b, 1))
		return false;
	*byte = b.data[0];
	return true;
}

/* Take a size of n bytes, 0..3. */
static bool take_size(struct span *s, size_t *size, unsigned n, bool big_endian)
{
	unsigned byte;

	*size = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!take_byte(s, &byte))
			return false;
		*size |= (size_t)byte << 8 * (big_endian ? n - 1 - i : i);
	}
	return true;
}

/* Recover the signer of what hash covers. */
static enum err signer_recover(struct shh_plain *out, struct span sig, struct crypto *c)
{
	out->is_signed = true;
	return crypto_recover(c, &out->signer, out->hash, sig.data);
}

static enum err geth_read(struct shh_plain *out, struct span plain, struct crypto *c)
{
	struct span rest, body = plain, sig = { NULL, 0 };
	unsigned flags;
	size_t size;

	if (!take_byte(&body, &flags))
		return ERR_PAYLOAD;
	body = plain;
	if ((flags & SIGNED_FLAG) != 0) {
		sig = plain;
		if (plain.len < SIGNED_MIN || !span_take(&sig, &body, plain.len - SIG_SIZE))
			return ERR_PAYLOAD;
	}
	keccak256(out->hash, body.data, body.len);
	rest = body;
	if (!take_byte(&rest, &flags) || !take_size(&rest, &size, flags & SIZE_BYTES_MASK, false) ||
	    !span_take(&rest, &out->payload, size))
		return ERR_PAYLOAD;
	out->padding = rest;
	return sig.len > 0 ? signer_recover(out, sig, c) : OK;
}

static enum err parity_read(struct shh_plain *out, struct span plain, struct crypto *c)
{
	unsigned version, flags;
	struct span sig = { NULL, 0 };
	size_t size;

	if (!take_byte(&plain, &version) || version != PARITY_VERSION || !take_byte(&plain, &flags))
		return ERR_PAYLOAD;
	if (!take_size(&plain, &size, flags >> PARITY_SIZE_SHIFT, true) ||
	    !span_take(&plain, &out->padding, size))
		return ERR_PAYLOAD;
	if ((flags & PARITY_SIGNED_FLAG) != 0 && !span_take(&plain, &sig, SIG_SIZE))
		return ERR_PAYLOAD;
	out->payload = plain;
	keccak256(out->hash, plain.data, plain.len);
	return sig.len > 0 ? signer_recover(out, sig, c) : OK;
}

enum err shh_plain_read(struct shh_plain *out, struct span plain, enum shh_form form,
			struct crypto *c)
{
	struct shh_plain m = { .form = form };
	enum err e = form == SHH_FORM_PARITY ? parity_read(&m, plain, c) : geth_read(&m, plain, c);

	if (e == OK)
		*out = m;
	return e;
}

/* Whether geth's own sender could have made it: padded up to whole blocks. */
static bool geth_padded(const struct shh_plain *m, struct span plain)
{
	return plain.len % SHH_PAD_BLOCK == 0 && m->padding.len >= 1 &&
	       m->padding.len <= SHH_PAD_BLOCK;
}

/* Whether parity's own sender could have: no unknown flag. */
static bool parity_flagged(struct span plain)
{
	return plain.len >= 2 && plain.data[0] == PARITY_VERSION &&
	       (plain.data[1] & ~PARITY_FLAGS_KNOWN) == 0;
}

enum err shh_plain_read_any(struct shh_plain *out, struct span plain, struct crypto *c)
{
	struct shh_plain geth, parity;
	enum err e = shh_plain_read(&geth, plain, SHH_FORM_GETH, c);

	if (e == OK && (geth_padded(&geth, plain) || !parity_flagged(plain))) {
		*out = geth;
		return OK;
	}
	if (shh_plain_read(&parity, plain, SHH_FORM_PARITY, c) == OK) {
		*out = parity;
		return OK;
	}
	if (e == OK)
		*out = geth;
	return e;
}
