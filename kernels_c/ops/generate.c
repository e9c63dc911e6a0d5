/* Values from little or nothing: FILL, RANGE, ZEROS_LIKE, UNIQUE, MATRIX_DIAG, MATRIX_SET_DIAG, and the segment
 * reductions SEGMENT_SUM, UNSORTED_SEGMENT_{SUM, PROD, MAX, MIN}. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"

/* ---- FILL, ZEROS_LIKE ------------------------------------------------------------------------------------------- */

static sam_status fill_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *value = node->inputs[1];
  int64_t dims[SAM_MAX_RANK];
  int32_t rank;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], value));
  if (sam_elements(value) != 1 || value->rank > 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "the value to fill with has %lld elements, must be a scalar",
                    (long long)sam_elements(value));
  if (!sam_is_known(node->inputs[0])) return sam_need_data(ctx, 0);
  SAM_TRY(sam_read_ints(ctx, node->inputs[0], SAM_MAX_RANK, dims, &rank));
  SAM_TRY(sam_set_dims(ctx, node->outputs[0], rank, dims));
  return sam_string_scratch(ctx, value, node->outputs[0]);
}

static sam_status fill_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *value = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  const int64_t n = sam_elements(out), zero = 0;
  sam_strided plan;
  sam_strided_plan(&plan, sam_move_size(value->type), 1, &n, NULL, &zero);
  sam_strided_run(ctx, &plan, out->data, value->data);
  return SAM_OK;
}

const sam_op sam_op_fill = {
    .name = "FILL",
    .max_version = 5,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .key = 1,
    .prepare = fill_prepare,
    .eval = {SAM_EVAL_BYTES(fill_eval), [SAM_STRING] = sam_move_strings},
};

static sam_status zeros_like_prepare(sam_ctx *ctx, sam_node *node) {
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}

static sam_status zeros_like_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  if (node->outputs[0]->bytes) memset(node->outputs[0]->data, 0, node->outputs[0]->bytes);
  return SAM_OK;
}

const sam_op sam_op_zeros_like = {
    .name = "ZEROS_LIKE",
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = SAM_OP_SHAPE_ONLY,
    .prepare = zeros_like_prepare,
    .eval = {SAM_EVAL_BYTES(zeros_like_eval)},
};

/* ---- RANGE ------------------------------------------------------------------------------------------------------ */

static sam_status range_prepare(sam_ctx *ctx, sam_node *node) {
  sam_tensor *const *in = node->inputs;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in[0]));
  for (int32_t i = 0; i < 3; i++) {
    SAM_TRY(sam_check_same_type(ctx, in[i], in[0]));
    if (sam_elements(in[i]) != 1)
      return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" must be a scalar, it has %lld elements", in[i]->name,
                      (long long)sam_elements(in[i]));
    if (!sam_is_known(in[i])) return sam_need_data(ctx, i);
  }
  int64_t count;
  if (in[0]->type == SAM_FLOAT32) {
    float start = *(const float *)in[0]->data, limit = *(const float *)in[1]->data, step = *(const float *)in[2]->data;
    float n = ceilf(fabsf((limit - start) / step));
    if (step == 0 || (step > 0 ? start > limit : start < limit) || !(n < 2147483648.0f))
      return sam_fail(ctx, SAM_INVALID_MODEL, "no range from %g to %g by %g", (double)start, (double)limit,
                      (double)step);
    count = (int64_t)n;
  } else {
    int64_t start, limit, step;
    SAM_TRY(sam_read_int(ctx, in[0], &start));
    SAM_TRY(sam_read_int(ctx, in[1], &limit));
    SAM_TRY(sam_read_int(ctx, in[2], &step));
    if (step == 0 || (step > 0 ? start > limit : start < limit))
      return sam_fail(ctx, SAM_INVALID_MODEL, "no range from %lld to %lld by %lld", (long long)start, (long long)limit,
                      (long long)step);
    uint64_t distance = step > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step, n = distance / by + (distance % by != 0);
    count = n > INT32_MAX ? (int64_t)INT32_MAX + 1 : (int64_t)n;
  }
  return sam_set_dims(ctx, node->outputs[0], 1, &count);
}

static sam_status range_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  sam_tensor *out = node->outputs[0];
  const void *start = node->inputs[0]->data, *step = node->inputs[2]->data;
  int64_t n = out->dims[0];
  if (out->type == SAM_FLOAT32) {
    float value = *(const float *)start;
    for (int64_t i = 0; i < n; i++, value += *(const float *)step) ((float *)out->data)[i] = value;
  } else if (out->type == SAM_INT32) {
    uint32_t value = *(const uint32_t *)start;
    for (int64_t i = 0; i < n; i++, value += *(const uint32_t *)step) ((uint32_t *)out->data)[i] = value;
  } else {
    uint64_t value = *(const uint64_t *)start;
    for (int64_t i = 0; i < n; i++, value += *(const uint64_t *)step) ((uint64_t *)out->data)[i] = value;
  }
  return SAM_OK;
}

const sam_op sam_op_range = {
    .name = "RANGE",
    .max_version = 2,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = range_prepare,
    .eval = {[SAM_FLOAT32] = range_eval, [SAM_INT32] = range_eval, [SAM_INT64] = range_eval},
};

/* ---- UNIQUE ----------------------------------------------------------------------------------------------------- */

/* Open addressing over the bytes of the elements: slots hold 1 + the number of a distinct value, 0 is free. */
typedef struct {
  int64_t slots; /* a power of two above twice the elements */
  int32_t *table;
  int64_t *first; /* where distinct value number i stands in the input */
} unique_state;

static uint64_t bits_at(const sam_tensor *t, int64_t i) {
  switch (sam_move_size(t->type)) {
    case 1:
      return ((const uint8_t *)t->data)[i];
    case 2:
      return ((const uint16_t *)t->data)[i];
    case 4: {
      uint32_t v = ((const uint32_t *)t->data)[i];
      return t->type == SAM_FLOAT32 && v == 0x80000000u ? 0 : v; /* -0 equals 0 */
    }
    default:
      return ((const uint64_t *)t->data)[i];
  }
}

/* Numbers the distinct values in order of appearance; `out` (may be NULL) receives each element's number. */
static int64_t number(const unique_state *s, const sam_tensor *in, sam_tensor *out) {
  int64_t count = 0, n = in->dims[0];
  memset(s->table, 0, (size_t)s->slots * sizeof *s->table);
  for (int64_t i = 0; i < n; i++) {
    uint64_t v = bits_at(in, i), hash = v * UINT64_C(0x9e3779b97f4a7c15);
    int64_t slot = (int64_t)(hash >> 20) & (s->slots - 1);
    while (s->table[slot] && bits_at(in, s->first[s->table[slot] - 1]) != v) slot = (slot + 1) & (s->slots - 1);
    if (!s->table[slot]) {
      s->first[count++] = i;
      s->table[slot] = (int32_t)count;
    }
    if (!out) continue;
    if (out->type == SAM_INT64)
      ((int64_t *)out->data)[i] = s->table[slot] - 1;
    else
      ((int32_t *)out->data)[i] = s->table[slot] - 1;
  }
  return count;
}

static sam_status unique_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  SAM_TRY(sam_check_rank(ctx, in, 1, 1));
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_index_type(ctx, node->outputs[1], false));
  SAM_TRY(sam_set_shape_like(ctx, node->outputs[1], in));
  if (!sam_is_known(in)) return sam_need_data(ctx, 0);
  unique_state *s = node->state = sam_alloc(ctx, sizeof *s);
  if (!s) return SAM_OUT_OF_MEMORY;
  for (s->slots = 4; s->slots < 2 * (int64_t)in->dims[0]; s->slots *= 2) continue;
  s->table = sam_alloc(ctx, (size_t)s->slots * sizeof *s->table);
  s->first = sam_alloc(ctx, ((size_t)in->dims[0] + 1) * sizeof *s->first);
  if (!s->table || !s->first) return SAM_OUT_OF_MEMORY;
  int64_t count = number(s, in, NULL);
  return sam_set_dims(ctx, node->outputs[0], 1, &count);
}

static sam_status unique_eval(sam_ctx *ctx, sam_node *node) {
  const unique_state *s = node->state;
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  if (number(s, in, node->outputs[1]) != out->dims[0])
    return sam_fail(ctx, SAM_INTERNAL, "input changed after its values had been counted");
  size_t size = (size_t)sam_move_size(in->type);
  for (int64_t i = 0; i < out->dims[0]; i++)
    memcpy((char *)out->data + (size_t)i * size, (const char *)in->data + (size_t)s->first[i] * size, size);
  return SAM_OK;
}

const sam_op sam_op_unique = {
    .name = "UNIQUE",
    .options = SAM_OPTIONS_UNIQUE,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 2,
    .max_outputs = 2,
    .prepare = unique_prepare,
    .eval = {[SAM_FLOAT32] = unique_eval,
             [SAM_INT8] = unique_eval,
             [SAM_INT16] = unique_eval,
             [SAM_UINT8] = unique_eval,
             [SAM_INT32] = unique_eval,
             [SAM_INT64] = unique_eval},
};

/* ---- MATRIX_DIAG, MATRIX_SET_DIAG ------------------------------------------------------------------------------- */

static sam_status matrix_diag_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  int64_t dims[SAM_MAX_RANK + 1];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_rank(ctx, in, 1, SAM_MAX_RANK));
  sam_dims64(in, dims);
  dims[in->rank] = dims[in->rank - 1];
  SAM_TRY(sam_set_dims(ctx, node->outputs[0], in->rank + 1, dims));
  if (!sam_is_packed(in->type)) return SAM_OK;
  return sam_scratch(ctx, (size_t)(sam_elements(in) + sam_elements(node->outputs[0])));
}

/* Writes `diagonal` (n values) over the diagonals of matrices [count][rows][cols]. */
static void set_diagonals(char *matrix, const char *diagonal, int64_t count, int64_t rows, int64_t cols, size_t size) {
  int64_t n = rows < cols ? rows : cols;
  for (int64_t c = 0; c < count; c++, matrix += (size_t)(rows * cols) * size)
    for (int64_t i = 0; i < n; i++, diagonal += size) memcpy(matrix + (size_t)(i * cols + i) * size, diagonal, size);
}

static sam_status matrix_diag_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  if (out->bytes == 0) return SAM_OK;
  int64_t n = in->dims[in->rank - 1], count = sam_span(in, 0, in->rank - 1);
  if (sam_is_packed(in->type)) {
    char *from = node->scratch, *to = from + sam_elements(in);
    sam_spread(from, in->data, in->type, sam_elements(in));
    memset(to, 0, (size_t)sam_elements(out));
    set_diagonals(to, from, count, n, n, 1);
    sam_squeeze_bits(out->data, to, out->type, sam_elements(out));
    return SAM_OK;
  }
  memset(out->data, 0, out->bytes);
  set_diagonals(out->data, in->data, count, n, n, (size_t)sam_move_size(in->type));
  return SAM_OK;
}

const sam_op sam_op_matrix_diag = {
    .name = "MATRIX_DIAG",
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = matrix_diag_prepare,
    .eval = {SAM_EVAL_BYTES(matrix_diag_eval), SAM_EVAL_PACKED(matrix_diag_eval)},
};

static sam_status matrix_set_diag_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *diagonal = node->inputs[1];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_same_type(ctx, diagonal, in));
  SAM_TRY(sam_check_rank(ctx, in, 2, SAM_MAX_RANK));
  int64_t rows = in->dims[in->rank - 2], cols = in->dims[in->rank - 1], n = rows < cols ? rows : cols;
  bool fits = diagonal->rank == in->rank - 1 && diagonal->dims[diagonal->rank - 1] == n;
  for (int32_t i = 0; fits && i < in->rank - 2; i++) fits = diagonal->dims[i] == in->dims[i];
  if (!fits)
    return sam_fail(ctx, SAM_INVALID_MODEL,
                    "diagonal must have the dimensions of the input, with %lld in place of the "
                    "last two",
                    (long long)n);
  if (sam_is_packed(in->type)) SAM_TRY(sam_scratch(ctx, (size_t)(sam_elements(in) + sam_elements(diagonal))));
  return sam_set_shape_like(ctx, node->outputs[0], in);
}

static sam_status matrix_set_diag_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *diagonal = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  if (out->bytes == 0) return SAM_OK;
  int64_t rows = in->dims[in->rank - 2], cols = in->dims[in->rank - 1], count = sam_span(in, 0, in->rank - 2);
  if (sam_is_packed(in->type)) {
    char *to = node->scratch, *from = to + sam_elements(in);
    sam_spread(to, in->data, in->type, sam_elements(in));
    sam_spread(from, diagonal->data, in->type, sam_elements(diagonal));
    set_diagonals(to, from, count, rows, cols, 1);
    sam_squeeze_bits(out->data, to, out->type, sam_elements(out));
    return SAM_OK;
  }
  sam_copy(ctx, out->data, in->data, in->bytes);
  set_diagonals(out->data, diagonal->data, count, rows, cols, (size_t)sam_move_size(in->type));
  return SAM_OK;
}

const sam_op sam_op_matrix_set_diag = {
    .name = "MATRIX_SET_DIAG",
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .prepare = matrix_set_diag_prepare,
    .eval = {SAM_EVAL_BYTES(matrix_set_diag_eval), SAM_EVAL_PACKED(matrix_set_diag_eval)},
};

/* ---- Segments --------------------------------------------------------------------------------------------------- */

/* SEGMENT_SUM: ids ascend, one per row; the last one tells how many rows the output has. */
static sam_status segment_sum_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *ids = node->inputs[1];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_type(ctx, ids, SAM_INT32));
  SAM_TRY(sam_check_rank(ctx, in, 1, SAM_MAX_RANK));
  SAM_TRY(sam_check_rank(ctx, ids, 1, 1));
  if (ids->dims[0] != in->dims[0])
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d segment ids for %d rows", ids->dims[0], in->dims[0]);
  if (!sam_is_known(ids)) return sam_need_data(ctx, 1);
  const int32_t *id = ids->data;
  int64_t dims[SAM_MAX_RANK];
  for (int32_t i = 0; i < ids->dims[0]; i++)
    if (id[i] < (i ? id[i - 1] : 0))
      return sam_fail(ctx, SAM_INVALID_MODEL, "segment id %d of row %d must not be below %d", id[i], i,
                      i ? id[i - 1] : 0);
  sam_dims64(in, dims);
  dims[0] = ids->dims[0] > 0 ? (int64_t)id[ids->dims[0] - 1] + 1 : 0;
  return sam_set_dims(ctx, node->outputs[0], in->rank, dims);
}

static sam_status unsorted_segment_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *ids = node->inputs[1];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_index_type(ctx, ids, false));
  bool fits = ids->rank <= in->rank;
  for (int32_t i = 0; fits && i < ids->rank; i++) fits = ids->dims[i] == in->dims[i];
  if (!fits) return sam_fail(ctx, SAM_INVALID_MODEL, "the dimensions of the segment ids must begin those of the data");
  if (!sam_is_known(node->inputs[2])) return sam_need_data(ctx, 2);
  int64_t dims[SAM_MAX_RANK + 1];
  int32_t rank = 1;
  SAM_TRY(sam_read_int(ctx, node->inputs[2], &dims[0]));
  for (int32_t i = ids->rank; i < in->rank; i++) dims[rank++] = in->dims[i];
  return sam_set_dims(ctx, node->outputs[0], rank, dims);
}

/* Rows of a negative id are left out. */
#define SEGMENT(T, name, START, COMBINE)                                                                               \
  static sam_status name(sam_ctx *ctx, sam_node *node) {                                                               \
    const sam_tensor *in = node->inputs[0], *ids = node->inputs[1];                                                    \
    sam_tensor *out = node->outputs[0];                                                                                \
    int64_t n = sam_elements(ids), row = sam_span(in, ids->rank, in->rank), all = sam_elements(out);                   \
    T *to = out->data;                                                                                                 \
    const T *from = in->data;                                                                                          \
    for (int64_t i = 0; i < all; i++) to[i] = (START);                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      int64_t id = sam_index_at(ids, i);                                                                               \
      if (id >= out->dims[0])                                                                                          \
        return sam_fail(ctx, SAM_DATA, "segment id %lld of row %lld is outside of 0..%d", (long long)id, (long long)i, \
                        out->dims[0] - 1);                                                                             \
      if (id < 0) continue;                                                                                            \
      for (int64_t k = 0; k < row; k++) {                                                                              \
        T a = to[id * row + k], b = from[i * row + k];                                                                 \
        to[id * row + k] = (T)(COMBINE);                                                                               \
      }                                                                                                                \
    }                                                                                                                  \
    return SAM_OK;                                                                                                     \
  }
SEGMENT(float, segment_sum_f32, 0, a + b)
SEGMENT(int32_t, segment_sum_s32, 0, (uint32_t)a + (uint32_t)b)
SEGMENT(float, segment_prod_f32, 1, a *b)
SEGMENT(int32_t, segment_prod_s32, 1, (uint32_t)a *(uint32_t)b)
SEGMENT(float, segment_max_f32, -FLT_MAX, a > b ? a : b)
SEGMENT(int32_t, segment_max_s32, INT32_MIN, a > b ? a : b)
SEGMENT(float, segment_min_f32, FLT_MAX, a < b ? a : b)
SEGMENT(int32_t, segment_min_s32, INT32_MAX, a < b ? a : b)

const sam_op sam_op_segment_sum = {
    .name = "SEGMENT_SUM",
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = segment_sum_prepare,
    .eval = {[SAM_FLOAT32] = segment_sum_f32, [SAM_INT32] = segment_sum_s32},
};

#define UNSORTED(NAME, stem, function)                                        \
  const sam_op sam_op_unsorted_segment_##stem = {                             \
      .name = "UNSORTED_SEGMENT_" NAME,                                       \
      .max_version = 1,                                                       \
      .min_inputs = 3,                                                        \
      .max_inputs = 3,                                                        \
      .min_outputs = 1,                                                       \
      .max_outputs = 1,                                                       \
      .prepare = unsorted_segment_prepare,                                    \
      .eval = {[SAM_FLOAT32] = function##_f32, [SAM_INT32] = function##_s32}, \
  };
UNSORTED("SUM", sum, segment_sum)
UNSORTED("PROD", prod, segment_prod)
UNSORTED("MAX", max, segment_max)
UNSORTED("MIN", min, segment_min)
