/* What the parts of loading share: verify.c ──> decode.c (with tensors.c, sparsity.c) ──> rules.c. */
#ifndef SAM_RUNTIME_LOADER_H
#define SAM_RUNTIME_LOADER_H

#include "alloc.h"
#include "flatbuffer.h"
#include "model.h"
#include "status.h"

typedef struct sam_file_buffer { /* an entry of Model.buffers */
  const uint8_t *data;           /* NULL: no data */
  uint64_t bytes;
  const uint8_t *aligned; /* copy of `data`, made when a type needs more alignment than the file gives */
  uint64_t checked_bools; /* so many first bytes are known to be 0 or 1 */
  bool checked_strings;   /* the whole is a well-formed packed string value … */
  int32_t strings;        /* … of so many strings */
} sam_file_buffer;

typedef struct sam_file_opcode { /* an entry of Model.operator_codes */
  int32_t code, version;
  const char *name;
  bool custom;
  const sam_op *op;
} sam_file_opcode;

typedef struct sam_loader {
  sam_model *model;
  const sam_options *options;
  sam_error *error;
  const uint8_t *root;
  uint64_t budget; /* bytes that decoded structures may still take */
  sam_file_buffer *buffers;
  sam_file_opcode *opcodes;
  int32_t n_buffers, n_opcodes;
} sam_loader;

/* Zeroed memory that lives as long as the model; NULL after having filled the error (*status too). */
void *sam_load_alloc(sam_loader *loader, uint64_t count, size_t size, sam_status *status);

/* Refuses the model. The sentence starts with `tensor 5 "conv/w": ` or `node 12 CONV_2D "conv": `, and before that
 * `subgraph 1 ` where it is not the main one. */
sam_status sam_load_tensor_fail(const sam_loader *loader, sam_status status, int32_t subgraph, int32_t tensor,
                                const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 5, 6)))
#endif
    ;
sam_status sam_load_node_fail(const sam_loader *loader, sam_status status, int32_t subgraph, int32_t node,
                              const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 5, 6)))
#endif
    ;

/* decode.c: fills the model from the verified flatbuffer. */
sam_status sam_decode(sam_loader *loader);
/* tensors.c: one tensor; then, when all of the subgraph are decoded, its blockwise quantization, which names others. */
sam_status sam_decode_tensor(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table);
sam_status sam_decode_blockwise(sam_loader *loader, int32_t subgraph, sam_file_tensor *t, const uint8_t *table);
/* sparsity.c: makes the dense bytes of a sparse constant; `table` is its SparsityParameters. */
sam_status sam_densify(sam_loader *loader, int32_t subgraph, sam_file_tensor *tensor, const uint8_t *table,
                       const uint8_t *values, uint64_t bytes);
/* rules.c: what no single table can tell. */
sam_status sam_check_rules(sam_loader *loader);

#endif
