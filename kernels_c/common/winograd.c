/* Samara: convolution by Winograd's F(2 x 2, 3 x 3); winograd.h explains.
 *
 *   item: a run of tiles    input transform ──> 16 planes of tiles x k ──> 16 products ──> planes of tiles x n
 *                           ──> output transform, bias, clamp ──> pixels
 * Two buffers of a thread hold the planes of one item, small enough for the second cache where k and n allow. */
#include "common/winograd.h"

#include <math.h>
#include <string.h>

enum { PLANES = 16, MOST_TILES = 192, LEAST_TILES = 24, BUFFER = 1 << 19, MOST_NR = 64 };

bool sam_winograd_wins(const sam_winograd *w) {
  const int32_t *filter = w->filter->dims, *out = w->out->dims;
  if (!sam_is_known(w->filter) || filter[1] != 3 || filter[2] != 3) return false;
  if (sam_uk.f32_gemm->tile.nr > MOST_NR) return false;
  if (filter[0] < 32 || filter[3] < 32) return false; /* the transforms would cost what the products save */
  const int64_t tiles = ((int64_t)out[1] + 1) / 2 * (((int64_t)out[2] + 1) / 2), pixels = (int64_t)out[1] * out[2];
  return 16 * tiles * 5 / 4 < 9 * pixels; /* tiles that reach over the edge waste work */
}

/* A column by G = 1 0 0 | 1/2 1/2 1/2 | 1/2 -1/2 1/2 | 0 0 1, for `n` filters at once. */
static inline void by_g(const double *a, const double *b, const double *c, double *const to[4], int64_t n) {
  for (int64_t q = 0; q < n; q++) {
    const double outer = a[q] + c[q];
    to[0][q] = a[q];
    to[1][q] = (outer + b[q]) / 2;
    to[2][q] = (outer - b[q]) / 2;
    to[3][q] = c[q];
  }
}

/* G g Gt of input channel c of the n filters from j on: n values at each plane. */
static void transform_filters(const float *filter, int64_t j, int64_t c, int64_t k, int64_t n, float *to,
                              int64_t plane) {
  double g[9][MOST_NR], t[4][3][MOST_NR], u[4][4][MOST_NR];
  for (int64_t q = 0; q < n; q++)
    for (int i = 0; i < 9; i++) g[i][q] = (double)filter[((j + q) * 9 + i) * k + c];
  for (int x = 0; x < 3; x++) by_g(g[x], g[3 + x], g[6 + x], (double *[]){t[0][x], t[1][x], t[2][x], t[3][x]}, n);
  for (int y = 0; y < 4; y++) by_g(t[y][0], t[y][1], t[y][2], (double *[]){u[y][0], u[y][1], u[y][2], u[y][3]}, n);
  for (int p = 0; p < PLANES; p++)
    for (int64_t q = 0; q < n; q++) to[p * plane + q] = (float)u[p / 4][p % 4][q];
}

/* The right matrix of every plane, in panels as gemm.h has them. */
static void pack(void *dst, const void *arg) {
  const sam_winograd *w = arg;
  const int64_t n = w->filter->dims[0], k = w->filter->dims[3], nr = w->gemm->tile.nr, plane = w->n_padded * k;
  float *packed = dst;
  if (n % nr) memset(packed, 0, sizeof *packed * (size_t)(PLANES * plane));
  for (int64_t j = 0; j < n; j += nr)
    for (int64_t c = 0; c < k; c++)
      transform_filters(w->filter->data, j, c, k, n - j < nr ? n - j : nr, packed + (j * k + c * nr), plane);
}

sam_status sam_winograd_prepare(sam_ctx *ctx, sam_winograd *w) {
  const int32_t *filter = w->filter->dims, *out = w->out->dims;
  const int64_t n = filter[0], k = filter[3];
  w->gemm = sam_uk.f32_gemm;
  w->transform = sam_uk.f32_winograd;
  const int64_t nr = w->gemm->tile.nr, mr = w->gemm->tile.mr;
  w->n_padded = (int32_t)((n + nr - 1) / nr * nr);
  w->tiles_x = ((int64_t)out[2] + 1) / 2;
  w->tiles = ((int64_t)out[1] + 1) / 2 * w->tiles_x;
  int64_t block = BUFFER / (PLANES * 4 * (k + n));
  block = block < LEAST_TILES ? LEAST_TILES : block > MOST_TILES ? MOST_TILES : block;
  const int64_t threads = sam_threads(ctx), rounds = (w->tiles + threads * block - 1) / (threads * block);
  const int64_t even = (w->tiles + threads * rounds - 1) / (threads * rounds);
  w->block = (even + mr - 1) / mr * mr;
  if (w->block > MOST_TILES) w->block = MOST_TILES;
  w->thread_bytes = ((size_t)(PLANES * w->block * (k + n) + k + 2 * n) * sizeof(float) + 63) / 64 * 64;
  const size_t bytes = sizeof(float) * (size_t)(PLANES * k * w->n_padded);
  w->packed = sam_pack(ctx, w->filter, UINT64_C(0x77696e6f) << 16 | (uint64_t)nr, bytes, pack, w);
  return w->packed ? SAM_OK : SAM_OUT_OF_MEMORY;
}

size_t sam_winograd_scratch(const sam_ctx *ctx, const sam_winograd *w) {
  return w->thread_bytes * (size_t)sam_threads(ctx);
}

typedef struct winograd_run {
  const sam_winograd *w;
  char *scratch;
  int64_t blocks; /* of one image */
} winograd_run;

/* Pointers to the 4 x 4 input pixels of a tile; `zeros` stands for what lies outside. */
static void tile_pixels(const sam_winograd *w, const float *image, int64_t tile, const float *zeros,
                        const float *d[PLANES]) {
  const int64_t height = w->in->dims[1], width = w->in->dims[2], k = w->in->dims[3];
  const int64_t y0 = tile / w->tiles_x * 2 - w->top, x0 = tile % w->tiles_x * 2 - w->left;
  for (int64_t i = 0; i < 4; i++)
    for (int64_t j = 0; j < 4; j++) {
      const int64_t y = y0 + i, x = x0 + j;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      d[4 * i + j] = inside ? image + (y * width + x) * k : zeros;
    }
}

static void task(void *arg, int64_t begin, int64_t end, int thread) {
  const winograd_run *r = arg;
  const sam_winograd *w = r->w;
  const int64_t k = w->in->dims[3], n = w->out->dims[3], out_h = w->out->dims[1], out_w = w->out->dims[2];
  float *v = (float *)(void *)(r->scratch + w->thread_bytes * (size_t)thread), *m = v + PLANES * w->block * k;
  float *zeros = m + PLANES * w->block * n, *no_bias = zeros + k, *nowhere = no_bias + n;
  memset(zeros, 0, sizeof *zeros * (size_t)(k + n));
  const float *bias = w->bias ? w->bias->data : no_bias;
  const float *rows[MOST_TILES];
  const ptrdiff_t tap = 0;
  for (int64_t item = begin; item < end; item++) {
    const int64_t batch = item / r->blocks, first = item % r->blocks * w->block;
    const int64_t count = w->tiles - first < w->block ? w->tiles - first : w->block;
    const float *image = (const float *)w->in->data + batch * w->in->dims[1] * w->in->dims[2] * k;
    for (int64_t t = 0; t < count; t++) {
      const float *d[PLANES];
      tile_pixels(w, image, first + t, zeros, d);
      w->transform->input(k, d, v + t * k, w->block * k);
    }
    sam_f32_gemm_args g = {.m = count, .n = (int32_t)n, .taps = 1, .k = (int32_t)k, .a = rows, .tap = &tap, .ldy = n};
    g.lo = -INFINITY, g.hi = INFINITY;
    for (int64_t p = 0; p < PLANES; p++) {
      for (int64_t t = 0; t < count; t++) rows[t] = v + (p * w->block + t) * k;
      g.w = w->packed + p * w->n_padded * k;
      g.y = m + p * w->block * n;
      w->gemm->run(&g);
    }
    float *out = (float *)w->out->data + batch * out_h * out_w * n;
    for (int64_t t = 0; t < count; t++) {
      const int64_t y0 = (first + t) / w->tiles_x * 2, x0 = (first + t) % w->tiles_x * 2;
      float *y[4];
      for (int64_t q = 0; q < 4; q++) {
        const int64_t oy = y0 + q / 2, ox = x0 + q % 2;
        y[q] = oy < out_h && ox < out_w ? out + (oy * out_w + ox) * n : nowhere;
      }
      w->transform->output(n, m + t * n, w->block * n, bias, w->lo, w->hi, y);
    }
  }
}

void sam_winograd_run(sam_ctx *ctx, const sam_winograd *w, void *scratch) {
  if (w->tiles <= 0 || w->out->dims[0] <= 0) return;
  winograd_run r = {w, scratch, (w->tiles + w->block - 1) / w->block};
  const int64_t cycles = PLANES * w->block * w->in->dims[3] * w->out->dims[3] / w->gemm->tile.rate;
  sam_parallel(ctx, r.blocks * w->out->dims[0], cycles + 50, task, &r);
}
