/* Lowering: neighbouring operators that run faster as one become one step, before anything is prepared. The bytes of
 * the result stay the same (options.no_fusion turns this off, and a test compares).
 *
 *   PAD ──> CONV_2D | DEPTHWISE_CONV_2D (VALID)      the convolution reads zero points around its input itself
 *   LOGISTIC ──> MUL with the input of both (float32) one pass over x
 *   elementwise ──> elementwise (8 bits)             one table (tabulate.c)
 *
 * chains.c goes on from there, when the shapes are known. */
#include <stdlib.h>

#include "common/unary.h"
#include "samara/options.h"
#include "schema_gen.h"
#include "session.h"
#include "ukernels/ukernels.h"

/* Wider borders than this are no border of a window. */
#define SAM_MAX_MERGED_PAD 64

static bool is_op(const sam_step *step, int32_t code) { return step->source->op && step->source->code == code; }

/* How often each slot is read, by steps or as an output of the graph. */
void sam_count_uses(sam_session *session) {
  for (int32_t i = 0; i < session->n_slots; i++) session->slots[i].uses = session->slots[i].is_output;
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    for (int32_t k = 0; k < step->node.n_inputs && sam_step_runs(step); k++)
      if (step->input_slots[k] >= 0) session->slots[step->input_slots[k]].uses++;
  }
}

/* Reads the borders of a PAD of height and width by a constant: top, bottom, left, right. */
static bool read_borders(const sam_session *session, const sam_step *pad, int32_t *borders) {
  const sam_slot *amounts = &session->slots[pad->input_slots[1]];
  const sam_tensor *t = &amounts->tensor;
  if (amounts->home != SAM_HOME_FILE || t->rank != 2 || t->dims[0] != 4 || t->dims[1] != 2) return false;
  if (t->type != SAM_INT32 && t->type != SAM_INT64) return false;
  for (int32_t i = 0; i < 8; i++) {
    int64_t v = t->type == SAM_INT32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
    bool spatial = i >= 2 && i < 6;
    if (v < 0 || v > SAM_MAX_MERGED_PAD || (!spatial && v != 0)) return false;
    if (spatial) borders[i - 2] = (int32_t)v;
  }
  return true;
}

static bool same_quantization(const sam_tensor *a, const sam_tensor *b) {
  if (a->type == SAM_FLOAT32) return true;
  const sam_quant *x = a->quant, *y = b->quant;
  return x->count == 1 && y->count == 1 && x->scale[0] == y->scale[0] && x->zero_point[0] == y->zero_point[0];
}

static bool has_valid_padding(const sam_step *step) {
  if (!step->node.options) return false;
  if (is_op(step, SAM_BUILTIN_CONV_2D))
    return ((const sam_conv_2d_options *)step->node.options)->padding == SAM_PADDING_VALID;
  if (is_op(step, SAM_BUILTIN_DEPTHWISE_CONV_2D))
    return ((const sam_depthwise_conv_2d_options *)step->node.options)->padding == SAM_PADDING_VALID;
  return false;
}

/* `writers[slot]` is the PAD or LOGISTIC that writes a slot. */
static bool merge_pad(sam_session *session, sam_step *step, sam_step *const *writers) {
  if (!has_valid_padding(step) || step->input_slots[0] < 0) return true;
  sam_step *pad = writers[step->input_slots[0]];
  int32_t borders[4];
  if (!pad || !is_op(pad, SAM_BUILTIN_PAD) || pad->input_slots[0] < 0) return true;
  const sam_slot *padded = &session->slots[step->input_slots[0]];
  const sam_tensor *in = pad->node.inputs[0];
  if (padded->uses != 1 || in->type != padded->tensor.type || !same_quantization(in, &padded->tensor) ||
      !read_borders(session, pad, borders))
    return true;
  int32_t *merged = sam_block_alloc(&session->blocks, sizeof borders);
  if (!merged) return false;
  for (int32_t i = 0; i < 4; i++) merged[i] = borders[i];
  step->node.merged_pad = merged;
  step->input_slots[0] = pad->input_slots[0];
  step->node.inputs[0] = pad->node.inputs[0];
  pad->removed = true;
  return true;
}

static sam_status swish_prepare(sam_ctx *ctx, sam_node *node) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin(ctx, node, &plan));
  plan->kernel = sam_uk.f32_swish;
  plan->cost = node->piece_cost = 8;
  return SAM_OK;
}
static const sam_op swish_op = SAM_UNARY_OP("SWISH", 1, swish_prepare, [SAM_FLOAT32] = sam_unary_eval);

static void merge_swish(sam_session *session, sam_step *mul, sam_step *const *writers) {
  const sam_mul_options *o = mul->node.options;
  if (!o || o->fused_activation_function != SAM_ACTIVATION_NONE || mul->node.outputs[0]->type != SAM_FLOAT32) return;
  for (int32_t k = 0; k < 2; k++) {
    const int32_t gate = mul->input_slots[k], x = mul->input_slots[1 - k];
    sam_step *curve = writers[gate];
    if (!curve || !is_op(curve, SAM_BUILTIN_LOGISTIC) || curve->input_slots[0] != x || session->slots[gate].uses != 1 ||
        session->slots[x].tensor.type != SAM_FLOAT32 || session->slots[gate].tensor.type != SAM_FLOAT32)
      continue;
    mul->input_slots = curve->input_slots;
    mul->node.inputs = curve->node.inputs;
    mul->node.n_inputs = 1;
    mul->node.op = &swish_op;
    curve->removed = true;
    return;
  }
}

sam_status sam_plan_lower(sam_session *session, sam_error *error) {
  if (session->options.no_fusion || session->options.keep_all) return SAM_OK;
  sam_count_uses(session);
  sam_step **writers = sam_calloc((size_t)session->n_slots, sizeof *writers);
  bool ok = writers != NULL;
  for (int32_t i = 0; i < session->n_steps && ok; i++) {
    sam_step *step = &session->steps[i];
    if (is_op(step, SAM_BUILTIN_PAD) || is_op(step, SAM_BUILTIN_LOGISTIC)) writers[step->output_slots[0]] = step;
    else if (is_op(step, SAM_BUILTIN_MUL)) merge_swish(session, step, writers);
    else ok = merge_pad(session, step, writers);
  }
  sam_free(writers);
  ok = ok && sam_plan_tabulate(session);
  return ok ? SAM_OK : sam_error_set(error, SAM_OUT_OF_MEMORY, session->subgraph, -1, -1, "out of memory while lowering");
}
