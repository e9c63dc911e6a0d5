/* Samara: slides a matrix product over an image: CONV_2D, and each phase of TRANSPOSE_CONV.
 *
 *   output pixel (y_first + i * y_step, x_first + j * x_step), i < y_count, j < x_count
 *     = sum over taps t of   input pixel (i * sy + dy[t], j * sx + dx[t])   times   weights of tap t
 *
 * Input pixels outside the image count as zero. Three ways to feed the kernel's row pointers:
 *   DIRECT   no tap ever leaves the image, and the kernel reads what the tensor holds: point into it
 *   DENSE    windows of one pixel: convert a block of pixels for the kernel and point there
 *   COPY     copy a strip of rows, with its border, to scratch (it stays in the cache) and point there; runs of few
 *            bytes, such as three pixels of three channels, are then copied side by side, window by window
 *   GATHER   copy the window of each output pixel by itself, where strips would be huge */
#ifndef SAM_COMMON_SLIDE_H
#define SAM_COMMON_SLIDE_H

#include "common/matmul.h"

typedef enum sam_slide_mode { SAM_SLIDE_DIRECT, SAM_SLIDE_DENSE, SAM_SLIDE_COPY, SAM_SLIDE_GATHER } sam_slide_mode;

typedef struct sam_slide {
  /* Set by the caller before sam_slide_plan. */
  int32_t batches, h, w, channels; /* input; channels of all groups */
  int32_t out_h, out_w, out_channels;
  int32_t y_first, y_step, y_count, x_first, x_step, x_count;
  int32_t sy, sx;
  int32_t taps;
  const int32_t *dy, *dx;
  const int64_t *source; /* of each tap: offset of its channel 0 in a weight column, in elements */
  int32_t tap_channels;  /* channels of one tap: those of one group */

  /* sam_slide's own. Neighbouring taps are joined to longer runs where memory allows. */
  sam_slide_mode mode;
  int32_t runs, *run_dy, *run_dx, run_pixels;
  int64_t *run_source;
  int32_t min_dy, max_dy, min_dx, max_dx;  /* max_dx: the last pixel of a run */
  int32_t bands, band_end[SAM_TAP_RANGES]; /* rows of output pixels up to band_end[b] meet the taps of mm->ranges[b] */
  int64_t strip_rows, row_pixels;
  ptrdiff_t *tap_bytes;
  int64_t window_bytes; /* COPY: of a window whose runs lie side by side; 0: pointers go into the strip */
  int64_t strip_bytes;  /* then: where the windows begin in the scratch of a thread */
  size_t thread_bytes;  /* scratch of one thread */
} sam_slide;

/* Lays the taps out, and sets taps, k, tap_source of mm (after sam_matmul_choose; before sam_matmul_prepare). */
sam_status sam_slide_plan(sam_ctx *ctx, sam_slide *win, sam_matmul *mm);
/* Scratch bytes of sam_slide_run. */
size_t sam_slide_scratch(const sam_ctx *ctx, const sam_slide *win);
/* `in`: the image in elements of mm->element bytes; hybrid: already quantized, scale and zero of each batch. */
void sam_slide_run(sam_ctx *ctx, const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch,
                   const float *batch_scale, const int32_t *batch_zero);
/* Pixels [first, last) where windows are of one pixel and all images one long row of pixels (sam_slide_is_row), by the
 * calling thread alone. `in` and `out` say where pixel 0 lies, or would lie. */
static inline bool sam_slide_is_row(const sam_slide *win) {
  return win->out_h == 1 && win->batches == 1 && (win->mode == SAM_SLIDE_DIRECT || win->mode == SAM_SLIDE_DENSE) &&
         win->taps == 1 && win->sx == 1;
}
void sam_slide_pixels(const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch,
                      int64_t first, int64_t last, int thread);

#endif
