/* SPDX-License-Identifier: MIT */
/* bench/load/main.c - the acts of a run, and the line that tells how it went.
 *
 *	connect   everybody but late receivers; CPU and memory of each
 *	preload   envelopes that the node is to hold; memory of each
 *	hold      silence; what the node burns meanwhile
 *	clock     the stream; CPU of each envelope, latency
 *	late      receivers join and fetch what is stored
 *	audit     one more peer counts a sample
 *
 * A run is void if the generator used more than 90 % of a core under the clock,
 * lost a peer, or sent more than 5 % of its packets over 20 ms late.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/load.h"
#include "bench/load/options.h"

#define QUIET_NS     20000000 /* a node that used less than a fifth of that is at rest */
#define POLL_NS	     1000000
#define SETTLE_NS    100000000
#define STALLED_NS   5000000000 /* a late joiner who gets nothing more */
#define AUDIT_NS     10000000000
#define GEN_BUSY_MAX 0.9

/* What one act cost. */
struct act {
	double wall_s, node_cpu_s, gen_cpu_s;
	struct proc before, after;
	uint64_t start_ns, gen_before_ns;
};

struct run {
	struct load load;
	struct plan plan;
	struct corpus preload, clock;
	struct act connect, fill, hold, stream, join;
	bool complete; /* everything that was waited for came */
	uint32_t audited, to_audit;
	uint64_t end_ns;
	uint64_t pss;
};

void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

static uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void act_begin(const struct run *r, struct act *a)
{
	proc_read(&a->before, r->plan.pid);
	a->gen_before_ns = own_cpu_ns();
	a->start_ns = clock_ns();
}

static void act_end(const struct run *r, struct act *a)
{
	a->wall_s = (double)(clock_ns() - a->start_ns) / 1e9;
	a->gen_cpu_s = (double)(own_cpu_ns() - a->gen_before_ns) / 1e9;
	proc_read(&a->after, r->plan.pid);
	a->node_cpu_s = (double)(a->after.cpu_ns - a->before.cpu_ns) / 1e9;
}

/* --- waiting ----------------------------------------------------------------------- */

static bool never(struct load *l)
{
	(void)l;
	return false;
}

static bool all_up(struct load *l)
{
	return l->next_dial == l->peer_count && l->dialling == 0;
}

static bool all_sent(struct load *l)
{
	const struct stream *s = &l->stream;

	for (uint32_t i = s->first_publisher; i < s->first_publisher + s->publishers; i++) {
		const struct peer *p = &l->peers[i];

		if (p->state == PEER_UP &&
		    (p->next < s->corpus->packet_count || rlpx_wants_output(p->conn)))
			return false;
	}
	return true;
}

/* Every receiver has every envelope up to the end of the stream. */
static bool all_received(struct load *l)
{
	const struct corpus *c = l->stream.corpus;

	for (uint32_t i = 0; i < l->peer_count; i++) {
		const struct peer *p = &l->peers[i];

		if (p->role == RECEIVER && p->state == PEER_UP && p->distinct < c->first + c->count)
			return false;
	}
	return true;
}

/* Until the node has read all that was written, and rests.  Returns when it had read. */
static uint64_t wait_taken(struct run *r)
{
	uint16_t port = r->plan.node.at.tcp;
	uint64_t taken, cpu, at;

	while (proc_unread(port) > 0 && clock_ns() < r->end_ns)
		loop_until(&r->load, never, clock_ns() + POLL_NS);
	taken = clock_ns();
	if (r->plan.pid == 0)
		return taken;
	do {
		cpu = proc_cpu_ns(r->plan.pid);
		at = clock_ns();
		loop_until(&r->load, never, at + QUIET_NS);
	} while (proc_cpu_ns(r->plan.pid) - cpu > QUIET_NS / 5 && clock_ns() < r->end_ns &&
		 at - taken < 2000000000u);
	return taken;
}

static bool has_receivers(const struct run *r)
{
	return r->plan.receivers > 0 && !r->plan.late;
}

/* --- acts --------------------------------------------------------------------------- */

static void add_peers(struct run *r, enum role role, uint32_t count)
{
	struct load *l = &r->load;

	for (uint32_t i = 0; i < count; i++, l->peer_count++) {
		struct peer *p = &l->peers[l->peer_count];

		*p = (struct peer){ .role = role, .index = l->peer_count, .fd = -1 };
		if (role == RECEIVER || role == AUDITOR)
			p->seen = calloc(l->envelopes / 8 + 1, 1);
	}
}

static void connect_all(struct run *r, struct act *a)
{
	act_begin(r, a);
	if (!loop_until(&r->load, all_up, r->end_ns))
		give_up("not all peers were accepted in time");
	loop_until(&r->load, never, clock_ns() + SETTLE_NS);
	act_end(r, a);
	if (r->load.lost > 0)
		for (uint32_t i = 0; i < r->load.peer_count; i++)
			if (r->load.peers[i].state == PEER_LOST)
				give_up("peer %u was lost while connecting: %s, %s", i,
					err_name(r->load.peers[i].err),
					rlpx_reason_text(r->load.peers[i].reason));
}

/* Send a corpus and wait until it arrived where it can be seen. */
static void send_stream(struct run *r, struct act *a, const struct corpus *c, uint32_t first,
			uint32_t publishers, uint32_t copies, double rate)
{
	struct load *l = &r->load;

	for (uint32_t i = 0; i < l->peer_count; i++)
		l->peers[i].next = 0;
	act_begin(r, a);
	l->stream = (struct stream){ .corpus = c,
				     .first_publisher = first,
				     .publishers = publishers,
				     .copies = copies,
				     .rate = rate,
				     .start_ns = clock_ns() };
	r->complete &= loop_until(l, all_sent, r->end_ns);
	if (has_receivers(r)) {
		r->complete &= loop_until(l, all_received, r->end_ns);
		act_end(r, a);
	} else {
		uint64_t taken = wait_taken(r);

		act_end(r, a);
		a->wall_s = (double)(taken - a->start_ns) / 1e9;
	}
}

/* How many of the run's envelopes are distinct at the slowest late receiver. */
static uint32_t slowest(const struct load *l)
{
	uint32_t min = UINT32_MAX;

	for (uint32_t i = 0; i < l->peer_count; i++)
		if (l->peers[i].role == RECEIVER && l->peers[i].distinct < min)
			min = l->peers[i].distinct;
	return min;
}

/* Late receivers: until all have all, or one gets nothing more. */
static void join_late(struct run *r)
{
	struct load *l = &r->load;
	uint64_t last_ns;
	uint32_t had = 0;

	act_begin(r, &r->join);
	add_peers(r, RECEIVER, r->plan.receivers);
	last_ns = clock_ns();
	while (slowest(l) < l->envelopes && clock_ns() < r->end_ns &&
	       clock_ns() - last_ns < STALLED_NS) {
		loop_until(l, never, clock_ns() + POLL_NS);
		if (slowest(l) > had) {
			had = slowest(l);
			last_ns = clock_ns();
		}
	}
	r->complete &= slowest(l) == l->envelopes;
	act_end(r, &r->join);
}

static void audit(struct run *r)
{
	struct load *l = &r->load;
	uint64_t end = clock_ns() + AUDIT_NS;
	struct peer *p;

	r->to_audit = (l->envelopes + AUDIT_EVERY - 1) / AUDIT_EVERY;
	add_peers(r, AUDITOR, 1);
	p = &l->peers[l->peer_count - 1];
	while (p->distinct < r->to_audit && clock_ns() < end && p->state != PEER_LOST)
		loop_until(l, never, clock_ns() + POLL_NS);
	r->audited = p->distinct;
	r->complete &= r->audited == r->to_audit;
}

static void perform(struct run *r)
{
	const struct plan *p = &r->plan;
	uint32_t first = p->idle + (p->late ? 0 : p->receivers);

	add_peers(r, IDLE, p->idle);
	add_peers(r, RECEIVER, p->late ? 0 : p->receivers);
	add_peers(r, PUBLISHER, p->publishers);
	connect_all(r, &r->connect);
	if (p->preload > 0)
		send_stream(r, &r->fill, &r->preload, first, 1, 1, 0);
	if (p->hold_s > 0) {
		loop_until(&r->load, never, clock_ns() + 10 * SETTLE_NS);
		act_begin(r, &r->hold);
		loop_until(&r->load, never, clock_ns() + p->hold_s * 1000000000ull);
		act_end(r, &r->hold);
	}
	if (p->repeat)
		send_stream(r, &r->stream, &r->preload, first + 1, p->publishers - 1,
			    p->publishers - 1, p->rate);
	else if (p->count > 0)
		send_stream(r, &r->stream, &r->clock, first, p->publishers, p->copies, p->rate);
	r->pss = proc_pss(p->pid);
	if (p->late)
		join_late(r);
	if (p->audit)
		audit(r);
}

/* --- the line ------------------------------------------------------------------------ */

static void text(const char *name, const char *value)
{
	char escaped[TEXT_ESCAPED_MAX];

	text_escape(escaped, (const uint8_t *)value, strlen(value));
	for (char *c = escaped; *c != '\0'; c++) /* \xNN is not JSON */
		if (*c == '\\')
			*c = '/';
	printf("\"%s\":\"%s\",", name, escaped);
}

static void value(const char *name, double v)
{
	printf("\"%s\":%.9g,", name, v);
}

static void print_act(const char *name, const struct act *a)
{
	char full[64];

	if (a->start_ns == 0)
		return;
#define ACT(what, v) (snprintf(full, sizeof(full), "%s_%s", name, what), value(full, v))
	ACT("s", a->wall_s);
	ACT("cpu_s", a->node_cpu_s);
	ACT("ticks_s", (double)(a->after.ticks_ms - a->before.ticks_ms) / 1e3);
	ACT("gen_s", a->gen_cpu_s);
	ACT("rss_before", (double)a->before.rss);
	ACT("rss_after", (double)a->after.rss);
	ACT("anon_before", (double)a->before.anon);
	ACT("anon_after", (double)a->after.anon);
	ACT("io_calls", (double)(a->after.io_calls - a->before.io_calls));
	ACT("faults", (double)(a->after.min_faults - a->before.min_faults));
#undef ACT
}

static void print_received(const struct run *r)
{
	const struct load *l = &r->load;
	uint64_t distinct = 0, copies = 0, bytes = 0;
	uint32_t receivers = 0;

	for (uint32_t i = 0; i < l->peer_count; i++) {
		const struct peer *p = &l->peers[i];

		if (p->role != RECEIVER)
			continue;
		receivers++;
		distinct += p->distinct;
		copies += p->copies;
		bytes += p->bytes;
	}
	value("missing", receivers > 0 ? (double)l->envelopes * receivers - (double)distinct : 0);
	value("delivered", (double)distinct);
	value("delivered_twice", (double)(copies - distinct));
	value("delivered_bytes", (double)bytes);
	value("foreign", (double)l->foreign);
}

static void print_latency(struct samples *s)
{
	static const struct {
		const char *name;
		double share;
	} marks[] = { { "p1_ms", .01 },	 { "p50_ms", .5 },    { "p90_ms", .9 },
		      { "p99_ms", .99 }, { "p999_ms", .999 }, { "max_ms", 1 } };

	value("latencies", s->count);
	for (size_t i = 0; s->count > 0 && i < sizeof(marks) / sizeof(marks[0]); i++)
		value(marks[i].name, samples_ms(s, marks[i].share));
}

/* The first rule that the run broke, or "". */
static const char *void_because(const struct run *r)
{
	const struct stream *s = &r->load.stream;

	if (r->load.lost > 0)
		return "peers were lost";
	if (!r->complete)
		return "not everything came in time";
	if (r->stream.wall_s > 0 && r->stream.gen_cpu_s > GEN_BUSY_MAX * r->stream.wall_s)
		return "the generator was busy";
	if (s->corpus != NULL && s->slipped * 20ull > s->corpus->packet_count)
		return "the schedule slipped";
	return "";
}

static void print_losses(const struct load *l)
{
	value("lost", l->lost);
	for (uint32_t i = 0; i < l->peer_count; i++)
		if (l->peers[i].state == PEER_LOST) { /* the first speaks for all */
			text("lost_error", err_name(l->peers[i].err));
			text("lost_reason", rlpx_reason_text(l->peers[i].reason));
			return;
		}
}

static void print(struct run *r)
{
	const struct plan *p = &r->plan;

	putchar('{');
	text("name", p->name);
	text("client", r->load.client);
	text("void", void_because(r));
	value("publishers", p->publishers);
	value("receivers", p->receivers);
	value("idle", p->idle);
	value("preload", p->preload);
	value("count", p->repeat ? (double)p->preload * (p->publishers - 1) : p->count);
	value("size", p->size);
	value("batch", p->batch);
	value("copies", p->copies);
	value("rate", p->rate);
	print_act("connect", &r->connect);
	print_act("preload", &r->fill);
	print_act("hold", &r->hold);
	print_act("stream", &r->stream);
	print_act("join", &r->join);
	value("slip_max_ms", (double)r->load.stream.slip_max_ns / 1e6);
	print_latency(&r->load.latency);
	print_received(r);
	print_losses(&r->load);
	value("audited", r->audited);
	value("to_audit", r->to_audit);
	value("pss", (double)r->pss);
	printf("\"complete\":%s}\n", r->complete ? "true" : "false");
}

/* --- the run -------------------------------------------------------------------------- */

static bool fill_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	return getentropy(out, len) == 0;
}

static void prepare(struct run *r, int argc, char **argv)
{
	struct load *l = &r->load;
	struct plan *p = &r->plan;
	uint8_t random[16];

	l->rng = (struct rng){ .fill = fill_random };
	mem_init(&l->mem);
	for (int i = 0; i < MEM_ACCOUNTS; i++)
		l->mem.cap[i] = SIZE_MAX;
	l->mem.total_cap = SIZE_MAX;
	if (crypto_new(&l->crypto, &l->rng) != OK || rng_fill(&l->rng, random, 16) != OK)
		give_up("no random bytes");
	options_read(p, argc, argv, l->crypto);
	l->plan = p;
	l->tag = be24_load(random);
	memcpy(l->topic.b, random + 3, 4);
	memcpy(l->audited.b, random + 7, 4);
	l->envelopes = p->preload + p->count;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->peers = calloc(LOAD_PEERS_MAX, sizeof(*l->peers));
	l->read_buffers = malloc((size_t)LOAD_READS_MAX * LOAD_READ_SIZE);
	if (l->epoll < 0 || l->peers == NULL || l->read_buffers == NULL)
		give_up("out of memory");
	samples_make(&l->latency, p->rate > 0 ? p->count * p->receivers : 0);
	corpus_make(l, &r->preload, 0, p->preload);
	corpus_make(l, &r->clock, p->preload, p->count);
	r->complete = true;
	r->end_ns = clock_ns() + p->timeout_s * 1000000000ull;
}

int main(int argc, char **argv)
{
	static struct run r;

	prepare(&r, argc, argv);
	perform(&r);
	print(&r);
	for (uint32_t i = 0; i < r.load.peer_count; i++) {
		peer_free(&r.load, &r.load.peers[i]);
		free(r.load.peers[i].seen);
	}
	corpus_free(&r.preload);
	corpus_free(&r.clock);
	free(r.load.latency.us);
	free(r.load.read_buffers);
	free(r.load.peers);
	close(r.load.epoll);
	crypto_free(r.load.crypto);
	return 0;
}
