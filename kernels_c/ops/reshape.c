/* RESHAPE, SQUEEZE, EXPAND_DIMS, BITCAST: the same bytes under another shape (the plan may let input and output share
 * memory; eval then finds nothing to copy). SHAPE and RANK: the shape itself as data. */
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"

static sam_status copy_eval(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  sam_copy(ctx, out->data, in->data, in->bytes < out->bytes ? in->bytes : out->bytes);
  return SAM_OK;
}

static sam_status copy_strings_eval(sam_ctx *ctx, sam_node *node) {
  return sam_copy_strings(ctx, node->outputs[0], node->inputs[0]);
}

#define COPY_EVERY_TYPE SAM_EVAL_BYTES(copy_eval), SAM_EVAL_PACKED(copy_eval), [SAM_STRING] = copy_strings_eval
#define EVERY_TYPE(fn) SAM_EVAL_BYTES(fn), SAM_EVAL_PACKED(fn), [SAM_STRING] = fn

/* ---- RESHAPE ---------------------------------------------------------------------------------------------------- */

static sam_status reshape_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *shape = node->n_inputs > 1 ? node->inputs[1] : NULL;
  sam_tensor *out = node->outputs[0];
  const sam_reshape_options *options = node->options;
  SAM_TRY(sam_check_same_type(ctx, out, in));
  int64_t dims[SAM_MAX_RANK];
  int32_t rank = 0;
  if (shape && (shape->rank == 1 || !options || options->new_shape.count == 0)) {
    if (!sam_is_known(shape)) return sam_need_data(ctx, 1);
    SAM_TRY(sam_read_ints(ctx, shape, SAM_MAX_RANK, dims, &rank));
  } else if (options) {
    rank = options->new_shape.count;
    if (rank > SAM_MAX_RANK)
      return sam_fail(ctx, SAM_UNSUPPORTED, "new shape has %d dimensions, the limit is %d", rank, SAM_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) dims[i] = options->new_shape.data[i];
    if (rank == 1 && dims[0] == 0) rank = 0; /* how old files write a scalar */
  }
  int64_t have = sam_elements(in), others = 1;
  int32_t stretch = -1;
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] == -1) {
      if (stretch >= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "new shape has two dimensions of -1");
      stretch = i;
    } else if (dims[i] < 0 || dims[i] > INT32_MAX) {
      return sam_fail(ctx, SAM_INVALID_MODEL, "new shape has dimension %lld", (long long)dims[i]);
    } else if (dims[i] > 0 && others > INT64_MAX / dims[i]) {
      return sam_fail(ctx, SAM_INVALID_MODEL, "new shape has too many elements");
    } else {
      others *= dims[i];
    }
  }
  if (stretch >= 0) dims[stretch] = others > 0 ? have / others : 0;
  if ((stretch >= 0 ? others * dims[stretch] : others) != have)
    return sam_fail(ctx, SAM_INVALID_MODEL, "new shape has %lld elements%s, input has %lld", (long long)others,
                    stretch >= 0 ? " without its -1" : "", (long long)have);
  return sam_set_dims(ctx, out, rank, dims);
}

const sam_op sam_op_reshape = {
    .name = "RESHAPE",
    .options = SAM_OPTIONS_RESHAPE,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 2,
    .inplace = 1,
    .flags = SAM_OP_VIEW,
    .prepare = reshape_prepare,
    .eval = {COPY_EVERY_TYPE},
};

/* ---- SQUEEZE, EXPAND_DIMS --------------------------------------------------------------------------------------- */

static sam_status squeeze_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  const sam_squeeze_options *options = node->options;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  int32_t n = options ? options->squeeze_dims.count : 0, rank = 0;
  bool gone[SAM_MAX_RANK] = {false};
  for (int32_t i = 0; i < in->rank && n == 0; i++) gone[i] = in->dims[i] == 1;
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    SAM_TRY(sam_normalize_axis(ctx, options->squeeze_dims.data[i], in->rank, &axis));
    if (in->dims[axis] != 1)
      return sam_fail(ctx, SAM_INVALID_MODEL, "dimension %d to squeeze has %d elements, must have 1", axis,
                      in->dims[axis]);
    gone[axis] = true;
  }
  int32_t dims[SAM_MAX_RANK];
  for (int32_t i = 0; i < in->rank; i++)
    if (!gone[i]) dims[rank++] = in->dims[i];
  return sam_set_shape(ctx, node->outputs[0], rank, dims);
}

const sam_op sam_op_squeeze = {
    .name = "SQUEEZE",
    .options = SAM_OPTIONS_SQUEEZE,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .flags = SAM_OP_VIEW,
    .prepare = squeeze_prepare,
    .eval = {COPY_EVERY_TYPE},
};

static sam_status expand_dims_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  int64_t value;
  int32_t axis, dims[SAM_MAX_RANK + 1];
  SAM_TRY(sam_read_int(ctx, node->inputs[1], &value));
  SAM_TRY(sam_normalize_axis(ctx, value, in->rank + 1, &axis));
  if (in->rank == SAM_MAX_RANK)
    return sam_fail(ctx, SAM_UNSUPPORTED, "output would have %d dimensions, the limit is %d", in->rank + 1,
                    SAM_MAX_RANK);
  for (int32_t i = 0; i <= in->rank; i++) dims[i] = i == axis ? 1 : in->dims[i - (i > axis)];
  return sam_set_shape(ctx, node->outputs[0], in->rank + 1, dims);
}

const sam_op sam_op_expand_dims = {
    .name = "EXPAND_DIMS",
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .flags = SAM_OP_VIEW,
    .prepare = expand_dims_prepare,
    .eval = {COPY_EVERY_TYPE},
};

/* ---- BITCAST ---------------------------------------------------------------------------------------------------- */

static sam_status bitcast_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int from = sam_type_bits(in->type), to = sam_type_bits(out->type);
  if (from == 0 || to == 0)
    return sam_fail(ctx, SAM_UNSUPPORTED, "cannot see the bits of %s as %s", sam_type_name(in->type),
                    sam_type_name(out->type));
  if (from == to) return sam_set_shape_like(ctx, out, in);
  int32_t dims[SAM_MAX_RANK], rank = in->rank;
  memcpy(dims, in->dims, sizeof dims);
  if (from > to) {
    if (rank == SAM_MAX_RANK)
      return sam_fail(ctx, SAM_UNSUPPORTED, "output would have %d dimensions, the limit is %d", rank + 1, SAM_MAX_RANK);
    dims[rank++] = from / to;
  } else {
    if (rank == 0 || dims[rank - 1] != to / from)
      return sam_fail(ctx, SAM_INVALID_MODEL, "last dimension of a %s input must be %d to become %s, it is %d",
                      sam_type_name(in->type), to / from, sam_type_name(out->type), rank ? dims[rank - 1] : 0);
    rank--;
  }
  return sam_set_shape(ctx, out, rank, dims);
}

const sam_op sam_op_bitcast = {
    .name = "BITCAST",
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .flags = SAM_OP_VIEW,
    .prepare = bitcast_prepare,
    .eval = {SAM_EVAL_BYTES(copy_eval), SAM_EVAL_PACKED(copy_eval)},
};

/* ---- SHAPE, RANK ------------------------------------------------------------------------------------------------ */

static sam_status shape_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_shape_options *options = node->options;
  sam_tensor *out = node->outputs[0];
  if (options && (options->out_type == SAM_INT32 || options->out_type == SAM_INT64))
    SAM_TRY(sam_check_type(ctx, out, (sam_type)options->out_type));
  SAM_TRY(sam_check_index_type(ctx, out, false));
  return sam_set_shape(ctx, out, 1, &node->inputs[0]->rank);
}

static sam_status shape_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  for (int32_t i = 0; i < in->rank; i++) {
    if (out->type == SAM_INT64)
      ((int64_t *)out->data)[i] = in->dims[i];
    else
      ((int32_t *)out->data)[i] = in->dims[i];
  }
  return SAM_OK;
}

const sam_op sam_op_shape = {
    .name = "SHAPE",
    .options = SAM_OPTIONS_SHAPE,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = SAM_OP_SHAPE_ONLY,
    .prepare = shape_prepare,
    .eval = {EVERY_TYPE(shape_eval)},
};

static sam_status rank_prepare(sam_ctx *ctx, sam_node *node) {
  SAM_TRY(sam_check_type(ctx, node->outputs[0], SAM_INT32));
  return sam_set_shape(ctx, node->outputs[0], 0, node->outputs[0]->dims);
}

static sam_status rank_eval(sam_ctx *ctx, sam_node *node) {
  (void)ctx;
  *(int32_t *)node->outputs[0]->data = node->inputs[0]->rank;
  return SAM_OK;
}

const sam_op sam_op_rank = {
    .name = "RANK",
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = SAM_OP_SHAPE_ONLY,
    .prepare = rank_prepare,
    .eval = {EVERY_TYPE(rank_eval)},
};
