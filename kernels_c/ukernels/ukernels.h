/* Samara: the microkernels. `sam_uk.<kind>` is the best instance this machine has of each kind of ukernels.def.
 *
 * The table is ready before main; it never changes afterwards, except by sam_isa_force. What was packed for one
 * instance only fits that instance, so an operator copies the pointers it plans with in prepare, and encodes the layout
 * in the `variant` of sam_pack. */
#ifndef SAM_UKERNELS_H
#define SAM_UKERNELS_H

#include <stdbool.h>

#include "common/cpu.h"
#include "ukernels/dwconv.h"
#include "ukernels/arith.h"
#include "ukernels/blockwise.h"
#include "ukernels/gemm.h"
#include "ukernels/loops.h"
#include "ukernels/lstm.h"
#include "ukernels/matvec.h"
#include "ukernels/move.h"
#include "ukernels/reduce.h"
#include "ukernels/spatial.h"
#include "ukernels/winograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* SAM_HAVE_<isa>(code): code where this build contains the files of that level, else nothing. */
#define SAM_HAVE_scalar(...) __VA_ARGS__
#if (defined(__x86_64__) || defined(__i386__)) && !defined(SAM_SCALAR_ONLY)
#define SAM_HAVE_sse41(...) __VA_ARGS__
#define SAM_HAVE_avx2(...) __VA_ARGS__
#define SAM_HAVE_avxvnni(...) __VA_ARGS__
#define SAM_HAVE_avx512(...) __VA_ARGS__
#define SAM_HAVE_avx512vnni(...) __VA_ARGS__
#else
#define SAM_HAVE_sse41(...)
#define SAM_HAVE_avx2(...)
#define SAM_HAVE_avxvnni(...)
#define SAM_HAVE_avx512(...)
#define SAM_HAVE_avx512vnni(...)
#endif
#if (defined(__aarch64__) || (defined(__arm__) && defined(__ARM_NEON))) && !defined(SAM_SCALAR_ONLY)
#define SAM_HAVE_neon(...) __VA_ARGS__
#else
#define SAM_HAVE_neon(...)
#endif
#if defined(__aarch64__) && !defined(SAM_SCALAR_ONLY)
#define SAM_HAVE_neon64(...) __VA_ARGS__
#define SAM_HAVE_neondot(...) __VA_ARGS__
#define SAM_HAVE_neoninorder(...) __VA_ARGS__
#define SAM_HAVE_neoni8mm(...) __VA_ARGS__
#define SAM_HAVE_neonfp16(...) __VA_ARGS__
#else
#define SAM_HAVE_neon64(...)
#define SAM_HAVE_neondot(...)
#define SAM_HAVE_neoninorder(...)
#define SAM_HAVE_neoni8mm(...)
#define SAM_HAVE_neonfp16(...)
#endif
#if defined(__wasm_simd128__) && !defined(SAM_SCALAR_ONLY)
#define SAM_HAVE_wasmsimd(...) __VA_ARGS__
#else
#define SAM_HAVE_wasmsimd(...)
#endif

/* Declarations: sam_s8_gemm__avx2, … */
#define SAM_UK(kind, isa) SAM_HAVE_##isa(extern sam_##kind##_t sam_##kind##__##isa;)
#define SAM_UK_SCALAR(kind) extern sam_##kind##_t sam_##kind##__scalar;
#include "ukernels/ukernels.def"
#undef SAM_UK
#undef SAM_UK_SCALAR

/* The table. */
typedef struct sam_uk_table {
#define SAM_UK(kind, isa)
#define SAM_UK_SCALAR(kind) sam_##kind##_t *kind;
#include "ukernels/ukernels.def"
#undef SAM_UK
#undef SAM_UK_SCALAR
} sam_uk_table;

extern sam_uk_table sam_uk;

/* The i-th row of ukernels.def that is in this build; false past the end. `features`: what it needs. */
typedef struct sam_uk_row {
  const char *kind, *isa;
  uint32_t features;
} sam_uk_row;
bool sam_uk_list(int i, sam_uk_row *row);

/* Fills *table with the best instances within `features`. */
void sam_uk_select(uint32_t features, sam_uk_table *table);

/* The features in use. */
uint32_t sam_isa_features(void);

/* For tests: chooses anew as if the machine had only this level; NULL goes back to what the program started with.
 * False for an unknown name or a level this CPU lacks. Not thread-safe. Sessions prepared before keep their kernels
 * where they planned with them; do not count on it. */
bool sam_isa_force(const char *name);

#ifdef __cplusplus
}
#endif
#endif
