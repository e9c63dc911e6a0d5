#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "common/pieces.h"
#include "session.h"

#if defined(__x86_64__) || defined(__i386__)
#define SAM_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__) || defined(__arm__)
#define SAM_PAUSE() __asm__ volatile("yield")
#else
#define SAM_PAUSE() ((void)0)
#endif

/* Cycles of work in all loops of a run that are worth a wake-up: it takes 5 us, in a virtual machine 50, until the
 * worker runs. */
#define SAM_CYCLES_TO_WAKE 60000
/* How long a worker spins for the next loop before it parks: during a run past operators that do not split, and after it
 * in case the next one follows. */
#define SAM_SPIN_NS_BUSY 2000000
#define SAM_SPIN_NS_IDLE 100000
#define SAM_SPINS_PER_LOOK 32
/* And the caller for workers that are still at it, before it lets others run. */
#define SAM_SPINS_PER_YIELD 1500
/* After a run that nobody came to help with, the next 2, 4, … 64 wake nobody. */
#define SAM_MOST_MISSES 6

/* The state of the present loop in one word: its number, whether workers may still join, how many have, and how many of
 * these are at work. Who has joined may read the loop; the caller changes it when it is closed and nobody is at work. */
#define SAM_LOOP(number) ((uint64_t)(number) << 32)
#define SAM_OPEN (UINT64_C(1) << 31)
#define SAM_JOINED (UINT64_C(1) << 16)
#define SAM_AT_WORK UINT64_C(1)
#define SAM_JOINED_MASK (SAM_OPEN - SAM_JOINED)
#define SAM_AT_WORK_MASK (SAM_JOINED - SAM_AT_WORK)

typedef struct sam_worker {
  struct sam_pool *pool;
  pthread_t thread;
  int32_t index;
} sam_worker;

typedef struct sam_range { /* what is left of a thread's share */
  _Alignas(64) _Atomic int64_t next;
  int64_t end;
} sam_range;

struct sam_pool {
  int32_t threads, started;
  bool spinning;
  unsigned forks; /* of the process, when the workers were started */
  sam_worker *workers; /* threads - 1 */
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t calls; /* to those who sleep; under mutex */
  atomic_int parked;
  atomic_bool quit, busy;
  /* Of the present run: whether it has asked for workers, has woken them, whether one has come, cycles of all its loops.
   * Of those before: wake-ups in a row that brought nobody, how many to leave out, cycles. */
  bool asked, woken, joined;
  int64_t cycles;
  int32_t misses, skips;
  int64_t cycles_before;
  uint32_t number;
  /* The present loop. */
  sam_task_fn task;
  void *arg;
  int64_t n, chunk;
  int32_t helpers; /* workers 1..helpers take part */
  sam_range *ranges; /* threads */
  _Alignas(64) _Atomic uint64_t state;
};

/* How often this process is the child of a fork: a child has none of its parent's workers. */
static atomic_uint forks;
static void count_fork(void) { atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed); }
static void watch_forks(void) { pthread_atfork(NULL, NULL, count_fork); }

#if defined(__linux__)

/* Reads up to two numbers; how many there were. */
static int read_numbers(const char *path, long long *first, long long *second) {
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  const int found = fscanf(file, "%lld %lld", first, second);
  fclose(file);
  return found;
}

static void limit(int32_t *cpus, long long quota, long long period) {
  if (quota <= 0 || period <= 0) return;
  const long long whole = (quota + period - 1) / period;
  if (whole < *cpus) *cpus = (int32_t)whole;
}

/* Every group from the process's own up to the root may have a quota. */
static void limit_by_groups(int32_t *cpus) {
  static const char root[] = "/sys/fs/cgroup";
  char path[512], line[400];
  long long quota, period;
  size_t length = sizeof root - 1;
  memcpy(path, root, sizeof root);
  FILE *file = fopen("/proc/self/cgroup", "re");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, "0::/", 4) != 0) continue;
    line[strcspn(line, "\n")] = 0;
    length += (size_t)snprintf(path + length, sizeof path - length, "%s", line + 3);
  }
  if (file) fclose(file);
  for (;;) {
    while (length > sizeof root - 1 && path[length - 1] == '/') length--;
    snprintf(path + length, sizeof path - length, "/cpu.max");
    if (read_numbers(path, &quota, &period) == 2) limit(cpus, quota, period);
    if (length <= sizeof root - 1) break;
    while (path[length - 1] != '/') length--;
  }
  if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &quota, &period) &&
      read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period, &period))
    limit(cpus, quota, period);
}

#endif

int32_t sam_available_cpus(void) {
  int32_t cpus = 1;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = (int32_t)CPU_COUNT(&set);
  limit_by_groups(&cpus);
#else
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online > 0) cpus = (int32_t)online;
#endif
  return cpus < 1 ? 1 : cpus;
}

/* Own items first, then what others have left. */
static void take_chunks(struct sam_pool *pool, int32_t thread) {
  for (int32_t k = 0; k <= pool->helpers; k++) {
    const int32_t owner = (thread + k) % (pool->helpers + 1);
    sam_range *range = &pool->ranges[owner];
    for (;;) {
      const int64_t begin = atomic_fetch_add_explicit(&range->next, pool->chunk, memory_order_relaxed);
      if (begin >= range->end) break;
      pool->task(pool->arg, begin, range->end - begin > pool->chunk ? begin + pool->chunk : range->end, thread);
    }
  }
}

/* Neighbouring items go to one thread, and the same part of every loop to the same one: it finds in its own cache what
 * it wrote in the loop before. */
static void deal(struct sam_pool *pool, int64_t n) {
  int64_t begin = 0;
  for (int32_t t = 0; t <= pool->helpers; t++) {
    const int64_t end = begin + (n - begin) / (pool->helpers + 1 - t);
    atomic_store_explicit(&pool->ranges[t].next, begin, memory_order_relaxed);
    pool->ranges[t].end = begin = end;
  }
}

static bool is_news(uint64_t state, uint32_t seen) { return state & SAM_OPEN && (uint32_t)(state >> 32) != seen; }

/* Takes part in a loop that is open and not the one `seen`. */
static bool join(sam_worker *worker, uint32_t *seen) {
  struct sam_pool *pool = worker->pool;
  uint64_t state = atomic_load_explicit(&pool->state, memory_order_acquire);
  while (is_news(state, *seen)) {
    if (!atomic_compare_exchange_weak_explicit(&pool->state, &state, state + SAM_JOINED + SAM_AT_WORK,
                                               memory_order_acq_rel, memory_order_acquire))
      continue;
    *seen = (uint32_t)(state >> 32);
    if (worker->index <= pool->helpers) take_chunks(pool, worker->index);
    atomic_fetch_sub_explicit(&pool->state, SAM_AT_WORK, memory_order_release);
    return true;
  }
  return false;
}

/* Sleeps until it is woken: for a loop, for a run that will have some, or for the end. */
static void park(struct sam_pool *pool, uint32_t seen) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->parked, 1);
  const uint32_t calls = pool->calls;
  while (pool->calls == calls && !atomic_load(&pool->quit) && !is_news(atomic_load(&pool->state), seen))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->parked, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument) {
  sam_worker *worker = argument;
  struct sam_pool *pool = worker->pool;
  uint32_t seen = 0;
  uint64_t since = sam_now_ns();
  while (!atomic_load_explicit(&pool->quit, memory_order_relaxed)) {
    bool joined = false;
    for (int32_t i = 0; pool->spinning && i < SAM_SPINS_PER_LOOK && !joined; i++) {
      SAM_PAUSE();
      joined = join(worker, &seen);
    }
    const uint64_t now = sam_now_ns();
    const uint64_t limit = atomic_load_explicit(&pool->busy, memory_order_relaxed) ? SAM_SPIN_NS_BUSY : SAM_SPIN_NS_IDLE;
    if (joined) since = now;
    else if (!pool->spinning || now - since > limit) {
      park(pool, seen);
      join(worker, &seen);
      since = sam_now_ns();
    }
  }
  return NULL;
}

static void wake(struct sam_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->calls++;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

static void start_workers(struct sam_pool *pool) {
  pool->forks = atomic_load(&forks);
  pool->started = 0;
  pool->misses = pool->skips = 0;
  pool->calls = 0;
  atomic_store(&pool->parked, 0);
  atomic_store(&pool->state, SAM_LOOP(pool->number));
  atomic_store(&pool->quit, false);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  /* Where threads outnumber processors, a spinning worker keeps the one it waits for from working. */
  pool->spinning = pool->threads <= sam_available_cpus();
  for (int32_t i = 0; i < pool->threads - 1; i++) {
    sam_worker *worker = &pool->workers[i];
    worker->pool = pool;
    worker->index = i + 1;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) break; /* fewer threads, same answers */
    pool->started++;
  }
}

struct sam_pool *sam_pool_create(int32_t threads) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  struct sam_pool *pool = sam_malloc_aligned(sizeof *pool);
  if (!pool) return NULL;
  memset(pool, 0, sizeof *pool);
  pool->threads = threads;
  pool->workers = sam_calloc((size_t)threads, sizeof *pool->workers);
  pool->ranges = sam_malloc_aligned((size_t)threads * sizeof *pool->ranges);
  if (!pool->workers || !pool->ranges) {
    sam_free(pool->workers);
    sam_free_aligned(pool->ranges);
    sam_free_aligned(pool);
    return NULL;
  }
  start_workers(pool);
  return pool;
}

void sam_pool_free(struct sam_pool *pool) {
  if (!pool) return;
  if (pool->forks == atomic_load(&forks)) { /* in a forked child the workers do not exist */
    atomic_store(&pool->quit, true);
    wake(pool);
    for (int32_t i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
  }
  sam_free(pool->workers);
  sam_free_aligned(pool->ranges);
  sam_free_aligned(pool);
}

/* Workers are woken at most once in a run. */
static void call_workers(struct sam_pool *pool) {
  if (pool->asked || atomic_load_explicit(&pool->parked, memory_order_relaxed) == 0) return;
  pool->asked = true;
  pool->woken = pool->skips == 0;
  if (pool->woken) wake(pool);
  else pool->skips--;
}

void sam_pool_begin(struct sam_pool *pool) {
  if (!pool) return;
  if (pool->forks != atomic_load_explicit(&forks, memory_order_relaxed)) start_workers(pool);
  atomic_store_explicit(&pool->busy, true, memory_order_relaxed);
  pool->asked = pool->woken = pool->joined = false;
  pool->cycles_before = pool->cycles;
  pool->cycles = 0;
  if (pool->cycles_before >= SAM_CYCLES_TO_WAKE) call_workers(pool);
}

void sam_pool_end(struct sam_pool *pool) {
  if (!pool) return;
  atomic_store_explicit(&pool->busy, false, memory_order_relaxed);
  if (pool->joined) {
    pool->misses = pool->skips = 0;
  } else if (pool->woken) {
    if (pool->misses < SAM_MOST_MISSES) pool->misses++;
    pool->skips = 1 << pool->misses;
  }
}

/* How many workers a loop of `total` cycles is worth. */
static int64_t choose_helpers(struct sam_pool *pool, int64_t n, int64_t total) {
  int64_t helpers = total / SAM_CYCLES_PER_THREAD - 1;
  if (helpers > pool->started) helpers = pool->started;
  if (helpers > n - 1) helpers = n - 1;
  if (helpers <= 0) return 0;
  pool->cycles += total < INT32_MAX ? total : INT32_MAX;
  if (total >= SAM_CYCLES_TO_WAKE) call_workers(pool);
  else if (atomic_load_explicit(&pool->parked, memory_order_relaxed) == pool->started) return 0;
  return helpers;
}

void sam_pool_run(struct sam_pool *pool, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  int64_t helpers = 0, total = 0;
  if (pool && n > 1) {
    if (pool->forks != atomic_load_explicit(&forks, memory_order_relaxed)) start_workers(pool);
    if (cost < 1) cost = 1;
    total = n > INT64_MAX / cost ? INT64_MAX : n * cost;
    helpers = choose_helpers(pool, n, total);
  }
  if (helpers == 0) {
    task(arg, 0, n, 0);
    return;
  }
  pool->task = task;
  pool->arg = arg;
  pool->n = n;
  pool->chunk = n / sam_pieces((int32_t)helpers + 1, total);
  if (pool->chunk < 1) pool->chunk = 1;
  pool->helpers = (int32_t)helpers;
  deal(pool, n);
  atomic_store(&pool->state, SAM_LOOP(++pool->number) | SAM_OPEN);
  take_chunks(pool, 0);
  /* Workers that come now find it closed: nothing is left to do, and nobody waits for one that does not run. */
  const uint64_t closed = atomic_fetch_and_explicit(&pool->state, ~SAM_OPEN, memory_order_acq_rel);
  pool->joined |= (closed & SAM_JOINED_MASK) != 0;
  for (int32_t spins = 0; atomic_load_explicit(&pool->state, memory_order_acquire) & SAM_AT_WORK_MASK; spins++) {
    if (pool->spinning && spins < SAM_SPINS_PER_YIELD) SAM_PAUSE();
    else sched_yield();
  }
}
