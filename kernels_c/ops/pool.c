/* AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D: every output pixel is one number per channel about a window of the input.
 *
 *      window at the border          the part outside the image is cut off before a kernel sees it, so kernels
 *        . .|. .                     walk plain rectangles and the mean counts real pixels only
 *        . .|x x   <- 1 x 2 left
 *
 * The microkernel reduces one rectangle; this file finds the rectangles and splits the output pixels over the threads. */
#include <math.h>

#include "common/activation.h"
#include "common/window.h"
#include "ops.h"
#include "ukernels/ukernels.h"

typedef struct pool_plan {
  int64_t height, width, channels, out_height, out_width;
  int32_t filter_h, filter_w, stride_h, stride_w, top, left;
  float real_lo, real_hi;
  int32_t lo, hi;
  bool wide; /* windows too large for the 32-bit means */
} pool_plan;

typedef struct pool_work {
  const pool_plan *plan;
  const void *in;
  void *out;
} pool_work;

/* Reduces windows that begin at element `at` of the input to pixels from `pixel` of the output on. */
typedef void (*reduce_fn)(const pool_work *w, int64_t at, const sam_pool_window *windows, int64_t pixel);

/* Calls `reduce` for the windows of some output pixels: one by one where the image cuts them off, else all of a row at
 * once. */
static inline void over_pixels(const pool_work *w, int64_t begin, int64_t end, reduce_fn reduce) {
  const pool_plan *p = w->plan;
  sam_pool_window windows = {.row_stride = p->width * p->channels, .channels = p->channels};
  windows.step = p->stride_w * p->channels;
  const int64_t whole = p->width + p->left - p->filter_w; /* the last window inside ends there, from the first tap on */
  int64_t i = begin % p->out_width;
  for (int64_t row = begin / p->out_width, pixel = begin; pixel < end; row++, i = 0) {
    const int64_t image = row / p->out_height;
    int64_t y = row % p->out_height * p->stride_h - p->top, y_end = y + p->filter_h;
    if (y < 0) y = 0;
    if (y_end > p->height) y_end = p->height;
    for (; i < p->out_width && pixel < end; i += windows.n, pixel += windows.n) {
      int64_t x = i * p->stride_w - p->left, x_end = x + p->filter_w;
      windows.n = 1;
      if (x >= 0 && x_end <= p->width) windows.n = whole / p->stride_w + 1 - i;
      if (windows.n > p->out_width - i) windows.n = p->out_width - i;
      if (windows.n > end - pixel) windows.n = end - pixel;
      if (x < 0) x = 0;
      if (x_end > p->width) x_end = p->width;
      windows.cols = x_end - x;
      windows.rows = y_end - y;
      if (windows.cols == p->width && windows.n == 1)
        windows.cols *= windows.rows, windows.rows = 1; /* without a gap */
      reduce(w, ((image * p->height + y) * p->width + x) * p->channels, &windows, pixel);
    }
  }
}

#define DEFINE_POOL(name, type, lo_, hi_, kernel)                                                             \
  static void name##_windows(const pool_work *w, int64_t at, const sam_pool_window *windows, int64_t pixel) { \
    const pool_plan *p = w->plan;                                                                             \
    kernel((const type *)w->in + at, windows, p->lo_, p->hi_, (type *)w->out + pixel * p->channels);          \
  }                                                                                                           \
  static void name##_pixels(void *arg, int64_t begin, int64_t end, int thread) {                              \
    (void)thread;                                                                                             \
    over_pixels(arg, begin, end, name##_windows);                                                             \
  }                                                                                                           \
  static sam_status name(sam_ctx *ctx, sam_node *node) { return run(ctx, node, name##_pixels); }

static sam_status run(sam_ctx *ctx, sam_node *node, sam_task_fn task) {
  const pool_plan *p = node->state;
  const sam_tensor *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  pool_work w = {p, node->inputs[0]->data, out->data};
  const int64_t h = p->filter_h < p->height ? p->filter_h : p->height;
  const int64_t v = p->filter_w < p->width ? p->filter_w : p->width;
  sam_parallel(ctx, out->dims[0] * p->out_height * p->out_width, 20 + h * v * (1 + p->channels / 8), task, &w);
  return SAM_OK;
}

/* What no microkernel does. 16-bit pools are rare; means of huge windows need wide sums. */
#define DEFINE_PLAIN(name, type, first, combine, finish)                                                     \
  static void name(const type *in, const sam_pool_window *w, int32_t lo, int32_t hi, type *out) {            \
    const int64_t n = w->rows * w->cols;                                                                     \
    (void)n;                                                                                                 \
    for (int64_t i = 0; i < w->n; i++, in += w->step, out += w->channels)                                    \
      for (int64_t c = 0; c < w->channels; c++) {                                                            \
        int64_t s = first;                                                                                   \
        for (int64_t y = 0; y < w->rows; y++)                                                                \
          for (int64_t x = 0; x < w->cols; x++) s = combine(s, in[y * w->row_stride + x * w->channels + c]); \
        const int64_t value = finish(s);                                                                     \
        out[c] = (type)(value < lo ? lo : value > hi ? hi : value);                                          \
      }                                                                                                      \
  }
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SUM(a, b) ((a) + (b))
#define AS_IS(s) (s)
#define MEAN(s) (((s) > 0 ? (s) + n / 2 : (s)-n / 2) / n)
DEFINE_PLAIN(s8_wide_mean, int8_t, 0, SUM, MEAN)
DEFINE_PLAIN(u8_wide_mean, uint8_t, 0, SUM, MEAN)
DEFINE_PLAIN(s16_mean, int16_t, 0, SUM, MEAN)
DEFINE_PLAIN(s16_max, int16_t, INT16_MIN, LARGER, AS_IS)

DEFINE_POOL(eval_f32_max, float, real_lo, real_hi, sam_uk.f32_max_pool)
DEFINE_POOL(eval_f32_mean, float, real_lo, real_hi, sam_uk.f32_avg_pool)
DEFINE_POOL(eval_f32_l2, float, real_lo, real_hi, sam_uk.f32_l2_pool)
DEFINE_POOL(eval_s8_max, int8_t, lo, hi, sam_uk.s8_max_pool)
DEFINE_POOL(eval_u8_max, uint8_t, lo, hi, sam_uk.u8_max_pool)
DEFINE_POOL(eval_s16_max, int16_t, lo, hi, s16_max)
DEFINE_POOL(eval_s8_mean, int8_t, lo, hi, (p->wide ? s8_wide_mean : sam_uk.s8_avg_pool))
DEFINE_POOL(eval_u8_mean, uint8_t, lo, hi, (p->wide ? u8_wide_mean : sam_uk.u8_avg_pool))
DEFINE_POOL(eval_s16_mean, int16_t, lo, hi, s16_mean)

static sam_status prepare(sam_ctx *ctx, sam_node *node) {
  const sam_pool_2d_options *options = node->options;
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_rank(ctx, in, 4, 4));
  SAM_TRY(sam_check_same_type(ctx, out, in));
  pool_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  SAM_TRY(sam_activation_bounds_f32(ctx, options->fused_activation_function, &p->real_lo, &p->real_hi));
  if (in->type != SAM_FLOAT32) {
    SAM_TRY(sam_check_quant(ctx, in));
    SAM_TRY(sam_check_same_quant(ctx, in, out));
    SAM_TRY(sam_activation_bounds_quantized(ctx, options->fused_activation_function, out, &p->lo, &p->hi));
  }
  int32_t dims[4] = {in->dims[0], 0, 0, in->dims[3]};
  SAM_TRY(sam_window_axis(ctx, SAM_HEIGHT, options->padding, in->dims[1], options->filter_height, options->stride_h, 1,
                          &dims[1], &p->top));
  SAM_TRY(sam_window_axis(ctx, SAM_WIDTH, options->padding, in->dims[2], options->filter_width, options->stride_w, 1,
                          &dims[2], &p->left));
  p->height = in->dims[1], p->width = in->dims[2], p->channels = in->dims[3];
  p->out_height = dims[1], p->out_width = dims[2];
  p->filter_h = options->filter_height, p->filter_w = options->filter_width;
  p->stride_h = options->stride_h, p->stride_w = options->stride_w;
  const int64_t rows = p->filter_h < p->height ? p->filter_h : p->height;
  const int64_t cols = p->filter_w < p->width ? p->filter_w : p->width;
  p->wide = rows > SAM_POOL_MAX_MEAN || cols > SAM_POOL_MAX_MEAN || rows * cols > SAM_POOL_MAX_MEAN;
  return sam_set_shape(ctx, out, 4, dims);
}

const sam_op sam_op_average_pool_2d = {
    .name = "AVERAGE_POOL_2D",
    .options = SAM_OPTIONS_POOL_2D,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare,
    .eval =
        {
            [SAM_FLOAT32] = eval_f32_mean,
            [SAM_INT8] = eval_s8_mean,
            [SAM_UINT8] = eval_u8_mean,
            [SAM_INT16] = eval_s16_mean,
        },
};

const sam_op sam_op_max_pool_2d = {
    .name = "MAX_POOL_2D",
    .options = SAM_OPTIONS_POOL_2D,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare,
    .eval =
        {
            [SAM_FLOAT32] = eval_f32_max,
            [SAM_INT8] = eval_s8_max,
            [SAM_UINT8] = eval_u8_max,
            [SAM_INT16] = eval_s16_max,
        },
};

const sam_op sam_op_l2_pool_2d = {
    .name = "L2_POOL_2D",
    .options = SAM_OPTIONS_POOL_2D,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare,
    .eval = {[SAM_FLOAT32] = eval_f32_l2},
};
