/* DEPTHWISE_CONV_2D: every channel is convolved with its own filter; with a depth multiplier m, with m of them.
 *
 * The ways through this file:
 *
 *   float32, int8, uint8      strips: the microkernels of ukernels/dwconv.h compute `kernel->rows` output rows at a
 * time from pointers to input rows int16 x int8              plain loops, wide sums (the two rounding rules of
 * common/requant.h) float32 x int8 (hybrid)   each image is quantized to int8, plain loops, float epilogue
 *
 * Strips. A kernel knows no borders, so a row is handed over as a copy that has them:
 *
 *      zp zp | row of the image, channels repeated m times | zp        in a ring of as many rows as overlap
 *
 * or as it lies in the image where the window never crosses the sides. Few channels would leave most lanes of a vector
 * empty. With stride 1 the row is then taken for one whose pixels have `lanes` channels (`flat`: several real pixels
 * lie side by side, the weights repeat); otherwise pixels are widened to the least number of channels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/activation.h"
#include "common/matmul.h"
#include "common/requant.h"
#include "common/strips.h"
#include "common/window.h"
#include "ops.h"
#include "ukernels/ukernels.h"

typedef struct dw_plan {
  int64_t height, width, channels, out_height, out_width, out_channels, multiplier;
  int32_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, top, left;
  int32_t in_zero, lo, hi;
  float real_lo, real_hi;
  bool has_bias, wide_bias;
  /* Strips. Sizes in elements where not said otherwise. */
  sam_dw_kernel *kernel;
  sam_dw_packing packing;
  sam_dw_strip strip; /* all but the pointers that change from strip to strip */
  int64_t size;       /* bytes of an element */
  int64_t pixel;      /* channels of a pixel of a prepared row */
  int64_t reach;      /* elements of a row the kernel may read */
  int64_t row_pixels; /* pixels of a prepared row */
  int64_t slots;      /* rows in the ring */
  int32_t n_rows;     /* row pointers of a strip */
  bool flat, direct, out_direct, split;
  bool border;          /* windows go beyond the first or the last row */
  int64_t *taps;        /* kw */
  int64_t plane;        /* flat with a stride: elements of one of the planes of a row */
  int64_t inner, outer; /* split: outputs from inner to outer do not cross the sides */
  int64_t edge_pixels;  /* split: pixels of a copy */
  const void *packed;   /* NULL: the filter is not constant, pack in eval */
  int64_t n_packed;
  int32_t *order;
  size_t zero_bytes, row_bytes, out_bytes, thread_bytes, packed_bytes;
  size_t hybrid; /* where in the scratch the requantized input lies; 0: not hybrid */
  float *scale;  /* in packed order */
  /* int16: one multiplier for each channel */
  sam_multiplier *scale16;
} dw_plan;

typedef struct dw_work {
  const dw_plan *plan;
  const void *in, *filter, *bias;
  void *out;
  sam_dw_strip strip;
  uint8_t *threads; /* scratch */
  int64_t ring;     /* see sam_rows */
  bool goes_on;     /* the rings of copies hold the rows above */
} dw_work;

/* Row `at` of an image. */
static const uint8_t *row_of(const dw_work *w, int64_t image, int64_t at) {
  const dw_plan *p = w->plan;
  const int64_t row = w->ring ? at % w->ring : image * p->height + at;
  return (const uint8_t *)w->in + row * p->width * p->channels * p->size;
}

/* ---- Strips ---------------------------------------------------------------------------------------------------------
 */

/* Items, of kernel->rows output rows, of an image. */
static int64_t items_of(const dw_plan *p) { return (p->out_height + p->kernel->rows - 1) / p->kernel->rows; }

/* One thread's scratch, in this order: row pointers, a row of zeros, tags of the ring, ring, output rows. */
typedef struct dw_lane {
  const void **rows;
  uint8_t *zero;
  int64_t *tags;
  uint8_t *ring, *out;
} dw_lane;

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static dw_lane lane_of(const dw_work *w, int thread) {
  const dw_plan *p = w->plan;
  uint8_t *base = w->threads + (size_t)thread * p->thread_bytes;
  dw_lane lane;
  lane.rows = (const void **)base;
  base += rounded((size_t)p->n_rows * sizeof(void *));
  lane.zero = base;
  base += p->zero_bytes;
  lane.tags = (int64_t *)base;
  base += rounded((size_t)p->slots * sizeof(int64_t));
  lane.ring = base;
  if (p->split) base += rounded((size_t)(p->n_rows * p->edge_pixels * p->pixel * p->size));
  lane.out = base + (size_t)p->slots * p->row_bytes;
  if (w->goes_on) return lane;
  if (p->border) memset(lane.zero, p->size == 1 ? (uint8_t)p->in_zero : 0, p->zero_bytes);
  for (int64_t i = 0; i < p->slots; i++) lane.tags[i] = -1;
  return lane;
}

/* Copies every `step`-th of the pixels, each channel `multiplier` times, to places `pixel` elements apart. */
static void spread_8(const dw_plan *p, const uint8_t *src, int64_t pixels, int64_t step, uint8_t *dst) {
  const int64_t n = p->channels, m = p->multiplier, pixel = p->pixel;
  if (n == 1 && m == 8) { /* eight copies of a byte are one product */
    for (int64_t x = 0; x < pixels; x += step, dst += pixel) {
      const uint64_t copies = src[x] * UINT64_C(0x0101010101010101);
      memcpy(dst, &copies, 8);
    }
  } else if (n == 1) {
    for (int64_t x = 0; x < pixels; x += step, dst += pixel) memset(dst, src[x], (size_t)m);
  } else if (m > 1) {
    for (int64_t x = 0; x < pixels; x += step, dst += pixel)
      for (int64_t c = 0; c < n; c++) memset(dst + c * m, src[x * n + c], (size_t)m);
  } else {
    sam_uk.move->rows((char *)dst, pixel, (const char *)src, step * n, n, (pixels + step - 1) / step);
  }
}

static void spread_32(const dw_plan *p, const uint32_t *src, int64_t pixels, uint32_t *dst) {
  if (p->multiplier == 1) {
    sam_uk.move->rows((char *)dst, p->pixel * 4, (const char *)src, p->channels * 4, p->channels * 4, pixels);
    return;
  }
  for (int64_t x = 0; x < pixels; x++, dst += p->pixel)
    for (int64_t c = 0, o = 0; c < p->channels; c++, src++)
      for (int64_t m = 0; m < p->multiplier; m++) dst[o++] = *src;
}

static const void *prepared_row(const dw_work *w, const dw_lane *lane, int64_t image, int64_t at) {
  const dw_plan *p = w->plan;
  const uint8_t *src = row_of(w, image, at);
  if (p->direct) return src;
  const int64_t slot = at % p->slots, image_row = image * p->height + at;
  uint8_t *row = lane->ring + (size_t)slot * p->row_bytes;
  if (lane->tags[slot] == image_row) return row;
  const uint8_t zero = p->size == 1 ? (uint8_t)p->in_zero : 0;
  if (lane->tags[slot] < 0) memset(row, zero, p->row_bytes);
  lane->tags[slot] = image_row;
  const int64_t room = p->row_pixels - p->left;
  const int64_t pixels = p->width < room ? p->width : room;
  uint8_t *dst = row + p->left * p->pixel * p->size;
  if (p->plane) {
    for (int64_t phase = 0; phase < p->stride_w && phase < p->row_pixels; phase++) {
      /* The first pixel of the image that lies in this plane, and its place there. */
      const int64_t place = p->left > phase ? (p->left - phase + p->stride_w - 1) / p->stride_w : 0;
      const int64_t x = place * p->stride_w + phase - p->left;
      if (x < pixels)
        spread_8(p, src + x * p->channels, pixels - x, p->stride_w, row + phase * p->plane + place * p->pixel);
    }
  } else if (p->pixel == p->channels) {
    memcpy(dst, src, (size_t)(pixels * p->channels * p->size));
  } else if (p->size == 1) {
    spread_8(p, src, pixels, 1, dst);
  } else {
    spread_32(p, (const uint32_t *)(const void *)src, pixels, (uint32_t *)(void *)dst);
  }
  return row;
}

/* Runs the strip, in pieces where its input rows would leave the first cache from one block of channels to the next:
 * blocks share lines. With stride 1, where lanes serve several outputs, beginning anew costs more than that. */
static void run_strip(const dw_plan *p, const sam_dw_strip *strip, const void **rows, void **out) {
  enum { CACHED = 40 << 10, PIECE = 16 << 10, LEAST = 16 };
  const int64_t in_step = strip->x_step * p->size, out_step = strip->channels * p->size;
  const int64_t in_pixel = p->n_rows * in_step;
  if (p->stride_w == 1 || p->size > 1 || in_pixel * strip->n <= CACHED || in_pixel * LEAST > PIECE) {
    p->kernel->run(strip);
    return;
  }
  const int64_t pieces = (strip->n * in_pixel + PIECE - 1) / PIECE, length = (strip->n + pieces - 1) / pieces;
  sam_dw_strip part = *strip;
  for (int64_t at = 0; at < strip->n; at += length) {
    part.n = strip->n - at < length ? strip->n - at : length;
    p->kernel->run(&part);
    for (int32_t t = 0; t < p->n_rows; t++) rows[t] = (const char *)rows[t] + length * in_step;
    for (int32_t r = 0; r < p->kernel->rows; r++) out[r] = (char *)out[r] + length * out_step;
  }
}

/* Outputs of `valid` rows from y and from x on, which cross a side: a kernel leaves out the columns beyond it. Returns
 * how many before `to` lack the same columns. */
static int64_t side_strip(const dw_work *w, const dw_lane *lane, int64_t image, int64_t y, int64_t valid, int64_t x,
                          int64_t to, sam_dw_strip *strip) {
  const dw_plan *p = w->plan;
  const int64_t step = p->dilation_w, used = (valid - 1) * p->stride_h + p->kh;
  int64_t first = x * p->stride_w - p->left; /* the pixel of the first column */
  strip->from = (int32_t)(first < 0 ? (step - 1 - first) / step : 0);
  strip->to = (int32_t)((p->width - first + step - 1) / step);
  if (strip->to > p->kw) strip->to = p->kw;
  const int64_t begin = first + strip->from * step, last = (strip->to - 1) * step;
  for (strip->n = 1; x + strip->n < to; strip->n++) {
    first += p->stride_w;
    if (strip->from > 0 && first + (strip->from - 1) * step >= 0) break;
    if (first + last >= p->width || (strip->to < p->kw && first + last + step < p->width)) break;
  }
  for (int32_t t = 0; t < p->n_rows; t++) {
    const int64_t at = y * p->stride_h - p->top + (int64_t)t * p->dilation_h;
    const bool inside = t < used && at >= 0 && at < p->height;
    lane->rows[t] = inside ? row_of(w, image, at) + begin * p->channels * p->size : lane->zero;
  }
  p->kernel->run(strip);
  return strip->n;
}

/* The outputs [from, to) of `valid` rows from y on, all of which cross a side: their pixels are copied, with border. */
static void edge_strip(const dw_work *w, const dw_lane *lane, int64_t image, int64_t y, int64_t valid, int64_t from,
                       int64_t to, sam_dw_strip *strip) {
  const dw_plan *p = w->plan;
  const int64_t used = (valid - 1) * p->stride_h + p->kh, pixel = p->channels * p->size;
  const int64_t first = from * p->stride_w - p->left; /* the pixel the copy begins with */
  const int64_t end = (to - 1) * p->stride_w - p->left + (p->kw - 1) * (int64_t)p->dilation_w + 1;
  const int64_t begin = first > 0 ? first : 0, stop = end < p->width ? end : p->width;
  const uint8_t zero = p->size == 1 ? (uint8_t)p->in_zero : 0;
  uint8_t *copy = lane->ring;
  for (int32_t t = 0; t < p->n_rows; t++) {
    const int64_t at = y * p->stride_h - p->top + (int64_t)t * p->dilation_h;
    if (t >= used || at < 0 || at >= p->height || begin >= stop) {
      lane->rows[t] = lane->zero;
      continue;
    }
    lane->rows[t] = copy;
    memset(copy, zero, (size_t)((begin - first) * pixel));
    memcpy(copy + (begin - first) * pixel, row_of(w, image, at) + begin * pixel, (size_t)((stop - begin) * pixel));
    memset(copy + (stop - first) * pixel, zero, (size_t)((end - stop) * pixel));
    copy += p->edge_pixels * pixel;
  }
  strip->n = to - from;
  p->kernel->run(strip);
}

static void split_rows(void *arg, int64_t begin, int64_t end, int thread) {
  const dw_work *w = arg;
  const dw_plan *p = w->plan;
  const dw_lane lane = lane_of(w, thread);
  const int32_t together = p->kernel->rows;
  const int64_t items = items_of(p);
  const int64_t pixel = p->out_channels * p->size, out_row = p->out_width * pixel;
  const int64_t bounds[4] = {0, p->inner, p->outer, p->out_width};
  void *out[8];
  sam_dw_strip strip = w->strip;
  strip.rows = lane.rows;
  strip.out = out;
  for (int64_t item = begin; item < end; item++) {
    const int64_t image = item / items, y = item % items * together;
    const int64_t valid = p->out_height - y < together ? p->out_height - y : together;
    strip.valid = (int32_t)valid;
    uint8_t *dst = (uint8_t *)w->out + (image * p->out_height + y) * out_row;
    for (int part = 0; part < 3; part++) {
      const int64_t from = bounds[part], to = bounds[part + 1];
      if (from == to) continue;
      for (int32_t r = 0; r < together; r++)
        out[r] = r < valid ? dst + r * out_row + from * pixel : lane.out + (size_t)r * p->out_bytes;
      if (part != 1 && p->kernel->sides) {
        sam_dw_strip side = strip;
        for (int64_t x = from, n; x < to; x += n) {
          n = side_strip(w, &lane, image, y, valid, x, to, &side);
          for (int32_t r = 0; r < valid; r++) out[r] = (uint8_t *)out[r] + n * pixel;
        }
        continue;
      }
      if (part != 1) {
        edge_strip(w, &lane, image, y, valid, from, to, &strip);
        continue;
      }
      const int64_t used = (valid - 1) * p->stride_h + p->kh;
      const int64_t begin_at = (from * p->stride_w - p->left) * pixel;
      for (int32_t t = 0; t < p->n_rows; t++) {
        const int64_t at = y * p->stride_h - p->top + (int64_t)t * p->dilation_h;
        lane.rows[t] = t < used && at >= 0 && at < p->height ? row_of(w, image, at) + begin_at : lane.zero;
      }
      strip.n = to - from;
      run_strip(p, &strip, lane.rows, out);
    }
  }
}

static void strip_rows(void *arg, int64_t begin, int64_t end, int thread) {
  const dw_work *w = arg;
  const dw_plan *p = w->plan;
  const dw_lane lane = lane_of(w, thread);
  const int32_t together = p->kernel->rows;
  const int64_t items = items_of(p);
  const int64_t out_row = p->out_width * p->out_channels * p->size;
  void *out[8];
  sam_dw_strip strip = w->strip;
  strip.rows = lane.rows;
  strip.out = out;
  for (int64_t item = begin; item < end; item++) {
    const int64_t image = item / items, y = item % items * together;
    const int64_t valid = p->out_height - y < together ? p->out_height - y : together;
    strip.valid = (int32_t)valid;
    const int64_t used = (valid - 1) * p->stride_h + p->kh;
    for (int32_t t = 0; t < p->n_rows; t++) {
      const int64_t at = y * p->stride_h - p->top + (int64_t)t * p->dilation_h;
      lane.rows[t] = t < used && at >= 0 && at < p->height ? prepared_row(w, &lane, image, at) : lane.zero;
    }
    uint8_t *dst = (uint8_t *)w->out + (image * p->out_height + y) * out_row;
    for (int32_t r = 0; r < together; r++)
      out[r] = p->out_direct && r < valid ? dst + r * out_row : lane.out + (size_t)r * p->out_bytes;
    if (p->out_direct) {
      run_strip(p, &strip, lane.rows, out);
      continue;
    }
    p->kernel->run(&strip);
    for (int64_t r = 0; r < valid; r++) {
      const uint8_t *src = out[r];
      if (p->flat) { /* the row as it is, without the pixels that fill the last vector */
        memcpy(dst + r * out_row, src, (size_t)out_row);
        continue;
      }
      const int64_t pixel = p->out_channels * p->size;
      sam_uk.move->rows((char *)dst + r * out_row, pixel, (const char *)src, strip.channels * p->size, pixel,
                        p->out_width);
    }
  }
}

static void fill_packed(void *dst, const void *arg) { sam_dw_pack(dst, arg); }

/* The bias in packed order; for integers with sum of weights * zero points taken off, wrapping like the kernels. Says
 * in the strip how large their results can be. */
static void fold_bias(const dw_plan *p, const void *filter, const void *bias, uint32_t *dst, sam_dw_strip *s) {
  sam_dw_packing packing = p->packing;
  packing.filter = filter;
  const uint32_t zero = (uint32_t)(p->in_zero + p->kernel->offset);
  const int32_t least = packing.source == SAM_DW_U8 ? 0 : -128;
  const double low = fabs(p->in_zero - (double)least), high = fabs(255 - low); /* how far inputs reach from zero */
  s->fits16 = true;
  s->floats = p->kernel->floats && s->lo == least && s->hi == least + 255;
  for (int64_t i = 0; i < p->n_packed; i++) {
    const int64_t c = p->order[i];
    dst[i] = 0;
    if (c < 0) continue;
    if (bias) memcpy(&dst[i], (const uint32_t *)bias + c, 4);
    if (p->size == 4) continue;
    const int32_t start = (int32_t)dst[i];
    uint32_t sum = 0;
    double up = 0, down = 0; /* of the weights above zero and below it */
    for (int64_t t = 0; t < (int64_t)p->kh * p->kw; t++) {
      const int32_t weight = sam_dw_weight(&packing, t * p->out_channels + c);
      sum += (uint32_t)weight;
      *(weight > 0 ? &up : &down) += abs(weight);
    }
    dst[i] -= sum * zero;
    const double most = fmax(up * high + down * low, up * low + down * high);
    s->fits16 = s->fits16 && sam_s8_gemm_fits16(most / 128, start, p->scale[i]);
    s->floats = s->floats && s->fits16 && most + fabs((double)start) < SAM_DW_MOST_FLOAT;
  }
  for (int64_t i = 0; s->floats && i < p->n_packed; i++) dst[i] += SAM_DW_FLOAT;
}

/* Hybrid: the input as its int8 image would have it. The bytes are written into the end of each image's floats, which
 * they are then turned into from the front. */
static void requantize_input(const sam_tensor *in, float *out) {
  const int64_t n = sam_span(in, 1, 4);
  for (int64_t b = 0; b < in->dims[0]; b++, out += n) {
    float scale;
    int32_t zero;
    int8_t *q = (int8_t *)(out + n) - n;
    sam_quantize_row((const float *)in->data + b * n, n, true, q, &scale, &zero);
    for (int64_t i = 0; i < n; i++) out[i] = (float)(q[i] - zero) * scale;
  }
}

/* What a strip of the node works with; in and out are the caller's to set. */
static dw_work work_of(const sam_node *node) {
  const dw_plan *p = node->state;
  dw_work w = {.plan = p, .strip = p->strip, .threads = node->scratch};
  w.strip.weights = p->packed;
  return w;
}

static void strips_of_rows(const sam_node *node, const sam_rows *rows) {
  const dw_plan *p = node->state;
  dw_work w = work_of(node);
  w.in = rows->input;
  w.out = rows->output;
  w.ring = rows->ring;
  w.goes_on = !rows->anew;
  const int64_t image = rows->begin / p->out_height, first = image * p->out_height, together = p->kernel->rows;
  const int64_t begin = image * items_of(p) + (rows->begin - first) / together;
  const int64_t end = image * items_of(p) + (rows->end - first + together - 1) / together;
  (p->split ? split_rows : strip_rows)(&w, begin, end, rows->thread);
}

static int64_t cost_of_row(const dw_plan *p) { return p->out_width * p->out_channels * p->kh * p->kw / 8; }

static sam_status eval_strips(sam_ctx *ctx, sam_node *node) {
  if (node->strips) return sam_strips_eval(ctx, node);
  const dw_plan *p = node->state;
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1], *out = node->outputs[0];
  const sam_tensor *bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  if (sam_elements(out) == 0) return SAM_OK;
  dw_work w = work_of(node);
  w.in = in->data;
  w.out = out->data;
  if (p->hybrid) {
    float *image = (float *)(void *)(w.threads + p->hybrid);
    w.in = image;
    requantize_input(in, image);
  }
  if (!p->packed) { /* a filter or bias that is computed: packed anew every time */
    uint8_t *weights = w.threads + p->thread_bytes * (size_t)sam_threads(ctx);
    sam_dw_packing packing = p->packing;
    packing.filter = filter->data;
    sam_dw_pack(weights, &packing);
    uint32_t *folded = (uint32_t *)(void *)(weights + p->packed_bytes);
    fold_bias(p, filter->data, bias ? bias->data : NULL, folded, &w.strip);
    w.strip.weights = weights;
    w.strip.bias = folded;
  }
  const int64_t cost = 100 + p->kernel->rows * cost_of_row(p);
  sam_parallel(ctx, out->dims[0] * items_of(p), cost, p->split ? split_rows : strip_rows, &w);
  return SAM_OK;
}

static sam_dw_kernel *choose(const dw_plan *p, sam_type type) {
  const bool near = p->dilation_h == 1, square = p->kh == p->kw;
  const bool once = p->stride_h == 1 && p->stride_w == 1;
  const bool three = near && square && p->kh == 3, five = near && square && p->kh == 5;
  if (type == SAM_FLOAT32) {
    if (three && once && p->dilation_w == 1) return sam_uk.f32_dw3x3s1;
    const bool line = p->kh == 1 && p->kw == 3 && p->out_height == 1;
    return three && p->stride_w == 2 && p->dilation_w == 1 ? sam_uk.f32_dw3x3s2
           : near && !line                                 ? sam_uk.f32_dwrows
                                                           : sam_uk.f32_dw;
  }
  if (type == SAM_INT8) {
    if (three && once) return sam_uk.s8_dw3x3s1;
    if (square && p->kh == 3) return sam_uk.s8_dw3x3;
    if (five) return once ? sam_uk.s8_dw5x5s1 : sam_uk.s8_dw5x5;
    return sam_uk.s8_dw;
  }
  if (three && once) return sam_uk.u8_dw3x3s1;
  if (square && p->kh == 3) return sam_uk.u8_dw3x3;
  return sam_uk.u8_dw;
}

/* How the kernel sees a row: lanes, pixels, steps. */
static void shape_strip(dw_plan *p) {
  const int64_t n = p->out_channels, block = p->kernel->block;
  sam_dw_strip *s = &p->strip;
  int64_t lanes = n;
  bool flat = false;
  p->pixel = n;
  if (block > 0 && n < block && (p->stride_w == 1 || p->size == 1)) {
    for (int64_t wide = block; wide >= p->kernel->least && !flat; wide /= 2) {
      flat = wide % n == 0 && wide > n && wide <= n * p->out_width;
      if (flat) lanes = wide;
    }
  }
  if (flat && p->stride_w > 1 && n >= 32) flat = false, lanes = n; /* sorting costs more than it gives */
  if (!flat && n < p->kernel->least) lanes = p->pixel = p->kernel->least;
  /* Pixels of multiples of 1 KiB share a few places of the first cache: large filters, which come by often, see a copy
   * whose pixels are a line apart. (3 x 3: the kernels see to it, for less.) */
  if (p->size == 4 && p->kh * p->kw > 9 && p->stride_w * n % 256 == 0) p->pixel += 16;
  s->channels = lanes;
  s->n = flat ? (p->out_width * n + lanes - 1) / lanes : p->out_width;
  s->x_step = flat ? lanes : p->stride_w * p->pixel;
  s->taps = p->taps;
  p->plane = 0;
  if (flat && p->stride_w > 1) {
    const int64_t last = (p->kw - 1) * (int64_t)p->dilation_w / p->stride_w;
    p->plane = ((s->n * lanes + last * n) + 63) / 64 * 64;
    for (int32_t k = 0; k < p->kw; k++) {
      const int64_t at = k * (int64_t)p->dilation_w;
      p->taps[k] = at % p->stride_w * p->plane + at / p->stride_w * n;
    }
    p->reach = p->plane * p->stride_w;
    p->row_pixels = (p->out_width - 1) * p->stride_w + (p->kw - 1) * (int64_t)p->dilation_w + 1;
  } else {
    for (int32_t k = 0; k < p->kw; k++) p->taps[k] = k * (int64_t)p->dilation_w * p->pixel;
    p->reach = (s->n - 1) * s->x_step + p->taps[p->kw - 1] + lanes;
    p->row_pixels = (p->reach + p->pixel - 1) / p->pixel;
  }
  p->direct = p->left == 0 && p->pixel == p->channels && !p->plane && p->reach <= p->width * p->channels;
  p->out_direct = flat ? s->n * lanes == p->out_width * n : lanes == n;
  p->packing.period = flat ? n : lanes;
  p->flat = flat;
  const int64_t span = (p->kw - 1) * (int64_t)p->dilation_w + 1, span_h = (p->kh - 1) * (int64_t)p->dilation_h + 1;
  p->border = p->top > 0 || (p->out_height - 1) * p->stride_h - p->top + span_h > p->height;
  p->inner = (p->left + p->stride_w - 1) / p->stride_w;
  p->outer = p->width + p->left < span ? 0 : (p->width + p->left - span) / p->stride_w + 1;
  if (p->outer > p->out_width) p->outer = p->out_width;
  /* One walk over whole copied rows costs less than three where the weights leave the first cache (5 x 5) and where
   * rows are short, unless steps along x read half of the copy. */
  const bool heavy = p->kernel->rows >= 4 && p->kernel->group > 1, sides = p->kernel->sides;
  const bool copied = p->stride_w == 1 && (heavy || p->width * p->channels * p->size < 2048);
  const bool met = p->left < span && (p->out_width - 1) * p->stride_w - p->left < p->width;
  const int64_t least = sides && p->stride_w > 1 ? 1 : 6;
  p->split = !p->direct && !flat && p->out_direct && p->pixel == p->channels && !copied &&
             p->outer - p->inner >= least && (met || !sides);
  const int64_t edge = p->inner > p->out_width - p->outer ? p->inner : p->out_width - p->outer;
  p->edge_pixels = edge > 1 ? (edge - 1) * p->stride_w + span : span;
}

static sam_status prepare_strips(sam_ctx *ctx, sam_node *node, dw_plan *p) {
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1], *out = node->outputs[0];
  const sam_tensor *bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  const bool real = in->type == SAM_FLOAT32;
  const bool known = sam_is_known(filter) && (!bias || sam_is_known(bias));
  node->eval = eval_strips;
  if (sam_elements(out) == 0) return SAM_OK;
  p->size = real ? 4 : 1;
  p->kernel = choose(p, in->type);
  p->packing = (sam_dw_packing){.filter_channels = p->out_channels, .kh = p->kh, .kw = p->kw, .stride = p->stride_h};
  p->packing.source = filter->type == SAM_FLOAT32 ? SAM_DW_F32
                      : filter->type == SAM_UINT8 ? SAM_DW_U8
                      : filter->type == SAM_INT4  ? SAM_DW_S4
                                                  : SAM_DW_S8;
  p->packing.zero_point = filter->type == SAM_UINT8 ? filter->quant->zero_point[0] : 0;
  p->packing.filter = filter->data;
  if (real && filter->type != SAM_FLOAT32) {
    p->packing.scale = filter->quant->scale;
    p->packing.n_scales = filter->quant->count;
  }
  if (!real) {
    /* The vector kernels convert to int32 before they clamp, so no product may leave that range; theirs never does
     * unless the file is odd, or the bias cannot be looked at now. */
    double most = (double)p->kh * p->kw * 255 * 255 + 65536;
    for (int64_t c = 0; known && bias && c < p->out_channels; c++)
      most = fmax(most, fabs((double)((const int32_t *)bias->data)[c]) + (double)p->kh * p->kw * 65025);
    if (bias && !known) most += 2147483648.0;
    double steepest = 0;
    for (int32_t c = 0; c < filter->quant->count; c++) steepest = fmax(steepest, filter->quant->scale[c]);
    steepest *= (double)in->quant->scale[0] / (double)out->quant->scale[0];
    if (!(most * steepest < 1e9)) p->kernel = in->type == SAM_INT8 ? &sam_s8_dw__scalar : &sam_u8_dw__scalar;
  }
  if (p->kernel->pairs) {
    bool risky = !known;
    for (int64_t i = 0; known && i < sam_elements(filter); i++) risky = risky || sam_dw_weight(&p->packing, i) == -128;
    if (risky) p->kernel = sam_uk.s8_dw->pairs ? &sam_s8_dw__scalar : sam_uk.s8_dw;
  }
  /* 255 - 0 is the one weight that two signed bytes do not add up to. */
  if (p->kernel->parts == 2 && p->packing.zero_point == 0) p->kernel = &sam_u8_dw__scalar;
  sam_dw_kernel *k = p->kernel;
  if (p->reach < 0 || (double)p->kw * p->dilation_w * (double)p->out_channels > 1e12 ||
      (double)p->width * (double)p->out_channels > 1e12)
    return sam_fail(ctx, SAM_LIMIT, "rows of %lld pixels are too long", (long long)p->width);
  p->taps = sam_alloc(ctx, (size_t)p->kw * sizeof *p->taps);
  if (!p->taps) return SAM_OUT_OF_MEMORY;
  shape_strip(p);
  sam_dw_strip *s = &p->strip;
  s->kh = p->kh, s->kw = s->to = p->kw, s->y_step = p->stride_h;
  s->lo = p->lo, s->hi = p->hi, s->real_lo = p->real_lo, s->real_hi = p->real_hi;
  s->zero_point = real ? 0 : out->quant->zero_point[0];
  p->packing.kernel = k;
  p->packing.channels = s->channels;
  p->n_packed = sam_dw_packed_channels(&p->packing);
  p->packed_bytes = rounded((size_t)sam_dw_packed_bytes(&p->packing));
  p->n_rows = sam_dw_rows(k, p->kh, p->stride_h);
  int64_t overlap = (int64_t)(k->rows - 1) * p->stride_h + (int64_t)(p->kh - 1) * p->dilation_h + 1;
  p->slots = p->direct || p->split ? 0 : overlap < p->height ? overlap : p->height;
  const size_t slack = 64; /* flat rows end with a whole vector */
  p->zero_bytes = rounded((size_t)(p->reach * p->size) + slack);
  const int64_t row = p->plane ? p->reach : p->row_pixels * p->pixel;
  p->row_bytes = rounded((size_t)(row * p->size) + slack);
  p->out_bytes = rounded((size_t)(s->n * s->channels * p->size));
  p->thread_bytes = rounded((size_t)p->n_rows * sizeof(void *)) + p->zero_bytes +
                    rounded((size_t)p->slots * sizeof(int64_t)) + (size_t)p->slots * p->row_bytes +
                    (size_t)k->rows * p->out_bytes;
  if (p->split) p->thread_bytes += rounded((size_t)(p->n_rows * p->edge_pixels * p->pixel * p->size));

  p->order = sam_alloc(ctx, (size_t)p->n_packed * sizeof *p->order);
  if (!p->order) return SAM_OUT_OF_MEMORY;
  sam_dw_order(&p->packing, p->order);
  if (!real) {
    p->scale = sam_alloc(ctx, (size_t)p->n_packed * sizeof *p->scale);
    if (!p->scale) return SAM_OUT_OF_MEMORY;
    for (int64_t i = 0; i < p->n_packed; i++) {
      const int64_t c = p->order[i] < 0 ? 0 : filter->quant->count > 1 ? p->order[i] : 0;
      p->scale[i] = in->quant->scale[0] * filter->quant->scale[c] / out->quant->scale[0];
    }
  }
  s->scale = p->scale;
  size_t scratch = p->thread_bytes * (size_t)sam_threads(ctx);
  if (!known) scratch += p->packed_bytes + rounded((size_t)p->n_packed * 4);
  if (real && filter->type != SAM_FLOAT32) {
    p->hybrid = scratch;
    scratch += rounded((size_t)sam_elements(in) * sizeof(float));
  }
  if (!known) return sam_scratch(ctx, scratch);
  uint32_t *folded = sam_alloc(ctx, (size_t)p->n_packed * sizeof *folded);
  if (!folded) return SAM_OUT_OF_MEMORY;
  fold_bias(p, filter->data, bias ? bias->data : NULL, folded, s);
  s->bias = folded;
  /* The layout follows from these; two filters of one tensor's bytes may still be packed differently. */
  uint64_t variant = (uint64_t)0xd << 60 | (uint64_t)(k->element & 3) << 58 | (uint64_t)(k->parts == 2) << 57 |
                     (uint64_t)(k->group & 7) << 54 | (uint64_t)(k->rows & 7) << 51 | (uint64_t)(k->block & 255) << 43 |
                     (uint64_t)(p->stride_h & 3) << 41 | (uint64_t)(p->packing.period == p->out_channels) << 40 |
                     (uint64_t)(k->taps != NULL) << 39 | (uint64_t)(s->channels & 0xffffffff);
  variant ^= (uint64_t)(uint32_t)p->packing.zero_point * UINT64_C(0x9e3779b97f4a7c15);
  for (int32_t i = 0; i < p->packing.n_scales; i++) {
    uint32_t bits;
    memcpy(&bits, &p->packing.scale[i], sizeof bits);
    variant = (variant ^ bits) * UINT64_C(0xd6e8feb86659fd93) + 1;
  }
  p->packed = sam_pack(ctx, filter, variant, p->packed_bytes, fill_packed, &p->packing);
  if (!p->packed) return SAM_OUT_OF_MEMORY;
  if (!p->hybrid) {
    node->rows = strips_of_rows;
    node->row_window = (sam_row_window){.reach = (p->kh - 1) * (int64_t)p->dilation_h + 1,
                                        .stride = p->stride_h,
                                        .top = p->top,
                                        .step = k->rows,
                                        .cost = cost_of_row(p)};
  }
  return sam_scratch(ctx, scratch);
}

/* ---- int16 ----------------------------------------------------------------------------------------------------------
 */

/* One output pixel: sums of all channels, 64 bits wide. Unsigned, because with any bias in the file they may wrap. */
static void s16_sums(const dw_work *w, const int16_t *image, int64_t y, int64_t x, uint64_t *sum) {
  const dw_plan *p = w->plan;
  for (int64_t o = 0; o < p->out_channels; o++)
    sum[o] = !w->bias       ? 0
             : p->wide_bias ? (uint64_t)((const int64_t *)w->bias)[o]
                            : (uint64_t)((const int32_t *)w->bias)[o];
  for (int64_t ky = 0; ky < p->kh; ky++) {
    const int64_t iy = y * p->stride_h - p->top + ky * p->dilation_h;
    if (iy < 0 || iy >= p->height) continue;
    for (int64_t kx = 0; kx < p->kw; kx++) {
      const int64_t ix = x * p->stride_w - p->left + kx * p->dilation_w;
      if (ix < 0 || ix >= p->width) continue;
      const int16_t *in = image + (iy * p->width + ix) * p->channels;
      const int16_t *weights = (const int16_t *)w->strip.weights + (ky * p->kw + kx) * p->out_channels;
      if (p->multiplier == 1) {
        for (int64_t o = 0; o < p->out_channels; o++) sum[o] += (uint64_t)(int64_t)(in[o] * weights[o]);
        continue;
      }
      for (int64_t c = 0; c < p->channels; c++)
        for (int64_t o = c * p->multiplier; o < (c + 1) * p->multiplier; o++)
          sum[o] += (uint64_t)(int64_t)(in[c] * weights[o]);
    }
  }
}

static void s16_rows(void *arg, int64_t begin, int64_t end, int thread) {
  const dw_work *w = arg;
  const dw_plan *p = w->plan;
  uint64_t *sum = (uint64_t *)(void *)(w->threads + (size_t)thread * p->thread_bytes);
  const int64_t most = INT64_C(1) << 46; /* what the 64-bit rule takes; beyond it every result saturates */
  for (int64_t row = begin; row < end; row++) {
    const int64_t image = row / p->out_height;
    const int16_t *in = (const int16_t *)w->in + image * p->height * p->width * p->channels;
    int16_t *out = (int16_t *)w->out + row * p->out_width * p->out_channels;
    for (int64_t x = 0; x < p->out_width; x++) {
      s16_sums(w, in, row % p->out_height, x, sum);
      for (int64_t o = 0; o < p->out_channels; o++) {
        const int64_t acc = (int64_t)sum[o];
        const int32_t value = p->has_bias && !p->wide_bias ? sam_scale32_up((int32_t)acc, p->scale16[o])
                                                           : sam_scale64_r16(acc > most    ? most
                                                                             : acc < -most ? -most
                                                                                           : acc,
                                                                             p->scale16[o]);
        *out++ = (int16_t)sam_clamp32(value, p->lo, p->hi);
      }
    }
  }
}

static void unpack_s16(const sam_dw_packing *packing, int64_t n, int16_t *weights) {
  for (int64_t i = 0; i < n; i++) weights[i] = (int16_t)sam_dw_weight(packing, i);
}

static sam_status eval_s16(sam_ctx *ctx, sam_node *node) {
  const dw_plan *p = node->state;
  const sam_tensor *out = node->outputs[0], *bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  if (sam_elements(out) == 0) return SAM_OK;
  dw_work w = {.plan = p, .in = node->inputs[0]->data, .out = out->data, .bias = bias ? bias->data : NULL};
  w.threads = node->scratch;
  w.strip.weights = p->packed;
  if (!p->packed) {
    int16_t *weights = (int16_t *)(void *)(w.threads + p->thread_bytes * (size_t)sam_threads(ctx));
    sam_dw_packing packing = p->packing;
    packing.filter = node->inputs[1]->data;
    unpack_s16(&packing, sam_elements(node->inputs[1]), weights);
    w.strip.weights = weights;
  }
  sam_parallel(ctx, out->dims[0] * p->out_height, p->out_width * p->out_channels * (p->kh * p->kw + 4), s16_rows, &w);
  return SAM_OK;
}

static sam_status prepare_s16(sam_ctx *ctx, sam_node *node, dw_plan *p) {
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1], *out = node->outputs[0];
  node->eval = eval_s16;
  p->packing.source = filter->type == SAM_INT4 ? SAM_DW_S4 : SAM_DW_S8;
  p->packing.filter = filter->data;
  p->scale16 = sam_alloc(ctx, (size_t)p->out_channels * sizeof *p->scale16);
  if (!p->scale16) return SAM_OUT_OF_MEMORY;
  for (int64_t c = 0; c < p->out_channels; c++) {
    const double weight = (double)filter->quant->scale[filter->quant->count > 1 ? c : 0];
    const double ratio = (double)in->quant->scale[0] * weight / (double)out->quant->scale[0];
    p->scale16[c] = sam_multiplier_of(ratio);
    if (p->scale16[c].shift > 7)
      return sam_fail(ctx, SAM_UNSUPPORTED, "scales of channel %lld multiply to %g, must be below 128", (long long)c,
                      ratio);
  }
  p->thread_bytes = rounded((size_t)p->out_channels * sizeof(uint64_t));
  const size_t scratch = p->thread_bytes * (size_t)sam_threads(ctx), bytes = (size_t)sam_elements(filter) * 2;
  if (!sam_is_known(filter)) return sam_scratch(ctx, scratch + bytes);
  int16_t *weights = sam_alloc(ctx, bytes);
  if (!weights) return SAM_OUT_OF_MEMORY;
  unpack_s16(&p->packing, sam_elements(filter), weights);
  p->packed = weights;
  return sam_scratch(ctx, scratch);
}

/* ---- Prepare --------------------------------------------------------------------------------------------------------
 */

/* Which bias goes with the types of input and filter. */
static sam_status check_types(sam_ctx *ctx, sam_node *node, dw_plan *p) {
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1], *out = node->outputs[0];
  const sam_tensor *bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  const bool narrow = filter->type == SAM_INT8 || filter->type == SAM_INT4;
  const bool fits = in->type == SAM_FLOAT32 ? filter->type == SAM_FLOAT32 || narrow
                    : in->type == SAM_UINT8 ? filter->type == SAM_UINT8
                                            : narrow;
  if (!fits)
    return sam_fail(ctx, SAM_UNSUPPORTED, "input %s with filter %s", sam_type_name(in->type),
                    sam_type_name(filter->type));
  SAM_TRY(sam_check_same_type(ctx, out, in));
  p->has_bias = bias != NULL;
  if (bias) {
    const bool wide = in->type == SAM_INT16 && bias->type == SAM_INT64;
    p->wide_bias = wide;
    if (!wide) SAM_TRY(sam_check_type(ctx, bias, in->type == SAM_FLOAT32 ? SAM_FLOAT32 : SAM_INT32));
    if (sam_elements(bias) != p->out_channels)
      return sam_fail(ctx, SAM_INVALID_MODEL, "bias has %lld values, the filter %lld channels",
                      (long long)sam_elements(bias), (long long)p->out_channels);
  }
  if (narrow) {
    SAM_TRY(sam_check_quant_axis(ctx, filter, 3));
    for (int32_t c = 0; c < filter->quant->count; c++)
      if (filter->quant->zero_point[c] != 0)
        return sam_fail(ctx, SAM_UNSUPPORTED, "filter \"%s\" has zero point %d, must be 0", filter->name,
                        filter->quant->zero_point[c]);
  }
  if (in->type == SAM_FLOAT32) return SAM_OK;
  if (!narrow) SAM_TRY(sam_check_quant(ctx, filter));
  SAM_TRY(sam_check_quant(ctx, in));
  return sam_check_quant(ctx, out);
}

static sam_status prepare(sam_ctx *ctx, sam_node *node) {
  const sam_depthwise_conv_2d_options *options = node->options;
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_rank(ctx, in, 4, 4));
  SAM_TRY(sam_check_rank(ctx, filter, 4, 4));
  const int32_t channels = in->dims[3], out_channels = filter->dims[3];
  if (filter->dims[0] != 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "the first dimension of the filter is %d, must be 1", filter->dims[0]);
  if (channels == 0 || out_channels == 0 || out_channels % channels)
    return sam_fail(ctx, SAM_INVALID_MODEL, "filter has %d channels, no multiple of the input's %d", out_channels,
                    channels);
  dw_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->kh = filter->dims[1], p->kw = filter->dims[2];
  p->stride_h = options->stride_h, p->stride_w = options->stride_w;
  p->dilation_h = options->dilation_h_factor, p->dilation_w = options->dilation_w_factor;
  p->out_channels = out_channels;
  SAM_TRY(check_types(ctx, node, p));
  const int32_t activation = options->fused_activation_function;
  SAM_TRY(sam_activation_bounds_f32(ctx, activation, &p->real_lo, &p->real_hi));
  if (in->type != SAM_FLOAT32) {
    SAM_TRY(sam_activation_bounds_quantized(ctx, activation, out, &p->lo, &p->hi));
    p->in_zero = in->quant->zero_point[0];
  }
  int32_t dims[4] = {in->dims[0], 0, 0, out_channels};
  SAM_TRY(sam_window_axis(ctx, SAM_HEIGHT, options->padding, in->dims[1], p->kh, p->stride_h, p->dilation_h, &dims[1],
                          &p->top));
  SAM_TRY(sam_window_axis(ctx, SAM_WIDTH, options->padding, in->dims[2], p->kw, p->stride_w, p->dilation_w, &dims[2],
                          &p->left));
  SAM_TRY(sam_set_shape(ctx, out, 4, dims));
  p->height = in->dims[1], p->width = in->dims[2], p->channels = channels;
  p->out_height = dims[1], p->out_width = dims[2];
  p->multiplier = out_channels / channels;
  if (in->type == SAM_INT16) return prepare_s16(ctx, node, p);
  return prepare_strips(ctx, node, p);
}

const sam_op sam_op_depthwise_conv_2d = {
    .name = "DEPTHWISE_CONV_2D",
    .options = SAM_OPTIONS_DEPTHWISE_CONV_2D,
    .max_version = 7,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 1 << 2,
    .prepare = prepare,
    .eval =
        {
            [SAM_FLOAT32] = eval_strips,
            [SAM_INT8] = eval_strips,
            [SAM_UINT8] = eval_strips,
            [SAM_INT16] = eval_s16,
        },
};
