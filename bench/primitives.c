/* SPDX-License-Identifier: MIT */
/* bench/primitives.c - what the libraries below cost: the limits of the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "crypto/crypto.h"
#include "crypto/keccak.h"

static struct rng_seeded seed;
static struct rng rng;
static struct crypto *crypto;
static struct seckey key;
static struct pubkey pub;
static uint8_t bytes[1 << 20];

static void run_ecdh(void *ctx, uint64_t n)
{
	uint8_t out[32];

	(void)ctx;
	for (uint64_t i = 0; i < n; i++)
		if (crypto_ecdh(crypto, out, &key, &pub) != OK)
			abort();
}

static void run_sign(void *ctx, uint64_t n)
{
	uint8_t sig[SIG_SIZE];

	for (uint64_t i = 0; i < n; i++)
		if (crypto_sign(crypto, sig, ctx, &key) != OK)
			abort();
}

static void run_recover(void *ctx, uint64_t n)
{
	struct pubkey out;
	uint8_t digest[32] = { 1 };

	for (uint64_t i = 0; i < n; i++)
		if (crypto_recover(crypto, &out, digest, ctx) != OK)
			abort();
}

static void run_keygen(void *ctx, uint64_t n)
{
	struct pubkey out;

	(void)ctx;
	for (uint64_t i = 0; i < n; i++)
		if (pubkey_of(crypto, &out, &key) != OK)
			abort();
}

struct sized {
	size_t len;
	struct aes_ctr *ctr;
	struct aes_gcm *gcm;
	struct fingerprinter *prints;
};

static void run_ctr(void *ctx, uint64_t n)
{
	struct sized *s = ctx;

	for (uint64_t i = 0; i < n; i++)
		aes_ctr_run(s->ctr, bytes, bytes, s->len);
}

static void run_fingerprint(void *ctx, uint64_t n)
{
	struct sized *s = ctx;
	struct fingerprint out;

	for (uint64_t i = 0; i < n; i++) {
		fingerprint_of(s->prints, &out, bytes, s->len);
		bench_use(&out);
	}
}

static void run_gcm_miss(void *ctx, uint64_t n)
{
	struct sized *s = ctx;
	uint8_t nonce[12] = { 0 };
	static uint8_t out[1 << 20];

	for (uint64_t i = 0; i < n; i++)
		if (aes_gcm_open(s->gcm, out, nonce, bytes, s->len) == OK)
			abort();
}

static void sizes(void)
{
	static const size_t lens[] = { 256, 1024, 16384, 1 << 20 };
	uint8_t k[32] = { 7 }, iv[16] = { 0 };
	struct sized s = { 0 };
	char name[64];

	if (aes_ctr_new(&s.ctr, k, 32, iv) != OK || aes_gcm_new(&s.gcm, k) != OK ||
	    fingerprinter_new(&s.prints, &rng) != OK)
		abort();
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		s.len = lens[i];
		snprintf(name, sizeof(name), "AES-256-CTR %zu B", s.len);
		bench_report(name, bench_ns(run_ctr, &s), "ns", BENCH_LESS, 0, NULL);
		snprintf(name, sizeof(name), "fingerprint %zu B", s.len);
		bench_report(name, bench_ns(run_fingerprint, &s), "ns", BENCH_LESS, 0, NULL);
		snprintf(name, sizeof(name), "AES-256-GCM wrong key %zu B", s.len);
		bench_report(name, bench_ns(run_gcm_miss, &s), "ns", BENCH_LESS, 0, NULL);
	}
	aes_ctr_free(s.ctr);
	aes_gcm_free(s.gcm);
	fingerprinter_free(s.prints);
}

void bench_primitives(void)
{
	uint8_t digest[32] = { 1 }, sig[SIG_SIZE];

	rng = rng_seeded_init(&seed, 1);
	if (crypto_new(&crypto, &rng) != OK || seckey_generate(crypto, &key, &rng) != OK ||
	    pubkey_of(crypto, &pub, &key) != OK || crypto_sign(crypto, sig, digest, &key) != OK)
		abort();
	bench_report("secp256k1 key pair", bench_ns(run_keygen, NULL) / 1e3, "us", BENCH_LESS, 0,
		     NULL);
	bench_report("secp256k1 ecdh", bench_ns(run_ecdh, NULL) / 1e3, "us", BENCH_LESS, 0, NULL);
	bench_report("secp256k1 sign", bench_ns(run_sign, digest) / 1e3, "us", BENCH_LESS, 0, NULL);
	bench_report("secp256k1 recover", bench_ns(run_recover, sig) / 1e3, "us", BENCH_LESS, 0,
		     NULL);
	sizes();
	crypto_free(crypto);
}
