/* Samara: how finely to cut work for sam_parallel, and where a piece of a tensor lies in it. */
#ifndef SAM_COMMON_PIECES_H
#define SAM_COMMON_PIECES_H

#include <stddef.h>
#include <stdint.h>

/* One thread more must find so many cycles of work; a piece is worth so many where there is enough for all. */
enum { SAM_CYCLES_PER_THREAD = 5000, SAM_CYCLES_PER_PIECE = 20000 };

/* Into how many pieces to cut work of so many cycles: 1 where sharing it costs more than it saves; one for each thread
 * where pieces are small; else two to four for each, so that one that comes late does not hold up the others. */
static inline int64_t sam_pieces(int32_t threads, int64_t cycles) {
  const int64_t worth = cycles / SAM_CYCLES_PER_THREAD, used = worth < threads ? worth : threads;
  if (used < 2) return 1;
  const int64_t pieces = cycles / SAM_CYCLES_PER_PIECE;
  return pieces < 2 * used ? 2 * used : pieces > 4 * used ? 4 * used : pieces;
}
/* Where element (or row) 0 of `size` bytes would lie, if element `at` lies at `piece`. Only ever used from there on. */
static inline void *sam_origin(const void *piece, int64_t at, size_t size) {
  return (void *)((uintptr_t)piece - (uintptr_t)at * size);
}

#endif
