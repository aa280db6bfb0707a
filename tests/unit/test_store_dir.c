/* SPDX-License-Identifier: MIT */
/* The data folder: made private, refused if it is not, held by one process (hardening K1). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/vectors.h"

static char top[32];
static char why[STORE_WHY_MAX];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/sotto-test-XXXXXX");
	return mkdtemp(top) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(top);
}

static char *below(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", top, name);
	return path;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_made_with_those_above(void **state)
{
	mode_t before = umask(0);

	(void)state;
	assert_int_equal(store_dir_open(below("/a/b/c"), why), OK);
	assert_int_equal(mode_of(below("/a/b/c")), 0700);
	assert_int_equal(mode_of(below("/a")), 0700);
	assert_int_equal(store_dir_open(below("/a/b/c/"), why), OK);
	assert_int_equal(store_dir_open(below("//a/./b"), why), OK);
	umask(before);
	assert_int_equal(rmdir(below("/a/b/c")), 0);
	assert_int_equal(rmdir(below("/a/b")), 0);
	assert_int_equal(rmdir(below("/a")), 0);
}

static void test_modes(void **state)
{
	(void)state;
	assert_int_equal(mkdir(below("/d"), 0700), 0);
	for (mode_t others = 0; others <= 077; others++) {
		assert_int_equal(chmod(below("/d"), 0700 | others), 0);
		assert_int_equal(store_dir_open(below("/d"), why), others == 0 ? OK : ERR_IO);
		if (others != 0)
			assert_non_null(strstr(why, "expected 0700"));
	}
	assert_int_equal(rmdir(below("/d")), 0);
}

static void test_refused(void **state)
{
	char at[128], longest[STORE_PATH_MAX + 8];
	int fd;

	(void)state;
	strcpy(at, below("/real"));
	assert_int_equal(mkdir(at, 0700), 0);
	assert_int_equal(symlink(at, below("/link")), 0);
	assert_int_equal(store_dir_open(below("/link"), why), ERR_IO);
	assert_non_null(strstr(why, "no symbolic link"));
	fd = open(below("/file"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(store_dir_open(below("/file"), why), ERR_IO);
	assert_non_null(strstr(why, "expected a folder"));
	assert_int_equal(store_dir_open(below("/file/d"), why), ERR_IO);
	assert_int_equal(store_dir_open("", why), ERR_IO);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(store_dir_open(longest, why), ERR_IO);
	if (geteuid() == 0) {
		assert_int_equal(chown(at, 1, 1), 0);
		assert_int_equal(store_dir_open(at, why), ERR_IO);
		assert_non_null(strstr(why, "belongs to user 1"));
	} else {
		assert_int_equal(store_dir_open("/", why), ERR_IO);
		assert_non_null(strstr(why, "belongs to user 0"));
	}
	assert_int_equal(unlink(below("/file")), 0);
	assert_int_equal(unlink(below("/link")), 0);
	assert_int_equal(rmdir(at), 0);
}

/* What is said stays one line, whatever the name is. */
static void test_one_line(void **state)
{
	(void)state;
	assert_int_equal(store_dir_open("/proc/no\nsuch\033[2J", why), ERR_IO);
	assert_null(strchr(why, '\n'));
	assert_null(strchr(why, '\033'));
	assert_non_null(strstr(why, "no\\x0asuch\\x1b"));
}

static void test_lock(void **state)
{
	int lock, other, ends[2], status;
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(store_lock(&lock, top, why), OK);
	assert_int_equal(store_lock(&other, top, why), ERR_EXISTS);
	assert_non_null(strstr(why, "in use by another process"));
	store_unlock(lock);

	/* Another process holds it for as long as it lives, and not longer, however it ends. */
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		if (store_lock(&lock, top, why) != OK || write(ends[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(store_lock(&other, top, why), ERR_EXISTS);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(store_lock(&lock, top, why), OK);
	store_unlock(lock);
	close(ends[0]);
	close(ends[1]);

	assert_int_equal(unlink(below("/LOCK")), 0);
	assert_int_equal(symlink("elsewhere", below("/LOCK")), 0);
	assert_int_equal(store_lock(&lock, top, why), ERR_IO);
	assert_int_equal(unlink(below("/LOCK")), 0);
	assert_int_equal(store_lock(&lock, below("/none"), why), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_with_those_above),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
