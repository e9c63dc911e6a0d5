/* Samara: numpy broadcasting of up to three inputs over an output, reduced to rows.
 *
 * Adjacent dimensions that every input walks (or repeats) alike are merged, so [8,28,28,64] + [1,1,1,64] becomes two
 * dimensions, and equal shapes become one. The innermost merged dimension is the row: inside it each input either
 * advances by one (step 1) or stays (step 0), and a kernel needs only those cases:
 *
 *      out[8*28*28][64]   a: strides (64, 1)   b: strides (0, 1)     -> 6272 rows of 64, steps 1 and 1
 */
#ifndef SAM_COMMON_BROADCAST_H
#define SAM_COMMON_BROADCAST_H

#include "samara/op.h"

enum { SAM_BROADCAST_INPUTS = 3 };

typedef struct sam_broadcast {
  int32_t inputs, rank; /* rank >= 1 */
  int64_t dims[SAM_MAX_RANK];
  int64_t stride[SAM_BROADCAST_INPUTS][SAM_MAX_RANK]; /* in elements; 0: repeated */
  int64_t count;                                      /* elements of the output */
} sam_broadcast;

/* Output shape `dims`; every input's shape must broadcast to it (checked before). */
static inline void sam_broadcast_plan(sam_broadcast *p, int32_t rank, const int32_t *dims, int32_t inputs,
                                      const sam_tensor *const *in) {
  *p = (sam_broadcast){.inputs = inputs, .rank = 0, .count = 1};
  int64_t reversed[SAM_MAX_RANK], steps[SAM_BROADCAST_INPUTS][SAM_MAX_RANK];
  int64_t walk[SAM_BROADCAST_INPUTS] = {1, 1, 1}; /* elements of the input inside the current dimension */
  for (int32_t d = 0; d < rank; d++) p->count *= dims[d];
  int32_t n = 0;
  for (int32_t d = rank - 1; d >= 0; d--) {
    int64_t step[SAM_BROADCAST_INPUTS] = {0};
    for (int32_t i = 0; i < inputs; i++) {
      int32_t own = in[i]->rank - (rank - d);
      int64_t extent = own < 0 ? 1 : in[i]->dims[own];
      step[i] = extent == 1 ? 0 : walk[i];
      walk[i] *= extent;
    }
    if (dims[d] == 1) continue;
    bool merge = n > 0;
    for (int32_t i = 0; i < inputs && merge; i++) merge = step[i] == steps[i][n - 1] * reversed[n - 1];
    if (merge) {
      reversed[n - 1] *= dims[d];
    } else {
      reversed[n] = dims[d];
      for (int32_t i = 0; i < inputs; i++) steps[i][n] = step[i];
      n++;
    }
  }
  if (n == 0) {
    reversed[0] = p->count; /* one element, or none */
    for (int32_t i = 0; i < inputs; i++) steps[i][0] = 1;
    n = 1;
  }
  p->rank = n;
  for (int32_t d = 0; d < n; d++) {
    p->dims[d] = reversed[n - 1 - d];
    for (int32_t i = 0; i < inputs; i++) p->stride[i][d] = steps[i][n - 1 - d];
  }
}

/* n output elements from element `out`, with input i at element in[i] and advancing by the row's step. */
typedef void (*sam_broadcast_row)(void *arg, int64_t n, int64_t out, const int64_t *in);

/* Calls `row` for the pieces of output elements [begin, end). */
static inline void sam_broadcast_walk(const sam_broadcast *p, int64_t begin, int64_t end, sam_broadcast_row row,
                                      void *arg) {
  int32_t last = p->rank - 1;
  int64_t length = p->dims[last], at[SAM_MAX_RANK], rest = begin, in[SAM_BROADCAST_INPUTS] = {0};
  if (begin >= end) return;
  for (int32_t d = last; d >= 0; d--) {
    at[d] = rest % p->dims[d];
    rest /= p->dims[d];
    for (int32_t i = 0; i < p->inputs; i++) in[i] += at[d] * p->stride[i][d];
  }
  while (begin < end) {
    int64_t n = length - at[last];
    if (n > end - begin) n = end - begin;
    row(arg, n, begin, in);
    begin += n;
    if (last > 0 && n == length) { /* the whole rows that follow */
      const int64_t left = p->dims[last - 1] - at[last - 1] - 1, full = (end - begin) / length;
      const int64_t rows = left < full ? left : full;
      for (int64_t r = 0; r < rows; r++, begin += length) {
        for (int32_t i = 0; i < p->inputs; i++) in[i] += p->stride[i][last - 1];
        row(arg, length, begin, in);
      }
      at[last - 1] += rows;
    }
    for (int32_t i = 0; i < p->inputs; i++) in[i] -= at[last] * p->stride[i][last];
    at[last] = 0;
    for (int32_t d = last - 1; d >= 0; d--) {
      for (int32_t i = 0; i < p->inputs; i++) in[i] += p->stride[i][d];
      if (++at[d] < p->dims[d]) break;
      for (int32_t i = 0; i < p->inputs; i++) in[i] -= p->dims[d] * p->stride[i][d];
      at[d] = 0;
    }
  }
}

#endif
