/* SPDX-License-Identifier: MIT */
/* bench/corpus.h - Messages packets full of envelopes that nobody has seen. */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include "base/blob.h"
#include "shh/shh.h"

#define CORPUS_WALL_MS 1600000000000 /* the wall clock of every bench at now_ms 0 */
#define CORPUS_TTL_S   3600

struct corpus {
	struct blob **packets;
	size_t packet_count;
	size_t batch;	     /* envelopes of a packet */
	size_t content_len;  /* bytes of an envelope that are hashed, without its nonce */
	size_t envelope_len; /* bytes of an envelope on the wire */
};

/* Make count envelopes of size bytes (20 + data, as geth counts them), unlike
 * any others made with another seed.  Aborts if memory is short. */
void corpus_make(struct corpus *out, struct mem *mem, size_t count, size_t size, size_t batch,
		 uint64_t seed);
void corpus_free(struct corpus *c);

/* The ledger of a bench: no caps. */
void bench_mem_init(struct mem *m);

/* What hashing, recognising and storing one envelope of the corpus costs at
 * least, and recognising alone, in ns, by the primitives of this process. */
double corpus_new_limit_ns(const struct corpus *c);
double corpus_repeat_limit_ns(const struct corpus *c);

#endif /* BENCH_CORPUS_H */
