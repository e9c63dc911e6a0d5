/* A verified model, decoded once into plain arrays. Everything after it (plan, session, API) reads these structs and
 * never the flatbuffer. verify.c proves the bytes well-formed; model.c decodes them; both run at every load. */
#ifndef SAM_RUNTIME_MODEL_H
#define SAM_RUNTIME_MODEL_H

#include <stdatomic.h>

#include "samara.h"
#include "samara/op.h"

typedef struct sam_file_tensor {
  sam_tensor view; /* file's type, shape, name, quant; data + KNOWN for constants; VARIABLE; index */
  sam_quant quant; /* view.quant points here */
  int32_t signature_rank;
  int32_t *signature;          /* shape_signature, or NULL */
  bool is_input, is_output;    /* of its subgraph */
  bool sparse;                 /* stored sparse in the file; view.data is the dense copy made at load */
  int32_t block_scales_tensor; /* -1, or the tensor of view.quant->block_scales */
} sam_file_tensor;

typedef struct sam_file_node {
  const sam_op *op; /* NULL: unknown here; prepare reports it */
  int32_t code;     /* builtin operator code */
  const char *name; /* "CONV_2D", or the custom code */
  bool custom;
  int32_t version;
  const void *options; /* decoded struct of op->options' kind, or NULL */
  const void *custom_options;
  size_t custom_bytes;
  int32_t n_inputs, n_outputs, n_intermediates;
  int32_t *inputs, *outputs, *intermediates; /* tensor indices, verified; -1 absent (inputs, intermediates) */
} sam_file_node;

typedef struct sam_subgraph {
  const char *name;
  int32_t n_tensors, n_nodes, n_inputs, n_outputs;
  sam_file_tensor *tensors;
  sam_file_node *nodes;
  int32_t *inputs, *outputs;
} sam_subgraph;

struct sam_pack_cache; /* packing.c */

/* Which file this is, and when it changed last (by ctime, which nobody can set): as long as they stay, so do its bytes. All
 * zeros: not a file, or one so young that a change might not show. */
typedef struct sam_file_stamp {
  uint64_t device, inode, modified, changed; /* nanoseconds */
} sam_file_stamp;

/* A file of at most this many bytes is read whole when it is opened, and stays. */
#define SAM_SMALL_FILE (1 << 20)

struct sam_model {
  const uint8_t *bytes;
  size_t size;
  bool mapped; /* munmap at the end */
  sam_file_stamp stamp;
  void *owned; /* or free this */
  int32_t n_subgraphs, n_signatures, n_metadata;
  sam_subgraph *subgraphs;
  sam_signature_info *signatures;
  sam_metadata_info *metadata;
  const char *description;
  struct sam_block *blocks; /* every decoded array hangs here and is freed at once (alloc.h) */
  struct sam_pack_cache *packs;
  atomic_int references;
};

void sam_model_retain(sam_model *model);

/* Operators the application brings, by name; NULL if there is none. */
const sam_op *sam_find_custom(const sam_options *options, const char *name);
/* The table of built-in operators by code (resolve.c, from kernels_c/ops/ops.def); NULL if this build has none. */
const sam_op *sam_find_builtin(int32_t code);
/* "CONV_2D" for every code of the format, supported or not; NULL for a number that is no operator. */
const char *sam_builtin_name(int32_t code);

/* tensors.c. Bytes of a tensor of this shape. False where a size is negative or the bytes, sizes of zero counted as one,
 * pass `limit` or what an address can hold. An empty shape is held to INT32_MAX elements so counted: loops over its other
 * sizes have to end. */
bool sam_shape_bytes(sam_type type, int32_t rank, const int32_t *dims, uint64_t limit, uint64_t *bytes);

#endif
