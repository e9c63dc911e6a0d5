/* Arithmetic of two tensors with numpy broadcasting: ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV
 * FLOOR_MOD POW; ADD_N of any number of equal shapes.
 *
 *      prepare: types ─> shape ─> rows (common/broadcast.h) ─> kernel of (operator, type) ─> constants
 *      eval:    for each row: kernel(n, a, b, y, which of a and b advances)
 *
 * Quantized arithmetic of int8 and uint8; (s, z) is the quantization of a, b and y, ra = sa/sy, rb = ±sb/sy.
 *      ADD, SUB   y = (((a-za)·A + (b-zb)·B + 2^(t-1)) >> t) + zy,  A = rne(ra·2^t), B = rne(rb·2^t), and t such that
 *                 the larger of |A|, |B| has 21 bits: 32-bit integers suffice, and XNNPACK gives the same bytes.
 *                 Outside 2^-10 <= max(|ra|, |rb|) < 2^8 the float rule below: rne(a·ra + b·rb + c)
 * The others use a float rule that every machine computes alike (no fused multiply-add, round half to even, saturate);
 * `·` is a float32 operation:
 *      MUL        y = rne(((a-za)·(b-zb))·(sa·sb/sy)) + zy
 *      DIV        y = rne(((a-za)/(b-zb))·(sa/(sb·sy))) + zy        x/0 saturates, 0/0 is zy
 *      SQUARED_DIFFERENCE  d = (a-za)·ka - (b-zb)·kb,  y = rne(d·d) + zy,   ka = sa/sqrt(sy), kb = sb/sqrt(sy)
 * Each is within 1 of the format's own fixed-point rules and within half a step of the real result.
 * int16 follows the format exactly: with zero points 0 and powers of two as scales the inputs are shifted and added
 * with saturation, else both are brought to a common scale with 15 bits of headroom (rule D-away of fixed_point.h). */
#include <string.h>

#include "activation.h"
#include "chain.h"
#include "elementwise.h"
#include "ops.h"
#include "ukernels/ukernels.h"

typedef struct binary_plan {
  sam_binary_plan rows; /* first, for sam_binary_piece */
  sam_binary_kind kind;
  bool nonzero; /* b must hold no 0 */
} binary_plan;

/* ---- Kernels: the scalar meaning ------------------------------------------------------------------------------- */

/* u and v are the operands. */
#define KERNEL(name, T, EXPR) SAM_BINARY_KERNEL(name, T, T, EXPR)

static inline int64_t clamp_int(int64_t x, const sam_binary_params *p) {
  return x < p->ilo ? p->ilo : x > p->ihi ? p->ihi : x;
}
static float floor_mod_f32(float u, float v) {
  float r = fmodf(u, v);
  return r != 0 && (v < 0) != (r < 0) ? r + v : r;
}
static int64_t floor_div(int64_t u, int64_t v) {
  if (v == -1) return (int64_t)(0 - (uint64_t)u);
  int64_t q = u / v;
  return u % v != 0 && (u < 0) != (v < 0) ? q - 1 : q;
}
static int64_t floor_mod(int64_t u, int64_t v) {
  if (v == -1) return 0;
  int64_t r = u % v;
  return r != 0 && (r < 0) != (v < 0) ? r + v : r;
}
static int32_t power_i32(int32_t base, int32_t exponent) {
  uint32_t result = 1, square = (uint32_t)base;
  for (uint32_t e = (uint32_t)exponent; e != 0; e >>= 1) {
    if (e & 1) result *= square;
    square *= square;
  }
  return (int32_t)result;
}
/* Addition and subtraction wrap; the compiler may not assume otherwise. */
#define WRAP64(op) clamp_int((int64_t)((uint64_t)u op(uint64_t) v), p)

KERNEL(floor_div_f32, float, floorf(u / v))
KERNEL(floor_mod_f32_rows, float, floor_mod_f32(u, v))
KERNEL(pow_f32, float, powf(u, v))

KERNEL(pow_i32, int32_t, power_i32(u, v))

KERNEL(add_i64, int64_t, WRAP64(+))
KERNEL(sub_i64, int64_t, WRAP64(-))
KERNEL(mul_i64, int64_t, WRAP64(*))
KERNEL(maximum_i64, int64_t, u > v ? u : v)
KERNEL(minimum_i64, int64_t, u < v ? u : v)
KERNEL(floor_mod_i64, int64_t, floor_mod(u, v))
KERNEL(mul_u32, uint32_t, u *v)

KERNEL(floor_div_i8, int8_t, (int8_t)floor_div(u, v))
KERNEL(floor_mod_i8, int8_t, (int8_t)floor_mod(u, v))
KERNEL(floor_div_i16, int16_t, (int16_t)floor_div(u, v))
KERNEL(floor_mod_i16, int16_t, (int16_t)floor_mod(u, v))

/* Rounded half to even; infinity and NaN are possible in quotients. */
static inline int64_t rne_any(float x) {
  return x != x ? 0 : x >= 1e6f ? 1000000 : x <= -1e6f ? -1000000 : (int64_t)rintf(x);
}

#define Q_ADD_FAR clamp_int(rne_any((float)u * p->fa + (float)v * p->fb + p->fc), p)
#define Q_DIV clamp_int(rne_any((float)(u - p->za) / (float)(v - p->zb) * p->fa) + p->zy, p)

KERNEL(add_far_s8, int8_t, (int8_t)Q_ADD_FAR)
KERNEL(add_far_u8, uint8_t, (uint8_t)Q_ADD_FAR)
KERNEL(div_s8, int8_t, (int8_t)Q_DIV)
KERNEL(div_u8, uint8_t, (uint8_t)Q_DIV)
KERNEL(div_s16, int16_t, (int16_t)Q_DIV)

static inline int32_t add_common_scale(int32_t u, int32_t v, int sign, const sam_binary_params *p) {
  int32_t x = sam_scale32((u - p->za) * (1 << p->left), p->ma), y = sam_scale32((v - p->zb) * (1 << p->left), p->mb);
  return (int32_t)clamp_int((int64_t)sam_scale32(x + sign * y, p->my) + p->zy, p);
}
static inline int32_t add_powers(int32_t u, int32_t v, int sign, const sam_binary_params *p) {
  int32_t sum = sam_round_shift32(u, p->za) + sign * sam_round_shift32(v, p->zb);
  return (int32_t)clamp_int(sam_clamp32(sum, -32768, 32767), p);
}
KERNEL(add_s16, int16_t, (int16_t)add_common_scale(u, v, 1, p))
KERNEL(sub_s16, int16_t, (int16_t)add_common_scale(u, v, -1, p))
KERNEL(add_s16_powers, int16_t, (int16_t)add_powers(u, v, 1, p))
KERNEL(sub_s16_powers, int16_t, (int16_t)add_powers(u, v, -1, p))
KERNEL(mul_s16, int16_t, (int16_t)clamp_int((int64_t)sam_scale32((u - p->za) * (v - p->zb), p->my) + p->zy, p))

/* Small integers without quantization wrap like the wide ones. */
KERNEL(add_i16, int16_t, (int16_t)clamp_int((int16_t)(u + v), p))
KERNEL(mul_i16, int16_t, (int16_t)clamp_int((int16_t)(u *v), p))
KERNEL(mul_i8, int8_t, (int8_t)clamp_int((int8_t)(u *v), p))
KERNEL(mul_plain_u8, uint8_t, (uint8_t)clamp_int((uint8_t)(u *v), p))

typedef struct complex64 {
  float re, im;
} complex64;
KERNEL(mul_c64, complex64, ((complex64){u.re * v.re - u.im * v.im, u.re *v.im + u.im *v.re}))

static const sam_binary_fn kernels[SAM_BINARY_KINDS][SAM_TYPE_COUNT] = {
    [SAM_ADD] = {[SAM_INT64] = add_i64, [SAM_INT16] = add_s16},
    [SAM_SUB] = {[SAM_INT64] = sub_i64, [SAM_INT16] = sub_s16},
    [SAM_MUL] = {[SAM_INT64] = mul_i64, [SAM_INT16] = mul_s16, [SAM_UINT32] = mul_u32, [SAM_COMPLEX64] = mul_c64},
    [SAM_DIV] = {[SAM_INT8] = div_s8, [SAM_UINT8] = div_u8, [SAM_INT16] = div_s16},
    [SAM_MAXIMUM] = {[SAM_INT64] = maximum_i64},
    [SAM_MINIMUM] = {[SAM_INT64] = minimum_i64},
    [SAM_FLOOR_DIV] = {[SAM_FLOAT32] = floor_div_f32, [SAM_INT8] = floor_div_i8, [SAM_INT16] = floor_div_i16},
    [SAM_FLOOR_MOD] = {[SAM_FLOAT32] = floor_mod_f32_rows,
                       [SAM_INT64] = floor_mod_i64,
                       [SAM_INT8] = floor_mod_i8,
                       [SAM_INT16] = floor_mod_i16},
    [SAM_POW] = {[SAM_FLOAT32] = pow_f32, [SAM_INT32] = pow_i32},
};

static bool is_microkernel(sam_binary_kind kind, sam_type type) {
  return kernels[kind][type] == NULL && sam_uk.loops->binary[kind][type] == NULL;
}

/* The others are loops of the machine's level, or microkernels. SUB of bytes is ADD with a negative factor. */
static sam_binary_fn kernel_of(sam_binary_kind kind, sam_type file_type) {
  const sam_type type = sam_working_type(file_type);
  const bool s8 = type == SAM_INT8;
  if (kernels[kind][type] != NULL) return kernels[kind][type];
  if (sam_uk.loops->binary[kind][type] != NULL) return sam_uk.loops->binary[kind][type];
  switch (kind) {
    case SAM_ADD:
      return type == SAM_FLOAT32 ? sam_uk.f32_add : s8 ? sam_uk.s8_add : sam_uk.u8_add;
    case SAM_SUB:
      return type == SAM_FLOAT32 ? sam_uk.f32_sub : s8 ? sam_uk.s8_add : sam_uk.u8_add;
    case SAM_MUL:
      return type == SAM_FLOAT32 ? sam_uk.f32_mul : s8 ? sam_uk.s8_mul : sam_uk.u8_mul;
    case SAM_DIV:
      return sam_uk.f32_div;
    case SAM_MAXIMUM:
      return type == SAM_FLOAT32 ? sam_uk.f32_max : s8 ? sam_uk.s8_max : sam_uk.u8_max;
    case SAM_MINIMUM:
      return type == SAM_FLOAT32 ? sam_uk.f32_min : s8 ? sam_uk.s8_min : sam_uk.u8_min;
    default:
      return type == SAM_FLOAT32 ? sam_uk.f32_sqdiff : sam_uk.s8_sqdiff;
  }
}

/* ---- Prepare --------------------------------------------------------------------------------------------------- */

/* A ratio of scales as the kernels use it. The cap keeps every sum inside int32; a step that large saturates anyway. */
static float ratio(double x) { return (float)(x < 1048576.0 ? x : 1048576.0); }

/* The integer rule of ADD and SUB; false where the ratios are too far from 1 for it. */
static bool plan_sum(sam_binary_params *p, float ra, float rb) {
  const float larger = ra > fabsf(rb) ? ra : fabsf(rb);
  if (!(larger >= 0x1p-10f && larger < 0x1p8f)) return false;
  p->shift = 20 - ilogbf(larger);
  p->ia = (int32_t)lrintf(ldexpf(ra, p->shift));
  p->ib = (int32_t)lrintf(ldexpf(rb, p->shift));
  p->bias = (1 << (p->shift - 1)) - p->za * p->ia - p->zb * p->ib;
  return true;
}

/* The same rule by digits of 7 bits (elementwise.h), where everything fits and the machine has a kernel for it. */
static void plan_digits(binary_plan *plan, sam_type type) {
  sam_binary_params *p = &plan->rows.params;
  sam_digits *d = &p->digits;
  const int32_t middle = type == SAM_UINT8 ? 128 : 0, magnitude = p->ib < 0 ? -p->ib : p->ib;
  int64_t bias = (INT64_C(1) << (p->shift - 1)) + (int64_t)(middle - p->za) * p->ia +
                 (int64_t)(middle - p->zb) * p->ib + (int64_t)(p->zy - middle) * (INT64_C(1) << p->shift);
  if (p->ib < 0) bias += magnitude;
  const int64_t top = bias >> 14;
  if (sam_uk.digit_add == sam_digit_add__scalar || p->shift < 14 || p->shift > 22 || p->ia > SAM_DIGITS_MOST ||
      magnitude > SAM_DIGITS_MOST || top < INT16_MIN || top > INT16_MAX)
    return;
  for (int k = 0; k < 3; k++) {
    d->a[k] = (uint8_t)(p->ia >> (7 * k) & 127);
    d->b[k] = (uint8_t)(magnitude >> (7 * k) & 127);
    d->bias[k] = (int16_t)(k == 2 ? top : bias >> (7 * k) & 127);
  }
  d->shift = p->shift - 14;
  d->flip_a = d->flip_y = (uint8_t)middle;
  d->flip_b = (uint8_t)(p->ib < 0 ? middle ^ 255 : middle);
  d->lo = (int8_t)(p->ilo - middle);
  d->hi = (int8_t)(p->ihi - middle);
  plan->rows.kernel = sam_uk.digit_add;
}

static void plan_8bit(binary_plan *plan, sam_type type, double sa, double sb, double sy) {
  sam_binary_params *p = &plan->rows.params;
  switch (plan->kind) {
    case SAM_ADD:
    case SAM_SUB:
      if (plan_sum(p, (float)sa / (float)sy, (plan->kind == SAM_SUB ? -(float)sb : (float)sb) / (float)sy)) {
        plan_digits(plan, type);
        break;
      }
      plan->rows.kernel = type == SAM_INT8 ? add_far_s8 : add_far_u8;
      p->fa = ratio(sa / sy);
      p->fb = plan->kind == SAM_SUB ? -ratio(sb / sy) : ratio(sb / sy);
      p->fc = (float)(p->zy - (double)p->za * p->fa - (double)p->zb * p->fb);
      break;
    case SAM_MUL:
      p->fa = sa * sb / sy < 16384.0 ? (float)(sa * sb / sy) : 16384.0f;
      plan->rows.by_period = sam_uk.mul_periodic != sam_mul_periodic__scalar;
      plan->rows.is_signed = type == SAM_INT8;
      break;
    case SAM_DIV:
      p->fa = (float)(sa / (sb * sy));
      break;
    default:
      p->fa = ratio(sa / sqrt(sy));
      p->fb = ratio(sb / sqrt(sy));
      break;
  }
}

static void plan_int16(binary_plan *plan, double sa, double sb, double sy) {
  sam_binary_params *p = &plan->rows.params;
  int a, b, y;
  switch (plan->kind) {
    case SAM_ADD:
    case SAM_SUB:
      if (sam_exact_log2((float)sa, &a) && sam_exact_log2((float)sb, &b) && sam_exact_log2((float)sy, &y) && a <= y &&
          b <= y && (a == y || b == y)) {
        plan->rows.kernel = plan->kind == SAM_ADD ? add_s16_powers : sub_s16_powers;
        p->za = y - a > 31 ? 31 : y - a;
        p->zb = y - b > 31 ? 31 : y - b;
        break;
      }
      p->left = 15;
      double twice = 2 * (sa > sb ? sa : sb);
      p->ma = sam_multiplier_of(sa / twice);
      p->mb = sam_multiplier_of(sb / twice);
      p->my = sam_multiplier_of(twice / (32768.0 * sy));
      if (p->my.shift <= 0) plan->rows.kernel = plan->kind == SAM_ADD ? sam_uk.s16_add : sam_uk.s16_sub;
      break;
    case SAM_MUL:
      p->my = sam_multiplier_of((double)((float)sa * (float)sb / (float)sy)); /* floats, as in the format */
      if (p->my.shift <= 0) plan->rows.kernel = sam_uk.s16_mul;
      break;
    default:
      plan_8bit(plan, SAM_INT16, sa, sb, sy);
      break;
  }
}

static bool all_unquantized(const sam_node *node) {
  return node->inputs[0]->quant->count == 0 && node->inputs[1]->quant->count == 0 &&
         node->outputs[0]->quant->count == 0;
}

/* Kernels for small integers that carry no quantization, where the format has them. */
static sam_binary_fn plain_kernel(sam_binary_kind kind, sam_type type) {
  if (kind == SAM_ADD && type == SAM_INT16) return add_i16;
  if (kind == SAM_MUL) return type == SAM_INT16 ? mul_i16 : type == SAM_INT8 ? mul_i8 : mul_plain_u8;
  return NULL;
}

static sam_status plan_quantized(sam_ctx *ctx, sam_node *node, binary_plan *plan, int32_t activation) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1], *y = node->outputs[0];
  sam_binary_params *p = &plan->rows.params;
  int32_t lo, hi;
  sam_binary_fn plain = all_unquantized(node) ? plain_kernel(plan->kind, a->type) : NULL;
  if (plain != NULL) {
    plan->rows.kernel = plain;
    sam_type_range(a->type, &lo, &hi);
    return sam_activation_bounds_int(ctx, activation, lo, hi, &p->ilo, &p->ihi);
  }
  SAM_TRY(sam_check_quant(ctx, a));
  SAM_TRY(sam_check_quant(ctx, b));
  SAM_TRY(sam_check_quant(ctx, y));
  p->za = a->quant->zero_point[0];
  p->zb = b->quant->zero_point[0];
  p->zy = y->quant->zero_point[0];
  SAM_TRY(sam_activation_bounds_quantized(ctx, activation, y, &lo, &hi));
  p->ilo = lo;
  p->ihi = hi;
  double sa = a->quant->scale[0], sb = b->quant->scale[0], sy = y->quant->scale[0];
  if (a->type == SAM_INT16)
    plan_int16(plan, sa, sb, sy);
  else
    plan_8bit(plan, a->type, sa, sb, sy);
  return SAM_OK;
}

static sam_status prepare_kind(sam_ctx *ctx, sam_node *node, sam_binary_kind kind, int32_t activation) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1], *y = node->outputs[0];
  binary_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = plan;
  SAM_TRY(sam_check_same_type(ctx, y, a));
  SAM_TRY(sam_binary_begin(ctx, node, &plan->rows));
  plan->kind = kind;
  plan->rows.kernel = kernel_of(kind, a->type);
  plan->rows.by_rows = a->type == SAM_FLOAT32 && is_microkernel(kind, a->type);
  bool divides = kind == SAM_DIV || kind == SAM_FLOOR_DIV || kind == SAM_FLOOR_MOD;
  plan->rows.cost = kind == SAM_POW || kind == SAM_FLOOR_MOD       ? 80
                    : divides                                      ? 16
                    : a->type == SAM_INT16 || a->type == SAM_INT64 ? 8
                                                                   : 2;
  bool small = a->type == SAM_INT8 || a->type == SAM_UINT8 || a->type == SAM_INT16;
  plan->nonzero = divides && sam_working_type(a->type) != SAM_FLOAT32 && !(small && kind == SAM_DIV);
  if (!plan->nonzero && !(kind == SAM_POW && a->type == SAM_INT32)) node->piece = sam_binary_piece; /* it cannot fail */
  node->piece_cost = (int32_t)plan->rows.cost;
  if (small && (kind == SAM_MAXIMUM || kind == SAM_MINIMUM)) {
    SAM_TRY(sam_check_same_quant(ctx, a, b));
    SAM_TRY(sam_check_same_quant(ctx, a, y));
  }
  bool arithmetic = kind == SAM_ADD || kind == SAM_SUB || kind == SAM_MUL || kind == SAM_DIV || kind == SAM_SQDIFF;
  if (small && arithmetic) return plan_quantized(ctx, node, plan, activation);
  SAM_TRY(sam_activation_bounds_f32(ctx, activation, &plan->rows.params.lo, &plan->rows.params.hi));
  bool wide = a->type == SAM_INT64;
  return sam_activation_bounds_int(ctx, activation, wide ? INT64_MIN : INT32_MIN, wide ? INT64_MAX : INT32_MAX,
                                   &plan->rows.params.ilo, &plan->rows.params.ihi);
}

/* ---- Eval ------------------------------------------------------------------------------------------------------ */

/* Index of the first element of t that is 0 (kind SAM_EQUAL) or below 0 (SAM_LESS), or -1. */
static int64_t find_element(const sam_tensor *t, sam_binary_kind kind) {
  enum { PIECE = 1024 };
  uint8_t found[PIECE];
  const sam_binary_fn compare = sam_uk.loops->binary[kind][t->type];
  const int64_t n = sam_elements(t), zero = 0, size = sam_type_bits(t->type) / 8;
  for (int64_t i = 0; i < n; i += PIECE) {
    const int64_t m = n - i < PIECE ? n - i : PIECE;
    compare(m, (const char *)t->data + i * size, &zero, found, SAM_STEP_A, &(sam_binary_params){0});
    const uint8_t *first = memchr(found, 1, (size_t)m);
    if (first != NULL) return i + (first - found);
  }
  return -1;
}

static sam_status eval(sam_ctx *ctx, sam_node *node) {
  if (node->chain) return sam_chain_eval(ctx, node);
  const binary_plan *plan = node->state;
  const sam_tensor *b = node->inputs[1];
  int64_t bad = -1;
  if (plan->nonzero && plan->rows.shape.count > 0 && (bad = find_element(b, SAM_EQUAL)) >= 0)
    return sam_fail(ctx, SAM_DATA, "division by zero: element %lld of the divisor", (long long)bad);
  if (plan->kind == SAM_POW && b->type == SAM_INT32 && plan->rows.shape.count > 0 &&
      (bad = find_element(b, SAM_LESS)) >= 0)
    return sam_fail(ctx, SAM_DATA, "negative integer exponent: element %lld", (long long)bad);
  sam_binary_run(ctx, &plan->rows, node);
  return SAM_OK;
}

/* ---- The operators --------------------------------------------------------------------------------------------- */

static sam_status prepare_add(sam_ctx *ctx, sam_node *node) {
  return prepare_kind(ctx, node, SAM_ADD, ((const sam_add_options *)node->options)->fused_activation_function);
}
static sam_status prepare_sub(sam_ctx *ctx, sam_node *node) {
  return prepare_kind(ctx, node, SAM_SUB, ((const sam_sub_options *)node->options)->fused_activation_function);
}
static sam_status prepare_mul(sam_ctx *ctx, sam_node *node) {
  return prepare_kind(ctx, node, SAM_MUL, ((const sam_mul_options *)node->options)->fused_activation_function);
}
static sam_status prepare_div(sam_ctx *ctx, sam_node *node) {
  return prepare_kind(ctx, node, SAM_DIV, ((const sam_div_options *)node->options)->fused_activation_function);
}
#define PREPARE(stem, kind) \
  static sam_status prepare_##stem(sam_ctx *ctx, sam_node *node) { return prepare_kind(ctx, node, kind, 0); }
PREPARE(maximum, SAM_MAXIMUM)
PREPARE(minimum, SAM_MINIMUM)
PREPARE(squared_difference, SAM_SQDIFF)
PREPARE(floor_div, SAM_FLOOR_DIV)
PREPARE(floor_mod, SAM_FLOOR_MOD)
PREPARE(pow, SAM_POW)

#define BINARY(NAME, stem, options_kind, version, ...)     \
  const sam_op sam_op_##stem = {.name = #NAME,             \
                                .options = options_kind,   \
                                .max_version = version,    \
                                .min_inputs = 2,           \
                                .max_inputs = 2,           \
                                .min_outputs = 1,          \
                                .max_outputs = 1,          \
                                .inplace = 3,              \
                                .prepare = prepare_##stem, \
                                .eval = {__VA_ARGS__}};
#define F32 [SAM_FLOAT32] = eval, [SAM_FLOAT16] = eval, [SAM_BFLOAT16] = eval
#define I32 [SAM_INT32] = eval
#define I64 [SAM_INT64] = eval
#define I8 [SAM_INT8] = eval
#define U8 [SAM_UINT8] = eval
#define I16 [SAM_INT16] = eval
#define U32 [SAM_UINT32] = eval
#define C64 [SAM_COMPLEX64] = eval

BINARY(ADD, add, SAM_OPTIONS_ADD, 6, F32, I32, I64, I8, U8, I16)
BINARY(SUB, sub, SAM_OPTIONS_SUB, 5, F32, I32, I64, I8, U8, I16)
BINARY(MUL, mul, SAM_OPTIONS_MUL, 8, F32, I32, I64, I8, U8, I16, U32, C64)
BINARY(DIV, div, SAM_OPTIONS_DIV, 2, F32, I32, I8, U8, I16)
BINARY(MAXIMUM, maximum, 0, 4, F32, I32, I64, I8, U8, I16)
BINARY(MINIMUM, minimum, 0, 4, F32, I32, I64, I8, U8, I16)
BINARY(SQUARED_DIFFERENCE, squared_difference, 0, 2, F32, I32, I8)
BINARY(FLOOR_DIV, floor_div, 0, 3, F32, I32, I8, I16)
BINARY(FLOOR_MOD, floor_mod, 0, 2, F32, I32, I64, I8, I16)
BINARY(POW, pow, 0, 1, F32, I32)

/* ---- ADD_N: any number of equal shapes --------------------------------------------------------------------------- */

static void add_n_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const sam_node *node = arg;
  const sam_tensor *y = node->outputs[0];
  const sam_binary_fn add = y->type == SAM_FLOAT32 ? sam_uk.f32_add : sam_uk.loops->binary[SAM_ADD][SAM_INT32];
  const int64_t count = sam_elements(y);
  for (int64_t block = begin; block < end; block++) { /* a block stays in the first cache */
    const int64_t from = block * SAM_ELEMENTWISE_BLOCK, bytes = 4 * from;
    const int64_t n = count - from < SAM_ELEMENTWISE_BLOCK ? count - from : SAM_ELEMENTWISE_BLOCK;
    char *sum = (char *)y->data + bytes;
    const char *first = (const char *)node->inputs[0]->data + bytes;
    if (node->n_inputs == 1) memmove(sum, first, (size_t)(4 * n));
    for (int32_t k = 1; k < node->n_inputs; k++, first = sum)
      add(n, first, (const char *)node->inputs[k]->data + bytes, sum, SAM_STEP_BOTH, &sam_unbounded);
  }
}

static sam_status eval_add_n(sam_ctx *ctx, sam_node *node) {
  int64_t blocks = (sam_elements(node->outputs[0]) + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, (int64_t)node->n_inputs * SAM_ELEMENTWISE_BLOCK, add_n_block, node);
  return SAM_OK;
}

static sam_status prepare_add_n(sam_ctx *ctx, sam_node *node) {
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  for (int32_t i = 1; i < node->n_inputs; i++) {
    SAM_TRY(sam_check_same_type(ctx, node->inputs[i], node->inputs[0]));
    if (!sam_same_shape(node->inputs[i], node->inputs[0]))
      return sam_fail(ctx, SAM_INVALID_MODEL, "input %d has another shape than input 0", (int)i);
  }
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}

const sam_op sam_op_add_n = {.name = "ADD_N",
                             .max_version = 1,
                             .min_inputs = 1,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .inplace = 1,
                             .flags = SAM_OP_VARIADIC,
                             .prepare = prepare_add_n,
                             .eval = {[SAM_FLOAT32] = eval_add_n, [SAM_INT32] = eval_add_n}};
