/* Samara: loops over a tile's registers are unrolled whole, in functions that exist for each shape of tile. */
#ifndef SAM_UKERNELS_UNROLL_H
#define SAM_UKERNELS_UNROLL_H

#if defined(__clang__)
#define SAM_UNROLL _Pragma("unroll")
#else
#define SAM_UNROLL _Pragma("GCC unroll 24")
#endif
#define SAM_INLINE static inline __attribute__((always_inline))

#endif
