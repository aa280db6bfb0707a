/* SPDX-License-Identifier: MIT */
/* bench/hub.c - a driver of memory for one node and the ends of its links. */
#include "bench/hub.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench/hub: %s\n", what);
		abort();
	}
}

void hub_new(struct hub *h, uint32_t pool_count)
{
	struct node_config cfg;
	struct seckey key;
	const char *what = "";

	memset(h, 0, sizeof(*h));
	bench_mem_init(&h->mem);
	bench_mem_init(&h->ends_mem);
	h->rng = rng_seeded_init(&h->seed, 3);
	h->now_ms = 1000;
	must(crypto_new(&h->crypto, &h->rng) == OK &&
		     seckey_generate(h->crypto, &key, &h->rng) == OK,
	     "no keys");
	node_config_init(&cfg);
	cfg.key = &key;
	cfg.crypto = h->crypto;
	cfg.mem = &h->mem;
	cfg.rng = h->rng;
	cfg.wall_offset_ms = CORPUS_WALL_MS;
	cfg.client = "bench";
	cfg.max_peers = NODE_PEERS_MAX;
	cfg.lan_exempt = true;
	cfg.shh.min_pow = 1e-9;
	cfg.shh.pace = 0;
	cfg.shh.pool_bytes = SIZE_MAX / 4;
	cfg.shh.pool_count = pool_count;
	must(node_new(&h->node, &cfg, &what, h->now_ms) == OK, what);
}

void hub_free(struct hub *h)
{
	node_free(h->node);
	for (size_t i = 0; i < h->end_count; i++) {
		rlpx_free(h->ends[i].conn);
		rlpx_host_free(h->ends[i].host);
	}
	crypto_free(h->crypto);
}

struct shh_stats hub_stats(struct hub *h)
{
	struct shh_stats s;

	shh_stats(node_shh(h->node), &s);
	return s;
}

/* --- an end ----------------------------------------------------------------------- */

static void say_status(struct hub *h, struct hub_end *e)
{
	struct shh_status s = { .min_pow = 0 };
	struct blob *b;

	must(blob_new(&b, &h->ends_mem, MEM_SEND, SHH_STATUS_MAX) == OK, "no memory");
	b->len = shh_status_write(b->data, SHH_STATUS_MAX, &s);
	must(rlpx_send(e->conn, 0, SHH_STATUS, b) == OK, "an end cannot send");
}

static void end_events(struct hub *h, struct hub_end *e)
{
	struct rlpx_event ev;

	while (rlpx_poll(e->conn, &ev)) {
		must(ev.type != RLPX_CLOSED, "a link was closed");
		if (ev.type == RLPX_HELLO)
			say_status(h, e);
		if (ev.type == RLPX_MESSAGE && ev.u.message.code == SHH_STATUS)
			e->is_up = true;
	}
}

static void end_take(struct hub *h, struct hub_end *e, const uint8_t *data, size_t len)
{
	static uint8_t copy[1 << 22];
	size_t at = 0, taken;

	e->bytes += len;
	if (e->is_deaf)
		return;
	must(len <= sizeof(copy), "too much output at once");
	memcpy(copy, data, len);
	while (at < len) {
		must(rlpx_recv(e->conn, &taken, copy + at, len - at, h->now_ms) == OK,
		     "an end fails");
		at += taken;
		end_events(h, e);
	}
}

static struct hub_end *end_of(struct hub *h, uint32_t link)
{
	for (size_t i = 0; i < h->end_count; i++)
		if (h->ends[i].link == link)
			return &h->ends[i];
	must(false, "a link without an end");
	return NULL;
}

/* --- the node's turn ---------------------------------------------------------------- */

static void drain(struct hub *h)
{
	struct node_event ev;

	while (node_poll(h->node, &ev))
		must(ev.type != NODE_EV_DOWN, "the node ended a link");
}

static bool write_out(struct hub *h)
{
	uint32_t link;
	bool any;

	for (any = false; node_next_writable(h->node, &link); any = true) {
		const uint8_t *data;
		size_t len = node_output(h->node, link, &data);
		uint64_t start;

		end_take(h, end_of(h, link), data, len);
		start = bench_cpu_ns();
		node_output_taken(h->node, link, len, h->now_ms);
		h->node_ns += bench_cpu_ns() - start;
	}
	return any;
}

/* Drain, seal and write until nothing is left to do. */
static void turn(struct hub *h)
{
	bool more = true;

	while (more) {
		uint64_t start = bench_cpu_ns();

		if (node_deadline(h->node) <= h->now_ms)
			node_tick(h->node, h->now_ms);
		drain(h);
		node_flush(h->node, h->now_ms);
		h->node_ns += bench_cpu_ns() - start;
		more = write_out(h) || node_deadline(h->node) <= h->now_ms;
	}
}

static void feed(struct hub *h, struct hub_end *e, uint8_t *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint64_t start = bench_cpu_ns();

		at += node_recv(h->node, e->link, data + at, size_min(len - at, HUB_CHUNK),
				h->now_ms);
		h->node_ns += bench_cpu_ns() - start;
		turn(h);
	}
}

/* What an end has queued goes to the node. */
static void end_flush(struct hub *h, struct hub_end *e)
{
	uint8_t copy[4096];
	const uint8_t *data;
	size_t n;

	rlpx_seal_many(&e->conn, 1, h->now_ms);
	while ((n = rlpx_output(e->conn, &data)) > 0) {
		n = size_min(n, sizeof(copy));
		memcpy(copy, data, n);
		rlpx_output_taken(e->conn, n, h->now_ms);
		feed(h, e, copy, n);
		rlpx_seal_many(&e->conn, 1, h->now_ms);
	}
}

size_t hub_join(struct hub *h)
{
	static const struct rlpx_capability shh = { .name = "shh",
						    .version = 6,
						    .length = SHH_CODES };
	struct hub_end *e = &h->ends[h->end_count];
	uint8_t ip[4] = { 10, 0, (uint8_t)(h->end_count / 200), (uint8_t)(h->end_count % 200 + 1) };
	struct endpoint from = { .ip = ip_from4(ip), .tcp = 30303 };
	struct seckey key;
	struct rlpx_config cfg = { .key = &key,
				   .crypto = h->crypto,
				   .mem = &h->ends_mem,
				   .rng = h->rng,
				   .client = "Geth/v1.8.27-bench",
				   .version = 5,
				   .caps = &shh,
				   .cap_count = 1 };

	must(h->end_count < HUB_ENDS_MAX && seckey_generate(h->crypto, &key, &h->rng) == OK &&
		     rlpx_host_new(&e->host, &cfg, h->now_ms) == OK &&
		     rlpx_dial(&e->conn, e->host, node_pubkey(h->node), false, h->now_ms) == OK,
	     "an end cannot be made");
	must(node_accept(h->node, &e->link, &from, h->now_ms) == OK, "an end is refused");
	h->end_count++;
	for (int i = 0; i < 8 && (!e->is_up || rlpx_wants_output(e->conn)); i++) {
		turn(h);
		end_flush(h, e);
	}
	must(e->is_up, "no Status came");
	return h->end_count - 1;
}

/* --- streams ------------------------------------------------------------------------- */

void hub_seal(struct hub *h, size_t end, struct hub_stream *out, const struct corpus *c,
	      size_t first, size_t count)
{
	struct hub_end *e = &h->ends[end];
	size_t room = 0;

	for (size_t i = first; i < first + count; i++)
		room += c->packets[i]->len + c->packets[i]->len / 6 + 256;
	out->data = malloc(room);
	out->len = 0;
	must(out->data != NULL, "no memory");
	for (size_t i = first; i < first + count; i++) {
		const uint8_t *data;
		size_t n;

		must(rlpx_send(e->conn, 0, SHH_MESSAGES, blob_ref(c->packets[i])) == OK,
		     "an end cannot send");
		do {
			rlpx_seal_many(&e->conn, 1, h->now_ms);
			n = rlpx_output(e->conn, &data);
			must(n <= room - out->len, "a stream is longer than thought");
			memcpy(out->data + out->len, data, n);
			out->len += n;
			rlpx_output_taken(e->conn, n, h->now_ms);
		} while (n > 0);
	}
}

void hub_feed(struct hub *h, size_t end, struct hub_stream *stream)
{
	feed(h, &h->ends[end], stream->data, stream->len);
	free(stream->data);
	stream->data = NULL;
}

void hub_pass(struct hub *h, uint64_t ms)
{
	uint64_t end_ms = h->now_ms + ms;

	while (h->now_ms < end_ms) {
		uint64_t start, next = u64_min(node_deadline(h->node), end_ms);

		for (size_t i = 0; i < h->end_count; i++)
			next = u64_min(next, rlpx_deadline(h->ends[i].conn));
		h->now_ms = u64_max(next, h->now_ms + 1);
		start = bench_cpu_ns();
		node_tick(h->node, h->now_ms);
		h->node_ns += bench_cpu_ns() - start;
		turn(h);
		for (size_t i = 0; i < h->end_count; i++) {
			struct hub_end *e = &h->ends[i];

			if (e->is_deaf)
				continue;
			rlpx_tick(e->conn, h->now_ms);
			end_events(h, e);
			if (rlpx_wants_output(e->conn))
				end_flush(h, e);
		}
	}
}
