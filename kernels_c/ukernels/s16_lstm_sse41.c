/* Samara: the integer LSTM step, 8 lanes of SSE4.1. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

#define OP(name) _mm_##name
#include "ukernels/s16_lstm_x86.inc"

static inline vw vw_high(vw a, int32_t q) { return vi_mul_high(a, vi_set(q)); }
static inline vh vh_narrow(vw a, vw b) { return _mm_packs_epi32(a, b); }
static inline void vh_store_s8(int8_t *p, vh a) { _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(a, a)); }

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__sse41 = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
