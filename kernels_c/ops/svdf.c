/* SVDF: a dense layer over the last `memory` inputs whose weights are a sum of `rank` outer products: what an input is
 * worth (feature weights) times when it came (time weights).
 *
 *      input ──feature weights──> one number for each filter ──> │ │ │ │ │ its last `memory` numbers (state)
 *                                                                 times the time weights, summed; `rank` filters
 *                                                                 make one output, plus bias
 *
 * float32; float32 with int8 or uint8 weights (hybrid: each input is quantized, the state stays float); int8 with int16
 * state and time weights, by the D-away rule. */
#include <math.h>
#include <string.h>

#include "common/activation.h"
#include "common/fixed_point.h"
#include "common/matmul.h"
#include "ops.h"
#include "samara/options.h"

enum { INPUT, FEATURE, TIME, BIAS, STATE };

typedef struct svdf_plan {
  int64_t batch, inputs, units, rank, memory;
  float lo, hi;
  bool tanh;
  float feature_scale, time_scale; /* hybrid */
  int32_t feature_zero;
  sam_multiplier feature_factor, time_factor; /* int8 */
  int32_t in_zero, out_zero;
} svdf_plan;

typedef struct svdf_work {
  const svdf_plan *plan;
  sam_tensor *const *in;
  void *out;
  const int8_t *quantized; /* hybrid: the inputs */
  const float *scale;      /* of each batch */
  const int32_t *zero;
} svdf_work;

static float finish(const svdf_plan *p, float x) {
  if (p->tanh) return tanhf(x);
  return x < p->lo ? p->lo : x > p->hi ? p->hi : x;
}

static float feature_of(const svdf_work *w, int64_t b, int64_t filter) {
  const svdf_plan *p = w->plan;
  const sam_tensor *weights = w->in[FEATURE];
  if (weights->type == SAM_FLOAT32) {
    const float *x = (const float *)w->in[INPUT]->data + b * p->inputs;
    const float *f = (const float *)weights->data + filter * p->inputs;
    float sum = 0;
    for (int64_t i = 0; i < p->inputs; i++) sum += x[i] * f[i];
    return sum;
  }
  const int8_t *x = w->quantized + b * p->inputs;
  const uint8_t *f = (const uint8_t *)weights->data + filter * p->inputs;
  const int32_t flip = weights->type == SAM_INT8 ? 128 : 0; /* int8 as uint8 with another zero point */
  uint32_t sum = 0;
  for (int64_t i = 0; i < p->inputs; i++)
    sum += (uint32_t)((x[i] - w->zero[b]) * ((f[i] ^ flip) - flip - p->feature_zero));
  return (float)(int32_t)sum * w->scale[b] * p->feature_scale;
}

static float time_weight(const svdf_plan *p, const sam_tensor *weights, int64_t i) {
  if (weights->type == SAM_FLOAT32) return ((const float *)weights->data)[i];
  return (float)((const int8_t *)weights->data)[i] * p->time_scale;
}

static void f32_units(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const svdf_work *w = arg;
  const svdf_plan *p = w->plan;
  const int64_t filters = p->units * p->rank;
  for (int64_t item = begin; item < end; item++) {
    const int64_t b = item / p->units, unit = item % p->units;
    float sum = w->in[BIAS] ? ((const float *)w->in[BIAS]->data)[unit] : 0;
    for (int64_t filter = unit * p->rank; filter < (unit + 1) * p->rank; filter++) {
      float *state = (float *)w->in[STATE]->data + (b * filters + filter) * p->memory;
      memmove(state, state + 1, (size_t)(p->memory - 1) * sizeof *state);
      state[p->memory - 1] = feature_of(w, b, filter);
      for (int64_t m = 0; m < p->memory; m++) sum += state[m] * time_weight(p, w->in[TIME], filter * p->memory + m);
    }
    ((float *)w->out)[item] = finish(p, sum);
  }
}

static void s8_units(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const svdf_work *w = arg;
  const svdf_plan *p = w->plan;
  const int64_t filters = p->units * p->rank;
  const int16_t *times = w->in[TIME]->data;
  for (int64_t item = begin; item < end; item++) {
    const int64_t b = item / p->units, unit = item % p->units;
    const int8_t *x = (const int8_t *)w->in[INPUT]->data + b * p->inputs;
    uint32_t sum = w->in[BIAS] ? (uint32_t)((const int32_t *)w->in[BIAS]->data)[unit] : 0;
    for (int64_t filter = unit * p->rank; filter < (unit + 1) * p->rank; filter++) {
      const int8_t *f = (const int8_t *)w->in[FEATURE]->data + filter * p->inputs;
      int16_t *state = (int16_t *)w->in[STATE]->data + (b * filters + filter) * p->memory;
      uint32_t feature = 0;
      for (int64_t i = 0; i < p->inputs; i++) feature += (uint32_t)((x[i] - p->in_zero) * f[i]);
      memmove(state, state + 1, (size_t)(p->memory - 1) * sizeof *state);
      state[p->memory - 1] = (int16_t)sam_clamp32(sam_scale32((int32_t)feature, p->feature_factor), -32768, 32767);
      for (int64_t m = 0; m < p->memory; m++) sum += (uint32_t)(state[m] * times[filter * p->memory + m]);
    }
    const int64_t y = (int64_t)sam_scale32((int32_t)sum, p->time_factor) + p->out_zero;
    ((int8_t *)w->out)[item] = (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
  }
}

static sam_status eval(sam_ctx *ctx, sam_node *node) {
  const svdf_plan *p = node->state;
  const sam_tensor *in = node->inputs[INPUT], *feature = node->inputs[FEATURE];
  if (p->batch == 0 || p->units == 0) return SAM_OK;
  svdf_work w = {.plan = p, .in = node->inputs, .out = node->outputs[0]->data};
  if (in->type == SAM_FLOAT32 && feature->type != SAM_FLOAT32) {
    const sam_svdf_options *options = node->options;
    float *scale = node->scratch;
    int32_t *zero = (int32_t *)(scale + p->batch);
    int8_t *quantized = (int8_t *)(zero + p->batch);
    for (int64_t b = 0; b < p->batch; b++)
      sam_quantize_row((const float *)in->data + b * p->inputs, p->inputs, options->asymmetric_quantize_inputs,
                       quantized + b * p->inputs, &scale[b], &zero[b]);
    w.quantized = quantized, w.scale = scale, w.zero = zero;
  }
  sam_parallel(ctx, p->batch * p->units, p->rank * (p->inputs + 2 * p->memory),
               in->type == SAM_INT8 ? s8_units : f32_units, &w);
  return SAM_OK;
}

/* The types and, for integers, the factors. */
static sam_status prepare_types(sam_ctx *ctx, sam_node *node, svdf_plan *p) {
  const sam_tensor *in = node->inputs[INPUT], *feature = node->inputs[FEATURE], *time = node->inputs[TIME];
  const sam_tensor *bias = node->inputs[BIAS], *state = node->inputs[STATE], *out = node->outputs[0];
  SAM_TRY(sam_check_same_type(ctx, out, in));
  if (in->type == SAM_INT8) {
    SAM_TRY(sam_check_type(ctx, feature, SAM_INT8));
    SAM_TRY(sam_check_type(ctx, time, SAM_INT16));
    SAM_TRY(sam_check_type(ctx, state, SAM_INT16));
    if (bias) SAM_TRY(sam_check_type(ctx, bias, SAM_INT32));
    const sam_tensor *all[] = {in, feature, time, state, out};
    for (int i = 0; i < 5; i++) SAM_TRY(sam_check_quant(ctx, all[i]));
    if (feature->quant->zero_point[0] != 0)
      return sam_fail(ctx, SAM_UNSUPPORTED, "the feature weights have zero point %d, must be 0",
                      (int)feature->quant->zero_point[0]);
    const double state_scale = (double)state->quant->scale[0];
    p->feature_factor = sam_multiplier_of((double)in->quant->scale[0] * (double)feature->quant->scale[0] / state_scale);
    p->time_factor = sam_multiplier_of(state_scale * (double)time->quant->scale[0] / (double)out->quant->scale[0]);
    p->in_zero = in->quant->zero_point[0];
    p->out_zero = out->quant->zero_point[0];
    return SAM_OK;
  }
  SAM_TRY(sam_check_type(ctx, state, SAM_FLOAT32));
  if (bias) SAM_TRY(sam_check_type(ctx, bias, SAM_FLOAT32));
  if (feature->type == SAM_FLOAT32) return sam_check_type(ctx, time, SAM_FLOAT32);
  if (feature->type != SAM_UINT8) SAM_TRY(sam_check_type(ctx, feature, SAM_INT8));
  SAM_TRY(sam_check_quant(ctx, feature));
  p->feature_scale = feature->quant->scale[0];
  p->feature_zero = feature->quant->zero_point[0];
  if (time->type == SAM_FLOAT32) return SAM_OK;
  SAM_TRY(sam_check_type(ctx, time, SAM_INT8));
  SAM_TRY(sam_check_quant(ctx, time));
  p->time_scale = time->quant->scale[0];
  return SAM_OK;
}

static sam_status prepare(sam_ctx *ctx, sam_node *node) {
  const sam_svdf_options *options = node->options;
  const sam_tensor *in = node->inputs[INPUT], *feature = node->inputs[FEATURE], *time = node->inputs[TIME];
  const sam_tensor *bias = node->inputs[BIAS], *state = node->inputs[STATE];
  SAM_TRY(sam_check_rank(ctx, in, 2, 2));
  SAM_TRY(sam_check_rank(ctx, feature, 2, 2));
  SAM_TRY(sam_check_rank(ctx, time, 2, 2));
  const int32_t filters = feature->dims[0];
  if (options->rank <= 0 || filters % options->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%d filters do not divide by rank %d", (int)filters, (int)options->rank);
  if (feature->dims[1] != in->dims[1] || time->dims[0] != filters || time->dims[1] == 0)
    return sam_fail(ctx, SAM_INVALID_MODEL,
                    "feature weights %d x %d and time weights %d x %d do not fit an input of %d", (int)filters,
                    (int)feature->dims[1], (int)time->dims[0], (int)time->dims[1], (int)in->dims[1]);
  svdf_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->batch = in->dims[0], p->inputs = in->dims[1], p->rank = options->rank, p->units = filters / options->rank;
  p->memory = time->dims[1];
  if (bias && sam_elements(bias) != p->units)
    return sam_fail(ctx, SAM_INVALID_MODEL, "bias has %lld values, must have %lld", (long long)sam_elements(bias),
                    (long long)p->units);
  if (!(state->flags & SAM_TENSOR_VARIABLE))
    return sam_fail(ctx, SAM_INVALID_MODEL, "the state \"%s\" is not a variable", state->name);
  if (state->rank != 2 || state->dims[0] != in->dims[0] || (int64_t)state->dims[1] != p->memory * filters)
    return sam_fail(ctx, SAM_INVALID_MODEL, "the state has %lld values, must have %d x %lld",
                    (long long)sam_elements(state), (int)in->dims[0], (long long)(p->memory * filters));
  SAM_TRY(prepare_types(ctx, node, p));
  p->tanh = options->fused_activation_function == SAM_ACTIVATION_TANH;
  if (!p->tanh) SAM_TRY(sam_activation_bounds_f32(ctx, options->fused_activation_function, &p->lo, &p->hi));
  int32_t dims[2] = {in->dims[0], (int32_t)p->units};
  SAM_TRY(sam_set_shape(ctx, node->outputs[0], 2, dims));
  return sam_scratch(ctx, (size_t)p->batch * 8 + (size_t)sam_elements(in));
}

const sam_op sam_op_svdf = {
    .name = "SVDF",
    .options = SAM_OPTIONS_SVDF,
    .max_version = 4,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 1 << BIAS,
    .flags = SAM_OP_STATEFUL,
    .prepare = prepare,
    .eval = {[SAM_FLOAT32] = eval, [SAM_INT8] = eval},
};
