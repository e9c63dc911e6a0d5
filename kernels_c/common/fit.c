/* Samara: fitted weights; fit.h explains. Packed: panels as gemm.h has them, two steps of k make sums of four; then the
 * weights of the fixes, the first fix of each panel, and where in a row of the left side each fix begins. */
#include "common/fit.h"

enum { NR = 8, KR = 4, STEP = NR * KR, MOST = 128 /* of either sign in a sum */, CHUNK = 512 /* of k */ };

/* Two steps of a panel. */
typedef struct fitted {
  int8_t main[2][NR][KR];
  int16_t left[2][NR][KR]; /* what fixes have to bring, in the columns of `over` */
  uint32_t over;
  bool any[2]; /* whether something is left */
} fitted;

/* As much of the weight as the budgets of its sum allow. Without branches, which nothing could foresee. */
static int16_t take(int16_t w, int16_t *most, int16_t *least) {
  const int16_t up = *most < 127 ? *most : 127, low = w > *least ? w : *least, v = low < up ? low : up;
  *most = (int16_t)(*most - (v > 0 ? v : 0));
  *least = (int16_t)(*least - (v < 0 ? v : 0));
  return v;
}

/* The second step first: what is too much is then found in the other one, mostly. */
static void fit_column(fitted *f, int c, const uint8_t *from, int64_t n, uint8_t flip, int32_t zero) {
  for (int half = 0; half < KR; half += 2) {
    int16_t most = MOST, least = -MOST;
    for (int s = 1; s >= 0; s--)
      for (int d = half; d < half + 2; d++) {
        const int i = s * KR + d;
        const int16_t w = i < n ? (int16_t)((int8_t)(from[i] ^ flip) - zero) : 0;
        const int16_t v = take(w, &most, &least);
        f->main[s][c][d] = (int8_t)v;
        f->left[s][c][d] = (int16_t)(w - v);
        f->any[s] |= w != v;
      }
  }
}

/* Takes one fix off what is left of a step. */
static void take_fix(fitted *f, int s, int8_t fix[NR][KR]) {
  memset(fix, 0, STEP);
  f->any[s] = false;
  for (int c = 0; c < NR; c++) {
    if (!(f->over >> c & 1)) continue;
    for (int half = 0; half < KR; half += 2) {
      int16_t most = MOST, least = -MOST;
      for (int d = half; d < half + 2; d++) {
        const int16_t v = take(f->left[s][c][d], &most, &least);
        fix[c][d] = (int8_t)v;
        f->left[s][c][d] = (int16_t)(f->left[s][c][d] - v);
        f->any[s] |= f->left[s][c][d] != 0;
      }
    }
  }
}

/* The columns of one panel: the weights of the first, and what makes them int8 less their zero point. */
typedef struct panel {
  const sam_matmul *mm;
  const uint8_t *first;
  int64_t k;
  int columns;
  int32_t zero;
} panel;

static panel panel_at(const sam_matmul *mm, int32_t n, int64_t k, int64_t j) {
  return (panel){mm, (const uint8_t *)mm->weights->data + j * k, k, (int)(n - j < NR ? n - j : NR), mm->fit_zero};
}

/* flags[i]: the columns, bit by bit, that may need a fix in the i-th two steps behind `at`. */
static void find_over(const panel *p, int64_t at, int64_t n, uint8_t *flags) {
  memset(flags, 0, CHUNK / (2 * KR));
  for (int c = 0; c < p->columns; c++)
    p->mm->s8->fit_over(n, p->first + c * p->k + at, p->mm->w_flip, p->zero, (uint8_t)(1 << c), flags);
}

/* The flagged columns of two steps. */
static void fit(const panel *p, int64_t at, uint32_t flags, fitted *f) {
  f->over = flags;
  f->any[0] = f->any[1] = false;
  for (int c = 0; c < NR; c++)
    if (flags >> c & 1) fit_column(f, c, p->first + c * p->k + at, p->k - at, p->mm->w_flip, p->zero);
}

static int64_t panels_of(int64_t n) { return (n + NR - 1) / NR; }

/* The number of fixes; -1 when there are too many to win. A fix costs 3 operations where two steps of a panel have 5,
 * and the other kernel 9. */
static int64_t count_fixes(const sam_matmul *mm, int32_t n, int64_t k) {
  int64_t fixes = 0, seen = 0;
  for (int64_t j = 0; j < n; j += NR) {
    const panel p = panel_at(mm, n, k, j);
    for (int64_t at = 0; at < k; at += CHUNK) {
      uint8_t flags[CHUNK / (2 * KR)];
      const int64_t run = k - at < CHUNK ? k - at : CHUNK;
      find_over(&p, at, run, flags);
      for (int64_t i = 0; i < run; i += 2 * KR, seen++) {
        fitted f;
        int8_t fix[NR][KR];
        if (!flags[i / (2 * KR)]) continue;
        fit(&p, at + i, flags[i / (2 * KR)], &f);
        for (int s = 0; s < 2; s++)
          for (; f.any[s]; fixes++) take_fix(&f, s, fix);
      }
      if (fixes > 32 + seen / 2) return -1;
    }
  }
  return fixes > seen / 2 ? -1 : fixes;
}

/* A panel as if nothing needed a fix. */
static void pack_plain(const panel *p, int8_t *to, int32_t *sums) {
  const uint8_t flip = p->mm->w_flip, zero = (uint8_t)p->zero;
  const int64_t bytes = (int64_t)p->mm->panel_bytes;
  if (p->columns < NR) memset(to, (uint8_t)(flip ^ zero), (size_t)bytes); /* becomes 0 */
  sam_uk.move->turn[2]((char *)to, STEP, (const char *)p->first, p->k, p->k / KR, p->columns);
  for (int c = 0; c < p->columns; c++) {
    const uint8_t *column = p->first + c * p->k;
    const int64_t sum = flip ? sam_uk.u8_sum(p->k, column) - 128 * p->k : sam_uk.s8_sum(p->k, (const int8_t *)column);
    sums[c] = (int32_t)(sum - p->k * p->zero);
  }
  if (flip || zero)
    for (int64_t i = 0; i < bytes; i++) to[i] = (int8_t)(uint8_t)(((uint8_t)to[i] ^ flip) - zero);
}

static void pack(const sam_matmul *mm, void *dst, int32_t *sums) {
  const int64_t panels = panels_of(mm->n), k = mm->k;
  int8_t *packed = dst, *fix = packed + mm->panel_bytes * (size_t)panels, next[NR][KR];
  int32_t *start = (int32_t *)(void *)(fix + (int64_t)mm->fixes * STEP), *place = start + panels + 1, fixes = 0;
  memset(sums, 0, sizeof *sums * (size_t)(mm->n_padded + 1));
  for (int64_t j = 0; j < panels; j++, packed += mm->panel_bytes) {
    const panel p = panel_at(mm, mm->n, k, j * NR);
    pack_plain(&p, packed, sums + j * NR);
    start[j] = fixes;
    for (int64_t at = 0; at < k; at += CHUNK) {
      uint8_t flags[CHUNK / (2 * KR)];
      const int64_t run = k - at < CHUNK ? k - at : CHUNK;
      find_over(&p, at, run, flags);
      for (int64_t i = at; i < at + run; i += 2 * KR) {
        fitted f;
        if (!flags[(i - at) / (2 * KR)]) continue;
        fit(&p, i, flags[(i - at) / (2 * KR)], &f);
        for (int s = 0; s < 2 && i + s * KR < k; s++) { /* the last step may be alone */
          for (int c = 0; c < NR; c++)
            if (f.over >> c & 1) memcpy(packed + (i / KR + s) * STEP + c * KR, f.main[s][c], KR);
          for (; f.any[s] && fixes < mm->fixes; fix += STEP) {
            take_fix(&f, s, next);
            memcpy(fix, next, STEP);
            place[fixes++] = (int32_t)(i + s * KR);
          }
        }
      }
    }
  }
  start[panels] = fixes;
}

typedef struct question {
  const sam_matmul *mm;
  int32_t n;
  int64_t k;
} question;

static void answer(void *dst, const void *arg) {
  const question *q = arg;
  *(int64_t *)dst = count_fixes(q->mm, q->n, q->k);
}

sam_status sam_fit_choose(sam_ctx *ctx, sam_matmul *mm, int64_t k) {
  const sam_type type = mm->weights->type;
  const int32_t n = mm->weights->dims[0];
  if (!mm->plain || !mm->s8->fitted || !sam_is_known(mm->weights) || mm->out->type == SAM_INT16) return SAM_OK;
  if (mm->w_zero && mm->weights->quant->count > 1) return SAM_OK;
  if ((type != SAM_INT8 && type != SAM_UINT8) || n < 1 || k < 2 * KR || k % KR || k > INT32_MAX / 2) return SAM_OK;
  mm->fit_zero = mm->w_zero ? mm->weights->quant->zero_point[0] - (mm->w_flip ? 128 : 0) : 0;
  sam_s8_gemm_t *other = mm->s8;
  mm->s8 = other->fitted;
  const question q = {mm, n, k};
  const uint64_t variant = (uint64_t)0xf << 60 | (uint64_t)(mm->w_flip != 0) << 48 |
                           (uint64_t)(uint16_t)mm->fit_zero << 32 | (uint64_t)(uint32_t)n;
  const int64_t *fixes = sam_pack(ctx, mm->weights, variant, sizeof *fixes, answer, &q);
  if (!fixes) return SAM_OUT_OF_MEMORY;
  if (*fixes < 0 || *fixes > panels_of(n) * (k / KR) || *fixes > INT32_MAX / (2 * STEP)) {
    mm->s8 = other;
    return SAM_OK;
  }
  mm->panels = pack;
  mm->fitted = true;
  mm->fixes = (int32_t)*fixes;
  mm->w_zero = false; /* taken out */
  mm->panel_bytes = (size_t)(k / KR * STEP);
  mm->group_bytes =
      mm->panel_bytes * (size_t)panels_of(n) + (size_t)mm->fixes * (STEP + 4) + (size_t)(4 * (panels_of(n) + 1));
  return SAM_OK;
}

/* The first fix of each panel, and behind them where in a row of the left side each fix begins. */
static const int32_t *fix_table(const sam_matmul *mm) {
  const int8_t *fix = (const int8_t *)mm->packed + mm->panel_bytes * (size_t)panels_of(mm->n);
  return (const int32_t *)(const void *)(fix + (int64_t)mm->fixes * STEP);
}

sam_status sam_fit_check(sam_ctx *ctx, const sam_matmul *mm) {
  const int64_t panels = panels_of(mm->n);
  const int32_t *start = fix_table(mm), *place = start + panels + 1;
  bool sound = start[0] >= 0 && start[panels] <= mm->fixes;
  for (int64_t i = 0; i < panels; i++) sound = sound && start[i] <= start[i + 1];
  for (int32_t i = 0; sound && i < start[panels]; i++) sound = place[i] >= 0 && place[i] <= mm->k - KR;
  return sound ? SAM_OK
               : sam_fail(ctx, SAM_INVALID_MODEL, "the weight cache has packed weights that nothing packs; delete it");
}

void sam_fit_bind(const sam_matmul *mm, int32_t column, sam_s8_gemm_args *args) {
  const int32_t *start = fix_table(mm);
  args->fix = (const int8_t *)mm->packed + mm->panel_bytes * (size_t)panels_of(mm->n);
  args->fix_start = start + column / NR;
  args->fix_at = start + panels_of(mm->n) + 1;
}
