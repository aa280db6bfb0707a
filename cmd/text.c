/* SPDX-License-Identifier: MIT */
/* cmd/text.c - lines that programs read.  A few objects are printed, none is
 * read, so this is no JSON library (that one lives in its own room). */
#include "cmd/text.h"

#include <math.h>
#include <stdlib.h>

static bool is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_len(const uint8_t *text, size_t len)
{
	uint32_t c;
	size_t n;

	if (len == 0)
		return 0;
	if (text[0] < 0x80)
		return 1;
	n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4 || len < n)
		return 0;
	c = text[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (!is_tail(text[i]))
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	/* Shortest form, no surrogates, no more than Unicode has. */
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

static void json_byte(FILE *to, uint8_t c)
{
	switch (c) {
	case '"': fputs("\\\"", to); break;
	case '\\': fputs("\\\\", to); break;
	case '\n': fputs("\\n", to); break;
	case '\r': fputs("\\r", to); break;
	case '\t': fputs("\\t", to); break;
	default:
		if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			putc(c, to);
	}
}

void print_json_string(FILE *to, const uint8_t *text, size_t len)
{
	putc('"', to);
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(text + i, len - i);

		if (n == 0) {
			fputs("\\ufffd", to);
			i++;
		} else if (n == 1) {
			json_byte(to, text[i++]);
		} else {
			fwrite(text + i, 1, n, to);
			i += n;
		}
	}
	putc('"', to);
}

void print_json_text(FILE *to, const char *text)
{
	print_json_string(to, (const uint8_t *)text, strlen(text));
}

void print_hex(FILE *to, const uint8_t *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		putc(digit[data[i] >> 4], to);
		putc(digit[data[i] & 15], to);
	}
}

void print_json_hex(FILE *to, const uint8_t *data, size_t len)
{
	fputs("\"0x", to);
	print_hex(to, data, len);
	putc('"', to);
}

void real_text(char out[static REAL_TEXT_MAX], double x)
{
	if (x == floor(x) && fabs(x) < 1e15) {
		snprintf(out, REAL_TEXT_MAX, "%.0f", x);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, REAL_TEXT_MAX, "%.*g", digits, x);
		if (strtod(out, NULL) == x)
			return;
	}
}

void print_json_real(FILE *to, double x)
{
	char text[REAL_TEXT_MAX];

	if (!isfinite(x)) {
		fputs("null", to);
		return;
	}
	real_text(text, x);
	fputs(text, to);
}

void print_harmless(FILE *to, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(text + i, len - i);
		bool control = n == 1 && (text[i] < 0x20 || text[i] == 0x7f) && text[i] != '\n' &&
			       text[i] != '\t';

		/* U+0080 to U+009F are control characters as well. */
		if (n == 0 || control || (n == 2 && text[i] == 0xc2 && text[i + 1] < 0xa0)) {
			fprintf(to, "\\x%02x", text[i]);
			i++;
		} else {
			fwrite(text + i, 1, n, to);
			i += n;
		}
	}
}
