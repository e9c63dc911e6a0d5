/* Samara: what every operator that multiplies matrices shares: types and quantization checked once, the right matrix
 * packed for the chosen microkernel, zero points folded into the bias, the result rounded by the rule of its type.
 *
 *   left (activations)   right (weights)   result     arithmetic
 *   FLOAT32              FLOAT32           FLOAT32    FMA; in half precision if allowed and faster
 *   INT8, UINT8          8, 4, 2 bits      same       32-bit sums, float rule; INT16 results too
 *   INT16                8, 4, 2 bits      INT16      64-bit sums; R16, D-up or S-away
 *   FLOAT32              8, 4, 2 bits      FLOAT32    "hybrid": each row of the left side is quantized on the fly
 *
 * uint8 is int8 with its upper bit flipped and its zero points lowered by 128; from here on there is only int8. */
#ifndef SAM_COMMON_MATMUL_H
#define SAM_COMMON_MATMUL_H

#include "common/requant.h"
#include "samara/op.h"
#include "ukernels/ukernels.h"

enum { SAM_MATMUL_ROWS = 256 /* most rows of one call */ };

typedef enum sam_matmul_kind { SAM_MATMUL_F32, SAM_MATMUL_S8, SAM_MATMUL_HYBRID, SAM_MATMUL_S16 } sam_matmul_kind;
typedef struct sam_tap_range {
  int32_t first, end;
} sam_tap_range;
enum { SAM_TAP_RANGES = 8 };
typedef enum sam_matmul_rule { SAM_RULE_R16, SAM_RULE_UP, SAM_RULE_AWAY } sam_matmul_rule;

typedef struct sam_matmul {
  /* Set by the caller before sam_matmul_types. */
  const sam_tensor *in, *weights, *bias, *out; /* bias may be NULL */
  bool plain;                                  /* the file has weights as [columns][depth]: one tap, one group */
  int32_t activation;
  int32_t axis;   /* the dimension of `weights` that scales may follow; -1: per tensor only */
  bool wide_away; /* INT16 with 64-bit sums rounds by S-away, else R16 */

  /* Set by the caller before sam_matmul_prepare: the product, and where the file has element (group, column, tap, k) of
   * the right matrix: at group * group_stride + column * column_stride + tap_source[tap] + k * k_stride. */
  int32_t groups, n, taps, k; /* n columns in each group */
  int64_t group_stride, column_stride, k_stride;
  const int64_t *tap_source;
  int32_t range_count; /* int8 sums: 0, or calls name the range of taps they need */
  sam_tap_range ranges[SAM_TAP_RANGES];
  /* Or: packs the panels, mm->group_bytes, and adds up the columns (float: no sums), for another kernel than ours. */
  void (*panels)(const struct sam_matmul *mm, void *dst, int32_t *sums);

  /* The rest is sam_matmul's own. */
  sam_matmul_kind kind;
  sam_matmul_rule rule;
  sam_f32_gemm_t *f32;
  sam_f16_gemm_t *f16; /* or NULL: FLOAT32 in half precision, which the left side is converted to */
  sam_s8_gemm_t *s8;
  sam_s16_gemm_t *s16;
  sam_gemm_tile tile;
  int32_t source;   /* bytes of one left element as the tensor (or sam_quantize_row) has it */
  int32_t element;  /* and as the kernel reads it */
  bool converts;    /* the two differ: sam_matmul_convert stands between */
  int32_t n_padded; /* columns of a group, rounded up to nr */
  int64_t block;    /* rows of one call in plain products */
  size_t quads;     /* bytes a panel, see sam_s8_gemm_args */
  size_t panel_bytes, group_bytes, packed_bytes;
  int32_t fixes, fit_zero; /* of fitted weights, see fit.h: how many; the zero point that has been taken out */
  bool fitted;             /* the packed weights are those of fit.h */
  bool nibbles; /* the panels hold int4 weights as such, which the kernel reads so (read_int4), or else each thread
                   opens some panels before it runs (sam_s4_open) */
  bool read_int4;
  int32_t threads, opened;        /* panels opened at once */
  int8_t *open;                   /* by thread */
  const void *packed;             /* NULL: packed in each eval, into scratch */
  bool folded;                    /* bias is ready */
  uint8_t flip, w_flip, out_flip; /* 0x80 for uint8 */
  int32_t za, zy, lo, hi;         /* zero points of left side (int8 terms) and result; clamp */
  bool w_zero, large_scale, pairs_fit, fits16;
  float flo, fhi;
  int32_t *start, *col; /* groups * n_padded: first value of each sum (by range); zero point (or column sum, hybrid) */
  int64_t *wide;        /* INT16: bias */
  float *scale, *fbias;
  double *dscale; /* INT16: the factor of each column, as the rule has it */
  sam_multiplier *multiplier;
  bool exact; /* INT16: sums are small enough for s16->finish */
} sam_matmul;

/* A weight of 8, 4 or 2 bits; `flip` makes uint8 int8. */
static inline int8_t sam_weight_at(const void *data, sam_type type, int64_t i, uint8_t flip) {
  const uint8_t *bytes = data;
  if (type == SAM_INT4) return (int8_t)((int8_t)(uint8_t)(bytes[i >> 1] << (i & 1 ? 0 : 4)) >> 4);
  if (type == SAM_INT2) return (int8_t)((int8_t)(uint8_t)(bytes[i >> 2] << (6 - 2 * (i & 3))) >> 6);
  return (int8_t)(bytes[i] ^ flip);
}

/* Checks types, quantization and activation of mm->in, weights, bias, out. */
sam_status sam_matmul_types(sam_ctx *ctx, sam_matmul *mm);
/* Chooses the kernel (mm->tile, mm->element) for the types and sums of `depth` products; callers lay their taps out
 * with it. */
sam_status sam_matmul_choose(sam_ctx *ctx, sam_matmul *mm, int64_t depth);
/* Once n, taps and k are known: the float kernel for few columns, where it is the better one. */
void sam_matmul_narrow(sam_matmul *mm);
/* n left elements to the kernel's form; `to` has 64 bytes of slack. Copies when there is nothing to convert. */
void sam_matmul_convert(const sam_matmul *mm, const void *from, int64_t n, void *to);
/* n left elements with the value of a zero, given its zero point (hybrid; otherwise mm->za). */
void sam_matmul_zeros(const sam_matmul *mm, int32_t zero, int64_t n, void *to);
/* Packs what is known. */
sam_status sam_matmul_prepare(sam_ctx *ctx, sam_matmul *mm);
/* After sam_matmul_prepare: whether eval has nothing to bind. */
static inline bool sam_matmul_is_ready(const sam_matmul *mm) {
  return mm->packed && mm->folded && (!mm->nibbles || mm->read_int4);
}
/* Scratch bytes that eval needs for sam_matmul_bind. */
size_t sam_matmul_scratch(const sam_matmul *mm);
/* eval: packs and folds what prepare could not know. `scratch`: sam_matmul_scratch bytes. */
void sam_matmul_bind(sam_matmul *mm, void *scratch);

typedef struct sam_matmul_call {
  int32_t group, column, columns; /* column: a multiple of tile.nr */
  int32_t range;
  int thread;
  int64_t m; /* at most SAM_MATMUL_ROWS */
  const void *const *a;
  int64_t row_step;       /* see sam_s8_gemm_args */
  const ptrdiff_t *tap;   /* in bytes */
  const float *row_scale; /* hybrid: of each row */
  const int32_t *row_zero;
  void *y;       /* row 0, column 0 of the group */
  ptrdiff_t ldy; /* in elements */
} sam_matmul_call;
void sam_matmul_run(const sam_matmul *mm, const sam_matmul_call *call);

/* Rows that keep the left side in the first cache, a multiple of tile.mr; `bytes`: new bytes of each row. */
int64_t sam_matmul_block(const sam_matmul *mm, int64_t bytes);

/* Columns of one item, a multiple of 4 * nr, so that `units` times the cuts occupy all threads; `cycles` of all. */
int32_t sam_matmul_columns(const sam_ctx *ctx, const sam_matmul *mm, int64_t units, int64_t cycles);

/* A plain product: `rows` rows of `k` elements, one after the other; columns and rows are cut and shared among the
 * threads. row_scale, row_zero: hybrid, of each row. `scratch`: sam_matmul_dense_scratch bytes. */
void sam_matmul_dense(sam_ctx *ctx, const sam_matmul *mm, int32_t group, const void *a, int64_t rows, void *y,
                      const float *row_scale, const int32_t *row_zero, void *scratch);
size_t sam_matmul_dense_scratch(const sam_ctx *ctx, const sam_matmul *mm, int64_t rows);

/* x[n] to int8: real = scale * (q - zero). Symmetric: zero = 0, full range +-127. */
void sam_quantize_row(const float *x, int64_t n, bool asymmetric, int8_t *q, float *scale, int32_t *zero);

#endif
