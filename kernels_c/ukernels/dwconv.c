/* Packing of depthwise weights for every kernel layout. */
#include "ukernels/dwconv.h"

#include <string.h>

/* Where place i of a block of `width` channels lies. Interleaving the bytes of four rows within 16-byte pieces leaves
 * vector j of the four with channels 4j..4j+3 of each piece; two rows of 16-bit numbers the same with pieces of 8
 * channels and two vectors. */
static int64_t order_in_block(int32_t group, int64_t width, int64_t i) {
  if (group == 1) return i;
  const int64_t vector = i / (width / group), place = i % (width / group);
  return place / 4 * (4 * group) + vector * 4 + place % 4;
}

static int32_t parts_of(const sam_dw_packing *p) { return p->kernel->parts > 1 ? p->kernel->parts : 1; }

static int64_t vector_groups(const sam_dw_packing *p) {
  return sam_dw_rows(p->kernel, p->kh, p->stride) / p->kernel->group;
}

int64_t sam_dw_packed_channels(const sam_dw_packing *p) {
  int64_t n = 0, width;
  for (int64_t c = 0; c < p->channels; n += width) c = sam_dw_block(p->channels, c, p->kernel->block, &width) + width;
  return n;
}

int64_t sam_dw_packed_bytes(const sam_dw_packing *p) {
  return sam_dw_packed_channels(p) * p->kernel->rows * vector_groups(p) * p->kw * p->kernel->group *
         p->kernel->element * parts_of(p);
}

static int32_t source_channel(const sam_dw_packing *p, int64_t channel) {
  const int64_t c = channel % p->period;
  return c < p->filter_channels ? (int32_t)c : -1;
}

void sam_dw_order(const sam_dw_packing *p, int32_t *order) {
  int64_t width;
  for (int64_t c = 0; c < p->channels; c += width) {
    c = sam_dw_block(p->channels, c, p->kernel->block, &width);
    for (int64_t i = 0; i < width; i++) *order++ = source_channel(p, c + order_in_block(p->kernel->group, width, i));
  }
}

int32_t sam_dw_weight(const sam_dw_packing *p, int64_t at) {
  switch (p->source) {
    case SAM_DW_S8:
      return ((const int8_t *)p->filter)[at] - p->zero_point;
    case SAM_DW_U8:
      return ((const uint8_t *)p->filter)[at] - p->zero_point;
    case SAM_DW_S4: {
      const int32_t nibble = ((const uint8_t *)p->filter)[at / 2] >> (at % 2 * 4) & 15;
      return (nibble ^ 8) - 8 - p->zero_point;
    }
    default:
      return 0;
  }
}

/* Order: block, output row, group of input rows, column, channel, row in the group. */
void sam_dw_pack(void *dst, const sam_dw_packing *p) {
  const int32_t group = p->kernel->group, element = p->kernel->element;
  const int64_t groups = vector_groups(p);
  uint8_t *out = dst;
  memset(dst, 0, (size_t)sam_dw_packed_bytes(p));
  int64_t width;
  for (int64_t c = 0; c < p->channels; c += width) {
    c = sam_dw_block(p->channels, c, p->kernel->block, &width);
    for (int32_t plane = 0; plane < p->kernel->rows * parts_of(p); plane++)
      for (int64_t q = 0; q < groups; q++)
        for (int32_t kx = 0; kx < p->kw; kx++)
          for (int64_t i = 0; i < width; i++)
            for (int32_t t = 0; t < group; t++, out += element) {
              const int64_t ky = q * group + t - (int64_t)(plane % p->kernel->rows) * p->stride;
              const int32_t channel = source_channel(p, c + order_in_block(group, width, i));
              if (ky < 0 || ky >= p->kh || channel < 0) continue;
              const int64_t at = (ky * p->kw + kx) * p->filter_channels + channel;
              if (p->source == SAM_DW_F32) {
                memcpy(out, (const float *)p->filter + at, sizeof(float));
              } else if (element == 4) {
                const float weight = (float)sam_dw_weight(p, at) * p->scale[p->n_scales > 1 ? channel : 0];
                memcpy(out, &weight, sizeof weight);
              } else {
                int16_t weight = (int16_t)sam_dw_weight(p, at);
                if (parts_of(p) > 1) {
                  const int16_t first = weight > 127 ? 127 : weight < -128 ? -128 : weight;
                  weight = plane < p->kernel->rows ? first : (int16_t)(weight - first);
                }
                if (element == 1) *out = (uint8_t)weight;
                if (element == 2) memcpy(out, &weight, 2);
              }
            }
  }
}
