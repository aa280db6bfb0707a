/* SPDX-License-Identifier: MIT */
/* sim/steps.c - the statements of a scenario, docs/SIM.md. */
#include "sim/scenario.h"

#include <stdio.h>

/* --- options ------------------------------------------------------------------------- */

static bool complain_option(struct scenario *s, const char *key, const char *value)
{
	return scenario_complain(s, "%s=%s is not understood", key, value);
}

/* Each reads key=value if it is given. */
static bool option_ms(struct scenario *s, const char *key, uint64_t *ms)
{
	const char *value = words_option(&s->line, 1, key);
	int64_t n;

	if (!value)
		return true;
	if (!words_time(&n, value, false))
		return complain_option(s, key, value);
	*ms = (uint64_t)n;
	return true;
}

static bool option_size(struct scenario *s, const char *key, uint64_t max, uint64_t *size)
{
	const char *value = words_option(&s->line, 1, key);

	if (!value)
		return true;
	if (!words_size(size, value) || *size > max)
		return complain_option(s, key, value);
	return true;
}

static bool option_real(struct scenario *s, const char *key, double *x)
{
	const char *value = words_option(&s->line, 1, key);

	return !value || words_real(x, value) || complain_option(s, key, value);
}

static bool option_flag(struct scenario *s, const char *key, bool *flag)
{
	const char *value = words_option(&s->line, 1, key);

	if (!value)
		return true;
	*flag = strcmp(value, "on") == 0;
	return *flag || strcmp(value, "off") == 0 || complain_option(s, key, value);
}

/* Every word from `from` on must be key=value with a key of the list. */
static bool only_options(struct scenario *s, size_t from, const char *keys)
{
	for (size_t i = from; i < s->line.count; i++) {
		const char *eq = strchr(s->line.word[i], '=');
		char key[WORD_MAX + 2];

		if (!eq)
			return scenario_complain(s, "\"%s\" is too much here", s->line.word[i]);
		snprintf(key, sizeof(key), " %.*s ", (int)(eq - s->line.word[i]), s->line.word[i]);
		if (!strstr(keys, key))
			return scenario_complain(s, "no option%shere", key);
	}
	return true;
}

/* --- nodes ------------------------------------------------------------------------------ */

#define NODE_OPTIONS                                                                     \
	" family pow clock maxpeers pool poolbytes message light bridge delay pace lan " \
	"public plain version client "

struct plan {
	struct node_config cfg;
	enum family_kind family;
	bool is_family, is_public;
	int64_t clock_ms;
	double pow;
};

static bool plan_family(struct scenario *s, struct plan *p)
{
	const char *value = words_option(&s->line, 1, "family");

	node_config_init(&p->cfg);
	p->pow = 0.2;
	if (!value || strcmp(value, "sotto") == 0)
		return true;
	for (enum family_kind k = 0; k < FAMILIES; k++) {
		if (strcmp(value, family_name(k)) != 0)
			continue;
		p->family = k;
		p->is_family = true;
		family_node_config(&p->cfg, k);
		return true;
	}
	return complain_option(s, "family", value);
}

static bool plan_clock(struct scenario *s, struct plan *p)
{
	const char *value = words_option(&s->line, 1, "clock");

	return !value || words_time(&p->clock_ms, value, true) ||
	       complain_option(s, "clock", value);
}

static bool plan_node(struct scenario *s, struct plan *p)
{
	uint64_t maxpeers = 50, pool = SHH_POOL_COUNT, bytes = SHH_POOL_BYTES, delay = 0,
		 message = SHH_MESSAGE_MAX, pace, version = 5;

	memset(p, 0, sizeof(*p));
	if (!plan_family(s, p) || !plan_clock(s, p))
		return false;
	pace = p->cfg.shh.pace;
	if (words_option(&s->line, 1, "client"))
		p->cfg.client = words_option(&s->line, 1, "client");
	if (!option_real(s, "pow", &p->pow) || !option_size(s, "maxpeers", 1024, &maxpeers) ||
	    !option_size(s, "pool", UINT32_MAX, &pool) ||
	    !option_size(s, "poolbytes", SIZE_MAX, &bytes) ||
	    !option_size(s, "message", SHH_MESSAGE_LIMIT, &message) ||
	    !option_size(s, "pace", UINT32_MAX, &pace) || !option_size(s, "version", 5, &version) ||
	    !option_ms(s, "delay", &delay) || !option_flag(s, "light", &p->cfg.shh.light) ||
	    !option_flag(s, "bridge", &p->cfg.shh.bridge) ||
	    !option_flag(s, "lan", &p->cfg.lan_exempt) ||
	    !option_flag(s, "plain", &p->cfg.accept_plain) ||
	    !option_flag(s, "public", &p->is_public))
		return false;
	p->cfg.max_peers = (uint32_t)maxpeers;
	p->cfg.p2p_version = (uint8_t)version;
	p->cfg.shh.min_pow = p->pow;
	p->cfg.shh.pool_count = (uint32_t)pool;
	p->cfg.shh.pool_bytes = (size_t)bytes;
	p->cfg.shh.message_max = (uint32_t)message;
	p->cfg.shh.pace = (uint32_t)pace;
	p->cfg.shh.delay_ms = (uint32_t)u64_min(delay, UINT32_MAX);
	return true;
}

/* A subnet of its own for each, outside the LAN. */
static struct ip public_ip(uint32_t number)
{
	uint8_t b[4] = { 60, (uint8_t)(number >> 8), (uint8_t)number, 7 };

	return ip_from4(b);
}

static bool add(struct scenario *s, const struct plan *p, const char *name)
{
	struct ip ip = public_ip(s->members);

	return scenario_add(s, name, &p->cfg, p->is_public ? &ip : NULL, p->clock_ms,
			    p->is_family ? &p->family : NULL, p->pow);
}

static bool do_node(struct scenario *s)
{
	size_t names = 1;
	struct plan p;

	while (names < s->line.count && !strchr(s->line.word[names], '='))
		names++;
	if (!only_options(s, names, NODE_OPTIONS) || !plan_node(s, &p))
		return false;
	for (size_t i = 1; i < names; i++)
		if (!add(s, &p, s->line.word[i]))
			return false;
	return true;
}

static bool do_nodes(struct scenario *s)
{
	uint64_t count;
	struct plan p;

	if (!words_count(&count, s->line.word[2]) || count < 1 || count > SCENARIO_MEMBERS_MAX)
		return scenario_complain(s, "\"%s\" is no number of nodes", s->line.word[2]);
	if (!only_options(s, 3, NODE_OPTIONS) || !plan_node(s, &p))
		return false;
	for (uint64_t i = 1; i <= count; i++) {
		char name[WORD_MAX + 24];

		snprintf(name, sizeof(name), "%s%llu", s->line.word[1], (unsigned long long)i);
		if (strlen(name) >= WORD_MAX)
			return scenario_complain(s, "\"%s\" is too long a name", name);
		if (!add(s, &p, name))
			return false;
	}
	return true;
}

/* --- lives ---------------------------------------------------------------------------------- */

static bool each(struct scenario *s, bool (*fn)(struct scenario *s, uint32_t member))
{
	uint8_t set[SCENARIO_MEMBERS_MAX];

	if (!scenario_group(s, set, s->line.word[1]))
		return false;
	for (uint32_t i = 0; i < s->members; i++)
		if (set[i] && !fn(s, i))
			return false;
	return true;
}

static bool kill_one(struct scenario *s, uint32_t member)
{
	sim_kill(s->w, member);
	return true;
}

static bool stop_one(struct scenario *s, uint32_t member)
{
	sim_stop(s->w, member);
	return true;
}

static bool restart_one(struct scenario *s, uint32_t member)
{
	sim_kill(s->w, member);
	return scenario_start(s, member);
}

static bool clock_one(struct scenario *s, uint32_t member)
{
	int64_t offset;

	if (!words_time(&offset, s->line.word[2], true))
		return scenario_complain(s, "\"%s\" is no offset", s->line.word[2]);
	sim_clock(s->w, member, offset);
	return true;
}

static bool do_kill(struct scenario *s)
{
	return each(s, kill_one);
}

static bool do_stop(struct scenario *s)
{
	return each(s, stop_one);
}

static bool do_start(struct scenario *s)
{
	return each(s, scenario_start);
}

static bool do_restart(struct scenario *s)
{
	return each(s, restart_one);
}

static bool do_clock(struct scenario *s)
{
	return each(s, clock_one);
}

/* Every so often one of a group dies, and comes back a while later. */
static bool do_churn(struct scenario *s)
{
	uint8_t set[SCENARIO_MEMBERS_MAX];
	uint32_t who[SCENARIO_MEMBERS_MAX], count = 0;
	uint64_t every = 1000, length = 60000, down = 1000, now = sim_now_ms(s->w);
	struct rng rng = sim_rng(s->w);

	if (!scenario_group(s, set, s->line.word[1]) || !only_options(s, 2, " every for down ") ||
	    !option_ms(s, "every", &every) || !option_ms(s, "for", &length) ||
	    !option_ms(s, "down", &down))
		return false;
	if (every == 0 || length / every > 100000 || down > UINT32_MAX)
		return scenario_complain(s, "that is too much churn");
	for (uint32_t i = 0; i < s->members; i++)
		if (set[i])
			who[count++] = i;
	for (uint64_t at = every; at <= length; at += every) {
		struct errand e = { .kind = ERRAND_KILL, .message = (uint32_t)down };
		uint64_t n;

		if (rng_below(&rng, &n, count) != OK)
			return false;
		e.member = who[n];
		if (!scenario_errand(s, now + at, e))
			return false;
	}
	return true;
}

/* --- wires ------------------------------------------------------------------------------------ */

/* Do something to each pair of two groups, each pair once. */
static bool each_pair(struct scenario *s, const char *from, const char *to,
		      bool (*fn)(struct scenario *s, uint32_t a, uint32_t b))
{
	uint8_t a[SCENARIO_MEMBERS_MAX], b[SCENARIO_MEMBERS_MAX];

	if (!scenario_group(s, a, from) || !scenario_group(s, b, to))
		return false;
	for (uint32_t i = 0; i < s->members; i++)
		for (uint32_t j = 0; j < s->members; j++)
			if (a[i] && b[j] && i != j && !(a[j] && b[i] && j < i) && !fn(s, i, j))
				return false;
	return true;
}

static bool read_shape(struct scenario *s, struct sim_shape *shape)
{
	uint64_t chunk = shape->chunk_max;

	if (!option_ms(s, "delay", &shape->delay_ms) ||
	    !option_size(s, "rate", UINT32_MAX, &shape->rate) ||
	    !option_size(s, "chunk", SIM_WINDOW, &chunk))
		return false;
	shape->chunk_max = (size_t)chunk;
	return true;
}

static bool reshape(struct scenario *s, uint32_t a, uint32_t b, const struct sim_shape *shape)
{
	return sim_shape(s->w, a, b, shape) == OK || scenario_complain(s, "out of memory");
}

static bool shape_pair(struct scenario *s, uint32_t a, uint32_t b)
{
	struct sim_shape shape = sim_shape_of(s->w, a, b);

	return read_shape(s, &shape) && reshape(s, a, b, &shape);
}

static bool cut_pair(struct scenario *s, uint32_t a, uint32_t b)
{
	struct sim_shape shape = sim_shape_of(s->w, a, b);

	shape.cut = true;
	return reshape(s, a, b, &shape);
}

static bool freeze_pair(struct scenario *s, uint32_t a, uint32_t b)
{
	struct sim_shape shape = sim_shape_of(s->w, a, b);

	shape.frozen = true;
	return reshape(s, a, b, &shape);
}

static bool heal_pair(struct scenario *s, uint32_t a, uint32_t b)
{
	struct sim_shape shape = sim_shape_of(s->w, a, b);

	if (!shape.cut && !shape.frozen)
		return true;
	shape.cut = shape.frozen = false;
	return reshape(s, a, b, &shape);
}

static bool do_wires(struct scenario *s)
{
	struct sim_shape shape = sim_default_shape(s->w);

	if (!only_options(s, 1, " delay rate chunk ") || !read_shape(s, &shape))
		return false;
	sim_set_default_shape(s->w, &shape);
	return true;
}

static bool do_shape(struct scenario *s)
{
	return only_options(s, 3, " delay rate chunk ") &&
	       each_pair(s, s->line.word[1], s->line.word[2], shape_pair);
}

static bool do_cut(struct scenario *s)
{
	return each_pair(s, s->line.word[1], s->line.word[2], cut_pair);
}

static bool do_freeze(struct scenario *s)
{
	return each_pair(s, s->line.word[1], s->line.word[2], freeze_pair);
}

static bool do_heal(struct scenario *s)
{
	return each_pair(s, s->line.word[1], s->line.word[2], heal_pair);
}

/* --- who dials whom ------------------------------------------------------------------------------ */

static bool do_join(struct scenario *s)
{
	return each_pair(s, s->line.word[1], s->line.word[2], scenario_tie);
}

static bool do_clique(struct scenario *s)
{
	return each_pair(s, s->line.word[1], s->line.word[1], scenario_tie);
}

static bool chain(struct scenario *s, bool closed)
{
	uint8_t set[SCENARIO_MEMBERS_MAX];
	uint32_t first = UINT32_MAX, last = UINT32_MAX;

	if (!scenario_group(s, set, s->line.word[1]))
		return false;
	for (uint32_t i = 0; i < s->members; i++) {
		if (!set[i])
			continue;
		if (first == UINT32_MAX)
			first = i;
		else if (!scenario_tie(s, last, i))
			return false;
		last = i;
	}
	return !closed || first == last || scenario_tie(s, last, first);
}

static bool do_line(struct scenario *s)
{
	return chain(s, false);
}

static bool do_ring(struct scenario *s)
{
	return chain(s, true);
}

/* --- messages --------------------------------------------------------------------------------------- */

#define POST_OPTIONS " ttl size pow form every "

static bool read_posting(struct scenario *s, struct posting *how)
{
	const char *form = words_option(&s->line, 1, "form");
	uint64_t ttl_ms = 50000;

	*how = (struct posting){ .size = 64, .pow = 0.2 };
	if (!option_ms(s, "ttl", &ttl_ms) || !option_size(s, "size", SHH_MESSAGE_MAX, &how->size) ||
	    !option_real(s, "pow", &how->pow))
		return false;
	how->ttl_s = (uint32_t)u64_min(ttl_ms / 1000, SHH_TTL_MAX);
	how->form = form && strcmp(form, "parity") == 0 ? SHH_FORM_PARITY : SHH_FORM_GETH;
	if (form && how->form == SHH_FORM_GETH && strcmp(form, "geth") != 0)
		return complain_option(s, "form", form);
	return true;
}

/* post NAME from NODE [OPTION]… */
static bool do_post(struct scenario *s)
{
	uint32_t from = scenario_find(s, s->line.word[3]), message;
	struct posting how;

	if (strcmp(s->line.word[2], "from") != 0 || from == UINT32_MAX)
		return scenario_complain(s, "expected: post NAME from NODE");
	return only_options(s, 4, POST_OPTIONS) && read_posting(s, &how) &&
	       scenario_message(s, &message, s->line.word[1], from, &how) &&
	       scenario_post(s, message);
}

/* posts PREFIX COUNT from GROUP [every=T] [OPTION]… */
static bool do_posts(struct scenario *s)
{
	uint8_t set[SCENARIO_MEMBERS_MAX];
	uint64_t count, every = 100;
	struct posting how;
	uint32_t who = 0;

	if (strcmp(s->line.word[3], "from") != 0 || !words_count(&count, s->line.word[2]))
		return scenario_complain(s, "expected: posts PREFIX COUNT from GROUP");
	if (!scenario_group(s, set, s->line.word[4]) || !only_options(s, 5, POST_OPTIONS) ||
	    !read_posting(s, &how) || !option_ms(s, "every", &every))
		return false;
	for (uint64_t i = 1; i <= count; i++, who = (who + 1) % s->members) {
		struct errand e = { .kind = ERRAND_POST };
		char name[WORD_MAX + 24];

		while (!set[who])
			who = (who + 1) % s->members;
		snprintf(name, sizeof(name), "%s%llu", s->line.word[1], (unsigned long long)i);
		name[WORD_MAX - 1] = 0;
		e.member = who;
		if (!scenario_message(s, &e.message, name, who, &how) ||
		    !scenario_errand(s, sim_now_ms(s->w) + (i - 1) * every, e))
			return false;
	}
	return true;
}

/* --- time --------------------------------------------------------------------------------------------- */

static bool do_wait(struct scenario *s)
{
	int64_t ms;

	if (!words_time(&ms, s->line.word[1], false))
		return scenario_complain(s, "\"%s\" is no time", s->line.word[1]);
	sim_pass(s->w, (uint64_t)ms);
	return true;
}

static bool do_mark(struct scenario *s)
{
	s->downs = 0;
	return true;
}

static const struct {
	const char *name;
	size_t min, max; /* words, its name included */
	bool (*fn)(struct scenario *s);
	const char *usage;
} steps[] = {
	{ "node", 2, WORDS_MAX, do_node, "NAME... [OPTION=VALUE]..." },
	{ "nodes", 3, WORDS_MAX, do_nodes, "PREFIX COUNT [OPTION=VALUE]..." },
	{ "join", 3, 3, do_join, "GROUP GROUP" },
	{ "line", 2, 2, do_line, "GROUP" },
	{ "ring", 2, 2, do_ring, "GROUP" },
	{ "clique", 2, 2, do_clique, "GROUP" },
	{ "wires", 2, 4, do_wires, "[delay=T] [rate=N] [chunk=N]" },
	{ "shape", 4, 6, do_shape, "GROUP GROUP [delay=T] [rate=N] [chunk=N]" },
	{ "cut", 3, 3, do_cut, "GROUP GROUP" },
	{ "freeze", 3, 3, do_freeze, "GROUP GROUP" },
	{ "heal", 3, 3, do_heal, "GROUP GROUP" },
	{ "kill", 2, 2, do_kill, "GROUP" },
	{ "stop", 2, 2, do_stop, "GROUP" },
	{ "start", 2, 2, do_start, "GROUP" },
	{ "restart", 2, 2, do_restart, "GROUP" },
	{ "clock", 3, 3, do_clock, "GROUP OFFSET" },
	{ "churn", 2, 5, do_churn, "GROUP [every=T] [for=T] [down=T]" },
	{ "post", 4, WORDS_MAX, do_post, "NAME from NODE [OPTION=VALUE]..." },
	{ "posts", 5, WORDS_MAX, do_posts, "PREFIX COUNT from GROUP [every=T] [OPTION=VALUE]..." },
	{ "wait", 2, 2, do_wait, "T" },
	{ "mark", 1, 1, do_mark, "" },
	{ "expect", 2, WORDS_MAX, scenario_expect, "FACT [within T]" },
};

bool scenario_step(struct scenario *s)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(s->line.word[0], steps[i].name) != 0)
			continue;
		if (s->line.count < steps[i].min || s->line.count > steps[i].max)
			return scenario_complain(s, "expected: %s %s", steps[i].name,
						 steps[i].usage);
		return steps[i].fn(s) && s->failure[0] == 0 && s->why[0] == 0 && !sim_fault(s->w);
	}
	return scenario_complain(s, "there is no statement \"%s\"", s->line.word[0]);
}
