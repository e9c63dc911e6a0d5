/* Rows chosen by index: GATHER, GATHER_ND, SCATTER_ND, EMBEDDING_LOOKUP, HASHTABLE_LOOKUP, ONE_HOT,
 * SPARSE_TO_DENSE. Indices are data: eval checks every one of them before anything is read through it. */
#include <string.h>

#include "blockwise.h"
#include "move.h"
#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

/* The first of n indices that is not within [0, limit); n if all are. */
static int64_t first_outside(const sam_tensor *indices, int64_t n, int64_t limit) {
  int64_t i = 0;
  if (indices->type == SAM_INT32)
    while (i < n && (uint64_t)(int64_t)((const int32_t *)indices->data)[i] < (uint64_t)limit) i++;
  else
    while (i < n && (uint64_t)sam_index_at(indices, i) < (uint64_t)limit) i++;
  return i;
}

/* ---- GATHER ----------------------------------------------------------------------------------------------------- */

/* input [batch][outer][axis][inner], indices [batch][n], output [batch][outer][n][inner]. */
typedef struct {
  int64_t batch, outer, axis, n, inner;
} gather_plan;

typedef struct {
  const gather_plan *g;
  const sam_tensor *indices;
  const char *in;
  char *out;
} gather_job;

static sam_status gather_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *indices = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  const sam_gather_options *o = node->options;
  SAM_TRY(sam_check_same_type(ctx, out, in));
  SAM_TRY(sam_check_index_type(ctx, indices, true));
  int32_t axis, batch = o->batch_dims < 0 ? o->batch_dims + indices->rank : o->batch_dims;
  SAM_TRY(sam_normalize_axis(ctx, o->axis, in->rank, &axis));
  if (batch < 0 || batch > axis || batch > indices->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "batch_dims is %d, axis is %d, indices have %d dimensions", o->batch_dims,
                    axis, indices->rank);
  for (int32_t i = 0; i < batch; i++)
    if (in->dims[i] != indices->dims[i])
      return sam_fail(ctx, SAM_INVALID_MODEL, "batch dimension %d has %d elements in the input, %d in the indices", i,
                      in->dims[i], indices->dims[i]);
  int64_t dims[3 * SAM_MAX_RANK];
  int32_t rank = 0;
  for (int32_t i = 0; i < axis; i++) dims[rank++] = in->dims[i];
  for (int32_t i = batch; i < indices->rank; i++) dims[rank++] = indices->dims[i];
  for (int32_t i = axis + 1; i < in->rank; i++) dims[rank++] = in->dims[i];
  SAM_TRY(sam_set_dims(ctx, out, rank, dims));
  gather_plan *g = node->state = sam_alloc(ctx, sizeof *g);
  if (!g) return SAM_OUT_OF_MEMORY;
  g->batch = sam_span(in, 0, batch);
  g->outer = sam_span(in, batch, axis);
  g->axis = in->dims[axis];
  g->n = sam_span(indices, batch, indices->rank);
  g->inner = sam_span(in, axis + 1, in->rank) * sam_move_size(in->type);
  return sam_move_scratch(ctx, in, out);
}

static void gather_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const gather_job *j = arg;
  const gather_plan *g = j->g;
  for (int64_t item = begin; item < end; item++) {
    int64_t b = item / g->outer, size = g->inner;
    const char *table = j->in + item * g->axis * size;
    char *to = j->out + item * g->n * size;
    if (j->indices->type == SAM_INT32) {
      sam_uk.move->gather(to, table, (const int32_t *)j->indices->data + b * g->n, size, g->n);
      continue;
    }
    for (int64_t i = 0; i < g->n; i++, to += size) {
      sam_copy_row(to, table + sam_index_at(j->indices, b * g->n + i) * size, size);
    }
  }
}

static sam_status gather_eval(sam_ctx *ctx, sam_node *node) {
  const gather_plan *g = node->state;
  const sam_tensor *in = node->inputs[0], *indices = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  const int64_t count = g->batch * g->n;
  const int64_t wrong = first_outside(indices, count, g->axis);
  if (wrong < count)
    return sam_fail(ctx, SAM_DATA, "index %lld (number %lld) is outside of 0..%lld",
                    (long long)sam_index_at(indices, wrong), (long long)wrong, (long long)g->axis - 1);
  gather_job j = {g, indices, in->data, out->data};
  bool packed = sam_is_packed(in->type);
  if (packed) {
    char *spread = node->scratch;
    sam_spread(spread, in->data, in->type, sam_elements(in));
    j.in = spread;
    j.out = spread + sam_elements(in);
  }
  sam_parallel(ctx, g->batch * g->outer, g->n * (4 + g->inner / 16), gather_rows, &j);
  if (packed) sam_squeeze_bits(out->data, j.out, out->type, sam_elements(out));
  return SAM_OK;
}

const sam_op sam_op_gather = {
    .name = "GATHER",
    .options = SAM_OPTIONS_GATHER,
    .max_version = 8,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = gather_prepare,
    .eval = {SAM_EVAL_BYTES(gather_eval), SAM_EVAL_PACKED(gather_eval), [SAM_STRING] = sam_move_strings},
};

/* ---- GATHER_ND, SCATTER_ND -------------------------------------------------------------------------------------- */

/* Tuples of `depth` indices name slices of `slice` elements in a tensor of the given dims. */
typedef struct {
  int64_t tuples, slice;
  int32_t depth;
  int32_t dims[SAM_MAX_RANK];
} nd_plan;

static sam_status nd_new(sam_ctx *ctx, sam_node *node, const sam_tensor *indices, const sam_tensor *whole) {
  nd_plan *p = node->state = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  p->depth = indices->dims[indices->rank - 1];
  p->tuples = sam_span(indices, 0, indices->rank - 1);
  p->slice = sam_span(whole, p->depth, whole->rank);
  memcpy(p->dims, whole->dims, sizeof p->dims);
  return SAM_OK;
}

/* The slice that tuple t names, or -1 after having reported an index out of range. */
static int64_t nd_slice_of(sam_ctx *ctx, const nd_plan *p, const sam_tensor *indices, int64_t t) {
  int64_t at = 0;
  for (int32_t k = 0; k < p->depth; k++) {
    int64_t i = sam_index_at(indices, t * p->depth + k);
    if (i < 0 || i >= p->dims[k]) {
      sam_fail(ctx, SAM_DATA, "index %lld of tuple %lld is outside of 0..%d of dimension %d", (long long)i,
               (long long)t, p->dims[k] - 1, k);
      return -1;
    }
    at = at * p->dims[k] + i;
  }
  return at;
}

/* One index of the common type without a call. */
static inline int64_t nd_slice(sam_ctx *ctx, const nd_plan *p, const sam_tensor *indices, int64_t t) {
  if (p->depth == 1 && indices->type == SAM_INT32) {
    const int32_t i = ((const int32_t *)indices->data)[t];
    if (i >= 0 && i < p->dims[0]) return i;
  }
  return nd_slice_of(ctx, p, indices, t);
}

static sam_status check_tuples(sam_ctx *ctx, const sam_tensor *indices, int32_t rank) {
  SAM_TRY(sam_check_index_type(ctx, indices, true));
  if (indices->rank == 0 || indices->dims[indices->rank - 1] > rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "index tuples have %d values, the indexed tensor has %d dimensions",
                    indices->rank ? indices->dims[indices->rank - 1] : 0, rank);
  return SAM_OK;
}

static sam_status gather_nd_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *indices = node->inputs[1];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(check_tuples(ctx, indices, in->rank));
  int64_t dims[2 * SAM_MAX_RANK];
  int32_t rank = 0;
  for (int32_t i = 0; i < indices->rank - 1; i++) dims[rank++] = indices->dims[i];
  for (int32_t i = indices->dims[indices->rank - 1]; i < in->rank; i++) dims[rank++] = in->dims[i];
  SAM_TRY(sam_set_dims(ctx, node->outputs[0], rank, dims));
  SAM_TRY(nd_new(ctx, node, indices, in));
  return sam_string_scratch(ctx, in, node->outputs[0]);
}

static sam_status gather_nd_eval(sam_ctx *ctx, sam_node *node) {
  const nd_plan *p = node->state;
  const sam_tensor *in = node->inputs[0];
  size_t size = (size_t)(p->slice * sam_move_size(in->type));
  char *to = node->outputs[0]->data;
  for (int64_t t = 0; t < p->tuples; t++, to += size) {
    int64_t at = nd_slice(ctx, p, node->inputs[1], t);
    if (at < 0) return SAM_DATA;
    sam_copy_row(to, (const char *)in->data + (size_t)at * size, (int64_t)size);
  }
  return SAM_OK;
}

const sam_op sam_op_gather_nd = {
    .name = "GATHER_ND",
    .max_version = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = gather_nd_prepare,
    .eval = {SAM_EVAL_BYTES(gather_nd_eval), [SAM_STRING] = sam_move_strings},
};

static sam_status scatter_nd_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *indices = node->inputs[0], *updates = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  int64_t dims[SAM_MAX_RANK];
  int32_t rank;
  SAM_TRY(sam_check_same_type(ctx, out, updates));
  if (!sam_is_known(node->inputs[2])) return sam_need_data(ctx, 2);
  SAM_TRY(sam_read_ints(ctx, node->inputs[2], SAM_MAX_RANK, dims, &rank));
  SAM_TRY(check_tuples(ctx, indices, rank));
  SAM_TRY(sam_set_dims(ctx, out, rank, dims));
  SAM_TRY(nd_new(ctx, node, indices, out));
  int32_t outer = indices->rank - 1, depth = indices->dims[outer];
  bool fits = updates->rank == outer + rank - depth;
  for (int32_t i = 0; i < updates->rank && fits; i++)
    fits = updates->dims[i] == (i < outer ? indices->dims[i] : out->dims[i - outer + depth]);
  if (!fits)
    return sam_fail(ctx, SAM_INVALID_MODEL,
                    "updates must have the shape of the indices without the last dimension "
                    "followed by that of a slice");
  return SAM_OK;
}

/* Values of equal indices add up (or, for BOOL): sixteen at a time, of which compilers make vectors. */
#define SCATTER(T, suffix, ADD)                                                                           \
  static __attribute__((noinline)) void add_##suffix(T *restrict to, const T *restrict from, int64_t n) { \
    int64_t i = 0;                                                                                        \
    for (; i + 16 <= n; i += 16)                                                                          \
      for (int k = 0; k < 16; k++) to[i + k] = (T)(to[i + k] ADD from[i + k]);                            \
    for (; i < n; i++) to[i] = (T)(to[i] ADD from[i]);                                                    \
  }                                                                                                       \
  static sam_status scatter_nd_##suffix(sam_ctx *ctx, sam_node *node) {                                   \
    const nd_plan *p = node->state;                                                                       \
    const T *from = node->inputs[1]->data;                                                                \
    T *out = node->outputs[0]->data;                                                                      \
    if (node->outputs[0]->bytes) memset(out, 0, node->outputs[0]->bytes);                                 \
    for (int64_t t = 0; t < p->tuples; t++, from += p->slice) {                                           \
      const int64_t at = nd_slice(ctx, p, node->inputs[0], t);                                            \
      if (at < 0) return SAM_DATA;                                                                        \
      add_##suffix(out + at * p->slice, from, p->slice);                                                  \
    }                                                                                                     \
    return SAM_OK;                                                                                        \
  }
SCATTER(float, f32, +)
SCATTER(uint8_t, u8, +)
SCATTER(uint16_t, u16, +)
SCATTER(uint32_t, u32, +)
SCATTER(uint64_t, u64, +)
SCATTER(uint8_t, bool, |)

const sam_op sam_op_scatter_nd = {
    .name = "SCATTER_ND",
    .max_version = 1,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .key = 1,
    .prepare = scatter_nd_prepare,
    .eval = {[SAM_FLOAT32] = scatter_nd_f32,
             [SAM_INT8] = scatter_nd_u8,
             [SAM_UINT8] = scatter_nd_u8,
             [SAM_INT16] = scatter_nd_u16,
             [SAM_UINT16] = scatter_nd_u16,
             [SAM_INT32] = scatter_nd_u32,
             [SAM_UINT32] = scatter_nd_u32,
             [SAM_INT64] = scatter_nd_u64,
             [SAM_UINT64] = scatter_nd_u64,
             [SAM_BOOL] = scatter_nd_bool},
};

/* ---- EMBEDDING_LOOKUP ------------------------------------------------------------------------------------------- */

static sam_status embedding_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *ids = node->inputs[0], *table = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_type(ctx, ids, SAM_INT32));
  SAM_TRY(sam_check_rank(ctx, ids, 1, 1));
  SAM_TRY(sam_check_rank(ctx, table, 1, SAM_MAX_RANK));
  int64_t row = sam_span(table, 1, table->rank);
  if (out->type != table->type) {
    const sam_quant *q = table->quant;
    if (out->type != SAM_FLOAT32 ||
        !(table->type == SAM_INT8 || table->type == SAM_UINT8 || sam_is_packed(table->type)))
      return sam_fail(ctx, SAM_UNSUPPORTED, "table is %s, output is %s", sam_type_name(table->type),
                      sam_type_name(out->type));
    if (q->block_size > 0) {
      const sam_tensor *s = q->block_scales;
      if (!s || !sam_is_known(s) || (s->type != SAM_FLOAT16 && s->type != SAM_FLOAT32) || row % q->block_size != 0 ||
          sam_elements(s) != table->dims[0] * (row / q->block_size))
        return sam_fail(ctx, SAM_UNSUPPORTED, "block scales must be constant FLOAT16 or FLOAT32, one per block of %d",
                        q->block_size);
      if (q->block_zero_points) return sam_fail(ctx, SAM_UNSUPPORTED, "block zero points must be absent");
    } else {
      SAM_TRY(sam_check_quant_axis(ctx, table, 0));
    }
  }
  if (sam_is_packed(table->type)) SAM_TRY(sam_scratch(ctx, (size_t)sam_elements(out) + (size_t)row + 1));
  int32_t dims[SAM_MAX_RANK];
  memcpy(dims, table->dims, sizeof dims);
  dims[0] = ids->dims[0];
  return sam_set_shape(ctx, out, table->rank, dims);
}

/* Element i of a packed or byte-sized integer tensor. */
static int32_t small_at(const sam_tensor *t, int64_t i) {
  const uint8_t *b = t->data;
  switch (t->type) {
    case SAM_INT4:
      return ((b[i >> 1] >> (4 * (i & 1)) & 15) ^ 8) - 8;
    case SAM_UINT4:
      return b[i >> 1] >> (4 * (i & 1)) & 15;
    case SAM_INT2:
      return ((b[i >> 2] >> (2 * (i & 3)) & 3) ^ 2) - 2;
    case SAM_INT8:
      return (int8_t)b[i];
    default:
      return b[i];
  }
}

static sam_status embedding_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *ids = node->inputs[0], *table = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  const sam_quant *q = table->quant;
  int64_t row = sam_span(table, 1, table->rank), n = ids->dims[0];
  const int32_t *id_of = ids->data;
  bool same = out->type == table->type;
  const int64_t wrong = first_outside(ids, n, table->dims[0]);
  if (wrong < n)
    return sam_fail(ctx, SAM_DATA, "id %d (number %lld) is outside of 0..%d", (int)id_of[wrong], (long long)wrong,
                    table->dims[0] - 1);
  if (row == 0) return SAM_OK;
  if (same && !sam_is_packed(table->type)) {
    sam_uk.move->gather(out->data, table->data, id_of, row * sam_move_size(table->type), n);
    return SAM_OK;
  }
  for (int64_t i = 0; i < n; i++) {
    const int64_t id = id_of[i];
    if (same) {
      uint8_t *to = (uint8_t *)node->scratch + i * row;
      for (int64_t k = 0; k < row; k++) to[k] = (uint8_t)small_at(table, id * row + k);
    } else {
      float *to = (float *)out->data + i * row;
      if (q->block_size > 0) {
        for (int64_t k = 0; k < row; k++) {
          const float scale = sam_block_scale(q->block_scales, (id * row + k) / q->block_size);
          to[k] = (float)small_at(table, id * row + k) * scale;
        }
      } else {
        int64_t c = q->count > 1 ? id : 0;
        for (int64_t k = 0; k < row; k++)
          to[k] = (float)(small_at(table, id * row + k) - q->zero_point[c]) * q->scale[c];
      }
    }
  }
  if (same && sam_is_packed(table->type)) sam_squeeze_bits(out->data, node->scratch, out->type, n * row);
  return SAM_OK;
}

const sam_op sam_op_embedding_lookup = {
    .name = "EMBEDDING_LOOKUP",
    .max_version = 5,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .key = 1,
    .prepare = embedding_prepare,
    .eval = {SAM_EVAL_BYTES(embedding_eval), SAM_EVAL_PACKED(embedding_eval)},
};

/* ---- HASHTABLE_LOOKUP ------------------------------------------------------------------------------------------- */

static sam_status hashtable_lookup_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *lookup = node->inputs[0], *key = node->inputs[1], *value = node->inputs[2];
  sam_tensor *out = node->outputs[0], *hits = node->outputs[1];
  SAM_TRY(sam_check_type(ctx, lookup, SAM_INT32));
  SAM_TRY(sam_check_type(ctx, key, SAM_INT32));
  SAM_TRY(sam_check_type(ctx, hits, SAM_UINT8));
  SAM_TRY(sam_check_same_type(ctx, out, value));
  SAM_TRY(sam_check_rank(ctx, lookup, 1, 1));
  SAM_TRY(sam_check_rank(ctx, key, 1, 1));
  SAM_TRY(sam_check_rank(ctx, value, 1, SAM_MAX_RANK));
  if (key->dims[0] != value->dims[0])
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d keys and %d values", key->dims[0], value->dims[0]);
  int32_t dims[SAM_MAX_RANK];
  memcpy(dims, value->dims, sizeof dims);
  dims[0] = lookup->dims[0];
  SAM_TRY(sam_set_shape_like(ctx, hits, lookup));
  return sam_set_shape(ctx, out, value->rank, dims);
}

/* Keys are sorted; a row that is not found becomes zeros. */
static sam_status hashtable_lookup_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  const int32_t *lookup = node->inputs[0]->data, *key = node->inputs[1]->data;
  const sam_tensor *value = node->inputs[2];
  uint8_t *hits = node->outputs[1]->data;
  char *out = node->outputs[0]->data;
  size_t row = (size_t)(sam_span(value, 1, value->rank) * sam_move_size(value->type));
  int64_t n = node->inputs[0]->dims[0], keys = node->inputs[1]->dims[0];
  for (int64_t i = 0; i < n; i++, out += row) {
    int64_t low = 0, high = keys;
    while (low < high) {
      int64_t middle = low + (high - low) / 2;
      if (key[middle] < lookup[i])
        low = middle + 1;
      else
        high = middle;
    }
    hits[i] = low < keys && key[low] == lookup[i];
    if (row == 0) continue;
    if (hits[i])
      memcpy(out, (const char *)value->data + (size_t)low * row, row);
    else
      memset(out, 0, row);
  }
  return SAM_OK;
}

const sam_op sam_op_hashtable_lookup = {
    .name = "HASHTABLE_LOOKUP",
    .max_version = 1,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 2,
    .max_outputs = 2,
    .key = 2,
    .prepare = hashtable_lookup_prepare,
    .eval = {SAM_EVAL_BYTES(hashtable_lookup_eval)},
};

/* ---- ONE_HOT ---------------------------------------------------------------------------------------------------- */

static sam_status one_hot_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *indices = node->inputs[0], *on = node->inputs[2], *off = node->inputs[3];
  sam_tensor *out = node->outputs[0];
  const sam_one_hot_options *o = node->options;
  int64_t depth;
  int32_t axis;
  SAM_TRY(sam_check_index_type(ctx, indices, false));
  SAM_TRY(sam_check_same_type(ctx, off, on));
  SAM_TRY(sam_check_same_type(ctx, out, on));
  if (sam_elements(on) != 1 || sam_elements(off) != 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "on and off values must be scalars");
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_int(ctx, node->inputs[1], &depth));
  SAM_TRY(sam_normalize_axis(ctx, o->axis, indices->rank + 1, &axis));
  int64_t dims[SAM_MAX_RANK + 1];
  for (int32_t i = 0; i <= indices->rank; i++) dims[i] = i == axis ? depth : indices->dims[i - (i > axis)];
  SAM_TRY(sam_set_dims(ctx, out, indices->rank + 1, dims));
  int32_t *state = node->state = sam_alloc(ctx, sizeof *state);
  if (!state) return SAM_OUT_OF_MEMORY;
  *state = axis;
  return SAM_OK;
}

static sam_status one_hot_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *indices = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  const int32_t axis = *(const int32_t *)node->state;
  const size_t size = (size_t)sam_move_size(out->type);
  const int64_t before = sam_span(indices, 0, axis), after = sam_span(indices, axis, indices->rank);
  const int64_t depth = out->dims[axis], n = sam_elements(out), zero = 0;
  sam_strided off;
  sam_strided_plan(&off, (int32_t)size, 1, &n, NULL, &zero);
  sam_strided_run(ctx, &off, out->data, node->inputs[3]->data);
  for (int64_t b = 0; b < before; b++)
    for (int64_t a = 0; a < after; a++) {
      const int64_t d = sam_index_at(indices, b * after + a);
      if (d < 0 || d >= depth) continue;
      memcpy((char *)out->data + (size_t)((b * depth + d) * after + a) * size, node->inputs[2]->data, size);
    }
  return SAM_OK;
}

const sam_op sam_op_one_hot = {
    .name = "ONE_HOT",
    .options = SAM_OPTIONS_ONE_HOT,
    .max_version = 1,
    .min_inputs = 4,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .key = 2,
    .prepare = one_hot_prepare,
    .eval = {SAM_EVAL_BYTES(one_hot_eval)},
};

/* ---- SPARSE_TO_DENSE -------------------------------------------------------------------------------------------- */

static sam_status sparse_to_dense_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *indices = node->inputs[0], *values = node->inputs[2], *fill = node->inputs[3];
  sam_tensor *out = node->outputs[0];
  int64_t dims[SAM_MAX_RANK];
  int32_t rank;
  SAM_TRY(sam_check_index_type(ctx, indices, false));
  SAM_TRY(sam_check_rank(ctx, indices, 0, 2));
  SAM_TRY(sam_check_same_type(ctx, fill, values));
  SAM_TRY(sam_check_same_type(ctx, out, values));
  if (sam_elements(fill) != 1) return sam_fail(ctx, SAM_INVALID_MODEL, "default value must be a scalar");
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], SAM_MAX_RANK, dims, &rank));
  int64_t places = indices->rank > 0 ? indices->dims[0] : 1, depth = indices->rank == 2 ? indices->dims[1] : 1;
  if (depth != rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "indices have %lld values each, the output has %d dimensions",
                    (long long)depth, rank);
  if (values->rank > 1 || (sam_elements(values) != 1 && sam_elements(values) != places) ||
      (values->rank == 1 && values->dims[0] != places))
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %lld values for %lld indices", (long long)sam_elements(values),
                    (long long)places);
  return sam_set_dims(ctx, out, rank, dims);
}

static sam_status sparse_to_dense_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *indices = node->inputs[0], *values = node->inputs[2];
  sam_tensor *out = node->outputs[0];
  size_t size = (size_t)sam_move_size(out->type);
  char *to = out->data;
  for (int64_t i = 0, n = sam_elements(out); i < n; i++) memcpy(to + (size_t)i * size, node->inputs[3]->data, size);
  int64_t places = indices->rank > 0 ? indices->dims[0] : 1;
  for (int64_t p = 0; p < places; p++) {
    int64_t at = 0;
    for (int32_t d = 0; d < out->rank; d++) {
      int64_t i = sam_index_at(indices, p * out->rank + d);
      if (i < 0 || i >= out->dims[d])
        return sam_fail(ctx, SAM_DATA, "index %lld of place %lld is outside of 0..%d of dimension %d", (long long)i,
                        (long long)p, out->dims[d] - 1, d);
      at = at * out->dims[d] + i;
    }
    memcpy(to + (size_t)at * size, (const char *)values->data + (values->rank ? (size_t)p * size : 0), size);
  }
  return SAM_OK;
}

const sam_op sam_op_sparse_to_dense = {
    .name = "SPARSE_TO_DENSE",
    .options = SAM_OPTIONS_SPARSE_TO_DENSE,
    .max_version = 3,
    .min_inputs = 4,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .key = 2,
    .prepare = sparse_to_dense_prepare,
    .eval = {SAM_EVAL_BYTES(sparse_to_dense_eval)},
};
