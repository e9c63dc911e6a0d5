/* Samara: elementwise operators that run one after the other on a tile that stays in the first cache. A reduction of
 * rows may be the last one; tiles are then whole rows.
 *
 *      x ──> MUL ──> ADD ──> TANH ──> MUL ──> y        instead of four passes over whole tensors
 *                     └────────────────┘
 *
 * Only the last result goes to a tensor: those between stay in a tile. The operators and their kernels are those that
 * would have run alone, on the same elements, so the bytes are the same. runtime/chains.c finds chains. */
#ifndef SAM_COMMON_CHAIN_H
#define SAM_COMMON_CHAIN_H

#include "samara/op.h"

enum { SAM_CHAIN_LINKS = 8, SAM_CHAIN_INPUTS = 2, SAM_CHAIN_TILE = 4096 /* bytes of a tile of the widest element */,
       SAM_CHAIN_ROW = 32768 /* where one row is more: of the longest */ };

typedef struct sam_chain_link {
  const sam_node *node;
  int8_t from[SAM_CHAIN_INPUTS]; /* where each input comes from: -1 the tensor itself, else the result of that link */
  int8_t size;                   /* bytes of a result's element; 0 for the last link, which writes its tensor */
} sam_chain_link;

typedef struct sam_chain {
  int32_t n;
  int32_t tile; /* elements */
  int64_t cost; /* cycles of a tile */
  sam_chain_link links[SAM_CHAIN_LINKS];
} sam_chain;

/* Bytes of the tile of one thread, where a link that is not the last keeps its results (node->scratch, by thread). */
static inline size_t sam_chain_tile_bytes(const sam_chain *chain, int32_t link) {
  return ((size_t)chain->tile * (size_t)chain->links[link].size + 63) / 64 * 64;
}

/* The eval of the first node of node->chain. */
sam_status sam_chain_eval(sam_ctx *ctx, sam_node *node);

#endif
