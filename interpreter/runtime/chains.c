/* Chains: elementwise steps that run together, tile by tile (common/chain.h). Found when all shapes are known, before
 * memory is given out.
 *
 *   a step follows    when it reads what a link before it wrote, element by element, and all else that it reads was
 *                     written before the first link runs
 *   a reduction      follows as the last link, when it makes each result of a row that fits a tile
 *   a chain is closed when nobody else reads what is between: those results never become tensors
 *
 * The links run at the time of the first one: lifetimes are counted so (sam_step_time). */
#include "session.h"

/* How many steps behind the first a link may be. */
enum { REACH = 32 };

typedef struct candidate {
  int32_t n, closed;                                       /* links; how many of them the longest closed chain has */
  int32_t steps[SAM_CHAIN_LINKS], values[SAM_CHAIN_LINKS]; /* and the slots they write */
  int64_t elements;
} candidate;

/* Forgets earlier chains, and notes who writes and who reads each slot. */
static void begin(sam_session *session) {
  for (int32_t i = 0; i < session->n_slots; i++) {
    session->slots[i].written = -1;
    session->slots[i].tile = false;
  }
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step *step = &session->steps[i];
    step->first_link = -1;
    step->node.chain = NULL;
    if (step->node.piece) step->node.scratch_bytes = 0;
    for (int32_t k = 0; k < step->node.n_outputs && sam_step_runs(step); k++)
      session->slots[step->output_slots[k]].written = i;
  }
  sam_count_uses(session);
}

static bool can_link(const sam_session *session, const sam_step *step) {
  if (!sam_step_leads(step) || step->late) return false;
  if (!step->node.piece || step->node.n_outputs != 1 || step->node.n_inputs > SAM_CHAIN_INPUTS) return false;
  for (int32_t k = 0; k < step->node.n_inputs; k++)
    if (step->input_slots[k] < 0) return false;
  const sam_tensor *t = &session->slots[step->output_slots[0]].tensor;
  return !(t->flags & (SAM_TENSOR_VARIABLE | SAM_TENSOR_DYNAMIC)) && sam_type_bits(t->type) >= 8;
}

/* Which link writes a slot; -1 if none. */
static int32_t link_of(const candidate *c, int32_t slot) {
  for (int32_t i = 0; i < c->n; i++)
    if (c->values[i] == slot) return i;
  return -1;
}

static bool is_there_before(const sam_session *session, int32_t slot, int32_t first) {
  const sam_slot *s = &session->slots[slot];
  if (s->tensor.flags & (SAM_TENSOR_VARIABLE | SAM_TENSOR_DYNAMIC)) return false;
  return s->written < 0 || sam_step_time(session, s->written) < first;
}

static bool follows(const sam_session *session, const candidate *c, const sam_step *step) {
  if (!can_link(session, step)) return false;
  const int64_t run = step->node.piece_run;
  if (run == 0 && sam_elements(step->node.outputs[0]) != c->elements) return false;
  if (run > 0 && (sam_elements(step->node.inputs[0]) != c->elements || link_of(c, step->input_slots[0]) < 0 ||
                  run * sam_type_bits(step->node.inputs[0]->type) / 8 > SAM_CHAIN_ROW))
    return false;
  bool reads = false;
  for (int32_t k = 0; k < step->node.n_inputs; k++) {
    const bool inner = link_of(c, step->input_slots[k]) >= 0;
    if (!inner && !is_there_before(session, step->input_slots[k], c->steps[0])) return false;
    reads |= inner;
  }
  return reads;
}

static void add(candidate *c, const sam_session *session, int32_t step) {
  c->steps[c->n] = step;
  c->values[c->n++] = session->steps[step].output_slots[0];
}

/* Nobody but the links reads any result but the last. */
static bool is_closed(const sam_session *session, const candidate *c) {
  for (int32_t v = 0; v + 1 < c->n; v++) {
    int32_t inside = 0;
    for (int32_t i = v + 1; i < c->n; i++) {
      const sam_step *step = &session->steps[c->steps[i]];
      for (int32_t k = 0; k < step->node.n_inputs; k++) inside += step->input_slots[k] == c->values[v];
    }
    if (inside != session->slots[c->values[v]].uses) return false;
  }
  return true;
}

static void link_up(sam_session *session, candidate *c, int32_t threads) {
  c->n = c->closed;
  sam_step *first = &session->steps[c->steps[0]];
  sam_chain *chain = &first->chain;
  *chain = (sam_chain){.n = c->n, .tile = SAM_CHAIN_TILE};
  for (int32_t i = 0; i < c->n; i++) {
    sam_step *step = &session->steps[c->steps[i]];
    sam_chain_link *link = &chain->links[i];
    const int32_t bytes = sam_type_bits(step->node.outputs[0]->type) / 8;
    link->node = &step->node;
    for (int32_t k = 0; k < step->node.n_inputs; k++) link->from[k] = (int8_t)link_of(c, step->input_slots[k]);
    link->size = (int8_t)(i + 1 < c->n ? bytes : 0);
    if (chain->tile > SAM_CHAIN_TILE / bytes) chain->tile = SAM_CHAIN_TILE / bytes;
    chain->cost += step->node.piece_cost;
    if (step != first) step->first_link = c->steps[0];
    session->slots[step->output_slots[0]].tile = link->size > 0;
  }
  const int32_t run = (int32_t)chain->links[c->n - 1].node->piece_run;
  if (run) chain->tile = run < chain->tile ? chain->tile / run * run : run;
  chain->cost = chain->cost * chain->tile / 4;
  for (int32_t i = 0; i + 1 < c->n; i++)
    session->steps[c->steps[i]].node.scratch_bytes = sam_chain_tile_bytes(chain, i) * (size_t)threads;
  first->node.chain = chain;
}

void sam_plan_chains(sam_session *session) {
  begin(session);
  if (session->options.no_fusion || session->options.keep_all) return;
  const int32_t threads = sam_session_threads(session);
  for (int32_t i = 0; i < session->n_steps; i++) {
    const sam_step *step = &session->steps[i];
    if (!can_link(session, step) || step->node.piece_run) continue;
    candidate c = {.elements = sam_elements(step->node.outputs[0])};
    add(&c, session, i);
    const int32_t end = session->n_steps - i > REACH ? i + REACH : session->n_steps;
    for (int32_t j = i + 1; j < end && c.n < SAM_CHAIN_LINKS; j++) {
      if (!follows(session, &c, &session->steps[j])) continue;
      add(&c, session, j);
      if (is_closed(session, &c)) c.closed = c.n;
      if (!session->steps[j].node.piece_run) continue;
      if (c.closed == c.n) break;
      c.n--;
    }
    if (c.closed && c.elements) link_up(session, &c, threads);
  }
}
