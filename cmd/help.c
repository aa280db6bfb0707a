/* SPDX-License-Identifier: MIT */
/* cmd/help.c - the table as people read it: --help, the manual, completion. */
#include "cmd/options.h"

#include <stdio.h>

#define COLUMN 34 /* where help texts begin */
#define WIDTH  92

/* --- words into lines ------------------------------------------------------------ */

/* Print text from the given column on, broken at blanks, later lines indented. */
static void print_wrapped(const char *text, int column, int indent)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + len > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", len, text);
		column += len;
		text += len;
		if (*text == '\n') { /* a paragraph */
			printf("\n\n%*s", indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

static void print_option(const struct option *o)
{
	char help[512];
	int column;

	if (o->value != NULL)
		column = printf("  --%s %s", o->name, o->value);
	else
		column = printf("  --%s", o->name);
	if (o->preset != NULL && strcmp(o->preset, "false") != 0)
		snprintf(help, sizeof(help), "%s (%s)", o->help, o->preset);
	else
		snprintf(help, sizeof(help), "%s", o->help);
	if (column >= COLUMN) {
		putchar('\n');
		column = 0;
	}
	printf("%*s", COLUMN - column, "");
	print_wrapped(help, COLUMN, COLUMN);
}

static bool has_options(const struct command *cmd)
{
	return options_next(NULL, cmd->id) != NULL;
}

void help_command(const struct command *cmd)
{
	const struct option *o = NULL;

	printf("usage: sotto %s%s%s%s\n\n", cmd->name, has_options(cmd) ? " [OPTION]..." : "",
	       *cmd->operands ? " " : "", cmd->operands);
	print_wrapped(cmd->summary, 0, 0);
	if (*cmd->details != '\0') {
		putchar('\n');
		print_wrapped(cmd->details, 0, 0);
	}
	if (!has_options(cmd))
		return;
	printf("\noptions (defaults in brackets):\n");
	while ((o = options_next(o, cmd->id)) != NULL)
		print_option(o);
}

static void print_summary(const struct command *cmd)
{
	printf("  %-16s %s\n", cmd->name, cmd->summary);
}

bool help_group(const char *group)
{
	bool any = false;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (!command_in(c, group))
			continue;
		if (!any)
			printf("usage: sotto %s COMMAND [OPTION]...\n\n", group);
		print_summary(c);
		any = true;
	}
	if (any)
		printf("\n`sotto %s COMMAND --help' lists a command's options.\n", group);
	return any;
}

void help_overview(void)
{
	printf("usage: sotto COMMAND [OPTION]...\n\n");
	for (const struct command *c = commands; c->name != NULL; c++)
		print_summary(c);
	printf("\n`sotto COMMAND --help' lists a command's options, `sotto help manual' is the "
	       "whole "
	       "manual page,\n`sotto help completion' the completion for bash, `sotto version' the "
	       "version.\n\n"
	       "Exit codes: 0 all went well; 1 something typed was wrong; 2 the system refused; 3 "
	       "the time was up;\n4 and up as a command documents; 70 a fault of ours.\n");
}

/* --- the manual --------------------------------------------------------------------- */

/* Hyphens of options stay hyphens. */
static void print_escaped(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else if (*text == '\n')
			printf("\n.PP\n");
		else
			putchar(*text);
	}
}

/* A paragraph: a dot that begins it stays a dot. */
static void print_troff(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	print_escaped(text);
	putchar('\n');
}

static void manual_option(const struct option *o)
{
	printf(".TP\n\\fB\\-\\-");
	print_escaped(o->name);
	printf("\\fR");
	if (o->value != NULL) {
		printf(" \\fI");
		print_escaped(o->value);
		printf("\\fR");
	}
	putchar('\n');
	print_troff(o->help);
	if (o->preset != NULL) {
		printf("(default: ");
		print_escaped(o->preset);
		printf(")\n");
	}
}

static void manual_command(const struct command *cmd)
{
	const struct option *o = NULL;

	printf(".SS sotto %s", cmd->name);
	if (has_options(cmd))
		printf(" [OPTION]...");
	if (*cmd->operands != '\0')
		printf(" %s", cmd->operands);
	putchar('\n');
	print_troff(cmd->summary);
	if (*cmd->details != '\0') {
		printf(".PP\n");
		print_troff(cmd->details);
	}
	while ((o = options_next(o, cmd->id)) != NULL)
		manual_option(o);
}

void help_manual(void)
{
	printf(".\\\" SPDX-License-Identifier: MIT\n"
	       ".\\\" Made by `sotto help manual' from the table of options.\n"
	       ".TH SOTTO 1 \"\" \"sotto " SOTTO_VERSION "\"\n"
	       ".SH NAME\nsotto \\- Whisper over devp2p: a node and its tools\n"
	       ".SH SYNOPSIS\n.B sotto\n.I COMMAND\n[\\fIOPTION\\fR]...\n"
	       ".SH DESCRIPTION\n");
	print_troff(
		"sotto speaks Whisper version 6 (EIP-627) over devp2p's RLPx with geth 1.8 and "
		"1.9, Status, nim-eth and parity, and carries messages between these families.");
	printf(".PP\n");
	print_troff("Options are written `--name value', `--name=value' or with one hyphen; a flag "
		    "takes `=true' or `=false'. An enode URL names a node: "
		    "enode://128-hex-digits@host:port. A secret on the command line is overwritten "
		    "at once, but prefer the option that names a file.");
	printf(".SH COMMANDS\n");
	for (const struct command *c = commands; c->name != NULL; c++)
		manual_command(c);
	printf(".SH EXIT STATUS\n");
	print_troff(
		"0 all went well; 1 something typed was wrong; 2 the system refused; 3 the time "
		"was up; 4 and up as the command documents; 70 a fault of ours.");
	printf(".SH FILES\n.TP\n.I ~/.sotto/nodekey\n");
	print_troff("The node's private key, 64 hex digits, mode 0600.");
	printf(".TP\n.I ~/.sotto/LOCK\n");
	print_troff("Held by the node that uses the folder.");
}

/* --- completion ------------------------------------------------------------------------ */

void help_completion(void)
{
	printf("# bash completion for sotto, made by `sotto help completion'\n"
	       "_sotto() {\n"
	       "\tlocal at=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]} words=\n"
	       "\t[ \"$cmd\" = key ] && cmd=\"key ${COMP_WORDS[2]}\"\n"
	       "\tcase $cmd in\n");
	for (const struct command *c = commands; c->name != NULL; c++) {
		const struct option *o = NULL;

		printf("\t'%s') words='", c->name);
		while ((o = options_next(o, c->id)) != NULL)
			printf("--%s ", o->name);
		printf("--help' ;;\n");
	}
	printf("\t'key '*) words='generate inspect to-enode' ;;\n"
	       "\t*) words='");
	for (const struct command *c = commands; c->name != NULL; c++)
		if (strncmp(c->name, "key ", 4) != 0)
			printf("%s ", c->name);
	printf("key help version' ;;\n"
	       "\tesac\n"
	       "\tcase $at in\n"
	       "\t-* | '') COMPREPLY=($(compgen -W \"$words\" -- \"$at\")) ;;\n"
	       "\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$at\") $(compgen -f -- \"$at\")) ;;\n"
	       "\tesac\n"
	       "}\n"
	       "complete -F _sotto sotto\n");
}
