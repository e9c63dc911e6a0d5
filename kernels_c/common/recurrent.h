/* What LSTM and RNN share: products with constant weights of several gates at once, in float or with activations
 * quantized on the fly ("hybrid": int8 weights, one scale per row of activations), and the order of time. */
#ifndef SAM_COMMON_RECURRENT_H
#define SAM_COMMON_RECURRENT_H

#include "samara/op.h"
#include "ukernels/ukernels.h"

enum { SAM_MAX_GATES = 4 };

/* y[row][gate 0 | gate 1 | …] = x[row] * weights^T: the weights of up to four gates, [n][k] each, packed as one. */
typedef struct sam_product {
  int32_t gates, n, k; /* columns of one gate; depth */
  int32_t columns;     /* gates * n */
  bool hybrid, asymmetric;
  sam_f32_gemm_t *f32;
  sam_s8_gemm_t *s8;
  const void *packed;
  const float *bias;   /* float: per column, or NULL */
  const float *scale;  /* hybrid: of the weights, per column */
  const int32_t *sums; /* int8 weights: sum of each column */
  int32_t *offset;     /* int8 weights: what the kernel needs as bias for its form of the left side */
} sam_product;

/* prepare: weights[g] are [n][k], all FLOAT32 or all INT8/UINT8 (whose bytes are read as int8) and known; bias[g] is
 * FLOAT32 [n], `bias` or bias[g] may be NULL. Checks types and shapes, packs. */
sam_status sam_product_plan(sam_ctx *ctx, sam_product *p, int32_t gates, const sam_tensor *const *weights,
                            const sam_tensor *const *bias, int32_t n, int32_t k, bool asymmetric);
/* Scratch that one call with m rows needs. */
size_t sam_product_scratch(const sam_product *p, int64_t m);
/* Float and hybrid: y [m][ldy]. */
void sam_product_run(const sam_product *p, int64_t m, const float *const *rows, float *y, int64_t ldy, void *scratch);
/* int8: y [m][columns] = bias + sums; `bias` has `columns` values and contains p->offset. */
void sam_product_sums(const sam_product *p, int64_t m, const int8_t *const *rows, const int32_t *bias, int32_t *y,
                      void *scratch);

/* y = act(y), n values. */
void sam_activate(float *y, int64_t n, int32_t activation);

/* A sequence: element t of batch row b. */
typedef struct sam_sequence {
  int32_t steps, batch;
  bool time_major, backward;
} sam_sequence;
static inline int64_t sam_sequence_row(const sam_sequence *s, int32_t t, int32_t b) {
  int64_t at = s->backward ? s->steps - 1 - t : t;
  return s->time_major ? at * s->batch + b : (int64_t)b * s->steps + at;
}
/* Input [batch][inputs], [time][batch][inputs] or [batch][time][inputs]. */
sam_status sam_sequence_of(sam_ctx *ctx, const sam_tensor *x, bool time_major, bool one_step, sam_sequence *s);

/* Steps whose input products are computed at once. */
static inline int32_t sam_sequence_chunk(const sam_sequence *s) {
  int32_t steps = s->batch > 0 ? 48 / s->batch : 1;
  return steps < 1 ? 1 : steps > s->steps ? (s->steps > 0 ? s->steps : 1) : steps;
}

/* Carves scratch: the offset of `bytes` more, 64-byte aligned. */
static inline size_t sam_carve(size_t *used, size_t bytes) {
  size_t at = *used;
  *used += (bytes + 63) / 64 * 64 + 64;
  return at;
}

/* A tensor of exactly this type and shape ([a] or [a][b], b = 0 means one dimension). */
sam_status sam_check_matrix(sam_ctx *ctx, const sam_tensor *t, sam_type type, int32_t a, int32_t b);
/* State: a variable tensor of batch * n elements. */
sam_status sam_check_state(sam_ctx *ctx, const sam_tensor *t, sam_type type, int32_t batch, int32_t n);

#endif
