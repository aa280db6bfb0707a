/* SPDX-License-Identifier: MIT */
/* bench/load/load.h - a load for any shh/6 node over real RLPx: what the parts share.
 *
 * The generator knows a node by its enode URL, and by its process id where CPU
 * and memory are to be counted; nothing else.  Publishers send envelopes that
 * were encoded beforehand, receivers decrypt and count what comes, idle peers
 * only stay.  One thread, one epoll loop.
 *
 * Bounds: LOAD_PEERS_MAX connections, LOAD_DIALS_MAX of them under way at a
 * time, LOAD_CORPUS_MAX bytes of envelopes; every wait ends at --timeout.
 * Targets off loopback are refused.
 */
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include "base/mem.h"
#include "enr/enr.h"
#include "rlpx/rlpx.h"
#include "shh/packet.h"

#define LOAD_PEERS_MAX	5000
#define LOAD_DIALS_MAX	8	     /* nodes bound their pending handshakes */
#define LOAD_CORPUS_MAX (1ull << 30) /* bytes; more: refused at the start */
#define LOAD_READS_MAX	32	     /* sockets read in one turn; the others in the next */
#define LOAD_READ_SIZE	131072	     /* bytes read from one at a time */
#define LOAD_AHEAD_MAX	(8u << 20) /* bytes sent that a receiver did not get yet; more: it waits */
#define AUDIT_EVERY	64	   /* one envelope in so many has the audited topic */

enum role {
	PUBLISHER, /* deaf once its Status came: what comes is thrown away unread */
	RECEIVER,  /* wants everything */
	AUDITOR,   /* wants the audited topic only: proves acceptance at 1/64 of the cost */
	IDLE,	   /* as a receiver, and counts nothing */
};

/* What to do; filled in from the command line. */
struct plan {
	const char *name;   /* repeated in the result */
	const char *client; /* said in Hello */
	struct enode node, far;
	bool has_far; /* receivers are attached to far instead */
	int pid;      /* of node; 0: CPU and memory are not counted */
	uint32_t publishers, receivers, idle;
	uint32_t preload, count; /* envelopes before and under the clock */
	uint32_t size;		 /* 20 + data bytes, as geth counts */
	uint32_t batch;		 /* envelopes of a packet */
	uint32_t copies;	 /* publishers that send each of them */
	uint32_t limit;		 /* bytes of a packet that a receiver takes */
	uint32_t bits;		 /* zero bits of each envelope's digest, at least */
	uint32_t ttl_s;
	double rate;	 /* envelopes per second under the clock; 0: as fast as it goes */
	bool repeat;	 /* under the clock all but the first publisher send the preload again */
	bool late;	 /* receivers join when everything was sent */
	bool audit;	 /* an auditor joins at the end */
	bool no_snappy;	 /* p2p/4 */
	uint32_t hold_s; /* measured silence after the preload */
	uint32_t timeout_s;
};

/* Envelopes first .. first + count - 1 of the run, encoded in packets. */
struct corpus {
	struct blob **packets;
	uint32_t packet_count;
	uint32_t first, count;
	uint64_t bytes;
};

/* Who sends what since when. */
struct stream {
	const struct corpus *corpus;
	uint32_t first_publisher, publishers, copies;
	double rate;
	bool held;	 /* too far ahead of a receiver */
	uint64_t queued; /* envelopes so far, copies included */
	uint64_t start_ns;
	uint64_t slip_max_ns; /* the latest that a packet was queued after its time */
	uint32_t slipped;     /* packets queued more than 20 ms late, by our own doing */
};

enum peer_state { PEER_NEW, PEER_DIALING, PEER_SHAKING, PEER_UP, PEER_LOST };

struct peer {
	enum role role;
	enum peer_state state;
	uint32_t index;
	int fd;
	struct rlpx_host *host;
	struct rlpx *conn;
	bool socket_full;
	bool held;		/* the node took so little that packets wait past their time */
	uint64_t said_ns;	/* when a deaf one kept its connection alive */
	uint32_t next;		/* packet to send next, of the stream's share */
	uint8_t *seen;		/* bit n: envelope n came */
	uint32_t distinct;	/* of them */
	uint64_t copies, bytes; /* delivered, and on the wire */
	unsigned reason;	/* of its end */
	enum err err;
};

/* Samples in microseconds, exact; past the room they are counted, not kept. */
struct samples {
	uint32_t *us;
	uint32_t count, room;
	uint64_t lost;
};

struct load {
	const struct plan *plan;
	struct crypto *crypto;
	struct mem mem;
	struct rng rng;
	int epoll;
	struct peer *peers;
	uint32_t peer_count, next_dial, dialling, lost;
	uint32_t envelopes; /* of the whole run: size of the bitmaps */
	uint32_t tag;	    /* of the run, 24 bit: tells our envelopes from others' */
	uint64_t foreign;   /* envelopes delivered that are not of this run */
	struct shh_topic topic, audited;
	struct stream stream;
	struct samples latency; /* of stream.corpus, when its rate is set */
	double node_pow;	/* as the node announced it */
	char client[RLPX_CLIENT_MAX + 1];
	uint8_t *read_buffers;
	uint64_t ticked_ns;
};

/* --- corpus.c */
void corpus_make(struct load *l, struct corpus *c, uint32_t first, uint32_t count);
void corpus_free(struct corpus *c);
/* The number of an envelope of this run; false if it is somebody else's. */
bool corpus_number(const struct load *l, const struct shh_envelope *env, uint32_t *number);
struct blob *status_make(struct load *l, enum role role);

/* --- peer.c */
void peer_dial(struct load *l, struct peer *p);
void peer_connected(struct load *l, struct peer *p);
/* Everything that the inputs' connections have to say; inputs[i] belongs to peers[i]. */
void peers_take(struct load *l, struct peer **peers, struct rlpx_input *inputs, size_t count);
void peer_skip_input(struct load *l, struct peer *p); /* of a deaf one */
void peer_lose(struct load *l, struct peer *p, enum err e, unsigned reason);
/* Queue what the stream has for a publisher now; true if anything was. */
bool peer_publish(struct load *l, struct peer *p, uint64_t now_ns);
void peer_free(struct load *l, struct peer *p);

/* --- loop.c */
uint64_t clock_ns(void);
static inline uint64_t now_ms(void)
{
	return clock_ns() / 1000000;
}
/* One wake: dial, read, publish, seal, write; back at until_ns at the latest. */
void loop_turn(struct load *l, uint64_t until_ns);
/* Turns until done(l) or the time is over; true if done. */
bool loop_until(struct load *l, bool (*done)(struct load *l), uint64_t end_ns);
void loop_watch(struct load *l, struct peer *p, bool writable);

/* --- proc.c: what the kernel knows about a process; zeros if pid is 0 */
struct proc {
	uint64_t cpu_ns;     /* of all its threads */
	uint64_t ticks_ms;   /* the same as the kernel's slower clock has it */
	uint64_t rss, hwm;   /* bytes */
	uint64_t anon;	     /* of them not backed by files, whose pages come and go */
	uint64_t pss;	     /* only from proc_read_pss() */
	uint64_t io_calls;   /* read- and write-like system calls */
	uint64_t min_faults; /* page faults without disk */
};
void proc_read(struct proc *out, int pid);
uint64_t proc_pss(int pid);
uint64_t proc_cpu_ns(int pid);
/* Bytes that lie in loopback sockets between us and the ports of the node. */
uint64_t proc_unread(uint16_t port);

/* --- samples.c */
void samples_make(struct samples *s, uint32_t room);
void samples_add(struct samples *s, uint64_t ns);
double samples_ms(struct samples *s, double share); /* sorts */

/* Print why and leave with 2: the run could not be made. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* BENCH_LOAD_LOAD_H */
