#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"

#if defined(__x86_64__) || defined(__i386__)
#define SAM_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__) || defined(__arm__)
#define SAM_PAUSE() __asm__ volatile("yield")
#else
#define SAM_PAUSE() ((void)0)
#endif

/* Cycles of work below which waking another thread costs more than it saves (a wake-up is 2-5 us). */
#define SAM_MIN_CYCLES_PER_THREAD 15000
/* About 20 us of spinning before a worker parks: longer than the gap between two layers. */
#define SAM_SPINS 1500
#define SAM_CHUNKS_PER_THREAD 4

typedef struct sam_worker {
  struct sam_pool *pool;
  pthread_t thread;
  int32_t index;
} sam_worker;

struct sam_pool {
  int32_t threads, started;
  pid_t pid;
  sam_worker *workers; /* threads - 1 */
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  int32_t parked;           /* under mutex */
  atomic_uint generation;   /* counts loops; workers wait for it to move */
  atomic_bool quit;
  /* The present loop. */
  sam_task_fn task;
  void *arg;
  int64_t n, chunk;
  int32_t helpers;          /* workers 1..helpers take part */
  _Atomic int64_t next;
  atomic_int busy;          /* helpers that have not finished */
};

int32_t sam_available_cpus(void) {
  int32_t cpus = 1;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = (int32_t)CPU_COUNT(&set);
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file) {
    long long quota, period;
    if (fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
      long long whole = (quota + period - 1) / period;
      if (whole < cpus) cpus = (int32_t)whole;
    }
    fclose(file);
  }
#else
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online > 0) cpus = (int32_t)online;
#endif
  return cpus < 1 ? 1 : cpus;
}

static void take_chunks(struct sam_pool *pool, int thread) {
  for (;;) {
    int64_t begin = atomic_fetch_add_explicit(&pool->next, pool->chunk, memory_order_relaxed);
    if (begin >= pool->n) return;
    int64_t end = pool->n - begin > pool->chunk ? begin + pool->chunk : pool->n;
    pool->task(pool->arg, begin, end, thread);
  }
}

static void *work(void *argument) {
  sam_worker *worker = argument;
  struct sam_pool *pool = worker->pool;
  unsigned seen = 0;
  for (;;) {
    int spins = 0;
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen) {
      if (++spins < SAM_SPINS) {
        SAM_PAUSE();
        continue;
      }
      pthread_mutex_lock(&pool->mutex);
      pool->parked++;
      while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
      pool->parked--;
      pthread_mutex_unlock(&pool->mutex);
    }
    if (atomic_load_explicit(&pool->quit, memory_order_relaxed)) return NULL;
    seen++;
    /* `helpers` of this loop stays as it is until every worker has reported: read it before reporting. */
    if (worker->index <= pool->helpers) take_chunks(pool, worker->index);
    atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_release);
  }
}

/* Every worker reports after every loop, so that none can miss a generation; parked ones are woken for it. */
static void announce(struct sam_pool *pool) {
  atomic_store_explicit(&pool->busy, pool->started, memory_order_relaxed);
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
  if (pool->parked) pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

static void start_workers(struct sam_pool *pool) {
  pool->pid = getpid();
  pool->started = 0;
  pool->parked = 0;
  atomic_store(&pool->generation, 0);
  atomic_store(&pool->quit, false);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  for (int32_t i = 0; i < pool->threads - 1; i++) {
    sam_worker *worker = &pool->workers[i];
    worker->pool = pool;
    worker->index = i + 1;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) break; /* fewer threads, same answers */
    pool->started++;
  }
}

struct sam_pool *sam_pool_create(int32_t threads) {
  struct sam_pool *pool = sam_calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->threads = threads;
  pool->workers = sam_calloc((size_t)threads, sizeof *pool->workers);
  if (!pool->workers) {
    sam_free(pool);
    return NULL;
  }
  start_workers(pool);
  return pool;
}

void sam_pool_free(struct sam_pool *pool) {
  if (!pool) return;
  if (pool->pid == getpid()) { /* in a forked child the workers do not exist */
    atomic_store(&pool->quit, true);
    announce(pool);
    for (int32_t i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
  }
  sam_free(pool->workers);
  sam_free(pool);
}

void sam_pool_run(struct sam_pool *pool, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  int64_t helpers = 0;
  if (pool && n > 1) {
    if (cost < 1) cost = 1;
    int64_t total = n > INT64_MAX / cost ? INT64_MAX : n * cost;
    helpers = total / SAM_MIN_CYCLES_PER_THREAD - 1;
    if (helpers > pool->threads - 1) helpers = pool->threads - 1;
    if (helpers > n - 1) helpers = n - 1;
  }
  if (helpers <= 0) {
    task(arg, 0, n, 0);
    return;
  }
  if (pool->pid != getpid()) start_workers(pool);
  pool->task = task;
  pool->arg = arg;
  pool->n = n;
  pool->chunk = n / ((helpers + 1) * SAM_CHUNKS_PER_THREAD);
  if (pool->chunk < 1) pool->chunk = 1;
  pool->helpers = (int32_t)helpers;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  announce(pool);
  take_chunks(pool, 0);
  int spins = 0;
  while (atomic_load_explicit(&pool->busy, memory_order_acquire) > 0) {
    if (++spins < SAM_SPINS) SAM_PAUSE();
    else sched_yield();
  }
}
