/* classify MODEL INPUT: runs a model on the raw bytes in INPUT and prints its five best answers.
 *
 *     cc classify.c $(pkg-config --cflags --libs samara) -o classify */
#include <samara.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  sam_model *model = NULL;
  sam_session *session = NULL;
  sam_error error = {SAM_OK, -1, -1, -1, "usage: classify MODEL INPUT"};
  sam_tensor_view in, out;
  FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
  if (argc == 3 && !file) snprintf(error.message, sizeof error.message, "%s: cannot be opened", argv[2]);
  if (!file || sam_model_open(argv[1], NULL, &model, &error) ||
      sam_session_create(model, 0, NULL, &session, &error) || sam_session_prepare(session, &error) ||
      sam_session_tensor(session, sam_session_input(session, 0), &in, &error)) {
    fprintf(stderr, "classify: %s\n", error.message);
    return 1;
  }
  size_t bytes = fread(in.data, 1, in.bytes, file);
  fclose(file);
  if (bytes != in.bytes) {
    fprintf(stderr, "classify: %s: %zu bytes, the input has %zu\n", argv[2], bytes, (size_t)in.bytes);
    return 1;
  }
  if (sam_session_invoke(session, &error) ||
      sam_session_tensor(session, sam_session_output(session, 0), &out, &error)) {
    fprintf(stderr, "classify: %s\n", error.message);
    return 1;
  }
  /* Scores of a quantized output are compared as they are: dequantizing does not change their order. */
  int n = out.type == SAM_FLOAT32 ? (int)(out.bytes / 4) : (int)out.bytes;
  char *printed = calloc((size_t)n + 1, 1);
  for (int rank = 0; rank < 5 && rank < n; rank++) {
    double best = 0;
    int answer = -1;
    for (int i = 0; i < n; i++) {
      double score = out.type == SAM_FLOAT32 ? ((float *)out.data)[i]
                     : out.type == SAM_INT8  ? ((int8_t *)out.data)[i]
                                             : ((uint8_t *)out.data)[i];
      if (!printed[i] && (answer < 0 || score > best)) best = score, answer = i;
    }
    printed[answer] = 1;
    printf("%d %g\n", answer, best);
  }
  free(printed);
  sam_session_free(session);
  sam_model_free(model);
  return 0;
}
