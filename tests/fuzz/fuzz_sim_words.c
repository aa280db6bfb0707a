/* SPDX-License-Identifier: MIT */
/* Words and quantities of a scenario's text: bounded, whole, and read alike
 * wherever the text is cut. */
#include "sim/words.h"
#include "tests/fuzz/fuzz.h"

static void check_word(const char *word)
{
	int64_t ms;
	uint64_t n;
	double x;

	fuzz_check(strlen(word) > 0 && strlen(word) < WORD_MAX);
	fuzz_check(strpbrk(word, " \t\r\n#") == NULL);
	if (words_time(&ms, word, false))
		fuzz_check(ms >= 0 && words_time(&ms, word, true));
	if (words_size(&n, word))
		fuzz_check(n <= INT64_MAX);
	if (words_count(&n, word))
		fuzz_check(words_size(&n, word) && words_real(&x, word));
	fuzz_check(words_match("*", word));
	fuzz_check(strchr(word, '*') != NULL || words_match(word, word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	struct words_line line;
	unsigned number = 0, before = 0;
	const char *fault;

	while (words_next(&line, &text, &number, &fault)) {
		fuzz_check(line.number == number && number > before);
		before = number;
		fuzz_check(line.count <= WORDS_MAX && (fault != NULL || line.count > 0));
		for (size_t i = 0; fault == NULL && i < line.count; i++)
			if (line.word[i][0] != 0) /* a word may begin with a NUL */
				check_word(line.word[i]);
	}
	fuzz_check(text.len == 0);
	return 0;
}
