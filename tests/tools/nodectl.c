/* SPDX-License-Identifier: MIT */
/* tests/tools/nodectl.c - a node under line commands, for tests against other
 * programs: it changes at run time what the command line fixes at the start.
 *
 * Takes the options of `sotto node`, and --cap NAME/VERSION/LENGTH, once or more,
 * for made-up capabilities.  It keeps no data folder.  Commands, words on a
 * line of standard input:
 *
 *	pow X                      least work from now on
 *	bloom HEX | full | auto    bloom filter from now on
 *	light on | off             for later handshakes
 *	trust ENODE, untrust ENODE
 *	peer ENODE, unpeer ENODE   dial and stay connected; hang up
 *	listen symkey=HEX | key=HEX [topic=HEX]... [direct=1]
 *	post symkey=HEX | pub=HEX topic=HEX payload=HEX | size=N
 *	     [sign=HEX] [ttl=S] [pow=X] [form=geth|parity] [direct=ENODE]
 *	direct ENODE ...           the same as post ... direct=ENODE
 *	burst count=N size=S [topic=HEX] [ttl=S]
 *	say ENODE CAP CODE HEX     a message of a made-up capability
 *	echo on | off              send back what comes for made-up capabilities
 *	peers, stats, quit
 *
 * Reports, one JSON object a line: ready, up, step, down, message, posted,
 * confirmed, packet, peer, peers, stats, burst, error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/options.h"
#include "cmd/process.h"
#include "cmd/session.h"
#include "cmd/text.h"

#define LINE_BYTES  (4u << 20)
#define WORDS_MAX   80
#define CAPS_MAX    (RLPX_CAPS_MAX - 1)
#define SHOWN_BYTES 65536 /* of a payload; longer ones by length and digest only */
#define BURST_AHEAD 128	  /* posts of a burst under way */
#define SIZE_MAX_   (8u << 20)

struct burst {
	uint32_t left, open, failed, total; /* to post, not yet sealed */
	struct shh_topic topic;
	uint32_t size, ttl_s;
	struct symkey key;
};

struct ctl {
	struct session session;
	struct peer_list peers, trusted;
	struct rlpx_capability cap[CAPS_MAX];
	size_t cap_count;
	bool echo;
	struct burst burst;
	uint32_t burst_id[BURST_AHEAD];
};

/* --- words ----------------------------------------------------------------------- */

struct words {
	char *word[WORDS_MAX];
	size_t count;
};

static void split(struct words *w, char *line)
{
	char *save = NULL;

	w->count = 0;
	for (char *p = strtok_r(line, " \t\r", &save); p != NULL && w->count < WORDS_MAX;
	     p = strtok_r(NULL, " \t\r", &save))
		w->word[w->count++] = p;
}

/* The value of name=value, from the given word on; NULL: none. */
static const char *value_from(const struct words *w, const char *name, size_t from, size_t *at)
{
	size_t len = strlen(name);

	for (size_t i = from; i < w->count; i++) {
		if (strncmp(w->word[i], name, len) == 0 && w->word[i][len] == '=') {
			if (at != NULL)
				*at = i;
			return w->word[i] + len + 1;
		}
	}
	return NULL;
}

static const char *value_of(const struct words *w, const char *name)
{
	return value_from(w, name, 1, NULL);
}

static unsigned long number_of(const struct words *w, const char *name, unsigned long standard)
{
	const char *v = value_of(w, name);

	return v != NULL ? strtoul(v, NULL, 10) : standard;
}

static double real_of(const struct words *w, const char *name, double standard)
{
	const char *v = value_of(w, name);

	return v != NULL ? strtod(v, NULL) : standard;
}

/* --- reports ----------------------------------------------------------------------- */

static void report(const char *event)
{
	printf("{\"event\":\"%s\"", event);
}

static void report_end(void)
{
	printf("}\n");
	fflush(stdout);
}

static void field_text(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	print_json_text(stdout, text);
}

static void field_number(const char *name, double x)
{
	printf(",\"%s\":", name);
	print_json_real(stdout, x);
}

static void field_hex(const char *name, const uint8_t *data, size_t len)
{
	printf(",\"%s\":\"", name);
	print_hex(stdout, data, len);
	printf("\"");
}

static void field_flag(const char *name, bool on)
{
	printf(",\"%s\":%s", name, on ? "true" : "false");
}

static void complain(const char *what, const char *why)
{
	report("error");
	field_text("command", what);
	field_text("why", why);
	report_end();
}

static bool worked(const char *what, enum err err)
{
	if (err != OK)
		complain(what, err_text(err));
	return err == OK;
}

/* --- events -------------------------------------------------------------------------- */

static const char *const step_name[] = { "connected", "identified", "hello", "ready" };

static void report_step(const struct node_event *ev)
{
	report("step");
	printf(",\"link\":%u", ev->link);
	field_text("step", step_name[ev->u.step.step]);
	field_flag("inbound", ev->u.step.inbound);
	if (ev->u.step.id != NULL)
		field_hex("id", ev->u.step.id->b, 64);
	if (ev->u.step.hello != NULL)
		field_text("client", ev->u.step.hello->client);
	if (ev->u.step.status != NULL) {
		field_number("pow", ev->u.step.status->min_pow);
		field_text("family", shh_dialect_name(ev->u.step.dialect));
	}
	report_end();
	if (ev->u.step.step != NODE_STEP_READY)
		return;
	report("up");
	field_hex("id", ev->u.step.id->b, 64);
	report_end();
}

static void report_down(const struct node_event *ev)
{
	report("down");
	printf(",\"link\":%u,\"reason\":%u", ev->link, ev->u.down.reason);
	field_text("err", err_name(ev->u.down.err));
	field_flag("by_peer", ev->u.down.by_peer);
	field_text("reached", step_name[ev->u.down.reached]);
	if (ev->u.down.id != NULL)
		field_hex("id", ev->u.down.id->b, 64);
	report_end();
}

static void report_message(const struct shh_event *ev)
{
	const struct shh_plain *m = ev->u.message.plain;
	uint8_t digest[32];

	keccak256(digest, m->payload.data, m->payload.len);
	report("message");
	field_hex("hash", ev->u.message.hash, 32);
	field_number("len", (double)m->payload.len);
	field_hex("keccak", digest, 32);
	if (m->payload.len <= SHOWN_BYTES)
		field_hex("payload", m->payload.data, m->payload.len);
	field_hex("topic", ev->u.message.topic.b, SHH_TOPIC_SIZE);
	if (m->is_signed)
		field_hex("sig", m->signer.b, 64);
	field_number("timestamp", (double)ev->u.message.sent_s);
	field_number("ttl", ev->u.message.ttl_s);
	field_number("pow", ev->u.message.pow);
	field_text("form", m->form == SHH_FORM_PARITY ? "parity" : "geth");
	field_flag("direct", ev->u.message.direct);
	report_end();
}

static void go_on_bursting(struct ctl *c, uint64_t now_ms);

/* Whether it was one of the burst's. */
static bool burst_posted(struct ctl *c, const struct shh_event *ev, uint64_t now_ms)
{
	struct burst *b = &c->burst;

	for (uint32_t i = 0; i < b->open; i++) {
		if (c->burst_id[i] != ev->u.posted.id)
			continue;
		c->burst_id[i] = c->burst_id[--b->open];
		b->failed += ev->u.posted.err != OK;
		go_on_bursting(c, now_ms);
		return true;
	}
	return false;
}

static void report_posted(struct ctl *c, const struct shh_event *ev, uint64_t now_ms)
{
	if (burst_posted(c, ev, now_ms))
		return;
	report("posted");
	printf(",\"post\":%u", ev->u.posted.id);
	field_text("err", err_name(ev->u.posted.err));
	field_hex("hash", ev->u.posted.hash, 32);
	field_number("pow", ev->u.posted.pow);
	report_end();
}

static void on_shh(struct ctl *c, const struct shh_event *ev, uint64_t now_ms)
{
	if (ev->type == SHH_EV_MESSAGE) {
		report_message(ev);
	} else if (ev->type == SHH_EV_POSTED) {
		report_posted(c, ev, now_ms);
	} else if (ev->type == SHH_EV_CONFIRMED) {
		report("confirmed");
		field_hex("batch", ev->u.confirmed.batch_hash, 32);
		field_number("refused", (double)ev->u.confirmed.refused);
		report_end();
	}
}

static enum err say(struct ctl *c, uint32_t link, size_t cap, uint32_t code, struct span data)
{
	struct blob *b;
	enum err err = blob_new(&b, &c->session.mem, MEM_SEND, data.len);

	if (err != OK)
		return err;
	if (data.len > 0)
		memcpy(b->data, data.data, data.len);
	err = node_send(c->session.node, link, cap, code, b, net_clock_ms());
	if (err != OK)
		blob_unref(b);
	return err;
}

static void on_packet(struct ctl *c, const struct node_event *ev)
{
	report("packet");
	printf(",\"link\":%u", ev->link);
	field_text("cap", c->cap[ev->u.message.extra].name);
	printf(",\"code\":%u", ev->u.message.code);
	field_number("len", (double)ev->u.message.payload.len);
	if (ev->u.message.payload.len <= SHOWN_BYTES)
		field_hex("data", ev->u.message.payload.data, ev->u.message.payload.len);
	report_end();
	if (c->echo)
		(void)worked("echo", say(c, ev->link, ev->u.message.extra, ev->u.message.code,
					 ev->u.message.payload));
}

static void on_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct ctl *c = ctx;

	switch (ev->type) {
	case NODE_EV_STEP: report_step(ev); break;
	case NODE_EV_DOWN: report_down(ev); break;
	case NODE_EV_MESSAGE: on_packet(c, ev); break;
	case NODE_EV_SHH: on_shh(c, ev->u.shh, now_ms); break;
	case NODE_EV_DIAL:
	case NODE_EV_CLOSE:
	case NODE_EV_PAUSE:
	case NODE_EV_RESUME:
	case NODE_EV_JOB:
	case NODE_EV_JOB_CANCEL:
	case NODE_EV_STOPPED: break;
	}
}

/* --- commands --------------------------------------------------------------------------- */

static struct shh *shh_of(struct ctl *c)
{
	return node_shh(c->session.node);
}

static bool read_enode(struct ctl *c, const char *what, const char *text, struct enode *out)
{
	char why[PEERS_WHY_MAX];

	if (text != NULL && peer_read(out, what, text, true, c->session.crypto, why) == OK)
		return true;
	complain(what, text != NULL ? why : "expected an enode URL");
	return false;
}

/* The link to a node that is connected. */
static bool find_link(struct ctl *c, const struct pubkey *id, struct node_link_info *out)
{
	uint32_t cursor = 0;

	while (node_link_next(c->session.node, &cursor, out))
		if (out->identified && memcmp(out->id.b, id->b, 64) == 0 &&
		    out->reached >= NODE_STEP_HELLO)
			return true;
	return false;
}

static void do_pow(struct ctl *c, const struct words *w, uint64_t now_ms)
{
	double x = w->count > 1 ? strtod(w->word[1], NULL) : 0;

	(void)worked("pow", shh_set_min_pow(shh_of(c), x, now_ms));
}

static void do_bloom(struct ctl *c, const struct words *w, uint64_t now_ms)
{
	const char *text = w->count > 1 ? w->word[1] : "";
	struct shh_bloom b;

	if (strcmp(text, "auto") == 0)
		shh_set_bloom_auto(shh_of(c), true, now_ms);
	else if (strcmp(text, "full") == 0)
		shh_set_bloom(shh_of(c), NULL, now_ms);
	else if (hex_decode(b.b, sizeof(b.b), text) == OK)
		shh_set_bloom(shh_of(c), &b, now_ms);
	else
		complain("bloom", "expected 128 hex digits, full or auto");
}

static void do_light(struct ctl *c, const struct words *w, uint64_t now_ms)
{
	shh_set_light(shh_of(c), w->count > 1 && strcmp(w->word[1], "on") == 0, now_ms);
}

static void do_peer(struct ctl *c, const struct words *w, unsigned kind)
{
	struct enode e;

	if (read_enode(c, w->word[0], w->count > 1 ? w->word[1] : NULL, &e))
		peer_join(&c->session, &e, kind, NULL, NULL);
}

/* Hang up, whoever dialled. */
static void do_unpeer(struct ctl *c, const struct words *w, unsigned kind, uint64_t now_ms)
{
	struct node_link_info info;
	struct enode e;

	if (!read_enode(c, w->word[0], w->count > 1 ? w->word[1] : NULL, &e))
		return;
	if (node_peer_remove(c->session.node, &e.id, kind, now_ms) == OK)
		return;
	if (kind == NODE_STATIC && find_link(c, &e.id, &info))
		node_disconnect(c->session.node, info.link, RLPX_REQUESTED, now_ms);
	else
		complain(w->word[0], "no such peer");
}

static void do_listen(struct ctl *c, const struct words *w)
{
	struct shh_topic topics[TOPICS_MAX];
	struct shh_filter f = { .topics = topics };
	const char *sym = value_of(w, "symkey"), *key = value_of(w, "key"), *topic;
	struct symkey k;
	struct seckey s;
	uint32_t id;
	size_t at = 0;

	while ((topic = value_from(w, "topic", at + 1, &at)) != NULL && f.topic_count < TOPICS_MAX)
		if (!worked("listen", hex_decode(topics[f.topic_count++].b, 4, topic)))
			return;
	if (sym != NULL && worked("listen", hex_decode(k.b, sizeof(k.b), sym)))
		f.sym = &k;
	else if (key != NULL && worked("listen", hex_decode(s.b, sizeof(s.b), key)))
		f.key = &s;
	else
		return;
	f.direct = number_of(w, "direct", 0) != 0;
	if (!worked("listen", shh_filter_add(shh_of(c), &id, &f, net_clock_ms())))
		return;
	report("listening");
	printf(",\"filter\":%u", id);
	report_end();
}

/* The bytes of payload=HEX, or size=N of them at random; owned by the caller. */
static uint8_t *payload_of(struct ctl *c, const struct words *w, size_t *len)
{
	const char *hex = value_of(w, "payload");
	size_t room = hex != NULL ? strlen(hex) / 2 : number_of(w, "size", 0);
	uint8_t *data = room <= SIZE_MAX_ ? malloc(room + 1) : NULL;
	enum err err = ERR_SIZE;

	*len = room;
	if (data != NULL && hex != NULL)
		err = hex_decode_any(data, len, room, hex, strlen(hex));
	else if (data != NULL)
		err = rng_fill(&c->session.rng, data, room);
	if (err == OK)
		return data;
	complain("post", err_text(err));
	free(data);
	return NULL;
}

/* Reads keys into what the caller holds. */
static bool keys_of(const struct words *w, struct shh_post *p, struct symkey *sym,
		    struct pubkey *pub, struct seckey *sign)
{
	const char *hex;

	if ((hex = value_of(w, "symkey")) != NULL && hex_decode(sym->b, 32, hex) == OK)
		p->sym = sym;
	else if ((hex = value_of(w, "pub")) != NULL && hex_decode(pub->b, 64, hex) == OK)
		p->to = pub;
	else
		return false;
	hex = value_of(w, "sign");
	if (hex != NULL && hex_decode(sign->b, 32, hex) == OK)
		p->sign = sign;
	return hex == NULL || p->sign != NULL;
}

static void do_post(struct ctl *c, const struct words *w, const char *direct, uint64_t now_ms)
{
	const char *topic = value_of(w, "topic"), *form = value_of(w, "form");
	struct shh_post p = { .direct = -1 };
	struct node_link_info info;
	struct symkey sym;
	struct pubkey pub;
	struct seckey sign;
	struct enode e;
	uint8_t *data;
	size_t len;
	uint32_t id;

	if (!keys_of(w, &p, &sym, &pub, &sign) || topic == NULL ||
	    hex_decode(p.topic.b, 4, topic) != OK) {
		complain("post", "expected symkey=HEX or pub=HEX, and topic=HEX");
		return;
	}
	if (direct != NULL) {
		if (!read_enode(c, "post", direct, &e))
			return;
		if (!find_link(c, &e.id, &info) || info.shh_peer == UINT32_MAX) {
			complain("post", "no such peer is connected");
			return;
		}
		p.direct = (int32_t)info.shh_peer;
	}
	data = payload_of(c, w, &len);
	if (data == NULL)
		return;
	p.payload = span_of(data, len);
	p.ttl_s = (uint32_t)number_of(w, "ttl", 50);
	p.pow = real_of(w, "pow", shh_min_pow(shh_of(c)));
	p.pow_time_ms = (uint32_t)number_of(w, "time", 30000);
	p.form = form != NULL && strcmp(form, "parity") == 0 ? SHH_FORM_PARITY : SHH_FORM_GETH;
	(void)worked("post", shh_post(shh_of(c), &id, &p, now_ms));
	free(data);
}

/* Each message is a count and random bytes, so all envelopes differ. */
static void go_on_bursting(struct ctl *c, uint64_t now_ms)
{
	struct burst *b = &c->burst;
	struct shh_post p = {
		.sym = &b->key,
		.topic = b->topic,
		.ttl_s = b->ttl_s,
		.pow = shh_min_pow(shh_of(c)),
		.pow_time_ms = 30000,
		.direct = -1,
	};
	uint8_t *data = malloc(b->size + 8u);

	while (data != NULL && b->left > 0 && b->open < BURST_AHEAD) {
		be32_store(data, b->left);
		if (rng_fill(&c->session.rng, data + 4, b->size > 4 ? b->size - 4 : 0) != OK)
			break;
		p.payload = span_of(data, b->size);
		b->left--;
		if (shh_post(shh_of(c), &c->burst_id[b->open], &p, now_ms) == OK)
			b->open++;
		else
			b->failed++;
	}
	free(data);
	if (b->left > 0 || b->open > 0 || b->total == 0)
		return;
	report("burst");
	printf(",\"count\":%u,\"failed\":%u", b->total, b->failed);
	report_end();
	b->total = 0;
}

static void do_burst(struct ctl *c, const struct words *w, uint64_t now_ms)
{
	struct burst *b = &c->burst;
	const char *topic = value_of(w, "topic"), *sym = value_of(w, "symkey");

	if (b->total != 0) {
		complain("burst", "another one is under way");
		return;
	}
	memset(b, 0, sizeof(*b));
	b->total = b->left = (uint32_t)number_of(w, "count", 1);
	b->size = (uint32_t)number_of(w, "size", 100);
	b->ttl_s = (uint32_t)number_of(w, "ttl", 50);
	if ((topic != NULL && hex_decode(b->topic.b, 4, topic) != OK) ||
	    (sym != NULL && hex_decode(b->key.b, 32, sym) != OK) || b->size > SIZE_MAX_) {
		complain("burst", "expected topic=HEX, symkey=HEX, size=N");
		b->total = 0;
		return;
	}
	if (sym == NULL)
		memset(b->key.b, 0x11, sizeof(b->key.b));
	go_on_bursting(c, now_ms);
}

static void do_say(struct ctl *c, const struct words *w)
{
	struct node_link_info info;
	struct enode e;
	uint8_t data[4096];
	size_t len = 0, cap = 0;

	if (w->count < 4 || !read_enode(c, "say", w->word[1], &e))
		return;
	while (cap < c->cap_count && strcmp(c->cap[cap].name, w->word[2]) != 0)
		cap++;
	if (w->count > 4 &&
	    hex_decode_any(data, &len, sizeof(data), w->word[4], strlen(w->word[4])) != OK)
		complain("say", "expected hex digits");
	else if (!find_link(c, &e.id, &info))
		complain("say", "no such peer is connected");
	else
		(void)worked("say", say(c, info.link, cap, (uint32_t)strtoul(w->word[3], NULL, 10),
					span_of(data, len)));
}

static void do_peers(struct ctl *c)
{
	struct node_link_info info;
	uint32_t cursor = 0;
	char at[ENDPOINT_TEXT_MAX];
	unsigned count = 0;

	while (node_link_next(c->session.node, &cursor, &info)) {
		endpoint_text(at, &info.remote);
		report("peer");
		printf(",\"link\":%u", info.link);
		field_text("remote", at);
		field_hex("id", info.id.b, 64);
		field_text("client", info.client);
		field_text("step", step_name[info.reached]);
		field_flag("inbound", info.inbound);
		field_flag("trusted", info.trusted);
		field_text("family", shh_dialect_name(info.shh.dialect));
		field_number("pow", info.shh.min_pow);
		field_number("in", (double)info.shh.envelopes_in);
		field_number("duplicates", (double)info.shh.duplicates_in);
		field_number("dropped", (double)info.shh.dropped_in);
		field_number("out", (double)info.shh.envelopes_out);
		field_number("clock_offset_ms", info.shh.clock_offset_ms);
		report_end();
		count++;
	}
	report("peers");
	field_number("count", count);
	report_end();
}

static void do_stats(struct ctl *c)
{
	struct shh_stats s;
	struct node_stats n;
	struct net_stats t;

	shh_stats(shh_of(c), &s);
	node_stats(c->session.node, &n);
	net_stats(c->session.net, &t);
	report("stats");
	field_number("envelopes_in", (double)s.envelopes_in);
	field_number("envelopes_new", (double)s.envelopes_new);
	field_number("duplicates", (double)s.duplicates);
	field_number("stale", (double)s.dropped_stale);
	field_number("work", (double)s.dropped_work);
	field_number("bloom", (double)s.dropped_bloom);
	field_number("size", (double)s.dropped_size);
	field_number("full", (double)s.dropped_full);
	field_number("delivered", (double)s.delivered);
	field_number("bridged", (double)s.bridged);
	field_number("opened", (double)s.opened);
	field_number("pool", (double)s.pool_count);
	field_number("pool_bytes", (double)s.pool_bytes);
	field_number("peers", n.peers);
	field_number("links", n.links);
	field_number("bytes_in", (double)n.bytes_in);
	field_number("bytes_out", (double)n.bytes_out);
	field_number("turns", (double)t.turns);
	field_number("slow_turns", (double)t.slow_turns);
	field_number("reads", (double)t.reads);
	field_number("writes", (double)t.writes);
	field_number("memory", (double)c->session.mem.total_used);
	report_end();
}

static void obey(struct ctl *c, const struct words *w, uint64_t now_ms)
{
	const char *name = w->word[0];

	if (strcmp(name, "pow") == 0)
		do_pow(c, w, now_ms);
	else if (strcmp(name, "bloom") == 0)
		do_bloom(c, w, now_ms);
	else if (strcmp(name, "light") == 0)
		do_light(c, w, now_ms);
	else if (strcmp(name, "trust") == 0)
		do_peer(c, w, NODE_TRUSTED);
	else if (strcmp(name, "untrust") == 0)
		do_unpeer(c, w, NODE_TRUSTED, now_ms);
	else if (strcmp(name, "peer") == 0)
		do_peer(c, w, NODE_STATIC);
	else if (strcmp(name, "unpeer") == 0)
		do_unpeer(c, w, NODE_STATIC, now_ms);
	else if (strcmp(name, "listen") == 0)
		do_listen(c, w);
	else if (strcmp(name, "post") == 0)
		do_post(c, w, value_of(w, "direct"), now_ms);
	else if (strcmp(name, "direct") == 0 && w->count > 1)
		do_post(c, w, w->word[1], now_ms);
	else if (strcmp(name, "burst") == 0)
		do_burst(c, w, now_ms);
	else if (strcmp(name, "say") == 0)
		do_say(c, w);
	else if (strcmp(name, "echo") == 0)
		c->echo = w->count > 1 && strcmp(w->word[1], "on") == 0;
	else if (strcmp(name, "peers") == 0)
		do_peers(c);
	else if (strcmp(name, "stats") == 0)
		do_stats(c);
	else if (strcmp(name, "quit") == 0)
		net_stop(c->session.net);
	else
		complain(name, "no such command");
}

static void on_line(void *ctx, const char *text, size_t len, uint64_t now_ms)
{
	struct ctl *c = ctx;
	struct words w;
	char *copy;

	if (text == NULL) {
		net_stop(c->session.net); /* whoever gave the commands has gone */
		return;
	}
	copy = malloc(len + 1);
	if (copy == NULL)
		return;
	memcpy(copy, text, len + 1);
	split(&w, copy);
	if (w.count > 0)
		obey(c, &w, now_ms);
	free(copy);
}

/* --- the start ----------------------------------------------------------------------------- */

static bool read_cap(struct ctl *c, const char *text)
{
	struct rlpx_capability *cap = &c->cap[c->cap_count];
	unsigned version, length;

	if (c->cap_count == CAPS_MAX ||
	    sscanf(text, "%8[a-z]/%u/%u", cap->name, &version, &length) != 3)
		return false;
	cap->version = version;
	cap->length = length;
	c->cap_count++;
	return true;
}

/* Take --cap X out of the words; the rest is `sotto node's. */
static int take_caps(struct ctl *c, int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--cap") != 0 || i + 1 == argc) {
			argv[kept++] = argv[i];
		} else if (!read_cap(c, argv[++i])) {
			fprintf(stderr, "nodectl: --cap %s: expected name/version/length\n",
				argv[i]);
			return -1;
		}
	}
	return kept;
}

static int check(void *ctx, struct session *s)
{
	struct ctl *c = ctx;
	char why[PEERS_WHY_MAX];

	if (s->set->peers != NULL &&
	    peers_read(&c->peers, "--peers", s->set->peers, false, s->crypto, why) != OK)
		return fail(s->set, EXIT_USAGE, "%s", why);
	if (s->set->trusted != NULL &&
	    peers_read(&c->trusted, "--trusted", s->set->trusted, true, s->crypto, why) != OK)
		return fail(s->set, EXIT_USAGE, "%s", why);
	return EXIT_OK;
}

static int run(struct ctl *c)
{
	char url[ENODE_TEXT_MAX];
	struct session *s = &c->session;

	session_enode(s, url);
	report("ready");
	field_text("enode", url);
	report_end();
	for (size_t i = 0; i < c->peers.count; i++)
		peer_join(s, &c->peers.peer[i], NODE_STATIC, NULL, NULL);
	for (size_t i = 0; i < c->trusted.count; i++)
		peer_join(s, &c->trusted.peer[i], NODE_TRUSTED, NULL, NULL);
	if (net_lines(s->net, 0, LINE_BYTES, on_line, c) != OK || net_run(s->net) != OK)
		return EXIT_ENVIRONMENT;
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct ctl c;
	char node_name[] = "node", *name = node_name;
	char why[OPTIONS_WHY_MAX];
	struct settings set;
	struct endpoint listen;
	int used, code = EXIT_USAGE;
	const struct command *cmd = command_find(1, &name, &used);
	int words = take_caps(&c, argc - 1, argv + 1);
	struct session_plan plan = {
		.listen = &listen,
		.redial = true,
		.event = on_event,
		.ctx = &c,
		.check = check,
	};

	process_start();
	if (words < 0)
		return EXIT_USAGE;
	plan.extra = c.cap;
	plan.extra_count = c.cap_count;
	if (options_parse(&set, cmd, words, argv + 1, why) != PARSED) {
		fprintf(stderr, "nodectl: %s\n", why);
	} else {
		listen = settings_listen(&set);
		code = session_open(&c.session, &set, &plan);
		if (code == EXIT_OK) {
			code = run(&c);
			session_close(&c.session);
		}
	}
	peers_free(&c.peers);
	peers_free(&c.trusted);
	settings_wipe(&set);
	return code;
}
