/* Samara: BATCH_MATMUL: out[batch] = x[batch] * y[batch], batches broadcast like numpy.
 *
 *   x [..., rows, depth]    (adj_x: [..., depth, rows], turned in scratch first)
 *   y [..., depth, columns] (adj_y: [..., columns, depth]); each of its matrices is one group of the packed right side
 *
 * Integer weights with float x are hybrid: rows of x are quantized one by one. int16 by int16 has its own loop. */
#include "common/activation.h"
#include "common/matmul.h"
#include "ops.h"

typedef struct batched {
  sam_matmul mm;
  int64_t rows, depth, columns, batches, zero_source;
  int32_t batch_rank;
  int32_t batch_dims[SAM_MAX_RANK];
  int64_t x_stride[SAM_MAX_RANK], y_stride[SAM_MAX_RANK]; /* in matrices; 0 where broadcast */
  int64_t x_matrices;
  bool adj_x, adj_y, asymmetric, wide; /* wide: int16 by int16 */
  sam_multiplier multiplier;
  size_t turned_at, quantized_at, scales_at, dense_at;
} batched;

static sam_status batched_shape(sam_ctx *ctx, sam_node *node, batched *b) {
  const sam_tensor *x = node->inputs[0], *y = node->inputs[1];
  const int32_t x_depth = x->dims[x->rank - (b->adj_x ? 2 : 1)], y_depth = y->dims[y->rank - (b->adj_y ? 1 : 2)];
  if (x_depth != y_depth)
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has depth %d, \"%s\" has %d", x->name, (int)x_depth, y->name,
                    (int)y_depth);
  b->depth = x_depth;
  b->rows = x->dims[x->rank - (b->adj_x ? 1 : 2)];
  b->columns = y->dims[y->rank - (b->adj_y ? 2 : 1)];
  sam_tensor xb = *x, yb = *y;
  xb.rank -= 2;
  yb.rank -= 2;
  SAM_TRY(sam_broadcast_shapes(ctx, &xb, &yb, &b->batch_rank, b->batch_dims));
  int64_t xs = 1, ys = 1;
  b->batches = 1;
  for (int32_t i = b->batch_rank - 1; i >= 0; i--) {
    const int32_t xi = i - (b->batch_rank - xb.rank), yi = i - (b->batch_rank - yb.rank);
    const int32_t xd = xi < 0 ? 1 : xb.dims[xi], yd = yi < 0 ? 1 : yb.dims[yi];
    b->x_stride[i] = xd == 1 ? 0 : xs;
    b->y_stride[i] = yd == 1 ? 0 : ys;
    xs *= xd;
    ys *= yd;
    b->batches *= b->batch_dims[i];
  }
  if (ys > INT32_MAX) return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has %lld matrices", y->name, (long long)ys);
  b->x_matrices = xs;
  b->mm.groups = (int32_t)ys;
  int32_t dims[SAM_MAX_RANK];
  for (int32_t i = 0; i < b->batch_rank; i++) dims[i] = b->batch_dims[i];
  dims[b->batch_rank] = (int32_t)b->rows;
  dims[b->batch_rank + 1] = (int32_t)b->columns;
  return sam_set_shape(ctx, node->outputs[0], b->batch_rank + 2, dims);
}

static sam_status wide_types(sam_ctx *ctx, sam_node *node, batched *b) {
  const sam_tensor *x = node->inputs[0], *y = node->inputs[1], *out = node->outputs[0];
  SAM_TRY(sam_check_type(ctx, out, SAM_INT16));
  SAM_TRY(sam_check_quant(ctx, x));
  SAM_TRY(sam_check_quant(ctx, y));
  SAM_TRY(sam_check_quant(ctx, out));
  const double d = (double)x->quant->scale[0] * (double)y->quant->scale[0] / (double)out->quant->scale[0];
  if (!isfinite(d)) return sam_fail(ctx, SAM_UNSUPPORTED, "the scales give the factor %g", d);
  b->multiplier = sam_multiplier_of(d);
  b->wide = true;
  return SAM_OK;
}

static sam_status batched_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_batch_mat_mul_options *o = node->options;
  sam_tensor *x = node->inputs[0], *y = node->inputs[1];
  batched *b = sam_alloc(ctx, sizeof *b);
  if (!b) return SAM_OUT_OF_MEMORY;
  node->state = b;
  SAM_TRY(sam_check_rank(ctx, x, 2, SAM_MAX_RANK));
  SAM_TRY(sam_check_rank(ctx, y, 2, SAM_MAX_RANK));
  b->adj_x = o->adj_x;
  b->adj_y = o->adj_y;
  b->asymmetric = o->asymmetric_quantize_inputs;
  b->mm.in = x;
  b->mm.weights = y;
  b->mm.out = node->outputs[0];
  b->mm.axis = -1;
  if (x->type == SAM_INT16 && y->type == SAM_INT16)
    SAM_TRY(wide_types(ctx, node, b));
  else
    SAM_TRY(sam_matmul_types(ctx, &b->mm));
  SAM_TRY(batched_shape(ctx, node, b));
  size_t total = 0;
  if (!b->wide) {
    b->mm.n = (int32_t)b->columns;
    b->mm.taps = 1;
    b->mm.k = (int32_t)b->depth;
    b->mm.group_stride = b->depth * b->columns;
    b->mm.column_stride = b->adj_y ? b->depth : 1;
    b->mm.k_stride = b->adj_y ? 1 : b->columns;
    b->mm.tap_source = &b->zero_source;
    sam_matmul_choose(&b->mm);
    SAM_TRY(sam_matmul_prepare(ctx, &b->mm));
    total = sam_matmul_scratch(&b->mm);
  }
  if (b->adj_x) {
    b->turned_at = total;
    total += (x->bytes + 127) / 64 * 64;
  }
  if (!b->wide && b->mm.kind == SAM_MATMUL_HYBRID) {
    b->quantized_at = total;
    b->scales_at = total + ((size_t)sam_elements(x) + 127) / 64 * 64;
    total = b->scales_at + 8 * (size_t)(b->x_matrices * b->rows);
  }
  b->dense_at = (total + 63) / 64 * 64;
  return sam_scratch(ctx, b->dense_at + (b->wide ? 0 : sam_matmul_dense_scratch(ctx, &b->mm, b->rows)));
}

/* [matrices, depth, rows] to [matrices, rows, depth]. */
static void turn(const batched *b, const void *from, void *to, int bytes) {
  for (int64_t m = 0; m < b->x_matrices; m++)
    for (int64_t r = 0; r < b->rows; r++)
      for (int64_t k = 0; k < b->depth; k++) {
        const int64_t source = (m * b->depth + k) * b->rows + r, target = (m * b->rows + r) * b->depth + k;
        if (bytes == 4)
          ((uint32_t *)to)[target] = ((const uint32_t *)from)[source];
        else if (bytes == 2)
          ((uint16_t *)to)[target] = ((const uint16_t *)from)[source];
        else
          ((uint8_t *)to)[target] = ((const uint8_t *)from)[source];
      }
}

static void matrices_of(const batched *b, int64_t batch, int64_t *x, int64_t *y) {
  *x = *y = 0;
  for (int32_t i = b->batch_rank - 1; i >= 0; i--) {
    const int64_t at = batch % b->batch_dims[i];
    batch /= b->batch_dims[i];
    *x += at * b->x_stride[i];
    *y += at * b->y_stride[i];
  }
}

typedef struct wide_run {
  const batched *b;
  const int16_t *x, *y;
  int16_t *out;
} wide_run;

/* Rows [begin, end) of all batches. */
static void wide_task(void *arg, int64_t begin, int64_t end, int thread) {
  const wide_run *w = arg;
  const batched *b = w->b;
  const int64_t column_stride = b->adj_y ? b->depth : 1, k_stride = b->adj_y ? 1 : b->columns;
  (void)thread;
  for (int64_t i = begin; i < end; i++) {
    int64_t xm, ym;
    matrices_of(b, i / b->rows, &xm, &ym);
    const int16_t *x = w->x + (xm * b->rows + i % b->rows) * b->depth;
    for (int64_t j = 0; j < b->columns; j++) {
      const int16_t *y = w->y + ym * b->depth * b->columns + j * column_stride;
      int64_t sum = 0;
      for (int64_t k = 0; k < b->depth; k++) sum += (int32_t)x[k] * y[k * k_stride];
      w->out[i * b->columns + j] = (int16_t)sam_clamp32(sam_scale64_r16(sum, b->multiplier), -32768, 32767);
    }
  }
}

static sam_status batched_eval(sam_ctx *ctx, sam_node *node) {
  batched *b = node->state;
  char *scratch = node->scratch, *out = node->outputs[0]->data;
  const char *x = node->inputs[0]->data;
  if (sam_elements(node->outputs[0]) == 0) return SAM_OK;
  int64_t x_bytes = sam_type_bits(node->inputs[0]->type) / 8;
  const int64_t out_bytes = sam_type_bits(node->outputs[0]->type) / 8;
  if (b->adj_x) {
    turn(b, x, scratch + b->turned_at, (int)x_bytes);
    x = scratch + b->turned_at;
  }
  if (b->wide) {
    wide_run w = {b, (const int16_t *)x, node->inputs[1]->data, node->outputs[0]->data};
    sam_parallel(ctx, b->batches * b->rows, b->depth * b->columns * 2, wide_task, &w);
    return SAM_OK;
  }
  float *scale = NULL;
  int32_t *zero = NULL;
  if (b->mm.kind == SAM_MATMUL_HYBRID) {
    int8_t *quantized = (int8_t *)(scratch + b->quantized_at);
    const int64_t rows = b->x_matrices * b->rows;
    scale = (float *)(scratch + b->scales_at);
    zero = (int32_t *)(scale + rows);
    for (int64_t i = 0; i < rows; i++)
      sam_quantize_row((const float *)(const void *)x + i * b->depth, b->depth, b->asymmetric, quantized + i * b->depth,
                       &scale[i], &zero[i]);
    x = (const char *)quantized;
    x_bytes = 1;
  }
  sam_matmul_bind(&b->mm, scratch);
  for (int64_t i = 0; i < b->batches; i++) {
    int64_t xm, ym;
    matrices_of(b, i, &xm, &ym);
    const int64_t row = xm * b->rows;
    sam_matmul_dense(ctx, &b->mm, (int32_t)ym, x + row * b->depth * x_bytes, b->rows,
                     out + i * b->rows * b->columns * out_bytes, scale ? scale + row : NULL, zero ? zero + row : NULL,
                     scratch + b->dense_at);
  }
  return SAM_OK;
}

const sam_op sam_op_batch_matmul = {
    .name = "BATCH_MATMUL",
    .options = SAM_OPTIONS_BATCH_MAT_MUL,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = batched_prepare,
    .eval = {[SAM_FLOAT32] = batched_eval,
             [SAM_INT8] = batched_eval,
             [SAM_UINT8] = batched_eval,
             [SAM_INT16] = batched_eval},
};
