/* SPDX-License-Identifier: MIT */
/* shh/jobs.c - the table of sealing jobs, and what is told about them. */
#include "shh/internal.h"

#include <assert.h>

#define SLOT_BITS 8 /* a job's number names its slot, so a stale one is recognised */
_Static_assert(SHH_JOBS_MAX == 1 << SLOT_BITS, "a slot fits its bits");

enum err shh__job_new(struct shh *s, struct shh__job **out, enum shh__job_kind kind)
{
	uint32_t slot = 0;
	struct shh__job *j;

	if (s->job_count == SHH_JOBS_MAX)
		return ERR_FULL;
	while (s->jobs[slot] != NULL)
		slot++;
	j = mem_alloc(s->cfg.mem, MEM_JOBS, sizeof(*j));
	if (j == NULL)
		return ERR_MEM;
	j->id = ++s->job_serial << SLOT_BITS | slot;
	j->kind = kind;
	j->direct = -1;
	s->jobs[slot] = j;
	s->job_count++;
	*out = j;
	return OK;
}

void shh__job_free(struct shh *s, struct shh__job *j)
{
	uint32_t slot = j->id & (SHH_JOBS_MAX - 1);

	assert(s->jobs[slot] == j);
	shh__list_leave(&j->link);
	s->jobs[slot] = NULL;
	s->job_count--;
	mem_free(s->cfg.mem, MEM_JOBS, j->content, j->room);
	mem_free(s->cfg.mem, MEM_JOBS, j, sizeof(*j));
}

void shh__job_tell(struct shh *s, struct shh__job *j)
{
	shh__list_append(&s->job_news, &j->link);
}

/* Its result is not wanted any more; a job nobody was told of just goes. */
void shh__job_cancel(struct shh *s, struct shh__job *j)
{
	if (j->state == SHH__JOB_NEW) {
		shh__job_free(s, j);
		return;
	}
	j->state = SHH__JOB_CANCELLED;
	shh__job_tell(s, j);
}

void shh_job_done(struct shh *s, uint32_t job, const struct shh_seal_progress *result,
		  uint64_t now_ms)
{
	struct shh__job *j = s->jobs[job & (SHH_JOBS_MAX - 1)];

	shh__enter(s, now_ms);
	if (j == NULL || j->id != job || j->state != SHH__JOB_RUNNING)
		return;
	switch (j->kind) {
	case SHH__JOB_POST: shh__post_done(s, j, result); break;
	case SHH__JOB_BRIDGE: shh__bridge_done(s, j, result); break;
	}
}

bool shh__jobs_poll(struct shh *s, struct shh_event *ev)
{
	struct shh__job *j;

	if (shh__list_is_empty(&s->job_news))
		return false;
	j = (struct shh__job *)(void *)((char *)s->job_news.next - offsetof(struct shh__job, link));
	shh__list_leave(&j->link);
	*ev = (struct shh_event){ .type = SHH_EV_JOB };
	ev->u.job.id = j->id;
	switch (j->state) {
	case SHH__JOB_NEW:
		ev->u.job.seal = &j->seal;
		j->state = SHH__JOB_RUNNING;
		return true;
	case SHH__JOB_RUNNING:
	case SHH__JOB_CANCELLED:
		ev->type = SHH_EV_JOB_CANCEL;
		shh__job_free(s, j);
		return true;
	case SHH__JOB_ENDED: break;
	}
	*ev = (struct shh_event){ .type = SHH_EV_POSTED };
	ev->u.posted.id = j->id;
	ev->u.posted.err = j->err;
	ev->u.posted.pow = j->pow;
	memcpy(ev->u.posted.hash, j->hash, sizeof(j->hash));
	shh__job_free(s, j);
	return true;
}
