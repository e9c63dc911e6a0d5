/* Samara: chooses the microkernels, once, before main. */
#include "ukernels/ukernels.h"

#include <string.h>

#if defined(__GNUC__)
#define SAM_EXPORT __attribute__((visibility("default")))
#define SAM_AT_START __attribute__((constructor))
#else
#define SAM_EXPORT
#define SAM_AT_START
#endif

/* Complete from the first instruction on: the scalar kernels. The start-up function improves it. */
sam_uk_table sam_uk = {
#define SAM_UK(kind, isa)
#define SAM_UK_SCALAR(kind) .kind = &sam_##kind##__scalar,
#include "ukernels/ukernels.def"
#undef SAM_UK
#undef SAM_UK_SCALAR
};

static uint32_t in_use;

void sam_uk_select(uint32_t features, sam_uk_table *table) {
  sam_uk_table t = {0};
#define SAM_UK(kind, isa) \
  SAM_HAVE_##isa(if (!t.kind && (SAM_LEVEL_##isa & ~features) == 0) t.kind = &sam_##kind##__##isa;)
#define SAM_UK_SCALAR(kind) \
  if (!t.kind) t.kind = &sam_##kind##__scalar;
#include "ukernels/ukernels.def"
#undef SAM_UK
#undef SAM_UK_SCALAR
  (void)features;
  *table = t;
}

SAM_AT_START static void start(void) {
  in_use = sam_isa_masked(sam_cpu_features());
  sam_uk_select(in_use, &sam_uk);
}

static const sam_uk_row rows[] = {
#define SAM_UK(kind, isa) SAM_HAVE_##isa({#kind, #isa, SAM_LEVEL_##isa}, )
#define SAM_UK_SCALAR(kind) {#kind, "scalar", SAM_LEVEL_scalar},
#include "ukernels/ukernels.def"
#undef SAM_UK
#undef SAM_UK_SCALAR
};

bool sam_uk_list(int i, sam_uk_row *row) {
  if (i < 0 || i >= (int)(sizeof rows / sizeof *rows)) return false;
  *row = rows[i];
  return true;
}

uint32_t sam_isa_features(void) { return in_use; }

SAM_EXPORT const char *sam_isa(void);
const char *sam_isa(void) { return sam_isa_best(in_use); }

SAM_EXPORT bool sam_isa_force(const char *name);
bool sam_isa_force(const char *name) {
  if (!name) {
    start();
    return true;
  }
  uint32_t level;
  const char *known;
  for (int i = 0; (known = sam_isa_name(i, &level)) != NULL; i++) {
    if (strcmp(known, name) != 0) continue;
    if (level & ~(sam_cpu_features() | SAM_CPU_INORDER)) return false;
    in_use = level;
    sam_uk_select(level, &sam_uk);
    return true;
  }
  return false;
}
