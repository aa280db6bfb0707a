/* SPDX-License-Identifier: MIT */
/* rlpx/disconnect.c - saying and hearing goodbye.
 *
 * Forms in use for reason 4: c104 (the specification), 04 (geth 1.10.17 to 1.14,
 * erigon, ethereumjs), 82c104 (bor); reason 0 also as c100 or 00; any of them
 * uncompressed where it should not be (nethermind, ethereumjs, parity).
 */
#include "rlpx/disconnect.h"

#include "rlp/rlp.h"
#include "rlpx/snappy.h"

/* The payload of the first item; a byte below 0x80 is its own payload. */
static bool item_open(struct span *payload, bool *is_list, struct span in)
{
	struct rlp_reader r = rlp_reader_init(in.data, in.len), list;

	*is_list = rlp_next_is_list(&r);
	if (*is_list) {
		rlp_read_list(&r, &list);
		*payload = span_of(list.at, list.left);
	} else {
		*payload = rlp_read_bytes(&r);
	}
	return rlp_reader_err(&r) == OK;
}

unsigned rlpx__disconnect_read(struct span payload)
{
	bool is_list;

	if (payload.len == 0 || payload.len > DISCONNECT_MAX)
		return RLPX_REASON_UNKNOWN;
	/* At most: a string around a list around the value. */
	for (int level = 0; level < 3; level++) {
		if (!item_open(&payload, &is_list, payload))
			return RLPX_REASON_UNKNOWN;
		if (is_list) {
			if (payload.len == 0)
				return RLPX_REASON_UNKNOWN;
			continue;
		}
		if (payload.len == 0)
			return RLPX_REQUESTED; /* the integer 0 */
		if (payload.len == 1)
			return payload.data[0];
		if (payload.data[0] < 0xc0)
			return RLPX_REASON_UNKNOWN;
	}
	return RLPX_REASON_UNKNOWN;
}

unsigned rlpx__disconnect_read_frame(struct span payload, bool snappy)
{
	uint8_t plain[DISCONNECT_MAX];
	size_t len;

	if (snappy && rlpx__snappy_length(&len, payload, sizeof(plain)) == OK && len > 0 &&
	    rlpx__snappy_decode(plain, len, payload) == OK)
		return rlpx__disconnect_read(span_of(plain, len));
	return rlpx__disconnect_read(payload);
}

size_t rlpx__disconnect_write(uint8_t out[static 3], unsigned reason)
{
	struct rlp_writer w = rlp_writer_init(out, 3);

	rlp_write_list(&w, rlp_size_u64(reason));
	rlp_write_u64(&w, reason);
	return w.len;
}

const char *rlpx_reason_text(unsigned reason)
{
	static const char *const texts[] = {
		[RLPX_REQUESTED] = "requested",
		[RLPX_NETWORK_ERROR] = "network error",
		[RLPX_BREACH] = "breach of protocol",
		[RLPX_USELESS] = "useless peer",
		[RLPX_TOO_MANY_PEERS] = "too many peers",
		[RLPX_ALREADY_CONNECTED] = "already connected",
		[RLPX_INCOMPATIBLE] = "incompatible p2p version",
		[RLPX_NULL_IDENTITY] = "invalid identity",
		[RLPX_QUITTING] = "client quitting",
		[RLPX_UNEXPECTED_IDENTITY] = "unexpected identity",
		[RLPX_SELF] = "connected to self",
		[RLPX_PING_TIMEOUT] = "ping timeout",
		[RLPX_SUBPROTOCOL] = "subprotocol error",
	};
	const char *text = NULL;

	if (reason == RLPX_REASON_UNKNOWN)
		return "none given";
	if (reason < sizeof(texts) / sizeof(texts[0]))
		text = texts[reason];
	return text != NULL ? text : "unknown reason";
}

unsigned rlpx_reason_of(enum err e)
{
	switch (e) {
	case OK:
	case ERR_STATE:
	case ERR_RANDOM:
	case ERR_ARG:
	case ERR_NOT_FOUND:
	case ERR_TARGET: return RLPX_REQUESTED;
	case ERR_MEM:
	case ERR_TOO_MANY: return RLPX_TOO_MANY_PEERS;
	case ERR_FULL: return RLPX_NETWORK_ERROR;
	case ERR_EXISTS:
	case ERR_DUPLICATE: return RLPX_ALREADY_CONNECTED;
	case ERR_SELF: return RLPX_SELF;
	case ERR_IDENTITY: return RLPX_UNEXPECTED_IDENTITY;
	case ERR_KEY: return RLPX_NULL_IDENTITY;
	case ERR_USELESS: return RLPX_USELESS;
	case ERR_VERSION: return RLPX_INCOMPATIBLE;
	case ERR_TIMEOUT: return RLPX_PING_TIMEOUT;
	case ERR_SIZE:
	case ERR_RLP:
	case ERR_TRAILING:
	case ERR_SNAPPY:
	case ERR_CODE:
	case ERR_HELLO:
	case ERR_FLOOD:
	case ERR_PROTOCOL:
	case ERR_STATUS: return RLPX_BREACH;
	case ERR_ENVELOPE:
	case ERR_EXPIRED:
	case ERR_WORK:
	case ERR_BLOOM:
	case ERR_PAYLOAD: return RLPX_SUBPROTOCOL;
	case ERR_IO:
	case ERR_SIG:
	case ERR_MAC:
	case ERR_DECRYPT:
	case ERR_CLOSED:
	case ERR_REPLAY: break; /* closed without a word */
	}
	return RLPX_REASON_UNKNOWN;
}
