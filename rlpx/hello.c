/* SPDX-License-Identifier: MIT */
/* rlpx/hello.c - Hello, written once per host and read once per peer. */
#include "rlpx/hello.h"

#include "rlp/rlp.h"

enum err rlpx__hello_write(uint8_t out[static HELLO_SIZE_MAX], size_t *len,
			   const struct rlpx_config *cfg, const struct rlpx_capability *caps,
			   const struct pubkey *id)
{
	struct rlp_writer w = rlp_writer_init(out, HELLO_SIZE_MAX);
	const char *client = cfg->client != NULL ? cfg->client : "";
	size_t hello, list;

	hello = rlp_list_begin(&w);
	rlp_write_u64(&w, cfg->version);
	rlp_write_bytes(&w, (const uint8_t *)client, strnlen(client, RLPX_CLIENT_MAX));
	list = rlp_list_begin(&w);
	for (size_t i = 0; i < cfg->cap_count; i++) {
		size_t pair = rlp_list_begin(&w);

		rlp_write_text(&w, caps[i].name);
		rlp_write_u64(&w, caps[i].version);
		rlp_list_end(&w, pair);
	}
	rlp_list_end(&w, list);
	rlp_write_u64(&w, cfg->listen_port);
	rlp_write_bytes(&w, id->b, sizeof(id->b));
	rlp_list_end(&w, hello);
	*len = w.len;
	return w.err;
}

/* A name is 1 to 8 printable ASCII characters (hardening B1). */
static bool name_read(char out[static RLPX_NAME_MAX + 1], struct span name)
{
	if (name.len < 1 || name.len > RLPX_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= 0x20 || name.data[i] >= 0x7f)
			return false;
	memcpy(out, name.data, name.len);
	out[name.len] = '\0';
	return true;
}

static void caps_read(struct rlpx_hello *out, struct rlp_reader *caps)
{
	while (!rlp_reader_at_end(caps)) {
		struct rlpx_capability *cap = &out->caps[out->cap_count];
		struct rlp_reader pair;
		struct span name;

		if (out->cap_count == RLPX_PEER_CAPS_MAX) {
			rlp_fail(caps, ERR_HELLO);
			return;
		}
		rlp_read_list(caps, &pair);
		name = rlp_read_bytes(&pair);
		cap->version = rlp_read_u32(&pair);
		cap->length = 0;
		rlp_expect_end(&pair);
		if (rlp_reader_err(&pair) != OK || !name_read(cap->name, name)) {
			rlp_fail(caps, ERR_HELLO);
			return;
		}
		out->cap_count++;
	}
}

enum err rlpx__hello_read(struct rlpx_hello *out, struct span payload, const struct pubkey *id)
{
	static const struct pubkey zero;
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list, caps;
	struct span client;
	const uint8_t *their_id;
	uint64_t port;

	out->cap_count = 0;
	rlp_read_list(&r, &list);
	out->version = rlp_read_u32(&list);
	client = rlp_read_bytes(&list);
	rlp_read_list(&list, &caps);
	caps_read(out, &caps);
	port = rlp_read_u64(&list);
	their_id = rlp_read_fixed(&list, sizeof(id->b));
	if (rlp_reader_err(&list) != OK || rlp_reader_err(&caps) != OK)
		return ERR_HELLO;

	client.len = size_min(client.len, RLPX_CLIENT_MAX);
	memcpy(out->client, client.data, client.len);
	out->client[client.len] = '\0';
	out->listen_port = port <= UINT16_MAX ? (uint16_t)port : 0; /* a hint, not believed */
	if (memcmp(their_id, zero.b, sizeof(zero.b)) == 0)
		return ERR_KEY;
	if (memcmp(their_id, id->b, sizeof(id->b)) != 0)
		return ERR_IDENTITY;
	return out->version < HELLO_VERSION_MIN ? ERR_VERSION : OK;
}
