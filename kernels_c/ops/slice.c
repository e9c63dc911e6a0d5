/* SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE, REVERSE_V2, REVERSE_SEQUENCE: rectangles of a tensor. */
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

/* ---- SLICE ------------------------------------------------------------------------------------------------------ */

static sam_status slice_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int64_t value[2][SAM_MAX_RANK], dims[SAM_MAX_RANK], strides[SAM_MAX_RANK];
  SAM_TRY(sam_check_same_type(ctx, out, in));
  for (int32_t i = 1; i <= 2; i++) {
    int32_t n;
    if (!sam_is_known(node->inputs[i])) return sam_need_data(ctx, i);
    SAM_TRY(sam_read_ints(ctx, node->inputs[i], SAM_MAX_RANK, value[i - 1], &n));
    if (n != in->rank)
      return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has %d values, input has %d dimensions", node->inputs[i]->name, n,
                      in->rank);
  }
  sam_dims64(in, dims);
  sam_dense_strides(in->rank, dims, strides);
  int64_t offset = 0;
  for (int32_t i = 0; i < in->rank; i++) {
    int64_t begin = value[0][i], size = value[1][i], whole = dims[i];
    if (begin < 0 || begin > whole || size < -1 || (size >= 0 && size > whole - begin))
      return sam_fail(ctx, SAM_INVALID_MODEL, "begin %lld and size %lld leave dimension %d of %lld elements",
                      (long long)begin, (long long)size, i, (long long)whole);
    dims[i] = size == -1 ? whole - begin : size;
    offset += begin * strides[i];
  }
  SAM_TRY(sam_set_dims(ctx, out, in->rank, dims));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  m->offset = offset;
  sam_strided_plan(&m->plan, sam_move_size(in->type), in->rank, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_slice = {
    .name = "SLICE",
    .max_version = 8,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = slice_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

/* ---- STRIDED_SLICE ---------------------------------------------------------------------------------------------- */

/* One index expression a[begin:end:stride] on a dimension of `whole` elements: where it starts, how many it takes. */
typedef struct {
  int64_t start, count;
} range;

static range resolve(int64_t begin, int64_t end, int64_t stride, int64_t whole, bool any_begin, bool any_end,
                     bool relative) {
  int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? whole : whole - 1;
  if (any_begin) {
    begin = stride > 0 ? low : high;
  } else {
    if (begin < 0) begin += whole;
    begin = begin < low ? low : begin > high ? high : begin;
  }
  if (any_end) {
    end = stride > 0 ? high : low;
  } else {
    if (relative)
      end += begin;
    else if (end < 0)
      end += whole;
    end = end < low ? low : end > high ? high : end;
  }
  int64_t reach = stride > 0 ? end - begin : begin - end, step = stride > 0 ? stride : -stride;
  return (range){begin, reach > 0 ? (reach + step - 1) / step : 0};
}

static sam_status strided_slice_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  const sam_strided_slice_options *o = node->options;
  enum { MAX = 2 * SAM_MAX_RANK };
  int64_t value[3][MAX];
  int32_t n = 0;
  SAM_TRY(sam_check_same_type(ctx, out, in));
  for (int32_t i = 0; i < 3; i++) {
    int32_t count;
    if (!sam_is_known(node->inputs[i + 1])) return sam_need_data(ctx, i + 1);
    SAM_TRY(sam_read_ints(ctx, node->inputs[i + 1], MAX, value[i], &count));
    if (i > 0 && count != n)
      return sam_fail(ctx, SAM_INVALID_MODEL, "begin has %d values, %s has %d", n, i == 1 ? "end" : "strides", count);
    n = count;
  }
  /* How many index expressions take a dimension of the input; an ellipsis takes those that are left. */
  int32_t ellipsis = -1, taken = 0;
  for (int32_t i = 0; i < n; i++) {
    if (o->ellipsis_mask >> i & 1) {
      if (ellipsis >= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "two ellipses, at %d and %d", ellipsis, i);
      ellipsis = i;
    } else if (!(o->new_axis_mask >> i & 1)) {
      taken++;
    }
  }
  if (taken > in->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%d dimensions are indexed, input has %d", taken, in->rank);
  int32_t rest = in->rank - taken; /* dimensions the ellipsis, or the missing tail, leaves whole */
  int64_t dims[SAM_STRIDED_RANK + MAX], strides[SAM_STRIDED_RANK + MAX], whole[SAM_MAX_RANK], dense[SAM_MAX_RANK];
  int64_t offset = 0;
  int32_t rank = 0, d = 0;
  sam_dims64(in, whole);
  sam_dense_strides(in->rank, whole, dense);
  for (int32_t i = 0; i <= n; i++) {
    if (i == ellipsis || (i == n && ellipsis < 0)) {
      for (int32_t k = 0; k < rest; k++, d++) dims[rank] = whole[d], strides[rank++] = dense[d];
      continue;
    }
    if (i == n) break;
    if (o->new_axis_mask >> i & 1) {
      dims[rank] = 1, strides[rank++] = 0;
      continue;
    }
    int64_t begin = value[0][i], end = value[1][i], stride = value[2][i];
    if (stride == 0 || stride < -INT32_MAX || stride > INT32_MAX)
      return sam_fail(ctx, SAM_INVALID_MODEL, "stride %d is %lld", i, (long long)stride);
    if (begin < INT32_MIN || begin > INT32_MAX) begin = begin < 0 ? INT32_MIN : INT32_MAX;
    if (end < INT32_MIN || end > INT32_MAX) end = end < 0 ? INT32_MIN : INT32_MAX;
    if (o->shrink_axis_mask >> i & 1) {
      int64_t at = o->begin_mask >> i & 1 ? (stride > 0 ? 0 : whole[d] - 1) : begin < 0 ? begin + whole[d] : begin;
      if (at < 0 || at >= whole[d])
        return sam_fail(ctx, SAM_INVALID_MODEL, "index %lld is outside of dimension %d of %lld elements",
                        (long long)begin, d, (long long)whole[d]);
      offset += at * dense[d++];
      continue;
    }
    range r = resolve(begin, end, stride, whole[d], o->begin_mask >> i & 1, o->end_mask >> i & 1, o->offset);
    if (r.count > 0) offset += r.start * dense[d];
    dims[rank] = r.count, strides[rank++] = r.count > 1 ? stride * dense[d] : 0;
    d++;
  }
  SAM_TRY(sam_set_dims(ctx, out, rank, dims));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  m->offset = offset;
  sam_strided_plan(&m->plan, sam_move_size(in->type), rank, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_strided_slice = {
    .name = "STRIDED_SLICE",
    .options = SAM_OPTIONS_STRIDED_SLICE,
    .max_version = 8,
    .min_inputs = 4,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = strided_slice_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

/* ---- DYNAMIC_UPDATE_SLICE --------------------------------------------------------------------------------------- */

static sam_status dynamic_update_slice_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *update = node->inputs[1], *start = node->inputs[2];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_same_type(ctx, out, in));
  SAM_TRY(sam_check_same_type(ctx, update, in));
  SAM_TRY(sam_check_index_type(ctx, start, false));
  SAM_TRY(sam_check_rank(ctx, update, in->rank, in->rank));
  if (start->rank > 1 || sam_elements(start) != in->rank)
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %lld start indices, input has %d dimensions",
                    (long long)sam_elements(start), in->rank);
  int64_t dims[SAM_MAX_RANK], whole[SAM_MAX_RANK], to[SAM_MAX_RANK], from[SAM_MAX_RANK];
  sam_dims64(in, whole);
  sam_dims64(update, dims);
  for (int32_t i = 0; i < in->rank; i++)
    if (dims[i] > whole[i])
      return sam_fail(ctx, SAM_INVALID_MODEL, "update has %lld elements in dimension %d, input has %lld",
                      (long long)dims[i], i, (long long)whole[i]);
  sam_dense_strides(in->rank, whole, to);
  sam_dense_strides(in->rank, dims, from);
  sam_move *m = node->state = sam_alloc(ctx, sizeof *m);
  if (!m) return SAM_OUT_OF_MEMORY;
  sam_strided_plan(&m->plan, sam_move_size(in->type), in->rank, dims, to, from);
  if (sam_is_packed(in->type)) SAM_TRY(sam_scratch(ctx, (size_t)(sam_elements(in) + sam_elements(update))));
  return sam_set_shape_like(ctx, out, in);
}

static sam_status dynamic_update_slice_eval(sam_ctx *ctx, sam_node *node) {
  const sam_move *m = node->state;
  const sam_tensor *in = node->inputs[0], *update = node->inputs[1], *start = node->inputs[2];
  sam_tensor *out = node->outputs[0];
  int64_t offset = 0;
  for (int32_t i = 0; i < in->rank; i++) {
    int64_t at = sam_index_at(start, i), room = in->dims[i] - update->dims[i];
    at = at < 0 ? 0 : at > room ? room : at;
    offset = offset * in->dims[i] + at;
  }
  if (m->plan.kind == SAM_STRIDED_EMPTY) {
    sam_copy(ctx, out->data, in->data, in->bytes);
  } else if (sam_is_packed(in->type)) {
    char *whole = node->scratch, *piece = whole + sam_elements(in);
    sam_spread(whole, in->data, in->type, sam_elements(in));
    sam_spread(piece, update->data, in->type, sam_elements(update));
    sam_strided_run(ctx, &m->plan, whole + offset, piece);
    sam_squeeze_bits(out->data, whole, in->type, sam_elements(in));
  } else {
    sam_copy(ctx, out->data, in->data, in->bytes);
    sam_strided_run(ctx, &m->plan, (char *)out->data + offset * sam_move_size(in->type), update->data);
  }
  return SAM_OK;
}

const sam_op sam_op_dynamic_update_slice = {
    .name = "DYNAMIC_UPDATE_SLICE",
    .max_version = 6,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .inplace = 1,
    .prepare = dynamic_update_slice_prepare,
    .eval = {SAM_EVAL_BYTES(dynamic_update_slice_eval), SAM_EVAL_PACKED(dynamic_update_slice_eval)},
};

/* ---- REVERSE_V2, REVERSE_SEQUENCE ------------------------------------------------------------------------------- */

static sam_status reverse_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *out = node->outputs[0];
  int64_t axes[SAM_MAX_RANK], dims[SAM_MAX_RANK], strides[SAM_MAX_RANK];
  int32_t n;
  bool turned[SAM_MAX_RANK] = {false};
  SAM_TRY(sam_check_same_type(ctx, out, in));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_ints(ctx, node->inputs[1], SAM_MAX_RANK, axes, &n));
  SAM_TRY(sam_set_shape_like(ctx, out, in));
  sam_move *m = sam_move_new(ctx, node, in, out);
  if (!m) return SAM_OUT_OF_MEMORY;
  sam_dims64(in, dims);
  sam_dense_strides(in->rank, dims, strides);
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    SAM_TRY(sam_normalize_axis(ctx, axes[i], in->rank, &axis));
    if (turned[axis]) return sam_fail(ctx, SAM_INVALID_MODEL, "dimension %d is to be reversed twice", axis);
    turned[axis] = true;
    m->offset += dims[axis] > 0 ? (dims[axis] - 1) * strides[axis] : 0;
    strides[axis] = -strides[axis];
  }
  sam_strided_plan(&m->plan, sam_move_size(in->type), in->rank, dims, NULL, strides);
  return SAM_OK;
}

const sam_op sam_op_reverse_v2 = {
    .name = "REVERSE_V2",
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = reverse_prepare,
    .eval = {SAM_EVAL_BYTES(sam_move_eval), SAM_EVAL_PACKED(sam_move_eval), [SAM_STRING] = sam_move_strings},
};

/* The tensor as [a][first][b][second][c], where {first, second} = {batch, sequence} in either order. */
typedef struct {
  int64_t a, first, b, second, inner;
  bool batch_first;
} sequence;

static sam_status reverse_sequence_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0], *lengths = node->inputs[1];
  const sam_reverse_sequence_options *o = node->options;
  int32_t batch, seq;
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], in));
  SAM_TRY(sam_check_index_type(ctx, lengths, false));
  SAM_TRY(sam_normalize_axis(ctx, o->batch_dim, in->rank, &batch));
  SAM_TRY(sam_normalize_axis(ctx, o->seq_dim, in->rank, &seq));
  if (batch == seq) return sam_fail(ctx, SAM_INVALID_MODEL, "batch_dim and seq_dim are both %d", batch);
  if (lengths->rank != 1 || lengths->dims[0] != in->dims[batch])
    return sam_fail(ctx, SAM_INVALID_MODEL, "there are %lld lengths, the batch has %d elements",
                    (long long)sam_elements(lengths), in->dims[batch]);
  sequence *s = node->state = sam_alloc(ctx, sizeof *s);
  if (!s) return SAM_OUT_OF_MEMORY;
  int32_t low = batch < seq ? batch : seq, high = batch < seq ? seq : batch;
  s->a = sam_span(in, 0, low);
  s->first = in->dims[low];
  s->b = sam_span(in, low + 1, high);
  s->second = in->dims[high];
  s->inner = sam_span(in, high + 1, in->rank) * sam_move_size(in->type);
  s->batch_first = batch < seq;
  return sam_set_shape_like(ctx, node->outputs[0], in);
}

static sam_status reverse_sequence_eval(sam_ctx *ctx, sam_node *node) {
  const sequence *s = node->state;
  const sam_tensor *lengths = node->inputs[1];
  const char *in = node->inputs[0]->data;
  char *out = node->outputs[0]->data;
  int64_t batches = s->batch_first ? s->first : s->second, steps = s->batch_first ? s->second : s->first;
  for (int64_t i = 0; i < batches; i++) {
    int64_t n = sam_index_at(lengths, i);
    if (n < 0 || n > steps)
      return sam_fail(ctx, SAM_DATA, "length %lld of sequence %lld is outside of 0..%lld", (long long)n, (long long)i,
                      (long long)steps);
  }
  const int64_t inner = s->inner, side = s->b * s->second * inner;
  const int64_t step = s->batch_first ? inner : side, batch = s->batch_first ? side : inner;
  for (int64_t a = 0; a < s->a && inner > 0; a++)
    for (int64_t i = 0; i < batches; i++)
      for (int64_t b = 0; b < s->b; b++) {
        const int64_t at = a * s->first * side + i * batch + b * s->second * inner, n = sam_index_at(lengths, i);
        if (n > 0) sam_uk.move->rows(out + at, step, in + at + (n - 1) * step, -step, inner, n);
        sam_uk.move->rows(out + at + n * step, step, in + at + n * step, step, inner, steps - n);
      }
  return SAM_OK;
}

const sam_op sam_op_reverse_sequence = {
    .name = "REVERSE_SEQUENCE",
    .options = SAM_OPTIONS_REVERSE_SEQUENCE,
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = reverse_sequence_prepare,
    .eval = {SAM_EVAL_BYTES(reverse_sequence_eval)},
};
