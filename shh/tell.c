/* SPDX-License-Identifier: MIT */
/* shh/tell.c - what is said to a peer, and told about it: marks become events here. */
#include "shh/internal.h"

#include <math.h>

#define PARITY_CODES   112 /* from this code on parity loses the connection */
#define PARITY_POW_MIN 0x1p-1000
#define ONE_BYTE_CODES 0x80

bool shh__peer_takes_code(const struct shh__peer *p, uint32_t code)
{
	if (p->one_byte_codes && p->code_offset + code >= ONE_BYTE_CODES)
		return false;
	return p->dialect != SHH_DIALECT_PARITY || code < PARITY_CODES;
}

void shh__peer_parcel(struct shh *s, struct shh__peer *p, uint32_t code, struct blob *blob)
{
	struct shh__parcel *parcel = NULL;

	if (p->parcel_count < SHH__PARCELS_MAX)
		parcel = mem_alloc(s->cfg.mem, MEM_PEERS, sizeof(*parcel));
	if (parcel == NULL) {
		blob_unref(blob);
		return;
	}
	*parcel = (struct shh__parcel){ .code = code, .blob = blob };
	*p->parcels_end = parcel;
	p->parcels_end = &parcel->next;
	p->parcel_count++;
	shh__peer_wake(s, p);
}

static bool say(struct shh *s, struct shh__peer *p, struct shh_event *ev, uint32_t code,
		const uint8_t *data, size_t len)
{
	struct blob *blob;

	if (blob_new(&blob, s->cfg.mem, MEM_SEND, len) != OK) {
		shh__peer_drop(s, p, ERR_MEM, "no memory for a packet");
		return false;
	}
	memcpy(blob->data, data, len);
	*ev = (struct shh_event){ .type = SHH_EV_SEND, .peer = p->slot };
	ev->u.send.code = code;
	ev->u.send.payload = blob;
	return true;
}

/* Confirmations are Status' own; between two of us they would only cost. */
static bool say_status(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	struct shh_status st = { .form = SHH_STATUS_FOUR, .min_pow = s->cfg.min_pow };
	uint8_t packet[SHH_STATUS_MAX];

	st.has_bloom = s->has_bloom;
	st.bloom = s->bloom;
	st.light = s->cfg.light;
	st.confirmations = s->cfg.confirmations && p->dialect != SHH_DIALECT_SOTTO;
	return say(s, p, ev, SHH_STATUS, packet, shh_status_write(packet, sizeof(packet), &st));
}

/* parity takes eight bytes of a "normal" double only, and ends the connection over
 * others (docs/PEERS.md "Malformed packets"): instead of none it hears of hardly any. */
static bool say_pow(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	double least = p->dialect == SHH_DIALECT_PARITY ? PARITY_POW_MIN : 0;
	uint8_t packet[9];

	return say(s, p, ev, SHH_POW, packet, shh_pow_write(packet, fmax(s->cfg.min_pow, least)));
}

/* parity would read our bits from the other end. */
static bool say_bloom(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	uint8_t packet[66];
	struct shh_bloom bloom = s->bloom;

	if (p->dialect == SHH_DIALECT_PARITY)
		return false;
	if (!s->has_bloom)
		memset(bloom.b, 0xff, sizeof(bloom.b));
	return say(s, p, ev, SHH_BLOOM, packet, shh_bloom_write(packet, &bloom));
}

static bool say_parcel(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	struct shh__parcel *parcel = p->parcels;

	p->parcels = parcel->next;
	p->parcel_count--;
	if (p->parcels == NULL)
		p->parcels_end = &p->parcels;
	*ev = (struct shh_event){ .type = SHH_EV_SEND, .peer = p->slot };
	ev->u.send.code = parcel->code;
	ev->u.send.payload = parcel->blob;
	mem_free(s->cfg.mem, MEM_PEERS, parcel, sizeof(*parcel));
	return true;
}

static bool tell_confirmed(struct shh__peer *p, struct shh_event *ev)
{
	const struct shh__confirmed *c = &p->confirmed[p->confirmed_at];

	*ev = (struct shh_event){ .type = SHH_EV_CONFIRMED, .peer = p->slot };
	memcpy(ev->u.confirmed.batch_hash, c->hash, sizeof(c->hash));
	ev->u.confirmed.refused = c->refused;
	p->confirmed_at = (p->confirmed_at + 1) % SHH__CONFIRMED_MAX;
	p->confirmed_count--;
	return true;
}

static bool tell(struct shh *s, struct shh__peer *p, unsigned mark, struct shh_event *ev)
{
	switch (mark) {
	case SHH__SAY_STATUS: return say_status(s, p, ev);
	case SHH__SAY_POW: return say_pow(s, p, ev);
	case SHH__SAY_BLOOM: return say_bloom(s, p, ev);
	case SHH__TELL_READY:
	case SHH__TELL_DIALECT:
		*ev = (struct shh_event){ .peer = p->slot };
		ev->type = mark == SHH__TELL_READY ? SHH_EV_READY : SHH_EV_DIALECT;
		ev->u.ready.dialect = p->dialect;
		ev->u.ready.status = &p->status;
		return true;
	case SHH__TELL_PAUSE:
		*ev = (struct shh_event){ .type = SHH_EV_PAUSE, .peer = p->slot };
		ev->u.pause.until_ms = p->paused_ms;
		return true;
	case SHH__TELL_DROP:
		*ev = (struct shh_event){ .type = SHH_EV_DROP, .peer = p->slot };
		ev->u.drop.err = p->drop_err;
		ev->u.drop.why = p->drop_why;
		return true;
	default: return false;
	}
}

/* The next thing to say to it or to tell about it; false when there is none,
 * and then an ended peer is gone. */
bool shh__peer_poll(struct shh *s, struct shh__peer *p, struct shh_event *ev)
{
	while (p->marks != 0) {
		unsigned mark = p->marks & (0u - p->marks);

		p->marks &= ~mark;
		if (tell(s, p, mark, ev))
			return true;
	}
	if (p->confirmed_count > 0)
		return tell_confirmed(p, ev);
	if (p->parcels != NULL)
		return say_parcel(s, p, ev);
	if (p->phase == SHH__ENDED)
		shh__peer_free(s, p);
	else
		shh__list_append(&s->active, &p->link);
	return false;
}
