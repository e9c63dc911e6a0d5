#include "chain.h"

#include "pieces.h"

static void run_tile(const sam_chain *chain, int64_t at, int64_t to, int thread) {
  void *results[SAM_CHAIN_LINKS];
  for (int32_t i = 0; i < chain->n; i++) {
    const sam_chain_link *link = &chain->links[i];
    const sam_node *node = link->node;
    const void *inputs[SAM_CHAIN_INPUTS];
    for (int32_t k = 0; k < node->n_inputs; k++)
      inputs[k] = link->from[k] < 0 ? node->inputs[k]->data : results[link->from[k]];
    results[i] = node->outputs[0]->data;
    if (link->size)
      results[i] = sam_origin((char *)node->scratch + sam_chain_tile_bytes(chain, i) * (size_t)thread, at, (size_t)link->size);
    node->piece(node, inputs, results[i], at, to);
  }
}

typedef struct chain_work {
  const sam_chain *chain;
  int64_t count;
} chain_work;

static void run_tiles(void *arg, int64_t begin, int64_t end, int thread) {
  const chain_work *w = arg;
  for (int64_t i = begin; i < end; i++) {
    const int64_t to = (i + 1) * w->chain->tile;
    run_tile(w->chain, i * w->chain->tile, to < w->count ? to : w->count, thread);
  }
}

sam_status sam_chain_eval(sam_ctx *ctx, sam_node *node) {
  chain_work w = {node->chain, sam_elements(node->chain->links[0].node->outputs[0])};
  sam_parallel(ctx, (w.count + w.chain->tile - 1) / w.chain->tile, w.chain->cost, run_tiles, &w);
  return SAM_OK;
}
