/* Functions of one tensor, element by element: ABS NEG SQRT RSQRT SQUARE EXP LOG SIN COS FLOOR CEIL ROUND SIGN.
 * Quantized types go through tables (common/table.h); ABS and RSQRT keep the format's integer rules. */
#include "unary.h"

#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

/* ---- Kernels: the scalar meaning ------------------------------------------------------------------------------- */

SAM_UNARY_KERNEL(sign_f64, double, (double)((u > 0) - (u < 0)))
SAM_UNARY_KERNEL(sign_i32, int32_t, (u > 0) - (u < 0))
SAM_UNARY_KERNEL(abs_i32, int32_t, u < 0 ? (int32_t)(0 - (uint32_t)u) : u)
SAM_UNARY_KERNEL(neg_i32, int32_t, (int32_t)(0 - (uint32_t)u))
SAM_UNARY_KERNEL(neg_i64, int64_t, (int64_t)(0 - (uint64_t)u))
SAM_UNARY_KERNEL(neg_i16, int16_t, (int16_t)-u)
SAM_UNARY_KERNEL(neg_i8, int8_t, (int8_t)-u)

/* m.q == 0 stands for equal scales: no rescaling. */
static inline int32_t abs_quantized(int32_t q, const sam_unary_params *p) {
  int32_t distance = q < p->zx ? p->zx - q : q - p->zx;
  return sam_clamp32(p->zy + (p->m.q != 0 ? sam_scale32(distance, p->m) : distance), p->lo, p->hi);
}
SAM_UNARY_KERNEL(abs_s16, int16_t, (int16_t)abs_quantized(u, p))

/* 2^20 / sqrt(distance), rounded, then scaled by 1 / (sqrt(sx) * sy * 2^20). Below the zero point there is no root. */
static int32_t rsqrt_quantized(int32_t q, const sam_unary_params *p) {
  if (q <= p->zx) return p->hi;
  sam_multiplier root = sam_inverse_root(q - p->zx), m = {p->m.q, p->m.shift - 20 < -31 ? -31 : p->m.shift - 20};
  root.shift += 20;
  return sam_clamp32(sam_saturate32((int64_t)p->zy + sam_scale32(sam_scale32(1, root), m)), p->lo, p->hi);
}
/* Cut, not rounded, as the format does it. */
static int32_t sqrt_quantized(int32_t q, const sam_unary_params *p) {
  float x = p->a * (float)(q - p->zx), root = x > 0 ? sqrtf(x) / p->b : 0;
  return sam_clamp32(p->zy + (root < 65536.0f ? (int32_t)root : 65536), p->lo, p->hi);
}
SAM_UNARY_KERNEL(sqrt_s16, int16_t, (int16_t)sqrt_quantized(u, p))

static double real_exp(double x, const void *arg) { return (void)arg, exp(x); }
/* Where there is no value: the lowest or highest of the output, in *arg. */
static double real_log(double x, const void *arg) { return x > 0 ? log(x) : *(const double *)arg; }
static double real_rsqrt(double x, const void *arg) { return x > 0 ? 1 / sqrt(x) : *(const double *)arg; }

/* ---- Prepare --------------------------------------------------------------------------------------------------- */

static sam_status prepare_plain(sam_ctx *ctx, sam_node *node, sam_unary_fn kernel, int64_t cost) {
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin(ctx, node, &plan));
  plan->kernel = kernel;
  plan->cost = cost;
  return SAM_OK;
}

static sam_status prepare_real(sam_ctx *ctx, sam_node *node, sam_unary_fn kernel, int64_t cost, sam_real_fn f) {
  if (!sam_is_small_int(node->inputs[0]->type)) return prepare_plain(ctx, node, kernel, cost);
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  sam_unary_use_table(plan, node, f, NULL);
  return SAM_OK;
}

static void fill_bytes(sam_unary_plan *plan, int32_t (*f)(int32_t, const sam_unary_params *)) {
  for (int32_t q = plan->params.lo; q <= plan->params.hi; q++)
    plan->table.bytes[q & 255] = (uint8_t)f(q, &plan->params);
  sam_unary_use_bytes(plan);
}

static sam_status prepare_abs(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  if (!sam_is_small_int(x->type)) return prepare_plain(ctx, node, x->type == SAM_INT32 ? abs_i32 : sam_uk.f32_abs, 2);
  sam_unary_plan *plan;
  if (x->type == SAM_INT16 && x->quant->count == 0 && y->quant->count == 0) {
    SAM_TRY(sam_check_same_type(ctx, y, x));
    SAM_TRY(sam_unary_begin(ctx, node, &plan));
    sam_type_range(SAM_INT16, &plan->params.lo, &plan->params.hi);
  } else {
    SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
    float sx = x->quant->scale[0], sy = y->quant->scale[0];
    if (sx != sy) plan->params.m = sam_multiplier_of((double)(sx / sy));
  }
  if (x->type == SAM_INT16)
    plan->kernel = abs_s16;
  else
    fill_bytes(plan, abs_quantized);
  return SAM_OK;
}

static sam_status prepare_rsqrt(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  if (!sam_is_small_int(x->type)) return prepare_plain(ctx, node, sam_uk.f32_rsqrt, 8);
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  plan->params.m = sam_multiplier_of(1.0 / (sqrt((double)x->quant->scale[0]) * y->quant->scale[0]));
  double highest = (double)(y->quant->scale[0] * (float)(plan->params.hi - plan->params.zy));
  if (x->type == SAM_INT8)
    fill_bytes(plan, rsqrt_quantized);
  else
    sam_unary_use_table(plan, node, real_rsqrt, &highest);
  return SAM_OK;
}
static sam_status prepare_log(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  if (!sam_is_small_int(x->type)) return prepare_plain(ctx, node, sam_uk.f32_log, 8);
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  double lowest = (double)(y->quant->scale[0] * (float)(plan->params.lo - plan->params.zy));
  sam_unary_use_table(plan, node, real_log, &lowest);
  return SAM_OK;
}

static sam_status prepare_neg(sam_ctx *ctx, sam_node *node) {
  static const sam_unary_fn by_type[SAM_TYPE_COUNT] = {
      [SAM_INT32] = neg_i32, [SAM_INT64] = neg_i64, [SAM_INT16] = neg_i16, [SAM_INT8] = neg_i8};
  sam_type type = sam_working_type(node->inputs[0]->type);
  return prepare_plain(ctx, node, type == SAM_FLOAT32 ? sam_uk.f32_neg : by_type[type], 2);
}
static sam_status prepare_sign(sam_ctx *ctx, sam_node *node) {
  sam_type type = sam_working_type(node->inputs[0]->type);
  const sam_unary_fn f32 = sam_uk.loops->unary[SAM_SIGN];
  return prepare_plain(ctx, node, type == SAM_FLOAT32 ? f32 : type == SAM_FLOAT64 ? sign_f64 : sign_i32, 2);
}
static sam_status prepare_exp(sam_ctx *ctx, sam_node *node) {
  return prepare_real(ctx, node, sam_uk.f32_exp, 6, real_exp);
}
static sam_status prepare_sqrt(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  if (!sam_is_small_int(x->type)) return prepare_plain(ctx, node, sam_uk.f32_sqrt, 8);
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  plan->params.a = x->quant->scale[0];
  plan->params.b = y->quant->scale[0];
  plan->kernel = sqrt_s16;
  plan->cost = 60;
  if (x->type == SAM_INT8) fill_bytes(plan, sqrt_quantized);
  return SAM_OK;
}
static sam_status prepare_square(sam_ctx *ctx, sam_node *node) {
  return prepare_plain(ctx, node, sam_uk.f32_square, 2);
}
static sam_status prepare_sin(sam_ctx *ctx, sam_node *node) { return prepare_plain(ctx, node, sam_uk.f32_sin, 8); }
static sam_status prepare_cos(sam_ctx *ctx, sam_node *node) { return prepare_plain(ctx, node, sam_uk.f32_cos, 8); }
static sam_status prepare_floor(sam_ctx *ctx, sam_node *node) {
  return prepare_plain(ctx, node, sam_uk.loops->unary[SAM_FLOOR], 2);
}
static sam_status prepare_ceil(sam_ctx *ctx, sam_node *node) {
  return prepare_plain(ctx, node, sam_uk.loops->unary[SAM_CEIL], 2);
}
static sam_status prepare_round(sam_ctx *ctx, sam_node *node) {
  return prepare_plain(ctx, node, sam_uk.loops->unary[SAM_ROUND], 2);
}

/* ---- The operators --------------------------------------------------------------------------------------------- */

#define UNARY(NAME, stem, version, ...) \
  const sam_op sam_op_##stem = SAM_UNARY_OP(#NAME, version, prepare_##stem, __VA_ARGS__);
#define F32 [SAM_FLOAT32] = sam_unary_eval, [SAM_FLOAT16] = sam_unary_eval, [SAM_BFLOAT16] = sam_unary_eval
#define F64 [SAM_FLOAT64] = sam_unary_eval
#define I32 [SAM_INT32] = sam_unary_eval
#define I64 [SAM_INT64] = sam_unary_eval
#define I16 [SAM_INT16] = sam_unary_eval
#define I8 [SAM_INT8] = sam_unary_eval

UNARY(ABS, abs, 5, F32, I8, I16, I32)
UNARY(NEG, neg, 1, F32, I8, I16, I32, I64)
UNARY(SQRT, sqrt, 2, F32, I8, I16)
UNARY(RSQRT, rsqrt, 3, F32, I8, I16)
UNARY(SQUARE, square, 1, F32)
UNARY(EXP, exp, 2, F32, I8, I16)
UNARY(LOG, log, 2, F32, I8, I16)
UNARY(SIN, sin, 2, F32)
UNARY(COS, cos, 2, F32)
UNARY(FLOOR, floor, 1, F32)
UNARY(CEIL, ceil, 1, F32)
UNARY(ROUND, round, 1, F32)
UNARY(SIGN, sign, 2, F32, F64, I32)
