/* Sliding windows: how many positions one axis has and where the first one starts.
 *
 *      before = 1        in = 5, filter = 3, stride = 2, SAME
 *      . [0 1] 2 3 4 .       out = 3 windows, at -1, 1 and 3
 *        . [1 2 3] 4 .
 *            . [3 4 .]
 */
#ifndef SAM_COMMON_WINDOW_H
#define SAM_COMMON_WINDOW_H

#include "samara/op.h"
#include "samara/options.h"

typedef enum sam_axis { SAM_HEIGHT = 0, SAM_WIDTH = 1 } sam_axis;

/* Options come from an untrusted file: any value is possible, so the arithmetic is 64 bits wide. What passes has
 * filter, stride, dilation > 0 and a dilated filter that spans less than 2^30 pixels, so `before` is below 2^29. */
static inline sam_status sam_window_axis(sam_ctx *ctx, sam_axis which, int32_t padding, int32_t in, int32_t filter,
                                         int32_t stride, int32_t dilation, int32_t *out, int32_t *before) {
  const char *axis = which == SAM_HEIGHT ? "height" : "width";
  const int32_t *merged = ctx->node->merged_pad; /* only with VALID padding; the plan sees to it */
  if (filter <= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "filter %s is %d, must be above 0", axis, filter);
  if (stride <= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "stride along the %s is %d, must be above 0", axis, stride);
  if (dilation <= 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "dilation along the %s is %d, must be above 0", axis, dilation);
  int64_t span = ((int64_t)filter - 1) * dilation + 1;
  if (span >= (1 << 30))
    return sam_fail(ctx, SAM_UNSUPPORTED, "the window spans %lld pixels along the %s", (long long)span, axis);
  *before = 0;
  if (in == 0) {
    *out = 0;
  } else if (padding == SAM_PADDING_SAME) {
    int64_t n = ((int64_t)in + stride - 1) / stride;
    int64_t total = (n - 1) * stride + span - in;
    *out = (int32_t)n;
    *before = total > 0 ? (int32_t)(total / 2) : 0;
  } else {
    int64_t padded = in;
    if (merged) {
      *before = merged[2 * which];
      padded += (int64_t)merged[2 * which] + merged[2 * which + 1];
    }
    if (span > padded)
      return sam_fail(ctx, SAM_INVALID_MODEL, "the window spans %lld pixels along the %s, the input has %lld",
                      (long long)span, axis, (long long)padded);
    *out = (int32_t)((padded - span) / stride + 1);
  }
  return SAM_OK;
}

#endif
