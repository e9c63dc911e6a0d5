/* Samara: runs TensorFlow Lite models (.tflite) from C and C++.
 *
 *      sam_model *model;  sam_session *session;  sam_error error;
 *      if (sam_model_open("net.tflite", NULL, &model, &error)) ...error.message says why
 *      if (sam_session_create(model, 0, NULL, &session, &error)) ...
 *      sam_session_write(session, sam_session_input(session, 0), pixels, sizeof pixels, &error);
 *      sam_session_invoke(session, &error);
 *      sam_session_read(session, sam_session_output(session, 0), scores, sizeof scores, &error);
 *      sam_session_free(session);  sam_model_free(model);
 *
 * Two objects:
 *   sam_model    the verified file and its repacked weights. Immutable; any number of threads may use it at once and
 *                make sessions of it. Reference counted: each session holds one, so the order of freeing is free.
 *   sam_session  one subgraph ready to run: shapes, memory plan, state, worker threads. One thread at a time may call
 *                into a session; the only exception is sam_session_cancel.
 *
 * Errors: every call that can fail answers a sam_status and, unless `error` is NULL, fills it. On failure the outputs
 * are not touched and the objects stay usable. Nothing prints, aborts or exits. There is no global state.
 *
 * Memory: what a call hands out as pointer belongs to the object it came from and lives until that object is freed,
 * or until the shorter time the call states. Units are bytes unless said otherwise. C99 and C++. */
#ifndef SAMARA_H
#define SAMARA_H

#include <stdbool.h>

#include "samara/types.h"

#if defined(_WIN32) || !defined(__GNUC__)
#define SAM_API
#else
#define SAM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct sam_op; /* samara/op.h: for applications that bring operators of their own */

/* --- cdef begin --- */

typedef struct sam_model sam_model;
typedef struct sam_session sam_session;

/* Why a call failed. `message` is one sentence, NUL-terminated, that names the thing and the numbers, e.g.
 * `node 12 CONV_2D "features/3": filter has 24 input channels, input has 32`. */
typedef struct sam_error {
  sam_status status;
  int32_t subgraph; /* -1 where it does not apply, as the next two */
  int32_t node;     /* position among the operators of the subgraph */
  int32_t tensor;
  char message[512];
} sam_error;

/* Choices of the caller. Always start from sam_options_init. */
typedef struct sam_options {
  int32_t threads;          /* worker threads including the caller's; 0: as many as the affinity mask and the cgroup
                               quota allow, at most 4. Default 1. The results do not depend on it. */
  int32_t max_ops;          /* refuse models with more operators in all subgraphs. Default 1,000,000 */
  int32_t max_depth;        /* nesting of subgraphs (control flow, composites). Default 32 */
  bool keep_all;            /* keep every intermediate tensor readable after invoke (more memory). Default false */
  bool profile;             /* time every operator. Default false */
  bool no_fusion;           /* run the operators exactly as the file lists them. Default false; same results */
  bool no_winograd;         /* add the products of convolutions in the order of the filter (channels of a tap, tap by tap),
                               never by Winograd's transforms, whose weights take 1.8 (float32) to 8 times (int8) the room.
                               Slower: networks of 3 x 3 convolutions take up to 1.5 times as long. Integers answer the
                               same; floats no nearer to the exact answer, but nearer to that of engines that sum so.
                               Default false */
  bool allow_fp16;          /* FLOAT32 matrix products and convolutions with constant weights may multiply in half precision,
                               on ARM64 processors that compute in it (ARMv8.2 FEAT_FP16); elsewhere this changes nothing.
                               Faster, half the repacked weights, and results good to 1e-3 to 1e-2 of their range. Inputs of
                               such an operator beyond 65504 count as infinite. Default false */
  uint64_t max_memory;      /* refuse plans that need more bytes than this in all. Default 16 GiB */
  const char *device;       /* "cpu" (default, NULL too) or the name of another back end */
  const struct sam_op *const *custom_ops; /* operators the application brings, found by name; borrowed for the life
                                             of the model */
  int32_t n_custom_ops;
  const char *weight_cache; /* of sam_model_open and sam_model_from_bytes: the file that keeps the repacked weights, see
                               sam_model_weight_cache. Default NULL: they stay in this process */
} sam_options;

/* A tensor as the file describes it. Pointers live as long as the model. */
typedef struct sam_tensor_info {
  const char *name; /* "" if the file has none */
  sam_type type;
  int32_t rank;
  const int32_t *shape;
  int32_t signature_rank;          /* 0 if the file has no shape_signature */
  const int32_t *shape_signature;  /* -1 where the size is open */
  bool constant, variable, sparse;
  const void *data;       /* the constant's bytes; NULL if not constant */
  uint64_t data_bytes;
  int32_t n_scales;       /* quantization: 0 none, 1 per tensor, else per slice of quantized_dimension */
  const float *scales;
  const int32_t *zero_points; /* n_scales of them */
  int32_t quantized_dimension;
  int32_t block_size;     /* > 0: blockwise; scales lie in tensor block_scales_tensor */
  int32_t block_scales_tensor;
} sam_tensor_info;

/* An operator as the file lists it. */
typedef struct sam_node_info {
  const char *op;  /* "CONV_2D"; a custom operator's own name */
  int32_t builtin_code;
  bool custom, supported; /* supported: this build has the operator (its types are judged by prepare) */
  int32_t version;
  int32_t n_inputs, n_outputs, n_intermediates;
  const int32_t *inputs; /* tensor indices; -1 for an absent optional input */
  const int32_t *outputs;
  const int32_t *intermediates;
} sam_node_info;

typedef struct sam_subgraph_info {
  const char *name;
  int32_t n_tensors, n_nodes, n_inputs, n_outputs;
  const int32_t *inputs; /* tensor indices */
  const int32_t *outputs;
} sam_subgraph_info;

typedef struct sam_signature_info {
  const char *key;
  int32_t subgraph;
  int32_t n_inputs, n_outputs;
  const char *const *input_names; /* n_inputs */
  const int32_t *inputs;          /* tensor indices in the subgraph */
  const char *const *output_names;
  const int32_t *outputs;
} sam_signature_info;

typedef struct sam_metadata_info {
  const char *name;
  const void *data;
  uint64_t bytes;
} sam_metadata_info;

/* What became of options.weight_cache. */
typedef struct sam_weight_cache_info {
  const char *path;    /* NULL: the model was opened without one */
  uint64_t mapped;     /* bytes of repacked weights in use that lie in the mapped file, shared with other processes */
  uint64_t packed;     /* bytes of those that this process has repacked and holds itself */
  uint64_t written;    /* bytes of the file as this process has written it; 0: it has not */
  const char *problem; /* why the file could not be written (the model runs all the same); NULL: nothing failed */
} sam_weight_cache_info;

/* A tensor as it is in a session now. */
typedef struct sam_tensor_view {
  sam_type type;
  int32_t rank;
  int32_t shape[8];
  void *data;      /* NULL while the tensor has no bytes of its own: before prepare, or when its memory has been given
                      to a later tensor. Valid until the next resize, prepare, invoke with dynamic shapes, or free. */
  uint64_t bytes;
  int64_t offset;  /* in the arena; -1 if it does not lie there */
  bool dynamic;    /* shape is known only after invoke */
} sam_tensor_view;

typedef struct sam_memory_info {
  uint64_t arena;      /* intermediate tensors and scratch of the plan */
  uint64_t persistent; /* variables, operator state, folded constants */
  uint64_t packed;     /* repacked weights of the model, shared by its sessions */
  uint64_t dynamic;    /* tensors whose shape was found during invoke */
  uint64_t model;      /* size of the file */
} sam_memory_info;

/* One step of the plan, after fusion, in running order. */
typedef struct sam_step_info {
  int32_t node;        /* the file's operator; where several were merged, the one that computes */
  int32_t subgraph;
  const char *op;
  const char *name;    /* of the first output */
  uint64_t calls;      /* since prepare or sam_session_profile_reset; 0 without options.profile */
  uint64_t ns;         /* total wall-clock time */
  uint64_t macs;       /* multiply-accumulates of one call; 0 for operators that have none */
  uint64_t bytes;      /* inputs, constants and outputs touched by one call */
} sam_step_info;

/* ---- Library ---- */

SAM_API const char *sam_version(void);
SAM_API const char *sam_status_name(sam_status status);
SAM_API const char *sam_type_name(sam_type type);
SAM_API int sam_type_bits(sam_type type);
/* The instruction-set level the kernels run at, e.g. "avx512vnni". The environment variable SAMARA_ISA lowers it. */
SAM_API const char *sam_isa(void);
/* The operators this build has, i from 0; NULL past the end. `types`: bit t set if element type t is supported. */
SAM_API const char *sam_builtin_op(int32_t i, int32_t *max_version, uint32_t *types);
SAM_API void sam_options_init(sam_options *options);

/* ---- Models ---- */

/* Maps and verifies a file. The file must not change while the model lives. `options` may be NULL. */
SAM_API sam_status sam_model_open(const char *path, const sam_options *options, sam_model **model, sam_error *error);
/* Verifies `size` bytes at `data`. They are copied unless `borrow`, in which case they must be 16-byte aligned (or
 * they are copied all the same) and outlive the model unchanged. */
SAM_API sam_status sam_model_from_bytes(const void *data, size_t size, bool borrow, const sam_options *options,
                                        sam_model **model, sam_error *error);
/* Gives up the caller's reference. NULL is fine. */
SAM_API void sam_model_free(sam_model *model);

/* What the file says. Indices out of range answer SAM_INVALID_ARGUMENT. */
SAM_API int32_t sam_model_subgraph_count(const sam_model *model);
SAM_API int32_t sam_model_signature_count(const sam_model *model);
SAM_API int32_t sam_model_metadata_count(const sam_model *model);
SAM_API sam_status sam_model_subgraph(const sam_model *model, int32_t subgraph, sam_subgraph_info *info);
SAM_API sam_status sam_model_tensor(const sam_model *model, int32_t subgraph, int32_t tensor, sam_tensor_info *info);
SAM_API sam_status sam_model_node(const sam_model *model, int32_t subgraph, int32_t node, sam_node_info *info);
SAM_API sam_status sam_model_signature(const sam_model *model, int32_t signature, sam_signature_info *info);
SAM_API sam_status sam_model_metadata(const sam_model *model, int32_t i, sam_metadata_info *info);

/* The weight cache. Repacking is most of what loading a model costs; options.weight_cache names a file that keeps the
 * result, one for each model. The first process writes it when a session has been planned (or planned anew, by what a
 * session of another signature or shape packs besides); later ones map it, repack nothing, and share its pages. What is
 * repacked during an invoke, and what custom operators repack, is not kept.
 *   The file is for one build of the library, one instruction-set level (sam_isa) and one content of the model. A file
 * for others, or a damaged one, is replaced; one that is no weight cache is never: SAM_IO. It is written under another
 * name and renamed, so that nobody sees half of it and processes may race; where it cannot be written, the weights stay
 * in memory, and `problem` says why. While a model lives, its file may be replaced or deleted, but not shortened.
 *   Opening reads the whole model to know its content, unless it is the same file that has not been touched since (by
 * ctime). The answers are the same bytes with and without the weight cache. Whoever may write it can change the answers:
 * keep it where only trusted users write. */
SAM_API sam_status sam_model_weight_cache(const sam_model *model, sam_weight_cache_info *info);

/* ---- Sessions ---- */

/* Makes a session of one subgraph (0 is the main one) and plans it with the file's shapes where they are complete.
 * `options` may be NULL. */
SAM_API sam_status sam_session_create(sam_model *model, int32_t subgraph, const sam_options *options,
                                      sam_session **session, sam_error *error);
SAM_API void sam_session_free(sam_session *session);

/* Tensor index of the i-th input or output; -1 past the end. */
SAM_API int32_t sam_session_input(const sam_session *session, int32_t i);
SAM_API int32_t sam_session_output(const sam_session *session, int32_t i);

/* Gives an input another shape. Takes effect at the next prepare; views become invalid. With `strict`, only
 * dimensions that shape_signature leaves open may change. */
SAM_API sam_status sam_session_resize(sam_session *session, int32_t tensor, int32_t rank, const int32_t *shape,
                                      bool strict, sam_error *error);
/* Infers shapes, plans memory, packs weights. Called by invoke when it is due; call it to have the cost early.
 * Keeps the values of variables whose shape stays. */
SAM_API sam_status sam_session_prepare(sam_session *session, sam_error *error);
/* Runs the subgraph. Allocates nothing, unless the shape of a tensor depends on values. */
SAM_API sam_status sam_session_invoke(sam_session *session, sam_error *error);
/* Makes the running invoke stop with SAM_CANCELLED before its next operator, or within one whose loop is long; without
 * one running, the next invoke does. What a stopped operator has written is not to be read. From any thread. */
SAM_API void sam_session_cancel(sam_session *session);
/* Sets all variables to their zero point (0 for floats). */
SAM_API void sam_session_reset(sam_session *session);

/* Shape, type and bytes of a tensor now. */
SAM_API sam_status sam_session_tensor(sam_session *session, int32_t tensor, sam_tensor_view *view, sam_error *error);
/* Copies exactly the tensor's size in bytes; another size is an error. Write takes inputs and variables; of STRING
 * inputs, any well-formed packed value. Plans first if that is due. */
SAM_API sam_status sam_session_write(sam_session *session, int32_t tensor, const void *data, size_t bytes,
                                     sam_error *error);
SAM_API sam_status sam_session_read(sam_session *session, int32_t tensor, void *data, size_t bytes, sam_error *error);

SAM_API sam_status sam_session_memory(const sam_session *session, sam_memory_info *info);
SAM_API int32_t sam_session_step_count(const sam_session *session);
SAM_API sam_status sam_session_step(const sam_session *session, int32_t step, sam_step_info *info);
SAM_API void sam_session_profile_reset(sam_session *session);

/* --- cdef end --- */

#ifdef __cplusplus
}
#endif
#endif
