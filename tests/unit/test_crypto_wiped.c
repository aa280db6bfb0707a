/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_wiped.c - no key stays behind in memory (hardening C6), and
 * no lack of memory does harm.
 *
 * The allocator is listened to: whatever is freed is searched for the secrets
 * of the running test first, by this file's free(), which the libraries find
 * before the C library's.  What is still allocated is searched at the end.
 * Sanitizers and valgrind have allocators of their own, so there the same calls
 * are made and nothing is heard.
 */
#include <malloc.h>
#include <stdlib.h>

#include "base/port.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"
#include "tests/vectors.h"

#define ERR_STATE openssl_ERR_STATE /* as crypto/openssl.h does */
#include <openssl/err.h>
#undef ERR_STATE

#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 1
#endif
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

#define SECRET	    16 /* bytes of a secret that must not be found */
#define SECRETS_MAX 8
#define LIVE_MAX    4096 /* allocations between listen_begin() and the end */

static struct {
	bool on;
	uint8_t secrets[SECRETS_MAX][SECRET];
	size_t secret_count;
	void *live[LIVE_MAX];
	size_t live_count;
	size_t freed; /* allocations that were searched */
	size_t found; /* secrets in them */
	size_t left;  /* allocations that still succeed, if scarce */
	bool scarce, refused;
} ear;

static size_t secrets_in(const void *p, size_t len)
{
	size_t found = 0;

	for (size_t i = 0; i < ear.secret_count; i++)
		found += memmem(p, len, ear.secrets[i], SECRET) != NULL;
	return found;
}

#ifndef OWN_ALLOCATOR
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *p);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED void *malloc(size_t size);
EXPORTED void *calloc(size_t count, size_t size);
EXPORTED void free(void *p);

static bool refused(void)
{
	if (!ear.on || !ear.scarce || ear.refused || ear.left-- > 0)
		return false;
	ear.refused = true;
	return true;
}

static void *note(void *p)
{
	if (ear.on && p != NULL && ear.live_count < LIVE_MAX)
		ear.live[ear.live_count++] = p;
	return p;
}

void *malloc(size_t size)
{
	return refused() ? NULL : note(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return refused() ? NULL : note(__libc_calloc(count, size));
}

void free(void *p)
{
	if (ear.on && p != NULL) {
		ear.freed++;
		ear.found += secrets_in(p, malloc_usable_size(p));
		for (size_t i = 0; i < ear.live_count; i++)
			if (ear.live[i] == p)
				ear.live[i] = ear.live[--ear.live_count];
	}
	__libc_free(p);
}
#endif

static bool listening(void)
{
#ifdef OWN_ALLOCATOR
	return false;
#else
	return RUNNING_ON_VALGRIND == 0;
#endif
}

static struct crypto *c;
static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 21);
	return crypto_new(&c, &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(c);
	return 0;
}

static void listen_begin(void)
{
	memset(&ear, 0, sizeof(ear));
	ear.on = true;
}

static void listen_for(const uint8_t *secret)
{
	assert_true(ear.secret_count < SECRETS_MAX);
	memcpy(ear.secrets[ear.secret_count++], secret, SECRET);
}

static void listen_end(bool something_was_freed)
{
	ear.on = false;
	if (!listening())
		return;
	assert_true(ear.freed > 0 || !something_was_freed);
	assert_true(ear.live_count < LIVE_MAX);
	for (size_t i = 0; i < ear.live_count; i++)
		ear.found += secrets_in(ear.live[i], malloc_usable_size(ear.live[i]));
	assert_int_equal(ear.found, 0);
}

/* The ear itself: a secret that is freed, or kept, is heard. */
static void test_the_ear_hears(void **state)
{
	static const uint8_t secret[SECRET] = "sixteen letters";
	void (*volatile release)(void *) = free; /* compilers know what free() may ignore */
	uint8_t *p;

	(void)state;
	if (!listening())
		return;
	listen_begin();
	listen_for(secret);
	p = malloc(100);
	memcpy(p + 33, secret, SECRET);
	release(p);
	assert_int_equal(ear.found, 1);
	p = malloc(100);
	memcpy(p + 50, secret, SECRET);
	assert_int_equal(secrets_in(ear.live[0], 100), 1);
	memset(p, 0, 100);
	ear.found = 0;
	release(p);
	listen_end(true);
}

static void test_cipher_keys(void **state)
{
	uint8_t key[32], iv[16] = { 0 }, data[100] = { 0 };
	struct aes_ctr *stream;
	struct aes_block *block;
	struct aes_gcm *gcm;

	(void)state;
	assert_int_equal(rng_fill(&rng, key, sizeof(key)), OK);
	listen_begin();
	listen_for(key);
	listen_for(key + 16);
	assert_int_equal(aes_ctr_new(&stream, key, 16, iv), OK);
	aes_ctr_run(stream, data, data, sizeof(data));
	aes_ctr_free(stream);
	assert_int_equal(aes_ctr_new(&stream, key, 32, iv), OK);
	aes_ctr_run(stream, data, data, sizeof(data));
	aes_ctr_free(stream);
	assert_int_equal(aes_block_new(&block, key), OK);
	aes_block_run(block, data, data);
	aes_block_free(block);
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	assert_int_equal(aes_gcm_seal(gcm, data, iv, data, 50), OK);
	assert_int_equal(aes_gcm_open(gcm, data, iv, data, 66), OK);
	aes_gcm_free(gcm);
	listen_end(true);
}

static void test_password_and_derived_key(void **state)
{
	static const uint8_t password[SECRET] = "correct horse ba";
	uint8_t key[32];

	(void)state;
	listen_begin();
	listen_for(password);
	assert_int_equal(
		crypto_pbkdf2_sha256(key, 32, span_of(password, SECRET), span_of("s", 1), 10), OK);
	listen_for(key);
	assert_int_equal(
		crypto_pbkdf2_sha256(key, 32, span_of(password, SECRET), span_of("s", 1), 10), OK);
	listen_end(true);
}

static void test_fingerprint_key(void **state)
{
	struct rng_seeded twice = seed;
	struct rng same = { .fill = rng.fill, .ctx = &twice };
	struct fingerprinter *f;
	struct fingerprint out;
	uint8_t key[32];

	(void)state;
	assert_int_equal(rng_fill(&same, key, sizeof(key)), OK);
	twice = seed;
	listen_begin();
	listen_for(key);
	listen_for(key + 16);
	assert_int_equal(fingerprinter_new(&f, &same), OK);
	fingerprint_of(f, &out, key, sizeof(key));
	fingerprinter_free(f);
	listen_end(true);
}

/* What a context keeps between two messages, from its making to its end. */
static void one_message(struct crypto *with)
{
	static const struct span none;
	uint8_t sealed[ECIES_OVERHEAD + SECRET], opened[SECRET], z[32], k[32], mac_key[32];
	struct seckey key;
	struct pubkey to, point;
	uint8_t sig[SIG_SIZE];
	const uint8_t counter[] = { 0, 0, 0, 1 };
	struct span half = span_of(k + 16, 16);

	assert_int_equal(seckey_generate(with, &key, &rng), OK);
	assert_int_equal(rng_fill(&rng, opened, SECRET), OK);
	listen_for(key.b);
	listen_for(opened);
	assert_int_equal(pubkey_of(with, &to, &key), OK);
	assert_int_equal(ecies_seal(with, sealed, &rng, span_of(opened, SECRET), &to, none, none),
			 OK);
	assert_int_equal(
		ecies_open(with, opened, span_of(sealed, sizeof(sealed)), &key, none, none), OK);
	assert_int_equal(crypto_sign(with, sig, sealed, &key), OK);
	/* what was derived on the way, by another context */
	assert_int_equal(pubkey_parse65(c, &point, sealed), OK);
	assert_int_equal(crypto_ecdh(c, z, &key, &point), OK);
	crypto_sha256(c, k, (struct span[]){ span_of(counter, 4), span_of(z, 32) }, 2);
	crypto_sha256(c, mac_key, &half, 1);
	listen_for(z);
	listen_for(k);
	listen_for(mac_key);
	crypto_wipe(sealed, sizeof(sealed));
}

static void test_contexts_between_messages(void **state)
{
	struct crypto *own;

	(void)state;
	listen_begin();
	assert_int_equal(crypto_new(&own, &rng), OK);
	one_message(own);
	ear.on = false;
	if (listening())
		assert_true(ear.live_count > 3);
	listen_end(false); /* still alive */
	ear.on = true;
	crypto_free(own);
	listen_end(true);
}

/* --- scarcity: each allocation fails once, in turn ----------------------------------- */

static enum err make_context(void)
{
	struct crypto *own = NULL;
	enum err e = crypto_new(&own, &rng);

	assert_int_equal(own != NULL, e == OK);
	crypto_free(own);
	return e;
}

static enum err make_stream(void)
{
	const uint8_t zeros[32] = { 0 };
	struct aes_ctr *own = NULL;
	enum err e = aes_ctr_new(&own, zeros, 32, zeros);

	assert_int_equal(own != NULL, e == OK);
	aes_ctr_free(own);
	return e;
}

static enum err make_block(void)
{
	const uint8_t zeros[32] = { 0 };
	struct aes_block *own = NULL;
	enum err e = aes_block_new(&own, zeros);

	assert_int_equal(own != NULL, e == OK);
	aes_block_free(own);
	return e;
}

static enum err make_gcm(void)
{
	const uint8_t zeros[32] = { 0 };
	struct aes_gcm *own = NULL;
	enum err e = aes_gcm_new(&own, zeros);

	assert_int_equal(own != NULL, e == OK);
	aes_gcm_free(own);
	return e;
}

static enum err make_fingerprinter(void)
{
	struct fingerprinter *own = NULL;
	enum err e = fingerprinter_new(&own, &rng);

	assert_int_equal(own != NULL, e == OK);
	fingerprinter_free(own);
	return e;
}

static enum err derive(void)
{
	uint8_t key[32];

	return crypto_pbkdf2_sha256(key, 32, span_of("pw", 2), span_of("s", 1), 2);
}

static void test_scarcity(void **state)
{
	enum err (*const each[])(void) = { make_context, make_stream,	     make_block,
					   make_gcm,	 make_fingerprinter, derive };

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		size_t nth = 0, failures = 0;
		enum err e = each[i]();

		assert_int_equal(e, OK); /* and what is made once is made */
		assert_null(EVP_MD_fetch(NULL, "none such", NULL)); /* the list of errors too */
		do {
			listen_begin();
			ear.scarce = listening();
			ear.left = nth++;
			e = each[i]();
			ERR_clear_error();
			listen_end(false);
			assert_true(e == OK || (e == ERR_MEM && ear.refused));
			if (e == ERR_MEM)
				assert_int_equal(ear.live_count, 0); /* nothing leaks */
			failures += e == ERR_MEM;
		} while (ear.refused);
		assert_true(failures > 0 || !listening());
	}
	assert_null(crypto_self_test(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_ear_hears),
		cmocka_unit_test(test_cipher_keys),
		cmocka_unit_test(test_password_and_derived_key),
		cmocka_unit_test(test_fingerprint_key),
		cmocka_unit_test(test_contexts_between_messages),
		cmocka_unit_test(test_scarcity),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
