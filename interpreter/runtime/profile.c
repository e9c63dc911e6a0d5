/* What a step costs: time, multiply-accumulates, bytes. */
#include <string.h>
#include <time.h>

#include "session.h"

uint64_t sam_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t elements(const sam_tensor *t) { return t ? (uint64_t)sam_elements(t) : 0; }
static uint64_t dim(const sam_tensor *t, int32_t i) { return t && i < t->rank && t->dims[i] > 0 ? (uint64_t)t->dims[i] : 1; }

static uint64_t node_macs(const sam_node *node) {
  const char *name = node->op->name;
  const sam_tensor *in = node->n_inputs > 0 ? node->inputs[0] : NULL;
  const sam_tensor *filter = node->n_inputs > 1 ? node->inputs[1] : NULL;
  const sam_tensor *out = node->n_outputs > 0 ? node->outputs[0] : NULL;
  if (!in || !filter || !out) return 0;
  if (!strcmp(name, "CONV_2D") || !strcmp(name, "FULLY_CONNECTED")) return elements(out) * (elements(filter) / dim(filter, 0));
  if (!strcmp(name, "DEPTHWISE_CONV_2D")) return elements(out) * (elements(filter) / dim(filter, 3));
  if (!strcmp(name, "TRANSPOSE_CONV")) {
    const sam_tensor *data = node->n_inputs > 2 ? node->inputs[2] : NULL;
    return elements(data) * (elements(filter) / dim(filter, 3));
  }
  if (!strcmp(name, "BATCH_MATMUL")) {
    uint64_t columns = dim(out, out->rank - 1);
    return filter->rank < 2 || columns == 0 ? 0 : elements(out) * (dim(filter, filter->rank - 2) * dim(filter, filter->rank - 1) / columns);
  }
  if (strstr(name, "LSTM") || strstr(name, "RNN") || !strcmp(name, "SVDF")) {
    uint64_t weights = 0; /* every matrix but the state, once for each row of each time step */
    for (int32_t i = 1; i < node->n_inputs; i++) {
      const sam_tensor *t = node->inputs[i];
      if (t && t->rank == 2 && !(t->flags & SAM_TENSOR_VARIABLE)) weights += elements(t);
    }
    return weights * (elements(in) / dim(in, in->rank - 1));
  }
  return 0;
}

static uint64_t node_bytes(const sam_node *node) {
  uint64_t bytes = 0;
  for (int32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i]) bytes += node->inputs[i]->bytes;
  for (int32_t i = 0; i < node->n_outputs; i++) bytes += node->outputs[i]->bytes;
  return bytes;
}

uint64_t sam_step_macs(const sam_step *step) {
  const sam_strips *strips = step->node.strips;
  uint64_t macs = strips ? 0 : node_macs(&step->node);
  for (int32_t i = 0; strips && i < strips->n; i++) macs += node_macs(strips->links[i].node);
  return macs;
}

uint64_t sam_step_bytes(const sam_step *step) {
  const sam_strips *strips = step->node.strips;
  uint64_t bytes = strips ? 0 : node_bytes(&step->node);
  for (int32_t i = 0; strips && i < strips->n; i++) {
    bytes += node_bytes(strips->links[i].node);
    if (i > 0) bytes -= 2 * strips->links[i].node->inputs[0]->bytes; /* neither written nor read */
  }
  return bytes;
}
