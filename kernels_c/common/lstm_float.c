/* LSTM in float: weights FLOAT32, or INT8 with activations quantized on the fly. */
#include <math.h>
#include <string.h>

#include "common/lstm.h"
#include "samara/options.h"

sam_status sam_lstm_plan_float(sam_ctx *ctx, sam_lstm *l, const sam_lstm_tensors *t, bool asymmetric) {
  int32_t first = l->first, gates = 4 - first;
  bool norm = t->norm[GATE_FORGET] != NULL;
  for (int32_t g = first; g < 4; g++) {
    SAM_TRY(sam_check_matrix(ctx, t->bias[g], SAM_FLOAT32, l->cells, 0));
    if (t->norm[g]) SAM_TRY(sam_check_matrix(ctx, t->norm[g], SAM_FLOAT32, l->cells, 0));
    if (!t->peephole[g]) continue;
    SAM_TRY(sam_check_matrix(ctx, t->peephole[g], t->w[g]->type, l->cells, 0));
    if (t->peephole[g]->type != SAM_FLOAT32) SAM_TRY(sam_check_quant(ctx, t->peephole[g]));
  }
  SAM_TRY(sam_check_state(ctx, t->h, SAM_FLOAT32, l->seq.batch, l->outputs));
  SAM_TRY(sam_check_state(ctx, t->c, SAM_FLOAT32, l->seq.batch, l->cells));
  SAM_TRY(sam_product_plan(ctx, &l->in, gates, t->w + first, norm ? NULL : t->bias + first, l->cells, l->inputs,
                           asymmetric));
  SAM_TRY(sam_product_plan(ctx, &l->rec, gates, t->r + first, NULL, l->cells, l->outputs, asymmetric));
  if (t->projection)
    SAM_TRY(sam_product_plan(ctx, &l->projection, 1, &t->projection, &t->projection_bias, l->outputs, l->cells,
                             asymmetric));
  l->plain = l->plain && l->activation == SAM_ACTIVATION_TANH;
  size_t batch = (size_t)l->seq.batch, rows = (size_t)l->chunk * batch, columns = (size_t)l->in.columns, used = 0;
  l->rows = sam_carve(&used, rows * sizeof(void *));
  l->part_in = sam_carve(&used, rows * columns * sizeof(float));
  l->part_rec = sam_carve(&used, batch * columns * sizeof(float));
  l->gates = sam_carve(&used, 4 * (size_t)l->cells * sizeof(float));
  l->hidden = sam_carve(&used, batch * (size_t)l->cells * sizeof(float));
  size_t work = sam_product_scratch(&l->in, (int64_t)rows), other = sam_product_scratch(&l->rec, (int64_t)batch);
  if (other > work) work = other;
  if (t->projection && (other = sam_product_scratch(&l->projection, (int64_t)batch)) > work) work = other;
  l->product = sam_carve(&used, work);
  l->scratch = used;
  return SAM_OK;
}

static void clip(float *y, int32_t n, float bound) {
  if (bound > 0)
    for (int32_t i = 0; i < n; i++) y[i] = y[i] < -bound ? -bound : y[i] > bound ? bound : y[i];
}

/* g = act(norm(in + rec + peephole * cell) [* coefficients + bias]) */
static void run_gate(const sam_lstm *l, const sam_lstm_tensors *t, int32_t which, const float *in, const float *rec,
                     const float *cell, float *g) {
  int32_t n = l->cells;
  const sam_tensor *peephole = t->peephole[which], *norm = t->norm[which];
  in += sam_lstm_column(l, which);
  rec += sam_lstm_column(l, which);
  for (int32_t i = 0; i < n; i++) g[i] = in[i] + rec[i];
  if (peephole && peephole->type == SAM_FLOAT32) {
    for (int32_t i = 0; i < n; i++) g[i] += ((const float *)peephole->data)[i] * cell[i];
  } else if (peephole) {
    float scale = peephole->quant->scale[0];
    for (int32_t i = 0; i < n; i++) g[i] += (float)((const int8_t *)peephole->data)[i] * scale * cell[i];
  }
  if (norm) {
    const float *factor = norm->data, *bias = t->bias[which]->data;
    double sum = 0, squares = 0;
    for (int32_t i = 0; i < n; i++) sum += (double)g[i];
    const float mean = (float)(sum / n);
    for (int32_t i = 0; i < n; i++) squares += (double)(g[i] - mean) * (double)(g[i] - mean);
    const float inverse = 1.0f / sqrtf((float)(squares / n) + 1e-8f);
    for (int32_t i = 0; i < n; i++) g[i] = (g[i] - mean) * inverse * factor[i] + bias[i];
  }
  if (which == GATE_CELL)
    sam_activate(g, n, l->activation);
  else
    sam_uk.f32_lstm->logistic(g, g, n);
}

static void general_step(const sam_lstm *l, const sam_lstm_tensors *t, const float *in, const float *rec, float *cell,
                         float *gates, float *y) {
  int32_t n = l->cells;
  float *g[4];
  for (int32_t k = 0; k < 4; k++) g[k] = gates + (size_t)k * (size_t)n;
  for (int32_t k = l->first; k < GATE_OUTPUT; k++) run_gate(l, t, k, in, rec, cell, g[k]);
  if (l->first == 1)
    for (int32_t i = 0; i < n; i++) g[GATE_INPUT][i] = 1.0f - g[GATE_FORGET][i];
  for (int32_t i = 0; i < n; i++) cell[i] = g[GATE_FORGET][i] * cell[i] + g[GATE_INPUT][i] * g[GATE_CELL][i];
  clip(cell, n, l->cell_clip);
  run_gate(l, t, GATE_OUTPUT, in, rec, cell, g[GATE_OUTPUT]);
  memcpy(g[GATE_CELL], cell, (size_t)n * sizeof *cell);
  sam_activate(g[GATE_CELL], n, l->activation);
  for (int32_t i = 0; i < n; i++) y[i] = g[GATE_OUTPUT][i] * g[GATE_CELL][i];
}

void sam_lstm_run_float(const sam_lstm *l, const sam_lstm_tensors *t, void *scratch) {
  char *base = scratch;
  const float **rows = (const float **)(void *)(base + l->rows);
  float *part_in = (float *)(void *)(base + l->part_in), *part_rec = (float *)(void *)(base + l->part_rec);
  float *gates = (float *)(void *)(base + l->gates), *hidden = (float *)(void *)(base + l->hidden);
  const float *x = t->x->data;
  float *h = t->h->data, *c = t->c->data, *y = t->y->data;
  int32_t batch = l->seq.batch;
  int64_t columns = l->in.columns;
  for (int32_t t0 = 0; t0 < l->seq.steps; t0 += l->chunk) {
    int32_t steps = l->seq.steps - t0 < l->chunk ? l->seq.steps - t0 : l->chunk;
    for (int32_t s = 0; s < steps; s++)
      for (int32_t b = 0; b < batch; b++)
        rows[(int64_t)s * batch + b] = x + sam_sequence_row(&l->seq, t0 + s, b) * l->inputs;
    sam_product_run(&l->in, (int64_t)steps * batch, rows, part_in, columns, base + l->product);
    for (int32_t s = 0; s < steps; s++) {
      for (int32_t b = 0; b < batch; b++) rows[b] = h + (int64_t)b * l->outputs;
      sam_product_run(&l->rec, batch, rows, part_rec, columns, base + l->product);
      for (int32_t b = 0; b < batch; b++) {
        const float *in = part_in + ((int64_t)s * batch + b) * columns, *rec = part_rec + b * columns;
        float *cell = c + (int64_t)b * l->cells,
              *out = t->projection ? hidden + (int64_t)b * l->cells : h + (int64_t)b * l->outputs;
        if (l->plain) {
          sam_f32_lstm_args args = {.n = l->cells, .cell = cell, .clip = l->cell_clip, .y = out};
          for (int32_t g = 0; g < 4; g++) {
            args.in[g] = in + (int64_t)g * l->cells;
            args.rec[g] = rec + (int64_t)g * l->cells;
          }
          sam_uk.f32_lstm->step(&args);
        } else {
          general_step(l, t, in, rec, cell, gates, out);
        }
      }
      if (t->projection) {
        for (int32_t b = 0; b < batch; b++) rows[b] = hidden + (int64_t)b * l->cells;
        sam_product_run(&l->projection, batch, rows, h, l->outputs, base + l->product);
        for (int32_t b = 0; b < batch; b++) clip(h + (int64_t)b * l->outputs, l->outputs, l->projection_clip);
      }
      for (int32_t b = 0; b < batch; b++)
        memcpy(y + l->y_at + sam_sequence_row(&l->seq, t0 + s, b) * l->y_stride, h + (int64_t)b * l->outputs,
               (size_t)l->outputs * sizeof(float));
    }
  }
}
