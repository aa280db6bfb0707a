/* SPDX-License-Identifier: MIT */
/* net/workers.c - a few threads that do what takes long.
 *
 * One mutex guards a list of tasks in order of arrival.  A worker takes a slice
 * of a task, works without the lock, and comes back with the outcome; so limits
 * of time and cancellations bind between slices.  Finished tasks move to a
 * second list and an eventfd wakes the loop.
 */
#include "net/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"

#define SLICE_HASHES 8192u		 /* 0.2 ms to 2 ms, by Keccak's body */
#define HELP_AFTER   (16 * SLICE_HASHES) /* a search that went so far is shared */
#define STACK_BYTES  (256 * 1024)	 /* getaddrinfo() is the hungriest guest */

struct task {
	struct task *next;
	void (*fn)(void *arg); /* NULL: a search */
	struct workers_result result;
	/* a search */
	struct shh_seal_job job;
	uint64_t first;	  /* the first nonce that nobody has */
	uint64_t ends_ms; /* UINT64_MAX: no limit of time */
	unsigned hands;	  /* workers on it now */
	bool found;	  /* result.progress is sufficient */
	bool closed;	  /* no more slices of it */
	bool cancelled;
};

struct task_list {
	struct task *head, **tail;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct task_list open; /* waiting or under way */
	struct task_list done;
	size_t calls; /* tasks that are calls, in both lists */
	unsigned idle;
	unsigned count, max;
	bool ending;
	int fd;
	pthread_t thread[NET_WORKERS_MAX];
};

/* --- lists --------------------------------------------------------------------- */

static void list_init(struct task_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

static void list_append(struct task_list *l, struct task *t)
{
	t->next = NULL;
	*l->tail = t;
	l->tail = &t->next;
}

static void list_remove(struct task_list *l, struct task *t)
{
	struct task **at = &l->head;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (l->tail == &t->next)
		l->tail = at;
}

static void list_free(struct task_list *l)
{
	while (l->head != NULL) {
		struct task *t = l->head;

		l->head = t->next;
		free(t);
	}
	l->tail = &l->head;
}

/* --- one worker ------------------------------------------------------------------ */

/* Calls first, then the search it was at, then one nobody is at, then any. */
static struct task *pick(struct workers *w, struct task *mine)
{
	struct task *any = NULL, *fresh = NULL;

	for (struct task *t = w->open.head; t != NULL; t = t->next) {
		if (t->closed)
			continue;
		if (t->fn != NULL)
			return t;
		if (fresh == NULL && t->hands == 0)
			fresh = t;
		if (any == NULL)
			any = t;
	}
	if (mine != NULL)
		return mine;
	return fresh ? fresh : any;
}

static void finish(struct workers *w, struct task *t)
{
	uint64_t one = 1;

	list_remove(&w->open, t);
	if (t->cancelled) {
		free(t);
		return;
	}
	list_append(&w->done, t);
	while (write(w->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* The smallest sufficient nonce wins; short of that the most bits, then the
 * smallest nonce. */
static void merge(struct task *t, const struct shh_seal_progress *p)
{
	struct shh_seal_progress *best = &t->result.progress;
	bool enough = t->job.bits != 0 && p->bits >= t->job.bits;

	if (enough) {
		if (!t->found || p->nonce < best->nonce) {
			best->nonce = p->nonce;
			best->bits = p->bits;
		}
		t->found = true;
		t->closed = true;
	} else if (!t->found &&
		   (p->bits > best->bits || (p->bits == best->bits && p->nonce < best->nonce))) {
		best->nonce = p->nonce;
		best->bits = p->bits;
	}
}

static void *worker(void *arg);

/* One thread more, with every signal blocked: they are the loop's. */
static enum err grow(struct workers *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int failed;

	if (w->count == w->max)
		return OK;
	if (pthread_attr_init(&attr) != 0)
		return ERR_MEM;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_attr_setstacksize(&attr, STACK_BYTES) != 0 ||
		 pthread_create(&w->thread[w->count], &attr, worker, w) != 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (failed)
		return w->count > 0 ? OK : ERR_IO;
	w->count++;
	return OK;
}

/* Returns whether there is more of it to do. */
static bool run_slice(struct workers *w, struct task *t)
{
	struct shh_seal_progress p = { .next = t->first };

	if (t->first == HELP_AFTER && w->idle == 0)
		(void)grow(w); /* a long one: the other cores may help */
	t->first += SLICE_HASHES;
	t->hands++;
	if (t->first >= t->job.hashes_max)
		t->closed = true;
	pthread_mutex_unlock(&w->lock);
	shh_seal_run(&t->job, &p, SLICE_HASHES);
	pthread_mutex_lock(&w->lock);
	t->hands--;
	merge(t, &p);
	if (net_clock_ms() >= t->ends_ms)
		t->closed = true;
	if (!t->closed)
		return true;
	if (t->hands == 0) {
		t->result.progress.next = t->first;
		t->result.progress.done = t->found || t->first >= t->job.hashes_max;
		finish(w, t);
	}
	return false;
}

static void run_call(struct workers *w, struct task *t)
{
	t->closed = true;
	pthread_mutex_unlock(&w->lock);
	t->fn(t->result.arg);
	pthread_mutex_lock(&w->lock);
	finish(w, t);
}

static void *worker(void *arg)
{
	struct workers *w = arg;
	struct task *mine = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->ending) {
		struct task *t = pick(w, mine);

		mine = NULL;
		if (t == NULL) {
			w->idle++;
			pthread_cond_wait(&w->more, &w->lock);
			w->idle--;
		} else if (t->fn != NULL) {
			run_call(w, t);
		} else if (run_slice(w, t)) {
			mine = t; /* still open, and the lock is held until it is picked */
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- the loop's side --------------------------------------------------------------- */

enum err workers_new(struct workers **out, unsigned count)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_MEM;
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0) {
		free(w);
		return ERR_IO;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	list_init(&w->open);
	list_init(&w->done);
	w->max = count < 1 ? 1 : count > NET_WORKERS_MAX ? NET_WORKERS_MAX : count;
	*out = w;
	return OK;
}

static bool join_by(pthread_t thread, uint64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(ms / 1000);
	if (pthread_timedjoin_np(thread, NULL, &until) == 0)
		return true;
	pthread_detach(thread);
	return false;
}

bool workers_free(struct workers *w)
{
	bool all = true;

	if (w == NULL)
		return true;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	for (struct task *t = w->open.head; t != NULL; t = t->next)
		t->closed = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->count; i++)
		all = join_by(w->thread[i], WORKERS_JOIN_MS) && all;
	if (!all)
		return false; /* the system holds one: what it may still touch stays */
	close(w->fd);
	list_free(&w->open);
	list_free(&w->done);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return true;
}

int workers_fd(const struct workers *w)
{
	return w->fd;
}

/* Takes the task over, on error too. */
static enum err submit(struct workers *w, struct task *t, size_t max_calls)
{
	enum err err = OK;

	pthread_mutex_lock(&w->lock);
	if (t->fn != NULL && w->calls >= max_calls)
		err = ERR_FULL;
	else if (w->idle == 0)
		err = grow(w);
	if (err != OK) {
		free(t);
	} else {
		w->calls += t->fn != NULL;
		list_append(&w->open, t);
		pthread_cond_broadcast(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

enum err workers_seal(struct workers *w, uint32_t id, const struct shh_seal_job *job)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_MEM;
	t->job = *job;
	t->result.id = id;
	t->ends_ms = job->time_ms ? time_add(net_clock_ms(), job->time_ms) : UINT64_MAX;
	return submit(w, t, 0);
}

enum err workers_call(struct workers *w, size_t max, void (*fn)(void *arg),
		      void (*done)(void *arg, uint64_t now_ms), void *arg)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_MEM;
	t->fn = fn;
	t->result.done = done;
	t->result.arg = arg;
	return submit(w, t, max);
}

static struct task *search_in(struct task_list *l, uint32_t id)
{
	for (struct task *t = l->head; t != NULL; t = t->next)
		if (t->fn == NULL && t->result.id == id && !t->cancelled)
			return t;
	return NULL;
}

void workers_cancel(struct workers *w, uint32_t id)
{
	struct task *t;

	pthread_mutex_lock(&w->lock);
	t = search_in(&w->open, id);
	if (t != NULL) {
		t->closed = true;
		t->cancelled = true;
		if (t->hands == 0)
			finish(w, t);
	} else {
		t = search_in(&w->done, id);
		if (t != NULL) {
			list_remove(&w->done, t);
			free(t);
		}
	}
	pthread_mutex_unlock(&w->lock);
}

bool workers_next(struct workers *w, struct workers_result *out)
{
	struct task *t;
	uint64_t count;

	pthread_mutex_lock(&w->lock);
	t = w->done.head;
	if (t == NULL) {
		/* Reading clears it; whatever is finished later writes it again. */
		while (read(w->fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
	} else {
		*out = t->result;
		w->calls -= t->fn != NULL;
		list_remove(&w->done, t);
		free(t);
	}
	pthread_mutex_unlock(&w->lock);
	return t != NULL;
}
