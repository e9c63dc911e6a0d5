/* Samara: moving elements in portable C: the meaning of the kind move. */
#include "ukernels/ukernels.h"

enum { BLOCK_1 = 8, BLOCK_2 = 8, BLOCK_4 = 4, BLOCK_8 = 4 };

#define SQUARE(T, size)                                                         \
  static inline void block_##size(T *d, int64_t row, const T *s, int64_t col) { \
    for (int r = 0; r < BLOCK_##size; r++)                                      \
      for (int c = 0; c < BLOCK_##size; c++) d[r * row + c] = s[c * col + r];   \
  }
SQUARE(u8, 1)
SQUARE(u16, 2)
SQUARE(u32, 4)
SQUARE(u64, 8)

typedef struct {
  u64 part[4];
} SAM_LOOSE(wide);
static inline wide load_wide(const void *p) { return *(const wide *)p; }
static inline void store_wide(void *p, wide v) { *(wide *)p = v; }
static inline wide wide_of_8(uint64_t x) { return (wide){{x, x, x, x}}; }
static inline wide wide_of_4(uint32_t x) { return wide_of_8((uint64_t)x << 32 | x); }
static inline wide wide_of_2(uint16_t x) { return wide_of_4((uint32_t)x << 16 | x); }
static inline wide wide_of_1(u8 x) { return wide_of_2((uint16_t)(x << 8 | x)); }

#include "move.inc"

sam_move_t sam_move__scalar = MOVE_TABLE;
