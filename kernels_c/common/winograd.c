/* Samara: convolution by Winograd's F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3); winograd.h explains.
 *
 *   item: a run of tiles    input transform ──> 16 or 36 planes of tiles x k ──> as many products ──> tiles x n
 *                           ──> output transform, bias, clamp ──> pixels
 * Two buffers of a thread hold the planes of one item, small enough for the second cache where k and n allow. */
#include "common/winograd.h"

#include <string.h>

#include "common/fp16.h"

enum {
  PLANES = 16, /* of F(2 x 2) */
  MOST_PLANES = 36,
  MOST_SIDE = 6,
  MOST_TILES = 192,
  LEAST_TILES = 64,  /* of one item, as its products read the whole filter */
  BUFFER = 1 << 19,
  MOST_NR = 64,
  RUN = 64,          /* input channels of a filter transformed at once */
  MOST_SUMMED = 1800, /* input channels: 4 times 9 products of 128 and 255 fit 31 bits that often */
  MOST_SUM = 1 << 25, /* of F(4 x 4) */
  WORTH = 32,         /* tiles that pay for reading a large filter, which integers make 32/9 as large, */
  LARGE = 1 << 14     /* one of more than this times 9 weights, which the second cache does not keep */
};

static bool fits_integers(const sam_matmul *mm) {
  const sam_type in = mm->in->type, filter = mm->weights->type;
  if (mm->s8->form != SAM_A_S16 || (in != SAM_INT8 && in != SAM_UINT8) || mm->out->type != in) return false;
  if ((filter != SAM_INT8 && filter != SAM_UINT8) || (mm->w_zero && mm->weights->quant->count > 1)) return false;
  return mm->weights->dims[3] <= MOST_SUMMED;
}

bool sam_winograd_wins(const sam_matmul *mm) {
  const int32_t *filter = mm->weights->dims, *out = mm->out->dims;
  const bool f32 = mm->kind == SAM_MATMUL_F32;
  if (!sam_is_known(mm->weights) || filter[1] != 3 || filter[2] != 3) return false;
  if (f32 ? sam_uk.f32_gemm->tile.nr > MOST_NR : mm->kind != SAM_MATMUL_S8 || !fits_integers(mm)) return false;
  if (filter[0] < 32 || filter[3] < 32) return false; /* the transforms would cost what the products save */
  const int64_t tiles = ((int64_t)out[1] + 1) / 2 * (((int64_t)out[2] + 1) / 2), pixels = (int64_t)out[1] * out[2];
  if (!f32 && tiles < WORTH && (int64_t)filter[0] * filter[3] > LARGE) return false;
  return 16 * tiles * 5 / 4 < 9 * pixels; /* tiles that reach over the edge waste work */
}

static int64_t tiles_of(const sam_tensor *out, int32_t size) {
  return ((int64_t)out->dims[1] + size - 1) / size * (((int64_t)out->dims[2] + size - 1) / size);
}

/* Whether tiles of 4 x 4 are exact and better than those of 2 x 2, with filters of 8 bytes for one. */
static bool takes_four(const sam_matmul *mm) {
  if (mm->kind == SAM_MATMUL_F32) return false;
  const int32_t *filter = mm->weights->dims;
  const int64_t two = tiles_of(mm->out, 2), four = tiles_of(mm->out, 4), most = mm->w_zero || mm->w_flip ? 255 : 128;
  if (9 * (int64_t)filter[3] * most * 128 > MOST_SUM - 1) return false;
  if (four < WORTH && (int64_t)filter[0] * filter[3] > LARGE) return false;
  return 36 * four * 5 / 4 < PLANES * two;
}

/* ---- The filter: G = 1 0 0 | 1/2 1/2 1/2 | 1/2 -1/2 1/2 | 0 0 1 -------------------------------------------------- */

/* A column by G (floats), by 2 G (integers), for n values at once. */
static void by_g(const double *a, const double *b, const double *c, double *const *to, int64_t n) {
  for (int64_t q = 0; q < n; q++) {
    const double outer = a[q] + c[q];
    to[0][q] = a[q];
    to[1][q] = (outer + b[q]) / 2;
    to[2][q] = (outer - b[q]) / 2;
    to[3][q] = c[q];
  }
}
static void by_2g(const int16_t *a, const int16_t *b, const int16_t *c, int16_t *const *to, int64_t n) {
  for (int64_t q = 0; q < n; q++) {
    const int16_t outer = (int16_t)(a[q] + c[q]);
    to[0][q] = (int16_t)(2 * a[q]);
    to[1][q] = (int16_t)(outer + b[q]);
    to[2][q] = (int16_t)(outer - b[q]);
    to[3][q] = (int16_t)(2 * c[q]);
  }
}
/* The same by the G of F(4 x 4) without its fractions, see ukernels/winograd.h. */
static void by_six(const int16_t *a, const int16_t *b, const int16_t *c, int16_t *const *to, int64_t n) {
  for (int64_t q = 0; q < n; q++) {
    const int16_t outer = (int16_t)(a[q] + c[q]), far = (int16_t)(a[q] + 4 * c[q]);
    to[0][q] = a[q];
    to[1][q] = (int16_t)(outer + b[q]);
    to[2][q] = (int16_t)(outer - b[q]);
    to[3][q] = (int16_t)(far + 2 * b[q]);
    to[4][q] = (int16_t)(far - 2 * b[q]);
    to[5][q] = c[q];
  }
}

/* u[y * side + x] = G g Gt for n input channels of one filter, from its nine rows of them. */
#define TRANSFORM_FILTER(T, by, side, g, u, n)                      \
  do {                                                              \
    T t[3 * MOST_SIDE][RUN], *to[MOST_SIDE];                        \
    for (int x = 0; x < 3; x++) {                                   \
      for (int y = 0; y < (side); y++) to[y] = t[3 * y + x];        \
      by(g[x], g[3 + x], g[6 + x], to, n);                          \
    }                                                               \
    for (int y = 0; y < (side); y++) {                              \
      for (int x = 0; x < (side); x++) to[x] = u[y * (side) + x];   \
      by(t[3 * y], t[3 * y + 1], t[3 * y + 2], to, n);              \
    }                                                               \
  } while (0)

/* The right matrix of every plane in panels as gemm.h has them; kr is 1 for floats and 2 for integers. */
static void pack_f32(const sam_matmul *mm, void *dst, int32_t *sums) {
  const int64_t k = mm->k, nr = mm->tile.nr, plane = mm->n_padded * k;
  float *packed = dst;
  double g[9][RUN], u[PLANES][RUN];
  (void)sums;
  if (mm->n % nr) memset(packed, 0, sizeof *packed * (size_t)(PLANES * plane));
  for (int64_t j = 0; j < mm->n; j++)
    for (int64_t first = 0; first < k; first += RUN) {
      const int64_t n = k - first < RUN ? k - first : RUN;
      const float *from = (const float *)mm->weights->data + j * 9 * k + first;
      for (int i = 0; i < 9; i++)
        for (int64_t c = 0; c < n; c++) g[i][c] = (double)from[i * k + c];
      TRANSFORM_FILTER(double, by_g, 4, g, u, n);
      for (int p = 0; p < PLANES; p++) {
        float *to = packed + p * plane + j / nr * nr * k + first * nr + j % nr;
        for (int64_t c = 0; c < n; c++) to[c * nr] = (float)u[p][c];
      }
    }
}

/* The same in half precision: each plane in panels of f16_gemm. No |G g Gt| is more than 9/4 of the largest |g|, and the
 * left side comes a quarter as large. */
static void pack_f16(const sam_matmul *mm, void *dst, int32_t *sums) {
  const int64_t k = mm->k, nr = mm->tile.nr, panel = (k + 2) * nr, plane = mm->n_padded / nr * panel;
  double g[9][RUN], u[PLANES][RUN];
  (void)sums;
  memset(dst, 0, 2 * (size_t)(PLANES * plane));
  for (int64_t j = 0; j < mm->n; j++) {
    const float *filter = (const float *)mm->weights->data + j * 9 * k;
    float most = 0;
    for (int64_t i = 0; i < 9 * k; i++)
      if (fabsf(filter[i]) > most && isfinite(filter[i])) most = fabsf(filter[i]);
    const float scale = sam_f16_scale(2.25f * most);
    uint16_t *packed = (uint16_t *)dst + j / nr * panel;
    for (int p = 0; p < PLANES; p++) ((float *)(void *)(packed + p * plane))[j % nr] = 4 * scale;
    for (int64_t first = 0; first < k; first += RUN) {
      const int64_t n = k - first < RUN ? k - first : RUN;
      for (int i = 0; i < 9; i++)
        for (int64_t c = 0; c < n; c++) g[i][c] = (double)filter[first + i * k + c];
      TRANSFORM_FILTER(double, by_g, 4, g, u, n);
      for (int p = 0; p < PLANES; p++)
        for (int64_t c = 0; c < n; c++)
          packed[p * plane + (2 + first + c) * nr + j % nr] = sam_f32_to_f16((float)(u[p][c] / (double)scale));
    }
  }
}

static void pack_s8(const sam_matmul *mm, void *dst, int32_t *sums, int side) {
  const int64_t k = mm->k, even = (k + 1) / 2 * 2, nr = mm->tile.nr, plane = mm->n_padded * even;
  const int32_t zero = mm->weights->quant->zero_point[0] - (mm->w_flip ? 128 : 0);
  int16_t *packed = dst, g[9][RUN], u[MOST_PLANES][RUN];
  memset(sums, 0, sizeof *sums * (size_t)(mm->n_padded + 1));
  if (mm->n % nr || k % 2) memset(packed, 0, sizeof *packed * (size_t)(side * side * plane));
  for (int64_t j = 0; j < mm->n; j++)
    for (int64_t first = 0; first < k; first += RUN) {
      const int64_t n = k - first < RUN ? k - first : RUN;
      const uint8_t *from = (const uint8_t *)mm->weights->data + j * 9 * k + first;
      for (int i = 0; i < 9; i++)
        for (int64_t c = 0; c < n; c++) {
          g[i][c] = (int16_t)((int8_t)(from[i * k + c] ^ mm->w_flip) - zero);
          sums[j] += g[i][c];
        }
      if (side == 4)
        TRANSFORM_FILTER(int16_t, by_2g, 4, g, u, n);
      else
        TRANSFORM_FILTER(int16_t, by_six, 6, g, u, n);
      for (int p = 0; p < side * side; p++) {
        int16_t *to = packed + p * plane + j / nr * nr * even + first * nr + j % nr * 2;
        const int16_t *values = u[p];
        int64_t c = 0;
        for (; c + 2 <= n; c += 2) memcpy(to + c * nr, values + c, 4);
        if (c < n) to[c * nr] = values[c];
      }
    }
}

static void pack_two(const sam_matmul *mm, void *dst, int32_t *sums) { pack_s8(mm, dst, sums, 4); }
static void pack_four(const sam_matmul *mm, void *dst, int32_t *sums) { pack_s8(mm, dst, sums, 6); }

sam_status sam_winograd_prepare(sam_ctx *ctx, sam_winograd *w) {
  sam_matmul *mm = w->mm;
  const bool f32 = mm->kind == SAM_MATMUL_F32;
  w->in = mm->in, w->filter = mm->weights, w->out = mm->out;
  w->size = takes_four(mm) ? 4 : 2;
  w->planes = (w->size + 2) * (w->size + 2);
  const int64_t n = w->filter->dims[0], k = w->filter->dims[3];
  w->f32 = sam_uk.f32_winograd, w->s8 = sam_uk.s8_winograd;
  mm->tile = mm->f16 ? mm->f16->tile : f32 ? mm->f32->tile : w->s8->tile;
  w->form = f32 ? NULL : w->size == 4 ? &w->s8->four : &w->s8->two;
  mm->panels = mm->f16 ? pack_f16 : f32 ? pack_f32 : w->size == 4 ? pack_four : pack_two;
  mm->range_count = 0;
  mm->taps = 9, mm->k = (int32_t)k, mm->n = (int32_t)n;
  mm->w_zero = false; /* pack_s8 takes it out */
  const int64_t nr = mm->tile.nr, mr = mm->tile.mr, element = f32 && !mm->f16 ? 4 : 2, lanes = f32 ? 1 : w->s8->lanes;
  const int64_t n_padded = (n + nr - 1) / nr * nr;
  w->k_padded = (k + lanes - 1) / lanes * lanes;
  w->plane_bytes = (k + mm->tile.kr - 1) / mm->tile.kr * mm->tile.kr * n_padded * element;
  if (mm->f16) w->plane_bytes += 4 * n_padded; /* factors */
  mm->group_bytes = (size_t)(w->planes * w->plane_bytes);
  w->tiles_x = ((int64_t)w->out->dims[2] + w->size - 1) / w->size;
  w->tiles = tiles_of(w->out, w->size);
  int64_t block = BUFFER / (w->planes * (element * k + 4 * n));
  block = block < LEAST_TILES ? LEAST_TILES : block > MOST_TILES ? MOST_TILES : block;
  const int64_t threads = sam_threads(ctx), rounds = (w->tiles + threads * block - 1) / (threads * block);
  const int64_t even = (w->tiles + threads * rounds - 1) / (threads * rounds);
  w->block = threads > 1 && rounds == 1 ? even : (even + mr - 1) / mr * mr;
  if (w->block > MOST_TILES) w->block = MOST_TILES;
  /* Planes a power of two apart would meet in the same lines of the first cache. */
  w->in_plane = w->block * w->k_padded + 64 / element, w->product_plane = w->block * n_padded + 16;
  w->input_bytes = (size_t)(w->planes * w->in_plane * element + 63) / 64 * 64;
  const size_t nothing = (size_t)((f32 ? 4 : 1) * (k + n) + 63) / 64 * 64;
  w->thread_bytes = w->input_bytes + (size_t)(w->planes * w->product_plane * 4) + nothing;
  return sam_matmul_prepare(ctx, mm);
}

size_t sam_winograd_scratch(const sam_ctx *ctx, const sam_winograd *w) {
  return w->thread_bytes * (size_t)sam_threads(ctx);
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

typedef struct winograd_run {
  const sam_winograd *w;
  char *scratch;
  int64_t blocks; /* of one image */
  int64_t source; /* bytes of an element of the tensors */
} winograd_run;

/* Pointers to the 4 x 4 or 6 x 6 input pixels of a tile; `zeros` stands for what lies outside. */
static void tile_pixels(const winograd_run *r, const char *image, int64_t tile, const void *zeros,
                        const void **d) {
  const sam_winograd *w = r->w;
  const int64_t height = w->in->dims[1], width = w->in->dims[2], pixel = w->in->dims[3] * r->source;
  const int64_t y0 = tile / w->tiles_x * w->size - w->top, x0 = tile % w->tiles_x * w->size - w->left;
  for (int64_t i = 0; i < w->size + 2; i++)
    for (int64_t j = 0; j < w->size + 2; j++) {
      const int64_t y = y0 + i, x = x0 + j;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      *d++ = inside ? image + (y * width + x) * pixel : zeros;
    }
}

static void products_f32(const sam_winograd *w, int64_t count, const float *v, float *m) {
  const ptrdiff_t tap = 0;
  const float *rows[MOST_TILES];
  sam_f32_gemm_args g = {.m = count, .n = w->mm->n, .taps = 1, .k = w->mm->k, .a = rows, .tap = &tap};
  g.ldy = w->mm->n_padded, g.lo = -INFINITY, g.hi = INFINITY;
  for (int64_t p = 0; p < PLANES; p++) {
    for (int64_t t = 0; t < count; t++) rows[t] = v + p * w->in_plane + t * w->k_padded;
    g.w = (const float *)w->mm->packed + p * w->plane_bytes / 4;
    g.y = m + p * w->product_plane;
    w->mm->f32->run(&g);
  }
}

static void products_f16(const sam_winograd *w, int64_t count, const uint16_t *v, float *m) {
  const ptrdiff_t tap = 0;
  const uint16_t *rows[MOST_TILES];
  sam_f16_gemm_args g = {.m = count, .n = w->mm->n, .taps = 1, .k = w->mm->k, .a = rows, .tap = &tap};
  g.ldy = w->mm->n_padded, g.lo = -INFINITY, g.hi = INFINITY;
  for (int64_t p = 0; p < PLANES; p++) {
    for (int64_t t = 0; t < count; t++) rows[t] = v + p * w->in_plane + t * w->k_padded;
    g.w = (const uint16_t *)w->mm->packed + p * w->plane_bytes / 2;
    g.y = m + p * w->product_plane;
    w->mm->f16->run(&g);
  }
}

static void products_s8(const sam_winograd *w, int64_t count, const int16_t *v, int32_t *m) {
  sam_s8_winograd_product g = {.m = count, .n = w->mm->n_padded, .k = w->mm->k, .lda = w->k_padded};
  g.ldy = w->mm->n_padded;
  for (int64_t p = 0; p < w->planes; p++) {
    g.a = v + p * w->in_plane;
    g.w = (const int16_t *)w->mm->packed + p * w->plane_bytes / 2;
    g.y = m + p * w->product_plane;
    w->s8->multiply(&g);
  }
}

static void task(void *arg, int64_t begin, int64_t end, int thread) {
  const winograd_run *r = arg;
  const sam_winograd *w = r->w;
  const sam_matmul *mm = w->mm;
  const bool f32 = mm->kind == SAM_MATMUL_F32;
  const int64_t k = mm->k, n = mm->n, out_h = w->out->dims[1], out_w = w->out->dims[2];
  char *v = r->scratch + w->thread_bytes * (size_t)thread, *m = v + w->input_bytes;
  char *zeros = m + w->planes * w->product_plane * 4, *nowhere = zeros + k * r->source;
  memset(zeros, f32 ? 0 : (uint8_t)mm->za ^ mm->flip, (size_t)(k * r->source));
  const sam_s8_winograd_end last = {mm->start, mm->scale, mm->zy, mm->lo, mm->hi, mm->out_flip, mm->large_scale};
  for (int64_t item = begin; item < end; item++) {
    const int64_t batch = item / r->blocks, first = item % r->blocks * w->block;
    const int64_t count = w->tiles - first < w->block ? w->tiles - first : w->block;
    const char *image = (const char *)w->in->data + batch * w->in->dims[1] * w->in->dims[2] * k * r->source;
    for (int64_t t = 0; t < count; t++) {
      const void *d[MOST_PLANES];
      tile_pixels(r, image, first + t, zeros, d);
      if (mm->f16)
        w->f32->input_f16(k, (const float *const *)d, (uint16_t *)(void *)v + t * w->k_padded, w->in_plane);
      else if (f32)
        w->f32->input(k, (const float *const *)d, (float *)(void *)v + t * w->k_padded, w->in_plane);
      else
        w->form->input(k, (const uint8_t *const *)d, mm->flip, (int16_t *)(void *)v + t * w->k_padded, w->in_plane);
    }
    if (mm->f16)
      products_f16(w, count, (const uint16_t *)(void *)v, (float *)(void *)m);
    else if (f32)
      products_f32(w, count, (const float *)(void *)v, (float *)(void *)m);
    else
      products_s8(w, count, (const int16_t *)(void *)v, (int32_t *)(void *)m);
    char *out = (char *)w->out->data + batch * out_h * out_w * n * r->source;
    for (int64_t t = 0; t < count; t++) {
      const int64_t y0 = (first + t) / w->tiles_x * w->size, x0 = (first + t) % w->tiles_x * w->size;
      void *y[16];
      for (int64_t q = 0; q < w->size * w->size; q++) {
        const int64_t oy = y0 + q / w->size, ox = x0 + q % w->size;
        y[q] = oy < out_h && ox < out_w ? out + (oy * out_w + ox) * n * r->source : nowhere;
      }
      const int64_t at = t * mm->n_padded;
      if (f32)
        w->f32->output(n, (const float *)(void *)m + at, w->product_plane, mm->fbias, mm->flo, mm->fhi,
                       (float *const *)y);
      else
        w->form->output(n, (const int32_t *)(void *)m + at, w->product_plane, &last, (uint8_t *const *)y);
    }
  }
}

void sam_winograd_run(sam_ctx *ctx, const sam_winograd *w, void *scratch) {
  if (w->tiles <= 0 || w->out->dims[0] <= 0) return;
  winograd_run r = {w, scratch, (w->tiles + w->block - 1) / w->block, sam_type_bits(w->in->type) / 8};
  const int64_t cycles = w->planes * w->block * w->mm->k * w->mm->n / w->mm->tile.rate;
  sam_parallel(ctx, r.blocks * w->out->dims[0], cycles + 50, task, &r);
}
