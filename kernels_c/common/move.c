/* The strided copy: merge what is contiguous, pick one of four loops, hand pieces to the threads. */
#include "move.h"

#include <string.h>

#include "ukernels/ukernels.h"

enum { BLOCK_BYTES = 1 << 16, PIECE_BYTES = 1 << 13 };

/* ---- Planning --------------------------------------------------------------------------------------------------- */

static void drop(sam_strided *p, int32_t i) {
  for (p->rank--; i < p->rank; i++) {
    p->dims[i] = p->dims[i + 1];
    p->dst[i] = p->dst[i + 1];
    p->src[i] = p->src[i + 1];
  }
}

/* Neighbours i, i+1 that step alike on both sides are one dimension. */
static void merge(sam_strided *p) {
  for (int32_t i = p->rank; i-- > 0;)
    if (p->dims[i] == 1) drop(p, i);
  for (int32_t i = p->rank - 2; i >= 0; i--) {
    if (p->dst[i] != p->dst[i + 1] * p->dims[i + 1] || p->src[i] != p->src[i + 1] * p->dims[i + 1]) continue;
    p->dims[i + 1] *= p->dims[i];
    drop(p, i);
  }
}

/* Rows of 2, 4, 8 or 16 bytes that are dense on both sides travel as one wider element. */
static void widen(sam_strided *p) {
  while (p->rank > 1) {
    int32_t last = p->rank - 1;
    int64_t row = p->dims[last] * p->size;
    if (p->dst[last] != p->size || p->src[last] != p->size) return;
    if (row != 2 && row != 4 && row != 8 && row != 16) return;
    p->size = (int32_t)row;
    p->rank--;
  }
}

void sam_strided_plan(sam_strided *p, int32_t size, int32_t rank, const int64_t *dims, const int64_t *dst_strides,
                      const int64_t *src_strides) {
  memset(p, 0, sizeof *p);
  int64_t dense[SAM_STRIDED_RANK];
  sam_dense_strides(rank, dims, dense);
  p->size = size;
  p->rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] == 0) return;
    p->dims[i] = dims[i];
    p->dst[i] = (dst_strides ? dst_strides[i] : dense[i]) * size;
    p->src[i] = src_strides[i] * size;
  }
  merge(p);
  widen(p);
  while (1 << p->log2 < p->size) p->log2++;
  while (p->rank < 2) { /* a dimension of one in front */
    p->dims[1] = p->rank ? p->dims[0] : 1;
    p->dst[1] = p->rank ? p->dst[0] : p->size;
    p->src[1] = p->rank ? p->src[0] : p->size;
    p->dims[0] = 1;
    p->dst[0] = p->src[0] = 0;
    p->rank = 2;
  }
  const int32_t last = p->rank - 1, above = p->rank - 2;
  p->kind = SAM_STRIDED_ELEMENTS;
  if (p->dst[last] == p->size && p->src[last] == p->size) {
    p->kind = p->rank == 2 && p->dims[0] == 1 ? SAM_STRIDED_BLOCK : SAM_STRIDED_ROWS;
  } else if (p->dst[last] == p->size && p->src[last] == 0) {
    p->kind = SAM_STRIDED_FILL;
  } else if (p->dst[last] == p->size && p->src[last] == -p->size) {
    p->kind = SAM_STRIDED_REVERSE;
  } else if (p->dst[last] == p->size) {
    int32_t j = last;
    while (j-- > 0 && p->src[j] != p->size) continue;
    if (j >= 0) { /* dimension j comes next to the last */
      p->kind = SAM_STRIDED_TRANSPOSE;
      const int64_t d = p->dims[j], to = p->dst[j], from = p->src[j];
      for (int32_t i = j; i < above; i++)
        p->dims[i] = p->dims[i + 1], p->dst[i] = p->dst[i + 1], p->src[i] = p->src[i + 1];
      p->dims[above] = d, p->dst[above] = to, p->src[above] = from;
    }
  }
  const int64_t row = p->dims[last], piece = PIECE_BYTES / p->size / row;
  p->tile = piece < 1 ? 1 : piece;
  const int64_t line = p->size < 4 ? 64 / p->size : 16; /* rows that share lines of the source */
  if (p->kind == SAM_STRIDED_TRANSPOSE) p->tile = row > 8 ? line : p->tile < 64 ? 64 : p->tile;
  if (p->tile > p->dims[above]) p->tile = p->dims[above];
  p->tiles = (p->dims[above] + p->tile - 1) / p->tile;
  p->items = p->tiles;
  for (int32_t i = 0; i < above; i++) p->items *= p->dims[i];
  const bool fast = p->kind != SAM_STRIDED_ELEMENTS && p->kind != SAM_STRIDED_TRANSPOSE;
  p->cost = p->tile * (4 + (fast ? row * p->size / 16 : row));
}

/* ---- Loops ------------------------------------------------------------------------------------------------------ */

typedef struct {
  uint64_t a, b;
} pair128;

#define ELEMENTS(T, suffix)                                                                                  \
  static void elements_##suffix(char *dst, const char *src, int64_t n, int64_t step_dst, int64_t step_src) { \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      T v;                                                                                                   \
      memcpy(&v, src + i * step_src, sizeof v);                                                              \
      memcpy(dst + i * step_dst, &v, sizeof v);                                                              \
    }                                                                                                        \
  }
ELEMENTS(uint8_t, 1)
ELEMENTS(uint16_t, 2)
ELEMENTS(uint32_t, 4)
ELEMENTS(uint64_t, 8)
ELEMENTS(pair128, 16)

static void elements(int32_t size, char *dst, const char *src, int64_t n, int64_t step_dst, int64_t step_src) {
  switch (size) {
    case 1:
      elements_1(dst, src, n, step_dst, step_src);
      break;
    case 2:
      elements_2(dst, src, n, step_dst, step_src);
      break;
    case 4:
      elements_4(dst, src, n, step_dst, step_src);
      break;
    case 8:
      elements_8(dst, src, n, step_dst, step_src);
      break;
    default:
      elements_16(dst, src, n, step_dst, step_src);
      break;
  }
}

/* `rows` rows of the inner loop. */
static void inner(const sam_strided *p, char *dst, const char *src, int64_t rows) {
  const int32_t last = p->rank - 1;
  const int64_t n = p->dims[last], dst_row = p->dst[last - 1], src_row = p->src[last - 1];
  const sam_strided_kind kind = p->size == 16 && p->kind != SAM_STRIDED_ROWS ? SAM_STRIDED_ELEMENTS : p->kind;
  switch (kind) {
    case SAM_STRIDED_TRANSPOSE:
      sam_uk.move->turn[p->log2](dst, dst_row, src, p->src[last], rows, n);
      break;
    case SAM_STRIDED_FILL:
      sam_uk.move->fill[p->log2](dst, dst_row, src, src_row, n, rows);
      break;
    case SAM_STRIDED_REVERSE:
      sam_uk.move->reverse[p->log2](dst, dst_row, src, src_row, n, rows);
      break;
    case SAM_STRIDED_ROWS:
      sam_uk.move->rows(dst, dst_row, src, src_row, n * p->size, rows);
      break;
    default:
      for (int64_t r = 0; r < rows; r++)
        elements(p->size, dst + r * dst_row, src + r * src_row, n, p->dst[last], p->src[last]);
      break;
  }
}

typedef struct {
  const sam_strided *plan;
  char *dst;
  const char *src;
} job;

static void run_items(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const job *j = arg;
  const sam_strided *p = j->plan;
  const int32_t above = p->rank - 2;
  int64_t at[SAM_STRIDED_RANK], tile = begin % p->tiles, rest = begin / p->tiles;
  char *dst = j->dst;
  const char *src = j->src;
  for (int32_t i = above; i-- > 0;) {
    at[i] = rest % p->dims[i];
    rest /= p->dims[i];
    dst += at[i] * p->dst[i];
    src += at[i] * p->src[i];
  }
  for (int64_t item = begin; item < end; item++) {
    const int64_t first = tile * p->tile, left = p->dims[above] - first;
    inner(p, dst + first * p->dst[above], src + first * p->src[above], left < p->tile ? left : p->tile);
    if (++tile < p->tiles) continue;
    tile = 0;
    for (int32_t i = above; i-- > 0;) {
      dst += p->dst[i];
      src += p->src[i];
      if (++at[i] < p->dims[i]) break;
      dst -= p->dims[i] * p->dst[i];
      src -= p->dims[i] * p->src[i];
      at[i] = 0;
    }
  }
}

typedef struct {
  char *dst;
  const char *src;
  size_t bytes;
} block_job;

static void run_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const block_job *j = arg;
  size_t from = (size_t)begin * BLOCK_BYTES, to = (size_t)end * BLOCK_BYTES;
  if (to > j->bytes) to = j->bytes;
  memcpy(j->dst + from, j->src + from, to - from);
}

void sam_copy(sam_ctx *ctx, void *dst, const void *src, size_t n) {
  if (n == 0 || dst == src) return;
  block_job j = {dst, src, n};
  if (n <= BLOCK_BYTES) {
    memcpy(dst, src, n);
    return;
  }
  sam_parallel(ctx, (int64_t)((n + BLOCK_BYTES - 1) / BLOCK_BYTES), BLOCK_BYTES / 16, run_block, &j);
}

void sam_strided_run(sam_ctx *ctx, const sam_strided *p, void *dst, const void *src) {
  if (p->kind == SAM_STRIDED_EMPTY) return;
  if (p->kind == SAM_STRIDED_BLOCK) {
    sam_copy(ctx, dst, src, (size_t)(p->dims[1] * p->size));
    return;
  }
  job j = {p, dst, src};
  sam_parallel(ctx, p->items, p->cost, run_items, &j);
}

/* ---- Packed types ----------------------------------------------------------------------------------------------- */

void sam_spread(void *dst, const void *src, sam_type type, int64_t n) {
  int8_t *to = dst;
  const uint8_t *from = src;
  for (int64_t i = 0; i < n; i++) {
    if (type == SAM_INT2)
      to[i] = (int8_t)((from[i >> 2] >> (2 * (i & 3)) & 3) ^ 2) - 2;
    else if (type == SAM_INT4)
      to[i] = (int8_t)((from[i >> 1] >> (4 * (i & 1)) & 15) ^ 8) - 8;
    else
      to[i] = (int8_t)(from[i >> 1] >> (4 * (i & 1)) & 15);
  }
}

void sam_squeeze_bits(void *dst, const void *src, sam_type type, int64_t n) {
  uint8_t *to = dst;
  const uint8_t *from = src;
  int bits = type == SAM_INT2 ? 2 : 4, per_byte = 8 / bits, mask = (1 << bits) - 1;
  for (int64_t i = 0; i < n; i += per_byte) {
    unsigned byte = 0;
    for (int k = 0; k < per_byte && i + k < n; k++) byte |= (unsigned)(from[i + k] & mask) << (bits * k);
    to[i / per_byte] = (uint8_t)byte;
  }
}

/* ---- The common operator ---------------------------------------------------------------------------------------- */

sam_status sam_move_scratch(sam_ctx *ctx, const sam_tensor *in, const sam_tensor *out) {
  if (sam_is_packed(in->type)) return sam_scratch(ctx, (size_t)(sam_elements(in) + sam_elements(out)));
  return sam_string_scratch(ctx, in, out);
}

sam_move *sam_move_new(sam_ctx *ctx, sam_node *node, const sam_tensor *in, const sam_tensor *out) {
  if (sam_move_scratch(ctx, in, out) != SAM_OK) return NULL;
  return node->state = sam_alloc(ctx, sizeof(sam_move));
}

sam_status sam_move_eval(sam_ctx *ctx, sam_node *node) {
  const sam_move *m = node->state;
  const sam_tensor *in = node->inputs[node->op->key];
  sam_tensor *out = node->outputs[0];
  if (m->plan.kind == SAM_STRIDED_EMPTY) return SAM_OK;
  if (sam_is_packed(in->type)) {
    char *from = node->scratch, *to = from + sam_elements(in);
    sam_spread(from, in->data, in->type, sam_elements(in));
    sam_strided_run(ctx, &m->plan, to, from + m->offset);
    sam_squeeze_bits(out->data, to, out->type, sam_elements(out));
    return SAM_OK;
  }
  sam_strided_run(ctx, &m->plan, out->data, (const char *)in->data + m->offset * sam_move_size(in->type));
  return SAM_OK;
}

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

sam_status sam_set_dims(sam_ctx *ctx, sam_tensor *t, int32_t rank, const int64_t *dims) {
  int32_t narrow[SAM_MAX_RANK];
  if (rank > SAM_MAX_RANK)
    return sam_fail(ctx, SAM_UNSUPPORTED, "output \"%s\" would have %d dimensions, the limit is %d", t->name, rank,
                    SAM_MAX_RANK);
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] < 0 || dims[i] > INT32_MAX)
      return sam_fail(ctx, SAM_INVALID_MODEL, "output \"%s\" would have %lld elements in dimension %d", t->name,
                      (long long)dims[i], i);
    narrow[i] = (int32_t)dims[i];
  }
  return sam_set_shape(ctx, t, rank, narrow);
}

sam_status sam_check_index_type(sam_ctx *ctx, const sam_tensor *t, bool short_too) {
  if (t->type == SAM_INT32 || t->type == SAM_INT64 || (short_too && t->type == SAM_INT16)) return SAM_OK;
  return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" is %s, must be %sINT32 or INT64", t->name, sam_type_name(t->type),
                  short_too ? "INT16, " : "");
}

sam_status sam_read_int(sam_ctx *ctx, const sam_tensor *t, int64_t *value) {
  SAM_TRY(sam_check_index_type(ctx, t, true));
  if (sam_elements(t) != 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" must hold one value, it has %lld", t->name,
                    (long long)sam_elements(t));
  *value = sam_index_at(t, 0);
  return SAM_OK;
}
