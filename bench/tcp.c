/* SPDX-License-Identifier: MIT */
/* bench/tcp.c - frames over TCP on loopback, the CPU of both ends and the kernel
 * together, with many frames to a write as a busy link has them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/corpus.h"
#include "rlpx/rlpx.h"

#define READ_SIZE 131072

struct side {
	struct rlpx_host *host;
	struct rlpx *conn;
	int fd;
	bool is_up;
	uint64_t messages;
};

static struct {
	struct rng_seeded seed;
	struct rng rng;
	struct crypto *crypto;
	struct mem mem;
	struct side a, b;
	struct blob *message;
	uint8_t buffer[READ_SIZE];
} t;

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench/tcp: %s\n", what);
		abort();
	}
}

static void connect_sockets(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	must(listener >= 0 && bind(listener, (struct sockaddr *)&at, len) == 0 &&
		     listen(listener, 1) == 0 &&
		     getsockname(listener, (struct sockaddr *)&at, &len) == 0,
	     "no listener");
	t.a.fd = socket(AF_INET, SOCK_STREAM, 0);
	must(t.a.fd >= 0 && connect(t.a.fd, (struct sockaddr *)&at, len) == 0, "no connection");
	t.b.fd = accept(listener, NULL, NULL);
	must(t.b.fd >= 0, "no connection");
	close(listener);
	must(fcntl(t.a.fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(t.b.fd, F_SETFL, O_NONBLOCK) == 0,
	     "fcntl");
}

static void write_side(struct side *s)
{
	const uint8_t *data;
	size_t len;
	ssize_t n;

	rlpx_seal_many(&s->conn, 1, 1);
	len = rlpx_output(s->conn, &data);
	if (len == 0)
		return;
	n = send(s->fd, data, len, MSG_NOSIGNAL);
	must(n > 0 || errno == EAGAIN, "send");
	if (n > 0)
		rlpx_output_taken(s->conn, (size_t)n, 1);
}

static void read_side(struct side *s)
{
	ssize_t len = recv(s->fd, t.buffer, READ_SIZE, 0);
	struct rlpx_event ev;
	size_t taken;

	for (ssize_t at = 0; at < len; at += (ssize_t)taken) {
		must(rlpx_recv(s->conn, &taken, t.buffer + at, (size_t)(len - at), 1) == OK,
		     "a frame is refused");
		while (rlpx_poll(s->conn, &ev)) {
			must(ev.type != RLPX_CLOSED, "closed");
			s->is_up |= ev.type == RLPX_HELLO;
			s->messages += ev.type == RLPX_MESSAGE;
		}
	}
}

static void side_new(struct side *s)
{
	static const struct rlpx_capability cap = { .name = "shh", .version = 6, .length = 128 };
	struct seckey key;
	struct rlpx_config cfg = { .key = &key,
				   .crypto = t.crypto,
				   .mem = &t.mem,
				   .rng = t.rng,
				   .client = "bench",
				   .version = 5,
				   .caps = &cap,
				   .cap_count = 1 };

	must(seckey_generate(t.crypto, &key, &t.rng) == OK &&
		     rlpx_host_new(&s->host, &cfg, 0) == OK,
	     "no host");
}

static void shake_hands(void)
{
	side_new(&t.a);
	side_new(&t.b);
	must(rlpx_dial(&t.a.conn, t.a.host, rlpx_host_id(t.b.host), false, 1) == OK &&
		     rlpx_accept(&t.b.conn, t.b.host, 1) == OK,
	     "no connections");
	while (!t.a.is_up || !t.b.is_up) {
		write_side(&t.a);
		read_side(&t.b);
		write_side(&t.b);
		read_side(&t.a);
	}
}

static void run_messages(void *ctx, uint64_t n)
{
	uint64_t sent = 0, end = t.b.messages + n;

	(void)ctx;
	while (t.b.messages < end) {
		while (sent < n && rlpx_send_room(t.a.conn) >= t.message->len) {
			if (rlpx_send(t.a.conn, 0, 1, blob_ref(t.message)) != OK) {
				blob_unref(t.message);
				break;
			}
			sent++;
		}
		write_side(&t.a);
		read_side(&t.b);
	}
}

void bench_tcp(void)
{
	static const size_t lens[] = { 256, 1024, 16384, (1 << 20) - 1024 };
	char name[64];

	t.rng = rng_seeded_init(&t.seed, 4);
	bench_mem_init(&t.mem);
	must(crypto_new(&t.crypto, &t.rng) == OK, "no contexts");
	connect_sockets();
	shake_hands();
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		must(blob_new(&t.message, &t.mem, MEM_SEND, lens[i]) == OK &&
			     rng_fill(&t.rng, t.message->data, lens[i]) == OK,
		     "no message");
		snprintf(name, sizeof(name), "tcp/both ends %zu B", lens[i]);
		bench_report(name, bench_ns(run_messages, NULL) / 1e3, "us", BENCH_LESS,
			     2 * bench_frame_open_ns(lens[i]) / 1e3, "AES-256-CTR and Keccak");
		blob_unref(t.message);
	}
	rlpx_free(t.a.conn);
	rlpx_free(t.b.conn);
	rlpx_host_free(t.a.host);
	rlpx_host_free(t.b.host);
	close(t.a.fd);
	close(t.b.fd);
	crypto_free(t.crypto);
}
