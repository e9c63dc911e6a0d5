/* Every instance of the LSTM microkernels against the portable one: the integer ones on all 65536 values and on random
 * steps, bit by bit; the float ones on a grid. */
#include <stdbool.h>

#include "test.h"
#include "ukernels/ukernels.h"

static uint32_t seed = 1;
static int32_t next(void) { return (int32_t)(seed = seed * 1664525u + 1013904223u); }

static int16_t all[65536], expected[65536], actual[65536];

static void whole_range(const sam_s16_lstm_t *uk, const sam_s16_lstm_t *portable) {
  for (int32_t bits = -1; bits <= 6; bits++) {
    for (int i = 0; i < 65536; i++) all[i] = expected[i] = actual[i] = (int16_t)(i - 32768);
    if (bits < 0) {
      portable->logistic(expected, 65536);
      uk->logistic(actual, 65536);
    } else {
      portable->tanh(expected, all, 65536, bits);
      uk->tanh(actual, all, 65536, bits);
    }
    EXPECT(memcmp(expected, actual, sizeof actual) == 0);
    double worst = 0;
    for (int i = 0; i < 65536; i++) {
      double x = bits < 0 ? all[i] / 4096.0 : ldexp(all[i], bits - 15), y = bits < 0 ? 1 / (1 + exp(-x)) : tanh(x);
      worst = fmax(worst, fabs(y - expected[i] / 32768.0));
    }
    EXPECT(worst < 0.002);
  }
}

static void steps(const sam_s16_lstm_t *uk, const sam_s16_lstm_t *portable) {
  enum { N = 77, PADDED = 96 };
  for (int round = 0; round < 200; round++) {
    int32_t acc[4][PADDED] = {{0}}, n = 1 + (int32_t)((uint32_t)next() % N);
    int16_t in[4][PADDED] = {{0}}, cell[2][N];
    int8_t y[2][N];
    sam_s16_lstm_args a = {
        .n = n, .tanh_bits = round % 7, .clip = round % 3 ? 0 : 20000, .zero_point = round % 50 - 25};
    a.hidden = sam_multiplier_of(ldexp(1, -30) / (0.002 + 0.0001 * round));
    for (int g = 0; g < 4; g++) {
      for (int i = 0; i < n; i++) acc[g][i] = next() >> (1 + round % 20), in[g][i] = (int16_t)(next() >> 16);
      a.acc[g] = acc[g];
      a.in[g] = in[g];
      a.scale[g] = sam_multiplier_of(0.9 / (1 + round % 200));
    }
    for (int i = 0; i < n; i++) cell[0][i] = cell[1][i] = (int16_t)(next() >> 16);
    a.cell = cell[0];
    a.y = y[0];
    portable->step(&a);
    a.cell = cell[1];
    a.y = y[1];
    uk->step(&a);
    EXPECT(memcmp(cell[0], cell[1], (size_t)n * sizeof(int16_t)) == 0);
    EXPECT(memcmp(y[0], y[1], (size_t)n) == 0);
    memcpy(cell[0], in[0], sizeof cell[0]);
    memcpy(cell[1], in[0], sizeof cell[0]);
    sam_multiplier m = sam_multiplier_of(ldexp(0.7, round % 30 - 25));
    portable->add(cell[0], acc[1], n, m);
    uk->add(cell[1], acc[1], n, m);
    EXPECT(memcmp(cell[0], cell[1], (size_t)n * sizeof(int16_t)) == 0);
  }
}

static void floats(const sam_f32_lstm_t *uk) {
  enum { N = 4003 };
  static float x[N], y[N];
  for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) * 0.01f;
  uk->logistic(y, x, N);
  for (int i = 0; i < N; i++) EXPECT_NEAR(y[i], 1 / (1 + exp(-(double)x[i])), 3e-7);
  uk->tanh(y, x, N);
  for (int i = 0; i < N; i++) EXPECT_NEAR(y[i], tanh((double)x[i]), 3e-7);
  float in[4][19], rec[4][19], cell[19], out[19], before[19];
  sam_f32_lstm_args a = {.n = 19, .cell = cell, .y = out, .clip = 1.5f};
  for (int g = 0; g < 4; g++) {
    for (int i = 0; i < 19; i++) in[g][i] = (float)next() * 0x1p-30f, rec[g][i] = (float)next() * 0x1p-30f;
    a.in[g] = in[g];
    a.rec[g] = rec[g];
  }
  for (int i = 0; i < 19; i++) before[i] = cell[i] = (float)next() * 0x1p-31f;
  uk->step(&a);
  for (int i = 0; i < 19; i++) {
    double g[4];
    for (int k = 0; k < 4; k++) g[k] = (double)in[k][i] + (double)rec[k][i];
    double c = (double)before[i] / (1 + exp(-g[1])) + tanh(g[2]) / (1 + exp(-g[0]));
    c = c > 1.5 ? 1.5 : c < -1.5 ? -1.5 : c;
    EXPECT_NEAR(cell[i], c, 1e-6);
    EXPECT_NEAR(out[i], tanh(c) / (1 + exp(-g[3])), 1e-6);
  }
}

int main(void) {
  sam_uk_table table;
  const char *name;
  uint32_t features;
  for (int i = 0; (name = sam_isa_name(i, &features)); i++) {
    if ((features & sam_cpu_features()) != features) continue;
    sam_uk_select(features, &table);
    whole_range(table.s16_lstm, &sam_s16_lstm__scalar);
    steps(table.s16_lstm, &sam_s16_lstm__scalar);
    floats(table.f32_lstm);
  }
  return test_result();
}
