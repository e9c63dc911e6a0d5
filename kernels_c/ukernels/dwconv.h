/* Samara: microkernels of depthwise convolution: channel c of the output depends on channel c of the input only.
 *
 * A kernel sees no borders, no dilation along y and no depth multiplier: the operator hands it pointers to the input
 * rows it needs (a row of zero points where the image ends), each beginning at the first tap that the first output
 * pixel meets.
 *
 *      rows[0] ──┐  a lane of the dot product holds `group` rows of one pixel and channel: four bytes or two 16-bit
 *      rows[1]   │  numbers. The same lanes serve `rows` output rows (whose weights are shifted by the stride) and,
 *      rows[2]   │  while the kernel walks along x, up to kw output columns.
 *      rows[3] ──┘
 */
#ifndef SAM_UKERNELS_DWCONV_H
#define SAM_UKERNELS_DWCONV_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sam_dw_strip {
  const void *const *rows; /* sam_dw_rows() of them */
  void *const *out;        /* one pointer for each output row the kernel computes together */
  int64_t n;               /* output pixels of a row */
  int64_t x_step;          /* input elements from one output pixel to the next */
  int32_t valid;           /* output rows that are wanted; a kernel may compute the others too */
  int32_t y_step;          /* input rows from one output row to the next */
  const int64_t *taps;     /* kw: where the taps lie, in elements from the first */
  int64_t channels;
  int32_t kh, kw;
  int32_t from, to;    /* the columns of the filter that meet the image: all, but at its sides (kernels with `sides`) */
  const void *weights; /* sam_dw_pack */
  const void *bias;    /* packed order; int32_t with all zero points folded in, or float */
  const float *scale;  /* packed order */
  int32_t zero_point, lo, hi;
  bool fits16; /* results before the zero point is added, see sam_s8_gemm_fits16 */
  bool floats; /* they do, limits are those of the type, and the bias has SAM_DW_FLOAT added: see the kernel's */
  float real_lo, real_hi;
} sam_dw_strip;

typedef const struct sam_dw_kernel {
  void (*run)(const sam_dw_strip *strip);
  int32_t element; /* bytes of a packed weight: 1, 2 or (float) 4 */
  int32_t group;   /* 1, 2 or 4 rows in a lane */
  int32_t block;   /* most channels in one go, a power of two; 0: all of them, no minimum */
  int32_t least;   /* fewest channels it takes */
  int32_t rows;    /* output rows computed together */
  int32_t offset;  /* what the kernel adds to every input element */
  int32_t parts;   /* 2: weights of nine bits as the sum of two bytes, first all of one part, then of the other */
  int32_t lanes;   /* block 0: channels whose weights lie together */
  bool floats;     /* converts sums to floats by a subtraction, where it can */
  bool sides;      /* takes one pixel that not all columns of the filter meet */
  bool pairs;      /* sums two products in 16 bits: not for filters with a weight of -128 */
  const uint8_t *taps; /* where group is 1 and rows too: the order of packed taps, NULL: row by row */
} sam_dw_kernel;

/* The bits of 2^23 + 2^22. With a sum smaller than 2^22 added they are the float of as much, and sums begin with the
 * bias: taking the float off again converts them, on more units than the conversion has. */
enum { SAM_DW_FLOAT = 0x4b400000, SAM_DW_MOST_FLOAT = 1 << 22 };

typedef sam_dw_kernel sam_f32_dw_t;      /* any kernel size and step */
typedef sam_dw_kernel sam_f32_dwrows_t;  /* the same, several output rows together */
typedef sam_dw_kernel sam_f32_dw3x3s1_t; /* 3 x 3, stride 1, taps side by side */
typedef sam_dw_kernel sam_f32_dw3x3s2_t;
typedef sam_dw_kernel sam_s8_dw_t;      /* any kernel size and step */
typedef sam_dw_kernel sam_s8_dw3x3s1_t; /* 3 x 3, stride 1 */
typedef sam_dw_kernel sam_s8_dw3x3_t;   /* 3 x 3, any stride */
typedef sam_dw_kernel sam_s8_dw5x5s1_t;
typedef sam_dw_kernel sam_s8_dw5x5_t;
typedef sam_dw_kernel sam_u8_dw_t;
typedef sam_dw_kernel sam_u8_dw3x3s1_t;
typedef sam_dw_kernel sam_u8_dw3x3_t;

/* Channels are taken in blocks of `block`; what is left, in a block that overlaps the one before or in narrower ones.
 * Returns the first channel of the block that continues at c, and its width. */
static inline int64_t sam_dw_block(int64_t channels, int64_t c, int64_t block, int64_t *width) {
  if (block == 0) {
    *width = channels;
    return 0;
  }
  const int64_t left = channels - c;
  while (left < block) {
    if ((block == 16 || left > block / 2) && channels >= block) {
      *width = block;
      return channels - block;
    }
    block /= 2;
  }
  *width = block;
  return c;
}

/* Input rows a strip needs: a multiple of the group; those beyond (rows - 1) * stride + kh meet zero weights only. */
static inline int32_t sam_dw_rows(const struct sam_dw_kernel *kernel, int32_t kh, int32_t stride) {
  const int32_t rows = (kernel->rows - 1) * stride + kh;
  return (rows + kernel->group - 1) / kernel->group * kernel->group;
}

/* Rows of a lane the weights of `planes` output rows take up. With stride 1 the weights of a row lie as those of the
 * row `group` above it, a lane of input rows later: then only that many have weights of their own. */
static inline int32_t sam_dw_held(int32_t group, int32_t kh, int32_t planes, int32_t stride) {
  return ((planes - 1) * stride + kh + group - 1) / group;
}

/* Packing. Channel p of the kernel is channel p % period of the filter, without weights if that is >= filter_channels.
 * Within a block the order is the one the lanes have after interleaving rows, see order_in_block in dwconv.c. */
typedef enum sam_dw_source { SAM_DW_F32, SAM_DW_S8, SAM_DW_U8, SAM_DW_S4 } sam_dw_source;
typedef struct sam_dw_packing {
  const struct sam_dw_kernel *kernel;
  int64_t channels, period, filter_channels;
  int32_t kh, kw, stride;
  sam_dw_source source;
  int32_t zero_point; /* of the filter */
  const float *scale; /* integer weights for a float kernel: of each channel, or one for all */
  int32_t n_scales;
  const void *filter; /* [kh][kw][filter_channels] */
} sam_dw_packing;

/* The integer weight at a place of the filter, zero point taken out. */
int32_t sam_dw_weight(const sam_dw_packing *packing, int64_t at);
int64_t sam_dw_packed_channels(const sam_dw_packing *packing);
int64_t sam_dw_packed_bytes(const sam_dw_packing *packing);
void sam_dw_pack(void *dst, const sam_dw_packing *packing);
/* order[i]: the filter's channel at packed place i, or -1. sam_dw_packed_channels of them. */
void sam_dw_order(const sam_dw_packing *packing, int32_t *order);

#endif
