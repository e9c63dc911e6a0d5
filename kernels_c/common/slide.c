/* Samara: sliding windows over the matrix kernels; slide.h explains. */
#include "common/slide.h"

#include <string.h>

enum { STRIP = 1 << 16, WINDOW_MAX = 1 << 22, SLACK = 64 };

/* Joins taps that are neighbours in the image and in the weights: the kernel then runs over k without a break. */
static void join_taps(sam_slide *win) {
  const bool whole = win->tap_channels == win->channels; /* one group: pixels of a row touch */
  int32_t length = 1;
  while (whole && length < win->taps && win->dy[length] == win->dy[0] && win->dx[length] == win->dx[0] + length &&
         win->source[length] == win->source[0] + (int64_t)length * win->tap_channels)
    length++;
  for (int32_t t = 0; t < win->taps && length > 1; t++) {
    const int32_t first = t / length * length;
    if (win->taps % length || win->dy[t] != win->dy[first] || win->dx[t] != win->dx[first] + t - first ||
        win->source[t] != win->source[first] + (int64_t)(t - first) * win->tap_channels)
      length = 1;
  }
  win->run_pixels = length;
  win->runs = win->taps / length;
  for (int32_t r = 0; r < win->runs; r++) {
    win->run_dy[r] = win->dy[r * length];
    win->run_dx[r] = win->dx[r * length];
    win->run_source[r] = win->source[r * length];
  }
}

sam_status sam_slide_plan(sam_ctx *ctx, sam_slide *win, sam_matmul *mm) {
  const size_t taps = win->taps > 0 ? (size_t)win->taps : 1;
  win->run_dy = sam_alloc(ctx, taps * sizeof *win->run_dy);
  win->run_dx = sam_alloc(ctx, taps * sizeof *win->run_dx);
  win->run_source = sam_alloc(ctx, taps * sizeof *win->run_source);
  win->tap_bytes = sam_alloc(ctx, taps * sizeof *win->tap_bytes);
  if (!win->run_dy || !win->run_dx || !win->run_source || !win->tap_bytes) return SAM_OUT_OF_MEMORY;
  join_taps(win);
  win->min_dy = win->max_dy = win->runs ? win->run_dy[0] : 0;
  win->min_dx = win->max_dx = win->runs ? win->run_dx[0] : 0;
  for (int32_t r = 0; r < win->runs; r++) {
    if (win->run_dy[r] < win->min_dy) win->min_dy = win->run_dy[r];
    if (win->run_dy[r] > win->max_dy) win->max_dy = win->run_dy[r];
    if (win->run_dx[r] < win->min_dx) win->min_dx = win->run_dx[r];
    if (win->run_dx[r] > win->max_dx) win->max_dx = win->run_dx[r];
  }
  win->max_dx += win->run_pixels - 1;
  const int64_t pixel = (int64_t)win->channels * mm->element, run_k = (int64_t)win->run_pixels * win->tap_channels;
  const int64_t last_y = (int64_t)(win->y_count - 1) * win->sy + win->max_dy;
  const int64_t last_x = (int64_t)(win->x_count - 1) * win->sx + win->max_dx;
  const int64_t reach_y = (int64_t)win->max_dy - win->min_dy + 1;
  win->row_pixels = last_x - win->min_dx + 1;
  const bool wide = win->row_pixels > WINDOW_MAX || reach_y > WINDOW_MAX ||
                    win->row_pixels * pixel > WINDOW_MAX / (reach_y + win->sy);
  if (win->min_dy >= 0 && win->min_dx >= 0 && last_y < win->h && last_x < win->w)
    win->mode = SAM_SLIDE_DIRECT;
  else
    win->mode = SAM_SLIDE_COPY;
  /* Short runs waste the kernel's steps of kr elements; a gathered window is one long run. */
  if (win->runs > 1 && (run_k % mm->tile.kr && run_k < 8 * mm->tile.kr)) win->mode = SAM_SLIDE_GATHER;
  if (win->mode == SAM_SLIDE_COPY && wide) win->mode = SAM_SLIDE_GATHER;

  if (run_k * win->runs > INT32_MAX)
    return sam_fail(ctx, SAM_UNSUPPORTED, "windows of %lld elements", (long long)(run_k * win->runs));
  mm->taps = win->runs;
  mm->k = (int32_t)run_k;
  mm->tap_source = win->run_source;
  if (win->mode == SAM_SLIDE_GATHER) {
    /* The weights become one run too, if they follow each other; else each tap keeps its place in the window. */
    bool contiguous = true;
    for (int32_t r = 1; r < win->runs; r++) contiguous &= win->run_source[r] == win->run_source[0] + r * run_k;
    if (contiguous) {
      mm->taps = 1;
      mm->k = (int32_t)(run_k * win->runs);
    }
    for (int32_t r = 0; r < win->runs; r++) win->tap_bytes[r] = r * run_k * mm->element;
    win->thread_bytes =
        (size_t)(sam_matmul_block(mm, run_k * win->runs * mm->element) * run_k * win->runs * mm->element) + SLACK;
  } else if (win->mode == SAM_SLIDE_COPY) {
    const int64_t row = win->row_pixels * pixel;
    int64_t rows = row > 0 ? (STRIP / row - (reach_y - win->sy)) / win->sy : 1;
    if (rows < 4) rows = 4;
    if (rows > win->y_count) rows = win->y_count;
    win->strip_rows = rows > 1 ? rows : 1;
    win->strip_bytes = ((win->strip_rows - 1) * win->sy + reach_y) * row;
    win->thread_bytes = (size_t)win->strip_bytes + SLACK;
    for (int32_t r = 0; r < win->runs; r++)
      win->tap_bytes[r] = (win->run_dy[r] - win->min_dy) * row + (int64_t)(win->run_dx[r] - win->min_dx) * pixel;
  } else {
    win->strip_rows = 1;
    for (int32_t r = 0; r < win->runs; r++)
      win->tap_bytes[r] = ((int64_t)win->run_dy[r] * win->w + win->run_dx[r]) * pixel;
  }
  win->thread_bytes = (win->thread_bytes + 63) / 64 * 64;
  return SAM_OK;
}

size_t sam_slide_scratch(const sam_ctx *ctx, const sam_slide *win) {
  return win->thread_bytes * (size_t)sam_threads(ctx);
}

typedef struct window_run {
  const sam_slide *win;
  const sam_matmul *mm;
  const char *in;
  char *out, *scratch;
  const float *batch_scale;
  const int32_t *batch_zero;
  int64_t block, units, blocks; /* units of pixels (flat) or strips; blocks of units */
  int32_t columns, cuts;
  int32_t out_bytes;
} window_run;

/* What a pixel outside the image holds, so that it adds nothing. */
static int fill_byte(const window_run *r, int32_t batch) {
  if (r->mm->kind == SAM_MATMUL_HYBRID) return r->batch_zero[batch];
  if (r->mm->kind == SAM_MATMUL_S8) return r->mm->in->quant->zero_point[0];
  return 0;
}

/* Pixels [x, x + n) of input row y, with what lies outside filled in. */
static void copy_row(const window_run *r, int32_t batch, int64_t y, int64_t x, int64_t n, char *to, int fill) {
  const sam_slide *win = r->win;
  const int64_t pixel = (int64_t)win->channels * r->mm->element;
  if (y < 0 || y >= win->h || x >= win->w || x + n <= 0) {
    memset(to, fill, (size_t)(n * pixel));
    return;
  }
  const int64_t left = x < 0 ? -x : 0, right = x + n > win->w ? x + n - win->w : 0;
  if (left) memset(to, fill, (size_t)(left * pixel));
  memcpy(to + left * pixel, r->in + (((int64_t)batch * win->h + y) * win->w + x + left) * pixel,
         (size_t)((n - left - right) * pixel));
  if (right) memset(to + (n - right) * pixel, fill, (size_t)(right * pixel));
}

/* The window of one output pixel and group, tap after tap. */
static void gather(const window_run *r, int32_t batch, int64_t y, int64_t x, int32_t group, char *to, int fill) {
  const sam_slide *win = r->win;
  const int64_t element = r->mm->element, bytes = (int64_t)win->tap_channels * element;
  const int64_t pixel = (int64_t)win->channels * element;
  for (int32_t t = 0; t < win->runs; t++) {
    const int64_t iy = y * win->sy + win->run_dy[t], ix = x * win->sx + win->run_dx[t];
    if (win->tap_channels == win->channels) {
      copy_row(r, batch, iy, ix, win->run_pixels, to, fill);
      to += win->run_pixels * pixel;
    } else {
      if (iy < 0 || iy >= win->h || ix < 0 || ix >= win->w)
        memset(to, fill, (size_t)bytes);
      else
        memcpy(to, r->in + (((int64_t)batch * win->h + iy) * win->w + ix) * pixel + group * bytes, (size_t)bytes);
      to += bytes;
    }
  }
}

static char *out_pixel(const window_run *r, int64_t batch, int64_t i, int64_t j, int32_t group) {
  const sam_slide *win = r->win;
  const int64_t y = win->y_first + i * win->y_step, x = win->x_first + j * win->x_step;
  return r->out +
         (((batch * win->out_h + y) * win->out_w + x) * win->out_channels + (int64_t)group * r->mm->n) * r->out_bytes;
}

static void hybrid_rows(const window_run *r, int32_t batch, int64_t m, float *scale, int32_t *zero) {
  for (int64_t i = 0; i < m; i++) scale[i] = r->batch_scale[batch], zero[i] = r->batch_zero[batch];
}

/* Output pixels [first, first + count) of one image, all in one output row unless the output is dense. */
static void run_pixels(const window_run *r, int32_t batch, int64_t first, int64_t count, int32_t group, int32_t column,
                       const char *strip, int64_t strip_y, char *scratch) {
  const sam_slide *win = r->win;
  const sam_matmul *mm = r->mm;
  const int64_t element = mm->element, pixel = (int64_t)win->channels * element;
  const void *a[SAM_MATMUL_ROWS];
  float scale[SAM_MATMUL_ROWS];
  int32_t zero[SAM_MATMUL_ROWS];
  sam_matmul_call call = {.group = group, .column = column, .m = count, .a = a, .tap = win->tap_bytes};
  call.columns = mm->n - column < r->columns ? mm->n - column : r->columns;
  int64_t y = first / win->x_count, x = first % win->x_count;
  call.y = out_pixel(r, batch, y, x, group);
  call.ldy = (int64_t)win->x_step * win->out_channels;
  const int fill = fill_byte(r, batch);
  for (int64_t i = 0; i < count; i++) {
    if (win->mode == SAM_SLIDE_DIRECT) {
      a[i] = r->in + (((int64_t)batch * win->h + y * win->sy) * win->w + x * win->sx) * pixel +
             (int64_t)group * win->tap_channels * element;
    } else if (win->mode == SAM_SLIDE_COPY) {
      a[i] = strip + ((y - strip_y) * win->sy * win->row_pixels + x * win->sx) * pixel +
             (int64_t)group * win->tap_channels * element;
    } else {
      char *to = scratch + i * (int64_t)win->runs * win->run_pixels * win->tap_channels * element;
      gather(r, batch, y, x, group, to, fill);
      a[i] = to;
    }
    if (++x == win->x_count) x = 0, y++;
  }
  if (mm->kind == SAM_MATMUL_HYBRID) {
    hybrid_rows(r, batch, count, scale, zero);
    call.row_scale = scale;
    call.row_zero = zero;
  }
  sam_matmul_run(mm, &call);
}

/* Item: (unit, cut of the columns); a unit is (batch, run of pixels) or (batch, strip of rows). */
static void window_task(void *arg, int64_t begin, int64_t end, int thread) {
  const window_run *r = arg;
  const sam_slide *win = r->win;
  char *scratch = r->scratch + win->thread_bytes * (size_t)thread;
  const bool dense = win->x_step == 1 && win->y_step == 1 && win->x_count == win->out_w;
  for (int64_t item = begin; item < end; item++) {
    const int64_t unit = item % r->units;
    const int32_t batch = (int32_t)(unit / r->blocks), column = (int32_t)(item / r->units) * r->columns;
    const int64_t at = unit % r->blocks;
    int64_t first, last, strip_y = 0; /* pixels */
    if (win->mode == SAM_SLIDE_COPY) {
      strip_y = at * win->strip_rows;
      const int64_t rows = win->y_count - strip_y < win->strip_rows ? win->y_count - strip_y : win->strip_rows;
      const int64_t copied = (rows - 1) * win->sy + win->max_dy - win->min_dy + 1;
      const int fill = fill_byte(r, batch);
      for (int64_t y = 0; y < copied; y++)
        copy_row(r, batch, strip_y * win->sy + win->min_dy + y, win->min_dx, win->row_pixels,
                 scratch + y * win->row_pixels * win->channels * r->mm->element, fill);
      first = strip_y * win->x_count;
      last = first + rows * win->x_count;
    } else {
      first = at * r->block;
      last = first + r->block < (int64_t)win->y_count * win->x_count ? first + r->block
                                                                     : (int64_t)win->y_count * win->x_count;
    }
    for (int32_t g = 0; g < r->mm->groups; g++)
      for (int64_t p = first; p < last;) {
        int64_t count = last - p < r->block ? last - p : r->block;
        if (!dense && p % win->x_count + count > win->x_count) count = win->x_count - p % win->x_count;
        run_pixels(r, batch, p, count, g, column, scratch, strip_y, scratch);
        p += count;
      }
  }
}

void sam_slide_run(sam_ctx *ctx, const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch,
                   const float *batch_scale, const int32_t *batch_zero) {
  if (win->batches == 0 || win->y_count <= 0 || win->x_count <= 0 || mm->n == 0) return;
  window_run r = {.win = win,
                  .mm = mm,
                  .in = in,
                  .out = out,
                  .scratch = scratch,
                  .batch_scale = batch_scale,
                  .batch_zero = batch_zero,
                  .out_bytes = sam_type_bits(mm->out->type) / 8};
  const int64_t k = (int64_t)win->runs * win->run_pixels * win->tap_channels;
  const int64_t fresh = win->mode == SAM_SLIDE_GATHER ? k : win->runs > 1 ? 3 * (int64_t)win->channels * win->sx : k;
  r.block = sam_matmul_block(mm, fresh * mm->element);
  const int64_t pixels = (int64_t)win->y_count * win->x_count;
  r.blocks = win->mode == SAM_SLIDE_COPY ? (win->y_count + win->strip_rows - 1) / win->strip_rows
                                         : (pixels + r.block - 1) / r.block;
  r.units = r.blocks * win->batches;
  const int64_t wanted = sam_threads(ctx) > 1 ? 4 * sam_threads(ctx) : 1, step = 4 * mm->tile.nr;
  const int64_t most = (mm->n + step - 1) / step;
  int64_t cuts = r.units < wanted ? (wanted + r.units - 1) / r.units : 1;
  if (cuts > most) cuts = most;
  r.columns = (int32_t)((most + cuts - 1) / cuts * step);
  cuts = (mm->n + r.columns - 1) / r.columns;
  const int64_t per_unit = pixels / r.blocks + 1;
  const int64_t columns = mm->n < r.columns ? mm->n : r.columns;
  sam_parallel(ctx, r.units * cuts, per_unit * columns * k * mm->groups / mm->tile.rate + 50, window_task, &r);
}
