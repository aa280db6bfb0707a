/* SPDX-License-Identifier: MIT */
/* base/mem.h - one ledger for memory: who holds how much, and who may not grow.
 *
 * Growth in a machine is asked from here under an account's name; the account
 * refuses at its cap, and so does the ledger as a whole.  hardening §2 lists
 * accounts, caps and what each does at the cap.  Not thread-safe: one ledger
 * belongs to one loop.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum mem_account {
	MEM_FIXED,   /* machines themselves, made once */
	MEM_PREAUTH, /* connections before their Hello */
	MEM_RECEIVE, /* frames in reassembly, decompression scratch */
	MEM_SEND,    /* what waits for a socket */
	MEM_POOL,    /* envelopes and their index */
	MEM_FILTERS, /* filters, keys, undelivered messages */
	MEM_PEERS,   /* peers and links past their Hello */
	MEM_JOBS,    /* copied inputs of jobs under way */
	MEM_ACCOUNTS
};

struct mem {
	size_t used[MEM_ACCOUNTS];
	size_t cap[MEM_ACCOUNTS]; /* SIZE_MAX: bounded by total only */
	size_t total_used;
	size_t total_cap;
	uint64_t refused[MEM_ACCOUNTS]; /* how often a cap was hit; shown in metrics */
	uint64_t fail_after; /* scarcity tests: this many more succeed; UINT64_MAX: off */
};

/* The ledger of hardening §2: 256 MiB in all, the accounts as listed there. */
void mem_init(struct mem *m);

/* Bytes, zeroed, or NULL when the account, the ledger or the system has none. */
void *mem_alloc(struct mem *m, enum mem_account a, size_t size) MUST_CHECK;

/* As realloc(); old_size is what was asked for last; new bytes are not zeroed. */
void *mem_resize(struct mem *m, enum mem_account a, void *p, size_t old_size,
		 size_t new_size) MUST_CHECK;

/* Give back; size is what was asked for last; p may be NULL (then size is ignored). */
void mem_free(struct mem *m, enum mem_account a, void *p, size_t size);

/* Whether an account stands above num/den of its cap, or the ledger of its own. */
bool mem_above(const struct mem *m, enum mem_account a, unsigned num, unsigned den);

#endif /* BASE_MEM_H */
