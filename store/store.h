/* SPDX-License-Identifier: MIT */
/* store/store.h - what outlives a restart: the node key (records, reputation and
 * the mail archive come later).
 *
 * Files are written whole: temporary, fsync, rename, fsync of the folder; an
 * existing key is never overwritten (hardening K1-K3).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"
#include "crypto/crypto.h"

#define STORE_WHY_MAX 256

/* Make the data folder (0700) and those above it if missing; check its owner and mode.
 *
 * why      on error: what was wrong, with the path, and what was expected
 * errors   ERR_IO
 */
MUST_CHECK enum err store_dir_open(const char *path, char why[static STORE_WHY_MAX]);

/* Read a key file as geth writes it: 64 hex digits, at most two CR or LF after
 * them; owner only, regular file, no symbolic link.
 *
 * errors   ERR_NOT_FOUND; ERR_IO; ERR_KEY
 */
MUST_CHECK enum err store_key_read(struct seckey *out, const char *path, const struct crypto *c,
				   char why[static STORE_WHY_MAX]);

/* Write a new key file, 0600. errors ERR_EXISTS; ERR_IO */
MUST_CHECK enum err store_key_write(const char *path, const struct seckey *key, char why[static STORE_WHY_MAX]);

/* Read it, or make it on first start. */
MUST_CHECK enum err store_key_ensure(struct seckey *out, const char *path, const struct crypto *c,
				     const struct rng *rng, char why[static STORE_WHY_MAX]);

/* One process per data folder. errors ERR_EXISTS if another one holds it; ERR_IO */
MUST_CHECK enum err store_lock(int *out, const char *dir, char why[static STORE_WHY_MAX]);
void store_unlock(int lock);

#endif /* STORE_STORE_H */
