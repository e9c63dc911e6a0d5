/* Moving elements without looking at them.
 *
 * Every data-movement operator comes down to one of two things:
 *   - a strided copy: out[i0, i1, …] = in[offset + i0*s0 + i1*s1 + …], with strides that may be permuted (TRANSPOSE),
 *     zero (BROADCAST_TO, TILE), negative (REVERSE_V2, STRIDED_SLICE) or larger than dense (SLICE, UNPACK);
 *   - a row copy by an index table (GATHER and its relatives), which the operator writes itself.
 * prepare makes a sam_strided plan (it merges dimensions and picks the loop), eval runs it. Types below one byte are
 * spread to one byte per element in scratch, moved, and packed again. */
#ifndef SAM_MOVE_H
#define SAM_MOVE_H

#include <string.h>

#include "samara/op.h"
#include "string_tensor.h"

/* TILE looks at every dimension twice. */
#define SAM_STRIDED_RANK (2 * SAM_MAX_RANK)

typedef enum sam_strided_kind {
  SAM_STRIDED_EMPTY,     /* nothing to do */
  SAM_STRIDED_BLOCK,     /* one dense block */
  SAM_STRIDED_ROWS,      /* dense rows */
  SAM_STRIDED_FILL,      /* rows of one repeated element */
  SAM_STRIDED_REVERSE,   /* rows from their end to their start */
  SAM_STRIDED_TRANSPOSE, /* some other dimension is dense in the source: tiles are turned */
  SAM_STRIDED_ELEMENTS   /* anything else */
} sam_strided_kind;

/* The last two dimensions are the inner loop; they are cut in pieces along the first of the two. */
typedef struct sam_strided {
  sam_strided_kind kind;
  int32_t rank;        /* at least 2 once planned, except BLOCK */
  int32_t size;        /* bytes of what is moved at once: 1, 2, 4, 8 or 16 */
  int32_t log2;        /* of size */
  int64_t items;       /* independent pieces */
  int64_t cost;        /* cycles of one piece, about */
  int64_t tile, tiles; /* extent and number of pieces along dimension rank - 2 */
  int64_t dims[SAM_STRIDED_RANK];
  int64_t dst[SAM_STRIDED_RANK]; /* strides in bytes */
  int64_t src[SAM_STRIDED_RANK];
} sam_strided;

/* Plans a copy of dims[0..rank) elements of `size` bytes. Strides count elements; dst_strides NULL: dense. */
void sam_strided_plan(sam_strided *plan, int32_t size, int32_t rank, const int64_t *dims, const int64_t *dst_strides,
                      const int64_t *src_strides);
void sam_strided_run(sam_ctx *ctx, const sam_strided *plan, void *dst, const void *src);

/* Short rows do not pay for a call of memcpy: two overlapping halves. */
static inline void sam_copy_row(void *to, const void *from, int64_t bytes) {
  char *dst = to;
  const char *src = from;
  if (bytes > 128) {
    memcpy(dst, src, (size_t)bytes);
  } else if (bytes < 4) {
    for (int64_t i = 0; i < bytes; i++) dst[i] = src[i];
  } else if (bytes >= 16) {
    for (int64_t i = 0; i + 16 < bytes; i += 16) memcpy(dst + i, src + i, 16);
    memcpy(dst + bytes - 16, src + bytes - 16, 16);
  } else if (bytes >= 8) {
    memcpy(dst, src, 8);
    memcpy(dst + bytes - 8, src + bytes - 8, 8);
  } else {
    memcpy(dst, src, 4);
    memcpy(dst + bytes - 4, src + bytes - 4, 4);
  }
}

/* Row-major strides of `dims`, in elements. */
static inline void sam_dense_strides(int32_t rank, const int64_t *dims, int64_t *strides) {
  int64_t step = 1;
  for (int32_t i = rank; i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
}

/* Types of less than one byte. */
static inline bool sam_is_packed(sam_type type) { return type == SAM_INT4 || type == SAM_UINT4 || type == SAM_INT2; }
/* Bytes of an element as it is moved: packed types travel as one byte, strings as their number (string_tensor.h). 0 for
 * types without a fixed size. */
static inline int32_t sam_move_size(sam_type type) {
  return sam_is_packed(type) ? 1 : type == SAM_STRING ? 4 : sam_type_bits(type) / 8;
}
/* One byte per element, sign-extended for signed types. */
void sam_spread(void *dst, const void *src, sam_type type, int64_t n);
/* The inverse; unused bits of the last byte become 0. */
void sam_squeeze_bits(void *dst, const void *src, sam_type type, int64_t n);
/* Copies `n` bytes over the threads. */
void sam_copy(sam_ctx *ctx, void *dst, const void *src, size_t n);

/* What an operator that makes one strided copy from input `key` to output 0 keeps in node->state. */
typedef struct sam_move {
  sam_strided plan;
  int64_t offset; /* of the first source element, in elements */
} sam_move;

/* prepare: scratch for the elements of packed types and strings as they are moved. */
sam_status sam_move_scratch(sam_ctx *ctx, const sam_tensor *in, const sam_tensor *out);
/* prepare: allocates node->state, and this scratch. NULL after having reported out of memory. */
sam_move *sam_move_new(sam_ctx *ctx, sam_node *node, const sam_tensor *in, const sam_tensor *out);
/* eval: runs the sam_move of node->state from input op->key to output 0. */
sam_status sam_move_eval(sam_ctx *ctx, sam_node *node);

/* sam_set_shape from 64-bit dimensions: fails on those that are negative or above INT32_MAX. */
sam_status sam_set_dims(sam_ctx *ctx, sam_tensor *t, int32_t rank, const int64_t *dims);
static inline void sam_dims64(const sam_tensor *t, int64_t *dims) {
  for (int32_t i = 0; i < t->rank; i++) dims[i] = t->dims[i];
}
/* The first value of an INT16, INT32 or INT64 tensor of one element (a scalar, mostly). */
sam_status sam_read_int(sam_ctx *ctx, const sam_tensor *t, int64_t *value);
/* Element i of an INT16, INT32 or INT64 tensor. */
static inline int64_t sam_index_at(const sam_tensor *t, int64_t i) {
  if (t->type == SAM_INT32) return ((const int32_t *)t->data)[i];
  if (t->type == SAM_INT64) return ((const int64_t *)t->data)[i];
  return ((const int16_t *)t->data)[i];
}
/* Fails unless `t` is INT32 or INT64 (or INT16 where `short_too`). */
sam_status sam_check_index_type(sam_ctx *ctx, const sam_tensor *t, bool short_too);

/* Rows of sam_op.eval: the types that have whole bytes, and those that do not. */
#define SAM_EVAL_BYTES(fn)                                                                                       \
  [SAM_FLOAT32] = fn, [SAM_FLOAT16] = fn, [SAM_INT32] = fn, [SAM_UINT8] = fn, [SAM_INT64] = fn, [SAM_BOOL] = fn, \
  [SAM_INT16] = fn, [SAM_COMPLEX64] = fn, [SAM_INT8] = fn, [SAM_FLOAT64] = fn, [SAM_COMPLEX128] = fn,            \
  [SAM_UINT64] = fn, [SAM_UINT32] = fn, [SAM_UINT16] = fn, [SAM_BFLOAT16] = fn, [SAM_FLOAT8_E4M3FN] = fn,        \
  [SAM_FLOAT8_E5M2] = fn
#define SAM_EVAL_PACKED(fn) [SAM_INT4] = fn, [SAM_UINT4] = fn, [SAM_INT2] = fn

#endif
