/* The parts of the runtime that stand alone: arena placement, the thread pool, the pack cache. */
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "test.h"
#include "threads.h"

#if defined(__SANITIZE_THREAD__)
#define SAM_TSAN 1
#elif defined(__has_feature)
#define SAM_TSAN __has_feature(thread_sanitizer)
#else
#define SAM_TSAN 0
#endif

static void test_arena(void) {
  for (int round = 0; round < 200; round++) {
    enum { N = 60 };
    sam_arena_block blocks[N];
    size_t most = 0, live[40] = {0}, sum = 0;
    for (int i = 0; i < N; i++) {
      int32_t first = test_int(0, 39), last = first + test_int(0, 6);
      if (last > 39) last = 39;
      blocks[i] = (sam_arena_block){(size_t)test_int(0, 5000), first, last, -1};
      for (int32_t s = first; s <= last; s++) live[s] += (blocks[i].bytes + 63) / 64 * 64;
      sum += (blocks[i].bytes + 63) / 64 * 64;
    }
    for (int s = 0; s < 40; s++)
      if (live[s] > most) most = live[s];
    size_t total;
    EXPECT_EQ(sam_arena_place(blocks, N, &total), SAM_OK);
    EXPECT(total >= most && total <= sum);
    EXPECT(total <= most + most / 2);
    for (int i = 0; i < N; i++) {
      EXPECT(blocks[i].offset >= 0 && blocks[i].offset % 64 == 0);
      EXPECT((size_t)blocks[i].offset + blocks[i].bytes <= total);
      for (int j = 0; j < i; j++) {
        bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
        bool overlap = blocks[i].offset < blocks[j].offset + (int64_t)blocks[j].bytes &&
                       blocks[j].offset < blocks[i].offset + (int64_t)blocks[i].bytes;
        EXPECT(!(together && overlap));
      }
    }
  }
}

static atomic_int visits[4096];
static atomic_int wrong_threads;
static void visit(void *arg, int64_t begin, int64_t end, int thread) {
  (void)arg;
  if (thread < 0 || thread > 3) atomic_fetch_add(&wrong_threads, 1);
  for (int64_t i = begin; i < end; i++) atomic_fetch_add(&visits[i], 1);
}

static void run_loops(struct sam_pool *pool) {
  for (int round = 1; round <= 500; round++) {
    int64_t n = test_int(1, 4096);
    for (int i = 0; i < 4096; i++) atomic_store(&visits[i], 0);
    if (round % 5 == 1) sam_pool_begin(pool);
    sam_pool_run(pool, n, round % 3 ? 100000 : 1, visit, NULL);
    if (round % 5 == 0) sam_pool_end(pool);
    for (int64_t i = 0; i < 4096; i++) EXPECT_EQ(atomic_load(&visits[i]), i < n ? 1 : 0);
    if (round % 100 == 0) usleep(2000); /* long enough for the workers to park */
  }
}

static void test_pool(void) {
  for (int threads = 1; threads <= 4; threads++) {
    struct sam_pool *pool = sam_pool_create(threads);
    EXPECT(pool != NULL);
    run_loops(pool);
    sam_pool_free(pool);
  }
  EXPECT_EQ(atomic_load(&wrong_threads), 0);
  EXPECT(sam_available_cpus() >= 1);
  struct sam_pool *unused = sam_pool_create(3);
  sam_pool_free(unused);
}

static atomic_int helped;
static void note_helpers(void *arg, int64_t begin, int64_t end, int thread) {
  (void)begin, (void)end;
  if (thread > 0) atomic_store(&helped, 1);
  for (int i = 0; i < *(const int *)arg && !atomic_load(&helped); i++) usleep(50);
}

/* Runs that end before anybody wakes up make the pool wake its workers less often, not never. */
static void test_misses(void) {
  struct sam_pool *pool = sam_pool_create(2);
  for (int run = 0; run < 150 && !atomic_load(&helped); run++) {
    int waits = run < 5 ? 0 : 20;
    if (run < 5) usleep(5000);
    sam_pool_begin(pool);
    sam_pool_run(pool, 8, 100000, note_helpers, &waits);
    sam_pool_end(pool);
    if (run < 5) atomic_store(&helped, 0);
  }
  EXPECT(atomic_load(&helped));
  sam_pool_free(pool);
}

/* A forked child has none of its parent's workers and must not wait for them. */
static void test_fork(void) {
  struct sam_pool *pool = sam_pool_create(2);
  run_loops(pool);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int before = test_failures;
    run_loops(pool);
    sam_pool_free(pool);
    _exit(test_failures == before ? 0 : 1);
  }
  int status = -1;
  EXPECT(child > 0 && waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  run_loops(pool);
  sam_pool_free(pool);
}

static int fills;
static void fill(void *dst, const void *arg) {
  fills++;
  memcpy(dst, arg, 8);
}

static struct sam_pack_cache *empty_cache(size_t model_bytes) {
  static sam_model model;
  struct sam_pack_cache *cache = NULL;
  model.size = model_bytes;
  EXPECT_EQ(sam_pack_cache_create(&model, NULL, &cache, NULL), SAM_OK);
  return cache;
}

/* Large models pack into one region, and beside it where it is full. */
static void test_pack_region(void) {
  enum { BYTES = 300000 };
  struct sam_pack_cache *cache = empty_cache(1 << 20);
  static uint64_t sources[12];
  char *packed[12];
  for (uint64_t i = 0; i < 12; i++) {
    packed[i] = (char *)(uintptr_t)sam_pack_cache_get(cache, &sources[i], 1, BYTES, false, fill, &i);
    EXPECT(packed[i] != NULL && (uintptr_t)packed[i] % 64 == 0);
    memset(packed[i] + 8, (int)i, BYTES - 8);
  }
  for (uint64_t i = 0; i < 12; i++) EXPECT(*(uint64_t *)(void *)packed[i] == i && packed[i][BYTES - 1] == (char)i);
  sam_pack_cache_free(cache);
}

static void test_packs(void) {
  struct sam_pack_cache *cache = empty_cache(0);
  static uint64_t sources[500];
  for (int pass = 0; pass < 2; pass++)
    for (uint64_t i = 0; i < 500; i++) {
      uint64_t value = i + 7;
      const void *packed = sam_pack_cache_get(cache, &sources[i], i % 3, 8, false, fill, &value);
      EXPECT(packed != NULL && (uintptr_t)packed % 64 == 0 && *(const uint64_t *)packed == i + 7);
    }
  EXPECT_EQ(fills, 500);
  uint64_t other = 1;
  EXPECT(sam_pack_cache_get(cache, &sources[0], 9, 8, false, fill, &other) != NULL);
  EXPECT_EQ(fills, 501);
  EXPECT_EQ(sam_pack_cache_bytes(cache), 501 * 8);
  sam_pack_cache_free(cache);
}

int main(void) {
  test_arena();
  test_pool();
  test_misses();
  /* Neither the thread sanitizer nor QEMU can start threads in a forked child. */
  if (!SAM_TSAN && !getenv("SAMARA_EMULATED")) test_fork();
  test_packs();
  test_pack_region();
  return test_result();
}
