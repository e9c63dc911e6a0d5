#include "ukernels/simd_neon.h"

typedef struct byte_sums {
  uint16x8_t low, high;
} byte_sums;
#define NO_BYTES ((byte_sums){vdupq_n_u16(0), vdupq_n_u16(0)})
static inline byte_sums byte_sums_add(byte_sums s, vb x) {
  return (byte_sums){vaddw_u8(s.low, vget_low_u8(x)), vaddw_u8(s.high, vget_high_u8(x))};
}
static inline void byte_sums_store(uint16_t *p, byte_sums s) { vst1q_u16(p, s.low), vst1q_u16(p + 8, s.high); }

static inline vm still_real(vm real, vf a, vf b) { return (void)a, (void)b, real; }
static inline vi vi_add_bytes(vi total, vb x) {
  return vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(total), vpaddlq_u8(x)));
}
#if defined(__aarch64__)
static inline int32_t vi_hmax(vi a) { return vmaxvq_s32(a); }
static inline uint8_t vb_hmax(vb a) { return vmaxvq_u8(a); }
#else
static inline int32_t vi_hmax(vi a) {
  const int32x2_t s = vmax_s32(vget_low_s32(a), vget_high_s32(a));
  return vget_lane_s32(vpmax_s32(s, s), 0);
}
static inline uint8_t vb_hmax(vb a) {
  uint8x8_t s = vmax_u8(vget_low_u8(a), vget_high_u8(a));
  s = vpmax_u8(s, s);
  s = vpmax_u8(s, s);
  return vget_lane_u8(vpmax_u8(s, s), 0);
}
#endif

#include "ukernels/reduce.inc"
