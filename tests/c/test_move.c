/* Strided copies against their definition, at every instruction-set level: random shapes, permuted, zero, negative and
 * sparse strides, every element size, any alignment. */
#include "move.h"
#include "test.h"
#include "ukernels/ukernels.h"

static uint32_t seed = 7;
static int32_t below(int32_t n) {
  seed = seed * 1664525u + 1013904223u;
  return (int32_t)((seed >> 8) % (uint32_t)n);
}

static void in_pieces(struct sam_ctx *ctx, int64_t n, int64_t cost, sam_task_fn task, void *arg) {
  (void)ctx;
  (void)cost;
  for (int64_t i = 0, step; i < n; i += step) {
    step = 1 + below(3);
    task(arg, i, i + step < n ? i + step : n, 0);
  }
}

enum { BYTES = 1 << 18 };
static uint8_t from[BYTES], to[BYTES], expected[BYTES];

static void one(sam_ctx *ctx, int round) {
  static const int32_t sizes[] = {1, 2, 4, 8, 16};
  const int32_t size = sizes[round % 5], rank = 1 + below(5);
  int64_t dims[8], src[8], dst[8], dense[8], elements = 1, offset = 0, span = 1;
  for (int i = 0; i < rank; i++) {
    dims[i] = 1 + below(below(3) ? 5 : 40);
    while (elements * dims[i] > 3000) dims[i] = (dims[i] + 1) / 2;
    elements *= dims[i];
  }
  sam_dense_strides(rank, dims, dense);
  int32_t order[8];
  for (int i = 0; i < rank; i++) order[i] = i;
  for (int i = rank - 1; i > 0 && below(2); i--) {
    int32_t j = below(i + 1), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  int64_t step = 1 + (below(4) == 0);
  for (int i = rank; i-- > 0;) {
    const int32_t d = order[i];
    src[d] = below(6) ? step : 0;
    step *= dims[d] + (below(5) == 0);
    if (below(5) == 0) {
      offset += src[d] * (dims[d] - 1);
      src[d] = -src[d];
    }
  }
  for (int i = 0; i < rank; i++) span += (src[i] < 0 ? -src[i] : src[i]) * (dims[i] - 1);
  if ((span + 64) * size > BYTES) return;
  int64_t gap = 1;
  for (int i = rank; i-- > 0;) {
    dst[i] = gap;
    gap *= dims[i] + (round % 3 == 0 && below(3) == 0);
  }
  if ((gap + 64) * size > BYTES) return;
  const int32_t shift_from = below(64), shift_to = below(64);
  memset(to, 0xee, sizeof to);
  memset(expected, 0xee, sizeof expected);
  for (int64_t e = 0; e < elements; e++) {
    int64_t s = offset, d = 0;
    for (int i = 0; i < rank; i++) {
      s += e / dense[i] % dims[i] * src[i];
      d += e / dense[i] % dims[i] * dst[i];
    }
    memcpy(expected + shift_to + d * size, from + shift_from + s * size, (size_t)size);
  }
  sam_strided plan;
  sam_strided_plan(&plan, size, rank, dims, round % 3 ? NULL : dst, src);
  sam_strided_run(ctx, &plan, to + shift_to, from + shift_from + offset * size);
  EXPECT(memcmp(to, expected, sizeof to) == 0);
}

/* Rows of every length, by stride and by index, between bytes that must stay. */
static void rows(void) {
  for (int64_t n = 1; n < 600; n++) {
    const int64_t count = below(9), gap = n % 2 ? 0 : below(40), step = n + (n % 3 ? 0 : below(40)), shift = below(64);
    int32_t at[9];
    for (int i = 0; i < 9; i++) at[i] = below(40);
    for (int kind = 0; kind < 3; kind++) { /* forwards, backwards, chosen */
      const int64_t to_step = kind == 2 ? n : step, by = kind == 1 ? -(n + gap) : n + gap;
      const uint8_t *first = from + shift + (kind == 1 ? 9 * (n + gap) : 0);
      memset(to, 0xee, sizeof to);
      memset(expected, 0xee, sizeof expected);
      for (int64_t r = 0; r < count; r++)
        memcpy(expected + shift + r * to_step, first + (kind == 2 ? at[r] * n : r * by), (size_t)n);
      if (kind == 2)
        sam_uk.move->gather((char *)to + shift, (const char *)first, at, n, count);
      else
        sam_uk.move->rows((char *)to + shift, to_step, (const char *)first, by, n, count);
      EXPECT(memcmp(to, expected, sizeof to) == 0);
    }
  }
}

/* Turned tiles with sides beyond two squares of any machine. */
static void tiles(sam_ctx *ctx) {
  for (int32_t size = 1; size <= 8; size *= 2)
    for (int round = 0; round < 40; round++) {
      const int64_t dims[] = {30 + below(60), 9 + below(70)}, src[] = {1, dims[0] + below(3)};
      memset(to, 0xee, sizeof to);
      memset(expected, 0xee, sizeof expected);
      for (int64_t i = 0; i < dims[0]; i++)
        for (int64_t k = 0; k < dims[1]; k++)
          memcpy(expected + (i * dims[1] + k) * size, from + (i + k * src[1]) * size, (size_t)size);
      sam_strided plan;
      sam_strided_plan(&plan, size, 2, dims, NULL, src);
      sam_strided_run(ctx, &plan, to, from);
      EXPECT(memcmp(to, expected, sizeof to) == 0);
    }
}

int main(void) {
  const sam_services services = {.parallel = in_pieces};
  sam_ctx ctx = {.services = &services, .threads = 1};
  const char *name;
  for (int i = 0; i < BYTES; i++) from[i] = (uint8_t)below(256);
  for (int i = 0; (name = sam_isa_name(i, NULL)); i++) {
    if (!sam_isa_force(name)) continue;
    for (int round = 0; round < 3000; round++) one(&ctx, round);
    rows();
    tiles(&ctx);
  }
  return test_result();
}
