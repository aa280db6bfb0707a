/* SPDX-License-Identifier: MIT */
/* store/dir.c - the data folder: made private, checked, held by one process. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* mkdir -p with mode 0700; what exists is left as it is. */
static enum err make_folders(const char *path)
{
	char part[STORE_PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part)) {
		errno = len ? ENAMETOOLONG : ENOENT;
		return ERR_IO;
	}
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return ERR_IO;
		part[i] = path[i];
	}
	return OK;
}

static enum err check_folder(int fd, const char *path, char why[static STORE_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		store__why(why, path, "cannot be examined: %s", strerror(errno));
		return ERR_IO;
	}
	return store__check_ours(&st, path, 0700, "others must not enter it", why);
}

enum err store_dir_open(const char *path, char why[static STORE_WHY_MAX])
{
	enum err err;
	int fd;

	if (make_folders(path) != OK) {
		store__why(why, path, "cannot be made: %s", strerror(errno));
		return ERR_IO;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		store__why(why, path, "cannot be opened: %s",
			   errno == ENOTDIR || errno == ELOOP
				   ? "expected a folder, and no symbolic link to one"
				   : strerror(errno));
		return ERR_IO;
	}
	err = check_folder(fd, path, why);
	close(fd);
	return err;
}

enum err store_lock(int *out, const char *dir, char why[static STORE_WHY_MAX])
{
	char path[STORE_PATH_MAX];
	enum err err = ERR_IO;
	int fd, n = snprintf(path, sizeof(path), "%s/LOCK", dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		store__why(why, dir, "is longer than %d characters", STORE_PATH_MAX - 6);
		return ERR_IO;
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		store__why(why, path, "cannot be opened: %s", strerror(errno));
		return ERR_IO;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out = fd;
		return OK;
	}
	if (errno == EWOULDBLOCK) {
		store__why(why, dir, "is in use by another process, expected a folder of its own");
		err = ERR_EXISTS;
	} else {
		store__why(why, path, "cannot be locked: %s", strerror(errno));
	}
	close(fd);
	return err;
}

void store_unlock(int lock)
{
	close(lock); /* the lock goes with its descriptor; the file stays, as a name to lock */
}
