/* SPDX-License-Identifier: MIT */
/* tests/fuzz/replay.c - feeds kept inputs to a fuzz target, without a fuzzer.
 *
 * Each argument is a file or a directory of files; all of them go through the
 * target once, directories in the order of their names.  An argument that is
 * missing or empty is a failure: a corpus that is not there proves nothing.
 * The last line has the form of cmocka's, so that one script counts both.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

#define INPUT_MAX (64l << 20)

/* Read and run one file; the copy has its exact size, so that a sanitizer sees
 * the first byte read past it. */
static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	int done = 0;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || size > INPUT_MAX)
		goto out;
	rewind(f);
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
		goto out;
	if (getenv("REPLAY_VERBOSE") != NULL)
		fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	done = 1;
out:
	free(data);
	if (f != NULL)
		(void)fclose(f);
	if (!done)
		fprintf(stderr, "replay: cannot read %s\n", path);
	return done;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The number of inputs run, or -1. */
static int replay_dir(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_visible, alphasort);
	int run = n;

	for (int i = 0; i < n; i++) {
		char file[4096];

		if (snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) >=
			    (int)sizeof(file) ||
		    !replay_file(file))
			run = -1;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (n <= 0) {
		fprintf(stderr, "replay: no inputs in %s\n", path);
		return -1;
	}
	return run;
}

int main(int argc, char **argv)
{
	int total = 0;

	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		struct stat st;
		int n = 1;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			n = replay_dir(argv[i]);
		else if (!replay_file(argv[i]))
			n = -1;
		if (n < 0)
			return 1;
		total += n;
	}
	printf("[  PASSED  ] %d input(s).\n", total);
	return 0;
}
