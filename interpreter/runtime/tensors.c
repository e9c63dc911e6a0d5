/* Tensors: shape, quantization, and the bytes of constants. */
#include <inttypes.h>
#include <string.h>

#include "loader.h"
#include "schema_gen.h"

#define TENSOR_FAIL(...) return sam_load_tensor_fail(loader, SAM_INVALID_MODEL, subgraph, t->view.index, __VA_ARGS__)

bool sam_shape_bytes(sam_type type, int32_t rank, const int32_t *dims, uint64_t limit, uint64_t *bytes) {
  uint64_t elements = 1;
  bool empty = false;
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] < 0) return false;
    if (dims[i] == 0) empty = true;
    else if (elements > (UINT64_C(1) << 56) / (uint64_t)dims[i]) return false;
    else elements *= (uint64_t)dims[i];
  }
  const uint64_t all = (elements * (uint64_t)sam_type_bits(type) + 7) / 8; /* below 2^63 bits */
  *bytes = empty ? 0 : all;
  return all <= limit && all <= SIZE_MAX / 2 && !(empty && elements > INT32_MAX);
}

static sam_status decode_shape(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table) {
  sam_fb_vector shape = sam_fb_vector_of(table, SAM_SLOT_TENSOR_SHAPE);
  if (shape.count > SAM_MAX_RANK)
    TENSOR_FAIL("%" PRIu32 " dimensions, at most %d are possible", shape.count, SAM_MAX_RANK);
  t->view.rank = (int32_t)shape.count;
  for (uint32_t i = 0; i < shape.count; i++) {
    int32_t size = sam_fb_i32_at(shape, i);
    if (size < 0)
      TENSOR_FAIL("dimension %" PRIu32 " of the shape is %d (an open size belongs in shape_signature)", i, (int)size);
    t->view.dims[i] = size;
  }
  uint64_t bytes;
  if (!sam_shape_bytes(t->view.type, t->view.rank, t->view.dims, UINT64_MAX, &bytes))
    TENSOR_FAIL("the shape has more elements than a memory can hold");
  if (bytes == 0 && !sam_shape_bytes(t->view.type, t->view.rank, t->view.dims, loader->options->max_memory, &bytes))
    TENSOR_FAIL("the shape is empty, but its other sizes have more elements than max_memory could hold");
  t->view.bytes = (size_t)bytes;

  sam_fb_vector signature = sam_fb_vector_of(table, SAM_SLOT_TENSOR_SHAPE_SIGNATURE);
  if (signature.count == shape.count && signature.count > 0) { /* of another rank it says nothing: ignored */
    sam_status status = SAM_OK;
    t->signature = sam_load_alloc(loader, signature.count, sizeof *t->signature, &status);
    if (status) return status;
    t->signature_rank = (int32_t)signature.count;
    for (uint32_t i = 0; i < signature.count; i++) {
      t->signature[i] = sam_fb_i32_at(signature, i);
      if (t->signature[i] < -1) TENSOR_FAIL("dimension %" PRIu32 " of shape_signature is %d", i, (int)t->signature[i]);
    }
  }
  return SAM_OK;
}

static void zero_point_range(sam_type type, int64_t *low, int64_t *high) {
  int bits = sam_type_bits(type);
  *low = INT32_MIN;
  *high = INT32_MAX;
  switch (type) {
    case SAM_INT2:
    case SAM_INT4:
    case SAM_INT8:
    case SAM_INT16:
      *low = -(INT64_C(1) << (bits - 1));
      *high = (INT64_C(1) << (bits - 1)) - 1;
      break;
    case SAM_UINT4:
    case SAM_UINT8:
    case SAM_UINT16:
      *low = 0;
      *high = (INT64_C(1) << bits) - 1;
      break;
    default:
      break;
  }
}

static sam_status decode_quantization(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table) {
  sam_status status = SAM_OK;
  sam_fb_vector scale = sam_fb_vector_of(table, SAM_SLOT_QUANTIZATION_PARAMETERS_SCALE);
  sam_fb_vector zero = sam_fb_vector_of(table, SAM_SLOT_QUANTIZATION_PARAMETERS_ZERO_POINT);
  int32_t axis = sam_fb_i32(table, SAM_SLOT_QUANTIZATION_PARAMETERS_QUANTIZED_DIMENSION, 0);
  uint32_t details = sam_fb_u8(table, SAM_SLOT_QUANTIZATION_PARAMETERS_DETAILS - 1);
  if (details >= SAM_QUANTIZATION_DETAILS_BLOCKWISE_QUANTIZATION) return SAM_OK; /* see decode_blockwise */
  if (scale.count == 0) return SAM_OK; /* nothing, or min and max alone, which only a converter reads */
  if (zero.count != scale.count) TENSOR_FAIL("%" PRIu32 " scales but %" PRIu32 " zero points", scale.count, zero.count);
  if (scale.count == 1) {
    axis = 0; /* says nothing about one scale */
  } else {
    if (t->view.rank == 1 && (uint32_t)t->view.dims[0] == scale.count) axis = 0;
    if (axis < 0 || axis >= t->view.rank)
      TENSOR_FAIL("quantized_dimension is %d, but the tensor has %d dimensions", (int)axis, (int)t->view.rank);
    if ((uint32_t)t->view.dims[axis] != scale.count)
      TENSOR_FAIL("%" PRIu32 " scales for dimension %d of size %d", scale.count, (int)axis, (int)t->view.dims[axis]);
  }
  int32_t *points = sam_load_alloc(loader, scale.count, sizeof *points, &status);
  if (status) return status;
  int64_t low, high;
  zero_point_range(t->view.type, &low, &high);
  for (uint32_t i = 0; i < scale.count; i++) {
    int64_t point = (int64_t)sam_fb_load64(zero.data + 8 * (size_t)i);
    if (point < low || point > high)
      TENSOR_FAIL("zero point %" PRId64 " is outside the range of %s", point, sam_type_name(t->view.type));
    points[i] = (int32_t)point;
  }
  t->quant.count = (int32_t)scale.count;
  t->quant.axis = axis;
  t->quant.scale = (const float *)(const void *)scale.data; /* 4-byte aligned: verified */
  t->quant.zero_point = points;
  return SAM_OK;
}

/* The packed layout of strings (types.h): count, count+1 ascending offsets, bytes. */
static sam_status check_strings(sam_loader *loader, int32_t subgraph, const sam_file_tensor *t,
                                sam_file_buffer *buffer) {
  if (!buffer->checked_strings) {
    const uint8_t *p = buffer->data;
    if (buffer->bytes < 4) TENSOR_FAIL("a string constant of %" PRIu64 " bytes", buffer->bytes);
    int64_t n = (int32_t)sam_fb_load32(p);
    uint64_t start = 4 * ((uint64_t)n + 2);
    if (n < 0 || start > buffer->bytes)
      TENSOR_FAIL("a string constant of %" PRIu64 " bytes cannot hold %" PRId64 " strings", buffer->bytes, n);
    uint64_t last = start;
    for (int64_t i = 0; i <= n; i++) {
      uint64_t offset = sam_fb_load32(p + 4 + 4 * i);
      if (offset < last || offset > buffer->bytes || (i == 0 && offset != start))
        TENSOR_FAIL("string %" PRId64 " starts at byte %" PRIu64 " of %" PRIu64, i, offset, buffer->bytes);
      last = offset;
    }
    buffer->strings = (int32_t)n;
    buffer->checked_strings = true;
  }
  if (sam_elements(&t->view) != buffer->strings)
    TENSOR_FAIL("the shape has %" PRId64 " elements, but the constant holds %d strings", sam_elements(&t->view),
                (int)buffer->strings);
  return SAM_OK;
}

/* Bytes of a constant at an address its element type can be loaded from (ARMv7 traps on others). */
static sam_status align_buffer(sam_loader *loader, sam_file_buffer *buffer, sam_type type, const uint8_t **data) {
  size_t align = type == SAM_STRING ? 4 : (size_t)(sam_type_bits(type) + 7) / 8;
  if (align > 8) align = 8;
  *data = buffer->data;
  if (align <= 1 || (uintptr_t)buffer->data % align == 0) return SAM_OK;
  if (!buffer->aligned) {
    sam_status status = SAM_OK;
    uint8_t *copy = sam_load_alloc(loader, buffer->bytes, 1, &status);
    if (status) return status;
    memcpy(copy, buffer->data, (size_t)buffer->bytes);
    buffer->aligned = copy;
  }
  *data = buffer->aligned;
  return SAM_OK;
}

static sam_status decode_constant(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table) {
  uint32_t number = sam_fb_u32(table, SAM_SLOT_TENSOR_BUFFER);
  uint32_t external = sam_fb_u32(table, SAM_SLOT_TENSOR_EXTERNAL_BUFFER);
  const uint8_t *sparsity = sam_fb_target(table, SAM_SLOT_TENSOR_SPARSITY);
  if (external != 0) {
    const char *group = "?";
    sam_fb_vector buffers = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_EXTERNAL_BUFFERS);
    sam_fb_vector groups = sam_fb_vector_of(loader->root, SAM_SLOT_MODEL_EXTERNAL_BUFFER_GROUPS);
    for (uint32_t i = 0; i < buffers.count; i++) {
      const uint8_t *buffer = sam_fb_table_at(buffers, i);
      uint32_t at = sam_fb_u32(buffer, SAM_SLOT_EXTERNAL_BUFFER_GROUP);
      if (sam_fb_u32(buffer, SAM_SLOT_EXTERNAL_BUFFER_ID) != external || at >= groups.count) continue;
      const char *name = sam_fb_string(sam_fb_table_at(groups, at), SAM_SLOT_EXTERNAL_BUFFER_GROUP_NAME);
      if (name) group = name;
      break;
    }
    return sam_load_tensor_fail(loader, SAM_UNSUPPORTED, subgraph, t->view.index,
                                "its data lies in another file (external buffer %" PRIu32
                                " of group \"%.80s\"), "
                                "which this build does not read",
                                external, group);
  }
  if (number >= (uint32_t)loader->n_buffers)
    TENSOR_FAIL("buffer index %" PRIu32 ", but the model has %d buffers", number, (int)loader->n_buffers);
  sam_file_buffer *buffer = &loader->buffers[number];
  if (number == 0 || !buffer->data) { /* buffer 0 always means "no data", whatever it holds */
    if (sparsity && number != 0) TENSOR_FAIL("sparse, but without data");
    return SAM_OK;
  }
  if (t->view.flags & SAM_TENSOR_VARIABLE)
    TENSOR_FAIL("a variable cannot have constant data (buffer %" PRIu32 ")", number);
  if (t->view.type == SAM_RESOURCE || t->view.type == SAM_VARIANT)
    TENSOR_FAIL("type %s cannot have constant data (buffer %" PRIu32 ")", sam_type_name(t->view.type), number);
  const uint8_t *data;
  sam_status status = align_buffer(loader, buffer, t->view.type, &data);
  if (status) return status;
  t->view.flags |= SAM_TENSOR_KNOWN;
  if (!sparsity && (uintptr_t)data - (uintptr_t)loader->model->bytes < loader->model->size)
    t->view.flags |= SAM_TENSOR_FILE;
  if (sparsity) return sam_densify(loader, subgraph, t, sparsity, data, buffer->bytes);
  if (t->view.type == SAM_STRING) {
    t->view.bytes = (size_t)buffer->bytes;
    status = check_strings(loader, subgraph, t, buffer);
  } else if (buffer->bytes < t->view.bytes) {
    TENSOR_FAIL("the shape needs %zu bytes, but buffer %" PRIu32 " has %" PRIu64, t->view.bytes, number, buffer->bytes);
  } else if (t->view.type == SAM_BOOL) {
    for (; buffer->checked_bools < t->view.bytes; buffer->checked_bools++)
      if (data[buffer->checked_bools] > 1)
        TENSOR_FAIL("element %" PRIu64 " of a BOOL constant is %d", buffer->checked_bools, data[buffer->checked_bools]);
  }
  t->view.data = (void *)(uintptr_t)data; /* never written: KNOWN */
  return status;
}

sam_status sam_decode_tensor(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table) {
  const char *name = sam_fb_string(table, SAM_SLOT_TENSOR_NAME);
  t->view.name = name ? name : "";
  t->view.quant = &t->quant;
  t->block_scales_tensor = -1;
  int32_t type = sam_fb_i8(table, SAM_SLOT_TENSOR_TYPE, 0);
  if (type < 0 || type >= SAM_TYPE_COUNT)
    TENSOR_FAIL("type %d is unknown; types are 0 to %d", (int)type, SAM_TYPE_COUNT - 1);
  t->view.type = (sam_type)type;
  if (sam_fb_u8(table, SAM_SLOT_TENSOR_IS_VARIABLE)) t->view.flags |= SAM_TENSOR_VARIABLE;
  t->sparse = sam_fb_target(table, SAM_SLOT_TENSOR_SPARSITY) != NULL;
  sam_status status = decode_shape(loader, subgraph, t, table);
  const uint8_t *quantization = sam_fb_target(table, SAM_SLOT_TENSOR_QUANTIZATION);
  if (!status && quantization) status = decode_quantization(loader, subgraph, t, quantization);
  if (!status) status = decode_constant(loader, subgraph, t, table);
  return status;
}

sam_status sam_decode_blockwise(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table) {
  const uint8_t *quantization = sam_fb_target(table, SAM_SLOT_TENSOR_QUANTIZATION);
  if (!quantization) return SAM_OK;
  uint32_t kind = sam_fb_u8(quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_DETAILS - 1);
  const uint8_t *details = sam_fb_target(quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_DETAILS);
  if (kind != SAM_QUANTIZATION_DETAILS_BLOCKWISE_QUANTIZATION || !details) return SAM_OK;
  sam_subgraph *graph = &loader->model->subgraphs[subgraph];
  int32_t block = sam_fb_i32(details, SAM_SLOT_BLOCKWISE_QUANTIZATION_BLOCK_SIZE, 0);
  int32_t rank = t->view.rank;
  if (rank < 1 || block < 1 || t->view.dims[rank - 1] % block != 0)
    TENSOR_FAIL("blocks of %d do not divide the last dimension (%d)", (int)block,
                rank < 1 ? 1 : (int)t->view.dims[rank - 1]);
  for (int which = 0; which < 2; which++) {
    const char *what = which ? "zero points" : "scales";
    int32_t other = which ? sam_fb_i32(details, SAM_SLOT_BLOCKWISE_QUANTIZATION_ZERO_POINTS, 0)
                          : sam_fb_i32(details, SAM_SLOT_BLOCKWISE_QUANTIZATION_SCALES, 0);
    if (which && other == -1) continue;
    if (other < 0 || other >= graph->n_tensors)
      TENSOR_FAIL("blockwise %s are tensor %d, but the subgraph has %d tensors", what, (int)other,
                  (int)graph->n_tensors);
    const sam_tensor *view = &graph->tensors[other].view;
    /* 0 is the field's default: a writer that leaves it out means none, unless tensor 0 really holds them. */
    if (which && other == 0 && (!(view->flags & SAM_TENSOR_KNOWN) || view->rank != rank)) continue;
    bool type_fits = which ? view->type == SAM_INT4 || view->type == SAM_INT8 || view->type == SAM_INT16 ||
                                 view->type == SAM_INT32 || view->type == SAM_INT64 || view->type == SAM_UINT8
                           : view->type == SAM_FLOAT16 || view->type == SAM_FLOAT32;
    if (!(view->flags & SAM_TENSOR_KNOWN) || !type_fits || view == &t->view)
      TENSOR_FAIL("blockwise %s are tensor %d, which is %s of type %s", what, (int)other,
                  view->flags & SAM_TENSOR_KNOWN ? "a constant" : "no constant", sam_type_name(view->type));
    bool fits = view->rank == rank;
    for (int32_t i = 0; fits && i < rank; i++)
      fits = view->dims[i] == (i == rank - 1 ? t->view.dims[i] / block : t->view.dims[i]);
    if (!fits)
      TENSOR_FAIL("blockwise %s are tensor %d, whose shape is not that of the blocks of %d", what, (int)other,
                  (int)block);
    if (which) {
      t->quant.block_zero_points = view;
    } else {
      t->quant.block_scales = view;
      t->block_scales_tensor = other;
    }
  }
  t->quant.block_size = block;
  return SAM_OK;
}
