/* Samara: convolutions that run one after the other on a strip of rows that stays in the near caches.
 *
 *      x ──> CONV_2D 1x1 ──> HARD_SWISH ──> DEPTHWISE_CONV_2D ──> HARD_SWISH ──> CONV_2D 1x1 ──> y
 *
 * What stands before the depthwise convolution or what stands behind it may be missing, and any operator that computes
 * one element from one (node->piece) may stand where HARD_SWISH does; its results lie where its input was.
 *
 * Only the last result goes to a tensor. Those between lie in rings of as many rows as a strip needs. The operators and
 * their kernels are those that would have run alone, on the same rows, so the bytes are the same. runtime/strips.c
 * finds them. */
#ifndef SAM_COMMON_STRIPS_H
#define SAM_COMMON_STRIPS_H

#include "samara/op.h"

enum { SAM_STRIP_LINKS = 5 };

typedef struct sam_strip_link {
  const sam_node *node;
  int64_t height;   /* rows of an image of its result */
  size_t row_bytes; /* of its result */
  int64_t elements; /* of such a row */
  size_t at;        /* where its results lie in a thread's buffer, unless it is the last */
  int64_t ring;     /* how many rows of them; 0 for the last */
  bool wide;        /* a row of it needs other rows of its input than the same one */
} sam_strip_link;

typedef struct sam_strips {
  int32_t n;
  int64_t images, rows; /* rows of the last result that a strip makes */
  int64_t cost;         /* cycles of a strip */
  size_t scratch;       /* of the first node: its own, before the buffers of all threads */
  size_t buffer_bytes;  /* of a thread */
  sam_strip_link links[SAM_STRIP_LINKS];
} sam_strips;

/* Rows of an image of `height` rows that a window needs for rows [*begin, *end) of its result. */
static inline void sam_rows_needed(const sam_row_window *window, int64_t height, int64_t *begin, int64_t *end) {
  const int64_t first = *begin * window->stride - window->top;
  const int64_t last = (*end - 1) * window->stride - window->top + window->reach;
  *begin = first < 0 ? 0 : first > height ? height : first;
  *end = last < *begin ? *begin : last > height ? height : last;
}

/* The eval of the first node of node->strips. */
sam_status sam_strips_eval(sam_ctx *ctx, sam_node *node);

#endif
