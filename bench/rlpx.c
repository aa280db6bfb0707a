/* SPDX-License-Identifier: MIT */
/* bench/rlpx.c - handshakes, and frames of three sizes with and without snappy,
 * beside the curve operations, AES-256-CTR and Keccak that they cannot do without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "crypto/keccak.h"
#include "rlpx/rlpx.h"

#define KEY_PAIRS   4 /* of both ends of one handshake: two ephemeral, two for ECIES */
#define ECDHS	    8 /* static and ephemeral secret, and both sides of ECIES, twice */
#define FRAME_EXTRA 3 /* permutations of a frame besides those of its bytes */

struct side {
	struct rlpx_host *host;
	struct rlpx *conn;
	bool is_up;
	uint64_t messages;
};

static struct rng_seeded seed;
static struct rng rng;
static struct crypto *crypto;
static struct mem mem;
static struct side a, b;
static uint8_t scratch[1 << 25];

static void must(bool ok)
{
	if (!ok) {
		fprintf(stderr, "bench/rlpx: a step failed\n");
		abort();
	}
}

static void drain(struct side *s)
{
	struct rlpx_event ev;

	while (rlpx_poll(s->conn, &ev)) {
		must(ev.type != RLPX_CLOSED);
		s->is_up |= ev.type == RLPX_HELLO;
		s->messages += ev.type == RLPX_MESSAGE;
	}
}

static void feed(struct side *to, uint8_t *data, size_t len)
{
	size_t at = 0, taken;

	while (at < len) {
		must(rlpx_recv(to->conn, &taken, data + at, len - at, 1) == OK);
		at += taken;
		drain(to);
	}
}

/* Move what waits; the bytes are copied as a socket would. */
static size_t carry(struct side *from, uint8_t *out)
{
	const uint8_t *data;
	size_t total = 0, n;

	do {
		rlpx_seal_many(&from->conn, 1, 1);
		n = rlpx_output(from->conn, &data);
		memcpy(out + total, data, n);
		total += n;
		rlpx_output_taken(from->conn, n, 1);
	} while (n > 0);
	return total;
}

static void connect_both(void)
{
	a.is_up = b.is_up = false;
	must(rlpx_dial(&a.conn, a.host, rlpx_host_id(b.host), false, 1) == OK);
	must(rlpx_accept(&b.conn, b.host, 1) == OK);
	while (!a.is_up || !b.is_up) {
		feed(&b, scratch, carry(&a, scratch));
		feed(&a, scratch, carry(&b, scratch));
	}
}

static void disconnect_both(void)
{
	rlpx_free(a.conn);
	rlpx_free(b.conn);
}

static void run_handshakes(void *ctx, uint64_t n)
{
	(void)ctx;
	for (uint64_t i = 0; i < n; i++) {
		connect_both();
		disconnect_both();
	}
}

static void make_host(struct side *s, uint8_t version)
{
	static const struct rlpx_capability cap = { .name = "shh", .version = 6, .length = 128 };
	struct seckey key;
	struct rlpx_config cfg = { .key = &key,
				   .crypto = crypto,
				   .mem = &mem,
				   .rng = rng,
				   .client = "bench",
				   .version = version,
				   .caps = &cap,
				   .cap_count = 1 };

	must(seckey_generate(crypto, &key, &rng) == OK);
	must(rlpx_host_new(&s->host, &cfg, 0) == OK);
}

static struct blob *message;

static void queue(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		must(rlpx_send(a.conn, 0, 1, blob_ref(message)) == OK);
}

/* What one frame costs, end to end in memory: sealing and opening. */
static void run_frames(void *ctx, uint64_t n)
{
	size_t batch = message->len > 65536 ? 1 : 65536 / message->len;

	(void)ctx;
	for (uint64_t done = 0; done < n; done += batch) {
		queue(batch);
		feed(&b, scratch, carry(&a, scratch));
	}
}

struct primitive {
	struct aes_ctr *ctr;
	struct keccak k;
	size_t len;
};

static void run_aes(void *ctx, uint64_t n)
{
	struct primitive *p = ctx;

	for (uint64_t i = 0; i < n; i++)
		aes_ctr_run(p->ctr, scratch, scratch, p->len);
}

static void run_absorb(void *ctx, uint64_t n)
{
	struct primitive *p = ctx;

	for (uint64_t i = 0; i < n; i++)
		keccak_update(&p->k, scratch, p->len);
}

/* AES over the bytes and Keccak over the ciphertext, once for each end. */
static double frame_limit_ns(size_t len)
{
	struct primitive p = { .len = len };
	uint8_t key[32] = { 3 }, iv[16] = { 0 };
	double absorb, aes;

	must(aes_ctr_new(&p.ctr, key, sizeof(key), iv) == OK);
	keccak_init(&p.k);
	aes = bench_ns(run_aes, &p);
	absorb = bench_ns(run_absorb, &p);
	p.len = KECCAK_RATE;
	absorb += FRAME_EXTRA * bench_ns(run_absorb, &p);
	aes_ctr_free(p.ctr);
	return 2 * (aes + absorb);
}

/* Curve and ciphers for those who ask from outside. */
static void ground(void)
{
	if (crypto != NULL)
		return;
	rng = rng_seeded_init(&seed, 2);
	mem_init(&mem);
	must(crypto_new(&crypto, &rng) == OK);
}

double bench_frame_open_ns(size_t len)
{
	ground();
	return frame_limit_ns(len) / 2;
}

struct lanes {
	struct keccak states[KECCAK_LANES_MAX];
	struct keccak *which[KECCAK_LANES_MAX];
	struct span data[KECCAK_LANES_MAX];
};

static void run_lanes(void *ctx, uint64_t n)
{
	struct lanes *l = ctx;

	for (uint64_t i = 0; i < n; i += KECCAK_LANES_MAX)
		keccak_update_many(l->which, l->data, KECCAK_LANES_MAX);
}

double bench_frame_seal_many_ns(size_t len)
{
	struct primitive p = { .len = len };
	uint8_t key[32] = { 3 }, iv[16] = { 0 };
	struct lanes l;
	double ns;

	for (size_t i = 0; i < KECCAK_LANES_MAX; i++) {
		keccak_init(&l.states[i]);
		l.which[i] = &l.states[i];
		l.data[i] = span_of(scratch, len + (size_t)(FRAME_EXTRA * KECCAK_RATE));
	}
	must(aes_ctr_new(&p.ctr, key, sizeof(key), iv) == OK);
	ns = bench_ns(run_aes, &p) + bench_ns(run_lanes, &l);
	aes_ctr_free(p.ctr);
	return ns;
}

static void one_size(size_t len, bool is_snappy)
{
	double limit = frame_limit_ns(len), ns;
	char name[64];

	must(blob_new(&message, &mem, MEM_SEND, len) == OK);
	must(rng_fill(&rng, message->data, len) == OK); /* incompressible, as ciphertext is */
	ns = bench_ns(run_frames, NULL);
	snprintf(name, sizeof(name), "frame/both ends %zu KiB%s", len / 1024,
		 is_snappy ? " snappy" : "");
	bench_report(name, 1e3 * (double)len / ns, "MB/s", BENCH_MORE, 1e3 * (double)len / limit,
		     "AES-256-CTR and Keccak");
	blob_unref(message);
}

static void frames(uint8_t version)
{
	static const size_t lens[] = { 1024, 16384, 1 << 20 };

	make_host(&a, version);
	make_host(&b, version);
	connect_both();
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		one_size(lens[i], version >= 5);
	disconnect_both();
	rlpx_host_free(a.host);
	rlpx_host_free(b.host);
}

static void run_curve(void *ctx, uint64_t n)
{
	struct seckey *key = ctx;
	struct pubkey pub;
	uint8_t x[32], sig[SIG_SIZE];

	for (uint64_t i = 0; i < n; i++) {
		for (int k = 0; k < KEY_PAIRS; k++)
			must(pubkey_of(crypto, &pub, key) == OK);
		for (int k = 0; k < ECDHS; k++)
			must(crypto_ecdh(crypto, x, key, &pub) == OK);
		must(crypto_sign(crypto, sig, x, key) == OK);
		must(crypto_recover(crypto, &pub, x, sig) == OK);
	}
}

void bench_rlpx(void)
{
	struct seckey key;
	double limit;

	ground();
	must(seckey_generate(crypto, &key, &rng) == OK);
	limit = 1e9 / bench_ns(run_curve, &key);
	make_host(&a, 5);
	make_host(&b, 5);
	bench_report("handshake/both ends, to Hello", 1e9 / bench_ns(run_handshakes, NULL), "per s",
		     BENCH_MORE, limit, "its curve operations");
	rlpx_host_free(a.host);
	rlpx_host_free(b.host);
	frames(4);
	frames(5);
	crypto_free(crypto);
	crypto = NULL;
}
