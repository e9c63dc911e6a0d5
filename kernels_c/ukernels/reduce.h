/* Samara: microkernels of reductions. Two shapes, of one type (sam_fold_kernel): x is `rows` rows of n values, `stride`
 * values apart;
 *
 *   …_rows   y[j] = what column j gives, j < n           (many outputs side by side)
 *   …_runs   y[r] = what row r gives, r < rows
 *
 * Values are taken as x ^ flip. For the largest of unsigned bytes that makes four operators of one kernel: flip 0x80
 * for int8, 0xff for the smallest, 0x7f for both; wider integers have ~ for the smallest, floats their sign. */
#ifndef SAM_UKERNELS_REDUCE_H
#define SAM_UKERNELS_REDUCE_H

#include <stdint.h>

typedef void sam_fold_kernel(int64_t rows, int64_t n, const void *x, int64_t stride, void *y, int32_t flip);

/* Values that one output of a sum may have: int32 lanes hold that many, floats stay exact enough. */
enum { SAM_FOLD_MOST = 1 << 15, SAM_FOLD_FLOAT_ROWS = 4096, SAM_FOLD_FLOAT_RUN = 2048 };

/* y: float; int32 of bytes and int16; int64 of int32. Only bytes are flipped. squares: the sum of squares. */
typedef sam_fold_kernel sam_f32_sum_rows_t, sam_u8_sum_rows_t, sam_s16_sum_rows_t, sam_s32_sum_rows_t;
typedef sam_fold_kernel sam_f32_sum_runs_t, sam_u8_sum_runs_t, sam_s16_sum_runs_t, sam_s32_sum_runs_t;
typedef sam_fold_kernel sam_f32_squares_runs_t;
/* Products; y: double. */
typedef sam_fold_kernel sam_f32_prod_rows_t, sam_f32_prod_runs_t;
/* The largest; y: as x, flipped back. Floats: NaN if one is NaN. */
typedef sam_fold_kernel sam_f32_top_rows_t, sam_u8_top_rows_t, sam_s16_top_rows_t, sam_s32_top_rows_t;
typedef sam_fold_kernel sam_f32_top_runs_t, sam_u8_top_runs_t, sam_s16_top_runs_t, sam_s32_top_runs_t;

/* The first i with x[i] == value; n if there is none. */
typedef int64_t sam_f32_find_t(int64_t n, const float *x, float value);

#endif
