/* SPDX-License-Identifier: MIT */
/* A whole node, fed with what the input says: connections, genuine and garbled
 * frames of genuine peers, raw bytes, dial outcomes, commands, time, losses.
 *
 * After every step the counts are right (hardening P8), nothing spins, and in
 * the end all memory is given back.
 */
#include "tests/solo.h"

#define PEERS 6

struct game {
	struct solo s;
	struct raw peer[PEERS];
	struct span in;
};

static struct endpoint place(uint8_t n)
{
	return n & 8 ? solo_at(60, 1, n & 3, (uint8_t)(1 + (n >> 2 & 1))) : solo_lan(1 + (n & 3));
}

static struct span take(struct game *g, size_t max)
{
	size_t len = fuzz_u8(&g->in);
	struct span s;

	if (len >= 0xf0) /* sometimes much, repeated */
		len = size_min(max, g->in.len);
	return span_take(&g->in, &s, size_min(len, size_min(max, g->in.len))) ? s
									      : span_of(NULL, 0);
}

static void connect(struct game *g, struct raw *p, uint8_t how)
{
	if (p->s)
		raw_free(p);
	if (raw_connect_from(p, &g->s, 1 + (how & 3), place(how >> 4),
			     how & 4 ? "Geth/v1.8.27/x" : "sotto/x") != OK)
		raw_free(p);
}

static void send_packet(struct game *g, struct raw *p, uint8_t how)
{
	static const uint8_t codes[] = { 0, 1, 1, 1, 2, 3, 11, 12, 20, 126, 127, 99 };
	uint8_t code = codes[how % sizeof(codes)];
	struct span payload = take(g, 2000);

	if (p->conn)
		(void)!raw_send(p, code, payload.data, payload.len);
}

/* What a peer has to say, with one byte of it turned over. */
static void garble(struct game *g, struct raw *p, uint8_t how)
{
	struct rlpx *conns[1] = { p->conn };
	const uint8_t *data;
	uint8_t *copy;
	size_t len;

	if (!p->conn)
		return;
	rlpx_seal_many(conns, 1, g->s.now_ms);
	len = rlpx_output(p->conn, &data);
	if (len == 0)
		return;
	copy = malloc(len);
	fuzz_check(copy != NULL);
	memcpy(copy, data, len);
	copy[fuzz_u64(&g->in) % len] ^= (uint8_t)(how | 1);
	rlpx_output_taken(p->conn, len, g->s.now_ms);
	raw_give(p, copy, len);
	free(copy);
}

/* Bytes that come from nowhere, on a new link or in the middle of one. */
static void noise(struct game *g, struct raw *p, uint8_t how)
{
	struct endpoint from = place(how);
	struct span bytes = take(g, 4000);
	uint8_t *copy = malloc(bytes.len + 1);
	uint32_t link;

	fuzz_check(copy != NULL);
	if (bytes.len > 0)
		memcpy(copy, bytes.data, bytes.len);
	if (how & 0x40 && p->accepted)
		raw_give(p, copy, bytes.len);
	else if (node_accept(g->s.node, &link, &from, g->s.now_ms) == OK) {
		node_recv(g->s.node, link, copy, bytes.len, g->s.now_ms);
		if (how & 0x80)
			node_stream_ended(g->s.node, link, g->s.now_ms);
	}
	free(copy);
}

static void answer_dial(struct game *g, struct raw *p, uint8_t how)
{
	struct node__link *l = node__link_at(g->s.node, g->s.dialled_link);

	if (g->s.dials == 0 || !l || l->state != NODE__DIALLING)
		return;
	if (how & 1) {
		node_dialled(g->s.node, g->s.dialled_link, how & 2 ? ERR_IO : ERR_TIMEOUT,
			     g->s.now_ms);
		return;
	}
	if (g->s.dialled_link >= SOLO_RAWS || g->s.raw[g->s.dialled_link])
		return;
	if (p->s)
		raw_free(p);
	raw_answer(p, &g->s, 1 + (how >> 2 & 3));
}

static void command(struct game *g, uint8_t how)
{
	struct enode e = raw_enode(&g->s, 1 + (how & 3), place(how >> 2 & 15));
	unsigned kinds = 1 + (how >> 6) % 3;
	struct shh *shh = node_shh(g->s.node);
	enum err err;

	if (how & 4)
		err = node_peer_add(g->s.node, &e, kinds, g->s.now_ms);
	else
		err = node_peer_remove(g->s.node, &e.id, kinds, g->s.now_ms);
	(void)err;
	if (how & 8)
		(void)!shh_set_min_pow(shh, how / 64.0, g->s.now_ms);
	if (how & 16)
		node_set_wall_offset(g->s.node, 1600000000000 + how * 1000);
}

static void let_time_pass(struct game *g, uint8_t how)
{
	static const uint64_t steps[] = { 1, 7, 100, 600, 5000, 16000, 31000, 120000 };

	solo_pass(&g->s, steps[how & 7]);
}

static void step(struct game *g)
{
	static const uint8_t status[] = { 0xc4, 0x06, 0x80, 0x80, 0x80 };
	uint8_t op = fuzz_u8(&g->in), how = fuzz_u8(&g->in);
	struct raw *p = &g->peer[(op >> 4) % PEERS];

	switch (op & 15) {
	case 0:
	case 1: connect(g, p, how); break;
	case 2:
		if (p->conn)
			(void)!raw_send(p, SHH_STATUS, status, sizeof(status));
		break;
	case 3:
	case 4:
	case 5: send_packet(g, p, how); break;
	case 6: garble(g, p, how); break;
	case 7: noise(g, p, how); break;
	case 8:
		if (p->s)
			raw_end(p);
		break;
	case 9: answer_dial(g, p, how); break;
	case 10: command(g, how); break;
	case 11:
		if (p->conn)
			rlpx_close(p->conn, how & 31, g->s.now_ms);
		break;
	case 12: p->deaf = how & 1; break;
	case 13: g->s.mem.fail_after = how & 1 ? how : UINT64_MAX; break;
	case 14: let_time_pass(g, how); break;
	case 15:
		if (how == 0xff)
			node_stop(g->s.node, g->s.now_ms);
		else if (p->accepted)
			node_disconnect(g->s.node, p->link, how & 15, g->s.now_ms);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct game g;
	struct node_config cfg;
	uint8_t first;

	memset(&g, 0, sizeof(g));
	g.in = span_of(data, size);
	first = fuzz_u8(&g.in);
	node_config_init(&cfg);
	cfg.max_peers = 1 + (first & 7);
	cfg.lan_exempt = !(first & 8);
	cfg.shh.min_pow = first & 16 ? 0 : 0.2;
	cfg.shh.confirmations = first & 32;
	solo_open(&g.s, &cfg);
	for (unsigned i = 0; g.in.len > 0 && i < 200; i++) {
		step(&g);
		/* Memory that fails may keep a turn from its end: time must pass then. */
		if (g.s.mem.fail_after == UINT64_MAX)
			solo_pump(&g.s);
		else
			solo_drain(&g.s);
	}
	g.s.mem.fail_after = UINT64_MAX;
	solo_pass(&g.s, 100);
	for (size_t i = 0; i < PEERS; i++)
		if (g.peer[i].s)
			raw_free(&g.peer[i]);
	solo_close(&g.s);
	return 0;
}
