#include "alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t countdown = -1;
static atomic_bool has_failed;

void sam_alloc_fail_after(int64_t n) {
  atomic_store(&has_failed, false);
  atomic_store(&countdown, n);
}

bool sam_alloc_has_failed(void) { return atomic_load(&has_failed); }

/* True for exactly one allocation after sam_alloc_fail_after. The usual cost is one relaxed load. */
static int must_fail(void) {
  if (atomic_load_explicit(&countdown, memory_order_relaxed) < 0) return 0;
  if (atomic_fetch_sub(&countdown, 1) != 0) return 0;
  atomic_store(&has_failed, true);
  return 1;
}

void *sam_malloc(size_t bytes) { return must_fail() ? NULL : malloc(bytes ? bytes : 1); }

void *sam_calloc(size_t count, size_t size) {
  return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1); /* calloc checks the product */
}

void sam_free(void *memory) { free(memory); }

void *sam_malloc_aligned(size_t bytes) {
  void *memory;
  if (bytes > SIZE_MAX / 2 || must_fail()) return NULL;
  return posix_memalign(&memory, 64, bytes ? bytes : 64) == 0 ? memory : NULL;
}

void sam_free_aligned(void *memory) { free(memory); }

/* Sanitizers watch the ends of what malloc gives. */
#if defined(__SANITIZE_ADDRESS__) || defined(_WIN32) || !defined(__linux__)
#define SAM_MAPS 0
#else
#define SAM_MAPS 1
#include <sys/mman.h>
#include <unistd.h>
#endif

enum { SAM_HUGE = 2 << 20, SAM_MAP_LEAST = 128 << 10 };

#if SAM_MAPS

static bool is_mapped(size_t bytes) { return bytes >= SAM_MAP_LEAST; }

/* Maps more than needed and gives back what lies before and behind the aligned part. */
static void *map_aligned(size_t bytes, size_t alignment) {
  char *memory = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  const size_t before = (alignment - (uintptr_t)memory % alignment) % alignment;
  if (before) munmap(memory, before);
  if (alignment - before) munmap(memory + before + bytes, alignment - before);
  return memory + before;
}

/* What is mapped for `bytes`: from half a huge page on, whole ones. */
static size_t whole_pages(size_t bytes) {
  const size_t page = bytes >= SAM_HUGE / 2 ? SAM_HUGE : (size_t)sysconf(_SC_PAGESIZE);
  return (bytes + page - 1) / page * page;
}

/* The pages that lie wholly in the range. */
static void advise(const void *data, size_t bytes, int advice) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = ((uintptr_t)data + page - 1) / page * page, end = ((uintptr_t)data + bytes) / page * page;
  if (end > begin) madvise((void *)begin, end - begin, advice);
}

void sam_file_ahead(const void *data, size_t bytes) {
#if defined(MADV_POPULATE_READ)
  advise(data, bytes, MADV_POPULATE_READ);
#else
  (void)data, (void)bytes;
#endif
}

void sam_file_done(const void *data, size_t bytes) { advise(data, bytes, MADV_DONTNEED); }

#else

void sam_file_ahead(const void *data, size_t bytes) { (void)data, (void)bytes; }
void sam_file_done(const void *data, size_t bytes) { (void)data, (void)bytes; }

#endif

void *sam_map(size_t bytes, size_t dense) {
#if SAM_MAPS
  if (is_mapped(bytes)) {
    if (bytes > SIZE_MAX / 2 || must_fail()) return NULL;
    const size_t huge = (dense + SAM_HUGE / 2) / SAM_HUGE * SAM_HUGE; /* at most half a page is for nothing */
    void *memory = map_aligned(whole_pages(bytes), huge ? SAM_HUGE : whole_pages(1));
#if defined(MADV_HUGEPAGE)
    if (memory && huge) madvise(memory, huge, MADV_HUGEPAGE);
#endif
#if defined(MADV_POPULATE_WRITE)
    if (memory && dense > huge) advise((char *)memory + huge, dense - huge, MADV_POPULATE_WRITE); /* all at once */
#endif
    return memory;
  }
#endif
  (void)dense;
  void *memory = sam_malloc_aligned(bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void sam_unmap(void *memory, size_t bytes) {
#if SAM_MAPS
  if (memory && is_mapped(bytes)) {
    munmap(memory, whole_pages(bytes));
    return;
  }
#endif
  (void)bytes;
  sam_free_aligned(memory);
}

struct sam_block {
  struct sam_block *next;
  size_t used, size;
  _Alignas(16) unsigned char data[];
};

#define SAM_BLOCK_BYTES 16384

void *sam_block_alloc(struct sam_block **blocks, size_t bytes) {
  if (bytes > SIZE_MAX / 4) return NULL;
  bytes = (bytes + 15) / 16 * 16;
  struct sam_block *block = *blocks;
  if (!block || block->size - block->used < bytes) {
    size_t size = bytes > SAM_BLOCK_BYTES / 4 ? bytes : SAM_BLOCK_BYTES;
    struct sam_block *fresh = sam_calloc(1, sizeof *fresh + size);
    if (!fresh) return NULL;
    fresh->size = size;
    if (block && size == bytes) { /* a large one of its own goes behind the open one */
      fresh->next = block->next;
      block->next = fresh;
    } else {
      fresh->next = block;
      *blocks = fresh;
    }
    block = fresh;
  }
  void *memory = block->data + block->used;
  block->used += bytes;
  return memory;
}

void sam_blocks_free(struct sam_block *blocks) {
  while (blocks) {
    struct sam_block *next = blocks->next;
    sam_free(blocks);
    blocks = next;
  }
}
