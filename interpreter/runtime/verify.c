/* Proof that bytes are a well-formed flatbuffer of our schema: one recursive walk over the tables of schema_gen.c.
 *
 *   - Every offset, size and count is computed in 64 bits and compared with the size of the file before it is used.
 *   - Scalars inside tables, and the counts of vectors and strings, are aligned to their size, counted from the start
 *     of the file. (Elements of 8 bytes need only 4: writers in the field do not align them. The decoder copies those.)
 *   - Every vtable lies in the file, every field inside its table, every string ends with a NUL.
 *   - The schema's tables do not nest in themselves, so the depth is bounded. Sharing a sub-tree many times could still
 *     make a small file cost quadratic time; therefore visits are counted. Each reference costs 4 bytes, so a file
 *     without shared inner tables visits at most size/4 of them, and its vectors hold at most `size` bytes.
 *   - Fields and union members this schema does not know are skipped: nothing reads them.
 *
 * Only structure is judged here. What numbers mean (indices, types, shapes) is the matter of decode.c and rules.c. */
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema_gen.h"
#include "status.h"

enum { MAX_DEPTH = 16 };

typedef struct place {
  const char *field;
  int64_t index; /* -1: not in a vector */
} place;

typedef struct verifier {
  const uint8_t *bytes;
  uint64_t size;
  uint64_t visits, max_visits;     /* of tables */
  uint64_t elements, max_elements; /* bytes in vectors of numbers */
  place path[MAX_DEPTH + 1];       /* how the present place was reached, for messages */
  int depth;
  sam_error *error;
} verifier;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static sam_status
refuse(const verifier *v, const char *format, ...) {
  char reason[256], path[200] = "Model";
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  size_t used = strlen(path);
  int32_t subgraph = -1, node = -1, tensor = -1;
  for (int i = 0; i < v->depth; i++) {
    const place *p = &v->path[i];
    if (p->index < 0)
      used += (size_t)snprintf(path + used, sizeof path - used, ".%s", p->field);
    else
      used += (size_t)snprintf(path + used, sizeof path - used, ".%s[%" PRId64 "]", p->field, p->index);
    if (used >= sizeof path) break;
    if (i == 0 && strcmp(p->field, "subgraphs") == 0) subgraph = (int32_t)p->index;
    if (i == 1 && strcmp(p->field, "operators") == 0) node = (int32_t)p->index;
    if (i == 1 && strcmp(p->field, "tensors") == 0) tensor = (int32_t)p->index;
  }
  return sam_error_set(v->error, SAM_INVALID_MODEL, subgraph, node, tensor, "not a valid model: %s: %s", path, reason);
}

static bool inside(const verifier *v, uint64_t at, uint64_t bytes) { return at <= v->size && bytes <= v->size - at; }

static uint32_t wire_size(int wire) {
  switch (wire) {
    case SAM_WIRE_I16:
    case SAM_WIRE_U16:
      return 2;
    case SAM_WIRE_I32:
    case SAM_WIRE_U32:
    case SAM_WIRE_F32:
      return 4;
    case SAM_WIRE_I64:
    case SAM_WIRE_U64:
      return 8;
    default:
      return 1;
  }
}

/* Follows the uint32 reference at `at`, which is inside the file. */
static sam_status follow(const verifier *v, uint64_t at, uint64_t *target) {
  uint32_t offset = sam_fb_load32(v->bytes + at);
  *target = at + offset;
  if (offset < 4 || !inside(v, *target, 4))
    return refuse(v, "the offset %" PRIu32 " at byte %" PRIu64 " leads out of the file (%" PRIu64 " bytes)", offset, at,
                  v->size);
  if (*target % 4)
    return refuse(v, "the offset at byte %" PRIu64 " leads to byte %" PRIu64 ", which is not aligned", at, *target);
  return SAM_OK;
}

static sam_status verify_vector(verifier *v, uint64_t at, uint32_t element, bool string, uint64_t *data,
                                uint32_t *count) {
  *count = sam_fb_load32(v->bytes + at);
  *data = at + 4;
  uint64_t bytes = (uint64_t)*count * element + (string ? 1 : 0);
  if (!inside(v, *data, bytes))
    return refuse(v, "%" PRIu32 " elements at byte %" PRIu64 " pass the end of the file (%" PRIu64 " bytes)", *count,
                  at, v->size);
  if (string && v->bytes[*data + *count] != 0)
    return refuse(v, "the string at byte %" PRIu64 " does not end with a zero byte", at);
  return SAM_OK;
}

static sam_status verify_table(verifier *v, int index, uint64_t at);

static sam_status verify_tables(verifier *v, int index, uint64_t at) {
  uint64_t data, target;
  uint32_t count;
  sam_status status = verify_vector(v, at, 4, false, &data, &count);
  place *here = &v->path[v->depth - 1];
  for (uint32_t i = 0; i < count && !status; i++) {
    here->index = i;
    status = follow(v, data + 4 * (uint64_t)i, &target);
    if (!status) status = verify_table(v, index, target);
  }
  if (!status) here->index = -1;
  return status;
}

/* One field whose bytes start at `at`. `tag`: of the union, when it is one. */
static sam_status verify_field(verifier *v, const sam_schema_field *field, uint64_t at, uint32_t tag) {
  uint64_t target, data;
  uint32_t count;
  if (field->kind == SAM_FIELD_SCALAR || field->kind == SAM_FIELD_TAG) return SAM_OK;
  const sam_schema_union *members = NULL;
  if (field->kind == SAM_FIELD_UNION) {
    members = &sam_schema_unions[field->target];
    if (tag == 0 || tag >= (uint32_t)members->n_members || members->members[tag] < 0) return SAM_OK;
  }
  sam_status status = follow(v, at, &target);
  if (status) return status;
  switch (field->kind) {
    case SAM_FIELD_STRING:
      return verify_vector(v, target, 1, true, &data, &count);
    case SAM_FIELD_VECTOR: {
      uint32_t element = wire_size(field->wire);
      status = verify_vector(v, target, element, false, &data, &count);
      if (status || field->wire == SAM_WIRE_U8) return status; /* bulk bytes are never walked element by element */
      v->elements += (uint64_t)count * element;
      return v->elements > v->max_elements ? refuse(v, "vectors are shared too often") : SAM_OK;
    }
    case SAM_FIELD_TABLE:
      return verify_table(v, field->target, target);
    case SAM_FIELD_TABLES:
      return verify_tables(v, field->target, target);
    default:
      return verify_table(v, members->members[tag], target);
  }
}

static sam_status verify_table(verifier *v, int index, uint64_t at) {
  const sam_schema_table *table = &sam_schema_tables[index];
  if (++v->visits > v->max_visits) return refuse(v, "tables are shared too often");
  if (!inside(v, at, 4)) return refuse(v, "the table at byte %" PRIu64 " passes the end of the file", at);
  int64_t where = (int64_t)at - (int32_t)sam_fb_load32(v->bytes + at);
  if (where < 0 || where % 2 || !inside(v, (uint64_t)where, 4))
    return refuse(v, "the vtable of the table at byte %" PRIu64 " would be at byte %" PRId64, at, where);
  const uint8_t *vtable = v->bytes + where;
  uint32_t vtable_bytes = sam_fb_load16(vtable), table_bytes = sam_fb_load16(vtable + 2);
  if (vtable_bytes < 4 || vtable_bytes % 2 || !inside(v, (uint64_t)where, vtable_bytes))
    return refuse(v, "the vtable at byte %" PRId64 " has the impossible size %" PRIu32, where, vtable_bytes);
  if (table_bytes < 4 || !inside(v, at, table_bytes))
    return refuse(v, "the table at byte %" PRIu64 " has the impossible size %" PRIu32, at, table_bytes);
  if (v->depth == MAX_DEPTH) return refuse(v, "tables are nested deeper than %d", MAX_DEPTH);

  int n = (int)(vtable_bytes - 4) / 2;
  if (n > table->n_fields) n = table->n_fields;
  sam_status status = SAM_OK;
  for (int slot = 0; slot < n && !status; slot++) {
    uint32_t offset = sam_fb_load16(vtable + 4 + 2 * slot);
    if (!offset) continue;
    const sam_schema_field *field = &table->fields[slot];
    uint32_t size = field->kind == SAM_FIELD_SCALAR || field->kind == SAM_FIELD_TAG ? wire_size(field->wire) : 4;
    v->path[v->depth++] = (place){field->name, -1};
    if (offset < 4 || offset + size > table_bytes)
      status = refuse(v, "the field lies at %" PRIu32 " in a table of %" PRIu32 " bytes", offset, table_bytes);
    else if ((at + offset) % size)
      status = refuse(v, "the field at byte %" PRIu64 " is not aligned to %" PRIu32, at + offset, size);
    else {
      uint32_t tag = field->kind == SAM_FIELD_UNION ? sam_fb_u8(v->bytes + at, slot - 1) : 0;
      status = verify_field(v, field, at + offset, tag);
    }
    v->depth--;
  }
  return status;
}

/* ---- Files of other formats ---------------------------------------------------------------------------------------
 */

static bool starts(const uint8_t *bytes, size_t size, const char *magic, size_t length) {
  return size >= length && memcmp(bytes, magic, length) == 0;
}
#define STARTS(text) starts(bytes, size, text, sizeof(text) - 1)

static bool contains(const uint8_t *bytes, size_t size, const char *word) {
  size_t length = strlen(word);
  for (size_t i = 0; i + length <= size; i++)
    if (memcmp(bytes + i, word, length) == 0) return true;
  return false;
}

static bool is_text(const uint8_t *bytes, size_t size) {
  size_t n = size < 256 ? size : 256;
  for (size_t i = 0; i < n; i++)
    if ((bytes[i] < 32 && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t') || bytes[i] == 127) return false;
  return true;
}

/* What a file that is no .tflite seems to be, as the end of "this is …"; NULL if nothing is recognised. */
static const char *other_format(const uint8_t *bytes, size_t size) {
  size_t head = size < 4096 ? size : 4096;
  if (STARTS("PK\x03\x04")) {
    if (contains(bytes, head, "data.pkl")) return "a PyTorch file; export the network and convert it: samara convert";
    if (contains(bytes, head, "config.json") || contains(bytes, head, "metadata.json"))
      return "a Keras file (.keras); convert it first: samara convert";
    return "a zip archive; unpack it, or convert it first if it holds a Keras or PyTorch network: samara convert";
  }
  if (STARTS("\x89HDF\r\n\x1a\n")) return "an HDF5 file (.h5), probably of Keras; convert it first: samara convert";
  if (STARTS("LITERTLM")) return "a .litertlm container; extract the .tflite models it holds";
  if (STARTS("\x1f\x8b")) return "compressed with gzip; decompress it first";
  if (STARTS("\x89PNG") || STARTS("\xff\xd8\xff") || STARTS("GIF8") || STARTS("BM") || STARTS("RIFF"))
    return "an image or sound; give the model first and the data as its input";
  if (STARTS("\x93NUMPY")) return "a NumPy array; give the model first and the data as its input";
  if (STARTS("\x80\x02") || STARTS("\x80\x04"))
    return "a Python pickle, probably of PyTorch; export the network and convert it: samara convert";
  if (STARTS("version https://git-lfs")) return "a Git LFS pointer, not the model; fetch it: git lfs pull";
  if (STARTS("<!DOCTYPE") || STARTS("<!doctype") || STARTS("<html"))
    return "a web page; the download of the model went wrong";
  if (size >= 3 && bytes[0] == 0x08 && bytes[1] == 0x01 && (bytes[2] == 0x12 || bytes[2] == 0x22))
    return "a TensorFlow SavedModel (.pb); convert it first: samara convert";
  if (size >= 3 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] <= 32 &&
      (bytes[2] == 0x12 || bytes[2] == 0x1a || bytes[2] == 0x22 || bytes[2] == 0x3a || bytes[2] == 0x42))
    return "an ONNX model; convert it first: samara convert";
  if (is_text(bytes, size)) return bytes[0] == '{' ? "JSON text, not a binary model" : "text, not a binary model";
  return NULL;
}

sam_status sam_verify(const uint8_t *bytes, size_t size, const uint8_t **root, sam_error *error) {
  if (size == 0) return sam_error_set(error, SAM_INVALID_MODEL, -1, -1, -1, "not a .tflite model: the file is empty");
  if (size < 8 || memcmp(bytes + 4, "TFL3", 4) != 0) {
    const char *other = other_format(bytes, size);
    if (other) return sam_error_set(error, SAM_INVALID_MODEL, -1, -1, -1, "not a .tflite model: this is %s", other);
    if (size < 8)
      return sam_error_set(error, SAM_INVALID_MODEL, -1, -1, -1,
                           "not a .tflite model: the file has %zu bytes, the smallest header has 8", size);
    return sam_error_set(error, SAM_INVALID_MODEL, -1, -1, -1,
                         "not a .tflite model: bytes 4 to 7 are %02x %02x %02x %02x, not \"TFL3\"", bytes[4], bytes[5],
                         bytes[6], bytes[7]);
  }
  verifier v = {.bytes = bytes, .size = size, .error = error};
  v.max_visits = (uint64_t)size / 4 + 16;
  v.max_elements = (uint64_t)size * 4 + 4096;
  uint64_t at = 0;
  sam_status status = follow(&v, 0, &at);
  if (!status) status = verify_table(&v, SAM_TABLE_MODEL, at);
  if (!status) *root = bytes + at;
  return status;
}
