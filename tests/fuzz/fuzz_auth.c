/* SPDX-License-Identifier: MIT */
/* Handshake packets for a recipient and for an initiator: raw, or a body that was
 * properly sealed, or an honest packet bent in places.  Nothing grows, every refusal
 * is silent, and who is accepted has a key on the curve (hardening H2, H4, H11).
 *
 * input	kind, pieces, then bytes: the packet, the body, or pairs (offset, mask)
 */
#include "tests/fuzz/fuzz.h"
#include "tests/rlpx_pair.h"

#define BODY_MAX (RLPX_AUTH_MAX - ECIES_OVERHEAD)

enum { RAW, SEALED_EIP8, SEALED_PLAIN, BENT, KINDS };

/* Seal a body for side s in one of the forms. */
static size_t seal(struct pair *p, struct side *s, uint8_t *packet, struct span body, bool plain)
{
	size_t prefix = plain ? 0 : 2;
	enum err e;

	be16_store(packet, (uint16_t)(body.len + ECIES_OVERHEAD));
	e = ecies_seal(p->crypto, packet + prefix, &p->rng, body, rlpx_host_id(s->host),
		       span_of(NULL, 0), span_of(packet, prefix));
	fuzz_check(e == OK);
	return prefix + body.len + ECIES_OVERHEAD;
}

/* An honest packet of the other side's: an auth, or the ack to ours. */
static size_t honest_copy(struct pair *p, struct side *s, uint8_t *packet)
{
	struct side *other = s == &p->a ? &p->b : &p->a;
	const uint8_t *honest;
	size_t len = rlpx_output(p->a.conn, &honest);

	memcpy(packet, honest, len);
	if (other == &p->a)
		return len;
	(void)side_give(p, other, packet, len);
	len = rlpx_output(other->conn, &honest);
	if (len > 0)
		memcpy(packet, honest, len);
	return len;
}

static size_t packet_make(struct pair *p, struct side *s, uint8_t kind, uint8_t *packet,
			  struct span in)
{
	size_t len;

	switch (kind % KINDS) {
	case RAW:
		len = size_min(in.len, 4096);
		if (len > 0)
			memcpy(packet, in.data, len);
		return len;
	case SEALED_EIP8:
	case SEALED_PLAIN:
		in.len = size_min(in.len, BODY_MAX);
		if (in.len == 0)
			return 0;
		return seal(p, s, packet, in, kind % KINDS == SEALED_PLAIN);
	case BENT:
		len = honest_copy(p, s, packet);
		while (in.len > 0 && len > 0) { /* a plain auth may have been refused */
			uint64_t at = (uint64_t)fuzz_u8(&in) << 8 | fuzz_u8(&in);

			packet[at % len] ^= fuzz_u8(&in);
		}
		return len;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pair p;
	struct span in = span_of(data, size);
	uint8_t kind = fuzz_u8(&in), packet[8192];
	const uint8_t *out;
	struct side *s;
	size_t len, used;

	pair_init(&p, 1);
	pair_hosts(&p, NULL, NULL);
	p.b.host->accept_plain = !(kind & 0x40);
	pair_connect(&p, (kind & 0x20) != 0);
	p.piece = fuzz_u8(&in) * 8u;
	s = kind & 0x80 ? &p.a : &p.b;
	len = packet_make(&p, s, kind, packet, in);
	rlpx_output_taken(p.a.conn, rlpx_output(p.a.conn, &out), p.now_ms);
	used = p.mem.used[MEM_PREAUTH];
	if (len > 0)
		(void)side_give(&p, s, packet, len);
	fuzz_check(p.mem.used[MEM_PREAUTH] <= used);
	if (s->identified) {
		fuzz_check(pubkey_check(p.crypto, &s->conn->peer) == OK);
		fuzz_check(s->conn->state == RLPX__HELLO || s->conn->state == RLPX__CLOSED);
	} else if (s->closed) {
		fuzz_check(s->conn->state == RLPX__CLOSED);
		fuzz_check(rlpx_output(s->conn, &out) == 0);
	} else {
		fuzz_check(s->conn->state == RLPX__AUTH || s->conn->state == RLPX__ACK);
		fuzz_check(rlpx_deadline(s->conn) <= p.now_ms + AUTH_MS);
	}
	pair_free(&p);
	return 0;
}
