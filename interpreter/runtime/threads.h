/* A fork-join pool: the caller and n-1 workers share the items of one loop, then go on together.
 *
 * A worker that finds no work spins briefly (a layer usually follows the last within microseconds), then parks; a loop
 * that is too small to be worth a wake-up is left to those awake. The caller waits only for workers that have taken work:
 * one that the system has not let run in time is not missed, so a busy machine costs help, not time.
 * Each thread has its share of the items and takes it in chunks; who is done helps the others, so the split changes from
 * run to run: tasks must not care.
 * After fork() the child has no workers; the pool notices and starts new ones. */
#ifndef SAM_RUNTIME_THREADS_H
#define SAM_RUNTIME_THREADS_H

#include "mutex.h"
#include "samara/op.h"

struct sam_pool;

/* Processors this process may use: affinity mask and cgroup quota; at least 1. */
int32_t sam_available_cpus(void);
/* A pool of `threads` including the caller. NULL if memory is lacking, and on systems without threads (SAM_THREADS). */
struct sam_pool *sam_pool_create(int32_t threads);
void sam_pool_free(struct sam_pool *pool);
/* Around an invoke: workers are woken early for one that had enough to split the last time, and stay awake in it. */
void sam_pool_begin(struct sam_pool *pool);
void sam_pool_end(struct sam_pool *pool);
/* Runs task over [0, n); `cost` estimates the cycles of one item. */
void sam_pool_run(struct sam_pool *pool, int64_t n, int64_t cost, sam_task_fn task, void *arg);

#endif
