/* SPDX-License-Identifier: MIT */
/* sim/expect.c - what must hold, now or within a time.
 *
 * A fact is looked at when something was told that may have changed it, and
 * once more at the end of the time.
 */
#include "sim/scenario.h"

#include <math.h>
#include <stdio.h>

/* What a fact says of itself, beside whether it holds. */
struct fact {
	bool (*holds)(struct scenario *s, struct fact *f);
	uint8_t set[SCENARIO_MEMBERS_MAX];
	const char *pattern; /* of messages */
	const char *what;    /* a figure */
	char relation[3];
	double value;
	enum { AT, NOT_AT, ONCE_AT } mode;
	char found[SIM_WHY_MAX / 2]; /* why it does not hold */
};

/* --- relations ------------------------------------------------------------------------ */

static bool compare(double a, const char *relation, double b)
{
	if (strcmp(relation, "=") == 0)
		return !(a < b) && !(a > b);
	if (strcmp(relation, "<") == 0)
		return a < b;
	if (strcmp(relation, "<=") == 0)
		return a <= b;
	if (strcmp(relation, ">") == 0)
		return a > b;
	return a >= b;
}

static bool is_relation(const char *word)
{
	static const char *const all[] = { "=", "<", "<=", ">", ">=" };

	for (size_t i = 0; i < 5; i++)
		if (strcmp(word, all[i]) == 0)
			return true;
	return false;
}

/* RELATION VALUE at words i and i + 1; a time counts in ms. */
static bool read_relation(struct scenario *s, struct fact *f, size_t i)
{
	const char *word = s->line.word[i + 1];
	uint64_t size;
	int64_t ms;

	if (i + 1 >= s->line.count || !is_relation(s->line.word[i]))
		return scenario_complain(s, "expected a relation (= < <= > >=) and a value");
	memcpy(f->relation, s->line.word[i], strlen(s->line.word[i]) + 1);
	if (words_real(&f->value, word))
		return true;
	if (words_size(&size, word))
		f->value = (double)size;
	else if (words_time(&ms, word, false))
		f->value = (double)ms;
	else
		return scenario_complain(s, "\"%s\" is no value", word);
	return true;
}

/* --- links --------------------------------------------------------------------------------- */

/* Whether a host counts a link to another as working. */
static bool sees(const struct scenario *s, uint32_t host, uint32_t other)
{
	const struct node *n = sim_look(s->w, host);
	enum node_step need = s->member[host].family ? NODE_STEP_HELLO : NODE_STEP_READY;
	struct node_link_info info;
	struct enode e;
	uint32_t cursor = 0;

	sim_enode(s->w, other, &e);
	while (n && node_link_next(n, &cursor, &info))
		if (info.identified && info.reached >= need &&
		    memcmp(info.id.b, e.id.b, sizeof(e.id.b)) == 0)
			return true;
	return false;
}

static bool are_linked(struct scenario *s, struct fact *f)
{
	for (size_t i = 0; i < s->ties; i++) {
		uint32_t a = s->tie[i].from, b = s->tie[i].to;

		if (!sim_look(s->w, a) || !sim_look(s->w, b) || sim_shape_of(s->w, a, b).cut)
			continue;
		if (sees(s, a, b) && sees(s, b, a))
			continue;
		snprintf(f->found, sizeof(f->found), "%s and %s are not", s->member[a].name,
			 s->member[b].name);
		return false;
	}
	return true;
}

static bool peers_hold(struct scenario *s, struct fact *f)
{
	for (uint32_t i = 0; i < s->members; i++) {
		unsigned peers = 0;

		if (!f->set[i])
			continue;
		for (uint32_t j = 0; j < s->members; j++)
			peers += j != i && sees(s, i, j);
		if (compare(peers, f->relation, f->value))
			continue;
		snprintf(f->found, sizeof(f->found), "%s has %u", s->member[i].name, peers);
		return false;
	}
	return true;
}

static bool pool_holds(struct scenario *s, struct fact *f)
{
	for (uint32_t i = 0; i < s->members; i++) {
		const struct node *n = sim_look(s->w, i);
		struct shh_stats stats;

		if (!f->set[i] || !n || s->member[i].family)
			continue;
		node_shh_stats(n, &stats);
		if (compare((double)stats.pool_count, f->relation, f->value))
			continue;
		snprintf(f->found, sizeof(f->found), "%s stores %zu", s->member[i].name,
			 stats.pool_count);
		return false;
	}
	return true;
}

/* --- messages --------------------------------------------------------------------------------- */

static bool heard_as_said(const struct fact *f, const struct message *m, uint32_t who)
{
	switch (f->mode) {
	case AT: return m->heard[who] > 0 || m->from == who;
	case NOT_AT: return m->heard[who] == 0;
	case ONCE_AT: return m->heard[who] == 1 || (m->from == who && m->heard[who] == 0);
	}
	return false;
}

static bool messages_hold(struct scenario *s, struct fact *f)
{
	unsigned missing = 0, of = 0;

	for (uint32_t i = 0; i < s->messages; i++) {
		const struct message *m = &s->message[i];

		if (!words_match(f->pattern, m->name))
			continue;
		for (uint32_t who = 0; who < s->members; who++) {
			if (!f->set[who])
				continue;
			of++;
			if (heard_as_said(f, m, who))
				continue;
			if (missing++ == 0)
				snprintf(f->found, sizeof(f->found), "%s heard %s %u times",
					 s->member[who].name, m->name, m->heard[who]);
		}
	}
	if (missing > 1) {
		size_t len = strlen(f->found);

		snprintf(f->found + len, sizeof(f->found) - len, ", and so on: %u of %u", missing,
			 of);
	}
	return missing == 0;
}

static bool forms_hold(struct scenario *s, struct fact *f)
{
	for (uint32_t i = 0; i < s->messages; i++) {
		const struct message *m = &s->message[i];

		if (!words_match(f->pattern, m->name) ||
		    compare((double)m->forms, f->relation, f->value))
			continue;
		snprintf(f->found, sizeof(f->found), "%s was seen in %zu", m->name, m->forms);
		return false;
	}
	return true;
}

/* --- figures ------------------------------------------------------------------------------------ */

static bool figure(struct scenario *s, const char *name, double *out)
{
	struct figures f;

	scenario_figures(s, &f);
	if (strcmp(name, "deliveries") == 0)
		*out = (double)f.deliveries;
	else if (strcmp(name, "duplicates") == 0) /* for each delivery */
		*out = f.deliveries ? (double)f.duplicates / (double)f.deliveries : 0;
	else if (strcmp(name, "copies") == 0)
		*out = (double)f.envelopes_sent;
	else if (strcmp(name, "bytes") == 0) /* sent by a node, on average */
		*out = (double)f.bytes_per_node;
	else if (strcmp(name, "latency") == 0)
		*out = (double)f.latency_max_ms;
	else if (strcmp(name, "median") == 0)
		*out = (double)f.latency_p50_ms;
	else if (strcmp(name, "downs") == 0)
		*out = (double)f.downs;
	else if (strcmp(name, "refused") == 0)
		*out = (double)f.refused;
	else
		return false;
	return true;
}

static bool figure_holds(struct scenario *s, struct fact *f)
{
	double is = 0;

	if (figure(s, f->what, &is) && compare(is, f->relation, f->value))
		return true;
	snprintf(f->found, sizeof(f->found), "it is %g", is);
	return false;
}

/* --- waiting -------------------------------------------------------------------------------------- */

static bool say_failure(struct scenario *s, const char *found)
{
	char text[SIM_WHY_MAX / 4] = "";
	size_t len = 0;

	for (size_t i = 0; i < s->line.count && len < sizeof(text) - 1; i++) {
		int n = snprintf(text + len, sizeof(text) - len, "%s ", s->line.word[i]);

		len += n > 0 ? (size_t)n : 0;
	}
	snprintf(s->failure, SIM_WHY_MAX, "line %u, at %.3f s: %snot so: %s", s->line.number,
		 (double)sim_now_ms(s->w) / 1000, text, found);
	return false;
}

static bool await(struct scenario *s, struct fact *f, uint64_t within_ms)
{
	uint64_t until = sim_now_ms(s->w) + within_ms;

	s->news = true;
	for (;;) {
		if (s->news && f->holds(s, f))
			return true;
		s->news = false;
		if (!sim_step(s->w, until))
			break;
	}
	if (s->failure[0] || sim_fault(s->w))
		return false;
	return f->holds(s, f) || say_failure(s, f->found);
}

static uint64_t copies(struct scenario *s)
{
	struct figures f;

	scenario_figures(s, &f);
	return f.envelopes_sent;
}

/* quiet for T: no envelope goes anywhere for so long. */
static bool await_quiet(struct scenario *s, uint64_t quiet_ms, uint64_t within_ms)
{
	uint64_t until = sim_now_ms(s->w) + u64_max(within_ms, quiet_ms);
	uint64_t since = sim_now_ms(s->w), before = copies(s);

	while (sim_now_ms(s->w) < until && !sim_fault(s->w)) {
		sim_pass(s->w, 100);
		if (copies(s) != before) {
			before = copies(s);
			since = sim_now_ms(s->w);
		}
		if (sim_now_ms(s->w) - since >= quiet_ms)
			return true;
	}
	return say_failure(s, "envelopes still travel");
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* Take "within T" off the end of the line. */
static bool take_within(struct scenario *s, uint64_t *within_ms)
{
	int64_t ms;

	*within_ms = 0;
	if (s->line.count < 3 || strcmp(s->line.word[s->line.count - 2], "within") != 0)
		return true;
	if (!words_time(&ms, s->line.word[s->line.count - 1], false))
		return scenario_complain(s, "\"%s\" is no time", s->line.word[s->line.count - 1]);
	*within_ms = (uint64_t)ms;
	s->line.count -= 2;
	return true;
}

/* MESSAGES [once|not] at GROUP */
static bool read_messages(struct scenario *s, struct fact *f)
{
	size_t at = 2;

	f->pattern = s->line.word[1];
	f->mode = AT;
	if (at < s->line.count && strcmp(s->line.word[at], "once") == 0) {
		f->mode = ONCE_AT;
		at++;
	} else if (at < s->line.count && strcmp(s->line.word[at], "not") == 0) {
		f->mode = NOT_AT;
		at++;
	}
	if (at + 2 != s->line.count || strcmp(s->line.word[at], "at") != 0)
		return scenario_complain(s, "expected: MESSAGES [once|not] at GROUP [within T]");
	f->holds = messages_hold;
	return scenario_group(s, f->set, s->line.word[at + 1]);
}

static bool read_fact(struct scenario *s, struct fact *f)
{
	const char *first = s->line.word[1];
	double unused;

	if (strcmp(first, "linked") == 0 && s->line.count == 2) {
		f->holds = are_linked;
		return true;
	}
	if ((strcmp(first, "peers") == 0 || strcmp(first, "pool") == 0) && s->line.count == 5) {
		f->holds = first[1] == 'e' ? peers_hold : pool_holds;
		return scenario_group(s, f->set, s->line.word[2]) && read_relation(s, f, 3);
	}
	if (strcmp(first, "forms") == 0 && s->line.count == 5) {
		f->holds = forms_hold;
		f->pattern = s->line.word[2];
		return read_relation(s, f, 3);
	}
	if (s->line.count == 4 && is_relation(s->line.word[2])) {
		f->holds = figure_holds;
		f->what = first;
		if (!figure(s, first, &unused))
			return scenario_complain(s, "there is no figure \"%s\"", first);
		return read_relation(s, f, 2);
	}
	return read_messages(s, f);
}

bool scenario_expect(struct scenario *s)
{
	uint64_t within_ms;
	struct fact f;
	int64_t ms;

	memset(&f, 0, sizeof(f));
	if (!take_within(s, &within_ms))
		return false;
	if (s->line.count == 4 && strcmp(s->line.word[1], "quiet") == 0 &&
	    strcmp(s->line.word[2], "for") == 0 && words_time(&ms, s->line.word[3], false))
		return await_quiet(s, (uint64_t)ms, within_ms);
	return read_fact(s, &f) && await(s, &f, within_ms);
}
