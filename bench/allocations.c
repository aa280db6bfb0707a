/* SPDX-License-Identifier: MIT */
/* bench/allocations.c - counts what our objects ask from the heap: the linker
 * wraps their calls (--wrap), those of libraries go by uncounted.
 */
#include <stdlib.h>

#include "bench/bench.h"

uint64_t bench_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	bench_allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	bench_allocations++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	bench_allocations++;
	return __real_realloc(p, size);
}
