/* Samara: BATCH_MATMUL: out[batch] = x[batch] * y[batch], batches broadcast like numpy.
 *
 *   x [..., rows, depth]    (adj_x: [..., depth, rows], turned in scratch first)
 *   y [..., depth, columns] (adj_y: [..., columns, depth]); each of its matrices is one group of the packed right side
 *
 * Integer weights with float x are hybrid: rows of x are quantized one by one.
 * int16 by int16 ("wide") is two products with int8: y = 256 * high + (low - 128) + 128, both halves in int8.
 * One row of x by a y that is not constant packs nothing: y is read where it lies ("direct"). */
#include <string.h>

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
  sam_matvec_kernel *direct;
  sam_multiplier multiplier;
  sam_s16_gemm_t *s16;
  size_t half_bytes; /* wide: one packed half of one matrix of y */
  size_t turned_at, quantized_at, scales_at, dense_at;
} batched;

enum { WIDE_ROWS = 16, WIDE_COLUMNS = 64, DIRECT_COLUMNS = 512 };

/* One row of x in int16 elements, rounded up so that the kernel may read whole steps. */
static int64_t wide_stride(const batched *b) {
  const int64_t kr = b->s16->tile.kr;
  return (b->depth + kr - 1) / kr * kr;
}

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

/* The kernel for one row of x, NULL where y had better be packed: constant, needed more than once, or of few bits. */
static sam_matvec_kernel *choose_direct(const batched *b, const sam_tensor *y) {
  const sam_matvec_t *uk = sam_uk.matvec;
  if (b->rows * b->batches > b->mm.groups || (sam_is_known(y) && !b->wide)) return NULL;
  if (b->wide) return b->depth > SAM_MATVEC_DEPTH ? NULL : b->adj_y ? uk->s16_runs : uk->s16_rows;
  if (b->mm.kind == SAM_MATMUL_F32) return b->adj_y ? uk->f32_runs : uk->f32_rows;
  if (b->mm.kind != SAM_MATMUL_S8 || b->mm.out->type == SAM_INT16) return NULL;
  if (y->type == SAM_INT8) return b->adj_y ? uk->s8_runs : uk->s8_rows;
  return y->type != SAM_UINT8 ? NULL : b->adj_y ? uk->u8_runs : uk->u8_rows;
}

/* In float32 and in this order, as in common/matmul.c. */
static float direct_scale(const sam_tensor *x, const sam_tensor *y, const sam_tensor *out) {
  return x->quant->scale[0] * y->quant->scale[0] / out->quant->scale[0];
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
  if ((b->direct = choose_direct(b, y)) != NULL) {
    const double factor = b->wide || b->mm.kind == SAM_MATMUL_F32 ? 1 : (double)direct_scale(x, y, node->outputs[0]);
    if (!isfinite(factor)) return sam_fail(ctx, SAM_UNSUPPORTED, "the scales give the factor %g", factor);
    return sam_scratch(ctx, 2 * (size_t)b->depth * (size_t)sam_threads(ctx));
  }
  if (b->wide) {
    b->s16 = sam_uk.s16_gemm;
    const int64_t nr = b->s16->tile.nr, stride = wide_stride(b);
    b->half_bytes = (size_t)((b->columns + nr - 1) / nr * nr * stride + 63) / 64 * 64;
    b->quantized_at = 2 * b->half_bytes * (size_t)b->mm.groups;
    total = b->quantized_at + (size_t)(2 * WIDE_ROWS * stride * sam_threads(ctx) + 63) / 64 * 64;
  } else {
    b->mm.n = (int32_t)b->columns;
    b->mm.taps = 1;
    b->mm.k = (int32_t)b->depth;
    b->mm.group_stride = b->depth * b->columns;
    b->mm.column_stride = b->adj_y ? b->depth : 1;
    b->mm.k_stride = b->adj_y ? 1 : b->columns;
    b->mm.tap_source = &b->zero_source;
    SAM_TRY(sam_matmul_choose(ctx, &b->mm, b->depth));
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
  const int16_t *x;
  const int8_t *halves; /* of each matrix of y: high, low */
  int16_t *out, *rows;  /* rows: of each thread, room for WIDE_ROWS rows of x */
  int64_t blocks;       /* of WIDE_ROWS rows in one matrix */
} wide_run;

/* Splits and packs one matrix of y. */
static void pack_halves(const batched *b, const int16_t *y, int8_t *high, int8_t *low) {
  const int64_t column_stride = b->adj_y ? b->depth : 1, k_stride = b->adj_y ? 1 : b->columns;
  const int32_t nr = b->s16->tile.nr, kr = b->s16->tile.kr;
  for (int64_t j = 0; j < b->columns; j += nr)
    for (int64_t k = 0; k < b->depth; k += kr)
      for (int64_t c = j; c < j + nr; c++)
        for (int64_t d = k; d < k + kr; d++, high++, low++) {
          const bool inside = c < b->columns && d < b->depth;
          const int16_t value = inside ? y[c * column_stride + d * k_stride] : 0;
          *high = inside ? (int8_t)(value >> 8) : 0;
          *low = inside ? (int8_t)((value & 255) - 128) : 0;
        }
}

/* Blocks of rows [begin, end) of all batches. */
static void wide_task(void *arg, int64_t begin, int64_t end, int thread) {
  const wide_run *w = arg;
  const batched *b = w->b;
  const int64_t stride = wide_stride(b);
  const ptrdiff_t tap = 0;
  int16_t *copies = w->rows + (int64_t)thread * WIDE_ROWS * stride;
  int64_t sums[2][WIDE_ROWS * WIDE_COLUMNS], total[WIDE_ROWS];
  for (int64_t item = begin; item < end; item++) {
    int64_t xm, ym;
    matrices_of(b, item / w->blocks, &xm, &ym);
    const int64_t first = item % w->blocks * WIDE_ROWS;
    const int64_t m = b->rows - first < WIDE_ROWS ? b->rows - first : WIDE_ROWS;
    const int16_t *rows[WIDE_ROWS];
    for (int64_t i = 0; i < m; i++) {
      rows[i] = memcpy(copies + i * stride, w->x + (xm * b->rows + first + i) * b->depth, 2 * (size_t)b->depth);
      total[i] = 0;
      for (int64_t k = 0; k < b->depth; k++) total[i] += rows[i][k];
    }
    for (int64_t j = 0; j < b->columns; j += WIDE_COLUMNS) {
      sam_s16_gemm_args g = {.m = m, .taps = 1, .k = (int32_t)b->depth, .a = rows, .tap = &tap, .ldy = WIDE_COLUMNS};
      g.n = (int32_t)(b->columns - j < WIDE_COLUMNS ? b->columns - j : WIDE_COLUMNS);
      for (int half = 0; half < 2; half++) {
        g.w = w->halves + b->half_bytes * (size_t)(2 * ym + half) + (size_t)(j * stride);
        g.y = sums[half];
        b->s16->run(&g);
      }
      for (int64_t i = 0; i < m; i++) {
        int16_t *out = w->out + (item / w->blocks * b->rows + first + i) * b->columns + j;
        for (int32_t c = 0; c < g.n; c++) {
          const int64_t at = i * WIDE_COLUMNS + c, sum = 256 * sums[0][at] + sums[1][at] + 128 * total[i];
          out[c] = (int16_t)sam_clamp32(sam_scale64_r16(sum, b->multiplier), -32768, 32767);
        }
      }
    }
  }
}

static void run_wide(sam_ctx *ctx, const batched *b, const int16_t *x, const sam_tensor *y, int16_t *out,
                     char *scratch) {
  wide_run w = {.b = b, .x = x, .halves = (int8_t *)scratch, .out = out};
  w.rows = (int16_t *)(void *)(scratch + b->quantized_at);
  w.blocks = (b->rows + WIDE_ROWS - 1) / WIDE_ROWS;
  for (int32_t i = 0; i < b->mm.groups; i++) {
    int8_t *high = (int8_t *)scratch + b->half_bytes * (size_t)(2 * i);
    pack_halves(b, (const int16_t *)y->data + i * b->depth * b->columns, high, high + b->half_bytes);
  }
  sam_parallel(ctx, b->batches * w.blocks, 2 * WIDE_ROWS * b->depth * b->columns / b->s16->tile.rate, wide_task, &w);
}

typedef struct direct_run {
  const batched *b;
  const sam_tensor *x, *y, *out;
  int16_t *centred; /* of each thread, room for a row of x */
  int64_t pieces;   /* of DIRECT_COLUMNS in one row */
} direct_run;

/* sum (x - zx) (y - zy) of bytes, where the kernel has the first factor and y. */
static void finish_bytes(const direct_run *w, const int16_t *x, int64_t n, int32_t *sums, int64_t at) {
  const int32_t zero = w->y->quant->zero_point[0];
  sam_unary_params to_bytes = {.a = direct_scale(w->x, w->y, w->out), .zy = w->out->quant->zero_point[0]};
  sam_type_range(w->out->type, &to_bytes.lo, &to_bytes.hi);
  uint32_t sum = 0;
  for (int64_t k = 0; k < w->b->depth; k++) sum += (uint32_t)x[k];
  float real[DIRECT_COLUMNS];
  for (int64_t c = 0; c < n; c++) real[c] = (float)(int32_t)((uint32_t)sums[c] - (uint32_t)zero * sum);
  (w->out->type == SAM_INT8 ? sam_uk.f32_to_s8 : sam_uk.f32_to_u8)(n, real, (char *)w->out->data + at, &to_bytes);
}

/* Pieces [begin, end) of all rows. */
static void direct_task(void *arg, int64_t begin, int64_t end, int thread) {
  const direct_run *w = arg;
  const batched *b = w->b;
  const int64_t y_bytes = sam_type_bits(w->y->type) / 8;
  int64_t sums[DIRECT_COLUMNS];
  for (int64_t item = begin; item < end; item++) {
    int64_t xm, ym;
    matrices_of(b, item / w->pieces, &xm, &ym);
    const int64_t first = item % w->pieces * DIRECT_COLUMNS, left = b->columns - first, at = xm * b->depth;
    const int64_t n = left < DIRECT_COLUMNS ? left : DIRECT_COLUMNS, to = item / w->pieces * b->columns + first;
    const char *y = (const char *)w->y->data;
    y += (ym * b->depth * b->columns + first * (b->adj_y ? b->depth : 1)) * y_bytes;
    const int64_t stride = b->adj_y ? b->depth : b->columns;
    if (b->wide) {
      b->direct(n, b->depth, (const int16_t *)w->x->data + at, y, stride, sums);
      for (int64_t c = 0; c < n; c++)
        ((int16_t *)w->out->data)[to + c] =
            (int16_t)sam_clamp32(sam_scale64_r16(sums[c], b->multiplier), -32768, 32767);
    } else if (b->mm.kind == SAM_MATMUL_F32) {
      b->direct(n, b->depth, (const float *)w->x->data + at, y, stride, (float *)w->out->data + to);
    } else {
      int16_t *x = w->centred + thread * b->depth;
      const int32_t zero = w->x->quant->zero_point[0];
      for (int64_t k = 0; k < b->depth; k++)
        x[k] = (int16_t)((w->x->type == SAM_INT8 ? ((const int8_t *)w->x->data)[at + k]
                                                 : ((const uint8_t *)w->x->data)[at + k]) -
                         zero);
      b->direct(n, b->depth, x, y, stride, sums);
      finish_bytes(w, x, n, (int32_t *)sums, to);
    }
  }
}

static sam_status batched_eval(sam_ctx *ctx, sam_node *node) {
  batched *b = node->state;
  char *scratch = node->scratch, *out = node->outputs[0]->data;
  const char *x = node->inputs[0]->data;
  if (sam_elements(node->outputs[0]) == 0) return SAM_OK;
  if (b->direct) {
    direct_run w = {b,
                    node->inputs[0],
                    node->inputs[1],
                    node->outputs[0],
                    node->scratch,
                    (b->columns + DIRECT_COLUMNS - 1) / DIRECT_COLUMNS};
    const int64_t piece = b->columns < DIRECT_COLUMNS ? b->columns : DIRECT_COLUMNS;
    sam_parallel(ctx, b->batches * w.pieces, b->depth * piece / 8 + 50, direct_task, &w);
    return SAM_OK;
  }
  int64_t x_bytes = sam_type_bits(node->inputs[0]->type) / 8;
  const int64_t out_bytes = sam_type_bits(node->outputs[0]->type) / 8;
  if (b->adj_x) {
    turn(b, x, scratch + b->turned_at, (int)x_bytes);
    x = scratch + b->turned_at;
  }
  if (b->wide) {
    run_wide(ctx, b, (const int16_t *)(const void *)x, node->inputs[1], node->outputs[0]->data, scratch);
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
