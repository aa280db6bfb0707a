/* SPDX-License-Identifier: MIT */
/* Strangers' text in a log line: one line, printable, and nothing leaves its quotes
 * (hardening X3). */
#include "base/port.h"
#include "tests/fuzz/fuzz.h"

static void check_line(void *ctx, enum log_level level, const char *line)
{
	size_t len = strlen(line);

	(void)level;
	fuzz_check(len > 0 && len < LOG_LINE_MAX);
	for (size_t i = 0; i < len; i++)
		fuzz_check(line[i] >= 0x20 && line[i] < 0x7f);
	++*(int *)ctx;
}

/* What was escaped can be told back: the escape is one-to-one. */
static void check_escape(const char *out, struct span in)
{
	size_t n = size_min(in.len, 64);

	for (size_t i = 0; i < n; i++) {
		uint8_t c;

		if (*out != '\\') {
			fuzz_check(*out != '"' && (uint8_t)*out == in.data[i]);
			out++;
			continue;
		}
		fuzz_check(out[1] == 'x' &&
			   hex_decode_any(&c, &(size_t){ 0 }, 1, out + 2, 2) == OK);
		fuzz_check(c == in.data[i]);
		out += 4;
	}
	fuzz_check(strcmp(out, in.len > 64 ? "..." : "") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[TEXT_ESCAPED_MAX];
	int lines = 0;
	struct log log = { .write = check_line, .ctx = &lines, .level = LOG_DEBUG };
	char raw[700];

	text_escape(out, data, size);
	check_escape(out, span_of(data, size));
	log_line(&log, LOG_DEBUG, "peer client=\"%s\" end=1", out);

	/* Even what was not escaped stays one line of ASCII control-free text. */
	for (size_t i = 0; i < size_min(size, sizeof(raw) - 1); i++)
		raw[i] = (char)(data[i] & 0x7f ? data[i] & 0x7f : 1);
	raw[size_min(size, sizeof(raw) - 1)] = '\0';
	log_line(&log, LOG_WARN, "raw text=%s", raw);
	fuzz_check(lines == 2);
	return 0;
}
