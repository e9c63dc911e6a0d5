#include "elementwise.h"

#include <math.h>
#include <string.h>

#include "ukernels/ukernels.h"

const sam_binary_params sam_unbounded = {.lo = -INFINITY, .hi = INFINITY, .ilo = INT32_MIN, .ihi = INT32_MAX};

/* Rows shorter than this are not worth a call of the kernel: the inputs are spread out in pieces first. Rows up to
 * TILED_ROW are not, where spreading costs little: dense and periodic inputs, and single bytes. */
enum { SHORT_ROW = 64, TILED_ROW = 512, PIECE = 1024 };
enum { LEAST_ROW = 8 }; /* that kernels by rows are faster at */

/* DENSE: element i of the output meets element i. PERIODIC: it meets element i % row. */
enum { DENSE, PERIODIC, SCATTERED };

void sam_widen(const void *x, sam_type type, int64_t n, float *y) {
  sam_uk.loops->cast[type][SAM_FLOAT32](n, x, y, NULL);
}
void sam_narrow(const float *x, sam_type type, int64_t n, void *y) {
  sam_uk.loops->cast[SAM_FLOAT32][type](n, x, y, NULL);
}

static uint8_t form_of(const sam_broadcast *s, int32_t input) {
  bool dense = true, periodic = s->stride[input][s->rank - 1] == 1;
  int64_t step = 1;
  for (int32_t d = s->rank - 1; d >= 0; step *= s->dims[d], d--) {
    dense = dense && s->stride[input][d] == step;
    if (d < s->rank - 1) periodic = periodic && s->stride[input][d] == 0;
  }
  return dense ? DENSE : periodic ? PERIODIC : SCATTERED;
}

sam_status sam_binary_begin(sam_ctx *ctx, sam_node *node, sam_binary_plan *plan) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1];
  sam_tensor *y = node->outputs[0];
  int32_t rank, dims[SAM_MAX_RANK];
  SAM_TRY(sam_check_same_type(ctx, b, a));
  SAM_TRY(sam_broadcast_shapes(ctx, a, b, &rank, dims));
  SAM_TRY(sam_set_shape(ctx, y, rank, dims));
  plan->size_in = sam_type_bits(a->type) / 8;
  plan->size_out = sam_type_bits(y->type) / 8;
  plan->cost = 4;
  sam_broadcast_plan(&plan->shape, rank, dims, 2, (const sam_tensor *const[]){a, b});
  plan->half = sam_is_half(a->type) ? a->type : SAM_FLOAT32;
  for (int32_t i = 0; i < 2; i++) plan->form[i] = form_of(&plan->shape, i);
  return SAM_OK;
}

typedef struct binary_work {
  const sam_binary_plan *plan;
  const char *a, *b;
  char *y;
  int steps;
} binary_work;

/* Half precision goes through float32 by pieces. */
static void run_kernel(const sam_binary_plan *p, int64_t n, const char *a, const char *b, char *y, int steps) {
  if (p->half == SAM_FLOAT32) {
    p->kernel(n, a, b, y, steps, &p->params);
    return;
  }
  float fa[SAM_HALF_PIECE], fb[SAM_HALF_PIECE], fy[SAM_HALF_PIECE];
  for (int64_t i = 0; i < n; i += SAM_HALF_PIECE) {
    const int64_t m = n - i < SAM_HALF_PIECE ? n - i : SAM_HALF_PIECE;
    sam_widen(steps & SAM_STEP_A ? a + 2 * i : a, p->half, steps & SAM_STEP_A ? m : 1, fa);
    sam_widen(steps & SAM_STEP_B ? b + 2 * i : b, p->half, steps & SAM_STEP_B ? m : 1, fb);
    p->kernel(m, fa, fb, fy, steps, &p->params);
    sam_narrow(fy, p->half, m, y + 2 * i);
  }
}

static void run_row(void *arg, int64_t n, int64_t out, const int64_t *in) {
  const binary_work *w = arg;
  const sam_binary_plan *p = w->plan;
  run_kernel(p, n, w->a + in[0] * p->size_in, w->b + in[1] * p->size_in, w->y + out * p->size_out, w->steps);
}

/* Rows of n times the same element; `from` advances by `step` elements from row to row. */
static void fill_rows(char *to, const char *from, int64_t step, int64_t n, int64_t rows, int64_t size) {
  const int log2 = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  sam_uk.move->fill[log2](to, n * size, from, step * size, n, rows);
}
#define SPREAD(T)                                                             \
  for (int64_t i = 0; i < n; i++) ((T *)to)[i] = ((const T *)from)[i * step]; \
  break;
static void spread_row(char *to, const char *from, int64_t n, int64_t step, int64_t size) {
  if (n >= 16 && step <= 1) { /* worth a call */
    if (step == 1)
      memcpy(to, from, (size_t)(n * size));
    else
      fill_rows(to, from, 0, n, 1, size);
    return;
  }
  switch (size) {
    case 1:
      SPREAD(uint8_t)
    case 2:
      SPREAD(uint16_t)
    case 4:
      SPREAD(uint32_t)
    default:
      SPREAD(uint64_t)
  }
}

/* Elements [begin, begin + n) of the output as input `input` has them, in a row at `to`. */
static void spread(const sam_broadcast *s, int32_t input, const char *x, int64_t size, int64_t begin, int64_t n,
                   char *to) {
  const int32_t last = s->rank - 1;
  const int64_t *stride = s->stride[input];
  int64_t at[SAM_MAX_RANK], rest = begin, from = 0;
  for (int32_t d = last; d >= 0; d--) {
    at[d] = rest % s->dims[d];
    rest /= s->dims[d];
    from += at[d] * stride[d];
  }
  while (n > 0) {
    const int64_t row = s->dims[last];
    if (last == 1 && stride[1] == 0 && at[1] == 0 && n >= row) { /* whole rows of one value each */
      const int64_t rows = n / row;
      fill_rows(to, x + from * size, stride[0], row, rows, size);
      to += rows * row * size;
      n -= rows * row;
      from += rows * stride[0];
      continue;
    }
    int64_t m = row - at[last];
    if (m > n) m = n;
    spread_row(to, x + from * size, m, stride[last], size);
    to += m * size;
    n -= m;
    from -= at[last] * stride[last];
    at[last] = 0;
    for (int32_t d = last - 1; d >= 0; d--) {
      from += stride[d];
      if (++at[d] < s->dims[d]) break;
      from -= s->dims[d] * stride[d];
      at[d] = 0;
    }
  }
}

/* Elements [from, to) of a broadcast with short rows, `form` telling how each input lies under it. */
static void run_short_rows(const sam_binary_plan *p, const sam_broadcast *s, const uint8_t form[2],
                           const char *const x[2], char *y, int64_t from, int64_t to) {
  const int64_t row = s->dims[s->rank - 1], size = p->size_in;
  _Alignas(64) char space[2][(PIECE + TILED_ROW) * 8];
  const int64_t tiled = (to - from < PIECE ? to - from : PIECE) + row;
  for (int i = 0; i < 2; i++)
    for (int64_t k = 0; form[i] == PERIODIC && k < tiled; k += row)
      memcpy(space[i] + k * size, x[i], (size_t)((k + row <= tiled ? row : tiled - k) * size));
  for (int64_t at = from; at < to; at += PIECE) {
    const int64_t n = to - at < PIECE ? to - at : PIECE;
    const char *piece[2];
    for (int i = 0; i < 2; i++) {
      piece[i] = space[i];
      if (form[i] == DENSE) piece[i] = x[i] + at * size;
      if (form[i] == PERIODIC) piece[i] += at % row * size;
      if (form[i] == SCATTERED) spread(s, i, x[i], size, at, n, space[i]);
    }
    run_kernel(p, n, piece[0], piece[1], y + at * p->size_out, SAM_STEP_BOTH);
  }
}

/* Where an input lies scattered under the whole output, it is often dense or periodic inside one index of the first
 * dimension ([1,32,32] and [32,1,32]): then each index is a broadcast of its own. */
static void run_slices(const sam_binary_plan *p, const sam_broadcast *s, const uint8_t form[2], const char *const x[2],
                       char *y, int64_t from, int64_t to) {
  sam_broadcast inner = *s;
  uint8_t inner_form[2] = {form[0], form[1]};
  if (s->rank > 2) {
    inner.rank--;
    inner.count = s->count / s->dims[0];
    for (int i = 0; i < 2; i++)
      memmove(inner.stride[i], inner.stride[i] + 1, (size_t)inner.rank * sizeof inner.stride[i][0]);
    memmove(inner.dims, inner.dims + 1, (size_t)inner.rank * sizeof inner.dims[0]);
    for (int i = 0; i < 2; i++) inner_form[i] = form_of(&inner, i);
  }
  const bool better =
      s->rank > 2 && inner.count >= PIECE &&
      ((form[0] == SCATTERED && inner_form[0] != SCATTERED) || (form[1] == SCATTERED && inner_form[1] != SCATTERED));
  if (!better) {
    run_short_rows(p, s, form, x, y, from, to);
    return;
  }
  for (int64_t o = from / inner.count; o * inner.count < to; o++) {
    const int64_t start = o * inner.count, low = from > start ? from - start : 0;
    const int64_t high = to - start < inner.count ? to - start : inner.count;
    const char *const at[2] = {x[0] + o * s->stride[0][0] * p->size_in, x[1] + o * s->stride[1][0] * p->size_in};
    run_slices(p, &inner, inner_form, at, y + start * p->size_out, low, high);
  }
}

static void run_periodic(const sam_binary_plan *plan, const void *const *inputs, void *output, int64_t from, int64_t to,
                         int64_t period) {
  const int dense = plan->form[0] == DENSE ? 0 : 1;
  sam_binary_params p = plan->params;
  if (dense == 1) p.za = plan->params.zb, p.zb = plan->params.za;
  sam_uk.mul_periodic(to - from, from % period, period, (const char *)inputs[dense] + from, inputs[1 - dense],
                      (char *)output + from, plan->is_signed, &p);
}

/* Which input is one value for each row under a dense other one, or -1. */
static int value_of_rows(const sam_binary_plan *plan) {
  const sam_broadcast *s = &plan->shape;
  if (!plan->by_rows || s->rank != 2 || s->dims[1] < LEAST_ROW || s->dims[1] > SAM_STEP_ROW_MOST) return -1;
  for (int i = 0; i < 2; i++)
    if (plan->form[1 - i] == DENSE && s->stride[i][0] == 1 && s->stride[i][1] == 0) return i;
  return -1;
}

static void run_rows(const sam_binary_plan *plan, int value, const void *const *inputs, void *output, int64_t from,
                     int64_t to) {
  const int64_t row = plan->shape.dims[1];
  const int steps = value == 1 ? SAM_STEP_A : SAM_STEP_B;
  while (from < to) { /* a row that has begun, then all others */
    const bool begun = from % row != 0;
    const int64_t left = row - from % row, n = begun && left < to - from ? left : to - from;
    const float *x[2] = {inputs[0], inputs[1]};
    x[value] += from / row, x[1 - value] += from;
    plan->kernel(n, x[0], x[1], (float *)output + from, begun ? steps : steps + SAM_STEP_ROW * (int)row, &plan->params);
    from += n;
  }
}

static void run_elements(const sam_binary_plan *plan, const void *const *inputs, void *output, int64_t from,
                         int64_t to) {
  const sam_broadcast *shape = &plan->shape;
  const int32_t last = shape->rank - 1;
  if (plan->by_period && plan->form[0] + plan->form[1] == DENSE + PERIODIC && shape->dims[last] <= SAM_PERIOD_MOST) {
    run_periodic(plan, inputs, output, from, to, shape->dims[last]);
    return;
  }
  const int value = value_of_rows(plan);
  if (value >= 0) {
    run_rows(plan, value, inputs, output, from, to);
    return;
  }
  const bool cheap = plan->size_in == 1 || (plan->form[0] != SCATTERED && plan->form[1] != SCATTERED);
  if (shape->rank > 1 && shape->dims[last] < (cheap ? TILED_ROW : SHORT_ROW)) {
    const char *const x[2] = {inputs[0], inputs[1]};
    run_slices(plan, shape, plan->form, x, output, from, to);
    return;
  }
  const int steps = (shape->stride[0][last] != 0 ? SAM_STEP_A : 0) | (shape->stride[1][last] != 0 ? SAM_STEP_B : 0);
  binary_work work = {plan, inputs[0], inputs[1], output, steps};
  sam_broadcast_walk(shape, from, to, run_row, &work);
}

void sam_binary_piece(const sam_node *node, const void *const *inputs, void *output, int64_t from, int64_t to) {
  run_elements(node->state, inputs, output, from, to);
}

typedef struct block_work {
  const sam_binary_plan *plan;
  const void *inputs[2];
  void *output;
} block_work;

static void run_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const block_work *w = arg;
  const int64_t to = end * SAM_ELEMENTWISE_BLOCK, count = w->plan->shape.count;
  run_elements(w->plan, w->inputs, w->output, begin * SAM_ELEMENTWISE_BLOCK, to < count ? to : count);
}

void sam_binary_run(sam_ctx *ctx, const sam_binary_plan *plan, const sam_node *node) {
  block_work work = {plan, {node->inputs[0]->data, node->inputs[1]->data}, node->outputs[0]->data};
  int64_t blocks = (plan->shape.count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, plan->cost * (SAM_ELEMENTWISE_BLOCK / 4), run_block, &work);
}
