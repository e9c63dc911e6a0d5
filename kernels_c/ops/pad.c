/* PAD, PADV2, MIRROR_PAD: a border around a tensor.
 *
 * All three are one walk over the rows of the output (a row is the last dimension). A row of the output comes from one
 * row of the input, or it is border as a whole:
 *
 *      PAD        0 0|a b c|0        the row is memset, memcpy, memset
 *      REFLECT    c b|a b c|b        along every outer axis the index is mirrored, the row is copied backwards
 *      SYMMETRIC  b a|a b c|c
 *
 * Elements are moved by size; their type matters only for the value of the border. */
#include <string.h>

#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

typedef struct pad_plan {
  int32_t rank, size; /* size: bytes of an element */
  int32_t in[SAM_MAX_RANK], out[SAM_MAX_RANK];
  int32_t before[SAM_MAX_RANK];
  int64_t in_stride[SAM_MAX_RANK]; /* in elements */
  int32_t mirror;                  /* 0: constant; 1: REFLECT; 2: SYMMETRIC */
  int64_t tile, tiles;             /* constant: rows done at once, and how many such the last axis but one has */
  uint8_t value[16];
} pad_plan;

typedef struct pad_work {
  const pad_plan *plan;
  const uint8_t *in;
  uint8_t *out;
  bool same;           /* all bytes of the value are equal */
  uint8_t border[512]; /* the value, again and again */
} pad_work;

static void fill(const pad_work *w, uint8_t *dst, int64_t n) {
  const int64_t bytes = n * w->plan->size;
  if (w->same) {
    memset(dst, w->border[0], (size_t)bytes);
    return;
  }
  for (int64_t at = 0, part; at < bytes; at += part) {
    part = bytes - at < (int64_t)sizeof w->border ? bytes - at : (int64_t)sizeof w->border;
    memcpy(dst + at, w->border, (size_t)part);
  }
}

/* n elements of each of `rows` rows, `step` bytes apart. */
static void fill_rows(const pad_work *w, uint8_t *dst, int64_t step, int64_t n, int64_t rows) {
  const int64_t bytes = n * w->plan->size;
  if (bytes > 0 && bytes <= (int64_t)sizeof w->border) {
    sam_uk.move->rows((char *)dst, step, (const char *)w->border, 0, bytes, rows);
    return;
  }
  for (int64_t r = 0; r < rows && n > 0; r++) fill(w, dst + r * step, n);
}

/* Constant borders. The rows of a tile are copied by one call, each of their two borders written by another. */
static void pad_tiles(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const pad_work *w = arg;
  const pad_plan *p = w->plan;
  const int32_t last = p->rank - 1, above = last - 1, size = p->size;
  const int64_t n_in = p->in[last], n_out = p->out[last], before = p->before[last], row = n_out * size;
  for (int64_t item = begin; item < end; item++) {
    const int64_t outer = item / p->tiles, first = item % p->tiles * p->tile, left = p->out[above] - first;
    const int64_t rows = left < p->tile ? left : p->tile;
    uint8_t *dst = w->out + (outer * p->out[above] + first) * row;
    int64_t rest = outer, offset = 0;
    bool inside = n_in > 0;
    for (int32_t axis = above - 1; axis >= 0; axis--) {
      const int64_t i = rest % p->out[axis] - p->before[axis];
      rest /= p->out[axis];
      inside = inside && i >= 0 && i < p->in[axis];
      offset += i * p->in_stride[axis];
    }
    /* Rows [from, to) of the tile lie in the input. */
    int64_t from = p->before[above] - first, to = from + p->in[above];
    if (from < 0) from = 0;
    if (to > rows) to = rows;
    if (!inside || from >= to) from = to = rows;
    fill(w, dst, from * n_out);
    fill(w, dst + to * row, (rows - to) * n_out);
    if (from == to) continue;
    dst += from * row;
    offset += (first + from - p->before[above]) * n_in;
    fill_rows(w, dst, row, before, to - from);
    fill_rows(w, dst + (before + n_in) * size, row, n_out - before - n_in, to - from);
    sam_uk.move->rows((char *)dst + before * size, row, (const char *)w->in + offset * size, n_in * size, n_in * size,
                      to - from);
  }
}

/* Index into an axis of n elements for position i, which lies outside by at most n - 1 (REFLECT) or n (SYMMETRIC). */
static int64_t mirrored(int64_t i, int64_t n, int32_t mirror) {
  int64_t skip = mirror == 1 ? 0 : 1;
  if (i < 0) return -i - skip;
  if (i >= n) return 2 * n - 2 - i + skip;
  return i;
}

static void mirror_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const pad_work *w = arg;
  const pad_plan *p = w->plan;
  const int32_t last = p->rank - 1, size = p->size;
  const int64_t n_in = p->in[last], n_out = p->out[last], before = p->before[last];
  for (int64_t row = begin; row < end; row++) {
    uint8_t *dst = w->out + row * n_out * size;
    int64_t rest = row, offset = 0;
    for (int32_t axis = last - 1; axis >= 0; axis--) {
      offset += mirrored(rest % p->out[axis] - p->before[axis], p->in[axis], p->mirror) * p->in_stride[axis];
      rest /= p->out[axis];
    }
    const uint8_t *src = w->in + offset * size;
    for (int64_t i = 0; i < before; i++)
      memcpy(dst + i * size, src + mirrored(i - before, n_in, p->mirror) * size, (size_t)size);
    memcpy(dst + before * size, src, (size_t)(n_in * size));
    for (int64_t i = before + n_in; i < n_out; i++)
      memcpy(dst + i * size, src + mirrored(i - before, n_in, p->mirror) * size, (size_t)size);
  }
}

static sam_status eval_pad(sam_ctx *ctx, sam_node *node) {
  const pad_plan *p = node->state;
  if (node->n_inputs > 2 && node->inputs[2]) {
    /* PADV2 with a border value that is computed: the plan is this session's own, so it may hold it. */
    memcpy(((pad_plan *)node->state)->value, node->inputs[2]->data, (size_t)p->size);
  }
  pad_work w = {.plan = p, .in = node->inputs[0]->data, .out = node->outputs[0]->data, .same = true};
  if (sam_elements(node->outputs[0]) == 0) return SAM_OK;
  const int64_t row = p->out[p->rank - 1], rows = sam_elements(node->outputs[0]) / row;
  const int64_t cost = 10 + row * p->size / 8; /* of a row */
  if (p->mirror) {
    sam_parallel(ctx, rows, cost, mirror_rows, &w);
    return SAM_OK;
  }
  for (int32_t i = 1; i < p->size; i++) w.same = w.same && p->value[i] == p->value[0];
  memcpy(w.border, p->value, (size_t)p->size);
  for (size_t n = (size_t)p->size; n < sizeof w.border; n *= 2) memcpy(w.border + n, w.border, n);
  sam_parallel(ctx, rows / p->out[p->rank - 2] * p->tiles, 40 + p->tile * cost, pad_tiles, &w);
  return SAM_OK;
}

/* A scalar has no axis to pad: the answer is the input. */
static sam_status eval_scalar(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  memcpy(node->outputs[0]->data, node->inputs[0]->data, node->inputs[0]->bytes);
  return SAM_OK;
}

/* Last axes without a border become one with the axis before them: longer rows. */
static void join_axes(pad_plan *p) {
  for (; p->rank > 1; p->rank--) {
    const int32_t last = p->rank - 1;
    const int64_t row = (int64_t)p->out[last - 1] * p->out[last];
    if (p->in[last] != p->out[last] || row > INT32_MAX) return;
    p->in[last - 1] *= p->in[last];
    p->before[last - 1] *= p->in[last];
    p->out[last - 1] = (int32_t)row;
    p->in_stride[last - 1] = 1;
  }
}

/* Tiles of rows that stay in the first cache. One axis gets another in front. */
static void set_tiles(pad_plan *p) {
  enum { TILE = 1 << 14 };
  if (p->rank == 1) {
    p->in[1] = p->in[0], p->out[1] = p->out[0], p->before[1] = p->before[0], p->in_stride[1] = 1;
    p->in[0] = p->out[0] = 1, p->before[0] = 0;
    p->rank = 2;
  }
  const int64_t rows = p->out[p->rank - 2], row = (int64_t)p->out[p->rank - 1] * p->size;
  p->tile = row < TILE && row > 0 ? TILE / row : 1;
  if (p->tile > rows) p->tile = rows;
  p->tiles = rows > 0 ? (rows + p->tile - 1) / p->tile : 0;
}

static sam_status prepare(sam_ctx *ctx, sam_node *node, int32_t mirror) {
  const sam_tensor *in = node->inputs[0], *paddings = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_same_type(ctx, out, in));
  SAM_TRY(sam_check_same_quant(ctx, in, out));
  if (paddings->type != SAM_INT32 && paddings->type != SAM_INT64)
    return sam_fail(ctx, SAM_UNSUPPORTED, "paddings are %s, must be INT32 or INT64", sam_type_name(paddings->type));
  if (sam_elements(paddings) != 2 * (int64_t)in->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "paddings have %lld values, the input of rank %d needs %d",
                    (long long)sam_elements(paddings), in->rank, 2 * in->rank);
  pad_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->rank = in->rank;
  p->size = sam_type_bits(in->type) / 8;
  p->mirror = mirror;
  if (!sam_is_known(paddings)) return sam_need_data(ctx, 1);
  if (node->n_inputs > 2 && node->inputs[2]) {
    SAM_TRY(sam_check_same_type(ctx, node->inputs[2], in));
    SAM_TRY(sam_check_same_quant(ctx, in, node->inputs[2]));
    if (sam_elements(node->inputs[2]) != 1)
      return sam_fail(ctx, SAM_INVALID_MODEL, "the border value has %lld elements, must be one",
                      (long long)sam_elements(node->inputs[2]));
  } else if (in->quant->count > 0 && (in->type == SAM_INT8 || in->type == SAM_UINT8)) {
    p->value[0] = (uint8_t)in->quant->zero_point[0];
  }
  for (int32_t i = 0; i < in->rank; i++) {
    int64_t before, after;
    if (paddings->type == SAM_INT32) {
      before = ((const int32_t *)paddings->data)[2 * i], after = ((const int32_t *)paddings->data)[2 * i + 1];
    } else {
      before = ((const int64_t *)paddings->data)[2 * i], after = ((const int64_t *)paddings->data)[2 * i + 1];
    }
    int64_t most = !mirror ? INT32_MAX : mirror == 1 ? (int64_t)in->dims[i] - 1 : in->dims[i];
    if (most < 0) most = 0;
    if (before < 0 || after < 0 || before > most || after > most)
      return sam_fail(ctx, SAM_INVALID_MODEL, "paddings of axis %d are %lld and %lld, must be 0 to %lld", i,
                      (long long)before, (long long)after, (long long)most);
    if (before + after + in->dims[i] > INT32_MAX)
      return sam_fail(ctx, SAM_LIMIT, "axis %d would have %lld elements", i, (long long)(before + after + in->dims[i]));
    p->in[i] = in->dims[i];
    p->before[i] = (int32_t)before;
    p->out[i] = (int32_t)(before + after + in->dims[i]);
    p->in_stride[i] = sam_span(in, i + 1, in->rank);
  }
  if (in->rank == 0) node->eval = eval_scalar;
  SAM_TRY(sam_set_shape(ctx, out, in->rank, p->out));
  if (!mirror && in->rank > 0) {
    join_axes(p);
    set_tiles(p);
  }
  return SAM_OK;
}

static sam_status prepare_pad(sam_ctx *ctx, sam_node *node) { return prepare(ctx, node, 0); }

static sam_status prepare_mirror(sam_ctx *ctx, sam_node *node) {
  const sam_mirror_pad_options *options = node->options;
  return prepare(ctx, node, options->mode == SAM_MIRROR_PAD_MODE_REFLECT ? 1 : 2);
}

#define PAD_TYPES                                                                                                   \
  {                                                                                                                 \
    [SAM_FLOAT32] = eval_pad, [SAM_FLOAT16] = eval_pad, [SAM_BFLOAT16] = eval_pad, [SAM_FLOAT64] = eval_pad,        \
    [SAM_INT8] = eval_pad, [SAM_UINT8] = eval_pad, [SAM_INT16] = eval_pad, [SAM_UINT16] = eval_pad,                 \
    [SAM_INT32] = eval_pad, [SAM_UINT32] = eval_pad, [SAM_INT64] = eval_pad, [SAM_UINT64] = eval_pad,               \
    [SAM_BOOL] = eval_pad, [SAM_COMPLEX64] = eval_pad, [SAM_COMPLEX128] = eval_pad, [SAM_FLOAT8_E4M3FN] = eval_pad, \
    [SAM_FLOAT8_E5M2] = eval_pad                                                                                    \
  }

const sam_op sam_op_pad = {
    .name = "PAD",
    .max_version = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_pad,
    .eval = PAD_TYPES,
};

const sam_op sam_op_padv2 = {
    .name = "PADV2",
    .max_version = 6,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_pad,
    .eval = PAD_TYPES,
};

const sam_op sam_op_mirror_pad = {
    .name = "MIRROR_PAD",
    .options = SAM_OPTIONS_MIRROR_PAD,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_mirror,
    .eval = PAD_TYPES,
};
