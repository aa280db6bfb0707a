/* SPDX-License-Identifier: MIT */
/* cmd/process.h - the process itself: what it may leave behind, what it says. */
#ifndef CMD_PROCESS_H
#define CMD_PROCESS_H

#include "cmd/settings.h"

/* First thing of all: private files, no core dump, no debugger, no new rights,
 * standard descriptors that exist, pipes that fail instead of killing. */
void process_start(void);

/* Keep the heap, where keys lie, out of the swap (hardening K4); false if the system
 * does not let us. */
bool process_lock_heap(void);

/* Unmap what only the start needed of the program and its libraries: code and
 * constants, which come back from the page cache when they are touched. */
void process_give_back(void);

/* Print "sotto COMMAND: text", one line on standard error; returns code. */
int fail(const struct settings *s, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Flush standard output; false, and said so, if what was printed is lost. */
bool flush_output(const struct settings *s);

#endif /* CMD_PROCESS_H */
