/* Samara: half-precision and bfloat16 numbers, converted by integer arithmetic: exact on every machine. */
#ifndef SAM_COMMON_FP16_H
#define SAM_COMMON_FP16_H

#include <stdint.h>
#include <string.h>

static inline uint32_t sam_f32_bits(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
static inline float sam_f32_from_bits(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* IEEE binary16 to float: every half is a float exactly. NaN payloads keep their upper bits and become quiet. */
static inline float sam_f16_to_f32(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff;
  if (exponent == 31) return sam_f32_from_bits(sign | 0x7f800000 | (fraction ? 0x400000 | fraction << 13 : 0));
  if (exponent) return sam_f32_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = (float)fraction * 0x1p-24f; /* subnormal */
  return sign ? -magnitude : magnitude;
}

/* Float to IEEE binary16, half to even; overflow gives infinity. */
static inline uint16_t sam_f32_to_f16(float x) {
  const uint32_t u = sam_f32_bits(x), magnitude = u & 0x7fffffff;
  const uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and more round to infinity */
  if (magnitude < 0x38800000) {                                  /* below 2^-14: subnormal or zero */
    /* Adding 0.5 lines the bits up so that the float addition itself rounds to a multiple of 2^-24. */
    const float aligned = sam_f32_from_bits(magnitude) + 0.5f;
    return (uint16_t)(sign | (sam_f32_bits(aligned) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

static inline float sam_bf16_to_f32(uint16_t b) { return sam_f32_from_bits((uint32_t)b << 16); }

/* Float to bfloat16, half to even. */
static inline uint16_t sam_f32_to_bf16(float x) {
  const uint32_t u = sam_f32_bits(x);
  if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

#endif
