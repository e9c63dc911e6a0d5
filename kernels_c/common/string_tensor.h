/* Strings in operators.
 *
 * A STRING tensor is packed (types.h): count, count + 1 offsets, bytes. Its size is data, so eval gives an output its
 * memory by sam_resize_string. An operator that moves elements moves the numbers 0, 1, … of the strings with its INT32
 * kernel, and the strings follow them. */
#ifndef SAM_STRING_TENSOR_H
#define SAM_STRING_TENSOR_H

#include "samara/op.h"

typedef struct sam_text {
  const char *at;
  size_t bytes;
} sam_text;

/* String i. An input that nobody wrote yet has no bytes: it holds empty strings. */
sam_text sam_string_at(const sam_tensor *t, int64_t i);

/* dst[i] = i, the numbers of n strings; answers them as a tensor like `t`. */
sam_tensor sam_number_strings(const sam_tensor *t, int32_t *dst);
/* prepare of an operator that moves elements: scratch for the element numbers of a STRING input. Nothing for others. */
sam_status sam_string_scratch(sam_ctx *ctx, const sam_tensor *in, const sam_tensor *out);
/* eval of such an operator for STRING, from input op->key to output 0; scratch is sam_string_scratch's. */
sam_status sam_move_strings(sam_ctx *ctx, sam_node *node);
/* The whole tensor as it is. */
sam_status sam_copy_strings(sam_ctx *ctx, sam_tensor *out, const sam_tensor *in);
/* out[i] = in[from[i]] for every element of out. */
sam_status sam_gather_strings(sam_ctx *ctx, sam_tensor *out, const sam_tensor *in, const int32_t *from);

#endif
