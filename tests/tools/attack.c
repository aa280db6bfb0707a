/* SPDX-License-Identifier: MIT */
/* tests/tools/attack.c PID ENODE GROUP - what a hostile stranger can do to a running node,
 * over real sockets, and what must hold all the same.
 *
 * Each attack asks what is its own (how the attacker's link ended), and then the four
 * questions of every attack:
 *
 *	alive	the process runs
 *	bounded	its memory never grew by more than GROWTH_KB, its sockets are within the
 *		sum of its caps
 *	served	while the attack lasts, somebody honest gets in and has a message relayed
 *	clean	when it is over no socket of it is left, and the honest are served again
 *
 * Groups, each for a node of its own:
 *
 *	door	before authentication (hardening H1, H4, H5, H6, H8, H9)
 *	peer	after it (B1, B4, F5, W1 to W5, W7, U2)
 *	slow	half of something, for ever (H3, F1, F4, W1)
 *	deaf	peers that do not read (F8, B6); for a node with --shh.pow 0
 *	scarce	no descriptor left (P7); for a node with few of them
 *
 * Loopback is exempt from limits by address: those have unit tests.  The last line is
 * "N passed, N failed".
 */
#include "rlpx/disconnect.h"
#include "tests/crew.h"

/* Sanitizers keep what was freed, and weigh more in everything. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
#define GROWTH_KB (640L << 10)
#else
#define GROWTH_KB (32L << 10) /* the pool has 8 MiB of it */
#endif

/* Pending links, 34 inbound peers of 50, goodbyes, and one in the hand. */
#define SOCKETS_CAP (NODE_PENDING_INBOUND + 34 + 64 + 1)

static unsigned passed, failed;
static const char *running;

static void check(bool ok, const char *what)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s: %s\n", running, what);
	fflush(stdout);
}

/* The same with a number that tells more. */
static void check_number(bool ok, const char *what, long number)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %ld", what, number);
	check(ok, text);
}

/* Somebody whose link is good; the attack cannot begin without. */
static struct crew_peer *befriend(struct crew *w, int rcvbuf)
{
	struct crew_peer *p = crew_befriend(w, rcvbuf);

	crew_must(p != NULL, "an attacker's first link");
	return p;
}

/* --- the honest -------------------------------------------------------------------------- */

static struct crew_letter letter(struct crew *w, uint8_t *data, size_t len)
{
	crew_must(rng_fill(&w->rng, data, len) == OK, "chance");
	return (struct crew_letter){
		.ttl_s = 60,
		.bits = len > 1000 ? 0 : 10,
		.data = span_of(data, len),
	};
}

/* Two strangers come, and the node hands a message of the one to the other. */
static bool is_served(struct crew *w)
{
	struct crew_peer *from = crew_befriend(w, 0), *to = crew_befriend(w, 0);
	uint8_t data[2 * CREW_MARK];
	struct crew_letter l = letter(w, data, sizeof(data));
	bool ok = false;

	if (from != NULL && to != NULL) {
		to->mark = data;
		ok = crew_post(w, from, &l) && crew_until(w, to, &to->found);
	}
	if (from != NULL)
		crew_leave(w, from);
	if (to != NULL)
		crew_leave(w, to);
	return ok;
}

/* Wait until just n of its sockets are there: one look may count a socket twice, or
 * not at all, while others come and go on this machine. */
static void check_sockets(struct crew *w, int n, const char *what)
{
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS;
	int held = crew_sockets_held(w);

	while (held != n && net_clock_ms() < end) {
		crew_turn(w, 20);
		held = crew_sockets_held(w);
	}
	check_number(held == n, what, held);
}

/* Whoever was turned away comes back at once. */
static void knock_again(struct crew *w)
{
	uint8_t byte;

	for (size_t i = 0; i < w->sockets; i++) {
		ssize_t n = recv(w->socket[i], &byte, 1, MSG_DONTWAIT);

		if (n > 0 || (n < 0 && errno == EAGAIN))
			continue;
		close(w->socket[i]);
		w->socket[i] = crew_connect(w, 0);
		crew_shout(w->socket[i], "\x01", 1);
	}
}

/* It has little to do: most of two seconds it sleeps. */
static void check_sleeps(struct crew *w)
{
	uint64_t begin = net_clock_ms(), end = begin + 2000;
	long ticks = crew_ticks(w);

	while (net_clock_ms() < end) {
		crew_turn(w, 1);
		knock_again(w);
	}
	ticks = (crew_ticks(w) - ticks) * 1000 / sysconf(_SC_CLK_TCK);
	check_number((uint64_t)ticks < (net_clock_ms() - begin) / 10, "it spins, ms of 2 s", ticks);
}

static void four_questions(struct crew *w, long before_kb)
{
	check(is_served(w), "the honest are served while it lasts");
	check_number(crew_sockets_held(w) <= SOCKETS_CAP, "sockets", crew_sockets_held(w));
	crew_let_go(w);
	crew_all_leave(w);
	check(crew_is_alive(w), "alive");
	check_sockets(w, 0, "sockets left over");
	check(is_served(w), "the honest are served after it");
	check_number(crew_memory_kb(w, "VmHWM") - before_kb <= GROWTH_KB, "KiB that it grew by",
		     crew_memory_kb(w, "VmHWM") - before_kb);
}

/* --- door: before authentication ------------------------------------------------------------ */

/* H1: they connect and say nothing; the oldest of them give way. */
static void silent(struct crew *w)
{
	for (unsigned i = 0; i < 300; i++)
		crew_hold(w, crew_connect(w, 0));
	w->refused = 0;
	check(is_served(w), "served beside silent ones");
	check_number(w->refused == 0, "honest ones that were turned away", w->refused);
}

/* An auth that nobody sealed, but for its point: it costs an ECDH to see it. */
static size_t junk_auth(struct crew *w, uint8_t out[static 402], bool plain)
{
	struct seckey key;
	struct pubkey id;
	size_t at = plain ? 0 : 2;

	crew_must(rng_fill(&w->rng, out, 402) == OK &&
			  seckey_generate(w->crypto, &key, &w->rng) == OK &&
			  pubkey_of(w->crypto, &id, &key) == OK,
		  "chance");
	be16_store(out, 400);
	out[at] = 0x04;
	memcpy(out + at + 1, id.b, sizeof(id.b));
	return plain ? 307 : 402;
}

/* H4: no answer, not a byte, however the bytes are wrong. */
static void junk(struct crew *w)
{
	unsigned silent_ends = 0;

	for (unsigned i = 0; i < 400; i++) {
		int fd = crew_connect(w, 0);
		uint8_t auth[402];
		size_t len = junk_auth(w, auth, false);

		if (i % 2)
			auth[3 + i % 64] ^= 1; /* no point at all */
		crew_shout(fd, auth, len);
		silent_ends += crew_bytes_until_end(fd) == 0;
		close(fd);
	}
	check_number(silent_ends == 400, "ends without a byte", silent_ends);
}

/* H5: an auth that was answered is not answered again. */
static void replayed(struct crew *w)
{
	struct crew_peer *p = crew_join(w, false, 0);
	unsigned silent_ends = 0;
	uint8_t auth[2048];
	const uint8_t *out;
	size_t len;

	crew_must(p != NULL, "connect");
	len = rlpx_output(p->conn, &out);
	crew_must(len <= sizeof(auth), "auth");
	memcpy(auth, out, len);
	check(crew_until(w, p, &p->ready), "the first one is welcome");
	for (unsigned i = 0; i < 50; i++) {
		int fd = crew_connect(w, 0);

		crew_shout(fd, auth, len);
		silent_ends += crew_bytes_until_end(fd) == 0;
		close(fd);
	}
	check_number(silent_ends == 50, "replays end without a byte", silent_ends);
	check(!p->over, "the first one stays");
}

static void malformed_once(struct crew *w, unsigned i)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = crew_connect(w, 0);
	uint8_t data[402];
	size_t len = junk_auth(w, data, i % 8 == 7);

	switch (i % 8) {
	case 0: break; /* nothing at all */
	case 1: crew_shout(fd, http, sizeof(http) - 1); break;
	case 2: crew_shout(fd, data, 1); break;
	case 3: crew_shout(fd, data, 200); break; /* cut */
	case 4:
		be16_store(data, 281);
		crew_shout(fd, data, len);
		break;
	case 5:
		be16_store(data, 2049);
		crew_shout(fd, data, len);
		break;
	case 6:
		memset(data, 0, len);
		crew_shout(fd, data, len);
		break;
	case 7: crew_shout(fd, data, len); break;
	}
	if (i % 3 == 0) { /* a reset instead of an end */
		struct linger hard = { 1, 0 };

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	}
	close(fd);
}

/* H6: a thousand malformed ones, and then a hundred that are well. */
static void storm(struct crew *w)
{
	unsigned clean = 0;

	for (unsigned i = 0; i < 1000; i++)
		malformed_once(w, i);
	check_sockets(w, 0, "sockets left of a storm");
	for (unsigned i = 0; i < 100; i++) {
		struct crew_peer *p = crew_join(w, false, 0);

		if (p == NULL)
			continue;
		clean += crew_until(w, p, &p->ready);
		crew_leave(w, p);
	}
	check_number(clean == 100, "of 100 clean ones", clean);
}

/* H8: behind a good auth, 64 KiB that nobody waits for. */
static void pipelined(struct crew *w)
{
	static uint8_t junk_tail[65536];
	unsigned ends = 0;

	for (unsigned i = 0; i < 20; i++) {
		struct crew_peer *p = crew_join(w, false, 0);
		const uint8_t *out;
		size_t len;

		crew_must(p != NULL, "connect");
		len = rlpx_output(p->conn, &out);
		crew_shout(p->fd, out, len);
		crew_shout(p->fd, junk_tail, sizeof(junk_tail));
		ends += crew_bytes_until_end(p->fd) >= 0;
		crew_leave(w, p);
	}
	check_number(ends == 20, "ends", ends);
}

/* H9: plain ones, junk that is held open as long as it is let, and good ones. */
static void plain(struct crew *w)
{
	unsigned good = 0;

	for (unsigned i = 0; i < 100; i++) {
		int fd = crew_hold(w, crew_connect(w, 0));
		uint8_t auth[402];
		size_t len = junk_auth(w, auth, true);

		crew_shout(fd, auth, len);
	}
	for (uint64_t end = net_clock_ms() + CREW_PATIENCE_MS; good < 20 && net_clock_ms() < end;) {
		struct crew_peer *p = crew_join(w, true, 0);

		if (p == NULL)
			continue;
		good += crew_until(w, p, &p->ready);
		crew_leave(w, p);
	}
	check_number(good == 20, "good plain ones", good);
}

/* --- peer: after authentication --------------------------------------------------------------- */

/* End a peer's story: it must be over, with that reason. */
static void check_reason(struct crew *w, struct crew_peer *p, unsigned reason, const char *what)
{
	bool over = crew_until_over(w, p);

	check(over, what);
	check_number(p->reason == reason, what, (long)p->reason);
	crew_leave(w, p);
}

/* A Hello body, code and all, with that many capabilities and that id. */
static size_t hello_body(uint8_t *out, size_t max, size_t caps, const struct pubkey *id)
{
	struct rlp_writer wr = rlp_writer_init(out, max);
	size_t all, list;

	rlp_write_u64(&wr, 0);
	all = rlp_list_begin(&wr);
	rlp_write_u64(&wr, 5);
	rlp_write_text(&wr, "evil\n\x1b[2J");
	list = rlp_list_begin(&wr);
	for (size_t i = 0; i < caps; i++) {
		size_t cap = rlp_list_begin(&wr);

		rlp_write_text(&wr, "shh");
		rlp_write_u64(&wr, 6 + i);
		rlp_list_end(&wr, cap);
	}
	rlp_list_end(&wr, list);
	rlp_write_u64(&wr, 0);
	rlp_write_bytes(&wr, id->b, sizeof(id->b));
	rlp_list_end(&wr, all);
	crew_must(wr.err == OK, "Hello");
	return wr.len;
}

/* Somebody with secrets whose Hello is the caller's. */
static struct crew_peer *without_hello(struct crew *w)
{
	struct crew_peer *p = crew_join(w, false, 0);

	crew_must(p != NULL, "connect");
	p->bare = true;
	check(crew_until(w, p, &p->identified), "secrets");
	return p;
}

/* B1: Hellos that are none, of another, too rich, too large, and twice. */
static void hellos(struct crew *w)
{
	static uint8_t body[4096];
	struct crew_peer *p;
	size_t len;

	p = without_hello(w);
	crew_inject(w, p, (uint8_t[]){ 0x80, 0xc0 }, 2, 0);
	check_reason(w, p, RLPX_BREACH, "an empty Hello");
	p = without_hello(w);
	len = hello_body(body, sizeof(body), 1, &w->target.id);
	crew_inject(w, p, body, len, 0);
	check_reason(w, p, RLPX_UNEXPECTED_IDENTITY, "a Hello with the id of another");
	p = without_hello(w);
	len = hello_body(body, sizeof(body), RLPX_PEER_CAPS_MAX + 1, rlpx_host_id(p->host));
	crew_inject(w, p, body, len, 0);
	check_reason(w, p, RLPX_BREACH, "a Hello of 65 capabilities");
	p = without_hello(w);
	crew_inject(w, p, NULL, RLPX_HELLO_MAX + 1, FRAME_HEADER);
	check_reason(w, p, RLPX_BREACH, "a Hello of 2,049 bytes");
	p = befriend(w, 0);
	len = hello_body(body, sizeof(body), 1, rlpx_host_id(p->host));
	crew_inject(w, p, body, len, 0);
	check_reason(w, p, RLPX_BREACH, "a second Hello");
}

/* B4: thousands of Pings. */
static void pings(struct crew *w)
{
	static const uint8_t ping[] = { 0x02, 0x01, 0x00, 0xc0 };
	struct crew_peer *p = befriend(w, 0);

	for (unsigned i = 0; i < 5000 && !p->over; i++)
		crew_inject(w, p, ping, sizeof(ping), 0);
	check_reason(w, p, RLPX_BREACH, "a flood of Pings");
}

/* F5, B2: a claim of more than it can be, and codes past the last one. */
static void frames(struct crew *w)
{
	static const uint8_t bomb[] = { 0x11, 0xff, 0xff, 0xff, 0x07, 0x00, 0xc0 };
	static const uint8_t code[] = { 0x82, 0x7f, 0xff, 0x01, 0x00, 0xc0 };
	static const uint8_t bent[] = { 0x81, 0x11, 0x01, 0x00, 0xc0 };
	struct crew_peer *p;

	p = befriend(w, 0);
	crew_inject(w, p, bomb, sizeof(bomb), 0);
	check_reason(w, p, RLPX_BREACH, "a decompression bomb");
	p = befriend(w, 0);
	crew_inject(w, p, code, sizeof(code), 0);
	check_reason(w, p, RLPX_BREACH, "a code of nobody");
	p = befriend(w, 0);
	crew_inject(w, p, bent, sizeof(bent), 0);
	check_reason(w, p, RLPX_BREACH, "a code that is not canonical");
}

/* W1, W3: Messages before Status, and Messages that are none. */
static void malformed(struct crew *w)
{
	static const struct {
		const char *hex, *what;
	} cases[] = {
		{ "80", "no list" },
		{ "c180", "an envelope that is no list" },
		{ "c2c101", "one field" },
		{ "d0cf845f5e100082003c84010203048001", "a ttl with a zero byte before it" },
		{ "c5c401020304", "four fields" },
		{ "ff", "cut" },
	};
	struct crew_peer *p = crew_join(w, false, 0);
	uint8_t packet[64];

	crew_must(p != NULL, "connect");
	p->wordless = true;
	check(crew_until(w, p, &p->open), "Hello");
	crew_say(w, p, SHH_MESSAGES, "\xc0", 1);
	check_reason(w, p, RLPX_BREACH, "Messages before Status");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].hex) / 2;

		p = befriend(w, 0);
		crew_must(hex_decode(packet, len, cases[i].hex) == OK, "hex");
		crew_say(w, p, SHH_MESSAGES, packet, len);
		check_reason(w, p, RLPX_SUBPROTOCOL, cases[i].what);
	}
}

/* Say it when there is room; false if there never is. */
static bool say_patiently(struct crew *w, struct crew_peer *p, uint32_t code, const void *data,
			  size_t len, uint64_t patience_ms)
{
	uint64_t end = net_clock_ms() + patience_ms;

	while (!p->over && net_clock_ms() < end) {
		if (crew_say(w, p, code, data, len))
			return true;
		crew_turn(w, 10);
	}
	return false;
}

/* Somebody who misbehaved in a way that an honest client may: its link stays, and a
 * good message of it is relayed. */
static void check_stays(struct crew *w, struct crew_peer *p, const char *what)
{
	struct crew_peer *to = befriend(w, 0);
	uint8_t data[2 * CREW_MARK];
	struct crew_letter l = letter(w, data, sizeof(data));

	to->mark = data;
	check(crew_post(w, p, &l) && crew_until(w, to, &to->found) && !p->over, what);
	crew_leave(w, to);
}

/* W5, W4: expired, from the future, of no life, older than time. */
static void stale(struct crew *w)
{
	static const struct {
		int64_t born_s;
		uint32_t ttl_s;
	} cases[] = { { -1000, 60 }, { 1000, 60 }, { 0, 0 }, { 0, SHH_TTL_MAX + 1 } };
	struct crew_peer *p = befriend(w, 0), *to = befriend(w, 0);
	uint8_t data[2 * CREW_MARK], mark[CREW_MARK];
	bool sent = true;

	crew_must(rng_fill(&w->rng, mark, sizeof(mark)) == OK, "begin");
	to->mark = mark;
	for (unsigned i = 0; i < 400; i++) {
		struct crew_letter l = letter(w, data, sizeof(data));

		memcpy(data, mark, sizeof(mark));
		l.bits = 6;
		l.born_s = cases[i % 4].born_s;
		l.ttl_s = cases[i % 4].ttl_s;
		while (!crew_post(w, p, &l) && !p->over)
			crew_turn(w, 10);
		sent = sent && !p->over;
		crew_turn(w, 0);
	}
	check(sent, "all were taken");
	check_stays(w, p, "a skewed peer stays");
	check(!to->found, "nothing of it was relayed");
	crew_leave(w, to);
}

/* W7: direct messages and letters for mail servers, of nobody that we trust. */
static void direct(struct crew *w)
{
	static const uint32_t codes[] = { SHH_P2P_MESSAGE, SHH_P2P_REQUEST, SHH_SYNC_REQUEST,
					  SHH_SYNC_RESPONSE, 77 };
	struct crew_peer *p = befriend(w, 0);
	bool sent = true;

	for (unsigned i = 0; i < 2000; i++)
		sent = sent &&
		       say_patiently(w, p, codes[i % 5], "\xc0\xff", 1 + i % 2, CREW_PATIENCE_MS);
	check(sent, "all were taken");
	check_stays(w, p, "they are ignored");
}

/* W2: an envelope that is larger than what we store. */
static void oversize(struct crew *w)
{
	size_t len = (1u << 20) + 1;
	uint8_t *data = malloc(len);
	struct crew_peer *p = befriend(w, 0), *to = befriend(w, 0);
	struct crew_letter l = letter(w, data, len);

	to->mark = data;
	l.bits = 4;
	check(crew_post(w, p, &l), "sent");
	check_stays(w, p, "its sender stays");
	check(!to->found, "it was not relayed");
	crew_leave(w, to);
	free(data);
}

/* A packet of n envelopes: of one content under n nonces, or of n contents. */
static size_t flood_packet(struct crew *w, uint8_t *out, size_t max, unsigned n, bool renonce)
{
	struct rlp_writer wr = rlp_writer_init(out, max);
	uint64_t expiry = crew_wall_s() + 60, nonce = 0;
	size_t list = rlp_list_begin(&wr);
	uint8_t data[64], env[256];
	struct crew_letter l = letter(w, data, sizeof(data));

	l.bits = renonce ? 0 : 4;
	for (unsigned i = 0; i < n; i++) {
		if (!renonce)
			l = letter(w, data, sizeof(data)), l.bits = 4;
		else
			l.nonce_from = nonce + 1;
		rlp_write_raw(&wr, env, crew_envelope(env, sizeof(env), &l, expiry, &nonce));
	}
	rlp_list_end(&wr, list);
	crew_must(wr.err == OK, "packet");
	return wr.len;
}

/* W4, O1: one message under thousands of nonces, most without work; then ten thousand
 * messages of little work for a pool of 4,096. */
static void renonced(struct crew *w)
{
	struct crew_peer *p = befriend(w, 0);
	static uint8_t packet[1 << 18];
	bool sent = true;

	for (unsigned i = 0; i < 20; i++) {
		size_t len = flood_packet(w, packet, sizeof(packet), 1000, true);

		sent = sent && say_patiently(w, p, SHH_MESSAGES, packet, len, CREW_PATIENCE_MS);
	}
	for (unsigned i = 0; i < 20; i++) {
		size_t len = flood_packet(w, packet, sizeof(packet), 500, false);

		sent = sent && say_patiently(w, p, SHH_MESSAGES, packet, len, CREW_PATIENCE_MS);
	}
	check(sent, "all were taken");
	check_stays(w, p, "more work than a flood gets through");
}

/* U2: wishes that change as fast as they can be written. */
static void updates(struct crew *w)
{
	struct crew_peer *p = befriend(w, 0);
	uint8_t pow[9], bloom[66];
	struct shh_bloom wish;
	unsigned sent = 0;

	memset(&wish, 0, sizeof(wish));
	for (unsigned i = 0; i < 3000 && !p->over; i++) {
		bool ok;

		wish.b[i % SHH_BLOOM_SIZE] ^= 1;
		ok = i % 2 ? say_patiently(w, p, SHH_POW, pow, shh_pow_write(pow, i % 4 / 2), 200)
			   : say_patiently(w, p, SHH_BLOOM, bloom, shh_bloom_write(bloom, &wish),
					   200);
		if (!ok)
			break; /* it stopped reading, as it should */
		sent++;
	}
	check_number(sent > 100, "updates sent", sent);
	check_sleeps(w);
}

/* --- slow: half of something, for ever ---------------------------------------------------------- */

/* H3: a byte a second of an auth; W1: Hello and then nothing; F1, F4: a frame of 16 MiB
 * that comes byte by byte.  All of them end although something comes. */
static void slow(struct crew *w)
{
	struct crew_peer *claim[20], *mum[5];
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS, next = 0;
	uint8_t auth[402];
	unsigned bytes = 0;

	for (unsigned i = 0; i < 20; i++) {
		claim[i] = befriend(w, 0);
		crew_inject(w, claim[i], NULL, RLPX_FRAME_MAX, FRAME_HEADER + 1024);
		claim[i]->mute = true;
	}
	for (unsigned i = 0; i < 5; i++) {
		mum[i] = crew_join(w, false, 0);
		crew_must(mum[i] != NULL, "connect");
		mum[i]->wordless = true;
	}
	junk_auth(w, auth, false);
	for (unsigned i = 0; i < 20; i++)
		crew_hold(w, crew_connect(w, 0));
	check(is_served(w), "served beside slow handshakes");
	while (crew_sockets_held(w) > 0 && net_clock_ms() < end) {
		crew_turn(w, 100);
		if (net_clock_ms() < next)
			continue;
		next = net_clock_ms() + 1000;
		for (unsigned i = 0; i < 20; i++) {
			crew_shout(w->socket[i], auth + bytes % 400, 1);
			if (!claim[i]->over)
				crew_shout(claim[i]->fd, auth, 1);
		}
		bytes++;
	}
	check_number(crew_sockets_held(w) == 0, "slow ones left", crew_sockets_held(w));
	for (unsigned i = 0; i < 20; i++)
		check_number(claim[i]->reason == RLPX_BREACH ||
				     claim[i]->reason == RLPX_PING_TIMEOUT,
			     "a frame that does not end", claim[i]->reason);
	for (unsigned i = 0; i < 5; i++)
		check_number(mum[i]->over && mum[i]->reason != RLPX_REASON_UNKNOWN,
			     "no Status in time", mum[i]->reason);
}

/* --- deaf: peers that do not read ------------------------------------------------------------------- */

/* How many of some links the node still holds. */
static int held(const struct crew *w, struct crew_peer *const *p, size_t count)
{
	int n = 0;

	for (size_t i = 0; i < count; i++)
		n += crew_is_held(w, p[i]->fd);
	return n;
}

static int wait_let_go(struct crew *w, struct crew_peer *const *p, size_t count)
{
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS;

	while (held(w, p, count) > 0 && net_clock_ms() < end)
		crew_turn(w, 100);
	return held(w, p, count);
}

/* F8: twenty that do not read what is relayed to them, until no buffer takes any more;
 * B6: seven of them break a rule then, and cannot hear the goodbye. */
static void deaf(struct crew *w)
{
	static uint8_t data[60000], body[1024];
	struct crew_peer *ear[20], *from;
	size_t len;

	for (unsigned i = 0; i < 20; i++) {
		ear[i] = befriend(w, 4096);
		ear[i]->deaf = true;
	}
	from = befriend(w, 0);
	for (unsigned i = 0; i < 300; i++) {
		struct crew_letter l = letter(w, data, sizeof(data));

		while (!crew_post(w, from, &l) && !from->over)
			crew_turn(w, 10);
		crew_turn(w, 0);
	}
	check_sockets(w, 21, "links while they are deaf");
	check(is_served(w), "served beside deaf peers");
	for (unsigned i = 0; i < 7; i++) {
		len = hello_body(body, sizeof(body), 1, rlpx_host_id(ear[i]->host));
		ear[i]->mute = true;
		crew_inject(w, ear[i], body, len, 0);
	}
	check_number(wait_let_go(w, ear, 7) == 0, "goodbyes that nobody hears", held(w, ear, 7));
	check_number(held(w, ear + 7, 13) == 13, "the others have longer", held(w, ear + 7, 13));
	check_sockets(w, 1, "after 20 s without a byte taken");
	check(!from->over, "who fed them stays");
}

/* --- scarce: no descriptor left ------------------------------------------------------------------------ */

/* P7: more callers than descriptors, each with a byte so that none is reclaimed. */
static void scarce(struct crew *w)
{
	for (unsigned i = 0; i < 150; i++) {
		int fd = crew_hold(w, crew_connect(w, 0));

		if (fd >= 0)
			crew_shout(fd, "\x01", 1);
	}
	check_sleeps(w);
	check(crew_is_alive(w), "alive without descriptors");
}

/* --- all of them ------------------------------------------------------------------------------------------ */

static const struct {
	const char *group, *name;
	void (*run)(struct crew *w);
} attacks[] = {
	{ "door", "silent", silent },	    { "door", "junk", junk },
	{ "door", "replayed", replayed },   { "door", "storm", storm },
	{ "door", "pipelined", pipelined }, { "door", "plain", plain },
	{ "peer", "hellos", hellos },	    { "peer", "pings", pings },
	{ "peer", "frames", frames },	    { "peer", "malformed", malformed },
	{ "peer", "stale", stale },	    { "peer", "direct", direct },
	{ "peer", "oversize", oversize },   { "peer", "renonced", renonced },
	{ "peer", "updates", updates },	    { "slow", "slow", slow },
	{ "deaf", "deaf", deaf },	    { "scarce", "scarce", scarce },
};

int main(int argc, char **argv)
{
	struct crew w;
	long before_kb;

	if (argc != 4) {
		fprintf(stderr, "usage: attack PID ENODE door|peer|slow|deaf|scarce\n");
		return 2;
	}
	crew_init(&w, (pid_t)strtol(argv[1], NULL, 10), argv[2]);
	running = "before";
	check(is_served(&w), "the honest are served");
	check_sockets(&w, 0, "sockets left over");
	before_kb = crew_memory_kb(&w, "VmRSS");
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		uint64_t begin = net_clock_ms();

		if (strcmp(attacks[i].group, argv[3]) != 0)
			continue;
		running = attacks[i].name;
		attacks[i].run(&w);
		four_questions(&w, before_kb);
		printf("%s %s: %ld ms, node at most %ld KiB\n", argv[3], running,
		       (long)(net_clock_ms() - begin), crew_memory_kb(&w, "VmHWM"));
		fflush(stdout);
	}
	crew_free(&w);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
