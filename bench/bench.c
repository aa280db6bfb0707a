/* SPDX-License-Identifier: MIT */
/* bench/bench.c - the clock, the median, the table of results, the main program. */
#include "bench/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RESULTS_MAX  512 /* lines of one run; more are printed but not remembered */
#define NAME_MAX_LEN 64

const char *bench_program = "build/sotto", *bench_load = "build/load";

struct result {
	char name[NAME_MAX_LEN];
	double value;
};

static struct result results[RESULTS_MAX], last[RESULTS_MAX];
static size_t result_count, last_count;

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t bench_process_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), by_value);
	return samples[count / 2];
}

static uint64_t slice(void (*fn)(void *ctx, uint64_t n), void *ctx, uint64_t n)
{
	uint64_t start = bench_cpu_ns();

	fn(ctx, n);
	return bench_cpu_ns() - start;
}

double bench_ns(void (*fn)(void *ctx, uint64_t n), void *ctx)
{
	double samples[BENCH_SLICES];
	uint64_t n = 1, took;

	while ((took = slice(fn, ctx, n)) < BENCH_SLICE_NS)
		n = took < BENCH_SLICE_NS / 16 ? n * 8 : n * 2;
	for (size_t i = 0; i < BENCH_SLICES; i++)
		samples[i] = (double)slice(fn, ctx, n) / (double)n;
	return bench_median(samples, BENCH_SLICES);
}

uint64_t bench_rss(int pid)
{
	char path[64];
	unsigned long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), pid ? "/proc/%d/statm" : "/proc/self/statm", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*s %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * 4096;
}

static const struct result *last_of(const char *name)
{
	for (size_t i = 0; i < last_count; i++)
		if (strcmp(last[i].name, name) == 0)
			return &last[i];
	return NULL;
}

void bench_report(const char *name, double value, const char *unit, enum bench_better better,
		  double limit, const char *of)
{
	const struct result *before = last_of(name);

	printf("%-44s %12.4g %-10s", name, value, unit);
	if (limit > 0)
		printf(" %5.1f %% of %.4g (%s)",
		       100 * (better == BENCH_MORE ? value / limit : limit / value), limit, of);
	if (before != NULL && before->value > 0)
		printf("  [last %+.1f %%]", 100 * (value / before->value - 1));
	putchar('\n');
	fflush(stdout);
	if (result_count < RESULTS_MAX) {
		snprintf(results[result_count].name, NAME_MAX_LEN, "%s", name);
		results[result_count++].value = value;
	}
}

static void load_last(const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	struct result r;

	if (f == NULL)
		return;
	while (last_count < RESULTS_MAX && fscanf(f, "%63[^\t]\t%lf\n", r.name, &r.value) == 2)
		last[last_count++] = r;
	fclose(f);
}

/* What this run did not measure keeps its older figure. */
static void save_last(const char *path)
{
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f == NULL)
		return;
	for (size_t i = 0; i < result_count; i++)
		fprintf(f, "%s\t%.17g\n", results[i].name, results[i].value);
	for (size_t i = 0; i < last_count; i++) {
		bool again = false;

		for (size_t j = 0; j < result_count; j++)
			again |= strcmp(last[i].name, results[j].name) == 0;
		if (!again)
			fprintf(f, "%s\t%.17g\n", last[i].name, last[i].value);
	}
	fclose(f);
}

static const struct {
	const char *name;
	void (*run)(void);
} subjects[] = {
	{ "keccak", bench_keccak },
	{ "primitives", bench_primitives },
	{ "rlpx", bench_rlpx },
	{ "tcp", bench_tcp },
	{ "intake", bench_intake },
	{ "relay", bench_relay },
	{ "program", bench_program_figures },
};

int main(int argc, char **argv)
{
	const char *last_path = NULL, *pattern = "";

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--program") == 0 && i + 1 < argc)
			bench_program = argv[++i];
		else if (strcmp(argv[i], "--load") == 0 && i + 1 < argc)
			bench_load = argv[++i];
		else if (strcmp(argv[i], "--last") == 0 && i + 1 < argc)
			last_path = argv[++i];
		else
			pattern = argv[i];
	}
	load_last(last_path);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strstr(subjects[i].name, pattern) == NULL)
			continue;
		printf("# %s\n", subjects[i].name);
		subjects[i].run();
	}
	save_last(last_path);
	return result_count > 0 ? 0 : 1;
}
