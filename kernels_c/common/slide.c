/* Samara: sliding windows over the matrix kernels; slide.h explains. */
#include "common/slide.h"

#include <string.h>

#include "common/pieces.h"

enum {
  STRIP = 1 << 16,
  WINDOW_MAX = 1 << 22,
  SLACK = 64,
  PIECE = 16 /* bytes of a run copied at once */,
  LEAST_RUN = 16
};

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

/* Rows of one kernel call; new bytes of each: a window of several taps shares most of its pixels with the next. */
static int64_t slide_block(const sam_slide *win, const sam_matmul *mm) {
  const int64_t k = (int64_t)win->runs * win->run_pixels * win->tap_channels;
  const int64_t shared = 3 * (int64_t)win->channels * win->sx;
  const int64_t fresh = win->mode != SAM_SLIDE_GATHER && win->runs > 1 && shared < k ? shared : k;
  return sam_matmul_block(mm, fresh * mm->element);
}

/* Whether the runs of each window are worth copying side by side: they lie so in the weights, are short (the kernel
 * would spend its time going from one to the next, and on what fills them up to kr), and serve many columns. */
static bool joins_runs(const sam_slide *win, const sam_matmul *mm) {
  const int64_t run_k = (int64_t)win->run_pixels * win->tap_channels;
  bool side_by_side = mm->k_stride == 1;
  for (int32_t r = 1; r < win->runs; r++)
    side_by_side = side_by_side && win->run_source[r] == win->run_source[0] + r * run_k;
  return side_by_side && win->mode == SAM_SLIDE_COPY && win->runs > 1 && mm->s8 && run_k * mm->element <= PIECE &&
         mm->n >= 8;
}

static int64_t cycles(const sam_slide *win, const sam_matmul *mm) {
  const int64_t k = (int64_t)win->runs * win->run_pixels * win->tap_channels;
  return (int64_t)win->batches * win->y_count * win->x_count * mm->n * mm->groups * k / mm->tile.rate;
}

/* Rows of a strip, of which each copies its border again. */
static int64_t strip_rows(const sam_ctx *ctx, const sam_slide *win, const sam_matmul *mm, int64_t most) {
  const int64_t strips = sam_pieces(sam_threads(ctx), cycles(win, mm));
  int64_t rows = (win->y_count + strips - 1) / strips;
  if (rows < 4) rows = 4;
  return rows < most ? rows : most;
}

/* Pixels of a call, where those of an image follow each other. */
static int64_t flat_block(const sam_ctx *ctx, const sam_slide *win, const sam_matmul *mm, int64_t most) {
  const int64_t pieces = sam_pieces(sam_threads(ctx), cycles(win, mm)), mr = mm->tile.mr;
  const int64_t pixels = (int64_t)win->batches * win->y_count * win->x_count, wanted = (pixels + pieces - 1) / pieces;
  const int64_t block = (wanted > 4 * mr ? wanted + mr - 1 : 4 * mr) / mr * mr;
  return block < most ? block : most;
}

/* Bands of output rows whose windows reach the same rows of the image: the kernel leaves out the taps above and below
 * it. Not where a window meets none of them. */
static void find_bands(sam_slide *win, sam_matmul *mm) {
  win->bands = 0;
  for (int32_t y = 0; y < win->y_count; y++) {
    sam_tap_range range = {0, win->runs};
    for (int32_t r = 0; r < win->runs; r++) {
      const int64_t at = (int64_t)y * win->sy + win->run_dy[r];
      if (r > 0 && win->run_dy[r] < win->run_dy[r - 1]) return;
      if (at < 0) range.first = r + 1;
      if (at >= win->h && range.end == win->runs) range.end = r;
    }
    const sam_tap_range *last = &mm->ranges[win->bands > 0 ? win->bands - 1 : 0];
    if (win->bands == 0 || range.first != last->first || range.end != last->end) {
      if (range.first >= range.end || win->bands == SAM_TAP_RANGES) {
        win->bands = 0;
        return;
      }
      mm->ranges[win->bands++] = range;
    }
    win->band_end[win->bands - 1] = y + 1;
  }
  if (win->bands == 1) win->bands = 0;
  mm->range_count = win->bands;
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
  const int64_t run_k = (int64_t)win->run_pixels * win->tap_channels;
  if (run_k * win->runs > INT32_MAX)
    return sam_fail(ctx, SAM_UNSUPPORTED, "windows of %lld elements", (long long)(run_k * win->runs));
  mm->taps = win->runs;
  mm->k = (int32_t)run_k;
  mm->tap_source = win->run_source;
  sam_matmul_narrow(mm);
  const int64_t pixel = (int64_t)win->channels * mm->element;
  const int64_t last_y = (int64_t)(win->y_count - 1) * win->sy + win->max_dy;
  const int64_t last_x = (int64_t)(win->x_count - 1) * win->sx + win->max_dx;
  const int64_t reach_y = (int64_t)win->max_dy - win->min_dy + 1;
  win->row_pixels = last_x - win->min_dx + 1;

  const bool inside = win->min_dy >= 0 && win->min_dx >= 0 && last_y < win->h && last_x < win->w;
  const bool converts = mm->converts || run_k % mm->tile.kr;
  const bool huge = win->row_pixels > WINDOW_MAX || reach_y > WINDOW_MAX ||
                    win->row_pixels * pixel > WINDOW_MAX / (reach_y + win->sy);
  const bool pointwise = inside && win->taps == 1 && win->sx == 1 && win->sy == 1 && win->min_dy == 0 &&
                         win->min_dx == 0 && win->x_count == win->w;
  win->mode = inside && !converts ? SAM_SLIDE_DIRECT
              : pointwise         ? SAM_SLIDE_DENSE
              : huge              ? SAM_SLIDE_GATHER
                                  : SAM_SLIDE_COPY;
  win->strip_rows = 1;
  for (int32_t r = 0; r < win->runs; r++)
    win->tap_bytes[r] = ((int64_t)win->run_dy[r] * win->w + win->run_dx[r]) * pixel;
  if (win->mode == SAM_SLIDE_DENSE) {
    win->thread_bytes = (size_t)(slide_block(win, mm) * pixel) + SLACK;
  } else if (win->mode == SAM_SLIDE_GATHER) {
    for (int32_t r = 0; r < win->runs; r++) win->tap_bytes[r] = r * run_k * mm->element;
    win->thread_bytes = (size_t)(slide_block(win, mm) * run_k * win->runs * mm->element) + SLACK;
  } else if (win->mode == SAM_SLIDE_COPY) {
    const int64_t row = win->row_pixels * pixel;
    int64_t rows = row > 0 ? (STRIP / row - (reach_y - win->sy)) / win->sy : 1;
    if (rows < 4) rows = 4;
    if (rows > win->y_count) rows = win->y_count;
    win->strip_rows = rows > 1 ? strip_rows(ctx, win, mm, rows) : 1;
    win->thread_bytes = (size_t)(((win->strip_rows - 1) * win->sy + reach_y) * row) + SLACK;
    for (int32_t r = 0; r < win->runs; r++)
      win->tap_bytes[r] = (win->run_dy[r] - win->min_dy) * row + (int64_t)(win->run_dx[r] - win->min_dx) * pixel;
    win->window_bytes = 0;
    if (joins_runs(win, mm)) {
      mm->taps = 1;
      mm->k = (int32_t)(win->runs * run_k);
      const int64_t whole = (mm->k + mm->tile.kr - 1) / mm->tile.kr * mm->tile.kr * mm->element;
      const int64_t last = (win->runs - 1) * run_k * mm->element + PIECE;
      win->window_bytes = whole > last ? whole : last;
      win->strip_bytes = (int64_t)(win->thread_bytes + 63) / 64 * 64;
      win->thread_bytes = (size_t)(win->strip_bytes + slide_block(win, mm) * win->window_bytes) + SLACK;
    } else if (mm->kind == SAM_MATMUL_S8 && win->runs > 1 && run_k >= LEAST_RUN &&
               sam_type_bits(mm->weights->type) == 8) {
      find_bands(win, mm);
    }
  }
  win->thread_bytes = (win->thread_bytes + 63) / 64 * 64;
  return SAM_OK;
}

size_t sam_slide_scratch(const sam_ctx *ctx, const sam_slide *win) {
  return win->thread_bytes * (size_t)sam_threads(ctx);
}

typedef struct slide_run {
  const sam_slide *win;
  const sam_matmul *mm;
  const char *in;
  char *out, *scratch;
  const float *batch_scale;
  const int32_t *batch_zero;
  int64_t block;  /* pixels of a call */
  int64_t units;  /* strips, or blocks (then dense) of pixels */
  int64_t blocks; /* units of an image */
  int32_t columns;
  int32_t out_bytes;
} slide_run;

/* The zero point of the left side, as int8. */
static int32_t zero_of(const slide_run *r, int32_t batch) {
  return r->mm->kind == SAM_MATMUL_HYBRID ? r->batch_zero[batch] : r->mm->za;
}

/* Pixels [x, x + n) of input rows [y, y + rows) for the kernel. What lies outside is filled in: from the end of one row
 * inside to the beginning of the next, at once. */
static void copy_rows(const slide_run *r, int32_t batch, int64_t y, int64_t rows, int64_t x, int64_t n, char *to) {
  const sam_slide *win = r->win;
  const sam_matmul *mm = r->mm;
  const int32_t zero = zero_of(r, batch);
  const int64_t source = (int64_t)win->channels * mm->source, pixel = (int64_t)win->channels * mm->element;
  const int64_t begin = x < 0 ? 0 : x, end = x + n < win->w ? x + n : win->w;
  const char *from = r->in + ((int64_t)batch * win->h * win->w + begin) * source, *after = to + rows * n * pixel;
  char *outside = to;
  for (char *at = to + (begin - x) * pixel; y < win->h && begin < end && at < after; y++, at += n * pixel) {
    if (y < 0) continue;
    if (at > outside) sam_matmul_zeros(mm, zero, (at - outside) / mm->element, outside);
    sam_matmul_convert(mm, from + y * win->w * source, (end - begin) * win->channels, at);
    outside = at + (end - begin) * pixel;
  }
  if (after > outside) sam_matmul_zeros(mm, zero, (after - outside) / mm->element, outside);
}

/* The window of one output pixel and group, tap after tap. */
static void gather(const slide_run *r, int32_t batch, int64_t y, int64_t x, int32_t group, char *to) {
  const sam_slide *win = r->win;
  const sam_matmul *mm = r->mm;
  for (int32_t t = 0; t < win->runs; t++) {
    const int64_t iy = y * win->sy + win->run_dy[t], ix = x * win->sx + win->run_dx[t], c = win->tap_channels;
    if (c == win->channels)
      copy_rows(r, batch, iy, 1, ix, win->run_pixels, to);
    else if (iy < 0 || iy >= win->h || ix < 0 || ix >= win->w)
      sam_matmul_zeros(mm, zero_of(r, batch), c, to);
    else
      sam_matmul_convert(
          mm, r->in + ((((int64_t)batch * win->h + iy) * win->w + ix) * win->channels + group * c) * mm->source, c, to);
    to += win->run_pixels * c * mm->element;
  }
}

/* As a vector at any address: one load where memcpy is two. */
typedef uint8_t piece __attribute__((vector_size(PIECE), aligned(1), may_alias));

/* The runs of each of n windows side by side; the first window begins at `from`, the next `step` bytes later. What a
 * piece has beyond its run is overwritten by the next run, or meets weights of zero. */
static void join_windows(const sam_slide *win, const char *from, int64_t n, int64_t step, int64_t run, char *to) {
  const int64_t window = win->window_bytes;
  int32_t r = 0;
  for (; r + 3 <= win->runs; r += 3, to += 3 * run) { /* a filter of three rows, at once */
    const ptrdiff_t *tap = win->tap_bytes + r;
    const char *a = from + tap[0];
    const ptrdiff_t b = tap[1] - tap[0], c = tap[2] - tap[0];
    for (char *at = to, *end = to + n * window; at != end; at += window, a += step) {
      const piece first = *(const piece *)a, second = *(const piece *)(a + b), third = *(const piece *)(a + c);
      *(piece *)at = first, *(piece *)(at + run) = second, *(piece *)(at + 2 * run) = third;
    }
  }
  for (; r < win->runs; r++, to += run) {
    const char *a = from + win->tap_bytes[r];
    for (char *at = to, *end = to + n * window; at != end; at += window, a += step) memcpy(at, a, PIECE);
  }
}

/* Two addresses as a vector. */
typedef uintptr_t two __attribute__((vector_size(2 * sizeof(uintptr_t)), aligned(sizeof(uintptr_t)), may_alias));

/* Pointers to n rows `step` bytes apart. */
static void point(const void **a, int64_t n, const char *from, int64_t step) {
  const two next = (two){} + 2 * (uintptr_t)step;
  two at = {(uintptr_t)from, (uintptr_t)(from + step)};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const two b = at + next, c = b + next, d = c + next;
    *(two *)(a + i) = at, *(two *)(a + i + 2) = b, *(two *)(a + i + 4) = c, *(two *)(a + i + 6) = d;
    at = d + next;
  }
  for (; i < n; i++) a[i] = from + i * step;
}

static char *out_pixel(const slide_run *r, int64_t batch, int64_t i, int64_t j, int32_t group) {
  const sam_slide *win = r->win;
  const int64_t y = win->y_first + i * win->y_step, x = win->x_first + j * win->x_step;
  return r->out +
         (((batch * win->out_h + y) * win->out_w + x) * win->out_channels + (int64_t)group * r->mm->n) * r->out_bytes;
}

static void hybrid_rows(const slide_run *r, int32_t batch, int64_t m, float *scale, int32_t *zero) {
  for (int64_t i = 0; i < m; i++) scale[i] = r->batch_scale[batch], zero[i] = r->batch_zero[batch];
}

/* Output pixels [first, first + count) of one image, all in one output row unless the output is dense. */
static void run_pixels(const slide_run *r, int32_t batch, int64_t first, int64_t count, int32_t group, int32_t column,
                       const char *strip, int64_t strip_y, int32_t band, int thread) {
  const sam_slide *win = r->win;
  const sam_matmul *mm = r->mm;
  char *scratch = r->scratch + win->thread_bytes * (size_t)thread;
  const int64_t element = mm->element, pixel = (int64_t)win->channels * element;
  const void *a[SAM_MATMUL_ROWS];
  float scale[SAM_MATMUL_ROWS];
  int32_t zero[SAM_MATMUL_ROWS];
  sam_matmul_call call = {.group = group, .column = column, .m = count, .a = a, .tap = win->tap_bytes};
  call.thread = thread;
  call.range = band;
  call.columns = mm->n - column < r->columns ? mm->n - column : r->columns;
  int64_t y = first / win->x_count, x = first % win->x_count;
  call.y = out_pixel(r, batch, y, x, group);
  call.ldy = (int64_t)win->x_step * win->out_channels;
  const ptrdiff_t no_tap = 0;
  const int64_t run_bytes = (int64_t)win->run_pixels * win->tap_channels * element;
  const int64_t step = win->sx * pixel, group_at = (int64_t)group * win->tap_channels * element;
  if (win->window_bytes) call.tap = &no_tap;
  if (!win->window_bytes && win->mode != SAM_SLIDE_GATHER && (first | win->x_count) % 4 == 0) call.row_step = step;
  for (int64_t i = 0; i < count; x = 0, y++) { /* row by row */
    const int64_t end = i + win->x_count - x < count ? i + win->x_count - x : count;
    if (win->mode == SAM_SLIDE_GATHER) {
      for (; i < end; i++, x++) {
        char *to = scratch + i * run_bytes * win->runs;
        gather(r, batch, y, x, group, to);
        a[i] = to;
      }
      continue;
    }
    const char *from = r->in + (((int64_t)batch * win->h + y * win->sy) * win->w + x * win->sx) * pixel;
    if (win->mode == SAM_SLIDE_DENSE) from = strip + i * pixel;
    if (win->mode == SAM_SLIDE_COPY) from = strip + ((y - strip_y) * win->sy * win->row_pixels + x * win->sx) * pixel;
    from += group_at;
    if (win->window_bytes) {
      char *to = scratch + win->strip_bytes + i * win->window_bytes;
      join_windows(win, from, end - i, step, run_bytes, to);
      point(a + i, end - i, to, win->window_bytes);
    } else {
      point(a + i, end - i, from, step);
    }
    i = end;
  }
  if (mm->kind == SAM_MATMUL_HYBRID) {
    hybrid_rows(r, batch, count, scale, zero);
    call.row_scale = scale;
    call.row_zero = zero;
  }
  sam_matmul_run(mm, &call);
}

/* Output pixels [first, last) of one image, call by call. */
static void run_block(const slide_run *r, int32_t batch, int64_t first, int64_t last, int32_t column, int64_t strip_y,
                      int thread) {
  const sam_slide *win = r->win;
  char *scratch = r->scratch + win->thread_bytes * (size_t)thread;
  const int64_t pixel = (int64_t)win->channels * r->mm->element;
  const int64_t dense_pixel = win->mode == SAM_SLIDE_DENSE ? pixel : 0;
  const bool dense = win->x_step == 1 && win->y_step == 1; /* rows of output pixels follow each other */
  if (dense_pixel)
    sam_matmul_convert(r->mm,
                       r->in + ((int64_t)batch * win->y_count * win->x_count + first) * win->channels * r->mm->source,
                       (last - first) * win->channels, scratch);
  for (int32_t g = 0; g < r->mm->groups; g++)
    for (int64_t p = first; p < last;) {
      int64_t count = last - p < r->block ? last - p : r->block;
      int32_t band = 0;
      if (win->bands > 0) {
        while (p >= (int64_t)win->band_end[band] * win->x_count) band++;
        const int64_t left = (int64_t)win->band_end[band] * win->x_count - p;
        if (count > left) count = left;
      }
      if (!dense && p % win->x_count + count > win->x_count) count = win->x_count - p % win->x_count;
      run_pixels(r, batch, p, count, g, column, scratch + (p - first) * dense_pixel, strip_y, band, thread);
      p += count;
    }
}

/* Item: (unit, cut of the columns); a unit is (batch, run of pixels) or (batch, strip of rows). */
static void slide_task(void *arg, int64_t begin, int64_t end, int thread) {
  const slide_run *r = arg;
  const sam_slide *win = r->win;
  for (int64_t item = begin; item < end; item++) {
    const int64_t unit = item % r->units;
    const int32_t batch = (int32_t)(unit / r->blocks), column = (int32_t)(item / r->units) * r->columns;
    const int64_t at = unit % r->blocks, pixels = (int64_t)win->y_count * win->x_count;
    int64_t first = at * r->block, last = first + r->block < pixels ? first + r->block : pixels, strip_y = 0;
    if (win->mode == SAM_SLIDE_COPY) {
      strip_y = at * win->strip_rows;
      const int64_t rows = win->y_count - strip_y < win->strip_rows ? win->y_count - strip_y : win->strip_rows;
      int64_t y = strip_y * win->sy + win->min_dy, below = y + (rows - 1) * win->sy + win->max_dy - win->min_dy + 1;
      char *to = r->scratch + win->thread_bytes * (size_t)thread;
      if (win->bands > 0) { /* nobody reads what is above and below the image */
        if (y < 0) to -= y * win->row_pixels * win->channels * r->mm->element, y = 0;
        if (below > win->h) below = win->h;
      }
      copy_rows(r, batch, y, below - y, win->min_dx, win->row_pixels, to);
      first = strip_y * win->x_count;
      last = first + rows * win->x_count;
    }
    run_block(r, batch, first, last, column, strip_y, thread);
  }
}

/* In calls of slide_block, of all columns. */
static slide_run run_of(const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch) {
  return (slide_run){.win = win,
                     .mm = mm,
                     .in = in,
                     .out = out,
                     .scratch = scratch,
                     .block = slide_block(win, mm),
                     .columns = mm->n_padded,
                     .out_bytes = sam_type_bits(mm->out->type) / 8};
}

void sam_slide_pixels(const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch,
                      int64_t first, int64_t last, int thread) {
  const slide_run r = run_of(win, mm, in, out, scratch);
  for (int64_t next; first < last; first = next) {
    next = last - first < r.block ? last : first + r.block;
    run_block(&r, 0, first, next, 0, 0, thread);
  }
}

void sam_slide_run(sam_ctx *ctx, const sam_slide *win, const sam_matmul *mm, const void *in, void *out, void *scratch,
                   const float *batch_scale, const int32_t *batch_zero) {
  if (win->batches == 0 || win->y_count <= 0 || win->x_count <= 0 || mm->n == 0) return;
  slide_run r = run_of(win, mm, in, out, scratch);
  r.batch_scale = batch_scale, r.batch_zero = batch_zero;
  const int64_t pixels = (int64_t)win->y_count * win->x_count;
  if (win->mode != SAM_SLIDE_COPY) r.block = flat_block(ctx, win, mm, r.block);
  r.blocks = win->mode == SAM_SLIDE_COPY ? (win->y_count + win->strip_rows - 1) / win->strip_rows
                                         : (pixels + r.block - 1) / r.block;
  r.units = r.blocks * win->batches;
  r.columns = sam_matmul_columns(ctx, mm, r.units, cycles(win, mm));
  const int64_t cuts = (mm->n + r.columns - 1) / r.columns;
  sam_parallel(ctx, r.units * cuts, cycles(win, mm) / (r.units * cuts) + 50, slide_task, &r);
}
