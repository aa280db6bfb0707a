/* SPDX-License-Identifier: MIT */
/* store/file.h - inside the room: files that only their owner may read. */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <sys/stat.h>

#include "store/store.h"

/* Say why, in one line: the path, then the printf text. */
void store__why(char why[static STORE_WHY_MAX], const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Check that it belongs to us and gives nobody else any right.
 *
 * st       of what was opened
 * wanted   the mode to name in why, and because: what others must not do
 */
MUST_CHECK enum err store__check_ours(const struct stat *st, const char *path, unsigned wanted,
				      const char *because, char why[static STORE_WHY_MAX]);

/* Read a private file of at most max bytes whole: regular, no symbolic link,
 * ours, no rights for anybody else (hardening K1).
 *
 * errors   ERR_NOT_FOUND; ERR_IO; ERR_SIZE if it is longer
 */
MUST_CHECK enum err store__read_private(uint8_t *out, size_t *len, size_t max, const char *path,
					char why[static STORE_WHY_MAX]);

/* Put a new private file in place whole or not at all (hardening K2).
 *
 * errors   ERR_EXISTS, and the file there is untouched; ERR_IO; ERR_RANDOM
 */
MUST_CHECK enum err store__write_private(const char *path, const uint8_t *data, size_t len,
					 const struct rng *rng, char why[static STORE_WHY_MAX]);

#endif /* STORE_FILE_H */
