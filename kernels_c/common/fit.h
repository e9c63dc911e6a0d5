/* Samara: weights for kernels that add four products of bytes in 16 bits (sam_s8_gemm.fitted: x86 without VNNI, where
 * vpmaddubsw makes 32 products an instruction and saturates).
 *
 * The left side is unsigned, at most 255. A sum of four products fits 16 bits if the positive ones among its four
 * weights add up to at most 128, and the negative ones to at least -128. What the weights have beyond that is taken off
 * and becomes a "fix": more weights for 8 columns and the same 4 elements of k, whose products are added apart. So the
 * result is exact for all weights, even for those of nine bits that uint8 less its zero point has; what matters is that
 * fixes are rare. They are in trained networks with one scale a tensor (one for 500 weights), and too frequent to
 * pay where every channel has the full range and random weights (one for 64). */
#ifndef SAM_COMMON_FIT_H
#define SAM_COMMON_FIT_H

#include "common/matmul.h"

/* Takes the kernel for fitted weights if mm->plain, the weights are known and it wins. `k`: of a column. How many fixes
 * there would be is asked once per model, and kept as a pack of its own. */
sam_status sam_fit_choose(sam_ctx *ctx, sam_matmul *mm, int64_t k);
/* The packed weights may come from a file: whether no fix reaches beyond the left side. */
sam_status sam_fit_check(sam_ctx *ctx, const sam_matmul *mm);
/* Fills the arguments of the fitted kernel, which starts at this column. */
void sam_fit_bind(const sam_matmul *mm, int32_t column, sam_s8_gemm_args *args);

#endif
