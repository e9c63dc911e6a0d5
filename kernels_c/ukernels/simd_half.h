/* Samara: halves to floats and back (common/fp16.h), for vector layers whose machines do not convert them; over vi and
 * vf. */
#ifndef SAM_SIMD_HALF_H
#define SAM_SIMD_HALF_H

static inline vf vf_load_f16(const uint16_t *p) {
  const vi h = vi_load_s16((const int16_t *)p), m = vi_and(h, vi_set(0x7fff));
  const vf subnormal = vf_mul(vf_from_vi(m), vf_set(0x1p-24f));
  const vi normal = vi_add(vi_shl(m, 13), vi_set(112 << 23));
  vi x = vi_select(vi_gt(m, vi_set(0x3ff)), normal, vi_bits(subnormal));
  x = vi_select(vi_gt(m, vi_set(0x7bff)), vi_or(x, vi_set(0x7f800000)), x);
  x = vi_select(vi_gt(m, vi_set(0x7c00)), vi_or(x, vi_set(0x400000)), x);
  return vf_bits(vi_or(x, vi_and(h, vi_set(INT32_MIN))));
}

static inline void vf_store_f16(uint16_t *p, vf v) {
  const vi u = vi_bits(v), m = vi_and(u, vi_set(0x7fffffff)), upper = vi_shr(m, 13);
  const vi rounded = vi_add(m, vi_add(vi_set(0xfff - 0x38000000), vi_and(upper, vi_set(1))));
  const vi subnormal = vi_sub(vi_bits(vf_add(vf_bits(m), vf_set(0.5f))), vi_set(0x3f000000));
  vi h = vi_select(vi_gt(vi_set(0x38800000), m), subnormal, vi_shr(rounded, 13));
  h = vi_select(vi_gt(m, vi_set(0x477fefff)), vi_set(0x7c00), h);
  h = vi_select(vi_gt(m, vi_set(0x7f800000)), vi_or(vi_set(0x7e00), vi_and(upper, vi_set(0x3ff))), h);
  h = vi_or(h, vi_and(vi_shr(u, 16), vi_set(0x8000)));
  vi_store_s16((int16_t *)p, vi_sar(vi_shl(h, 16), 16));
}

#endif
