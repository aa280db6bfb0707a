/* SPDX-License-Identifier: MIT */
/* net/workers.h - a few threads that do what takes long: sealing in slices, and
 * calls that block.  They share nothing with the loop but this queue.
 *
 * One sealing search is shared by all workers that have nothing else to do, a
 * slice of nonces each; its answer is the smallest sufficient nonce all the same.
 */
#ifndef NET_WORKERS_H
#define NET_WORKERS_H

#include "base/err.h"
#include "shh/shh.h"

#define WORKERS_JOIN_MS 1000 /* a worker that does not end by then is left behind */

struct workers;

/* No thread is made before there is work.  errors ERR_MEM; ERR_IO */
MUST_CHECK enum err workers_new(struct workers **out, unsigned count);
/* false if one had to be left behind; NULL is allowed. */
bool workers_free(struct workers *w);

/* Becomes readable when workers_next() has something to give. */
int workers_fd(const struct workers *w);

/* errors   ERR_MEM; ERR_IO if not one thread can be made */
MUST_CHECK enum err workers_seal(struct workers *w, uint32_t id, const struct shh_seal_job *job);

/* Forget a search; it has no result then. */
void workers_cancel(struct workers *w, uint32_t id);

/* errors   ERR_FULL past max calls; ERR_MEM; ERR_IO */
MUST_CHECK enum err workers_call(struct workers *w, size_t max, void (*fn)(void *arg),
				 void (*done)(void *arg, uint64_t now_ms), void *arg);

struct workers_result {
	void (*done)(void *arg, uint64_t now_ms); /* NULL: a search */
	void *arg;
	uint32_t id;
	struct shh_seal_progress progress;
};

/* Call after workers_fd() became readable; false when there is no more. */
bool workers_next(struct workers *w, struct workers_result *out);

#endif /* NET_WORKERS_H */
