/* Samara: fewer than VF_N narrow integers, for vector layers that cannot load a part of a vector; the other lanes are
 * 0. */
#ifndef SAM_SIMD_PART_H
#define SAM_SIMD_PART_H

static inline vi vi_load_s8_n(const int8_t *p, size_t n) {
  int8_t b[VF_N] = {0};
  memcpy(b, p, n);
  return vi_load_s8(b);
}
static inline vi vi_load_u8_n(const uint8_t *p, size_t n) {
  uint8_t b[VF_N] = {0};
  memcpy(b, p, n);
  return vi_load_u8(b);
}
static inline vi vi_load_s16_n(const int16_t *p, size_t n) {
  int16_t b[VF_N] = {0};
  memcpy(b, p, 2 * n);
  return vi_load_s16(b);
}

#endif
