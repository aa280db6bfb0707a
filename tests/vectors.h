/* SPDX-License-Identifier: MIT */
/* tests/vectors.h - golden data of tests/vectors/, read the same way by every test.
 *
 * Nothing here returns failure: what is missing, misspelt or of the wrong
 * type or length fails the running test with the name of file and key, so
 * that a vector is never skipped in silence.
 *
 *	json_t *file = vectors_open("ecies");        // tests/vectors/ecies.json
 *	size_t i;
 *	const json_t *v;
 *
 *	vectors_each (file, "vectors", i, v) {       // fails if there are none
 *		struct span plain = vec_bytes(v, "plaintext");
 *		...
 *	}
 *	vectors_close(file);                         // the spans die here
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

/* Load tests/vectors/NAME.json; tests run from the root of the tree. */
json_t *vectors_open(const char *name);

/* Release it, and all bytes that vec_bytes() and its kin gave out so far. */
void vectors_close(json_t *file);

/* A member that must be there. */
const json_t *vec_get(const json_t *object, const char *key);

/* Whether it is there and not null. */
bool vec_has(const json_t *object, const char *key);

/* A member that must be an array and not empty, and walking it. */
const json_t *vec_array(const json_t *object, const char *key);

#define vectors_each(object, key, i, v)                                                      \
	for (const json_t *vec_array_ = vec_array((object), (key)), *vec_once_ = vec_array_; \
	     vec_once_ != NULL; vec_once_ = NULL)                                            \
		for ((i) = 0; (i) < json_array_size(vec_array_) &&                           \
			      ((v) = json_array_get(vec_array_, (i))) != NULL;               \
		     (i)++)

const char *vec_text(const json_t *object, const char *key); /* borrowed from the file */
uint64_t vec_u64(const json_t *object, const char *key);     /* a number, or text of digits */
double vec_real(const json_t *object, const char *key);
bool vec_bool(const json_t *object, const char *key);

/* Hex, with or without "0x", of any length; lives until vectors_close().  Each
 * span is an allocation of its own and of exactly its length, so that a
 * sanitizer sees the first byte read past it. */
struct span vec_bytes(const json_t *object, const char *key);

/* The same from the text itself: an element of an array of strings. */
struct span vec_bytes_of(const json_t *text);

/* Hex of exactly len bytes into out. */
void vec_exact(const json_t *object, const char *key, uint8_t *out, size_t len);

/* Bytes that hold len copies of fill, or a copy of data; they live as above. */
struct span vec_fill(uint8_t fill, size_t len);
struct span vec_copy(const void *data, size_t len);

/* Compare as assert_memory_equal() does, lengths included, naming the vector on failure. */
#define assert_span_equal(a, b, ...) vec_check_equal((a), (b), __FILE__, __LINE__, __VA_ARGS__)
void vec_check_equal(struct span a, struct span b, const char *file, int line, const char *format,
		     ...) __attribute__((format(printf, 5, 6)));

#endif /* TESTS_VECTORS_H */
