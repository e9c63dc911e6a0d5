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
