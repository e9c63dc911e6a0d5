/* Choosing by a condition: SELECT, SELECT_V2 (y = condition ? a : b, elements of any type are moved as bytes), WHERE.
 */
#include <string.h>

#include "broadcast.h"
#include "elementwise.h"
#include "ops.h"
#include "ukernels/ukernels.h"

typedef struct select_plan {
  sam_broadcast shape;
  int64_t size; /* bytes of an element */
  sam_select_fn kernel;
  int64_t step[3]; /* inside a row */
} select_plan;

typedef struct select_work {
  const select_plan *plan;
  const uint8_t *condition;
  const char *a, *b;
  char *y;
} select_work;

static void select_row(void *arg, int64_t n, int64_t out, const int64_t *in) {
  const select_work *w = arg;
  const select_plan *p = w->plan;
  p->kernel(n, w->condition + in[0], w->a + in[1] * p->size, w->b + in[2] * p->size, w->y + out * p->size, p->step);
}

static void select_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const sam_broadcast *shape = &((const select_work *)arg)->plan->shape;
  int64_t to = end * SAM_ELEMENTWISE_BLOCK;
  sam_broadcast_walk(shape, begin * SAM_ELEMENTWISE_BLOCK, to < shape->count ? to : shape->count, select_row, arg);
}

static sam_status eval_select(sam_ctx *ctx, sam_node *node) {
  const select_plan *plan = node->state;
  select_work work = {plan, node->inputs[0]->data, node->inputs[1]->data, node->inputs[2]->data,
                      node->outputs[0]->data};
  int64_t blocks = (plan->shape.count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, 2 * SAM_ELEMENTWISE_BLOCK, select_block, &work);
  return SAM_OK;
}

static sam_status begin_select(sam_ctx *ctx, sam_node *node, select_plan **plan) {
  const sam_tensor *a = node->inputs[1];
  SAM_TRY(sam_check_type(ctx, node->inputs[0], SAM_BOOL));
  SAM_TRY(sam_check_same_type(ctx, node->inputs[2], a));
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], a));
  if (a->type == SAM_INT8 || a->type == SAM_UINT8 || a->type == SAM_INT16) {
    SAM_TRY(sam_check_same_quant(ctx, a, node->inputs[2]));
    SAM_TRY(sam_check_same_quant(ctx, a, node->outputs[0]));
  }
  if ((*plan = sam_alloc(ctx, sizeof **plan)) == NULL) return SAM_OUT_OF_MEMORY;
  node->state = *plan;
  (*plan)->size = sam_type_bits(a->type) / 8;
  const int64_t size = (*plan)->size;
  (*plan)->kernel = sam_uk.loops->select[size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3];
  return SAM_OK;
}

static sam_status plan_rows(select_plan *plan, int32_t rank, const int32_t *dims, const sam_tensor *const *in) {
  sam_broadcast_plan(&plan->shape, rank, dims, 3, in);
  for (int32_t i = 0; i < 3; i++) plan->step[i] = plan->shape.stride[i][plan->shape.rank - 1];
  return SAM_OK;
}

/* Equal shapes; the condition may be a scalar, or a vector that chooses whole slices along the first axis. */
static sam_status prepare_select(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *condition = node->inputs[0], *a = node->inputs[1], *b = node->inputs[2];
  select_plan *plan;
  SAM_TRY(begin_select(ctx, node, &plan));
  if (!sam_same_shape(a, b)) return sam_fail(ctx, SAM_INVALID_MODEL, "the two values have different shapes");
  sam_tensor view = *condition;
  bool one = condition->rank == 0 || (condition->rank == 1 && condition->dims[0] == 1);
  if (!one && !sam_same_shape(condition, a)) {
    if (condition->rank != 1 || a->rank < 1 || condition->dims[0] != a->dims[0])
      return sam_fail(ctx, SAM_INVALID_MODEL, "the condition has neither the values' shape nor their first dimension");
    view.rank = a->rank;
    for (int32_t d = 1; d < a->rank; d++) view.dims[d] = 1;
  }
  SAM_TRY(sam_set_shape_like(ctx, node->outputs[0], a));
  return plan_rows(plan, a->rank, a->dims, (const sam_tensor *const[]){&view, a, b});
}

static sam_status prepare_select_v2(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *condition = node->inputs[0], *a = node->inputs[1], *b = node->inputs[2];
  select_plan *plan;
  SAM_TRY(begin_select(ctx, node, &plan));
  sam_tensor values = *a;
  int32_t rank, dims[SAM_MAX_RANK];
  SAM_TRY(sam_broadcast_shapes(ctx, a, b, &values.rank, values.dims));
  SAM_TRY(sam_broadcast_shapes(ctx, condition, &values, &rank, dims));
  SAM_TRY(sam_set_shape(ctx, node->outputs[0], rank, dims));
  return plan_rows(plan, rank, dims, (const sam_tensor *const[]){condition, a, b});
}

#define EVERY_TYPE(f)                                                                                           \
  [SAM_FLOAT32] = f, [SAM_FLOAT16] = f, [SAM_BFLOAT16] = f, [SAM_FLOAT64] = f, [SAM_INT8] = f, [SAM_INT16] = f, \
  [SAM_UINT8] = f, [SAM_INT32] = f, [SAM_INT64] = f, [SAM_UINT32] = f, [SAM_UINT16] = f, [SAM_UINT64] = f,      \
  [SAM_BOOL] = f, [SAM_COMPLEX64] = f, [SAM_FLOAT8_E4M3FN] = f, [SAM_FLOAT8_E5M2] = f

#define SELECT(NAME, stem, version)                        \
  const sam_op sam_op_##stem = {.name = #NAME,             \
                                .max_version = version,    \
                                .min_inputs = 3,           \
                                .max_inputs = 3,           \
                                .min_outputs = 1,          \
                                .max_outputs = 1,          \
                                .inplace = 6,              \
                                .key = 1,                  \
                                .prepare = prepare_##stem, \
                                .eval = {EVERY_TYPE(eval_select)}};
SELECT(SELECT, select, 4)
SELECT(SELECT_V2, select_v2, 2)

/* ---- WHERE: the coordinates of the elements that are not zero -----------------------------------------------------
 */

enum { PIECE = 256 };

/* 1 for each element of [from, from + n) that is not zero, else 0. */
static void flags_of(const sam_tensor *x, int64_t from, int64_t n, uint8_t *flags) {
  const sam_type type = x->type == SAM_BOOL ? SAM_UINT8 : x->type == SAM_UINT32 ? SAM_INT32 : x->type;
  sam_uk.loops->cast[type][SAM_BOOL](n, (const char *)x->data + from * (sam_type_bits(type) / 8), flags, NULL);
}

static sam_status prepare_where(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *x = node->inputs[0];
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_INT64));
  SAM_TRY(sam_check_rank(ctx, x, 1, SAM_MAX_RANK));
  if (!sam_is_known(x)) return sam_need_data(ctx, 0);
  int64_t n = sam_elements(x), found = 0;
  for (int64_t i = 0; i < n; i += PIECE) {
    uint8_t flags[PIECE];
    const int64_t m = n - i < PIECE ? n - i : PIECE;
    flags_of(x, i, m, flags);
    found += sam_uk.u8_sum(m, flags);
  }
  if (found > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "%lld elements are not zero", (long long)found);
  return sam_set_shape(ctx, node->outputs[0], 2, (const int32_t[]){(int32_t)found, x->rank});
}

/* The places of a piece first, without a branch for each element, then their coordinates. */
static sam_status eval_where(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  const sam_tensor *x = node->inputs[0];
  const int32_t last = x->rank - 1;
  const int64_t n = sam_elements(x);
  int64_t *y = node->outputs[0]->data, row[SAM_MAX_RANK] = {0}, begin = 0; /* the row at hand and its first element */
  for (int64_t from = 0; from < n; from += PIECE) {
    uint8_t flags[PIECE];
    int32_t places[PIECE + 1], found = 0;
    const int64_t m = n - from < PIECE ? n - from : PIECE;
    flags_of(x, from, m, flags);
    for (int32_t i = 0; i < m; i++) {
      places[found] = i;
      found += flags[i];
    }
    for (int32_t f = 0; f < found; f++) {
      const int64_t at = from + places[f];
      while (at - begin >= x->dims[last]) {
        begin += x->dims[last];
        for (int32_t d = last - 1; d >= 0 && ++row[d] == x->dims[d]; d--) row[d] = 0;
      }
      for (int32_t d = 0; d < last; d++) *y++ = row[d];
      *y++ = at - begin;
    }
  }
  return SAM_OK;
}

const sam_op sam_op_where = {.name = "WHERE",
                             .max_version = 2,
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .prepare = prepare_where,
                             .eval = {[SAM_FLOAT32] = eval_where,
                                      [SAM_INT8] = eval_where,
                                      [SAM_UINT8] = eval_where,
                                      [SAM_INT32] = eval_where,
                                      [SAM_INT64] = eval_where,
                                      [SAM_UINT32] = eval_where,
                                      [SAM_BOOL] = eval_where}};
