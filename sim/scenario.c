/* SPDX-License-Identifier: MIT */
/* sim/scenario.c - members, ties and messages of a scenario; what they tell; and
 * the run from the first line to the last.
 */
#include "sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>

static const struct family_channel the_channel = {
	.key = { "the key that every member knows" },
	.topic = { "talk" },
};

bool scenario_complain(struct scenario *s, const char *format, ...)
{
	va_list args;
	int n = snprintf(s->why, SIM_WHY_MAX, "line %u: ", s->line.number);

	va_start(args, format);
	vsnprintf(s->why + n, SIM_WHY_MAX - (size_t)n, format, args);
	va_end(args);
	return false;
}

/* Room for one more in an array; false if there is no memory. */
static bool more(struct scenario *s, void **at, size_t *room, size_t count, size_t size)
{
	size_t to = *room ? *room * 2 : 64;
	void *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*at, to, size);
	if (!grown) {
		s->no_memory = true;
		return scenario_complain(s, "out of memory");
	}
	*at = grown;
	*room = to;
	return true;
}

/* --- members ---------------------------------------------------------------------------- */

uint32_t scenario_find(const struct scenario *s, const char *name)
{
	for (uint32_t i = 0; i < s->members; i++)
		if (strcmp(s->member[i].name, name) == 0)
			return i;
	return UINT32_MAX;
}

/* "n3..n7": by position, since members were added in order. */
static bool range(struct scenario *s, uint8_t *set, const char *part, const char *dots)
{
	char first[WORD_MAX];
	uint32_t from, to;

	memcpy(first, part, (size_t)(dots - part));
	first[dots - part] = 0;
	from = scenario_find(s, first);
	to = scenario_find(s, dots + 2);
	if (from == UINT32_MAX || to == UINT32_MAX || from > to)
		return scenario_complain(s, "\"%s\" is no range of nodes", part);
	memset(set + from, 1, to - from + 1);
	return true;
}

static bool part_of_group(struct scenario *s, uint8_t *set, const char *part)
{
	const char *dots = strstr(part, "..");
	bool any = false;

	if (dots)
		return range(s, set, part, dots);
	for (uint32_t i = 0; i < s->members; i++) {
		if (strcmp(part, "all") != 0 && !words_match(part, s->member[i].name))
			continue;
		set[i] = 1;
		any = true;
	}
	return any ? true : scenario_complain(s, "there is no node \"%s\"", part);
}

bool scenario_group(struct scenario *s, uint8_t *set, const char *word)
{
	char part[WORD_MAX];

	memset(set, 0, SCENARIO_MEMBERS_MAX);
	while (*word) {
		size_t len = strcspn(word, ",");

		memcpy(part, word, len);
		part[len] = 0;
		if (!part_of_group(s, set, part))
			return false;
		word += len + (word[len] == ',');
	}
	return true;
}

/* --- messages ------------------------------------------------------------------------------ */

/* The payload is the name, a newline, and filling. */
static struct message *message_of(struct scenario *s, struct span payload)
{
	size_t len = 0;

	while (len < payload.len && len < WORD_MAX - 1 && payload.data[len] != '\n')
		len++;
	for (uint32_t i = 0; i < s->messages; i++)
		if (strlen(s->message[i].name) == len &&
		    memcmp(s->message[i].name, payload.data, len) == 0)
			return &s->message[i];
	return NULL;
}

static void note_form(struct message *m, const uint8_t hash[static 32])
{
	for (size_t i = 0; i < m->forms; i++)
		if (memcmp(m->form[i], hash, 32) == 0)
			return;
	if (m->forms < SCENARIO_FORMS_MAX)
		memcpy(m->form[m->forms++], hash, 32);
}

static void heard(void *ctx, uint32_t host, struct span payload, const uint8_t hash[static 32])
{
	struct scenario *s = ctx;
	struct message *m = message_of(s, payload);
	uint64_t after;

	if (!m)
		return;
	s->news = true;
	note_form(m, hash);
	if (m->heard[host] < UINT8_MAX)
		m->heard[host]++;
	if (host == m->from || m->heard[host] > 1)
		return;
	after = sim_now_ms(s->w) - m->posted_ms;
	if (more(s, (void **)&s->latency_ms, &s->latency_room, s->latencies, sizeof(uint32_t)))
		s->latency_ms[s->latencies++] = (uint32_t)u64_min(after, UINT32_MAX);
}

bool scenario_message(struct scenario *s, uint32_t *message, const char *name, uint32_t from,
		      const struct posting *how)
{
	struct message *m = &s->message[s->messages];

	if (s->messages == SCENARIO_MESSAGES_MAX)
		return scenario_complain(s, "more than %d messages", SCENARIO_MESSAGES_MAX);
	for (uint32_t i = 0; i < s->messages; i++)
		if (strcmp(s->message[i].name, name) == 0)
			return scenario_complain(s, "there is a message \"%s\" already", name);
	memset(m, 0, sizeof(*m));
	m->heard = calloc(SCENARIO_MEMBERS_MAX, 1);
	if (!m->heard)
		return scenario_complain(s, "out of memory");
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->from = from;
	s->posting[s->messages] = *how;
	*message = s->messages++;
	return true;
}

static enum err post_ours(struct scenario *s, const struct message *m, struct span payload,
			  const struct posting *how)
{
	struct shh_post post = {
		.sym = &s->channel.key,
		.topic = s->channel.topic,
		.payload = payload,
		.ttl_s = how->ttl_s,
		.pow = how->pow,
		.form = how->form,
		.direct = -1,
	};
	uint32_t id;

	return shh_post(node_shh(sim_node(s->w, m->from)), &id, &post, sim_now_ms(s->w));
}

/* Calls for a family stand in the world's time; see that there is one in time. */
static void call_family(struct scenario *s, uint32_t member)
{
	struct member *who = &s->member[member];
	uint64_t due = family_due_ms(who->family);

	if (due >= who->family_call_ms)
		return;
	who->family_call_ms = due;
	scenario_errand(s, due, (struct errand){ .kind = ERRAND_FAMILY, .member = member });
}

bool scenario_post(struct scenario *s, uint32_t message)
{
	struct message *m = &s->message[message];
	const struct posting *how = &s->posting[message];
	struct family *f = s->member[m->from].family;
	size_t len = strlen(m->name) + 1, size = len > how->size ? len : (size_t)how->size;
	uint8_t *payload = malloc(size);
	enum err err = ERR_STATE;

	if (!payload)
		return scenario_complain(s, "out of memory");
	memset(payload, 'x', size);
	memcpy(payload, m->name, len - 1);
	payload[len - 1] = '\n';
	m->posted_ms = sim_now_ms(s->w);
	if (sim_look(s->w, m->from))
		err = f ? family_post(f, span_of(payload, size), how->ttl_s, how->pow)
			: post_ours(s, m, span_of(payload, size), how);
	free(payload);
	if (f)
		call_family(s, m->from);
	if (err && !s->failure[0])
		snprintf(s->failure, SIM_WHY_MAX, "line %u: %s could not be posted: %s",
			 s->line.number, m->name, err_text(err));
	return !err;
}

/* --- lives ------------------------------------------------------------------------------------- */

/* What an operator would have in the configuration: whom to dial, what to hear. */
static bool equip(struct scenario *s, uint32_t member)
{
	struct shh_filter filter = {
		.sym = &s->channel.key,
		.topics = &s->channel.topic,
		.topic_count = 1,
	};
	uint64_t now = sim_now_ms(s->w);
	uint32_t id;

	if (s->member[member].family)
		family_restart(s->member[member].family);
	else if (shh_filter_add(node_shh(sim_node(s->w, member)), &id, &filter, now) != OK)
		return false;
	s->member[member].family_call_ms = UINT64_MAX;
	for (size_t i = 0; i < s->ties; i++) {
		struct enode to;

		if (s->tie[i].from != member)
			continue;
		sim_enode(s->w, s->tie[i].to, &to);
		if (node_peer_add(sim_node(s->w, member), &to, NODE_STATIC, now) != OK)
			return false;
	}
	return true;
}

bool scenario_start(struct scenario *s, uint32_t member)
{
	s->news = true;
	if (sim_look(s->w, member))
		return true;
	if (sim_start(s->w, member) != OK || !equip(s, member))
		return scenario_complain(s, "%s does not start", s->member[member].name);
	return true;
}

bool scenario_add(struct scenario *s, const char *name, const struct node_config *cfg,
		  const struct ip *ip, int64_t clock_ms, const enum family_kind *family,
		  double min_pow)
{
	struct member *m = &s->member[s->members];
	struct node_config c = *cfg;
	uint32_t host;

	if (s->members == SCENARIO_MEMBERS_MAX)
		return scenario_complain(s, "more than %d nodes", SCENARIO_MEMBERS_MAX);
	if (scenario_find(s, name) != UINT32_MAX)
		return scenario_complain(s, "there is a node \"%s\" already", name);
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->client, sizeof(m->client), "%s", cfg->client);
	c.client = m->client; /* must outlive the host */
	if (sim_host_add(s->w, &host, &c, ip, clock_ms) != OK)
		return scenario_complain(s, "no room for \"%s\"", name);
	s->members++;
	if (family && family_new(&m->family, s->w, host, *family, min_pow, &s->channel, heard, s))
		return scenario_complain(s, "out of memory");
	return scenario_start(s, host);
}

bool scenario_tie(struct scenario *s, uint32_t from, uint32_t to)
{
	struct enode e;

	if (!more(s, (void **)&s->tie, &s->tie_room, s->ties, sizeof(*s->tie)))
		return false;
	s->tie[s->ties++] = (struct tie){ from, to };
	if (!sim_look(s->w, from))
		return true;
	sim_enode(s->w, to, &e);
	if (node_peer_add(sim_node(s->w, from), &e, NODE_STATIC, sim_now_ms(s->w)) != OK)
		return scenario_complain(s, "%s cannot dial %s", s->member[from].name,
					 s->member[to].name);
	return true;
}

/* --- what is told -------------------------------------------------------------------------------- */

static void on_event(void *ctx, uint32_t host, const struct node_event *ev)
{
	struct scenario *s = ctx;
	struct family *f = s->member[host].family;

	s->news = true;
	if (ev->type == NODE_EV_DOWN && ev->u.down.reached >= NODE_STEP_HELLO)
		s->downs++;
	if (f) {
		family_event(f, ev);
		call_family(s, host);
		return;
	}
	if (ev->type == NODE_EV_SHH && ev->u.shh->type == SHH_EV_MESSAGE)
		heard(s, host, ev->u.shh->u.message.plain->payload, ev->u.shh->u.message.hash);
}

static void add_stats(struct shh_stats *to, const struct node *n)
{
	struct shh_stats one;

	node_shh_stats(n, &one);
	to->duplicates += one.duplicates;
	to->delivered += one.delivered;
}

static void on_closing(void *ctx, uint32_t host, const struct node *n)
{
	struct scenario *s = ctx;

	(void)host;
	add_stats(&s->past, n);
}

bool scenario_errand(struct scenario *s, uint64_t at_ms, struct errand e)
{
	if (!more(s, (void **)&s->errand, &s->errand_room, s->errands, sizeof(e)))
		return false;
	s->errand[s->errands] = e;
	sim_call_at(s->w, at_ms, (uint32_t)s->errands++);
	return true;
}

static void on_call(void *ctx, uint32_t what)
{
	struct scenario *s = ctx;
	struct errand e = s->errand[what];
	struct member *m = &s->member[e.member];

	switch (e.kind) {
	case ERRAND_FAMILY:
		if (m->family_call_ms > sim_now_ms(s->w))
			break; /* an earlier one was called for since */
		m->family_call_ms = UINT64_MAX;
		if (sim_look(s->w, e.member) && family_due_ms(m->family) <= sim_now_ms(s->w))
			family_broadcast(m->family);
		call_family(s, e.member);
		break;
	case ERRAND_POST: scenario_post(s, e.message); break;
	case ERRAND_KILL:
		if (!sim_look(s->w, e.member))
			break;
		sim_kill(s->w, e.member);
		scenario_errand(s, sim_now_ms(s->w) + e.message,
				(struct errand){ .kind = ERRAND_START, .member = e.member });
		break;
	case ERRAND_START: scenario_start(s, e.member); break;
	}
}

/* --- figures --------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The least of the values that q of all do not exceed; 0 if there is none. */
static uint64_t quantile(const uint32_t *sorted, size_t count, double q)
{
	size_t at = (size_t)(q * (double)count);

	return count ? sorted[at < count ? at : count - 1] : 0;
}

void scenario_figures(struct scenario *s, struct figures *out)
{
	struct shh_stats sum = s->past;
	struct sim_totals totals;

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < s->members; i++) {
		const struct node *n = sim_look(s->w, i);
		struct family_figures f = { 0 };

		if (n)
			add_stats(&sum, n);
		if (s->member[i].family)
			family_figures(s->member[i].family, &f);
		sum.delivered += f.sent;
		sum.duplicates += f.duplicates;
		out->refused += f.refused;
	}
	sim_totals(s->w, &totals);
	if (s->latencies > 0)
		qsort(s->latency_ms, s->latencies, sizeof(uint32_t), by_size);
	out->deliveries = s->latencies;
	out->envelopes_sent = sum.delivered;
	out->duplicates = sum.duplicates;
	out->downs = s->downs;
	out->bytes_per_node = s->members ? totals.bytes / s->members : 0;
	out->latency_p50_ms = quantile(s->latency_ms, s->latencies, 0.5);
	out->latency_p95_ms = quantile(s->latency_ms, s->latencies, 0.95);
	out->latency_max_ms = quantile(s->latency_ms, s->latencies, 1);
}

/* --- the run ------------------------------------------------------------------------------------------ */

static enum err scenario_open(struct scenario *s, uint64_t seed, const struct log *log, char *why,
			      char *failure)
{
	struct sim_config cfg = {
		.seed = seed,
		.shape = { .delay_ms = 10 },
		.event = on_event,
		.closing = on_closing,
		.call = on_call,
		.ctx = s,
	};

	memset(s, 0, sizeof(*s));
	if (log)
		cfg.log = *log;
	s->channel = the_channel;
	s->why = why;
	s->failure = failure;
	s->member = calloc(SCENARIO_MEMBERS_MAX, sizeof(*s->member));
	s->message = calloc(SCENARIO_MESSAGES_MAX, sizeof(*s->message));
	s->posting = calloc(SCENARIO_MESSAGES_MAX, sizeof(*s->posting));
	if (!s->member || !s->message || !s->posting)
		return ERR_MEM;
	return sim_new(&s->w, &cfg);
}

static void scenario_close(struct scenario *s)
{
	sim_free(s->w);
	for (uint32_t i = 0; i < s->members; i++)
		family_free(s->member[i].family);
	for (uint32_t i = 0; i < s->messages; i++)
		free(s->message[i].heard);
	free(s->member);
	free(s->message);
	free(s->posting);
	free(s->tie);
	free(s->errand);
	free(s->latency_ms);
}

static void report(struct scenario *s, struct sim_result *out)
{
	struct figures f;

	scenario_figures(s, &f);
	out->deliveries = f.deliveries;
	out->envelopes_sent = f.envelopes_sent;
	out->duplicates = f.deliveries ? (double)f.duplicates / (double)f.deliveries : 0;
	out->bytes_per_node = f.bytes_per_node;
	out->latency_p50_ms = f.latency_p50_ms;
	out->latency_p95_ms = f.latency_p95_ms;
	out->latency_max_ms = f.latency_max_ms;
	out->virtual_ms = sim_now_ms(s->w);
	sim_digest(s->w, out->digest);
}

enum err sim_run(struct sim_result *out, const char *name, const char *text, size_t len,
		 uint64_t seed, const struct log *log, char why[static SIM_WHY_MAX])
{
	struct span rest = span_of(text, len);
	const char *fault = NULL;
	struct scenario s;
	unsigned number = 0;
	enum err err;

	(void)name;
	memset(out, 0, sizeof(*out));
	why[0] = 0;
	err = scenario_open(&s, seed, log, why, out->failure);
	while (!err && words_next(&s.line, &rest, &number, &fault)) {
		if (fault)
			scenario_complain(&s, "%s", fault);
		else if (scenario_step(&s))
			continue;
		if (out->failure[0] == 0 && why[0] == 0)
			snprintf(out->failure, SIM_WHY_MAX, "line %u: %s", s.line.number,
				 s.w && sim_fault(s.w) ? sim_fault(s.w) : "the world ended");
		if (why[0])
			err = ERR_ARG;
		break;
	}
	if (s.w)
		report(&s, out);
	scenario_close(&s);
	return err;
}
