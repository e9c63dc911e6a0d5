/* Samara: the integer LSTM step, 8 lanes of NEON. */
#include <arm_neon.h>
#include <string.h>

#include "ukernels/ukernels.h"

enum { VH_N = 8 };
typedef int16x8_t vh;
typedef uint16x8_t vm;
typedef int32x4_t vw;

static inline vh vh_set(int16_t x) { return vdupq_n_s16(x); }
static inline vh vh_load(const int16_t *p) { return vld1q_s16(p); }
static inline void vh_store(int16_t *p, vh a) { vst1q_s16(p, a); }
static inline vh vh_add(vh a, vh b) { return vaddq_s16(a, b); }
static inline vh vh_sub(vh a, vh b) { return vsubq_s16(a, b); }
static inline vh vh_adds(vh a, vh b) { return vqaddq_s16(a, b); }
static inline vh vh_min(vh a, vh b) { return vminq_s16(a, b); }
static inline vh vh_max(vh a, vh b) { return vmaxq_s16(a, b); }
static inline vh vh_and(vh a, vh b) { return vandq_s16(a, b); }
static inline vh vh_shl(vh a, int n) { return vshlq_s16(a, vdupq_n_s16((int16_t)n)); }
static inline vh vh_sar(vh a, int n) { return vshlq_s16(a, vdupq_n_s16((int16_t)-n)); }
static inline vh vh_average(vh a, vh b) { return vrhaddq_s16(a, b); }
static inline vh vh_high(vh a, vh b) { return vqrdmulhq_s16(a, b); }
static inline vm vh_gt(vh a, vh b) { return vcgtq_s16(a, b); }
static inline vm vh_is_zero(vh a) { return vceqq_s16(a, vdupq_n_s16(0)); }
static inline vm vh_test(vh a, vh b) { return vtstq_s16(a, b); }
static inline vh vh_select(vm m, vh a, vh b) { return vbslq_s16(m, a, b); }
static inline vw vw_load(const int32_t *p) { return vld1q_s32(p); }
static inline vw vw_high(vw a, int32_t q) { return vqrdmulhq_s32(a, vdupq_n_s32(q)); }
/* The rounding shift goes half up; negative numbers are lowered by one first so that their halves go down. */
static inline vw vw_halve(vw a, int n) {
  vw lowered = n ? vqaddq_s32(a, vshrq_n_s32(a, 31)) : a;
  return vrshlq_s32(lowered, vdupq_n_s32(-n));
}
static inline vw vw_halve_small(vw a, int n) { return vw_halve(a, n); }
static inline vh vh_narrow(vw a, vw b) { return vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)); }
static inline void vh_wide(vh a, vh b, vw *x, vw *y) {
  *x = vmull_s16(vget_low_s16(a), vget_low_s16(b));
  *y = vmull_s16(vget_high_s16(a), vget_high_s16(b));
}
static inline vh vh_join(vw x, vw y) { return vh_narrow(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) { vst1_s8(p, vqmovn_s16(a)); }

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__neon = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
