/* SPDX-License-Identifier: MIT */
/* tests/solo.h - one node driven by hand, and peers that are nothing but an RLPx
 * connection in the hands of the test.  Header only: fuzz targets use it too.
 *
 *	struct solo s;
 *	struct raw p;
 *
 *	solo_open(&s, NULL);
 *	raw_connect(&p, &s, 1, 0);          // key number 1, from 10.0.0.1
 *	solo_pump(&s);                      // until nobody has anything to say
 *	raw_send(&p, SHH_STATUS, …);
 */
#ifndef TESTS_SOLO_H
#define TESTS_SOLO_H

#include <stdio.h>
#include <stdlib.h>

#include "node/inside.h"
#include "tests/fuzz/fuzz.h" /* fuzz_check: holds in every build */

#define SOLO_RAWS 128

struct raw;

struct solo {
	struct mem mem;	   /* the node's */
	struct mem theirs; /* of its peers */
	struct rng_seeded seed;
	struct rng rng;
	struct crypto *crypto;
	struct seckey key;
	struct node *node;
	uint64_t now_ms;
	struct raw *raw[SOLO_RAWS]; /* by the node's link; NULL: none */
	unsigned dials, downs, closes, pauses, resumes, stopped;
	unsigned reason; /* of the last DOWN */
	enum err err;
	uint64_t dialled_ms;
	struct endpoint dialled; /* the last DIAL */
	uint32_t dialled_link;
	void (*on_event)(struct solo *s, const struct node_event *ev);
};

/* A peer of the test's own. */
struct raw {
	struct solo *s;
	struct seckey key;
	struct rlpx_host *host;
	struct rlpx *conn;
	uint32_t link;
	bool accepted;	    /* the node has a link for it */
	bool hello, closed; /* as its own side sees it */
	bool by_node;
	unsigned reason; /* of RLPX_CLOSED */
	unsigned messages;
	uint32_t last_code;
	uint8_t *rest; /* bytes that the node did not take yet */
	size_t rest_len;
	bool paused; /* the node reads nothing until it says so */
	bool deaf;   /* takes no bytes from the node */
};

static const struct rlpx_capability solo_shh = { .name = "shh", .version = 6, .length = 128 };

static inline struct endpoint solo_at(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t bytes[4] = { a, b, c, d };

	return (struct endpoint){ .ip = ip_from4(bytes), .tcp = 30303, .udp = 30303 };
}

static inline struct endpoint solo_lan(unsigned n)
{
	return solo_at(10, 0, (uint8_t)(n >> 8), (uint8_t)n);
}

/* Keys that are the same in every run. */
static inline struct seckey solo_key(uint32_t number)
{
	struct seckey k = { { 0 } };

	be32_store(k.b + 28, number + 1);
	return k;
}

/* cfg      NULL: the default; key, crypto, mem and rng are filled in */
static inline void solo_open(struct solo *s, const struct node_config *cfg)
{
	struct node_config nc;
	const char *what;

	memset(s, 0, sizeof(*s));
	mem_init(&s->mem);
	mem_init(&s->theirs);
	s->rng = rng_seeded_init(&s->seed, 99);
	s->now_ms = 1000;
	s->key = solo_key(0);
	fuzz_check(crypto_new(&s->crypto, &s->rng) == OK);
	if (cfg)
		nc = *cfg;
	else
		node_config_init(&nc);
	nc.key = &s->key;
	nc.crypto = s->crypto;
	nc.mem = &s->mem;
	nc.rng = s->rng;
	nc.wall_offset_ms = 1600000000000;
	fuzz_check(node_new(&s->node, &nc, &what, s->now_ms) == OK);
}

static inline void raw_free(struct raw *r)
{
	if (r->accepted && r->s->raw[r->link] == r)
		r->s->raw[r->link] = NULL;
	rlpx_free(r->conn);
	rlpx_host_free(r->host);
	free(r->rest);
	memset(r, 0, sizeof(*r));
}

/* Frees the node; whatever it took must be back.  Peers are freed before. */
static inline void solo_close(struct solo *s)
{
	node_free(s->node);
	fuzz_check(s->mem.total_used == 0 && s->theirs.total_used == 0);
	crypto_free(s->crypto);
}

/* --- the node's events ------------------------------------------------------------- */

static inline void solo_obey(struct solo *s, const struct node_event *ev)
{
	struct raw *r = ev->link < SOLO_RAWS ? s->raw[ev->link] : NULL;

	switch (ev->type) {
	case NODE_EV_DIAL:
		s->dials++;
		s->dialled = ev->u.endpoint;
		s->dialled_ms = s->now_ms;
		s->dialled_link = ev->link;
		break;
	case NODE_EV_DOWN:
		s->downs++;
		s->reason = ev->u.down.reason;
		s->err = ev->u.down.err;
		break;
	case NODE_EV_CLOSE:
		s->closes++;
		if (r) {
			r->accepted = false;
			s->raw[ev->link] = NULL;
			if (r->conn)
				rlpx_stream_ended(r->conn, s->now_ms);
		}
		break;
	case NODE_EV_PAUSE:
		s->pauses++;
		if (r)
			r->paused = true;
		break;
	case NODE_EV_RESUME:
		s->resumes++;
		if (r)
			r->paused = false;
		break;
	case NODE_EV_STEP:
	case NODE_EV_MESSAGE:
	case NODE_EV_SHH:
	case NODE_EV_JOB:
	case NODE_EV_JOB_CANCEL: break;
	case NODE_EV_STOPPED: s->stopped++; break;
	}
	if (s->on_event)
		s->on_event(s, ev);
}

static inline bool solo_drain(struct solo *s)
{
	struct node_event ev;
	bool any = false;

	while (node_poll(s->node, &ev)) {
		solo_obey(s, &ev);
		any = true;
	}
	return any;
}

/* --- bytes ---------------------------------------------------------------------------- */

/* Give bytes to the node as they are; what it does not take waits in r->rest. */
static inline void raw_give(struct raw *r, const uint8_t *data, size_t len)
{
	uint8_t *all = malloc(r->rest_len + len + 1);
	size_t total = r->rest_len + len, taken;

	fuzz_check(all != NULL);
	if (r->rest_len > 0)
		memcpy(all, r->rest, r->rest_len);
	if (len > 0)
		memcpy(all + r->rest_len, data, len);
	free(r->rest);
	taken = !r->accepted ? total
		: r->paused  ? 0
			     : node_recv(r->s->node, r->link, all, total, r->s->now_ms);
	fuzz_check(taken <= total);
	r->paused |= taken < total;
	r->rest_len = total - taken;
	r->rest = NULL;
	if (r->rest_len > 0) {
		r->rest = malloc(r->rest_len);
		fuzz_check(r->rest != NULL);
		memcpy(r->rest, all + taken, r->rest_len);
	}
	free(all);
}

static inline void raw_events(struct raw *r)
{
	struct rlpx_event ev;

	while (rlpx_poll(r->conn, &ev)) {
		switch (ev.type) {
		case RLPX_IDENTIFIED: break;
		case RLPX_HELLO: r->hello = true; break;
		case RLPX_MESSAGE:
			r->messages++;
			r->last_code = ev.u.message.code;
			break;
		case RLPX_CLOSED:
			r->closed = true;
			r->reason = ev.u.closed.reason;
			r->by_node = ev.u.closed.by_peer;
			break;
		}
	}
}

/* What the peer has to say goes to the node. */
static inline bool raw_speak(struct raw *r)
{
	struct rlpx *conns[1] = { r->conn };
	const uint8_t *data;
	size_t len;

	if (r->conn == NULL)
		return false;
	rlpx_seal_many(conns, 1, r->s->now_ms);
	len = rlpx_output(r->conn, &data);
	if (len == 0 && (r->rest_len == 0 || r->paused))
		return false;
	raw_give(r, data, len);
	rlpx_output_taken(r->conn, len, r->s->now_ms);
	raw_events(r);
	return len > 0;
}

/* What the node has to say goes to its peers. */
static inline bool solo_speak(struct solo *s)
{
	const uint8_t *data;
	bool any = false;
	uint32_t link;

	node_flush(s->node, s->now_ms);
	while (node_next_writable(s->node, &link)) {
		size_t len = node_output(s->node, link, &data), at = 0;
		struct raw *r = link < SOLO_RAWS ? s->raw[link] : NULL;
		uint8_t *copy = malloc(len + 1);

		fuzz_check(copy != NULL && len > 0);
		memcpy(copy, data, len);
		if (r && r->deaf) {
			node_output_taken(s->node, link, 0, s->now_ms);
			free(copy);
			continue;
		}
		node_output_taken(s->node, link, len, s->now_ms);
		any = true;
		while (r && r->conn && at < len) {
			size_t taken;
			enum err err = rlpx_recv(r->conn, &taken, copy + at, len - at, s->now_ms);

			raw_events(r);
			at += taken;
			if (err != OK || taken == 0)
				break;
		}
		free(copy);
	}
	return any;
}

/* Until nobody has anything left to say at this time. */
static inline void solo_pump(struct solo *s)
{
	unsigned rounds = 0;
	bool any = true;

	while (any || node_deadline(s->node) <= s->now_ms) {
		fuzz_check(++rounds < 100000); /* it spins */
		if (node_deadline(s->node) <= s->now_ms)
			node_tick(s->node, s->now_ms);
		any = solo_drain(s);
		any |= solo_speak(s);
		for (size_t i = 0; i < SOLO_RAWS; i++)
			if (s->raw[i])
				any |= raw_speak(s->raw[i]);
	}
	fuzz_check(node_audit(s->node) == NULL);
}

/* Time passes, from deadline to deadline. */
static inline void solo_pass(struct solo *s, uint64_t ms)
{
	uint64_t until = s->now_ms + ms;

	solo_pump(s);
	while (s->now_ms < until) {
		uint64_t next = node_deadline(s->node);

		for (size_t i = 0; i < SOLO_RAWS; i++)
			if (s->raw[i] && s->raw[i]->conn)
				next = u64_min(next, rlpx_deadline(s->raw[i]->conn));
		s->now_ms = u64_min(until, u64_max(next, s->now_ms + 1));
		for (size_t i = 0; i < SOLO_RAWS; i++)
			if (s->raw[i] && s->raw[i]->conn) {
				rlpx_tick(s->raw[i]->conn, s->now_ms);
				raw_events(s->raw[i]);
			}
		solo_pump(s);
	}
}

/* --- peers -------------------------------------------------------------------------------- */

static inline void raw_init(struct raw *r, struct solo *s, uint32_t number, const char *client)
{
	struct rlpx_config rc = {
		.key = &r->key,
		.crypto = s->crypto,
		.mem = &s->theirs,
		.rng = s->rng,
		.client = client,
		.version = 5,
		.accept_plain = true,
		.caps = &solo_shh,
		.cap_count = 1,
	};

	memset(r, 0, sizeof(*r));
	r->s = s;
	r->key = solo_key(number);
	fuzz_check(rlpx_host_new(&r->host, &rc, s->now_ms) == OK);
}

static inline void raw_bind(struct raw *r, uint32_t link)
{
	fuzz_check(link < SOLO_RAWS && r->s->raw[link] == NULL);
	r->link = link;
	r->accepted = true;
	r->s->raw[link] = r;
}

/* Connect to the node, and let the auth packet wait in its output. */
static inline enum err raw_connect_from(struct raw *r, struct solo *s, uint32_t number,
					struct endpoint from, const char *client)
{
	uint32_t link;
	enum err err;

	raw_init(r, s, number, client);
	err = node_accept(s->node, &link, &from, s->now_ms);
	if (err)
		return err;
	raw_bind(r, link);
	fuzz_check(rlpx_dial(&r->conn, r->host, node_pubkey(s->node), false, s->now_ms) == OK);
	return OK;
}

static inline enum err raw_connect(struct raw *r, struct solo *s, uint32_t number)
{
	return raw_connect_from(r, s, number, solo_lan(number), "sotto/test");
}

/* Be what the node's last dial reached. */
static inline void raw_answer(struct raw *r, struct solo *s, uint32_t number)
{
	raw_init(r, s, number, "sotto/test");
	fuzz_check(rlpx_accept(&r->conn, r->host, s->now_ms) == OK);
	raw_bind(r, s->dialled_link);
	node_dialled(s->node, s->dialled_link, OK, s->now_ms);
}

static inline struct enode raw_enode(const struct solo *s, uint32_t number, struct endpoint at)
{
	struct enode e = { .has_endpoint = true, .at = at };
	struct seckey key = solo_key(number);

	fuzz_check(pubkey_of(s->crypto, &e.id, &key) == OK);
	return e;
}

static inline enum err raw_send(struct raw *r, uint32_t code, const void *data, size_t len)
{
	struct blob *b;
	enum err err;

	if (blob_new(&b, &r->s->theirs, MEM_SEND, len) != OK)
		return ERR_MEM;
	if (len > 0)
		memcpy(b->data, data, len);
	err = rlpx_send(r->conn, 0, code, b);
	if (err)
		blob_unref(b);
	return err;
}

/* The four-item Status of a full node without minimum of work. */
static inline void raw_status(struct raw *r)
{
	static const uint8_t status[] = { 0xc4, 0x06, 0x80, 0x80, 0x80 };

	fuzz_check(raw_send(r, SHH_STATUS, status, sizeof(status)) == OK);
}

static inline void raw_end(struct raw *r)
{
	if (r->accepted)
		node_stream_ended(r->s->node, r->link, r->s->now_ms);
}

static inline uint32_t solo_peers(const struct solo *s)
{
	struct node_stats stats;

	node_stats(s->node, &stats);
	return stats.peers;
}

static inline uint32_t solo_links(const struct solo *s)
{
	struct node_stats stats;

	node_stats(s->node, &stats);
	return stats.links;
}

#endif /* TESTS_SOLO_H */
