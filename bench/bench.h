/* SPDX-License-Identifier: MIT */
/* bench/bench.h - how every benchmark here measures and reports.
 *
 * CPU time of the measuring thread, because the machines are shared; seven
 * slices after one that warms up, the median, and beside it the limit that the
 * primitives of the same process set, so that a slow or noisy machine cancels
 * out.  One line a result; the last run's figure on this machine stands behind.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_SLICES   7
#define BENCH_SLICE_NS 30000000 /* CPU time that one slice takes at least */

/* Nanoseconds of this thread's CPU time, and of the whole process. */
uint64_t bench_cpu_ns(void);
uint64_t bench_process_cpu_ns(void);

/* The median cost of one of the n operations that fn performs, in ns. */
double bench_ns(void (*fn)(void *ctx, uint64_t n), void *ctx);

/* The median of samples; sorts them. */
double bench_median(double *samples, size_t count);

/* Print one result.
 *
 * name     "frame/seal 1 KiB"
 * value    in unit
 * limit    in the same unit, or 0 if there is none; the share is printed so
 *          that 100 % is the limit, whichever way the unit points
 * of       what the limit is: "AES-256-CTR + Keccak"
 */
enum bench_better { BENCH_MORE, BENCH_LESS };
void bench_report(const char *name, double value, const char *unit, enum bench_better better,
		  double limit, const char *of);

/* Keep the compiler from dropping a result. */
static inline void bench_use(const void *p)
{
	__asm__ volatile("" : : "g"(p) : "memory");
}

/* Resident memory of this process, or of another, in bytes. */
uint64_t bench_rss(int pid);

/* The program under test for whole-process figures (--program), and the load
 * generator (--load). */
extern const char *bench_program, *bench_load;

void bench_keccak(void);
void bench_primitives(void);
void bench_rlpx(void);
void bench_tcp(void);
void bench_intake(void);
void bench_relay(void);
void bench_program_figures(void);

/* What a frame of len bytes costs at least, in ns: AES-256-CTR, and Keccak over
 * it and three blocks more; opened alone, or sealed with others in lanes. */
double bench_frame_open_ns(size_t len);
double bench_frame_seal_many_ns(size_t len);

/* Calls of malloc, calloc and realloc by our own objects so far. */
extern uint64_t bench_allocations;

#endif /* BENCH_BENCH_H */
