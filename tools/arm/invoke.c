/* Samara: runs a model N times on fixed random inputs and does nothing else: `invoke [--allow-fp16] MODEL N`. With this
 * program linked statically, two counts of its instructions differ by exactly what the invokes need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samara.h"

/* Bytes of the input; floats in [-1, 1). Multiplicative congruential, so that no libc decides what they are. */
static void fill(sam_type type, unsigned char *bytes, size_t size) {
  uint64_t state = 0x9E3779B97F4A7C15u;
  for (size_t i = 0; i < size; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = (unsigned char)(state >> 56);
  }
  if (type != SAM_FLOAT32) return;
  for (size_t i = 0; i + 4 <= size; i += 4) *(float *)(void *)(bytes + i) = (float)(bytes[i] - 128) / 128.0f;
}

static int failed(const sam_error *error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[1], "--allow-fp16") != 0)) return 2;
  sam_error error;
  sam_options options;
  sam_options_init(&options);
  options.allow_fp16 = argc == 4;
  sam_model *model;
  sam_session *session;
  if (sam_model_open(argv[argc - 2], NULL, &model, &error)) return failed(&error);
  if (sam_session_create(model, 0, &options, &session, &error)) return failed(&error);
  for (int32_t i = 0, t; (t = sam_session_input(session, i)) >= 0; i++) {
    sam_tensor_view view;
    if (sam_session_tensor(session, t, &view, &error)) return failed(&error);
    unsigned char *bytes = aligned_alloc(64, (view.bytes + 64) / 64 * 64);
    if (!bytes) return 1;
    fill(view.type, bytes, view.bytes);
    if (sam_session_write(session, t, bytes, view.bytes, &error)) return failed(&error);
    free(bytes);
  }
  for (int n = atoi(argv[argc - 1]); n > 0; n--)
    if (sam_session_invoke(session, &error)) return failed(&error);
  return 0;
}
