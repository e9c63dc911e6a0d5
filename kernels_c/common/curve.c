/* Samara: fits sixteen curved pieces to a table; curve.h explains. */
#include "curve.h"

#include <math.h>
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

/* ---- Lines ------------------------------------------------------------------------------------------------------ */

enum { SLOPES = 17, LEAST_SHIFT = 4, MOST_SHIFT = 8 };

/* What may stand in (256 x + fraction) * slope + 2^14 + 2^15 * start besides 256 x * slope. */
typedef struct room {
  int32_t slope;
  int64_t least, most;
} room;

/* Whether the entries of x in [begin, end) are floor(line / 2^(15 + shift)). */
static bool find_room(room *r, const int8_t *table, int32_t begin, int32_t end, int32_t slope, int32_t shift) {
  r->slope = slope;
  r->least = INT64_MIN, r->most = INT64_MAX;
  for (int32_t x = begin; x < end; x++) {
    const int64_t one = INT64_C(1) << (15 + shift), at = (int64_t)256 * x * slope, y = table[x + 128];
    const int64_t least = y * one - at, most = least + one - 1;
    if (y > -128 && least > r->least) r->least = least;
    if (y < 127 && most < r->most) r->most = most;
  }
  return r->least <= r->most;
}

/* The first line of n that this fraction suits. */
static bool place_line(sam_lines *l, int i, const room *rooms, int32_t n, int32_t fraction) {
  for (int32_t e = 0; e < n; e++) {
    const int64_t fixed = (int64_t)fraction * rooms[e].slope + (1 << 14);
    int64_t start = rooms[e].least == INT64_MIN ? (rooms[e].most == INT64_MAX ? -32768 : (rooms[e].most - fixed) >> 15)
                                                : -((fixed - rooms[e].least) >> 15);
    if (start < -32768 && rooms[e].least == INT64_MIN) start = -32768;
    if (start < -32768 || start > 32767 || start * 32768 + fixed > rooms[e].most) continue;
    l->slope[i] = (int16_t)rooms[e].slope;
    l->start[i] = (int16_t)start;
    return true;
  }
  return false;
}

bool sam_lines_fit(sam_lines *l, const uint8_t table[256], bool is_signed, int32_t zero, double above, double below) {
  int8_t signed_table[256];
  l->flip = is_signed ? 0 : 128;
  for (int32_t x = -128; x < 128; x++) signed_table[x + 128] = (int8_t)(uint8_t)(table[(x ^ l->flip) & 255] ^ l->flip);
  if (zero < -128 || zero > 128 || !(above >= below) || !(fabs(above) < 16) || !(fabs(below) < 16)) return false;
  for (l->shift = MOST_SHIFT; l->shift >= LEAST_SHIFT; l->shift--) {
    room rooms[2][SLOPES];
    int32_t n[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
      const double slope = ldexp(i ? below : above, l->shift + 7);
      if (fabs(slope) > 32768) break;
      for (int32_t e = 0; e < SLOPES; e++) { /* from the middle out */
        const int32_t near = (int32_t)lrint(slope) + (e % 2 ? -(e + 1) / 2 : e / 2);
        if (near < -32767 || near > 32767) continue;
        if (find_room(&rooms[i][n[i]], signed_table, i ? -128 : zero, i ? zero : 128, near, l->shift)) n[i]++;
      }
    }
    for (int32_t fraction = 0; n[0] && n[1] && fraction < 256; fraction++) {
      l->fraction = (uint8_t)fraction;
      if (!place_line(l, 0, rooms[0], n[0], fraction) || !place_line(l, 1, rooms[1], n[1], fraction)) continue;
      int32_t x = 0;
      while (x < 256 && sam_lines_at(l, (uint8_t)x) == table[x]) x++;
      if (x == 256) return true;
    }
  }
  return false;
}
