/* Samara: microkernels of the operators that walk over images: pooling and resizing. */
#ifndef SAM_UKERNELS_SPATIAL_H
#define SAM_UKERNELS_SPATIAL_H

#include <stdint.h>

/* ---- Pooling --------------------------------------------------------------------------------------------------------
 */

/* Rectangles of pixels, all inside the image: `rows` lines `row_stride` elements apart, each of `cols` pixels of
 * `channels` elements. There are n, `step` elements from one to the next; a kernel reduces each to one pixel of the
 * output, which lie side by side. */
typedef struct sam_pool_window {
  int64_t rows, row_stride, cols, channels, n, step;
} sam_pool_window;

/* out[c] = max or mean over the rectangle, clamped to [lo, hi]. */
typedef void sam_f32_max_pool_t(const float *in, const sam_pool_window *window, float lo, float hi, float *out);
typedef void sam_f32_avg_pool_t(const float *in, const sam_pool_window *window, float lo, float hi, float *out);
/* The root of the mean of the squares. */
typedef void sam_f32_l2_pool_t(const float *in, const sam_pool_window *window, float lo, float hi, float *out);
typedef void sam_s8_max_pool_t(const int8_t *in, const sam_pool_window *window, int32_t lo, int32_t hi, int8_t *out);
typedef void sam_u8_max_pool_t(const uint8_t *in, const sam_pool_window *window, int32_t lo, int32_t hi, uint8_t *out);
/* Means of integers round half away from zero. At most SAM_POOL_MAX_MEAN pixels: the division is done in floats, which
 * is exact while the sum is below 2^24. */
enum { SAM_POOL_MAX_MEAN = 1 << 15 };
typedef void sam_s8_avg_pool_t(const int8_t *in, const sam_pool_window *window, int32_t lo, int32_t hi, int8_t *out);
typedef void sam_u8_avg_pool_t(const uint8_t *in, const sam_pool_window *window, int32_t lo, int32_t hi, uint8_t *out);

/* ---- Bilinear mixing ------------------------------------------------------------------------------------------------
 */

/* An output position between two input pixels: second gets `share` (fixed: of 2048), first the rest. */
typedef struct sam_mix_tap {
  int32_t first, second;
  union {
    float real;
    int32_t fixed;
  } share;
} sam_mix_tap;

/* out[i] = a[i] * (1 - share) + b[i] * share; the integer kinds keep the factor 2048. */
typedef void sam_f32_mix_t(const float *a, const float *b, float share, int64_t n, float *out);
typedef void sam_s8_mix_t(const int8_t *a, const int8_t *b, int32_t share, int64_t n, int32_t *out);
typedef void sam_u8_mix_t(const uint8_t *a, const uint8_t *b, int32_t share, int64_t n, int32_t *out);
/* n output pixels of `channels` elements, each mixed from two pixels of `line`. The integer kinds take out the factor
 * 2^22 that line and share have by now, rounding half up. */
typedef void sam_f32_mix_pixels_t(const float *line, const sam_mix_tap *taps, int64_t n, int64_t channels, float *out);
typedef void sam_s8_mix_pixels_t(const int32_t *line, const sam_mix_tap *taps, int64_t n, int64_t channels,
                                 int8_t *out);
typedef void sam_u8_mix_pixels_t(const int32_t *line, const sam_mix_tap *taps, int64_t n, int64_t channels,
                                 uint8_t *out);

#endif
