/* LSTM in integers: int8 input, output and weights, int16 cell and gates, int32 sums; every rounding as the format
 * defines it. Gates are Q3.12 before the logistic, or of the scale the intermediates name when they are normalized. */
#include <math.h>
#include <string.h>

#include "common/lstm.h"
#include "samara/options.h"

static float scale_of(const sam_tensor *t) { return t->quant->scale[0]; }

/* Scale of gate g before its nonlinearity. */
static sam_status gate_scale(sam_ctx *ctx, const sam_node *node, int32_t g, bool norm, float *scale) {
  *scale = 1.0f / 4096;
  if (!norm) return SAM_OK;
  const sam_tensor *t = node->n_intermediates > g ? node->intermediates[g] : NULL;
  if (!t) return sam_fail(ctx, SAM_INVALID_MODEL, "intermediate %d must tell the scale of a normalized gate", g);
  SAM_TRY(sam_check_quant(ctx, t));
  *scale = scale_of(t);
  return SAM_OK;
}

static int32_t *bias_of(sam_ctx *ctx, const sam_product *p, int32_t zero_point, const sam_tensor *const *bias) {
  int32_t *sums = sam_alloc(ctx, ((size_t)p->columns + 256) * sizeof *sums);
  if (!sums) return NULL;
  for (int32_t i = 0; i < p->columns; i++) {
    uint32_t sum = (uint32_t)p->offset[i] - (uint32_t)zero_point * (uint32_t)p->sums[i];
    if (bias && bias[i / p->n]) sum += ((const uint32_t *)bias[i / p->n]->data)[i % p->n];
    sums[i] = (int32_t)sum;
  }
  return sums;
}

sam_status sam_lstm_plan_integer(sam_ctx *ctx, sam_node *node, sam_lstm *l, const sam_lstm_tensors *t) {
  sam_lstm_integer *n = &l->integer;
  bool norm = t->norm[GATE_FORGET] != NULL;
  int32_t first = l->first, gates = 4 - first;
  int exponent;
  SAM_TRY(sam_check_state(ctx, t->h, SAM_INT8, l->seq.batch, l->outputs));
  SAM_TRY(sam_check_state(ctx, t->c, SAM_INT16, l->seq.batch, l->cells));
  SAM_TRY(sam_check_quant(ctx, t->x));
  SAM_TRY(sam_check_quant(ctx, t->h));
  SAM_TRY(sam_check_quant(ctx, t->c));
  SAM_TRY(sam_check_quant(ctx, t->y));
  if (!sam_exact_log2(scale_of(t->c), &exponent) || exponent < -15 || exponent > -9)
    return sam_fail(ctx, SAM_INVALID_MODEL, "scale of the cell state is %g, must be a power of two in 2^-15..2^-9",
                    (double)scale_of(t->c));
  n->tanh_bits = 15 + exponent;
  const sam_tensor *inner = node->n_intermediates > 4 ? node->intermediates[4] : NULL;
  if (t->projection && !inner)
    return sam_fail(ctx, SAM_INVALID_MODEL, "intermediate 4 must tell the scale before the projection");
  if (!inner) inner = t->h;
  SAM_TRY(sam_check_quant(ctx, inner));
  for (int32_t g = first; g < 4; g++) {
    float scale;
    SAM_TRY(gate_scale(ctx, node, g, norm, &scale));
    SAM_TRY(sam_check_type(ctx, t->w[g], SAM_INT8));
    SAM_TRY(sam_check_type(ctx, t->r[g], SAM_INT8));
    SAM_TRY(sam_check_quant(ctx, t->w[g]));
    SAM_TRY(sam_check_quant(ctx, t->r[g]));
    SAM_TRY(sam_check_matrix(ctx, t->bias[g], SAM_INT32, l->cells, 0));
    n->in[g] = sam_multiplier_of((double)(scale_of(t->x) * scale_of(t->w[g]) / scale));
    n->rec[g] = sam_multiplier_of((double)(scale_of(t->h) * scale_of(t->r[g]) / scale));
    if (t->peephole[g]) {
      SAM_TRY(sam_check_matrix(ctx, t->peephole[g], SAM_INT16, l->cells, 0));
      SAM_TRY(sam_check_quant(ctx, t->peephole[g]));
      n->peephole[g] =
          sam_multiplier_of((double)(float)(ldexp(1, exponent) * (double)scale_of(t->peephole[g]) / (double)scale));
    }
    if (t->norm[g]) {
      SAM_TRY(sam_check_matrix(ctx, t->norm[g], SAM_INT16, l->cells, 0));
      SAM_TRY(sam_check_quant(ctx, t->norm[g]));
      n->norm[g] = sam_multiplier_of((double)scale_of(t->norm[g]));
      n->norm[g].shift += 12;
      float guard = 10000 * scale_of(t->norm[g]);
      n->variance_guard[g] = guard < 1 ? 1 : guard < 1e9f ? (int32_t)guard : 1000000000;
    }
  }
  n->hidden = sam_multiplier_of((double)(float)(ldexp(1, -30) / (double)scale_of(inner)));
  /* Before a projection the format's kernels store the value with its zero point negated; it cancels, but saturates. */
  n->hidden_zero = t->projection ? -inner->quant->zero_point[0] : inner->quant->zero_point[0];
  n->output_zero = t->h->quant->zero_point[0];
  if (n->hidden.shift > 0)
    return sam_fail(ctx, SAM_UNSUPPORTED, "scale of the output is %g, too small", (double)scale_of(inner));
  double clip = (double)(l->cell_clip / scale_of(t->c)), output_clip = (double)(l->projection_clip / scale_of(t->h));
  n->cell_clip = clip > 32767 ? 32767 : (int32_t)clip;
  n->projection_clip = output_clip > 127 ? 127 : (int32_t)output_clip;
  SAM_TRY(sam_product_plan(ctx, &l->in, gates, t->w + first, NULL, l->cells, l->inputs, false));
  SAM_TRY(sam_product_plan(ctx, &l->rec, gates, t->r + first, NULL, l->cells, l->outputs, false));
  n->bias_in = bias_of(ctx, &l->in, t->x->quant->zero_point[0], norm ? NULL : t->bias + first);
  n->bias_rec = bias_of(ctx, &l->rec, n->output_zero, NULL);
  if (!n->bias_in || !n->bias_rec) return SAM_OUT_OF_MEMORY;
  l->plain = l->plain && l->outputs <= 1 << 14; /* sums of at most 2 * 2^14 * 2^14: the fused step is exact */
  for (int32_t g = first; g < 4; g++) l->plain = l->plain && n->rec[g].shift <= 0;
  if (t->projection) {
    SAM_TRY(sam_check_type(ctx, t->projection, SAM_INT8));
    if (t->projection_bias) SAM_TRY(sam_check_matrix(ctx, t->projection_bias, SAM_INT32, l->outputs, 0));
    SAM_TRY(sam_product_plan(ctx, &l->projection, 1, &t->projection, NULL, l->outputs, l->cells, false));
    n->projection = sam_multiplier_of((double)(scale_of(t->projection) * scale_of(inner) / scale_of(t->h)));
    n->bias_projection = bias_of(ctx, &l->projection, n->hidden_zero, &t->projection_bias);
    if (!n->bias_projection) return SAM_OUT_OF_MEMORY;
  }
  size_t batch = (size_t)l->seq.batch, rows = (size_t)l->chunk * batch, columns = (size_t)l->in.columns, used = 0;
  size_t sums = rows * columns;
  if (batch * (size_t)l->outputs > sums) sums = batch * (size_t)l->outputs;
  l->rows = sam_carve(&used, rows * sizeof(void *));
  l->sums = sam_carve(&used, (sums + 32) * sizeof(int32_t)); /* the microkernels read past the end */
  l->part_in = sam_carve(&used, (rows * columns + 32) * sizeof(int16_t));
  l->gates = sam_carve(&used, 4 * (size_t)l->cells * sizeof(int16_t));
  l->hidden = sam_carve(&used, batch * (size_t)l->cells);
  size_t work = sam_product_scratch(&l->in, (int64_t)rows), other = sam_product_scratch(&l->rec, (int64_t)batch);
  if (other > work) work = other;
  if (t->projection && (other = sam_product_scratch(&l->projection, (int64_t)batch)) > work) work = other;
  l->product = sam_carve(&used, work);
  l->scratch = used;
  return SAM_OK;
}

/* ---- The optional parts, in plain C -------------------------------------------------------------------------------
 */

static int16_t saturate16(int64_t x) { return (int16_t)(x < -32768 ? -32768 : x > 32767 ? 32767 : x); }

/* a * b in 31-bit fixed point, and shifts to the left that saturate. */
static int32_t left(int32_t x, int n) { return sam_saturate32((int64_t)x * (INT64_C(1) << n)); }

/* 1 / sqrt(x) as a multiplier: x is brought to [2^27, 2^29), then five Newton steps in Q3.28. */
static sam_multiplier inverse_sqrt(int32_t x) {
  if (x <= 1) return (sam_multiplier){INT32_MAX, 0};
  int shift = 11, zeros = 0;
  while (x >= 1 << 29) {
    x /= 4;
    shift++;
  }
  while (!((uint32_t)x << zeros & 0x80000000u)) zeros++;
  int pairs = (zeros - 1) / 2 - 1;
  shift -= pairs;
  x <<= 2 * pairs;
  const int32_t half = sam_round_shift32(x >> 1, 1), three_halves = (1 << 28) + (1 << 27);
  int32_t y = 1 << 28;
  for (int i = 0; i < 5; i++) {
    int32_t cube = left(sam_high_mul32(sam_high_mul32(y, y), y), 6);
    y = left(sam_high_mul32(three_halves, y) - sam_high_mul32(half, cube), 3);
  }
  y = sam_high_mul32(y, 1518500250);
  if (shift < 0) {
    y = (int32_t)((uint32_t)y << -shift);
    shift = 0;
  }
  return (sam_multiplier){y, -shift};
}

static void normalize(int16_t *g, int32_t n, const int16_t *factor, const int32_t *bias, sam_multiplier scale,
                      int32_t guard) {
  int64_t sum = 0, squares = 0;
  for (int32_t i = 0; i < n; i++) {
    sum += g[i];
    squares += (int32_t)g[i] * g[i];
  }
  int32_t mean = (int32_t)(sum * 1024 / n);
  int64_t variance = squares * ((1 << 20) / n) - (int64_t)mean * mean;
  int32_t spread = (int32_t)(variance / (1 << 20));
  sam_multiplier inverse = inverse_sqrt(spread < 1 ? guard : spread);
  for (int32_t i = 0; i < n; i++) {
    int64_t v = (int64_t)sam_scale32(1024 * g[i] - mean, inverse) * factor[i] + bias[i];
    int32_t w = (int32_t)((v > 0 ? v + 512 : v - 512) / 1024);
    g[i] = saturate16(sam_scale32(w, scale));
  }
}

static void run_gate(const sam_lstm *l, const sam_lstm_tensors *t, int32_t which, const int16_t *in, const int32_t *rec,
                     const int16_t *cell, int16_t *g) {
  const sam_lstm_integer *n = &l->integer;
  memcpy(g, in + sam_lstm_column(l, which), (size_t)l->cells * sizeof *g);
  sam_uk.s16_lstm->add(g, rec + sam_lstm_column(l, which), l->cells, n->rec[which]);
  if (t->peephole[which]) {
    const int16_t *p = t->peephole[which]->data;
    for (int32_t i = 0; i < l->cells; i++)
      g[i] = saturate16((int64_t)g[i] + sam_scale32((int32_t)p[i] * cell[i], n->peephole[which]));
  }
  if (t->norm[which])
    normalize(g, l->cells, t->norm[which]->data, t->bias[which]->data, n->norm[which], n->variance_guard[which]);
  if (which == GATE_CELL)
    sam_uk.s16_lstm->tanh(g, g, l->cells, 3);
  else
    sam_uk.s16_lstm->logistic(g, l->cells);
}

static void general_step(const sam_lstm *l, const sam_lstm_tensors *t, const int16_t *in, const int32_t *rec,
                         int16_t *cell, int16_t *gates, int8_t *y) {
  const sam_lstm_integer *n = &l->integer;
  int32_t cells = l->cells;
  int16_t *g[4];
  for (int32_t k = 0; k < 4; k++) g[k] = gates + (size_t)k * (size_t)cells;
  for (int32_t k = l->first; k < GATE_OUTPUT; k++) run_gate(l, t, k, in, rec, cell, g[k]);
  for (int32_t i = 0; i < cells; i++) {
    int32_t input = l->first == 1 ? 32767 - g[GATE_FORGET][i] : g[GATE_INPUT][i];
    int32_t kept = sam_round_shift32((int32_t)g[GATE_FORGET][i] * cell[i], 15);
    int32_t fresh = sam_round_shift32(input * g[GATE_CELL][i], 15 + n->tanh_bits);
    int32_t sum = saturate16((int64_t)kept + fresh);
    if (n->cell_clip > 0) sum = sam_clamp32(sum, -n->cell_clip, n->cell_clip);
    cell[i] = (int16_t)sum;
  }
  run_gate(l, t, GATE_OUTPUT, in, rec, cell, g[GATE_OUTPUT]);
  sam_uk.s16_lstm->tanh(g[GATE_CELL], cell, cells, n->tanh_bits);
  for (int32_t i = 0; i < cells; i++) {
    int64_t v = (int64_t)sam_scale32((int32_t)g[GATE_OUTPUT][i] * g[GATE_CELL][i], n->hidden) + n->hidden_zero;
    y[i] = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
  }
}

/* h = clip(projection * hidden) */
static void project(const sam_lstm *l, const int8_t **rows, const int8_t *hidden, int32_t *sums, int8_t *h,
                    void *work) {
  const sam_lstm_integer *n = &l->integer;
  int64_t values = (int64_t)l->seq.batch * l->outputs;
  for (int32_t b = 0; b < l->seq.batch; b++) rows[b] = hidden + (int64_t)b * l->cells;
  sam_product_sums(&l->projection, l->seq.batch, rows, n->bias_projection, sums, work);
  for (int64_t i = 0; i < values; i++) {
    int64_t v = (int64_t)sam_scale32(sums[i], n->projection) + n->output_zero;
    v = v < -128 ? -128 : v > 127 ? 127 : v;
    if (n->projection_clip > 0) v = sam_clamp32((int32_t)v, -n->projection_clip, n->projection_clip);
    h[i] = (int8_t)v;
  }
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

void sam_lstm_run_integer(const sam_lstm *l, const sam_lstm_tensors *t, void *scratch) {
  const sam_lstm_integer *n = &l->integer;
  char *base = scratch;
  const int8_t **rows = (const int8_t **)(void *)(base + l->rows);
  int32_t *sums = (int32_t *)(void *)(base + l->sums);
  int16_t *part_in = (int16_t *)(void *)(base + l->part_in), *gates = (int16_t *)(void *)(base + l->gates);
  int8_t *hidden = (int8_t *)base + l->hidden, *h = t->h->data, *y = t->y->data;
  const int8_t *x = t->x->data;
  int16_t *c = t->c->data;
  int32_t batch = l->seq.batch;
  int64_t columns = l->in.columns;
  for (int32_t t0 = 0; t0 < l->seq.steps; t0 += l->chunk) {
    int32_t steps = l->seq.steps - t0 < l->chunk ? l->seq.steps - t0 : l->chunk;
    for (int32_t s = 0; s < steps; s++)
      for (int32_t b = 0; b < batch; b++)
        rows[(int64_t)s * batch + b] = x + sam_sequence_row(&l->seq, t0 + s, b) * l->inputs;
    sam_product_sums(&l->in, (int64_t)steps * batch, rows, n->bias_in, sums, base + l->product);
    memset(part_in, 0, (size_t)steps * (size_t)batch * (size_t)columns * sizeof *part_in);
    for (int64_t r = 0; r < (int64_t)steps * batch; r++)
      for (int32_t g = l->first; g < 4; g++) {
        int64_t at = r * columns + sam_lstm_column(l, g);
        sam_uk.s16_lstm->add(part_in + at, sums + at, l->cells, n->in[g]);
      }
    for (int32_t s = 0; s < steps; s++) {
      for (int32_t b = 0; b < batch; b++) rows[b] = h + (int64_t)b * l->outputs;
      sam_product_sums(&l->rec, batch, rows, n->bias_rec, sums, base + l->product);
      for (int32_t b = 0; b < batch; b++) {
        const int16_t *in = part_in + ((int64_t)s * batch + b) * columns;
        const int32_t *rec = sums + b * columns;
        int16_t *cell = c + (int64_t)b * l->cells;
        int8_t *out = t->projection ? hidden + (int64_t)b * l->cells : h + (int64_t)b * l->outputs;
        if (!l->plain) {
          general_step(l, t, in, rec, cell, gates, out);
          continue;
        }
        sam_s16_lstm_args args = {.n = l->cells, .cell = cell, .tanh_bits = n->tanh_bits, .clip = n->cell_clip};
        for (int32_t g = 0; g < 4; g++) {
          args.in[g] = in + (int64_t)g * l->cells;
          args.acc[g] = rec + (int64_t)g * l->cells;
          args.scale[g] = n->rec[g];
        }
        args.hidden = n->hidden;
        args.zero_point = n->hidden_zero;
        args.y = out;
        sam_uk.s16_lstm->step(&args);
      }
      if (t->projection) project(l, rows, hidden, sums, h, base + l->product);
      for (int32_t b = 0; b < batch; b++)
        memcpy(y + l->y_at + sam_sequence_row(&l->seq, t0 + s, b) * l->y_stride, h + (int64_t)b * l->outputs,
               (size_t)l->outputs);
    }
  }
}
