/* Samara: a square of N elements a side turned by interleaving its rows with those half a square away, as often as a
 * side has bits. V is a row; LOW and HIGH interleave the lower, upper halves of two; STORE(to, below, row) has the
 * place of the same row in a square below. */
#ifndef SAM_UKERNELS_MOVE_SQUARE_H
#define SAM_UKERNELS_MOVE_SQUARE_H

#include "ukernels/unroll.h"

#define SAM_SQUARE(name, T, V, LOW, HIGH, N, BITS, LOAD, STORE)         \
  static inline void name(T *d, int64_t row, const T *s, int64_t col) { \
    V a[N], b[N];                                                       \
    for (int i = 0; i < N; i++) a[i] = LOAD(s + i * col);               \
    SAM_UNROLL for (int stage = 0; stage < BITS; stage++) {             \
      SAM_UNROLL for (int i = 0; i < N / 2; i++) {                      \
        b[2 * i] = LOW(a[i], a[i + N / 2]);                             \
        b[2 * i + 1] = HIGH(a[i], a[i + N / 2]);                        \
      }                                                                 \
      SAM_UNROLL for (int i = 0; i < N; i++) a[i] = b[i];               \
    }                                                                   \
    for (int i = 0; i < N; i++) STORE(d + i * row, N * row, a[i]);      \
  }

#endif
