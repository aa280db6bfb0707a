/* SPDX-License-Identifier: MIT */
/* bench/load/proc.c - CPU, memory and unread bytes of a process, read from /proc.
 *
 * CPU is the sum of its threads' schedstat, in nanoseconds; a thread that ended
 * takes its share along, so the figure of /proc/PID/stat stands beside it.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/load/load.h"

#define PATH_LEN 320

/* The number behind a name at a line's start, or 0. */
static uint64_t field(int pid, const char *file, const char *name)
{
	char path[PATH_LEN], line[512];
	uint64_t v = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			v = strtoull(line + strlen(name), NULL, 10);
	if (f != NULL)
		fclose(f);
	return v;
}

uint64_t proc_cpu_ns(int pid)
{
	char path[PATH_LEN];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = pid > 0 ? opendir(path) : NULL;
	while (d != NULL && (e = readdir(d)) != NULL) {
		unsigned long long ns = 0;
		FILE *f;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, e->d_name);
		f = fopen(path, "r");
		if (f != NULL && fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		if (f != NULL)
			fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

/* Fields 10, 14 and 15 of /proc/PID/stat; the name before them may hold anything. */
static void read_stat(struct proc *out, int pid)
{
	unsigned long faults, user, system;
	char path[PATH_LEN], line[1024];
	const char *rest = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		rest = strrchr(line, ')');
	if (rest != NULL && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %*u %*u %lu %lu",
				   &faults, &user, &system) == 3) {
		out->min_faults = faults;
		out->ticks_ms = (user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
	}
	if (f != NULL)
		fclose(f);
}

void proc_read(struct proc *out, int pid)
{
	*out = (struct proc){ 0 };
	if (pid <= 0)
		return;
	out->cpu_ns = proc_cpu_ns(pid);
	read_stat(out, pid);
	out->rss = field(pid, "status", "VmRSS:") * 1024;
	out->anon = field(pid, "status", "RssAnon:") * 1024;
	out->hwm = field(pid, "status", "VmHWM:") * 1024;
	out->io_calls = field(pid, "io", "syscr:") + field(pid, "io", "syscw:");
}

uint64_t proc_pss(int pid)
{
	return pid > 0 ? field(pid, "smaps_rollup", "Pss:") * 1024 : 0;
}

uint64_t proc_unread(uint16_t port)
{
	unsigned local, remote, tx, rx, state;
	uint64_t sum = 0;
	char line[512];
	FILE *f = fopen("/proc/net/tcp", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %*x:%x %*x:%x %x %x:%x", &local, &remote, &state, &tx,
			   &rx) == 5 &&
		    state == 1)
			sum += local == port ? rx : remote == port ? tx : 0;
	if (f != NULL)
		fclose(f);
	return sum;
}
