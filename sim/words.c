/* SPDX-License-Identifier: MIT */
/* sim/words.c - a scenario's lines into words, words into quantities. */
#include "sim/words.h"

#include <stdlib.h>

/* --- words ------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Take one line off the text. */
static struct span take_line(struct span *text)
{
	struct span line = { text->data, 0 };

	while (line.len < text->len && text->data[line.len] != '\n')
		line.len++;
	text->data += line.len;
	text->len -= line.len;
	if (text->len > 0) { /* the newline */
		text->data++;
		text->len--;
	}
	return line;
}

static const char *split(struct words_line *out, struct span line)
{
	size_t i = 0;

	out->count = 0;
	for (;;) {
		size_t len = 0;

		while (i < line.len && is_blank(line.data[i]))
			i++;
		if (i == line.len || line.data[i] == '#')
			return NULL;
		if (out->count == WORDS_MAX)
			return "too many words";
		for (; i < line.len && !is_blank(line.data[i]) && line.data[i] != '#'; i++) {
			if (len == WORD_MAX - 1)
				return "a word is too long";
			out->word[out->count][len++] = (char)line.data[i];
		}
		out->word[out->count++][len] = 0;
	}
}

bool words_next(struct words_line *out, struct span *text, unsigned *number, const char **fault)
{
	*fault = NULL;
	while (text->len > 0) {
		out->number = ++*number;
		*fault = split(out, take_line(text));
		if (*fault || out->count > 0)
			return true;
	}
	return false;
}

/* --- quantities ------------------------------------------------------------------------ */

/* A decimal number up to 10^15, then a unit: the rest of the word. */
static bool quantity(uint64_t *n, const char **unit, const char *word)
{
	*n = 0;
	if (*word < '0' || *word > '9')
		return false;
	for (; *word >= '0' && *word <= '9'; word++) {
		if (*n > 100000000000000)
			return false;
		*n = *n * 10 + (uint64_t)(*word - '0');
	}
	*unit = word;
	return true;
}

struct unit {
	const char *name;
	uint64_t times;
};

static bool with_unit(uint64_t *n, const char *word, const struct unit *units, size_t count)
{
	const char *unit;

	if (!quantity(n, &unit, word))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		return !__builtin_mul_overflow(*n, units[i].times, n) && *n <= INT64_MAX;
	}
	return false;
}

bool words_time(int64_t *ms, const char *word, bool is_signed)
{
	static const struct unit units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }
	};
	bool minus = is_signed && word[0] == '-';
	uint64_t n;

	if (is_signed && (word[0] == '-' || word[0] == '+'))
		word++;
	if (!with_unit(&n, word, units, 4))
		return false;
	*ms = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

bool words_size(uint64_t *bytes, const char *word)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 }, { "kB", 1000 }, { "MB", 1000000 }
	};

	return with_unit(bytes, word, units, 4);
}

bool words_count(uint64_t *n, const char *word)
{
	static const struct unit none = { "", 1 };

	return with_unit(n, word, &none, 1);
}

bool words_real(double *x, const char *word)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	*x = strtod(word, &end);
	return *end == 0;
}

const char *words_option(const struct words_line *line, size_t from, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = from; i < line->count; i++)
		if (strncmp(line->word[i], key, len) == 0 && line->word[i][len] == '=')
			return line->word[i] + len + 1;
	return NULL;
}

bool words_match(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}
