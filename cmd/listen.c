/* SPDX-License-Identifier: MIT */
/* cmd/listen.c - `sotto listen': print the messages that come by. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/probe.h"
#include "cmd/process.h"
#include "cmd/text.h"

struct ear {
	struct probe probe;
	struct seckey key;
	bool has_key;
	struct symkey sym;
	bool has_sym;
	bool terminal;
	uint64_t heard;
	bool done; /* count reached, or output lost */
	bool late;
	int code;
};

/* --- printing ------------------------------------------------------------------- */

static void print_json(const struct shh_event *ev)
{
	const struct shh_plain *m = ev->u.message.plain;

	printf("{\"hash\":");
	print_json_hex(stdout, ev->u.message.hash, 32);
	printf(",\"payload\":");
	print_json_hex(stdout, m->payload.data, m->payload.len);
	printf(",\"topic\":");
	print_json_hex(stdout, ev->u.message.topic.b, SHH_TOPIC_SIZE);
	printf(",\"sig\":");
	if (m->is_signed) {
		printf("\"0x04");
		print_hex(stdout, m->signer.b, sizeof(m->signer.b));
		printf("\"");
	} else {
		printf("null");
	}
	printf(",\"timestamp\":%llu,\"ttl\":%u,\"pow\":", (unsigned long long)ev->u.message.sent_s,
	       ev->u.message.ttl_s);
	print_json_real(stdout, ev->u.message.pow);
	printf(",\"form\":\"%s\",\"direct\":%s}\n", m->form == SHH_FORM_PARITY ? "parity" : "geth",
	       ev->u.message.direct ? "true" : "false");
}

/* Pipes get the bytes as they are; a terminal gets none that could steer it. */
static void print_payload(const struct ear *e, struct span payload)
{
	if (e->terminal)
		print_harmless(stdout, payload.data, payload.len);
	else
		fwrite(payload.data, 1, payload.len, stdout);
	putchar('\n');
}

static void on_message(struct ear *e, const struct shh_event *ev)
{
	const struct settings *set = e->probe.session.set;

	if (e->done)
		return;
	if (set->json)
		print_json(ev);
	else
		print_payload(e, ev->u.message.plain->payload);
	e->heard++;
	if (!flush_output(set)) {
		e->code = EXIT_ENVIRONMENT;
		e->done = true;
	}
	if (set->count != 0 && e->heard >= set->count)
		e->done = true;
	if (e->done)
		net_stop(e->probe.session.net);
}

/* --- events ------------------------------------------------------------------------ */

static void on_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct ear *e = ctx;

	(void)now_ms;
	if (ev->type == NODE_EV_SHH && ev->u.shh->type == SHH_EV_MESSAGE)
		on_message(e, ev->u.shh);
	if (e->done || !probe_event(&e->probe, ev))
		return;
	if (!e->probe.ready && !e->probe.was_ready)
		net_break(e->probe.session.net); /* the first connection failed */
}

static void on_late(void *ctx, uint64_t now_ms)
{
	struct ear *e = ctx;

	(void)now_ms;
	if (e->done)
		return;
	e->late = e->done = true;
	net_stop(e->probe.session.net);
}

static int check(void *ctx, struct session *s)
{
	struct ear *e = ctx;
	int code = probe_check(&e->probe, s);

	if (code == EXIT_OK)
		code = session_symkey(s, &e->sym, &e->has_sym);
	if (code == EXIT_OK && !e->has_sym) {
		code = session_key_file(s, "--key", s->set->key, &e->key);
		e->has_key = code == EXIT_OK;
	}
	return code;
}

static int add_filter(struct ear *e)
{
	const struct settings *set = e->probe.session.set;
	struct shh_filter f = {
		.sym = e->has_sym ? &e->sym : NULL,
		.key = e->has_key ? &e->key : NULL,
		.topics = set->topics.t,
		.topic_count = set->topics.count,
		.direct = set->direct,
	};
	uint32_t id;
	enum err err = shh_filter_add(node_shh(e->probe.session.node), &id, &f, net_clock_ms());

	if (err == OK)
		return EXIT_OK;
	return fail(set, EXIT_ENVIRONMENT, "no filter could be made: %s", err_text(err));
}

static int run(struct ear *e)
{
	struct session *s = &e->probe.session;
	unsigned kinds = NODE_STATIC | (s->set->direct ? NODE_TRUSTED : 0);
	int code = add_filter(e);

	if (code != EXIT_OK)
		return code;
	if (s->set->timeout_s != 0)
		net_timer(s->net, s->set->timeout_s * 1000, on_late, e);
	probe_begin(&e->probe, kinds);
	if (net_run(s->net) != OK)
		return fail(s->set, EXIT_ENVIRONMENT, "the loop failed");
	if (e->late)
		return fail(s->set, EXIT_TIME,
			    "--timeout %llu: the time is up, after %llu messages",
			    (unsigned long long)s->set->timeout_s, (unsigned long long)e->heard);
	if (!e->done && e->probe.down && !e->probe.was_ready)
		return fail(s->set, e->probe.code, "%s", e->probe.why);
	return e->code;
}

int run_listen(struct settings *set)
{
	struct ear e = {
		.probe = { .what = "--peer", .text = set->peer },
		.terminal = isatty(STDOUT_FILENO),
	};
	struct session_plan plan = {
		.redial = true,
		.event = on_event,
		.ctx = &e,
		.check = check,
	};
	int code = session_open(&e.probe.session, set, &plan);

	if (code == EXIT_OK) {
		code = run(&e);
		session_close(&e.probe.session);
	}
	crypto_wipe(&e.key, sizeof(e.key));
	crypto_wipe(&e.sym, sizeof(e.sym));
	return code;
}
