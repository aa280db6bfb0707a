/* SPDX-License-Identifier: MIT */
/* rlpx/handshake.c - auth and ack, written and read.
 *
 * How a reader tells the forms apart.  A plain packet is ECIES output and so
 * begins with 04, the mark of a point.  An EIP-8 packet has the mark behind
 * two bytes of size, and the size begins with 04 only from 1024 to 1279.  So:
 *
 *	first byte not 04	EIP-8
 *	first byte 04		plain once 307 (210) bytes are there; if its tag is
 *				wrong and the third byte is 04 too, then EIP-8 after all
 *
 * One ECDH for honest peers of either kind, two only for the doubtful case
 * (hardening H9 has the host charge plain twice).
 */
#include "rlpx/handshake.h"

#include <assert.h>

#include "rlp/rlp.h"

#define POINT_MARK   0x04
#define AUTH_VERSION 4

static const struct span nothing;

enum err rlpx__handshake_begin(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			       bool initiator)
{
	enum err e = seckey_generate(us->crypto, &hs->ephemeral, us->rng);

	hs->initiator = initiator;
	if (e == OK)
		e = rng_fill(us->rng, hs->nonce, sizeof(hs->nonce));
	if (e == OK)
		e = pubkey_of(us->crypto, &hs->ephemeral_pub, &hs->ephemeral);
	return e;
}

/* --- writing ----------------------------------------------------------------- */

/* Seal a body for the peer; the EIP-8 form gets padding and a prefix. */
static enum err packet_seal(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			    uint8_t body[static HANDSHAKE_BODY_MAX], size_t len)
{
	uint8_t draw[2];
	size_t prefix = 0;
	enum err e = OK;

	if (!hs->plain) {
		size_t pad;

		e = rng_fill(us->rng, draw, sizeof(draw));
		if (e != OK)
			return e;
		pad = PAD_MIN + be16_load(draw) % PAD_SPREAD;
		memset(body + len, 0, pad);
		len += pad;
		prefix = 2;
		be16_store(hs->sent, (uint16_t)(len + ECIES_OVERHEAD));
	}
	e = ecies_seal(us->crypto, hs->sent + prefix, us->rng, span_of(body, len), &hs->peer,
		       nothing, span_of(hs->sent, prefix));
	if (e == OK)
		hs->sent_len = (uint16_t)(prefix + len + ECIES_OVERHEAD);
	return e;
}

/* The value that the initiator signs: static secret XOR its nonce. */
static enum err auth_token(uint8_t token[static 32], const struct rlpx__identity *us,
			   const struct pubkey *peer, const uint8_t nonce[static 32])
{
	enum err e = crypto_ecdh(us->crypto, token, us->key, peer);

	for (size_t i = 0; e == OK && i < 32; i++)
		token[i] ^= nonce[i];
	return e;
}

enum err rlpx__auth_write(struct rlpx__handshake *hs, const struct rlpx__identity *us)
{
	uint8_t body[HANDSHAKE_BODY_MAX], token[32], sig[SIG_SIZE];
	struct rlp_writer w = rlp_writer_init(body, sizeof(body));
	enum err e = auth_token(token, us, &hs->peer, hs->nonce);

	if (e == OK)
		e = crypto_sign(us->crypto, sig, token, &hs->ephemeral);
	crypto_wipe(token, sizeof(token));
	if (e != OK)
		return e;
	if (hs->plain) {
		uint8_t hash[32];
		const uint8_t no_token = 0;

		keccak256(hash, hs->ephemeral_pub.b, sizeof(hs->ephemeral_pub.b));
		rlp_write_raw(&w, sig, sizeof(sig));
		rlp_write_raw(&w, hash, sizeof(hash));
		rlp_write_raw(&w, us->id->b, sizeof(us->id->b));
		rlp_write_raw(&w, hs->nonce, sizeof(hs->nonce));
		rlp_write_raw(&w, &no_token, 1);
	} else {
		size_t list = rlp_list_begin(&w);

		rlp_write_bytes(&w, sig, sizeof(sig));
		rlp_write_bytes(&w, us->id->b, sizeof(us->id->b));
		rlp_write_bytes(&w, hs->nonce, sizeof(hs->nonce));
		rlp_write_u64(&w, AUTH_VERSION);
		rlp_list_end(&w, list);
	}
	return w.err != OK ? w.err : packet_seal(hs, us, body, w.len);
}

enum err rlpx__ack_write(struct rlpx__handshake *hs, const struct rlpx__identity *us)
{
	uint8_t body[HANDSHAKE_BODY_MAX];
	struct rlp_writer w = rlp_writer_init(body, sizeof(body));

	if (hs->plain) {
		const uint8_t no_token = 0;

		rlp_write_raw(&w, hs->ephemeral_pub.b, sizeof(hs->ephemeral_pub.b));
		rlp_write_raw(&w, hs->nonce, sizeof(hs->nonce));
		rlp_write_raw(&w, &no_token, 1);
	} else {
		size_t list = rlp_list_begin(&w);

		rlp_write_bytes(&w, hs->ephemeral_pub.b, sizeof(hs->ephemeral_pub.b));
		rlp_write_bytes(&w, hs->nonce, sizeof(hs->nonce));
		rlp_write_u64(&w, AUTH_VERSION);
		rlp_list_end(&w, list);
	}
	return w.err != OK ? w.err : packet_seal(hs, us, body, w.len);
}

/* --- reading ----------------------------------------------------------------- */

static size_t plain_size(const struct rlpx__handshake *hs)
{
	return hs->initiator ? ACK_PLAIN : AUTH_PLAIN;
}

static bool size_allowed(const struct rlpx__handshake *hs)
{
	size_t size = be16_load(hs->got);

	return size >= (hs->initiator ? ACK_SIZE_MIN : AUTH_SIZE_MIN) && size <= RLPX_AUTH_MAX;
}

/* Whether what has come so far is being read as plain. */
static bool reads_plain(const struct rlpx__handshake *hs, const struct rlpx__identity *us)
{
	bool allowed = hs->initiator ? hs->plain : us->accept_plain;

	return allowed && !hs->not_plain && hs->got[0] == POINT_MARK;
}

/* Bytes of the whole packet as far as can be told; ERR_SIZE if there is no such packet. */
static enum err packet_size(const struct rlpx__handshake *hs, const struct rlpx__identity *us,
			    size_t *size)
{
	*size = 2;
	if (hs->got_len < 2)
		return OK;
	if (reads_plain(hs, us)) {
		*size = plain_size(hs);
		return OK;
	}
	if (!size_allowed(hs))
		return ERR_SIZE;
	*size += be16_load(hs->got);
	return OK;
}

enum err rlpx__handshake_take(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			      size_t *taken, bool *whole, const uint8_t *data, size_t len)
{
	*taken = 0;
	*whole = false;
	for (;;) {
		size_t size, part;
		enum err e = packet_size(hs, us, &size);

		if (e != OK)
			return e;
		if (hs->got_len == size) {
			*whole = true; /* two bytes alone never are: size would be larger */
			return OK;
		}
		part = size_min(size - hs->got_len, len - *taken);
		if (part == 0)
			return OK;
		memcpy(hs->got + hs->got_len, data + *taken, part);
		hs->got_len = (uint16_t)(hs->got_len + part);
		*taken += part;
	}
}

struct span rlpx__handshake_sealed(const struct rlpx__handshake *hs,
				   const struct rlpx__identity *us)
{
	size_t prefix = reads_plain(hs, us) ? 0 : 2;

	return span_of(hs->got + prefix, hs->got_len - prefix);
}

/* Decrypt a whole packet into body. */
static enum err packet_open(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			    uint8_t body[static RLPX_AUTH_MAX], size_t *len, bool *more)
{
	struct span sealed = rlpx__handshake_sealed(hs, us);
	bool plain = reads_plain(hs, us);
	enum err e = ecies_open(us->crypto, body, sealed, us->key, nothing,
				span_of(hs->got, plain ? 0 : 2));

	*more = false;
	if (e == OK) {
		hs->plain = plain;
		*len = sealed.len - ECIES_OVERHEAD;
	} else if (plain && hs->got[2] == POINT_MARK && size_allowed(hs)) {
		hs->not_plain = true;
		*more = true;
		e = OK;
	}
	return e;
}

/* The fields of an auth, in either form. */
struct auth {
	const uint8_t *sig, *id, *nonce;
};

static enum err auth_parse(struct auth *a, const uint8_t *body, size_t len, bool plain)
{
	struct rlp_reader r = rlp_reader_init(body, len), list;

	if (plain) { /* sig 65 | hash of the ephemeral key 32 | id 64 | nonce 32 | 00 */
		assert(len == AUTH_PLAIN - ECIES_OVERHEAD);
		*a = (struct auth){ body, body + 97, body + 161 };
		return OK;
	}
	rlp_read_list(&r, &list);
	a->sig = rlp_read_fixed(&list, SIG_SIZE);
	a->id = rlp_read_fixed(&list, 64);
	a->nonce = rlp_read_fixed(&list, 32);
	(void)rlp_read_u64(&list); /* any version; more elements and bytes: EIP-8 */
	return rlp_reader_err(&list);
}

static enum err auth_accept(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			    const struct auth *a)
{
	uint8_t token[32];
	enum err e;

	memcpy(hs->peer.b, a->id, sizeof(hs->peer.b));
	memcpy(hs->peer_nonce, a->nonce, sizeof(hs->peer_nonce));
	e = auth_token(token, us, &hs->peer, hs->peer_nonce);
	if (e == OK)
		e = crypto_recover(us->crypto, &hs->peer_ephemeral, token, a->sig);
	crypto_wipe(token, sizeof(token));
	if (e == OK && crypto_eq(&hs->peer_ephemeral, &hs->peer, sizeof(hs->peer)))
		e = ERR_KEY; /* hardening H7 */
	return e;
}

enum err rlpx__auth_open(struct rlpx__handshake *hs, const struct rlpx__identity *us, bool *more)
{
	uint8_t body[RLPX_AUTH_MAX];
	struct auth a;
	size_t len = 0;
	enum err e = packet_open(hs, us, body, &len, more);

	if (e != OK || *more)
		return e;
	e = auth_parse(&a, body, len, hs->plain);
	return e != OK ? e : auth_accept(hs, us, &a);
}

enum err rlpx__ack_open(struct rlpx__handshake *hs, const struct rlpx__identity *us, bool *more)
{
	uint8_t body[RLPX_AUTH_MAX];
	const uint8_t *key = body, *nonce = body + 64; /* plain: key 64 | nonce 32 | 00 */
	size_t len = 0;
	enum err e = packet_open(hs, us, body, &len, more);

	if (e != OK || *more)
		return e;
	assert(!hs->plain || len == ACK_PLAIN - ECIES_OVERHEAD);
	if (!hs->plain) {
		struct rlp_reader r = rlp_reader_init(body, len), list;

		rlp_read_list(&r, &list);
		key = rlp_read_fixed(&list, 64);
		nonce = rlp_read_fixed(&list, 32);
		(void)rlp_read_u64(&list);
		if (rlp_reader_err(&list) != OK)
			return ERR_RLP;
	}
	memcpy(hs->peer_ephemeral.b, key, sizeof(hs->peer_ephemeral.b));
	memcpy(hs->peer_nonce, nonce, sizeof(hs->peer_nonce));
	if (crypto_eq(&hs->peer_ephemeral, &hs->peer, sizeof(hs->peer)))
		return ERR_KEY; /* hardening H7; the curve is checked when secrets are made */
	return OK;
}

enum err rlpx__handshake_secrets(const struct rlpx__handshake *hs, const struct rlpx__identity *us,
				 struct rlpx__secrets *out)
{
	struct span sent = span_of(hs->sent, hs->sent_len), got = span_of(hs->got, hs->got_len);

	if (hs->initiator)
		return rlpx__secrets_derive(out, us->crypto, &hs->ephemeral, &hs->peer_ephemeral,
					    hs->nonce, hs->peer_nonce, sent, got);
	return rlpx__secrets_derive(out, us->crypto, &hs->ephemeral, &hs->peer_ephemeral,
				    hs->peer_nonce, hs->nonce, got, sent);
}
