/* Samara: the frame of every operator that maps one tensor to another of the same shape, element by element. */
#ifndef SAM_COMMON_UNARY_H
#define SAM_COMMON_UNARY_H

#include "curve.h"
#include "elementwise.h"
#include "table.h"

typedef struct sam_unary_params {
  float a, b;             /* f32: bounds or factors of the operator */
  int32_t zx, zy, lo, hi; /* quantized */
  sam_multiplier m, n;    /* quantized: factors of two branches */
  int32_t left;           /* int16: left shift */
  const void *table;
  const sam_curve *curve; /* the same table of bytes once more, or NULL */
  const sam_lines *lines; /* likewise */
} sam_unary_params;

typedef void (*sam_unary_fn)(int64_t n, const void *x, void *y, const sam_unary_params *p);

typedef struct sam_unary_plan {
  sam_unary_fn kernel;
  int64_t count, cost; /* cost: cycles of one element, times 4 */
  size_t size_x, size_y;
  sam_type half; /* FLOAT16 or BFLOAT16 where the kernel is one of float32, else FLOAT32 */
  sam_unary_params params;
  union {
    uint8_t bytes[256];
    int16_t words[SAM_TABLE16_SIZE + 1];
  } table;
  sam_curve curve;
  sam_lines lines;
} sam_unary_plan;

/* Output shape of input 0; the plan becomes node->state. */
sam_status sam_unary_begin(sam_ctx *ctx, sam_node *node, sam_unary_plan **plan);
/* begin + output type equal to the input's; types INT8 UINT8 INT16 must be quantized on both sides, and the parameters
 * zx zy lo hi are filled. */
sam_status sam_unary_begin_same(sam_ctx *ctx, sam_node *node, sam_unary_plan **plan);
/* The kernel and table for a real function of INT8, UINT8 or INT16. */
void sam_unary_use_table(sam_unary_plan *plan, const sam_node *node, sam_real_fn f, const void *arg);
/* The kernel for a table of bytes that the caller filled (plan->table.bytes). */
void sam_unary_use_bytes(sam_unary_plan *plan);
/* The same, of a table that is two lines: slopes above and below the zero point, in steps of the output. */
void sam_unary_use_lines(sam_unary_plan *plan, bool is_signed, double above, double below);
sam_status sam_unary_eval(sam_ctx *ctx, sam_node *node);

/* A sam_op of one tensor to one, which may share its memory; the rest are the types: [SAM_FLOAT32] = sam_unary_eval, …
 */
#define SAM_UNARY_OP(NAME, VERSION, PREPARE, ...)                                                               \
  {                                                                                                             \
    .name = NAME, .max_version = VERSION, .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, \
    .inplace = 1, .prepare = PREPARE, .eval = {                                                                 \
      __VA_ARGS__                                                                                               \
    }                                                                                                           \
  }

static inline bool sam_is_small_int(sam_type type) {
  return type == SAM_INT8 || type == SAM_UINT8 || type == SAM_INT16;
}

/* A kernel in plain C: u is the input value, EXPR the output's. */
#define SAM_UNARY_KERNEL(name, T, EXPR)                                                        \
  static void name(int64_t sam_n, const void *sam_x, void *sam_y, const sam_unary_params *p) { \
    const T *sam_in = sam_x;                                                                   \
    T *sam_out = sam_y;                                                                        \
    (void)p;                                                                                   \
    for (int64_t sam_i = 0; sam_i < sam_n; sam_i++) {                                          \
      const T u = sam_in[sam_i];                                                               \
      sam_out[sam_i] = EXPR;                                                                   \
    }                                                                                          \
  }

#endif
