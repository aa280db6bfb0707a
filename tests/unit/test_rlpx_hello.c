/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_hello.c - Hello: what is accepted, and what is not (hardening B1, B8). */
#include "tests/vectors.h"

#include "rlp/rlp.h"
#include "rlpx/hello.h"

static const struct pubkey id = { { 1, 2, 3 } };

/* A Hello with one thing at a time made different. */
struct spec {
	uint64_t version;
	const char *client;
	size_t client_len;
	size_t caps;
	const char *name;
	size_t name_len;
	uint64_t cap_version;
	size_t pair_items;
	uint64_t port;
	const uint8_t *id;
	size_t id_len;
	size_t extra;
	bool trailing;
};

static const struct spec good = { 5, "c", 1, 1, "shh", 3, 6, 2, 0, id.b, 64, 0, false };

static enum err check(struct rlpx_hello *out, const struct spec *s)
{
	static uint8_t bytes[8192];
	struct rlp_writer w = rlp_writer_init(bytes, sizeof(bytes));
	size_t list = rlp_list_begin(&w), caps;
	struct span payload;

	rlp_write_u64(&w, s->version);
	rlp_write_bytes(&w, (const uint8_t *)s->client, s->client_len);
	caps = rlp_list_begin(&w);
	for (size_t i = 0; i < s->caps; i++) {
		size_t pair = rlp_list_begin(&w);

		if (s->pair_items > 0)
			rlp_write_bytes(&w, (const uint8_t *)s->name, s->name_len);
		for (size_t j = 1; j < s->pair_items; j++)
			rlp_write_u64(&w, s->cap_version);
		rlp_list_end(&w, pair);
	}
	rlp_list_end(&w, caps);
	rlp_write_u64(&w, s->port);
	rlp_write_bytes(&w, s->id, s->id_len);
	for (size_t i = 0; i < s->extra; i++)
		rlp_write_text(&w, "extra");
	rlp_list_end(&w, list);
	if (s->trailing)
		rlp_write_u64(&w, 7);
	assert_int_equal(w.err, OK);
	payload = vec_copy(bytes, w.len);
	return rlpx__hello_read(out, payload, &id);
}

static void test_eip8_vector(void **state)
{
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *v = vec_get(file, "hello");
	struct rlpx_hello h;
	struct pubkey node;

	(void)state;
	vec_exact(v, "node_id", node.b, 64);
	assert_int_equal(rlpx__hello_read(&h, vec_bytes(v, "payload"), &node), OK);
	assert_int_equal(h.version, vec_u64(v, "version"));
	assert_string_equal(h.client, vec_text(v, "client_id"));
	assert_int_equal(h.listen_port, vec_u64(v, "listen_port"));
	assert_int_equal(h.cap_count, json_array_size(vec_get(v, "caps")));
	assert_string_equal(h.caps[0].name, "eth");
	assert_int_equal(h.caps[0].version, 61);
	assert_string_equal(h.caps[1].name, "mork");
	assert_int_equal(h.caps[1].version, 22);
	assert_int_equal(rlpx__hello_read(&h, vec_bytes(v, "payload"), &id), ERR_IDENTITY);
	vectors_close(file);
}

static void test_accepted(void **state)
{
	static const char long_client[300] = { [0 ... 298] = 'x' };
	struct rlpx_hello h;
	struct spec s = good;

	(void)state;
	assert_int_equal(check(&h, &s), OK);
	s.extra = 3;
	s.trailing = true;
	assert_int_equal(check(&h, &s), OK);
	s.version = 4;
	assert_int_equal(check(&h, &s), OK);
	s.version = UINT32_MAX;
	assert_int_equal(check(&h, &s), OK);
	s.client = long_client;
	s.client_len = 299;
	assert_int_equal(check(&h, &s), OK);
	assert_int_equal(strlen(h.client), RLPX_CLIENT_MAX);
	s.client_len = 0;
	assert_int_equal(check(&h, &s), OK);
	assert_string_equal(h.client, "");
	s.caps = 0;
	assert_int_equal(check(&h, &s), OK);
	assert_int_equal(h.cap_count, 0);
	s.caps = RLPX_PEER_CAPS_MAX;
	s.name = "12345678";
	s.name_len = 8;
	s.cap_version = UINT32_MAX;
	assert_int_equal(check(&h, &s), OK);
	assert_int_equal(h.cap_count, RLPX_PEER_CAPS_MAX);
	assert_string_equal(h.caps[63].name, "12345678");
	s.port = UINT16_MAX;
	assert_int_equal(check(&h, &s), OK);
	assert_int_equal(h.listen_port, UINT16_MAX);
	s.port = UINT64_MAX; /* a hint that makes no sense is no hint */
	assert_int_equal(check(&h, &s), OK);
	assert_int_equal(h.listen_port, 0);
	vectors_close(NULL);
}

static void refuse(struct spec s, enum err want, int line)
{
	struct rlpx_hello h;
	enum err e = check(&h, &s);

	if (e != want)
		fail_msg("line %d: %s, not %s", line, err_name(e), err_name(want));
}
#define REFUSE(want, field, value)          \
	do {                                \
		struct spec s_ = good;      \
		s_.field = (value);         \
		refuse(s_, want, __LINE__); \
	} while (0)

static void test_refused(void **state)
{
	static const uint8_t zero[64];
	static const uint8_t large[2048] = { 1 };
	struct spec s = good;

	(void)state;
	for (uint64_t v = 0; v < 4; v++)
		REFUSE(ERR_VERSION, version, v);
	REFUSE(ERR_HELLO, version, (uint64_t)UINT32_MAX + 1);
	REFUSE(ERR_HELLO, caps, RLPX_PEER_CAPS_MAX + 1);
	REFUSE(ERR_HELLO, name_len, 0);
	REFUSE(ERR_HELLO, name, "s h");
	REFUSE(ERR_HELLO, name, "s\x80h");
	REFUSE(ERR_HELLO, name, "s\nh");
	REFUSE(ERR_HELLO, cap_version, (uint64_t)UINT32_MAX + 1);
	REFUSE(ERR_HELLO, pair_items, 0);
	REFUSE(ERR_HELLO, pair_items, 1);
	REFUSE(ERR_HELLO, pair_items, 3);
	REFUSE(ERR_KEY, id, zero);
	REFUSE(ERR_IDENTITY, id, large);
	s.name = "123456789";
	s.name_len = 9;
	refuse(s, ERR_HELLO, __LINE__);
	s.name = (const char *)large; /* as the conformance tests of cmd/devp2p do */
	s.name_len = sizeof(large);
	refuse(s, ERR_HELLO, __LINE__);
	s = good;
	s.id = large;
	for (size_t i = 0; i < 4; i++) {
		static const size_t lengths[] = { 63, 65, 128, 2048 };

		s.id_len = lengths[i];
		refuse(s, ERR_HELLO, __LINE__);
	}
	vectors_close(NULL);
}

/* Cut anywhere, or with any byte changed: an answer, and no read past the end. */
static void test_cut_and_bent(void **state)
{
	static const struct rlpx_capability caps[] = { { "eth", 63, 17 }, { "shh", 6, 128 } };
	const struct rlpx_config cfg = { .client = "x", .version = 5, .cap_count = 2 };
	uint8_t bytes[HELLO_SIZE_MAX];
	struct rlpx_hello h;
	size_t len;

	(void)state;
	assert_int_equal(rlpx__hello_write(bytes, &len, &cfg, caps, &id), OK);
	assert_int_equal(rlpx__hello_read(&h, vec_copy(bytes, len), &id), OK);
	assert_int_equal(h.cap_count, 2);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(rlpx__hello_read(&h, vec_copy(bytes, cut), &id), ERR_HELLO);
	for (size_t at = 0; at < len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (uint8_t)(1u << bit);
			(void)!rlpx__hello_read(&h, vec_copy(bytes, len), &id);
			assert_true(h.cap_count <= RLPX_PEER_CAPS_MAX);
			bytes[at] ^= (uint8_t)(1u << bit);
		}
	vectors_close(NULL);
}

/* The largest of ours fits, and stays below what peers take before Hello. */
static void test_largest_of_ours(void **state)
{
	static char client[600];
	struct rlpx_capability caps[RLPX_CAPS_MAX];
	const struct rlpx_config cfg = { .client = client,
					 .version = 5,
					 .listen_port = UINT16_MAX,
					 .cap_count = RLPX_CAPS_MAX };
	uint8_t bytes[HELLO_SIZE_MAX];
	struct rlpx_hello h;
	size_t len;

	(void)state;
	memset(client, 'c', sizeof(client) - 1);
	for (size_t i = 0; i < RLPX_CAPS_MAX; i++)
		caps[i] = (struct rlpx_capability){ "abcdefgh", UINT32_MAX, 1 };
	assert_int_equal(rlpx__hello_write(bytes, &len, &cfg, caps, &id), OK);
	assert_true(len <= RLPX_HELLO_MAX);
	assert_int_equal(rlpx__hello_read(&h, span_of(bytes, len), &id), OK);
	assert_int_equal(strlen(h.client), RLPX_CLIENT_MAX);
	assert_int_equal(h.cap_count, RLPX_CAPS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eip8_vector),	cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),		cmocka_unit_test(test_cut_and_bent),
		cmocka_unit_test(test_largest_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
