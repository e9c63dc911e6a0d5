/* CONCATENATION and PACK write blocks of several inputs side by side; UNPACK, SPLIT and SPLIT_V read them apart.
 *
 *     outer x [ part 0 | part 1 | … ]      a part is a dense run of part.elements in the joined tensor
 */
#include <math.h>
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

typedef struct {
  int64_t elements; /* per outer index */
  int64_t at;       /* elements before it in the joined row */
  bool scaled;      /* uint8 of another scale */
  float scale, bias;
} part;

typedef struct {
  int64_t outer, row; /* row: elements of the joined tensor per outer index */
  int32_t n, size;
  int64_t widest; /* elements of the biggest part tensor: scratch of packed types */
  part parts[];
} joint;

static joint *joint_new(sam_ctx *ctx, sam_node *node, int32_t n, const sam_tensor *joined, int32_t axis) {
  joint *j = sam_alloc(ctx, sizeof(joint) + (size_t)n * sizeof(part));
  if (!j) return NULL;
  node->state = j;
  j->n = n;
  j->size = sam_move_size(joined->type);
  j->outer = sam_span(joined, 0, axis);
  j->row = sam_span(joined, axis, joined->rank);
  return j;
}

/* Lays the parts out; `tensors` are the separate ones. */
static sam_status joint_layout(sam_ctx *ctx, joint *j, sam_tensor *const *tensors, const sam_tensor *joined) {
  int64_t at = 0;
  for (int32_t i = 0; i < j->n; i++) {
    j->parts[i].elements = j->outer > 0 ? sam_elements(tensors[i]) / j->outer : 0;
    j->parts[i].at = at;
    at += j->parts[i].elements;
    if (sam_elements(tensors[i]) > j->widest) j->widest = sam_elements(tensors[i]);
  }
  return sam_is_packed(joined->type) ? sam_scratch(ctx, (size_t)(sam_elements(joined) + j->widest)) : SAM_OK;
}

typedef struct {
  const joint *j;
  char *joined;
  sam_tensor *const *tensors;
  int32_t zero_point;
  bool apart; /* joined -> tensors */
} joint_job;

static void rescale(uint8_t *dst, const uint8_t *src, int64_t n, const part *p, int32_t zero_point) {
  for (int64_t i = 0; i < n; i++) {
    float v = roundf((float)src[i] * p->scale + p->bias) + (float)zero_point;
    dst[i] = v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
  }
}

/* As many rows at a time as stay in the first cache while the parts take turns. */
static void joint_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  enum { TILE = 1 << 14 };
  const joint_job *job = arg;
  const joint *j = job->j;
  const int64_t row = j->row * j->size, tile = row < TILE ? TILE / row : 1;
  for (int64_t o = begin; o < end; o += tile) {
    const int64_t rows = end - o < tile ? end - o : tile;
    for (int32_t i = 0; i < j->n; i++) {
      const part *p = &j->parts[i];
      const int64_t bytes = p->elements * j->size;
      if (bytes == 0) continue;
      char *whole = job->joined + o * row + p->at * j->size, *single = (char *)job->tensors[i]->data + o * bytes;
      if (p->scaled) {
        for (int64_t r = 0; r < rows; r++)
          rescale((uint8_t *)whole + r * row, (uint8_t *)single + r * bytes, bytes, p, job->zero_point);
      } else if (job->apart) {
        sam_uk.move->rows(single, bytes, whole, row, bytes, rows);
      } else {
        sam_uk.move->rows(whole, row, single, bytes, bytes, rows);
      }
    }
  }
}

static sam_status join_eval(sam_ctx *ctx, sam_node *node) {
  const joint *j = node->state;
  sam_tensor *out = node->outputs[0];
  if (sam_elements(out) == 0) return SAM_OK;
  if (sam_is_packed(out->type)) {
    char *whole = node->scratch, *single = whole + sam_elements(out);
    for (int32_t i = 0; i < j->n; i++) {
      const part *p = &j->parts[i];
      sam_spread(single, node->inputs[i]->data, out->type, p->elements * j->outer);
      for (int64_t o = 0; o < j->outer; o++)
        memcpy(whole + o * j->row + p->at, single + o * p->elements, (size_t)p->elements);
    }
    sam_squeeze_bits(out->data, whole, out->type, sam_elements(out));
    return SAM_OK;
  }
  joint_job job = {j, out->data, node->inputs, out->quant->count ? out->quant->zero_point[0] : 0, false};
  if (j->outer == 1) { /* few big blocks: share each one */
    for (int32_t i = 0; i < j->n; i++)
      if (!j->parts[i].scaled)
        sam_copy(ctx, job.joined + j->parts[i].at * j->size, node->inputs[i]->data,
                 (size_t)(j->parts[i].elements * j->size));
      else
        rescale((uint8_t *)job.joined + j->parts[i].at, node->inputs[i]->data, j->parts[i].elements, &j->parts[i],
                job.zero_point);
    return SAM_OK;
  }
  sam_parallel(ctx, j->outer, 8 * j->n + j->row * j->size / 16, joint_rows, &job);
  return SAM_OK;
}

static sam_status apart_eval(sam_ctx *ctx, sam_node *node) {
  const joint *j = node->state;
  const sam_tensor *in = node->inputs[node->op->key];
  if (sam_elements(in) == 0) return SAM_OK;
  if (sam_is_packed(in->type)) {
    char *whole = node->scratch, *single = whole + sam_elements(in);
    sam_spread(whole, in->data, in->type, sam_elements(in));
    for (int32_t i = 0; i < j->n; i++) {
      const part *p = &j->parts[i];
      for (int64_t o = 0; o < j->outer; o++)
        memcpy(single + o * p->elements, whole + o * j->row + p->at, (size_t)p->elements);
      sam_squeeze_bits(node->outputs[i]->data, single, in->type, p->elements * j->outer);
    }
    return SAM_OK;
  }
  joint_job job = {j, in->data, node->outputs, 0, true};
  sam_parallel(ctx, j->outer, 8 * j->n + j->row * j->size / 16, joint_rows, &job);
  return SAM_OK;
}

/* ---- CONCATENATION ---------------------------------------------------------------------------------------------- */

static sam_status concat_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_concatenation_options *options = node->options;
  const sam_tensor *first = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  if (options->fused_activation_function != SAM_ACTIVATION_NONE)
    return sam_fail(ctx, SAM_UNSUPPORTED, "fused activation %d, must be NONE", options->fused_activation_function);
  int32_t axis;
  int64_t dims[SAM_MAX_RANK];
  SAM_TRY(sam_check_same_type(ctx, out, first));
  if (first->rank == 0) return sam_fail(ctx, SAM_INVALID_MODEL, "inputs are scalars, must have an axis to join along");
  SAM_TRY(sam_normalize_axis(ctx, options->axis, first->rank, &axis));
  sam_dims64(first, dims);
  for (int32_t i = 1; i < node->n_inputs; i++) {
    const sam_tensor *t = node->inputs[i];
    SAM_TRY(sam_check_same_type(ctx, t, first));
    if (t->rank != first->rank)
      return sam_fail(ctx, SAM_INVALID_MODEL, "input %d has %d dimensions, input 0 has %d", i, t->rank, first->rank);
    for (int32_t d = 0; d < t->rank; d++)
      if (d != axis && t->dims[d] != first->dims[d])
        return sam_fail(ctx, SAM_INVALID_MODEL, "input %d has %d elements in dimension %d, input 0 has %d", i,
                        t->dims[d], d, first->dims[d]);
    dims[axis] += t->dims[axis];
  }
  SAM_TRY(sam_set_dims(ctx, out, first->rank, dims));
  joint *j = joint_new(ctx, node, node->n_inputs, out, axis);
  if (!j) return SAM_OUT_OF_MEMORY;
  SAM_TRY(joint_layout(ctx, j, node->inputs, out));
  if (first->type != SAM_UINT8 && first->type != SAM_INT8) return SAM_OK;
  for (int32_t i = 0; i < node->n_inputs; i++) {
    const sam_quant *from = node->inputs[i]->quant, *to = out->quant;
    if (from->count == 0 && to->count == 0) continue;
    if (first->type == SAM_INT8) {
      SAM_TRY(sam_check_same_quant(ctx, node->inputs[i], out));
      continue;
    }
    SAM_TRY(sam_check_quant(ctx, node->inputs[i]));
    SAM_TRY(sam_check_quant(ctx, out));
    part *p = &j->parts[i];
    if (from->scale[0] == to->scale[0] && from->zero_point[0] == to->zero_point[0]) continue;
    p->scaled = true;
    p->scale = from->scale[0] * (1.0f / to->scale[0]);
    p->bias = (float)-from->zero_point[0] * p->scale;
  }
  return SAM_OK;
}

const sam_op sam_op_concatenation = {
    .name = "CONCATENATION",
    .options = SAM_OPTIONS_CONCATENATION,
    .max_version = 7,
    .min_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = SAM_OP_VARIADIC,
    .prepare = concat_prepare,
    .eval = {SAM_EVAL_BYTES(join_eval), SAM_EVAL_PACKED(join_eval)},
};

/* ---- PACK, UNPACK ----------------------------------------------------------------------------------------------- */

static sam_status pack_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_pack_options *options = node->options;
  const sam_tensor *first = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  if (options->values_count != node->n_inputs)
    return sam_fail(ctx, SAM_INVALID_MODEL, "values_count is %d, there are %d inputs", options->values_count,
                    node->n_inputs);
  int32_t axis;
  SAM_TRY(sam_check_same_type(ctx, out, first));
  SAM_TRY(sam_normalize_axis(ctx, options->axis, first->rank + 1, &axis));
  for (int32_t i = 1; i < node->n_inputs; i++) {
    SAM_TRY(sam_check_same_type(ctx, node->inputs[i], first));
    if (!sam_same_shape(node->inputs[i], first))
      return sam_fail(ctx, SAM_INVALID_MODEL, "input %d has another shape than input 0", i);
  }
  int64_t dims[SAM_MAX_RANK + 1];
  for (int32_t i = 0; i <= first->rank; i++) dims[i] = i == axis ? node->n_inputs : first->dims[i - (i > axis)];
  SAM_TRY(sam_set_dims(ctx, out, first->rank + 1, dims));
  joint *j = joint_new(ctx, node, node->n_inputs, out, axis);
  if (!j) return SAM_OUT_OF_MEMORY;
  return joint_layout(ctx, j, node->inputs, out);
}

const sam_op sam_op_pack = {
    .name = "PACK",
    .options = SAM_OPTIONS_PACK,
    .max_version = 5,
    .min_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = SAM_OP_VARIADIC,
    .prepare = pack_prepare,
    .eval = {SAM_EVAL_BYTES(join_eval), SAM_EVAL_PACKED(join_eval)},
};

static sam_status unpack_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_unpack_options *options = node->options;
  const sam_tensor *in = node->inputs[0];
  int32_t axis, dims[SAM_MAX_RANK], rank = 0;
  if (in->rank == 0) return sam_fail(ctx, SAM_INVALID_MODEL, "input is a scalar, must have an axis to take apart");
  SAM_TRY(sam_normalize_axis(ctx, options->axis, in->rank, &axis));
  if (options->num != node->n_outputs || in->dims[axis] != node->n_outputs)
    return sam_fail(ctx, SAM_INVALID_MODEL, "num is %d, dimension %d has %d elements, there are %d outputs",
                    options->num, axis, in->dims[axis], node->n_outputs);
  for (int32_t i = 0; i < in->rank; i++)
    if (i != axis) dims[rank++] = in->dims[i];
  for (int32_t i = 0; i < node->n_outputs; i++) {
    SAM_TRY(sam_check_same_type(ctx, node->outputs[i], in));
    SAM_TRY(sam_set_shape(ctx, node->outputs[i], rank, dims));
  }
  joint *j = joint_new(ctx, node, node->n_outputs, in, axis);
  if (!j) return SAM_OUT_OF_MEMORY;
  return joint_layout(ctx, j, node->outputs, in);
}

const sam_op sam_op_unpack = {
    .name = "UNPACK",
    .options = SAM_OPTIONS_UNPACK,
    .max_version = 6,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = -1,
    .prepare = unpack_prepare,
    .eval = {SAM_EVAL_BYTES(apart_eval), SAM_EVAL_PACKED(apart_eval)},
};

/* ---- SPLIT, SPLIT_V --------------------------------------------------------------------------------------------- */

/* `sizes` NULL: equal parts. */
static sam_status split(sam_ctx *ctx, sam_node *node, const sam_tensor *in, int32_t axis, const int64_t *sizes) {
  int64_t dims[SAM_MAX_RANK];
  sam_dims64(in, dims);
  for (int32_t i = 0; i < node->n_outputs; i++) {
    SAM_TRY(sam_check_same_type(ctx, node->outputs[i], in));
    dims[axis] = sizes ? sizes[i] : in->dims[axis] / node->n_outputs;
    SAM_TRY(sam_set_dims(ctx, node->outputs[i], in->rank, dims));
  }
  joint *j = joint_new(ctx, node, node->n_outputs, in, axis);
  if (!j) return SAM_OUT_OF_MEMORY;
  return joint_layout(ctx, j, node->outputs, in);
}

static sam_status split_axis(sam_ctx *ctx, sam_node *node, int32_t from, const sam_tensor *in, int32_t num_splits,
                             int32_t *axis) {
  int64_t value;
  if (num_splits != node->n_outputs)
    return sam_fail(ctx, SAM_INVALID_MODEL, "num_splits is %d, there are %d outputs", num_splits, node->n_outputs);
  SAM_TRY(sam_read_int(ctx, node->inputs[from], &value));
  return sam_normalize_axis(ctx, value, in->rank, axis);
}

static sam_status split_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[1];
  int32_t axis;
  if (!sam_is_known(node->inputs[0])) return sam_need_data(ctx, 0);
  SAM_TRY(split_axis(ctx, node, 0, in, ((const sam_split_options *)node->options)->num_splits, &axis));
  if (in->dims[axis] % node->n_outputs != 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "dimension %d has %d elements, cannot be split in %d", axis, in->dims[axis],
                    node->n_outputs);
  return split(ctx, node, in, axis, NULL);
}

const sam_op sam_op_split = {
    .name = "SPLIT",
    .options = SAM_OPTIONS_SPLIT,
    .max_version = 5,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = -1,
    .key = 1,
    .prepare = split_prepare,
    .eval = {SAM_EVAL_BYTES(apart_eval), SAM_EVAL_PACKED(apart_eval)},
};

static sam_status split_v_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *lengths = node->inputs[1];
  int32_t axis, rest = -1, n = node->n_outputs;
  for (int32_t i = 1; i < 3; i++)
    if (!sam_is_known(node->inputs[i])) return sam_need_data(ctx, i);
  SAM_TRY(split_axis(ctx, node, 2, in, ((const sam_split_v_options *)node->options)->num_splits, &axis));
  SAM_TRY(sam_check_index_type(ctx, lengths, false));
  if (lengths->rank != 1 || lengths->dims[0] != n)
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %lld sizes for %d outputs", (long long)sam_elements(lengths), n);
  int64_t *sizes = sam_alloc(ctx, (size_t)n * sizeof *sizes), total = 0;
  if (!sizes) return SAM_OUT_OF_MEMORY;
  for (int32_t i = 0; i < n; i++) {
    sizes[i] = sam_index_at(lengths, i);
    if (sizes[i] == -1 && rest < 0) {
      rest = i;
    } else if (sizes[i] < 0 || sizes[i] > in->dims[axis]) {
      return sam_fail(ctx, SAM_INVALID_MODEL, "size %d is %lld, dimension %d has %d elements", i, (long long)sizes[i],
                      axis, in->dims[axis]);
    } else {
      total += sizes[i];
    }
  }
  if (rest >= 0 ? total > in->dims[axis] : total != in->dims[axis])
    return sam_fail(ctx, SAM_INVALID_MODEL, "sizes add up to %lld, dimension %d has %d elements", (long long)total,
                    axis, in->dims[axis]);
  if (rest >= 0) sizes[rest] = in->dims[axis] - total;
  return split(ctx, node, in, axis, sizes);
}

const sam_op sam_op_split_v = {
    .name = "SPLIT_V",
    .options = SAM_OPTIONS_SPLIT_V,
    .max_version = 3,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = -1,
    .prepare = split_v_prepare,
    .eval = {SAM_EVAL_BYTES(apart_eval), SAM_EVAL_PACKED(apart_eval)},
};
