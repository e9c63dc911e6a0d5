/* Samara: what the elementwise operators hand to their kernels. */
#ifndef SAM_COMMON_ELEMENTWISE_H
#define SAM_COMMON_ELEMENTWISE_H

#include "broadcast.h"
#include "fixed_point.h"

/* Elements one task of sam_parallel takes: large enough to hide the call, small enough to stay in the first cache. */
enum { SAM_ELEMENTWISE_BLOCK = 4096 };

/* Inside a row an input advances by one element or is one repeated value. */
enum { SAM_STEP_A = 1, SAM_STEP_B = 2, SAM_STEP_BOTH = 3 };
/* With n times this added to SAM_STEP_A or SAM_STEP_B, the repeated value is the next one after each n elements.
 * Kernels of a plan with by_rows take it. */
enum { SAM_STEP_ROW = 4, SAM_STEP_ROW_MOST = 1 << 20 };

enum { SAM_DIGITS_MOST = (1 << 21) - 65 };

/* The sum of two bytes with multipliers of 21 bits in 16-bit arithmetic: multipliers and bias in digits of 7 bits,
 * lowest first. Nested floors are exact: a * ia + b * ib + bias >> shift + 14 = ((((d0 >> 7) + d1) >> 7) + d2) >>
 * shift,   dk = a * ak + b * bk + biask where bytes are signed (flip makes them so, and replaces b by -1 - b when its
 * multiplier is negative). The zero point of the result is in the bias. Multipliers are at
 * most SAM_DIGITS_MOST, so that a kernel may let their lowest digits be negative. */
typedef struct sam_digits {
  uint8_t a[3], b[3];
  int16_t bias[3];
  int32_t shift;
  uint8_t flip_a, flip_b, flip_y; /* exclusive or */
  int8_t lo, hi;                  /* of the signed result */
} sam_digits;

typedef struct sam_binary_params {
  float lo, hi;         /* f32: fused activation */
  int64_t ilo, ihi;     /* integers: fused activation, in quantized units where there are such */
  float fa, fb, fc;     /* int8, uint8: see sam_binary kernels in ops/binary.c */
  int32_t ia, ib, bias; /* int8, uint8 ADD and SUB: multipliers, and what both zero points and rounding add */
  int32_t shift;
  sam_digits digits;
  int32_t za, zb, zy;        /* zero points */
  sam_multiplier ma, mb, my; /* int16 */
  int32_t left;              /* int16: bits of headroom before ma, mb; shift of the power-of-two path */
  const void *table;         /* comparisons: the keys of both inputs */
} sam_binary_params;

extern const sam_binary_params sam_unbounded; /* nothing to clamp */

typedef void (*sam_binary_fn)(int64_t n, const void *a, const void *b, void *y, int steps, const sam_binary_params *p);

typedef struct sam_binary_plan {
  sam_broadcast shape;
  sam_binary_params params;
  sam_binary_fn kernel;
  int64_t size_in, size_out; /* bytes of an element */
  int64_t cost;              /* cycles of one element, times 4 */
  sam_type half;             /* FLOAT16 or BFLOAT16 where the kernel is one of float32, else FLOAT32 */
  uint8_t form[2];           /* how each input lies under the output, for short rows (elementwise.c) */
  bool by_rows;              /* the kernel takes SAM_STEP_ROW */
  bool by_period, is_signed; /* sam_uk.mul_periodic does what the kernel does, if one input is dense, one periodic */
} sam_binary_plan;

/* float16 and bfloat16 are computed in float32 and rounded once at the end, in pieces of this many elements. */
enum { SAM_HALF_PIECE = 256 };
static inline bool sam_is_half(sam_type type) { return type == SAM_FLOAT16 || type == SAM_BFLOAT16; }
/* The type whose kernels do the work. */
static inline sam_type sam_working_type(sam_type type) { return sam_is_half(type) ? SAM_FLOAT32 : type; }
void sam_widen(const void *x, sam_type type, int64_t n, float *y);
void sam_narrow(const float *x, sam_type type, int64_t n, void *y);

/* prepare: output shape, rows, element sizes; both inputs must have one type. cost is 4, the kernel the caller's. */
sam_status sam_binary_begin(sam_ctx *ctx, sam_node *node, sam_binary_plan *plan);
/* node->piece of a node whose state begins with a sam_binary_plan. */
void sam_binary_piece(const sam_node *node, const void *const *inputs, void *output, int64_t from, int64_t to);
/* eval: every row, over the threads. */
void sam_binary_run(sam_ctx *ctx, const sam_binary_plan *plan, const sam_node *node);

/* A kernel in plain C: u and v are the operands, EXPR the result. */
#define SAM_BINARY_KERNEL(name, T, R, EXPR)                                                         \
  static void name(int64_t sam_n, const void *sam_a, const void *sam_b, void *sam_y, int sam_steps, \
                   const sam_binary_params *p) {                                                    \
    const T *sam_u = sam_a, *sam_v = sam_b;                                                         \
    R *sam_out = sam_y;                                                                             \
    const int64_t sam_du = sam_steps & SAM_STEP_A, sam_dv = (sam_steps & SAM_STEP_B) >> 1;          \
    (void)p;                                                                                        \
    for (int64_t sam_i = 0; sam_i < sam_n; sam_i++) {                                               \
      const T u = sam_u[sam_i * sam_du], v = sam_v[sam_i * sam_dv];                                 \
      sam_out[sam_i] = EXPR;                                                                        \
    }                                                                                               \
  }

#endif
