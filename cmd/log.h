/* SPDX-License-Identifier: MIT */
/* cmd/log.h - where finished log lines go: standard error, one write a line.
 *
 * A reader that does not keep up loses lines, which are counted and told later;
 * it never holds up the node. */
#ifndef CMD_LOG_H
#define CMD_LOG_H

#include "base/port.h"
#include "cmd/settings.h"

struct logger {
	enum log_choice format;
	int fd;
	uint64_t dropped; /* lines that nobody took in time, not yet told */
};

/* verbosity as geth counts: 0 nothing, 1 errors, ... 5 all. */
struct log logger_open(struct logger *l, const struct settings *s);

/* The same line as the log would write it; for tests.  Returns its length. */
#define LOGGED_MAX (6 * LOG_LINE_MAX + 128)
size_t logger_line(char out[static LOGGED_MAX], enum log_choice format, enum log_level level,
		   const char *line, int64_t wall_ms);

#endif /* CMD_LOG_H */
