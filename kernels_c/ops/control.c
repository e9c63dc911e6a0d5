/* Operators that stand for subgraphs. */
#include "ops.h"
#include "samara/options.h"

/* The plan replaces a composite by its decomposition before anything is prepared, so these are never reached. */
static sam_status composite_never(sam_ctx *ctx, sam_node *node) {
  (void)node;
  return sam_fail(ctx, SAM_INTERNAL, "a composite was not replaced by its decomposition");
}

#define ANY(type) [type] = composite_never
const sam_op sam_op_stablehlo_composite = {
    .name = "STABLEHLO_COMPOSITE",
    .options = SAM_OPTIONS_STABLEHLO_COMPOSITE,
    .max_version = 1,
    .min_inputs = 0,
    .max_outputs = -1,
    .flags = SAM_OP_VARIADIC | SAM_OP_STATEFUL,
    .prepare = composite_never,
    .eval = {ANY(SAM_FLOAT32), ANY(SAM_FLOAT16), ANY(SAM_INT32), ANY(SAM_UINT8), ANY(SAM_INT64), ANY(SAM_BOOL),
             ANY(SAM_INT16), ANY(SAM_INT8)}};
