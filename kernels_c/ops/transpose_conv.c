/* Samara: TRANSPOSE_CONV, taken apart into ordinary convolutions.
 *
 * Output pixel y receives input pixel i through filter row f where  y = i * stride - pad + f.  All y with the same
 * remainder (y + pad) % stride use the same filter rows, at steps of one input pixel: a "phase" is a dense convolution
 * with a part of the filter. No sum is ever scattered, and nothing is multiplied by zero.
 *
 *   inputs: output shape, filter [out channels, height, width, in channels], input, bias (may be absent) */
#include "common/activation.h"
#include "common/slide.h"
#include "ops.h"

typedef struct phase {
  sam_matmul mm;
  sam_slide win;
  size_t matmul_at; /* in scratch */
} phase;

typedef struct transpose_conv {
  phase *phases;
  int32_t n_phases;
  size_t window_bytes, quantized_at, scales_at;
  bool asymmetric;
} transpose_conv;

enum { MAX_PHASES = 4096 };

/* Filter rows of the outputs first, first + stride, …: f = (first + pad) % stride, + stride, …, and their offset in the
 * input. Answers how many. */
static int32_t phase_taps(int64_t first, int64_t pad, int64_t stride, int64_t filter, int32_t *f, int32_t *offset) {
  int32_t n = 0;
  for (int64_t i = (first + pad) % stride; i < filter; i += stride, n++) {
    f[n] = (int32_t)i;
    offset[n] = (int32_t)((first + pad - i) / stride); /* exact; negative ones too */
  }
  return n;
}

static sam_status plan_phase(sam_ctx *ctx, const sam_node *node, phase *p, const sam_matmul *like, int32_t first_y,
                             int32_t first_x, int64_t pad_h, int64_t pad_w) {
  const sam_transpose_conv_options *o = node->options;
  const sam_tensor *filter = node->inputs[1], *in = node->inputs[2], *out = node->outputs[0];
  const int32_t kh = filter->dims[1], kw = filter->dims[2], depth = filter->dims[3];
  p->mm = *like;
  int32_t *fy = sam_alloc(ctx, 4 * (size_t)kh), *oy = sam_alloc(ctx, 4 * (size_t)kh);
  int32_t *fx = sam_alloc(ctx, 4 * (size_t)kw), *ox = sam_alloc(ctx, 4 * (size_t)kw);
  if (!fy || !oy || !fx || !ox) return SAM_OUT_OF_MEMORY;
  const int32_t ny = phase_taps(first_y, pad_h, o->stride_h, kh, fy, oy);
  const int32_t nx = phase_taps(first_x, pad_w, o->stride_w, kw, fx, ox);
  const size_t taps = (size_t)ny * (size_t)nx, room = taps ? taps : 1;
  int32_t *dy = sam_alloc(ctx, 4 * room), *dx = sam_alloc(ctx, 4 * room);
  int64_t *source = sam_alloc(ctx, 8 * room);
  if (!dy || !dx || !source) return SAM_OUT_OF_MEMORY;
  for (int32_t t = 0; t < (int32_t)taps; t++) {
    dy[t] = oy[t / nx];
    dx[t] = ox[t % nx];
    source[t] = ((int64_t)fy[t / nx] * kw + fx[t % nx]) * depth;
  }
  p->mm.groups = 1;
  p->mm.n = filter->dims[0];
  p->mm.column_stride = (int64_t)kh * kw * depth;
  p->mm.k_stride = 1;
  p->win = (sam_slide){.batches = in->dims[0],
                       .h = in->dims[1],
                       .w = in->dims[2],
                       .channels = depth,
                       .out_h = out->dims[1],
                       .out_w = out->dims[2],
                       .out_channels = out->dims[3],
                       .y_first = first_y,
                       .y_step = o->stride_h,
                       .y_count = (int32_t)((out->dims[1] - first_y + (int64_t)o->stride_h - 1) / o->stride_h),
                       .x_first = first_x,
                       .x_step = o->stride_w,
                       .x_count = (int32_t)((out->dims[2] - first_x + (int64_t)o->stride_w - 1) / o->stride_w),
                       .sy = 1,
                       .sx = 1,
                       .taps = (int32_t)taps,
                       .dy = dy,
                       .dx = dx,
                       .source = source,
                       .tap_channels = depth};
  SAM_TRY(sam_matmul_choose(ctx, &p->mm, (int64_t)taps * depth));
  SAM_TRY(sam_slide_plan(ctx, &p->win, &p->mm));
  return sam_matmul_prepare(ctx, &p->mm);
}

static int64_t padding(const sam_transpose_conv_options *o, int64_t out, int64_t filter, int64_t stride) {
  const int64_t total = ((out + stride - 1) / stride - 1) * stride + filter - out;
  return o->padding == SAM_PADDING_SAME && out && total > 0 ? total / 2 : 0;
}

static sam_status out_shape(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *filter = node->inputs[1], *in = node->inputs[2];
  int64_t shape[4];
  int32_t count;
  SAM_TRY(sam_read_ints(ctx, node->inputs[0], 4, shape, &count));
  if (count != 4) return sam_fail(ctx, SAM_INVALID_MODEL, "output shape has %d values, must have 4", (int)count);
  int32_t dims[4];
  for (int i = 0; i < 4; i++) {
    if (shape[i] < 0 || shape[i] > INT32_MAX)
      return sam_fail(ctx, SAM_INVALID_MODEL, "output dimension %d is %lld", i, (long long)shape[i]);
    dims[i] = (int32_t)shape[i];
  }
  if (dims[0] != in->dims[0])
    return sam_fail(ctx, SAM_INVALID_MODEL, "output has %d batches, input has %d", (int)dims[0], (int)in->dims[0]);
  if (dims[3] != filter->dims[0])
    return sam_fail(ctx, SAM_INVALID_MODEL, "output has %d channels, filter has %d", (int)dims[3],
                    (int)filter->dims[0]);
  return sam_set_shape(ctx, node->outputs[0], 4, dims);
}

static sam_status transpose_conv_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_transpose_conv_options *o = node->options;
  sam_tensor *filter = node->inputs[1], *in = node->inputs[2], *out = node->outputs[0];
  transpose_conv *c = sam_alloc(ctx, sizeof *c);
  if (!c) return SAM_OUT_OF_MEMORY;
  node->state = c;
  if (o->stride_h < 1 || o->stride_w < 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "strides are %d and %d, must be at least 1", (int)o->stride_h,
                    (int)o->stride_w);
  SAM_TRY(sam_check_rank(ctx, in, 4, 4));
  SAM_TRY(sam_check_rank(ctx, filter, 4, 4));
  const int32_t kh = filter->dims[1], kw = filter->dims[2], depth = filter->dims[3];
  if (depth < 1 || kh < 1 || kw < 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "filter is %d x %d x %d", (int)kh, (int)kw, (int)depth);
  if (in->dims[3] != depth)
    return sam_fail(ctx, SAM_INVALID_MODEL, "filter has %d input channels, input has %d", (int)depth, (int)in->dims[3]);
  const sam_tensor *bias = node->n_inputs > 3 ? node->inputs[3] : NULL;
  if (bias && sam_elements(bias) != filter->dims[0])
    return sam_fail(ctx, SAM_INVALID_MODEL, "bias has %lld values, filter has %d output channels",
                    (long long)sam_elements(bias), (int)filter->dims[0]);
  sam_matmul like = {.in = in, .weights = filter, .bias = bias, .out = out, .activation = o->fused_activation_function};
  SAM_TRY(sam_matmul_types(ctx, &like));
  if (!sam_is_known(node->inputs[0])) return sam_need_data(ctx, 0);
  SAM_TRY(out_shape(ctx, node));

  /* The padding is that of the forward convolution, output to input. */
  const int64_t pad_h = padding(o, out->dims[1], kh, o->stride_h), pad_w = padding(o, out->dims[2], kw, o->stride_w);
  const int64_t phases_y = out->dims[1] < o->stride_h ? out->dims[1] : o->stride_h;
  const int64_t phases_x = out->dims[2] < o->stride_w ? out->dims[2] : o->stride_w;
  if (phases_y * phases_x > MAX_PHASES)
    return sam_fail(ctx, SAM_UNSUPPORTED, "strides %d and %d are more than %d phases", (int)o->stride_h,
                    (int)o->stride_w, (int)MAX_PHASES);
  c->n_phases = (int32_t)(phases_y * phases_x);
  c->phases = sam_alloc(ctx, sizeof *c->phases * (size_t)(c->n_phases + 1));
  if (!c->phases) return SAM_OUT_OF_MEMORY;
  size_t total = 0;
  for (int32_t i = 0; i < c->n_phases; i++) {
    phase *p = &c->phases[i];
    SAM_TRY(plan_phase(ctx, node, p, &like, i / (int32_t)phases_x, i % (int32_t)phases_x, pad_h, pad_w));
    const size_t window = sam_slide_scratch(ctx, &p->win);
    if (window > c->window_bytes) c->window_bytes = window;
  }
  total = c->window_bytes;
  for (int32_t i = 0; i < c->n_phases; i++) {
    c->phases[i].matmul_at = total;
    total += sam_matmul_scratch(&c->phases[i].mm);
  }
  c->asymmetric = filter->quant->count > 1;
  if (like.kind == SAM_MATMUL_HYBRID) {
    c->quantized_at = total;
    c->scales_at = total + ((size_t)sam_elements(in) + 127) / 64 * 64;
    total = c->scales_at + 8 * (size_t)in->dims[0];
  }
  return sam_scratch(ctx, total);
}

static sam_status transpose_conv_eval(sam_ctx *ctx, sam_node *node) {
  transpose_conv *c = node->state;
  const sam_tensor *input = node->inputs[2];
  char *scratch = node->scratch;
  const void *in = input->data;
  float *scale = NULL;
  int32_t *zero = NULL;
  if (c->n_phases && c->phases[0].mm.kind == SAM_MATMUL_HYBRID) {
    int8_t *quantized = (int8_t *)(scratch + c->quantized_at);
    const int32_t batches = input->dims[0];
    scale = (float *)(scratch + c->scales_at);
    zero = (int32_t *)(scale + batches);
    const int64_t n = batches ? sam_elements(input) / batches : 0;
    for (int32_t b = 0; b < batches; b++)
      sam_quantize_row((const float *)in + b * n, n, c->asymmetric, quantized + b * n, &scale[b], &zero[b]);
    in = quantized;
  }
  for (int32_t i = 0; i < c->n_phases; i++) {
    phase *p = &c->phases[i];
    sam_matmul_bind(&p->mm, scratch + p->matmul_at);
    sam_slide_run(ctx, &p->win, &p->mm, in, node->outputs[0]->data, scratch, scale, zero);
  }
  return SAM_OK;
}

const sam_op sam_op_transpose_conv = {
    .name = "TRANSPOSE_CONV",
    .options = SAM_OPTIONS_TRANSPOSE_CONV,
    .max_version = 5,
    .min_inputs = 3,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 1u << 3,
    .key = 2,
    .prepare = transpose_conv_prepare,
    .eval = {[SAM_FLOAT32] = transpose_conv_eval,
             [SAM_INT8] = transpose_conv_eval,
             [SAM_UINT8] = transpose_conv_eval,
             [SAM_INT16] = transpose_conv_eval},
};
