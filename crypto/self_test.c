/* SPDX-License-Identifier: MIT */
/* crypto/self_test.c - known answers, asked at start (hardening C9).
 *
 * A library swapped for another, a processor that lies about its instructions
 * or a miscompiled kernel is found before the first key is used.  Each check
 * exclusive-ors flip into what it computed, so that the tests can see it fail.
 */
#include "crypto/context.h"
#include "crypto/keccak.h"

#define SAME_MAX 128 /* bytes of a known answer */

/* Whether len computed bytes are the known ones. */
static bool same(uint8_t *computed, const char *known, size_t len, uint8_t flip)
{
	uint8_t want[SAME_MAX];

	computed[len - 1] ^= flip;
	return hex_decode(want, len, known) == OK && memcmp(computed, want, len) == 0;
}

/* A constant from this file, which is well formed. */
static void constant(uint8_t *out, size_t len, const char *text)
{
	crypto__must(hex_decode(out, len, text) == OK);
}

/* --- Keccak: lengths around a block's end, bytes 0, 1, 2 ... ------------------ */

static const struct {
	size_t len;
	const char *digest;
} keccak_known[] = {
	{ 0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
	{ 135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62" },
	{ 136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e" },
	{ 300, "a679e749a6af300c36e7ff2255d220864eab27b382f9cfdc5aa4d13563ba36ff" },
};

#define KECCAK_KNOWN (sizeof(keccak_known) / sizeof(keccak_known[0]))
#define COUNTED_MAX  300

static void count_up(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)i;
}

static bool keccak_good(struct crypto *c, uint8_t flip)
{
	uint8_t data[COUNTED_MAX], out[32];

	(void)c;
	count_up(data, sizeof(data));
	for (size_t i = 0; i < KECCAK_KNOWN; i++) {
		keccak256(out, data, keccak_known[i].len);
		if (!same(out, keccak_known[i].digest, 32, flip))
			return false;
	}
	return true;
}

/* So many at once that each kernel of the body in use gets its turn. */
static bool keccak_lanes_good(struct crypto *c, uint8_t flip)
{
	uint8_t data[COUNTED_MAX], out[KECCAK_LANES_MAX][32];
	struct keccak_item items[KECCAK_LANES_MAX];

	(void)c;
	count_up(data, sizeof(data));
	for (size_t lanes = 1; lanes <= KECCAK_LANES_MAX; lanes++) {
		for (size_t i = 0; i < lanes; i++)
			items[i] = (struct keccak_item){
				.data = data,
				.len = keccak_known[i % KECCAK_KNOWN].len,
				.out = out[i],
			};
		keccak256_many(items, lanes);
		for (size_t i = 0; i < lanes; i++)
			if (!same(out[i], keccak_known[i % KECCAK_KNOWN].digest, 32, flip))
				return false;
	}
	return true;
}

/* The smallest nonces with six zero bits, in one block and across two. */
static bool search_good(struct crypto *c, uint8_t flip)
{
	static const struct {
		size_t len;
		enum keccak_zeros kind;
		uint64_t nonce;
	} known[] = {
		{ 32, KECCAK_LEADING, 3 },
		{ 32, KECCAK_TRAILING, 104 },
		{ 130, KECCAK_LEADING, 46 },
		{ 130, KECCAK_TRAILING, 282 },
	};
	uint8_t prefix[COUNTED_MAX];

	(void)c;
	count_up(prefix, sizeof(prefix));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct keccak_search s;
		uint64_t nonce;

		keccak_search_init(&s, prefix, known[i].len);
		if (!keccak_search_run(&s, &nonce, 0, 1000, known[i].kind, 6) ||
		    (nonce ^ flip) != known[i].nonce)
			return false;
	}
	return true;
}

/* --- SHA-256, HMAC, PBKDF2: FIPS 180-4, RFC 4231, RFC 7914 ---------------------- */

static struct span text_span(const char *text)
{
	return span_of(text, strlen(text));
}

static bool sha256_good(struct crypto *c, uint8_t flip)
{
	const struct span parts[] = { text_span("a"), text_span("bc") };
	uint8_t out[32];

	crypto_sha256(c, out, parts, 2);
	return same(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 32,
		    flip);
}

static bool hmac_good(struct crypto *c, uint8_t flip)
{
	const struct span text = text_span("what do ya want for nothing?");
	uint8_t out[32];

	crypto_hmac_sha256(c, out, text_span("Jefe"), &text, 1);
	return same(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 32,
		    flip);
}

static bool pbkdf2_good(struct crypto *c, uint8_t flip)
{
	uint8_t a[32], b[32];

	(void)c;
	return crypto_pbkdf2_sha256(a, 32, text_span("passwd"), text_span("salt"), 1) == OK &&
	       crypto_pbkdf2_sha512(b, 32, text_span("password"), text_span("salt"), 2) == OK &&
	       same(a, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc", 32,
		    flip) &&
	       same(b, "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c", 32,
		    flip);
}

/* --- AES: SP 800-38A F.5, FIPS 197 C.3, the GCM specification's case 14 --------- */

static bool ctr_good_for(const char *key_text, size_t key_len, const char *known, uint8_t flip)
{
	uint8_t key[32], iv[16], data[16];
	struct aes_ctr *a;

	constant(key, key_len, key_text);
	constant(iv, 16, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	constant(data, 16, "6bc1bee22e409f96e93d7e117393172a");
	if (aes_ctr_new(&a, key, key_len, iv) != OK)
		return false;
	aes_ctr_run(a, data, data, 5);
	aes_ctr_run(a, data + 5, data + 5, 11);
	aes_ctr_free(a);
	return same(data, known, 16, flip);
}

static bool ctr_good(struct crypto *c, uint8_t flip)
{
	(void)c;
	return ctr_good_for("2b7e151628aed2a6abf7158809cf4f3c", 16,
			    "874d6191b620e3261bef6864990db6ce", flip) &&
	       ctr_good_for("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 32,
			    "601ec313775789a5b7a7f504bbf3d228", flip);
}

static bool block_good(struct crypto *c, uint8_t flip)
{
	uint8_t key[32], data[16];
	struct aes_block *a;

	(void)c;
	count_up(key, sizeof(key));
	constant(data, 16, "00112233445566778899aabbccddeeff");
	if (aes_block_new(&a, key) != OK)
		return false;
	aes_block_run(a, data, data);
	aes_block_free(a);
	return same(data, "8ea2b7ca516745bfeafc49904b496089", 16, flip);
}

/* Sealed as known, opened again, and refused with one bit changed. */
static bool gcm_good(struct crypto *c, uint8_t flip)
{
	static const uint8_t zeros[32];
	uint8_t sealed[32], opened[16];
	struct aes_gcm *a;
	bool good;

	(void)c;
	if (aes_gcm_new(&a, zeros) != OK)
		return false;
	good = aes_gcm_seal(a, sealed, zeros, zeros, 16) == OK &&
	       same(sealed, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919", 32,
		    flip) &&
	       aes_gcm_open(a, opened, zeros, sealed, 32) == OK && memcmp(opened, zeros, 16) == 0;
	sealed[3] ^= 1;
	good = good && aes_gcm_open(a, opened, zeros, sealed, 32) == ERR_DECRYPT;
	aes_gcm_free(a);
	return good;
}

/* --- secp256k1: RFC 6979 gives the nonce, so signatures are known too ------------ */

static bool curve_good(struct crypto *c, uint8_t flip)
{
	struct seckey one = { .b[31] = 1 }, key;
	struct pubkey generator, peer, signer;
	uint8_t digest[32], sig[SIG_SIZE], x[32];

	constant(digest, 32, "bd03c57975c1525d43d67c11026d297094ee5b56cfc62b5928cf8caba29d893b");
	constant(key.b, 32, "6bf1e822f986cacf4ee7d1c1d2c730ef72a29a5799368cb920a72151d05fe1b6");
	constant(peer.b, 64,
		 "b91453af2e708fb5e717ff6ecce79a65ada8d25185359320fc8e5f76c595981f"
		 "a6bcc80a7535f15e8e6d64c92ed7237f574cc61e6ce78deb3f59fd65cc112e81");
	return pubkey_of(c, &generator, &one) == OK && crypto_sign(c, sig, digest, &one) == OK &&
	       crypto_verify(c, sig, digest, &generator) == OK &&
	       crypto_recover(c, &signer, digest, sig) == OK &&
	       memcmp(signer.b, generator.b, 64) == 0 && crypto_ecdh(c, x, &key, &peer) == OK &&
	       same(generator.b,
		    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
		    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
		    64, flip) &&
	       same(sig,
		    "f5ca4b0ed7fa18c3a6e0832e2598c7642782e3cdfe2e9638938c9fde257a05d8"
		    "610065de073180d116497c7ae0e8a2a4dfec0fdd54ac2f58bd6b7eb110ee2cbf01",
		    SIG_SIZE, flip) &&
	       same(x, "82207c56cc7f34ff60bab6301291dda72926bdb4de572bb2fe491a0986389966", 32,
		    flip);
}

static bool ecies_good(struct crypto *c, uint8_t flip)
{
	const struct span s1 = text_span("kdf-info"), s2 = text_span("mac-info");
	uint8_t sealed[ECIES_OVERHEAD + 4], plain[4];
	struct seckey key;
	bool good;

	constant(key.b, 32, "449c8b562a461a3e5d962ad50e73d7d272940085dbb447a87bcda196d72f9340");
	constant(sealed, sizeof(sealed),
		 "04228830689d5dcdfa16c25a51c747d01d5e403ede1eaa15e6fb514cd0bed8007f"
		 "ffac2e6877d5afc6f520d69a02818fba5a093dcf2b7dc167ce6d4831401f24ca"
		 "700640aad8fca679fe669a6bbd5b882499e693d8"
		 "b0a27af0e2cdbc1ebbb4cb80d702b8e79b9866fc3e5ea19b0743c31c3c703322");
	good = ecies_open(c, plain, span_of(sealed, sizeof(sealed)), &key, s1, s2) == OK &&
	       same(plain, "626f7468", 4, flip);
	sealed[sizeof(sealed) - 1] ^= 1;
	return good &&
	       ecies_open(c, plain, span_of(sealed, sizeof(sealed)), &key, s1, s2) == ERR_DECRYPT;
}

/* --- all of them ------------------------------------------------------------------- */

const struct crypto__check crypto__checks[] = {
	{ "Keccak-256", keccak_good },	  { "Keccak-256 in lanes", keccak_lanes_good },
	{ "proof of work", search_good }, { "SHA-256", sha256_good },
	{ "HMAC-SHA-256", hmac_good },	  { "PBKDF2", pbkdf2_good },
	{ "AES-CTR", ctr_good },	  { "AES-256", block_good },
	{ "AES-256-GCM", gcm_good },	  { "secp256k1", curve_good },
	{ "ECIES", ecies_good },
};

const size_t crypto__check_count = sizeof(crypto__checks) / sizeof(crypto__checks[0]);

const char *crypto_self_test(struct crypto *c)
{
	for (size_t i = 0; i < crypto__check_count; i++)
		if (!crypto__checks[i].good(c, 0))
			return crypto__checks[i].name;
	return NULL;
}
