/* Samara: the elementwise part of one LSTM step, and first the integer one (int8 in and out, int16 cell), exactly as
 * the format defines it.
 *
 * Gates are Q3.12 before their nonlinearity and Q0.15 after it; the cell has `tanh_bits` integer bits. Logistic and
 * tanh are fixed-point: exp on [-1/4, 0) by a polynomial, the other bits of the argument by table multiplications,
 * then 1 / (1 + x) by three Newton steps; every product is rounded to 16 bits. */
#ifndef SAM_UKERNELS_LSTM_H
#define SAM_UKERNELS_LSTM_H

#include <stdint.h>

#include "common/fixed_point.h"

/* One step of one batch row: gates in the order input, forget, cell, output. Sums and the input's part (and the sums
 * that `add` gets) are readable up to the next multiple of 32 values. */
typedef struct sam_s16_lstm_args {
  int32_t n;               /* cells */
  const int32_t *acc[4];   /* recurrent sums with their bias, at most 2^30 */
  const int16_t *in[4];    /* the input's part of each gate */
  sam_multiplier scale[4]; /* from acc to Q3.12; shift <= 0 */
  int16_t *cell;           /* read and written */
  int32_t tanh_bits;       /* integer bits of the cell, 0..6 */
  int32_t clip;            /* bound of the cell; 0: none */
  sam_multiplier hidden;   /* from Q0.30 to the output */
  int32_t zero_point;      /* of the output */
  int8_t *y;
} sam_s16_lstm_args;

/* For the instances alone: rows of equal values, of which a machine loads as many as it has lanes. */
enum {
  SAM_LSTM_BIT = 0,     /* 15 rows: 2^0 .. 2^14 */
  SAM_LSTM_FACTOR = 15, /* 7 rows: exp(-2^(i - 2)) in Q0.15 */
  SAM_LSTM_THIRD = 22,  /* 1 / 3 in Q0.15 */
  SAM_LSTM_EXP_EIGHTH,  /* exp(-1 / 8) in Q0.15 */
  SAM_LSTM_ONE,         /* the largest number, which stands for 1 */
  SAM_LSTM_FIRST,
  SAM_LSTM_SLOPE, /* 48 / 17 and -32 / 17 in Q2.13: a first guess at 1 / x */
  SAM_LSTM_CONSTANTS
};
extern const int16_t sam_s16_lstm_constants[SAM_LSTM_CONSTANTS][32];
extern const int64_t sam_s16_lstm_half[8]; /* 2^30 */

typedef const struct sam_s16_lstm {
  /* y[i] = saturate(y[i] + acc[i] * scale) */
  void (*add)(int16_t *y, const int32_t *acc, int32_t n, sam_multiplier scale);
  /* Q3.12 to Q0.15, in place */
  void (*logistic)(int16_t *y, int32_t n);
  /* x with `bits` integer bits (0..6) to Q0.15; y may be x */
  void (*tanh)(int16_t *y, const int16_t *x, int32_t n, int32_t bits);
  /* Everything of one step after the sums */
  void (*step)(const sam_s16_lstm_args *args);
} sam_s16_lstm_t;

/* The float LSTM. */
typedef struct sam_f32_lstm_args {
  int32_t n;
  const float *in[4], *rec[4]; /* the two parts of the gates input, forget, cell, output, with bias */
  float *cell;                 /* read and written */
  float clip;                  /* bound of the cell; 0: none */
  float *y;
} sam_f32_lstm_args;

typedef const struct sam_f32_lstm {
  void (*logistic)(float *y, const float *x, int64_t n); /* y may be x */
  void (*tanh)(float *y, const float *x, int64_t n);
  void (*step)(const sam_f32_lstm_args *args); /* tanh for cell and output */
} sam_f32_lstm_t;

#endif
