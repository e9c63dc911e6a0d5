/* Strings: reading, copying and moving them. */
#include "string_tensor.h"

#include <string.h>

static int32_t word(const sam_tensor *t, int64_t i) { return ((const int32_t *)t->data)[i]; }

sam_text sam_string_at(const sam_tensor *t, int64_t i) {
  if (t->bytes == 0) return (sam_text){"", 0};
  int32_t begin = word(t, 1 + i), end = word(t, 2 + i);
  return (sam_text){(const char *)t->data + begin, (size_t)(end - begin)};
}

sam_status sam_copy_strings(sam_ctx *ctx, sam_tensor *out, const sam_tensor *in) {
  SAM_TRY(sam_resize_string(ctx, out, in->bytes));
  if (in->bytes) memcpy(out->data, in->data, in->bytes);
  return SAM_OK;
}

sam_status sam_gather_strings(sam_ctx *ctx, sam_tensor *out, const sam_tensor *in, const int32_t *from) {
  const int64_t n = sam_elements(out);
  uint64_t bytes = 4 * ((uint64_t)n + 2);
  for (int64_t i = 0; i < n && bytes <= INT32_MAX; i++) bytes += sam_string_at(in, from[i]).bytes;
  if (bytes > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "the strings of \"%s\" pass 2 GiB", out->name);
  SAM_TRY(sam_resize_string(ctx, out, (size_t)bytes));
  int32_t *head = out->data, end = (int32_t)(4 * (n + 2));
  head[0] = (int32_t)n;
  head[1] = end;
  for (int64_t i = 0; i < n; i++) {
    const sam_text text = sam_string_at(in, from[i]);
    memcpy((char *)out->data + end, text.at, text.bytes);
    head[2 + i] = end += (int32_t)text.bytes;
  }
  return SAM_OK;
}

sam_status sam_string_scratch(sam_ctx *ctx, const sam_tensor *in, const sam_tensor *out) {
  if (in->type != SAM_STRING) return SAM_OK;
  const uint64_t n = (uint64_t)sam_elements(in) + (uint64_t)sam_elements(out);
  if (n > INT32_MAX) return sam_fail(ctx, SAM_LIMIT, "%llu strings are more than 2^31", (unsigned long long)n);
  return sam_scratch(ctx, 4 * (size_t)n);
}

sam_tensor sam_number_strings(const sam_tensor *t, int32_t *dst) {
  sam_tensor numbers = *t;
  const int64_t n = sam_elements(t);
  numbers.type = SAM_INT32;
  numbers.data = dst;
  numbers.bytes = 4 * (size_t)n;
  for (int64_t i = 0; i < n; i++) dst[i] = (int32_t)i;
  return numbers;
}

sam_status sam_move_strings(sam_ctx *ctx, sam_node *node) {
  const int32_t key = node->op->key;
  sam_tensor *in = node->inputs[key], *out = node->outputs[0];
  sam_tensor numbers = sam_number_strings(in, node->scratch);
  sam_tensor moved = sam_number_strings(out, (int32_t *)node->scratch + sam_elements(in));
  node->inputs[key] = &numbers, node->outputs[0] = &moved;
  sam_status status = node->op->eval[SAM_INT32](ctx, node);
  node->inputs[key] = in, node->outputs[0] = out;
  return status ? status : sam_gather_strings(ctx, out, in, moved.data);
}
