/* Any elementwise computation from one 8-bit tensor to another is a table of 256 bytes. Chains of such operators
 * (LOGISTIC then MUL with its own input; hard-swish spelled out; a requantization behind an activation) become one
 * look-up:
 *
 *      x ──> LOGISTIC ──> MUL ──> y             x ──> TABLE ──> y
 *      └───────────────────┘
 *
 * The table is made by running the operators themselves on the 256 values, so it gives their bytes by construction. */
#include <string.h>

#include "common/unary.h"
#include "samara/options.h"
#include "schema_gen.h"
#include "session.h"

enum { VALUES = 256, MAX_CHAIN = 8, MAX_OPERANDS = 2 };

static sam_status table_prepare(sam_ctx *ctx, sam_node *node) {
  sam_unary_plan *plan;
  SAM_TRY(sam_unary_begin(ctx, node, &plan));
  memcpy(plan->table.bytes, node->options, VALUES);
  sam_unary_use_bytes(plan);
  return SAM_OK;
}
static const sam_op table_op =
    SAM_UNARY_OP("TABLE", 1, table_prepare, [SAM_INT8] = sam_unary_eval, [SAM_UINT8] = sam_unary_eval);

/* Each element of the output depends on the elements of the inputs at its own place, and on nothing else. */
static bool is_elementwise(const sam_step *step) {
  static const int32_t codes[] = {
      SAM_BUILTIN_ADD,         SAM_BUILTIN_SUB,        SAM_BUILTIN_MUL,      SAM_BUILTIN_MAXIMUM,
      SAM_BUILTIN_MINIMUM,     SAM_BUILTIN_LOGISTIC,   SAM_BUILTIN_TANH,     SAM_BUILTIN_HARD_SWISH,
      SAM_BUILTIN_RELU,        SAM_BUILTIN_RELU6,      SAM_BUILTIN_RELU_N1_TO_1, SAM_BUILTIN_RELU_0_TO_1,
      SAM_BUILTIN_ELU,         SAM_BUILTIN_GELU,       SAM_BUILTIN_LEAKY_RELU,   SAM_BUILTIN_ABS,
      SAM_BUILTIN_EXP,         SAM_BUILTIN_LOG,        SAM_BUILTIN_SQRT,     SAM_BUILTIN_RSQRT,
      SAM_BUILTIN_QUANTIZE,    SAM_BUILTIN_SQUARED_DIFFERENCE};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (step->source->code == codes[i]) return !step->source->custom;
  return false;
}

static bool is_byte(sam_type type) { return type == SAM_INT8 || type == SAM_UINT8; }
/* A constant that every element meets alike, and that does not add dimensions to the result. */
static bool is_scalar_constant(const sam_slot *slot) {
  return slot->home == SAM_HOME_FILE && slot->tensor.rank <= 1 && sam_elements(&slot->tensor) == 1;
}

/* ---- Running a chain on all values -------------------------------------------------------------------------------- */

typedef struct probe {
  sam_ctx ctx; /* first: services get a pointer to it */
  struct sam_block *blocks;
  size_t scratch;
} probe;

static probe *probe_of(struct sam_ctx *ctx) { return (probe *)(void *)ctx; }
/* What a chain reports is nobody's error: it is just not merged, and says the same again when it is prepared. */
static sam_status probe_fail(struct sam_ctx *ctx, sam_status status, const char *format, ...) {
  (void)ctx;
  (void)format;
  return status;
}
static sam_status probe_set_shape(struct sam_ctx *ctx, sam_tensor *t, int32_t rank, const int32_t *dims) {
  (void)ctx;
  (void)t;
  return rank == 1 && dims[0] == VALUES ? SAM_OK : SAM_UNSUPPORTED;
}
static sam_status probe_need_data(struct sam_ctx *ctx, int32_t input) {
  (void)ctx;
  (void)input;
  return SAM_UNSUPPORTED;
}
static void *probe_alloc(struct sam_ctx *ctx, size_t bytes) {
  char *memory = bytes < 1 << 20 ? sam_block_alloc(&probe_of(ctx)->blocks, bytes + 64) : NULL;
  return memory ? memory + (64 - ((uintptr_t)memory & 63)) % 64 : NULL;
}
static sam_status probe_scratch(struct sam_ctx *ctx, size_t bytes) {
  probe_of(ctx)->scratch = bytes;
  return SAM_OK;
}
static const void *probe_pack(struct sam_ctx *ctx, const sam_tensor *source, uint64_t variant, size_t bytes,
                              sam_pack_fn fill, const void *arg) {
  (void)source;
  (void)variant;
  void *data = probe_alloc(ctx, bytes);
  if (data) fill(data, arg);
  return data;
}
static void probe_parallel(struct sam_ctx *ctx, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  (void)ctx;
  (void)cost;
  task(arg, 0, n, 0);
}
static sam_status probe_resize_string(struct sam_ctx *ctx, sam_tensor *t, size_t bytes) {
  (void)ctx;
  (void)t;
  (void)bytes;
  return SAM_UNSUPPORTED;
}
static const sam_services probe_services = {probe_fail,    probe_set_shape, probe_need_data, probe_alloc,
                                            probe_scratch, probe_pack,      probe_parallel,  probe_resize_string};

typedef struct chain {
  int32_t root, steps[MAX_CHAIN], n; /* steps in running order; the last one's output is the chain's */
} chain;

/* A tensor of the chain while it is probed: `values` of the 256 elements, at most 2 bytes each. */
typedef struct probed {
  int32_t slot;
  sam_tensor tensor;
  uint16_t values[VALUES + 64];
} probed;

static sam_tensor *probed_tensor(probed *tensors, int32_t n, int32_t slot) {
  for (int32_t i = 0; i < n; i++)
    if (tensors[i].slot == slot) return &tensors[i].tensor;
  return NULL;
}

static sam_status probe_step(probe *p, sam_session *session, const sam_step *step, probed *tensors, int32_t n) {
  sam_tensor *inputs[MAX_OPERANDS], *output = probed_tensor(tensors, n, step->output_slots[0]);
  for (int32_t k = 0; k < step->node.n_inputs; k++) {
    inputs[k] = probed_tensor(tensors, n, step->input_slots[k]);
    if (!inputs[k]) inputs[k] = &session->slots[step->input_slots[k]].tensor; /* a constant */
  }
  sam_node node = step->node;
  node.inputs = inputs;
  node.outputs = &output;
  const sam_tensor *key = node.op->key < node.n_inputs ? inputs[node.op->key] : inputs[0];
  node.eval = node.op->eval[key->type];
  if (!node.eval) return SAM_UNSUPPORTED;
  p->ctx.node = &node;
  p->scratch = 0;
  SAM_TRY(node.op->prepare(&p->ctx, &node));
  node.scratch = probe_alloc(&p->ctx, p->scratch);
  node.scratch_bytes = p->scratch;
  return node.scratch ? node.eval(&p->ctx, &node) : SAM_OUT_OF_MEMORY;
}

/* The bytes the chain gives for the root's bytes 0 to 255; false if an operator refuses. */
static bool probe_chain(sam_session *session, const chain *c, uint8_t *table) {
  probe p = {.ctx = {.services = &probe_services, .threads = 1}};
  probed *tensors = sam_calloc((size_t)c->n + 1, sizeof *tensors);
  bool ok = tensors != NULL;
  for (int32_t i = 0; i <= c->n && ok; i++) {
    int32_t slot = i == 0 ? c->root : session->steps[c->steps[i - 1]].output_slots[0];
    tensors[i].slot = slot;
    tensors[i].tensor = session->slots[slot].tensor;
    tensors[i].tensor.rank = 1;
    tensors[i].tensor.dims[0] = VALUES;
    tensors[i].tensor.bytes = VALUES * (size_t)sam_type_bits(tensors[i].tensor.type) / 8;
    tensors[i].tensor.data = tensors[i].values;
    tensors[i].tensor.flags = 0;
  }
  for (int32_t v = 0; v < VALUES && ok; v++) ((uint8_t *)tensors[0].values)[v] = (uint8_t)v;
  for (int32_t i = 0; i < c->n && ok; i++)
    ok = probe_step(&p, session, &session->steps[c->steps[i]], tensors, c->n + 1) == SAM_OK;
  if (ok) memcpy(table, tensors[c->n].values, VALUES);
  sam_blocks_free(p.blocks);
  sam_free(tensors);
  return ok;
}

/* ---- Finding chains ----------------------------------------------------------------------------------------------- */

/* The one tensor that all values of this step's inputs come from; -1 if there is none, or it is no byte tensor. */
static int32_t root_of_inputs(const sam_session *session, const sam_step *step, const int32_t *roots) {
  int32_t root = -1;
  if (step->node.n_inputs > MAX_OPERANDS || step->node.n_outputs != 1) return -1;
  for (int32_t k = 0; k < step->node.n_inputs; k++) {
    int32_t slot = step->input_slots[k];
    if (slot < 0) return -1;
    if (is_scalar_constant(&session->slots[slot])) continue;
    int32_t from = roots[slot] >= 0 ? roots[slot] : slot;
    if (root >= 0 && from != root) return -1;
    root = from;
  }
  if (root < 0) return -1;
  const sam_slot *slot = &session->slots[root];
  return is_byte(slot->tensor.type) && slot->home != SAM_HOME_FILE && slot->tensor.rank > 0 ? root : -1;
}

/* Adds the step that writes `slot`, after those it needs. False when the chain grows too long. */
static bool collect(const sam_session *session, const int32_t *writers, int32_t slot, int32_t depth, chain *c) {
  if (slot == c->root || session->slots[slot].home == SAM_HOME_FILE) return true;
  if (depth == MAX_CHAIN) return false;
  int32_t writer = writers[slot];
  for (int32_t i = 0; i < c->n; i++)
    if (c->steps[i] == writer) return true;
  const sam_step *step = &session->steps[writer];
  for (int32_t k = 0; k < step->node.n_inputs; k++)
    if (!collect(session, writers, step->input_slots[k], depth + 1, c)) return false;
  if (c->n == MAX_CHAIN) return false;
  c->steps[c->n++] = writer;
  return true;
}

/* Every inner tensor is read by the chain alone. */
static bool is_closed(const sam_session *session, const chain *c) {
  for (int32_t i = 0; i + 1 < c->n; i++) {
    int32_t slot = session->steps[c->steps[i]].output_slots[0], inside = 0;
    for (int32_t j = 0; j < c->n; j++)
      for (int32_t k = 0; k < session->steps[c->steps[j]].node.n_inputs; k++)
        inside += session->steps[c->steps[j]].input_slots[k] == slot;
    if (inside != session->slots[slot].uses) return false;
  }
  return true;
}

static bool replace(sam_session *session, const chain *c) {
  uint8_t *table = sam_block_alloc(&session->blocks, VALUES);
  int32_t *slots = sam_block_alloc(&session->blocks, sizeof *slots);
  sam_tensor **inputs = sam_block_alloc(&session->blocks, sizeof *inputs);
  if (!table || !slots || !inputs) return false;
  if (!probe_chain(session, c, table)) return true;
  for (int32_t i = 0; i + 1 < c->n; i++) session->steps[c->steps[i]].removed = true;
  sam_step *last = &session->steps[c->steps[c->n - 1]];
  slots[0] = c->root;
  inputs[0] = &session->slots[c->root].tensor;
  last->input_slots = slots;
  last->node.inputs = inputs;
  last->node.n_inputs = 1;
  last->node.op = &table_op;
  last->node.options = table;
  return true;
}

/* roots[s]: the byte tensor that slot s is computed from, element by element, or -1. */
static bool tabulate(sam_session *session, int32_t *roots, int32_t *writers) {
  for (int32_t i = 0; i < session->n_slots; i++) roots[i] = writers[i] = -1;
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (step->removed || !is_elementwise(step)) continue;
    int32_t root = root_of_inputs(session, step, roots);
    if (root < 0) continue;
    const sam_slot *out = &session->slots[step->output_slots[0]];
    if (!is_byte(out->tensor.type) && out->tensor.type != SAM_INT16) continue;
    roots[step->output_slots[0]] = root;
    writers[step->output_slots[0]] = i;
  }
  for (int32_t i = session->n_steps - 1; i >= 0; i--) { /* the longest chain first */
    const sam_step *step = &session->steps[i];
    int32_t out = step->node.n_outputs == 1 ? step->output_slots[0] : -1;
    if (step->removed || out < 0 || writers[out] != i || !is_byte(session->slots[out].tensor.type)) continue;
    chain c = {.root = roots[out]};
    if (collect(session, writers, out, 0, &c) && c.n > 1 && is_closed(session, &c) && !replace(session, &c)) return false;
  }
  return true;
}

bool sam_plan_tabulate(sam_session *session) {
  size_t n = (size_t)session->n_slots;
  int32_t *roots = sam_malloc((n + 1) * 2 * sizeof *roots);
  bool ok = roots && tabulate(session, roots, roots + n);
  sam_free(roots);
  return ok;
}
