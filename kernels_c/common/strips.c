#include "strips.h"

#include "pieces.h"

typedef struct strips_work {
  const sam_strips *strips;
  int64_t pieces, per_image; /* runs of strips that one thread makes, of an image; strips of an image */
} strips_work;

typedef struct row_range {
  int64_t begin, end; /* of an image */
} row_range;

static void run_link(const sam_strip_link *link, const sam_rows *rows) {
  const sam_node *node = link->node;
  if (node->rows)
    node->rows(node, rows);
  else
    node->piece(node, &rows->input, rows->output, rows->begin * link->elements, rows->end * link->elements);
}

/* Up to where rows follow each other in a ring from row y on; `end` if it is no ring. */
static int64_t ring_end(int64_t ring, int64_t y, int64_t end) {
  const int64_t wraps = ring ? y - y % ring + ring : end;
  return wraps < end ? wraps : end;
}

/* Rows `wanted` of an image of the last result. `kept`: which rows of it lie in the rings, unless `anew`. */
static void run_strip(const sam_strips *s, int64_t image, row_range wanted, int thread, bool anew, row_range *kept) {
  char *buffer = (char *)s->links[0].node->scratch + s->scratch + s->buffer_bytes * (size_t)thread;
  row_range needed[SAM_STRIP_LINKS];
  for (int32_t i = s->n - 1; i >= 0; i--) {
    needed[i] = wanted;
    if (i > 0 && s->links[i].node->rows)
      sam_rows_needed(&s->links[i].node->row_window, s->links[i - 1].height, &wanted.begin, &wanted.end);
  }
  const void *input = s->links[0].node->inputs[0]->data;
  int64_t ring = 0;
  for (int32_t i = 0; i < s->n; i++) {
    const sam_strip_link *link = &s->links[i];
    const int64_t above = image * link->height, end = needed[i].end;
    void *output = link->ring ? buffer + link->at : link->node->outputs[0]->data;
    int64_t y = !anew && kept[i].end > needed[i].begin ? kept[i].end : needed[i].begin;
    kept[i] = needed[i];
    for (int64_t next; y < end; y = next) {
      next = ring_end(link->ring, y, end);
      sam_rows rows = {.input = input, .ring = ring, .output = output, .thread = thread, .anew = anew};
      if (link->ring) rows.output = sam_origin(output, above + y - y % link->ring, link->row_bytes);
      if (ring && !link->wide) {
        next = ring_end(ring, y, next);
        rows.input = sam_origin(input, above + y - y % ring, link[-1].row_bytes);
        rows.ring = 0;
      }
      rows.begin = above + y, rows.end = above + next;
      run_link(link, &rows);
    }
    input = output;
    ring = link->ring;
  }
}

static void run_pieces(void *arg, int64_t begin, int64_t end, int thread) {
  const strips_work *w = arg;
  const sam_strips *s = w->strips;
  const int64_t height = s->links[s->n - 1].height;
  row_range kept[SAM_STRIP_LINKS] = {{0, 0}};
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / w->pieces, piece = i % w->pieces;
    const int64_t first = piece * w->per_image / w->pieces, last = (piece + 1) * w->per_image / w->pieces;
    for (int64_t strip = first; strip < last; strip++) {
      const int64_t y = strip * s->rows, to = y + s->rows;
      const bool anew = strip == first && (i == begin || piece == 0);
      run_strip(s, image, (row_range){y, to < height ? to : height}, thread, anew, kept);
    }
  }
}

sam_status sam_strips_eval(sam_ctx *ctx, sam_node *node) {
  const sam_strips *s = node->strips;
  strips_work w = {.strips = s, .per_image = (s->links[s->n - 1].height + s->rows - 1) / s->rows};
  /* A piece computes the rows above it that its first strip shares with another piece. */
  w.pieces = sam_threads(ctx) < w.per_image ? sam_threads(ctx) : w.per_image;
  sam_parallel(ctx, s->images * w.pieces, s->cost * w.per_image / w.pieces, run_pieces, &w);
  return SAM_OK;
}
