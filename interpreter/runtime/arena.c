/* Offsets in the arena, greedy by size: the largest block first, each into the smallest gap that is free for as long
 * as the block lives. Within a few per cent of the lower bound on real networks.
 *
 *      offset ^   +-----------+
 *             |   |  small    |   +---+
 *             |   +-----------+---+---+--+
 *             |   |   largest            |
 *             +---+----------------------+--> step
 */
#include <stdlib.h>

#include "session.h"

#define SAM_ALIGN 64
/* The search is quadratic. Graphs with more blocks than this get no reuse between blocks instead of a long wait. */
#define SAM_MAX_SEARCH 20000

typedef struct order {
  size_t bytes;
  int32_t first, index;
} order;

static int larger_first(const void *a, const void *b) {
  const order *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

sam_status sam_arena_place(sam_arena_block *blocks, int32_t n, size_t *total) {
  *total = 0;
  if (n == 0) return SAM_OK;
  order *sorted = sam_malloc((size_t)n * sizeof *sorted);
  int32_t *placed = sam_malloc((size_t)n * sizeof *placed); /* block indices by ascending offset */
  if (!sorted || !placed) {
    sam_free(sorted);
    sam_free(placed);
    return SAM_OUT_OF_MEMORY;
  }
  for (int32_t i = 0; i < n; i++) {
    blocks[i].bytes = (blocks[i].bytes + SAM_ALIGN - 1) / SAM_ALIGN * SAM_ALIGN;
    sorted[i] = (order){blocks[i].bytes, blocks[i].first, i};
  }
  qsort(sorted, (size_t)n, sizeof *sorted, larger_first);
  sam_status status = SAM_OK;
  int32_t count = 0;
  for (int32_t k = 0; k < n && status == SAM_OK; k++) {
    sam_arena_block *block = &blocks[sorted[k].index];
    size_t best = SIZE_MAX, best_gap = SIZE_MAX, end = 0;
    if (n > SAM_MAX_SEARCH) {
      best = *total;
    } else {
      for (int32_t j = 0; j < count; j++) {
        const sam_arena_block *other = &blocks[placed[j]];
        if (other->last < block->first || other->first > block->last) continue;
        size_t start = (size_t)other->offset;
        if (start > end && start - end >= block->bytes && start - end < best_gap) {
          best = end;
          best_gap = start - end;
        }
        if (start + other->bytes > end) end = start + other->bytes;
      }
      if (best == SIZE_MAX) best = end;
    }
    if (best > SIZE_MAX / 4 - block->bytes) {
      status = SAM_LIMIT;
      break;
    }
    block->offset = (int64_t)best;
    if (best + block->bytes > *total) *total = best + block->bytes;
    if (n <= SAM_MAX_SEARCH) {
      int32_t at = count++;
      for (; at > 0 && blocks[placed[at - 1]].offset > block->offset; at--) placed[at] = placed[at - 1];
      placed[at] = sorted[k].index;
    }
  }
  sam_free(sorted);
  sam_free(placed);
  return status;
}
