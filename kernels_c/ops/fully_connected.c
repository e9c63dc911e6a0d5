/* Samara: FULLY_CONNECTED: y[row] = activation(x[row] * weights^T + bias).
 *
 * Weights [units, depth] of 32, 8, 4 or 2 bits, constant or not; blockwise int4 with a scale for each block of a row.
 * Hybrid rows (float input, integer weights) are quantized one by one. */
#include <string.h>

#include "common/activation.h"
#include "common/blockwise.h"
#include "common/matmul.h"
#include "ops.h"

typedef struct full {
  sam_matmul mm;
  int64_t rows, depth;
  int64_t zero_source;
  bool asymmetric;
  sam_blockwise blockwise;
  size_t matmul_bytes, quantized_bytes, dense_at;
} full;

static sam_status full_shape(sam_ctx *ctx, sam_node *node, full *f) {
  const sam_fully_connected_options *o = node->options;
  const sam_tensor *in = node->inputs[0], *w = node->inputs[1], *bias = f->mm.bias;
  const int64_t units = w->dims[0], depth = w->dims[1], elements = sam_elements(in);
  if (bias && sam_elements(bias) != units)
    return sam_fail(ctx, SAM_INVALID_MODEL, "bias has %lld values, weights have %lld units",
                    (long long)sam_elements(bias), (long long)units);
  if (depth < 1) return sam_fail(ctx, SAM_INVALID_MODEL, "weights have %lld columns", (long long)depth);
  int32_t dims[SAM_MAX_RANK], rank = 2;
  f->depth = depth;
  f->rows = elements / depth;
  if (o->keep_num_dims) {
    rank = in->rank;
    if (rank < 1 || in->dims[rank - 1] != depth)
      return sam_fail(ctx, SAM_INVALID_MODEL, "weights have %lld columns, input has %d in its last dimension",
                      (long long)depth, rank < 1 ? 1 : (int)in->dims[rank - 1]);
    memcpy(dims, in->dims, sizeof dims);
    dims[rank - 1] = (int32_t)units;
  } else {
    if (elements % depth || f->rows > INT32_MAX)
      return sam_fail(ctx, SAM_INVALID_MODEL, "weights have %lld columns, which do not divide the %lld input values",
                      (long long)depth, (long long)elements);
    dims[0] = (int32_t)f->rows;
    dims[1] = (int32_t)units;
  }
  f->mm.groups = 1;
  f->mm.n = (int32_t)units;
  f->mm.taps = 1;
  f->mm.k = (int32_t)depth;
  f->mm.column_stride = depth;
  f->mm.k_stride = 1;
  f->mm.tap_source = &f->zero_source;
  return sam_set_shape(ctx, node->outputs[0], rank, dims);
}

/* ---- Blockwise weights ------------------------------------------------------------------------------------------ */

static sam_status blockwise_eval(sam_ctx *ctx, sam_node *node) {
  const full *f = node->state;
  sam_blockwise_run(ctx, &f->blockwise, f->mm.in->data, node->scratch);
  return SAM_OK;
}

static sam_status blockwise_prepare(sam_ctx *ctx, sam_node *node, full *f) {
  SAM_TRY(sam_check_type(ctx, node->inputs[0], SAM_FLOAT32));
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_FLOAT32));
  SAM_TRY(full_shape(ctx, node, f));
  f->blockwise = (sam_blockwise){.weights = f->mm.weights, .bias = f->mm.bias, .out = f->mm.out, .rows = f->rows};
  SAM_TRY(sam_activation_bounds_f32(ctx, f->mm.activation, &f->blockwise.lo, &f->blockwise.hi));
  SAM_TRY(sam_blockwise_prepare(ctx, &f->blockwise));
  node->eval = blockwise_eval;
  return sam_scratch(ctx, sam_blockwise_scratch(&f->blockwise));
}

/* ---- Entry points ----------------------------------------------------------------------------------------------- */

static sam_status full_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_fully_connected_options *o = node->options;
  sam_tensor *in = node->inputs[0], *w = node->inputs[1];
  full *f = sam_alloc(ctx, sizeof *f);
  if (!f) return SAM_OUT_OF_MEMORY;
  node->state = f;
  if (o->weights_format != SAM_FULLY_CONNECTED_OPTIONS_WEIGHTS_FORMAT_DEFAULT)
    return sam_fail(ctx, SAM_UNSUPPORTED, "weights format %d, only the plain one is known", (int)o->weights_format);
  SAM_TRY(sam_check_rank(ctx, w, 2, 2));
  f->mm.in = in;
  f->mm.weights = w;
  f->mm.bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  f->mm.out = node->outputs[0];
  f->mm.activation = o->fused_activation_function;
  f->mm.wide_away = true;
  if (w->quant->block_size > 0) return blockwise_prepare(ctx, node, f);
  SAM_TRY(sam_matmul_types(ctx, &f->mm));
  SAM_TRY(full_shape(ctx, node, f));
  f->mm.plain = true;
  SAM_TRY(sam_matmul_choose(ctx, &f->mm, f->depth));
  sam_matmul_narrow(&f->mm);
  SAM_TRY(sam_matmul_prepare(ctx, &f->mm));
  f->asymmetric = o->asymmetric_quantize_inputs;
  f->matmul_bytes = sam_matmul_scratch(&f->mm);
  size_t total = f->matmul_bytes;
  if (f->mm.kind == SAM_MATMUL_HYBRID) {
    f->quantized_bytes = (size_t)(f->rows * f->depth + 127) / 64 * 64;
    total += f->quantized_bytes + 8 * (size_t)f->rows;
  }
  f->dense_at = (total + 63) / 64 * 64;
  return sam_scratch(ctx, f->dense_at + sam_matmul_dense_scratch(ctx, &f->mm, f->rows));
}

static sam_status full_eval(sam_ctx *ctx, sam_node *node) {
  full *f = node->state;
  char *scratch = node->scratch;
  const void *x = f->mm.in->data;
  float *scale = NULL;
  int32_t *zero = NULL;
  if (f->mm.kind == SAM_MATMUL_HYBRID) {
    int8_t *quantized = (int8_t *)(scratch + f->matmul_bytes);
    scale = (float *)(quantized + f->quantized_bytes);
    zero = (int32_t *)(scale + f->rows);
    for (int64_t i = 0; i < f->rows; i++)
      sam_quantize_row((const float *)x + i * f->depth, f->depth, f->asymmetric, quantized + i * f->depth, &scale[i],
                       &zero[i]);
    x = quantized;
  }
  sam_matmul_bind(&f->mm, scratch);
  sam_matmul_dense(ctx, &f->mm, 0, x, f->rows, f->mm.out->data, scale, zero, scratch + f->dense_at);
  return SAM_OK;
}

const sam_op sam_op_fully_connected = {
    .name = "FULLY_CONNECTED",
    .options = SAM_OPTIONS_FULLY_CONNECTED,
    .max_version = 14,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 1u << 2,
    .prepare = full_prepare,
    .eval = {[SAM_FLOAT32] = full_eval, [SAM_INT8] = full_eval, [SAM_UINT8] = full_eval, [SAM_INT16] = full_eval},
};
