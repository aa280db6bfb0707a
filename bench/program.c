/* SPDX-License-Identifier: MIT */
/* bench/program.c - figures of the whole program, seen from outside: memory of a
 * stored envelope and of an idle peer, idle CPU, and how soon it accepts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

#define STARTS	   9
#define START_MAX  10000 /* ms that a start may take */
#define TEXT_MAX   8192
#define ENVELOPE   265 /* bytes on the wire of one with 236 bytes of data */

/* Two directions of AES-256 and two sponges, the peer's id, bloom and address. */
#define PEER_LEAST (2 * 240 + 2 * 208 + 64 + 64 + 16)

struct program {
	pid_t pid;
	FILE *out;
	char dir[64];
	char enode[512];
	uint64_t begun_ns;
};

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench/program: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

/* Run a program with its output in *out. */
static pid_t spawn(FILE **out, char *const argv[])
{
	int fds[2];
	pid_t pid;

	must(pipe(fds) == 0, "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	*out = fdopen(fds[0], "r");
	must(*out != NULL, "fdopen");
	return pid;
}

static void program_start(struct program *p, uint16_t port)
{
	char name[512], number[8], line[1024];
	char *argv[] = {
		name,	      "node", "--datadir",   p->dir,	    "--addr",		"127.0.0.1",
		"--port",     number, "--shh.pow",   "0.000000001", "--shh.pace",	"0",
		"--maxpeers", "1000", "--verbosity", "1",	    "--shh.pool.bytes", "500000000",
		NULL
	};

	snprintf(p->dir, sizeof(p->dir), "/tmp/sotto-bench-XXXXXX");
	must(mkdtemp(p->dir) != NULL, "mkdtemp");
	snprintf(name, sizeof(name), "%s", bench_program);
	snprintf(number, sizeof(number), "%u", port);
	p->begun_ns = wall_ns();
	p->pid = spawn(&p->out, argv);
	while (fgets(line, sizeof(line), p->out) != NULL)
		if (sscanf(line, "enode: %511s", p->enode) == 1)
			return;
	must(false, "the node does not say where it listens");
}

static void program_stop(struct program *p)
{
	char path[96];

	kill(p->pid, SIGTERM);
	waitpid(p->pid, NULL, 0);
	fclose(p->out);
	snprintf(path, sizeof(path), "%s/nodekey", p->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/LOCK", p->dir);
	unlink(path);
	rmdir(p->dir);
}

/* --- under load ------------------------------------------------------------------------ */

#define ARGS_MAX 16

/* Run the load generator with these arguments, NULL last; its line in text. */
static void load(struct program *p, char text[static TEXT_MAX], const char *const args[])
{
	char name[512], pid[16];
	char *argv[ARGS_MAX + 6] = { name, "--enode", p->enode, "--pid", pid };
	size_t n = 5;
	FILE *out;
	pid_t child;
	int status;

	snprintf(name, sizeof(name), "%s", bench_load);
	snprintf(pid, sizeof(pid), "%d", (int)p->pid);
	for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[n++] = (char *)args[i];
	child = spawn(&out, argv);
	if (fgets(text, TEXT_MAX, out) == NULL)
		text[0] = '\0';
	fclose(out);
	must(waitpid(child, &status, 0) == child && status == 0, "the load generator");
	must(strstr(text, "\"void\":\"\"") != NULL, text);
}

static double number(const char *text, const char *name)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	at = strstr(text, quoted);
	must(at != NULL, name);
	return strtod(at + strlen(quoted), NULL);
}

static void stored(void)
{
	static const char *const args[] = { "--preload", "100000", "--receivers", "10",
					    "--hold",	 "10",	   NULL };
	char text[TEXT_MAX];
	struct program p;

	program_start(&p, 0);
	load(&p, text, args);
	program_stop(&p);
	bench_report("memory/stored envelope of 256 B, 11 peers",
		     (number(text, "preload_anon_after") - number(text, "preload_anon_before")) /
			     100000,
		     "B resident", BENCH_LESS, ENVELOPE, "its bytes on the wire");
	bench_report("idle/100000 stored, 11 peers, outside",
		     number(text, "hold_cpu_s") / number(text, "hold_s") * 1e6,
		     "millionths of a core", BENCH_LESS, 0, NULL);
}

static void idle_peers(void)
{
	static const char *const args[] = { "--publishers", "0", "--idle", "500",
					    "--hold",	    "5", NULL };
	char text[TEXT_MAX];
	struct program p;

	program_start(&p, 0);
	load(&p, text, args);
	program_stop(&p);
	bench_report("memory/idle peer",
		     (number(text, "hold_anon_after") - number(text, "connect_anon_before")) / 500,
		     "B resident", BENCH_LESS, PEER_LEAST, "keys, sponges, id and bloom");
	bench_report("accept/to Status", number(text, "connect_cpu_s") / 500 * 1e6, "us",
		     BENCH_LESS, 0, NULL);
	bench_report("idle/500 peers", number(text, "hold_cpu_s") / number(text, "hold_s") * 1e6,
		     "millionths of a core", BENCH_LESS, 0, NULL);
}

/* --- starting --------------------------------------------------------------------------- */

static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		     getsockname(fd, (struct sockaddr *)&a, &len) == 0,
	     "no port");
	close(fd);
	return ntohs(a.sin_port);
}

static bool knock(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool in = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(fd);
	return in;
}

/* Started from a child that knocks, so that nothing waits for a printed line. */
static double first_accept_ms(void)
{
	struct program p;
	uint16_t port = free_port();
	uint64_t begun = wall_ns(), at = 0;
	int fds[2];
	pid_t child;

	must(pipe(fds) == 0, "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		while (!knock(port) && wall_ns() - begun < START_MAX * 1000000ull)
			usleep(100);
		at = wall_ns();
		if (write(fds[1], &at, sizeof(at)) != sizeof(at))
			_exit(1);
		_exit(0);
	}
	program_start(&p, port);
	must(read(fds[0], &at, sizeof(at)) == sizeof(at), "read");
	close(fds[0]);
	close(fds[1]);
	waitpid(child, NULL, 0);
	program_stop(&p);
	return (double)(at - p.begun_ns) / 1e6;
}

/* The same program, loaded and linked, doing next to nothing. */
static double bare_ms(void)
{
	char name[512], line[256];
	char *argv[] = { name, "--version", NULL };
	uint64_t begun = wall_ns();
	FILE *out;
	pid_t pid;

	snprintf(name, sizeof(name), "%s", bench_program);
	pid = spawn(&out, argv);
	while (fgets(line, sizeof(line), out) != NULL)
		;
	fclose(out);
	waitpid(pid, NULL, 0);
	return (double)(wall_ns() - begun) / 1e6;
}

static void starts(void)
{
	double accepted[STARTS], bare[STARTS];

	for (int i = 0; i < STARTS; i++) {
		accepted[i] = first_accept_ms();
		bare[i] = bare_ms();
	}
	bench_report("start/first accepted connection", bench_median(accepted, STARTS), "ms",
		     BENCH_LESS, bench_median(bare, STARTS), "--version of the same program");
}

void bench_program_figures(void)
{
	starts();
	stored();
	idle_peers();
}
