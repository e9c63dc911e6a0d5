#include "table.h"

/* Rounded, moved, clamped; NaN becomes the lowest value. */
static int32_t entry(float x, int32_t zero_point, int32_t lo, int32_t hi) {
  double q = (double)sam_round_away_f32(x) + zero_point;
  return q >= hi ? hi : q > lo ? (int32_t)q : lo;
}

void sam_table8_fill(uint8_t table[256], const sam_tensor *in, const sam_tensor *out, sam_real_fn f, const void *arg) {
  float scale = in->quant->scale[0], inverse = 1.0f / out->quant->scale[0];
  int32_t lo, hi, zero_in = in->quant->zero_point[0], zero_out = out->quant->zero_point[0];
  sam_type_range(in->type, &lo, &hi);
  for (int32_t q = lo; q <= hi; q++) {
    float x = scale * (float)(q - zero_in);
    float y = (float)f((double)x, arg);
    table[q & 255] = (uint8_t)entry(y * inverse, zero_out, lo, hi);
  }
}

static int16_t clamp16(float x) { return (int16_t)(x >= 32767.0f ? 32767 : x > -32768.0f ? (int32_t)x : -32768); }

void sam_table16_fill(int16_t table[SAM_TABLE16_SIZE], const sam_tensor *in, const sam_tensor *out, sam_real_fn f,
                      const void *arg) {
  float in_scale = in->quant->scale[0], out_scale = out->quant->scale[0];
  int32_t zero_in = in->quant->zero_point[0], zero_out = out->quant->zero_point[0];
  float in_lo = in_scale * (float)(-32768 - zero_in), in_hi = in_scale * (float)(32767 - zero_in);
  float out_lo = out_scale * (float)(-32768 - zero_out), out_hi = out_scale * (float)(32767 - zero_out);
  float step = (in_hi - in_lo) / 512.0f, half = step / 2, inverse = 65536.0f / (out_hi - out_lo);
  for (int32_t i = 0; i < 512; i++) {
    float at = in_lo + (float)i * step;
    float here = roundf((float)f((double)at, arg) * inverse);
    float next = (float)f((double)(in_lo + (float)(i + 1) * step), arg) * inverse;
    float middle = roundf((float)f((double)(at + half), arg) * inverse);
    float error = roundf((next + here) / 2) - middle;
    table[i] = clamp16(here - roundf(error / 2));
  }
  table[512] = clamp16(roundf((float)f((double)in_hi, arg) * inverse));
}

void sam_table16_fill_range(int16_t table[SAM_TABLE16_SIZE], double in_lo, double in_hi, double out_lo, double out_hi,
                            double (*f)(double)) {
  double step = (in_hi - in_lo) / 512, inverse = 65536.0 / (out_hi - out_lo);
  for (int32_t i = 0; i < 512; i++) {
    double here = sam_round_away(f(in_lo + i * step) * inverse);
    double interpolated = sam_round_away((f(in_lo + (i + 1) * step) * inverse + here) / 2);
    double error = interpolated - sam_round_away(f(in_lo + i * step + step / 2) * inverse);
    table[i] = clamp16((float)(here - sam_round_away(error / 2)));
  }
  table[512] = clamp16((float)sam_round_away(f(in_hi) * inverse));
}
