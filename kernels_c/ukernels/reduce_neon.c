#include "ukernels/simd_neon.h"

#define VH_N 8
typedef uint16x8_t vh;
static inline vh vh_set(uint16_t x) { return vdupq_n_u16(x); }
static inline vh vh_add(vh a, vh b) { return vaddq_u16(a, b); }
static inline vh vh_xor(vh a, vh b) { return veorq_u16(a, b); }
static inline vh vh_load_u8(const uint8_t *p) { return vmovl_u8(vld1_u8(p)); }
static inline void vh_store(uint16_t *p, vh v) { vst1q_u16(p, v); }

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
