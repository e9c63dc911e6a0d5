/* Samara: products of bytes with factors that come again. (a - za) (b - zb) is a fused multiply-add of a with numbers
 * that are made once and stay in the first cache: whole numbers below 2^24, so it is exact. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

/* Of a row: periods one behind the other, as many as fill its last vector, if there is room for them. */
enum { ROW = SAM_PERIOD_MOST + VB_N };
typedef struct factors {
  _Alignas(64) float times[ROW], plus[ROW];
  int64_t row;
} factors;

SAM_INLINE vi load_bytes(const uint8_t *p, bool is_signed) {
  return is_signed ? vi_load_s8((const int8_t *)p) : vi_load_u8(p);
}

SAM_INLINE void prepare(factors *f, int64_t n, int64_t at, int64_t period, const uint8_t *b,
                        const sam_binary_params *p, bool is_signed) {
  uint8_t bytes[ROW] = {0};
  f->row = period;
  while (f->row % VB_N && f->row < n && f->row + period <= SAM_PERIOD_MOST) f->row += period;
  for (int64_t i = 0; i < f->row; at = 0) {
    const int64_t left = f->row - i, m = period - at < left ? period - at : left;
    memcpy(bytes + i, b + at, (size_t)m);
    i += m;
  }
  const vi zb = vi_set(p->zb);
  const vf minus_za = vf_set((float)-p->za);
  for (int64_t i = 0; i < f->row; i += VF_N) {
    const vf factor = vf_from_vi(vi_sub(load_bytes(bytes + i, is_signed), zb));
    vf_store(f->times + i, factor);
    vf_store(f->plus + i, vf_mul(factor, minus_za));
  }
}

typedef struct ends {
  vf scale;
  vi zero;
  vb lo, hi;
} ends;

SAM_INLINE vb multiply(const uint8_t *a, const float *times, const float *plus, const ends *e, bool is_signed) {
  vf x[4];
  vi q[4];
  SAM_UNROLL for (int v = 0; v < 4; v++) x[v] = vf_from_vi(load_bytes(a + v * VF_N, is_signed));
  SAM_UNROLL for (int v = 0; v < 4; v++) x[v] = vf_fma(x[v], vf_load(times + v * VF_N), vf_load(plus + v * VF_N));
  SAM_UNROLL for (int v = 0; v < 4; v++) x[v] = vf_mul(x[v], e->scale);
  SAM_UNROLL for (int v = 0; v < 4; v++) q[v] = vi_from_vf(x[v]);
  const vi first = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), e->zero);
  const vi second = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), e->zero);
  const vi both = is_signed ? _mm256_packs_epi16(first, second) : _mm256_packus_epi16(first, second);
  const vb y = _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)); /* as narrow4 */
  return is_signed ? vb_min_s8(vb_max_s8(y, e->lo), e->hi) : vb_min_u8(vb_max_u8(y, e->lo), e->hi);
}

SAM_INLINE void run(int64_t n, const uint8_t *a, uint8_t *y, const factors *f, const sam_binary_params *p,
                    bool is_signed) {
  const ends e = {vf_set(p->fa), _mm256_set1_epi16((int16_t)p->zy), vb_set((uint8_t)p->ilo), vb_set((uint8_t)p->ihi)};
  for (int64_t from = 0; from < n; from += f->row, a += f->row, y += f->row) {
    const int64_t m = n - from < f->row ? n - from : f->row;
    int64_t j = 0;
    for (; j + VB_N <= m; j += VB_N) vb_store(y + j, multiply(a + j, f->times + j, f->plus + j, &e, is_signed));
    if (j < m) {
      uint8_t part[VB_N] = {0};
      memcpy(part, a + j, (size_t)(m - j));
      vb_store(part, multiply(part, f->times + j, f->plus + j, &e, is_signed));
      memcpy(y + j, part, (size_t)(m - j));
    }
  }
}

void sam_mul_periodic__avx2(int64_t n, int64_t at, int64_t period, const void *a, const void *b, void *y,
                            bool is_signed, const sam_binary_params *p) {
  factors f;
  if (is_signed) {
    prepare(&f, n, at, period, b, p, true);
    run(n, a, y, &f, p, true);
  } else {
    prepare(&f, n, at, period, b, p, false);
    run(n, a, y, &f, p, false);
  }
}
