/* SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: pixels change places, no value changes.
 *
 *      space to depth, block 2       A B          [A B C D]      one pixel with the four channels lists
 *                                    C D    <=>                  of a 2 x 2 block after one another
 *
 *      space to batch, block 2       A B                         four images, each of every second pixel
 *                                    C D    <=>   A  B  C  D     (with zeros around the image first, or a crop after)
 *
 * Only runs of channels are copied, so the element type matters only by its size. */
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"
#include "ukernels/ukernels.h"

static void copy_rows(uint8_t *to, int64_t to_step, const uint8_t *from, int64_t from_step, int64_t n, int64_t rows) {
  sam_uk.move->rows((char *)to, to_step, (const char *)from, from_step, n, rows);
}

/* ---- Depth ----------------------------------------------------------------------------------------------------------
 */

typedef struct depth_work {
  const uint8_t *in;
  uint8_t *out;
  int64_t width, block, run; /* of the tensor with fewer pixels; run: bytes of one pixel of the other tensor */
  bool to_depth;
} depth_work;

/* One row of the small tensor; it is `block` rows of the large one. */
static void depth_rows(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const depth_work *w = arg;
  const int64_t b = w->block, part = b * w->run, row_bytes = w->width * part;
  for (int64_t row = begin; row < end; row++)
    for (int64_t dy = 0; dy < b; dy++) {
      const int64_t large = (row * b + dy) * row_bytes, small = row * b * row_bytes + dy * part;
      if (w->to_depth)
        copy_rows(w->out + small, b * part, w->in + large, part, part, w->width);
      else
        copy_rows(w->out + large, part, w->in + small, b * part, part, w->width);
    }
}

static sam_status eval_depth(sam_ctx *ctx, sam_node *node, bool to_depth) {
  const sam_tensor *in = node->inputs[0], *out = node->outputs[0];
  if (sam_elements(in) == 0) return SAM_OK;
  const sam_tensor *small = to_depth ? out : in, *large = to_depth ? in : out;
  depth_work w = {in->data,
                  out->data,
                  small->dims[2],
                  large->dims[1] / small->dims[1],
                  (int64_t)large->dims[3] * (sam_type_bits(in->type) / 8),
                  to_depth};
  sam_parallel(ctx, (int64_t)small->dims[0] * small->dims[1], w.width * w.block * (8 + w.block * w.run / 16),
               depth_rows, &w);
  return SAM_OK;
}
static sam_status eval_to_depth(sam_ctx *ctx, sam_node *node) { return eval_depth(ctx, node, true); }
static sam_status eval_from_depth(sam_ctx *ctx, sam_node *node) { return eval_depth(ctx, node, false); }

static sam_status check_depth(sam_ctx *ctx, sam_node *node, int32_t block) {
  SAM_TRY(sam_check_rank(ctx, node->inputs[0], 4, 4));
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  SAM_TRY(sam_check_same_quant(ctx, node->inputs[0], node->outputs[0]));
  if (block <= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "block_size is %d, must be above 0", block);
  return SAM_OK;
}

static sam_status prepare_to_depth(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  const int32_t block = ((const sam_space_to_depth_options *)node->options)->block_size;
  SAM_TRY(check_depth(ctx, node, block));
  if (in->dims[1] % block || in->dims[2] % block)
    return sam_fail(ctx, SAM_INVALID_MODEL, "the input of %d x %d pixels does not divide by block_size %d", in->dims[1],
                    in->dims[2], block);
  int64_t depth = in->dims[3] == 0 ? 0 : (int64_t)block * block;
  if (in->dims[3] > 0 && depth > INT32_MAX / in->dims[3])
    return sam_fail(ctx, SAM_LIMIT, "%d channels times block_size %d squared is too large", in->dims[3], block);
  int32_t dims[4] = {in->dims[0], in->dims[1] / block, in->dims[2] / block, (int32_t)(depth * in->dims[3])};
  return sam_set_shape(ctx, node->outputs[0], 4, dims);
}

static sam_status prepare_from_depth(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  const int32_t block = ((const sam_depth_to_space_options *)node->options)->block_size;
  SAM_TRY(check_depth(ctx, node, block));
  int64_t square = (int64_t)block * block;
  if (in->dims[3] % square)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%d channels do not divide by block_size %d squared", in->dims[3], block);
  int64_t h = (int64_t)in->dims[1] * block, w = (int64_t)in->dims[2] * block;
  if (h > INT32_MAX || w > INT32_MAX)
    return sam_fail(ctx, SAM_LIMIT, "an output of %lld x %lld pixels is too large", (long long)h, (long long)w);
  int32_t dims[4] = {in->dims[0], (int32_t)h, (int32_t)w, (int32_t)(in->dims[3] / square)};
  return sam_set_shape(ctx, node->outputs[0], 4, dims);
}

/* ---- Batch ----------------------------------------------------------------------------------------------------------
 */

enum { MAX_BLOCKS = SAM_MAX_RANK - 1 };

/* For both directions: `many` is the tensor with more batches, `few` the other one. Pixel p (per axis) of image
 * k * few_batches + n of `many` is pixel p * block + offset(k) - shift of image n of `few`. */
typedef struct batch_plan {
  int32_t axes;
  int32_t block[MAX_BLOCKS], shift[MAX_BLOCKS];
  int32_t many[MAX_BLOCKS], few[MAX_BLOCKS];
  int64_t few_batches;
  int64_t run; /* bytes of what follows the blocked axes: the channels */
  uint8_t zero;
  bool to_batch;
} batch_plan;

typedef struct batch_work {
  const batch_plan *plan;
  const uint8_t *in;
  uint8_t *out;
} batch_work;

/* One line along the last blocked axis of `many`. */
static void batch_lines(void *arg, int64_t begin, int64_t end, int thread) {
  (void)thread;
  const batch_work *w = arg;
  const batch_plan *p = w->plan;
  const int32_t last = p->axes - 1;
  for (int64_t line = begin; line < end; line++) {
    int64_t rest = line, position[MAX_BLOCKS];
    for (int32_t a = last - 1; a >= 0; a--) position[a] = rest % p->many[a], rest /= p->many[a];
    int64_t n = rest % p->few_batches, k = rest / p->few_batches, first = 0;
    bool inside = true;
    int64_t offset = n, pitch = 1;
    for (int32_t a = last; a >= 0; a--) {
      int64_t o = k % p->block[a];
      k /= p->block[a];
      if (a == last) {
        first = o - p->shift[a];
        pitch = p->few[a];
        continue;
      }
      position[a] = position[a] * p->block[a] + o - p->shift[a];
      inside = inside && position[a] >= 0 && position[a] < p->few[a];
    }
    for (int32_t a = 0; a < last; a++) offset = offset * p->few[a] + position[a];
    offset *= pitch;
    /* Elements [begin_x, end_x) of the line lie inside. */
    const int64_t n_x = p->many[last], block = p->block[last], run = p->run;
    int64_t begin_x = first < 0 ? (-first + block - 1) / block : 0;
    int64_t end_x = first < p->few[last] ? (p->few[last] - first + block - 1) / block : 0;
    if (!inside || begin_x > n_x) begin_x = n_x;
    if (end_x > n_x) end_x = n_x;
    if (end_x < begin_x) end_x = begin_x;
    int64_t many = line * n_x * run;
    if (p->to_batch) {
      memset(w->out + many, p->zero, (size_t)(begin_x * run));
      memset(w->out + many + end_x * run, p->zero, (size_t)((n_x - end_x) * run));
    }
    many += begin_x * run;
    int64_t few = (offset + begin_x * block + first) * run;
    if (p->to_batch)
      copy_rows(w->out + many, run, w->in + few, block * run, run, end_x - begin_x);
    else
      copy_rows(w->out + few, block * run, w->in + many, run, run, end_x - begin_x);
  }
}

static sam_status eval_batch(sam_ctx *ctx, sam_node *node) {
  const batch_plan *p = node->state;
  const sam_tensor *many = p->to_batch ? node->outputs[0] : node->inputs[0];
  if (sam_elements(node->outputs[0]) == 0 || sam_elements(many) == 0) return SAM_OK;
  batch_work w = {p, node->inputs[0]->data, node->outputs[0]->data};
  sam_parallel(ctx, sam_span(many, 0, p->axes), (int64_t)p->many[p->axes - 1] * (10 + p->run / 16), batch_lines, &w);
  return SAM_OK;
}

static sam_status prepare_batch(sam_ctx *ctx, sam_node *node, bool to_batch) {
  const sam_tensor *in = node->inputs[0], *blocks = node->inputs[1], *borders = node->inputs[2];
  sam_tensor *out = node->outputs[0];
  SAM_TRY(sam_check_same_type(ctx, out, in));
  SAM_TRY(sam_check_same_quant(ctx, in, out));
  SAM_TRY(sam_check_type(ctx, blocks, SAM_INT32));
  SAM_TRY(sam_check_type(ctx, borders, SAM_INT32));
  SAM_TRY(sam_check_rank(ctx, in, 2, SAM_MAX_RANK));
  int64_t n = sam_elements(blocks);
  if (n < 1 || n >= in->rank || sam_elements(borders) != 2 * n)
    return sam_fail(ctx, SAM_INVALID_MODEL, "block_shape has %lld values, %s %lld; the input has rank %d", (long long)n,
                    to_batch ? "paddings" : "crops", (long long)sam_elements(borders), in->rank);
  if (!sam_is_known(blocks)) return sam_need_data(ctx, 1);
  if (!sam_is_known(borders)) return sam_need_data(ctx, 2);
  batch_plan *p = sam_alloc(ctx, sizeof *p);
  if (!p) return SAM_OUT_OF_MEMORY;
  node->state = p;
  p->axes = (int32_t)n;
  p->to_batch = to_batch;
  p->run = sam_span(in, 1 + p->axes, in->rank) * (sam_type_bits(in->type) / 8);
  if (in->quant->count > 0 && (in->type == SAM_INT8 || in->type == SAM_UINT8))
    p->zero = (uint8_t)in->quant->zero_point[0];
  int32_t dims[SAM_MAX_RANK];
  for (int32_t i = 0; i < in->rank; i++) dims[i] = in->dims[i];
  int64_t images = 1;
  for (int32_t a = 0; a < p->axes; a++) {
    int32_t block = ((const int32_t *)blocks->data)[a];
    int64_t before = ((const int32_t *)borders->data)[2 * a], after = ((const int32_t *)borders->data)[2 * a + 1];
    if (block <= 0) return sam_fail(ctx, SAM_INVALID_MODEL, "block_shape[%d] is %d, must be above 0", a, block);
    if (before < 0 || after < 0)
      return sam_fail(ctx, SAM_INVALID_MODEL, "%s of axis %d are %lld and %lld, must not be negative",
                      to_batch ? "paddings" : "crops", a, (long long)before, (long long)after);
    images *= block;
    if (images > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "block_shape multiplies to more than 2^31");
    int64_t size = in->dims[1 + a];
    int64_t after_border = to_batch ? size + before + after : size * block - before - after;
    if (to_batch && after_border % block)
      return sam_fail(ctx, SAM_INVALID_MODEL, "axis %d has %lld pixels with its paddings, which do not divide by %d", a,
                      (long long)after_border, block);
    if (after_border < 0)
      return sam_fail(ctx, SAM_INVALID_MODEL, "crops of axis %d are larger than its %lld pixels", a,
                      (long long)(size * block));
    int64_t result = to_batch ? after_border / block : after_border;
    if (result > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "axis %d would have %lld pixels", a, (long long)result);
    dims[1 + a] = (int32_t)result;
    p->block[a] = block;
    p->shift[a] = (int32_t)before;
    p->many[a] = to_batch ? dims[1 + a] : in->dims[1 + a];
    p->few[a] = to_batch ? in->dims[1 + a] : dims[1 + a];
  }
  int64_t batches = to_batch ? in->dims[0] * images : in->dims[0] / images;
  if (!to_batch && in->dims[0] % images)
    return sam_fail(ctx, SAM_INVALID_MODEL, "a batch of %d does not divide by the %lld of block_shape", in->dims[0],
                    (long long)images);
  if (batches > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "a batch of %lld is too large", (long long)batches);
  dims[0] = (int32_t)batches;
  p->few_batches = to_batch ? in->dims[0] : batches;
  return sam_set_shape(ctx, out, in->rank, dims);
}

static sam_status prepare_to_batch(sam_ctx *ctx, sam_node *node) { return prepare_batch(ctx, node, true); }
static sam_status prepare_from_batch(sam_ctx *ctx, sam_node *node) { return prepare_batch(ctx, node, false); }

/* ---- The operators --------------------------------------------------------------------------------------------------
 */

#define ALL_TYPES(e)                                                                                              \
  {                                                                                                               \
    [SAM_FLOAT32] = e, [SAM_FLOAT16] = e, [SAM_BFLOAT16] = e, [SAM_FLOAT64] = e, [SAM_INT8] = e, [SAM_UINT8] = e, \
    [SAM_INT16] = e, [SAM_UINT16] = e, [SAM_INT32] = e, [SAM_UINT32] = e, [SAM_INT64] = e, [SAM_UINT64] = e,      \
    [SAM_BOOL] = e, [SAM_COMPLEX64] = e, [SAM_FLOAT8_E4M3FN] = e, [SAM_FLOAT8_E5M2] = e                           \
  }

const sam_op sam_op_space_to_depth = {
    .name = "SPACE_TO_DEPTH",
    .options = SAM_OPTIONS_SPACE_TO_DEPTH,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_to_depth,
    .eval = ALL_TYPES(eval_to_depth),
};

const sam_op sam_op_depth_to_space = {
    .name = "DEPTH_TO_SPACE",
    .options = SAM_OPTIONS_DEPTH_TO_SPACE,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_from_depth,
    .eval = ALL_TYPES(eval_from_depth),
};

const sam_op sam_op_space_to_batch_nd = {
    .name = "SPACE_TO_BATCH_ND",
    .max_version = 4,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_to_batch,
    .eval = ALL_TYPES(eval_batch),
};

const sam_op sam_op_batch_to_space_nd = {
    .name = "BATCH_TO_SPACE_ND",
    .max_version = 4,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .prepare = prepare_from_batch,
    .eval = ALL_TYPES(eval_batch),
};
