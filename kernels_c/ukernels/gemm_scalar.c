/* Samara: matrix multiplication in portable C: the meaning of the kinds f32_gemm, f16_gemm, s8_gemm and
 * s16_gemm. */
#include "common/fp16.h"
#include "common/requant.h"
#include "ukernels/ukernels.h"

enum { NR = 4 };

static void f32_run(const sam_f32_gemm_args *g) {
  const size_t panel = (size_t)g->taps * (size_t)g->k * NR;
  for (int64_t i = 0; i < g->m; i++) {
    for (int32_t j = 0; j < g->n; j += NR) {
      const float *w = g->w + panel * (size_t)(j / NR);
      float acc[NR] = {0};
      for (int32_t t = 0; t < g->taps; t++) {
        const float *a = (const float *)((const char *)g->a[i] + g->tap[t]);
        for (int32_t k = 0; k < g->k; k++, w += NR)
          for (int c = 0; c < NR; c++) acc[c] += a[k] * w[c];
      }
      for (int c = 0; c < NR && j + c < g->n; c++) {
        const float x = acc[c] + (g->bias ? g->bias[j + c] : 0.0f), above = x > g->lo ? x : g->lo;
        g->y[i * g->ldy + j + c] = x != x ? x : above < g->hi ? above : g->hi;
      }
    }
  }
}

sam_f32_gemm_t sam_f32_gemm__scalar = {{1, NR, 1, 1}, f32_run, NULL};

/* Sums as they should be: a kernel that adds halves is near it. */
static void f16_run(const sam_f16_gemm_args *g) {
  const size_t panel = (size_t)g->taps * (size_t)g->k * NR + 2 * NR;
  for (int64_t i = 0; i < g->m; i++) {
    for (int32_t j = 0; j < g->n; j += NR) {
      const uint16_t *w = g->w + panel * (size_t)(j / NR);
      float scale[NR];
      double acc[NR] = {0};
      memcpy(scale, w, sizeof scale);
      w += 2 * NR;
      for (int32_t t = 0; t < g->taps; t++) {
        const uint16_t *a = (const uint16_t *)(const void *)((const char *)g->a[i] + g->tap[t]);
        for (int32_t k = 0; k < g->k; k++, w += NR)
          for (int c = 0; c < NR; c++) acc[c] += (double)sam_f16_to_f32(a[k]) * (double)sam_f16_to_f32(w[c]);
      }
      for (int c = 0; c < NR && j + c < g->n; c++) {
        const float x = (float)(acc[c] * (double)scale[c]) + (g->bias ? g->bias[j + c] : 0.0f);
        const float above = x > g->lo ? x : g->lo;
        g->y[i * g->ldy + j + c] = x != x ? x : above < g->hi ? above : g->hi;
      }
    }
  }
}

static void f16_convert(int64_t n, const float *x, uint16_t *y) {
  for (int64_t i = 0; i < n; i++) y[i] = sam_f32_to_f16(x[i]);
}

sam_f16_gemm_t sam_f16_gemm__scalar = {{1, NR, 1, 0}, f16_run, f16_convert};

static void s8_run(const sam_s8_gemm_args *g) {
  const size_t panel = (size_t)(g->taps + g->skipped) * (size_t)g->k * NR;
  for (int64_t i = 0; i < g->m; i++) {
    for (int32_t j = 0; j < g->n; j += NR) {
      const int8_t *w = g->w + panel * (size_t)(j / NR);
      uint32_t acc[NR] = {0};
      for (int32_t t = 0; t < g->taps; t++) {
        const int8_t *a = (const int8_t *)g->a[i] + g->tap[t];
        for (int32_t k = 0; k < g->k; k++, w += NR)
          for (int c = 0; c < NR; c++) acc[c] += (uint32_t)(a[k] * w[c]);
      }
      for (int c = 0; c < NR && j + c < g->n; c++) {
        const int64_t at = i * g->ldy + j + c;
        uint32_t sum = acc[c] + (g->bias ? (uint32_t)g->bias[j + c] : 0);
        if (g->row) sum += (uint32_t)g->row[i] * (uint32_t)g->col[j + c];
        if (g->out == SAM_GEMM_S32) {
          ((int32_t *)g->y)[at] = (int32_t)sum;
        } else if (g->out == SAM_GEMM_S8) {
          const int32_t y = sam_requant((int32_t)sum, g->scale[j + c], g->zero_point, g->lo, g->hi);
          ((uint8_t *)g->y)[at] = (uint8_t)(y ^ g->out_flip);
        } else {
          const float x =
              (float)(int32_t)sum * (g->row_scale[i] * g->scale[j + c]) + (g->fbias ? g->fbias[j + c] : 0.0f);
          const float above = x > g->flo ? x : g->flo;
          ((float *)g->y)[at] = x != x ? x : above < g->fhi ? above : g->fhi;
        }
      }
    }
  }
}

static void s8_convert(int64_t n, const uint8_t *x, uint8_t flip, void *to) {
  for (int64_t i = 0; i < n; i++) ((uint8_t *)to)[i] = x[i] ^ flip;
}

static void s8_row_sums(const sam_s8_gemm_args *g, int32_t *sums) {
  for (int64_t i = 0; i < g->m; i++) {
    uint32_t sum = 0;
    for (int32_t t = 0; t < g->taps; t++) {
      const int8_t *a = (const int8_t *)g->a[i] + g->tap[t];
      for (int32_t k = 0; k < g->k; k++) sum += (uint32_t)a[k];
    }
    sums[i] = (int32_t)sum;
  }
}

sam_s8_gemm_t sam_s8_gemm__scalar = {
    .tile = {1, NR, 1, 1}, .form = SAM_A_S8, .run = s8_run, .convert = s8_convert, .row_sums = s8_row_sums};

/* Products have 23 bits: 256 of them fit 32 bits, then they move to the 64-bit sum. */
static void s16_run(const sam_s16_gemm_args *g) {
  const size_t panel = (size_t)g->taps * (size_t)g->k * NR;
  for (int64_t i = 0; i < g->m; i++) {
    for (int32_t j = 0; j < g->n; j += NR) {
      const int8_t *w = g->w + panel * (size_t)(j / NR);
      int64_t acc[NR] = {0};
      for (int32_t t = 0; t < g->taps; t++) {
        const int16_t *a = (const int16_t *)((const char *)g->a[i] + g->tap[t]);
        for (int32_t k = 0; k < g->k;) {
          int32_t part[NR] = {0};
          const int32_t end = g->k - k > 256 ? k + 256 : g->k;
          for (; k < end; k++, w += NR)
            for (int c = 0; c < NR; c++) part[c] += a[k] * w[c];
          for (int c = 0; c < NR; c++) acc[c] += part[c];
        }
      }
      for (int c = 0; c < NR; c++) g->y[i * g->ldy + j + c] = acc[c];
    }
  }
}

#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__scalar = {{1, NR, 1, 1}, s16_run, finish_s16};
