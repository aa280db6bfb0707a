/* SPDX-License-Identifier: MIT */
/* tests/unit/test_node_sessions.c - every recorded peer, played to a whole node.
 *
 * The recorded frames cannot enter a fresh handshake, since their MACs cover
 * the recorded ack.  So a scripted peer makes a handshake of its own in the
 * same role and form, offers what the recorded Hello offered, and sends the
 * decoded messages in their order and at their times, the node's wall clock
 * standing where the recording's stood.  Nothing that real software sent may
 * end the connection, each peer must be told apart by its dialect, and what we
 * send must be what that peer would have taken.
 */
#include "tests/shh_vectors.h"

#include "base/blob.h"
#include "node/node.h"

#define FILES	   8
#define QUIET_MS   4000 /* after the last recorded message, for what we still have to say */
#define START_MS   1000000
#define NO_WORK_MS 1795167100000 /* wall clock of sessions without envelopes */

static const struct {
	const char *name;
	enum shh_dialect dialect;
	enum shh_rule rule; /* by which it grades what it gets */
} files[FILES] = {
	{ "session_geth_1_8_27", SHH_DIALECT_GETH18, SHH_RULE_GETH18 },
	{ "session_geth_1_9_20", SHH_DIALECT_GETH19, SHH_RULE_GETH19 },
	{ "session_status_whisper", SHH_DIALECT_GETH19, SHH_RULE_GETH19 },
	{ "session_statusd", SHH_DIALECT_GETH19, SHH_RULE_GETH19 },
	{ "session_wnode", SHH_DIALECT_GETH18, SHH_RULE_GETH18 },
	{ "session_nim_eth", SHH_DIALECT_NIMBUS, SHH_RULE_NIMBUS },
	{ "session_parity", SHH_DIALECT_PARITY, SHH_RULE_EIP627 },
	{ "session_status_waku", SHH_DIALECT_UNKNOWN, SHH_RULE_GETH19 },
};

struct stage {
	size_t file;
	const char *where; /* session's name, for messages */
	struct mem mem;
	struct rng_seeded seed, peer_seed;
	struct rng rng, peer_rng;
	struct crypto *crypto;
	struct node *node;
	uint32_t link;
	bool linked;
	struct rlpx_host *host;
	struct rlpx *peer;
	struct rlpx_capability caps[RLPX_CAPS_MAX];
	size_t cap_count;
	uint64_t now_ms;
	int64_t wall_offset_ms;
	bool peer_open, peer_identified, peer_closed;
	/* what the node told */
	bool down, down_by_peer;
	unsigned down_reason;
	bool ready;
	enum shh_dialect dialect;
	size_t got_status, got_envelopes, got_own;
	uint8_t own[32];
};

/* --- the node's side ------------------------------------------------------------ */

static void node_events(struct stage *s)
{
	struct shh_seal_progress found;
	struct shh_seal_job job;
	struct node_event ev;

	while (node_poll(s->node, &ev)) {
		switch (ev.type) {
		case NODE_EV_DIAL:
			s->link = ev.link;
			s->linked = true;
			node_dialled(s->node, ev.link, OK, s->now_ms);
			break;
		case NODE_EV_STEP:
			if (ev.u.step.step == NODE_STEP_READY) {
				s->ready = true;
				s->dialect = ev.u.step.dialect;
			}
			break;
		case NODE_EV_DOWN:
			s->down = true;
			s->down_by_peer = ev.u.down.by_peer;
			s->down_reason = ev.u.down.reason;
			break;
		case NODE_EV_CLOSE: s->linked = false; break;
		case NODE_EV_SHH:
			if (ev.u.shh->type == SHH_EV_POSTED) {
				assert_int_equal(ev.u.shh->u.posted.err, OK);
				memcpy(s->own, ev.u.shh->u.posted.hash, 32);
			}
			break;
		case NODE_EV_JOB:
			found = (struct shh_seal_progress){ 0 };
			job = *ev.u.job.seal;
			shh_seal_run(&job, &found, job.hashes_max ? job.hashes_max : 1u << 22);
			node_job_done(s->node, ev.u.job.id, &found, s->now_ms);
			break;
		case NODE_EV_PAUSE:
		case NODE_EV_RESUME:
		case NODE_EV_MESSAGE:
		case NODE_EV_JOB_CANCEL:
		case NODE_EV_STOPPED: break;
		}
	}
}

static void start_node(struct stage *s, bool dials)
{
	struct enode to = { .has_endpoint = true };
	struct node_config cfg;
	struct seckey key;
	const uint8_t loopback[4] = { 127, 0, 0, 1 };
	const char *what = "";

	node_config_init(&cfg);
	cfg.key = &key;
	cfg.crypto = s->crypto;
	cfg.mem = &s->mem;
	cfg.rng = s->rng;
	cfg.wall_offset_ms = s->wall_offset_ms;
	cfg.client = "sotto/test";
	cfg.max_peers = 8;
	cfg.lan_exempt = true;
	cfg.accept_plain = true;
	cfg.redial = false;
	assert_int_equal(seckey_generate(s->crypto, &key, &s->rng), OK);
	assert_int_equal(node_new(&s->node, &cfg, &what, s->now_ms), OK);
	if (dials) {
		to.id = *rlpx_host_id(s->host);
		to.at = (struct endpoint){ .ip = ip_from4(loopback), .tcp = 30303, .udp = 30303 };
		assert_int_equal(node_peer_add(s->node, &to, NODE_STATIC, s->now_ms), OK);
	}
}

/* One message of our own, waiting in the pool when the peer comes. */
static void post_own(struct stage *s)
{
	static const struct symkey sym = { { 9 } };
	struct shh_post post = { .sym = &sym,
				 .topic = { { 0xde, 0xad, 0xbe, 0xef } },
				 .payload = span_of("hello", 5),
				 .ttl_s = 50,
				 .pow = 0.2,
				 .pow_time_ms = 60000,
				 .direct = -1 };
	uint32_t id;

	assert_int_equal(shh_post(node_shh(s->node), &id, &post, s->now_ms), OK);
}

/* --- the peer's side -------------------------------------------------------------- */

/* What the peer would think of an envelope of ours. */
static void judge_envelope(struct stage *s, const struct shh_envelope *env)
{
	enum shh_rule rule = files[s->file].rule;
	uint64_t now_s = (uint64_t)((int64_t)s->now_ms + s->wall_offset_ms) / 1000;
	unsigned bits = shh_work_bits(env->content, env->nonce, shh_rule_digest(rule));
	uint8_t hash[32];

	s->got_envelopes++;
	if (shh_work_value(rule, bits, env) < 0.2)
		fail_msg("%s: at %llu ms an envelope of work %g", s->where,
			 (unsigned long long)(s->now_ms - START_MS),
			 shh_work_value(rule, bits, env));
	assert_true(env->expiry >= now_s && env->expiry - env->ttl <= now_s + 2);
	shh_envelope_hash(hash, env->content, env->nonce);
	if (memcmp(env->topic.b, "\xde\xad\xbe\xef", 4) == 0)
		s->got_own++;
}

static void judge_packet(struct stage *s, uint32_t code, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope env;
	struct shh_status status;
	double pow;

	if (files[s->file].dialect == SHH_DIALECT_PARITY)
		assert_true(code < 112);
	switch (code) {
	case SHH_STATUS:
		s->got_status++;
		assert_int_equal(shh_status_read(&status, payload), OK);
		assert_true(status.form >= SHH_STATUS_FOUR);
		break;
	case SHH_MESSAGES:
		rlp_read_list(&r, &list);
		while (!rlp_reader_at_end(&list)) {
			assert_int_equal(shh_envelope_read(&env, &list), OK);
			judge_envelope(s, &env);
		}
		rlp_expect_end(&r);
		assert_int_equal(rlp_reader_err(&list), OK);
		assert_int_equal(rlp_reader_err(&r), OK);
		break;
	case SHH_POW:
		assert_int_equal(shh_pow_read(&pow, payload), OK);
		assert_true(pow > 0 || files[s->file].dialect != SHH_DIALECT_PARITY);
		break;
	case SHH_BATCH_ACK:
	case SHH_MESSAGE_RESPONSE:
		/* only who announces confirmations may get them */
		assert_true(files[s->file].dialect == SHH_DIALECT_GETH19);
		break;
	default: fail_msg("%s: code %u was not asked for", s->where, code);
	}
}

static void peer_events(struct stage *s)
{
	struct rlpx_event ev;

	while (rlpx_poll(s->peer, &ev)) {
		switch (ev.type) {
		case RLPX_IDENTIFIED: s->peer_identified = true; break;
		case RLPX_HELLO: s->peer_open = true; break;
		case RLPX_MESSAGE: judge_packet(s, ev.u.message.code, ev.u.message.payload); break;
		case RLPX_CLOSED: s->peer_closed = true; break;
		}
	}
}

static void start_peer(struct stage *s, const json_t *session)
{
	struct seckey key;
	const char *client = json_string_value(json_object_get(session, "peer_client"));
	struct rlpx_config cfg = {
		.key = &key,
		.crypto = s->crypto,
		.mem = &s->mem,
		.rng = s->peer_rng,
		.client = client ? client : "unheard",
		.version = 5,
		.accept_plain = true,
		.caps = s->caps,
		.cap_count = s->cap_count,
	};

	if (json_is_integer(json_object_get(session, "peer_version")))
		cfg.version = (uint8_t)vec_u64(session, "peer_version");
	assert_int_equal(seckey_generate(s->crypto, &key, &s->peer_rng), OK);
	assert_int_equal(rlpx_host_new(&s->host, &cfg, s->now_ms), OK);
}

static bool is_peers(const json_t *m)
{
	return strcmp(vec_text(m, "from"), "peer") == 0;
}

/* The capabilities that the recorded Hello of the peer lists. */
static void read_caps(struct stage *s, const json_t *session)
{
	const json_t *m;
	size_t i;

	s->cap_count = 0;
	vectors_each (session, "messages", i, m) {
		struct span payload = vec_bytes(m, "payload");
		struct rlp_reader r = rlp_reader_init(payload.data, payload.len), hello, list, cap;

		if (!is_peers(m) || vec_u64(m, "code") != 0)
			continue;
		rlp_read_list(&r, &hello);
		rlp_skip(&hello);
		rlp_skip(&hello);
		rlp_read_list(&hello, &list);
		while (!rlp_reader_at_end(&list)) {
			struct rlpx_capability *c = &s->caps[s->cap_count++];
			struct span name;

			assert_true(s->cap_count <= RLPX_CAPS_MAX);
			rlp_read_list(&list, &cap);
			name = rlp_read_bytes(&cap);
			assert_true(name.len <= RLPX_NAME_MAX);
			memset(c, 0, sizeof(*c));
			memcpy(c->name, name.data, name.len);
			c->version = rlp_read_u32(&cap);
			c->length = 128;
		}
		assert_int_equal(rlp_reader_err(&list), OK);
	}
	if (s->cap_count == 0) /* it left before its Hello */
		s->caps[s->cap_count++] = (struct rlpx_capability){ "shh", 6, 128 };
}

static size_t cap_index(const struct stage *s, const char *name)
{
	size_t count;
	const struct rlpx_capability *caps = rlpx_host_caps(s->host, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(caps[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* --- the wire between them ----------------------------------------------------------- */

static bool to_node(struct stage *s)
{
	static uint8_t bytes[1 << 21];
	const uint8_t *data;
	size_t n;

	rlpx_seal_many(&s->peer, 1, s->now_ms);
	n = rlpx_output(s->peer, &data);
	if (n == 0 || !s->linked)
		return false;
	memcpy(bytes, data, n);
	rlpx_output_taken(s->peer, n, s->now_ms);
	assert_int_equal(node_recv(s->node, s->link, bytes, n, s->now_ms), n);
	node_events(s);
	return true;
}

static bool to_peer(struct stage *s)
{
	static uint8_t bytes[1 << 21];
	const uint8_t *data;
	uint32_t link;
	size_t n, at = 0;

	node_flush(s->node, s->now_ms);
	if (!node_next_writable(s->node, &link))
		return false;
	n = node_output(s->node, link, &data);
	memcpy(bytes, data, n);
	node_output_taken(s->node, link, n, s->now_ms);
	while (at < n && !s->peer_closed) {
		size_t taken = 0;
		enum err e = rlpx_recv(s->peer, &taken, bytes + at, n - at, s->now_ms);

		at += taken;
		peer_events(s);
		if (e != OK || taken == 0)
			break;
	}
	return n > 0;
}

static void settle(struct stage *s)
{
	bool moved = true;

	while (moved) {
		node_events(s);
		peer_events(s);
		moved = to_node(s);
		moved |= to_peer(s);
	}
}

static void run_until(struct stage *s, uint64_t until_ms)
{
	settle(s);
	while (s->now_ms < until_ms) {
		uint64_t next = u64_min(node_deadline(s->node), rlpx_deadline(s->peer));

		s->now_ms = u64_min(until_ms, u64_max(next, s->now_ms + 1));
		node_tick(s->node, s->now_ms);
		rlpx_tick(s->peer, s->now_ms);
		settle(s);
	}
}

/* --- a session --------------------------------------------------------------------------- */

/* Where the recording's wall clock stood: no envelope came before it was made. */
static int64_t wall_of(const json_t *session)
{
	int64_t wall_ms = INT64_MIN;
	struct shh_envelope env;
	const json_t *m;
	size_t i;

	vectors_each (session, "messages", i, m) {
		struct span payload = vec_bytes(m, "payload");
		struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;

		if (!json_is_integer(json_object_get(m, "protocol_code")) ||
		    vec_u64(m, "protocol_code") != SHH_MESSAGES ||
		    strcmp(vec_text(m, "protocol"), "shh") != 0)
			continue;
		rlp_read_list(&r, &list);
		while (!rlp_reader_at_end(&list)) {
			int64_t made_ms;

			assert_int_equal(shh_envelope_read(&env, &list), OK);
			made_ms = (int64_t)(env.expiry - env.ttl) * 1000;
			if (made_ms - (int64_t)vec_u64(m, "ms") > wall_ms)
				wall_ms = made_ms - (int64_t)vec_u64(m, "ms");
		}
	}
	return (wall_ms == INT64_MIN ? NO_WORK_MS : wall_ms) - START_MS;
}

static void send_message(struct stage *s, const json_t *m)
{
	size_t cap = cap_index(s, vec_text(m, "protocol"));
	struct span payload = vec_bytes(m, "payload");
	struct blob *b;

	assert_true(cap != SIZE_MAX);
	assert_int_equal(blob_new(&b, &s->mem, MEM_SEND, payload.len), OK);
	memcpy(b->data, payload.data, payload.len);
	assert_int_equal(rlpx_send(s->peer, (uint8_t)cap, (uint32_t)vec_u64(m, "protocol_code"), b),
			 OK);
}

static bool shares_shh(const struct stage *s)
{
	for (size_t i = 0; i < s->cap_count; i++)
		if (strcmp(s->caps[i].name, "shh") == 0)
			return true;
	return false;
}

static void play_messages(struct stage *s, const json_t *session)
{
	const json_t *m;
	size_t i;

	vectors_each (session, "messages", i, m) {
		uint64_t code = vec_u64(m, "code");

		if (!is_peers(m))
			continue;
		run_until(s, START_MS + vec_u64(m, "ms"));
		if (code == 1) {
			struct span reason = vec_bytes(m, "payload");

			rlpx_close(s->peer, reason.data[reason.len - 1], s->now_ms);
			settle(s);
			return;
		}
		if (s->down || !shares_shh(s))
			continue;
		if (code >= 16 && s->peer_open && strcmp(vec_text(m, "protocol"), "shh") == 0)
			send_message(s, m);
		settle(s);
		if (s->down)
			fail_msg("%s: message %zu ended the connection, reason %u", s->where, i,
				 s->down_reason);
	}
}

static void check_outcome(struct stage *s, const json_t *session)
{
	bool closes = false, spoke = false;
	const json_t *m;
	size_t i;

	vectors_each (session, "messages", i, m) {
		closes |= is_peers(m) && vec_u64(m, "code") == 1;
		spoke |= is_peers(m) && json_is_integer(json_object_get(m, "protocol_code")) &&
			 vec_u64(m, "code") >= 16;
	}
	if (!shares_shh(s)) {
		assert_true(s->down); /* both ends see it; who says so first is chance */
		assert_int_equal(s->down_reason, RLPX_USELESS);
		return;
	}
	if (closes) {
		if (!s->down || !s->down_by_peer)
			fail_msg("%s: the peer's Disconnect was not the end", s->where);
		return;
	}
	if (!spoke) /* it never sent a Status: ours to end it, in time */
		return;
	assert_false(s->down);
	assert_true(s->ready);
	if (s->dialect != files[s->file].dialect)
		fail_msg("%s: dialect %s", s->where, shh_dialect_name(s->dialect));
	if (s->got_status != 1 || s->got_own != 1)
		fail_msg("%s: %zu Status packets, own message %zu times", s->where, s->got_status,
			 s->got_own);
}

/* The dialect may be learned after READY: the last word counts. */
static void last_dialect(struct stage *s)
{
	struct node_link_info info;
	uint32_t cursor = 0;

	while (node_link_next(s->node, &cursor, &info))
		if (info.reached == NODE_STEP_READY)
			s->dialect = info.shh.dialect;
}

static void play(size_t file, const json_t *session)
{
	/* the roles turn round: who dialled the recorder dials us */
	bool node_dials = strcmp(vec_text(session, "our_role"), "initiator") == 0;
	bool plain = strcmp(vec_text(session, "handshake"), "plain") == 0;
	const uint8_t loopback[4] = { 127, 0, 0, 1 };
	struct endpoint from = { .ip = ip_from4(loopback), .tcp = 40000 };
	static struct stage s;

	memset(&s, 0, sizeof(s));
	s.file = file;
	s.where = vec_text(session, "name");
	s.now_ms = START_MS;
	s.wall_offset_ms = wall_of(session);
	mem_init(&s.mem);
	s.rng = rng_seeded_init(&s.seed, 1);
	s.peer_rng = rng_seeded_init(&s.peer_seed, 2);
	assert_int_equal(crypto_new(&s.crypto, &s.rng), OK);
	read_caps(&s, session);
	start_peer(&s, session);
	start_node(&s, node_dials);
	post_own(&s);
	if (node_dials) {
		assert_int_equal(rlpx_accept(&s.peer, s.host, s.now_ms), OK);
		node_tick(s.node, s.now_ms);
	} else {
		assert_int_equal(rlpx_dial(&s.peer, s.host, node_pubkey(s.node), plain, s.now_ms),
				 OK);
		assert_int_equal(node_accept(s.node, &s.link, &from, s.now_ms), OK);
		s.linked = true;
	}
	settle(&s);
	play_messages(&s, session);
	if (!s.down)
		run_until(&s, s.now_ms + QUIET_MS);
	last_dialect(&s);
	check_outcome(&s, session);
	rlpx_free(s.peer);
	node_free(s.node);
	rlpx_host_free(s.host);
	crypto_free(s.crypto);
	assert_int_equal(s.mem.total_used, 0);
}

static void play_file(void **state)
{
	size_t file = *(const size_t *)*state, i;
	json_t *all = vectors_open(files[file].name);
	const json_t *session;

	vectors_each (all, "sessions", i, session)
		play(file, session);
	vectors_close(all);
}

int main(void)
{
	static size_t index[FILES];
	struct CMUnitTest tests[FILES];

	for (size_t i = 0; i < FILES; i++) {
		index[i] = i;
		tests[i] = (struct CMUnitTest){ files[i].name, play_file, NULL, NULL, &index[i] };
	}
	return _cmocka_run_group_tests("test_node_sessions", tests, FILES, NULL, NULL);
}
