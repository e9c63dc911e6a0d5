#include "threads.h"

#if !SAM_THREADS

int32_t sam_available_cpus(void) { return 1; }
struct sam_pool *sam_pool_create(int32_t threads) {
  (void)threads;
  return NULL;
}
void sam_pool_free(struct sam_pool *pool) { (void)pool; }
void sam_pool_begin(struct sam_pool *pool) { (void)pool; }
void sam_pool_end(struct sam_pool *pool) { (void)pool; }
void sam_pool_run(struct sam_pool *pool, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  (void)pool, (void)cost;
  task(arg, 0, n, 0);
}

#else

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

/* Cycles between a call and the worker's first item. */
#define SAM_CYCLES_TO_JOIN 1700
/* A loop of fewer cycles has one chunk for each thread. */
#define SAM_CYCLES_TO_CUT 40000
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

/* The call to a loop in one word: its number, and how many workers take part. */
#define SAM_CALL(number, helpers) ((number) << 16 | (uint64_t)(helpers))
#define SAM_HELPERS(call) (int32_t)((call) & 0xffff)
#define SAM_NUMBER(word) ((word) >> 16)
/* What has become of a thread's share in one word: the number of the loop it belongs to, whether the thread itself has
 * come, whether it is too late to come, and how many chunks are taken. A word of an earlier loop says: nothing yet. */
#define SAM_SHARE(number) ((number) << 16)
#define SAM_JOINED (UINT64_C(1) << 15)
#define SAM_CLOSED (UINT64_C(1) << 14)
#define SAM_TAKEN_MASK (SAM_CLOSED - 1)

typedef struct sam_worker {
  struct sam_pool *pool;
  pthread_t thread;
  int32_t index;
} sam_worker;

typedef struct sam_share {
  _Alignas(64) _Atomic uint64_t word; /* its owner alone writes it, as long as nobody has to help */
  _Alignas(64) _Atomic uint64_t left; /* the last loop that its owner came to and has left */
} sam_share;

/* What workers read lies in lines that are written when it changes, and a loop in one line: to fetch a line that another
 * processor has written takes 0.1 to 0.3 us, and such fetches are what it costs to share work. */
struct sam_pool {
  int32_t threads, started;
  unsigned forks; /* of the process, when the workers were started */
  sam_worker *workers; /* threads - 1 */
  sam_share *shares; /* threads */
  /* Of the present run: whether it has asked for workers, has woken them, whether one has come, cycles of all its loops.
   * Of those before: wake-ups in a row that brought nobody, how many to leave out, cycles. */
  bool asked, woken, joined;
  int64_t cycles;
  int32_t misses, skips;
  int64_t cycles_before;
  _Alignas(64) bool spinning;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t calls; /* to those who sleep; under mutex */
  atomic_int parked;
  atomic_bool quit, busy;
  /* The present loop. */
  _Alignas(64) _Atomic uint64_t call;
  sam_task_fn task;
  _Atomic(void *) arg;
  int64_t n, chunk, lead; /* items; of these the caller has `lead` more than a worker */
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

/* Neighbouring items go to one thread, and the same part of every loop to the same one: it finds in its own cache what
 * it wrote in the loop before. */
static int64_t share_begin(const struct sam_pool *pool, int32_t helpers, int32_t thread) {
  if (thread == 0) return 0;
  const int64_t all = pool->n - pool->lead, each = all / (helpers + 1), rest = all % (helpers + 1);
  return pool->lead + thread * each + (thread < rest ? thread : rest);
}

static uint64_t in_loop(uint64_t word, uint64_t number) { return SAM_NUMBER(word) == number ? word : SAM_SHARE(number); }

/* Runs what is left of the share of `owner`. */
static void take_chunks(struct sam_pool *pool, uint64_t call, int32_t owner, int32_t thread) {
  const uint64_t number = SAM_NUMBER(call);
  const int64_t begin = share_begin(pool, SAM_HELPERS(call), owner), end = share_begin(pool, SAM_HELPERS(call), owner + 1);
  _Atomic uint64_t *word = &pool->shares[owner].word;
  uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
  for (;;) {
    const uint64_t share = in_loop(now, number);
    const int64_t first = begin + (int64_t)(share & SAM_TAKEN_MASK) * pool->chunk;
    if (first >= end) return;
    if (!atomic_compare_exchange_weak_explicit(word, &now, share + 1, memory_order_relaxed, memory_order_relaxed)) continue;
    now = share + 1;
    pool->task(pool->arg, first, end - first > pool->chunk ? first + pool->chunk : end, thread);
  }
}

/* Own items first, then what others have left: of shares of one chunk only the caller takes others', who knows best. */
static void take_shares(struct sam_pool *pool, uint64_t call, int32_t thread) {
  const int32_t threads = SAM_HELPERS(call) + 1;
  take_chunks(pool, call, thread, thread);
  if (pool->chunk == pool->n && thread > 0) return;
  for (int32_t k = 1; k < threads; k++) take_chunks(pool, call, (thread + k) % threads, thread);
}

/* Waits for the worker if it has come, else sees to it that it comes no more. Whether it came. */
static bool part_with(struct sam_pool *pool, uint64_t number, int32_t worker) {
  sam_share *share = &pool->shares[worker];
  uint64_t word;
  if (atomic_load_explicit(&share->left, memory_order_acquire) == number) return true;
  word = atomic_load_explicit(&share->word, memory_order_relaxed);
  while (SAM_NUMBER(word) != number || !(word & SAM_JOINED))
    if (atomic_compare_exchange_weak_explicit(&share->word, &word, in_loop(word, number) | SAM_CLOSED,
                                              memory_order_relaxed, memory_order_relaxed))
      return false;
  for (int32_t spins = 0; atomic_load_explicit(&share->left, memory_order_acquire) != number; spins++) {
    if (pool->spinning && spins < SAM_SPINS_PER_YIELD) SAM_PAUSE();
    else sched_yield();
  }
  return true;
}

/* Whether `call` is one for this worker that it has not seen. */
static bool is_news(const sam_worker *worker, uint64_t call, uint64_t seen) {
  return call != seen && worker->index <= SAM_HELPERS(call);
}

/* Takes part in a loop that is called for and not the one `seen`. */
static bool join(sam_worker *worker, uint64_t *seen) {
  struct sam_pool *pool = worker->pool;
  sam_share *share = &pool->shares[worker->index];
  const uint64_t call = atomic_load_explicit(&pool->call, memory_order_acquire), number = SAM_NUMBER(call);
  if (!is_news(worker, call, *seen)) return false;
  *seen = call;
  __builtin_prefetch(atomic_load_explicit(&pool->arg, memory_order_relaxed));
  uint64_t word = atomic_load_explicit(&share->word, memory_order_relaxed);
  do {
    if (SAM_NUMBER(word) > number || (SAM_NUMBER(word) == number && word & SAM_CLOSED)) return false;
  } while (!atomic_compare_exchange_weak_explicit(&share->word, &word, in_loop(word, number) | SAM_JOINED,
                                                  memory_order_acquire, memory_order_relaxed));
  take_shares(pool, call, worker->index);
  atomic_store_explicit(&share->left, number, memory_order_release);
  return true;
}

/* Sleeps until it is woken: for a loop, for a run that will have some, or for the end. */
static void park(const sam_worker *worker, uint64_t seen) {
  struct sam_pool *pool = worker->pool;
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->parked, 1);
  const uint32_t calls = pool->calls;
  while (pool->calls == calls && !atomic_load(&pool->quit) && !is_news(worker, atomic_load(&pool->call), seen))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->parked, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument) {
  sam_worker *worker = argument;
  struct sam_pool *pool = worker->pool;
  uint64_t seen = 0;
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
      park(worker, seen);
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
  atomic_store(&pool->call, SAM_CALL(SAM_NUMBER(atomic_load(&pool->call)) + 1, 0));
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
  pool->shares = sam_malloc_aligned((size_t)threads * sizeof *pool->shares);
  if (!pool->workers || !pool->shares) {
    sam_free(pool->workers);
    sam_free_aligned(pool->shares);
    sam_free_aligned(pool);
    return NULL;
  }
  memset(pool->shares, 0, (size_t)threads * sizeof *pool->shares);
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
  sam_free_aligned(pool->shares);
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
  const uint64_t call = SAM_CALL(SAM_NUMBER(atomic_load_explicit(&pool->call, memory_order_relaxed)) + 1, helpers);
  pool->task = task;
  atomic_store_explicit(&pool->arg, arg, memory_order_relaxed);
  pool->n = n;
  pool->lead = SAM_CYCLES_TO_JOIN / cost < n - helpers ? SAM_CYCLES_TO_JOIN / cost : 0;
  pool->chunk = total < SAM_CYCLES_TO_CUT ? n : n / sam_pieces((int32_t)helpers + 1, total);
  if (pool->chunk < 1) pool->chunk = 1;
  atomic_store_explicit(&pool->call, call, memory_order_release);
  take_chunks(pool, call, 0, 0);
  for (int32_t t = 1; t <= helpers; t++)
    if (atomic_load_explicit(&pool->shares[t].left, memory_order_acquire) != SAM_NUMBER(call)) take_chunks(pool, call, t, 0);
  for (int32_t t = 1; t <= helpers; t++) pool->joined |= part_with(pool, SAM_NUMBER(call), t);
}

#endif
