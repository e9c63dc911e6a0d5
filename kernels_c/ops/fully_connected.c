/* Samara: FULLY_CONNECTED: y[row] = activation(x[row] * weights^T + bias).
 *
 * Weights [units, depth] of 32, 8, 4 or 2 bits, constant or not; blockwise int4 with a scale for each block of a row.
 * Hybrid rows (float input, integer weights) are quantized one by one. */
#include <string.h>

#include "common/activation.h"
#include "common/fp16.h"
#include "common/matmul.h"
#include "ops.h"

typedef struct full {
  sam_matmul mm;
  int64_t rows, depth;
  int64_t zero_source;
  bool asymmetric;
  int32_t blocks, block_size; /* blockwise: blocks of a row */
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

static sam_status blockwise_prepare(sam_ctx *ctx, sam_node *node, full *f) {
  const sam_tensor *in = node->inputs[0], *w = node->inputs[1];
  const sam_quant *q = w->quant;
  SAM_TRY(sam_check_type(ctx, in, SAM_FLOAT32));
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_FLOAT32));
  if (f->mm.bias) SAM_TRY(sam_check_type(ctx, f->mm.bias, SAM_FLOAT32));
  if (w->type != SAM_INT4 && w->type != SAM_INT8 && w->type != SAM_INT2)
    return sam_fail(ctx, SAM_UNSUPPORTED, "blockwise \"%s\" has type %s", w->name, sam_type_name(w->type));
  SAM_TRY(sam_activation_bounds_f32(ctx, f->mm.activation, &f->mm.flo, &f->mm.fhi));
  f->mm.kind = SAM_MATMUL_HYBRID;
  SAM_TRY(full_shape(ctx, node, f));
  if (!q->block_scales || !sam_is_known(q->block_scales))
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has no constant block scales", w->name);
  if (q->block_zero_points)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has block zero points, must be symmetric", w->name);
  const sam_tensor *scales = q->block_scales;
  if (scales->type != SAM_FLOAT16 && scales->type != SAM_FLOAT32)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, must be FLOAT16 or FLOAT32", scales->name,
                    sam_type_name(scales->type));
  if (f->depth % q->block_size || sam_elements(scales) != w->dims[0] * (f->depth / q->block_size))
    return sam_fail(ctx, SAM_INVALID_MODEL, "%lld columns in blocks of %d, but \"%s\" has %lld scales for %d rows",
                    (long long)f->depth, (int)q->block_size, scales->name, (long long)sam_elements(scales),
                    (int)w->dims[0]);
  f->block_size = q->block_size;
  f->blocks = (int32_t)(f->depth / q->block_size);
  f->asymmetric = true;
  f->quantized_bytes = (size_t)(f->rows * f->depth + 127) / 64 * 64;
  return sam_scratch(ctx, f->quantized_bytes + 8 * (size_t)f->rows);
}

typedef struct blockwise_run {
  const full *f;
  const int8_t *x;
  const float *scale;
  const int32_t *zero;
} blockwise_run;

static inline int32_t weight(const uint8_t *data, sam_type type, int64_t i) {
  if (type == SAM_INT4) return (int8_t)(uint8_t)(data[i >> 1] << (i & 1 ? 0 : 4)) >> 4;
  if (type == SAM_INT2) return (int8_t)(uint8_t)(data[i >> 2] << (6 - 2 * (i & 3))) >> 6;
  return (int8_t)data[i];
}

/* Units [begin, end): integer sums inside a block, float sums over blocks. */
static void blockwise_task(void *arg, int64_t begin, int64_t end, int thread) {
  const blockwise_run *r = arg;
  const full *f = r->f;
  const sam_tensor *w = f->mm.weights, *scales = w->quant->block_scales;
  (void)thread;
  for (int64_t j = begin; j < end; j++)
    for (int64_t i = 0; i < f->rows; i++) {
      const int8_t *x = r->x + i * f->depth;
      float sum = 0;
      for (int32_t b = 0; b < f->blocks; b++) {
        const int64_t at = j * f->blocks + b, from = (int64_t)b * f->block_size;
        const float scale = scales->type == SAM_FLOAT16 ? sam_f16_to_f32(((const uint16_t *)scales->data)[at])
                                                        : ((const float *)scales->data)[at];
        int32_t acc = 0;
        for (int32_t k = 0; k < f->block_size; k++)
          acc += (x[from + k] - r->zero[i]) * weight(w->data, w->type, j * f->depth + from + k);
        sum += (float)acc * scale;
      }
      sum *= r->scale[i];
      if (f->mm.bias) sum += ((const float *)f->mm.bias->data)[j];
      const float above = sum > f->mm.flo ? sum : f->mm.flo;
      ((float *)f->mm.out->data)[i * f->mm.n + j] = sum != sum ? sum : above < f->mm.fhi ? above : f->mm.fhi;
    }
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
  if (f->blocks) {
    blockwise_run r = {f, x, scale, zero};
    sam_parallel(ctx, f->mm.n, f->rows * f->depth * 2, blockwise_task, &r);
    return SAM_OK;
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
