/* SPDX-License-Identifier: MIT */
/* tests/tools/simrun.c - run scenarios of the simulator, docs/SIM.md.
 *
 *	simrun FILE... [--seed N] [--once] [--log LEVEL]
 *
 * Each scenario runs twice with its seed, and both runs must give one digest.
 * A line of figures is printed for each, and of a failure what did not hold,
 * when, and with which seed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define FILE_MAX (1u << 20)

struct options {
	uint64_t seed;
	bool once;
	struct log log;
};

static void print_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	printf("  %s\n", line);
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(FILE_MAX);

	if (!f || !text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(text);
		if (f)
			fclose(f);
		return NULL;
	}
	*len = fread(text, 1, FILE_MAX, f);
	fclose(f);
	return text;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print_figures(const char *name, const struct sim_result *r)
{
	printf("ok %s: %llu deliveries, %.2f duplicates each, %llu copies, %llu bytes/node, "
	       "latency %llu/%llu/%llu ms, %.1f s virtual, digest %02x%02x%02x%02x\n",
	       name, (unsigned long long)r->deliveries, r->duplicates,
	       (unsigned long long)r->envelopes_sent, (unsigned long long)r->bytes_per_node,
	       (unsigned long long)r->latency_p50_ms, (unsigned long long)r->latency_p95_ms,
	       (unsigned long long)r->latency_max_ms, (double)r->virtual_ms / 1000, r->digest[0],
	       r->digest[1], r->digest[2], r->digest[3]);
}

static bool run_text(const char *name, const char *text, size_t len, const struct options *o)
{
	struct sim_result first, second;
	char why[SIM_WHY_MAX];

	if (sim_run(&first, name, text, len, o->seed, &o->log, why) != OK) {
		printf("not ok %s: %s\n", name, why);
		return false;
	}
	if (first.failure[0]) {
		printf("not ok %s seed=%llu: %s\n", name, (unsigned long long)o->seed,
		       first.failure);
		return false;
	}
	if (!o->once && (sim_run(&second, name, text, len, o->seed, NULL, why) != OK ||
			 memcmp(first.digest, second.digest, sizeof(first.digest)) != 0)) {
		printf("not ok %s seed=%llu: two runs differ\n", name, (unsigned long long)o->seed);
		return false;
	}
	print_figures(name, &first);
	return true;
}

static bool run_file(const char *path, const struct options *o)
{
	size_t len;
	char *text = read_file(path, &len);
	bool good = text && run_text(base_name(path), text, len, o);

	free(text);
	return good;
}

static int usage(void)
{
	fprintf(stderr, "usage: simrun FILE... [--seed N] [--once] [--log 0-4]\n");
	return 1;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1 };
	unsigned passed = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (strcmp(argv[i], "--seed") == 0 && has_value) {
			o.seed = strtoull(argv[i + 1], NULL, 0);
			argv[i] = argv[i + 1] = NULL;
			i++;
		} else if (strcmp(argv[i], "--log") == 0 && has_value) {
			o.log = (struct log){ print_line, NULL, (enum log_level)atoi(argv[i + 1]) };
			argv[i] = argv[i + 1] = NULL;
			i++;
		} else if (strcmp(argv[i], "--once") == 0) {
			o.once = true;
			argv[i] = NULL;
		} else if (argv[i][0] == '-') {
			return usage();
		}
	}
	for (int i = 1; i < argc; i++) {
		if (!argv[i])
			continue;
		if (run_file(argv[i], &o))
			passed++;
		else
			failed++;
		fflush(stdout);
	}
	if (passed + failed == 0)
		return usage();
	printf("[  PASSED  ] %u test(s).\n", passed);
	if (failed > 0)
		printf("[  FAILED  ] %u test(s).\n", failed);
	return failed > 0;
}
