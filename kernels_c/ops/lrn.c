/* LOCAL_RESPONSE_NORMALIZATION: every value is divided by a power of the energy of its neighbours among the channels:
 * out[c] = in[c] / (bias + alpha * sum of in[c - radius .. c + radius]^2) ^ beta. */
#include <math.h>

#include "ops.h"
#include "samara/options.h"

typedef struct lrn_work {
  const float *in;
  float *out;
  int64_t channels;
  const sam_local_response_normalization_options *options;
} lrn_work;

static void lrn_pixels(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const lrn_work *w = arg;
  const int64_t n = w->channels, radius = w->options->radius;
  for (int64_t pixel = begin; pixel < end; pixel++) {
    const float *in = w->in + pixel * n;
    float *out = w->out + pixel * n;
    for (int64_t c = 0; c < n; c++) {
      int64_t from = c > radius ? c - radius : 0, to = c < n - 1 - radius ? c + radius : n - 1;
      float sum = 0;
      for (int64_t i = from; i <= to; i++) sum += in[i] * in[i];
      out[c] = in[c] * powf(w->options->bias + w->options->alpha * sum, -w->options->beta);
    }
  }
}

static sam_status eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  if (sam_elements(in) == 0) return SAM_OK;
  const int64_t n = in->dims[in->rank - 1];
  lrn_work w = {in->data, node->outputs[0]->data, n, node->options};
  sam_parallel(ctx, sam_elements(in) / n, n * (60 + (int64_t)w.options->radius * 2), lrn_pixels, &w);
  return SAM_OK;
}

static sam_status prepare(sam_ctx *ctx, sam_node *node) {
  const sam_local_response_normalization_options *options = node->options;
  SAM_TRY(sam_check_rank(ctx, node->inputs[0], 1, SAM_MAX_RANK));
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_FLOAT32));
  if (options->radius < 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "radius is %d, must not be negative", options->radius);
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}

const sam_op sam_op_local_response_normalization = {
    .name = "LOCAL_RESPONSE_NORMALIZATION",
    .options = SAM_OPTIONS_LOCAL_RESPONSE_NORMALIZATION,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare,
    .eval = {[SAM_FLOAT32] = eval},
};
