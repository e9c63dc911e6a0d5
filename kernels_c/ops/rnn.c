/* RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN: h = act(x * W^T + h * R^T + b), float or hybrid. */
#include <string.h>

#include "common/recurrent.h"
#include "ops.h"
#include "samara/options.h"

typedef struct {
  const sam_tensor *x, *w, *r, *bias;
  sam_tensor *h, *y;
} tensors;

typedef struct {
  sam_sequence seq;
  int32_t inputs, units, activation, chunk;
  int64_t y_at, y_stride;
  sam_product in, rec;
  size_t rows, part_in, part_rec, product, scratch;
} direction;

/* seq and activation must be set. */
static sam_status plan(sam_ctx *ctx, direction *d, const tensors *t, bool asymmetric) {
  const sam_tensor *constant[] = {t->w, t->r, t->bias};
  for (size_t i = 0; i < 3; i++) {
    if (!constant[i] || !t->h) return sam_fail(ctx, SAM_INVALID_MODEL, "weights, bias or state are absent");
    if (!sam_is_known(constant[i])) return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" must be constant", constant[i]->name);
  }
  SAM_TRY(sam_check_rank(ctx, t->w, 2, 2));
  SAM_TRY(sam_check_type(ctx, t->y, SAM_FLOAT32));
  SAM_TRY(sam_check_type(ctx, t->r, t->w->type));
  d->inputs = t->x->dims[t->x->rank - 1];
  d->units = t->w->dims[0];
  d->y_stride = d->units;
  d->chunk = sam_sequence_chunk(&d->seq);
  SAM_TRY(sam_check_state(ctx, t->h, SAM_FLOAT32, d->seq.batch, d->units));
  SAM_TRY(sam_product_plan(ctx, &d->in, 1, &t->w, &t->bias, d->units, d->inputs, asymmetric));
  SAM_TRY(sam_product_plan(ctx, &d->rec, 1, &t->r, NULL, d->units, d->units, asymmetric));
  size_t batch = (size_t)d->seq.batch, rows = (size_t)d->chunk * batch, units = (size_t)d->units, used = 0;
  d->rows = sam_carve(&used, rows * sizeof(void *));
  d->part_in = sam_carve(&used, rows * units * sizeof(float));
  d->part_rec = sam_carve(&used, batch * units * sizeof(float));
  size_t a = sam_product_scratch(&d->in, (int64_t)rows), b = sam_product_scratch(&d->rec, (int64_t)batch);
  d->product = sam_carve(&used, a > b ? a : b);
  d->scratch = used;
  return SAM_OK;
}

static void run(const direction *d, const tensors *t, void *scratch) {
  char *base = scratch;
  const float **rows = (const float **)(void *)(base + d->rows), *x = t->x->data;
  float *part_in = (float *)(void *)(base + d->part_in), *part_rec = (float *)(void *)(base + d->part_rec);
  float *h = t->h->data, *y = t->y->data;
  int32_t batch = d->seq.batch;
  int64_t units = d->units, values = batch * units;
  for (int32_t t0 = 0; t0 < d->seq.steps; t0 += d->chunk) {
    int32_t steps = d->seq.steps - t0 < d->chunk ? d->seq.steps - t0 : d->chunk;
    for (int32_t s = 0; s < steps; s++)
      for (int32_t b = 0; b < batch; b++)
        rows[(int64_t)s * batch + b] = x + sam_sequence_row(&d->seq, t0 + s, b) * d->inputs;
    sam_product_run(&d->in, (int64_t)steps * batch, rows, part_in, units, base + d->product);
    for (int32_t s = 0; s < steps; s++) {
      for (int32_t b = 0; b < batch; b++) rows[b] = h + b * units;
      sam_product_run(&d->rec, batch, rows, part_rec, units, base + d->product);
      const float *in = part_in + s * values;
      for (int64_t i = 0; i < values; i++) h[i] = in[i] + part_rec[i];
      sam_activate(h, values, d->activation);
      for (int32_t b = 0; b < batch; b++)
        memcpy(y + d->y_at + sam_sequence_row(&d->seq, t0 + s, b) * d->y_stride, h + b * units,
               (size_t)units * sizeof(float));
    }
  }
}

static sam_status output_shape(sam_ctx *ctx, sam_tensor *y, const sam_tensor *x, int64_t n) {
  int32_t dims[3];
  if (n > INT32_MAX) return sam_fail(ctx, SAM_UNSUPPORTED, "output of %lld elements", (long long)n);
  memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
  dims[x->rank - 1] = (int32_t)n;
  return sam_set_shape(ctx, y, x->rank, dims);
}

/* ---- RNN, UNIDIRECTIONAL_SEQUENCE_RNN --------------------------------------------------------------------------- */

static tensors bind(const sam_node *node) {
  sam_tensor *const *in = node->inputs;
  return (tensors){.x = in[0], .w = in[1], .r = in[2], .bias = in[3], .h = in[4], .y = node->outputs[0]};
}

static sam_status prepare_one(sam_ctx *ctx, sam_node *node, bool time_major, bool one_step, int32_t activation,
                              bool asymmetric) {
  tensors t = bind(node);
  direction *d = node->state = sam_alloc(ctx, sizeof *d);
  if (!d) return SAM_OUT_OF_MEMORY;
  SAM_TRY(sam_sequence_of(ctx, t.x, time_major, one_step, &d->seq));
  d->activation = activation;
  SAM_TRY(plan(ctx, d, &t, asymmetric));
  SAM_TRY(sam_scratch(ctx, d->scratch));
  return output_shape(ctx, t.y, t.x, d->units);
}

static sam_status rnn_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_rnn_options *o = node->options;
  return prepare_one(ctx, node, true, true, o->fused_activation_function, o->asymmetric_quantize_inputs);
}

static sam_status sequence_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_sequence_rnn_options *o = node->options;
  return prepare_one(ctx, node, o->time_major, false, o->fused_activation_function, o->asymmetric_quantize_inputs);
}

static sam_status eval_one(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  tensors t = bind(node);
  run(node->state, &t, node->scratch);
  return SAM_OK;
}

const sam_op sam_op_rnn = {
    .name = "RNN",
    .options = SAM_OPTIONS_RNN,
    .max_version = 3,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = rnn_prepare,
    .eval = {[SAM_FLOAT32] = eval_one},
};

const sam_op sam_op_unidirectional_sequence_rnn = {
    .name = "UNIDIRECTIONAL_SEQUENCE_RNN",
    .options = SAM_OPTIONS_SEQUENCE_RNN,
    .max_version = 3,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = sequence_prepare,
    .eval = {[SAM_FLOAT32] = eval_one},
};

/* ---- BIDIRECTIONAL_SEQUENCE_RNN --------------------------------------------------------------------------------- */

static tensors bind_direction(const sam_node *node, int32_t k) {
  sam_tensor *const *in = node->inputs + 4 * k;
  sam_tensor *y = node->outputs[k < node->n_outputs ? k : 0];
  return (tensors){.x = node->inputs[0], .w = in[1], .r = in[2], .bias = in[3], .h = in[4], .y = y};
}

static sam_status bidirectional_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_bidirectional_sequence_rnn_options *o = node->options;
  direction *both = node->state = sam_alloc(ctx, 2 * sizeof *both);
  if (!both) return SAM_OUT_OF_MEMORY;
  if (node->n_outputs != (o->merge_outputs ? 1 : 2))
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d outputs, must be %d", node->n_outputs,
                    o->merge_outputs ? 1 : 2);
  for (int32_t i = 9; i < node->n_inputs; i++)
    if (node->inputs[i]) return sam_fail(ctx, SAM_UNSUPPORTED, "auxiliary input %d is not supported", i);
  for (int32_t k = 0; k < 2; k++) {
    tensors t = bind_direction(node, k);
    SAM_TRY(sam_sequence_of(ctx, t.x, o->time_major, false, &both[k].seq));
    both[k].seq.backward = k == 1;
    both[k].activation = o->fused_activation_function;
    SAM_TRY(plan(ctx, &both[k], &t, o->asymmetric_quantize_inputs));
    if (!o->merge_outputs) SAM_TRY(output_shape(ctx, t.y, t.x, both[k].units));
  }
  if (o->merge_outputs) {
    both[0].y_stride = both[1].y_stride = (int64_t)both[0].units + both[1].units;
    both[1].y_at = both[0].units;
    SAM_TRY(output_shape(ctx, node->outputs[0], node->inputs[0], both[0].y_stride));
  }
  return sam_scratch(ctx, both[0].scratch > both[1].scratch ? both[0].scratch : both[1].scratch);
}

static sam_status bidirectional_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  for (int32_t k = 0; k < 2; k++) {
    tensors t = bind_direction(node, k);
    run((const direction *)node->state + k, &t, node->scratch);
  }
  return SAM_OK;
}

const sam_op sam_op_bidirectional_sequence_rnn = {
    .name = "BIDIRECTIONAL_SEQUENCE_RNN",
    .options = SAM_OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN,
    .max_version = 3,
    .min_inputs = 9,
    .max_inputs = 12,
    .min_outputs = 1,
    .max_outputs = 2,
    .optional = 7u << 9,
    .prepare = bidirectional_prepare,
    .eval = {[SAM_FLOAT32] = bidirectional_eval},
};
