/* Packing of depthwise weights for every kernel layout. */
#include "ukernels/dwconv.h"

#include <string.h>

enum { SAM_DW_CHUNK = 64 };

/* Where place i of a block of `width` channels lies. Interleaving the bytes of four rows within 16-byte pieces leaves
 * vector j of the four with channels 4j..4j+3 of each piece; two rows of 16-bit numbers the same with pieces of 8
 * channels and two vectors. */
static int64_t order_in_block(int32_t group, int64_t width, int64_t i) {
  if (group == 1) return i;
  const int64_t vector = i / (width / group), place = i % (width / group);
  return place / 4 * (4 * group) + vector * 4 + place % 4;
}

static int32_t parts_of(const sam_dw_packing *p) { return p->kernel->parts > 1 ? p->kernel->parts : 1; }

/* Output rows whose weights are laid out one after the other: with stride 1, as many as a lane holds rows. */
static int32_t rows_of(const sam_dw_packing *p) {
  const int32_t group = p->kernel->group, rows = p->kernel->rows;
  return group == 1 || (p->stride == 1 && rows > group) ? group : rows;
}

static int64_t vector_groups(const sam_dw_packing *p) {
  return sam_dw_held(p->kernel->group, p->kh, rows_of(p), p->stride);
}

/* The block that continues at channel c: the first of its channels, and their number. */
static int64_t block_at(const sam_dw_packing *p, int64_t c, int64_t *width) {
  const int64_t lanes = p->kernel->lanes, left = p->channels - c;
  if (lanes == 0) return sam_dw_block(p->channels, c, p->kernel->block, width);
  *width = left < lanes ? left : lanes;
  return c;
}

int64_t sam_dw_packed_channels(const sam_dw_packing *p) {
  int64_t n = 0, width;
  for (int64_t c = 0; c < p->channels; n += width) c = block_at(p, c, &width) + width;
  return n;
}

int64_t sam_dw_packed_bytes(const sam_dw_packing *p) {
  return sam_dw_packed_channels(p) * rows_of(p) * vector_groups(p) * p->kw * p->kernel->group * p->kernel->element *
         parts_of(p);
}

static int32_t source_channel(const sam_dw_packing *p, int64_t channel) {
  const int64_t c = channel % p->period;
  return c < p->filter_channels ? (int32_t)c : -1;
}

void sam_dw_order(const sam_dw_packing *p, int32_t *order) {
  int64_t width;
  for (int64_t c = 0; c < p->channels; c += width) {
    c = block_at(p, c, &width);
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

/* The weights at filter positions at + channel[i]; 0 where channel[i] is -1. */
static void fetch(const sam_dw_packing *p, int64_t at, const int32_t *channel, int64_t n, int32_t *weights) {
  if (p->source == SAM_DW_S8) {
    const int8_t *filter = (const int8_t *)p->filter + at;
    for (int64_t i = 0; i < n; i++) weights[i] = channel[i] < 0 ? 0 : filter[channel[i]] - p->zero_point;
  } else {
    for (int64_t i = 0; i < n; i++) weights[i] = channel[i] < 0 ? 0 : sam_dw_weight(p, at + channel[i]);
  }
}

/* n weights of one filter position, `step` bytes apart. `rest`: what the first of two parts leaves over. */
static void put(const sam_dw_packing *p, int64_t at, const int32_t *channel, int64_t n, bool rest, uint8_t *out,
                int64_t step) {
  int32_t weights[SAM_DW_CHUNK];
  const int32_t element = p->kernel->element;
  if (p->source == SAM_DW_F32) {
    for (int64_t i = 0; i < n; i++)
      if (channel[i] >= 0) memcpy(out + i * step, (const float *)p->filter + at + channel[i], sizeof(float));
    return;
  }
  fetch(p, at, channel, n, weights);
  if (parts_of(p) > 1)
    for (int64_t i = 0; i < n; i++) {
      const int32_t first = weights[i] > 127 ? 127 : weights[i] < -127 ? -127 : weights[i];
      weights[i] = rest ? weights[i] - first : first;
    }
  for (int64_t i = 0; i < n; i++) {
    if (channel[i] < 0) continue;
    if (element == 1) out[i * step] = (uint8_t)weights[i];
    if (element == 2) memcpy(out + i * step, &(int16_t){(int16_t)weights[i]}, 2);
    if (element == 4) {
      const float weight = (float)weights[i] * p->scale[p->n_scales > 1 ? channel[i] : 0];
      memcpy(out + i * step, &weight, sizeof weight);
    }
  }
}

/* Order: block, output row, group of input rows, column, channel, row in the group. The last of an odd number of
 * rows that one output row meets in pairs: pair of columns, channel, column. */
void sam_dw_pack(void *dst, const sam_dw_packing *p) {
  const int32_t group = p->kernel->group, element = p->kernel->element, rows = rows_of(p);
  const int32_t planes = rows * parts_of(p);
  const int64_t groups = vector_groups(p);
  uint8_t *out = dst;
  memset(dst, 0, (size_t)sam_dw_packed_bytes(p));
  int64_t width;
  for (int64_t c = 0; c < p->channels; c += width) {
    c = block_at(p, c, &width);
    for (int64_t first = 0; first < width; first += SAM_DW_CHUNK) {
      const int64_t n = width - first < SAM_DW_CHUNK ? width - first : SAM_DW_CHUNK;
      int32_t channel[SAM_DW_CHUNK];
      for (int64_t i = 0; i < n; i++) channel[i] = source_channel(p, c + order_in_block(group, width, first + i));
      for (int32_t plane = 0; plane < planes; plane++)
        for (int64_t y = 0; y < groups * group; y++) {
          const int64_t ky = y - (int64_t)(plane % rows) * p->stride;
          if (ky < 0 || ky >= p->kh) continue;
          const bool along = group == 2 && p->kernel->rows == 1 && p->kh % 2 && ky == p->kh - 1;
          for (int32_t kx = 0; kx < p->kw; kx++) {
            int64_t at = (plane * groups + y / group) * p->kw + (along ? kx / group : kx);
            if (p->kernel->taps) at = p->kernel->taps[at];
            put(p, (ky * p->kw + kx) * p->filter_channels, channel, n, plane >= rows,
                out + ((at * width + first) * group + (along ? kx : y) % group) * element, (int64_t)group * element);
          }
        }
    }
    out += planes * groups * p->kw * width * group * element;
  }
}
