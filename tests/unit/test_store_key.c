/* SPDX-License-Identifier: MIT */
/* Key files: who may read them, what is in them, and that no moment of power loss or
 * of haste leaves half of one (hardening K1, K2, K3). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/net.h"
#include "store/store.h"
#include "tests/vectors.h"

static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

struct room {
	char dir[32];
	char path[64];
	struct rng rng;
	struct crypto *crypto;
	char why[STORE_WHY_MAX];
};

static int setup(void **state)
{
	static struct room r;

	strcpy(r.dir, "/tmp/sotto-test-XXXXXX");
	assert_non_null(mkdtemp(r.dir));
	snprintf(r.path, sizeof(r.path), "%s/key", r.dir);
	r.rng = net_rng();
	assert_int_equal(crypto_new(&r.crypto, &r.rng), OK);
	*state = &r;
	return 0;
}

/* Empty the folder; returns how many names of the given end were there. */
static int sweep(const struct room *r, const char *ending)
{
	DIR *d = opendir(r->dir);
	struct dirent *e;
	char path[512];
	int count = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name), end = strlen(ending);

		if (e->d_name[0] == '.')
			continue;
		count += len >= end && strcmp(e->d_name + len - end, ending) == 0;
		snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		assert_int_equal(remove(path), 0);
	}
	closedir(d);
	return count;
}

static int teardown(void **state)
{
	struct room *r = *state;

	sweep(r, "");
	assert_int_equal(rmdir(r->dir), 0);
	crypto_free(r->crypto);
	return 0;
}

static void put(const struct room *r, const void *text, size_t len, mode_t mode)
{
	int fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static enum err get(struct room *r, struct seckey *key)
{
	return store_key_read(key, r->path, r->crypto, r->why);
}

/* Every mode that others could have: only none will do. */
static void test_modes(void **state)
{
	struct room *r = *state;
	struct seckey key;

	for (mode_t others = 0; others <= 077; others++) {
		put(r, digits, 64, 0600 | others);
		assert_int_equal(get(r, &key), others == 0 ? OK : ERR_IO);
		if (others != 0)
			assert_non_null(strstr(r->why, "expected 0600"));
	}
	put(r, digits, 64, 0400);
	assert_int_equal(get(r, &key), OK);
	sweep(r, "");
}

static void test_owner(void **state)
{
	struct room *r = *state;
	struct seckey key;
	pid_t child;
	int status;

	put(r, digits, 64, 0600);
	if (geteuid() != 0) { /* nobody else's file can be made: root's, then */
		assert_int_equal(store_key_read(&key, "/etc/passwd", r->crypto, r->why), ERR_IO);
		assert_non_null(strstr(r->why, "belongs to user 0"));
		return;
	}
	assert_int_equal(chown(r->path, 1, 1), 0);
	assert_int_equal(get(r, &key), ERR_IO);
	assert_non_null(strstr(r->why, "belongs to user 1"));
	child = fork();
	if (child == 0) /* and its owner may */
		_exit(chmod(r->dir, 0711) != 0 || seteuid(1) != 0 || get(r, &key) != OK);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(r->dir, 0700), 0);
	sweep(r, "");
}

static void test_no_file(void **state)
{
	struct room *r = *state;
	struct seckey key;
	char other[80];

	assert_int_equal(get(r, &key), ERR_NOT_FOUND);
	assert_int_equal(mkdir(r->path, 0700), 0);
	assert_int_equal(get(r, &key), ERR_IO);
	assert_int_equal(rmdir(r->path), 0);
	assert_int_equal(mkfifo(r->path, 0600), 0);
	assert_int_equal(get(r, &key), ERR_IO); /* and returns at once */
	assert_int_equal(unlink(r->path), 0);
	put(r, digits, 64, 0600);
	snprintf(other, sizeof(other), "%s/link", r->dir);
	assert_int_equal(symlink(r->path, other), 0);
	assert_int_equal(store_key_read(&key, other, r->crypto, r->why), ERR_IO);
	assert_non_null(strstr(r->why, "symbolic link"));
	sweep(r, "");
}

static void test_texts(void **state)
{
	static const char order[] =
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
	static const char below[] =
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
	struct room *r = *state;
	struct {
		const char *head, *tail;
		enum err err;
	} of[] = {
		{ digits, "", OK },
		{ digits, "\n", OK },
		{ digits, "\r\n", OK },
		{ digits, "\n\n", OK },
		{ below, "\n", OK },
		{ order, "\n", ERR_KEY },
		{ digits, "\n\n\n", ERR_KEY },
		{ digits, "0", ERR_KEY },
		{ digits, " ", ERR_KEY },
		{ "", "", ERR_KEY },
		{ "", "\n", ERR_KEY },
		{ digits + 1, "\n", ERR_KEY },
		{ digits + 2, "\n\n", ERR_KEY },
		{ "0x", digits + 2, ERR_KEY },
		{ "0x", digits, ERR_KEY },
		{ " ", digits + 1, ERR_KEY },
		{ "g", digits + 1, ERR_KEY },
	};
	char text[128];
	struct seckey key;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		int len = snprintf(text, sizeof(text), "%s%s", of[i].head, of[i].tail);

		put(r, text, (size_t)len, 0600);
		memset(&key, 0x55, sizeof(key));
		assert_int_equal(get(r, &key), of[i].err);
		if (of[i].err != OK) {
			assert_int_equal(key.b[0], 0x55); /* untouched */
			assert_non_null(strstr(r->why, "expected 64 hex digits"));
		}
	}
	memset(text, '0', 64);
	put(r, text, 64, 0600);
	assert_int_equal(get(r, &key), ERR_KEY);
	memset(text, '1', 64);
	text[10] = '\0';
	put(r, text, 64, 0600);
	assert_int_equal(get(r, &key), ERR_KEY);
	sweep(r, "");
}

static void test_write(void **state)
{
	struct room *r = *state;
	struct seckey key, other, back;
	struct stat st;
	char path[80];

	assert_int_equal(seckey_generate(r->crypto, &key, &r->rng), OK);
	assert_int_equal(seckey_generate(r->crypto, &other, &r->rng), OK);
	assert_int_equal(store_key_write(r->path, &key, &r->rng, r->why), OK);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(store_key_write(r->path, &other, &r->rng, r->why), ERR_EXISTS);
	assert_int_equal(get(r, &back), OK);
	assert_memory_equal(back.b, key.b, 32);
	assert_int_equal(sweep(r, ".tmp"), 0);

	/* A link that leads nowhere is a name that exists. */
	assert_int_equal(symlink("nowhere", r->path), 0);
	assert_int_equal(store_key_write(r->path, &key, &r->rng, r->why), ERR_EXISTS);
	sweep(r, "");
	snprintf(path, sizeof(path), "%s/no/key", r->dir);
	assert_int_equal(store_key_write(path, &key, &r->rng, r->why), ERR_IO);
}

/* Many at once: all of them end up with one and the same key. */
static void test_race(void **state)
{
	enum { MANY = 8 };
	struct room *r = *state;
	struct seckey key, first;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < MANY; i++) {
		if (fork() != 0)
			continue;
		if (store_key_ensure(&key, r->path, r->crypto, &r->rng, r->why) != OK ||
		    write(ends[1], key.b, 32) != 32)
			_exit(1);
		_exit(0);
	}
	for (int i = 0; i < MANY; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(ends[0], key.b, 32), 32);
		if (i == 0)
			first = key;
		assert_memory_equal(key.b, first.b, 32);
	}
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(sweep(r, ".tmp"), 0);
}

/* Kill a process that makes its key after so many steps (each system call is
 * two); false if it came to its end before. */
static bool kill_after(struct room *r, int steps)
{
	pid_t child = fork();
	struct seckey key;
	int status;

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
			_exit(2);
		_exit(store_key_ensure(&key, r->path, r->crypto, &r->rng, r->why) != OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	for (int i = 0; i < steps; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status)) {
			assert_int_equal(status, 0);
			return false;
		}
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return true;
}

/* Whatever was killed when: the key is there whole or not at all, and the next
 * start has one that stays. */
static void test_killed_at_each_call(void **state)
{
	struct room *r = *state;
	struct seckey before, after, again;
	int steps = 0, without = 0, with = 0;
	bool killed;

	do {
		enum err err;

		killed = kill_after(r, steps++);
		err = get(r, &before);
		assert_true(err == OK || err == ERR_NOT_FOUND);
		without += err != OK;
		with += err == OK;
		assert_int_equal(store_key_ensure(&after, r->path, r->crypto, &r->rng, r->why), OK);
		if (err == OK)
			assert_memory_equal(after.b, before.b, 32);
		assert_int_equal(get(r, &again), OK);
		assert_memory_equal(again.b, after.b, 32);
		sweep(r, "");
	} while (killed);
	assert_true(without > 10);
	assert_true(with > 4);
}

static void test_secret_file(void **state)
{
	struct room *r = *state;
	char out[17];
	size_t len;

	put(r, "sesame\r\n", 8, 0600);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), OK);
	assert_string_equal(out, "sesame");
	assert_int_equal(len, 6);
	put(r, "two\nlines\n", 10, 0600);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), OK);
	assert_string_equal(out, "two\nlines");
	put(r, "0123456789abcdef", 16, 0600);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), OK);
	put(r, "0123456789abcdefg", 17, 0600);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), ERR_SIZE);
	assert_int_equal(out[0], 0); /* nothing of it stays */
	put(r, "\n", 1, 0600);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), ERR_SIZE);
	put(r, "sesame", 6, 0640);
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), ERR_IO);
	sweep(r, "");
	assert_int_equal(store_secret_read(out, &len, 16, r->path, r->why), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_killed_at_each_call),
		cmocka_unit_test(test_secret_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
