/* Load, create, resize-free prepare and invoke, with the n-th allocation failing, for every n: each run must end in
 * SAM_OUT_OF_MEMORY (or in the answer, once no allocation is left to fail) and leak nothing. A weight cache that cannot
 * be read or written for want of memory may also be done without. */
#include <unistd.h>

#include "alloc.h"
#include "samara.h"
#include "test.h"
#include "tiny_model.h"

static uint8_t *bytes;
static size_t size;
static const char *cache; /* path of a weight cache, NULL: none */
static bool anew;         /* each run writes it */

static sam_status run(int32_t threads, sam_error *error) {
  if (anew) unlink(cache);
  sam_options options;
  sam_options_init(&options);
  options.threads = threads;
  options.weight_cache = cache;
  sam_model *model;
  sam_status status = sam_model_from_bytes(bytes, size, false, &options, &model, error);
  if (status) return status;
  sam_session *session;
  status = sam_session_create(model, 0, &options, &session, error);
  sam_model_free(model);
  if (status) return status;
  status = sam_session_prepare(session, error);
  if (!status) status = sam_session_invoke(session, error);
  sam_session_free(session);
  return status;
}

static void sweep(const char *name, int32_t threads) {
  sam_error error = {0};
  sam_alloc_fail_after(-1);
  sam_status status = run(threads, &error);
  EXPECT_EQ(status, SAM_OK);
  if (status) {
    printf("%s: %s\n", name, error.message);
    return;
  }
  int64_t n = 0;
  for (; n < 1000000; n++) {
    sam_alloc_fail_after(n);
    status = run(threads, &error);
    bool failed = sam_alloc_has_failed();
    sam_alloc_fail_after(-1);
    if (!failed) break;
    if (status != SAM_OUT_OF_MEMORY && !(cache && status == SAM_OK)) {
      printf("%s, allocation %lld: %s, \"%s\"\n", name, (long long)n, sam_status_name(status), error.message);
      EXPECT(false);
    }
    EXPECT(true);
  }
  EXPECT(n > 5);
  printf("%s, %d threads: %lld allocations\n", name, (int)threads, (long long)n);
}

static void sweep_file(const char *path) {
  FILE *file = fopen(path, "rb");
  EXPECT(file != NULL);
  if (!file) return;
  bytes = malloc(8 << 20);
  size = fread(bytes, 1, 8 << 20, file);
  fclose(file);
  sweep(path, 1);
  free(bytes);
}

/* With a weight cache that every run writes, then with one that is there. */
static void sweep_cached(const char *path) {
  char folder[] = "/tmp/samara-alloc-XXXXXX", name[64];
  EXPECT(mkdtemp(folder) != NULL);
  snprintf(name, sizeof name, "%s/weights", folder);
  cache = name;
  anew = true;
  sweep_file(path);
  EXPECT(access(name, R_OK) == 0);
  anew = false;
  sweep_file(path);
  unlink(name);
  EXPECT_EQ(rmdir(folder), 0); /* no temporary file is left */
  cache = NULL;
}

int main(int argc, char **argv) {
  tiny t;
  tiny_build(&t);
  bytes = t.bytes;
  size = t.size;
  sweep("tiny", 1);
  sweep("tiny", 2);
  sweep_file(SAMARA_SOURCE_DIR "/examples/digits/digits_float.tflite");
  sweep_file(SAMARA_SOURCE_DIR "/examples/digits/digits_int8.tflite");
  sweep_cached(SAMARA_SOURCE_DIR "/examples/digits/digits_int8.tflite");
  for (int i = 1; i < argc; i++) sweep_file(argv[i]);
  return test_result();
}
