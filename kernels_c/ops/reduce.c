/* Reductions: MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL.
 *
 * prepare merges neighbouring dimensions of the same fate, so [N,H,W,C] over H and W becomes kept N, reduced H*W, kept
 * C. The innermost dimension decides the loop:
 *   kept (C values side by side)     acc[0..C) += row, for every reduced position: one pass over memory, in order
 *   reduced (a run of L values)      acc[j] += run, for every reduced position outside it; j along the innermost kept
 * one Microkernels (ukernels/reduce.h) take many rows or runs in a call; what fits one call needs no accumulators. Sums
 * of floats are kept in double beyond a call, of integers in 64 bits; the order is fixed, whatever the threads. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "fp16.h"
#include "ops.h"
#include "requant.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

typedef enum reduce_kind { SUM, MEAN, PROD, MAX, MIN, ANY, ALL, KINDS } reduce_kind;

typedef union accumulator {
  double f;
  int64_t i;
} accumulator;

enum { ROW = 256 }; /* outputs one task step makes side by side */

/* `many`: acc[j] takes x[j] for j < n; otherwise acc[0] takes all n. */
typedef void (*accumulate_fn)(accumulator *acc, const void *x, int64_t n, bool many, int32_t zero, double scale);

typedef struct reduce_plan {
  reduce_kind kind;
  sam_type type;
  accumulate_fn accumulate;
  sam_fold_kernel *fold; /* NULL, or takes rows or runs of up to `most` values; `merge` accumulates its results */
  accumulate_fn merge;
  int64_t most;
  int32_t flip;
  bool direct; /* one call is all */
  accumulator start;
  int64_t size; /* bytes of an element */
  /* Kept dimensions outside the innermost row, reduced ones outside the innermost run; steps in elements. */
  int32_t kept_rank, reduced_rank;
  int64_t kept_dims[SAM_MAX_RANK], kept_steps[SAM_MAX_RANK];
  int64_t reduced_dims[SAM_MAX_RANK], reduced_steps[SAM_MAX_RANK];
  bool many;
  int64_t length;          /* of the row (many) or run */
  int64_t side, side_step; /* outputs side by side: the row; or the innermost kept dimension, by steps in elements */
  int64_t rows;            /* product of kept_dims */
  int64_t repeats;         /* product of reduced_dims */
  int64_t n;               /* values per output */
  int32_t zx, zy, lo, hi;
  double sx, ratio; /* input scale; input scale / output scale */
  sam_multiplier m;
  float mean_scale; /* int8, uint8: s_in / (s_out * n), the float rule of requant.h; int16 follows the format */
} reduce_plan;

/* ---- Accumulation ---------------------------------------------------------------------------------------------- */

#define ACCUMULATE(name, T, field, EXPR)                                                                   \
  static void name(accumulator *acc, const void *data, int64_t n, bool many, int32_t zero, double scale) { \
    const T *x = data;                                                                                     \
    (void)zero;                                                                                            \
    (void)scale;                                                                                           \
    if (many) {                                                                                            \
      for (int64_t j = 0; j < n; j++) {                                                                    \
        const T u = x[j];                                                                                  \
        acc[j].field = EXPR(acc[j].field, u);                                                              \
      }                                                                                                    \
    } else {                                                                                               \
      accumulator total = *acc;                                                                            \
      for (int64_t j = 0; j < n; j++) {                                                                    \
        const T u = x[j];                                                                                  \
        total.field = EXPR(total.field, u);                                                                \
      }                                                                                                    \
      *acc = total;                                                                                        \
    }                                                                                                      \
  }
#define PLUS(a, u) (a + u)
#define WRAP_PLUS(a, u) (int64_t)((uint64_t)a + (uint64_t)(int64_t)u)
#define WRAP_TIMES(a, u) (int64_t)((uint64_t)a * (uint64_t)(int64_t)u)
#define TIMES(a, u) (a * u)
#define REAL_TIMES(a, u) (a * (scale * (u - zero)))
#define LARGER(a, u) (u > a ? u : a)
#define LARGER_OR_NAN(a, u) (((int)(u > a) | (int)(u != u)) != 0 ? u : a)
#define SMALLER(a, u) (u < a ? u : a)
#define SMALLER_OR_NAN(a, u) (((int)(u < a) | (int)(u != u)) != 0 ? u : a)
#define EITHER(a, u) (a | (u != 0))
#define BOTH(a, u) (a & (u != 0))

ACCUMULATE(sum_f32, float, f, PLUS)
ACCUMULATE(prod_f32, float, f, TIMES)
ACCUMULATE(prod_f64, double, f, TIMES)
ACCUMULATE(max_f32, float, f, LARGER_OR_NAN)
ACCUMULATE(min_f32, float, f, SMALLER_OR_NAN)
#define HALF(suffix, convert)                             \
  ACCUMULATE(sum_##suffix, uint16_t, f, convert##_PLUS)   \
  ACCUMULATE(prod_##suffix, uint16_t, f, convert##_TIMES) \
  ACCUMULATE(max_##suffix, uint16_t, f, convert##_LARGER) \
  ACCUMULATE(min_##suffix, uint16_t, f, convert##_SMALLER)
#define F16_PLUS(a, u) (a + (double)sam_f16_to_f32(u))
#define F16_TIMES(a, u) (a * (double)sam_f16_to_f32(u))
#define F16_LARGER(a, u) LARGER_OR_NAN(a, (double)sam_f16_to_f32(u))
#define F16_SMALLER(a, u) SMALLER_OR_NAN(a, (double)sam_f16_to_f32(u))
HALF(f16, F16)
#define INTEGERS(suffix, T)                 \
  ACCUMULATE(sum_##suffix, T, i, WRAP_PLUS) \
  ACCUMULATE(max_##suffix, T, i, LARGER)    \
  ACCUMULATE(min_##suffix, T, i, SMALLER)
INTEGERS(i8, int8_t)
INTEGERS(u8, uint8_t)
INTEGERS(i16, int16_t)
INTEGERS(i32, int32_t)
INTEGERS(i64, int64_t)
ACCUMULATE(prod_i8, int8_t, f, REAL_TIMES)
ACCUMULATE(prod_i16, int16_t, f, REAL_TIMES)
ACCUMULATE(prod_i32, int32_t, i, WRAP_TIMES)
ACCUMULATE(prod_i64, int64_t, i, WRAP_TIMES)
ACCUMULATE(any_bool, uint8_t, i, EITHER)
ACCUMULATE(all_bool, uint8_t, i, BOTH)

static const accumulate_fn accumulators[KINDS][SAM_TYPE_COUNT] = {
    [SUM] = {[SAM_FLOAT32] = sum_f32,
             [SAM_FLOAT16] = sum_f16,
             [SAM_INT8] = sum_i8,
             [SAM_UINT8] = sum_u8,
             [SAM_INT16] = sum_i16,
             [SAM_INT32] = sum_i32,
             [SAM_INT64] = sum_i64},
    [MEAN] = {[SAM_FLOAT32] = sum_f32,
              [SAM_FLOAT16] = sum_f16,
              [SAM_INT8] = sum_i8,
              [SAM_UINT8] = sum_u8,
              [SAM_INT16] = sum_i16,
              [SAM_INT32] = sum_i32,
              [SAM_INT64] = sum_i64},
    [PROD] = {[SAM_FLOAT32] = prod_f32,
              [SAM_FLOAT16] = prod_f16,
              [SAM_INT8] = prod_i8,
              [SAM_INT16] = prod_i16,
              [SAM_INT32] = prod_i32,
              [SAM_INT64] = prod_i64},
    [MAX] = {[SAM_FLOAT32] = max_f32,
             [SAM_FLOAT16] = max_f16,
             [SAM_INT8] = max_i8,
             [SAM_UINT8] = max_u8,
             [SAM_INT16] = max_i16,
             [SAM_INT32] = max_i32,
             [SAM_INT64] = max_i64},
    [MIN] = {[SAM_FLOAT32] = min_f32,
             [SAM_FLOAT16] = min_f16,
             [SAM_INT8] = min_i8,
             [SAM_UINT8] = min_u8,
             [SAM_INT16] = min_i16,
             [SAM_INT32] = min_i32,
             [SAM_INT64] = min_i64},
    [ANY] = {[SAM_BOOL] = any_bool},
    [ALL] = {[SAM_BOOL] = all_bool},
};

/* What an empty reduction gives. */
static accumulator start_of(reduce_kind kind, sam_type type) {
  accumulator a = {.i = 0};
  int32_t lo, hi;
  sam_type_range(type, &lo, &hi);
  if (type == SAM_FLOAT32 || type == SAM_FLOAT16) {
    a.f = kind == PROD ? 1 : kind == MAX ? -(double)INFINITY : kind == MIN ? (double)INFINITY : 0;
  } else if (kind == PROD && (type == SAM_INT8 || type == SAM_INT16)) {
    a.f = 1;
  } else {
    a.i = kind == MAX    ? (type == SAM_INT64 ? INT64_MIN : lo)
          : kind == MIN  ? (type == SAM_INT64 ? INT64_MAX : hi)
          : kind == PROD ? 1
          : kind == ALL  ? 1
                         : 0;
  }
  return a;
}

/* ---- Results --------------------------------------------------------------------------------------------------- */

/* round(real), halves away from zero, between two whole numbers. */
static inline int32_t rounded(double real, double low, double high) {
  real = real > low ? real : low;
  real = real < high ? real : high;
  return (int32_t)(real + copysign(0.5, real));
}
static inline int32_t quantized(const reduce_plan *p, double real) {
  return rounded(real, (double)p->lo - p->zy, (double)p->hi - p->zy) + p->zy;
}

/* Of a sum, less its zero points. */
static inline int64_t centred(const reduce_plan *p, accumulator a) { return a.i - (int64_t)p->zx * p->n; }

static int32_t quantized_result(const reduce_plan *p, accumulator a) {
  switch (p->kind) {
    case MEAN: {
      if (p->type != SAM_INT16) return sam_requant(sam_saturate32(centred(p, a)), p->mean_scale, p->zy, p->lo, p->hi);
      int64_t q = (int64_t)sam_scale32(sam_saturate32(centred(p, a)), p->m) + p->zy;
      return (int32_t)(q < p->lo ? p->lo : q > p->hi ? p->hi : q);
    }
    case SUM:
      return quantized(p, (double)centred(p, a) * p->ratio);
    case PROD:
      return quantized(p, a.f * p->ratio); /* here 1 / output scale */
    default:
      return (int32_t)a.i;
  }
}

static void store(const reduce_plan *p, void *y, int64_t at, accumulator a) {
  switch (p->type) {
    case SAM_FLOAT32:
      ((float *)y)[at] = (float)(p->kind == MEAN ? a.f / (double)p->n : a.f);
      break;
    case SAM_FLOAT16:
      ((uint16_t *)y)[at] = sam_f32_to_f16((float)(p->kind == MEAN ? a.f / (double)p->n : a.f));
      break;
    case SAM_INT8:
      ((int8_t *)y)[at] = (int8_t)quantized_result(p, a);
      break;
    case SAM_UINT8:
      ((uint8_t *)y)[at] = (uint8_t)quantized_result(p, a);
      break;
    case SAM_INT16:
      ((int16_t *)y)[at] = (int16_t)quantized_result(p, a);
      break;
    case SAM_INT32: {
      int64_t value = p->kind == MEAN ? (p->n > 0 ? a.i / p->n : 0) : a.i;
      ((int32_t *)y)[at] = (int32_t)(uint32_t)value;
      break;
    }
    case SAM_INT64:
      ((int64_t *)y)[at] = p->kind == MEAN ? (p->n > 0 ? a.i / p->n : 0) : a.i;
      break;
    default:
      ((uint8_t *)y)[at] = (uint8_t)(a.i != 0);
      break;
  }
}

/* What one call of a microkernel gave, for outputs at .. at + n. The largest values are there already, as are sums of
 * floats. */
static void finish(const reduce_plan *p, void *y, int64_t at, const void *parts, int64_t n) {
  if (p->kind == PROD) {
    for (int64_t j = 0; j < n; j++) ((float *)y)[at + j] = (float)((const double *)parts)[j];
  } else if (p->type == SAM_FLOAT32) {
    float *to = (float *)y + at, count = (float)p->n;
    if (p->kind == MEAN) sam_uk.f32_div(n, to, &count, to, SAM_STEP_A, &sam_unbounded);
  } else if (p->type == SAM_BOOL) {
    uint8_t *to = (uint8_t *)y + at;
    for (int64_t j = 0; j < n; j++) to[j] = to[j] != 0;
  } else if (p->type == SAM_INT32 && p->kind == SUM) {
    for (int64_t j = 0; j < n; j++) ((int32_t *)y)[at + j] = (int32_t)(uint32_t)((const uint64_t *)parts)[j];
  } else if (p->type == SAM_INT32 && p->kind == MEAN) {
    for (int64_t j = 0; j < n; j++) ((int32_t *)y)[at + j] = (int32_t)(((const int64_t *)parts)[j] / p->n);
  } else if (p->kind == MEAN && p->size == 1) {
    const sam_unary_params params = {.a = p->mean_scale, .zy = p->zy, .lo = p->lo, .hi = p->hi};
    const int32_t zero = p->zx * (int32_t)p->n;
    int32_t centred[ROW];
    float real[ROW];
    sam_uk.loops->binary[SAM_SUB][SAM_INT32](n, parts, &zero, centred, SAM_STEP_A, &sam_unbounded);
    sam_uk.loops->cast[SAM_INT32][SAM_FLOAT32](n, centred, real, NULL);
    (p->type == SAM_INT8 ? sam_uk.f32_to_s8 : sam_uk.f32_to_u8)(n, real, (char *)y + at, &params);
  } else if (p->kind == SUM && p->size == 1) {
    const double low = (double)p->lo - p->zy, high = (double)p->hi - p->zy, ratio = p->ratio;
    const int64_t zero = p->zx * p->n;
    const int32_t zy = p->zy;
    for (int64_t j = 0; j < n; j++)
      ((uint8_t *)y)[at + j] = (uint8_t)(rounded((double)(((const int32_t *)parts)[j] - zero) * ratio, low, high) + zy);
  } else if (p->kind == SUM || p->kind == MEAN) {
    for (int64_t j = 0; j < n; j++) store(p, y, at + j, (accumulator){.i = ((const int32_t *)parts)[j]});
  }
}

/* ---- Eval ------------------------------------------------------------------------------------------------------ */

typedef struct reduce_work {
  const reduce_plan *plan;
  const char *x;
  void *y;
  int64_t pieces; /* of a row */
} reduce_work;

/* By a microkernel: `count` rows (many), a step apart, or `count` values of each run, from x on. */
static void fold(const reduce_plan *p, const char *x, int64_t count, int64_t step, int64_t outputs, void *result) {
  if (p->many)
    p->fold(count, outputs, x, step, result, p->flip);
  else
    p->fold(outputs, count, x, p->side_step, result, p->flip);
}

/* Adds all reduced positions below `base` to acc[0..outputs). For microkernels the last reduced dimension of rows, or
 * the run, is one step. */
static void accumulate_all(const reduce_plan *p, const char *x, int64_t base, int64_t outputs, accumulator *acc) {
  int64_t at[SAM_MAX_RANK] = {0}, offset = base, parts[ROW];
  const int32_t last = p->reduced_rank - 1;
  const bool by_rows = p->fold && p->many && last >= 0;
  const int64_t inner = by_rows ? p->reduced_dims[last] : 1, step = by_rows ? p->reduced_steps[last] : 1;
  const int64_t count = p->many ? inner : p->length;
  for (int64_t r = 0; r < p->repeats; r += inner) {
    const char *from = x + offset * p->size;
    if (p->fold) {
      for (int64_t i = 0; i < count; i += p->most) {
        fold(p, from + i * step * p->size, count - i < p->most ? count - i : p->most, step, outputs, parts);
        p->merge(acc, parts, outputs, true, 0, 1);
      }
    } else if (p->many) {
      p->accumulate(acc, from, outputs, true, p->zx, p->sx);
    } else {
      for (int64_t j = 0; j < outputs; j++)
        p->accumulate(acc + j, from + j * p->side_step * p->size, p->length, false, p->zx, p->sx);
    }
    for (int32_t d = by_rows ? last - 1 : last; d >= 0; d--) {
      offset += p->reduced_steps[d];
      if (++at[d] < p->reduced_dims[d]) break;
      offset -= p->reduced_dims[d] * p->reduced_steps[d];
      at[d] = 0;
    }
  }
}

/* Outputs at .. at + n, at most ROW, of the values from element `base` on. */
static void reduce_some(const reduce_work *w, int64_t base, int64_t at, int64_t n) {
  const reduce_plan *p = w->plan;
  if (p->direct) {
    int64_t parts[ROW];
    const bool in_place = p->kind != PROD && ((p->kind != SUM && p->kind != MEAN) || p->type == SAM_FLOAT32);
    const int64_t count = !p->many ? p->length : p->reduced_rank > 0 ? p->reduced_dims[0] : 1;
    fold(p, w->x + base * p->size, count, p->reduced_rank > 0 ? p->reduced_steps[0] : 1, n,
         in_place ? (char *)w->y + at * p->size : (void *)parts);
    finish(p, w->y, at, parts, n);
    return;
  }
  accumulator acc[ROW];
  for (int64_t j = 0; j < n; j++) acc[j] = p->start;
  accumulate_all(p, w->x, base, n, acc);
  for (int64_t j = 0; j < n; j++) store(p, w->y, at + j, acc[j]);
}

static void reduce_piece(const sam_node *node, const void *const *inputs, void *output, int64_t begin, int64_t end) {
  const reduce_work w = {.plan = node->state, .x = inputs[0], .y = output};
  const int64_t run = node->piece_run, last = end / run;
  for (int64_t at = begin / run; at < last; at += ROW) reduce_some(&w, at * run, at, last - at < ROW ? last - at : ROW);
}

static void reduce_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const reduce_work *w = arg;
  const reduce_plan *p = w->plan;
  for (int64_t item = begin; item < end; item++) {
    /* No division where there is one piece or one kept dimension: it would cost what a short row does. */
    const int64_t row = w->pieces == 1 ? item : item / w->pieces, first = (item - row * w->pieces) * ROW;
    int64_t base = first * p->side_step, rest = row;
    for (int32_t d = p->kept_rank - 1; d > 0; d--) {
      base += rest % p->kept_dims[d] * p->kept_steps[d];
      rest /= p->kept_dims[d];
    }
    if (p->kept_rank > 0) base += rest * p->kept_steps[0];
    reduce_some(w, base, row * p->side + first, p->side - first < ROW ? p->side - first : ROW);
  }
}

static sam_status eval(sam_ctx *ctx, sam_node *node) {
  const reduce_plan *p = node->state;
  reduce_work work = {p, node->inputs[0]->data, node->outputs[0]->data, (p->side + ROW - 1) / ROW};
  int64_t outputs = p->side < ROW ? p->side : ROW;
  int64_t values = p->n > (INT64_C(1) << 40) ? INT64_C(1) << 40 : p->n;
  sam_parallel(ctx, p->rows * work.pieces, outputs * ((p->fold ? values / 8 : values) + 8), reduce_rows, &work);
  return SAM_OK;
}

/* ---- Prepare --------------------------------------------------------------------------------------------------- */

static void plan_dims(reduce_plan *p, const sam_tensor *x, const bool *reduced) {
  int64_t dims[SAM_MAX_RANK], steps[SAM_MAX_RANK], step = 1;
  bool fate[SAM_MAX_RANK];
  int32_t n = 0; /* merged dimensions, innermost first */
  p->n = 1;
  for (int32_t d = x->rank - 1; d >= 0; d--) {
    if (reduced[d]) p->n *= x->dims[d];
    if (x->dims[d] != 1) {
      if (n > 0 && fate[n - 1] == reduced[d]) {
        dims[n - 1] *= x->dims[d];
      } else {
        dims[n] = x->dims[d], steps[n] = step, fate[n] = reduced[d];
        n++;
      }
    }
    step *= x->dims[d];
  }
  p->many = n > 0 && !fate[0];
  p->length = n > 0 ? dims[0] : 1;
  p->rows = p->repeats = 1;
  for (int32_t d = n - 1; d >= 1; d--) {
    if (fate[d]) {
      p->reduced_dims[p->reduced_rank] = dims[d], p->reduced_steps[p->reduced_rank++] = steps[d];
      p->repeats *= dims[d];
    } else {
      p->kept_dims[p->kept_rank] = dims[d], p->kept_steps[p->kept_rank++] = steps[d];
      p->rows *= dims[d];
    }
  }
  p->side = p->many ? p->length : 1;
  p->side_step = 1;
  if (!p->many && p->kept_rank > 0) {
    p->side = p->kept_dims[--p->kept_rank];
    p->side_step = p->kept_steps[p->kept_rank];
    p->rows = 1;
    for (int32_t d = 0; d < p->kept_rank; d++) p->rows *= p->kept_dims[d];
  }
}

/* The microkernel; called after plan_dims. */
static void plan_fold(reduce_plan *p) {
  const bool sum = p->kind == SUM || p->kind == MEAN, least = p->kind == MIN || p->kind == ALL;
  sam_type part = p->type;
  if (p->kind == PROD) {
    if (p->type != SAM_FLOAT32) return;
    p->fold = p->many ? sam_uk.f32_prod_rows : sam_uk.f32_prod_runs;
    p->merge = prod_f64;
    p->most = INT64_MAX;
    p->direct = p->n > 0 && p->reduced_rank <= (p->many ? 1 : 0);
    return;
  }
#define FOLD(t) \
  (sum ? (p->many ? sam_uk.t##_sum_rows : sam_uk.t##_sum_runs) : p->many ? sam_uk.t##_top_rows : sam_uk.t##_top_runs)
  switch (p->type) {
    case SAM_FLOAT32:
      p->fold = FOLD(f32);
      p->flip = least ? INT32_MIN : 0;
      break;
    case SAM_INT8:
      p->fold = FOLD(u8);
      p->flip = least ? 0x7f : 0x80;
      if (sum) p->zx += 128;
      part = SAM_INT32;
      break;
    case SAM_UINT8:
    case SAM_BOOL:
      p->fold = FOLD(u8);
      p->flip = least ? 0xff : 0;
      part = SAM_INT32;
      break;
    case SAM_INT16:
      p->fold = FOLD(s16);
      p->flip = least ? -1 : 0;
      part = SAM_INT32;
      break;
    case SAM_INT32:
      p->fold = FOLD(s32);
      p->flip = least ? -1 : 0;
      part = SAM_INT64;
      break;
    default:
      return;
  }
  p->merge = accumulators[p->kind][sum ? part : p->type];
  p->most = !sum || p->type != SAM_FLOAT32 ? SAM_FOLD_MOST : p->many ? SAM_FOLD_FLOAT_ROWS : SAM_FOLD_FLOAT_RUN;
  p->direct = p->n > 0 && p->n <= p->most && p->reduced_rank <= (p->many ? 1 : 0);
}

static sam_status plan_quantized(sam_ctx *ctx, reduce_plan *p, const sam_tensor *x, const sam_tensor *y) {
  if (p->kind == MAX || p->kind == MIN) return sam_check_same_quant(ctx, x, y);
  SAM_TRY(sam_check_quant(ctx, x));
  SAM_TRY(sam_check_quant(ctx, y));
  sam_type_range(y->type, &p->lo, &p->hi);
  p->zx = x->quant->zero_point[0];
  p->zy = y->quant->zero_point[0];
  p->sx = x->quant->scale[0];
  p->ratio = p->sx / y->quant->scale[0];
  if (p->kind == PROD) p->ratio = 1.0 / y->quant->scale[0];
  if (p->kind != MEAN || p->n == 0) return SAM_OK;
  p->mean_scale = (float)p->sx / y->quant->scale[0] / (float)p->n;
  /* s_in / (s_out * n): the quotient keeps as many bits as fit. */
  sam_multiplier m = sam_multiplier_of(p->ratio);
  int shift = 0;
  while (shift < 62 && p->n >> (shift + 1)) shift++;
  if (shift > 32) shift = 32;
  if (shift > 31 + m.shift) shift = 31 + m.shift;
  p->m.q = (int32_t)(((int64_t)m.q << shift) / p->n);
  p->m.shift = m.shift - shift;
  return SAM_OK;
}

static sam_status read_axes(sam_ctx *ctx, const sam_node *node, int32_t rank, bool *reduced) {
  int64_t axes[64];
  int32_t count;
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], 64, axes, &count));
  for (int32_t i = 0; i < count; i++) {
    int32_t axis;
    if (rank == 0 && (axes[i] == 0 || axes[i] == -1)) continue; /* a scalar is its own only slice */
    SAM_TRY(sam_normalize_axis(ctx, axes[i], rank, &axis));
    reduced[axis] = true;
  }
  return SAM_OK;
}

static sam_status prepare_kind(sam_ctx *ctx, sam_node *node, reduce_kind kind) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  const sam_reducer_options *options = node->options;
  SAM_TRY(sam_check_same_type(ctx, y, x));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  bool reduced[SAM_MAX_RANK] = {false};
  SAM_TRY(read_axes(ctx, node, x->rank, reduced));
  int32_t dims[SAM_MAX_RANK], rank = 0;
  for (int32_t d = 0; d < x->rank; d++) {
    if (!reduced[d])
      dims[rank++] = x->dims[d];
    else if (options->keep_dims)
      dims[rank++] = 1;
  }
  SAM_TRY(sam_set_shape(ctx, y, rank, dims));
  reduce_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = plan;
  plan->kind = kind;
  plan->type = x->type;
  plan->size = sam_type_bits(x->type) / 8;
  plan->accumulate = accumulators[kind][x->type];
  plan->start = start_of(kind, x->type);
  plan_dims(plan, x, reduced);
  const bool small = x->type == SAM_INT8 || x->type == SAM_UINT8 || x->type == SAM_INT16;
  if (small) SAM_TRY(plan_quantized(ctx, plan, x, y));
  plan_fold(plan);
  if (!plan->many && plan->reduced_rank == 0 && plan->kept_rank == 0 && plan->side_step == plan->length &&
      plan->n > 0) {
    node->piece = reduce_piece;
    node->piece_run = plan->length;
    node->piece_cost = plan->fold ? 4 : 16;
  }
  return SAM_OK;
}

#define REDUCE(NAME, stem, kind, version, ...)                                                             \
  static sam_status prepare_##stem(sam_ctx *ctx, sam_node *node) { return prepare_kind(ctx, node, kind); } \
  const sam_op sam_op_##stem = {.name = #NAME,                                                             \
                                .options = SAM_OPTIONS_REDUCER,                                            \
                                .max_version = version,                                                    \
                                .min_inputs = 2,                                                           \
                                .max_inputs = 2,                                                           \
                                .min_outputs = 1,                                                          \
                                .max_outputs = 1,                                                          \
                                .prepare = prepare_##stem,                                                 \
                                .eval = {__VA_ARGS__}};
#define F32 [SAM_FLOAT32] = eval, [SAM_FLOAT16] = eval
#define I8 [SAM_INT8] = eval
#define U8 [SAM_UINT8] = eval
#define I16 [SAM_INT16] = eval
#define I32 [SAM_INT32] = eval
#define I64 [SAM_INT64] = eval

REDUCE(MEAN, mean, MEAN, 3, F32, I8, U8, I16, I32, I64)
REDUCE(SUM, sum, SUM, 2, F32, I8, U8, I16, I32, I64)
REDUCE(REDUCE_PROD, reduce_prod, PROD, 2, F32, I8, I16, I32, I64)
REDUCE(REDUCE_MAX, reduce_max, MAX, 3, F32, I8, U8, I16, I32, I64)
REDUCE(REDUCE_MIN, reduce_min, MIN, 3, F32, I8, U8, I16, I32, I64)
REDUCE(REDUCE_ANY, reduce_any, ANY, 1, [SAM_BOOL] = eval)
REDUCE(REDUCE_ALL, reduce_all, ALL, 1, [SAM_BOOL] = eval)
