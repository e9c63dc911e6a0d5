/* The parts of the LSTM operators: tensors by role, the plan, and the two ways to run it.
 *
 *     all steps of a chunk:  X = x * W^T + b                          one product for all gates
 *     every step:            i, f, o = logistic(X + h * R^T + p c)    [layer normalization before the logistic]
 *                            c = f c + i act(X + h * R^T)             [clipped];  i = 1 - f without an input gate
 *                            h = o act(c)                             [times projection, clipped]
 */
#ifndef SAM_COMMON_LSTM_H
#define SAM_COMMON_LSTM_H

#include "recurrent.h"

enum { GATE_INPUT, GATE_FORGET, GATE_CELL, GATE_OUTPUT };

typedef struct sam_lstm_tensors {
  const sam_tensor *x;
  const sam_tensor *w[4], *r[4], *bias[4]; /* index 0 NULL: no input gate (coupled to the forget gate) */
  const sam_tensor *peephole[4];           /* NULL where absent; never for the cell */
  const sam_tensor *norm[4];
  const sam_tensor *projection, *projection_bias;
  sam_tensor *h, *c; /* state */
  sam_tensor *y;
} sam_lstm_tensors;

typedef struct sam_lstm_integer {
  sam_multiplier in[4], rec[4], peephole[4], norm[4], hidden, projection;
  int32_t variance_guard[4];
  int32_t *bias_in, *bias_rec, *bias_projection;
  int32_t tanh_bits, cell_clip, projection_clip;
  int32_t hidden_zero, output_zero;
} sam_lstm_integer;

typedef struct sam_lstm {
  sam_sequence seq;
  int32_t inputs, cells, outputs;
  int32_t first; /* 1 without an input gate, else 0: gates first..3 are there */
  bool plain;    /* nothing optional: the fused step does it all */
  int32_t activation;
  float cell_clip, projection_clip;
  int64_t y_at, y_stride; /* where rows of the output lie, in elements */
  int32_t chunk;          /* steps */
  sam_product in, rec, projection;
  sam_lstm_integer integer;
  /* Scratch: offsets. */
  size_t rows, part_in, part_rec, sums, gates, hidden, state, product, scratch;
} sam_lstm;

/* Fills what both kinds share from the shapes: l->seq, y_at and y_stride must be set. */
sam_status sam_lstm_shape(sam_ctx *ctx, sam_lstm *l, const sam_lstm_tensors *t);
sam_status sam_lstm_plan_float(sam_ctx *ctx, sam_lstm *l, const sam_lstm_tensors *t, bool asymmetric);
sam_status sam_lstm_plan_integer(sam_ctx *ctx, sam_node *node, sam_lstm *l, const sam_lstm_tensors *t);
void sam_lstm_run_float(const sam_lstm *l, const sam_lstm_tensors *t, void *scratch);
void sam_lstm_run_integer(const sam_lstm *l, const sam_lstm_tensors *t, void *scratch);

/* Columns of gate g in the joint products. */
static inline int64_t sam_lstm_column(const sam_lstm *l, int32_t g) { return (int64_t)(g - l->first) * l->cells; }

#endif
