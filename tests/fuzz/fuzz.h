/* SPDX-License-Identifier: MIT */
/* tests/fuzz/fuzz.h - what a fuzz target defines, and a way to take an input apart.
 *
 * A target calls abort() (through fuzz_check) when something that must hold
 * does not; sanitizers find the rest.  Its inputs live in
 * tests/fuzz/corpus/NAME for fuzz_NAME.c, and `make test` replays them.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

/* Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(fact)                                                                   \
	do {                                                                               \
		if (!(fact)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #fact); \
			abort();                                                           \
		}                                                                          \
	} while (0)

/* Choices read off the front of the input; zeros once it is used up. */
static inline uint8_t fuzz_u8(struct span *in)
{
	struct span s;

	return span_take(in, &s, 1) ? s.data[0] : 0;
}

static inline uint64_t fuzz_u64(struct span *in)
{
	struct span s;

	return span_take(in, &s, 8) ? be64_load(s.data) : 0;
}

#endif /* TESTS_FUZZ_FUZZ_H */
