/* SPDX-License-Identifier: MIT */
/* tests/shh_vectors.c - what the tests of shh/ share. */
#include "tests/shh_vectors.h"

#include <stdio.h>

static const char *const session_files[] = {
	"session_geth_1_8_27", "session_geth_1_9_20",	 "session_nim_eth", "session_parity",
	"session_status_waku", "session_status_whisper", "session_statusd", "session_wnode",
};

static size_t session_each(const json_t *session, const char *file,
			   void (*fn)(const json_t *e, const char *where, void *ctx), void *ctx)
{
	size_t m, i, count = 0;
	const json_t *message, *e;
	char where[160];

	vectors_each (session, "messages", m, message) {
		if (!vec_has(message, "envelopes"))
			continue;
		json_array_foreach(vec_get(message, "envelopes"), i, e)
		{
			snprintf(where, sizeof(where), "%s %s message %zu envelope %zu", file,
				 vec_text(session, "name"), m, i);
			fn(e, where, ctx);
			count++;
		}
	}
	return count;
}

size_t sessions_each(void (*fn)(const json_t *e, const char *where, void *ctx), void *ctx)
{
	size_t count = 0, i;
	const json_t *session;

	for (size_t f = 0; f < sizeof(session_files) / sizeof(session_files[0]); f++) {
		json_t *file = vectors_open(session_files[f]);

		vectors_each (file, "sessions", i, session)
			count += session_each(session, session_files[f], fn, ctx);
		vectors_close(file);
	}
	return count;
}

struct span vec_content(const json_t *e)
{
	struct span data = vec_bytes(e, "data"), content;
	uint64_t expiry = vec_u64(e, "expiry"), ttl = vec_u64(e, "ttl");
	size_t size = shh_content_size(expiry, ttl, data.len, data.data);
	struct shh_topic topic;

	vec_exact(e, "topic", topic.b, sizeof(topic.b));
	content = vec_fill(0, size);
	assert_int_equal(shh_content_write((uint8_t *)(uintptr_t)content.data, size, expiry, ttl,
					   topic, data),
			 size);
	return content;
}

struct shh_envelope envelope_of(struct span raw)
{
	struct rlp_reader r = rlp_reader_init(raw.data, raw.len);
	struct shh_envelope e = { .expiry = 0 };

	assert_int_equal(shh_envelope_read(&e, &r), OK);
	assert_int_equal(r.left, 0);
	return e;
}

static bool script_fill(void *ctx, uint8_t *out, size_t len)
{
	struct rng_script *s = ctx;
	struct span bytes;

	if (!span_take(&s->left, &bytes, len))
		fail_msg("%zu random bytes were asked for, the script has %zu", len, s->left.len);
	else
		memcpy(out, bytes.data, len);
	return true;
}

struct rng rng_script_init(struct rng_script *state, struct span script)
{
	state->left = script;
	return (struct rng){ .fill = script_fill, .ctx = state };
}
