/* SPDX-License-Identifier: MIT */
/* cmd/send.c - `sotto send': one message through a node.
 *
 * Left with 0 only when the peer has it: the envelope went out, everything
 * before it as well, a Ping sent after it was answered, and no Disconnect came
 * for a moment after that.
 *
 *	CONNECTING --> SEALING --> RELAYING --> PINGING --> SETTLING --> DONE
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/options.h"
#include "cmd/probe.h"
#include "cmd/process.h"
#include "cmd/text.h"

#define POW_LEAST  0.2 /* what geth nodes ask for as they come */
#define LOOK_MS	   2   /* how often the way of the message is looked at */
#define SETTLE_MS  100 /* in which a peer that dislikes it would say so */
#define POSTS_MAX  2   /* --form both */
#define TEXT_GUESS 65536

enum phase { CONNECTING, SEALING, RELAYING, PINGING, SETTLING, DONE };

struct letter {
	struct probe probe;
	enum phase phase;
	uint8_t *text; /* owned */
	size_t len;
	struct seckey sign;
	bool has_sign;
	struct symkey sym;
	bool has_sym;
	struct pubkey to;
	double pow;	/* of each envelope */
	unsigned posts; /* asked for, one after the other */
	struct {
		uint32_t id;
		enum shh_form form;
		uint8_t hash[32];
		double pow;
	} post[POSTS_MAX];
	uint64_t pongs;
	int code;
	bool late;
};

/* --- what is to be sent ----------------------------------------------------------- */

static int read_stdin(struct letter *l, const struct settings *set)
{
	size_t room = TEXT_GUESS;

	l->text = malloc(room);
	for (;;) {
		ssize_t n;

		if (l->text == NULL)
			return fail(set, EXIT_ENVIRONMENT, "no memory for the text");
		n = read(STDIN_FILENO, l->text + l->len, room - l->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(set, EXIT_ENVIRONMENT, "standard input cannot be read: %s",
				    strerror(errno));
		if (n == 0)
			return EXIT_OK;
		l->len += (size_t)n;
		if (l->len > SHH_PAYLOAD_MAX)
			return fail(set, EXIT_USAGE,
				    "standard input: expected a text of at most %d bytes",
				    SHH_PAYLOAD_MAX);
		if (l->len == room) {
			room *= 2;
			l->text = realloc(l->text, room);
		}
	}
}

static int read_text(struct letter *l, const struct settings *set)
{
	const char *text = set->operands > 0 ? set->operand[0] : "-";

	if (strcmp(text, "-") == 0)
		return read_stdin(l, set);
	l->len = strlen(text);
	l->text = malloc(l->len + 1);
	if (l->text == NULL)
		return fail(set, EXIT_ENVIRONMENT, "no memory for the text");
	memcpy(l->text, text, l->len);
	return EXIT_OK;
}

/* 04 X Y or X Y, with 0x or without. */
static int read_pubkey(struct letter *l, const struct session *s)
{
	const char *hex = s->set->pubkey;
	uint8_t key[65] = { 4 };
	bool ok = hex_decode(key, 65, hex) == OK || hex_decode(key + 1, 64, hex) == OK;

	if (ok && pubkey_parse65(s->crypto, &l->to, key) == OK)
		return EXIT_OK;
	return fail(
		s->set, EXIT_USAGE,
		"--pubkey: expected 128 hex digits, with 04 before them or without, of a point of "
		"secp256k1");
}

static int check(void *ctx, struct session *s)
{
	struct letter *l = ctx;
	int code = probe_check(&l->probe, s);

	if (code == EXIT_OK)
		code = session_symkey(s, &l->sym, &l->has_sym);
	if (code == EXIT_OK && !l->has_sym)
		code = read_pubkey(l, s);
	if (code == EXIT_OK && s->set->sign != NULL) {
		code = session_key_file(s, "--sign", s->set->sign, &l->sign);
		l->has_sign = code == EXIT_OK;
	}
	return code == EXIT_OK ? read_text(l, s->set) : code;
}

/* --- sealing -------------------------------------------------------------------------- */

static void leave(struct letter *l, int code)
{
	l->phase = DONE;
	l->code = code;
	net_stop(l->probe.session.net);
}

/* The work to do, unless the peer's Status says that it would be for nothing. */
static bool agree_on_work(struct letter *l, const struct shh_status *status, double *pow)
{
	const struct settings *set = l->probe.session.set;
	char asked[REAL_TEXT_MAX], given[REAL_TEXT_MAX];
	double least = status->min_pow > POW_LEAST ? status->min_pow : POW_LEAST;

	*pow = settings_given(set, "pow") ? set->pow : least;
	if (set->direct || *pow >= status->min_pow)
		return true;
	real_text(asked, status->min_pow);
	real_text(given, *pow);
	leave(l, fail(set, EXIT_REFUSED, "--pow %s: expected at least %s, which this peer asks for",
		      given, asked));
	return false;
}

/* A bloom filter is laid out in three ways; one that fits in none is a no. */
static bool topic_is_wanted(const struct shh_status *status, struct shh_topic topic)
{
	static const enum shh_bloom_kind kinds[] = { SHH_BLOOM_GETH, SHH_BLOOM_EIP627,
						     SHH_BLOOM_PARITY };
	struct shh_bloom b;

	if (!status->has_bloom)
		return true;
	for (size_t i = 0; i < 3; i++) {
		shh_bloom_of(&b, topic, kinds[i]);
		if (shh_bloom_match(&status->bloom, &b))
			return true;
	}
	return false;
}

static bool link_info(const struct letter *l, struct node_link_info *info)
{
	uint32_t cursor = 0;

	while (node_link_next(l->probe.session.node, &cursor, info))
		if (info->link == l->probe.link)
			return true;
	return false;
}

/* The slot that a direct message goes to; -1: everybody. */
static int32_t direct_slot(const struct letter *l)
{
	struct node_link_info info;

	if (!l->probe.session.set->direct || !link_info(l, &info))
		return -1;
	return (int32_t)info.shh_peer;
}

static void post_one(struct letter *l, enum shh_form form, uint64_t now_ms)
{
	const struct settings *set = l->probe.session.set;
	struct shh_post p = {
		.sym = l->has_sym ? &l->sym : NULL,
		.to = l->has_sym ? NULL : &l->to,
		.sign = l->has_sign ? &l->sign : NULL,
		.topic = set->topics.t[0],
		.payload = span_of(l->text, l->len),
		.ttl_s = (uint32_t)set->ttl_s,
		.pow = l->pow,
		.pow_time_ms = (uint32_t)u64_min(set->timeout_s * 1000, UINT32_MAX),
		.form = form,
		.direct = direct_slot(l),
	};
	enum err err = shh_post(node_shh(l->probe.session.node), &l->post[l->posts].id, &p, now_ms);

	if (err == ERR_SIZE) {
		leave(l, fail(set, EXIT_REFUSED,
			      "the text: expected less than %u bytes with what belongs to it, got "
			      "%zu",
			      SHH_MESSAGE_MAX, l->len));
		return;
	}
	if (err != OK) {
		leave(l, fail(set, EXIT_REFUSED, "the message cannot be made: %s", err_text(err)));
		return;
	}
	l->post[l->posts++].form = form;
}

/* In both layouts, parity's goes first: its pool takes only what outbids all that
 * it holds, so geth's could stand in the way. */
static void begin_post(struct letter *l, const struct shh_status *status, uint64_t now_ms)
{
	const struct settings *set = l->probe.session.set;

	if (!agree_on_work(l, status, &l->pow))
		return;
	if (!set->direct && !topic_is_wanted(status, set->topics.t[0])) {
		leave(l, fail(set, EXIT_REFUSED,
			      "--topic: expected one that this peer's bloom filter lets through"));
		return;
	}
	l->phase = SEALING;
	post_one(l, set->form == FORM_GETH ? SHH_FORM_GETH : SHH_FORM_PARITY, now_ms);
}

/* --- its way -------------------------------------------------------------------------------- */

/* Look, and look again in a moment. */
static void look(void *ctx, uint64_t now_ms)
{
	struct letter *l = ctx;
	struct session *s = &l->probe.session;
	struct node_link_info info;
	uint64_t again_ms = LOOK_MS;

	if (l->phase == DONE || !link_info(l, &info))
		return;
	switch (l->phase) {
	case RELAYING:
		if (info.drained && (s->set->direct || info.shh.envelopes_out >= l->posts) &&
		    node_ping(s->node, l->probe.link, now_ms) == OK) {
			l->pongs = info.pongs;
			l->phase = PINGING;
		}
		break;
	case PINGING:
		if (info.pongs > l->pongs) {
			l->phase = SETTLING;
			again_ms = SETTLE_MS;
		}
		break;
	case SETTLING: leave(l, EXIT_OK); return;
	case CONNECTING:
	case SEALING:
	case DONE: break;
	}
	net_timer(s->net, again_ms, look, l);
}

static void on_posted(struct letter *l, const struct shh_event *ev, uint64_t now_ms)
{
	const struct settings *set = l->probe.session.set;

	for (unsigned i = 0; i < l->posts; i++) {
		if (l->post[i].id != ev->u.posted.id)
			continue;
		memcpy(l->post[i].hash, ev->u.posted.hash, 32);
		l->post[i].pow = ev->u.posted.pow;
	}
	if (ev->u.posted.err != OK) {
		leave(l, fail(set, EXIT_REFUSED, "the message cannot be sealed: %s",
			      err_text(ev->u.posted.err)));
		return;
	}
	if (set->form == FORM_BOTH && l->posts == 1) {
		post_one(l, SHH_FORM_GETH, now_ms);
		return;
	}
	l->phase = RELAYING;
	look(l, now_ms);
}

static void on_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct letter *l = ctx;

	if (l->phase == DONE)
		return;
	if (ev->type == NODE_EV_SHH && ev->u.shh->type == SHH_EV_POSTED)
		on_posted(l, ev->u.shh, now_ms);
	if (l->phase == DONE || !probe_event(&l->probe, ev))
		return;
	if (!l->probe.ready)
		net_break(l->probe.session.net);
	else if (l->phase == CONNECTING)
		begin_post(l, ev->u.step.status, now_ms);
}

static void on_late(void *ctx, uint64_t now_ms)
{
	struct letter *l = ctx;

	(void)now_ms;
	if (l->phase == DONE)
		return;
	l->late = true;
	net_stop(l->probe.session.net);
}

/* --- the command ------------------------------------------------------------------------------- */

static int tell_late(struct letter *l)
{
	static const char *const what[] = {
		[CONNECTING] = "no connection was made",
		[SEALING] = "the work is not done",
		[RELAYING] = "the peer did not take the message",
		[PINGING] = "the peer did not answer after the message",
		[SETTLING] = "the peer did not answer after the message",
		[DONE] = "",
	};
	const struct settings *set = l->probe.session.set;

	return fail(set, EXIT_TIME, "--timeout %llu: the time is up, %s",
		    (unsigned long long)set->timeout_s, what[l->phase]);
}

static int tell_sent(const struct letter *l)
{
	const struct settings *set = l->probe.session.set;

	for (unsigned i = 0; i < l->posts; i++) {
		if (set->json) {
			printf("{\"hash\":");
			print_json_hex(stdout, l->post[i].hash, 32);
			printf(",\"pow\":");
			print_json_real(stdout, l->post[i].pow);
			printf(",\"form\":\"%s\"}\n",
			       l->post[i].form == SHH_FORM_PARITY ? "parity" : "geth");
		} else {
			printf("0x");
			print_hex(stdout, l->post[i].hash, 32);
			printf("\n");
		}
	}
	return flush_output(set) ? EXIT_OK : EXIT_ENVIRONMENT;
}

static int run(struct letter *l)
{
	struct session *s = &l->probe.session;

	net_timer(s->net, s->set->timeout_s * 1000, on_late, l);
	probe_begin(&l->probe, NODE_STATIC);
	if (net_run(s->net) != OK)
		return fail(s->set, EXIT_ENVIRONMENT, "the loop failed");
	if (l->late)
		return tell_late(l);
	if (l->phase == DONE)
		return l->code == EXIT_OK ? tell_sent(l) : l->code;
	if (l->probe.down)
		return fail(s->set, l->probe.code, "%s", l->probe.why);
	return fail(s->set, EXIT_ENVIRONMENT, "interrupted before the message was sent");
}

int run_send(struct settings *set)
{
	struct letter l = { .probe = { .what = "--peer", .text = set->peer } };
	struct session_plan plan = { .event = on_event, .ctx = &l, .check = check };
	int code = session_open(&l.probe.session, set, &plan);

	if (code == EXIT_OK) {
		code = run(&l);
		session_close(&l.probe.session);
	}
	free(l.text);
	crypto_wipe(&l.sign, sizeof(l.sign));
	crypto_wipe(&l.sym, sizeof(l.sym));
	return code;
}
