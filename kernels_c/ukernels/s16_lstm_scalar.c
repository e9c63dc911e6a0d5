/* Samara: the integer LSTM step in portable C: the meaning of the kind s16_lstm. Lanes are plain numbers. */
#include <string.h>

#include "ukernels/ukernels.h"

#define ROW4(x) x, x, x, x
#define ROW(x) \
  { ROW4(x), ROW4(x), ROW4(x), ROW4(x), ROW4(x), ROW4(x), ROW4(x), ROW4(x) }
_Alignas(64) const int16_t sam_s16_lstm_constants[SAM_LSTM_CONSTANTS][32] = {
    ROW(1),    ROW(2),    ROW(4),    ROW(8),    ROW(16),    ROW(32),    ROW(64),    ROW(128),   ROW(256),
    ROW(512),  ROW(1024), ROW(2048), ROW(4096), ROW(8192),  ROW(16384), ROW(25520), ROW(19875), ROW(12055),
    ROW(4435), ROW(600),  ROW(11),   ROW(0),    ROW(10923), ROW(28918), ROW(32767), ROW(23130), ROW(-15420)};
_Alignas(64) const int64_t sam_s16_lstm_half[8] = {1 << 30, 1 << 30, 1 << 30, 1 << 30,
                                                   1 << 30, 1 << 30, 1 << 30, 1 << 30};

/* Two lanes, so that a vw can be half as many. */
enum { VH_N = 2 };
typedef struct {
  int16_t v[2];
} vh;
typedef vh vm;
typedef int32_t vw;

#define EACH(expression)                                      \
  vh r;                                                       \
  for (int k = 0; k < 2; k++) r.v[k] = (int16_t)(expression); \
  return r

static inline int32_t sat16(int32_t x) { return x < -32768 ? -32768 : x > 32767 ? 32767 : x; }
static inline vh vh_set(int16_t x) { return (vh){{x, x}}; }
static inline vh vh_load(const int16_t *p) { return (vh){{p[0], p[1]}}; }
static inline void vh_store(int16_t *p, vh a) { p[0] = a.v[0], p[1] = a.v[1]; }
static inline vh vh_add(vh a, vh b) { EACH((uint16_t)(a.v[k] + b.v[k])); }
static inline vh vh_sub(vh a, vh b) { EACH((uint16_t)(a.v[k] - b.v[k])); }
static inline vh vh_adds(vh a, vh b) { EACH(sat16(a.v[k] + b.v[k])); }
static inline vh vh_min(vh a, vh b) { EACH(a.v[k] < b.v[k] ? a.v[k] : b.v[k]); }
static inline vh vh_max(vh a, vh b) { EACH(a.v[k] > b.v[k] ? a.v[k] : b.v[k]); }
static inline vh vh_and(vh a, vh b) { EACH(a.v[k] & b.v[k]); }
static inline vh vh_shl(vh a, int n) { EACH((uint16_t)((uint32_t)a.v[k] << n)); }
static inline vh vh_sar(vh a, int n) { EACH(a.v[k] >> n); }
static inline vh vh_average(vh a, vh b) { EACH((a.v[k] + b.v[k] + 1) >> 1); }
static inline vh vh_high(vh a, vh b) { EACH((a.v[k] * b.v[k] + (1 << 14)) >> 15); }
static inline vm vh_gt(vh a, vh b) { EACH(a.v[k] > b.v[k]); }
static inline vm vh_is_zero(vh a) { EACH(a.v[k] == 0); }
static inline vm vh_test(vh a, vh b) { EACH((a.v[k] & b.v[k]) != 0); }
static inline vh vh_select(vm m, vh a, vh b) { EACH(m.v[k] ? a.v[k] : b.v[k]); }
static inline vw vw_load(const int32_t *p) { return *p; }
static inline vw vw_high(vw a, int32_t q) { return (vw)(((int64_t)a * q + (INT64_C(1) << 30)) >> 31); }
static inline vw vw_halve(vw a, int n) { return sam_round_shift32(a, n); }
static inline vw vw_halve_small(vw a, int n) { return sam_round_shift32(a, n); }
static inline vh vh_narrow(vw a, vw b) { return (vh){{(int16_t)sat16(a), (int16_t)sat16(b)}}; }
static inline void vh_wide(vh a, vh b, vw *x, vw *y) { *x = a.v[0] * b.v[0], *y = a.v[1] * b.v[1]; }
static inline vh vh_join(vw x, vw y) { return vh_narrow(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) {
  for (int k = 0; k < 2; k++) p[k] = (int8_t)(a.v[k] < -128 ? -128 : a.v[k] > 127 ? 127 : a.v[k]);
}

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__scalar = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
