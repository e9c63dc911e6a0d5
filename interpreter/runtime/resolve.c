/* From what the file calls an operator to the operator. */
#include <string.h>

#include "model.h"
#include "ops.h"
#include "schema_gen.h"

static const sam_op *const by_code[SAM_BUILTIN_COUNT] = {
#define SAM_OP(NAME, stem) [SAM_BUILTIN_##NAME] = &sam_op_##stem,
#include "ops.def"
#undef SAM_OP
};

/* In the order of ops.def, which is sorted by name. The last row keeps the array from being empty. */
static const sam_op *const by_name[] = {
#define SAM_OP(NAME, stem) &sam_op_##stem,
#include "ops.def"
#undef SAM_OP
    NULL};

const sam_op *sam_find_builtin(int32_t code) { return (uint32_t)code < SAM_BUILTIN_COUNT ? by_code[code] : NULL; }

const char *sam_builtin_name(int32_t code) {
  return (uint32_t)code < SAM_BUILTIN_COUNT ? sam_schema_builtin_names[code] : NULL;
}

const sam_op *sam_find_custom(const sam_options *options, const char *name) {
  if (!options || !options->custom_ops) return NULL;
  for (int32_t i = 0; i < options->n_custom_ops; i++) {
    const sam_op *op = options->custom_ops[i];
    if (op && op->name && strcmp(op->name, name) == 0) return op;
  }
  return NULL;
}

const char *sam_builtin_op(int32_t i, int32_t *max_version, uint32_t *types) {
  if (i < 0 || (size_t)i >= sizeof by_name / sizeof *by_name - 1) return NULL;
  const sam_op *op = by_name[i];
  if (max_version) *max_version = op->max_version;
  if (types) {
    *types = 0;
    for (int t = 0; t < SAM_TYPE_COUNT; t++)
      if (op->eval[t]) *types |= UINT32_C(1) << t;
  }
  return op->name;
}
