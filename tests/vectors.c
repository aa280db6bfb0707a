/* SPDX-License-Identifier: MIT */
/* tests/vectors.c - the loader behind tests/vectors.h. */
#include "tests/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What was given out and not yet closed: a list, newest first. */
struct piece {
	struct piece *next;
	uint8_t *data;
};

static struct piece *pieces;
static char open_name[64]; /* the file last opened, for messages */

json_t *vectors_open(const char *name)
{
	char path[256];
	json_error_t why;
	json_t *file;

	snprintf(open_name, sizeof(open_name), "%s", name);
	snprintf(path, sizeof(path), "tests/vectors/%s.json", name);
	/* duplicates are let through: whisper_status_go names two events of one kind alike */
	file = json_load_file(path, JSON_ALLOW_NUL, &why);
	if (file == NULL)
		fail_msg("%s: line %d: %s (tests run from the root)", path, why.line, why.text);
	return file;
}

void vectors_close(json_t *file)
{
	json_decref(file);
	while (pieces != NULL) {
		struct piece *next = pieces->next;

		free(pieces->data);
		free(pieces);
		pieces = next;
	}
}

static uint8_t *piece_new(size_t len)
{
	struct piece *p = malloc(sizeof(*p));
	uint8_t *data = malloc(len); /* of length 0 too: its bytes must not be read */

	if (p == NULL || (data == NULL && len > 0))
		fail_msg("%s: no memory for %zu bytes", open_name, len);
	else
		*p = (struct piece){ .next = pieces, .data = data };
	pieces = p;
	return data;
}

const json_t *vec_get(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (v == NULL)
		fail_msg("%s: no member \"%s\"", open_name, key);
	return v;
}

bool vec_has(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return v != NULL && !json_is_null(v);
}

const json_t *vec_array(const json_t *object, const char *key)
{
	const json_t *v = vec_get(object, key);

	if (!json_is_array(v) || json_array_size(v) == 0)
		fail_msg("%s: \"%s\" is no array, or empty", open_name, key);
	return v;
}

const char *vec_text(const json_t *object, const char *key)
{
	const json_t *v = vec_get(object, key);

	if (!json_is_string(v))
		fail_msg("%s: \"%s\" is no text", open_name, key);
	return json_string_value(v);
}

uint64_t vec_u64(const json_t *object, const char *key)
{
	const json_t *v = vec_get(object, key);
	char *end = NULL;
	uint64_t n;

	if (json_is_integer(v) && json_integer_value(v) >= 0)
		return (uint64_t)json_integer_value(v);
	if (!json_is_string(v) || json_string_length(v) == 0 || json_string_value(v)[0] == '-')
		fail_msg("%s: \"%s\" is no number from 0 on", open_name, key);
	n = strtoull(json_string_value(v), &end, 0);
	if (*end != '\0')
		fail_msg("%s: \"%s\" is no number: %s", open_name, key, json_string_value(v));
	return n;
}

double vec_real(const json_t *object, const char *key)
{
	const json_t *v = vec_get(object, key);

	if (!json_is_number(v))
		fail_msg("%s: \"%s\" is no number", open_name, key);
	return json_number_value(v);
}

bool vec_bool(const json_t *object, const char *key)
{
	const json_t *v = vec_get(object, key);

	if (!json_is_boolean(v))
		fail_msg("%s: \"%s\" is neither true nor false", open_name, key);
	return json_is_true(v);
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	fail_msg("%s: no hex digit: '%c'", open_name, c);
	return 0;
}

/* The digits behind an optional "0x", and how many bytes they make. */
static const char *digits_of(const json_t *text, const char *key, size_t *len)
{
	const char *s;
	size_t n;

	if (!json_is_string(text))
		fail_msg("%s: \"%s\" is no text", open_name, key);
	s = json_string_value(text);
	n = json_string_length(text);
	if (n >= 2 && s[0] == '0' && s[1] == 'x') {
		s += 2;
		n -= 2;
	}
	if (n % 2 != 0)
		fail_msg("%s: \"%s\": %zu hex digits", open_name, key, n);
	*len = n / 2;
	return s;
}

static void decode(uint8_t *out, const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
}

static struct span bytes_of(const json_t *text, const char *key)
{
	size_t len;
	const char *digits = digits_of(text, key, &len);
	uint8_t *data = piece_new(len);

	decode(data, digits, len);
	return span_of(data, len);
}

struct span vec_bytes(const json_t *object, const char *key)
{
	return bytes_of(vec_get(object, key), key);
}

struct span vec_bytes_of(const json_t *text)
{
	return bytes_of(text, "[element]");
}

void vec_exact(const json_t *object, const char *key, uint8_t *out, size_t len)
{
	size_t have;
	const char *digits = digits_of(vec_get(object, key), key, &have);

	if (have != len)
		fail_msg("%s: \"%s\": %zu bytes, not %zu", open_name, key, have, len);
	decode(out, digits, len);
}

struct span vec_fill(uint8_t fill, size_t len)
{
	uint8_t *data = piece_new(len);

	if (len > 0)
		memset(data, fill, len);
	return span_of(data, len);
}

struct span vec_copy(const void *src, size_t len)
{
	uint8_t *data = piece_new(len);

	if (len > 0)
		memcpy(data, src, len);
	return span_of(data, len);
}

/* Where two spans part: the first differing byte, or the shorter's end. */
static size_t parting(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.data[i] == b.data[i])
		i++;
	return i;
}

void vec_check_equal(struct span a, struct span b, const char *file, int line, const char *format,
		     ...)
{
	char what[200];
	va_list args;

	if (span_eq(a, b))
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	print_error("%s: %s: lengths %zu and %zu, first difference at byte %zu\n", open_name, what,
		    a.len, b.len, parting(a, b));
	_fail(file, line);
}
