/* Samara: CONV_2D. Float, int8, uint8, int16, and hybrid (float activations quantized on the fly); grouped when the
 * input has a multiple of the filter's channels.
 *
 *   filter [out channels, height, width, in channels / groups]: a column of the right matrix is one output channel */
#include "common/activation.h"
#include "common/slide.h"
#include "common/strips.h"
#include "common/window.h"
#include "common/winograd.h"
#include "ops.h"

typedef struct conv {
  sam_matmul mm;
  sam_slide win;
  size_t window_bytes; /* scratch: window | right matrix | quantized input | scale and zero of each batch */
  size_t matmul_bytes, quantized_bytes;
  bool asymmetric;
  bool by_winograd; /* then nothing above but mm is used */
  sam_winograd winograd;
} conv;

/* Shapes, groups and taps. */
static sam_status plan_window(sam_ctx *ctx, sam_node *node, conv *c) {
  const sam_conv_2d_options *o = node->options;
  const sam_tensor *in = node->inputs[0], *filter = node->inputs[1], *bias = c->mm.bias;
  sam_matmul *mm = &c->mm;
  sam_slide *win = &c->win;
  const int32_t n = filter->dims[0], kh = filter->dims[1], kw = filter->dims[2], depth = filter->dims[3];
  if (depth < 1 || kh < 1 || kw < 1)
    return sam_fail(ctx, SAM_INVALID_MODEL, "filter is %d x %d x %d", (int)kh, (int)kw, (int)depth);
  if (in->dims[3] % depth)
    return sam_fail(ctx, SAM_INVALID_MODEL, "filter has %d input channels, input has %d", (int)depth, (int)in->dims[3]);
  mm->groups = in->dims[3] / depth;
  if (mm->groups < 1 || n % mm->groups)
    return sam_fail(ctx, SAM_INVALID_MODEL, "%d output channels do not divide into %d groups", (int)n, (int)mm->groups);
  if (bias && sam_elements(bias) != n)
    return sam_fail(ctx, SAM_INVALID_MODEL, "bias has %lld values, filter has %d output channels",
                    (long long)sam_elements(bias), (int)n);
  int32_t oh, ow, pad_h, pad_w;
  SAM_TRY(
      sam_window_axis(ctx, SAM_HEIGHT, o->padding, in->dims[1], kh, o->stride_h, o->dilation_h_factor, &oh, &pad_h));
  SAM_TRY(sam_window_axis(ctx, SAM_WIDTH, o->padding, in->dims[2], kw, o->stride_w, o->dilation_w_factor, &ow, &pad_w));
  const int32_t dims[4] = {in->dims[0], oh, ow, n};
  SAM_TRY(sam_set_shape(ctx, node->outputs[0], 4, dims));
  const int64_t taps = (int64_t)kh * kw;
  int32_t *dy = sam_alloc(ctx, (size_t)taps * sizeof *dy), *dx = sam_alloc(ctx, (size_t)taps * sizeof *dx);
  int64_t *source = sam_alloc(ctx, (size_t)taps * sizeof *source);
  if (!dy || !dx || !source) return SAM_OUT_OF_MEMORY;
  for (int32_t t = 0; t < taps; t++) {
    dy[t] = (int32_t)(t / kw * (int64_t)o->dilation_h_factor - pad_h);
    dx[t] = (int32_t)(t % kw * (int64_t)o->dilation_w_factor - pad_w);
    source[t] = (int64_t)t * depth;
  }
  mm->n = n / mm->groups;
  mm->column_stride = taps * depth;
  mm->group_stride = mm->n * mm->column_stride;
  mm->k_stride = 1;
  *win = (sam_slide){.batches = in->dims[0],
                     .h = in->dims[1],
                     .w = in->dims[2],
                     .channels = in->dims[3],
                     .out_h = dims[1],
                     .out_w = dims[2],
                     .out_channels = n,
                     .y_step = 1,
                     .y_count = dims[1],
                     .x_step = 1,
                     .x_count = dims[2],
                     .sy = o->stride_h,
                     .sx = o->stride_w,
                     .taps = (int32_t)taps,
                     .dy = dy,
                     .dx = dx,
                     .source = source,
                     .tap_channels = depth};
  /* A pointwise convolution is one long row of pixels: strips and windows have no say in it. */
  if (taps == 1 && o->stride_h == 1 && o->stride_w == 1 && !node->merged_pad &&
      sam_elements(in) / in->dims[3] <= INT32_MAX) {
    if (mm->kind != SAM_MATMUL_HYBRID) {
      win->w = win->out_w = win->x_count = (int32_t)(sam_elements(in) / in->dims[3]);
      win->batches = win->h = win->out_h = win->y_count = 1;
    }
  }
  return sam_slide_plan(ctx, win, mm);
}

static bool takes_winograd(const sam_ctx *ctx, const sam_node *node, const conv *c) {
  const sam_conv_2d_options *o = node->options;
  return !ctx->no_winograd && c->mm.groups == 1 && o->stride_h == 1 && o->stride_w == 1 && o->dilation_h_factor == 1 &&
         o->dilation_w_factor == 1 && sam_winograd_wins(&c->mm);
}

/* Rows of a pointwise convolution. */
static void conv_rows(const sam_node *node, const sam_rows *rows) {
  const conv *c = node->state;
  const int64_t width = c->mm.out->dims[2];
  sam_slide_pixels(&c->win, &c->mm, rows->input, rows->output, node->scratch, rows->begin * width, rows->end * width,
                   rows->thread);
}

static sam_status conv_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_conv_2d_options *o = node->options;
  sam_tensor *in = node->inputs[0], *filter = node->inputs[1];
  conv *c = sam_alloc(ctx, sizeof *c);
  if (!c) return SAM_OUT_OF_MEMORY;
  node->state = c;
  SAM_TRY(sam_check_rank(ctx, in, 4, 4));
  SAM_TRY(sam_check_rank(ctx, filter, 4, 4));
  c->mm.in = in;
  c->mm.weights = filter;
  c->mm.bias = node->n_inputs > 2 ? node->inputs[2] : NULL;
  c->mm.out = node->outputs[0];
  c->mm.activation = o->fused_activation_function;
  SAM_TRY(sam_matmul_types(ctx, &c->mm));
  if (in->dims[3] < 1) return sam_fail(ctx, SAM_INVALID_MODEL, "input has no channels");
  c->mm.plain = filter->dims[1] == 1 && filter->dims[2] == 1 && in->dims[3] == filter->dims[3];
  SAM_TRY(sam_matmul_choose(ctx, &c->mm, (int64_t)filter->dims[1] * filter->dims[2] * filter->dims[3]));
  SAM_TRY(plan_window(ctx, node, c));
  c->by_winograd = takes_winograd(ctx, node, c);
  if (c->by_winograd) {
    c->winograd = (sam_winograd){.mm = &c->mm, .top = -c->win.dy[0], .left = -c->win.dx[0]};
    SAM_TRY(sam_winograd_prepare(ctx, &c->winograd));
    return sam_scratch(ctx, sam_winograd_scratch(ctx, &c->winograd));
  }
  SAM_TRY(sam_matmul_prepare(ctx, &c->mm));
  c->asymmetric = filter->quant->count > 1;
  c->window_bytes = sam_slide_scratch(ctx, &c->win);
  c->matmul_bytes = sam_matmul_scratch(&c->mm);
  size_t total = c->window_bytes + c->matmul_bytes;
  if (c->mm.kind == SAM_MATMUL_HYBRID) {
    c->quantized_bytes = ((size_t)sam_elements(in) + 127) / 64 * 64;
    total += c->quantized_bytes + 8 * (size_t)in->dims[0];
  } else if (sam_slide_is_row(&c->win) && sam_matmul_is_ready(&c->mm)) {
    const sam_tensor *out = c->mm.out;
    const int64_t macs = (int64_t)out->dims[2] * out->dims[3] * c->mm.k;
    node->rows = conv_rows;
    node->row_window = (sam_row_window){.reach = 1, .stride = 1, .step = 1, .cost = macs / c->mm.tile.rate};
  }
  return sam_scratch(ctx, total);
}

static sam_status conv_eval(sam_ctx *ctx, sam_node *node) {
  if (node->strips) return sam_strips_eval(ctx, node);
  conv *c = node->state;
  char *scratch = node->scratch;
  if (c->by_winograd) {
    sam_matmul_bind(&c->mm, NULL);
    sam_winograd_run(ctx, &c->winograd, scratch);
    return SAM_OK;
  }
  sam_matmul_bind(&c->mm, scratch + c->window_bytes);
  const void *in = c->mm.in->data;
  float *scale = NULL;
  int32_t *zero = NULL;
  if (c->mm.kind == SAM_MATMUL_HYBRID) {
    int8_t *quantized = (int8_t *)(scratch + c->window_bytes + c->matmul_bytes);
    scale = (float *)(quantized + c->quantized_bytes);
    const int32_t batches = c->mm.in->dims[0];
    zero = (int32_t *)(scale + batches);
    const int64_t n = batches ? sam_elements(c->mm.in) / batches : 0;
    for (int32_t b = 0; b < batches; b++)
      sam_quantize_row((const float *)in + b * n, n, c->asymmetric, quantized + b * n, &scale[b], &zero[b]);
    in = quantized;
  }
  sam_slide_run(ctx, &c->win, &c->mm, in, c->mm.out->data, scratch, scale, zero);
  return SAM_OK;
}

const sam_op sam_op_conv_2d = {
    .name = "CONV_2D",
    .options = SAM_OPTIONS_CONV_2D,
    .max_version = 8,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .optional = 1u << 2,
    .prepare = conv_prepare,
    .eval = {[SAM_FLOAT32] = conv_eval, [SAM_INT8] = conv_eval, [SAM_UINT8] = conv_eval, [SAM_INT16] = conv_eval},
};
