/* The table of jobs: a tree by parent ids, small enough to search. */
#include "jobs.h"

#include <string.h>
#include "gen/syscalls.h"
#include "ldisc.h"

static struct job jobs[JOBS_MAX];
static uint64_t foreground, next_id;

static struct job *search(uint64_t id)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++)
        if (j->used && j->id == id)
            return j;
    return NULL;
}

static struct job *add(uint64_t id, uint64_t parent)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++)
        if (!j->used) {
            *j = (struct job){true, id, parent, LDISC_COOKED, 0};
            return j;
        }
    return NULL;
}

void jobs_init(uint64_t first_id)
{
    memset(jobs, 0, sizeof(jobs));
    next_id = first_id;
    foreground = JOB_ROOT;
    add(JOB_ROOT, JOB_ROOT);
}

struct job *job_find(uint64_t id)
{
    struct job *job = search(id);
    return job ? job : add(id, JOB_ROOT);
}

struct job *job_create(uint64_t parent)
{
    struct job *job = add(next_id, parent);
    if (job)
        next_id++;
    return job;
}

void job_end_children(uint64_t parent)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++)
        if (j->used && j->parent == parent && j->id != JOB_ROOT)
            job_end(j);
}

void job_end(struct job *job)
{
    job_end_children(job->id);
    if (job->interrupt)
        sys_handle_close(job->interrupt);
    if (foreground == job->id)
        foreground = job->parent;
    job->used = false;
}

bool job_descends(uint64_t id, uint64_t ancestor)
{
    struct job *job;
    while (id != ancestor && id != JOB_ROOT && (job = search(id)))
        id = job->parent;
    return id == ancestor;
}

uint64_t job_foreground(void)
{
    return foreground;
}

void job_set_foreground(uint64_t id)
{
    foreground = id;
}

handle_t job_interrupt(void)
{
    struct job *job = search(foreground);
    while (job && !job->interrupt && job->id != JOB_ROOT)
        job = search(job->parent);
    return job ? job->interrupt : 0;
}
