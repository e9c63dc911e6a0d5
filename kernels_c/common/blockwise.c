/* Samara: blockwise weights; blockwise.h explains. Packed: offset[c] of all columns, then the panels. */
#include "common/blockwise.h"

#include <string.h>

#include "common/matmul.h"
#include "ukernels/ukernels.h"

enum { NR = SAM_BLOCKWISE_NR, ROWS = 32 /* of one item: their int8 values stay in the second cache */ };
enum { MOST = 65536 /* of a block: its sum fits 32 bits */ };

static bool is_half(const sam_blockwise *b) { return b->weights->quant->block_scales->type == SAM_FLOAT16; }
static int64_t panels_of(const sam_blockwise *b) { return ((int64_t)b->n + NR - 1) / NR; }

/* ---- Packing ---------------------------------------------------------------------------------------------------- */

/* One column of a block; answers the sum of its weights. */
static int32_t pack_column(const sam_blockwise *b, int64_t from, int32_t column, uint8_t *to) {
  int32_t sum = 0;
  for (int32_t k = 0; k < b->block; k++) {
    const int32_t w = sam_weight_at(b->weights->data, b->weights->type, from + k, 0);
    to[k / 8 * 32 + 4 * column + k % 4] |= (uint8_t)((w + 8) << (k & 4));
    sum += w;
  }
  return sum;
}

static void pack(void *dst, const void *arg) {
  const sam_blockwise *b = arg;
  const sam_tensor *scales = b->weights->quant->block_scales;
  const size_t size = is_half(b) ? 2 : 4, step = sam_blockwise_bytes(b->block, is_half(b));
  float *offset = dst;
  uint8_t *panel = (uint8_t *)(offset + panels_of(b) * NR);
  memset(dst, 0, (size_t)panels_of(b) * (NR * sizeof *offset + b->panel_bytes));
  for (int64_t j = 0; j < b->n; j++) {
    uint8_t *to = panel + (size_t)(j / NR) * b->panel_bytes;
    for (int32_t i = 0; i < b->blocks; i++, to += step) {
      const int64_t at = j * b->blocks + i;
      const int32_t sum = pack_column(b, at * b->block, (int32_t)(j % NR), to);
      offset[j] += sam_block_scale(scales, at) * (float)sum;
      memcpy(to + step - (size_t)(NR - j % NR) * size, (const uint8_t *)scales->data + (size_t)at * size, size);
    }
  }
}

/* Of all that the packed bytes depend on besides the weights: the scales too. */
static uint64_t variant_of(const sam_blockwise *b) {
  const sam_tensor *scales = b->weights->quant->block_scales;
  uint64_t h = (uint64_t)0xb << 60 ^ (uint64_t)b->block << 24 ^ (uint64_t)scales->type;
  const uint8_t *at = scales->data, *end = at + scales->bytes;
  for (uint64_t x; at < end; at += sizeof x) {
    x = 0;
    memcpy(&x, at, (size_t)(end - at) < sizeof x ? (size_t)(end - at) : sizeof x);
    h = (h ^ x) * UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
  }
  return h;
}

/* ---- Prepare ---------------------------------------------------------------------------------------------------- */

static sam_status check(sam_ctx *ctx, sam_blockwise *b) {
  const sam_tensor *w = b->weights;
  const sam_quant *q = w->quant;
  if (w->type != SAM_INT4 && w->type != SAM_INT8 && w->type != SAM_INT2)
    return sam_fail(ctx, SAM_UNSUPPORTED, "blockwise \"%s\" has type %s", w->name, sam_type_name(w->type));
  if (b->bias) SAM_TRY(sam_check_type(ctx, b->bias, SAM_FLOAT32));
  if (!q->block_scales || !sam_is_known(q->block_scales))
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has no constant block scales", w->name);
  if (q->block_zero_points)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has block zero points, must be symmetric", w->name);
  const sam_tensor *scales = q->block_scales;
  if (scales->type != SAM_FLOAT16 && scales->type != SAM_FLOAT32)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, must be FLOAT16 or FLOAT32", scales->name,
                    sam_type_name(scales->type));
  b->n = w->dims[0];
  b->k = w->dims[1];
  b->block = q->block_size;
  b->blocks = (int32_t)(b->k / b->block);
  if (b->k % b->block || sam_elements(scales) != (int64_t)b->n * b->blocks)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%lld columns in blocks of %d, but \"%s\" has %lld scales for %d rows",
                    (long long)b->k, (int)b->block, scales->name, (long long)sam_elements(scales), (int)b->n);
  if (b->block > MOST)
    return sam_fail(ctx, SAM_UNSUPPORTED, "blocks of %d weights, at most %d are known", (int)b->block, (int)MOST);
  return SAM_OK;
}

sam_status sam_blockwise_prepare(sam_ctx *ctx, sam_blockwise *b) {
  SAM_TRY(check(ctx, b));
  if (b->weights->type == SAM_INT8 || !sam_is_known(b->weights) || b->block % SAM_BLOCKWISE_CHUNK) return SAM_OK;
  b->panel_bytes = (size_t)b->blocks * sam_blockwise_bytes(b->block, is_half(b));
  const size_t bytes = (size_t)panels_of(b) * (NR * sizeof(float) + b->panel_bytes);
  b->packed = sam_pack(ctx, b->weights, variant_of(b), bytes, pack, b);
  return b->packed ? SAM_OK : SAM_OUT_OF_MEMORY;
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

typedef struct work {
  const sam_blockwise *b;
  int8_t *x;
  float *scale;
  int32_t *zero, *sums; /* of each row; of each block of a row, eightfold */
} work;

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t sam_blockwise_scratch(const sam_blockwise *b) {
  const size_t rows = (size_t)b->rows;
  return rounded(rows * (size_t)b->k) + 2 * rounded(rows * 4) + rounded(rows * (size_t)b->blocks * 4);
}

static void panel_task(void *arg, int64_t begin, int64_t end, int thread) {
  const work *w = arg;
  const sam_blockwise *b = w->b;
  const float *offset = (const float *)(const void *)b->packed;
  const uint8_t *panels = (const uint8_t *)(offset + panels_of(b) * NR);
  (void)thread;
  for (int64_t item = begin; item < end; item++) {
    const int64_t panel = item % panels_of(b), row = item / panels_of(b) * ROWS, j = panel * NR;
    const sam_blockwise_args g = {.m = b->rows - row < ROWS ? b->rows - row : ROWS,
                                  .n = b->n - j < NR ? (int32_t)(b->n - j) : NR,
                                  .blocks = b->blocks,
                                  .block = b->block,
                                  .half = is_half(b),
                                  .x = w->x + row * b->k,
                                  .sums = w->sums + row * b->blocks,
                                  .w = panels + (size_t)panel * b->panel_bytes,
                                  .offset = offset + j,
                                  .bias = b->bias ? (const float *)b->bias->data + j : NULL,
                                  .row_scale = w->scale + row,
                                  .row_zero = w->zero + row,
                                  .y = (float *)b->out->data + row * b->n + j,
                                  .ldy = b->n,
                                  .lo = b->lo,
                                  .hi = b->hi};
    sam_uk.s4_blockwise(&g);
  }
}

/* Columns [begin, end), from the weights as they lie in the file. */
static void plain_task(void *arg, int64_t begin, int64_t end, int thread) {
  const work *r = arg;
  const sam_blockwise *b = r->b;
  const sam_tensor *scales = b->weights->quant->block_scales;
  (void)thread;
  for (int64_t j = begin; j < end; j++)
    for (int64_t i = 0; i < b->rows; i++) {
      const int8_t *x = r->x + i * b->k;
      float sum = 0;
      for (int32_t block = 0; block < b->blocks; block++) {
        const int64_t at = j * b->blocks + block, from = (int64_t)block * b->block;
        int32_t acc = 0;
        for (int32_t k = 0; k < b->block; k++)
          acc += (x[from + k] - r->zero[i]) * sam_weight_at(b->weights->data, b->weights->type, j * b->k + from + k, 0);
        sum += (float)acc * sam_block_scale(scales, at);
      }
      sum *= r->scale[i];
      if (b->bias) sum += ((const float *)b->bias->data)[j];
      const float above = sum > b->lo ? sum : b->lo;
      ((float *)b->out->data)[i * b->n + j] = sum != sum ? sum : above < b->hi ? above : b->hi;
    }
}

void sam_blockwise_run(sam_ctx *ctx, const sam_blockwise *b, const float *x, void *scratch) {
  const size_t rows = (size_t)b->rows;
  work w = {.b = b, .x = scratch};
  w.scale = (float *)(void *)(w.x + rounded(rows * (size_t)b->k));
  w.zero = (int32_t *)(w.scale + rounded(rows * 4) / 4);
  w.sums = w.zero + rounded(rows * 4) / 4;
  for (int64_t i = 0; i < b->rows; i++) {
    int8_t *to = w.x + i * b->k;
    sam_quantize_row(x + i * b->k, b->k, true, to, &w.scale[i], &w.zero[i]);
    for (int32_t block = 0; block < b->blocks && b->packed; block++)
      w.sums[i * b->blocks + block] = 8 * (int32_t)sam_uk.s8_sum(b->block, to + (int64_t)block * b->block);
  }
  if (b->packed) {
    const int64_t together = b->rows < ROWS ? b->rows : ROWS;
    sam_parallel(ctx, (b->rows + ROWS - 1) / ROWS * panels_of(b), together * b->k / 4 + 50, panel_task, &w);
  } else {
    sam_parallel(ctx, b->n, b->rows * b->k * 2, plain_task, &w);
  }
}
