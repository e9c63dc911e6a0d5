/* A session through the public header alone, on the digits network of the repository. */
#include "samara.h"
#include "test.h"

static sam_error error;

#define OK(call)                                                                \
  do {                                                                          \
    error.message[0] = 0;                                                       \
    sam_status status_ = (call);                                                \
    test_checks++;                                                              \
    if (status_ != SAM_OK && test_failures++ < 20)                              \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, error.message);      \
  } while (0)

/* The call must fail with this status and a message that contains `part`. */
#define FAILS(call, status, part)                                                          \
  do {                                                                                     \
    error.message[0] = 0;                                                                  \
    EXPECT_EQ(call, status);                                                               \
    test_checks++;                                                                         \
    if (!strstr(error.message, part) && test_failures++ < 20)                              \
      printf("%s:%d: message is \"%s\", expected \"%s\"\n", __FILE__, __LINE__, error.message, part); \
  } while (0)

static void fill(sam_session *session, int32_t input, unsigned seed) {
  sam_tensor_view view;
  OK(sam_session_tensor(session, input, &view, &error));
  unsigned char *bytes = malloc(view.bytes);
  for (uint64_t i = 0; i < view.bytes; i++) bytes[i] = (unsigned char)((i * 2654435761u + seed * 40503u) >> 7);
  OK(sam_session_write(session, input, bytes, view.bytes, &error));
  free(bytes);
}

static void answer(sam_session *session, unsigned seed, unsigned char *out, uint64_t bytes) {
  fill(session, sam_session_input(session, 0), seed);
  OK(sam_session_invoke(session, &error));
  OK(sam_session_read(session, sam_session_output(session, 0), out, bytes, &error));
}

static void test_calls(sam_model *model) {
  sam_session *session = NULL;
  OK(sam_session_create(model, 0, NULL, &session, &error));
  if (!session) return;
  int32_t in = sam_session_input(session, 0), out = sam_session_output(session, 0);
  EXPECT(in >= 0 && out >= 0);
  EXPECT_EQ(sam_session_input(session, 1), -1);
  EXPECT_EQ(sam_session_input(session, -1), -1);
  sam_tensor_view view;
  OK(sam_session_tensor(session, out, &view, &error));
  const uint64_t bytes = view.bytes;
  unsigned char first[256], again[256];
  EXPECT(bytes > 0 && bytes <= sizeof first);
  answer(session, 1, first, bytes);

  /* Errors leave everything usable. */
  FAILS(sam_session_tensor(session, 9999, &view, &error), SAM_INVALID_ARGUMENT, "tensor 9999");
  FAILS(sam_session_write(session, out, first, bytes, &error), SAM_INVALID_ARGUMENT, "neither an input nor a variable");
  FAILS(sam_session_write(session, in, first, 3, &error), SAM_INVALID_ARGUMENT, "3 were given");
  FAILS(sam_session_read(session, out, again, bytes + 1, &error), SAM_INVALID_ARGUMENT, "the buffer has");
  int32_t negative[4] = {-1, 8, 8, 1}, huge[4] = {2000000000, 8, 8, 1}, wrong[4] = {1, 9, 8, 77};
  FAILS(sam_session_resize(session, in, 4, negative, false, &error), SAM_INVALID_ARGUMENT, "dimension 0 is -1");
  FAILS(sam_session_resize(session, in, 4, huge, false, &error), SAM_LIMIT, "max_memory");
  FAILS(sam_session_resize(session, in, 9, huge, false, &error), SAM_INVALID_ARGUMENT, "9 dimensions");
  FAILS(sam_session_resize(session, out, 4, wrong, false, &error), SAM_INVALID_ARGUMENT, "only inputs");
  FAILS(sam_session_create(model, 7, NULL, &session, &error), SAM_INVALID_ARGUMENT, "subgraph 7");
  OK(sam_session_tensor(session, in, &view, &error));
  int32_t shape[8];
  memcpy(shape, view.shape, sizeof shape);
  shape[1] += 4; /* the network's RESHAPE wants the file's size */
  OK(sam_session_resize(session, in, view.rank, shape, false, &error));
  FAILS(sam_session_invoke(session, &error), SAM_INVALID_MODEL, "RESHAPE");
  EXPECT(strstr(error.message, "node ") == error.message && error.node >= 0);
  shape[1] -= 4;
  OK(sam_session_resize(session, in, view.rank, shape, false, &error));
  answer(session, 1, again, bytes);
  EXPECT(memcmp(first, again, bytes) == 0);

  /* Cancelling takes effect once. */
  sam_session_cancel(session);
  FAILS(sam_session_invoke(session, &error), SAM_CANCELLED, "cancelled");
  OK(sam_session_invoke(session, &error));

  sam_memory_info memory;
  OK(sam_session_memory(session, &memory));
  EXPECT(memory.arena > 0 && memory.model > 1000);
  sam_session_free(session);
}

static void test_options(sam_model *model) {
  sam_options options;
  sam_session *session = NULL;
  unsigned char first[256], other[256];
  sam_tensor_view view;
  OK(sam_session_create(model, 0, NULL, &session, &error));
  if (!session) return;
  OK(sam_session_tensor(session, sam_session_output(session, 0), &view, &error));
  answer(session, 5, first, view.bytes);
  sam_session_free(session);

  sam_options_init(&options);
  options.threads = 3;
  options.keep_all = options.profile = options.no_fusion = true;
  OK(sam_session_create(model, 0, &options, &session, &error));
  if (!session) return;
  answer(session, 5, other, view.bytes);
  EXPECT(memcmp(first, other, view.bytes) == 0);
  uint64_t macs = 0;
  EXPECT(sam_session_step_count(session) > 3);
  for (int32_t i = 0; i < sam_session_step_count(session); i++) {
    sam_step_info step;
    OK(sam_session_step(session, i, &step));
    EXPECT_EQ(step.calls, 1);
    EXPECT(step.op != NULL && step.name != NULL && step.bytes > 0);
    macs += step.macs;
  }
  EXPECT(macs > 1000);
  sam_subgraph_info graph;
  OK(sam_model_subgraph(model, 0, &graph));
  for (int32_t i = 0; i < graph.n_tensors; i++) {
    sam_tensor_view inner;
    OK(sam_session_tensor(session, i, &inner, &error));
    EXPECT(inner.data != NULL);
  }
  sam_session_free(session);

  sam_options_init(&options);
  options.max_memory = 100;
  FAILS(sam_session_create(model, 0, &options, &session, &error), SAM_LIMIT, "max_memory");
  sam_options_init(&options);
  options.max_ops = 2;
  FAILS(sam_session_create(model, 0, &options, &session, &error), SAM_LIMIT, "max_ops");
  sam_options_init(&options);
  options.device = "abacus";
  FAILS(sam_session_create(model, 0, &options, &session, &error), SAM_DEVICE, "abacus");
  options.device = "cpu";
  options.threads = -1;
  FAILS(sam_session_create(model, 0, &options, &session, &error), SAM_INVALID_ARGUMENT, "threads is -1");
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : SAMARA_SOURCE_DIR "/examples/digits/digits_int8.tflite";
  sam_model *model;
  OK(sam_model_open(path, NULL, &model, &error));
  if (test_failures) return test_result();
  test_calls(model);
  test_options(model);
  sam_model_free(model);
  return test_result();
}
