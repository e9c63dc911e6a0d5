/* From the verified flatbuffer to the plain arrays of model.h.
 *
 *      Model ─┬─ buffers ──────────── where constants lie (in the flatbuffer, or behind it in files over 2 GB)
 *             ├─ operator_codes ───── sam_op, or NULL if this build lacks it: such a model loads and can be inspected
 *             ├─ subgraphs ─┬ tensors    type, shape, quantization, constant bytes
 *             │             └ operators  indices, options as the struct the operator asks for
 *             └─ signatures, metadata
 *
 * Every number is checked here against what it indexes or must fit; model.c lists the rules. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "loader.h"
#include "samara/options.h"
#include "schema_gen.h"

/* What empty vectors and constants without elements point to. */
static const _Alignas(64) uint8_t nothing[64];

void *sam_load_alloc(sam_loader *loader, uint64_t count, size_t size, sam_status *status) {
  if (count > loader->budget / size) {
    *status = sam_error_set(loader->error, SAM_LIMIT, -1, -1, -1,
                            "the decoded model needs more memory than max_memory (%" PRIu64 " bytes)",
                            loader->options->max_memory);
    return NULL;
  }
  loader->budget -= count * size;
  void *memory = count * size > SIZE_MAX / 4 ? NULL : sam_block_alloc(&loader->model->blocks, (size_t)(count * size));
  if (!memory) *status = sam_error_set(loader->error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for the model");
  return memory;
}

static const char *tensor_name(const sam_loader *loader, int32_t subgraph, int32_t tensor) {
  const sam_subgraph *graph = &loader->model->subgraphs[subgraph];
  if (!graph->tensors || tensor < 0 || tensor >= graph->n_tensors || !graph->tensors[tensor].view.name) return "";
  return graph->tensors[tensor].view.name;
}

static void in_subgraph(char *text, size_t size, int32_t subgraph) {
  text[0] = 0;
  if (subgraph > 0) snprintf(text, size, "subgraph %d ", (int)subgraph);
}

sam_status sam_load_tensor_fail(const sam_loader *loader, sam_status status, int32_t subgraph, int32_t tensor,
                                const char *format, ...) {
  char reason[400], where[32];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  in_subgraph(where, sizeof where, subgraph);
  return sam_error_set(loader->error, status, subgraph, -1, tensor, "%stensor %d \"%.120s\": %s", where, (int)tensor,
                       tensor_name(loader, subgraph, tensor), reason);
}

sam_status sam_load_node_fail(const sam_loader *loader, sam_status status, int32_t subgraph, int32_t node,
                              const char *format, ...) {
  char reason[400], where[32];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  in_subgraph(where, sizeof where, subgraph);
  const sam_file_node *n = &loader->model->subgraphs[subgraph].nodes[node];
  const char *name = n->outputs && n->n_outputs > 0 ? tensor_name(loader, subgraph, n->outputs[0]) : "";
  return sam_error_set(loader->error, status, subgraph, node, -1, "%snode %d %.60s \"%.120s\": %s", where, (int)node,
                       n->name ? n->name : "?", name, reason);
}

#define FAIL(...) return sam_error_set(loader->error, SAM_INVALID_MODEL, -1, -1, -1, __VA_ARGS__)
#define NODE_FAIL(...) return sam_load_node_fail(loader, SAM_INVALID_MODEL, subgraph, index, __VA_ARGS__)

/* ---- Buffers and operator codes ------------------------------------------------------------------------------------
 */

static sam_status decode_buffers(sam_loader *loader) {
  sam_status status = SAM_OK;
  sam_fb_vector vector = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_BUFFERS);
  if (!vector.data || vector.count == 0) FAIL("the model has no buffers");
  loader->buffers = sam_load_alloc(loader, vector.count, sizeof *loader->buffers, &status);
  if (status) return status;
  loader->n_buffers = (int32_t)vector.count;
  for (uint32_t i = 0; i < vector.count; i++) {
    const uint8_t *table = sam_fb_table_at(vector, i);
    sam_file_buffer *buffer = &loader->buffers[i];
    sam_fb_vector data = sam_fb_vector_of(table, SAM_SLOT_BUFFER_DATA);
    uint64_t offset = sam_fb_u64(table, SAM_SLOT_BUFFER_OFFSET), size = sam_fb_u64(table, SAM_SLOT_BUFFER_SIZE);
    if (data.count > 0) {
      buffer->data = data.data;
      buffer->bytes = data.count;
    } else if (offset > 1 && size > 0) {
      if (offset > loader->model->size || size > loader->model->size - offset)
        FAIL("buffer %" PRIu32 " is said to lie at bytes %" PRIu64 " to %" PRIu64 "+%" PRIu64
             ", but the file has %zu bytes",
             i, offset, offset, size, loader->model->size);
      buffer->data = loader->model->bytes + offset;
      buffer->bytes = size;
    }
  }
  return SAM_OK;
}

static sam_status decode_opcodes(sam_loader *loader) {
  sam_status status = SAM_OK;
  sam_fb_vector vector = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_OPERATOR_CODES);
  loader->opcodes = sam_load_alloc(loader, vector.count, sizeof *loader->opcodes, &status);
  if (status) return status;
  loader->n_opcodes = (int32_t)vector.count;
  for (uint32_t i = 0; i < vector.count; i++) {
    const uint8_t *table = sam_fb_table_at(vector, i);
    sam_file_opcode *opcode = &loader->opcodes[i];
    int32_t old = sam_fb_i8(table, SAM_SLOT_OPERATOR_CODE_DEPRECATED_BUILTIN_CODE, 0);
    int32_t code = sam_fb_i32(table, SAM_SLOT_OPERATOR_CODE_BUILTIN_CODE, 0);
    opcode->code = code > old ? code : old;
    opcode->version = sam_fb_i32(table, SAM_SLOT_OPERATOR_CODE_VERSION, 1);
    if (opcode->code < 0) FAIL("operator code %" PRIu32 " is %d; codes start at 0", i, (int)opcode->code);
    if (opcode->version < 1)
      FAIL("operator code %" PRIu32 " has version %d; versions start at 1", i, (int)opcode->version);
    if (opcode->code == SAM_BUILTIN_CUSTOM) {
      opcode->custom = true;
      opcode->name = sam_fb_string(table, SAM_SLOT_OPERATOR_CODE_CUSTOM_CODE);
      if (!opcode->name || !opcode->name[0])
        FAIL("operator code %" PRIu32 " is CUSTOM but has no custom_code (name)", i);
      opcode->op = sam_find_custom(loader->options, opcode->name);
    } else {
      opcode->name = sam_builtin_name(opcode->code);
      opcode->op = sam_find_builtin(opcode->code);
      if (!opcode->name) {
        char *name = sam_load_alloc(loader, 1, 32, &status);
        if (status) return status;
        snprintf(name, 32, "BUILTIN_%d", (int)opcode->code);
        opcode->name = name;
      }
    }
  }
  return SAM_OK;
}

/* ---- Operators -----------------------------------------------------------------------------------------------------
 */

/* A vector of the file as an option struct holds it: its data pointer and count lie at `place`, like sam_ints. */
static sam_status decode_option_vector(sam_loader *loader, const sam_schema_field *field, sam_fb_vector vector,
                                       void *place) {
  sam_status status = SAM_OK;
  const void *data = vector.count ? vector.data : nothing;
  if (field->wire == SAM_WIRE_I64 && vector.count && (uintptr_t)vector.data % 8 != 0) {
    void *copy = sam_load_alloc(loader, vector.count, 8, &status);
    if (status) return status;
    memcpy(copy, vector.data, 8 * (size_t)vector.count);
    data = copy;
  }
  if (vector.count > INT32_MAX)
    return sam_error_set(loader->error, SAM_LIMIT, -1, -1, -1, "an option has %" PRIu32 " values", vector.count);
  switch (field->wire) {
    case SAM_WIRE_I64:
      *(sam_longs *)place = (sam_longs){data, (int32_t)vector.count};
      break;
    case SAM_WIRE_F32:
      *(sam_floats *)place = (sam_floats){data, (int32_t)vector.count};
      break;
    case SAM_WIRE_I32:
    case SAM_WIRE_U32:
      *(sam_ints *)place = (sam_ints){data, (int32_t)vector.count};
      break;
    default:
      *(sam_bytes *)place = (sam_bytes){data, (int32_t)vector.count};
      break;
  }
  return SAM_OK;
}

static void decode_option_scalar(const sam_schema_field *field, const uint8_t *p, void *place) {
  switch (field->wire) {
    case SAM_WIRE_BOOL:
      *(bool *)place = p ? *p != 0 : field->fallback != 0;
      break;
    case SAM_WIRE_F32: {
      uint32_t bits = p ? sam_fb_load32(p) : 0;
      memcpy(place, &bits, 4);
      break;
    }
    case SAM_WIRE_I64:
      *(int64_t *)place = p ? (int64_t)sam_fb_load64(p) : field->fallback;
      break;
    case SAM_WIRE_U64:
      *(uint64_t *)place = p ? sam_fb_load64(p) : (uint64_t)field->fallback;
      break;
    case SAM_WIRE_U32:
      *(uint32_t *)place = p ? sam_fb_load32(p) : (uint32_t)field->fallback;
      break;
    case SAM_WIRE_I32:
      *(int32_t *)place = p ? (int32_t)sam_fb_load32(p) : field->fallback;
      break;
    case SAM_WIRE_I16:
      *(int32_t *)place = p ? (int16_t)sam_fb_load16(p) : field->fallback;
      break;
    case SAM_WIRE_U16:
      *(int32_t *)place = p ? sam_fb_load16(p) : field->fallback;
      break;
    case SAM_WIRE_I8:
      *(int32_t *)place = p ? (int8_t)*p : field->fallback;
      break;
    default:
      *(int32_t *)place = p ? *p : field->fallback;
      break;
  }
}

/* The struct of samara/options.h for `kind`; `table` NULL gives the defaults. */
static sam_status decode_options(sam_loader *loader, int32_t subgraph, int32_t index, int32_t kind,
                                 const uint8_t *table, const void **options) {
  static const _Alignas(4) uint8_t no_table[8] = {4, 0, 4, 0, 4, 0, 0, 0}; /* vtable, and a table 4 bytes behind it */
  const sam_schema_options *schema = &sam_schema_options_of[kind];
  *options = NULL;
  if (schema->size == 0) return SAM_OK;
  if (!table) table = no_table + 4;
  sam_status status = SAM_OK;
  uint8_t *decoded = sam_load_alloc(loader, 1, schema->size, &status);
  const sam_schema_table *fields = &sam_schema_tables[schema->table];
  for (int32_t slot = 0; slot < fields->n_fields && !status; slot++) {
    const sam_schema_field *field = &fields->fields[slot];
    void *place = decoded + field->offset;
    if (field->kind == SAM_FIELD_STRING) {
      const char *text = sam_fb_string(table, slot);
      *(const char **)place = text ? text : "";
    } else if (field->kind == SAM_FIELD_VECTOR) {
      sam_fb_vector vector = sam_fb_vector_of(table, slot);
      status = decode_option_vector(loader, field, vector, place);
      for (uint32_t i = 0; field->enum_count > 0 && i < vector.count && !status; i++)
        if ((uint32_t)sam_fb_i32_at(vector, i) >= (uint32_t)field->enum_count)
          NODE_FAIL("option %s[%" PRIu32 "] is %d, must be 0 to %d", field->name, i, (int)sam_fb_i32_at(vector, i),
                    field->enum_count - 1);
    } else {
      decode_option_scalar(field, sam_fb_field(table, slot), place);
      if (field->enum_count > 0 && (uint32_t) * (int32_t *)place >= (uint32_t)field->enum_count)
        NODE_FAIL("option %s is %d, must be 0 to %d", field->name, (int)*(int32_t *)place, field->enum_count - 1);
    }
  }
  *options = decoded;
  return status;
}

static sam_status decode_indices(sam_loader *loader, int32_t subgraph, const uint8_t *table, int slot, int32_t **list,
                                 int32_t *count) {
  sam_status status = SAM_OK;
  sam_fb_vector vector = sam_fb_vector_of(table, slot);
  (void)subgraph;
  *list = sam_load_alloc(loader, vector.count, sizeof **list, &status);
  if (status) return status;
  *count = (int32_t)vector.count;
  for (uint32_t i = 0; i < vector.count; i++) (*list)[i] = sam_fb_i32_at(vector, i);
  return SAM_OK;
}

static sam_status check_indices(sam_loader *loader, int32_t subgraph, int32_t index, const char *what,
                                const int32_t *list, int32_t n, bool optional) {
  int32_t n_tensors = loader->model->subgraphs[subgraph].n_tensors;
  for (int32_t i = 0; i < n; i++)
    if (list[i] < (optional ? -1 : 0) || list[i] >= n_tensors)
      NODE_FAIL("%s %d is tensor %d, but the subgraph has %d tensors", what, (int)i, (int)list[i], (int)n_tensors);
  return SAM_OK;
}

/* Options as the operator wants them: absent is fine, another operator's are not. */
static sam_status decode_node_options(sam_loader *loader, int32_t subgraph, int32_t index, sam_file_node *node,
                                      const uint8_t *table) {
  int32_t want = node->op ? node->op->options : SAM_OPTIONS_NONE;
  if (want <= SAM_OPTIONS_NONE || want >= SAM_OPTIONS_COUNT) return SAM_OK;
  const uint8_t *found = NULL;
  for (int which = 0; which < 2; which++) {
    int slot = which ? SAM_SLOT_OPERATOR_BUILTIN_OPTIONS_2 : SAM_SLOT_OPERATOR_BUILTIN_OPTIONS;
    const sam_schema_union *members =
        &sam_schema_unions[which ? SAM_UNION_BUILTIN_OPTIONS2 : SAM_UNION_BUILTIN_OPTIONS];
    int32_t tag = (int32_t)sam_fb_u8(table, slot - 1);
    if (tag == 0) continue;
    int32_t kind = tag >= members->n_members ? -1 : which ? SAM_OPTIONS_2_KIND(tag) : SAM_OPTIONS_KIND(tag);
    if (kind != want)
      NODE_FAIL("the options are %s, must be %s", kind < 0 ? "of an unknown kind" : sam_schema_options_of[kind].name,
                sam_schema_options_of[want].name);
    found = sam_fb_target(table, slot);
  }
  return decode_options(loader, subgraph, index, want, found, &node->options);
}

static sam_status decode_node(sam_loader *loader, int32_t subgraph, int32_t index, const uint8_t *table) {
  sam_file_node *node = &loader->model->subgraphs[subgraph].nodes[index];
  uint32_t code = sam_fb_u32(table, SAM_SLOT_OPERATOR_OPCODE_INDEX);
  if (code >= (uint32_t)loader->n_opcodes)
    NODE_FAIL("opcode_index is %" PRIu32 ", but the model has %d operator codes", code, (int)loader->n_opcodes);
  const sam_file_opcode *opcode = &loader->opcodes[code];
  node->op = opcode->op;
  node->code = opcode->code;
  node->name = opcode->name;
  node->custom = opcode->custom;
  node->version = opcode->version;
  sam_status status = decode_indices(loader, subgraph, table, SAM_SLOT_OPERATOR_INPUTS, &node->inputs, &node->n_inputs);
  if (!status)
    status = decode_indices(loader, subgraph, table, SAM_SLOT_OPERATOR_OUTPUTS, &node->outputs, &node->n_outputs);
  if (!status)
    status = decode_indices(loader, subgraph, table, SAM_SLOT_OPERATOR_INTERMEDIATES, &node->intermediates,
                            &node->n_intermediates);
  if (!status) status = check_indices(loader, subgraph, index, "input", node->inputs, node->n_inputs, true);
  if (!status) status = check_indices(loader, subgraph, index, "output", node->outputs, node->n_outputs, false);
  if (!status)
    status = check_indices(loader, subgraph, index, "intermediate", node->intermediates, node->n_intermediates, true);
  if (status) return status;

  sam_fb_vector custom = sam_fb_vector_of(table, SAM_SLOT_OPERATOR_CUSTOM_OPTIONS);
  uint64_t offset = sam_fb_u64(table, SAM_SLOT_OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET);
  uint64_t size = sam_fb_u64(table, SAM_SLOT_OPERATOR_LARGE_CUSTOM_OPTIONS_SIZE);
  node->custom_options = custom.count ? custom.data : NULL;
  node->custom_bytes = custom.count;
  if (offset > 1) {
    if (offset > loader->model->size || size > loader->model->size - offset)
      NODE_FAIL("custom options are said to lie at bytes %" PRIu64 "+%" PRIu64 ", but the file has %zu bytes", offset,
                size, loader->model->size);
    node->custom_options = size ? loader->model->bytes + offset : NULL;
    node->custom_bytes = (size_t)size;
  }
  return decode_node_options(loader, subgraph, index, node, table);
}

/* ---- Subgraphs and the rest ----------------------------------------------------------------------------------------
 */

static sam_status decode_subgraph(sam_loader *loader, int32_t subgraph, const uint8_t *table, int64_t *operators) {
  sam_status status = SAM_OK;
  sam_subgraph *graph = &loader->model->subgraphs[subgraph];
  const char *name = sam_fb_string(table, SAM_SLOT_SUB_GRAPH_NAME);
  graph->name = name ? name : "";
  sam_fb_vector tensors = sam_fb_vector_of(table, SAM_SLOT_SUB_GRAPH_TENSORS);
  sam_fb_vector nodes = sam_fb_vector_of(table, SAM_SLOT_SUB_GRAPH_OPERATORS);
  *operators += nodes.count;
  if (*operators > loader->options->max_ops)
    return sam_error_set(loader->error, SAM_LIMIT, subgraph, -1, -1,
                         "the model has at least %" PRId64 " operators, max_ops allows %d", *operators,
                         (int)loader->options->max_ops);
  graph->tensors = sam_load_alloc(loader, tensors.count, sizeof *graph->tensors, &status);
  if (!status) graph->nodes = sam_load_alloc(loader, nodes.count, sizeof *graph->nodes, &status);
  if (status) return status;
  graph->n_tensors = (int32_t)tensors.count;
  graph->n_nodes = (int32_t)nodes.count;
  for (int32_t i = 0; i < graph->n_tensors && !status; i++) {
    graph->tensors[i].view.index = i;
    status = sam_decode_tensor(loader, subgraph, &graph->tensors[i], sam_fb_table_at(tensors, (uint32_t)i));
  }
  for (int32_t i = 0; i < graph->n_tensors && !status; i++)
    status = sam_decode_blockwise(loader, subgraph, &graph->tensors[i], sam_fb_table_at(tensors, (uint32_t)i));
  for (int32_t i = 0; i < graph->n_nodes && !status; i++)
    status = decode_node(loader, subgraph, i, sam_fb_table_at(nodes, (uint32_t)i));
  for (int which = 0; which < 2 && !status; which++) {
    int32_t **list = which ? &graph->outputs : &graph->inputs;
    int32_t *count = which ? &graph->n_outputs : &graph->n_inputs;
    status = decode_indices(loader, subgraph, table, which ? SAM_SLOT_SUB_GRAPH_OUTPUTS : SAM_SLOT_SUB_GRAPH_INPUTS,
                            list, count);
    for (int32_t i = 0; !status && i < *count; i++)
      if ((*list)[i] < 0 || (*list)[i] >= graph->n_tensors)
        status =
            sam_error_set(loader->error, SAM_INVALID_MODEL, subgraph, -1, (*list)[i],
                          "subgraph %d \"%.120s\": %s %d is tensor %d, but the subgraph has %d tensors", (int)subgraph,
                          graph->name, which ? "output" : "input", (int)i, (int)(*list)[i], (int)graph->n_tensors);
  }
  return status;
}

static sam_status decode_metadata(sam_loader *loader) {
  sam_status status = SAM_OK;
  sam_model *model = loader->model;
  sam_fb_vector vector = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_METADATA);
  model->metadata = sam_load_alloc(loader, vector.count, sizeof *model->metadata, &status);
  if (status) return status;
  model->n_metadata = (int32_t)vector.count;
  for (uint32_t i = 0; i < vector.count; i++) {
    const uint8_t *table = sam_fb_table_at(vector, i);
    sam_metadata_info *info = &model->metadata[i];
    const char *name = sam_fb_string(table, SAM_SLOT_METADATA_NAME);
    uint32_t buffer = sam_fb_u32(table, SAM_SLOT_METADATA_BUFFER);
    info->name = name ? name : "";
    if (buffer >= (uint32_t)loader->n_buffers)
      FAIL("metadata %" PRIu32 " \"%.120s\": buffer index %" PRIu32 ", but the model has %d buffers", i, info->name,
           buffer, (int)loader->n_buffers);
    info->data = loader->buffers[buffer].data ? (const void *)loader->buffers[buffer].data : nothing;
    info->bytes = loader->buffers[buffer].bytes;
  }
  return SAM_OK;
}

static sam_status decode_tensor_map(sam_loader *loader, uint32_t number, const sam_signature_info *info,
                                    sam_fb_vector vector, bool output, const char *const **names,
                                    const int32_t **tensors, int32_t *count) {
  sam_status status = SAM_OK;
  const sam_subgraph *graph = &loader->model->subgraphs[info->subgraph];
  const char *what = output ? "output" : "input";
  const char **name = sam_load_alloc(loader, vector.count, sizeof *name, &status);
  int32_t *tensor = status ? NULL : sam_load_alloc(loader, vector.count, sizeof *tensor, &status);
  if (status) return status;
  for (uint32_t i = 0; i < vector.count; i++) {
    const uint8_t *table = sam_fb_table_at(vector, i);
    name[i] = sam_fb_string(table, SAM_SLOT_TENSOR_MAP_NAME);
    uint32_t index = sam_fb_u32(table, SAM_SLOT_TENSOR_MAP_TENSOR_INDEX);
    if (!name[i]) FAIL("signature %" PRIu32 " \"%.120s\": %s %" PRIu32 " has no name", number, info->key, what, i);
    if (index >= (uint32_t)graph->n_tensors)
      FAIL("signature %" PRIu32 " \"%.120s\": %s \"%.120s\" is tensor %" PRIu32 ", but subgraph %d has %d tensors",
           number, info->key, what, name[i], index, (int)info->subgraph, (int)graph->n_tensors);
    tensor[i] = (int32_t)index;
  }
  *names = name;
  *tensors = tensor;
  *count = (int32_t)vector.count;
  return SAM_OK;
}

static sam_status decode_signatures(sam_loader *loader) {
  sam_status status = SAM_OK;
  sam_model *model = loader->model;
  sam_fb_vector vector = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_SIGNATURE_DEFS);
  model->signatures = sam_load_alloc(loader, vector.count, sizeof *model->signatures, &status);
  if (status) return status;
  model->n_signatures = (int32_t)vector.count;
  for (uint32_t i = 0; i < vector.count && !status; i++) {
    const uint8_t *table = sam_fb_table_at(vector, i);
    sam_signature_info *info = &model->signatures[i];
    info->key = sam_fb_string(table, SAM_SLOT_SIGNATURE_DEF_SIGNATURE_KEY);
    if (!info->key) FAIL("signature %" PRIu32 " has no signature_key", i);
    uint32_t subgraph = sam_fb_u32(table, SAM_SLOT_SIGNATURE_DEF_SUBGRAPH_INDEX);
    if (subgraph >= (uint32_t)model->n_subgraphs)
      FAIL("signature %" PRIu32 " \"%.120s\": subgraph %" PRIu32 ", but the model has %d subgraphs", i, info->key,
           subgraph, (int)model->n_subgraphs);
    info->subgraph = (int32_t)subgraph;
    status = decode_tensor_map(loader, i, info, sam_fb_vector_of(table, SAM_SLOT_SIGNATURE_DEF_INPUTS), false,
                               &info->input_names, &info->inputs, &info->n_inputs);
    if (!status)
      status = decode_tensor_map(loader, i, info, sam_fb_vector_of(table, SAM_SLOT_SIGNATURE_DEF_OUTPUTS), true,
                                 &info->output_names, &info->outputs, &info->n_outputs);
  }
  return status;
}

sam_status sam_decode(sam_loader *loader) {
  sam_model *model = loader->model;
  uint32_t version = sam_fb_u32(loader->root, SAM_SLOT_MODEL_VERSION);
  if (version != 3) FAIL("the model has schema version %" PRIu32 "; only version 3 exists in the field", version);
  const char *description = sam_fb_string(loader->root, SAM_SLOT_MODEL_DESCRIPTION);
  model->description = description ? description : "";
  sam_fb_vector subgraphs = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_SUBGRAPHS);
  if (subgraphs.count == 0) FAIL("the model has no subgraphs");
  sam_status status = decode_buffers(loader);
  if (!status) status = decode_opcodes(loader);
  if (!status) model->subgraphs = sam_load_alloc(loader, subgraphs.count, sizeof *model->subgraphs, &status);
  if (status) return status;
  model->n_subgraphs = (int32_t)subgraphs.count;
  int64_t operators = 0;
  for (int32_t i = 0; i < model->n_subgraphs && !status; i++)
    status = decode_subgraph(loader, i, sam_fb_table_at(subgraphs, (uint32_t)i), &operators);
  if (!status) status = decode_signatures(loader);
  if (!status) status = decode_metadata(loader);
  return status;
}
