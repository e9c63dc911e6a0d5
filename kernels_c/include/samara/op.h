/* Samara: what an operator is.
 *
 * An operator is one `const sam_op`: a `prepare` that checks, infers the output shapes and plans, and one `eval` for
 * each element type of its key input. The runtime calls them like this:
 *
 *        file ──verify──> model ──plan──> prepare (once per shape) ──> eval (once per invoke, never allocates)
 *
 * `prepare` is the one home of shape and type inference. It sees the shapes of the inputs, and the bytes of those
 * inputs that are already known (constants, and tensors folded from constants). When it needs the bytes of an input
 * that is not known yet, it returns sam_need_data(ctx, i): the runtime then calls it again during invoke, when the
 * bytes are there, and gives the outputs memory of the size it says. Nothing else is needed for dynamic shapes.
 * `eval` trusts what prepare checked; it tests only values it could not know before (indices), and fails by sam_fail.
 *
 * Built-in operators and those an application registers use this same header. C99 and C++. */
#ifndef SAMARA_OP_H
#define SAMARA_OP_H

#include <stdbool.h>

#include "samara/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Tensors ---------------------------------------------------------------------------------------------------- */

struct sam_tensor;

/* real = scale * (q - zero_point). count 0: not quantized; 1: per tensor; more: per slice along `axis`. */
typedef struct sam_quant {
  int32_t count;
  int32_t axis;
  const float *scale;        /* count values, finite and > 0 are NOT guaranteed: sam_check_quant does that */
  const int32_t *zero_point; /* count values, inside the type's range (verified) */
  /* Blockwise: block_size > 0, values in blocks of block_size along the last axis; scales (FLOAT16 or FLOAT32) and
   * optional zero points are constant tensors of shape [rows, columns / block_size]. count is 0 then. */
  int32_t block_size;
  const struct sam_tensor *block_scales;
  const struct sam_tensor *block_zero_points;
} sam_quant;

enum {
  SAM_TENSOR_KNOWN = 1,    /* data is valid now and the same in every invoke (constant or folded) */
  SAM_TENSOR_VARIABLE = 2, /* state: persists between invokes; an operator may write to it though it is an input */
  SAM_TENSOR_DYNAMIC = 4,  /* shape is found during invoke */
  SAM_TENSOR_FILE = 8      /* KNOWN, and the bytes are those of the model file */
};

/* A view of one tensor. Row-major, dense. An operator reads every field of its inputs; of its outputs it sets the
 * shape by sam_set_shape and writes `data` in eval. The type of an output is the file's; prepare checks it. */
typedef struct sam_tensor {
  void *data;   /* 64-byte aligned unless it lies in the model file (16) or is the caller's; NULL until it has memory */
  size_t bytes; /* elements * element size */
  sam_type type;
  int32_t rank;
  int32_t dims[SAM_MAX_RANK];
  uint32_t flags;
  int32_t index;          /* in its subgraph */
  const sam_quant *quant; /* never NULL */
  const char *name;       /* never NULL */
} sam_tensor;

/* Number of elements. Cannot overflow: the runtime bounds every shape it accepts. */
static inline int64_t sam_elements(const sam_tensor *t) {
  int64_t n = 1;
  for (int32_t i = 0; i < t->rank; i++) n *= t->dims[i];
  return n;
}
static inline bool sam_is_known(const sam_tensor *t) { return (t->flags & SAM_TENSOR_KNOWN) != 0; }
/* Elements of dims[begin..end). */
static inline int64_t sam_span(const sam_tensor *t, int32_t begin, int32_t end) {
  int64_t n = 1;
  for (int32_t i = begin; i < end; i++) n *= t->dims[i];
  return n;
}
static inline bool sam_same_shape(const sam_tensor *a, const sam_tensor *b) {
  if (a->rank != b->rank) return false;
  for (int32_t i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i]) return false;
  return true;
}

/* ---- The operator ----------------------------------------------------------------------------------------------- */

struct sam_op;
struct sam_node;
struct sam_ctx;

typedef sam_status (*sam_prepare_fn)(struct sam_ctx *ctx, struct sam_node *node);
typedef sam_status (*sam_eval_fn)(struct sam_ctx *ctx, struct sam_node *node);
/* Computes elements [begin, end) of output 0, by the calling thread alone. The pointers say where element 0 of each
 * tensor lies, or would lie if all of it were there. The output may be an input. */
typedef void (*sam_piece_fn)(const struct sam_node *node, const void *const *inputs, void *output, int64_t begin,
                             int64_t end);

/* A strip of an operator on images: rows [begin, end) of output 0, of one image; rows count over all images. */
typedef struct sam_rows {
  const void *input; /* where row 0 of input 0 lies; of its rows, those that the window needs are there */
  int64_t ring;      /* 0; or the input is a ring of so many rows: row r of an image lies where row r % ring would */
  void *output;      /* where row 0 of the output lies, or would lie */
  int64_t begin, end;
  int thread;
  bool anew; /* the first strip of a thread in this eval, or one that does not follow its last */
} sam_rows;
/* Computes a strip, by the calling thread alone. Must not fail. */
typedef void (*sam_rows_fn)(const struct sam_node *node, const sam_rows *rows);
/* Row y of an image's output needs rows y * stride - top to y * stride - top + reach - 1 of input 0, where they exist. */
typedef struct sam_row_window {
  int64_t reach, stride, top;
  int64_t step; /* a strip begins at a multiple of it, and ends at one or with the image */
  int64_t cost; /* cycles of a row */
} sam_row_window;

/* One operator of the graph, as prepare and eval see it. */
typedef struct sam_node {
  const struct sam_op *op;
  const void *options;       /* the struct op->options names (samara/options.h), defaults filled in; or NULL */
  const void *custom;        /* custom operators: the raw custom_options bytes (a flexbuffer map, mostly) */
  size_t custom_bytes;
  sam_tensor **inputs;       /* n_inputs; NULL where an optional input is absent */
  sam_tensor **outputs;      /* n_outputs */
  sam_tensor **intermediates; /* n_intermediates: quantization parameters of inner values (LSTM) */
  int32_t n_inputs, n_outputs, n_intermediates;
  int32_t version;
  int32_t index;             /* position in the subgraph of the file */
  void *state;               /* the operator's own plan: set in prepare, memory from sam_alloc */
  void *scratch;             /* scratch_bytes of 64-byte aligned memory, valid during eval only */
  size_t scratch_bytes;      /* asked for in prepare by sam_scratch */
  const int32_t *merged_pad; /* NULL, or top, bottom, left, right: pixels of zero point around input 0, from a PAD that
                                the plan merged into this convolution (sam_window_axis knows) */
  sam_eval_fn eval;          /* chosen from op->eval by type; prepare may replace it with a special one */
  /* Set in prepare, where they hold for the node as it is. */
  sam_piece_fn piece;        /* each element of output 0 depends on the inputs' elements at its place alone, and this
                                computes some of them. It must not fail, and eval must need no scratch */
  int64_t piece_run;         /* 0; or so many elements of input 0 side by side make one of output 0 (a reduction of rows):
                                begin and end then count those of the input, and are multiples of it */
  int32_t piece_cost;        /* cycles of four elements */
  const struct sam_chain *chain; /* set by the plan for nodes with a piece: eval is then sam_chain_eval
                                (common/chain.h); else NULL */
  sam_rows_fn rows;             /* computes some rows of an image; or NULL */
  sam_row_window row_window;
  const struct sam_strips *strips; /* set by the plan for nodes with rows: eval is then sam_strips_eval
                                (common/strips.h); else NULL */
} sam_node;

enum {
  SAM_OP_VIEW = 1,     /* output 0 has the bytes of input 0: the plan may let both share memory for good */
  SAM_OP_STATEFUL = 2, /* answers differ between equal calls (random) or it has an effect: never folded or removed */
  SAM_OP_SHAPE_ONLY = 4, /* reads only shapes of its inputs (SHAPE, RANK): known as soon as the shapes are */
  SAM_OP_VARIADIC = 8  /* any number of inputs from min_inputs on (max_inputs is ignored) */
};

typedef struct sam_op {
  const char *name;       /* "CONV_2D"; for custom operators the custom_code */
  int32_t options;        /* SAM_OPTIONS_… of samara/options.h, or 0: none needed */
  int32_t max_version;    /* versions 1..max_version are understood */
  int32_t min_inputs, max_inputs;
  int32_t min_outputs, max_outputs; /* max_outputs < 0: any number */
  uint32_t optional;      /* bit i: input i may be absent (-1 in the file); bit 31: any from 31 on */
  uint32_t inplace;       /* bit i: output 0 may overwrite input i when both have the same byte size and type bits */
  int32_t key;            /* index of the input whose type selects eval */
  uint32_t flags;         /* SAM_OP_… */
  sam_prepare_fn prepare;
  sam_eval_fn eval[SAM_TYPE_COUNT]; /* NULL: type not supported. This table prints the support matrix. */
} sam_op;

/* ---- What the runtime offers an operator ------------------------------------------------------------------------ */

/* A piece [begin, end) of n independent items; `thread` is below sam_threads(ctx) and tells scratch apart. */
typedef void (*sam_task_fn)(void *arg, int64_t begin, int64_t end, int thread);
/* Fills `dst` (the bytes asked for, 64-byte aligned) from `arg`. Must not fail and must depend on nothing else. */
typedef void (*sam_pack_fn)(void *dst, const void *arg);

typedef struct sam_services {
  sam_status (*fail)(struct sam_ctx *ctx, sam_status status, const char *format, ...);
  sam_status (*set_shape)(struct sam_ctx *ctx, sam_tensor *t, int32_t rank, const int32_t *dims);
  sam_status (*need_data)(struct sam_ctx *ctx, int32_t input);
  void *(*alloc)(struct sam_ctx *ctx, size_t bytes);
  sam_status (*scratch)(struct sam_ctx *ctx, size_t bytes);
  const void *(*pack)(struct sam_ctx *ctx, const sam_tensor *source, uint64_t variant, size_t bytes, sam_pack_fn fill,
                      const void *arg);
  void (*parallel)(struct sam_ctx *ctx, int64_t n, int64_t cost, sam_task_fn task, void *arg);
  sam_status (*resize_string)(struct sam_ctx *ctx, sam_tensor *t, size_t bytes);
} sam_services;

/* Passed through every call; its rest belongs to the runtime. */
typedef struct sam_ctx {
  const sam_services *services;
  int32_t threads;
  sam_node *node;   /* the operator being prepared or run */
  bool no_winograd; /* sum the products of convolutions in the order of the filter */
  bool allow_fp16;  /* FLOAT32 may be computed in half precision */
} sam_ctx;

/* Reports failure: `return sam_fail(ctx, SAM_UNSUPPORTED, "filter has %d input channels, input has %d", f, c);`
 * The runtime puts `node 12 CONV_2D "name": ` in front. Say both numbers; never repeat the operator's name. */
#define sam_fail(ctx, ...) ((ctx)->services->fail((ctx), __VA_ARGS__))

/* prepare: sets the shape of an output (every output needs one), checks that it fits in memory. */
static inline sam_status sam_set_shape(sam_ctx *ctx, sam_tensor *t, int32_t rank, const int32_t *dims) {
  return ctx->services->set_shape(ctx, t, rank, dims);
}
static inline sam_status sam_set_shape_like(sam_ctx *ctx, sam_tensor *t, const sam_tensor *like) {
  return ctx->services->set_shape(ctx, t, like->rank, like->dims);
}
/* prepare: `if (!sam_is_known(t)) return sam_need_data(ctx, i);` defers this node to invoke, where input i has bytes. */
static inline sam_status sam_need_data(sam_ctx *ctx, int32_t input) { return ctx->services->need_data(ctx, input); }
/* prepare: zeroed memory that lives until this node is prepared again. NULL after having reported out of memory. */
static inline void *sam_alloc(sam_ctx *ctx, size_t bytes) { return ctx->services->alloc(ctx, bytes); }
/* prepare: asks for node->scratch of this many bytes in eval (the last call counts). For per-thread scratch ask for
 * sam_threads(ctx) times the (64-byte rounded) amount. */
static inline sam_status sam_scratch(sam_ctx *ctx, size_t bytes) { return ctx->services->scratch(ctx, bytes); }
/* prepare: repacked constant weights, made once per model and shared by all its sessions. `source` must be known;
 * (its bytes' address, variant, bytes) is the cache key, so `variant` must encode everything the layout depends on.
 * NULL after having reported out of memory. Folded (not file-constant) sources are packed per session. */
static inline const void *sam_pack(sam_ctx *ctx, const sam_tensor *source, uint64_t variant, size_t bytes,
                                   sam_pack_fn fill, const void *arg) {
  return ctx->services->pack(ctx, source, variant, bytes, fill, arg);
}
/* eval: splits [0, n) over the threads; `cost` is the estimated cycles of one item. Small work stays on the caller's
 * thread. Returns when all is done. Results must not depend on the split. */
static inline void sam_parallel(sam_ctx *ctx, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  if (n > 0) ctx->services->parallel(ctx, n, cost, task, arg);
}
/* eval: gives STRING output `t` memory for this many bytes, as strings have the size their data has. The one thing that
 * eval may ask for. The contents are undefined, `t->data` and `t->bytes` are set. */
static inline sam_status sam_resize_string(sam_ctx *ctx, sam_tensor *t, size_t bytes) {
  return ctx->services->resize_string(ctx, t, bytes);
}
static inline int32_t sam_threads(const sam_ctx *ctx) { return ctx->threads; }

/* `SAM_TRY(sam_set_shape_like(ctx, out, in));` */
#define SAM_TRY(expression)                        \
  do {                                             \
    sam_status sam_try_status_ = (expression);     \
    if (sam_try_status_ != SAM_OK) return sam_try_status_; \
  } while (0)

/* ---- Checks that many operators make in prepare (kernels_c/common/check.c) -------------------------------------- */

/* Input or output `t` must have this type; the message names tensor and both types. */
sam_status sam_check_type(sam_ctx *ctx, const sam_tensor *t, sam_type type);
/* Same type as `like`. */
sam_status sam_check_same_type(sam_ctx *ctx, const sam_tensor *t, const sam_tensor *like);
sam_status sam_check_rank(sam_ctx *ctx, const sam_tensor *t, int32_t min_rank, int32_t max_rank);
/* Quantized per tensor with a finite scale > 0 (and zero_point 0 for INT16/INT32): what integer kernels need. */
sam_status sam_check_quant(sam_ctx *ctx, const sam_tensor *t);
/* Same, but per slice along `axis` is allowed too; the count must then be dims[axis]. */
sam_status sam_check_quant_axis(sam_ctx *ctx, const sam_tensor *t, int32_t axis);
/* Equal scale and zero point (operators that only move bytes). Unquantized against unquantized passes. */
sam_status sam_check_same_quant(sam_ctx *ctx, const sam_tensor *a, const sam_tensor *b);
/* axis in [-rank, rank) made non-negative. */
sam_status sam_normalize_axis(sam_ctx *ctx, int64_t axis, int32_t rank, int32_t *normalized);
/* Numpy broadcasting of two shapes into dims/rank. */
sam_status sam_broadcast_shapes(sam_ctx *ctx, const sam_tensor *a, const sam_tensor *b, int32_t *rank, int32_t *dims);
/* Reads a known INT32/INT64 tensor (any other type fails) of 1 dimension or a scalar into `values`, at most `max`. */
sam_status sam_read_ints(sam_ctx *ctx, const sam_tensor *t, int32_t max, int64_t *values, int32_t *count);

#ifdef __cplusplus
}
#endif
#endif
