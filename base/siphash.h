/* SPDX-License-Identifier: MIT */
/* base/siphash.h - SipHash-2-4 for every table whose keys a stranger chooses (hardening C10). */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1; /* secret per process, from the random port */
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif /* BASE_SIPHASH_H */
