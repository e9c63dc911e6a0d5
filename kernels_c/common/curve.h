/* Samara: a table of 256 bytes as sixteen pieces of a smooth curve, for machines whose vectors look up 16 bytes but not
 * 256. Entry 16 h + l, by 16 entries for each h and for each l:
 *
 *      start[h]  +  (slope[h] * l + bend[h] * hump[l]) / 2^shift, rounded half up  +  bit h of row[l]
 *
 * The bit, 0 or 1, leaves the pieces some room: they only have to come near, and the entries are those of the table. */
#ifndef SAM_COMMON_CURVE_H
#define SAM_COMMON_CURVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sam_curve {
  uint8_t start[16];
  int8_t slope[16], bend[16];
  uint8_t row[2][16]; /* of h from 0, from 8 on */
  int32_t shift;
} sam_curve;

/* A parabola, about. Small numbers, so that `bend` can be told finely. */
#define SAM_CURVE_HUMP 0, 1, 3, 4, 5, 6, 6, 6, 6, 6, 6, 5, 4, 3, 1, 0

/* False if the table is not smooth enough. */
bool sam_curve_fit(sam_curve *curve, const uint8_t table[256]);

/* A table that is the larger of two straight lines, as those of LEAKY_RELU and RELU are, by products of 16 bits. Byte
 * x, after its upper bit is flipped where bytes are unsigned, gives
 *
 *      the larger of  round_half_up((256 x + fraction) * slope[i] / 2^15) + start[i],  i = 0, 1
 *
 * both in 16 bits with saturation, shifted down, saturated to 8 bits, and flipped back. */
typedef struct sam_lines {
  int16_t slope[2], start[2];
  uint8_t fraction, flip;
  int32_t shift;
} sam_lines;

static inline uint8_t sam_lines_at(const sam_lines *l, uint8_t byte) {
  int32_t y = -32768;
  for (int i = 0; i < 2; i++) {
    const int32_t argument = (int8_t)(uint8_t)(byte ^ l->flip) * 256 + l->fraction;
    const int32_t v = ((argument * l->slope[i] + (1 << 14)) >> 15) + l->start[i];
    y = v > y ? v : y;
  }
  y = (y > 32767 ? 32767 : y) >> l->shift;
  return (uint8_t)((uint8_t)(y < -128 ? -128 : y > 127 ? 127 : y) ^ l->flip);
}

/* The line above the byte `zero` (signed, after the flip) has about the slope `above`, that below it the slope `below`.
 * False if no such numbers give the table exactly. */
bool sam_lines_fit(sam_lines *lines, const uint8_t table[256], bool is_signed, int32_t zero, double above,
                   double below);

#endif
