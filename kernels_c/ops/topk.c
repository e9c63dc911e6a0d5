/* TOPK_V2: the k largest of each row, in order, and where they are. */
#include <string.h>

#include "move.h"
#include "ops.h"
#include "samara/options.h"

static sam_status topk_prepare(sam_ctx *ctx, sam_node *node) {
  const sam_tensor *in = node->inputs[0];
  sam_tensor *values = node->outputs[0], *places = node->outputs[1];
  int64_t k;
  SAM_TRY(sam_check_same_type(ctx, values, in));
  if (places->type != SAM_INT16) SAM_TRY(sam_check_type(ctx, places, SAM_INT32));
  SAM_TRY(sam_check_rank(ctx, in, 1, SAM_MAX_RANK));
  if (!sam_is_known(node->inputs[1])) return sam_need_data(ctx, 1);
  SAM_TRY(sam_read_int(ctx, node->inputs[1], &k));
  int64_t row = in->dims[in->rank - 1], dims[SAM_MAX_RANK];
  if (k < 0 || k > row)
    return sam_fail(ctx, SAM_INVALID_MODEL, "k is %lld, the last dimension has %lld elements", (long long)k,
                    (long long)row);
  if (places->type == SAM_INT16 && row > INT16_MAX)
    return sam_fail(ctx, SAM_UNSUPPORTED, "INT16 cannot name %lld places", (long long)row);
  sam_dims64(in, dims);
  dims[in->rank - 1] = k;
  SAM_TRY(sam_set_dims(ctx, values, in->rank, dims));
  SAM_TRY(sam_set_dims(ctx, places, in->rank, dims));
  return sam_scratch(ctx, (size_t)k * sizeof(int32_t) * (size_t)sam_threads(ctx) + 64);
}

typedef struct {
  const sam_tensor *in;
  sam_tensor *values, *places;
  int32_t *heaps;
} topk_job;

/* A heap of the k best places whose root is the worst of them; then sorted from the back. Equal values: lower place
 * first. */
#define TOPK(T, suffix)                                                                           \
  static inline bool worse_##suffix(const T *row, int32_t a, int32_t b) {                         \
    return row[a] < row[b] || (!(row[b] < row[a]) && a > b);                                      \
  }                                                                                               \
  static void sink_##suffix(const T *row, int32_t *heap, int64_t n, int64_t i) {                  \
    int32_t moved = heap[i];                                                                      \
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {                                     \
      if (child + 1 < n && worse_##suffix(row, heap[child + 1], heap[child])) child++;            \
      if (!worse_##suffix(row, heap[child], moved)) break;                                        \
      heap[i] = heap[child];                                                                      \
    }                                                                                             \
    heap[i] = moved;                                                                              \
  }                                                                                               \
  static void topk_rows_##suffix(void *arg, int64_t begin, int64_t end, int thread) {             \
    const topk_job *j = arg;                                                                      \
    int64_t n = j->in->dims[j->in->rank - 1], k = j->values->dims[j->values->rank - 1];           \
    int32_t *heap = j->heaps + thread * k;                                                        \
    for (int64_t r = begin; r < end; r++) {                                                       \
      const T *row = (const T *)j->in->data + r * n;                                              \
      for (int64_t i = 0; i < k; i++) heap[i] = (int32_t)i;                                       \
      for (int64_t i = k / 2; i-- > 0;) sink_##suffix(row, heap, k, i);                           \
      for (int64_t i = k; i < n; i++) {                                                           \
        if (!worse_##suffix(row, heap[0], (int32_t)i)) continue;                                  \
        heap[0] = (int32_t)i;                                                                     \
        sink_##suffix(row, heap, k, 0);                                                           \
      }                                                                                           \
      for (int64_t left = k; left-- > 0;) {                                                       \
        int32_t worst = heap[0];                                                                  \
        heap[0] = heap[left];                                                                     \
        sink_##suffix(row, heap, left, 0);                                                        \
        ((T *)j->values->data)[r * k + left] = row[worst];                                        \
        if (j->places->type == SAM_INT16)                                                         \
          ((int16_t *)j->places->data)[r * k + left] = (int16_t)worst;                            \
        else                                                                                      \
          ((int32_t *)j->places->data)[r * k + left] = worst;                                     \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static sam_status topk_##suffix(sam_ctx *ctx, sam_node *node) {                                 \
    topk_job j = {node->inputs[0], node->outputs[0], node->outputs[1], node->scratch};            \
    int64_t n = j.in->dims[j.in->rank - 1], k = j.values->dims[j.values->rank - 1];               \
    if (k > 0) sam_parallel(ctx, sam_elements(j.in) / n, 2 * n + 20 * k, topk_rows_##suffix, &j); \
    return SAM_OK;                                                                                \
  }
TOPK(float, f32)
TOPK(int8_t, s8)
TOPK(uint8_t, u8)
TOPK(int16_t, s16)
TOPK(int32_t, s32)
TOPK(int64_t, s64)

const sam_op sam_op_topk_v2 = {
    .name = "TOPK_V2",
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 2,
    .max_outputs = 2,
    .prepare = topk_prepare,
    .eval = {[SAM_FLOAT32] = topk_f32,
             [SAM_INT8] = topk_s8,
             [SAM_UINT8] = topk_u8,
             [SAM_INT16] = topk_s16,
             [SAM_INT32] = topk_s32,
             [SAM_INT64] = topk_s64},
};
