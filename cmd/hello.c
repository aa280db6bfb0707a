/* SPDX-License-Identifier: MIT */
/* cmd/hello.c - `sotto hello': one handshake, one Hello, one Status, timed. */
#include <stdio.h>

#include "cmd/probe.h"
#include "cmd/process.h"
#include "cmd/text.h"

struct greeting {
	struct probe probe;
	bool has_hello, has_status, late;
	struct rlpx_hello hello;
	struct rlpx_shared shared[RLPX_CAPS_MAX];
	size_t shared_count;
	struct shh_status status;
	enum shh_dialect dialect;
};

/* As JSON has it. */
static const char *form_name(enum shh_status_form form)
{
	switch (form) {
	case SHH_STATUS_EMPTY: return "empty";
	case SHH_STATUS_SHORT: return "short";
	case SHH_STATUS_FOUR: return "four";
	case SHH_STATUS_FIVE: return "five";
	case SHH_STATUS_SIX: return "six";
	}
	return "?";
}

/* The same for people. */
static const char *form_text(enum shh_status_form form)
{
	switch (form) {
	case SHH_STATUS_EMPTY: return "no items";
	case SHH_STATUS_SHORT: return "1 to 3 items";
	case SHH_STATUS_FOUR: return "4 items";
	case SHH_STATUS_FIVE: return "5 items";
	case SHH_STATUS_SIX: return "6 items";
	}
	return "?";
}

/* --- hearing ------------------------------------------------------------------ */

static void on_step(struct greeting *g, const struct node_event *ev)
{
	if (ev->u.step.hello != NULL && !g->has_hello) {
		g->hello = *ev->u.step.hello;
		g->has_hello = true;
		g->shared_count = size_min(ev->u.step.shared_count, RLPX_CAPS_MAX);
		if (g->shared_count > 0)
			memcpy(g->shared, ev->u.step.shared,
			       g->shared_count * sizeof(g->shared[0]));
	}
	if (ev->u.step.status != NULL) {
		g->status = *ev->u.step.status;
		g->has_status = true;
		g->dialect = ev->u.step.dialect;
	}
}

static void on_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct greeting *g = ctx;

	(void)now_ms;
	if (g->has_status)
		return; /* the goodbye is under way */
	if (ev->type == NODE_EV_STEP)
		on_step(g, ev);
	if (!probe_event(&g->probe, ev))
		return;
	if (g->probe.ready)
		net_stop(g->probe.session.net);
	else
		net_break(g->probe.session.net);
}

static void on_late(void *ctx, uint64_t now_ms)
{
	struct greeting *g = ctx;

	(void)now_ms;
	if (g->has_status)
		return;
	g->late = true;
	probe_late(&g->probe);
	net_break(g->probe.session.net);
}

static int check(void *ctx, struct session *s)
{
	struct greeting *g = ctx;

	return probe_check(&g->probe, s);
}

/* --- telling ------------------------------------------------------------------- */

static const char *const step_name[PROBE_STEPS] = { "dial", "handshake", "hello", "status" };

/* Milliseconds that a step took; false if it was not reached. */
static bool step_ms(const struct probe *p, size_t step, double *ms)
{
	uint64_t before = step == 0 ? p->began_ns : p->at_ns[step - 1];

	if (p->at_ns[step] == 0 || before == 0)
		return false;
	*ms = (double)(p->at_ns[step] - before) / 1e6;
	return true;
}

static void print_times(const struct probe *p)
{
	double ms;

	for (size_t i = 0; i < PROBE_STEPS; i++)
		if (step_ms(p, i, &ms))
			printf("%-13s %.2f ms\n", step_name[i], ms);
}

/* Where our side of the connection lists its capabilities: shh alone. */
static void print_plain(const struct greeting *g)
{
	const struct rlpx_hello *h = &g->hello;
	char pow[REAL_TEXT_MAX];

	print_times(&g->probe);
	if (g->has_hello) {
		printf("client        ");
		print_harmless(stdout, (const uint8_t *)h->client, strlen(h->client));
		printf("\np2p version   %u\ncapabilities ", h->version);
		for (size_t i = 0; i < h->cap_count; i++)
			printf(" %s/%u", h->caps[i].name, h->caps[i].version);
		printf("\nlisten port   %u\n", h->listen_port);
	}
	if (!g->has_status)
		return;
	real_text(pow, g->status.min_pow);
	printf("status        %s, least work %s%s%s%s\n", form_text(g->status.form), pow,
	       g->status.has_bloom && !shh_bloom_is_full(&g->status.bloom) ? ", bloom filter" : "",
	       g->status.light ? ", light" : "", g->status.confirmations ? ", confirmations" : "");
	printf("family        %s\n", shh_dialect_name(g->dialect));
}

static void json_hello(const struct greeting *g)
{
	const struct rlpx_hello *h = &g->hello;

	printf(",\"client\":");
	print_json_text(stdout, h->client);
	printf(",\"version\":%u,\"caps\":[", h->version);
	for (size_t i = 0; i < h->cap_count; i++) {
		char cap[RLPX_NAME_MAX + 16];

		snprintf(cap, sizeof(cap), "%s/%u", h->caps[i].name, h->caps[i].version);
		printf(i ? "," : "");
		print_json_text(stdout, cap);
	}
	printf("],\"port\":%u,\"offset\":", h->listen_port);
	if (g->shared_count > 0)
		printf("%u", g->shared[0].offset);
	else
		printf("null");
}

static void json_status(const struct greeting *g)
{
	printf(",\"status\":{\"form\":");
	print_json_text(stdout, form_name(g->status.form));
	printf(",\"pow\":");
	print_json_real(stdout, g->status.min_pow);
	printf(",\"bloom\":");
	if (g->status.has_bloom)
		print_json_hex(stdout, g->status.bloom.b, sizeof(g->status.bloom.b));
	else
		printf("null");
	printf(",\"light\":%s,\"confirmations\":%s},\"family\":",
	       g->status.light ? "true" : "false", g->status.confirmations ? "true" : "false");
	print_json_text(stdout, shh_dialect_name(g->dialect));
}

static void print_json(const struct greeting *g, int code)
{
	char url[ENODE_TEXT_MAX];
	const char *comma = "";
	double ms;

	enode_text(url, &g->probe.peer);
	printf("{\"enode\":");
	print_json_text(stdout, url);
	printf(",\"ms\":{");
	for (size_t i = 0; i < PROBE_STEPS; i++) {
		if (!step_ms(&g->probe, i, &ms))
			continue;
		printf("%s\"%s\":%.3f", comma, step_name[i], ms);
		comma = ",";
	}
	printf("}");
	if (g->has_hello)
		json_hello(g);
	if (g->has_status)
		json_status(g);
	printf(",\"code\":%d", code);
	if (code != EXIT_OK) {
		printf(",\"error\":");
		print_json_text(stdout, g->probe.why);
	}
	printf("}\n");
}

int run_hello(struct settings *set)
{
	struct greeting g = { .probe = { .what = "ENODE", .text = set->operand[0] } };
	struct session_plan plan = { .event = on_event, .ctx = &g, .check = check };
	int code = session_open(&g.probe.session, set, &plan);

	if (code != EXIT_OK)
		return code;
	net_timer(g.probe.session.net, set->timeout_s * 1000, on_late, &g);
	probe_begin(&g.probe, NODE_STATIC);
	if (net_run(g.probe.session.net) != OK)
		code = fail(set, EXIT_ENVIRONMENT, "the loop failed");
	else if (g.has_status)
		code = EXIT_OK;
	else if (g.probe.down || g.late)
		code = g.probe.code;
	else
		code = fail(set, EXIT_ENVIRONMENT, "interrupted");
	if (set->json)
		print_json(&g, code);
	else
		print_plain(&g);
	if (!flush_output(set))
		code = EXIT_ENVIRONMENT;
	else if (code != EXIT_OK && g.probe.code != EXIT_OK)
		fail(set, code, "%s", g.probe.why);
	session_close(&g.probe.session);
	return code;
}
