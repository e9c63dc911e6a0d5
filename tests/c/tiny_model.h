/* A flatbuffer written by hand, front to back: y = x + c, with a signature and metadata. Tests then change one place of
 * it and see what the loader says. Parents come before children, because offsets only lead forward. */
#ifndef SAMARA_TINY_MODEL_H
#define SAMARA_TINY_MODEL_H

#include <stdint.h>
#include <string.h>

#include "schema_gen.h"

typedef struct tiny {
  _Alignas(64) uint8_t bytes[4096];
  size_t size;
  size_t model, opcode, subgraph, tensors[3], quantization, node, buffers[3], metadata, signature, maps[2];
  size_t inputs, outputs, node_inputs, node_outputs, shape, scales, zero_points, constant; /* first element */
} tiny;

static inline void tiny_set(tiny *t, size_t at, const void *value, size_t size) { memcpy(t->bytes + at, value, size); }
static inline void tiny_set32(tiny *t, size_t at, uint32_t value) { tiny_set(t, at, &value, 4); }

static inline void tiny_align(tiny *t, size_t align) {
  while (t->size % align) t->size++;
}

/* `sizes` has one digit for each slot: '0' absent, '1', '4' or '8' bytes. Answers where the table lies. */
static inline size_t tiny_table(tiny *t, const char *sizes) {
  size_t n = strlen(sizes), bytes = 4;
  tiny_align(t, 8);
  size_t vtable = t->size, table = (vtable + 4 + 2 * n + 7) / 8 * 8;
  for (size_t i = 0; i < n; i++) {
    size_t size = (size_t)(sizes[i] - '0');
    if (!size) continue;
    bytes = (bytes + size - 1) / size * size;
    uint16_t offset = (uint16_t)bytes;
    tiny_set(t, vtable + 4 + 2 * i, &offset, 2);
    bytes += size;
  }
  uint16_t head[2] = {(uint16_t)(4 + 2 * n), (uint16_t)bytes};
  tiny_set(t, vtable, head, 4);
  tiny_set32(t, table, (uint32_t)(table - vtable));
  t->size = table + bytes;
  return table;
}

/* Where the field of a slot lies. */
static inline size_t tiny_field(const tiny *t, size_t table, int slot) {
  return (size_t)(sam_fb_field(t->bytes + table, slot) - t->bytes);
}
static inline void tiny_number(tiny *t, size_t table, int slot, uint32_t value) {
  tiny_set32(t, tiny_field(t, table, slot), value);
}
/* Makes the reference at `at` lead to the present end, and answers that. */
static inline void tiny_refer(tiny *t, size_t at, size_t target) { tiny_set32(t, at, (uint32_t)(target - at)); }

/* A vector for the field of a slot; answers where its first element lies. */
static inline size_t tiny_vector(tiny *t, size_t table, int slot, uint32_t count, size_t element, const void *data) {
  size_t align = element > 4 ? element : 4;
  while ((t->size + 4) % align || t->size % 4) t->size++;
  tiny_refer(t, tiny_field(t, table, slot), t->size);
  tiny_set32(t, t->size, count);
  size_t at = t->size + 4;
  if (data) memcpy(t->bytes + at, data, count * element);
  t->size = at + count * element;
  return at;
}
static inline void tiny_string(tiny *t, size_t table, int slot, const char *text) {
  tiny_vector(t, table, slot, (uint32_t)strlen(text), 1, text);
  t->size++;
}
/* A table for entry i of the vector of tables whose first element is at `vector`. */
static inline size_t tiny_child(tiny *t, size_t vector, uint32_t i, const char *sizes) {
  size_t table = tiny_table(t, sizes);
  tiny_refer(t, vector + 4 * (size_t)i, table);
  return table;
}

static inline void tiny_build(tiny *t) {
  static const char *const names[3] = {"x", "c", "y"};
  static const int32_t shape[2] = {1, 4};
  static const float constant[4] = {1, 2, 3, 4};
  memset(t, 0, sizeof *t);
  memcpy(t->bytes + 4, "TFL3", 4);
  t->size = 8;
  t->model = tiny_table(t, "44444044");
  tiny_refer(t, 0, t->model);
  tiny_number(t, t->model, SAM_SLOT_MODEL_VERSION, 3);
  tiny_string(t, t->model, SAM_SLOT_MODEL_DESCRIPTION, "tiny");

  size_t opcodes = tiny_vector(t, t->model, SAM_SLOT_MODEL_OPERATOR_CODES, 1, 4, NULL);
  t->opcode = tiny_child(t, opcodes, 0, "1044");
  tiny_number(t, t->opcode, SAM_SLOT_OPERATOR_CODE_VERSION, 1);

  size_t graphs = tiny_vector(t, t->model, SAM_SLOT_MODEL_SUBGRAPHS, 1, 4, NULL);
  t->subgraph = tiny_child(t, graphs, 0, "44444");
  size_t tensors = tiny_vector(t, t->subgraph, SAM_SLOT_SUB_GRAPH_TENSORS, 3, 4, NULL);
  for (uint32_t i = 0; i < 3; i++) {
    t->tensors[i] = tiny_child(t, tensors, i, i == 1 ? "414441" : "414401");
    size_t at = tiny_vector(t, t->tensors[i], SAM_SLOT_TENSOR_SHAPE, 2, 4, shape);
    if (i == 1) t->shape = at;
    tiny_string(t, t->tensors[i], SAM_SLOT_TENSOR_NAME, names[i]);
    tiny_number(t, t->tensors[i], SAM_SLOT_TENSOR_BUFFER, i == 1 ? 1 : 0);
  }
  t->quantization = tiny_table(t, "0044004");
  tiny_refer(t, tiny_field(t, t->tensors[1], SAM_SLOT_TENSOR_QUANTIZATION), t->quantization);
  static const float scales[4] = {0.5f, 0.25f, 2, 1};
  static const int64_t zero_points[4] = {0, 1, 2, 3};
  t->scales = tiny_vector(t, t->quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_SCALE, 4, 4, scales);
  t->zero_points = tiny_vector(t, t->quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_ZERO_POINT, 4, 8, zero_points);
  tiny_number(t, t->quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_QUANTIZED_DIMENSION, 1);

  static const int32_t io[4] = {0, 2, 0, 1};
  t->inputs = tiny_vector(t, t->subgraph, SAM_SLOT_SUB_GRAPH_INPUTS, 1, 4, &io[0]);
  t->outputs = tiny_vector(t, t->subgraph, SAM_SLOT_SUB_GRAPH_OUTPUTS, 1, 4, &io[1]);
  tiny_string(t, t->subgraph, SAM_SLOT_SUB_GRAPH_NAME, "main");
  size_t nodes = tiny_vector(t, t->subgraph, SAM_SLOT_SUB_GRAPH_OPERATORS, 1, 4, NULL);
  t->node = tiny_child(t, nodes, 0, "44414");
  t->node_inputs = tiny_vector(t, t->node, SAM_SLOT_OPERATOR_INPUTS, 2, 4, &io[2]);
  t->node_outputs = tiny_vector(t, t->node, SAM_SLOT_OPERATOR_OUTPUTS, 1, 4, &io[1]);
  t->bytes[tiny_field(t, t->node, SAM_SLOT_OPERATOR_BUILTIN_OPTIONS - 1)] = 11; /* AddOptions */
  size_t options = tiny_table(t, "1");
  tiny_refer(t, tiny_field(t, t->node, SAM_SLOT_OPERATOR_BUILTIN_OPTIONS), options);

  size_t buffers = tiny_vector(t, t->model, SAM_SLOT_MODEL_BUFFERS, 3, 4, NULL);
  for (uint32_t i = 0; i < 3; i++) t->buffers[i] = tiny_child(t, buffers, i, i == 0 ? "" : "4");
  tiny_align(t, 16);
  t->size += 12; /* the count, then 16-byte aligned data */
  t->constant = tiny_vector(t, t->buffers[1], SAM_SLOT_BUFFER_DATA, 16, 1, constant);
  tiny_vector(t, t->buffers[2], SAM_SLOT_BUFFER_DATA, 5, 1, "1.0.0");

  size_t metadata = tiny_vector(t, t->model, SAM_SLOT_MODEL_METADATA, 1, 4, NULL);
  t->metadata = tiny_child(t, metadata, 0, "44");
  tiny_string(t, t->metadata, SAM_SLOT_METADATA_NAME, "min_runtime_version");
  tiny_number(t, t->metadata, SAM_SLOT_METADATA_BUFFER, 2);

  size_t signatures = tiny_vector(t, t->model, SAM_SLOT_MODEL_SIGNATURE_DEFS, 1, 4, NULL);
  t->signature = tiny_child(t, signatures, 0, "44404");
  tiny_string(t, t->signature, SAM_SLOT_SIGNATURE_DEF_SIGNATURE_KEY, "serve");
  for (int which = 0; which < 2; which++) {
    size_t maps = tiny_vector(t, t->signature, which ? SAM_SLOT_SIGNATURE_DEF_OUTPUTS : SAM_SLOT_SIGNATURE_DEF_INPUTS,
                              1, 4, NULL);
    t->maps[which] = tiny_child(t, maps, 0, "44");
    tiny_string(t, t->maps[which], SAM_SLOT_TENSOR_MAP_NAME, which ? "sum" : "term");
    tiny_number(t, t->maps[which], SAM_SLOT_TENSOR_MAP_TENSOR_INDEX, which ? 2 : 0);
  }
  tiny_align(t, 4);
}

#endif
