/* SPDX-License-Identifier: MIT */
/* base/bytes.c - bytes as text: hex both ways, and strangers' words made harmless.
 *
 * Private keys pass through the hex functions, so digits are told and made
 * by arithmetic alone: no branch and no table index depends on a value that
 * turns out to be valid.
 */
#include "base/bytes.h"

#define ESCAPE_INPUT_MAX 64 /* characters; hardening X3 */

static const char digits[] = "0123456789abcdef";

static char hex_digit(unsigned nibble)
{
	/* '0' + n, and 39 more ('a' - '9' - 1) once n passes 9. */
	return (char)('0' + nibble + (((9u - nibble) >> 8) & 39u));
}

void hex_encode(char *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digit(data[i] >> 4);
		out[2 * i + 1] = hex_digit(data[i] & 15u);
	}
	out[2 * len] = '\0';
}

/* All ones if lo <= c <= hi, else zero; c, lo and hi below 256. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
	return (((c - lo) | (hi - c)) >> 31) - 1u;
}

/* The value of a digit, or 16 and more if it is none. */
static unsigned hex_value(char c)
{
	unsigned u = (unsigned char)c;
	unsigned lower = u | 0x20u;
	unsigned is_number = in_range(u, '0', '9');
	unsigned is_letter = in_range(lower, 'a', 'f');

	return (is_number & (u - '0')) | (is_letter & (lower - 'a' + 10)) |
	       (~(is_number | is_letter) & 16u);
}

static enum err decode_digits(uint8_t *out, size_t len, const char *text)
{
	unsigned bad = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned hi = hex_value(text[2 * i]);
		unsigned lo = hex_value(text[2 * i + 1]);

		bad |= hi | lo;
		out[i] = (uint8_t)(hi << 4 | (lo & 15u));
	}
	return bad & 16u ? ERR_ARG : OK;
}

static size_t prefix_len(const char *text, size_t text_len)
{
	return text_len >= 2 && text[0] == '0' && text[1] == 'x' ? 2 : 0;
}

enum err hex_decode(uint8_t *out, size_t len, const char *text)
{
	size_t text_len = strlen(text);
	size_t skip = prefix_len(text, text_len);

	text_len -= skip;
	if (text_len % 2 != 0 || text_len / 2 != len)
		return ERR_SIZE;
	return decode_digits(out, len, text + skip);
}

enum err hex_decode_any(uint8_t *out, size_t *len, size_t max, const char *text, size_t text_len)
{
	size_t skip = prefix_len(text, text_len);
	enum err e;

	text_len -= skip;
	if (text_len % 2 != 0 || text_len / 2 > max)
		return ERR_SIZE;
	e = decode_digits(out, text_len / 2, text + skip);
	if (e == OK)
		*len = text_len / 2;
	return e;
}

void text_escape(char out[static TEXT_ESCAPED_MAX], const uint8_t *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < size_min(len, ESCAPE_INPUT_MAX); i++) {
		uint8_t c = text[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	if (len > ESCAPE_INPUT_MAX) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n] = '\0';
}
