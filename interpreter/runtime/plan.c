/* From a decoded subgraph to steps that are ready to run. session.h has the picture. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samara/op.h"
#include "samara/options.h"
#include "schema_gen.h"
#include "session.h"
#include "string_tensor.h"
#include "threads.h"

/* Constants from here on leave memory once they are packed, unless the file is small. */
#define SAM_LARGE_CONSTANT 65536

/* A known value larger than this is not folded when it grew by more than a factor of 8 (a broadcast, a fill). */
#define SAM_FOLD_FREE_BYTES 65536

/* ---- Services ---------------------------------------------------------------------------------------------------- */

static sam_run *run_of(struct sam_ctx *ctx) { return (sam_run *)(void *)ctx; }

static sam_status service_fail(struct sam_ctx *ctx, sam_status status, const char *format, ...) {
  sam_run *run = run_of(ctx);
  char text[384];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const sam_step *step = run->step;
  if (!step) return sam_error_set(run->error, status, run->session->subgraph, -1, -1, "%s", text);
  const char *name = step->node.n_outputs && step->node.outputs[0] ? step->node.outputs[0]->name : "";
  if (step->subgraph == 0)
    return sam_error_set(run->error, status, 0, step->node.index, -1, "node %d %s \"%s\": %s", (int)step->node.index,
                         step->source->name, name, text);
  return sam_error_set(run->error, status, step->subgraph, step->node.index, -1, "subgraph %d node %d %s \"%s\": %s",
                       (int)step->subgraph, (int)step->node.index, step->source->name, name, text);
}

static void format_shape(char *text, size_t size, int32_t rank, const int32_t *dims) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (int32_t i = 0; i < rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, i ? ",%d" : "%d", (int)dims[i]);
  if (used < size) snprintf(text + used, size - used, "]");
}

/* The slot whose first member `tensor` is; NULL if it is none of this session's. */
static sam_slot *slot_of(const sam_session *session, const sam_tensor *tensor) {
  uintptr_t at = (uintptr_t)tensor, begin = (uintptr_t)session->slots;
  if (at < begin || at >= begin + (size_t)session->n_slots * sizeof(sam_slot)) return NULL;
  return (sam_slot *)(void *)at;
}

static sam_status service_set_shape(struct sam_ctx *ctx, sam_tensor *tensor, int32_t rank, const int32_t *dims) {
  sam_run *run = run_of(ctx);
  uint64_t bytes;
  if (rank < 0 || rank > SAM_MAX_RANK)
    return sam_fail(ctx, SAM_UNSUPPORTED, "output \"%s\" has %d dimensions, at most %d are supported", tensor->name,
                    (int)rank, SAM_MAX_RANK);
  if (!sam_shape_bytes(tensor->type, rank, dims, run->session->options.max_memory, &bytes)) {
    char shape[128];
    format_shape(shape, sizeof shape, rank, dims);
    for (int32_t i = 0; i < rank; i++)
      if (dims[i] < 0)
        return sam_fail(ctx, SAM_INVALID_ARGUMENT, "output \"%s\" would have the shape %s", tensor->name, shape);
    return sam_fail(ctx, SAM_LIMIT,
                    "output \"%s\" of shape %s needs more memory than max_memory (%llu bytes), or is empty and its other "
                    "sizes are beyond what a loop can count",
                    tensor->name, shape, (unsigned long long)run->session->options.max_memory);
  }
  sam_slot *slot = slot_of(run->session, tensor);
  if (!slot) return sam_fail(ctx, SAM_INTERNAL, "set_shape of a tensor that is no output");
  if (slot->source && (slot->is_input || slot->home == SAM_HOME_FILE || (tensor->flags & SAM_TENSOR_VARIABLE))) {
    /* Its shape is not the operator's to change. */
    bool same = tensor->rank == rank;
    for (int32_t i = 0; same && i < rank; i++) same = tensor->dims[i] == dims[i];
    if (!same)
      return sam_fail(ctx, SAM_INVALID_ARGUMENT, "cannot give \"%s\" another shape than the file's", tensor->name);
    return SAM_OK;
  }
  if (tensor->rank != rank || memcmp(tensor->dims, dims, (size_t)rank * sizeof *dims) != 0) slot->changed = true;
  tensor->rank = rank;
  for (int32_t i = 0; i < rank; i++) tensor->dims[i] = dims[i];
  tensor->bytes = (size_t)bytes;
  return SAM_OK;
}

static sam_status service_need_data(struct sam_ctx *ctx, int32_t input) {
  sam_run *run = run_of(ctx);
  if (run->running) return sam_fail(ctx, SAM_INTERNAL, "asked for the value of input %d, which is there", (int)input);
  return (sam_status)SAM_NEED_DATA;
}

static void *service_alloc(struct sam_ctx *ctx, size_t bytes) {
  sam_run *run = run_of(ctx);
  sam_session *session = run->session;
  const size_t header = 64; /* keeps the user's part 64-byte aligned */
  if (bytes > session->options.max_memory - session->state_bytes) {
    sam_fail(ctx, SAM_LIMIT, "its state of %zu bytes passes max_memory", bytes);
    return NULL;
  }
  sam_block_list *block = sam_malloc_aligned(header + bytes);
  if (!block) {
    sam_fail(ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes of state", bytes);
    return NULL;
  }
  memset(block, 0, header + bytes);
  *(size_t *)(void *)(block + 1) = bytes;
  block->next = run->step->blocks;
  run->step->blocks = block;
  session->state_bytes += bytes;
  return (char *)block + header;
}

static sam_status service_scratch(struct sam_ctx *ctx, size_t bytes) {
  sam_run *run = run_of(ctx);
  if (bytes > run->session->options.max_memory)
    return sam_fail(ctx, SAM_LIMIT, "its scratch of %zu bytes passes max_memory", bytes);
  run->step->node.scratch_bytes = bytes ? bytes : 1; /* an operator that asks has an address to add offsets to */
  return SAM_OK;
}

typedef struct pack_reader {
  sam_pack_fn fill;
  const void *arg;
  const sam_tensor *mapped; /* NULL, or a large source in the mapped file */
  size_t bytes;
} pack_reader;

static void fill_pack(void *dst, const void *arg) {
  const pack_reader *r = arg;
  if (r->mapped) sam_file_ahead(r->mapped->data, r->mapped->bytes);
  r->fill(dst, r->arg);
  /* Or the process would hold the weights twice. What is much smaller than its source only looked at it. */
  if (r->mapped && r->bytes >= r->mapped->bytes / 4) sam_file_done(r->mapped->data, r->mapped->bytes);
}

static const void *service_pack(struct sam_ctx *ctx, const sam_tensor *source, uint64_t variant, size_t bytes,
                                sam_pack_fn fill, const void *arg) {
  sam_run *run = run_of(ctx);
  const sam_slot *slot = slot_of(run->session, source); /* NULL: a tensor of the model (block scales) */
  if (slot && slot->home != SAM_HOME_FILE) {
    void *data = service_alloc(ctx, bytes);
    if (data) fill(data, arg);
    return data;
  }
  if (bytes > run->session->options.max_memory) {
    sam_fail(ctx, SAM_LIMIT, "its repacked weights of %zu bytes pass max_memory", bytes);
    return NULL;
  }
  const sam_model *model = run->session->model;
  const bool leaves = model->mapped && model->size > SAM_SMALL_FILE && source->bytes >= SAM_LARGE_CONSTANT;
  pack_reader reader = {fill, arg, leaves ? source : NULL, bytes};
  const bool lasting = run->step->source && !run->step->source->custom; /* an application's layouts may change with it */
  const void *data = sam_pack_cache_get(model->packs, source->data, variant, bytes, lasting, fill_pack, &reader);
  if (!data) sam_fail(ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes of repacked weights", bytes);
  return data;
}

/* A loop of more cycles than this is run part by part, and sam_session_cancel heard between them. */
enum { CYCLES_TO_LOOK = 20000000 };

typedef struct loop_part {
  sam_task_fn task;
  void *arg;
  int64_t first;
} loop_part;

static void run_part(void *arg, int64_t begin, int64_t end, int thread) {
  const loop_part *part = arg;
  part->task(part->arg, part->first + begin, part->first + end, thread);
}

static void service_parallel(struct sam_ctx *ctx, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  sam_run *run = run_of(ctx);
  sam_session *session = run->session;
  const int64_t few = session->pool ? 8 * session->options.threads : 1, some = CYCLES_TO_LOOK / (cost < 1 ? 1 : cost);
  const int64_t most = some > few ? some : few;
  if (n <= most) {
    sam_pool_run(session->pool, n, cost, task, arg);
    return;
  }
  loop_part part = {task, arg, 0};
  for (; part.first < n; part.first += most) {
    run->cut |= atomic_load_explicit(&session->cancel, memory_order_relaxed);
    if (run->cut) return;
    sam_pool_run(session->pool, n - part.first < most ? n - part.first : most, cost, run_part, &part);
  }
}

static sam_status service_resize_string(struct sam_ctx *ctx, sam_tensor *tensor, size_t bytes) {
  sam_run *run = run_of(ctx);
  sam_session *session = run->session;
  sam_slot *slot = slot_of(session, tensor);
  if (!slot || slot->home != SAM_HOME_DYNAMIC || tensor->type != SAM_STRING)
    return sam_fail(ctx, SAM_INTERNAL, "resize_string of a tensor that is no output of strings");
  size_t others = session->dynamic_bytes - slot->capacity;
  if (others > session->options.max_memory || bytes > session->options.max_memory - others)
    return sam_fail(ctx, SAM_LIMIT, "%zu bytes of strings pass max_memory", bytes);
  tensor->bytes = bytes;
  if (!sam_slot_own(session, slot)) {
    tensor->bytes = 0;
    return sam_fail(ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes of strings", bytes);
  }
  return SAM_OK;
}

static const sam_services services = {service_fail,    service_set_shape, service_need_data, service_alloc,
                                      service_scratch, service_pack,      service_parallel,  service_resize_string};

void sam_run_init(sam_run *run, sam_session *session, sam_error *error, bool running) {
  *run = (sam_run){.ctx = {.services = &services,
                          .threads = sam_session_threads(session),
                          .no_winograd = session->options.no_winograd,
                          .allow_fp16 = session->options.allow_fp16},
                   .session = session,
                   .error = error,
                   .running = running};
}

/* ---- Instantiate -------------------------------------------------------------------------------------------------- */

static bool reserve(void **array, int32_t *capacity, int32_t needed, size_t element) {
  if (needed <= *capacity) return true;
  int64_t grown = *capacity ? *capacity : 16;
  while (grown < needed) grown *= 2;
  if (grown > INT32_MAX) return false;
  void *larger = sam_calloc((size_t)grown, element);
  if (!larger) return false;
  if (*array) memcpy(larger, *array, (size_t)*capacity * element);
  sam_free(*array);
  *array = larger;
  *capacity = (int32_t)grown;
  return true;
}

static sam_status out_of_memory(sam_session *session, sam_error *error) {
  return sam_error_set(error, SAM_OUT_OF_MEMORY, session->subgraph, -1, -1, "out of memory while planning the session");
}

/* Adds the tensors of `graph`; slot i of the result is base + i. */
static sam_status add_slots(sam_session *session, const sam_subgraph *graph, int32_t *base, sam_error *error) {
  *base = session->n_slots;
  if (((uint64_t)session->n_slots + (uint64_t)graph->n_tensors) * sizeof(sam_slot) > session->options.max_memory)
    return sam_error_set(error, SAM_LIMIT, session->subgraph, -1, -1, "more tensors than max_memory has room for");
  if (graph->n_tensors > INT32_MAX - session->n_slots ||
      !reserve((void **)&session->slots, &session->slot_capacity, session->n_slots + graph->n_tensors,
               sizeof *session->slots))
    return out_of_memory(session, error);
  for (int32_t i = 0; i < graph->n_tensors; i++) {
    sam_slot *slot = &session->slots[session->n_slots++];
    const sam_file_tensor *source = &graph->tensors[i];
    *slot = (sam_slot){.tensor = source->view, .source = source, .offset = -1, .changed = true};
    slot->tensor.quant = &source->quant;
    if (source->view.flags & SAM_TENSOR_KNOWN) slot->home = SAM_HOME_FILE;
    else if (source->view.flags & SAM_TENSOR_VARIABLE) slot->home = SAM_HOME_PERSISTENT;
  }
  return SAM_OK;
}

static int32_t *map_indices(sam_session *session, const int32_t *indices, int32_t n, const int32_t *map) {
  int32_t *mapped = sam_block_alloc(&session->blocks, (size_t)n * sizeof *mapped);
  if (!mapped) return NULL;
  for (int32_t i = 0; i < n; i++) mapped[i] = indices[i] < 0 ? -1 : map[indices[i]];
  return mapped;
}

static sam_status add_step(sam_session *session, const sam_file_node *source, int32_t subgraph, int32_t index,
                           const int32_t *map, sam_error *error) {
  if (session->n_steps >= session->options.max_ops)
    return sam_error_set(error, SAM_LIMIT, subgraph, index, -1, "more than max_ops (%d) operators after inlining",
                         (int)session->options.max_ops);
  if (!reserve((void **)&session->steps, &session->step_capacity, session->n_steps + 1, sizeof *session->steps))
    return out_of_memory(session, error);
  sam_step *step = &session->steps[session->n_steps];
  *step = (sam_step){.source = source, .subgraph = subgraph, .scratch_offset = -1, .first_link = -1};
  step->input_slots = map_indices(session, source->inputs, source->n_inputs, map);
  step->output_slots = map_indices(session, source->outputs, source->n_outputs, map);
  step->intermediate_slots = map_indices(session, source->intermediates, source->n_intermediates, map);
  if (!step->input_slots || !step->output_slots || !step->intermediate_slots) return out_of_memory(session, error);
  step->node = (sam_node){.op = source->op,
                          .options = source->options,
                          .custom = source->custom_options,
                          .custom_bytes = source->custom_bytes,
                          .n_inputs = source->n_inputs,
                          .n_outputs = source->n_outputs,
                          .n_intermediates = source->n_intermediates,
                          .version = source->version,
                          .index = index};
  session->n_steps++;
  return SAM_OK;
}

/* A decomposition may hand an input or a constant straight to its output; then the bytes are copied. */
static sam_status copy_prepare(sam_ctx *ctx, sam_node *node) {
  SAM_TRY(sam_check_same_type(ctx, node->outputs[0], node->inputs[0]));
  return sam_set_shape_like(ctx, node->outputs[0], node->inputs[0]);
}
static sam_status copy_eval(sam_ctx *ctx, sam_node *node) {
  if (node->outputs[0]->type == SAM_STRING) return sam_copy_strings(ctx, node->outputs[0], node->inputs[0]);
  if (node->outputs[0]->data != node->inputs[0]->data && node->inputs[0]->bytes)
    memcpy(node->outputs[0]->data, node->inputs[0]->data, node->inputs[0]->bytes);
  return SAM_OK;
}
#define SAM_COPY [SAM_FLOAT32] = copy_eval, [SAM_FLOAT16] = copy_eval, [SAM_INT32] = copy_eval, \
                 [SAM_UINT8] = copy_eval, [SAM_INT64] = copy_eval, [SAM_BOOL] = copy_eval, [SAM_INT16] = copy_eval, \
                 [SAM_COMPLEX64] = copy_eval, [SAM_INT8] = copy_eval, [SAM_FLOAT64] = copy_eval, \
                 [SAM_COMPLEX128] = copy_eval, [SAM_UINT64] = copy_eval, [SAM_UINT32] = copy_eval, \
                 [SAM_UINT16] = copy_eval, [SAM_INT4] = copy_eval, [SAM_BFLOAT16] = copy_eval, \
                 [SAM_INT2] = copy_eval, [SAM_UINT4] = copy_eval, [SAM_FLOAT8_E4M3FN] = copy_eval, \
                 [SAM_FLOAT8_E5M2] = copy_eval, [SAM_STRING] = copy_eval
static const sam_op copy_op = {.name = "COPY", .max_version = 1, .min_inputs = 1, .max_inputs = 1, .min_outputs = 1,
                               .max_outputs = 1, .flags = SAM_OP_VIEW, .prepare = copy_prepare, .eval = {SAM_COPY}};
static const int32_t copy_indices[2] = {0, 1};
static const sam_file_node copy_node = {.op = &copy_op, .name = "COPY", .version = 1, .n_inputs = 1, .n_outputs = 1,
                                         .inputs = (int32_t *)(uintptr_t)&copy_indices[0],
                                         .outputs = (int32_t *)(uintptr_t)&copy_indices[1],
                                         .intermediates = (int32_t *)(uintptr_t)&copy_indices[0]};

static const sam_op *composite_op(void) { return sam_find_builtin(SAM_BUILTIN_STABLEHLO_COMPOSITE); }

static sam_status add_graph(sam_session *session, int32_t subgraph, const int32_t *map, int32_t depth,
                            sam_error *error);

/* Replaces a composite by its decomposition: inputs and outputs of the subgraph become the composite's own. */
static sam_status add_composite(sam_session *session, const sam_file_node *node, int32_t subgraph, int32_t index,
                                const int32_t *map, int32_t depth, sam_error *error) {
  const sam_stablehlo_composite_options *options = node->options;
  int32_t target = options->decomposition_subgraph_index;
  if (target < 0 || target >= session->model->n_subgraphs)
    return sam_error_set(error, SAM_INVALID_MODEL, subgraph, index, -1,
                         "node %d STABLEHLO_COMPOSITE: decomposition subgraph %d, but the model has %d subgraphs",
                         (int)index, (int)target, (int)session->model->n_subgraphs);
  if (++session->inlined > session->options.max_ops)
    return sam_error_set(error, SAM_LIMIT, subgraph, index, -1, "more than max_ops (%d) composites to inline",
                         (int)session->options.max_ops);
  const sam_subgraph *graph = &session->model->subgraphs[target];
  if (graph->n_inputs != node->n_inputs || graph->n_outputs != node->n_outputs)
    return sam_error_set(error, SAM_INVALID_MODEL, subgraph, index, -1,
                         "node %d STABLEHLO_COMPOSITE has %d inputs and %d outputs, its decomposition subgraph %d has "
                         "%d and %d",
                         (int)index, (int)node->n_inputs, (int)node->n_outputs, (int)target, (int)graph->n_inputs,
                         (int)graph->n_outputs);
  int32_t base;
  SAM_TRY(add_slots(session, graph, &base, error));
  int32_t *inner = sam_malloc(((size_t)graph->n_tensors + 1) * sizeof *inner);
  if (!inner) return out_of_memory(session, error);
  for (int32_t i = 0; i < graph->n_tensors; i++) inner[i] = base + i;
  sam_status status = SAM_OK;
  for (int32_t i = 0; i < graph->n_inputs && status == SAM_OK; i++) {
    if (node->inputs[i] < 0) {
      status = sam_error_set(error, SAM_INVALID_MODEL, subgraph, index, -1,
                             "node %d STABLEHLO_COMPOSITE: input %d is absent", (int)index, (int)i);
      break;
    }
    inner[graph->inputs[i]] = map[node->inputs[i]];
  }
  /* A node of the decomposition that writes an output writes the composite's; other outputs are copied. */
  bool *copied = sam_calloc((size_t)graph->n_outputs + 1, 1);
  bool *produced = sam_calloc((size_t)graph->n_tensors + 1, 1);
  if (!copied || !produced) status = out_of_memory(session, error);
  for (int32_t n = 0; n < graph->n_nodes && status == SAM_OK; n++)
    for (int32_t k = 0; k < graph->nodes[n].n_outputs; k++)
      if (graph->nodes[n].outputs[k] >= 0) produced[graph->nodes[n].outputs[k]] = true;
  for (int32_t o = 0; o < graph->n_outputs && status == SAM_OK; o++) {
    int32_t tensor = graph->outputs[o];
    if (produced[tensor]) inner[tensor] = map[node->outputs[o]];
    else copied[o] = true;
    produced[tensor] = false; /* named as output again, it is copied */
  }
  if (status == SAM_OK) status = add_graph(session, target, inner, depth + 1, error);
  for (int32_t o = 0; o < graph->n_outputs && status == SAM_OK; o++) {
    if (!copied[o]) continue;
    int32_t ends[2] = {inner[graph->outputs[o]], map[node->outputs[o]]};
    status = add_step(session, &copy_node, subgraph, index, ends, error);
  }
  sam_free(produced);
  sam_free(copied);
  sam_free(inner);
  return status;
}

static sam_status add_graph(sam_session *session, int32_t subgraph, const int32_t *map, int32_t depth,
                            sam_error *error) {
  if (depth > session->options.max_depth)
    return sam_error_set(error, SAM_LIMIT, subgraph, -1, -1, "subgraphs are nested deeper than max_depth (%d)",
                         (int)session->options.max_depth);
  const sam_subgraph *graph = &session->model->subgraphs[subgraph];
  const sam_op *composite = composite_op();
  for (int32_t i = 0; i < graph->n_nodes; i++) {
    const sam_file_node *node = &graph->nodes[i];
    if (composite && node->op == composite)
      SAM_TRY(add_composite(session, node, subgraph, i, map, depth, error));
    else SAM_TRY(add_step(session, node, subgraph, i, map, error));
  }
  return SAM_OK;
}

static bool step_supported(const sam_step *step) {
  const sam_op *op = step->source->op;
  return op && step->source->version >= 1 && step->source->version <= op->max_version;
}

static bool same_operator(const sam_step *a, const sam_step *b) {
  return strcmp(a->source->name, b->source->name) == 0 && a->source->version == b->source->version;
}

/* Names every operator this build lacks in one message, each with its first node and how often it occurs. */
static sam_status check_supported(const sam_session *session, sam_error *error) {
  char text[400];
  size_t used = 0;
  int32_t missing = 0, first = -1;
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (step_supported(step)) continue;
    if (missing++ == 0) first = i;
    if (used + 80 > sizeof text) continue;
    bool named = false;
    for (int32_t k = first; k < i && !named; k++) named = same_operator(step, &session->steps[k]);
    if (named) continue;
    int32_t count = 0;
    for (int32_t k = i; k < session->n_steps; k++) count += same_operator(step, &session->steps[k]);
    const sam_op *op = step->source->op;
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%.60s", used ? "; " : "", step->source->name);
    if (op && used < sizeof text)
      used += (size_t)snprintf(text + used, sizeof text - used, " version %d (this build knows 1 to %d)",
                               (int)step->source->version, (int)op->max_version);
    else if (step->source->custom && used < sizeof text)
      used += (size_t)snprintf(text + used, sizeof text - used, " (custom: register it in options.custom_ops)");
    if (used < sizeof text)
      used += (size_t)snprintf(text + used, sizeof text - used, count == 1 ? " (node %d)" : " (node %d and %d more)",
                               (int)step->node.index, (int)count - 1);
  }
  if (!missing) return SAM_OK;
  return sam_error_set(error, SAM_UNSUPPORTED, session->steps[first].subgraph, session->steps[first].node.index, -1,
                       "%d operator%s not supported: %s", (int)missing, missing == 1 ? " is" : "s are", text);
}

static sam_status check_counts(sam_run *run, sam_step *step) {
  const sam_op *op = step->node.op;
  const sam_node *node = &step->node;
  struct sam_ctx *ctx = &run->ctx;
  int32_t most = op->flags & SAM_OP_VARIADIC ? INT32_MAX : op->max_inputs;
  if (node->n_inputs < op->min_inputs || node->n_inputs > most)
    return sam_fail(ctx, SAM_INVALID_MODEL, "has %d inputs, needs %d to %d", (int)node->n_inputs, (int)op->min_inputs,
                    (int)most);
  if (node->n_outputs < op->min_outputs || (op->max_outputs >= 0 && node->n_outputs > op->max_outputs))
    return sam_fail(ctx, SAM_INVALID_MODEL, "has %d outputs, needs %d to %d", (int)node->n_outputs,
                    (int)op->min_outputs, (int)op->max_outputs);
  for (int32_t i = 0; i < node->n_inputs; i++)
    if (!node->inputs[i] && !(op->optional >> (i < 31 ? i : 31) & 1))
      return sam_fail(ctx, SAM_INVALID_MODEL, "input %d is absent, but it is not optional", (int)i);
  for (int32_t i = 0; i < node->n_outputs; i++)
    if (!node->outputs[i]) return sam_fail(ctx, SAM_INVALID_MODEL, "output %d is absent", (int)i);
  return SAM_OK;
}

static sam_tensor **tensor_pointers(sam_session *session, const int32_t *slots, int32_t n) {
  sam_tensor **pointers = sam_block_alloc(&session->blocks, (size_t)n * sizeof *pointers);
  if (!pointers) return NULL;
  for (int32_t i = 0; i < n; i++) pointers[i] = slots[i] < 0 ? NULL : &session->slots[slots[i]].tensor;
  return pointers;
}

sam_status sam_plan_instantiate(sam_session *session, sam_error *error) {
  const sam_subgraph *graph = &session->model->subgraphs[session->subgraph];
  int32_t base;
  SAM_TRY(add_slots(session, graph, &base, error));
  for (int32_t i = 0; i < graph->n_inputs; i++) session->slots[graph->inputs[i]].is_input = true;
  for (int32_t i = 0; i < graph->n_outputs; i++) session->slots[graph->outputs[i]].is_output = true;
  int32_t *map = sam_malloc(((size_t)graph->n_tensors + 1) * sizeof *map);
  if (!map) return out_of_memory(session, error);
  for (int32_t i = 0; i < graph->n_tensors; i++) map[i] = i;
  sam_status status = add_graph(session, session->subgraph, map, 0, error);
  sam_free(map);
  SAM_TRY(status);
  SAM_TRY(check_supported(session, error));
  sam_run run;
  sam_run_init(&run, session, error, false);
  for (int32_t i = 0; i < session->n_steps; i++) { /* the slots do not move any more */
    sam_step *step = &session->steps[i];
    step->node.inputs = tensor_pointers(session, step->input_slots, step->node.n_inputs);
    step->node.outputs = tensor_pointers(session, step->output_slots, step->node.n_outputs);
    step->node.intermediates = tensor_pointers(session, step->intermediate_slots, step->node.n_intermediates);
    if (!step->node.inputs || !step->node.outputs || !step->node.intermediates) return out_of_memory(session, error);
    run.step = step;
    SAM_TRY(check_counts(&run, step));
  }
  return sam_plan_lower(session, error);
}

/* ---- Prepare ------------------------------------------------------------------------------------------------------ */

void sam_step_release(sam_session *session, sam_step *step) {
  while (step->blocks) {
    sam_block_list *next = step->blocks->next;
    session->state_bytes -= *(size_t *)(void *)(step->blocks + 1);
    sam_free_aligned(step->blocks);
    step->blocks = next;
  }
  step->node.state = NULL;
}

static sam_status choose_eval(sam_run *run, sam_step *step) {
  sam_node *node = &step->node;
  const sam_op *op = node->op;
  const sam_tensor *key = op->key < node->n_inputs ? node->inputs[op->key] : NULL;
  if (!key && node->n_outputs) key = node->outputs[0];
  node->eval = key && key->type < SAM_TYPE_COUNT ? op->eval[key->type] : NULL;
  if (node->eval) return SAM_OK;
  char text[256] = "";
  size_t used = 0;
  for (int32_t t = 0; t < SAM_TYPE_COUNT && used < sizeof text; t++)
    if (op->eval[t])
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", sam_type_name((sam_type)t));
  return sam_fail(&run->ctx, SAM_UNSUPPORTED, "type %s is not supported; supported: %s",
                  key ? sam_type_name(key->type) : "?", text);
}

static sam_status prepare_step(sam_run *run, sam_step *step) {
  run->step = step;
  run->ctx.node = &step->node;
  sam_step_release(run->session, step);
  step->node.scratch_bytes = 0;
  step->node.piece = NULL;
  step->node.piece_run = 0;
  step->node.chain = NULL;
  step->node.rows = NULL;
  step->node.strips = NULL;
  SAM_TRY(choose_eval(run, step));
  return step->node.op->prepare(&run->ctx, &step->node);
}

/* Own memory of a slot, at least `bytes`. The contents are lost when it grows. */
static bool own_memory(sam_slot *slot, size_t bytes, size_t *account) {
  if (bytes == 0) bytes = 1;
  if (bytes > slot->capacity) {
    void *memory = sam_malloc_aligned(bytes + SAM_SLACK);
    if (!memory) return false;
    *account += bytes - slot->capacity;
    sam_free_aligned(slot->own);
    slot->own = memory;
    slot->capacity = bytes;
  }
  slot->tensor.data = slot->own;
  return true;
}

bool sam_slot_own(sam_session *session, sam_slot *slot) {
  return own_memory(slot, slot->tensor.bytes, &session->dynamic_bytes);
}

static bool grow_scratch(sam_step *step) {
  if (step->node.scratch_bytes > step->own_scratch_capacity) {
    void *memory = sam_malloc_aligned(step->node.scratch_bytes + SAM_SLACK);
    if (!memory) return false;
    sam_free_aligned(step->own_scratch);
    step->own_scratch = memory;
    step->own_scratch_capacity = step->node.scratch_bytes;
  }
  step->node.scratch = step->node.scratch_bytes ? step->own_scratch : NULL;
  return true;
}

static bool can_fold(const sam_step *step) {
  const sam_node *node = &step->node;
  if (node->op->flags & SAM_OP_STATEFUL) return false;
  size_t in = 0, out = 0;
  for (int32_t i = 0; i < node->n_inputs; i++) {
    if (!node->inputs[i]) continue;
    if (node->inputs[i]->flags & SAM_TENSOR_VARIABLE) return false;
    if (!sam_is_known(node->inputs[i]) && !(node->op->flags & SAM_OP_SHAPE_ONLY)) return false;
    in += node->inputs[i]->bytes;
  }
  for (int32_t i = 0; i < node->n_outputs; i++) {
    if (node->outputs[i]->flags & SAM_TENSOR_VARIABLE || node->outputs[i]->type == SAM_STRING) return false;
    out += node->outputs[i]->bytes;
  }
  return out <= SAM_FOLD_FREE_BYTES || out / 8 <= in;
}

static sam_status fold(sam_run *run, sam_step *step) {
  sam_session *session = run->session;
  for (int32_t i = 0; i < step->node.n_outputs; i++) {
    sam_slot *slot = &session->slots[step->output_slots[i]];
    if (!own_memory(slot, slot->tensor.bytes, &session->persistent_bytes))
      return sam_fail(&run->ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes", slot->tensor.bytes);
    slot->home = SAM_HOME_PERSISTENT;
  }
  if (!grow_scratch(step))
    return sam_fail(&run->ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes of scratch", step->node.scratch_bytes);
  SAM_TRY(step->node.eval(&run->ctx, &step->node));
  for (int32_t i = 0; i < step->node.n_outputs; i++) {
    sam_slot *slot = &session->slots[step->output_slots[i]];
    slot->tensor.flags |= SAM_TENSOR_KNOWN;
    slot->changed = true;
  }
  step->folded = true;
  sam_step_release(session, step);
  sam_free_aligned(step->own_scratch);
  step->own_scratch = NULL;
  step->own_scratch_capacity = 0;
  return SAM_OK;
}

static sam_status make_late(sam_session *session, sam_step *step, bool needs_data) {
  if (!step->late_shapes) step->late_shapes = sam_calloc((size_t)step->node.n_inputs, sizeof *step->late_shapes);
  if (!step->late_shapes) return SAM_OUT_OF_MEMORY;
  step->late = true;
  step->late_ready = false;
  step->needs_data = needs_data;
  session->has_late = true;
  for (int32_t i = 0; i < step->node.n_outputs; i++) {
    sam_slot *slot = &session->slots[step->output_slots[i]];
    slot->tensor.flags |= SAM_TENSOR_DYNAMIC;
    slot->changed = true;
  }
  return SAM_OK;
}

/* Shapes, state and folding of every step whose inputs changed, in order. */
static sam_status prepare_steps(sam_run *run) {
  sam_session *session = run->session;
  session->has_late = false;
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step *step = &session->steps[i];
    if (step->removed) continue;
    bool changed = !step->prepared, dynamic = false;
    for (int32_t k = 0; k < step->node.n_inputs; k++) {
      if (step->input_slots[k] < 0) continue;
      const sam_slot *slot = &session->slots[step->input_slots[k]];
      changed |= slot->changed;
      dynamic |= (slot->tensor.flags & SAM_TENSOR_DYNAMIC) != 0;
    }
    if (!changed) {
      session->has_late |= step->late;
      continue;
    }
    step->prepared = step->late = step->needs_data = step->folded = false;
    for (int32_t k = 0; k < step->node.n_outputs; k++) {
      sam_slot *slot = &session->slots[step->output_slots[k]];
      if (slot->home == SAM_HOME_FILE || slot->tensor.flags & SAM_TENSOR_VARIABLE) continue;
      slot->tensor.flags &= ~(uint32_t)(SAM_TENSOR_DYNAMIC | SAM_TENSOR_KNOWN);
      slot->home = SAM_HOME_NONE;
      slot->tensor.data = NULL;
    }
    if (dynamic) {
      run->step = step;
      SAM_TRY(choose_eval(run, step));
      if (make_late(session, step, false) != SAM_OK) return out_of_memory(session, run->error);
    } else {
      sam_status status = prepare_step(run, step);
      if (status == (sam_status)SAM_NEED_DATA) {
        if (make_late(session, step, true) != SAM_OK) return out_of_memory(session, run->error);
      } else if (status != SAM_OK) {
        return status;
      } else if (can_fold(step)) {
        SAM_TRY(fold(run, step));
      }
    }
    step->prepared = true;
  }
  return SAM_OK;
}

/* ---- Place -------------------------------------------------------------------------------------------------------- */

static int32_t root_of(sam_session *session, int32_t slot) {
  while (session->slots[slot].root != slot) slot = session->slots[slot].root;
  return slot;
}

static void extend(sam_slot *slot, int32_t step) {
  if (step < slot->first) slot->first = step;
  if (step > slot->last) slot->last = step;
}

/* `out` lies in the memory of `owner` from now on. */
static void join(sam_slot *owner, int32_t root, sam_slot *out) {
  out->root = root;
  extend(owner, out->first);
  extend(owner, out->last);
  owner->is_output |= out->is_output && owner != out;
}

/* May output 0 of a step share the memory of input slot `in`? The bytes of `in` must be this session's to reuse. */
static bool shareable(const sam_session *session, const sam_slot *out, const sam_slot *in) {
  return in->home == SAM_HOME_ARENA && out->home == SAM_HOME_ARENA && !(out->is_input) &&
         in->tensor.bytes == out->tensor.bytes && !session->options.keep_all;
}

/* Lets `out` take the memory of input slot `in` of step `i`, which gives it up there. */
static bool take_over(sam_session *session, int32_t i, sam_slot *out, int32_t in_slot) {
  const sam_slot *in = &session->slots[in_slot];
  const int32_t root = root_of(session, in_slot);
  sam_slot *owner = &session->slots[root];
  if (!shareable(session, out, in) || owner->last > i || owner->is_input || owner->is_output ||
      sam_type_bits(in->tensor.type) != sam_type_bits(out->tensor.type))
    return false;
  join(owner, root, out);
  return true;
}

/* The last link takes over what one of them reads, tile by tile. */
static void share_chain(sam_session *session, int32_t i) {
  const sam_chain *chain = session->steps[i].node.chain;
  sam_slot *out = slot_of(session, chain->links[chain->n - 1].node->outputs[0]);
  for (int32_t l = 0; l < chain->n; l++) {
    const sam_node *node = chain->links[l].node;
    for (int32_t k = 0; k < node->n_inputs; k++)
      if (chain->links[l].from[k] < 0 && node->op->inplace >> k & 1 &&
          take_over(session, i, out, (int32_t)(slot_of(session, node->inputs[k]) - session->slots)))
        return;
  }
}

static void share_memory(sam_session *session) {
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (!sam_step_leads(step) || step->late || !step->node.n_outputs) continue;
    if (step->node.chain) {
      share_chain(session, i);
      continue;
    }
    sam_slot *out = &session->slots[step->output_slots[0]];
    const sam_op *op = step->node.op;
    for (int32_t k = 0; k < step->node.n_inputs; k++) {
      if (step->input_slots[k] < 0) continue;
      int32_t root = root_of(session, step->input_slots[k]);
      sam_slot *in = &session->slots[step->input_slots[k]], *owner = &session->slots[root];
      bool view = k == 0 && (op->flags & SAM_OP_VIEW) != 0 && shareable(session, out, in);
      /* The caller may write the next input before having read this output. */
      if (view && owner->is_input && out->is_output) view = false;
      if (view) join(owner, root, out);
      if (view || (k < 32 && (op->inplace >> k & 1) && take_over(session, i, out, step->input_slots[k]))) break;
    }
  }
}

static void find_lifetimes(sam_session *session) {
  int32_t end = session->n_steps;
  for (int32_t i = 0; i < session->n_slots; i++) {
    sam_slot *slot = &session->slots[i];
    slot->root = i;
    slot->first = INT32_MAX;
    slot->last = -1;
    slot->written = -1;
    slot->offset = -1;
    if (slot->home != SAM_HOME_FILE && slot->home != SAM_HOME_PERSISTENT) slot->home = SAM_HOME_NONE;
    if (slot->tensor.flags & SAM_TENSOR_VARIABLE) slot->home = SAM_HOME_PERSISTENT;
  }
  const sam_subgraph *graph = &session->model->subgraphs[session->subgraph];
  for (int32_t i = 0; i < session->n_slots; i++) session->slots[i].is_output = false;
  for (int32_t i = 0; i < graph->n_outputs; i++) session->slots[graph->outputs[i]].is_output = true;
  for (int32_t i = 0; i < graph->n_inputs; i++) {
    sam_slot *slot = &session->slots[graph->inputs[i]];
    if (slot->home != SAM_HOME_NONE) continue;
    slot->home = slot->tensor.type == SAM_STRING ? SAM_HOME_DYNAMIC : SAM_HOME_ARENA;
    extend(slot, 0);
    extend(slot, end);
  }
  for (int32_t i = 0; i < end; i++) {
    const sam_step *step = &session->steps[i];
    if (!sam_step_runs(step)) continue;
    const int32_t time = sam_step_time(session, i);
    for (int32_t k = 0; k < step->node.n_outputs; k++) {
      sam_slot *slot = &session->slots[step->output_slots[k]];
      slot->written = i;
      if (slot->tile) {
        slot->tensor.data = NULL;
        continue;
      }
      if (slot->home == SAM_HOME_NONE)
        slot->home = slot->tensor.flags & SAM_TENSOR_DYNAMIC || slot->tensor.type == SAM_STRING ? SAM_HOME_DYNAMIC
                                                                                               : SAM_HOME_ARENA;
      extend(slot, time);
      if (slot->is_output || session->options.keep_all) extend(slot, end);
    }
    for (int32_t k = 0; k < step->node.n_inputs; k++)
      if (step->input_slots[k] >= 0) extend(&session->slots[step->input_slots[k]], time);
  }
}

void sam_slot_reset(const sam_slot *slot) {
  if (slot->tensor.bytes == 0) return;
  int fill = 0;
  if ((slot->tensor.type == SAM_INT8 || slot->tensor.type == SAM_UINT8) && slot->source->quant.count > 0)
    fill = slot->source->quant.zero_point[0];
  memset(slot->tensor.data, fill, slot->tensor.bytes);
}

static sam_status place(sam_run *run) {
  sam_session *session = run->session;
  find_lifetimes(session);
  share_memory(session);
  int32_t n = 0;
  sam_arena_block *blocks = sam_calloc((size_t)session->n_slots + (size_t)session->n_steps + 1, sizeof *blocks);
  if (!blocks) return out_of_memory(session, run->error);
  for (int32_t i = 0; i < session->n_slots; i++) {
    const sam_slot *slot = &session->slots[i];
    if (slot->home != SAM_HOME_ARENA || slot->root != i) continue;
    blocks[n++] = (sam_arena_block){slot->tensor.bytes, slot->first, slot->last, -1};
  }
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (!sam_step_runs(step) || step->late || !step->node.scratch_bytes) continue;
    const int32_t time = sam_step_time(session, i);
    blocks[n++] = (sam_arena_block){step->node.scratch_bytes, time, time, -1};
  }
  size_t total = 0;
  sam_status status = sam_arena_place(blocks, n, &total);
  if (status != SAM_OK || total + session->persistent_bytes + session->state_bytes > session->options.max_memory) {
    sam_free(blocks);
    if (status == SAM_OUT_OF_MEMORY) return out_of_memory(session, run->error);
    return sam_error_set(run->error, SAM_LIMIT, session->subgraph, -1, -1,
                         "the plan needs %zu bytes of tensors and %zu of state, more than max_memory (%llu)", total,
                         session->persistent_bytes + session->state_bytes,
                         (unsigned long long)session->options.max_memory);
  }
  n = 0;
  for (int32_t i = 0; i < session->n_slots; i++) {
    sam_slot *slot = &session->slots[i];
    if (slot->home == SAM_HOME_ARENA && slot->root == i) slot->offset = blocks[n++].offset;
  }
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step *step = &session->steps[i];
    if (sam_step_runs(step) && !step->late && step->node.scratch_bytes) step->scratch_offset = blocks[n++].offset;
    else step->scratch_offset = -1;
  }
  sam_free(blocks);
  if (total > session->arena_capacity || !session->arena) {
    /* Zeros: an input that is never written reads as zeros, never as garbage. */
    void *arena = sam_map(total + SAM_SLACK, total);
    if (!arena) return out_of_memory(session, run->error);
    if (session->arena) sam_unmap(session->arena, session->arena_capacity + SAM_SLACK);
    session->arena = arena;
    session->arena_capacity = total;
  }
  session->arena_bytes = total;
  for (int32_t i = 0; i < session->n_slots; i++) {
    sam_slot *slot = &session->slots[i];
    if (slot->home == SAM_HOME_ARENA) {
      slot->offset = session->slots[root_of(session, i)].offset;
      slot->tensor.data = (char *)session->arena + slot->offset;
    } else if (slot->home == SAM_HOME_PERSISTENT && slot->tensor.flags & SAM_TENSOR_VARIABLE) {
      bool fresh = slot->tensor.bytes > slot->capacity || !slot->own;
      if (!own_memory(slot, slot->tensor.bytes, &session->persistent_bytes)) return out_of_memory(session, run->error);
      if (fresh) sam_slot_reset(slot);
    } else if (slot->home == SAM_HOME_DYNAMIC && slot->own) {
      slot->tensor.data = slot->own;
    }
  }
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step *step = &session->steps[i];
    if (step->scratch_offset >= 0) step->node.scratch = (char *)session->arena + step->scratch_offset;
    else if (!step->late) step->node.scratch = NULL;
  }
  return SAM_OK;
}

sam_status sam_plan_prepare(sam_session *session, sam_error *error) {
  session->planned = false;
  sam_run run;
  sam_run_init(&run, session, error, false);
  SAM_TRY(prepare_steps(&run));
  sam_plan_chains(session);
  sam_plan_strips(session);
  SAM_TRY(place(&run));
  for (int32_t i = 0; i < session->n_slots; i++) session->slots[i].changed = false;
  session->planned = true;
  sam_pack_cache_store(session->model->packs);
  return SAM_OK;
}

/* ---- Late steps --------------------------------------------------------------------------------------------------- */

/* Prepares with the values of all inputs at hand. */
static sam_status prepare_with_data(sam_run *run, sam_step *step) {
  sam_node *node = &step->node;
  uint32_t flags[64];
  int32_t n = node->n_inputs < 64 ? node->n_inputs : 64;
  for (int32_t i = 0; i < n; i++) {
    if (!node->inputs[i]) continue;
    flags[i] = node->inputs[i]->flags;
    node->inputs[i]->flags |= SAM_TENSOR_KNOWN;
  }
  sam_status status = prepare_step(run, step);
  for (int32_t i = n - 1; i >= 0; i--) /* backwards, as a tensor may be named twice */
    if (node->inputs[i]) node->inputs[i]->flags = flags[i];
  return status;
}

/* Were the inputs of this shape already when the step was prepared last? Notes the shapes for the next time. */
static bool same_input_shapes(sam_step *step) {
  bool same = true;
  for (int32_t i = 0; i < step->node.n_inputs; i++) {
    const sam_tensor *t = step->node.inputs[i];
    if (!t) continue;
    sam_shape *seen = &step->late_shapes[i];
    same &= seen->rank == t->rank && memcmp(seen->dims, t->dims, (size_t)t->rank * sizeof *t->dims) == 0;
    seen->rank = t->rank;
    memcpy(seen->dims, t->dims, sizeof seen->dims);
  }
  return same;
}

sam_status sam_plan_late(sam_run *run, sam_step *step) {
  sam_session *session = run->session;
  sam_node *node = &step->node;
  sam_status status = SAM_OK;
  bool same = same_input_shapes(step);
  if (!step->needs_data && !(same && step->late_ready)) {
    run->running = false;
    status = prepare_step(run, step);
    run->running = true;
    step->needs_data = status == (sam_status)SAM_NEED_DATA;
  }
  if (step->needs_data) status = prepare_with_data(run, step);
  step->late_ready = status == SAM_OK;
  SAM_TRY(status);
  for (int32_t i = 0; i < node->n_outputs; i++) {
    sam_slot *slot = &session->slots[step->output_slots[i]];
    if (slot->home != SAM_HOME_DYNAMIC) continue;
    if (!own_memory(slot, slot->tensor.bytes, &session->dynamic_bytes))
      return sam_fail(&run->ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes", slot->tensor.bytes);
    if (session->dynamic_bytes > session->options.max_memory)
      return sam_fail(&run->ctx, SAM_LIMIT, "tensors of dynamic shape need %zu bytes, more than max_memory",
                      session->dynamic_bytes);
  }
  if (!grow_scratch(step))
    return sam_fail(&run->ctx, SAM_OUT_OF_MEMORY, "out of memory for %zu bytes of scratch", node->scratch_bytes);
  return SAM_OK;
}
