/* Rules about the graph as a whole: values exist before they are used, nothing is written twice, calls end. */
#include <string.h>

#include "loader.h"
#include "samara/options.h"
#include "schema_gen.h"

/* What a constant without elements points to. */
static const _Alignas(64) uint8_t nothing[64];

enum { NOBODY = -1, GRAPH_INPUT = -2 };

#define NODE_FAIL(...) return sam_load_node_fail(loader, SAM_INVALID_MODEL, subgraph, i, __VA_ARGS__)

/* Who writes each tensor: a node, GRAPH_INPUT or NOBODY. */
static sam_status find_writers(sam_loader *loader, int32_t subgraph, int32_t *writer) {
  sam_subgraph *graph = &loader->model->subgraphs[subgraph];
  for (int32_t i = 0; i < graph->n_tensors; i++) writer[i] = NOBODY;
  for (int32_t i = 0; i < graph->n_inputs; i++) {
    int32_t tensor = graph->inputs[i];
    if (graph->tensors[tensor].view.flags & SAM_TENSOR_KNOWN)
      return sam_load_tensor_fail(loader, SAM_INVALID_MODEL, subgraph, tensor,
                                  "it is input %d of the graph, but has constant data", (int)i);
    writer[tensor] = GRAPH_INPUT;
    graph->tensors[tensor].is_input = true;
  }
  for (int32_t i = 0; i < graph->n_outputs; i++) graph->tensors[graph->outputs[i]].is_output = true;
  for (int32_t i = 0; i < graph->n_nodes; i++) {
    const sam_file_node *node = &graph->nodes[i];
    for (int32_t k = 0; k < node->n_outputs; k++) {
      int32_t tensor = node->outputs[k];
      const sam_tensor *view = &graph->tensors[tensor].view;
      if (view->flags & SAM_TENSOR_KNOWN) NODE_FAIL("output %d is the constant tensor %d", (int)k, (int)tensor);
      if (view->flags & SAM_TENSOR_VARIABLE) NODE_FAIL("output %d is the variable tensor %d", (int)k, (int)tensor);
      if (writer[tensor] == GRAPH_INPUT)
        NODE_FAIL("output %d is tensor %d, which is an input of the graph", (int)k, (int)tensor);
      if (writer[tensor] != NOBODY)
        NODE_FAIL("output %d is tensor %d, which node %d writes already", (int)k, (int)tensor, (int)writer[tensor]);
      writer[tensor] = i;
    }
  }
  /* A constant without elements has no bytes that could mark it as one. */
  for (int32_t i = 0; i < graph->n_tensors; i++) {
    sam_tensor *view = &graph->tensors[i].view;
    if (writer[i] != NOBODY || view->flags || sam_type_bits(view->type) == 0 || sam_elements(view) != 0) continue;
    view->flags |= SAM_TENSOR_KNOWN;
    view->data = (void *)(uintptr_t)nothing; /* never written: KNOWN */
  }
  return SAM_OK;
}

static sam_status check_order(sam_loader *loader, int32_t subgraph, const int32_t *writer) {
  const sam_subgraph *graph = &loader->model->subgraphs[subgraph];
  for (int32_t i = 0; i < graph->n_nodes; i++) {
    const sam_file_node *node = &graph->nodes[i];
    for (int32_t k = 0; k < node->n_inputs; k++) {
      int32_t tensor = node->inputs[k];
      if (tensor < 0 || graph->tensors[tensor].view.flags) continue;
      const char *name = graph->tensors[tensor].view.name;
      if (writer[tensor] == i) NODE_FAIL("input %d is tensor %d, its own output", (int)k, (int)tensor);
      if (writer[tensor] > i)
        NODE_FAIL("input %d is tensor %d \"%.120s\", which is computed only later, by node %d", (int)k, (int)tensor,
                  name, (int)writer[tensor]);
      if (writer[tensor] == NOBODY)
        NODE_FAIL("input %d is tensor %d \"%.120s\", which has no data and which nothing computes", (int)k, (int)tensor,
                  name);
    }
  }
  for (int32_t i = 0; i < graph->n_outputs; i++) {
    int32_t tensor = graph->outputs[i];
    if (writer[tensor] == NOBODY && !graph->tensors[tensor].view.flags)
      return sam_load_tensor_fail(loader, SAM_INVALID_MODEL, subgraph, tensor,
                                  "it is output %d of the graph, but has no data and nothing computes it", (int)i);
  }
  return SAM_OK;
}

/* A signature names inputs and outputs of its subgraph: nothing else can be written, or is there to be read. */
static sam_status check_signatures(sam_loader *loader) {
  sam_model *model = loader->model;
  for (int32_t s = 0; s < model->n_signatures; s++) {
    const sam_signature_info *info = &model->signatures[s];
    const sam_subgraph *graph = &model->subgraphs[info->subgraph];
    sam_status status = SAM_OK;
    for (int which = 0; which < 2 && !status; which++) {
      int32_t n = which ? info->n_outputs : info->n_inputs;
      const int32_t *tensors = which ? info->outputs : info->inputs;
      const char *const *names = which ? info->output_names : info->input_names;
      for (int32_t i = 0; i < n && !status; i++)
        if (!(which ? graph->tensors[tensors[i]].is_output : graph->tensors[tensors[i]].is_input))
          status = sam_error_set(loader->error, SAM_INVALID_MODEL, info->subgraph, -1, tensors[i],
                                 "signature %d \"%.120s\": %s \"%.120s\" is tensor %d, which is no %s of subgraph %d",
                                 (int)s, info->key, which ? "output" : "input", names[i], (int)tensors[i],
                                 which ? "output" : "input", (int)info->subgraph);
    }
    if (status) return status;
  }
  return SAM_OK;
}

/* ---- Calls ---------------------------------------------------------------------------------------------------------
 */

typedef struct calls {
  int32_t *from, *to, *node; /* edges; NULL while they are only counted */
  int64_t n;
} calls;

static sam_status add_call(sam_loader *loader, calls *edges, int32_t subgraph, int32_t i, const char *option,
                           int32_t target) {
  if (target < 0 || target >= loader->model->n_subgraphs)
    NODE_FAIL("option %s is subgraph %d, but the model has %d subgraphs", option, (int)target,
              (int)loader->model->n_subgraphs);
  if (edges->from) {
    edges->from[edges->n] = subgraph;
    edges->to[edges->n] = target;
    edges->node[edges->n] = i;
  }
  edges->n++;
  return SAM_OK;
}

/* Options whose name holds "subgraph" are numbers of subgraphs: all such fields of the schema follow this. */
static sam_status collect_calls(sam_loader *loader, calls *edges) {
  edges->n = 0;
  for (int32_t s = 0; s < loader->model->n_subgraphs; s++) {
    const sam_subgraph *graph = &loader->model->subgraphs[s];
    for (int32_t i = 0; i < graph->n_nodes; i++) {
      const sam_file_node *node = &graph->nodes[i];
      if (!node->options) continue;
      const sam_schema_table *table = &sam_schema_tables[sam_schema_options_of[node->op->options].table];
      for (int32_t k = 0; k < table->n_fields; k++) {
        const sam_schema_field *field = &table->fields[k];
        if (!strstr(field->name, "subgraph")) continue;
        const void *place = (const uint8_t *)node->options + field->offset;
        const int32_t *targets = field->kind == SAM_FIELD_VECTOR ? ((const sam_ints *)place)->data : place;
        int32_t n = field->kind == SAM_FIELD_VECTOR ? ((const sam_ints *)place)->count : 1;
        for (int32_t j = 0; j < n; j++) {
          sam_status status = add_call(loader, edges, s, i, field->name, targets[j]);
          if (status) return status;
        }
      }
    }
  }
  return SAM_OK;
}

/* Removes, again and again, subgraphs that nobody left calls; what stays calls itself. */
static sam_status check_cycles(sam_loader *loader, const calls *edges, int32_t *callers, int32_t *first, int32_t *next,
                               int32_t *queue) {
  int32_t n = loader->model->n_subgraphs, head = 0, tail = 0;
  for (int32_t s = 0; s < n; s++) {
    callers[s] = 0;
    first[s] = -1;
  }
  for (int32_t e = 0; e < (int32_t)edges->n; e++) {
    callers[edges->to[e]]++;
    next[e] = first[edges->from[e]];
    first[edges->from[e]] = e;
  }
  for (int32_t s = 0; s < n; s++)
    if (callers[s] == 0) queue[tail++] = s;
  while (head < tail)
    for (int32_t e = first[queue[head++]]; e >= 0; e = next[e])
      if (--callers[edges->to[e]] == 0) queue[tail++] = edges->to[e];
  if (tail == n) return SAM_OK;
  for (int32_t e = 0; e < (int32_t)edges->n; e++) {
    if (callers[edges->from[e]] == 0 || callers[edges->to[e]] == 0) continue;
    int32_t subgraph = edges->from[e], i = edges->node[e];
    NODE_FAIL("it calls subgraph %d, which calls back: subgraphs must not call themselves", (int)edges->to[e]);
  }
  return sam_error_set(loader->error, SAM_INTERNAL, -1, -1, -1, "a cycle of subgraphs without a call");
}

static sam_status check_calls(sam_loader *loader) {
  calls edges = {NULL, NULL, NULL, 0};
  sam_status status = collect_calls(loader, &edges);
  if (status || edges.n == 0) return status;
  if (edges.n > INT32_MAX / 8)
    return sam_error_set(loader->error, SAM_LIMIT, -1, -1, -1, "more calls of subgraphs than can be counted");
  size_t n = (size_t)loader->model->n_subgraphs, e = (size_t)edges.n;
  int32_t *memory = sam_calloc(4 * e + 3 * n, sizeof *memory);
  if (!memory) return sam_error_set(loader->error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for the model");
  edges.from = memory;
  edges.to = memory + e;
  edges.node = memory + 2 * e;
  status = collect_calls(loader, &edges);
  if (!status)
    status = check_cycles(loader, &edges, memory + 4 * e, memory + 4 * e + n, memory + 3 * e, memory + 4 * e + 2 * n);
  sam_free(memory);
  return status;
}

sam_status sam_check_rules(sam_loader *loader) {
  for (int32_t i = 0; i < loader->model->n_subgraphs; i++) {
    int32_t *writer = sam_calloc((size_t)loader->model->subgraphs[i].n_tensors + 1, sizeof *writer);
    if (!writer) return sam_error_set(loader->error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for the model");
    sam_status status = find_writers(loader, i, writer);
    if (!status) status = check_order(loader, i, writer);
    sam_free(writer);
    if (status) return status;
  }
  sam_status status = check_signatures(loader);
  return status ? status : check_calls(loader);
}
