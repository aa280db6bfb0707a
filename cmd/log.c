/* SPDX-License-Identifier: MIT */
/* cmd/log.c - log lines as text for people and as JSON for programs.
 *
 * Rooms write "event key=value key=\"what a stranger wrote\"" (base/port.h);
 * strangers' text comes escaped, so a quote ends a value and nothing else does
 * (hardening X3).
 */
#include "cmd/log.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_name[] = { "error", "warn", "info", "debug", "trace" };

struct line {
	char *out;
	size_t len, max;
};

static void add(struct line *l, const char *text, size_t len)
{
	len = size_min(len, l->max - l->len);
	memcpy(l->out + l->len, text, len);
	l->len += len;
}

static void add_text(struct line *l, const char *text)
{
	add(l, text, strlen(text));
}

static void add_time(struct line *l, int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	char text[64];
	struct tm tm;

	gmtime_r(&s, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(wall_ms % 1000));
	add_text(l, text);
}

static void add_json_string(struct line *l, const char *text, size_t len)
{
	char code[8];

	add_text(l, "\"");
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c == '"' || c == '\\') {
			add_text(l, "\\");
			add(l, &text[i], 1);
		} else if (c < 0x20 || c >= 0x7f) {
			snprintf(code, sizeof(code), "\\u%04x", c);
			add_text(l, code);
		} else {
			add(l, &text[i], 1);
		}
	}
	add_text(l, "\"");
}

/* What every JSON reader takes for the same number. */
static bool is_number(const char *text, size_t len)
{
	size_t i = len > 0 && text[0] == '-';
	size_t digits = len - i, at = i;

	if (digits == 0 || digits > 15)
		return false;
	for (; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return digits == 1 || text[at] != '0';
}

/* One key=value; returns what follows it. */
static const char *add_pair(struct line *l, const char *text)
{
	size_t key = strcspn(text, "= "), len;
	const char *value = text + key;
	bool quoted;

	add_text(l, ",");
	add_json_string(l, text, key);
	add_text(l, ":");
	if (*value != '=') {
		add_text(l, "true");
		return value;
	}
	value++;
	quoted = *value == '"';
	value += quoted;
	len = strcspn(value, quoted ? "\"" : " ");
	if (!quoted && is_number(value, len))
		add(l, value, len);
	else
		add_json_string(l, value, len);
	value += len;
	return value + (quoted && *value == '"');
}

/* An event may have several words: all before the first key=. */
static size_t words_before_pairs(const char *text)
{
	size_t len = strcspn(text, " =");

	while (text[len] == ' ') {
		size_t word = strcspn(text + len + 1, " =");

		if (text[len + 1 + word] == '=')
			return len;
		len += 1 + word;
	}
	return len;
}

static void json_line(struct line *l, enum log_level level, const char *text, int64_t wall_ms)
{
	size_t event = words_before_pairs(text);

	add_text(l, "{\"time\":\"");
	add_time(l, wall_ms);
	add_text(l, "\",\"level\":\"");
	add_text(l, level_name[level]);
	add_text(l, "\",\"event\":");
	add_json_string(l, text, event);
	text += event;
	while (*text != '\0') {
		text += strspn(text, " ");
		if (*text != '\0')
			text = add_pair(l, text);
	}
	add_text(l, "}");
}

size_t logger_line(char out[static LOGGED_MAX], enum log_choice format, enum log_level level,
		   const char *line, int64_t wall_ms)
{
	struct line l = { .out = out, .max = LOGGED_MAX - 2 };

	if (format == LOG_JSON) {
		json_line(&l, level, line, wall_ms);
	} else {
		add_time(&l, wall_ms);
		add_text(&l, " ");
		add_text(&l, level_name[level]);
		add(&l, "      ", 6 - strlen(level_name[level]));
		add_text(&l, line);
	}
	out[l.len++] = '\n';
	out[l.len] = '\0';
	return l.len;
}

_Static_assert(LOGGED_MAX <= 4096, "a pipe that is ready takes a line whole");

/* False if the line could not be written without waiting. */
static bool try_line(const struct logger *l, enum log_level level, const char *line)
{
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };
	char out[LOGGED_MAX];
	struct timespec t;
	size_t len;

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return false;
	clock_gettime(CLOCK_REALTIME, &t);
	len = logger_line(out, l->format, level, line,
			  (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
	return write(l->fd, out, len) == (ssize_t)len;
}

static void write_line(void *ctx, enum log_level level, const char *line)
{
	struct logger *l = ctx;
	char told[64];

	if (l->dropped > 0) {
		snprintf(told, sizeof(told), "log_dropped lines=%llu",
			 (unsigned long long)l->dropped);
		if (try_line(l, LOG_WARN, told))
			l->dropped = 0;
	}
	if (l->dropped > 0 || !try_line(l, level, line))
		l->dropped++;
}

struct log logger_open(struct logger *l, const struct settings *s)
{
	l->format = (enum log_choice)s->log_format;
	l->fd = STDERR_FILENO;
	l->dropped = 0;
	if (s->verbosity == 0)
		return (struct log){ .write = NULL };
	return (struct log){
		.write = write_line,
		.ctx = l,
		.level = (enum log_level)(s->verbosity - 1),
	};
}
