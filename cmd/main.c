/* SPDX-License-Identifier: MIT */
/* cmd/main.c - the program: finds the command, reads its options, runs it. */
#include <stdio.h>

#include "cmd/options.h"
#include "cmd/process.h"
#include "cmd/run.h"

static int help(int argc, char **argv)
{
	const struct command *cmd;
	int used;

	if (argc == 0)
		help_overview();
	else if (strcmp(argv[0], "manual") == 0)
		help_manual();
	else if (strcmp(argv[0], "completion") == 0)
		help_completion();
	else if ((cmd = command_find(argc, argv, &used)) != NULL)
		help_command(cmd);
	else if (argc > 1 || !help_group(argv[0]))
		return -1;
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_ENVIRONMENT;
}

static bool is_word(const char *text, const char *word)
{
	text += strspn(text, "-");
	return strcmp(text, word) == 0;
}

static bool is_help(const char *text)
{
	return is_word(text, "help") || is_word(text, "h");
}

/* Say what a word begins that is no command by itself, such as "key". */
static bool tell_parts(const char *word)
{
	unsigned parts = 0;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (!command_in(c, word))
			continue;
		if (parts++ == 0)
			fprintf(stderr, "sotto: \"%s\" is no command, expected \"%s\"", word,
				c->name);
		else
			fprintf(stderr, " or \"%s\"", c->name);
	}
	if (parts > 0)
		fprintf(stderr, "\n");
	return parts > 0;
}

static int unknown(const char *word)
{
	char shown[TEXT_ESCAPED_MAX];

	if (tell_parts(word))
		return EXIT_USAGE;
	text_escape(shown, (const uint8_t *)word, strlen(word));
	fprintf(stderr, "sotto: \"%s\" is no command, expected one that `sotto --help' lists\n",
		shown);
	return EXIT_USAGE;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	char why[OPTIONS_WHY_MAX];
	struct settings set;
	enum parsed parsed = options_parse(&set, cmd, argc, argv, why);
	int code = EXIT_OK;

	switch (parsed) {
	case PARSED: code = cmd->run(&set); break;
	case PARSED_HELP:
		help_command(cmd);
		code = fflush(stdout) == 0 ? EXIT_OK : EXIT_ENVIRONMENT;
		break;
	case PARSED_BAD: code = fail(&set, EXIT_USAGE, "%s", why); break;
	}
	settings_wipe(&set);
	return code;
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	int used, code;

	process_start();
	if (argc < 2) {
		fprintf(stderr, "sotto: expected a command; `sotto --help' lists them\n");
		return EXIT_USAGE;
	}
	if (is_word(argv[1], "version")) {
		printf("sotto %s\n", SOTTO_VERSION);
		return EXIT_OK;
	}
	if (is_help(argv[1])) {
		code = help(argc - 2, argv + 2);
		return code < 0 ? unknown(argv[2]) : code;
	}
	cmd = command_find(argc - 1, argv + 1, &used);
	if (cmd == NULL && argc == 3 && is_help(argv[2])) {
		code = help(1, argv + 1);
		return code < 0 ? unknown(argv[1]) : code;
	}
	if (cmd == NULL)
		return unknown(argv[1]);
	return run(cmd, argc - 1 - used, argv + 1 + used);
}
