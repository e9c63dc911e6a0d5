/* Samara: fits sixteen curved pieces to a table; curve.h explains. */
#include "curve.h"

#include <string.h>

enum { SIZE = 16, REACH = 8 /* how far slope and bend are looked for around a first guess */ };

static const int32_t hump[SIZE] = {SAM_CURVE_HUMP};

/* Whether a piece of this slope and bend comes near enough; then it is piece h. `y`: the entries less the first one. */
static bool try_piece(sam_curve *c, int32_t h, const uint8_t *table, const int32_t *y, int32_t slope, int32_t bend) {
  const int32_t half = 1 << (c->shift - 1);
  int32_t rest[SIZE], least = INT32_MAX, most = INT32_MIN;
  if (slope != (int8_t)slope || bend != (int8_t)bend) return false;
  for (int32_t l = 0; l < SIZE; l++) {
    const int32_t near = (slope * l + bend * hump[l] + half) >> c->shift;
    if (near != (int8_t)near) return false;
    rest[l] = y[l] - near;
    least = rest[l] < least ? rest[l] : least;
    most = rest[l] > most ? rest[l] : most;
    if (most - least > 1) return false;
  }
  c->start[h] = (uint8_t)(table[0] + least);
  c->slope[h] = (int8_t)slope;
  c->bend[h] = (int8_t)bend;
  for (int32_t l = 0; l < SIZE; l++) c->row[h / 8][l] |= (uint8_t)((rest[l] - least) << h % 8);
  return true;
}

/* Looks around the straight line through the ends and the curve through the middle, in growing squares. */
static bool fit_piece(sam_curve *c, int32_t h, const uint8_t *table) {
  const int32_t one = 1 << c->shift;
  int32_t y[SIZE];
  for (int32_t l = 0; l < SIZE; l++) y[l] = (int8_t)(uint8_t)(table[l] - table[0]);
  const int32_t slope = y[SIZE - 1] * one / (SIZE - 1);
  const int32_t bend = (y[SIZE / 2 - 1] + y[SIZE / 2] - y[SIZE - 1]) * one / (2 * hump[SIZE / 2]);
  for (int32_t r = 0; r <= REACH; r++)
    for (int32_t s = -r; s <= r; s++)
      for (int32_t b = -r, step = s == -r || s == r || r == 0 ? 1 : 2 * r; b <= r; b += step)
        if (try_piece(c, h, table, y, slope + s, bend + b)) return true;
  return false;
}

bool sam_curve_fit(sam_curve *curve, const uint8_t table[256]) {
  for (int32_t shift = 6; shift >= 4; shift--) { /* finer, or steeper */
    memset(curve, 0, sizeof *curve);
    curve->shift = shift;
    int32_t h = 0;
    while (h < SIZE && fit_piece(curve, h, table + SIZE * h)) h++;
    if (h == SIZE) return true;
  }
  return false;
}
