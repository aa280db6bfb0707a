/* SPDX-License-Identifier: MIT */
/* sim/words.h - words and quantities of a scenario. */
#ifndef SIM_WORDS_H
#define SIM_WORDS_H

#include "base/bytes.h"

#define WORDS_MAX 32
#define WORD_MAX  48 /* with NUL */

struct words_line {
	unsigned number; /* from 1 */
	size_t count;
	char word[WORDS_MAX][WORD_MAX];
};

/* Take the next line that has words; # begins a comment.  False at the end.
 *
 * errors   *fault is set to a static text for too many or too long words
 */
bool words_next(struct words_line *out, struct span *text, unsigned *number, const char **fault);

/* "20ms", "5s", "2m", "1h", signed if allowed: milliseconds. */
bool words_time(int64_t *ms, const char *word, bool is_signed);

/* "300", "1400B", "20kB", "1MB": bytes, decimal. */
bool words_size(uint64_t *bytes, const char *word);

bool words_count(uint64_t *n, const char *word);
bool words_real(double *x, const char *word);

/* The value of key=value among the words from `from` on; NULL if not given. */
const char *words_option(const struct words_line *line, size_t from, const char *key);

/* '*' stands for any characters. */
bool words_match(const char *pattern, const char *name);

#endif /* SIM_WORDS_H */
