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

#endif
