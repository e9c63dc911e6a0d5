/* SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION: one pass over each slice along the last axis.
 *
 * 8-bit SOFTMAX: exp(beta * scale * d) for d = 0, -1, … -255 is a table of integers with 23 fractional bits, so that
 * the sum of a row is exact whatever the order; one float32 division and one multiplication per value follow: e[j] =
 * table[max - q[j]]      y[j] = round(e[j] * (1 / (sum e * sy))) + zy int16 SOFTMAX: the format's rule: exp and 1 / (1
 * + x) by 513-sample tables (common/table.h), 32-bit products. */
#include <float.h>

#include "elementwise.h"
#include "ops.h"
#include "samara/options.h"
#include "table.h"
#include "ukernels/ukernels.h"

enum { EXP_BITS = 23 };

typedef struct softmax_plan {
  int64_t rows, depth;
  float beta;
  double scale; /* of the input */
  float out_scale;
  int32_t zx, zy, lo, hi;
  sam_type out_type;
  sam_multiplier m; /* int16: differences to 1/6553.5 */
  int32_t exp8[256];
  int16_t exp16[SAM_TABLE16_SIZE], inverse16[SAM_TABLE16_SIZE];
} softmax_plan;

typedef struct rows_work {
  const softmax_plan *plan;
  sam_task_fn task;
  sam_type type;
  float *scratch; /* half precision: a row of floats for each thread */
  const void *x;
  void *y;
} rows_work;

static sam_status begin(sam_ctx *ctx, sam_node *node, softmax_plan **result) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  SAM_TRY(sam_check_rank(ctx, x, 1, SAM_MAX_RANK));
  SAM_TRY(sam_set_shape_like(ctx, y, x));
  softmax_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = *result = plan;
  plan->depth = x->dims[x->rank - 1];
  plan->rows = sam_span(x, 0, x->rank - 1);
  if (plan->depth == 0) plan->rows = 0;
  plan->out_type = y->type;
  if (sam_is_half(x->type)) SAM_TRY(sam_scratch(ctx, (size_t)sam_threads(ctx) * (size_t)plan->depth * sizeof(float)));
  if (sam_working_type(x->type) == SAM_FLOAT32) return sam_check_same_type(ctx, y, x);
  SAM_TRY(sam_check_quant(ctx, x));
  SAM_TRY(sam_check_quant(ctx, y));
  plan->scale = x->quant->scale[0];
  plan->out_scale = y->quant->scale[0];
  plan->zx = x->quant->zero_point[0];
  plan->zy = y->quant->zero_point[0];
  sam_type_range(y->type, &plan->lo, &plan->hi);
  return SAM_OK;
}

/* Half precision: a row is widened, becomes the whole work of a call, and is narrowed. */
static void run_half(void *arg, int64_t begin_row, int64_t end_row, int thread) {
  const rows_work *w = arg;
  const int64_t n = w->plan->depth;
  float *row = w->scratch + thread * n;
  rows_work one = *w;
  one.x = one.y = row;
  for (int64_t r = begin_row; r < end_row; r++) {
    sam_widen((const uint16_t *)w->x + r * n, w->type, n, row);
    w->task(&one, 0, 1, thread);
    sam_narrow(row, w->type, n, (uint16_t *)w->y + r * n);
  }
}

static sam_status run(sam_ctx *ctx, sam_node *node, sam_task_fn task, int64_t cost) {
  const softmax_plan *plan = node->state;
  const sam_type type = node->inputs[0]->type;
  rows_work work = {plan, task, type, node->scratch, node->inputs[0]->data, node->outputs[0]->data};
  sam_parallel(ctx, plan->rows, plan->depth * cost + 32, sam_is_half(type) ? run_half : task, &work);
  return SAM_OK;
}

/* ---- SOFTMAX --------------------------------------------------------------------------------------------------- */

static void softmax_f32_rows(void *arg, int64_t begin_row, int64_t end_row, int thread) {
  (void)thread;
  const rows_work *w = arg;
  const int64_t n = w->plan->depth, at = begin_row * n;
  sam_uk.f32_softmax(end_row - begin_row, n, (const float *)w->x + at, (float *)w->y + at, w->plan->beta);
}

/* e / sum in the output's units: rounded half up (e is positive), moved, clamped. */
static inline int32_t share_of(const softmax_plan *p, int32_t e, float inverse) {
  const float q = (float)e * inverse;
  if (!(q < 65536.0f)) return p->hi;
  const int32_t whole = (int32_t)q;
  return sam_clamp32(whole + (q - (float)whole >= 0.5f) + p->zy, p->lo, p->hi);
}

/* The largest of n bytes, which `flip` makes unsigned; flipped. */
static uint8_t top_of(const uint8_t *x, int64_t n, uint8_t flip) {
  uint8_t top = 0;
  if (n > 16) {
    sam_uk.u8_top_runs(1, n, x, n, &top, flip);
    return top ^ flip;
  }
  for (int64_t i = 0; i < n; i++) top = (x[i] ^ flip) > top ? (uint8_t)(x[i] ^ flip) : top;
  return top;
}

/* e[i] of n differences to the largest value; their sum. */
#define EXPONENTIALS(name, T, LEAST)                                                            \
  static int64_t name(const softmax_plan *p, const T *x, int64_t n, int64_t most, int32_t *e) { \
    int32_t top = LEAST;                                                                        \
    int64_t sum = 0;                                                                            \
    if (n > 16)                                                                                 \
      top = (T)(top_of((const uint8_t *)x, n, LEAST ? 128 : 0) ^ (LEAST ? 128 : 0));            \
    else                                                                                        \
      for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;                            \
    for (int64_t i = 0; i < most; i++) sum += e[i] = p->exp8[top - x[i]];                       \
    for (int64_t i = most; i < n; i++) sum += p->exp8[top - x[i]];                              \
    return sum;                                                                                 \
  }
EXPONENTIALS(exponentials_s8, int8_t, -128)
EXPONENTIALS(exponentials_u8, uint8_t, 0)

static void softmax_8bit_row(const softmax_plan *p, const uint8_t *x, void *y, uint8_t flip) {
  const int64_t n = p->depth, most = n < 256 ? n : 256;
  int32_t e[256];
  const int64_t sum = flip ? exponentials_s8(p, (const int8_t *)x, n, most, e) : exponentials_u8(p, x, n, most, e);
  const float quotient = 1.0f / ((float)sum * p->out_scale), inverse = quotient < FLT_MAX ? quotient : FLT_MAX;
  if (p->out_type == SAM_INT16) {
    const uint8_t top = top_of(x, n, flip);
    for (int64_t i = 0; i < n; i++) ((int16_t *)y)[i] = (int16_t)share_of(p, p->exp8[top - (x[i] ^ flip)], inverse);
    return;
  }
  const sam_unary_params scaling = {.a = inverse, .zy = p->zy, .lo = p->lo, .hi = p->hi};
  sam_unary_kernel *const shares = p->out_type == SAM_INT8 ? sam_uk.s32_to_s8 : sam_uk.s32_to_u8;
  if (n <= 256) {
    shares(n, e, y, &scaling);
    return;
  }
  uint8_t of[256], table[256]; /* a long row holds few different values */
  const uint8_t top = top_of(x, n, flip);
  shares(256, p->exp8, of, &scaling);
  for (int32_t v = 0; v < 256; v++) table[v ^ flip] = of[(uint8_t)(top - v)];
  const sam_unary_params params = {.table = table};
  sam_uk.u8_lookup(n, x, y, &params);
}

static void softmax_8bit_rows(void *arg, int64_t begin_row, int64_t end_row, int thread, uint8_t flip) {
  (void)thread;
  const rows_work *w = arg;
  int64_t n = w->plan->depth, size = w->plan->out_type == SAM_INT16 ? 2 : 1;
  for (int64_t r = begin_row; r < end_row; r++)
    softmax_8bit_row(w->plan, (const uint8_t *)w->x + r * n, (char *)w->y + r * n * size, flip);
}
/* int8 becomes unsigned by flipping the sign bit; only differences matter. */
static void softmax_s8_rows(void *arg, int64_t b, int64_t e, int thread) { softmax_8bit_rows(arg, b, e, thread, 128); }
static void softmax_u8_rows(void *arg, int64_t b, int64_t e, int thread) { softmax_8bit_rows(arg, b, e, thread, 0); }

static inline int32_t exp_s16(const softmax_plan *p, int32_t difference) {
  int32_t scaled = sam_scale32(difference, p->m); /* [-65535, 0] is [-10, 0] */
  return sam_table16_at(p->exp16, sam_clamp32(scaled < -65535 ? -32768 : scaled + 32767, -32768, 32767));
}

static void softmax_s16_rows(void *arg, int64_t begin_row, int64_t end_row, int thread) {
  (void)thread;
  const rows_work *w = arg;
  const softmax_plan *p = w->plan;
  int64_t n = p->depth;
  for (int64_t r = begin_row; r < end_row; r++) {
    const int16_t *x = (const int16_t *)w->x + r * n;
    int16_t *y = (int16_t *)w->y + r * n;
    int32_t top = x[0];
    int64_t total = 0;
    for (int64_t i = 1; i < n; i++) top = x[i] > top ? x[i] : top;
    for (int64_t i = 0; i < n; i++) { /* x may be y */
      const int32_t e = exp_s16(p, x[i] - top);
      y[i] = (int16_t)e;
      total += e;
    }
    int64_t sum = total < 1 ? 1 : total > INT32_MAX ? INT32_MAX : total;
    int bits = 0; /* the highest set bit of sum */
    while (sum >> (bits + 1)) bits++;
    int32_t fraction = (int32_t)(((sum << (30 - bits)) + (1 << 13)) >> 14); /* sum / 2^bits in [1, 2] * 2^16 */
    int32_t inverse = sam_table16_at(p->inverse16, sam_clamp32(fraction - (1 << 15) - (1 << 16), -32768, 32767));
    for (int64_t i = 0; i < n; i++) {
      int64_t product = (int64_t)y[i] * inverse;
      int64_t q = bits > 0 ? (product + (INT64_C(1) << (bits - 1))) >> bits : product;
      y[i] = (int16_t)(q < 0 ? 0 : q > 32767 ? 32767 : q);
    }
  }
}

static double inverse_of_one_plus(double x) { return 1 / (1 + x); }

static void fill_exp8(softmax_plan *plan, double beta) {
  plan->exp8[0] = 1 << EXP_BITS;
  for (int d = 1; d < 256; d++) {
    float exponent = (float)-(plan->scale * beta) * (float)d;
    double e = ldexp(exp((double)exponent), EXP_BITS);
    plan->exp8[d] = e < 2147483647.0 ? (int32_t)sam_round_away(e) : INT32_MAX; /* a negative beta grows */
  }
}

static sam_status prepare_softmax(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  softmax_plan *plan;
  SAM_TRY(begin(ctx, node, &plan));
  plan->beta = ((const sam_softmax_options *)node->options)->beta;
  if (!(fabsf(plan->beta) < INFINITY)) return sam_fail(ctx, SAM_INVALID_MODEL, "beta is %g", (double)plan->beta);
  if (sam_working_type(x->type) == SAM_FLOAT32) return SAM_OK;
  if (!(plan->beta > 0)) return sam_fail(ctx, SAM_UNSUPPORTED, "beta is %g, integers need > 0", (double)plan->beta);
  if (x->type == SAM_INT16) {
    SAM_TRY(sam_check_same_type(ctx, y, x));
    plan->m = sam_multiplier_of(plan->scale * plan->beta / (10.0 / 65535.0));
    sam_table16_fill_range(plan->exp16, -10, 0, -1, 1, exp);
    sam_table16_fill_range(plan->inverse16, 0, 1, -1, 1, inverse_of_one_plus);
    return SAM_OK;
  }
  if (y->type != SAM_INT16) SAM_TRY(sam_check_same_type(ctx, y, x));
  fill_exp8(plan, plan->beta);
  return SAM_OK;
}

static sam_status softmax_f32(sam_ctx *ctx, sam_node *node) { return run(ctx, node, softmax_f32_rows, 3); }
static sam_status softmax_s8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, softmax_s8_rows, 6); }
static sam_status softmax_u8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, softmax_u8_rows, 6); }
static sam_status softmax_s16(sam_ctx *ctx, sam_node *node) { return run(ctx, node, softmax_s16_rows, 24); }

/* ---- LOG_SOFTMAX ----------------------------------------------------------------------------------------------- */

static void log_softmax_f32_rows(void *arg, int64_t begin_row, int64_t end_row, int thread) {
  (void)thread;
  const rows_work *w = arg;
  int64_t n = w->plan->depth;
  for (int64_t r = begin_row; r < end_row; r++)
    sam_uk.f32_log_softmax(n, (const float *)w->x + r * n, (float *)w->y + r * n);
}

static void log_softmax_8bit(void *arg, int64_t begin_row, int64_t end_row, uint8_t flip) {
  enum { PIECE = 256 };
  const rows_work *w = arg;
  const softmax_plan *p = w->plan;
  const int64_t n = p->depth;
  float value[PIECE];
  for (int64_t r = begin_row; r < end_row; r++) {
    const uint8_t *x = (const uint8_t *)w->x + r * n;
    uint8_t *y = (uint8_t *)w->y + r * n;
    const uint8_t top = top_of(x, n, flip);
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) sum += p->exp8[top - (x[i] ^ flip)];
    const float log_sum = (float)log(ldexp((double)sum, -EXP_BITS));
    /* round((scale * (x - top) - log_sum) / out_scale) + zero point */
    const sam_unary_params from = {.a = (float)p->scale, .zx = top - flip};
    const sam_unary_params to = {.a = 1, .zy = p->zy, .lo = p->lo, .hi = p->hi};
    for (int64_t i = 0; i < n; i += PIECE) {
      const int64_t m = n - i < PIECE ? n - i : PIECE;
      (flip ? sam_uk.s8_to_f32 : sam_uk.u8_to_f32)(m, x + i, value, &from);
      sam_uk.f32_sub(m, value, &log_sum, value, SAM_STEP_A, &sam_unbounded);
      sam_uk.f32_div(m, value, &p->out_scale, value, SAM_STEP_A, &sam_unbounded);
      (flip ? sam_uk.f32_to_s8 : sam_uk.f32_to_u8)(m, value, y + i, &to);
    }
  }
}
static void log_softmax_s8_rows(void *arg, int64_t b, int64_t e, int thread) {
  (void)thread;
  log_softmax_8bit(arg, b, e, 128);
}
static void log_softmax_u8_rows(void *arg, int64_t b, int64_t e, int thread) {
  (void)thread;
  log_softmax_8bit(arg, b, e, 0);
}

static sam_status prepare_log_softmax(sam_ctx *ctx, sam_node *node) {
  softmax_plan *plan;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  SAM_TRY(begin(ctx, node, &plan));
  if (sam_working_type(node->inputs[0]->type) != SAM_FLOAT32) fill_exp8(plan, 1);
  return SAM_OK;
}

static sam_status log_softmax_f32(sam_ctx *ctx, sam_node *node) { return run(ctx, node, log_softmax_f32_rows, 3); }
static sam_status log_softmax_s8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, log_softmax_s8_rows, 8); }
static sam_status log_softmax_u8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, log_softmax_u8_rows, 8); }

/* ---- L2_NORMALIZATION: x / max(|x|, 1e-6) ------------------------------------------------------------------------ */

static void l2_f32_rows(void *arg, int64_t begin_row, int64_t end_row, int thread) {
  (void)thread;
  const rows_work *w = arg;
  int64_t n = w->plan->depth;
  for (int64_t r = begin_row; r < end_row; r++) {
    const float *x = (const float *)w->x + r * n;
    float *y = (float *)w->y + r * n;
    double squares = 0;
    for (int64_t i = 0; i < n; i += SAM_FOLD_FLOAT_RUN) {
      const int64_t m = n - i < SAM_FOLD_FLOAT_RUN ? n - i : SAM_FOLD_FLOAT_RUN;
      float part;
      sam_uk.f32_squares_runs(1, m, x + i, m, &part, 0);
      squares += (double)part;
    }
    float norm = sqrtf((float)squares);
    if (norm < 1e-6f) norm = 1e-6f;
    sam_uk.f32_div(n, x, &norm, y, SAM_STEP_A, &sam_unbounded);
  }
}

/* 128 * difference / norm, the output's scale being 1/128 by the format, whose int8 kernel multiplies by 128 in the
 * shift of the factor (one rounding is coarser then) and whose uint8 kernel multiplies the difference. */
typedef struct l2_factor {
  int64_t q;
  int left, right;
  int64_t half, down; /* of the second rounding; -1 for numbers below 0, where there is one */
  int32_t times;
} l2_factor;
static l2_factor l2_factor_of(const softmax_plan *p, int64_t squares) {
  const sam_multiplier m = sam_inverse_root(squares);
  const int shift = p->out_type == SAM_INT8 ? m.shift + 7 : m.shift;
  l2_factor f = {.q = m.q, .left = shift > 0 ? shift : 0, .right = shift < 0 ? -shift : 0};
  f.half = f.right ? INT64_C(1) << (f.right - 1) : 0;
  f.down = f.right ? -1 : 0;
  f.times = p->out_type == SAM_INT8 ? 1 : 128;
  return f;
}
/* sam_scale32, with what a row has in common taken out. */
static inline int32_t l2_value(const l2_factor *f, int32_t difference) {
  const int32_t x = sam_saturate32((int64_t)((uint64_t)(int64_t)(f->times * difference) << f->left));
  const int64_t high = (x * f->q + (INT64_C(1) << 30)) >> 31;
  return (int32_t)((high + f->half + ((high >> 63) & f->down)) >> f->right);
}
#define L2_ROWS(name, T)                                                                                  \
  static void name(void *arg, int64_t begin_row, int64_t end_row, int thread) {                           \
    (void)thread;                                                                                         \
    const rows_work *w = arg;                                                                             \
    const softmax_plan *p = w->plan;                                                                      \
    for (int64_t r = begin_row; r < end_row; r++) {                                                       \
      const T *x = (const T *)w->x + r * p->depth;                                                        \
      T *y = (T *)w->y + r * p->depth;                                                                    \
      int64_t squares = 0;                                                                                \
      for (int64_t i = 0; i < p->depth; i++) squares += (int64_t)(x[i] - p->zx) * (x[i] - p->zx);         \
      const l2_factor f = l2_factor_of(p, squares);                                                       \
      const int32_t zx = p->zx, zy = p->zy, lo = p->lo, hi = p->hi;                                       \
      for (int64_t i = 0; i < p->depth; i++) y[i] = (T)sam_clamp32(zy + l2_value(&f, x[i] - zx), lo, hi); \
    }                                                                                                     \
  }
L2_ROWS(l2_s8_rows, int8_t)
L2_ROWS(l2_u8_rows, uint8_t)

static sam_status prepare_l2_normalization(sam_ctx *ctx, sam_node *node) {
  softmax_plan *plan;
  if (((const sam_l2_norm_options *)node->options)->fused_activation_function != SAM_ACTIVATION_NONE)
    return sam_fail(ctx, SAM_UNSUPPORTED, "a fused activation is not part of this operator");
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  SAM_TRY(begin(ctx, node, &plan));
  if (sam_working_type(node->inputs[0]->type) == SAM_FLOAT32) return SAM_OK;
  if (plan->out_scale != 1.0f / 128)
    return sam_fail(ctx, SAM_UNSUPPORTED, "output scale is %g, must be 1/128", (double)plan->out_scale);
  return SAM_OK;
}

static sam_status l2_f32(sam_ctx *ctx, sam_node *node) { return run(ctx, node, l2_f32_rows, 6); }
static sam_status l2_s8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, l2_s8_rows, 8); }
static sam_status l2_u8(sam_ctx *ctx, sam_node *node) { return run(ctx, node, l2_u8_rows, 8); }

/* ---- The operators --------------------------------------------------------------------------------------------- */

#define SOFTMAX_LIKE(NAME, stem, options_kind, version, ...) \
  const sam_op sam_op_##stem = {.name = #NAME,               \
                                .options = options_kind,     \
                                .max_version = version,      \
                                .min_inputs = 1,             \
                                .max_inputs = 1,             \
                                .min_outputs = 1,            \
                                .max_outputs = 1,            \
                                .inplace = 1,                \
                                .prepare = prepare_##stem,   \
                                .eval = {__VA_ARGS__}};

SOFTMAX_LIKE(SOFTMAX, softmax, SAM_OPTIONS_SOFTMAX, 4, [SAM_FLOAT32] = softmax_f32, [SAM_FLOAT16] = softmax_f32,
             [SAM_BFLOAT16] = softmax_f32, [SAM_INT8] = softmax_s8, [SAM_UINT8] = softmax_u8, [SAM_INT16] = softmax_s16)
SOFTMAX_LIKE(LOG_SOFTMAX, log_softmax, 0, 2, [SAM_FLOAT32] = log_softmax_f32, [SAM_FLOAT16] = log_softmax_f32,
             [SAM_BFLOAT16] = log_softmax_f32, [SAM_INT8] = log_softmax_s8, [SAM_UINT8] = log_softmax_u8)
SOFTMAX_LIKE(
    L2_NORMALIZATION, l2_normalization, SAM_OPTIONS_L2_NORM,
    2, [SAM_FLOAT32] = l2_f32, [SAM_FLOAT16] = l2_f32, [SAM_BFLOAT16] = l2_f32, [SAM_INT8] = l2_s8, [SAM_UINT8] = l2_u8)
