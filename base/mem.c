/* SPDX-License-Identifier: MIT */
/* base/mem.c - the ledger: every growth is asked for, counted, and may be refused. */
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

/* hardening §2.  Accounts without a cap of their own are bounded by the caps
 * of the tables behind them, and by the ledger. */
static const size_t default_cap[MEM_ACCOUNTS] = {
	[MEM_FIXED] = SIZE_MAX,	  [MEM_PREAUTH] = 512 * KIB,
	[MEM_RECEIVE] = 64 * MIB, /* 48 of reassembly and 16 of decompression */
	[MEM_SEND] = 24 * MIB,	  [MEM_POOL] = 64 * MIB,
	[MEM_FILTERS] = 16 * MIB, [MEM_PEERS] = SIZE_MAX,
	[MEM_JOBS] = SIZE_MAX,
};

void mem_init(struct mem *m)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->cap, default_cap, sizeof(m->cap));
	m->total_cap = 256 * MIB;
	m->fail_after = UINT64_MAX;
}

/* Enter more bytes, or count a refusal. */
static bool mem_enter(struct mem *m, enum mem_account a, size_t more)
{
	bool scarce = m->fail_after == 0;

	if (m->fail_after != UINT64_MAX && m->fail_after > 0)
		m->fail_after--;
	/* The caps may have been lowered below what is in use. */
	if (scarce || m->used[a] > m->cap[a] || more > m->cap[a] - m->used[a] ||
	    m->total_used > m->total_cap || more > m->total_cap - m->total_used) {
		m->refused[a]++;
		return false;
	}
	m->used[a] += more;
	m->total_used += more;
	return true;
}

static void mem_leave(struct mem *m, enum mem_account a, size_t less)
{
	assert(less <= m->used[a] && less <= m->total_used);
	m->used[a] -= less;
	m->total_used -= less;
}

void *mem_alloc(struct mem *m, enum mem_account a, size_t size)
{
	void *p;

	if (!mem_enter(m, a, size))
		return NULL;
	p = calloc(1, size > 0 ? size : 1);
	if (p == NULL) {
		mem_leave(m, a, size);
		m->refused[a]++;
	}
	return p;
}

void *mem_resize(struct mem *m, enum mem_account a, void *p, size_t old_size, size_t new_size)
{
	size_t before = p != NULL ? old_size : 0;
	size_t more = new_size > before ? new_size - before : 0;
	void *moved;

	if (more > 0 && !mem_enter(m, a, more))
		return NULL;
	moved = realloc(p, new_size > 0 ? new_size : 1);
	if (moved == NULL) {
		mem_leave(m, a, more);
		m->refused[a]++;
		return NULL;
	}
	if (before > new_size)
		mem_leave(m, a, before - new_size);
	return moved;
}

void mem_free(struct mem *m, enum mem_account a, void *p, size_t size)
{
	if (p == NULL)
		return;
	mem_leave(m, a, size);
	free(p);
}

/* Whether used > cap * num / den, without a product that could wrap. */
static bool above(size_t used, size_t cap, unsigned num, unsigned den)
{
	if (cap == SIZE_MAX)
		return false;
	return used > cap / den * num + cap % den * num / den;
}

bool mem_above(const struct mem *m, enum mem_account a, unsigned num, unsigned den)
{
	return above(m->used[a], m->cap[a], num, den) ||
	       above(m->total_used, m->total_cap, num, den);
}
