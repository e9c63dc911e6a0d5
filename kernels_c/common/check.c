/* Checks that many operators make in prepare; samara/op.h states each. */
#include <math.h>

#include "samara/op.h"

sam_status sam_check_type(sam_ctx *ctx, const sam_tensor *t, sam_type type) {
  if (t->type == type) return SAM_OK;
  return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, must be %s", t->name, sam_type_name(t->type),
                  sam_type_name(type));
}

sam_status sam_check_same_type(sam_ctx *ctx, const sam_tensor *t, const sam_tensor *like) {
  if (t->type == like->type) return SAM_OK;
  return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, but \"%s\" has %s", t->name, sam_type_name(t->type),
                  like->name, sam_type_name(like->type));
}

sam_status sam_check_rank(sam_ctx *ctx, const sam_tensor *t, int32_t min_rank, int32_t max_rank) {
  if (t->rank >= min_rank && t->rank <= max_rank) return SAM_OK;
  if (min_rank == max_rank)
    return sam_fail(ctx, SAM_INVALID_ARGUMENT, "\"%s\" has %d dimensions, must have %d", t->name, (int)t->rank,
                    (int)min_rank);
  return sam_fail(ctx, SAM_INVALID_ARGUMENT, "\"%s\" has %d dimensions, must have %d to %d", t->name, (int)t->rank,
                  (int)min_rank, (int)max_rank);
}

static sam_status check_scales(sam_ctx *ctx, const sam_tensor *t) {
  const sam_quant *quant = t->quant;
  const bool symmetric = t->type == SAM_INT16 || t->type == SAM_INT32 || t->type == SAM_INT64;
  for (int32_t i = 0; i < quant->count; i++) {
    if (!(quant->scale[i] > 0) || !isfinite(quant->scale[i]))
      return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has the scale %g at %d, must be positive and finite", t->name,
                      (double)quant->scale[i], (int)i);
    if (symmetric && quant->zero_point[i] != 0)
      return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" of type %s has zero point %d, must be 0", t->name,
                      sam_type_name(t->type), (int)quant->zero_point[i]);
  }
  return SAM_OK;
}

sam_status sam_check_quant(sam_ctx *ctx, const sam_tensor *t) {
  if (t->quant->count == 1) return check_scales(ctx, t);
  if (t->quant->count == 0)
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" of type %s has no quantization parameters", t->name,
                    sam_type_name(t->type));
  return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" is quantized per channel (%d scales), must be per tensor", t->name,
                  (int)t->quant->count);
}

sam_status sam_check_quant_axis(sam_ctx *ctx, const sam_tensor *t, int32_t axis) {
  if (t->quant->count <= 1) return sam_check_quant(ctx, t);
  if (axis < 0 || axis >= t->rank || t->quant->count != t->dims[axis])
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" has %d scales, but dimension %d has size %d", t->name,
                    (int)t->quant->count, (int)axis, axis >= 0 && axis < t->rank ? (int)t->dims[axis] : -1);
  if (t->quant->axis != axis)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" is quantized along dimension %d, must be %d", t->name,
                    (int)t->quant->axis, (int)axis);
  return check_scales(ctx, t);
}

sam_status sam_check_same_quant(sam_ctx *ctx, const sam_tensor *a, const sam_tensor *b) {
  const sam_quant *x = a->quant, *y = b->quant;
  if (x->count == 0 || y->count == 0) {
    if (x->count == y->count) return SAM_OK;
    return sam_fail(ctx, SAM_INVALID_MODEL, "\"%s\" and \"%s\" must both be quantized or both not", a->name, b->name);
  }
  if (x->count != 1 || y->count != 1)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" or \"%s\" is quantized per channel, must be per tensor", a->name,
                    b->name);
  if (x->scale[0] == y->scale[0] && x->zero_point[0] == y->zero_point[0]) return SAM_OK;
  return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has scale %g and zero point %d, \"%s\" has %g and %d; must be equal",
                  a->name, (double)x->scale[0], (int)x->zero_point[0], b->name, (double)y->scale[0],
                  (int)y->zero_point[0]);
}

sam_status sam_normalize_axis(sam_ctx *ctx, int64_t axis, int32_t rank, int32_t *normalized) {
  if (axis < -(int64_t)rank || axis >= rank)
    return sam_fail(ctx, SAM_INVALID_ARGUMENT, "axis %lld, but the tensor has %d dimensions", (long long)axis,
                    (int)rank);
  *normalized = (int32_t)(axis < 0 ? axis + rank : axis);
  return SAM_OK;
}

sam_status sam_broadcast_shapes(sam_ctx *ctx, const sam_tensor *a, const sam_tensor *b, int32_t *rank, int32_t *dims) {
  int32_t n = a->rank > b->rank ? a->rank : b->rank;
  for (int32_t i = 0; i < n; i++) {
    int32_t x = i < n - a->rank ? 1 : a->dims[i - (n - a->rank)];
    int32_t y = i < n - b->rank ? 1 : b->dims[i - (n - b->rank)];
    if (x != y && x != 1 && y != 1)
      return sam_fail(ctx, SAM_INVALID_ARGUMENT,
                      "\"%s\" and \"%s\" cannot be broadcast: sizes %d and %d at dimension %d from the end", a->name,
                      b->name, (int)x, (int)y, (int)(n - i));
    dims[i] = x == 1 ? y : x;
  }
  *rank = n;
  return SAM_OK;
}

sam_status sam_read_ints(sam_ctx *ctx, const sam_tensor *t, int32_t max, int64_t *values, int32_t *count) {
  SAM_TRY(sam_check_rank(ctx, t, 0, 1));
  int64_t n = sam_elements(t);
  if (n > max)
    return sam_fail(ctx, SAM_INVALID_ARGUMENT, "\"%s\" has %lld values, at most %d are possible", t->name,
                    (long long)n, (int)max);
  if (t->type != SAM_INT32 && t->type != SAM_INT64)
    return sam_fail(ctx, SAM_UNSUPPORTED, "\"%s\" has type %s, must be INT32 or INT64", t->name,
                    sam_type_name(t->type));
  if (!t->data && n) return sam_fail(ctx, SAM_INTERNAL, "the values of \"%s\" are not known", t->name);
  for (int64_t i = 0; i < n; i++)
    values[i] = t->type == SAM_INT32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
  *count = (int32_t)n;
  return SAM_OK;
}
