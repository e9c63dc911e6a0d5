/* Strips: convolutions that run one after the other on some rows of an image (common/strips.h). Found when all shapes
 * are known, before memory is given out.
 *
 *   links        a pointwise convolution, a depthwise one, a pointwise one; behind each of the first two an operator of
 *                one element to one
 *   each link    alone reads what the one before it wrote: those results never become tensors
 *   worth it     where they would not stay in the second cache, where they need more memory than the ends of the strips
 *                and the rows between links do, and where the weights, which every strip reads anew, stay near
 *
 * All run at the time of the first one. */
#include "session.h"

enum {
  REACH = 4,          /* how many steps behind its predecessor a link may be */
  CACHED = 256 << 10, /* bytes of results that the second cache holds, beside what else is there */
  NEAR = 64 << 10,    /* and of weights */
  FEWEST = 112,       /* pixels of a strip that are worth reading the weights */
  ENOUGH = 128 << 10, /* bytes between the links beyond which strips do not grow */
};

typedef enum kind { OTHER, POINTWISE, WIDE, ELEMENTWISE } kind;

static bool is_pointwise(const sam_node *node) { return node->row_window.reach == 1 && node->row_window.stride == 1; }

static kind kind_of(const sam_step *step) {
  const sam_node *node = &step->node;
  if (!sam_step_leads(step) || step->late || node->chain || node->n_outputs != 1) return OTHER;
  if (node->outputs[0]->bytes == 0) return OTHER;
  if (node->rows) return is_pointwise(node) ? POINTWISE : WIDE;
  const bool one = node->piece && !node->piece_run && node->n_inputs == 1;
  return one && node->inputs[0]->bytes == node->outputs[0]->bytes ? ELEMENTWISE : OTHER;
}

/* Adds the only reader of what the last link writes, if it is of this kind. */
static bool follow(const sam_session *session, kind wanted, int32_t *steps, int32_t *n) {
  const int32_t last = steps[*n - 1], slot = session->steps[last].output_slots[0];
  const sam_slot *s = &session->slots[slot];
  if (s->uses != 1 || s->tensor.flags & (SAM_TENSOR_VARIABLE | SAM_TENSOR_DYNAMIC)) return false;
  for (int32_t i = last + 1; i < session->n_steps && i <= last + REACH; i++) {
    const sam_step *step = &session->steps[i];
    if (step->node.n_inputs == 0 || step->input_slots[0] != slot || kind_of(step) != wanted) continue;
    steps[(*n)++] = i;
    return true;
  }
  return false;
}

/* Lays out what is between the links for strips of `rows`; its bytes. */
static size_t lay_out(sam_strips *s, int64_t rows) {
  size_t at = 0;
  for (int32_t i = s->n - 1; i > 0; i--) {
    const sam_strip_link *link = &s->links[i];
    sam_strip_link *before = &s->links[i - 1];
    if (link->wide) {
      const sam_row_window *w = &link->node->row_window;
      rows = (rows - 1) * w->stride + w->reach;
      if (rows > before->height) rows = before->height;
    }
    before->ring = rows;
    before->at = at;
    if (!link->node->rows && link->ring)
      before->at = link->at; /* in place */
    else
      at += ((size_t)rows * before->row_bytes + SAM_SLACK + 63) / 64 * 64;
  }
  return at;
}

static void set_link(sam_strip_link *link, const sam_node *node) {
  const sam_tensor *out = node->outputs[0];
  const int64_t rows = out->dims[0] * (int64_t)out->dims[1];
  *link = (sam_strip_link){.node = node,
                           .height = out->dims[1],
                           .row_bytes = out->bytes / (size_t)rows,
                           .elements = sam_elements(out) / rows,
                           .wide = node->rows && !is_pointwise(node)};
}

/* Plans the strips of these links; false if they are not worth it. */
static bool plan(const sam_session *session, const int32_t *steps, sam_strips *s) {
  size_t alone = 0, between = 0, weights = 0;
  int64_t step = 1;
  for (int32_t i = 0; i < s->n; i++) {
    const sam_node *node = &session->steps[steps[i]].node;
    const size_t in = node->inputs[0]->bytes, out = node->outputs[0]->bytes;
    set_link(&s->links[i], node);
    if (i + 1 < s->n) between += out;
    if (!node->rows) continue;
    if (alone < in + out) alone = in + out;
    if (step < node->row_window.step) step = node->row_window.step;
    if (weights < node->inputs[1]->bytes) weights = node->inputs[1]->bytes;
  }
  const sam_tensor *in = s->links[0].node->inputs[0], *out = s->links[s->n - 1].node->outputs[0];
  const int64_t height = out->dims[1], fewest = (FEWEST + out->dims[2] - 1) / out->dims[2];
  s->images = out->dims[0];
  if (between < CACHED * (size_t)s->images || weights > NEAR) return false;
  s->rows = (fewest + step - 1) / step * step;
  while (s->rows < height && lay_out(s, s->rows + step) <= ENOUGH) s->rows += step;
  s->buffer_bytes = lay_out(s, s->rows);
  for (int32_t i = 0; i < s->n; i++) {
    const sam_strip_link *link = &s->links[i];
    const int64_t row = link->node->rows ? link->node->row_window.cost : link->node->piece_cost * link->elements / 4;
    s->cost += row * s->rows * link->height / height;
  }
  return s->rows < height && s->buffer_bytes <= CACHED &&
         in->bytes + out->bytes + s->buffer_bytes * (size_t)sam_session_threads(session) < alone;
}

static void link_up(sam_session *session, const int32_t *steps, const sam_strips *s) {
  sam_step *first = &session->steps[steps[0]];
  first->strips = *s;
  first->strips.scratch = (first->node.scratch_bytes + 63) / 64 * 64;
  first->node.scratch_bytes = first->strips.scratch + s->buffer_bytes * (size_t)sam_session_threads(session);
  first->node.strips = &first->strips;
  for (int32_t i = 1; i < s->n; i++) {
    session->steps[steps[i]].first_link = steps[0];
    session->slots[session->steps[steps[i - 1]].output_slots[0]].tile = true;
  }
}

void sam_plan_strips(sam_session *session) {
  for (int32_t i = 0; i < session->n_steps; i++) {
    sam_step *step = &session->steps[i];
    if (step->node.strips) step->node.scratch_bytes = step->strips.scratch;
    step->node.strips = NULL;
  }
  if (session->options.no_fusion || session->options.keep_all) return;
  for (int32_t i = 0; i < session->n_steps; i++) {
    int32_t steps[SAM_STRIP_LINKS] = {i};
    sam_strips s = {.n = 1};
    const kind first = kind_of(&session->steps[i]);
    if (first != POINTWISE && first != WIDE) continue;
    if (first == POINTWISE) {
      follow(session, ELEMENTWISE, steps, &s.n);
      if (!follow(session, WIDE, steps, &s.n)) continue;
    }
    follow(session, ELEMENTWISE, steps, &s.n);
    follow(session, POINTWISE, steps, &s.n);
    if (s.n > 1 && plan(session, steps, &s)) link_up(session, steps, &s);
  }
}
