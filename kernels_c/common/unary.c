#include "unary.h"

#include "chain.h"
#include "ukernels/ukernels.h"

static void unary_piece(const sam_node *node, const void *const *inputs, void *output, int64_t from, int64_t to) {
  const sam_unary_plan *plan = node->state;
  const char *x = (const char *)inputs[0] + from * (int64_t)plan->size_x;
  char *y = (char *)output + from * (int64_t)plan->size_y;
  if (plan->half == SAM_FLOAT32) {
    plan->kernel(to - from, x, y, &plan->params);
    return;
  }
  float values[SAM_HALF_PIECE];
  for (int64_t i = 0; i < to - from; i += SAM_HALF_PIECE) {
    const int64_t n = to - from - i < SAM_HALF_PIECE ? to - from - i : SAM_HALF_PIECE;
    sam_widen(x + 2 * i, plan->half, n, values);
    plan->kernel(n, values, values, &plan->params);
    sam_narrow(values, plan->half, n, y + 2 * i);
  }
}

sam_status sam_unary_begin(sam_ctx *ctx, sam_node *node, sam_unary_plan **result) {
  const sam_tensor *x = node->inputs[0];
  sam_tensor *y = node->outputs[0];
  SAM_TRY(sam_set_shape_like(ctx, y, x));
  sam_unary_plan *plan = sam_alloc(ctx, sizeof *plan);
  if (plan == NULL) return SAM_OUT_OF_MEMORY;
  plan->count = sam_elements(x);
  plan->size_x = (size_t)sam_type_bits(x->type) / 8;
  plan->size_y = (size_t)sam_type_bits(y->type) / 8;
  plan->cost = 4;
  plan->half = sam_is_half(x->type) ? x->type : SAM_FLOAT32;
  node->state = *result = plan;
  node->piece = unary_piece;
  node->piece_cost = sam_is_small_int(x->type) ? 8 : 4; /* tables take more than loads and stores */
  return SAM_OK;
}

sam_status sam_unary_begin_same(sam_ctx *ctx, sam_node *node, sam_unary_plan **result) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  bool quantized = sam_is_small_int(x->type);
  SAM_TRY(sam_check_same_type(ctx, y, x));
  if (quantized) {
    SAM_TRY(sam_check_quant(ctx, x));
    SAM_TRY(sam_check_quant(ctx, y));
  }
  SAM_TRY(sam_unary_begin(ctx, node, result));
  sam_unary_params *p = &(*result)->params;
  sam_type_range(x->type, &p->lo, &p->hi);
  if (quantized) {
    p->zx = x->quant->zero_point[0];
    p->zy = y->quant->zero_point[0];
  }
  return SAM_OK;
}

enum { LEAST = 1024 /* elements that make up for the time it takes to fit a curve */ };

void sam_unary_use_bytes(sam_unary_plan *plan) {
  plan->params.table = plan->table.bytes;
  if (plan->count >= LEAST && !plan->params.lines && sam_curve_fit(&plan->curve, plan->table.bytes))
    plan->params.curve = &plan->curve;
  plan->kernel = sam_uk.u8_lookup;
  plan->cost = 1;
}

void sam_unary_use_lines(sam_unary_plan *plan, bool is_signed, double above, double below) {
  const int32_t zero = plan->params.zx - (is_signed ? 0 : 128);
  if (plan->count >= LEAST && sam_lines_fit(&plan->lines, plan->table.bytes, is_signed, zero, above, below))
    plan->params.lines = &plan->lines;
  sam_unary_use_bytes(plan);
}

void sam_unary_use_table(sam_unary_plan *plan, const sam_node *node, sam_real_fn f, const void *arg) {
  const sam_tensor *x = node->inputs[0], *y = node->outputs[0];
  if (x->type == SAM_INT16) {
    sam_table16_fill(plan->table.words, x, y, f, arg);
    plan->params.table = plan->table.words;
    plan->kernel = sam_uk.loops->lookup16;
    plan->cost = 8;
    return;
  }
  sam_table8_fill(plan->table.bytes, x, y, f, arg);
  sam_unary_use_bytes(plan);
}

static void run(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const sam_node *node = arg;
  const int64_t count = ((const sam_unary_plan *)node->state)->count, to = end * SAM_ELEMENTWISE_BLOCK;
  const void *const x[1] = {node->inputs[0]->data};
  unary_piece(node, x, node->outputs[0]->data, begin * SAM_ELEMENTWISE_BLOCK, to < count ? to : count);
}

sam_status sam_unary_eval(sam_ctx *ctx, sam_node *node) {
  if (node->chain) return sam_chain_eval(ctx, node);
  const sam_unary_plan *plan = node->state;
  int64_t blocks = (plan->count + SAM_ELEMENTWISE_BLOCK - 1) / SAM_ELEMENTWISE_BLOCK;
  sam_parallel(ctx, blocks, plan->cost * SAM_ELEMENTWISE_BLOCK / 4, run, node);
  return SAM_OK;
}
