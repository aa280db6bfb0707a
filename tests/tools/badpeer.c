/* SPDX-License-Identifier: MIT */
/* tests/tools/badpeer.c MODE - a peer that goes wrong at one step, for the exit codes
 * of `sotto hello`.  Prints its enode URL, then serves one connection after the
 * other until it is stopped.
 *
 *	close      accepts and closes
 *	silent     accepts and says nothing
 *	noise      answers with bytes that are no ack
 *	nohello    shakes hands, then closes
 *	useless    a Hello without shh
 *	nostatus   a Hello with shh, then no Status; closes after 1 s
 *	badstatus  a Status that is none
 *	version    a Status of another version
 *	full       Disconnect 0x04 instead of a Hello
 *	quit       Disconnect 0x08 instead of a Status
 *	rude URL   dials that node with a name that is meant for its log
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enr/enr.h"
#include "net/net.h"
#include "rlpx/rlpx.h"

struct bad {
	const char *mode;
	struct rng rng;
	struct mem mem;
	struct crypto *crypto;
	struct rlpx_host *host;
	bool over;
};

static bool is(const struct bad *b, const char *mode)
{
	return strcmp(b->mode, mode) == 0;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

static void send_status(struct bad *b, struct rlpx *c, const char *hex)
{
	struct blob *p;
	size_t len = strlen(hex) / 2;

	must(blob_new(&p, &b->mem, MEM_SEND, len) == OK, "blob");
	must(hex_decode(p->data, len, hex) == OK, "hex");
	if (rlpx_send(c, 0, 0, p) != OK)
		blob_unref(p);
}

static void on_event(struct bad *b, struct rlpx *c, const struct rlpx_event *ev, uint64_t now_ms)
{
	switch (ev->type) {
	case RLPX_IDENTIFIED:
		if (is(b, "nohello"))
			b->over = true;
		if (is(b, "full"))
			rlpx_close(c, RLPX_TOO_MANY_PEERS, now_ms);
		break;
	case RLPX_HELLO:
		if (is(b, "badstatus"))
			send_status(b, c, "ff");
		if (is(b, "version"))
			send_status(b, c, "c107");
		if (is(b, "rude"))
			send_status(b, c, "c106");
		if (is(b, "quit"))
			rlpx_close(c, RLPX_QUITTING, now_ms);
		break;
	case RLPX_MESSAGE: break;
	case RLPX_CLOSED: b->over = true; break;
	}
}

static void poll_events(struct bad *b, struct rlpx *c, uint64_t now_ms)
{
	struct rlpx_event ev;

	while (!b->over && rlpx_poll(c, &ev))
		on_event(b, c, &ev, now_ms);
}

static void write_out(struct rlpx *c, int fd, uint64_t now_ms)
{
	const uint8_t *data;
	size_t len;

	rlpx_seal_many(&c, 1, now_ms);
	while ((len = rlpx_output(c, &data)) > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		rlpx_output_taken(c, (size_t)n, now_ms);
	}
}

static void read_in(struct bad *b, struct rlpx *c, int fd, uint8_t *data, size_t len)
{
	uint64_t now_ms = net_clock_ms();
	size_t taken;

	while (len > 0 && !b->over) {
		enum err err = rlpx_recv(c, &taken, data, len, now_ms);

		write_out(c, fd, now_ms); /* the ack; no Hello before IDENTIFIED was polled */
		poll_events(b, c, now_ms);
		data += taken;
		len -= taken;
		if (err != OK)
			break;
	}
}

/* A connection, for 1 s of silence at most. */
static void serve_rlpx(struct bad *b, struct rlpx *c, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t data[4096];

	b->over = false;
	write_out(c, fd, net_clock_ms());
	while (!b->over && poll(&p, 1, 1000) > 0) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n <= 0)
			break;
		read_in(b, c, fd, data, (size_t)n);
		if (!is(b, "nohello") || !b->over)
			write_out(c, fd, net_clock_ms());
		poll_events(b, c, net_clock_ms());
	}
	rlpx_free(c);
}

static void serve(struct bad *b, int fd)
{
	static const uint8_t noise[600] = { 1, 0x50 };
	struct rlpx *c;
	uint8_t byte;

	if (is(b, "close"))
		return;
	if (is(b, "silent")) {
		sleep(3);
	} else if (!is(b, "noise")) {
		must(rlpx_accept(&c, b->host, net_clock_ms()) == OK, "accept");
		serve_rlpx(b, c, fd);
	} else if (recv(fd, &byte, 1, 0) == 1 && send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0) {
		sleep(1);
	}
}

static int visit(struct bad *b, const char *url)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *why;
	struct enode to;
	struct rlpx *c;

	must(enode_parse(&to, url, b->crypto, &why) == OK, "URL");
	a.sin_port = htons(to.at.tcp);
	memcpy(&a.sin_addr, to.at.ip.b + 12, 4);
	must(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect");
	must(rlpx_dial(&c, b->host, &to.id, false, net_clock_ms()) == OK, "dial");
	serve_rlpx(b, c, fd);
	close(fd);
	return 0;
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 8) == 0 &&
		     getsockname(fd, (struct sockaddr *)&a, &len) == 0,
	     "listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static void make_host(struct bad *b, struct enode *self)
{
	const struct rlpx_capability shh = { .name = "shh", .version = 6, .length = 128 };
	const struct rlpx_capability other = { .name = "zzz", .version = 1, .length = 8 };
	struct seckey key;
	struct rlpx_config cfg = {
		.key = &key,
		.mem = &b->mem,
		.rng = b->rng,
		.client = is(b, "rude") ? "evil\n\x1b[2J\" level=error" : "badpeer",
		.version = 5,
		.caps = is(b, "useless") ? &other : &shh,
		.cap_count = 1,
	};

	mem_init(&b->mem);
	must(crypto_new(&b->crypto, &b->rng) == OK &&
		     seckey_generate(b->crypto, &key, &b->rng) == OK &&
		     pubkey_of(b->crypto, &self->id, &key) == OK,
	     "key");
	cfg.crypto = b->crypto;
	must(rlpx_host_new(&b->host, &cfg, net_clock_ms()) == OK, "host");
}

int main(int argc, char **argv)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	struct bad b = { .mode = argc > 1 ? argv[1] : "close", .rng = net_rng() };
	struct enode self = { .has_endpoint = true, .at = { .ip = ip_from4(loopback) } };
	char url[ENODE_TEXT_MAX];
	int listener = listen_somewhere(&self.at.tcp);

	self.at.udp = self.at.tcp;
	make_host(&b, &self);
	if (is(&b, "rude") && argc > 2)
		return visit(&b, argv[2]);
	enode_text(url, &self);
	printf("enode: %s\n", url);
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		serve(&b, fd);
		close(fd);
	}
}
