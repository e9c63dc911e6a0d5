/* Samara: along one axis: ARG_MAX ARG_MIN, CUMSUM. x is [outer, n, inner]; the n are walked. */
#include <string.h>

#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

typedef struct axis_plan {
  int64_t outer, n, inner;
  bool largest, exclusive, reverse;
} axis_plan;

typedef struct axis_work {
  const axis_plan *plan;
  const sam_tensor *x, *y;
} axis_work;

static sam_status begin_axis(sam_ctx *ctx, sam_node *node, axis_plan **plan, int32_t *axis) {
  const sam_tensor *x = node->inputs[0];
  int64_t value;
  int32_t count;
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], 1, &value, &count));
  if (count != 1) return sam_fail(ctx, SAM_INVALID_MODEL, "axis has %d values, needs 1", (int)count);
  SAM_TRY(sam_normalize_axis(ctx, value, x->rank, axis));
  if ((*plan = sam_alloc(ctx, sizeof **plan)) == NULL) return SAM_OUT_OF_MEMORY;
  node->state = *plan;
  (*plan)->outer = sam_span(x, 0, *axis);
  (*plan)->n = x->dims[*axis];
  (*plan)->inner = sam_span(x, *axis + 1, x->rank);
  return SAM_OK;
}

/* ---- ARG_MAX, ARG_MIN: the first of equals ----------------------------------------------------------------------- */

/* The first of n values, a step apart, than which no other is larger (smaller). */
#define FIRST_BEST(name, T)                                                \
  static int64_t name(const T *v, int64_t n, int64_t step, bool largest) { \
    int64_t best = 0;                                                      \
    T top = v[0];                                                          \
    for (int64_t k = 1; k < n; k++) {                                      \
      const T u = v[k * step];                                             \
      if (largest ? u > top : u < top) top = u, best = k;                  \
    }                                                                      \
    return best;                                                           \
  }
FIRST_BEST(first_f32, float)
FIRST_BEST(first_s32, int32_t)
FIRST_BEST(first_s8, int8_t)
FIRST_BEST(first_u8, uint8_t) /* UINT8, BOOL */

/* Side by side values of floats and bytes: the best one by a microkernel, then where it is. A run with a NaN has none.
 */
static int64_t first_in_run(const axis_plan *p, sam_type type, const void *v) {
  if (type == SAM_FLOAT32) {
    float top;
    sam_uk.f32_top_runs(1, p->n, v, p->n, &top, p->largest ? 0 : INT32_MIN);
    return top == top ? sam_uk.f32_find(p->n, v, top) : first_f32(v, p->n, 1, p->largest);
  }
  const int32_t flip = type == SAM_INT8 ? (p->largest ? 0x80 : 0x7f) : (p->largest ? 0 : 0xff);
  uint8_t top;
  sam_uk.u8_top_runs(1, p->n, v, p->n, &top, flip);
  return (const char *)memchr(v, top, (size_t)p->n) - (const char *)v;
}

static void arg_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const axis_work *w = arg;
  const axis_plan *p = w->plan;
  const sam_type type = w->x->type;
  const int64_t size = sam_type_bits(type) / 8;
  for (int64_t item = begin; item < end; item++) {
    const int64_t from = p->inner == 1 ? item * p->n : item / p->inner * p->n * p->inner + item % p->inner;
    const void *v = (const char *)w->x->data + from * size;
    const int64_t best = p->inner == 1 && type != SAM_INT32 ? first_in_run(p, type, v)
                         : type == SAM_FLOAT32              ? first_f32(v, p->n, p->inner, p->largest)
                         : type == SAM_INT32                ? first_s32(v, p->n, p->inner, p->largest)
                         : type == SAM_INT8                 ? first_s8(v, p->n, p->inner, p->largest)
                                                            : first_u8(v, p->n, p->inner, p->largest);
    if (w->y->type == SAM_INT64)
      ((int64_t *)w->y->data)[item] = best;
    else
      ((int32_t *)w->y->data)[item] = (int32_t)best;
  }
}

static sam_status eval_arg(sam_ctx *ctx, sam_node *node) {
  axis_work work = {node->state, node->inputs[0], node->outputs[0]};
  sam_parallel(ctx, work.plan->outer * work.plan->inner, work.plan->n * 2 + 4, arg_rows, &work);
  return SAM_OK;
}

static sam_status prepare_arg(sam_ctx *ctx, sam_node *node, bool largest) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  if (y->type != SAM_INT32 && y->type != SAM_INT64)
    return sam_fail(ctx, SAM_INVALID_MODEL, "output is %s, must be INT32 or INT64", sam_type_name(y->type));
  axis_plan *plan;
  int32_t axis, rank = 0, dims[SAM_MAX_RANK];
  SAM_TRY(begin_axis(ctx, node, &plan, &axis));
  plan->largest = largest;
  for (int32_t d = 0; d < x->rank; d++)
    if (d != axis) dims[rank++] = x->dims[d];
  if (plan->n == 0 && plan->outer * plan->inner > 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "dimension %d is empty", (int)axis);
  return sam_set_shape(ctx, y, rank, dims);
}
static sam_status prepare_arg_max(sam_ctx *ctx, sam_node *node) { return prepare_arg(ctx, node, true); }
static sam_status prepare_arg_min(sam_ctx *ctx, sam_node *node) { return prepare_arg(ctx, node, false); }

#define ARG(NAME, stem)                                            \
  const sam_op sam_op_##stem = {.name = #NAME,                     \
                                .max_version = 3,                  \
                                .min_inputs = 2,                   \
                                .max_inputs = 2,                   \
                                .min_outputs = 1,                  \
                                .max_outputs = 1,                  \
                                .prepare = prepare_##stem,         \
                                .eval = {[SAM_FLOAT32] = eval_arg, \
                                         [SAM_INT8] = eval_arg,    \
                                         [SAM_UINT8] = eval_arg,   \
                                         [SAM_INT32] = eval_arg,   \
                                         [SAM_BOOL] = eval_arg}};
ARG(ARG_MAX, arg_max)
ARG(ARG_MIN, arg_min)

/* ---- CUMSUM ---------------------------------------------------------------------------------------------------- */

/* Sums along n steps of up to SUM_LANES neighbours, or (the last axis) of SUM_ROWS rows, whose sums do not wait for one
 * another. x may be y. */
enum { SUM_LANES = 256, SUM_ROWS = 4 };
#define SUM_STEP(T, total, x, y, ADD, exclusive) \
  {                                              \
    const T before = total;                      \
    total = ADD(total, *(x));                    \
    *(y) = (exclusive) ? before : total;         \
  }
#define RUNNING_SUM(name, T, ADD)                                                                                  \
  static inline                                                                                                    \
      __attribute__((always_inline)) void name##_four(int64_t n, const T *x, T *y, int64_t step, bool exclusive) { \
    const T *x1 = x + n, *x2 = x1 + n, *x3 = x2 + n;                                                               \
    T *y1 = y + n, *y2 = y1 + n, *y3 = y2 + n, a = 0, b = 0, c = 0, d = 0;                                         \
    for (int64_t k = 0; k != n * step; k += step) {                                                                \
      SUM_STEP(T, a, x + k, y + k, ADD, exclusive)                                                                 \
      SUM_STEP(T, b, x1 + k, y1 + k, ADD, exclusive)                                                               \
      SUM_STEP(T, c, x2 + k, y2 + k, ADD, exclusive)                                                               \
      SUM_STEP(T, d, x3 + k, y3 + k, ADD, exclusive)                                                               \
    }                                                                                                              \
  }                                                                                                                \
  static void name(const axis_plan *p, const void *from, void *to, int64_t first, int64_t lanes) {                 \
    const int64_t step = p->reverse ? -p->inner : p->inner;                                                        \
    const T *x = (const T *)from + first + (p->reverse ? (p->n - 1) * p->inner : 0);                               \
    T *y = (T *)to + first + (p->reverse ? (p->n - 1) * p->inner : 0), total[SUM_LANES] = {0};                     \
    if (p->inner == 1 && lanes == SUM_ROWS) {                                                                      \
      if (p->exclusive)                                                                                            \
        name##_four(p->n, x, y, step, true);                                                                       \
      else                                                                                                         \
        name##_four(p->n, x, y, step, false);                                                                      \
      return;                                                                                                      \
    }                                                                                                              \
    const int64_t lane = p->inner == 1 ? p->n : 1;                                                                 \
    for (int64_t k = 0; k < p->n; k++, x += step, y += step)                                                       \
      for (int64_t l = 0; l < lanes; l++) SUM_STEP(T, total[l], x + l * lane, y + l * lane, ADD, p->exclusive)     \
  }
#define ADD_REAL(a, u) (a + u)
#define ADD_32(a, u) (int32_t)((uint32_t)(a) + (uint32_t)(u))
#define ADD_64(a, u) (int64_t)((uint64_t)(a) + (uint64_t)(u))
RUNNING_SUM(running_f32, float, ADD_REAL)
RUNNING_SUM(running_s32, int32_t, ADD_32)
RUNNING_SUM(running_s64, int64_t, ADD_64)

static int64_t sum_lanes(const axis_plan *p) { return p->inner > 1 ? SUM_LANES : SUM_ROWS; }

static void cumsum_lanes(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const axis_work *w = arg;
  const axis_plan *p = w->plan;
  const int64_t most = sum_lanes(p), side = p->inner > 1 ? p->inner : p->outer, pieces = (side + most - 1) / most;
  for (int64_t item = begin; item < end; item++) {
    const int64_t first = item % pieces * most, lanes = side - first < most ? side - first : most;
    const int64_t at = p->inner > 1 ? item / pieces * p->n * p->inner + first : first * p->n;
    (w->x->type == SAM_FLOAT32 ? running_f32
     : w->x->type == SAM_INT32 ? running_s32
                               : running_s64)(p, w->x->data, w->y->data, at, lanes);
  }
}

static sam_status eval_cumsum(sam_ctx *ctx, sam_node *node) {
  axis_work work = {node->state, node->inputs[0], node->outputs[0]};
  const axis_plan *p = work.plan;
  const int64_t most = sum_lanes(p), side = p->inner > 1 ? p->inner : p->outer, pieces = (side + most - 1) / most;
  if (p->n > 0 && p->inner > 0)
    sam_parallel(ctx, p->inner > 1 ? p->outer * pieces : pieces, p->n * most + 4, cumsum_lanes, &work);
  return SAM_OK;
}

static sam_status prepare_cumsum(sam_ctx *ctx, sam_node *node) {
  const sam_cumsum_options *options = node->options;
  axis_plan *plan;
  int32_t axis;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  SAM_TRY(begin_axis(ctx, node, &plan, &axis));
  plan->exclusive = options->exclusive;
  plan->reverse = options->reverse;
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}

const sam_op sam_op_cumsum = {
    .name = "CUMSUM",
    .options = SAM_OPTIONS_CUMSUM,
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .prepare = prepare_cumsum,
    .eval = {[SAM_FLOAT32] = eval_cumsum, [SAM_INT32] = eval_cumsum, [SAM_INT64] = eval_cumsum}};
