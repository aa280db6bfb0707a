/* SPDX-License-Identifier: MIT */
/* cmd/process.c - the process itself (hardening §5, rule 1.7). */
#include "cmd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"

/* LeakSanitizer looks at the process as a debugger does. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECKED 1
#endif
#endif
#ifndef LEAK_CHECKED
#define LEAK_CHECKED 0
#endif

static char *heap_start; /* where the heap began; no machine reads it */

/* A socket that got number 1 would be written to as if it were the terminal. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void process_start(void)
{
	const struct rlimit none = { 0, 0 };

	heap_start = sbrk(0);
	fill_standard_descriptors();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	if (!LEAK_CHECKED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool process_lock_heap(void)
{
	char *end = sbrk(0);

	return end <= heap_start || mlock(heap_start, (size_t)(end - heap_start)) == 0;
}

static int give_back_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)arg;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from, to;

		/* What was ever writable may hold what no file has. */
		if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
			continue;
		from = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
		to = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(page - 1);
		if (to > from)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void process_give_back(void)
{
	dl_iterate_phdr(give_back_object, NULL);
}

int fail(const struct settings *s, int code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "sotto %s: %s\n", s->command->name, text);
	return code;
}

bool flush_output(const struct settings *s)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	fail(s, 0, "standard output cannot be written: %s", strerror(errno));
	return false;
}
