/* SPDX-License-Identifier: MIT */
/* cmd/options.c - reading the command line by the table. */
#include "cmd/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define REAL_MAX 1e9

/* --- complaints -------------------------------------------------------------- */

/* "--port 70000: expected a number": secrets are not repeated, the rest escaped. */
static enum parsed complain(char why[static OPTIONS_WHY_MAX], const struct option *o,
			    const char *value, const char *expected)
{
	char shown[TEXT_ESCAPED_MAX];

	if (o->kind == OPT_SECRET) {
		snprintf(why, OPTIONS_WHY_MAX, "--%s: expected %s", o->name, expected);
		return PARSED_BAD;
	}
	text_escape(shown, (const uint8_t *)value, strlen(value));
	snprintf(why, OPTIONS_WHY_MAX, "--%s \"%s\": expected %s", o->name, shown, expected);
	return PARSED_BAD;
}

/* --- one value of each kind ----------------------------------------------------- */

static bool parse_flag(bool *out, const char *text)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return false;
	*out = text[0] == 't';
	return true;
}

static bool parse_uint(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

/* Decimal digits, a point, an exponent: not what strtod() knows besides. */
static bool parse_real(double *out, const char *text)
{
	char *end;
	double x;

	if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
		return false;
	if (*text == '-' || *text == '+')
		return false;
	x = strtod(text, &end);
	if (*end != '\0' || end == text || !isfinite(x) || x > REAL_MAX)
		return false;
	*out = x;
	return true;
}

static bool parse_choice(unsigned *out, const char *text, const char *const *choices)
{
	for (unsigned i = 0; choices[i] != NULL; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* "0x" and 8 digits, 8 bare digits, or a name whose hash it is.  "0x" and
 * anything else is a slip, not a name. */
static bool parse_topic(struct shh_topic *out, const char *text)
{
	if (hex_decode(out->b, sizeof(out->b), text) == OK)
		return true;
	if (*text == '\0' || strncmp(text, "0x", 2) == 0)
		return false;
	shh_topic_of_name(out, span_of(text, strlen(text)));
	return true;
}

static enum parsed take_topic(struct topic_list *list, const struct option *o, const char *text,
			      char why[static OPTIONS_WHY_MAX])
{
	char expected[64];

	if (list->count >= o->max) {
		snprintf(expected, sizeof(expected), "at most %u of them", (unsigned)o->max);
		return complain(why, o, text, expected);
	}
	if (!parse_topic(&list->t[list->count], text))
		return complain(why, o, text, "8 hex digits, or a name");
	list->count++;
	return PARSED;
}

static enum parsed take_addr(const char **out, const struct option *o, const char *text,
			     char why[static OPTIONS_WHY_MAX])
{
	struct endpoint e;
	const char *expected;

	memset(&e, 0, sizeof(e));
	if (endpoint_parse(&e, text, &expected) != OK)
		return complain(why, o, text, expected);
	*out = text;
	return PARSED;
}

static enum parsed take_uint(uint64_t *out, const struct option *o, const char *text,
			     char why[static OPTIONS_WHY_MAX])
{
	char expected[96];

	if (parse_uint(out, text, o->min, o->max))
		return PARSED;
	snprintf(expected, sizeof(expected), "a whole number from %llu to %llu",
		 (unsigned long long)o->min, (unsigned long long)o->max);
	return complain(why, o, text, expected);
}

static enum parsed take_secret(char **out, const struct option *o, const char *text,
			       char why[static OPTIONS_WHY_MAX])
{
	if (*text == '\0')
		return complain(why, o, text, "a value that is not empty");
	*out = strdup(text);
	return *out != NULL ? PARSED : complain(why, o, text, "memory for it");
}

static enum parsed take_value(struct settings *s, const struct option *o, const char *text,
			      char why[static OPTIONS_WHY_MAX])
{
	void *at = (char *)s + o->at;
	const char *expected;

	switch (o->kind) {
	case OPT_FLAG:
		return parse_flag(at, text) ? PARSED : complain(why, o, text, "true or false");
	case OPT_UINT: return take_uint(at, o, text, why);
	case OPT_REAL:
		return parse_real(at, text) ? PARSED
					    : complain(why, o, text, "a number from 0 to 1e9");
	case OPT_TEXT:
		if (*text == '\0')
			return complain(why, o, text, "a value that is not empty");
		*(const char **)at = text;
		return PARSED;
	case OPT_SECRET: return take_secret(at, o, text, why);
	case OPT_CHOICE:
		return parse_choice(at, text, o->choices) ? PARSED
							  : complain(why, o, text, o->value);
	case OPT_ADDR: return take_addr(at, o, text, why);
	case OPT_CIDRS:
		return cidr_list_parse(at, text, &expected) == OK
			       ? PARSED
			       : complain(why, o, text, expected);
	case OPT_TOPICS: return take_topic(at, o, text, why);
	}
	return PARSED_BAD;
}

/* --- the line ---------------------------------------------------------------------- */

/* The row of a name of len characters. */
static const struct option *find(const struct command *cmd, const char *name, size_t len)
{
	const struct option *o = NULL;

	while ((o = options_next(o, cmd->id)) != NULL)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static void take_presets(struct settings *s, const struct command *cmd)
{
	char why[OPTIONS_WHY_MAX];
	const struct option *o = NULL;

	while ((o = options_next(o, cmd->id)) != NULL)
		if (o->preset != NULL)
			(void)take_value(s, o, o->preset, why);
}

/* One that is repeated is a slip, but for lists. */
static bool note_given(struct settings *s, const struct option *o)
{
	uint64_t bit = (uint64_t)1 << options_row(o);
	bool before = (s->given & bit) != 0;

	s->given |= bit;
	return !before || o->kind == OPT_TOPICS;
}

/* Overwrite a secret where others can see it (/proc/PID/cmdline). */
static void hide(const struct option *o, char *value)
{
	if (o->kind == OPT_SECRET)
		memset(value, '*', strlen(value));
}

struct words {
	int count, next;
	char **word;
};

static enum parsed take_option(struct settings *s, const struct command *cmd, struct words *w,
			       char why[static OPTIONS_WHY_MAX])
{
	char *word = w->word[w->next++], *name = word, *value = NULL, *equals;
	char shown[TEXT_ESCAPED_MAX];
	const struct option *o;
	enum parsed result;

	name += name[1] == '-' ? 2 : 1;
	equals = strchr(name, '=');
	o = find(cmd, name, equals ? (size_t)(equals - name) : strlen(name));
	if (o == NULL) {
		if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)
			return PARSED_HELP;
		text_escape(shown, (const uint8_t *)word,
			    equals ? (size_t)(equals - word) : strlen(word));
		snprintf(why, OPTIONS_WHY_MAX,
			 "%s is no option, expected one that `sotto %s --help' lists%s", shown,
			 cmd->name, cmd->operands_max ? ", or `--' before what is none" : "");
		return PARSED_BAD;
	}
	if (equals != NULL)
		value = equals + 1;
	else if (o->kind != OPT_FLAG && w->next < w->count)
		value = w->word[w->next++];
	if (value == NULL && o->kind != OPT_FLAG) {
		snprintf(why, OPTIONS_WHY_MAX, "--%s: expected a value, %s", o->name, o->value);
		return PARSED_BAD;
	}
	if (!note_given(s, o))
		result = complain(why, o, value ? value : "true", "it once at most");
	else
		result = take_value(s, o, value ? value : "true", why);
	if (value != NULL)
		hide(o, value);
	return result;
}

static enum parsed take_operand(struct settings *s, const struct command *cmd, const char *text,
				char why[static OPTIONS_WHY_MAX])
{
	char shown[TEXT_ESCAPED_MAX];

	if (s->operands < cmd->operands_max) {
		s->operand[s->operands++] = text;
		return PARSED;
	}
	text_escape(shown, (const uint8_t *)text, strlen(text));
	snprintf(why, OPTIONS_WHY_MAX, "\"%s\": expected %s%s", shown,
		 cmd->operands_max ? "no more than " : "no operand",
		 cmd->operands_max ? cmd->operands : "");
	return PARSED_BAD;
}

/* The first complaint counts, but the rest is read on so that no secret stays. */
enum parsed options_parse(struct settings *out, const struct command *cmd, int argc, char **argv,
			  char why[static OPTIONS_WHY_MAX])
{
	struct words w = { .count = argc, .word = argv };
	char later[OPTIONS_WHY_MAX];
	enum parsed result = PARSED, one;
	bool operands_only = false;

	memset(out, 0, sizeof(*out));
	out->command = cmd;
	take_presets(out, cmd);
	while (w.next < w.count) {
		char *word = w.word[w.next];
		char *say = result == PARSED ? why : later;

		if (!operands_only && strcmp(word, "--") == 0) {
			operands_only = true;
			w.next++;
			continue;
		}
		if (!operands_only && word[0] == '-' && word[1] != '\0') {
			one = take_option(out, cmd, &w, say);
		} else {
			w.next++;
			one = take_operand(out, cmd, word, say);
		}
		if (one == PARSED_HELP || result == PARSED)
			result = one;
	}
	if (result == PARSED && out->operands < cmd->operands_min) {
		snprintf(why, OPTIONS_WHY_MAX, "expected %s", cmd->operands);
		result = PARSED_BAD;
	}
	if (result == PARSED && !options_agree(out, why))
		result = PARSED_BAD;
	return result;
}

/* --- commands ------------------------------------------------------------------------ */

const struct command *command_find(int argc, char **argv, int *used)
{
	char two[64];

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (argc >= 1 && strcmp(c->name, argv[0]) == 0) {
			*used = 1;
			return c;
		}
		if (argc < 2)
			continue;
		snprintf(two, sizeof(two), "%.30s %.30s", argv[0], argv[1]);
		if (strcmp(c->name, two) == 0) {
			*used = 2;
			return c;
		}
	}
	return NULL;
}

bool command_in(const struct command *cmd, const char *group)
{
	size_t len = strlen(group);

	return strncmp(cmd->name, group, len) == 0 && cmd->name[len] == ' ';
}

/* --- settings ------------------------------------------------------------------------ */

bool settings_given(const struct settings *s, const char *name)
{
	const struct option *o = find(s->command, name, strlen(name));

	return o != NULL && (s->given >> options_row(o) & 1) != 0;
}

static void wipe_text(char **text)
{
	if (*text == NULL)
		return;
	crypto_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void settings_wipe(struct settings *s)
{
	wipe_text(&s->nodekeyhex);
	wipe_text(&s->password);
	wipe_text(&s->symkey);
}

struct endpoint settings_listen(const struct settings *s)
{
	struct endpoint e;
	const char *why;

	memset(&e, 0, sizeof(e));
	e.tcp = e.udp = (uint16_t)s->port;
	if (s->addr != NULL && endpoint_parse(&e, s->addr, &why) != OK)
		memset(&e.ip, 0, sizeof(e.ip)); /* not reached: it was read before */
	return e;
}
