/* SPDX-License-Identifier: MIT */
/* store/file.c - files that only their owner may read, written whole or not at all.
 *
 * What is checked is what was opened (fstat), never a name that may have
 * changed its meaning since.
 */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void store__why(char why[static STORE_WHY_MAX], const char *path, const char *format, ...)
{
	char escaped[TEXT_ESCAPED_MAX];
	va_list args;
	int n;

	text_escape(escaped, (const uint8_t *)path, strlen(path));
	n = snprintf(why, STORE_WHY_MAX, "%s: ", escaped);
	va_start(args, format);
	vsnprintf(why + n, STORE_WHY_MAX - (size_t)n, format, args);
	va_end(args);
}

enum err store__check_ours(const struct stat *st, const char *path, unsigned wanted,
			   const char *because, char why[static STORE_WHY_MAX])
{
	if (st->st_uid != geteuid()) {
		store__why(why, path, "belongs to user %u, expected user %u, who runs this",
			   (unsigned)st->st_uid, (unsigned)geteuid());
		return ERR_IO;
	}
	if (st->st_mode & 077) {
		store__why(why, path, "has mode %04o, expected %04o: %s",
			   (unsigned)st->st_mode & 07777, wanted, because);
		return ERR_IO;
	}
	return OK;
}

static enum err check_private(int fd, const char *path, char why[static STORE_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		store__why(why, path, "cannot be examined: %s", strerror(errno));
		return ERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		store__why(why, path, "is no regular file");
		return ERR_IO;
	}
	return store__check_ours(&st, path, 0600, "others must not read a secret", why);
}

/* One byte more than max is asked for, so that a longer file shows. */
static enum err read_whole(int fd, uint8_t *out, size_t *len, size_t max, const char *path,
			   char why[static STORE_WHY_MAX])
{
	uint8_t extra;
	size_t have = 0;

	for (;;) {
		bool full = have == max;
		ssize_t n = read(fd, full ? &extra : out + have, full ? 1 : max - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			store__why(why, path, "cannot be read: %s", strerror(errno));
			return ERR_IO;
		}
		if (n == 0)
			break;
		if (full) {
			store__why(why, path, "is longer than %zu bytes", max);
			return ERR_SIZE;
		}
		have += (size_t)n;
	}
	*len = have;
	return OK;
}

enum err store__read_private(uint8_t *out, size_t *len, size_t max, const char *path,
			     char why[static STORE_WHY_MAX])
{
	/* O_NONBLOCK: a FIFO put there must not hold the start up. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err err;

	if (fd < 0) {
		err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
		store__why(why, path, "cannot be opened: %s",
			   errno == ELOOP ? "it is a symbolic link, expected the file itself"
					  : strerror(errno));
		return err;
	}
	err = check_private(fd, path, why);
	if (err == OK)
		err = read_whole(fd, out, len, max, path, why);
	close(fd);
	if (err != OK)
		crypto_wipe(out, max);
	return err;
}

/* --- writing ---------------------------------------------------------------- */

static enum err write_whole(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0 ? OK : ERR_IO;
}

/* A name is only safe on disk once its folder is. */
static enum err sync_folder_of(const char *path)
{
	char folder[STORE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd, failed;

	if (slash == NULL) {
		memcpy(folder, ".", 2);
	} else {
		memcpy(folder, path, len + 1); /* with the slash: "/key" lies in "/" */
		folder[len + 1] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	failed = fsync(fd);
	close(fd);
	/* Some filesystems do not know fsync on folders and say so. */
	return failed && errno != EINVAL ? ERR_IO : OK;
}

/* Write the temporary file, then give it its name, which link() does only if
 * the name is free: an existing key cannot be lost, not even in a race. */
static enum err write_and_place(const char *temp, const char *path, const uint8_t *data, size_t len)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum err err;
	int saved;

	if (fd < 0)
		return ERR_IO;
	err = write_whole(fd, data, len);
	if (close(fd) != 0 && err == OK)
		err = ERR_IO;
	if (err == OK && link(temp, path) != 0)
		err = errno == EEXIST ? ERR_EXISTS : ERR_IO;
	saved = errno;
	unlink(temp);
	errno = saved;
	return err == OK ? sync_folder_of(path) : err;
}

enum err store__write_private(const char *path, const uint8_t *data, size_t len,
			      const struct rng *rng, char why[static STORE_WHY_MAX])
{
	char temp[STORE_PATH_MAX];
	uint8_t tag[8];
	char hex[2 * sizeof(tag) + 1];
	struct stat st;
	enum err err;
	int n;

	if (rng_fill(rng, tag, sizeof(tag)) != OK) {
		store__why(why, path, "no random bytes to be had");
		return ERR_RANDOM;
	}
	hex_encode(hex, tag, sizeof(tag));
	n = snprintf(temp, sizeof(temp), "%s.%s.tmp", path, hex);
	if (n < 0 || (size_t)n >= sizeof(temp)) {
		store__why(why, path, "is longer than %d characters", STORE_PATH_MAX - 22);
		return ERR_IO;
	}
	if (lstat(path, &st) == 0)
		err = ERR_EXISTS;
	else
		err = write_and_place(temp, path, data, len);
	if (err == ERR_EXISTS)
		store__why(why, path, "exists already and is never overwritten");
	else if (err != OK)
		store__why(why, path, "cannot be written: %s", strerror(errno));
	return err;
}
