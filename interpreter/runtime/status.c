/* Words for numbers, and the one place that fills a caller's error. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "schema_gen.h"

#ifndef SAMARA_VERSION
#define SAMARA_VERSION "0.0.0"
#endif

const char *sam_version(void) { return SAMARA_VERSION; }

const char *sam_status_name(sam_status status) {
  static const char *const names[] = {
      "OK",   "INVALID_MODEL", "UNSUPPORTED", "INVALID_ARGUMENT", "OUT_OF_MEMORY", "LIMIT",
      "DATA", "CANCELLED",     "IO",          "DEVICE",           "STATE",         "INTERNAL"};
  size_t i = (size_t)status;
  return i < sizeof names / sizeof *names ? names[i] : "?";
}

const char *sam_type_name(sam_type type) { return (size_t)type < SAM_TYPE_COUNT ? sam_schema_type_names[type] : "?"; }

int sam_type_bits(sam_type type) {
  static const uint8_t bits[SAM_TYPE_COUNT] = {
      [SAM_FLOAT32] = 32,     [SAM_FLOAT16] = 16, [SAM_INT32] = 32,     [SAM_UINT8] = 8,         [SAM_INT64] = 64,
      [SAM_BOOL] = 8,         [SAM_INT16] = 16,   [SAM_COMPLEX64] = 64, [SAM_INT8] = 8,          [SAM_FLOAT64] = 64,
      [SAM_COMPLEX128] = 128, [SAM_UINT64] = 64,  [SAM_UINT32] = 32,    [SAM_UINT16] = 16,       [SAM_INT4] = 4,
      [SAM_BFLOAT16] = 16,    [SAM_INT2] = 2,     [SAM_UINT4] = 4,      [SAM_FLOAT8_E4M3FN] = 8, [SAM_FLOAT8_E5M2] = 8};
  return (size_t)type < SAM_TYPE_COUNT ? bits[type] : 0;
}

void sam_options_init(sam_options *options) {
  memset(options, 0, sizeof *options);
  options->threads = 1;
  options->max_ops = 1000000;
  options->max_depth = 32;
  options->max_memory = UINT64_C(16) << 30;
}

/* Names come from the file: control characters are shown as '?', and a sequence of UTF-8 that the buffer's end cut in
 * two is dropped. */
static void clean(char *text, size_t size) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < 32 || text[i] == 127) text[i] = '?';
  if (length + 1 < size) return;
  size_t start = length;
  while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
  if (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0xC0) text[start - 1] = 0;
}

sam_status sam_error_set(sam_error *error, sam_status status, int32_t subgraph, int32_t node, int32_t tensor,
                         const char *format, ...) {
  if (!error) return status;
  error->status = status;
  error->subgraph = subgraph;
  error->node = node;
  error->tensor = tensor;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  clean(error->message, sizeof error->message);
  return status;
}
