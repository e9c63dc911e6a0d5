/* Activation functions: RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH HARD_SWISH GELU ELU LEAKY_RELU PRELU.
 *
 * float32 runs a kernel; int8 and uint8 are one table of 256 bytes, filled in prepare by the format's rule for the
 * operator (real function, or fixed point), so eval is the same lookup for all of them; int16 computes each value. */
#include "activation.h"

#include <string.h>

#include "elementwise.h"
#include "ops.h"
#include "ukernels/ukernels.h"
#include "unary.h"

static double real_logistic(double x, const void *arg) { return (void)arg, 1 / (1 + exp(-x)); }
static double real_tanh(double x, const void *arg) { return (void)arg, tanh(x); }
static double real_elu(double x, const void *arg) { return (void)arg, x < 0 ? expm1(x) : x; }
static double real_gelu(double x, const void *arg) {
  const bool *approximate = arg;
  if (*approximate) return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  return 0.5 * x * (1 + erf(x * 0.7071067811865476));
}

/* ---- Quantized rules of one value ------------------------------------------------------------------------------ */

typedef int32_t (*value_fn)(int32_t q, const sam_unary_params *p);

static int32_t relu_value(int32_t q, const sam_unary_params *p) {
  return sam_clamp32(p->zy + sam_scale32(q - p->zx, p->m), p->lo, p->hi);
}
static int32_t leaky_relu_value(int32_t q, const sam_unary_params *p) {
  int32_t x = q - p->zx;
  return sam_clamp32(p->zy + sam_scale32(x, x >= 0 ? p->m : p->n), p->lo, p->hi);
}

static int32_t saturate16(int32_t x) { return sam_clamp32(x, -32768, 32767); }
/* a * b / 2^15 with and without rounding; (-2^15)^2 saturates. */
static int32_t high_mul16(int32_t a, int32_t b) {
  int32_t product = a * b;
  return saturate16((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}
static int32_t high_mul16_truncating(int32_t a, int32_t b) { return saturate16(a * b / (1 << 15)); }

/* x * relu6(x + 3) / 6 in 16 bits: x with 7 extra bits, times the output's scale (m), times the gate (n), which is x on
 * the scale 3 / 2^15 moved from [-1, 1] to [0, 1]. m.q and n.q hold 16-bit factors here. */
static int32_t hard_swish_value(int32_t q, const sam_unary_params *p) {
  int32_t x = (q - p->zx) * 128;
  int32_t scaled = high_mul16(x, p->m.q), gate = x, exponent = p->n.shift;
  if (exponent > 0) gate = saturate16(gate * (1 << (exponent - 1)));
  gate = high_mul16(gate, p->n.q);
  if (exponent > 0) gate = saturate16(gate * 2);
  if (exponent < 0) gate = sam_round_shift32(gate, -exponent);
  gate = (gate + 32768) >> 1;
  int32_t y = sam_round_shift32(high_mul16_truncating(gate, scaled), -p->m.shift);
  return sam_clamp32(y + p->zy, p->lo, p->hi);
}

SAM_UNARY_KERNEL(relu_s16, int16_t, (int16_t)relu_value(u, p))
SAM_UNARY_KERNEL(leaky_relu_s16, int16_t, (int16_t)leaky_relu_value(u, p))

/* A logistic curve as 256 samples 1/24 apart, 65536 = 1, each raised by half of what linear interpolation lacks in the
 * middle of the step that follows. tanh(x) = 2 logistic(2x) - 1 has the same. */
static void fill_logistic_samples(uint16_t *samples) {
  double here = 32768;
  for (int i = 0; i < 256; i++) {
    double next = 65536.0 / (1 + exp(-(i + 1) / 24.0)), middle = 65536.0 / (1 + exp(-(i + 0.5) / 24.0));
    double y = floor(here + (middle - (here + next) / 2) / 2 + 0.5);
    samples[i] = (uint16_t)(y > 65535 ? 65535 : y);
    here = next;
  }
  samples[255] = 65535;
}
/* Inputs with 3 integer bits (scale 2^-12; tanh also 2^-11, then doubled) go through the fixed-point curves that the
 * integer LSTM has: pieces, because a kernel takes at most 2^31 values. */
static void logistic_s16_powers(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  (void)p;
  if (px != py) memcpy(py, px, (size_t)n * 2);
  for (int64_t i = 0; i < n; i += SAM_ELEMENTWISE_BLOCK)
    sam_uk.s16_lstm->logistic((int16_t *)py + i,
                              (int32_t)(n - i < SAM_ELEMENTWISE_BLOCK ? n - i : SAM_ELEMENTWISE_BLOCK));
}
static void tanh_s16_powers(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const int16_t *x = px;
  int16_t *y = py;
  for (int64_t i = 0; i < n; i++) y[i] = (int16_t)saturate16(x[i] * (1 << p->left));
  for (int64_t i = 0; i < n; i += SAM_ELEMENTWISE_BLOCK)
    sam_uk.s16_lstm->tanh(y + i, y + i, (int32_t)(n - i < SAM_ELEMENTWISE_BLOCK ? n - i : SAM_ELEMENTWISE_BLOCK), 3);
}

/* ---- Prepare --------------------------------------------------------------------------------------------------- */

static void fill_values(sam_unary_plan *plan, value_fn f) {
  for (int32_t q = plan->params.lo == 0 ? 0 : -128, end = q + 256; q < end; q++)
    plan->table.bytes[q & 255] = (uint8_t)f(q, &plan->params);
}

static sam_status prepare_relu_range(sam_ctx *ctx, sam_node *node, float lo, float hi) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  sam_unary_params *p = &plan->params;
  p->a = lo;
  p->b = hi;
  plan->kernel = sam_uk.f32_clamp;
  plan->cost = 2;
  if (sam_working_type(x->type) == SAM_FLOAT32) return SAM_OK;
  float scale = y->quant->scale[0];
  int32_t type_lo = p->lo, type_hi = p->hi;
  p->m = sam_multiplier_of((double)(x->quant->scale[0] / scale)); /* the quotient is a float in the format */
  p->lo = sam_quantize_bound(lo, scale, p->zy, type_lo, type_hi);
  if (hi != INFINITY) p->hi = sam_quantize_bound(hi, scale, p->zy, type_lo, type_hi);
  p->n = p->m;
  plan->kernel = p->m.shift <= SAM_RESCALE_MOST ? sam_uk.s16_rescale : relu_s16;
  plan->cost = 4;
  if (x->type == SAM_INT16) return SAM_OK;
  for (int32_t q = type_lo; q <= type_hi; q++) plan->table.bytes[q & 255] = (uint8_t)relu_value(q, p);
  if (lo == 0 && hi == INFINITY)
    sam_unary_use_lines(plan, x->type == SAM_INT8, (double)(x->quant->scale[0] / scale), 0);
  else
    sam_unary_use_bytes(plan);
  return SAM_OK;
}
static sam_status prepare_relu(sam_ctx *ctx, sam_node *node) { return prepare_relu_range(ctx, node, 0, INFINITY); }
static sam_status prepare_relu6(sam_ctx *ctx, sam_node *node) { return prepare_relu_range(ctx, node, 0, 6); }
static sam_status prepare_relu_n1_to_1(sam_ctx *ctx, sam_node *node) { return prepare_relu_range(ctx, node, -1, 1); }
static sam_status prepare_relu_0_to_1(sam_ctx *ctx, sam_node *node) { return prepare_relu_range(ctx, node, 0, 1); }

/* LOGISTIC and TANH of int16: output scale 2^-15; input scale 2^-12 (or 2^-11 for tanh), or any by a 15-bit factor. */
static sam_status plan_curve16(sam_ctx *ctx, const sam_node *node, sam_unary_plan *plan, sam_unary_fn kernel,
                               sam_unary_fn powers) {
  sam_unary_params *p = &plan->params;
  double scale = node->inputs[0]->quant->scale[0];
  int log2_in, log2_out;
  if (!sam_exact_log2(node->outputs[0]->quant->scale[0], &log2_out) || log2_out != -15)
    return sam_fail(ctx, SAM_UNSUPPORTED, "int16 output has scale %g, the function needs 1/32768",
                    (double)node->outputs[0]->quant->scale[0]);
  plan->cost = 32;
  if (sam_exact_log2((float)scale, &log2_in) && (log2_in == -12 || (log2_in == -11 && powers == tanh_s16_powers))) {
    p->left = 12 + log2_in;
    plan->kernel = powers;
    return SAM_OK;
  }
  double factor = scale * 4096 * 3;
  for (p->left = 0; factor <= 32767.0 / 2 && p->left <= 30; p->left++) factor *= 2;
  p->m.q = sam_int32_of(factor > 65535 ? 65535 : floor(factor));
  plan->kernel = kernel;
  fill_logistic_samples((uint16_t *)plan->table.words);
  p->table = plan->table.words;
  return SAM_OK;
}

static sam_status prepare_curve(sam_ctx *ctx, sam_node *node, sam_unary_fn f32, sam_unary_fn s16, sam_unary_fn powers,
                                sam_real_fn real, const void *arg) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  plan->kernel = f32;
  plan->cost = node->piece_cost = 8;
  if (sam_working_type(node->inputs[0]->type) == SAM_FLOAT32) return SAM_OK;
  if (node->inputs[0]->type == SAM_INT16 && s16 != NULL) return plan_curve16(ctx, node, plan, s16, powers);
  sam_unary_use_table(plan, node, real, arg);
  return SAM_OK;
}
static sam_status prepare_logistic(sam_ctx *ctx, sam_node *node) {
  const sam_unary_fn s16 = sam_uk.loops->logistic16;
  return prepare_curve(ctx, node, sam_uk.f32_logistic, s16, logistic_s16_powers, real_logistic, NULL);
}
static sam_status prepare_tanh(sam_ctx *ctx, sam_node *node) {
  return prepare_curve(ctx, node, sam_uk.f32_tanh, sam_uk.loops->tanh16, tanh_s16_powers, real_tanh, NULL);
}
static sam_status prepare_elu(sam_ctx *ctx, sam_node *node) {
  return prepare_curve(ctx, node, sam_uk.f32_elu, NULL, NULL, real_elu, NULL);
}
static sam_status prepare_gelu(sam_ctx *ctx, sam_node *node) {
  const sam_gelu_options *options = node->options;
  return prepare_curve(ctx, node, options->approximate ? sam_uk.f32_gelu_tanh : sam_uk.f32_gelu, NULL, NULL, real_gelu,
                       &options->approximate);
}

static int32_t sixteen_bit_factor(int32_t q) { return q >= INT32_MAX - 32768 ? 32767 : (q + 32768) >> 16; }

static sam_status prepare_hard_swish(sam_ctx *ctx, sam_node *node) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  plan->kernel = sam_uk.f32_hard_swish;
  plan->cost = 4;
  if (sam_working_type(node->inputs[0]->type) == SAM_FLOAT32) return SAM_OK;
  float fine = node->inputs[0]->quant->scale[0] / 128.0f, scale = node->outputs[0]->quant->scale[0];
  sam_multiplier m = sam_multiplier_of((double)(fine / scale)),
                 n = sam_multiplier_of((double)(fine / (3.0f / 32768.0f)));
  if (m.shift > 0)
    return sam_fail(ctx, SAM_UNSUPPORTED, "input scale %g is more than 128 times the output scale %g",
                    (double)fine * 128, (double)scale);
  plan->params.m = (sam_multiplier){sixteen_bit_factor(m.q), m.shift};
  plan->params.n = (sam_multiplier){sixteen_bit_factor(n.q), n.shift > 16 ? 16 : n.shift};
  fill_values(plan, hard_swish_value);
  sam_unary_use_bytes(plan);
  return SAM_OK;
}

static sam_status prepare_leaky_relu(sam_ctx *ctx, sam_node *node) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin_same(ctx, node, &plan));
  const sam_leaky_relu_options *options = node->options;
  plan->params.a = options->alpha;
  plan->kernel = sam_uk.f32_leaky_relu;
  plan->cost = 2;
  if (sam_working_type(node->inputs[0]->type) == SAM_FLOAT32) return SAM_OK;
  const float sx = node->inputs[0]->quant->scale[0], sy = node->outputs[0]->quant->scale[0];
  if (!(options->alpha >= -1e6f && options->alpha <= 1e6f))
    return sam_fail(ctx, SAM_UNSUPPORTED, "alpha is %g", (double)options->alpha);
  plan->params.m = sam_multiplier_of((double)(sx / sy)); /* the factors are floats in the format */
  plan->params.n = sam_multiplier_of((double)(sx * fabsf(options->alpha) / sy));
  if (options->alpha < 0) plan->params.n.q = -plan->params.n.q;
  const bool fits = plan->params.m.shift <= SAM_RESCALE_MOST && plan->params.n.shift <= SAM_RESCALE_MOST;
  plan->kernel = fits ? sam_uk.s16_rescale : leaky_relu_s16;
  plan->cost = 4;
  if (node->inputs[0]->type == SAM_INT16) return SAM_OK;
  fill_values(plan, leaky_relu_value);
  sam_unary_use_lines(plan, node->inputs[0]->type == SAM_INT8, (double)(sx / sy), (double)(sx * options->alpha / sy));
  return SAM_OK;
}

/* ---- PRELU: a slope per element, broadcast over the input -------------------------------------------------------- */

static int32_t prelu_value(int32_t x, int32_t alpha, const sam_binary_params *p) {
  x -= p->za;
  int32_t y = x >= 0 ? sam_scale32(x, p->ma) : sam_scale32(x * (alpha - p->zb), p->mb);
  return sam_clamp32(sam_saturate32((int64_t)y + p->zy), (int32_t)p->ilo, (int32_t)p->ihi);
}
SAM_BINARY_KERNEL(prelu_s8, int8_t, int8_t, (int8_t)prelu_value(u, v, p))
SAM_BINARY_KERNEL(prelu_u8, uint8_t, uint8_t, (uint8_t)prelu_value(u, v, p))
SAM_BINARY_KERNEL(prelu_s16, int16_t, int16_t, (int16_t)prelu_value(u, v, p))

static sam_status eval_prelu(sam_ctx *ctx, sam_node *node) {
  sam_binary_run(ctx, node->state, node);
  return SAM_OK;
}

static sam_status plan_prelu(sam_ctx *ctx, const sam_node *node, sam_binary_plan *plan) {
  const sam_tensor *x = node->inputs[0], *alpha = node->inputs[1], *y = node->outputs[0];
  sam_binary_params *p = &plan->params;
  int32_t lo, hi;
  SAM_TRY(sam_check_quant(ctx, x));
  SAM_TRY(sam_check_quant(ctx, alpha));
  SAM_TRY(sam_check_quant(ctx, y));
  sam_type_range(x->type, &lo, &hi);
  p->ilo = lo;
  p->ihi = hi;
  p->za = x->quant->zero_point[0];
  p->zb = alpha->quant->zero_point[0];
  p->zy = y->quant->zero_point[0];
  const double sx = x->quant->scale[0], sy = y->quant->scale[0];
  p->ma = sam_multiplier_of(sx / sy);
  p->mb = sam_multiplier_of(sx * alpha->quant->scale[0] / sy);
  plan->cost = 16;
  if (x->type == SAM_INT16)
    plan->kernel = prelu_s16;
  else if (p->ma.shift <= 8 && p->mb.shift <= 8)
    plan->kernel = x->type == SAM_INT8 ? sam_uk.s8_prelu : sam_uk.u8_prelu;
  else
    plan->kernel = x->type == SAM_INT8 ? prelu_s8 : prelu_u8;
  return SAM_OK;
}

static sam_status prepare_prelu(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  SAM_TRY(sam_check_same_type(ctx, y, x));
  sam_binary_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = plan;
  SAM_TRY(sam_binary_begin(ctx, node, plan));
  if (!sam_same_shape(x, y)) return sam_fail(ctx, SAM_INVALID_MODEL, "alpha does not broadcast to the input's shape");
  plan->kernel = sam_uk.loops->binary[SAM_PRELU][x->type];
  return x->type == SAM_FLOAT32 ? SAM_OK : plan_prelu(ctx, node, plan);
}

/* ---- The operators --------------------------------------------------------------------------------------------- */

#define ACTIVATION(NAME, stem, options_kind, version, ...) \
  const sam_op sam_op_##stem = {.name = #NAME,             \
                                .options = options_kind,   \
                                .max_version = version,    \
                                .min_inputs = 1,           \
                                .max_inputs = 1,           \
                                .min_outputs = 1,          \
                                .max_outputs = 1,          \
                                .inplace = 1,              \
                                .prepare = prepare_##stem, \
                                .eval = {__VA_ARGS__}};
#define F32 [SAM_FLOAT32] = sam_unary_eval, [SAM_FLOAT16] = sam_unary_eval, [SAM_BFLOAT16] = sam_unary_eval
#define I16 [SAM_INT16] = sam_unary_eval
#define I8 [SAM_INT8] = sam_unary_eval
#define U8 [SAM_UINT8] = sam_unary_eval

ACTIVATION(RELU, relu, 0, 3, F32, I8, U8, I16)
ACTIVATION(RELU6, relu6, 0, 3, F32, I8, U8, I16)
ACTIVATION(RELU_N1_TO_1, relu_n1_to_1, 0, 1, F32, I8, U8)
ACTIVATION(RELU_0_TO_1, relu_0_to_1, 0, 1, F32, I8, U8)
ACTIVATION(LOGISTIC, logistic, 0, 3, F32, I8, U8, I16)
ACTIVATION(TANH, tanh, 0, 3, F32, I8, U8, I16)
ACTIVATION(HARD_SWISH, hard_swish, 0, 1, F32, I8, U8)
ACTIVATION(GELU, gelu, SAM_OPTIONS_GELU, 3, F32, I8, U8, I16)
ACTIVATION(ELU, elu, 0, 1, F32, I8)
ACTIVATION(LEAKY_RELU, leaky_relu, SAM_OPTIONS_LEAKY_RELU, 2, F32, I8, U8, I16)

const sam_op sam_op_prelu = {
    .name = "PRELU",
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .prepare = prepare_prelu,
    .eval = {[SAM_FLOAT32] = eval_prelu, [SAM_INT8] = eval_prelu, [SAM_UINT8] = eval_prelu, [SAM_INT16] = eval_prelu}};
