/* Tables of 256 bytes by table instructions of 64 entries: an index out of range leaves what was there. 32-bit ARM has
 * only 32 entries at a time, on half vectors: there a plain loop is as good. */
#include <arm_neon.h>

#include "ukernels/ukernels.h"

void sam_u8_lookup__neon(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  int64_t i = 0;
#if defined(__aarch64__)
  const uint8x16x4_t t0 = vld1q_u8_x4(table), t1 = vld1q_u8_x4(table + 64), t2 = vld1q_u8_x4(table + 128),
                     t3 = vld1q_u8_x4(table + 192);
  const uint8x16_t c1 = vdupq_n_u8(64), c2 = vdupq_n_u8(128), c3 = vdupq_n_u8(192);
  for (; i + 32 <= n; i += 32) {
    const uint8x16_t u = vld1q_u8(x + i), v = vld1q_u8(x + i + 16);
    uint8x16_t a = vqtbl4q_u8(t0, u), b = vqtbl4q_u8(t0, v);
    a = vqtbx4q_u8(a, t1, vsubq_u8(u, c1));
    b = vqtbx4q_u8(b, t1, vsubq_u8(v, c1));
    a = vqtbx4q_u8(a, t2, vsubq_u8(u, c2));
    b = vqtbx4q_u8(b, t2, vsubq_u8(v, c2));
    a = vqtbx4q_u8(a, t3, vsubq_u8(u, c3));
    b = vqtbx4q_u8(b, t3, vsubq_u8(v, c3));
    vst1q_u8(y + i, a);
    vst1q_u8(y + i + 16, b);
  }
#endif
  for (; i < n; i++) y[i] = table[x[i]];
}
