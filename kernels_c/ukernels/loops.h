/* Samara: elementwise loops in plain C, compiled once for each level, so that the compiler makes its vectors of them.
 *
 * The kernels of arith.h are written out in vectors, because a compiler does not find their rules; here it does. */
#ifndef SAM_UKERNELS_LOOPS_H
#define SAM_UKERNELS_LOOPS_H

#include "common/elementwise.h"
#include "common/unary.h"

typedef enum sam_binary_kind {
  SAM_ADD,
  SAM_SUB,
  SAM_MUL,
  SAM_DIV,
  SAM_MAXIMUM,
  SAM_MINIMUM,
  SAM_SQDIFF,
  SAM_FLOOR_DIV,
  SAM_FLOOR_MOD,
  SAM_POW,
  SAM_PRELU,
  SAM_EQUAL,
  SAM_NOT_EQUAL,
  SAM_LESS,
  SAM_LESS_EQUAL,
  SAM_BINARY_KINDS
} sam_binary_kind;

typedef enum sam_unary_kind { SAM_FLOOR, SAM_CEIL, SAM_ROUND, SAM_SIGN, SAM_UNARY_KINDS } sam_unary_kind;

/* y[i] = condition[i] ? a[i] : b[i]; an input advances by its step, 1 or 0. y may be a or b. */
typedef void (*sam_select_fn)(int64_t n, const uint8_t *condition, const void *a, const void *b, void *y,
                              const int64_t step[3]);

/* NULL where there is no loop. */
typedef struct sam_loops_t {
  sam_binary_fn binary[SAM_BINARY_KINDS][SAM_TYPE_COUNT]; /* the rules of ops/binary.c, compare.c, activation.c */
  sam_unary_fn unary[SAM_UNARY_KINDS];                    /* float32 */
  sam_unary_fn cast[SAM_TYPE_COUNT][SAM_TYPE_COUNT];      /* from, to: the rule of ops/quantize.c; no parameters */
  sam_select_fn select[4];                                /* elements of 1, 2, 4, 8 bytes */
  sam_unary_fn lookup16;                                  /* p->table: a sam_table16 */
  sam_unary_fn logistic16, tanh16;                        /* the rule of ops/activation.c; p->table: its samples */
} sam_loops_t;

#endif
