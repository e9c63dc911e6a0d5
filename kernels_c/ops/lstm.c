/* UNIDIRECTIONAL_SEQUENCE_LSTM, LSTM, BIDIRECTIONAL_SEQUENCE_LSTM: which tensor is what, and what it must be. The
 * arithmetic is in lstm_float.c and lstm_integer.c. */
#include "common/lstm.h"

#include <math.h>
#include <string.h>

#include "ops.h"
#include "samara/options.h"

static const sam_tensor *input_at(const sam_node *node, int32_t i) {
  return i < node->n_inputs ? node->inputs[i] : NULL;
}

/* Inputs `base`.. are 8 weights, 3 peepholes, 4 biases, projection and its bias, in the order of the format. */
static void bind_weights(const sam_node *node, int32_t base, sam_lstm_tensors *t) {
  for (int32_t g = 0; g < 4; g++) {
    t->w[g] = input_at(node, base + g);
    t->r[g] = input_at(node, base + 4 + g);
    t->bias[g] = input_at(node, base + 11 + g);
  }
  t->peephole[GATE_INPUT] = input_at(node, base + 8);
  t->peephole[GATE_FORGET] = input_at(node, base + 9);
  t->peephole[GATE_OUTPUT] = input_at(node, base + 10);
  t->projection = input_at(node, base + 15);
  t->projection_bias = input_at(node, base + 16);
}

static sam_lstm_tensors bind(const sam_node *node) {
  sam_lstm_tensors t = {.x = node->inputs[0], .y = node->outputs[0]};
  bind_weights(node, 1, &t);
  t.h = node->inputs[18];
  t.c = node->inputs[19];
  for (int32_t g = 0; g < 4; g++) t.norm[g] = input_at(node, 20 + g);
  return t;
}

static sam_lstm_tensors bind_direction(const sam_node *node, bool backward) {
  sam_lstm_tensors t = {.x = node->inputs[0], .y = node->outputs[backward && node->n_outputs > 1 ? 1 : 0]};
  bind_weights(node, backward ? 18 : 1, &t);
  t.h = node->inputs[backward ? 37 : 35];
  t.c = node->inputs[backward ? 38 : 36];
  return t;
}

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

sam_status sam_lstm_shape(sam_ctx *ctx, sam_lstm *l, const sam_lstm_tensors *t) {
  SAM_TRY(sam_check_rank(ctx, t->w[GATE_OUTPUT], 2, 2));
  SAM_TRY(sam_check_rank(ctx, t->r[GATE_OUTPUT], 2, 2));
  l->inputs = t->x->dims[t->x->rank - 1];
  l->cells = t->w[GATE_OUTPUT]->dims[0];
  l->outputs = t->r[GATE_OUTPUT]->dims[1];
  l->first = t->w[GATE_INPUT] ? 0 : 1;
  if (!t->w[GATE_INPUT] != !t->r[GATE_INPUT])
    return sam_fail(ctx, SAM_INVALID_MODEL, "the input gate must have both weights or none");
  if (l->first == 1 && (t->norm[GATE_INPUT] || t->peephole[GATE_INPUT]))
    return sam_fail(ctx, SAM_INVALID_MODEL, "the input gate has no weights but a peephole or a norm");
  if (!t->projection && (t->projection_bias || l->outputs != l->cells))
    return sam_fail(ctx, SAM_INVALID_MODEL, "without a projection the output has %d elements for %d cells", l->outputs,
                    l->cells);
  bool peephole = t->peephole[GATE_FORGET] || t->peephole[GATE_OUTPUT] || t->peephole[GATE_INPUT], norm = false;
  if (peephole && (!t->peephole[GATE_FORGET] || !t->peephole[GATE_OUTPUT] || !t->peephole[GATE_INPUT] != !!l->first))
    return sam_fail(ctx, SAM_INVALID_MODEL, "peepholes must be there for every gate or for none");
  for (int32_t g = 0; g < 4; g++) norm |= t->norm[g] != NULL;
  const sam_tensor *needed[16] = {t->projection, t->projection_bias};
  int32_t n = 2;
  for (int32_t g = l->first; g < 4; g++) {
    if (norm && !t->norm[g]) return sam_fail(ctx, SAM_INVALID_MODEL, "norms must be there for every gate or for none");
    if (!t->w[g] || !t->r[g] || !t->bias[g])
      return sam_fail(ctx, SAM_INVALID_MODEL, "gate %d lacks weights or bias", g);
    needed[n++] = t->w[g];
    needed[n++] = t->r[g];
    needed[n++] = t->bias[g];
  }
  for (int32_t i = 0; i < n; i++)
    if (needed[i] && !sam_is_known(needed[i]))
      return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" must be constant", needed[i]->name);
  l->plain = !peephole && !norm && l->first == 0;
  l->chunk = sam_sequence_chunk(&l->seq);
  if (!(l->cell_clip >= 0) || !(l->projection_clip >= 0))
    return sam_fail(ctx, SAM_INVALID_MODEL, "clips are %g and %g, must not be negative", (double)l->cell_clip,
                    (double)l->projection_clip);
  return SAM_OK;
}

/* Everything but the output's shape; `node` has the intermediates. */
static sam_status plan(sam_ctx *ctx, sam_node *node, sam_lstm *l, const sam_lstm_tensors *t, bool asymmetric) {
  SAM_TRY(sam_lstm_shape(ctx, l, t));
  SAM_TRY(sam_check_same_type(ctx, t->y, t->x));
  if (t->x->type == SAM_INT8) return sam_lstm_plan_integer(ctx, node, l, t);
  return sam_lstm_plan_float(ctx, l, t, asymmetric);
}

static sam_status output_shape(sam_ctx *ctx, sam_tensor *y, const sam_tensor *x, int32_t n) {
  int32_t dims[3];
  memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
  dims[x->rank - 1] = n;
  return sam_set_shape(ctx, y, x->rank, dims);
}

static sam_status run_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  const sam_lstm *l = node->state;
  sam_lstm_tensors t = bind(node);
  if (t.x->type == SAM_INT8)
    sam_lstm_run_integer(l, &t, node->scratch);
  else
    sam_lstm_run_float(l, &t, node->scratch);
  return SAM_OK;
}

/* ---- UNIDIRECTIONAL_SEQUENCE_LSTM ------------------------------------------------------------------------------- */

static sam_status sequence_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_unidirectional_sequence_lstm_options *o = node->options;
  sam_lstm_tensors t = bind(node);
  sam_lstm *l = node->state = sam_alloc(ctx, sizeof *l);
  if (!l) return SAM_OUT_OF_MEMORY;
  if (o->diagonal_recurrent_tensors)
    return sam_fail(ctx, SAM_UNSUPPORTED, "diagonal recurrent weights are not supported");
  SAM_TRY(sam_sequence_of(ctx, t.x, o->time_major, false, &l->seq));
  l->activation = o->fused_activation_function;
  l->cell_clip = o->cell_clip;
  l->projection_clip = o->proj_clip;
  SAM_TRY(plan(ctx, node, l, &t, o->asymmetric_quantize_inputs));
  l->y_stride = l->outputs;
  SAM_TRY(sam_scratch(ctx, l->scratch));
  return output_shape(ctx, t.y, t.x, l->outputs);
}

/* input gate weights, peepholes, input bias, projection and its bias, norms */
#define SAM_LSTM_OPTIONAL (1u << 1 | 1u << 5 | 7u << 9 | 1u << 12 | 3u << 16 | 15u << 20)

const sam_op sam_op_unidirectional_sequence_lstm = {
    .name = "UNIDIRECTIONAL_SEQUENCE_LSTM",
    .options = SAM_OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM,
    .max_version = 4,
    .min_inputs = 20,
    .max_inputs = 24,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = SAM_LSTM_OPTIONAL,
    .prepare = sequence_prepare,
    .eval = {[SAM_FLOAT32] = run_eval, [SAM_INT8] = run_eval},
};

/* ---- LSTM: one step; the full kernel has the inputs of the sequence, the basic one a matrix ---------------------- */

typedef struct {
  sam_product product;
  int32_t batch, inputs, cells;
  size_t zeros, rows, work;
} basic;

/* Inputs x, h, weights [4 n][inputs + n], bias, c; outputs h, c, and two that tell the inner values. */
static sam_status basic_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *h = node->inputs[1], *c = node->inputs[4];
  if (node->n_outputs != 4) return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d outputs, must be 4", node->n_outputs);
  for (int32_t i = 0; i < 5; i++) {
    if (!node->inputs[i]) return sam_fail(ctx, SAM_INVALID_MODEL, "input %d is absent", i);
    SAM_TRY(sam_check_type(ctx, node->inputs[i], SAM_FLOAT32));
  }
  for (int32_t i = 0; i < 4; i++) SAM_TRY(sam_check_type(ctx, node->outputs[i], SAM_FLOAT32));
  for (int32_t i = 2; i < 4; i++)
    if (!sam_is_known(node->inputs[i])) return sam_need_data(ctx, i);
  SAM_TRY(sam_check_rank(ctx, x, 2, 2));
  SAM_TRY(sam_check_rank(ctx, h, 2, 2));
  if (!sam_same_shape(h, c) || h->dims[0] != x->dims[0] || h->dims[1] > INT32_MAX / 8)
    return sam_fail(ctx, SAM_INVALID_MODEL, "output and cell state must be [%d, cells]", x->dims[0]);
  if (x->dims[1] > INT32_MAX / 2) return sam_fail(ctx, SAM_UNSUPPORTED, "an input of %d values", x->dims[1]);
  basic *b = node->state = sam_alloc(ctx, sizeof *b);
  if (!b) return SAM_OUT_OF_MEMORY;
  b->batch = x->dims[0];
  b->inputs = x->dims[1];
  b->cells = h->dims[1];
  const sam_tensor *weights = node->inputs[2], *bias = node->inputs[3];
  SAM_TRY(sam_product_plan(ctx, &b->product, 1, &weights, &bias, 4 * b->cells, b->inputs + b->cells, false));
  size_t used = 0;
  b->zeros = sam_carve(&used, (size_t)b->cells * sizeof(float));
  b->rows = sam_carve(&used, (size_t)b->batch * sizeof(void *));
  SAM_TRY(sam_scratch(ctx, used));
  int32_t joined[2] = {b->batch, b->inputs + b->cells}, gates[2] = {b->batch, 4 * b->cells};
  SAM_TRY(sam_set_shape_like(ctx, node->outputs[0], h));
  SAM_TRY(sam_set_shape_like(ctx, node->outputs[1], h));
  SAM_TRY(sam_set_shape(ctx, node->outputs[2], 2, joined));
  return sam_set_shape(ctx, node->outputs[3], 2, gates);
}

static void basic_eval(const basic *b, sam_node *node) {
  static const int32_t place[4] = {0, 2, 1, 3}; /* of input, forget, cell, output among the gates of the matrix */
  const float *x = node->inputs[0]->data, *h = node->inputs[1]->data, *c = node->inputs[4]->data;
  float *y = node->outputs[0]->data, *state = node->outputs[1]->data, *joined = node->outputs[2]->data;
  float *gates = node->outputs[3]->data, *zeros = (float *)(void *)((char *)node->scratch + b->zeros);
  const float **rows = (const float **)(void *)((char *)node->scratch + b->rows);
  size_t inputs = (size_t)b->inputs, cells = (size_t)b->cells;
  memset(zeros, 0, cells * sizeof *zeros);
  for (size_t i = 0; i < (size_t)b->batch; i++) {
    float *row = joined + i * (inputs + cells);
    memcpy(row, x + i * inputs, inputs * sizeof *x);
    memcpy(row + inputs, h + i * cells, cells * sizeof *h);
    memcpy(state + i * cells, c + i * cells, cells * sizeof *c);
    rows[i] = row;
  }
  sam_product_run(&b->product, b->batch, rows, gates, b->product.columns, NULL);
  for (size_t i = 0; i < (size_t)b->batch; i++) {
    sam_f32_lstm_args args = {.n = b->cells, .cell = state + i * cells, .y = y + i * cells};
    for (int32_t g = 0; g < 4; g++) {
      args.in[g] = gates + (4 * i + (size_t)place[g]) * cells;
      args.rec[g] = zeros;
    }
    sam_uk.f32_lstm->step(&args);
  }
}

static sam_status lstm_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_lstm_options *o = node->options;
  if (o->kernel_type == SAM_LSTM_KERNEL_TYPE_BASIC) {
    if (node->n_inputs != 5) return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d inputs, must be 5", node->n_inputs);
    return basic_prepare(ctx, node);
  }
  if (node->n_inputs < 20)
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d inputs, must be 20 to 24", node->n_inputs);
  for (int32_t i = 0; i < 20; i++)
    if (!node->inputs[i] && !(SAM_LSTM_OPTIONAL >> i & 1))
      return sam_fail(ctx, SAM_INVALID_MODEL, "input %d is absent", i);
  if (node->n_intermediates == 12)
    return sam_fail(ctx, SAM_UNSUPPORTED, "int8 cell state (12 intermediates) is not supported");
  sam_lstm_tensors t = bind(node);
  sam_lstm *l = node->state = sam_alloc(ctx, sizeof *l);
  if (!l) return SAM_OUT_OF_MEMORY;
  SAM_TRY(sam_sequence_of(ctx, t.x, true, true, &l->seq));
  l->activation = o->fused_activation_function;
  l->cell_clip = o->cell_clip;
  l->projection_clip = o->proj_clip;
  SAM_TRY(plan(ctx, node, l, &t, o->asymmetric_quantize_inputs));
  l->y_stride = l->outputs;
  SAM_TRY(sam_scratch(ctx, l->scratch));
  return output_shape(ctx, t.y, t.x, l->outputs);
}

static sam_status lstm_eval(sam_ctx *ctx, sam_node *node) {
  if (((const sam_lstm_options *)node->options)->kernel_type != SAM_LSTM_KERNEL_TYPE_BASIC) return run_eval(ctx, node);
  basic_eval(node->state, node);
  return SAM_OK;
}

const sam_op sam_op_lstm = {
    .name = "LSTM",
    .options = SAM_OPTIONS_LSTM,
    .max_version = 4,
    .min_inputs = 5,
    .max_inputs = 24,
    .min_outputs = 1,
    .max_outputs = 4,
    .optional = SAM_LSTM_OPTIONAL,
    .prepare = lstm_prepare,
    .eval = {[SAM_FLOAT32] = lstm_eval, [SAM_INT8] = lstm_eval},
};

/* ---- BIDIRECTIONAL_SEQUENCE_LSTM -------------------------------------------------------------------------------- */

static sam_status bidirectional_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_bidirectional_sequence_lstm_options *o = node->options;
  sam_lstm *both = node->state = sam_alloc(ctx, 2 * sizeof *both);
  if (!both) return SAM_OUT_OF_MEMORY;
  if (node->n_outputs != (o->merge_outputs ? 1 : 2))
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d outputs, must be %d", node->n_outputs,
                    o->merge_outputs ? 1 : 2);
  for (int32_t i = 39; i < node->n_inputs; i++)
    if (node->inputs[i]) return sam_fail(ctx, SAM_UNSUPPORTED, "auxiliary input %d is not supported", i);
  for (int32_t k = 0; k < 2; k++) {
    sam_lstm *l = &both[k];
    sam_lstm_tensors t = bind_direction(node, k == 1);
    const sam_tensor *must[] = {t.w[1], t.w[2], t.w[3], t.r[1], t.r[2], t.r[3], t.h, t.c};
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
      if (!must[i]) return sam_fail(ctx, SAM_INVALID_MODEL, "weights or state of direction %d are absent", k);
    SAM_TRY(sam_sequence_of(ctx, t.x, o->time_major, false, &l->seq));
    l->seq.backward = k == 1;
    l->activation = o->fused_activation_function;
    l->cell_clip = o->cell_clip;
    l->projection_clip = o->proj_clip;
    SAM_TRY(plan(ctx, node, l, &t, o->asymmetric_quantize_inputs));
    l->y_stride = l->outputs;
    if (!o->merge_outputs) SAM_TRY(output_shape(ctx, t.y, t.x, l->outputs));
  }
  if (o->merge_outputs) {
    int64_t width = (int64_t)both[0].outputs + both[1].outputs;
    if (width > INT32_MAX) return sam_fail(ctx, SAM_UNSUPPORTED, "output of %lld elements", (long long)width);
    both[0].y_stride = both[1].y_stride = width;
    both[1].y_at = both[0].outputs;
    SAM_TRY(output_shape(ctx, node->outputs[0], node->inputs[0], (int32_t)width));
  }
  return sam_scratch(ctx, both[0].scratch > both[1].scratch ? both[0].scratch : both[1].scratch);
}

static sam_status bidirectional_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  for (int32_t k = 0; k < 2; k++) {
    sam_lstm_tensors t = bind_direction(node, k == 1);
    sam_lstm_run_float((const sam_lstm *)node->state + k, &t, node->scratch);
  }
  return SAM_OK;
}

const sam_op sam_op_bidirectional_sequence_lstm = {
    .name = "BIDIRECTIONAL_SEQUENCE_LSTM",
    .options = SAM_OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM,
    .max_version = 3,
    .min_inputs = 39,
    .max_inputs = 48,
    .min_outputs = 1,
    .max_outputs = 2,
    .optional = 0xfffffffe, /* what each direction needs is checked in prepare */
    .prepare = bidirectional_prepare,
    .eval = {[SAM_FLOAT32] = bidirectional_eval},
};
