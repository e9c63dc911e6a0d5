/* Between types: QUANTIZE, DEQUANTIZE, CAST, FAKE_QUANT.
 *
 *      QUANTIZE    float -> q:  rne(x * (1 / s)) + z, saturated; NaN gives the lowest value
 *                  q -> q:      z_out + scale(q - z_in) saturated; by rule D-up between 8-bit types, else by rule
 * D-away of common/requant.h DEQUANTIZE  s * (q - z) in float32 CAST        integers keep their low bits; floats are
 * truncated towards zero and saturate, NaN is 0; bool is "not zero"; the imaginary part of complex numbers is dropped,
 * or 0 */
#include <string.h>

#include "common/chain.h"
#include "common/fp16.h"
#include "common/requant.h"
#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"
#include "unary.h"

/* Elements between the type of the file and a plain array, for the types packed below a byte. */
static inline int32_t packed_at(const uint8_t *bytes, int64_t i, sam_type type) {
  if (type == SAM_INT2) {
    int32_t q = bytes[i >> 2] >> (i & 3) * 2 & 3;
    return q >= 2 ? q - 4 : q;
  }
  int32_t q = bytes[i >> 1] >> (i & 1) * 4 & 15;
  return type == SAM_INT4 && q >= 8 ? q - 16 : q;
}
static inline bool is_packed(sam_type type) { return sam_type_bits(type) < 8; }

/* ---- QUANTIZE and DEQUANTIZE: per tensor, or per slice along an axis -------------------------------------------- */

struct quantize_plan;
/* Elements [from, from + n) of one slice. */
typedef void (*run_fn)(const struct quantize_plan *p, const void *in, void *out, int64_t from, int64_t n,
                       int64_t slice);

typedef struct quantize_plan {
  run_fn run;
  int32_t cost;                 /* cycles of an element */
  int64_t count, inner, slices; /* element i belongs to slice i / inner % slices */
  const sam_tensor *x, *y;
  const float *scale; /* of the quantized side */
  const int32_t *zero_point;
  int32_t zx, lo, hi;
  sam_multiplier m;
  sam_unary_plan bytes; /* 8 bits to 8 bits: a table */
} quantize_plan;

static inline int32_t quantize_value(float x, float inverse, int32_t zero_point, float lo, float hi) {
  float t = x * inverse;
  t = t > lo ? t : lo;
  t = t < hi ? t : hi;
  return (int32_t)rintf(t) + zero_point;
}

static void quantize_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n, int64_t slice) {
  const float *x = (const float *)in + from;
  const int32_t z = p->zero_point[slice];
  const sam_unary_params params = {.a = 1.0f / p->scale[slice], .zy = z, .lo = p->lo, .hi = p->hi};
  switch (p->y->type) {
    case SAM_INT8:
      sam_uk.f32_to_s8(n, x, (int8_t *)out + from, &params);
      break;
    case SAM_UINT8:
      sam_uk.f32_to_u8(n, x, (uint8_t *)out + from, &params);
      break;
    case SAM_INT16:
      sam_uk.f32_to_s16(n, x, (int16_t *)out + from, &params);
      break;
    default: /* INT4, UINT4: a task never shares a byte with another (blocks are even) */
      for (int64_t i = 0; i < n; i++) {
        uint8_t *byte = (uint8_t *)out + ((from + i) >> 1);
        int32_t q = quantize_value(x[i], params.a, z, (float)(p->lo - z), (float)(p->hi - z)) & 15;
        *byte = (uint8_t)((from + i) & 1 ? (*byte & 15) | q << 4 : q);
      }
      break;
  }
}

static inline int32_t small_at(const void *data, sam_type type, int64_t i) {
  switch (type) {
    case SAM_INT8:
      return ((const int8_t *)data)[i];
    case SAM_UINT8:
      return ((const uint8_t *)data)[i];
    case SAM_INT16:
      return ((const int16_t *)data)[i];
    case SAM_INT32:
      return ((const int32_t *)data)[i];
    default:
      return packed_at(data, i, type);
  }
}

static void requantize_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n, int64_t slice) {
  const int32_t z = p->zero_point[slice];
  for (int64_t i = from; i < from + n; i++) {
    int32_t x = sam_saturate32((int64_t)small_at(in, p->x->type, i) - p->zx);
    int64_t q = (int64_t)sam_scale32(x, p->m) + z;
    int32_t clamped = (int32_t)(q < p->lo ? p->lo : q > p->hi ? p->hi : q);
    switch (p->y->type) {
      case SAM_INT8:
        ((int8_t *)out)[i] = (int8_t)clamped;
        break;
      case SAM_UINT8:
        ((uint8_t *)out)[i] = (uint8_t)clamped;
        break;
      case SAM_INT16:
        ((int16_t *)out)[i] = (int16_t)clamped;
        break;
      default:
        ((int32_t *)out)[i] = clamped;
        break;
    }
  }
}

/* Of bytes and int16: all as int16, piece by piece. */
static void rescale_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n, int64_t slice) {
  enum { PIECE = 512 };
  const sam_type x = p->x->type, y = p->y->type;
  const sam_unary_params params = {
      .zx = p->zx, .zy = p->zero_point[slice], .lo = p->lo, .hi = p->hi, .m = p->m, .n = p->m};
  const char *source = (const char *)in + from * (x == SAM_INT16 ? 2 : 1);
  char *target = (char *)out + from * (y == SAM_INT16 ? 2 : 1);
  int16_t wide[PIECE];
  for (int64_t at = 0; at < n; at += PIECE) {
    const int64_t m = n - at < PIECE ? n - at : PIECE;
    const void *values = source + 2 * at;
    if (x != SAM_INT16) sam_uk.loops->cast[x][SAM_INT16](m, source + at, wide, NULL), values = wide;
    sam_uk.s16_rescale(m, values, y == SAM_INT16 ? (void *)(target + 2 * at) : wide, &params);
    if (y != SAM_INT16) sam_uk.loops->cast[SAM_INT16][y](m, wide, target + at, NULL);
  }
}

static void table_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n, int64_t slice) {
  (void)slice;
  p->bytes.kernel(n, (const char *)in + from, (char *)out + from, &p->bytes.params);
}

static void dequantize_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n, int64_t slice) {
  const sam_unary_params params = {.a = p->scale[slice], .zx = p->zero_point[slice]};
  float *y = (float *)out + from;
  switch (p->x->type) {
    case SAM_INT8:
      sam_uk.s8_to_f32(n, (const int8_t *)in + from, y, &params);
      break;
    case SAM_UINT8:
      sam_uk.u8_to_f32(n, (const uint8_t *)in + from, y, &params);
      break;
    case SAM_INT16:
      sam_uk.s16_to_f32(n, (const int16_t *)in + from, y, &params);
      break;
    default:
      for (int64_t i = 0; i < n; i++)
        y[i] = params.a * (float)((int64_t)small_at(in, p->x->type, from + i) - params.zx);
      break;
  }
}

static void dequantize_half_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n,
                                int64_t slice) {
  for (int64_t i = from; i < from + n; i++)
    ((uint16_t *)out)[i] =
        sam_f32_to_f16(p->scale[slice] * (float)((int64_t)small_at(in, p->x->type, i) - p->zero_point[slice]));
}

static void half_to_float_run(const quantize_plan *p, const void *in, void *out, int64_t from, int64_t n,
                              int64_t slice) {
  (void)p;
  (void)slice;
  sam_widen((const uint16_t *)in + from, SAM_FLOAT16, n, (float *)out + from);
}

static void run_elements(const quantize_plan *p, const void *in, void *out, int64_t at, int64_t to) {
  while (at < to) {
    int64_t n = p->slices == 1 ? to - at : p->inner - at % p->inner;
    if (n > to - at) n = to - at;
    p->run(p, in, out, at, n, at / p->inner % p->slices);
    at += n;
  }
}

static void quantize_piece(const sam_node *node, const void *const *inputs, void *output, int64_t from, int64_t to) {
  run_elements(node->state, inputs[0], output, from, to);
}

static void quantize_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const quantize_plan *p = arg;
  const int64_t to = end * SAM_ELEMENTWISE_BLOCK;
  run_elements(p, p->x->data, p->y->data, begin * SAM_ELEMENTWISE_BLOCK, to < p->count ? to : p->count);
}

static sam_status quantize_eval(sam_ctx *ctx, sam_node *node) {
  if (node->chain) return sam_chain_eval(ctx, node);
  quantize_plan *p = node->state;
  int64_t blocks = (p->count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, p->cost * SAM_ELEMENTWISE_BLOCK, quantize_block, p);
  return SAM_OK;
}

static void use_run(sam_node *node, quantize_plan *plan, run_fn run, int32_t cost) {
  plan->run = run;
  plan->cost = cost;
  /* Pieces of narrower elements might share a byte. */
  if (sam_type_bits(plan->x->type) >= 8 && sam_type_bits(plan->y->type) >= 8) node->piece = quantize_piece;
  node->piece_cost = 4 * cost;
}

/* `quantized` is the side whose scales may lie along an axis. */
static sam_status begin(sam_ctx *ctx, sam_node *node, const sam_tensor *quantized, quantize_plan **result) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  SAM_TRY(sam_set_shape_like(ctx, y, x));
  quantize_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = *result = plan;
  plan->count = sam_elements(x);
  plan->inner = 1;
  plan->slices = 1;
  plan->x = x;
  plan->y = y;
  sam_type_range(y->type, &plan->lo, &plan->hi);
  if (quantized == NULL) return SAM_OK;
  plan->scale = quantized->quant->scale;
  plan->zero_point = quantized->quant->zero_point;
  if (quantized->quant->count <= 1) return sam_check_quant(ctx, quantized);
  int32_t axis = quantized->quant->axis;
  if (axis < 0 || axis >= x->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "scales lie along axis %d of %d dimensions", (int)axis, (int)x->rank);
  if (x->dims[axis] != quantized->quant->count)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%d scales along an axis of %d", (int)quantized->quant->count,
                    (int)x->dims[axis]);
  plan->slices = x->dims[axis];
  plan->inner = sam_span(x, axis + 1, x->rank);
  for (int64_t i = 0; i < plan->slices; i++)
    if (!(plan->scale[i] > 0 && plan->scale[i] < INFINITY))
      return sam_fail(ctx, SAM_INVALID_MODEL, "scale %lld is %g", (long long)i, (double)plan->scale[i]);
  return SAM_OK;
}

static sam_status prepare_quantize(sam_ctx *ctx, sam_node *node) {
  static const uint32_t targets[SAM_TYPE_COUNT] = {
      [SAM_FLOAT32] = 1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16 | 1u << SAM_INT4 | 1u << SAM_UINT4,
      [SAM_INT8] = 1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16,
      [SAM_UINT8] = 1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16,
      [SAM_INT16] = 1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16 | 1u << SAM_INT32,
      [SAM_INT32] = 1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16,
  };
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  quantize_plan *plan;
  if ((targets[x->type] >> y->type & 1) == 0)
    return sam_fail(ctx, SAM_UNSUPPORTED, "from %s to %s", sam_type_name(x->type), sam_type_name(y->type));
  SAM_TRY(begin(ctx, node, y, &plan));
  use_run(node, plan, x->type == SAM_FLOAT32 ? quantize_run : requantize_run, x->type == SAM_FLOAT32 ? 2 : 10);
  if (x->type == SAM_FLOAT32) return SAM_OK;
  SAM_TRY(sam_check_quant(ctx, x));
  if (plan->slices != 1) return sam_fail(ctx, SAM_UNSUPPORTED, "from integers to scales along an axis");
  plan->zx = x->quant->zero_point[0];
  plan->m = sam_multiplier_of((double)x->quant->scale[0] / (double)y->quant->scale[0]);
  if (sam_type_bits(x->type) != 8 || sam_type_bits(y->type) != 8) {
    if (x->type != SAM_INT32 && y->type != SAM_INT32 && plan->m.shift <= SAM_RESCALE_MOST)
      use_run(node, plan, rescale_run, 2);
    return SAM_OK;
  }
  int32_t first = x->type == SAM_INT8 ? -128 : 0;
  for (int32_t q = first; q < first + 256; q++) {
    const int64_t v = (int64_t)sam_scale32_up(q - plan->zx, plan->m) + plan->zero_point[0];
    plan->bytes.table.bytes[q & 255] = (uint8_t)(v < plan->lo ? plan->lo : v > plan->hi ? plan->hi : v);
  }
  sam_unary_use_bytes(&plan->bytes);
  use_run(node, plan, table_run, 1);
  return SAM_OK;
}

static sam_status prepare_dequantize(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  quantize_plan *plan;
  if (y->type != SAM_FLOAT32 && y->type != SAM_FLOAT16)
    return sam_fail(ctx, SAM_UNSUPPORTED, "to %s", sam_type_name(y->type));
  SAM_TRY(begin(ctx, node, x->type == SAM_FLOAT16 ? NULL : x, &plan));
  if (x->type != SAM_FLOAT16)
    use_run(node, plan, y->type == SAM_FLOAT16 ? dequantize_half_run : dequantize_run, 2);
  else if (y->type == SAM_FLOAT32)
    use_run(node, plan, half_to_float_run, 4);
  return SAM_OK;
}
static sam_status dequantize_f16(sam_ctx *ctx, sam_node *node) {
  const quantize_plan *plan = node->state;
  if (node->outputs[0]->type == SAM_FLOAT32) return quantize_eval(ctx, node);
  if (plan->count > 0) memcpy(node->outputs[0]->data, node->inputs[0]->data, (size_t)plan->count * 2);
  return SAM_OK;
}

/* ---- CAST: through int64 or double, in pieces that stay in the cache --------------------------------------------- */

enum { CAST_PIECE = 256 };

typedef union cast_piece {
  int64_t i[CAST_PIECE];
  double f[CAST_PIECE];
} cast_piece;

typedef struct cast_work {
  const sam_tensor *x, *y;
  int64_t count;
} cast_work;

static bool is_real(sam_type type) {
  return type == SAM_FLOAT32 || type == SAM_FLOAT16 || type == SAM_BFLOAT16 || type == SAM_FLOAT64 ||
         type == SAM_COMPLEX64;
}

#define EACH(EXPR) \
  for (int64_t i = 0; i < n; i++) EXPR
#define READ(T, field)                   \
  {                                      \
    const T *v = (const T *)data + from; \
    EACH(piece->field[i] = v[i]);        \
    break;                               \
  }

/* Fills piece->f for real types, else piece->i. */
static void cast_read(sam_type type, const void *data, int64_t from, int64_t n, cast_piece *piece) {
  switch (type) {
    case SAM_FLOAT32:
      READ(float, f)
    case SAM_FLOAT64:
      READ(double, f)
    case SAM_FLOAT16:
      EACH(piece->f[i] = sam_f16_to_f32(((const uint16_t *)data)[from + i]));
      break;
    case SAM_BFLOAT16:
      EACH(piece->f[i] = sam_bf16_to_f32(((const uint16_t *)data)[from + i]));
      break;
    case SAM_COMPLEX64:
      EACH(piece->f[i] = ((const float *)data)[2 * (from + i)]);
      break;
    case SAM_INT8:
      READ(int8_t, i)
    case SAM_UINT8:
      READ(uint8_t, i)
    case SAM_INT16:
      READ(int16_t, i)
    case SAM_UINT16:
      READ(uint16_t, i)
    case SAM_INT32:
      READ(int32_t, i)
    case SAM_UINT32:
      READ(uint32_t, i)
    case SAM_INT64:
      READ(int64_t, i)
    case SAM_BOOL:
      EACH(piece->i[i] = ((const uint8_t *)data)[from + i] != 0);
      break;
    default:
      EACH(piece->i[i] = packed_at(data, from + i, type));
      break;
  }
}

/* Truncated, saturated to [lo, hi], NaN as 0. lo and hi + 1 are exact in double for every type. */
static inline int64_t integer_of(double x, double lo, double end, int64_t hi) {
  return x != x ? 0 : x >= end ? hi : x <= lo ? (int64_t)lo : (int64_t)x;
}

#define WRITE_REAL(T, EXPR)         \
  {                                 \
    T *v = (T *)data + from;        \
    EACH({                          \
      const double x = piece->f[i]; \
      v[i] = EXPR;                  \
    });                             \
    break;                          \
  }
#define WRITE_INT(T, EXPR)           \
  {                                  \
    T *v = (T *)data + from;         \
    EACH({                           \
      const int64_t x = piece->i[i]; \
      v[i] = EXPR;                   \
    });                              \
    break;                           \
  }

static void cast_write_packed(sam_type type, uint8_t *data, int64_t from, int64_t n, const cast_piece *piece) {
  int32_t lo, hi, bits = sam_type_bits(type), mask = (1 << bits) - 1;
  sam_type_range(type, &lo, &hi);
  for (int64_t i = 0; i < n; i++) {
    int64_t bit = (from + i) * bits;
    int32_t shift = (int32_t)(bit & 7), q = (int32_t)integer_of(piece->f[i], lo, hi + 1, hi) & mask;
    uint8_t kept = shift == 0 ? 0 : data[bit >> 3];
    data[bit >> 3] = (uint8_t)(kept | q << shift);
  }
}

static void cast_write_real(sam_type type, void *data, int64_t from, int64_t n, const cast_piece *piece) {
  switch (type) {
    case SAM_FLOAT32:
      WRITE_REAL(float, (float)x)
    case SAM_FLOAT64:
      WRITE_REAL(double, x)
    case SAM_FLOAT16:
      WRITE_REAL(uint16_t, sam_f32_to_f16((float)x))
    case SAM_BFLOAT16:
      WRITE_REAL(uint16_t, sam_f32_to_bf16((float)x))
    case SAM_COMPLEX64:
      EACH({
        ((float *)data)[2 * (from + i)] = (float)piece->f[i];
        ((float *)data)[2 * (from + i) + 1] = 0;
      });
      break;
    case SAM_INT8:
      WRITE_REAL(int8_t, (int8_t)integer_of(x, -128, 128, 127))
    case SAM_UINT8:
      WRITE_REAL(uint8_t, (uint8_t)integer_of(x, 0, 256, 255))
    case SAM_INT16:
      WRITE_REAL(int16_t, (int16_t)integer_of(x, -32768, 32768, 32767))
    case SAM_UINT16:
      WRITE_REAL(uint16_t, (uint16_t)integer_of(x, 0, 65536, 65535))
    case SAM_INT32:
      WRITE_REAL(int32_t, (int32_t)integer_of(x, -0x1p31, 0x1p31, INT32_MAX))
    case SAM_UINT32:
      WRITE_REAL(uint32_t, (uint32_t)integer_of(x, 0, 0x1p32, UINT32_MAX))
    case SAM_INT64:
      WRITE_REAL(int64_t, integer_of(x, -0x1p63, 0x1p63, INT64_MAX))
    case SAM_BOOL:
      WRITE_REAL(uint8_t, x != 0)
    default:
      cast_write_packed(type, data, from, n, piece);
      break;
  }
}

static void cast_write_int(sam_type type, void *data, int64_t from, int64_t n, const cast_piece *piece) {
  switch (type) {
    case SAM_FLOAT32:
      WRITE_INT(float, (float)x)
    case SAM_FLOAT64:
      WRITE_INT(double, (double)x)
    case SAM_FLOAT16:
      WRITE_INT(uint16_t, sam_f32_to_f16((float)x))
    case SAM_BFLOAT16:
      WRITE_INT(uint16_t, sam_f32_to_bf16((float)x))
    case SAM_COMPLEX64:
      EACH({
        ((float *)data)[2 * (from + i)] = (float)piece->i[i];
        ((float *)data)[2 * (from + i) + 1] = 0;
      });
      break;
    case SAM_INT8:
      WRITE_INT(int8_t, (int8_t)(uint8_t)x)
    case SAM_UINT8:
      WRITE_INT(uint8_t, (uint8_t)x)
    case SAM_INT16:
      WRITE_INT(int16_t, (int16_t)(uint16_t)x)
    case SAM_UINT16:
      WRITE_INT(uint16_t, (uint16_t)x)
    case SAM_INT32:
      WRITE_INT(int32_t, (int32_t)(uint32_t)x)
    case SAM_UINT32:
      WRITE_INT(uint32_t, (uint32_t)x)
    case SAM_INT64:
      WRITE_INT(int64_t, x)
    default:
      WRITE_INT(uint8_t, x != 0) /* BOOL */
  }
}

/* The frequent casts are loops of the machine's level. */
static void cast_block(void *arg, int64_t begin_block, int64_t end_block, int thread) {
  (void)thread;
  const cast_work *w = arg;
  int64_t to = end_block * SAM_ELEMENTWISE_BLOCK;
  if (to > w->count) to = w->count;
  const int64_t from = begin_block * SAM_ELEMENTWISE_BLOCK;
  const sam_unary_fn loop = sam_uk.loops->cast[w->x->type][w->y->type];
  if (loop != NULL) {
    loop(to - from, (const char *)w->x->data + from * (sam_type_bits(w->x->type) / 8),
         (char *)w->y->data + from * (sam_type_bits(w->y->type) / 8), NULL);
    return;
  }
  for (int64_t at = from; at < to; at += CAST_PIECE) {
    cast_piece piece;
    int64_t n = to - at < CAST_PIECE ? to - at : CAST_PIECE;
    cast_read(w->x->type, w->x->data, at, n, &piece);
    if (is_real(w->x->type))
      cast_write_real(w->y->type, w->y->data, at, n, &piece);
    else
      cast_write_int(w->y->type, w->y->data, at, n, &piece);
  }
}

static sam_status cast(sam_ctx *ctx, sam_node *node) {
  cast_work work = {node->inputs[0], node->outputs[0], sam_elements(node->inputs[0])};
  if (work.x->type == work.y->type) {
    if (work.count > 0) memcpy(work.y->data, work.x->data, work.x->bytes);
    return SAM_OK;
  }
  int64_t blocks = (work.count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, 3 * SAM_ELEMENTWISE_BLOCK, cast_block, &work);
  return SAM_OK;
}

static sam_status prepare_cast(sam_ctx *ctx, sam_node *node) {
  static const uint32_t whole = 1u << SAM_FLOAT32 | 1u << SAM_FLOAT16 | 1u << SAM_BFLOAT16 | 1u << SAM_FLOAT64 |
                                1u << SAM_INT8 | 1u << SAM_UINT8 | 1u << SAM_INT16 | 1u << SAM_UINT16 |
                                1u << SAM_INT32 | 1u << SAM_UINT32 | 1u << SAM_INT64 | 1u << SAM_BOOL |
                                1u << SAM_COMPLEX64;
  sam_type from = node->inputs[0]->type, to = node->outputs[0]->type;
  bool known = (whole >> to & 1) != 0;
  if (is_packed(from) && from != to) known = to == SAM_FLOAT32;
  if (to == SAM_INT4 || to == SAM_INT2 || to == SAM_UINT4) known = from == SAM_FLOAT32 || from == to;
  if (!known) return sam_fail(ctx, SAM_UNSUPPORTED, "from %s to %s", sam_type_name(from), sam_type_name(to));
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}

/* ---- FAKE_QUANT: float to the nearest value of a grid that contains 0 -------------------------------------------- */

SAM_UNARY_KERNEL(fake_quant_kernel, float,
                 ((u > p->a ? u : p->a) < p->b ? roundf(((u > p->a ? u : p->a) - p->a) / *(const float *)p->table)
                                               : roundf((p->b - p->a) / *(const float *)p->table)) *
                         *(const float *)p->table +
                     p->a)

static sam_status prepare_fake_quant(sam_ctx *ctx, sam_node *node) {
  const sam_fake_quant_options *o = node->options;
  if (o->num_bits < 2 || o->num_bits > 16)
    return sam_fail(ctx, SAM_UNSUPPORTED, "num_bits is %d, must be 2..16", (int)o->num_bits);
  if (!(o->min <= 0 && o->max >= 0 && o->min < o->max && o->max - o->min < INFINITY))
    return sam_fail(ctx, SAM_UNSUPPORTED, "range %g..%g must contain 0", (double)o->min, (double)o->max);
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin(ctx, node, &plan));
  float lowest = o->narrow_range ? 1 : 0, highest = (float)((1 << o->num_bits) - 1);
  float scale = (o->max - o->min) / (highest - lowest), zero = lowest - o->min / scale;
  float nudged = zero < lowest ? lowest : zero > highest ? highest : roundf(zero);
  float *stored = (float *)plan->table.bytes;
  *stored = scale;
  plan->params.table = stored;
  plan->params.a = (lowest - nudged) * scale;
  plan->params.b = (highest - nudged) * scale;
  plan->kernel = fake_quant_kernel;
  plan->cost = 16;
  return SAM_OK;
}

/* ---- The operators --------------------------------------------------------------------------------------------- */

const sam_op sam_op_quantize = {.name = "QUANTIZE",
                                .max_version = 6,
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .min_outputs = 1,
                                .max_outputs = 1,
                                .inplace = 1,
                                .prepare = prepare_quantize,
                                .eval = {[SAM_FLOAT32] = quantize_eval,
                                         [SAM_INT8] = quantize_eval,
                                         [SAM_UINT8] = quantize_eval,
                                         [SAM_INT16] = quantize_eval,
                                         [SAM_INT32] = quantize_eval}};

const sam_op sam_op_dequantize = {.name = "DEQUANTIZE",
                                  .max_version = 9,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .prepare = prepare_dequantize,
                                  .eval = {[SAM_FLOAT16] = dequantize_f16,
                                           [SAM_INT8] = quantize_eval,
                                           [SAM_UINT8] = quantize_eval,
                                           [SAM_INT16] = quantize_eval,
                                           [SAM_INT4] = quantize_eval,
                                           [SAM_UINT4] = quantize_eval,
                                           [SAM_INT2] = quantize_eval}};

const sam_op sam_op_cast = {.name = "CAST",
                            .max_version = 9,
                            .min_inputs = 1,
                            .max_inputs = 1,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .prepare = prepare_cast,
                            .eval = {[SAM_FLOAT32] = cast,
                                     [SAM_FLOAT16] = cast,
                                     [SAM_BFLOAT16] = cast,
                                     [SAM_FLOAT64] = cast,
                                     [SAM_INT8] = cast,
                                     [SAM_UINT8] = cast,
                                     [SAM_INT16] = cast,
                                     [SAM_UINT16] = cast,
                                     [SAM_INT32] = cast,
                                     [SAM_UINT32] = cast,
                                     [SAM_INT64] = cast,
                                     [SAM_BOOL] = cast,
                                     [SAM_COMPLEX64] = cast,
                                     [SAM_INT4] = cast,
                                     [SAM_INT2] = cast,
                                     [SAM_UINT4] = cast}};

const sam_op sam_op_fake_quant = {.name = "FAKE_QUANT",
                                  .options = SAM_OPTIONS_FAKE_QUANT,
                                  .max_version = 2,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .inplace = 1,
                                  .prepare = prepare_fake_quant,
                                  .eval = {[SAM_FLOAT32] = sam_unary_eval}};
