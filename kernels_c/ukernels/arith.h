/* Samara: microkernels of the elementwise operators, softmax and sums.
 *
 * Two shapes of function: of one array (sam_unary_kernel) and of two (sam_binary_kernel, `steps` tells which of the
 * inputs advance; the other is one value). y may be an input array itself, never overlap it otherwise. */
#ifndef SAM_UKERNELS_ARITH_H
#define SAM_UKERNELS_ARITH_H

#include "common/elementwise.h"
#include "common/unary.h"

typedef void sam_binary_kernel(int64_t n, const void *a, const void *b, void *y, int steps, const sam_binary_params *p);
typedef void sam_unary_kernel(int64_t n, const void *x, void *y, const sam_unary_params *p);

/* float32, result clamped to [p->lo, p->hi], NaN kept; max and min give `a` unless b is larger (smaller). `steps` may
 * carry SAM_STEP_ROW. */
typedef sam_binary_kernel sam_f32_add_t, sam_f32_sub_t, sam_f32_mul_t, sam_f32_div_t, sam_f32_sqdiff_t;
typedef sam_binary_kernel sam_f32_max_t, sam_f32_min_t;
/* (a * ia + b * ib + bias >> shift) + zy, and rne((a - za) * (b - zb) * fa) + zy, clamped to [ilo, ihi]: the rules of
 * ops/binary.c, as is that of sqdiff. No fused multiply-add, so all machines agree. */
typedef sam_binary_kernel sam_s8_add_t, sam_u8_add_t, sam_s8_mul_t, sam_u8_mul_t, sam_s8_sqdiff_t;
/* int16 with zero points 0: both inputs times 2^15, ma and mb, their sum times my; the product times my. No shift of
 * these multipliers may be above 0. */
typedef sam_binary_kernel sam_s16_add_t, sam_s16_sub_t, sam_s16_mul_t;
/* int8 or uint8 sums by p->digits. The portable one exists for tests: s8_add and u8_add are better without vectors. */
typedef sam_binary_kernel sam_digit_add_t;
/* Products of bytes by the rule of s8_mul and u8_mul: y[i] = a[i] times b[(at + i) % period], at < period <=
 * SAM_PERIOD_MOST. Channels that have a factor each. The portable one exists for tests. */
enum { SAM_PERIOD_MOST = 1024 };
typedef void sam_mul_periodic_t(int64_t n, int64_t at, int64_t period, const void *a, const void *b, void *y,
                                bool is_signed, const sam_binary_params *p);
/* The rule of PRELU (ops/activation.c); no shift of ma and mb may be above 8. */
typedef sam_binary_kernel sam_s8_prelu_t, sam_u8_prelu_t;
typedef sam_binary_kernel sam_s8_max_t, sam_s8_min_t, sam_u8_max_t, sam_u8_min_t;

/* float32. clamp: to [a, b], NaN kept. leaky_relu: slope a below 0. Within 3 units in the last place of the true value
 * (GELU 4), except logistic beyond |x| > 87 and results below 2^-126. */
typedef sam_unary_kernel sam_f32_clamp_t, sam_f32_leaky_relu_t, sam_f32_abs_t, sam_f32_neg_t, sam_f32_square_t;
typedef sam_unary_kernel sam_f32_sqrt_t, sam_f32_rsqrt_t, sam_f32_exp_t, sam_f32_logistic_t, sam_f32_tanh_t;
typedef sam_unary_kernel sam_f32_log_t, sam_f32_sin_t, sam_f32_cos_t;
typedef sam_unary_kernel sam_f32_swish_t; /* x * logistic(x), each rounded */
typedef sam_unary_kernel sam_f32_elu_t, sam_f32_hard_swish_t, sam_f32_gelu_t, sam_f32_gelu_tanh_t;

/* y[i] = table[x[i]], 256 bytes at p->table; p->lines or p->curve says them again, if not NULL. */
typedef sam_unary_kernel sam_u8_lookup_t;

/* rne(x * a) + zy clamped to [lo, hi], NaN as lo; and (x - zx) * a. */
typedef sam_unary_kernel sam_f32_to_s8_t, sam_f32_to_u8_t, sam_f32_to_s16_t;
typedef sam_unary_kernel sam_s8_to_f32_t, sam_u8_to_f32_t, sam_s16_to_f32_t;
/* int16: x - zx by m where it is not negative, else by n, + zy, clamped to [lo, hi]: rule D-away. No shift of m and n
 * may be above SAM_RESCALE_MOST. */
enum { SAM_RESCALE_MOST = 14 };
typedef sam_unary_kernel sam_s16_rescale_t;
/* x * a of int32 x >= 0, rounded half up, + zy, clamped to [lo, hi]; hi where the product is 2^16 or more. */
typedef sam_unary_kernel sam_s32_to_s8_t, sam_s32_to_u8_t;

/* y = softmax(beta * x) of rows of n > 0. */
typedef void sam_f32_softmax_t(int64_t rows, int64_t n, const float *x, float *y, float beta);
/* y = x - log(sum of exp(x)) of one row, n > 0. */
typedef void sam_f32_log_softmax_t(int64_t n, const float *x, float *y);

/* Sum of n < 2^23 bytes. Other reductions: reduce.h. */
typedef int32_t sam_s8_sum_t(int64_t n, const int8_t *x);
typedef int32_t sam_u8_sum_t(int64_t n, const uint8_t *x);
/* Smallest and largest of n values and 0. A NaN counts as nothing, or makes the answer NaN. */
typedef void sam_f32_range_t(int64_t n, const float *x, float *lo, float *hi);

#endif
