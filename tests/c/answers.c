/* Prints a hash of what each integer model among the arguments answers to fixed random inputs, so that two machines can
 * be compared: `answers *.tflite | diff - other`. Models with float tensors, and those that do not load, are left out. */
#include "samara.h"
#include "test.h"

static bool has_floats(const sam_model *model) {
  for (int32_t g = 0; g < sam_model_subgraph_count(model); g++) {
    sam_subgraph_info graph;
    if (sam_model_subgraph(model, g, &graph) != SAM_OK) return true;
    for (int32_t t = 0; t < graph.n_tensors; t++) {
      sam_tensor_info info;
      if (sam_model_tensor(model, g, t, &info) != SAM_OK) return true;
      if (info.type == SAM_FLOAT32 || info.type == SAM_FLOAT16 || info.type == SAM_FLOAT64) return true;
    }
  }
  return false;
}

static sam_status answer(sam_model *model, const char *name, sam_error *error) {
  sam_session *session;
  sam_status status = sam_session_create(model, 0, NULL, &session, error);
  if (status != SAM_OK) return status;
  sam_tensor_view view;
  for (int32_t i = 0, t; (t = sam_session_input(session, i)) >= 0 && status == SAM_OK; i++) {
    status = sam_session_tensor(session, t, &view, error);
    unsigned char *bytes = malloc(view.bytes + 1);
    for (uint64_t b = 0; b < view.bytes; b++) bytes[b] = (unsigned char)(test_random() >> 32);
    if (status == SAM_OK) status = sam_session_write(session, t, bytes, view.bytes, error);
    free(bytes);
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (int round = 0; round < 2 && status == SAM_OK; round++) { /* twice: models may have state */
    status = sam_session_invoke(session, error);
    for (int32_t i = 0, t; (t = sam_session_output(session, i)) >= 0 && status == SAM_OK; i++) {
      status = sam_session_tensor(session, t, &view, error);
      for (uint64_t b = 0; b < view.bytes; b++) hash = (hash ^ ((const unsigned char *)view.data)[b]) * 0x100000001b3u;
    }
  }
  if (status == SAM_OK) printf("%016llx %s\n", (unsigned long long)hash, name);
  sam_session_free(session);
  return status;
}

int main(int argc, char **argv) {
  fprintf(stderr, "level: %s\n", sam_isa());
  for (int i = 1; i < argc; i++) {
    sam_error error;
    sam_model *model;
    if (sam_model_open(argv[i], NULL, &model, &error) != SAM_OK) continue;
    test_state = 0x9E3779B97F4A7C15u;
    if (!has_floats(model) && answer(model, argv[i], &error) != SAM_OK) printf("%s: %s\n", argv[i], error.message);
    sam_model_free(model);
  }
  return 0;
}
