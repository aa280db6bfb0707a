/* SPDX-License-Identifier: MIT */
/* shh/ack.c - confirmations as Status exchanges them: codes 11 and 12.
 *
 * Each Messages packet is answered with a response that lists what was refused,
 * then with an acknowledgement; both name the packet by the keccak of its
 * payload.  We send them to peers whose Status asks for them, and only if we
 * are configured to; whoever sends them to us is heard.
 */
#include "shh/internal.h"

#define TEXT_MAX     64
#define RESPONSE_MAX 8192 /* 64 refusals with their texts fit */

void shh__ack(struct shh *s, struct shh__peer *p, struct span payload,
	      const struct shh__refused *refused, size_t count)
{
	struct shh_response_item items[64];
	uint8_t hash[32], ack[33];
	struct blob *blob;

	keccak256(hash, payload.data, payload.len);
	count = size_min(count, sizeof(items) / sizeof(items[0]));
	for (size_t i = 0; i < count; i++) {
		memcpy(items[i].hash, refused[i].hash, sizeof(items[i].hash));
		items[i].code = refused[i].code;
		items[i].text = span_of(refused[i].text, strnlen(refused[i].text, TEXT_MAX));
	}
	if (blob_new(&blob, s->cfg.mem, MEM_SEND, RESPONSE_MAX) == OK) {
		blob->len = shh_response_write(blob->data, RESPONSE_MAX, hash, items, count);
		if (blob->len > 0)
			shh__peer_parcel(s, p, SHH_MESSAGE_RESPONSE, blob);
		else
			blob_unref(blob);
	}
	if (blob_new(&blob, s->cfg.mem, MEM_SEND, sizeof(ack)) == OK) {
		blob->len = shh_batch_ack_write(blob->data, hash);
		shh__peer_parcel(s, p, SHH_BATCH_ACK, blob);
	}
}

static void confirmed(struct shh *s, struct shh__peer *p, const uint8_t hash[static 32],
		      size_t refused)
{
	struct shh__confirmed *c;

	if (p->confirmed == NULL) {
		p->confirmed = mem_alloc(s->cfg.mem, MEM_PEERS, SHH__CONFIRMED_MAX * sizeof(*c));
		if (p->confirmed == NULL)
			return;
	}
	if (p->confirmed_count == SHH__CONFIRMED_MAX) {
		p->confirmed_at = (p->confirmed_at + 1) % SHH__CONFIRMED_MAX;
		p->confirmed_count--;
	}
	c = &p->confirmed[(p->confirmed_at + p->confirmed_count++) % SHH__CONFIRMED_MAX];
	memcpy(c->hash, hash, sizeof(c->hash));
	c->refused = refused;
	shh__peer_wake(s, p);
}

static enum err response_recv(struct shh *s, struct shh__peer *p, struct span payload)
{
	struct shh_response r;
	struct shh_response_item item;
	size_t refused = 0;
	enum err err = shh_response_read(&r, payload);

	if (err != OK || !r.known_version)
		return err;
	while (shh_response_next(&r, &item))
		refused++;
	if (rlp_reader_err(&r.items) != OK)
		return rlp_reader_err(&r.items);
	confirmed(s, p, r.batch_hash, refused);
	return OK;
}

/* A malformed one is an error from those who speak this dialect; geth would not
 * even look at it, so from others it is only charged. */
enum err shh__ack_recv(struct shh *s, struct shh__peer *p, uint32_t code, struct span payload)
{
	uint8_t hash[32];
	enum err err;

	if (code == SHH_MESSAGE_RESPONSE) {
		err = response_recv(s, p, payload);
	} else {
		err = shh_batch_ack_read(hash, payload);
		if (err == OK)
			confirmed(s, p, hash, 0);
	}
	if (err == OK)
		return OK;
	shh__peer_charge(s, p, SHH__DROP_CHARGE);
	return p->status.confirmations ? err : OK;
}
