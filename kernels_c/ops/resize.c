/* RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR: an image in another size.
 *
 * Where output pixel i lies among the n input pixels of an axis, for m output pixels:
 *
 *      default               i * n / m
 *      align_corners         i * (n - 1) / (m - 1)          first and last pixels coincide
 *      half_pixel_centers    (i + 0.5) * n / m - 0.5        pixels are areas, not points
 *
 * Bilinear: each axis becomes a list of taps {first pixel, second pixel, share of the second}. A row of the output is
 * two input rows mixed once, over their whole width, and then mixed along x. 8-bit shares are multiples of 1/2048 and
 * the sum of the four products is rounded once, half up: within 0.56 of the true interpolation. int16 uses shares of
 * 1/1024 found in integers, which drift from the true position on large images, as the format's only kernel for it
 * does. */
#include <math.h>
#include <string.h>

#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

/* The output size: input 1, two integers. */
static sam_status output_shape(sam_ctx *ctx, sam_node *node, bool align_corners, bool half_pixel_centers) {
  const sam_tensor *in = node->inputs[0], *size = node->inputs[1];
  SAM_TRY(sam_check_rank(ctx, in, 4, 4));
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_same_quant(ctx, in, node->outputs[0]));
  SAM_TRY(sam_check_type(ctx, size, SAM_INT32));
  if (size->rank != 1 || size->dims[0] != 2)
    return sam_fail(ctx, SAM_INVALID_MODEL, "size must be a vector of 2, it has rank %d and %lld values", size->rank,
                    (long long)sam_elements(size));
  if (align_corners && half_pixel_centers)
    return sam_fail(ctx, SAM_INVALID_MODEL, "align_corners and half_pixel_centers exclude each other");
  if (!sam_is_known(size)) return sam_need_data(ctx, 1);
  const int32_t *hw = size->data;
  if (hw[0] <= 0 || hw[1] <= 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "size is %d x %d, must be above 0", hw[0], hw[1]);
  if (in->dims[1] == 0 || in->dims[2] == 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "the input has %d x %d pixels, must be above 0", in->dims[1], in->dims[2]);
  int32_t dims[4] = {in->dims[0], hw[0], hw[1], in->dims[3]};
  return sam_set_shape(ctx, node->outputs[0], 4, dims);
}

/* ---- Bilinear -------------------------------------------------------------------------------------------------------
 */

typedef sam_mix_tap tap;

typedef struct bilinear_plan {
  int64_t height, width, channels, out_height, out_width;
  size_t line; /* bytes of scratch of one thread: a mixed row */
  tap *y, *x;
} bilinear_plan;

static tap tap_at(float at, int32_t n) {
  tap t;
  t.first = at <= 0 ? 0 : at >= (float)(n - 1) ? n - 1 : (int32_t)at;
  t.second = at <= 0 || t.first == n - 1 ? t.first : t.first + 1;
  t.share.real = t.second == t.first ? 0 : at - (float)t.first;
  return t;
}
static float ratio_of(int32_t n, int32_t m, bool align_corners) {
  return align_corners && m > 1 ? (float)(n - 1) / (float)(m - 1) : (float)n / (float)m;
}

static tap tap_real(int32_t i, int32_t n, int32_t m, bool align_corners, bool half_pixel_centers) {
  const float ratio = ratio_of(n, m, align_corners);
  return tap_at(half_pixel_centers ? ((float)i + 0.5f) * ratio - 0.5f : (float)i * ratio, n);
}

static tap tap_11_bits(int32_t i, int32_t n, int32_t m, bool align_corners, bool half_pixel_centers) {
  const float ratio = ratio_of(n, m, align_corners);
  tap t = tap_at(half_pixel_centers ? (float)i * ratio + (0.5f * ratio - 0.5f) : (float)i * ratio, n);
  t.share.fixed = (int32_t)rintf(t.share.real * 2048);
  return t;
}

static tap tap_10_bits(int32_t i, int32_t n, int32_t m, bool align_corners, bool half_pixel_centers) {
  const int64_t ratio =
      align_corners && m > 1 ? (((int64_t)n - 1) * 1024 + (m - 1) / 2) / (m - 1) : ((int64_t)n * 1024 + m / 2) / m;
  const int64_t at = half_pixel_centers ? i * ratio + ratio / 2 - 512 : i * ratio;
  int64_t first = at <= 0 ? 0 : at / 1024, second = at <= 0 ? 0 : (at + 1023) / 1024;
  if (first > n - 1) first = n - 1;
  if (second > n - 1) second = n - 1;
  tap t;
  t.first = (int32_t)first;
  t.second = (int32_t)second;
  t.share.fixed = second == first ? 0 : (int32_t)(at - first * 1024);
  return t;
}

typedef struct bilinear_work {
  const bilinear_plan *plan;
  const void *in;
  void *out;
  uint8_t *scratch;
} bilinear_work;

static void f32_rows(void *arg, int64_t begin, int64_t end, int thread) {
  const bilinear_work *w = arg;
  const bilinear_plan *p = w->plan;
  const int64_t n = p->width * p->channels, c = p->channels;
  float *line = (float *)(w->scratch + (size_t)thread * p->line);
  for (int64_t row = begin; row < end; row++) {
    const tap y = p->y[row % p->out_height];
    const float *image = (const float *)w->in + row / p->out_height * p->height * n;
    const float *mixed = image + y.first * n;
    if (y.share.real != 0) {
      sam_uk.f32_mix(mixed, image + y.second * n, y.share.real, n, line);
      mixed = line;
    }
    sam_uk.f32_mix_pixels(mixed, p->x, p->out_width, c, (float *)w->out + row * p->out_width * c);
  }
}

#define DEFINE_INTEGER_ROWS(name, type, wide, mix, mix_pixels)                          \
  static void name(void *arg, int64_t begin, int64_t end, int thread) {                 \
    const bilinear_work *w = arg;                                                       \
    const bilinear_plan *p = w->plan;                                                   \
    const int64_t n = p->width * p->channels, c = p->channels;                          \
    wide *line = (wide *)(w->scratch + (size_t)thread * p->line);                       \
    for (int64_t row = begin; row < end; row++) {                                       \
      const tap y = p->y[row % p->out_height];                                          \
      const type *image = (const type *)w->in + row / p->out_height * p->height * n;    \
      mix(image + y.first * n, image + y.second * n, y.share.fixed, n, line);           \
      mix_pixels(line, p->x, p->out_width, c, (type *)w->out + row * p->out_width * c); \
    }                                                                                   \
  }

/* 16-bit values need 10 + 10 + 16 bits. */
static void s16_mix(const int16_t *a, const int16_t *b, int32_t share, int64_t n, int64_t *out) {
  for (int64_t i = 0; i < n; i++) out[i] = (int64_t)a[i] * (1024 - share) + (int64_t)b[i] * share;
}
static void s16_mix_pixels(const int64_t *line, const tap *taps, int64_t n, int64_t channels, int16_t *out) {
  for (int64_t x = 0; x < n; x++)
    for (int64_t c = 0; c < channels; c++) {
      const int64_t share = taps[x].share.fixed;
      const int64_t sum =
          line[taps[x].first * channels + c] * (1024 - share) + line[taps[x].second * channels + c] * share;
      *out++ = (int16_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
    }
}

DEFINE_INTEGER_ROWS(s8_rows, int8_t, int32_t, sam_uk.s8_mix, sam_uk.s8_mix_pixels)
DEFINE_INTEGER_ROWS(u8_rows, uint8_t, int32_t, sam_uk.u8_mix, sam_uk.u8_mix_pixels)
DEFINE_INTEGER_ROWS(s16_rows, int16_t, int64_t, s16_mix, s16_mix_pixels)

static sam_status eval_bilinear(sam_ctx *ctx, sam_node *node) {
  const bilinear_plan *p = node->state;
  const sam_tensor *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  bilinear_work w = {p, node->inputs[0]->data, out->data, node->scratch};
  const sam_task_fn task = out->type == SAM_FLOAT32 ? f32_rows
                           : out->type == SAM_INT8  ? s8_rows
                           : out->type == SAM_UINT8 ? u8_rows
                                                    : s16_rows;
  sam_parallel(ctx, out->dims[0] * p->out_height, (p->width + 2 * p->out_width) * (4 + p->channels / 4), task, &w);
  return SAM_OK;
}

static sam_status prepare_bilinear(sam_ctx *ctx, sam_node *node) {
  const sam_resize_bilinear_options *options = node->options;
  SAM_TRY(output_shape(ctx, node, options->align_corners, options->half_pixel_centers));
  const sam_tensor *in = node->inputs[0], *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  bilinear_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->height = in->dims[1], p->width = in->dims[2], p->channels = in->dims[3];
  p->out_height = out->dims[1], p->out_width = out->dims[2];
  p->y = sam_alloc(ctx, (size_t)p->out_height * sizeof *p->y);
  p->x = sam_alloc(ctx, (size_t)p->out_width * sizeof *p->x);
  if (!p->y || !p->x) return SAM_OUT_OF_MEMORY;
  tap (*find)(int32_t, int32_t, int32_t, bool, bool) = in->type == SAM_FLOAT32 ? tap_real
                                                       : in->type == SAM_INT16 ? tap_10_bits
                                                                               : tap_11_bits;
  for (int32_t i = 0; i < out->dims[1]; i++)
    p->y[i] = find(i, in->dims[1], out->dims[1], options->align_corners, options->half_pixel_centers);
  for (int32_t i = 0; i < out->dims[2]; i++)
    p->x[i] = find(i, in->dims[2], out->dims[2], options->align_corners, options->half_pixel_centers);
  p->line = ((size_t)(p->width * p->channels) * (in->type == SAM_INT16 ? 8 : 4) + 63) & ~(size_t)63;
  return sam_scratch(ctx, p->line * (size_t)sam_threads(ctx));
}

const sam_op sam_op_resize_bilinear = {
    .name = "RESIZE_BILINEAR",
    .options = SAM_OPTIONS_RESIZE_BILINEAR,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_bilinear,
    .eval =
        {
            [SAM_FLOAT32] = eval_bilinear,
            [SAM_INT8] = eval_bilinear,
            [SAM_UINT8] = eval_bilinear,
            [SAM_INT16] = eval_bilinear,
        },
};

/* ---- Nearest --------------------------------------------------------------------------------------------------------
 */

typedef struct nearest_plan {
  int64_t height, width, pixel, out_height, out_width; /* pixel: bytes */
  int32_t *y, *x;
} nearest_plan;

static int32_t nearest(int32_t i, int32_t n, int32_t m, bool align_corners, bool half_pixel_centers) {
  const float ratio = align_corners && m > 1 ? (float)(n - 1) / (float)(m - 1) : (float)n / (float)m;
  const float at = ((float)i + (half_pixel_centers ? 0.5f : 0.0f)) * ratio;
  const float whole = align_corners ? roundf(at) : floorf(at);
  return whole >= (float)(n - 1) ? n - 1 : whole <= 0 ? 0 : (int32_t)whole;
}

typedef struct nearest_work {
  const nearest_plan *plan;
  const uint8_t *in;
  uint8_t *out;
} nearest_work;

static void nearest_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const nearest_work *w = arg;
  const nearest_plan *p = w->plan;
  const int64_t line = p->out_width * p->pixel;
  const size_t pixel = (size_t)p->pixel;
  const uint8_t *before = NULL;
  for (int64_t row = begin; row < end; row++) {
    const uint8_t *src = w->in + (row / p->out_height * p->height + p->y[row % p->out_height]) * p->width * p->pixel;
    uint8_t *dst = w->out + row * line;
    if (src == before) {
      memcpy(dst, dst - line, (size_t)line);
      continue;
    }
    before = src;
    switch (pixel) { /* constant sizes become single moves */
      case 1:
        for (int64_t x = 0; x < p->out_width; x++) dst[x] = src[p->x[x]];
        break;
      case 4:
        for (int64_t x = 0; x < p->out_width; x++) memcpy(dst + x * 4, src + (int64_t)p->x[x] * 4, 4);
        break;
      case 16:
        for (int64_t x = 0; x < p->out_width; x++) memcpy(dst + x * 16, src + (int64_t)p->x[x] * 16, 16);
        break;
      case 32:
        for (int64_t x = 0; x < p->out_width; x++) memcpy(dst + x * 32, src + (int64_t)p->x[x] * 32, 32);
        break;
      default:
        for (int64_t x = 0; x < p->out_width; x++) memcpy(dst + x * p->pixel, src + (int64_t)p->x[x] * p->pixel, pixel);
    }
  }
}

static sam_status eval_nearest(sam_ctx *ctx, sam_node *node) {
  const nearest_plan *p = node->state;
  const sam_tensor *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  nearest_work w = {p, node->inputs[0]->data, out->data};
  sam_parallel(ctx, out->dims[0] * p->out_height, p->out_width * (3 + p->pixel / 16), nearest_rows, &w);
  return SAM_OK;
}

static sam_status prepare_nearest(sam_ctx *ctx, sam_node *node) {
  const sam_resize_nearest_neighbor_options *options = node->options;
  SAM_TRY(output_shape(ctx, node, options->align_corners, options->half_pixel_centers));
  const sam_tensor *in = node->inputs[0], *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  nearest_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->height = in->dims[1], p->width = in->dims[2];
  p->pixel = (int64_t)in->dims[3] * (sam_type_bits(in->type) / 8);
  p->out_height = out->dims[1], p->out_width = out->dims[2];
  p->y = sam_alloc(ctx, (size_t)p->out_height * sizeof *p->y);
  p->x = sam_alloc(ctx, (size_t)p->out_width * sizeof *p->x);
  if (!p->y || !p->x) return SAM_OUT_OF_MEMORY;
  for (int32_t i = 0; i < out->dims[1]; i++)
    p->y[i] = nearest(i, in->dims[1], out->dims[1], options->align_corners, options->half_pixel_centers);
  for (int32_t i = 0; i < out->dims[2]; i++)
    p->x[i] = nearest(i, in->dims[2], out->dims[2], options->align_corners, options->half_pixel_centers);
  return SAM_OK;
}

const sam_op sam_op_resize_nearest_neighbor = {
    .name = "RESIZE_NEAREST_NEIGHBOR",
    .options = SAM_OPTIONS_RESIZE_NEAREST_NEIGHBOR,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_nearest,
    .eval =
        {
            [SAM_FLOAT32] = eval_nearest,
            [SAM_FLOAT16] = eval_nearest,
            [SAM_BFLOAT16] = eval_nearest,
            [SAM_INT8] = eval_nearest,
            [SAM_UINT8] = eval_nearest,
            [SAM_INT16] = eval_nearest,
            [SAM_UINT16] = eval_nearest,
            [SAM_INT32] = eval_nearest,
            [SAM_UINT32] = eval_nearest,
            [SAM_INT64] = eval_nearest,
            [SAM_BOOL] = eval_nearest,
            [SAM_FLOAT8_E4M3FN] = eval_nearest,
            [SAM_FLOAT8_E5M2] = eval_nearest,
        },
};
