/* Sparse constants, made dense at load.
 *
 * A sparse tensor is stored as a tree of levels, one for each entry of traversal_order: first its n dimensions, then k
 * block dimensions (entry n+j is the inside of dimension block_map[j], whose outside then counts blocks). A DENSE level
 * has dense_size children under each node; a SPARSE_CSR level lists them: node p has the children
 * array_indices[array_segments[p] .. array_segments[p+1]). The values are the leaves in order.
 *
 *      traversal [0,1]  DENSE(2), CSR segments [0,1,3] indices [2,0,3]      . . a .
 *                       values a b c                                  ──>   b . . c
 *
 * Operators then see an ordinary constant: DENSIFY copies, and those that read sparse weights directly just work. */
#include <inttypes.h>
#include <string.h>

#include "loader.h"
#include "schema_gen.h"

enum { MAX_LEVELS = 2 * SAM_MAX_RANK };

typedef struct level {
  int64_t size;   /* of the dimension at this level */
  int64_t stride; /* elements of the dense tensor from one index to the next */
  bool dense;
  sam_fb_vector segments, indices;
  int segment_bytes, index_bytes;
} level;

typedef struct tree {
  level levels[MAX_LEVELS];
  int n;
  uint8_t *dense;
  const uint8_t *values;
  size_t element;
} tree;

static int64_t element_of(sam_fb_vector vector, int bytes, int64_t i) {
  const uint8_t *p = vector.data + (size_t)i * (size_t)bytes;
  return bytes == 1 ? *p : bytes == 2 ? sam_fb_load16(p) : (int32_t)sam_fb_load32(p);
}

/* The vector behind a SparseIndexVector union; false if it is missing or of an unknown kind. */
static bool index_vector(const uint8_t *table, int slot, sam_fb_vector *vector, int *bytes) {
  const uint8_t *member = sam_fb_target(table, slot);
  uint32_t kind = sam_fb_u8(table, slot - 1);
  if (!member || kind < SAM_SPARSE_INDEX_VECTOR_INT32_VECTOR || kind > SAM_SPARSE_INDEX_VECTOR_UINT8_VECTOR)
    return false;
  *bytes = kind == SAM_SPARSE_INDEX_VECTOR_INT32_VECTOR ? 4 : kind == SAM_SPARSE_INDEX_VECTOR_UINT16_VECTOR ? 2 : 1;
  *vector = sam_fb_vector_of(member, SAM_SLOT_INT32_VECTOR_VALUES); /* slot 0 in each of the three */
  return true;
}

static void fill(const tree *t, int depth, int64_t node, int64_t offset) {
  if (depth == t->n) {
    memcpy(t->dense + (size_t)offset * t->element, t->values + (size_t)node * t->element, t->element);
    return;
  }
  const level *l = &t->levels[depth];
  if (l->dense) {
    for (int64_t i = 0; i < l->size; i++) fill(t, depth + 1, node * l->size + i, offset + i * l->stride);
    return;
  }
  int64_t end = element_of(l->segments, l->segment_bytes, node + 1);
  for (int64_t j = element_of(l->segments, l->segment_bytes, node); j < end; j++)
    fill(t, depth + 1, j, offset + element_of(l->indices, l->index_bytes, j) * l->stride);
}

#define TENSOR_FAIL(...) \
  return sam_load_tensor_fail(loader, SAM_INVALID_MODEL, subgraph, tensor->view.index, __VA_ARGS__)

/* Sizes and strides of the levels from traversal_order and block_map. */
static sam_status plan_levels(sam_loader *loader, int32_t subgraph, const sam_file_tensor *tensor, const uint8_t *table,
                              tree *t) {
  sam_fb_vector order = sam_fb_vector_of(table, SAM_SLOT_SPARSITY_PARAMETERS_TRAVERSAL_ORDER);
  sam_fb_vector blocks = sam_fb_vector_of(table, SAM_SLOT_SPARSITY_PARAMETERS_BLOCK_MAP);
  sam_fb_vector levels = sam_fb_vector_of(table, SAM_SLOT_SPARSITY_PARAMETERS_DIM_METADATA);
  int32_t rank = tensor->view.rank;
  if (rank < 1 || blocks.count > (uint32_t)rank || order.count != (uint32_t)rank + blocks.count ||
      levels.count != order.count)
    TENSOR_FAIL("sparsity has %" PRIu32 " levels, %" PRIu32 " descriptions and %" PRIu32 " blocks for %d dimensions",
                order.count, levels.count, blocks.count, (int)rank);
  t->n = (int)order.count;
  int position[MAX_LEVELS]; /* level of each dimension and block */
  for (int i = 0; i < t->n; i++) position[i] = -1;
  for (int i = 0; i < t->n; i++) {
    int32_t d = sam_fb_i32_at(order, (uint32_t)i);
    if (d < 0 || d >= t->n || position[d] >= 0) TENSOR_FAIL("traversal_order of sparsity is not a permutation");
    position[d] = i;
  }
  int64_t block[SAM_MAX_RANK], stride = 1;
  for (int32_t d = 0; d < rank; d++) block[d] = 0;
  for (uint32_t j = 0; j < blocks.count; j++) {
    int32_t d = sam_fb_i32_at(blocks, j);
    const uint8_t *description = sam_fb_table_at(levels, (uint32_t)position[rank + (int32_t)j]);
    int32_t size = sam_fb_i32(description, SAM_SLOT_DIMENSION_METADATA_DENSE_SIZE, 0);
    if (d < 0 || d >= rank || block[d] || size < 1 || tensor->view.dims[d] % size != 0)
      TENSOR_FAIL("block %" PRIu32 " of sparsity, of size %d, does not divide dimension %d", j, (int)size, (int)d);
    block[d] = size;
  }
  for (int32_t d = rank - 1; d >= 0; d--) {
    level *l = &t->levels[position[d]];
    l->size = block[d] ? tensor->view.dims[d] / block[d] : tensor->view.dims[d];
    l->stride = block[d] ? stride * block[d] : stride;
    for (uint32_t j = 0; j < blocks.count; j++) {
      if (sam_fb_i32_at(blocks, j) != d) continue;
      t->levels[position[rank + (int32_t)j]].size = block[d];
      t->levels[position[rank + (int32_t)j]].stride = stride;
    }
    stride *= tensor->view.dims[d] > 0 ? tensor->view.dims[d] : 1;
  }
  return SAM_OK;
}

/* Checks the description of each level and counts the leaves. */
static sam_status read_levels(sam_loader *loader, int32_t subgraph, const sam_file_tensor *tensor, const uint8_t *table,
                              tree *t, int64_t *leaves) {
  sam_fb_vector levels = sam_fb_vector_of(table, SAM_SLOT_SPARSITY_PARAMETERS_DIM_METADATA);
  int64_t nodes = 1;
  for (int i = 0; i < t->n; i++) {
    level *l = &t->levels[i];
    const uint8_t *description = sam_fb_table_at(levels, (uint32_t)i);
    int32_t format = sam_fb_i8(description, SAM_SLOT_DIMENSION_METADATA_FORMAT, 0);
    if (format == SAM_DIMENSION_DENSE) {
      int32_t size = sam_fb_i32(description, SAM_SLOT_DIMENSION_METADATA_DENSE_SIZE, 0);
      if (size != l->size) TENSOR_FAIL("level %d of sparsity has size %d, must be %" PRId64, i, (int)size, l->size);
      l->dense = true;
      if (l->size > 0 && nodes > (INT64_C(1) << 58) / l->size) TENSOR_FAIL("sparsity has too many levels of values");
      nodes *= l->size;
      continue;
    }
    if (format != SAM_DIMENSION_SPARSE_CSR)
      TENSOR_FAIL("level %d of sparsity has the unknown format %d", i, (int)format);
    if (!index_vector(description, SAM_SLOT_DIMENSION_METADATA_ARRAY_SEGMENTS, &l->segments, &l->segment_bytes) ||
        !index_vector(description, SAM_SLOT_DIMENSION_METADATA_ARRAY_INDICES, &l->indices, &l->index_bytes))
      TENSOR_FAIL("level %d of sparsity lacks its segments or indices", i);
    if ((int64_t)l->segments.count != nodes + 1)
      TENSOR_FAIL("level %d of sparsity has %" PRIu32 " segments, must have %" PRId64, i, l->segments.count, nodes + 1);
    int64_t last = 0;
    for (int64_t p = 0; p <= nodes; p++) {
      int64_t end = element_of(l->segments, l->segment_bytes, p);
      if (end < last || end > (int64_t)l->indices.count || (p == 0 && end != 0))
        TENSOR_FAIL("segment %" PRId64 " of level %d of sparsity starts at index %" PRId64 " of %" PRIu32, p, i, end,
                    l->indices.count);
      last = end;
    }
    if (last != (int64_t)l->indices.count)
      TENSOR_FAIL("the segments of level %d of sparsity name %" PRId64 " of %" PRIu32 " indices", i, last,
                  l->indices.count);
    for (int64_t j = 0; j < last; j++) {
      int64_t index = element_of(l->indices, l->index_bytes, j);
      if (index < 0 || index >= l->size)
        TENSOR_FAIL("index %" PRId64 " of level %d of sparsity is %" PRId64 ", the dimension has %" PRId64, j, i, index,
                    l->size);
    }
    nodes = last;
  }
  *leaves = nodes;
  return SAM_OK;
}

sam_status sam_densify(sam_loader *loader, int32_t subgraph, sam_file_tensor *tensor, const uint8_t *table,
                       const uint8_t *values, uint64_t bytes) {
  int bits = sam_type_bits(tensor->view.type);
  if (bits < 8)
    return sam_load_tensor_fail(loader, SAM_UNSUPPORTED, subgraph, tensor->view.index, "a sparse constant of type %s",
                                sam_type_name(tensor->view.type));
  tree t;
  memset(&t, 0, sizeof t);
  int64_t leaves = 0;
  sam_status status = plan_levels(loader, subgraph, tensor, table, &t);
  if (!status) status = read_levels(loader, subgraph, tensor, table, &t, &leaves);
  if (status) return status;
  t.element = (size_t)bits / 8;
  if ((uint64_t)leaves > bytes / t.element)
    TENSOR_FAIL("sparsity names %" PRId64 " values, but the buffer has %" PRIu64 " bytes", leaves, bytes);
  t.dense = sam_load_alloc(loader, tensor->view.bytes, 1, &status);
  if (status) return status;
  t.values = values;
  if (leaves > 0) fill(&t, 0, 0, 0);
  if (tensor->view.type == SAM_BOOL)
    for (size_t i = 0; i < tensor->view.bytes; i++)
      if (t.dense[i] > 1) TENSOR_FAIL("element %zu of a BOOL constant is %d", i, t.dense[i]);
  tensor->view.data = t.dense;
  return SAM_OK;
}
