/* SPDX-License-Identifier: MIT */
/* shh/job.h - work that takes long and has no state: it leaves a machine as a job
 * and comes back as a result.  A driver runs jobs on workers, tests run them
 * inline, the simulator charges virtual time for them.
 */
#ifndef SHH_JOB_H
#define SHH_JOB_H

#include "shh/envelope.h"

/* Search a nonce.  Run in slices, so that a driver can keep its time limit and
 * its cancellations between them.  Copied by value: nothing is borrowed. */
struct shh_seal_job {
	struct keccak_search search;
	enum shh_digest digest;
	/* Enough, 1..256; 0: the best that hashes_max and the time allow.  A target
	 * that needs no bits needs no job: nonce 0 will do. */
	unsigned bits;
	uint32_t time_ms;    /* the driver ends the job after it; 0: no limit but hashes_max */
	uint64_t hashes_max; /* give up after so many; UINT64_MAX: never; 0: at once */
};

struct shh_seal_progress {
	uint64_t next;	/* first nonce not yet tried */
	uint64_t nonce; /* the sufficient one; without a target the best so far */
	unsigned bits;	/* its zero bits; below the job's: not found */
	bool done;	/* enough found, or hashes_max tried */
};

/* Try up to count more nonces, upwards from p->next (start with a zeroed p).
 * The result is the smallest sufficient nonce, or the smallest of the best ones,
 * whatever the slices and lanes.  Does nothing once p->done. */
void shh_seal_run(const struct shh_seal_job *job, struct shh_seal_progress *p, uint64_t count);

#endif /* SHH_JOB_H */
