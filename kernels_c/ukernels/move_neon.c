/* Samara: moving elements with NEON. A square is turned by interleaving its rows with those half a square away, as
 * often as a side has bits. */
#include <arm_neon.h>

#include "ukernels/ukernels.h"

enum { BLOCK_1 = 8, BLOCK_2 = 8, BLOCK_4 = 4, BLOCK_8 = 4 };

static inline void block_1(u8 *d, int64_t row, const u8 *s, int64_t col) {
  uint8x8_t a[8];
  for (int i = 0; i < 8; i++) a[i] = vld1_u8(s + i * col);
  for (int stage = 0; stage < 3; stage++) {
    uint8x8_t b[8];
    for (int i = 0; i < 4; i++) {
      const uint8x8x2_t z = vzip_u8(a[i], a[i + 4]);
      b[2 * i] = z.val[0];
      b[2 * i + 1] = z.val[1];
    }
    for (int i = 0; i < 8; i++) a[i] = b[i];
  }
  for (int i = 0; i < 8; i++) vst1_u8(d + i * row, a[i]);
}

static inline void block_2(u16 *d, int64_t row, const u16 *s, int64_t col) {
  uint16x8_t a[8];
  for (int i = 0; i < 8; i++) a[i] = vld1q_u16(s + i * col);
  for (int stage = 0; stage < 3; stage++) {
    uint16x8_t b[8];
    for (int i = 0; i < 4; i++) {
      const uint16x8x2_t z = vzipq_u16(a[i], a[i + 4]);
      b[2 * i] = z.val[0];
      b[2 * i + 1] = z.val[1];
    }
    for (int i = 0; i < 8; i++) a[i] = b[i];
  }
  for (int i = 0; i < 8; i++) vst1q_u16(d + i * row, a[i]);
}

static inline void block_4(u32 *d, int64_t row, const u32 *s, int64_t col) {
  const uint32x4x2_t x = vzipq_u32(vld1q_u32(s), vld1q_u32(s + 2 * col));
  const uint32x4x2_t y = vzipq_u32(vld1q_u32(s + col), vld1q_u32(s + 3 * col));
  const uint32x4x2_t p = vzipq_u32(x.val[0], y.val[0]), q = vzipq_u32(x.val[1], y.val[1]);
  vst1q_u32(d, p.val[0]);
  vst1q_u32(d + row, p.val[1]);
  vst1q_u32(d + 2 * row, q.val[0]);
  vst1q_u32(d + 3 * row, q.val[1]);
}

static inline void block_8(u64 *d, int64_t row, const u64 *s, int64_t col) {
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 4; c++) d[r * row + c] = s[c * col + r];
}

typedef struct {
  uint8x16_t a, b;
} wide;
static inline wide load_wide(const void *p) { return (wide){vld1q_u8(p), vld1q_u8((const uint8_t *)p + 16)}; }
static inline void store_wide(void *p, wide v) { vst1q_u8(p, v.a), vst1q_u8((uint8_t *)p + 16, v.b); }
#define BOTH(x) ((wide){vreinterpretq_u8_u64(x), vreinterpretq_u8_u64(x)})
static inline wide wide_of_1(u8 x) { return (wide){vdupq_n_u8(x), vdupq_n_u8(x)}; }
static inline wide wide_of_2(uint16_t x) { return BOTH(vreinterpretq_u64_u16(vdupq_n_u16(x))); }
static inline wide wide_of_4(uint32_t x) { return BOTH(vreinterpretq_u64_u32(vdupq_n_u32(x))); }
static inline wide wide_of_8(uint64_t x) { return BOTH(vdupq_n_u64(x)); }

#include "move.inc"

sam_move_t sam_move__neon = MOVE_TABLE;
