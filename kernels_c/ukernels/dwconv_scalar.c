/* Depthwise convolution of integers, one channel of one pixel at a time: the meaning of the kind. */
#include "common/requant.h"
#include "ukernels/ukernels.h"

#define DEFINE_RUN(name, type)                                                                 \
  static void name(const sam_dw_strip *s) {                                                    \
    const int16_t *weights = s->weights;                                                       \
    const int32_t *bias = s->bias;                                                             \
    type *out = s->out[0];                                                                     \
    for (int64_t x = 0; x < s->n; x++)                                                         \
      for (int64_t c = 0; c < s->channels; c++) {                                              \
        uint32_t acc = (uint32_t)bias[c]; /* wraps like the vector kernels */                  \
        for (int32_t ky = 0; ky < s->kh; ky++) {                                               \
          const type *in = (const type *)s->rows[ky] + x * s->x_step + c;                      \
          for (int32_t kx = 0; kx < s->kw; kx++)                                               \
            acc += (uint32_t)(in[s->taps[kx]] * weights[(ky * s->kw + kx) * s->channels + c]); \
        }                                                                                      \
        *out++ = (type)sam_requant((int32_t)acc, s->scale[c], s->zero_point, s->lo, s->hi);    \
      }                                                                                        \
  }
DEFINE_RUN(s8_run, int8_t)
DEFINE_RUN(u8_run, uint8_t)

#define PORTABLE(function) \
  { .run = function, .element = 2, .group = 1, .block = 0, .least = 1, .rows = 1 }
sam_s8_dw_t sam_s8_dw__scalar = PORTABLE(s8_run);
sam_s8_dw3x3s1_t sam_s8_dw3x3s1__scalar = PORTABLE(s8_run);
sam_s8_dw3x3_t sam_s8_dw3x3__scalar = PORTABLE(s8_run);
sam_s8_dw5x5s1_t sam_s8_dw5x5s1__scalar = PORTABLE(s8_run);
sam_s8_dw5x5_t sam_s8_dw5x5__scalar = PORTABLE(s8_run);
sam_u8_dw_t sam_u8_dw__scalar = PORTABLE(u8_run);
sam_u8_dw3x3s1_t sam_u8_dw3x3s1__scalar = PORTABLE(u8_run);
sam_u8_dw3x3_t sam_u8_dw3x3__scalar = PORTABLE(u8_run);
