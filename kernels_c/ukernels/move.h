/* Samara: loops that move elements of 1, 2, 4 or 8 bytes (index 0..3 = log2 of the size). Strides count bytes. */
#ifndef SAM_UKERNELS_MOVE_H
#define SAM_UKERNELS_MOVE_H

#include <stdint.h>

/* Elements may lie at any address (several small ones travel as a wider one), and alias whatever they are. */
#define SAM_LOOSE(T) __attribute__((aligned(1), may_alias)) T
typedef uint8_t u8;
typedef uint16_t SAM_LOOSE(u16);
typedef uint32_t SAM_LOOSE(u32);
typedef uint64_t SAM_LOOSE(u64);

typedef const struct sam_move_uk {
  /* dst[r][c] = src[c][r]: r is dense in src, c is dense in dst. */
  void (*turn[4])(char *dst, int64_t dst_row, const char *src, int64_t src_col, int64_t rows, int64_t cols);
  /* dst[r][i] = src[r][-i], i < n */
  void (*reverse[4])(char *dst, int64_t dst_row, const char *src, int64_t src_row, int64_t n, int64_t rows);
  /* dst[r][i] = src[r][0], i < n */
  void (*fill[4])(char *dst, int64_t dst_row, const char *src, int64_t src_row, int64_t n, int64_t rows);
  /* Rows of n > 0 bytes, whatever their elements: dst[r] = src[r], and dst[r] = src[at[r]] for dense rows. */
  void (*rows)(char *dst, int64_t dst_row, const char *src, int64_t src_row, int64_t n, int64_t rows);
  void (*gather)(char *dst, const char *src, const int32_t *at, int64_t n, int64_t rows);
} sam_move_t;

#endif
