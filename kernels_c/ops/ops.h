/* Declares every operator of ops.def; each family file includes this so that a definition always meets its declaration. */
#ifndef SAM_OPS_H
#define SAM_OPS_H

#include "samara/op.h"

#define SAM_OP(NAME, stem) extern const sam_op sam_op_##stem;
#include "ops.def"
#undef SAM_OP

#endif
