/* Samara: matrix multiplication for the operators; matmul.h explains. */
#include "common/matmul.h"

#include <stdlib.h>
#include <string.h>

#include "common/activation.h"
#include "common/fit.h"
#include "common/fp16.h"
#include "common/move.h"
#include "common/pieces.h"
#include "common/unary.h"

/* About as many bytes of opened int4 weights stay in the first cache. */
enum { OPEN_BYTES = 32768, ALIGNMENT = 64 };

static bool is_weight_int(sam_type type) { return type == SAM_INT8 || type == SAM_INT4 || type == SAM_INT2; }

/* ---- Types ------------------------------------------------------------------------------------------------------ */

static sam_status check_bias(sam_ctx *ctx, const sam_matmul *mm, sam_type type) {
  return mm->bias ? sam_check_type(ctx, mm->bias, type) : SAM_OK;
}

static sam_status check_weight_zero(sam_ctx *ctx, sam_matmul *mm) {
  const sam_quant *q = mm->weights->quant;
  for (int32_t i = 0; i < q->count; i++) {
    const int32_t zero = q->zero_point[i] - (mm->w_flip ? 128 : 0);
    if (zero == 0) continue;
    if (mm->kind != SAM_MATMUL_S8)
      return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has zero point %d, must be 0 with %s activations",
                      mm->weights->name, (int)q->zero_point[i], sam_type_name(mm->in->type));
    mm->w_zero = true;
  }
  return SAM_OK;
}

sam_status sam_matmul_types(sam_ctx *ctx, sam_matmul *mm) {
  const sam_tensor *in = mm->in, *w = mm->weights, *out = mm->out;
  const sam_type wt = w->type;
  SAM_TRY(sam_activation_bounds_f32(ctx, mm->activation, &mm->flo, &mm->fhi));
  if (in->type == SAM_FLOAT32) {
    SAM_TRY(sam_check_type(ctx, out, SAM_FLOAT32));
    SAM_TRY(check_bias(ctx, mm, SAM_FLOAT32));
    if (wt == SAM_FLOAT32) {
      mm->kind = SAM_MATMUL_F32;
      return SAM_OK;
    }
    /* Old files have hybrid weights that are int8 in all but name. */
    if (!is_weight_int(wt) && wt != SAM_UINT8)
      return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, unknown with FLOAT32 activations", w->name,
                      sam_type_name(wt));
    mm->kind = SAM_MATMUL_HYBRID;
    SAM_TRY(sam_check_quant_axis(ctx, w, mm->axis));
    return wt == SAM_UINT8 ? SAM_OK : check_weight_zero(ctx, mm);
  }
  SAM_TRY(sam_check_quant(ctx, in));
  SAM_TRY(sam_check_quant(ctx, out));
  SAM_TRY(sam_check_quant_axis(ctx, w, mm->axis));
  SAM_TRY(sam_activation_bounds_quantized(ctx, mm->activation, out, &mm->lo, &mm->hi));
  mm->zy = out->quant->zero_point[0];
  mm->za = in->quant->zero_point[0];
  if (in->type == SAM_INT16) {
    mm->kind = SAM_MATMUL_S16;
    SAM_TRY(sam_check_type(ctx, out, SAM_INT16));
    if (!is_weight_int(wt))
      return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, unknown with INT16 activations", w->name,
                      sam_type_name(wt));
    if (mm->bias && mm->bias->type != SAM_INT64) SAM_TRY(check_bias(ctx, mm, SAM_INT32));
    mm->rule = mm->bias && mm->bias->type == SAM_INT32 ? SAM_RULE_UP : mm->wide_away ? SAM_RULE_AWAY : SAM_RULE_R16;
    return check_weight_zero(ctx, mm);
  }
  mm->kind = SAM_MATMUL_S8;
  if (in->type != SAM_INT8 && in->type != SAM_UINT8)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s", in->name, sam_type_name(in->type));
  if (!is_weight_int(wt) && wt != SAM_UINT8)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, unknown with %s activations", w->name, sam_type_name(wt),
                    sam_type_name(in->type));
  if (out->type != SAM_INT16) SAM_TRY(sam_check_same_type(ctx, out, in));
  SAM_TRY(check_bias(ctx, mm, SAM_INT32));
  if (in->type == SAM_UINT8) mm->flip = 0x80, mm->za -= 128;
  if (wt == SAM_UINT8) mm->w_flip = 0x80;
  if (out->type == SAM_UINT8) mm->out_flip = 0x80, mm->zy -= 128, mm->lo -= 128, mm->hi -= 128;
  return check_weight_zero(ctx, mm);
}

sam_status sam_matmul_choose(sam_ctx *ctx, sam_matmul *mm, int64_t depth) {
  if (mm->kind == SAM_MATMUL_F32) {
    mm->f32 = sam_uk.f32_gemm;
    mm->tile = mm->f32->tile;
    mm->source = mm->element = 4;
    if (ctx->allow_fp16 && sam_is_known(mm->weights) && sam_uk.f16_gemm->tile.rate > mm->tile.rate) {
      mm->f16 = sam_uk.f16_gemm;
      mm->tile = mm->f16->tile;
      mm->element = 2;
      mm->converts = true;
    }
  } else if (mm->kind == SAM_MATMUL_S16) {
    mm->s16 = sam_uk.s16_gemm;
    mm->tile = mm->s16->tile;
    mm->source = mm->element = 2;
  } else {
    mm->s8 = sam_s8_gemm_for(sam_uk.s8_gemm, depth);
    SAM_TRY(sam_fit_choose(ctx, mm, depth));
    mm->read_int4 = mm->plain && mm->s8->int4 && mm->weights->type == SAM_INT4 && sam_is_known(mm->weights) &&
                    mm->out->type != SAM_INT16 && depth % (64 / mm->s8->int4->tile.nr) == 0;
    if (mm->read_int4) mm->s8 = mm->s8->int4;
    mm->tile = mm->s8->tile;
    mm->source = 1;
    mm->element = mm->s8->form == SAM_A_S16 ? 2 : 1;
    mm->converts = mm->element == 2 || mm->flip != (mm->s8->form == SAM_A_U8 ? 0x80 : 0);
  }
  return SAM_OK;
}

void sam_matmul_narrow(sam_matmul *mm) {
  if (mm->kind != SAM_MATMUL_F32) return;
  sam_f32_gemm_t *kernel = sam_f32_gemm_for(sam_uk.f32_gemm, mm->n, mm->taps, mm->k);
  if (kernel == sam_uk.f32_gemm) return;
  mm->f32 = kernel;
  mm->f16 = NULL;
  mm->tile = kernel->tile;
  mm->element = 4;
  mm->converts = false;
}

void sam_matmul_convert(const sam_matmul *mm, const void *from, int64_t n, void *to) {
  if (mm->f16)
    mm->f16->convert(n, from, to);
  else if (mm->converts)
    mm->s8->convert(n, from, mm->flip, to);
  else
    memcpy(to, from, (size_t)(n * mm->element));
}

void sam_matmul_zeros(const sam_matmul *mm, int32_t zero, int64_t n, void *to) {
  if (mm->s8 && mm->s8->form == SAM_A_S16)
    for (int64_t i = 0; i < n; i++) ((int16_t *)to)[i] = (int16_t)zero;
  else if (mm->s8)
    memset(to, (uint8_t)(zero + (mm->s8->form == SAM_A_U8 ? 128 : 0)), (size_t)n);
  else
    memset(to, 0, (size_t)(n * mm->element));
}

/* ---- Packing ---------------------------------------------------------------------------------------------------- */

/* A panel is the file's rows turned: dst[k][column] = src[column][k], where one element of k is kr weights. */
static void pack_f32(float *dst, const sam_matmul *mm) {
  const float *src = mm->weights->data;
  const int32_t nr = mm->tile.nr;
  for (int32_t g = 0; g < mm->groups; g++)
    for (int32_t j = 0; j < mm->n; j += nr) {
      const int32_t columns = mm->n - j < nr ? mm->n - j : nr;
      for (int32_t t = 0; t < mm->taps; t++, dst += (size_t)mm->k * (size_t)nr) {
        const float *from = src + g * mm->group_stride + j * mm->column_stride + mm->tap_source[t];
        if (columns < nr) memset(dst, 0, (size_t)mm->k * (size_t)nr * sizeof *dst);
        if (mm->k_stride == 1 && nr == 1)
          memcpy(dst, from, (size_t)mm->k * sizeof *dst);
        else if (mm->k_stride == 1)
          sam_uk.move->turn[2]((char *)dst, 4 * nr, (const char *)from, 4 * mm->column_stride, mm->k, columns);
        else if (mm->column_stride == 1)
          for (int32_t k = 0; k < mm->k; k++)
            sam_copy_row(dst + (size_t)k * (size_t)nr, from + k * mm->k_stride, 4 * (int64_t)columns);
        else
          for (int32_t k = 0; k < mm->k; k++)
            for (int32_t c = 0; c < columns; c++)
              dst[(size_t)k * nr + c] = from[k * mm->k_stride + c * mm->column_stride];
      }
    }
}

/* The same as halves, each panel behind the factors of its columns. */
static void pack_f16(uint16_t *dst, const sam_matmul *mm) {
  const int32_t nr = mm->tile.nr;
  memset(dst, 0, mm->packed_bytes);
  for (int32_t g = 0; g < mm->groups; g++)
    for (int32_t j = 0; j < mm->n; j++) {
      const float *src = (const float *)mm->weights->data + g * mm->group_stride + j * mm->column_stride;
      uint16_t *panel = dst + (mm->group_bytes * (size_t)g + mm->panel_bytes * (size_t)(j / nr)) / 2, *to;
      float most = 0;
      for (int32_t t = 0; t < mm->taps; t++)
        for (int32_t k = 0; k < mm->k; k++) {
          const float magnitude = fabsf(src[mm->tap_source[t] + k * mm->k_stride]);
          if (magnitude > most && isfinite(magnitude)) most = magnitude;
        }
      const float scale = sam_f16_scale(most), inverse = 1 / scale;
      ((float *)(void *)panel)[j % nr] = scale;
      to = panel + 2 * nr + j % nr;
      for (int32_t t = 0; t < mm->taps; t++)
        for (int32_t k = 0; k < mm->k; k++, to += nr)
          *to = sam_f32_to_f16(src[mm->tap_source[t] + k * mm->k_stride] * inverse);
    }
}

static void flip(int8_t *x, int64_t n) {
  int64_t i = 0;
  for (uint64_t w; i + 8 <= n; i += 8) {
    memcpy(&w, x + i, 8);
    w ^= UINT64_C(0x8080808080808080);
    memcpy(x + i, &w, 8);
  }
  for (; i < n; i++) x[i] = (int8_t)(x[i] ^ 0x80);
}

/* k steps of a panel from bytes whose k is dense, `stride` bytes from column to column; `sum` of each column, and
 * `magnitude` unless it is NULL. */
static void pack_dense_s8(int8_t *dst, const sam_matmul *mm, const uint8_t *from, int64_t stride, int32_t k,
                          int32_t columns, int32_t *sum, int32_t *magnitude) {
  const int32_t nr = mm->tile.nr, kr = mm->tile.kr, whole = k / kr, rest = k - whole * kr;
  const int32_t log2 = kr == 1 ? 0 : kr == 2 ? 1 : kr == 4 ? 2 : 3;
  const int64_t step = (int64_t)nr * kr;
  if (kr < 16)
    sam_uk.move->turn[log2]((char *)dst, step, (const char *)from, stride, whole, columns);
  else
    for (int32_t c = 0; c < columns; c++)
      for (int32_t i = 0; i < whole; i++) memcpy(dst + i * step + c * 16, from + c * stride + i * 16, 16);
  if (mm->w_flip && columns == nr)
    flip(dst, whole * step);
  else if (mm->w_flip)
    for (int8_t *d = dst; d < dst + whole * step; d += step) flip(d, columns * kr);
  for (int32_t c = 0; c < columns; c++) {
    const uint8_t *column = from + c * stride;
    for (int32_t d = 0; d < rest; d++) dst[whole * step + c * kr + d] = (int8_t)(column[whole * kr + d] ^ mm->w_flip);
    sum[c] += mm->w_flip ? sam_uk.u8_sum(k, column) - 128 * k : sam_uk.s8_sum(k, (const int8_t *)column);
    if (magnitude) magnitude[c] += mm->s8->magnitude(k, column, mm->w_flip);
  }
}

/* The same where a row of columns is dense, as in BATCH_MATMUL. `left`: columns of the row from here on. They are
 * turned first, sixteen at a time, as that is what a machine does fast. */
static void pack_rows_s8(int8_t *dst, const sam_matmul *mm, const uint8_t *from, int32_t columns, int32_t left,
                         int32_t *sum, int32_t *magnitude) {
  enum { WIDE = 16, RUN = 256 };
  const int32_t nr = mm->tile.nr, kr = mm->tile.kr;
  uint8_t turned[WIDE * RUN];
  if (columns == nr && nr <= WIDE && left >= WIDE && RUN % kr == 0) {
    for (int32_t k = 0; k < mm->k; k += RUN) {
      const int32_t run = mm->k - k < RUN ? mm->k - k : RUN;
      sam_uk.move->turn[0]((char *)turned, RUN, (const char *)from + k * mm->k_stride, mm->k_stride, WIDE, run);
      pack_dense_s8(dst + (int64_t)k * nr, mm, turned, RUN, run, columns, sum, magnitude);
    }
    return;
  }
  for (int32_t k = 0; k < mm->k; k++, from += mm->k_stride) {
    int8_t *to = dst + (int64_t)(k / kr) * nr * kr + k % kr;
    for (int32_t c = 0; c < columns; c++) sum[c] += to[c * kr] = (int8_t)(from[c] ^ mm->w_flip);
    for (int32_t c = 0; c < columns && magnitude; c++) magnitude[c] += abs(to[c * kr]);
  }
}

/* Weight i of a tap. Of int4, two share a byte that is zero so far: those half a group apart. */
static inline void put(int8_t *dst, const sam_matmul *mm, int64_t i, int8_t weight) {
  const int64_t half = mm->read_int4 ? 32 : 8;
  if (!mm->nibbles)
    dst[i] = weight;
  else
    dst[i / (2 * half) * half + i % half] |= (int8_t)((weight & 15) << (i / half % 2 ? 4 : 0));
}

/* The same element by element, from position `at` of the file. */
static void pack_sparse_s8(int8_t *dst, const sam_matmul *mm, int64_t at, int32_t columns, int32_t *sum,
                           int32_t *magnitude) {
  const int32_t nr = mm->tile.nr, kr = mm->tile.kr;
  for (int32_t c = 0; c < columns; c++, at += mm->column_stride)
    for (int32_t k = 0; k < mm->k; k++) {
      const int8_t weight = sam_weight_at(mm->weights->data, mm->weights->type, at + k * mm->k_stride, mm->w_flip);
      put(dst, mm, (int64_t)(k / kr) * nr * kr + c * kr + k % kr, weight);
      sum[c] += weight;
      if (magnitude) magnitude[c] += abs(weight);
    }
}

/* How many sums a column has: one, or one of each tap. */
static size_t sums_per_column(const sam_matmul *mm) { return mm->range_count ? (size_t)mm->taps : 1; }

/* Whether the sum of its magnitudes stands behind them. */
static bool has_magnitudes(const sam_matmul *mm) {
  return mm->kind == SAM_MATMUL_S8 && mm->s8->magnitude && !mm->panels && sam_is_known(mm->weights) &&
         (int64_t)mm->taps * mm->k < INT32_MAX / 128;
}

static size_t all_sums(const sam_matmul *mm) {
  return (sums_per_column(mm) + has_magnitudes(mm)) * (size_t)mm->groups * (size_t)mm->n_padded;
}

/* The panels, then the sums of the columns, then pairs_fit, then quads of each panel and tap. */
static void pack_s8(int8_t *dst, const sam_matmul *mm) {
  const int32_t nr = mm->tile.nr, kr = mm->tile.kr;
  const sam_type type = mm->weights->type;
  const bool dense = mm->k_stride == 1 && type != SAM_INT4 && type != SAM_INT2 && mm->column_stride % kr == 0 &&
                     (kr & (kr - 1)) == 0 && kr <= 16;
  const size_t bytes = (size_t)((mm->k + kr - 1) / kr * kr) * (size_t)nr / (mm->nibbles ? 2 : 1); /* of one tap */
  int32_t *sums = (int32_t *)(void *)(dst + mm->group_bytes * (size_t)mm->groups);
  memset(sums, 0, sizeof *sums * (all_sums(mm) + 1));
  int32_t *magnitudes = sums + sums_per_column(mm) * (size_t)mm->groups * (size_t)mm->n_padded;
  uint8_t *quads = (uint8_t *)(sums + all_sums(mm) + 1);
  bool fit = true;
  for (int32_t g = 0; g < mm->groups; g++)
    for (int32_t j = 0; j < mm->n; j += nr) {
      const int32_t columns = mm->n - j < nr ? mm->n - j : nr;
      for (int32_t t = 0; t < mm->taps; t++, dst += bytes) {
        int32_t *sum = sums + ((int64_t)(mm->range_count ? t : 0) * mm->groups + g) * mm->n_padded + j;
        int32_t *magnitude = has_magnitudes(mm) ? magnitudes + (int64_t)g * mm->n_padded + j : NULL;
        const int64_t at = g * mm->group_stride + j * mm->column_stride + mm->tap_source[t];
        if (columns < nr || mm->k % kr || mm->nibbles) memset(dst, 0, bytes);
        if (dense)
          pack_dense_s8(dst, mm, (const uint8_t *)mm->weights->data + at, mm->column_stride, mm->k, columns, sum,
                        magnitude);
        else if (mm->column_stride == 1 && type != SAM_INT4 && type != SAM_INT2)
          pack_rows_s8(dst, mm, (const uint8_t *)mm->weights->data + at, columns, mm->n - j, sum, magnitude);
        else
          pack_sparse_s8(dst, mm, at, columns, sum, magnitude);
        fit = fit && (mm->nibbles || sam_s8_gemm_pairs_fit(dst, bytes, mm->s8 ? mm->s8->pair : 0));
        if (mm->quads) *quads++ = mm->nibbles || sam_s8_gemm_quads_fit(mm->s8, dst, bytes);
      }
    }
  sums[all_sums(mm)] = fit;
}

static void pack(void *dst, const void *arg) {
  const sam_matmul *mm = arg;
  if (mm->panels)
    mm->panels(mm, dst, (int32_t *)(void *)((char *)dst + mm->group_bytes));
  else if (mm->f16)
    pack_f16(dst, mm);
  else if (mm->kind == SAM_MATMUL_F32)
    pack_f32(dst, mm);
  else
    pack_s8(dst, mm);
}

/* Everything the packed bytes depend on besides the weights. */
static uint64_t pack_variant(const sam_matmul *mm) {
  uint64_t h = 0xcbf29ce484222325u;
#define SAM_MIX(x) h = (h ^ (uint64_t)(x)) * 0x100000001b3u, h ^= h >> 29
  SAM_MIX((mm->kind == SAM_MATMUL_F32) + 2 * (mm->panels != NULL) + 4 * mm->nibbles + 8 * mm->read_int4 +
          16 * (mm->f16 != NULL));
  SAM_MIX(mm->tile.nr * 256 + mm->tile.kr);
  SAM_MIX(mm->s8 ? mm->s8->pair : 0);
  SAM_MIX(mm->quads);
  SAM_MIX(2 * has_magnitudes(mm) + (mm->range_count > 0));
  SAM_MIX(mm->w_flip);
  if (mm->panels) SAM_MIX(mm->weights->quant->count ? mm->weights->quant->zero_point[0] : 0); /* it is taken out */
  if (mm->panels) SAM_MIX(mm->group_bytes);                                                   /* the kind of panels */
  SAM_MIX(mm->groups);
  SAM_MIX(mm->n);
  SAM_MIX(mm->taps);
  SAM_MIX(mm->k);
  SAM_MIX(mm->group_stride);
  SAM_MIX(mm->column_stride);
  SAM_MIX(mm->k_stride);
  for (int32_t t = 0; t < mm->taps && !mm->panels; t++) SAM_MIX(mm->tap_source[t]);
#undef SAM_MIX
  return h;
}

/* ---- Folding ---------------------------------------------------------------------------------------------------- */

static const int32_t *column_sums(const sam_matmul *mm, const void *packed) {
  return (const int32_t *)((const char *)packed + mm->group_bytes * (size_t)mm->groups);
}

static sam_tap_range range_of(const sam_matmul *mm, int32_t i) {
  return mm->range_count ? mm->ranges[i] : (sam_tap_range){0, mm->taps};
}

/* The sum of column `at` over the taps of a range, modulo 2^32. */
static uint32_t column_sum(const sam_matmul *mm, int64_t at, sam_tap_range range) {
  const int32_t *sums = column_sums(mm, mm->packed) + at;
  if (!mm->range_count) return (uint32_t)*sums;
  uint32_t sum = 0;
  for (int32_t t = range.first; t < range.end; t++) sum += (uint32_t)sums[(int64_t)t * mm->groups * mm->n_padded];
  return sum;
}

/* sum (a - za) (w - zw) + bias = sum a w  -  zw sum a  -  za sum w + K za zw + bias. The kernel does the first two. */
static int32_t first_value(const sam_matmul *mm, int64_t at, int64_t channel, sam_tap_range range) {
  const uint32_t sum = column_sum(mm, at, range), depth = (uint32_t)(range.end - range.first) * (uint32_t)mm->k;
  uint32_t start = mm->s8->form == SAM_A_U8 ? 0u - 128u * sum : 0u;
  if (mm->kind != SAM_MATMUL_S8) return (int32_t)start;
  start -= (uint32_t)mm->za * sum;
  if (mm->bias) start += (uint32_t)((const int32_t *)mm->bias->data)[channel];
  if (mm->w_zero) start += depth * (uint32_t)mm->za * (uint32_t)mm->col[at];
  return (int32_t)start;
}

/* Of column `at`, with the first value of range r. */
static bool fits16(const sam_matmul *mm, int64_t at, int32_t r) {
  const int64_t columns = (int64_t)mm->groups * mm->n_padded;
  double magnitude = column_sums(mm, mm->packed)[(int64_t)sums_per_column(mm) * columns + at];
  if (mm->w_zero) magnitude += (double)mm->taps * mm->k * abs(mm->col[at]);
  return sam_s8_gemm_fits16(magnitude, mm->start[r * columns + at], mm->scale[at]);
}

/* Whether s16->finish serves: sums of 22-bit products, and the bias, are small. */
static bool s16_is_exact(const sam_matmul *mm) {
  const int64_t most = INT64_C(1) << (SAM_S16_BITS - 1), columns = (int64_t)mm->groups * mm->n_padded;
  if (mm->rule == SAM_RULE_UP || (int64_t)mm->taps * mm->k > most >> 22) return false;
  for (int64_t at = 0; at < columns; at++)
    if (mm->wide[at] > most || mm->wide[at] < -most) return false;
  return true;
}

static void fold(sam_matmul *mm) {
  const int64_t columns = (int64_t)mm->groups * mm->n_padded;
  mm->fits16 = has_magnitudes(mm);
  for (int32_t g = 0; g < mm->groups; g++)
    for (int32_t j = 0; j < mm->n; j++) {
      const int64_t at = (int64_t)g * mm->n_padded + j, channel = (int64_t)g * mm->n + j;
      if (mm->fbias && mm->bias) mm->fbias[at] = ((const float *)mm->bias->data)[channel];
      if (mm->kind == SAM_MATMUL_S16) {
        mm->wide[at] = !mm->bias                     ? 0
                       : mm->bias->type == SAM_INT64 ? ((const int64_t *)mm->bias->data)[channel]
                                                     : ((const int32_t *)mm->bias->data)[channel];
      } else if (mm->kind != SAM_MATMUL_F32) {
        if (mm->kind == SAM_MATMUL_HYBRID) mm->col[at] = column_sums(mm, mm->packed)[at];
        for (int32_t r = 0; r == 0 || r < mm->range_count; r++) {
          mm->start[r * columns + at] = first_value(mm, at, channel, range_of(mm, r));
          mm->fits16 = mm->fits16 && fits16(mm, at, r);
        }
      }
    }
  if (mm->kind == SAM_MATMUL_S16) mm->exact = s16_is_exact(mm);
  mm->pairs_fit = mm->kind != SAM_MATMUL_F32 && column_sums(mm, mm->packed)[all_sums(mm)];
  mm->folded = true;
}

static double weight_scale(const sam_matmul *mm, int64_t channel) {
  const sam_quant *q = mm->weights->quant;
  return (double)q->scale[q->count > 1 ? channel : 0];
}

static sam_status fold_arrays(sam_ctx *ctx, sam_matmul *mm) {
  const size_t columns = (size_t)mm->groups * (size_t)mm->n_padded;
  const size_t bytes = columns ? columns : 1;
  if (mm->kind == SAM_MATMUL_F32 || mm->kind == SAM_MATMUL_HYBRID)
    if (!(mm->fbias = sam_alloc(ctx, 4 * bytes))) return SAM_OUT_OF_MEMORY;
  if (mm->kind == SAM_MATMUL_F32) return SAM_OK;
  if (!(mm->scale = sam_alloc(ctx, 4 * bytes))) return SAM_OUT_OF_MEMORY;
  if (mm->kind == SAM_MATMUL_S16) {
    if (!(mm->wide = sam_alloc(ctx, 8 * bytes)) || !(mm->dscale = sam_alloc(ctx, 8 * bytes)) ||
        !(mm->multiplier = sam_alloc(ctx, sizeof(sam_multiplier) * bytes)))
      return SAM_OUT_OF_MEMORY;
  } else if (!(mm->start = sam_alloc(ctx, 4 * bytes * (size_t)(mm->range_count ? mm->range_count : 1))) ||
             !(mm->col = sam_alloc(ctx, 4 * bytes))) {
    return SAM_OUT_OF_MEMORY;
  }
  for (int32_t g = 0; g < mm->groups; g++)
    for (int32_t j = 0; j < mm->n; j++) {
      const int64_t at = (int64_t)g * mm->n_padded + j, channel = (int64_t)g * mm->n + j;
      double d = weight_scale(mm, channel);
      if (mm->kind != SAM_MATMUL_HYBRID) d = (double)mm->in->quant->scale[0] * d / (double)mm->out->quant->scale[0];
      mm->scale[at] = (float)d;
      /* To 8 bits: in float32 and in this order, as XNNPACK does, so that the bytes are the same. */
      if (mm->kind != SAM_MATMUL_HYBRID && (mm->out->type == SAM_INT8 || mm->out->type == SAM_UINT8))
        mm->scale[at] = mm->in->quant->scale[0] * (float)weight_scale(mm, channel) / mm->out->quant->scale[0];
      if (!(mm->scale[at] < 1.0f)) mm->large_scale = true;
      if (mm->kind != SAM_MATMUL_HYBRID && !isfinite(mm->scale[at]))
        return sam_fail(ctx, SAM_UNSUPPORTED, "the scales give the factor %g", d);
      if (mm->kind == SAM_MATMUL_S16) {
        mm->multiplier[at] = sam_multiplier_of(d);
        mm->dscale[at] = mm->rule == SAM_RULE_R16 ? sam_factor_r16(mm->multiplier[at]) : d;
      }
      if (mm->w_zero) {
        const sam_quant *q = mm->weights->quant;
        mm->col[at] = q->zero_point[q->count > 1 ? channel : 0] - (mm->w_flip ? 128 : 0);
      }
    }
  return SAM_OK;
}

sam_status sam_matmul_prepare(sam_ctx *ctx, sam_matmul *mm) {
  const int64_t nr = mm->tile.nr, kr = mm->tile.kr;
  const int64_t padded = (mm->n + nr - 1) / nr * nr, depth = (mm->k + kr - 1) / kr * kr;
  const int64_t element = mm->f16 ? 2 : mm->kind == SAM_MATMUL_F32 ? 4 : 1;
  if ((int64_t)mm->taps * mm->k > INT32_MAX)
    return sam_fail(ctx, SAM_UNSUPPORTED, "a sum of %lld products", (long long)mm->taps * mm->k);
  if (padded > INT32_MAX) return sam_fail(ctx, SAM_UNSUPPORTED, "%lld columns of weights", (long long)mm->n);
  mm->n_padded = (int32_t)padded;
  if (!mm->panels) {
    mm->panel_bytes = (size_t)(element * nr * depth) * (size_t)mm->taps + (mm->f16 ? 4 * (size_t)nr : 0);
    mm->nibbles = mm->s8 && mm->weights->type == SAM_INT4 && sam_is_known(mm->weights) && mm->out->type != SAM_INT16 &&
                  nr * depth % 16 == 0 && mm->taps > 0;
    if (mm->nibbles) {
      const size_t most = OPEN_BYTES / mm->panel_bytes;
      mm->threads = sam_threads(ctx);
      mm->opened = most < 8 ? 8 : most > (size_t)(padded / nr) ? (int32_t)(padded / nr) : (int32_t)most;
      mm->panel_bytes /= 2;
    }
    mm->group_bytes = mm->panel_bytes * (size_t)(padded / nr);
  }
  mm->packed_bytes = mm->group_bytes * (size_t)mm->groups;
  if (mm->kind != SAM_MATMUL_F32) mm->packed_bytes += 4 * (all_sums(mm) + 1);
  mm->quads = mm->s8 && mm->s8->quads_fit && !mm->panels ? (size_t)mm->taps : 0;
  mm->packed_bytes += mm->quads * (size_t)(padded / nr) * (size_t)mm->groups;
  mm->block = sam_matmul_block(mm, (int64_t)mm->k * mm->element);
  if (mm->nibbles && !mm->read_int4)
    mm->block = 4 * mm->block < SAM_MATMUL_ROWS ? 4 * mm->block : SAM_MATMUL_ROWS / mm->tile.mr * mm->tile.mr;
  SAM_TRY(fold_arrays(ctx, mm));
  if (!sam_is_known(mm->weights)) return SAM_OK;
  mm->packed = sam_pack(ctx, mm->weights, pack_variant(mm), mm->packed_bytes, pack, mm);
  if (!mm->packed) return SAM_OUT_OF_MEMORY;
  if (mm->fitted) SAM_TRY(sam_fit_check(ctx, mm));
  if (!mm->bias || sam_is_known(mm->bias)) fold(mm);
  return SAM_OK;
}

static bool packs_each_time(const sam_matmul *mm) { return !sam_is_known(mm->weights); }

static size_t opened_bytes(const sam_matmul *mm) { return (2 * mm->panel_bytes * (size_t)mm->opened + 63) / 64 * 64; }

size_t sam_matmul_scratch(const sam_matmul *mm) {
  if (mm->nibbles) return mm->read_int4 ? 0 : opened_bytes(mm) * (size_t)mm->threads + ALIGNMENT;
  return packs_each_time(mm) ? (mm->packed_bytes + 63) / 64 * 64 : 0;
}

void sam_matmul_bind(sam_matmul *mm, void *scratch) {
  if (mm->nibbles) mm->open = (int8_t *)(((uintptr_t)scratch + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (packs_each_time(mm)) {
    pack(scratch, mm);
    mm->packed = scratch;
    mm->folded = false;
  }
  if (!mm->folded || (mm->bias && !sam_is_known(mm->bias))) fold(mm);
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

static void run_s16(const sam_matmul *mm, const sam_matmul_call *call, const int8_t *w, int64_t at) {
  enum { COLUMNS = 64, ROWS = 16 };
  int64_t sums[ROWS * COLUMNS];
  sam_s16_gemm_args g = {.taps = mm->taps, .k = mm->k, .tap = call->tap, .y = sums, .ldy = COLUMNS};
  for (int32_t j = 0; j < call->columns; j += COLUMNS) {
    g.n = call->columns - j < COLUMNS ? call->columns - j : COLUMNS;
    g.w = w + mm->panel_bytes * (size_t)(j / mm->tile.nr);
    for (int64_t i = 0; i < call->m; i += ROWS) {
      g.m = call->m - i < ROWS ? call->m - i : ROWS;
      g.a = (const int16_t *const *)call->a + i;
      mm->s16->run(&g);
      for (int64_t r = 0; r < g.m; r++) {
        int16_t *y = (int16_t *)call->y + (i + r) * call->ldy + call->column + j;
        const sam_s16_finish_args f = {
            g.n, sums + r * COLUMNS, mm->wide + at + j, mm->dscale + at + j, mm->rule == SAM_RULE_AWAY, mm->lo, mm->hi,
            y};
        if (mm->exact) mm->s16->finish(&f);
        for (int32_t c = 0; c < g.n && !mm->exact; c++) {
          const int64_t sum = (int64_t)((uint64_t)sums[r * COLUMNS + c] + (uint64_t)mm->wide[at + j + c]);
          int32_t x;
          if (mm->rule == SAM_RULE_R16)
            x = sam_scale64_r16(sum, mm->multiplier[at + j + c]);
          else if (mm->rule == SAM_RULE_UP)
            x = sam_scale32_up((int32_t)sum, mm->multiplier[at + j + c]);
          else
            x = sam_scale64_away(sum, mm->dscale[at + j + c]);
          y[c] = (int16_t)sam_clamp32(x, mm->lo, mm->hi);
        }
      }
    }
  }
}

/* int8 in, int16 out: raw sums, then the float rule. */
static void run_s8_s16(const sam_matmul *mm, const sam_matmul_call *call, sam_s8_gemm_args *g) {
  enum { COLUMNS = 256 };
  int32_t sums[COLUMNS];
  const int8_t *w = g->w;
  const int32_t *bias = g->bias, *col = g->col, *row = g->row;
  const uint8_t *quads = g->quads;
  const int32_t columns = g->n;
  g->out = SAM_GEMM_S32;
  g->y = sums;
  g->m = 1;
  for (int64_t i = 0; i < call->m; i++) {
    g->a = call->a + i;
    g->row = row ? row + i : NULL;
    for (int32_t j = 0; j < columns; j += COLUMNS) {
      g->n = columns - j < COLUMNS ? columns - j : COLUMNS;
      g->w = w + mm->panel_bytes * (size_t)(j / mm->tile.nr);
      if (quads) g->quads = quads + mm->quads * (size_t)(j / mm->tile.nr);
      g->bias = bias + j;
      g->col = col + j;
      mm->s8->run(g);
      int16_t *y = (int16_t *)call->y + i * call->ldy + call->column + j;
      for (int32_t c = 0; c < g->n; c++) y[c] = (int16_t)sam_requant(sums[c], g->scale[j + c], mm->zy, mm->lo, mm->hi);
    }
  }
}

/* Some panels at a time, as bytes that stay in the cache while all rows meet them. */
static void run_nibbles(const sam_matmul *mm, const sam_matmul_call *call, const sam_s8_gemm_args *whole) {
  int8_t *open = mm->open + opened_bytes(mm) * (size_t)call->thread;
  const int32_t nr = mm->tile.nr, step = mm->opened * nr, size = whole->out == SAM_GEMM_F32 ? 4 : 1;
  for (int32_t j = 0; j < whole->n; j += step) {
    sam_s8_gemm_args g = *whole;
    g.n = whole->n - j < step ? whole->n - j : step;
    sam_uk.s4_open((int64_t)(2 * mm->panel_bytes) * ((g.n + nr - 1) / nr),
                   whole->w + mm->panel_bytes * (size_t)(j / nr), open);
    g.w = open;
    if (g.quads) g.quads += mm->quads * (size_t)(j / nr);
    g.bias += j;
    g.col += j;
    g.scale += j;
    if (g.fbias) g.fbias += j;
    g.y = (char *)whole->y + (int64_t)j * size;
    mm->s8->run(&g);
  }
}

void sam_matmul_run(const sam_matmul *mm, const sam_matmul_call *call) {
  const int64_t at = (int64_t)call->group * mm->n_padded + call->column;
  const char *w = (const char *)mm->packed + mm->group_bytes * (size_t)call->group +
                  mm->panel_bytes * (size_t)(call->column / mm->tile.nr);
  if (mm->f16) {
    const sam_f16_gemm_args g = {.m = call->m,
                                 .n = call->columns,
                                 .taps = mm->taps,
                                 .k = mm->k,
                                 .a = (const uint16_t *const *)call->a,
                                 .tap = call->tap,
                                 .w = (const uint16_t *)(const void *)w,
                                 .bias = mm->bias ? mm->fbias + at : NULL,
                                 .y = (float *)call->y + call->column,
                                 .ldy = call->ldy,
                                 .lo = mm->flo,
                                 .hi = mm->fhi};
    mm->f16->run(&g);
    return;
  }
  if (mm->kind == SAM_MATMUL_F32) {
    const sam_f32_gemm_args g = {.m = call->m,
                                 .n = call->columns,
                                 .taps = mm->taps,
                                 .k = mm->k,
                                 .a = (const float *const *)call->a,
                                 .tap = call->tap,
                                 .w = (const float *)w,
                                 .bias = mm->bias ? mm->fbias + at : NULL,
                                 .y = (float *)call->y + call->column,
                                 .ldy = call->ldy,
                                 .lo = mm->flo,
                                 .hi = mm->fhi};
    mm->f32->run(&g);
    return;
  }
  if (mm->kind == SAM_MATMUL_S16) {
    run_s16(mm, call, (const int8_t *)w, at);
    return;
  }
  int32_t row[SAM_MATMUL_ROWS];
  sam_s8_gemm_args g = {.m = call->m,
                        .n = call->columns,
                        .taps = mm->taps,
                        .k = mm->k,
                        .a = call->a,
                        .row_step = call->row_step,
                        .tap = call->tap,
                        .w = (const int8_t *)w,
                        .bias = mm->start + at,
                        .col = mm->col + at,
                        .scale = mm->scale + at,
                        .out_flip = mm->out_flip,
                        .large_scale = mm->large_scale,
                        .pairs_fit = mm->pairs_fit,
                        .fits16 = mm->fits16,
                        .zero_point = mm->zy,
                        .lo = mm->lo,
                        .hi = mm->hi,
                        .flo = mm->flo,
                        .fhi = mm->fhi,
                        .ldy = call->ldy};
  if (mm->quads)
    g.quads =
        (const uint8_t *)(column_sums(mm, mm->packed) + all_sums(mm) + 1) + (size_t)(at / mm->tile.nr) * mm->quads;
  if (mm->range_count) {
    const sam_tap_range range = mm->ranges[call->range];
    g.taps = range.end - range.first;
    g.skipped = mm->taps - g.taps;
    g.tap += range.first;
    g.w += mm->panel_bytes / (size_t)mm->taps * (size_t)range.first;
    g.bias += call->range * (int64_t)mm->groups * mm->n_padded;
    if (g.quads) g.quads += range.first;
  }
  if (mm->panels) sam_fit_bind(mm, call->column, &g);
  if (mm->kind == SAM_MATMUL_HYBRID) {
    bool any = false;
    for (int64_t i = 0; i < call->m; i++) any |= (row[i] = -call->row_zero[i]) != 0;
    if (any) g.row = row;
    g.out = SAM_GEMM_F32;
    g.row_scale = call->row_scale;
    g.fbias = mm->bias ? mm->fbias + at : NULL;
    g.y = (float *)call->y + call->column;
  } else {
    const bool one_zero = mm->weights->quant->count == 1 && mm->out->type != SAM_INT16 && !mm->nibbles;
    if (mm->w_zero && one_zero && mm->s8->takes_zero && mm->s8->takes_zero(&g)) {
      g.w_zero = mm->col[at];
    } else if (mm->w_zero) {
      mm->s8->row_sums(&g, row);
      for (int64_t i = 0; i < call->m; i++) row[i] = (int32_t)(0u - (uint32_t)row[i]);
      g.row = row;
    }
    if (mm->out->type == SAM_INT16) {
      run_s8_s16(mm, call, &g);
      return;
    }
    g.out = SAM_GEMM_S8;
    g.y = (int8_t *)call->y + call->column;
  }
  if (mm->nibbles && !mm->read_int4)
    run_nibbles(mm, call, &g);
  else
    mm->s8->run(&g);
}

int64_t sam_matmul_block(const sam_matmul *mm, int64_t bytes) {
  const int64_t mr = mm->tile.mr;
  int64_t rows = 24576 / (bytes > 0 ? bytes : 1);
  if (rows < 4 * mr) rows = 4 * mr;
  if (rows > SAM_MATMUL_ROWS) rows = SAM_MATMUL_ROWS;
  return rows / mr * mr;
}

/* ---- Plain products --------------------------------------------------------------------------------------------- */

typedef struct dense {
  const sam_matmul *mm;
  const char *a;
  int64_t rows, block, blocks;
  int32_t group, columns; /* of one item */
  void *y;
  const float *row_scale;
  const int32_t *row_zero;
  char *scratch; /* NULL: the kernel reads the tensor itself */
  size_t thread_bytes;
} dense;

static void dense_task(void *arg, int64_t begin, int64_t end, int thread) {
  const dense *d = arg;
  const sam_matmul *mm = d->mm;
  const ptrdiff_t tap = 0;
  const int32_t out_bytes = sam_type_bits(mm->out->type) / 8;
  for (int64_t item = begin; item < end; item++) {
    const int64_t cut = d->blocks == 1 ? item : item / d->blocks, first = (item - cut * d->blocks) * d->block;
    const int64_t left = d->rows - first;
    const void *a[SAM_MATMUL_ROWS];
    sam_matmul_call call = {.group = d->group, .thread = thread, .tap = &tap, .a = a, .ldy = mm->n};
    call.column = (int32_t)cut * d->columns;
    call.columns = mm->n - call.column < d->columns ? mm->n - call.column : d->columns;
    call.m = left < d->block ? left : d->block;
    const char *from = d->a + first * mm->k * mm->source;
    if (d->scratch) {
      char *to = d->scratch + d->thread_bytes * (size_t)thread;
      sam_matmul_convert(mm, from, call.m * mm->k, to);
      from = to;
    }
    for (int64_t i = 0; i < call.m; i++) a[i] = from + i * mm->k * mm->element;
    call.y = (char *)d->y + first * mm->n * out_bytes;
    if (d->row_scale) call.row_scale = d->row_scale + first, call.row_zero = d->row_zero + first;
    sam_matmul_run(mm, &call);
  }
}

static bool dense_converts(const sam_matmul *mm) { return mm->converts || mm->k % mm->tile.kr; }

static int64_t dense_block(const sam_matmul *mm, int64_t rows) { return mm->block < rows ? mm->block : rows; }

static size_t dense_thread_bytes(const sam_matmul *mm, int64_t rows) {
  return ((size_t)(dense_block(mm, rows) * mm->k * mm->element) + 127) / 64 * 64;
}

size_t sam_matmul_dense_scratch(const sam_ctx *ctx, const sam_matmul *mm, int64_t rows) {
  return dense_converts(mm) ? dense_thread_bytes(mm, rows) * (size_t)sam_threads(ctx) : 0;
}

void sam_matmul_dense(sam_ctx *ctx, const sam_matmul *mm, int32_t group, const void *a, int64_t rows, void *y,
                      const float *row_scale, const int32_t *row_zero, void *scratch) {
  dense d = {.mm = mm, .group = group, .a = a, .rows = rows, .y = y, .row_scale = row_scale, .row_zero = row_zero};
  if (rows == 0 || mm->n == 0) return;
  if (dense_converts(mm)) d.scratch = scratch, d.thread_bytes = dense_thread_bytes(mm, rows);
  d.block = dense_block(mm, rows);
  d.blocks = rows <= d.block ? 1 : (rows + d.block - 1) / d.block;
  d.columns = sam_matmul_columns(ctx, mm, d.blocks, rows * mm->n * mm->k / mm->tile.rate);
  if (d.blocks == 1 && d.columns >= mm->n) {
    dense_task(&d, 0, 1, 0);
    return;
  }
  const int64_t cuts = (mm->n + d.columns - 1) / d.columns, macs = d.block * (int64_t)d.columns * mm->k;
  sam_parallel(ctx, d.blocks * cuts, macs / mm->tile.rate + 50, dense_task, &d);
}

int32_t sam_matmul_columns(const sam_ctx *ctx, const sam_matmul *mm, int64_t units, int64_t cycles) {
  const int64_t wanted = sam_pieces(sam_threads(ctx), cycles), step = 4 * (int64_t)mm->tile.nr;
  if (units >= wanted) return mm->n_padded;
  const int64_t most = (mm->n + step - 1) / step;
  int64_t cuts = (wanted + units - 1) / units;
  if (cuts > most) cuts = most;
  return (int32_t)((most + cuts - 1) / cuts * step);
}

void sam_quantize_row(const float *x, int64_t n, bool asymmetric, int8_t *q, float *scale, int32_t *zero) {
  float min, max;
  sam_uk.f32_range(n, x, &min, &max);
  *zero = 0;
  *scale = 1.0f;
  if ((min == 0 && max == 0) || !isfinite(min) || !isfinite(max)) {
    memset(q, 0, (size_t)n);
    return;
  }
  float inverse;
  int32_t lo = -127;
  if (asymmetric) {
    lo = -128;
    const double s = ((double)max - (double)min) / 255.0, from_min = -128 - min / s, from_max = 127 - max / s;
    const double chosen = 128 + fabs(min / s) < 127 + fabs(max / s) ? from_min : from_max;
    *zero = chosen <= -128 ? -128 : chosen >= 127 ? 127 : (int32_t)round(chosen);
    *scale = (float)s;
    inverse = 1.0f / *scale;
  } else {
    const float range = -min > max ? -min : max;
    *scale = range / 127.0f;
    inverse = 127.0f / range;
  }
  if (!(*scale > 0) || !isfinite(inverse)) { /* subnormal range: nothing an int8 could tell apart from zero */
    *scale = 1.0f;
    *zero = 0;
    memset(q, 0, (size_t)n);
    return;
  }
  const sam_unary_params to_s8 = {.a = inverse, .zy = *zero, .lo = lo, .hi = 127};
  sam_uk.f32_to_s8(n, x, q, &to_s8);
}
