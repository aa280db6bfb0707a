/* SPDX-License-Identifier: MIT */
/* store/store.h - what outlives a restart: the node key (records, reputation and
 * the mail archive come later).
 *
 * Files are written whole: temporary, fsync, put in place under a name that
 * must be free, fsync of the folder.  A key that exists is never overwritten
 * (hardening K1-K3).
 *
 * Every function that may fail for a reason of the system explains itself in
 * `why`: the path, what was found, and what was expected; one line, no newline.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"
#include "crypto/crypto.h"

#define STORE_WHY_MAX  512
#define STORE_PATH_MAX 1024 /* characters of a path, with NUL; longer: refused */

/* Make the data folder (0700) and those above it if missing; check that it is a
 * folder, no symbolic link, ours, and closed to everybody else.
 *
 * errors   ERR_IO
 */
MUST_CHECK enum err store_dir_open(const char *path, char why[static STORE_WHY_MAX]);

/* Read a key file as geth writes it: 64 hex digits, at most two CR or LF after
 * them; a regular file, no symbolic link, ours, closed to everybody else.
 *
 * out      untouched on error
 * errors   ERR_NOT_FOUND; ERR_IO; ERR_KEY
 */
MUST_CHECK enum err store_key_read(struct seckey *out, const char *path, const struct crypto *c,
				   char why[static STORE_WHY_MAX]);

/* Write a new key file, 0600.
 *
 * rng      names the temporary file
 * errors   ERR_EXISTS; ERR_IO; ERR_RANDOM
 */
MUST_CHECK enum err store_key_write(const char *path, const struct seckey *key,
				    const struct rng *rng, char why[static STORE_WHY_MAX]);

/* Read it, or make it on first start.  errors as the two above but ERR_NOT_FOUND */
MUST_CHECK enum err store_key_ensure(struct seckey *out, const char *path, const struct crypto *c,
				     const struct rng *rng, char why[static STORE_WHY_MAX]);

/* Read a secret's text (a password, a symmetric key) from a file under the same
 * rules as a key file; one line end at the end is dropped.
 *
 * out      max bytes and a NUL; wiped on error
 * errors   ERR_NOT_FOUND; ERR_IO; ERR_SIZE if empty or longer than max
 */
MUST_CHECK enum err store_secret_read(char *out, size_t *len, size_t max, const char *path,
				      char why[static STORE_WHY_MAX]);

/* One process per data folder, until store_unlock() or the process ends.
 *
 * errors   ERR_EXISTS if another one holds it; ERR_IO
 */
MUST_CHECK enum err store_lock(int *out, const char *dir, char why[static STORE_WHY_MAX]);
void store_unlock(int lock);

#endif /* STORE_STORE_H */
