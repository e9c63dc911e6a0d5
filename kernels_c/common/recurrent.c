/* Products of recurrent operators. All gates are one matrix, so that one call of the gemm kernel serves them all. */
#include "recurrent.h"

#include <math.h>
#include <string.h>

#include "matmul.h"
#include "samara/options.h"

/* ---- Packing ---------------------------------------------------------------------------------------------------- */

typedef struct {
  const void *weights[SAM_MAX_GATES];
  int32_t gates, n, k, nr, kr, size;
} packing;

/* `width` columns that lie in one gate, where row k of column c goes to to[k / kr][c][k % kr]. */
static void pack_columns(const packing *p, char *to, const char *from, int32_t width) {
  const int32_t element = p->kr * p->size, step = p->nr * element;
  const int32_t log2 = element == 1 ? 0 : element == 2 ? 1 : element == 4 ? 2 : element == 8 ? 3 : -1;
  if (log2 >= 0 && p->k % p->kr == 0) {
    sam_uk.move->turn[log2](to, step, from, (int64_t)p->k * p->size, p->k / p->kr, width);
    return;
  }
  for (int32_t c = 0; c < width; c++)
    for (int32_t k = 0; k < p->k; k++, from += p->size)
      memcpy(to + (int64_t)(k / p->kr) * step + (c * p->kr + k % p->kr) * p->size, from, (size_t)p->size);
}

static void pack(void *dst, const void *arg) {
  const packing *p = arg;
  const int32_t columns = p->gates * p->n, depth = (p->k + p->kr - 1) / p->kr * p->kr;
  const size_t panel = (size_t)depth * (size_t)p->nr * (size_t)p->size;
  char *to = dst;
  for (int32_t first = 0; first < columns; first += p->nr, to += panel) {
    const int32_t end = columns - first < p->nr ? columns : first + p->nr;
    if (end < first + p->nr || p->k < depth) memset(to, 0, panel);
    for (int32_t c = first, width; c < end; c += width) {
      const int32_t left = p->n - c % p->n;
      width = end - c < left ? end - c : left;
      const char *from = (const char *)p->weights[c / p->n] + (int64_t)(c % p->n) * p->k * p->size;
      pack_columns(p, to + (c - first) * p->kr * p->size, from, width);
    }
  }
}

/* The packed bytes depend on all the gates, the cache key names only one: the others go into the variant. The one named
 * is one that does not lie in the model file, if there is such: who keeps the bytes must know. */
static uint64_t variant(const packing *p) {
  uint64_t h = (uint64_t)p->gates << 48 ^ (uint64_t)p->nr << 40 ^ (uint64_t)p->kr << 32 ^ (uint64_t)(uint32_t)p->k;
  for (int32_t g = 0; g < p->gates; g++)
    h = (h ^ (uint64_t)((uintptr_t)p->weights[g] - (uintptr_t)p->weights[0])) * UINT64_C(0x9e3779b97f4a7c15) + 1;
  return h;
}

sam_status sam_product_plan(sam_ctx *ctx, sam_product *p, int32_t gates, const sam_tensor *const *weights,
                            const sam_tensor *const *bias, int32_t n, int32_t k, bool asymmetric) {
  bool f32 = weights[0]->type == SAM_FLOAT32;
  packing w = {.gates = gates, .n = n, .k = k, .size = f32 ? 4 : 1};
  if (!f32 && weights[0]->type != SAM_UINT8) SAM_TRY(sam_check_type(ctx, weights[0], SAM_INT8));
  for (int32_t g = 0; g < gates; g++) {
    SAM_TRY(sam_check_matrix(ctx, weights[g], weights[0]->type, n, k));
    if (!f32) SAM_TRY(sam_check_quant(ctx, weights[g]));
    if (bias && bias[g]) SAM_TRY(sam_check_matrix(ctx, bias[g], SAM_FLOAT32, n, 0));
    if (bias && bias[g] && !sam_is_known(bias[g]))
      return sam_fail(ctx, SAM_UNSUPPORTED, "bias \"%s\" must be constant", bias[g]->name);
    w.weights[g] = weights[g]->data;
  }
  if (n < 1 || n > INT32_MAX / 8 || k < 1)
    return sam_fail(ctx, SAM_UNSUPPORTED, "weights of %d x %d are not supported", n, k);
  *p = (sam_product){.gates = gates, .n = n, .k = k, .columns = gates * n, .hybrid = !f32, .asymmetric = asymmetric};
  p->f32 = sam_uk.f32_gemm;
  p->s8 = sam_s8_gemm_for(sam_uk.s8_gemm, k);
  w.nr = f32 ? p->f32->tile.nr : p->s8->tile.nr;
  w.kr = f32 ? 1 : p->s8->tile.kr;
  size_t padded = ((size_t)p->columns + (size_t)w.nr - 1) / (size_t)w.nr * (size_t)w.nr;
  size_t depth = ((size_t)k + (size_t)w.kr - 1) / (size_t)w.kr * (size_t)w.kr;
  const sam_tensor *named = weights[0];
  for (int32_t g = 0; g < gates; g++)
    if (!(weights[g]->flags & SAM_TENSOR_FILE)) named = weights[g];
  p->packed = sam_pack(ctx, named, variant(&w), padded * depth * (size_t)w.size, pack, &w);
  if (!p->packed) return SAM_OUT_OF_MEMORY;
  if (bias) {
    float *b = sam_alloc(ctx, (padded + 1) * sizeof *b);
    if (!b) return SAM_OUT_OF_MEMORY;
    for (int32_t g = 0; g < gates; g++)
      if (bias[g] && n > 0) memcpy(b + (size_t)g * (size_t)n, bias[g]->data, (size_t)n * sizeof *b);
    p->bias = b;
  }
  if (f32) return SAM_OK;
  float *scale = sam_alloc(ctx, (padded + 1) * sizeof *scale);
  int32_t *sums = sam_alloc(ctx, (padded + 1) * sizeof *sums), *offset = sam_alloc(ctx, (padded + 1) * sizeof *offset);
  if (!scale || !sums || !offset) return SAM_OUT_OF_MEMORY;
  for (int32_t g = 0; g < gates; g++)
    for (int32_t i = 0; i < n; i++) {
      const int8_t *row = (const int8_t *)weights[g]->data + (size_t)i * (size_t)k;
      uint32_t sum = 0;
      for (int32_t j = 0; j < k; j++) sum += (uint32_t)row[j];
      scale[g * n + i] = weights[g]->quant->scale[0];
      sums[g * n + i] = (int32_t)sum;
      offset[g * n + i] = p->s8->form == SAM_A_U8 ? (int32_t)(0u - sum * 128u) : 0;
    }
  p->scale = scale;
  p->sums = sums;
  p->offset = offset;
  return SAM_OK;
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

/* Scratch of one call with int8 weights: the left side in the kernel's form, and what tells its rows. */
typedef struct {
  size_t rows, values, scales, zero_points, narrow, stride, bytes;
} row_scratch;

static row_scratch layout(const sam_product *p, int64_t m) {
  row_scratch s = {.stride = ((size_t)p->k + 63) / 64 * 64 * (p->s8->form == SAM_A_S16 ? 2 : 1)};
  if (!p->hybrid) return s;
  s.rows = sam_carve(&s.bytes, (size_t)m * sizeof(void *));
  s.scales = sam_carve(&s.bytes, (size_t)m * sizeof(float));
  s.zero_points = sam_carve(&s.bytes, (size_t)m * sizeof(int32_t));
  s.narrow = sam_carve(&s.bytes, (size_t)p->k);
  s.values = sam_carve(&s.bytes, (size_t)m * s.stride);
  return s;
}

size_t sam_product_scratch(const sam_product *p, int64_t m) { return layout(p, m).bytes; }

static const ptrdiff_t no_tap = 0;

static sam_s8_gemm_args arguments(const sam_product *p, int64_t m, const row_scratch *s, char *scratch) {
  const void **rows = (const void **)(void *)(scratch + s->rows);
  for (int64_t i = 0; i < m; i++) rows[i] = scratch + s->values + (size_t)i * s->stride;
  return (sam_s8_gemm_args){.m = m, .n = p->columns, .taps = 1, .k = p->k, .a = rows, .tap = &no_tap, .w = p->packed};
}

void sam_product_run(const sam_product *p, int64_t m, const float *const *rows, float *y, int64_t ldy, void *scratch) {
  if (m == 0) return;
  if (!p->hybrid) {
    sam_f32_gemm_args args = {.m = m, .n = p->columns, .taps = 1, .k = p->k, .a = rows, .tap = &no_tap, .w = p->packed};
    args.bias = p->bias;
    args.y = y;
    args.ldy = ldy;
    args.lo = -INFINITY;
    args.hi = INFINITY;
    p->f32->run(&args);
    return;
  }
  row_scratch s = layout(p, m);
  char *base = scratch;
  int8_t *narrow = (int8_t *)base + s.narrow;
  float *scales = (float *)(void *)(base + s.scales);
  int32_t *minus_zero = (int32_t *)(void *)(base + s.zero_points);
  for (int64_t i = 0; i < m; i++) {
    int32_t zero_point;
    sam_quantize_row(rows[i], p->k, p->asymmetric, narrow, &scales[i], &zero_point);
    p->s8->convert(p->k, (const uint8_t *)narrow, 0, base + s.values + (size_t)i * s.stride);
    minus_zero[i] = -zero_point;
  }
  sam_s8_gemm_args args = arguments(p, m, &s, base);
  args.bias = p->offset;
  args.row = p->asymmetric ? minus_zero : NULL;
  args.col = p->sums;
  args.scale = p->scale;
  args.out = SAM_GEMM_F32;
  args.row_scale = scales;
  args.fbias = p->bias;
  args.flo = -INFINITY;
  args.fhi = INFINITY;
  args.y = y;
  args.ldy = ldy;
  p->s8->run(&args);
}

void sam_product_sums(const sam_product *p, int64_t m, const int8_t *const *rows, const int32_t *bias, int32_t *y,
                      void *scratch) {
  if (m == 0) return;
  row_scratch s = layout(p, m);
  char *base = scratch;
  for (int64_t i = 0; i < m; i++)
    p->s8->convert(p->k, (const uint8_t *)rows[i], 0, base + s.values + (size_t)i * s.stride);
  sam_s8_gemm_args args = arguments(p, m, &s, base);
  args.bias = bias;
  args.out = SAM_GEMM_S32;
  args.y = y;
  args.ldy = p->columns;
  p->s8->run(&args);
}

void sam_activate(float *y, int64_t n, int32_t activation) {
  switch (activation) {
    case SAM_ACTIVATION_RELU:
      for (int64_t i = 0; i < n; i++) y[i] = y[i] > 0 ? y[i] : 0;
      break;
    case SAM_ACTIVATION_RELU_N1_TO_1:
      for (int64_t i = 0; i < n; i++) y[i] = y[i] < -1 ? -1 : y[i] > 1 ? 1 : y[i];
      break;
    case SAM_ACTIVATION_RELU6:
      for (int64_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i] > 6 ? 6 : y[i];
      break;
    case SAM_ACTIVATION_TANH:
      sam_uk.f32_lstm->tanh(y, y, n);
      break;
    case SAM_ACTIVATION_SIGN_BIT:
      for (int64_t i = 0; i < n; i++) y[i] = signbit(y[i]) ? 1 : 0;
      break;
    default:
      break;
  }
}

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

sam_status sam_sequence_of(sam_ctx *ctx, const sam_tensor *x, bool time_major, bool one_step, sam_sequence *s) {
  SAM_TRY(sam_check_rank(ctx, x, one_step ? 2 : 3, one_step ? 2 : 3));
  s->time_major = time_major;
  s->backward = false;
  s->batch = one_step ? x->dims[0] : x->dims[time_major ? 1 : 0];
  s->steps = one_step ? 1 : x->dims[time_major ? 0 : 1];
  return SAM_OK;
}

sam_status sam_check_matrix(sam_ctx *ctx, const sam_tensor *t, sam_type type, int32_t a, int32_t b) {
  SAM_TRY(sam_check_type(ctx, t, type));
  if (b > 0 ? t->rank != 2 || t->dims[0] != a || t->dims[1] != b : t->rank != 1 || t->dims[0] != a)
    return b > 0 ? sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has %d dimensions and %lld elements, must be [%d, %d]",
                            t->name, t->rank, (long long)sam_elements(t), a, b)
                 : sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has %d dimensions and %lld elements, must be [%d]", t->name,
                            t->rank, (long long)sam_elements(t), a);
  return SAM_OK;
}

sam_status sam_check_state(sam_ctx *ctx, const sam_tensor *t, sam_type type, int32_t batch, int32_t n) {
  SAM_TRY(sam_check_type(ctx, t, type));
  if (!(t->flags & SAM_TENSOR_VARIABLE))
    return sam_fail(ctx, SAM_INVALID_MODEL, "state \"%s\" must be a variable tensor", t->name);
  if (sam_elements(t) != (int64_t)batch * n)
    return sam_fail(ctx, SAM_INVALID_MODEL, "state \"%s\" has %lld elements, must have %d x %d", t->name,
                    (long long)sam_elements(t), batch, n);
  return SAM_OK;
}
