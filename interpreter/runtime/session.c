/* The session calls of samara.h. */
#include "session.h"

#include <string.h>

#include "backend.h"
#include "threads.h"

sam_status sam_session_create(sam_model *model, int32_t subgraph, const sam_options *options, sam_session **result,
                              sam_error *error) {
  sam_options defaults;
  if (!options) {
    sam_options_init(&defaults);
    options = &defaults;
  }
  if (subgraph < 0 || subgraph >= model->n_subgraphs)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, -1, -1, -1, "subgraph %d, but the model has %d subgraphs",
                         (int)subgraph, (int)model->n_subgraphs);
  if (options->threads < 0 || options->threads > 1024)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, -1, -1, -1, "threads is %d, must be 0 to 1024",
                         (int)options->threads);
  sam_session *session = sam_calloc(1, sizeof *session);
  if (!session) return sam_error_set(error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for a session");
  session->options = *options;
  session->subgraph = subgraph;
  session->model = model;
  sam_model_retain(model);
  sam_status status = sam_backend_find(options->device, &session->backend, error);
  if (status == SAM_OK)
    status = session->backend->create(session, &session->backend_state, error);
  else
    session->backend = NULL;
  if (status == SAM_OK) {
    if (session->options.threads == 0) {
      int32_t cpus = sam_available_cpus();
      session->options.threads = cpus < 4 ? cpus : 4;
    }
    if (session->options.threads > 1) {
      session->pool = sam_pool_create(session->options.threads);
      if (!session->pool && SAM_THREADS)
        status = sam_error_set(error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for %d threads",
                               (int)session->options.threads);
    }
  }
  if (status == SAM_OK) status = sam_plan_instantiate(session, error);
  if (status == SAM_OK) status = sam_plan_prepare(session, error);
  if (status != SAM_OK) {
    sam_session_free(session);
    return status;
  }
  *result = session;
  return SAM_OK;
}

void sam_session_free(sam_session *session) {
  if (!session) return;
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step_release(session, &session->steps[i]);
    sam_free_aligned(session->steps[i].own_scratch);
    sam_free(session->steps[i].late_shapes);
  }
  for (int32_t i = 0; i < session->n_slots; i++) sam_free_aligned(session->slots[i].own);
  sam_free(session->steps);
  sam_free(session->slots);
  if (session->arena) sam_unmap(session->arena, session->arena_capacity + SAM_SLACK);
  sam_blocks_free(session->blocks);
  sam_pool_free(session->pool);
  if (session->backend) session->backend->destroy(session->backend_state);
  sam_model_free(session->model);
  sam_free(session);
}

static const sam_subgraph *graph_of(const sam_session *session) {
  return &session->model->subgraphs[session->subgraph];
}

int32_t sam_session_input(const sam_session *session, int32_t i) {
  return i < 0 || i >= graph_of(session)->n_inputs ? -1 : graph_of(session)->inputs[i];
}

int32_t sam_session_output(const sam_session *session, int32_t i) {
  return i < 0 || i >= graph_of(session)->n_outputs ? -1 : graph_of(session)->outputs[i];
}

/* The slot of a tensor index of the file, or an error. */
static sam_status find_slot(sam_session *session, int32_t tensor, sam_slot **slot, sam_error *error) {
  int32_t n = graph_of(session)->n_tensors;
  if (tensor < 0 || tensor >= n)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "tensor %d, but subgraph %d has %d tensors", (int)tensor, (int)session->subgraph, (int)n);
  *slot = &session->slots[tensor];
  return SAM_OK;
}

sam_status sam_session_resize(sam_session *session, int32_t tensor, int32_t rank, const int32_t *shape, bool strict,
                              sam_error *error) {
  sam_slot *slot;
  SAM_TRY(find_slot(session, tensor, &slot, error));
  if (!slot->is_input)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "tensor %d \"%s\" is not an input; only inputs can be resized", (int)tensor,
                         slot->tensor.name);
  if (rank < 0 || rank > SAM_MAX_RANK)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "input %d \"%s\": %d dimensions asked for, at most %d are supported", (int)tensor,
                         slot->tensor.name, (int)rank, SAM_MAX_RANK);
  uint64_t bytes;
  for (int32_t i = 0; i < rank; i++)
    if (shape[i] < 0)
      return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                           "input %d \"%s\": dimension %d is %d, must be 0 or more", (int)tensor, slot->tensor.name,
                           (int)i, (int)shape[i]);
  if (!sam_shape_bytes(slot->tensor.type, rank, shape, session->options.max_memory, &bytes))
    return sam_error_set(
        error, SAM_LIMIT, session->subgraph, -1, tensor,
        "input %d \"%s\": the shape needs more than max_memory (%llu bytes), or is empty and its other "
        "sizes are beyond what a loop can count",
        (int)tensor, slot->tensor.name, (unsigned long long)session->options.max_memory);
  if (strict) {
    const sam_file_tensor *source = slot->source;
    const int32_t *open = source->signature_rank ? source->signature : source->view.dims;
    int32_t open_rank = source->signature_rank ? source->signature_rank : source->view.rank;
    for (int32_t i = 0; i < rank || i < open_rank; i++)
      if (rank != open_rank || (open[i] != -1 && open[i] != shape[i]))
        return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                             "input %d \"%s\": strict resize may only change dimensions that shape_signature leaves "
                             "open (-1); dimension %d is fixed",
                             (int)tensor, slot->tensor.name, (int)i);
  }
  bool same = slot->tensor.rank == rank;
  for (int32_t i = 0; same && i < rank; i++) same = slot->tensor.dims[i] == shape[i];
  if (same) return SAM_OK;
  slot->tensor.rank = rank;
  for (int32_t i = 0; i < rank; i++) slot->tensor.dims[i] = shape[i];
  slot->tensor.bytes = (size_t)bytes;
  slot->changed = true;
  session->planned = false;
  return SAM_OK;
}

sam_status sam_session_prepare(sam_session *session, sam_error *error) {
  return session->planned ? SAM_OK : sam_plan_prepare(session, error);
}

sam_status sam_session_invoke(sam_session *session, sam_error *error) {
  SAM_TRY(sam_session_prepare(session, error));
  sam_pool_begin(session->pool);
  sam_status status = session->backend->run(session->backend_state, session, (sam_segment){0, session->n_steps}, error);
  sam_pool_end(session->pool);
  return status;
}

void sam_session_cancel(sam_session *session) { atomic_store(&session->cancel, true); }

void sam_session_reset(sam_session *session) {
  for (int32_t i = 0; i < session->n_slots; i++) {
    const sam_slot *slot = &session->slots[i];
    if (slot->tensor.flags & SAM_TENSOR_VARIABLE && slot->own) sam_slot_reset(slot);
  }
}

/* Was the memory of `slot` given to a tensor, or to scratch, that a later step writes? */
static bool overwritten(const sam_session *session, const sam_slot *slot) {
  int64_t begin = slot->offset, end = begin + (int64_t)slot->tensor.bytes;
  for (int32_t i = 0; i < session->n_slots; i++) {
    const sam_slot *other = &session->slots[i];
    if (other == slot || other->home != SAM_HOME_ARENA || other->written <= slot->written) continue;
    bool view = other->root == slot->root && session->steps[other->written].node.op->flags & SAM_OP_VIEW;
    if (!view && other->offset < end && other->offset + (int64_t)other->tensor.bytes > begin) return true;
  }
  for (int32_t i = slot->written + 1; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (sam_step_time(session, i) > slot->written && step->scratch_offset >= 0 && step->scratch_offset < end &&
        step->scratch_offset + (int64_t)step->node.scratch_bytes > begin)
      return true;
  }
  return false;
}

sam_status sam_session_tensor(sam_session *session, int32_t tensor, sam_tensor_view *view, sam_error *error) {
  sam_slot *slot;
  SAM_TRY(find_slot(session, tensor, &slot, error));
  *view = (sam_tensor_view){.type = slot->tensor.type,
                            .rank = slot->tensor.rank,
                            .bytes = slot->tensor.bytes,
                            .offset = -1,
                            .dynamic = (slot->tensor.flags & SAM_TENSOR_DYNAMIC) != 0};
  memcpy(view->shape, slot->tensor.dims, sizeof view->shape);
  if (slot->home == SAM_HOME_FILE)
    view->data = slot->tensor.data;
  else if (session->planned) {
    view->offset = slot->offset;
    if (slot->home == SAM_HOME_ARENA)
      view->data = overwritten(session, slot) ? NULL : slot->tensor.data;
    else
      view->data = slot->tensor.data;
  }
  return SAM_OK;
}

/* A packed STRING value of `n` elements: int32 count, count + 1 ascending offsets that end within the bytes. */
static bool strings_well_formed(const void *data, size_t bytes, int64_t n) {
  int32_t count, offset, previous = 0;
  if (bytes < 4) return false;
  memcpy(&count, data, 4);
  if (count != n || (uint64_t)bytes < ((uint64_t)count + 2) * 4) return false;
  previous = (int32_t)(((int64_t)count + 2) * 4);
  for (int64_t i = 0; i <= count; i++) {
    memcpy(&offset, (const char *)data + 4 + 4 * i, 4);
    if (offset < previous || (size_t)offset > bytes) return false;
    previous = offset;
  }
  return true;
}

sam_status sam_session_write(sam_session *session, int32_t tensor, const void *data, size_t bytes, sam_error *error) {
  sam_slot *slot;
  SAM_TRY(find_slot(session, tensor, &slot, error));
  if (!slot->is_input && !(slot->tensor.flags & SAM_TENSOR_VARIABLE))
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "tensor %d \"%s\" is neither an input nor a variable; it cannot be written", (int)tensor,
                         slot->tensor.name);
  SAM_TRY(sam_session_prepare(session, error));
  if (slot->tensor.type == SAM_STRING) {
    const int64_t n = sam_elements(&slot->tensor);
    if (!strings_well_formed(data, bytes, n))
      return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                           "tensor %d \"%s\": %zu bytes are not a packed string tensor of %lld elements", (int)tensor,
                           slot->tensor.name, bytes, (long long)n);
    slot->tensor.bytes = bytes;
    if (!sam_slot_own(session, slot))
      return sam_error_set(error, SAM_OUT_OF_MEMORY, session->subgraph, -1, tensor, "out of memory for %zu bytes",
                           bytes);
  }
  if (bytes != slot->tensor.bytes)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "tensor %d \"%s\" has %zu bytes, %zu were given", (int)tensor, slot->tensor.name,
                         slot->tensor.bytes, bytes);
  if (bytes) memcpy(slot->tensor.data, data, bytes);
  return SAM_OK;
}

sam_status sam_session_read(sam_session *session, int32_t tensor, void *data, size_t bytes, sam_error *error) {
  sam_tensor_view view;
  SAM_TRY(sam_session_tensor(session, tensor, &view, error));
  const char *name = session->slots[tensor].tensor.name;
  if (bytes != view.bytes)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, session->subgraph, -1, tensor,
                         "tensor %d \"%s\" has %llu bytes, the buffer has %zu", (int)tensor, name,
                         (unsigned long long)view.bytes, bytes);
  if (!bytes) return SAM_OK;
  if (!view.data)
    return sam_error_set(error, SAM_STATE, session->subgraph, -1, tensor,
                         "tensor %d \"%s\" has no bytes now: its memory is reused by later tensors; create the session "
                         "with keep_all to read intermediate tensors",
                         (int)tensor, name);
  memcpy(data, view.data, bytes);
  return SAM_OK;
}

sam_status sam_session_memory(const sam_session *session, sam_memory_info *info) {
  *info = (sam_memory_info){.arena = session->arena_bytes,
                            .persistent = session->persistent_bytes + session->state_bytes,
                            .packed = sam_pack_cache_bytes(session->model->packs),
                            .dynamic = session->dynamic_bytes,
                            .model = session->model->size};
  return SAM_OK;
}

int32_t sam_session_step_count(const sam_session *session) {
  int32_t n = 0;
  for (int32_t i = 0; i < session->n_steps; i++) n += sam_step_leads(&session->steps[i]);
  return n;
}

sam_status sam_session_step(const sam_session *session, int32_t index, sam_step_info *info) {
  for (int32_t i = 0; i < session->n_steps && index >= 0; i++) {
    const sam_step *step = &session->steps[i];
    if (!sam_step_leads(step) || index-- > 0) continue;
    *info = (sam_step_info){.node = step->node.index,
                            .subgraph = step->subgraph,
                            .op = step->source->name,
                            .name = step->node.n_outputs ? step->node.outputs[0]->name : "",
                            .calls = step->calls,
                            .ns = step->ns,
                            .macs = sam_step_macs(step),
                            .bytes = sam_step_bytes(step)};
    return SAM_OK;
  }
  return SAM_INVALID_ARGUMENT;
}

void sam_session_profile_reset(sam_session *session) {
  for (int32_t i = 0; i < session->n_steps; i++) session->steps[i].calls = session->steps[i].ns = 0;
}
