/* SPDX-License-Identifier: MIT */
/* tests/tools/parity.c - a peer that behaves as parity 2.4.9 does, over real TCP.
 *
 * parity's Whisper is in no registry, so this stands in for it in the interop
 * tests: empty Status, plain handshake when dialling, blooms with the most
 * significant bit first, a Messages packet every 2.5 s even when it is empty,
 * work graded by EIP-627's formula, a pool that only takes what beats its best
 * envelope, codes of one byte, and its own payload layout.  Strict where parity
 * is strict: what it would disable a peer for ends this program's link, and
 * says so.
 *
 *	parity listen PORT | dial ENODE   [--symkey HEX] [--topic HEX]
 *
 * Port 0 is one that is free.  Standard input: "post TEXT", "weak TEXT" (no
 * work), "pool", "quit"; its end is a quit.  Standard output: one JSON object a
 * line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "enr/enr.h"
#include "net/net.h"
#include "rlpx/rlpx.h"
#include "shh/envelope.h"
#include "shh/job.h"
#include "shh/packet.h"
#include "shh/payload.h"

#define RALLY_MS	   2500 /* how often parity looks after its pool and peers */
#define STATUS_WAIT_MS	   5000
#define POOL_MAX	   4096 /* envelopes; full: posts are refused */
#define AHEAD_S		   2	/* seconds an envelope may come from the future */
#define ONE_BYTE_CODES_MAX 0x6f /* relative codes above end the link, offset 0x10 */

struct pooled {
	uint8_t *raw;
	size_t len;
	uint64_t expiry;
	struct shh_topic topic;
	double work;
	bool sent; /* to the one peer there is, or received from it */
};

struct world {
	struct crypto *crypto;
	struct mem mem;
	struct rng rng;
	struct rlpx_host *host;
	struct rlpx *conn;
	int sock;
	bool ready, has_status;
	uint8_t cap; /* of shh */
	uint64_t up_since, next_rally;
	double peer_pow;
	bool peer_has_bloom;
	struct shh_bloom peer_bloom;
	struct symkey key;
	struct aes_gcm *gcm;
	struct shh_topic topic;
	struct pooled pool[POOL_MAX];
	size_t pooled;
	bool leaving;
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void die(const char *what)
{
	fprintf(stderr, "parity: %s\n", what);
	exit(2);
}

static uint64_t wall_s(void)
{
	return (uint64_t)time(NULL);
}

/* parity calls it "disable": the peer is cut off and not dialled for a while. */
static void disable(struct world *w, const char *why)
{
	say("{\"event\":\"disable\",\"why\":\"%s\"}", why);
	rlpx_close(w->conn, RLPX_REQUESTED, net_clock_ms());
}

static void send_packet(struct world *w, uint32_t code, const uint8_t *data, size_t len)
{
	struct blob *b;

	if (blob_new(&b, &w->mem, MEM_SEND, len) != OK)
		die("no memory for a packet");
	memcpy(b->data, data, len);
	if (rlpx_send(w->conn, w->cap, code, b) != OK)
		blob_unref(b);
}

/* --- the pool ------------------------------------------------------------- */

static double best_work(const struct world *w)
{
	double best = -1;

	for (size_t i = 0; i < w->pooled; i++)
		if (w->pool[i].work > best)
			best = w->pool[i].work;
	return best;
}

static bool pool_has(const struct world *w, struct span raw)
{
	for (size_t i = 0; i < w->pooled; i++)
		if (span_eq(span_of(w->pool[i].raw, w->pool[i].len), raw))
			return true;
	return false;
}

static void pool_add(struct world *w, const struct shh_envelope *env, bool is_local)
{
	unsigned bits = shh_work_bits(env->content, env->nonce, SHH_DIGEST_SINGLE);
	struct pooled *p = &w->pool[w->pooled];

	if (w->pooled == POOL_MAX)
		die("pool is full");
	p->work = shh_work_value(SHH_RULE_EIP627, bits, env);
	p->len = env->raw.len;
	p->raw = malloc(p->len);
	if (p->raw == NULL)
		die("no memory for an envelope");
	memcpy(p->raw, env->raw.data, p->len);
	p->expiry = env->expiry;
	p->topic = env->topic;
	p->sent = !is_local;
	w->pooled++;
}

static void prune(struct world *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->pooled; i++) {
		if (w->pool[i].expiry <= wall_s())
			free(w->pool[i].raw);
		else
			w->pool[kept++] = w->pool[i];
	}
	w->pooled = kept;
}

/* --- what goes out --------------------------------------------------------- */

static bool wanted_by_peer(const struct world *w, const struct pooled *p)
{
	struct shh_bloom sample;

	shh_bloom_of(&sample, p->topic, SHH_BLOOM_PARITY);
	return p->work >= w->peer_pow &&
	       shh_bloom_match(w->peer_has_bloom ? &w->peer_bloom : NULL, &sample);
}

/* Once Status has come, something goes out at each rally, be it an empty list. */
static void rally(struct world *w)
{
	static uint8_t out[8 << 20];
	struct rlp_writer wr = rlp_writer_init(out, sizeof(out));
	size_t begin = rlp_list_begin(&wr);

	prune(w);
	for (size_t i = 0; i < w->pooled; i++) {
		struct pooled *p = &w->pool[i];

		if (p->sent || !wanted_by_peer(w, p))
			continue;
		rlp_write_raw(&wr, p->raw, p->len);
		p->sent = true;
	}
	rlp_list_end(&wr, begin);
	if (wr.err != OK)
		die("a bundle too large");
	if (w->ready && w->has_status)
		send_packet(w, SHH_MESSAGES, out, wr.len);
	w->next_rally = net_clock_ms() + RALLY_MS;
}

static void post(struct world *w, const char *text, bool with_work)
{
	static uint8_t plain[1 << 16], data[1 << 16], content[1 << 17], raw[1 << 17];
	struct shh_plain m = { .form = SHH_FORM_PARITY, .payload = span_of(text, strlen(text)) };
	struct shh_seal_job job = { .digest = SHH_DIGEST_SINGLE, .hashes_max = 1u << 24 };
	struct shh_seal_progress found = { 0 };
	struct shh_envelope env;
	struct rlp_reader r;
	uint64_t ttl = 50, expiry = wall_s() + ttl;
	size_t len, content_len;

	if (shh_plain_write(plain, &len, sizeof(plain), &m, NULL, w->crypto, &w->rng) != OK ||
	    shh_encrypt_sym(data, span_of(plain, len), w->gcm, &w->rng) != OK)
		die("cannot encrypt");
	len += SHH_SYM_OVERHEAD;
	content_len = shh_content_write(content, sizeof(content), expiry, ttl, w->topic,
					span_of(data, len));
	if (with_work) {
		shh_seal_search_init(&job.search, span_of(content, content_len), job.digest);
		job.bits = 14;
		shh_seal_run(&job, &found, job.hashes_max);
	}
	len = shh_envelope_write(raw, span_of(content, content_len), found.nonce);
	r = rlp_reader_init(raw, len);
	if (shh_envelope_read(&env, &r) != OK)
		die("own envelope does not read");
	pool_add(w, &env, true);
	say("{\"event\":\"posted\",\"work\":%.17g}", w->pool[w->pooled - 1].work);
	rally(w);
}

/* --- what comes in ----------------------------------------------------------- */

static void try_open(struct world *w, const struct shh_envelope *env)
{
	static uint8_t out[1 << 20];
	struct shh_plain m;
	size_t len;

	if (env->data.len > sizeof(out) || shh_decrypt_sym(out, &len, env->data, w->gcm) != OK)
		return;
	if (shh_plain_read(&m, span_of(out, len), SHH_FORM_PARITY, w->crypto) != OK) {
		say("{\"event\":\"unreadable\"}"); /* geth's layout, most likely */
		return;
	}
	printf("{\"event\":\"message\",\"payload\":\"");
	for (size_t i = 0; i < m.payload.len; i++)
		printf("%02x", m.payload.data[i]);
	say("\",\"signed\":%s}", m.is_signed ? "true" : "false");
}

/* parity's decode rules, in its order; false disables the peer. */
static bool envelope_is_legal(const struct shh_envelope *env)
{
	return env->expiry > env->ttl && env->ttl != 0 &&
	       env->expiry - env->ttl - AHEAD_S <= wall_s();
}

static void messages(struct world *w, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope env;
	size_t count = 0, taken = 0;

	rlp_read_list(&r, &list);
	for (struct rlp_reader look = list; !rlp_reader_at_end(&look); count++)
		if (shh_envelope_read(&env, &look) != OK || !envelope_is_legal(&env)) {
			disable(w, "bad envelope");
			return;
		}
	if (rlp_reader_err(&list) != OK) {
		disable(w, "bad Messages packet");
		return;
	}
	while (!rlp_reader_at_end(&list)) {
		if (shh_envelope_read(&env, &list) != OK)
			break;
		double work = shh_work_value(
			SHH_RULE_EIP627, shh_work_bits(env.content, env.nonce, SHH_DIGEST_SINGLE),
			&env);

		if (pool_has(w, env.raw))
			continue;
		if (work <= best_work(w)) {
			say("{\"event\":\"outbid\",\"work\":%.6g}", work);
			continue;
		}
		try_open(w, &env);
		pool_add(w, &env, false);
		taken++;
	}
	if (count > 0)
		say("{\"event\":\"envelopes\",\"count\":%zu,\"taken\":%zu}", count, taken);
}

static void pow_requirement(struct world *w, struct span payload)
{
	double v;
	uint64_t bits;

	/* one byte of header, eight of the double, and a "normal" one at that */
	if (payload.len != 9 || payload.data[0] != 0x88) {
		disable(w, "PoW packet is not an 8-byte string");
		return;
	}
	bits = be64_load(payload.data + 1);
	memcpy(&v, &bits, sizeof(v));
	if (!isnormal(v)) {
		disable(w, "PoW is not a normal number");
		return;
	}
	w->peer_pow = v;
	say("{\"event\":\"pow\",\"value\":%.17g}", v);
}

static void packet(struct world *w, uint32_t code, struct span payload)
{
	if (code > ONE_BYTE_CODES_MAX) {
		say("{\"event\":\"wide-code\",\"code\":%u}", code);
		w->leaving = true; /* it reads one byte of code and fails to inflate the rest */
		return;
	}
	if (!w->has_status && code >= SHH_MESSAGES && code <= SHH_BLOOM) {
		disable(w, "packet before Status");
		return;
	}
	switch (code) {
	case SHH_STATUS:
		w->has_status = true;
		say("{\"event\":\"status\",\"bytes\":%zu}", payload.len);
		rally(w);
		break;
	case SHH_MESSAGES: messages(w, payload); break;
	case SHH_POW: pow_requirement(w, payload); break;
	case SHH_BLOOM:
		if (shh_bloom_read(&w->peer_bloom, payload) != OK)
			disable(w, "bloom is not 64 bytes");
		else
			w->peer_has_bloom = true;
		say("{\"event\":\"bloom\"}");
		break;
	default: break; /* ignored with a log line */
	}
}

/* --- the stream ---------------------------------------------------------------- */

static void drain(struct world *w)
{
	static const uint8_t empty_list = 0xc0;
	struct rlpx_event ev;

	while (rlpx_poll(w->conn, &ev)) {
		switch (ev.type) {
		case RLPX_IDENTIFIED: break;
		case RLPX_HELLO:
			w->ready = true;
			w->cap = ev.u.hello.shared[0].cap;
			w->up_since = net_clock_ms();
			say("{\"event\":\"hello\",\"version\":%u,\"shared\":%zu,\"offset\":%u}",
			    ev.u.hello.peer->version, ev.u.hello.shared_count,
			    ev.u.hello.shared[0].offset);
			send_packet(w, SHH_STATUS, &empty_list, 1);
			break;
		case RLPX_MESSAGE: packet(w, ev.u.message.code, ev.u.message.payload); break;
		case RLPX_CLOSED:
			say("{\"event\":\"closed\",\"by_peer\":%s,\"reason\":%u,\"error\":\"%s\"}",
			    ev.u.closed.by_peer ? "true" : "false", ev.u.closed.reason,
			    err_name(ev.u.closed.err));
			w->leaving = true;
			break;
		}
	}
}

static void write_out(struct world *w)
{
	const uint8_t *data;
	size_t len;

	rlpx_seal_many(&w->conn, 1, net_clock_ms());
	while ((len = rlpx_output(w->conn, &data)) > 0) {
		ssize_t n = write(w->sock, data, len);

		if (n <= 0)
			return;
		rlpx_output_taken(w->conn, (size_t)n, net_clock_ms());
		rlpx_seal_many(&w->conn, 1, net_clock_ms());
	}
}

static void read_in(struct world *w)
{
	static uint8_t in[1 << 18];
	ssize_t n = read(w->sock, in, sizeof(in));
	size_t at = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		rlpx_stream_ended(w->conn, net_clock_ms());
		drain(w);
		return;
	}
	while (at < (size_t)n) {
		size_t taken = 0;
		enum err e = rlpx_recv(w->conn, &taken, in + at, (size_t)n - at, net_clock_ms());

		at += taken;
		drain(w);
		if (e != OK || w->leaving)
			break;
	}
}

static void command(struct world *w, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "post ", 5) == 0)
		post(w, line + 5, true);
	else if (strncmp(line, "weak ", 5) == 0)
		post(w, line + 5, false);
	else if (strcmp(line, "pool") == 0)
		say("{\"event\":\"pool\",\"count\":%zu,\"best\":%.17g}", w->pooled, best_work(w));
	else if (strcmp(line, "quit") == 0)
		rlpx_close(w->conn, RLPX_QUITTING, net_clock_ms());
	else
		say("{\"event\":\"unknown-command\"}");
}

static void run(struct world *w)
{
	char line[1 << 15];
	bool reads_commands = true;

	w->next_rally = net_clock_ms() + RALLY_MS;
	while (!w->leaving) {
		struct pollfd fds[2] = {
			{ .fd = w->sock,
			  .events = (short)(POLLIN | (rlpx_wants_output(w->conn) ? POLLOUT : 0)) },
			{ .fd = reads_commands ? STDIN_FILENO : -1, .events = POLLIN },
		};

		write_out(w);
		if (poll(fds, 2, 50) < 0 && errno != EINTR)
			die("poll failed");
		if (fds[0].revents != 0)
			read_in(w);
		if (fds[1].revents != 0) {
			if (fgets(line, sizeof(line), stdin) != NULL) {
				command(w, line);
			} else {
				reads_commands = false;
				rlpx_close(w->conn, RLPX_QUITTING, net_clock_ms());
			}
		}
		if (net_clock_ms() >= w->next_rally) {
			if (w->ready && !w->has_status &&
			    net_clock_ms() - w->up_since > STATUS_WAIT_MS)
				disable(w, "no Status");
			rally(w);
		}
		rlpx_tick(w->conn, net_clock_ms());
		drain(w);
	}
	write_out(w);
}

/* --- getting there ---------------------------------------------------------------- */

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void wait_for_caller(struct world *w, uint16_t port)
{
	struct enode self = { .id = *rlpx_host_id(w->host), .has_endpoint = true };
	struct sockaddr_in at = loopback(port);
	socklen_t at_len = sizeof(at);
	char url[ENODE_TEXT_MAX];
	int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	uint8_t ip4[4] = { 127, 0, 0, 1 };

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s, 1) < 0 ||
	    getsockname(s, (struct sockaddr *)&at, &at_len) < 0)
		die("cannot listen on that port");
	port = ntohs(at.sin_port);
	self.at = (struct endpoint){ .ip = ip_from4(ip4), .udp = port, .tcp = port };
	enode_text(url, &self);
	say("{\"event\":\"listening\",\"enode\":\"%s\"}", url);
	w->sock = accept(s, NULL, NULL);
	close(s);
	if (w->sock < 0 || rlpx_accept(&w->conn, w->host, net_clock_ms()) != OK)
		die("cannot accept");
}

static void call(struct world *w, const char *url)
{
	struct enode to;
	const char *why = "";
	struct sockaddr_in at;

	if (enode_parse(&to, url, w->crypto, &why) != OK || !to.has_endpoint)
		die("that enode cannot be dialled");
	at = loopback(to.at.tcp);
	w->sock = socket(AF_INET, SOCK_STREAM, 0);
	if (w->sock < 0 || connect(w->sock, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("cannot connect");
	/* parity dials with the form that is older than EIP-8, always */
	if (rlpx_dial(&w->conn, w->host, &to.id, true, net_clock_ms()) != OK)
		die("cannot start the handshake");
}

static void make_host(struct world *w, uint16_t port)
{
	/* pwh: the same, with more that only parities say to each other */
	static const struct rlpx_capability caps[] = {
		{ .name = "shh", .version = 6, .length = 128 },
		{ .name = "pwh", .version = 6, .length = 128 },
	};
	struct seckey key;
	struct rlpx_config cfg = {
		.key = &key,
		.crypto = w->crypto,
		.mem = &w->mem,
		.rng = w->rng,
		.client = "Parity-Ethereum/v2.4.9-stable/x86_64-linux-gnu/rustc1.34.1",
		.listen_port = port,
		.version = 5,
		.accept_plain = true,
		.caps = caps,
		.cap_count = sizeof(caps) / sizeof(caps[0]),
	};

	if (seckey_generate(w->crypto, &key, &w->rng) != OK ||
	    rlpx_host_new(&w->host, &cfg, net_clock_ms()) != OK)
		die("cannot make an identity");
	crypto_wipe(&key, sizeof(key));
}

int main(int argc, char **argv)
{
	static struct world w;
	bool listens;
	uint16_t port;

	if (argc < 3)
		die("usage: parity listen PORT | dial ENODE [--symkey HEX] [--topic HEX]");
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see the line after this one */
	mem_init(&w.mem);
	w.rng = net_rng();
	memset(w.key.b, 0x11, sizeof(w.key.b));
	memcpy(w.topic.b, "\x01\x02\x03\x04", 4);
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--symkey") == 0 &&
		    hex_decode(w.key.b, sizeof(w.key.b), argv[i + 1]) == OK)
			continue;
		if (strcmp(argv[i], "--topic") == 0 &&
		    hex_decode(w.topic.b, sizeof(w.topic.b), argv[i + 1]) == OK)
			continue;
		die("--symkey takes 64 hex digits, --topic 8");
	}
	if (crypto_new(&w.crypto, &w.rng) != OK || aes_gcm_new(&w.gcm, w.key.b) != OK)
		die("no cryptography");
	listens = strcmp(argv[1], "listen") == 0;
	port = listens ? (uint16_t)atoi(argv[2]) : 0;
	make_host(&w, port);
	if (listens)
		wait_for_caller(&w, port);
	else
		call(&w, argv[2]);
	fcntl(w.sock, F_SETFL, O_NONBLOCK);
	run(&w);
	rlpx_free(w.conn);
	rlpx_host_free(w.host);
	for (size_t i = 0; i < w.pooled; i++)
		free(w.pool[i].raw);
	aes_gcm_free(w.gcm);
	crypto_free(w.crypto);
	close(w.sock);
	return 0;
}
