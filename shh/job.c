/* SPDX-License-Identifier: MIT */
/* shh/job.c - the sealing search in slices, the same nonce whatever their size. */
#include "shh/job.h"

static void best_run(const struct shh_seal_job *job, struct shh_seal_progress *p, uint64_t count,
		     enum keccak_zeros kind)
{
	uint64_t nonce;
	unsigned bits = keccak_search_best(&job->search, &nonce, p->next, count, kind);

	if (p->next == 0 || bits > p->bits) {
		p->nonce = nonce;
		p->bits = bits;
	}
	p->next += count;
}

static void enough_run(const struct shh_seal_job *job, struct shh_seal_progress *p, uint64_t count,
		       enum keccak_zeros kind)
{
	uint64_t nonce;

	if (!keccak_search_run(&job->search, &nonce, p->next, count, kind, job->bits)) {
		p->next += count;
		return;
	}
	p->nonce = nonce;
	p->bits = keccak_search_best(&job->search, &nonce, nonce, 1, kind);
	p->next = p->nonce + 1;
	p->done = true;
}

void shh_seal_run(const struct shh_seal_job *job, struct shh_seal_progress *p, uint64_t count)
{
	enum keccak_zeros kind =
		job->digest == SHH_DIGEST_DOUBLE ? KECCAK_TRAILING : KECCAK_LEADING;

	if (p->done)
		return;
	count = u64_min(count, job->hashes_max - u64_min(p->next, job->hashes_max));
	if (count > 0 && job->bits == 0)
		best_run(job, p, count, kind);
	else if (count > 0)
		enough_run(job, p, count, kind);
	if (p->next >= job->hashes_max)
		p->done = true;
}
