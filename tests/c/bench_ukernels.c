/* Speed of the matrix kernels at every instruction-set level: GMAC/s, best of several runs, and the share of the peak
 * that a loop of nothing but the level's multiply instruction reaches on this machine.
 *
 *     bench_ukernels [level]        pin it: taskset -c 1 bench_ukernels avx512vnni */
#include <time.h>

#include "gemm_data.h"

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* not wall time: other processes do not count */
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- Peak ------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define TWELVE(x, r)                                                                                              \
  x r "0\n\t" x r "1\n\t" x r "2\n\t" x r "3\n\t" x r "4\n\t" x r "5\n\t" x r "6\n\t" x r "7\n\t" x r "8\n\t" x r \
      "9\n\t" x r "10\n\t" x r "11\n\t"
#define PEAK(name, instruction)                                                 \
  static void name(void) {                                                      \
    for (int i = 0; i < 20000; i++) __asm__ volatile(instruction ::: "memory"); \
  }
PEAK(peak_dpbusd_zmm, TWELVE("vpdpbusd %%zmm14, %%zmm13, ", "%%zmm"))
PEAK(peak_dpbusd_ymm, TWELVE("%{vex%} vpdpbusd %%ymm14, %%ymm13, ", "%%ymm"))
PEAK(peak_madd_zmm, TWELVE("vpmaddwd %%zmm14, %%zmm13, ", "%%zmm"))
PEAK(peak_madd_ymm, TWELVE("vpmaddwd %%ymm14, %%ymm13, ", "%%ymm"))
PEAK(peak_fma_zmm, TWELVE("vfmadd231ps %%zmm14, %%zmm13, ", "%%zmm"))
PEAK(peak_fma_ymm, TWELVE("vfmadd231ps %%ymm14, %%ymm13, ", "%%ymm"))

/* Zeros, for subnormal numbers are slow. */
static void clear_registers(void) {
  __asm__ volatile(
      "vxorps %%xmm13, %%xmm13, %%xmm13\n\tvxorps %%xmm14, %%xmm14, %%xmm14\n\t" TWELVE("vmovaps %%ymm14, ", "%%ymm")
      :
      :
      : "memory");
}

static double measure_peak(void (*loop)(void), int macs) {
  double best = 1e9;
  clear_registers();
  for (int i = 0; i < 50; i++) {
    const double start = seconds();
    loop();
    const double t = seconds() - start;
    if (t < best) best = t;
  }
  return 20000.0 * 12 * macs / best / 1e9;
}

static double peak(const char *level, bool f32) {
  const uint32_t has = sam_isa_features();
  (void)level;
  if (f32) return has & SAM_CPU_AVX512 ? measure_peak(peak_fma_zmm, 16) : has ? measure_peak(peak_fma_ymm, 8) : 0;
  if (has & SAM_CPU_AVX512VNNI) return measure_peak(peak_dpbusd_zmm, 64);
  if (has & SAM_CPU_AVX512) return measure_peak(peak_madd_zmm, 32);
  if (has & SAM_CPU_AVXVNNI) return measure_peak(peak_dpbusd_ymm, 32);
  return has ? measure_peak(peak_madd_ymm, 16) : 0;
}
#else
static double peak(const char *level, bool f32) {
  (void)level;
  (void)f32;
  return 0;
}
#endif

/* ---- Kernels ---------------------------------------------------------------------------------------------------- */

typedef struct shape {
  int m, n, taps, k;
} shape;

static const shape shapes[] = {{240, 256, 1, 256}, {240, 512, 1, 512}, {240, 64, 9, 64}, {240, 320, 1, 960},
                               {240, 96, 1, 16},   {240, 144, 1, 24},  {240, 64, 1, 32}, {240, 24, 1, 144},
                               {240, 32, 1, 192},  {240, 16, 1, 96},   {240, 32, 3, 12}, {49, 512, 1, 512},
                               {1, 1000, 1, 1280}, {1, 128, 1, 128}};

static void *random_bytes(size_t n) {
  uint8_t *p = gemm_room(n + 64);
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)test_int(0, 100);
  return p;
}

static double time_of(void (*run)(const void *), const void *args, double macs) {
  double best = 1e9;
  const int repeats = 1 + (int)(2e7 / macs);
  for (int i = 0; i < 30; i++) {
    const double start = seconds();
    for (int r = 0; r < repeats; r++) run(args);
    const double t = (seconds() - start) / repeats;
    if (t < best) best = t;
  }
  return best;
}
static void run_f32(const void *g) { sam_uk.f32_gemm->run(g); }
static void run_s8(const void *g) { sam_uk.s8_gemm->run(g); }

static void bench(const shape *s, bool f32, double top) {
  const void *a[256];
  ptrdiff_t tap[16];
  const size_t element = f32 ? 4 : sam_uk.s8_gemm->form == SAM_A_S16 ? 2 : 1, row = (size_t)s->taps * (size_t)s->k;
  char *values = random_bytes((size_t)s->m * row * element + 64);
  void *w = random_bytes((size_t)s->n * row * (f32 ? 4 : 1));
  if (f32) {
    float *fv = (float *)(void *)values, *fw = w;
    for (size_t i = 0; i < (size_t)s->m * row; i++) fv[i] = test_float(-1, 1);
    for (size_t i = 0; i < (size_t)s->n * row; i++) fw[i] = test_float(-1, 1);
  }
  for (int i = 0; i < s->m; i++) a[i] = values + (size_t)i * row * element;
  for (int t = 0; t < s->taps; t++) tap[t] = (ptrdiff_t)((size_t)t * (size_t)s->k * element);
  void *packed = gemm_pack(w, f32 ? 4 : 1, s->n, s->taps, s->k, f32 ? sam_uk.f32_gemm->tile : sam_uk.s8_gemm->tile);
  float *scale = gemm_room(4 * (size_t)(s->n + 64));
  int32_t *bias = gemm_room(4 * (size_t)(s->n + 64));
  for (int i = 0; i < s->n; i++) scale[i] = 0.001f;
  void *y = gemm_room(4 * (size_t)s->m * (size_t)s->n);
  const double macs = (double)s->m * s->n * s->taps * s->k;
  double t;
  if (f32) {
    const sam_f32_gemm_args g = {.m = s->m,
                                 .n = s->n,
                                 .taps = s->taps,
                                 .k = s->k,
                                 .a = (const float *const *)a,
                                 .tap = tap,
                                 .w = packed,
                                 .bias = scale,
                                 .y = y,
                                 .ldy = s->n,
                                 .lo = 0,
                                 .hi = 6};
    t = time_of(run_f32, &g, macs);
  } else {
    const sam_s8_gemm_args g = {.m = s->m,
                                .n = s->n,
                                .taps = s->taps,
                                .k = s->k,
                                .a = a,
                                .tap = tap,
                                .w = packed,
                                .bias = bias,
                                .scale = scale,
                                .out = SAM_GEMM_S8,
                                .zero_point = 3,
                                .lo = -128,
                                .hi = 127,
                                .pairs_fit = true,
                                .y = y,
                                .ldy = s->n};
    t = time_of(run_s8, &g, macs);
  }
  printf("  %-4s %4d x %4d x %d*%-4d %9.2f us %8.1f GMAC/s", f32 ? "f32" : "s8", s->m, s->n, s->taps, s->k, t * 1e6,
         macs / t / 1e9);
  if (top > 0) printf("  %3.0f %%", macs / t / 1e7 / top);
  printf("\n");
  free(values), free(w), free(packed), free(scale), free(bias), free(y);
}

int main(int argc, char **argv) {
  for (int i = 0; sam_isa_name(i, NULL); i++) {
    const char *level = sam_isa_name(i, NULL);
    if ((argc > 1 && strcmp(argv[1], level) != 0) || !sam_isa_force(level)) continue;
    for (int f32 = 0; f32 < 2; f32++) {
      const double top = peak(level, f32);
      printf("%s %s: peak %.1f GMAC/s\n", level, f32 ? "f32" : "s8", top);
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) bench(&shapes[s], f32, top);
    }
  }
  return 0;
}
