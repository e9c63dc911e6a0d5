/* The inside of a session: one subgraph, planned for one set of input shapes.
 *
 *   instantiate (once)      tensors and steps are copied from the model; composites are replaced by their decomposition
 *   lower (once)            neighbouring operators that run faster together become one step
 *   prepare (per shape)     in order: infer shapes, fold what is already known, note what only invoke can tell ("late")
 *   place (per shape)       lifetimes -> aliases and in-place -> arena offsets -> pointers
 *   invoke                  run the steps, segment by segment; late steps are prepared again just before they run
 *
 * Where a tensor's bytes live is its home; everything else follows from it. */
#ifndef SAM_RUNTIME_SESSION_H
#define SAM_RUNTIME_SESSION_H

#include <stdatomic.h>

#include "alloc.h"
#include "model.h"
#include "status.h"
#include "common/chain.h"
#include "common/strips.h"
#include "samara/op.h"

struct sam_pool;
struct sam_backend;

typedef enum sam_home {
  SAM_HOME_NONE = 0,   /* not used by any step, not an input or output */
  SAM_HOME_FILE,       /* a constant of the model */
  SAM_HOME_ARENA,      /* at `offset` of the arena */
  SAM_HOME_PERSISTENT, /* own memory: variables, folded values */
  SAM_HOME_DYNAMIC     /* own memory that grows: shape found during invoke */
} sam_home;

typedef struct sam_slot { /* a tensor of the session */
  sam_tensor tensor;
  const sam_file_tensor *source;
  sam_home home;
  void *own;           /* memory of PERSISTENT and DYNAMIC homes */
  size_t capacity;     /* of `own` */
  int64_t offset;      /* in the arena, or -1 */
  int32_t root;        /* slot whose memory this one shares (views, in-place); itself if none */
  int32_t first, last; /* steps between which the bytes must stay; valid for roots, the union over sharers */
  int32_t written;     /* step that writes it last; -1: an input */
  int32_t uses;        /* how many step inputs and graph outputs name it */
  bool is_input, is_output;
  bool tile;           /* lives piece by piece in scratch (chains.c, strips.c) */
  bool changed;        /* shape or known bytes differ from the previous prepare: its readers must be prepared again */
} sam_slot;

typedef struct sam_block_list { /* memory of one step's state */
  struct sam_block_list *next;
} sam_block_list;

typedef struct sam_shape {
  int32_t rank, dims[SAM_MAX_RANK];
} sam_shape;

typedef struct sam_step {
  sam_node node;
  const sam_file_node *source;
  int32_t subgraph;
  int32_t *input_slots, *output_slots, *intermediate_slots; /* -1: absent */
  bool prepared;   /* state and output shapes are valid for the present input shapes */
  bool late;       /* an input's shape, or a value prepare needs, is known only during invoke */
  bool needs_data; /* late because prepare reads values: must be prepared in every invoke */
  bool late_ready; /* prepared during an invoke, for late_shapes */
  sam_shape *late_shapes; /* n_inputs, or NULL */
  bool folded;     /* ran during prepare; its outputs are known */
  bool removed;    /* merged into another step */
  int32_t first_link; /* the step at whose time this one runs, as a link of its chain or strips; or -1 */
  sam_chain chain;    /* of which this step is the first link, if node.chain is set */
  sam_strips strips;  /* the same of node.strips */
  sam_block_list *blocks;
  int64_t scratch_offset; /* in the arena, or -1 */
  void *own_scratch;      /* late steps */
  size_t own_scratch_capacity;
  uint64_t calls, ns;
} sam_step;

typedef struct sam_segment { /* consecutive steps of one back end */
  int32_t begin, end;
} sam_segment;

struct sam_session {
  sam_model *model;
  int32_t subgraph;
  sam_options options;
  sam_slot *slots;
  int32_t n_slots, slot_capacity;
  sam_step *steps;
  int32_t n_steps, step_capacity;
  int32_t inlined; /* composites replaced so far */
  struct sam_block *blocks; /* index arrays of slots and steps */
  void *arena;
  size_t arena_bytes, arena_capacity;
  size_t persistent_bytes, dynamic_bytes, state_bytes;
  struct sam_pool *pool;             /* NULL with one thread */
  const struct sam_backend *backend; /* the one all steps run on */
  void *backend_state;
  bool planned;      /* shapes, state and pointers are valid */
  bool has_late;
  atomic_bool cancel;
};

/* What services see behind sam_ctx: which session, which step, where errors go. */
typedef struct sam_run {
  sam_ctx ctx;
  sam_session *session;
  sam_step *step;
  sam_error *error;
  bool running; /* during invoke */
  bool cut;     /* the operator was cancelled within a loop: its outputs are not complete */
} sam_run;

static inline int32_t sam_session_threads(const sam_session *session) {
  return session->pool ? session->options.threads : 1;
}
/* Whether a step is left to run. */
static inline bool sam_step_runs(const sam_step *step) { return !step->folded && !step->removed; }
/* The same for itself: not as a link behind another step. */
static inline bool sam_step_leads(const sam_step *step) { return sam_step_runs(step) && step->first_link < 0; }
/* The step at whose time step i runs. */
static inline int32_t sam_step_time(const sam_session *session, int32_t i) {
  return session->steps[i].first_link >= 0 ? session->steps[i].first_link : i;
}

/* Readable bytes behind every tensor the session allocates, so that vector loads may pass the end. */
enum { SAM_SLACK = 256 };

enum { SAM_NEED_DATA = 1000 }; /* inner status of sam_need_data */

/* plan.c */
sam_status sam_plan_instantiate(sam_session *session, sam_error *error);
sam_status sam_plan_prepare(sam_session *session, sam_error *error);
/* Prepares one step now, with every input's bytes at hand, and gives its outputs and scratch memory. */
sam_status sam_plan_late(sam_run *run, sam_step *step);
void sam_run_init(sam_run *run, sam_session *session, sam_error *error, bool running);
/* A variable back to its zero point. */
void sam_slot_reset(const sam_slot *slot);
/* Gives a DYNAMIC slot memory for its present bytes; false when there is none. */
bool sam_slot_own(sam_session *session, sam_slot *slot);
void sam_step_release(sam_session *session, sam_step *step);

/* lower.c */
sam_status sam_plan_lower(sam_session *session, sam_error *error);
/* lower.c: sets slot.uses, by the steps that run. */
void sam_count_uses(sam_session *session);

/* tabulate.c: false when memory is lacking. Needs slot.uses. */
bool sam_plan_tabulate(sam_session *session);

/* chains.c: which steps run together. Sets their node.chain, first_link and scratch_bytes. */
void sam_plan_chains(sam_session *session);

/* strips.c: which convolutions run together, after chains are found. Sets their node.strips, first_link, scratch_bytes. */
void sam_plan_strips(sam_session *session);

/* arena.c: block i needs bytes[i] between steps first[i] and last[i]; writes offsets, answers the arena size. */
typedef struct sam_arena_block {
  size_t bytes;
  int32_t first, last;
  int64_t offset;
} sam_arena_block;
sam_status sam_arena_place(sam_arena_block *blocks, int32_t n, size_t *total);

/* packing.c */
/* `path`: of the weight cache, or NULL. */
sam_status sam_pack_cache_create(const sam_model *model, const char *path, struct sam_pack_cache **cache,
                                 sam_error *error);
void sam_pack_cache_free(struct sam_pack_cache *cache);
/* `lasting`: what a later process of this build would pack in the same way. */
const void *sam_pack_cache_get(struct sam_pack_cache *cache, const void *source, uint64_t variant, size_t bytes,
                               bool lasting, sam_pack_fn fill, const void *arg);
/* Writes the weight cache, if there is one and packs were made that it does not have. */
void sam_pack_cache_store(struct sam_pack_cache *cache);
void sam_pack_cache_info(struct sam_pack_cache *cache, sam_weight_cache_info *info);
uint64_t sam_pack_cache_bytes(struct sam_pack_cache *cache);

/* profile.c */
uint64_t sam_step_macs(const sam_step *step);
uint64_t sam_step_bytes(const sam_step *step);
uint64_t sam_now_ns(void);

#endif
