/* SPDX-License-Identifier: MIT */
/* shh/plain.c and shh/payload.c against whisper_envelopes, whisper_kdf, whisper_mail
 * and the recorded sessions; hardening W8.
 */
#include "tests/shh_vectors.h"

#include "shh/payload.h"

static struct crypto *crypto;
static struct rng_seeded seed;
static struct rng chance;

static int crypto_up(void **state)
{
	(void)state;
	chance = rng_seeded_init(&seed, 65356);
	return crypto_new(&crypto, &chance) == OK ? 0 : -1;
}

static int crypto_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

static uint8_t *mutable(struct span s)
{
	return (uint8_t *)(uintptr_t)s.data;
}

/* --- opening what geth sealed -------------------------------------------------- */

static enum err open_sym(struct span *plain, struct span data, const uint8_t key[static 32])
{
	struct aes_gcm *gcm;
	size_t len = 0;
	enum err e;

	*plain = vec_fill(0xaa, data.len);
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	e = shh_decrypt_sym(mutable(*plain), &len, data, gcm);
	aes_gcm_free(gcm);
	*plain = vec_copy(plain->data, len);
	return e;
}

static enum err open_asym(struct span *plain, struct span data, const struct seckey *key)
{
	size_t len = 0;
	enum err e;

	*plain = vec_fill(0xaa, data.len);
	e = shh_decrypt_asym(mutable(*plain), &len, data, key, crypto);
	*plain = vec_copy(plain->data, len);
	return e;
}

/* Open v's data with its own key; both kinds of vector name it alike. */
static enum err open_vector(struct span *plain, const json_t *v)
{
	uint8_t sym[32];
	struct seckey key;

	if (strcmp(vec_text(v, "encryption"), "symmetric") == 0) {
		vec_exact(v, "sym_key", sym, sizeof(sym));
		return open_sym(plain, vec_bytes(v, "data"), sym);
	}
	vec_exact(v, "recipient_private_key", key.b, sizeof(key.b));
	return open_asym(plain, vec_bytes(v, "data"), &key);
}

/* A 65-byte key as vectors write it: 04 X Y. */
static void check_signer(const struct shh_plain *m, struct span key65, const char *name)
{
	assert_int_equal(key65.len, 65);
	assert_int_equal(key65.data[0], 4);
	assert_span_equal(span_of(m->signer.b, 64), span_of(key65.data + 1, 64), "%s", name);
}

static void check_opened(const json_t *v, struct span plain, const char *name)
{
	struct shh_plain m, any;

	assert_int_equal(shh_plain_read(&m, plain, SHH_FORM_GETH, crypto), OK);
	assert_int_equal(m.form, SHH_FORM_GETH);
	assert_span_equal(m.payload, vec_bytes(v, "payload"), "%s", name);
	assert_span_equal(m.padding, vec_bytes(v, "padding"), "%s", name);
	assert_span_equal(span_of(m.hash, 32), vec_bytes(v, "message_hash"), "%s", name);
	assert_int_equal(m.is_signed, vec_bool(v, "signed"));
	if (m.is_signed)
		check_signer(&m, vec_bytes(v, "signature_public_key"), name);
	assert_int_equal(shh_plain_read_any(&any, plain, crypto), OK);
	if (any.form != SHH_FORM_GETH)
		fail_msg("%s: taken for parity's", name);
}

static void test_vectors_open(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		struct span plain;

		assert_int_equal(open_vector(&plain, v), OK);
		assert_span_equal(plain, vec_bytes(v, "plaintext"), "%s", vec_text(v, "id"));
		check_opened(v, plain, vec_text(v, "id"));
		count++;
	}
	assert_int_equal(count, 121);
	vectors_close(file);
}

/* --- building them again ---------------------------------------------------------- */

/* Build a plaintext with padding that comes either from the caller or from chance. */
static struct span build(struct span payload, struct span padding, bool by_caller,
			 const struct seckey *sign, enum shh_form form)
{
	struct shh_plain m = { .form = form, .payload = payload };
	struct rng_script script;
	struct rng rng = rng_script_init(&script, by_caller ? span_of(NULL, 0) : padding);
	struct span out;
	size_t len = 0;

	if (by_caller)
		m.padding = padding;
	out = vec_fill(0xaa, shh_plain_room(&m));
	assert_int_equal(shh_plain_write(mutable(out), &len, out.len, &m, sign, crypto, &rng), OK);
	assert_int_equal(script.left.len, 0);
	return vec_copy(out.data, len);
}

static void test_vectors_rebuilt(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, rebuilt = 0, crafted = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		const char *name = vec_text(v, "name");
		struct seckey key;

		/* 18 plaintexts are legal, but of a shape that no sender makes */
		if (strncmp(name, "crafted:", 8) == 0) {
			crafted++;
			continue;
		}
		if (vec_bool(v, "signed"))
			vec_exact(v, "sign_private_key", key.b, sizeof(key.b));
		assert_span_equal(build(vec_bytes(v, "payload"), vec_bytes(v, "padding"),
					strstr(name, "caller padding") != NULL,
					vec_bool(v, "signed") ? &key : NULL, SHH_FORM_GETH),
				  vec_bytes(v, "plaintext"), "%s %s", vec_text(v, "id"), name);
		rebuilt++;
	}
	assert_int_equal(rebuilt, 103);
	assert_int_equal(crafted, 18);
	vectors_close(file);
}

static void check_encrypted_sym(const json_t *v)
{
	struct span plain = vec_bytes(v, "plaintext");
	struct span out = vec_fill(0xaa, plain.len + SHH_SYM_OVERHEAD);
	struct rng_script script;
	struct rng rng = rng_script_init(&script, vec_bytes(v, "aes_nonce"));
	struct aes_gcm *gcm;
	uint8_t key[32];

	vec_exact(v, "sym_key", key, sizeof(key));
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	assert_int_equal(shh_encrypt_sym(mutable(out), plain, gcm, &rng), OK);
	aes_gcm_free(gcm);
	assert_int_equal(script.left.len, 0);
	assert_span_equal(out, vec_bytes(v, "data"), "%s", vec_text(v, "id"));
}

/* The ephemeral key is not in the vectors: what we seal must open again, and
 * have geth's size. */
static void check_encrypted_asym(const json_t *v)
{
	struct span plain = vec_bytes(v, "plaintext"), back;
	struct span out = vec_fill(0xaa, plain.len + ECIES_OVERHEAD);
	struct seckey key;
	struct pubkey to;

	vec_exact(v, "recipient_private_key", key.b, sizeof(key.b));
	assert_int_equal(pubkey_of(crypto, &to, &key), OK);
	assert_span_equal(span_of(to.b, 64),
			  span_of(vec_bytes(v, "recipient_public_key").data + 1, 64), "%s",
			  vec_text(v, "id"));
	assert_int_equal(shh_encrypt_asym(mutable(out), plain, &to, crypto, &chance), OK);
	assert_int_equal(out.len, vec_bytes(v, "data").len);
	assert_int_equal(open_asym(&back, out, &key), OK);
	assert_span_equal(back, plain, "%s", vec_text(v, "id"));
}

static void test_vectors_encrypted(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, sym = 0, asym = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		if (strcmp(vec_text(v, "encryption"), "symmetric") == 0) {
			check_encrypted_sym(v);
			sym++;
		} else {
			check_encrypted_asym(v);
			asym++;
		}
	}
	assert_int_equal(sym + asym, 121);
	assert_int_not_equal(sym, 0);
	assert_int_not_equal(asym, 0);
	vectors_close(file);
}

/* --- malformed ones ------------------------------------------------------------------ */

/* Whether v is refused, and at which stage. */
static bool is_refused(const json_t *v, bool *at_decryption)
{
	struct span plain;
	struct shh_plain m;

	*at_decryption = open_vector(&plain, v) != OK;
	if (*at_decryption)
		return true;
	if (vec_has(v, "plaintext"))
		assert_span_equal(plain, vec_bytes(v, "plaintext"), "%s", vec_text(v, "name"));
	return shh_plain_read(&m, plain, SHH_FORM_GETH, crypto) != OK;
}

static void test_w8_malformed(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, accepted = 0, panics = 0, rejected = 0, sealed = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "malformed", i, v) {
		const char *name = vec_text(v, "name"), *geth = vec_text(v, "geth_1_8_result");
		bool at_decryption, refused = is_refused(v, &at_decryption);

		if (refused == (strcmp(geth, "accept") == 0))
			fail_msg("%s: %s", name, refused ? "refused" : "accepted");
		if (at_decryption != (strcmp(geth, "decrypt-error") == 0))
			fail_msg("%s: refused at the wrong stage", name);
		accepted += strcmp(geth, "accept") == 0;
		panics += strcmp(geth, "panic") == 0;
		rejected += strcmp(geth, "parse-reject") == 0;
		sealed += strcmp(geth, "decrypt-error") == 0;
	}
	assert_int_equal(accepted + panics + rejected + sealed, 37);
	assert_int_not_equal(panics, 0);
	vectors_close(file);
}

/* Every flags byte, size and length: each part lies inside, in order, and they
 * fill the plaintext; each span is of exactly its length, for the sanitizer. */
static void check_geth_bounds(struct span plain)
{
	struct shh_plain m;
	size_t head = 1 + (plain.len > 0 ? plain.data[0] & 3u : 0u);

	if (shh_plain_read(&m, plain, SHH_FORM_GETH, crypto) != OK)
		return;
	assert_int_equal(head + m.payload.len + m.padding.len + (m.is_signed ? SIG_SIZE : 0),
			 plain.len);
	if (m.payload.len > 0)
		assert_ptr_equal(m.payload.data, plain.data + head);
	if (m.padding.len > 0)
		assert_ptr_equal(m.padding.data, plain.data + head + m.payload.len);
}

static void check_parity_bounds(struct span plain)
{
	struct shh_plain m;
	size_t head;

	if (shh_plain_read(&m, plain, SHH_FORM_PARITY, crypto) != OK)
		return;
	head = 2 + (plain.data[1] >> 6);
	assert_int_equal(head + m.padding.len + (m.is_signed ? SIG_SIZE : 0) + m.payload.len,
			 plain.len);
	if (m.padding.len > 0)
		assert_ptr_equal(m.padding.data, plain.data + head);
	if (m.payload.len > 0)
		assert_ptr_equal(m.payload.data, plain.data + plain.len - m.payload.len);
}

static void test_w8_bounds_of_every_header(void **state)
{
	static const size_t lengths[] = {
		0, 1, 2, 3, 4, 5, 8, 64, 65, 66, 67, 68, 69, 70, 71, 300
	};
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 64, 65, 66, 0xe9, 0xea, 0xff };

	(void)state;
	for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		for (unsigned flags = 0; flags < 256; flags++) {
			for (size_t s = 0; s < sizeof(sizes); s++) {
				struct span p = vec_fill(0, lengths[l]);

				memset(mutable(p), sizes[s], size_min(p.len, 5));
				if (p.len > 0)
					mutable(p)[0] = (uint8_t)flags;
				check_geth_bounds(p);
				if (p.len > 1) {
					mutable(p)[0] = 1;
					mutable(p)[1] = (uint8_t)flags;
				}
				check_parity_bounds(p);
			}
		}
		vectors_close(NULL);
	}
}

/* A size field may claim up to 2^24-1: one more than there is, is refused. */
static void test_w8_size_field_edges(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		for (size_t over = 0; over < 3; over++) {
			size_t body = n == 1 ? 200 : n == 2 ? 40000 : 70000;
			struct span p = vec_fill(0x11, 1 + n + body);
			struct shh_plain m;
			size_t claim = body - 1 + over;

			mutable(p)[0] = (uint8_t)n;
			for (unsigned i = 0; i < n; i++)
				mutable(p)[1 + i] = (uint8_t)(claim >> 8 * i);
			assert_int_equal(shh_plain_read(&m, p, SHH_FORM_GETH, crypto),
					 over < 2 ? OK : ERR_PAYLOAD);
			mutable(p)[0] = (uint8_t)(n << 6); /* the same as parity's padding */
			p = vec_fill(0x11, 2 + n + body);
			mutable(p)[0] = 1;
			mutable(p)[1] = (uint8_t)(n << 6);
			for (unsigned i = 0; i < n; i++)
				mutable(p)[2 + i] = (uint8_t)(claim >> 8 * (n - 1 - i));
			assert_int_equal(shh_plain_read(&m, p, SHH_FORM_PARITY, crypto),
					 over < 2 ? OK : ERR_PAYLOAD);
		}
	}
	vectors_close(NULL);
}

/* geth wants two bytes before a signature, valid as that may be. */
static void test_w8_shortest_signed(void **state)
{
	uint8_t digest[32];
	struct seckey key;
	struct shh_plain m;

	(void)state;
	assert_int_equal(seckey_generate(crypto, &key, &chance), OK);
	for (size_t body = 1; body <= 3; body++) {
		struct span p = vec_fill(0, body + SIG_SIZE);

		mutable(p)[0] = 4;
		keccak256(digest, p.data, body);
		assert_int_equal(crypto_sign(crypto, mutable(p) + body, digest, &key), OK);
		assert_int_equal(shh_plain_read(&m, p, SHH_FORM_GETH, crypto),
				 body == 1 ? ERR_PAYLOAD : OK);
	}
	vectors_close(NULL);
}

/* --- recorded sessions ------------------------------------------------------------------ */

static void check_session(const json_t *v, const char *where, void *ctx)
{
	enum shh_form form;
	struct shh_plain m;
	struct seckey key;
	struct span plain;
	size_t *opened = ctx;

	if (!vec_has(v, "key"))
		return;
	form = strcmp(vec_text(v, "form"), "parity") == 0 ? SHH_FORM_PARITY : SHH_FORM_GETH;
	vec_exact(v, "key", key.b, sizeof(key.b));
	assert_int_equal(strcmp(vec_text(v, "encryption"), "symmetric") == 0
				 ? open_sym(&plain, vec_bytes(v, "data"), key.b)
				 : open_asym(&plain, vec_bytes(v, "data"), &key),
			 OK);
	assert_span_equal(plain, vec_bytes(v, "plaintext"), "%s", where);
	assert_int_equal(shh_plain_read_any(&m, plain, crypto), OK);
	if (m.form != form)
		fail_msg("%s: taken for the other layout", where);
	assert_span_equal(m.payload, vec_bytes(v, "payload"), "%s", where);
	assert_int_equal(m.is_signed, vec_has(v, "signer"));
	if (m.is_signed)
		assert_span_equal(span_of(m.signer.b, 64), vec_bytes(v, "signer"), "%s", where);
	assert_int_equal(shh_plain_read(&m, plain, form, crypto), OK);
	++*opened;
}

static void test_sessions_open(void **state)
{
	size_t opened = 0;

	(void)state;
	assert_int_equal(sessions_each(check_session, &opened), SESSION_ENVELOPES);
	assert_int_equal(opened, SESSION_OPENED);
}

static void test_mail_requests_open(void **state)
{
	json_t *file = vectors_open("whisper_mail");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "requests", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "envelope"));
		struct shh_plain m;
		struct span plain;
		uint8_t key[32];

		vec_exact(v, "sym_key", key, sizeof(key));
		assert_int_equal(open_sym(&plain, e.data, key), OK);
		assert_int_equal(shh_plain_read_any(&m, plain, crypto), OK);
		assert_span_equal(m.payload, vec_bytes(v, "payload"), "%s", vec_text(v, "name"));
		assert_int_equal(m.is_signed, vec_bool(v, "signed"));
		count++;
	}
	assert_int_equal(count, 15);
	vectors_close(file);
}

/* --- what we build ----------------------------------------------------------------------- */

struct made {
	struct shh_plain in, out;
	struct span plain;
};

/* Write a message with generated padding and read it under its layout and under both. */
static struct made make(size_t len, const struct seckey *sign, enum shh_form form)
{
	struct made x = { .in = { .form = form } };
	struct shh_plain any;
	struct span room;
	size_t n = 0;

	x.in.payload = vec_fill(0, len);
	assert_int_equal(rng_fill(&chance, mutable(x.in.payload), len), OK);
	room = vec_fill(0xaa, shh_plain_room(&x.in));
	assert_int_equal(shh_plain_write(mutable(room), &n, room.len, &x.in, sign, crypto, &chance),
			 OK);
	x.plain = vec_copy(room.data, n);
	assert_int_equal(shh_plain_read(&x.out, x.plain, form, crypto), OK);
	assert_span_equal(x.out.payload, x.in.payload, "%zu bytes", len);
	assert_int_equal(x.out.is_signed, sign != NULL);
	assert_int_equal(shh_plain_read_any(&any, x.plain, crypto), OK);
	if (any.form != form)
		fail_msg("%zu bytes of form %d, signed %d: taken for the other layout", len,
			 (int)form, sign != NULL);
	return x;
}

/* Every length over more than two blocks: geth fills blocks with 1..256 bytes,
 * ours in parity's layout stop one byte short of one. */
static void test_padding_rules(void **state)
{
	struct seckey key;
	struct pubkey pub;

	(void)state;
	assert_int_equal(seckey_generate(crypto, &key, &chance), OK);
	assert_int_equal(pubkey_of(crypto, &pub, &key), OK);
	for (size_t len = 0; len <= 600; len++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			struct made g = make(len, sign != 0 ? &key : NULL, SHH_FORM_GETH);
			struct made p = make(len, sign != 0 ? &key : NULL, SHH_FORM_PARITY);

			assert_int_equal(g.plain.len % SHH_PAD_BLOCK, 0);
			assert_in_range(g.out.padding.len, 1, SHH_PAD_BLOCK);
			assert_int_equal(p.plain.len % SHH_PAD_BLOCK, SHH_PAD_BLOCK - 1);
			assert_in_range(p.out.padding.len, 0, SHH_PAD_BLOCK - 1);
			if (sign == 0)
				continue;
			assert_memory_equal(g.out.signer.b, pub.b, sizeof(pub.b));
			assert_memory_equal(p.out.signer.b, pub.b, sizeof(pub.b));
		}
		vectors_close(NULL);
	}
}

/* A size field of one, two and three bytes, at each edge. */
static void test_size_field_length(void **state)
{
	static const struct {
		size_t len, bytes;
	} edges[] = {
		{ 0, 1 },     { 255, 1 },   { 256, 2 },
		{ 65535, 2 }, { 65536, 3 }, { SHH_PAYLOAD_MAX, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct made g = make(edges[i].len, NULL, SHH_FORM_GETH);

		assert_int_equal(g.plain.data[0], edges[i].bytes);
		make(edges[i].len, NULL, SHH_FORM_PARITY);
		vectors_close(NULL);
	}
}

/* parity's layout, byte for byte (its payload.rs: version, flags, size big-endian). */
static void test_parity_layout(void **state)
{
	static const uint8_t text[5] = "hello";
	struct span payload = span_of(text, sizeof(text)), p;
	struct shh_plain m;
	struct seckey key;
	struct digest d;

	(void)state;
	assert_int_equal(seckey_generate(crypto, &key, &chance), OK);
	p = build(payload, vec_fill(0x77, 300), true, &key, SHH_FORM_PARITY);
	assert_int_equal(p.len, 2 + 2 + 300 + SIG_SIZE + 5);
	assert_memory_equal(p.data, "\x01\xa0\x01\x2c\x77", 5);
	assert_memory_equal(p.data + p.len - 5, text, 5);
	assert_int_equal(shh_plain_read(&m, p, SHH_FORM_PARITY, crypto), OK);
	keccak256(d.b, text, sizeof(text));
	assert_memory_equal(m.hash, d.b, 32);
	assert_int_equal(m.padding.len, 300);
	p = build(payload, vec_fill(0x77, 3), true, NULL, SHH_FORM_PARITY);
	assert_span_equal(p, vec_copy("\x01\x40\x03\x77\x77\x77hello", 11), "one size byte");
	assert_int_equal(shh_plain_read(&m, vec_copy("\x01\x00hello", 7), SHH_FORM_PARITY, crypto),
			 OK);
	assert_span_equal(m.payload, payload, "as parity's own client sends it");
	assert_int_equal(shh_plain_read(&m, vec_copy("\x02\x00hello", 7), SHH_FORM_PARITY, crypto),
			 ERR_PAYLOAD);
	vectors_close(NULL);
}

/* Which layout is chosen where both fit, where one does, and where none does. */
static void test_read_any_choices(void **state)
{
	struct shh_plain m = { .payload = { NULL, 77 } };

	(void)state;
	/* no parity flag, so geth's whatever the padding */
	assert_int_equal(shh_plain_read_any(&m, vec_copy("\x01\x05hello....", 11), crypto), OK);
	assert_int_equal(m.form, SHH_FORM_GETH);
	/* both fit, not padded as geth pads */
	assert_int_equal(shh_plain_read_any(&m, vec_copy("\x01\x00hello", 7), crypto), OK);
	assert_int_equal(m.form, SHH_FORM_PARITY);
	assert_int_equal(m.payload.len, 5);
	/* geth's size does not fit, parity's does */
	assert_int_equal(shh_plain_read_any(&m, vec_copy("\x01\x40\x01.hello", 9), crypto), OK);
	assert_int_equal(m.form, SHH_FORM_PARITY);
	assert_span_equal(m.payload, vec_copy("hello", 5), "after one byte of padding");
	/* parity's padding does not fit, geth's payload of 64 bytes does */
	assert_int_equal(shh_plain_read_any(&m, vec_copy("\x01\x40\xff", 3), crypto), ERR_PAYLOAD);
	{
		struct span p = vec_fill(0xff, 2 + 64 + 10);

		mutable(p)[0] = 1;
		mutable(p)[1] = 64;
		assert_int_equal(shh_plain_read_any(&m, p, crypto), OK);
		assert_int_equal(m.form, SHH_FORM_GETH);
		assert_int_equal(m.payload.len, 64);
	}
	assert_int_equal(shh_plain_read_any(&m, vec_copy("\x01", 1), crypto), ERR_PAYLOAD);
	assert_int_equal(shh_plain_read_any(&m, vec_fill(0, 0), crypto), ERR_PAYLOAD);
	vectors_close(NULL);
}

static bool no_chance(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x55, len); /* half done is not done */
	return false;
}

static void test_no_random_bytes(void **state)
{
	struct shh_plain m = { .payload = { (const uint8_t *)"hi", 2 } };
	struct rng none = { .fill = no_chance, .ctx = NULL };
	uint8_t out[512], key[32] = { 1 };
	struct aes_gcm *gcm;
	struct seckey sec;
	struct pubkey pub;
	size_t len = 77;

	(void)state;
	for (unsigned form = SHH_FORM_GETH; form <= SHH_FORM_PARITY; form++) {
		m.form = (enum shh_form)form;
		assert_int_equal(shh_plain_write(out, &len, sizeof(out), &m, NULL, crypto, &none),
				 ERR_RANDOM);
		assert_int_equal(len, 77);
	}
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	assert_int_equal(shh_encrypt_sym(out, m.payload, gcm, &none), ERR_RANDOM);
	aes_gcm_free(gcm);
	assert_int_equal(seckey_generate(crypto, &sec, &chance), OK);
	assert_int_equal(pubkey_of(crypto, &pub, &sec), OK);
	assert_int_equal(shh_encrypt_asym(out, m.payload, &pub, crypto, &none), ERR_RANDOM);
	assert_int_equal(shh_encrypt_asym(out, span_of(NULL, 0), &pub, crypto, &chance), ERR_SIZE);
}

static void test_write_refuses(void **state)
{
	struct shh_plain m = { .form = SHH_FORM_GETH };
	struct seckey zero = { { 0 } };
	struct rng_script script;
	struct rng zeros = rng_script_init(&script, vec_fill(0, 1024));
	uint8_t out[700];
	size_t len = 0;

	(void)state;
	m.payload = vec_fill(1, SHH_PAYLOAD_MAX + 1);
	assert_int_equal(shh_plain_write(out, &len, SIZE_MAX, &m, NULL, crypto, &chance), ERR_SIZE);
	m.payload.len = SIZE_MAX;
	assert_int_equal(shh_plain_room(&m), SIZE_MAX);
	m.payload = vec_fill(1, 20);
	assert_int_equal(
		shh_plain_write(out, &len, shh_plain_room(&m) - 1, &m, NULL, crypto, &chance),
		ERR_SIZE);
	assert_int_equal(shh_plain_write(out, &len, sizeof(out), &m, &zero, crypto, &chance),
			 ERR_KEY);
	assert_int_equal(shh_plain_write(out, &len, sizeof(out), &m, NULL, crypto, &zeros),
			 ERR_RANDOM);
	m.payload = vec_fill(1, 250); /* leaves four bytes of padding */
	assert_int_equal(shh_plain_write(out, &len, sizeof(out), &m, NULL, crypto, &zeros),
			 ERR_RANDOM);
	m.payload = vec_fill(1, 251); /* three may be zeros */
	assert_int_equal(shh_plain_write(out, &len, sizeof(out), &m, NULL, crypto, &zeros), OK);
	assert_int_equal(len, 256);
	vectors_close(NULL);
}

/* --- ciphers ------------------------------------------------------------------------------- */

static void test_decrypt_refuses(void **state)
{
	uint8_t key[32] = { 9 };
	struct span plain = vec_fill(0x61, 50), data = vec_fill(0, 50 + SHH_SYM_OVERHEAD), out;
	struct seckey sec;
	struct aes_gcm *gcm;
	size_t len = 0;

	(void)state;
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	assert_int_equal(shh_encrypt_sym(mutable(data), plain, gcm, &chance), OK);
	assert_int_equal(open_sym(&out, data, key), OK);
	assert_span_equal(out, plain, "symmetric");
	for (size_t i = 0; i < data.len; i++) {
		mutable(data)[i] ^= 1;
		assert_int_equal(open_sym(&out, data, key), ERR_DECRYPT);
		mutable(data)[i] ^= 1;
	}
	for (size_t cut = 0; cut < data.len; cut++)
		assert_int_equal(open_sym(&out, vec_copy(data.data, cut), key),
				 cut < SHH_SYM_OVERHEAD ? ERR_SIZE : ERR_DECRYPT);
	assert_int_equal(seckey_generate(crypto, &sec, &chance), OK);
	assert_int_equal(shh_decrypt_asym(mutable(out), &len,
					  span_of(data.data, ECIES_OVERHEAD - 1), &sec, crypto),
			 ERR_SIZE);
	aes_gcm_free(gcm);
	vectors_close(NULL);
}

/* --- names --------------------------------------------------------------------------------- */

static void test_password_keys(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "passwords", i, v) {
		struct symkey key;
		uint8_t hash[32];

		assert_int_equal(vec_u64(v, "iterations"), SHH_KDF_ROUNDS);
		assert_int_equal(shh_key_of_password(&key, vec_bytes(v, "password_utf8_hex")), OK);
		assert_span_equal(span_of(key.b, 32), vec_bytes(v, "sym_key"), "password %zu", i);
		keccak256(hash, key.b, 32);
		assert_span_equal(span_of(hash, 32), vec_bytes(v, "sym_key_hash"), "hash %zu", i);
		count++;
	}
	assert_int_equal(count, 23);
	vectors_close(file);
}

static void test_topics_of_passwords_and_names(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	struct shh_topic t;
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "wnode_topics", i, v) {
		assert_int_equal(shh_topic_of_password(&t, vec_bytes(v, "password_utf8_hex")), OK);
		assert_span_equal(span_of(t.b, 4), vec_bytes(v, "topic"), "wnode topic %zu", i);
	}
	vectors_each (file, "hash_topics", i, v) {
		shh_topic_of_name(&t, vec_bytes(v, "name_utf8_hex"));
		assert_span_equal(span_of(t.b, 4), vec_bytes(v, "topic"), "name %zu", i);
	}
	vectors_close(file);
}

static void check_name_topic(const json_t *v, struct span name, const char *key)
{
	struct shh_topic t;

	shh_topic_of_name(&t, name);
	assert_span_equal(span_of(t.b, 4), vec_bytes(v, key), "%s", key);
}

static struct span text_of(const char *text)
{
	return span_of(text, strlen(text));
}

/* Topics and key ids as Status derives them, from what this library offers. */
static void test_topics_of_status(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "status_topics", i, v) {
		struct seckey key, other;
		struct pubkey pub, peer;
		uint8_t shared[32], id[32];
		char hex[65];

		vec_exact(v, "private_key", key.b, 32);
		vec_exact(v, "peer_private_key", other.b, 32);
		assert_int_equal(pubkey_of(crypto, &pub, &key), OK);
		assert_span_equal(span_of(pub.b, 64),
				  span_of(vec_bytes(v, "public_key").data + 1, 64), "key %zu", i);
		check_name_topic(v, text_of(vec_text(v, "contact_code_string")),
				 "contact_code_topic");
		check_name_topic(v, text_of(vec_text(v, "partition_string")), "partition_topic");
		assert_int_equal(pubkey_of(crypto, &peer, &other), OK);
		assert_int_equal(crypto_ecdh(crypto, shared, &key, &peer), OK);
		assert_span_equal(span_of(shared, 32), vec_bytes(v, "ecdh_shared"), "ecdh %zu", i);
		hex_encode(hex, shared, 32);
		check_name_topic(v, text_of(hex), "negotiated_topic");
		assert_int_equal(crypto_pbkdf2_sha256(id, 32, text_of(vec_text(v, "public_key")),
						      text_of(""), 4096),
				 OK);
		assert_span_equal(span_of(id, 32), vec_bytes(v, "status_go_key_id"), "id %zu", i);
		count++;
	}
	assert_int_equal(count, 5);
	vectors_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_open),
		cmocka_unit_test(test_vectors_rebuilt),
		cmocka_unit_test(test_vectors_encrypted),
		cmocka_unit_test(test_w8_malformed),
		cmocka_unit_test(test_w8_bounds_of_every_header),
		cmocka_unit_test(test_w8_size_field_edges),
		cmocka_unit_test(test_w8_shortest_signed),
		cmocka_unit_test(test_sessions_open),
		cmocka_unit_test(test_mail_requests_open),
		cmocka_unit_test(test_padding_rules),
		cmocka_unit_test(test_size_field_length),
		cmocka_unit_test(test_parity_layout),
		cmocka_unit_test(test_read_any_choices),
		cmocka_unit_test(test_no_random_bytes),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_decrypt_refuses),
		cmocka_unit_test(test_password_keys),
		cmocka_unit_test(test_topics_of_passwords_and_names),
		cmocka_unit_test(test_topics_of_status),
	};

	return cmocka_run_group_tests(tests, crypto_up, crypto_down);
}
