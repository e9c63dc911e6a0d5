/* TRANSPOSE, TILE, BROADCAST_TO: the whole operator is the strides of one copy (common/move.h). BROADCAST_ARGS. */
#include "move.h"
#include "ops.h"
#include "samara/options.h"

static sam_status transpose_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int64_t order[SAM_MAX_RANK], whole[SAM_MAX_RANK], dense[SAM_MAX_RANK], dims[SAM_MAX_RANK], strides[SAM_MAX_RANK];
  int32_t n;
  bool used[SAM_MAX_RANK] = {false};
  SAM_TRY(sam_check_same_type(ctx, out, in));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], SAM_MAX_RANK, order, &n));
  if (n != in->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "permutation has %d values, input has %d dimensions", n, in->rank);
  sam_dims64(in, whole);
  sam_dense_strides(n, whole, dense);
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    SAM_TRY(sam_normalize_axis(ctx, order[i], n, &axis));
    if (used[axis]) return sam_fail(ctx, SAM_INVALID_MODEL, "permutation names dimension %d twice", axis);
    used[axis] = true;
    dims[i] = whole[axis];
    strides[i] = dense[axis];
  }
  SAM_TRY(sam_set_dims(ctx, out, n, dims));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  sam_strided_plan(&m->plan, sam_move_size(in->type), n, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_transpose = {
    .name = "TRANSPOSE",
    .max_version = 9,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = transpose_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

/* Dimension i becomes [times[i]][dims[i]], the first of them with stride 0. */
static sam_status tile_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int64_t times[SAM_MAX_RANK], whole[SAM_MAX_RANK], dense[SAM_MAX_RANK], shape[SAM_MAX_RANK];
  int64_t dims[SAM_STRIDED_RANK], strides[SAM_STRIDED_RANK];
  int32_t n;
  SAM_TRY(sam_check_same_type(ctx, out, in));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], SAM_MAX_RANK, times, &n));
  if (n != in->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %d multiples, input has %d dimensions", n, in->rank);
  sam_dims64(in, whole);
  sam_dense_strides(n, whole, dense);
  for (int32_t i = 0; i < n; i++) {
    if (times[i] < 0 || times[i] > INT32_MAX)
      return sam_fail(ctx, SAM_INVALID_MODEL, "multiple %d is %lld", i, (long long)times[i]);
    shape[i] = times[i] * whole[i];
    dims[2 * i] = times[i], strides[2 * i] = 0;
    dims[2 * i + 1] = whole[i], strides[2 * i + 1] = dense[i];
  }
  SAM_TRY(sam_set_dims(ctx, out, n, shape));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  sam_strided_plan(&m->plan, sam_move_size(in->type), 2 * n, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_tile = {
    .name = "TILE",
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = tile_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

static sam_status broadcast_to_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int64_t dims[SAM_MAX_RANK], whole[SAM_MAX_RANK], dense[SAM_MAX_RANK], strides[SAM_MAX_RANK];
  int32_t n;
  SAM_TRY(sam_check_same_type(ctx, out, in));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], SAM_MAX_RANK, dims, &n));
  if (n < in->rank) return sam_fail(ctx, SAM_INVALID_MODEL, "shape has %d dimensions, input has %d", n, in->rank);
  sam_dims64(in, whole);
  sam_dense_strides(in->rank, whole, dense);
  for (int32_t i = 0; i < n; i++) {
    int32_t d = i - (n - in->rank);
    if (d >= 0 && whole[d] != 1 && whole[d] != dims[i])
      return sam_fail(ctx, SAM_INVALID_MODEL, "dimension %d has %lld elements, cannot become %lld", d,
                      (long long)whole[d], (long long)dims[i]);
    strides[i] = d < 0 || whole[d] == 1 ? 0 : dense[d];
  }
  SAM_TRY(sam_set_dims(ctx, out, n, dims));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  sam_strided_plan(&m->plan, sam_move_size(in->type), n, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_broadcast_to = {
    .name = "BROADCAST_TO",
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = broadcast_to_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

static sam_status broadcast_args_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1];
  SAM_TRY(sam_check_rank(ctx, a, 1, 1));
  SAM_TRY(sam_check_rank(ctx, b, 1, 1));
  SAM_TRY(sam_check_same_type(ctx, b, a));
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], a));
  int32_t n = a->dims[0] > b->dims[0] ? a->dims[0] : b->dims[0];
  return sam_set_shape(ctx, node->outputs[0], 1, &n);
}

static sam_status broadcast_args_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *a = node->inputs[0], *b = node->inputs[1];
  sam_tensor *out = node->outputs[0];
  int64_t n = out->dims[0];
  for (int64_t i = 0; i < n; i++) {
    int64_t at_a = i - (n - a->dims[0]), at_b = i - (n - b->dims[0]);
    int64_t x = at_a < 0 ? 1 : sam_index_at(a, at_a), y = at_b < 0 ? 1 : sam_index_at(b, at_b);
    if (x != y && x != 1 && y != 1)
      return sam_fail(ctx, SAM_DATA, "%lld and %lld of dimension %lld do not broadcast", (long long)x, (long long)y,
                      (long long)i);
    int64_t v = x == 1 ? y : x;
    if (out->type == SAM_INT64)
      ((int64_t *)out->data)[i] = v;
    else
      ((int32_t *)out->data)[i] = (int32_t)v;
  }
  return SAM_OK;
}

const sam_op sam_op_broadcast_args = {
    .name = "BROADCAST_ARGS",
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = broadcast_args_prepare,
    .eval = {[SAM_INT32] = broadcast_args_eval, [SAM_INT64] = broadcast_args_eval},
};
