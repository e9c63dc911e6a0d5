#include "elementwise.h"

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
  return SAM_OK;
}

typedef struct binary_work {
  const sam_binary_plan *plan;
  const char *a, *b;
  char *y;
  int steps;
} binary_work;

static void run_row(void *arg, int64_t n, int64_t out, const int64_t *in) {
  const binary_work *w = arg;
  const sam_binary_plan *p = w->plan;
  p->kernel(n, w->a + in[0] * p->size_in, w->b + in[1] * p->size_in, w->y + out * p->size_out, w->steps, &p->params);
}

static void run_block(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const binary_work *w = arg;
  const sam_broadcast *shape = &w->plan->shape;
  int64_t to = end * SAM_ELEMENTWISE_BLOCK;
  sam_broadcast_walk(shape, begin * SAM_ELEMENTWISE_BLOCK, to < shape->count ? to : shape->count, run_row, arg);
}

void sam_binary_run(sam_ctx *ctx, const sam_binary_plan *plan, const sam_node *node) {
  const int32_t last = plan->shape.rank - 1;
  const int steps =
      (plan->shape.stride[0][last] != 0 ? SAM_STEP_A : 0) | (plan->shape.stride[1][last] != 0 ? SAM_STEP_B : 0);
  binary_work work = {plan, node->inputs[0]->data, node->inputs[1]->data, node->outputs[0]->data, steps};
  int64_t blocks = (plan->shape.count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, plan->cost * (SAM_ELEMENTWISE_BLOCK / 4), run_block, &work);
}
