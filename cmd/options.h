/* SPDX-License-Identifier: MIT */
/* cmd/options.h - what can be typed: one table of options, from which parsing,
 * --help, the manual's pages and the shell's completion are made.
 *
 * `--opt v`, `--opt=v`, `-opt v` and `-opt=v` are the same; a flag takes
 * `--flag`, `--flag=true` or `--flag=false`; `--` ends the options.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "cmd/settings.h"

#define OPTIONS_WHY_MAX 512

enum option_kind {
	OPT_FLAG,   /* bool */
	OPT_UINT,   /* uint64_t, decimal, min..max */
	OPT_REAL,   /* double, 0..1e9 */
	OPT_TEXT,   /* const char *, borrowed of argv */
	OPT_SECRET, /* char *, a copy; argv is overwritten */
	OPT_CHOICE, /* unsigned, the index into choices */
	OPT_ADDR,   /* const char *, checked; see settings_listen() */
	OPT_CIDRS,  /* struct cidr_list */
	OPT_TOPICS, /* struct topic_list, may be repeated */
};

struct option {
	unsigned commands; /* 1 << enum command_id, or-ed */
	const char *name;
	enum option_kind kind;
	const char *value;  /* how --help names the value; NULL for a flag */
	const char *preset; /* what holds if it is not given, as it would be typed; NULL: nothing */
	const char *help;   /* what it does, as an order or a noun; no full stop */
	size_t at;	    /* offset of its field in struct settings */
	uint64_t min, max;  /* of OPT_UINT */
	const char *const *choices; /* of OPT_CHOICE, NULL at the end */
};

/* A command: how it is called and what runs it. */
struct command {
	enum command_id id;
	const char *name;     /* one or two words */
	const char *operands; /* after the options, as --help shows them; "" for none */
	unsigned operands_min, operands_max;
	const char *summary; /* one line */
	const char *details; /* paragraphs for --help and the manual; may be "" */
	int (*run)(struct settings *set);
};

extern const struct command commands[]; /* .name == NULL ends it */
const struct option *options_next(const struct option *after,
				  unsigned command); /* NULL at the end */
size_t options_row(const struct option *o);

enum parsed { PARSED, PARSED_HELP, PARSED_BAD };

/* Read the words after the command.
 *
 * out      filled with presets first; settings_wipe() it in every case
 * argv     secrets in it are overwritten, whatever else is wrong
 * why      on PARSED_BAD: option, value and what was expected, one line
 */
enum parsed options_parse(struct settings *out, const struct command *cmd, int argc, char **argv,
			  char why[static OPTIONS_WHY_MAX]);

/* Whether what was typed goes together (rules.c); false with why if not. */
bool options_agree(const struct settings *s, char why[static OPTIONS_WHY_MAX]);

/* The command that argv names; *used is set to its words.  NULL: none. */
const struct command *command_find(int argc, char **argv, int *used);

/* Whether it is one of a group's: "key generate" of "key". */
bool command_in(const struct command *cmd, const char *group);

/* --- help.c ------------------------------------------------------------------ */

void help_overview(void);		      /* sotto --help */
void help_command(const struct command *cmd); /* sotto CMD --help */
bool help_group(const char *group);	      /* sotto key --help; false if it is none */
void help_manual(void);			      /* sotto help manual: the page, in man's own tongue */
void help_completion(void);		      /* sotto help completion: for bash */

#endif /* CMD_OPTIONS_H */
