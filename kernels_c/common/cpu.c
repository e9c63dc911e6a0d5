/* Samara: asks the CPU, and the operating system, what may be executed. */
#include "common/cpu.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* The register states the operating system saves: without them wide registers lose their upper halves. */
static uint32_t saved_states(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

uint32_t sam_cpu_features(void) {
  uint32_t a, b, c, d, found = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  if ((c >> 9) & (c >> 19) & 1) found = SAM_CPU_SSE41; /* and SSSE3 */
  const bool osxsave = (c >> 27) & 1, avx = (c >> 28) & 1, fma = (c >> 12) & 1, f16c = (c >> 29) & 1;
  if (!osxsave || !avx || !fma || !f16c) return found;
  const uint32_t states = saved_states();
  if ((states & 0x06) != 0x06) return found; /* SSE, AVX */
  uint32_t b7, c7, d7, a71 = 0;
  if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7)) return found;
  if (!((b7 >> 5) & 1)) return found;
  found |= SAM_CPU_AVX2;
#ifdef SAM_CPU_ASSUMED
  return found | (SAM_CPU_ASSUMED); /* what this build does without: SAMARA_PORTABLE_AVX512 */
#endif
  if (a >= 1 && __get_cpuid_count(7, 1, &a71, &b, &c, &d) && ((a71 >> 4) & 1)) found |= SAM_CPU_AVXVNNI;
  const uint32_t f_dq_bw_vl = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  if ((states & 0xe6) == 0xe6 && (b7 & f_dq_bw_vl) == f_dq_bw_vl) { /* and opmask, upper ZMM */
    found |= SAM_CPU_AVX512;
    if (((c7 >> 11) & 1) && ((c7 >> 1) & 1)) found |= SAM_CPU_AVX512VNNI;
  }
  return found;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

/* Whether the core this runs on is a Cortex-A55, A510 or A520. Where others stand beside it, they lose little by
 * kernels made for it. */
static bool in_order(unsigned long cap) {
  if (!(cap & (1ul << 11))) return false; /* the register below may be read */
  uint64_t midr;
  __asm__("mrs %0, midr_el1" : "=r"(midr));
  const uint32_t implementer = midr >> 24 & 0xff, part = midr >> 4 & 0xfff;
  return implementer == 0x41 && (part == 0xd05 || part == 0xd46 || part == 0xd80);
}

uint32_t sam_cpu_features(void) {
  const unsigned long cap = getauxval(AT_HWCAP), cap2 = getauxval(AT_HWCAP2);
  uint32_t found = 0;
  if (cap & (1ul << 1)) found |= SAM_CPU_NEON;
  if (cap & (1ul << 20)) found |= SAM_CPU_NEONDOT;
  if (cap & (1ul << 10)) found |= SAM_CPU_NEONFP16;
  if (cap2 & (1ul << 13)) found |= SAM_CPU_NEONI8MM;
  if (in_order(cap)) found |= SAM_CPU_INORDER;
  return found;
}

#elif defined(__aarch64__)
uint32_t sam_cpu_features(void) { return SAM_CPU_NEON; }

#elif defined(__arm__) && defined(__linux__)
#include <sys/auxv.h>

uint32_t sam_cpu_features(void) {
  const unsigned long cap = getauxval(AT_HWCAP), neon_vfpv4 = 1ul << 12 | 1ul << 16;
  return (cap & neon_vfpv4) == neon_vfpv4 ? SAM_CPU_NEON : 0;
}

#elif defined(__wasm_simd128__)
uint32_t sam_cpu_features(void) { return SAM_CPU_WASMSIMD; }

#else
uint32_t sam_cpu_features(void) { return 0; }
#endif

static const struct {
  const char *name;
  uint32_t features;
} levels[] = {
    {"scalar", SAM_LEVEL_scalar},     {"sse41", SAM_LEVEL_sse41},       {"avx2", SAM_LEVEL_avx2},
    {"avxvnni", SAM_LEVEL_avxvnni},   {"avx512", SAM_LEVEL_avx512},     {"avx512vnni", SAM_LEVEL_avx512vnni},
    {"neon", SAM_LEVEL_neon},         {"neondot", SAM_LEVEL_neondot},   {"neoninorder", SAM_LEVEL_neoninorder},
    {"neonfp16", SAM_LEVEL_neonfp16}, {"neoni8mm", SAM_LEVEL_neoni8mm}, {"wasmsimd", SAM_LEVEL_wasmsimd},
};

const char *sam_isa_name(int i, uint32_t *features) {
  if (i < 0 || i >= (int)(sizeof levels / sizeof *levels)) return NULL;
  if (features) *features = levels[i].features;
  return levels[i].name;
}

const char *sam_isa_best(uint32_t features) {
  int best = 0;
  for (int i = 0; i < (int)(sizeof levels / sizeof *levels); i++)
    if ((levels[i].features & ~features) == 0) best = i;
  return levels[best].name;
}

uint32_t sam_isa_masked(uint32_t features) {
  const char *wanted = getenv("SAMARA_ISA");
  if (wanted)
    for (int i = 0; i < (int)(sizeof levels / sizeof *levels); i++)
      if (strcmp(levels[i].name, wanted) == 0) return (features | SAM_CPU_INORDER) & levels[i].features;
  return features;
}
