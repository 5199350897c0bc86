/*
 * Jobs: who may read the keyboard. A job is named by the badge of an endpoint
 * handle; every stream opened through that handle belongs to it. Job 0 is
 * whoever init gave the plain handle to: the shell. The shell makes one for
 * each pipeline it starts and says which is in the foreground.
 */
#ifndef CONSOLE_JOBS_H
#define CONSOLE_JOBS_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/object.h"

enum { JOBS_MAX = 32, JOB_ROOT = 0 };

struct job {
    bool used;
    uint64_t id, parent;
    uint32_t mode;      /* enum ldisc_mode, while it is in the foreground */
    handle_t interrupt; /* rung for ^C, 0 = the parent's is */
};

/* Only job 0, in the foreground. `first_id`: numbers for new ones. */
void jobs_init(uint64_t first_id);

/*
 * The job of that id. One that is not known is made, a child of job 0: its
 * handle may be from the life of a console before this one. NULL: table full.
 */
struct job *job_find(uint64_t id);

/* A new job, child of `parent`; NULL: the table is full. */
struct job *job_create(uint64_t parent);

/* Ends the jobs that `parent` made, and theirs. */
void job_end_children(uint64_t parent);

/* Ends a job and those it made; the foreground falls to its parent. */
void job_end(struct job *job);

/* True if `id` is `ancestor` or descends from it. */
bool job_descends(uint64_t id, uint64_t ancestor);

uint64_t job_foreground(void);
void job_set_foreground(uint64_t id);

/* The doorbell that ^C rings now, 0 = none. */
handle_t job_interrupt(void);

#endif
