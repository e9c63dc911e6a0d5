/* The weight cache: the same answers with and without it, whatever state its file is in. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "samara.h"
#include "test.h"
#include "ukernels/ukernels.h"
#include "weight_cache.h"

#define DIGITS SAMARA_SOURCE_DIR "/examples/digits/digits_int8.tflite"
enum { ANSWER = 256 };

static char folder[] = "/tmp/samara-cache-XXXXXX", path[64];
static sam_error error;

typedef struct content {
  unsigned char *bytes;
  size_t size;
} content;

static content read_file(const char *name) {
  content c = {NULL, 0};
  FILE *file = fopen(name, "rb");
  if (!file) return c;
  fseek(file, 0, SEEK_END);
  c.size = (size_t)ftell(file);
  c.bytes = malloc(c.size + 1);
  rewind(file);
  c.size = fread(c.bytes, 1, c.size, file);
  fclose(file);
  return c;
}

static void write_file(const char *name, const void *bytes, size_t size) {
  FILE *file = fopen(name, "wb");
  EXPECT(file && fwrite(bytes, 1, size, file) == size);
  if (file) fclose(file);
}

/* One answer of the model, with the weight cache at `cache` (NULL: none). */
static sam_status answer(content model, const char *cache, unsigned char *out, sam_weight_cache_info *info,
                         char *problem) {
  sam_options options;
  sam_options_init(&options);
  options.weight_cache = cache;
  sam_model *opened = NULL;
  sam_session *session = NULL;
  error.message[0] = 0;
  memset(out, 0, ANSWER);
  sam_status status = sam_model_from_bytes(model.bytes, model.size, false, &options, &opened, &error);
  if (!status) status = sam_session_create(opened, 0, &options, &session, &error);
  if (!status) {
    sam_tensor_view in, result;
    EXPECT_EQ(sam_session_tensor(session, sam_session_input(session, 0), &in, NULL), SAM_OK);
    EXPECT_EQ(sam_session_tensor(session, sam_session_output(session, 0), &result, NULL), SAM_OK);
    for (uint64_t i = 0; i < in.bytes; i++) ((unsigned char *)in.data)[i] = (unsigned char)(i * 2654435761u >> 7);
    status = sam_session_invoke(session, &error);
    if (!status && result.bytes <= ANSWER) memcpy(out, result.data, result.bytes);
  }
  if (opened) EXPECT_EQ(sam_model_weight_cache(opened, info), SAM_OK);
  if (problem) snprintf(problem, 512, "%s", opened && info->problem ? info->problem : "");
  sam_session_free(session);
  sam_model_free(opened);
  return status;
}

static content model, whole; /* the network, and its cache file as it should be */
static unsigned char expected[ANSWER];

/* The answer is right and the file sound afterwards, however it was. `anew`: it must not have been used. */
static void expect_right(bool anew, const char *what, size_t at) {
  unsigned char out[ANSWER];
  sam_weight_cache_info info = {0};
  const int failures = test_failures;
  EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
  EXPECT(memcmp(out, expected, ANSWER) == 0);
  EXPECT(info.problem == NULL);
  if (anew) EXPECT(info.mapped == 0 && info.packed > 0);
  EXPECT(info.written == whole.size);
  content now = read_file(path);
  EXPECT(now.size == whole.size && memcmp(now.bytes, whole.bytes, now.size) == 0);
  free(now.bytes);
  if (test_failures > failures && failures < 20) printf("  %s, %zu: %s\n", what, at, error.message);
}

static void test_written_and_mapped(void) {
  unsigned char out[ANSWER];
  sam_weight_cache_info info = {0};
  EXPECT_EQ(answer(model, NULL, expected, &info, NULL), SAM_OK);
  EXPECT(info.path == NULL && info.mapped == 0 && info.packed > 0 && info.written == 0);
  const uint64_t packed = info.packed;
  EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
  EXPECT(memcmp(out, expected, ANSWER) == 0);
  EXPECT(info.mapped == 0 && info.packed == packed && info.written > packed);
  whole = read_file(path);
  EXPECT_EQ(whole.size, info.written);
  EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
  EXPECT(memcmp(out, expected, ANSWER) == 0);
  EXPECT(info.mapped == packed && info.packed == 0 && info.written == 0);
}

static void test_damage(void) {
  unsigned char *copy = malloc(whole.size);
  sam_cache_header h;
  memcpy(&h, whole.bytes, sizeof h);
  const size_t front = sizeof h + h.packs * sizeof(sam_cache_entry);
  for (size_t at = 0; at < front; at++) {
    memcpy(copy, whole.bytes, whole.size);
    copy[at] = (unsigned char)(copy[at] ^ (1u << at % 8));
    write_file(path, copy, whole.size);
    expect_right(true, "flipped", at);
  }
  for (uint32_t i = 0; i < h.packs; i++) { /* in a pack: the others are used */
    sam_cache_entry e;
    memcpy(&e, whole.bytes + sizeof h + i * sizeof e, sizeof e);
    memcpy(copy, whole.bytes, whole.size);
    copy[e.place + e.bytes * 3 / 4] ^= 16;
    write_file(path, copy, whole.size);
    expect_right(h.packs == 1, "pack flipped", i);
  }
  for (size_t size = 0; size < whole.size; size += size < front + 16 ? 1 : 509) {
    write_file(path, whole.bytes, size);
    expect_right(true, "cut", size);
  }
  memcpy(copy, whole.bytes, whole.size);
  content longer = {malloc(whole.size + 64), whole.size + 64};
  memcpy(longer.bytes, whole.bytes, whole.size);
  memset(longer.bytes + whole.size, 7, 64);
  write_file(path, longer.bytes, longer.size);
  expect_right(true, "longer", longer.size);
  memset(copy, 0, whole.size);
  write_file(path, copy, whole.size);
  expect_right(true, "zeros", 0);
  free(longer.bytes);
  free(copy);
}

/* Files with right hashes and wrong contents. Answers may be wrong; the process must live, under sanitizers too. */
static void test_forged(void) {
  unsigned char *copy = malloc(whole.size), out[ANSWER];
  sam_cache_header h;
  const size_t begin = sizeof h;
  int ran = 0;
  for (int i = 0; i < 800; i++) {
    memcpy(copy, whole.bytes, whole.size);
    memcpy(&h, copy, sizeof h);
    const size_t front = h.packs * sizeof(sam_cache_entry);
    for (int k = test_int(1, 8); k > 0; k--) {
      const size_t at = i % 3 == 0   ? offsetof(sam_cache_header, packs) + (size_t)test_int(0, 83)
                        : i % 3 == 1 ? begin + (size_t)test_int(0, (int32_t)front - 1)
                                     : begin + front + (size_t)test_int(0, (int32_t)(whole.size - begin - front) - 1);
      const int32_t odd[] = {0, 1, 255, 127, 128, test_int(0, 255)};
      copy[at] = (unsigned char)odd[test_int(0, 5)];
    }
    memcpy(&h, copy, sizeof h);
    if (h.packs <= front / sizeof(sam_cache_entry)) {
      for (uint32_t p = 0; p < h.packs; p++) {
        sam_cache_entry e;
        memcpy(&e, copy + begin + p * sizeof e, sizeof e);
        if (e.place > whole.size || e.bytes > whole.size - e.place) continue;
        e.hash = sam_hash_of(copy + e.place, (size_t)e.bytes, (sam_hash){0, 0});
        memcpy(copy + begin + p * sizeof e, &e, sizeof e);
      }
      h.directory = sam_hash_of(copy + begin, h.packs * sizeof(sam_cache_entry), (sam_hash){0, 0});
    }
    h.self = sam_hash_of(&h, offsetof(sam_cache_header, self), (sam_hash){0, 0});
    memcpy(copy, &h, sizeof h);
    write_file(path, copy, whole.size);
    sam_weight_cache_info info;
    const sam_status status = answer(model, path, out, &info, NULL);
    EXPECT(status == SAM_OK || status == SAM_INVALID_MODEL);
    ran += !status && info.mapped > 0;
  }
  EXPECT(ran > 130); /* the files did get through */
  free(copy);
  unlink(path);
}

static void test_other_models_and_levels(void) {
  unsigned char out[ANSWER], right[ANSWER];
  sam_weight_cache_info info;
  content changed = {malloc(model.size), model.size};
  memcpy(changed.bytes, model.bytes, model.size);
  int differ = 0;
  for (size_t at = model.size / 4; at < model.size; at += model.size / 7) {
    changed.bytes[at] ^= 64; /* mostly a weight; all of them stay */
    const sam_status status = answer(changed, NULL, right, &info, NULL);
    EXPECT_EQ(answer(changed, path, out, &info, NULL), status);
    if (!status) EXPECT(info.mapped == 0);
    EXPECT(memcmp(out, right, ANSWER) == 0);
    differ += memcmp(right, expected, ANSWER) != 0;
  }
  EXPECT(differ > 0);
  free(changed.bytes);
  const char *name;
  for (int i = 0; (name = sam_isa_name(i, NULL)) != NULL; i++) {
    if (!sam_isa_force(name)) continue;
    EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
    EXPECT(info.mapped == 0 && info.written > 0);
    EXPECT(memcmp(out, expected, ANSWER) == 0); /* integers: the same on all */
    EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
    EXPECT(info.packed == 0 && info.mapped > 0);
    EXPECT(memcmp(out, expected, ANSWER) == 0);
  }
  sam_isa_force(NULL);
}

static void test_paths(void) {
  unsigned char out[ANSWER];
  sam_weight_cache_info info;
  char name[128], problem[512];
  EXPECT_EQ(answer(model, folder, out, &info, NULL), SAM_IO);
  EXPECT(strstr(error.message, "regular file") != NULL);
  snprintf(name, sizeof name, "%s/notes.txt", folder);
  write_file(name, "my only copy", 12);
  EXPECT_EQ(answer(model, name, out, &info, NULL), SAM_IO);
  EXPECT(strstr(error.message, "no weight cache and would be overwritten") != NULL);
  content kept = read_file(name);
  EXPECT(kept.size == 12 && memcmp(kept.bytes, "my only copy", 12) == 0);
  free(kept.bytes);
  const char picture[4096] = {[4000] = 1}; /* data may begin with zeros */
  write_file(name, picture, sizeof picture);
  EXPECT_EQ(answer(model, name, out, &info, NULL), SAM_IO);
  kept = read_file(name);
  EXPECT(kept.size == sizeof picture && memcmp(kept.bytes, picture, sizeof picture) == 0);
  free(kept.bytes);
  unlink(name);
  snprintf(name, sizeof name, "%s/missing/net.cache", folder);
  EXPECT_EQ(answer(model, name, out, &info, problem), SAM_OK);
  EXPECT(strstr(problem, "cannot write the weight cache") != NULL);
  EXPECT(memcmp(out, expected, ANSWER) == 0);
  EXPECT(info.written == 0 && info.packed > 0);
  EXPECT_EQ(sam_model_weight_cache(NULL, &info), SAM_INVALID_ARGUMENT);
}

/* The file may go, or become another, while a model uses it. */
static void test_replaced_while_mapped(void) {
  unsigned char out[ANSWER];
  sam_weight_cache_info info;
  answer(model, path, out, &info, NULL);
  sam_options options;
  sam_options_init(&options);
  options.weight_cache = path;
  sam_model *opened = NULL;
  sam_session *first = NULL, *second = NULL;
  EXPECT_EQ(sam_model_open(DIGITS, &options, &opened, &error), SAM_OK);
  EXPECT_EQ(sam_session_create(opened, 0, &options, &first, &error), SAM_OK);
  unlink(path);
  EXPECT_EQ(answer(model, path, out, &info, NULL), SAM_OK);
  EXPECT(info.written > 0);
  EXPECT_EQ(sam_session_create(opened, 0, &options, &second, &error), SAM_OK);
  EXPECT_EQ(sam_session_invoke(first, &error), SAM_OK);
  EXPECT_EQ(sam_session_invoke(second, &error), SAM_OK);
  EXPECT_EQ(sam_model_weight_cache(opened, &info), SAM_OK);
  EXPECT(info.packed == 0 && info.mapped > 0 && strcmp(info.path, path) == 0);
  sam_session_free(first);
  sam_session_free(second);
  sam_model_free(opened);
}

static sam_cache_header header_of(const char *name) {
  sam_cache_header h = {.packs = 0};
  content file = read_file(name);
  if (file.size > sizeof h) memcpy(&h, file.bytes, sizeof h);
  free(file.bytes);
  return h;
}

static void change_header(const char *name, sam_cache_header h) {
  content file = read_file(name);
  h.self = sam_hash_of(&h, offsetof(sam_cache_header, self), (sam_hash){0, 0});
  memcpy(file.bytes, &h, sizeof h);
  write_file(name, file.bytes, file.size);
  free(file.bytes);
}

/* Opens a model file and plans a session: what became of its weight cache. */
static sam_weight_cache_info open_once(const char *name) {
  sam_options options;
  sam_options_init(&options);
  options.weight_cache = path;
  sam_model *opened = NULL;
  sam_session *session = NULL;
  sam_weight_cache_info info = {0};
  EXPECT_EQ(sam_model_open(name, &options, &opened, &error), SAM_OK);
  if (opened) EXPECT_EQ(sam_session_create(opened, 0, &options, &session, &error), SAM_OK);
  sam_model_weight_cache(opened, &info);
  sam_session_free(session);
  sam_model_free(opened);
  return info;
}

/* A model file that stays untouched is not read again; one that was touched is. */
static void test_stamp(void) {
  char copy[128];
  snprintf(copy, sizeof copy, "%s/net.tflite", folder);
  write_file(copy, model.bytes, model.size);
  unlink(path);
  EXPECT(open_once(copy).written > 0);
  EXPECT_EQ(header_of(path).stamp.changed, 0); /* too young */
  sam_weight_cache_info info = open_once(copy);
  EXPECT(info.mapped > 0 && info.packed == 0 && info.written == 0);
  sleep(3);
  info = open_once(copy); /* adds the stamp */
  EXPECT(info.mapped > 0 && info.packed == 0 && info.written > 0);
  sam_cache_header h = header_of(path);
  EXPECT(h.stamp.changed != 0);
  EXPECT(open_once(copy).written == 0);
  h.model.a ^= 1; /* a wrong hash does not matter while the stamp is right */
  change_header(path, h);
  info = open_once(copy);
  EXPECT(info.mapped > 0 && info.packed == 0 && info.written == 0);
  h.stamp.changed ^= 1;
  change_header(path, h);
  info = open_once(copy);
  EXPECT(info.mapped == 0 && info.written > 0);
  h = header_of(path);
  h.stamp.inode++; /* another file of the same content: read, and believed */
  change_header(path, h);
  info = open_once(copy);
  EXPECT(info.mapped > 0 && info.packed == 0 && info.written == 0);
  content changed = {malloc(model.size), model.size};
  memcpy(changed.bytes, model.bytes, model.size);
  changed.bytes[model.size / 2] ^= 1;
  write_file(copy, changed.bytes, changed.size); /* in place, the same size */
  info = open_once(copy);
  EXPECT(info.mapped == 0 && info.written > 0);
  free(changed.bytes);
  unlink(copy);
  unlink(path);
}

static void test_hash(void) {
  unsigned char bytes[300] = {0};
  sam_hash seen[301];
  for (size_t n = 0; n <= 300; n++) { /* zeros of different lengths differ */
    seen[n] = sam_hash_of(bytes, n, (sam_hash){0, 0});
    for (size_t k = 0; k < n; k++) EXPECT(seen[k].a != seen[n].a && seen[k].b != seen[n].b);
  }
  for (size_t bit = 0; bit < 8 * 300; bit++) {
    bytes[bit / 8] = (unsigned char)(1u << bit % 8);
    const sam_hash h = sam_hash_of(bytes, 300, (sam_hash){0, 0});
    EXPECT(h.a != seen[300].a && h.b != seen[300].b);
    bytes[bit / 8] = 0;
  }
}

int main(void) {
  if (!mkdtemp(folder)) return 77;
  snprintf(path, sizeof path, "%s/net.cache", folder);
  model = read_file(DIGITS);
  EXPECT(model.size > 0);
  test_hash();
  test_written_and_mapped();
  test_damage();
  test_replaced_while_mapped();
  test_other_models_and_levels();
  test_paths();
  test_stamp();
  test_forged();
  free(whole.bytes);
  free(model.bytes);
  EXPECT_EQ(rmdir(folder), 0); /* no temporary file is left */
  return test_result();
}
