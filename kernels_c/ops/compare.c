/* Comparisons, logic and bits: EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL, LOGICAL_AND LOGICAL_OR
 * LOGICAL_NOT, BITWISE_XOR RIGHT_SHIFT.
 *
 * int8 and uint8 that carry quantization compare the real values the format's way: (q - z) * 256 * scale rounded to an
 * integer (rule D-away). Of a byte that is a table, one for each input. */
#include <string.h>

#include "common/fp16.h"
#include "elementwise.h"
#include "ops.h"
#include "string_tensor.h"
#include "ukernels/ukernels.h"
#include "unary.h"

enum { COMPARISONS = 4 /* from SAM_EQUAL on */ };

typedef struct compare_plan {
  sam_binary_plan rows;
  int32_t key[2][256];       /* of the bytes of a and b */
  const sam_tensor *text[2]; /* strings: a and b */
  bool swapped;              /* GREATER is LESS of the swapped inputs */
} compare_plan;

/* ---- Comparisons ----------------------------------------------------------------------------------------------- */

/* Through float and through the keys: u and v are raw bits. The plan is behind its params (rows is its first field).
 * The others are loops of the machine's level. */
#define COMPARE_AS(suffix, T, LEFT, RIGHT)                                                                       \
  SAM_BINARY_KERNEL(equal_##suffix, T, uint8_t, LEFT(u) == RIGHT(v))                                             \
  SAM_BINARY_KERNEL(not_equal_##suffix, T, uint8_t, LEFT(u) != RIGHT(v))                                         \
  SAM_BINARY_KERNEL(less_##suffix, T, uint8_t, LEFT(u) < RIGHT(v))                                               \
  SAM_BINARY_KERNEL(less_equal_##suffix, T, uint8_t, LEFT(u) <= RIGHT(v))                                        \
  static const sam_binary_fn compare_##suffix[COMPARISONS] = {equal_##suffix, not_equal_##suffix, less_##suffix, \
                                                              less_equal_##suffix};
#define LEFT_KEY(u) ((const int32_t *)p->table)[u]
#define RIGHT_KEY(v) ((const int32_t *)p->table)[256 + v]
COMPARE_AS(f16, uint16_t, sam_f16_to_f32, sam_f16_to_f32)
COMPARE_AS(bf16, uint16_t, sam_bf16_to_f32, sam_bf16_to_f32)
COMPARE_AS(keys, uint8_t, LEFT_KEY, RIGHT_KEY)

static sam_binary_fn comparison(sam_binary_kind kind, sam_type type) {
  if (type == SAM_FLOAT16) return compare_f16[kind - SAM_EQUAL];
  if (type == SAM_BFLOAT16) return compare_bf16[kind - SAM_EQUAL];
  return sam_uk.loops->binary[kind][type];
}

/* Of strings the kernels see the numbers. */
static bool same_string(const void *table, int32_t u, int32_t v) {
  const sam_tensor *const *text = table;
  const sam_text a = sam_string_at(text[0], u), b = sam_string_at(text[1], v);
  return a.bytes == b.bytes && memcmp(a.at, b.at, a.bytes) == 0;
}
SAM_BINARY_KERNEL(equal_strings, int32_t, uint8_t, same_string(p->table, u, v))
SAM_BINARY_KERNEL(not_equal_strings, int32_t, uint8_t, !same_string(p->table, u, v))

static sam_status prepare_strings(sam_ctx *ctx, sam_node *node, compare_plan *plan, sam_binary_kind kind) {
  for (int i = 0; i < 2; i++) plan->text[i] = node->inputs[i];
  plan->rows.kernel = kind == SAM_EQUAL ? equal_strings : not_equal_strings;
  plan->rows.params.table = plan->text;
  plan->rows.size_in = 4;
  plan->rows.cost = 40;
  return sam_string_scratch(ctx, node->inputs[0], node->inputs[1]);
}

static sam_status eval_strings(sam_ctx *ctx, sam_node *node) {
  const compare_plan *plan = node->state;
  int32_t *numbers = node->scratch;
  sam_tensor a = sam_number_strings(node->inputs[0], numbers);
  sam_tensor b = sam_number_strings(node->inputs[1], numbers + sam_elements(&a));
  sam_node view = *node;
  view.inputs = (sam_tensor *[]){&a, &b};
  sam_binary_run(ctx, &plan->rows, &view);
  return SAM_OK;
}

static void fill_keys(int32_t *key, const sam_tensor *t) {
  int32_t lo, hi, zero_point = t->quant->zero_point[0];
  sam_type_range(t->type, &lo, &hi);
  sam_multiplier m = sam_multiplier_of(t->quant->scale[0]);
  for (int32_t q = lo; q <= hi; q++) key[q & 255] = sam_scale32((q - zero_point) * 256, m);
}

static sam_status prepare_compare(sam_ctx *ctx, sam_node *node, sam_binary_kind kind, bool swapped) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1];
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_BOOL));
  compare_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = plan;
  plan->swapped = swapped;
  sam_node view = *node;
  sam_tensor *swap[2] = {node->inputs[1], node->inputs[0]};
  if (swapped) view.inputs = swap;
  SAM_TRY(sam_binary_begin(ctx, &view, &plan->rows));
  if (a->type == SAM_STRING) return prepare_strings(ctx, node, plan, kind);
  plan->rows.kernel = comparison(kind, a->type);
  plan->rows.half = SAM_FLOAT32; /* has kernels of its own */
  bool byte = a->type == SAM_INT8 || a->type == SAM_UINT8;
  if (!byte || (a->quant->count == 0 && b->quant->count == 0)) return SAM_OK;
  SAM_TRY(sam_check_quant(ctx, a));
  SAM_TRY(sam_check_quant(ctx, b));
  fill_keys(plan->key[0], view.inputs[0]);
  fill_keys(plan->key[1], view.inputs[1]);
  plan->rows.params.table = plan->key;
  plan->rows.kernel = compare_keys[kind - SAM_EQUAL];
  plan->rows.cost = 8;
  return SAM_OK;
}

static sam_status eval_compare(sam_ctx *ctx, sam_node *node) {
  const compare_plan *plan = node->state;
  sam_node view = *node;
  sam_tensor *swap[2] = {node->inputs[1], node->inputs[0]};
  if (plan->swapped) view.inputs = swap;
  sam_binary_run(ctx, &plan->rows, &view);
  return SAM_OK;
}

#define COMPARISON(NAME, stem, kind, swapped, version, ...)                                                            \
  static sam_status prepare_##stem(sam_ctx *ctx, sam_node *node) { return prepare_compare(ctx, node, kind, swapped); } \
  const sam_op sam_op_##stem = {.name = #NAME,                                                                         \
                                .max_version = version,                                                                \
                                .min_inputs = 2,                                                                       \
                                .max_inputs = 2,                                                                       \
                                .min_outputs = 1,                                                                      \
                                .max_outputs = 1,                                                                      \
                                .prepare = prepare_##stem,                                                             \
                                .eval = {[SAM_FLOAT32] = eval_compare,                                                 \
                                         [SAM_FLOAT16] = eval_compare,                                                 \
                                         [SAM_INT32] = eval_compare,                                                   \
                                         [SAM_INT64] = eval_compare,                                                   \
                                         [SAM_INT16] = eval_compare,                                                   \
                                         [SAM_INT8] = eval_compare,                                                    \
                                         [SAM_UINT8] = eval_compare,                                                   \
                                         __VA_ARGS__}};
COMPARISON(EQUAL, equal, SAM_EQUAL, false, 5, [SAM_BOOL] = eval_compare, [SAM_STRING] = eval_strings)
COMPARISON(NOT_EQUAL, not_equal, SAM_NOT_EQUAL, false, 4, [SAM_BOOL] = eval_compare, [SAM_STRING] = eval_strings)
COMPARISON(LESS, less, SAM_LESS, false, 3, [SAM_BFLOAT16] = eval_compare)
COMPARISON(LESS_EQUAL, less_equal, SAM_LESS_EQUAL, false, 2, [SAM_BFLOAT16] = eval_compare)
COMPARISON(GREATER, greater, SAM_LESS, true, 2, [SAM_BFLOAT16] = eval_compare)
COMPARISON(GREATER_EQUAL, greater_equal, SAM_LESS_EQUAL, true, 3, [SAM_BFLOAT16] = eval_compare)

/* ---- Logic and bits -------------------------------------------------------------------------------------------- */

SAM_BINARY_KERNEL(and_bool, uint8_t, uint8_t, (u != 0) & (v != 0))
SAM_BINARY_KERNEL(or_bool, uint8_t, uint8_t, (u != 0) | (v != 0))
SAM_BINARY_KERNEL(xor_8, uint8_t, uint8_t, u ^ v)
SAM_BINARY_KERNEL(xor_16, uint16_t, uint16_t, u ^ v)
SAM_BINARY_KERNEL(xor_32, uint32_t, uint32_t, u ^ v)
SAM_UNARY_KERNEL(not_bool, uint8_t, u == 0)

/* A shift below 0 is none, one past the width leaves the sign. Signed values are shifted as if divided by 2^n, floor.
 */
static inline int64_t shift_right(int64_t x, int64_t n, int64_t bits) {
  return x >> (n < 0 ? 0 : n < bits ? n : bits - 1);
}
SAM_BINARY_KERNEL(shift_i8, int8_t, int8_t, (int8_t)shift_right(u, v, 8))
SAM_BINARY_KERNEL(shift_u8, uint8_t, uint8_t, (uint8_t)shift_right(u, v, 8))
SAM_BINARY_KERNEL(shift_i16, int16_t, int16_t, (int16_t)shift_right(u, v, 16))
SAM_BINARY_KERNEL(shift_u16, uint16_t, uint16_t, (uint16_t)shift_right(u, v, 16))
SAM_BINARY_KERNEL(shift_i32, int32_t, int32_t, (int32_t)shift_right(u, v, 32))
SAM_BINARY_KERNEL(shift_u32, uint32_t, uint32_t, (uint32_t)shift_right(u, v, 32))

static sam_status prepare_bits(sam_ctx *ctx, sam_node *node, sam_binary_fn kernel) {
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  sam_binary_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  node->state = plan;
  SAM_TRY(sam_binary_begin(ctx, node, plan));
  plan->kernel = kernel;
  return SAM_OK;
}
static sam_status eval_bits(sam_ctx *ctx, sam_node *node) {
  sam_binary_run(ctx, node->state, node);
  return SAM_OK;
}

static sam_status prepare_logical_and(sam_ctx *ctx, sam_node *node) { return prepare_bits(ctx, node, and_bool); }
static sam_status prepare_logical_or(sam_ctx *ctx, sam_node *node) { return prepare_bits(ctx, node, or_bool); }
static sam_status prepare_bitwise_xor(sam_ctx *ctx, sam_node *node) {
  int bits = sam_type_bits(node->inputs[0]->type);
  return prepare_bits(ctx, node, bits == 8 ? xor_8 : bits == 16 ? xor_16 : xor_32);
}
static sam_status prepare_right_shift(sam_ctx *ctx, sam_node *node) {
  static const sam_binary_fn kernels[SAM_TYPE_COUNT] = {
      [SAM_INT8] = shift_i8,    [SAM_UINT8] = shift_u8,  [SAM_INT16] = shift_i16,
      [SAM_UINT16] = shift_u16, [SAM_INT32] = shift_i32, [SAM_UINT32] = shift_u32,
  };
  return prepare_bits(ctx, node, kernels[node->inputs[0]->type]);
}
static sam_status prepare_logical_not(sam_ctx *ctx, sam_node *node) {
  sam_unary_plan *plan;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  SAM_TRY(sam_unary_begin(ctx, node, &plan));
  plan->kernel = not_bool;
  return SAM_OK;
}

#define BITS(NAME, stem, ...)                              \
  const sam_op sam_op_##stem = {.name = #NAME,             \
                                .max_version = 1,          \
                                .min_inputs = 2,           \
                                .max_inputs = 2,           \
                                .min_outputs = 1,          \
                                .max_outputs = 1,          \
                                .inplace = 3,              \
                                .prepare = prepare_##stem, \
                                .eval = {__VA_ARGS__}};
#define INTEGERS                                                                                      \
  [SAM_INT8] = eval_bits, [SAM_UINT8] = eval_bits, [SAM_INT16] = eval_bits, [SAM_UINT16] = eval_bits, \
  [SAM_INT32] = eval_bits, [SAM_UINT32] = eval_bits
BITS(LOGICAL_AND, logical_and, [SAM_BOOL] = eval_bits)
BITS(LOGICAL_OR, logical_or, [SAM_BOOL] = eval_bits)
BITS(BITWISE_XOR, bitwise_xor, INTEGERS)
BITS(RIGHT_SHIFT, right_shift, INTEGERS)

const sam_op sam_op_logical_not = SAM_UNARY_OP("LOGICAL_NOT", 1, prepare_logical_not, [SAM_BOOL] = sam_unary_eval);
