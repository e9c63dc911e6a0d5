/* Mutates real models and runs them: load + prepare + invoke must end in an answer or an error within 10 seconds.
 *
 *     mutate [--seed N] [--only I] [--macs N] [--save FILE] [--verbose] COUNT MODEL…
 *
 * Plans of more multiply-adds than --macs (20 million) are prepared but not run.
 * Needs no fuzzer, but means most under AddressSanitizer and UndefinedBehaviorSanitizer. Input i depends only on the
 * seed, i and the list of models; when one crashes, the command that runs it alone is printed. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "run_model.h"
#include "schema_gen.h"

typedef struct model_file {
  const char *path;
  uint8_t *bytes;
  uint32_t *places; /* bytes worth changing: all but the insides of large constants */
  uint32_t *values; /* where scalar fields and elements of short vectors lie: changes there pass the verifier */
  size_t size, n_places, n_values;
} model_file;

static uint64_t state;
static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1Du;
}
static size_t below(size_t n) { return (size_t)((next_random() >> 11) % n); }

/* ---- What to print when something goes wrong ---- */

static uint64_t now_seed, now_index;
static const model_file *now_file;
static volatile int now_seconds;  /* of wall clock, for this input */
static volatile double now_start; /* CPU time when it began */

static void say_how_to_repeat(void) {
  char text[600];
  int n = snprintf(text, sizeof text, "\nrepeat with: mutate --seed %llu --only %llu … (model %s)\n",
                   (unsigned long long)now_seed, (unsigned long long)now_index, now_file ? now_file->path : "?");
  if (n > 0) (void)!write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void on_fault(int number) {
  say_how_to_repeat();
  signal(number, SIG_DFL);
  raise(number);
}

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Once a second: gives up after 10 seconds of work, RUN_SECONDS of which were enough to be cancelled. On a busy machine
 * the wall clock runs ahead of the work; without work, 600 seconds are a deadlock. */
static void on_alarm(int number) {
  (void)number;
  now_seconds++;
  double worked = cpu_seconds() - now_start;
  if (worked >= 10 || now_seconds >= 600) {
    static const char text[] = "\nhang: more than 10 seconds\n";
    (void)!write(2, text, sizeof text - 1);
    say_how_to_repeat();
    _exit(3);
  }
  alarm(1);
}

/* ---- Mutations ---- */

static bool read_file(const char *path, model_file *file) {
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  fseek(f, 0, SEEK_END);
  long size = ftell(f);
  fseek(f, 0, SEEK_SET);
  file->path = path;
  file->size = size > 0 ? (size_t)size : 0;
  void *bytes;
  bool good = file->size >= 64 && posix_memalign(&bytes, 16, file->size) == 0;
  if (good) {
    file->bytes = bytes;
    good = fread(bytes, 1, file->size, f) == file->size;
  }
  fclose(f);
  return good;
}

static void add_value(model_file *file, const uint8_t *at) {
  if (file->n_values < file->size) file->values[file->n_values++] = (uint32_t)(at - file->bytes);
}

static void find_values(model_file *file, int table, const uint8_t *at) {
  static const uint8_t wire_bytes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 4};
  const sam_schema_table *schema = &sam_schema_tables[table];
  for (int slot = 0; slot < schema->n_fields; slot++) {
    const sam_schema_field *field = &schema->fields[slot];
    const uint8_t *p = sam_fb_field(at, slot);
    if (!p) continue;
    if (field->kind == SAM_FIELD_SCALAR || field->kind == SAM_FIELD_TAG) {
      add_value(file, p);
    } else if (field->kind == SAM_FIELD_VECTOR) {
      sam_fb_vector vector = sam_fb_vector_of(at, slot);
      for (uint32_t i = 0; i < vector.count && vector.count <= 128; i++)
        add_value(file, vector.data + (size_t)i * wire_bytes[field->wire]);
    } else if (field->kind == SAM_FIELD_TABLE) {
      find_values(file, field->target, sam_fb_target(at, slot));
    } else if (field->kind == SAM_FIELD_TABLES) {
      sam_fb_vector vector = sam_fb_vector_of(at, slot);
      for (uint32_t i = 0; i < vector.count; i++) find_values(file, field->target, sam_fb_table_at(vector, i));
    } else if (field->kind == SAM_FIELD_UNION) {
      uint32_t tag = sam_fb_u8(at, slot - 1);
      if (tag > 0 && tag < (uint32_t)sam_schema_unions[field->target].n_members)
        find_values(file, sam_schema_unions[field->target].members[tag], sam_fb_target(at, slot));
    }
  }
}

/* Most bytes of a model are weights, where a change only changes the answer. */
static bool find_places(model_file *file) {
  uint8_t *dull = calloc(file->size, 1);
  file->places = malloc(file->size * sizeof *file->places);
  file->values = malloc(file->size * sizeof *file->values);
  if (!dull || !file->places || !file->values) return false;
  sam_model *model;
  sam_error error;
  if (sam_model_from_bytes(file->bytes, file->size, true, NULL, &model, &error)) {
    printf("%s: %s\n", file->path, error.message);
    free(dull);
    return false;
  }
  for (int32_t s = 0; s < sam_model_subgraph_count(model); s++) {
    sam_subgraph_info graph;
    sam_model_subgraph(model, s, &graph);
    for (int32_t t = 0; t < graph.n_tensors; t++) {
      sam_tensor_info tensor;
      sam_model_tensor(model, s, t, &tensor);
      const uint8_t *data = tensor.data;
      if (!data || tensor.data_bytes < 128 || data < file->bytes || data + tensor.data_bytes > file->bytes + file->size)
        continue;
      memset(dull + (data - file->bytes) + 64, 1, (size_t)tensor.data_bytes - 64);
    }
  }
  sam_model_free(model);
  for (size_t i = 0; i < file->size; i++)
    if (!dull[i]) file->places[file->n_places++] = (uint32_t)i;
  free(dull);
  find_values(file, SAM_TABLE_MODEL, file->bytes + sam_fb_load32(file->bytes));
  return true;
}

static size_t place(const model_file *file, size_t size, size_t align, size_t width) {
  size_t at = below(16) == 0                         ? below(file->size)
              : below(3) == 0 || file->n_values == 0 ? file->places[below(file->n_places)]
                                                     : file->values[below(file->n_values)];
  at -= at % align;
  return at + width <= size ? at : 0;
}

static size_t mutate(const model_file *file, uint8_t *bytes) {
  static const uint32_t extremes[] = {
      0,          1,          2,          3,          4,          7,          8,          15,
      16,         17,         31,         32,         64,         127,        128,        255,
      256,        1000,       32767,      32768,      65535,      65536,      0x00FFFFFF, 0x01000000,
      0x3FFFFFFF, 0x40000000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFF8, 0xFFFFFFFE,
      0xFFFFFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x00000001, 0x3F800000};
  size_t size = file->size;
  size_t rounds = 1 + below(below(4) == 0 ? 8 : 2);
  for (size_t r = 0; r < rounds; r++) {
    switch (below(12)) {
      case 0:
      case 1:
      case 2: { /* one bit */
        bytes[place(file, size, 1, 1)] ^= (uint8_t)(1u << below(8));
        break;
      }
      case 3:
      case 4:
      case 5: { /* a 32-bit extreme */
        uint32_t value = extremes[below(sizeof extremes / sizeof *extremes)];
        memcpy(bytes + place(file, size, 4, 4), &value, 4);
        break;
      }
      case 6: { /* another byte */
        bytes[place(file, size, 1, 1)] = (uint8_t)next_random();
        break;
      }
      case 7: { /* two words change places */
        size_t a = place(file, size, 4, 4), b = place(file, size, 4, 4);
        uint32_t x, y;
        memcpy(&x, bytes + a, 4);
        memcpy(&y, bytes + b, 4);
        memcpy(bytes + a, &y, 4);
        memcpy(bytes + b, &x, 4);
        break;
      }
      case 8: { /* a word becomes a little more or less */
        size_t a = place(file, size, 4, 4);
        uint32_t x;
        memcpy(&x, bytes + a, 4);
        x += (uint32_t)below(9) - 4;
        memcpy(bytes + a, &x, 4);
        break;
      }
      case 9: { /* a 16-bit extreme, for vtables */
        static const uint16_t shorts[] = {0, 1, 2, 4, 6, 8, 12, 16, 255, 32767, 65535};
        memcpy(bytes + place(file, size, 2, 2), &shorts[below(sizeof shorts / sizeof *shorts)], 2);
        break;
      }
      case 10: { /* a word is copied elsewhere */
        size_t a = place(file, size, 4, 4), b = place(file, size, 4, 4);
        memmove(bytes + a, bytes + b, 4);
        break;
      }
      default: /* truncation */
        if (below(4) == 0) size = below(3) == 0 ? below(size) : size - below(size < 256 ? size : 256);
        if (size < 64) return size;
        break;
    }
  }
  return size;
}

int main(int argc, char **argv) {
  uint64_t seed = 1, count = 0;
  long long only = -1;
  const char *save = NULL;
  bool verbose = false;
  int i = 1;
  for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
    if (strcmp(argv[i], "--verbose") == 0)
      verbose = true;
    else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
      seed = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
      only = strtoll(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--macs") == 0 && i + 1 < argc)
      run_max_macs = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--save") == 0 && i + 1 < argc)
      save = argv[++i];
  }
  if (i + 1 >= argc) {
    fprintf(stderr, "usage: mutate [--seed N] [--only I] [--macs N] [--save FILE] [--verbose] COUNT MODEL…\n");
    return 2;
  }
  count = strtoull(argv[i++], NULL, 10);
  model_file *files = calloc((size_t)(argc - i) + 1, sizeof *files);
  size_t n = 0, largest = 0;
  for (; i < argc; i++) {
    if (!read_file(argv[i], &files[n]) || !find_places(&files[n])) {
      fprintf(stderr, "%s: not used\n", argv[i]);
      continue;
    }
    if (files[n].size > largest) largest = files[n].size;
    n++;
  }
  if (n == 0) return 2;
  now_seed = seed;
  signal(SIGALRM, on_alarm);
  if (__sanitizer_set_death_callback) {
    __sanitizer_set_death_callback(say_how_to_repeat);
  } else {
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    signal(SIGFPE, on_fault);
  }
  signal(SIGABRT, on_fault);
  uint64_t ends[RUN_ENDS] = {0}, start = only >= 0 ? (uint64_t)only : 0, stop = only >= 0 ? start + 1 : count;
  double slowest = 0;
  alarm(1);
  for (now_index = start; now_index < stop; now_index++) {
    state = (seed * 0x9E3779B97F4A7C15u) ^ ((now_index + 1) * 0xD6E8FEB86659FD93u);
    for (int k = 0; k < 4; k++) next_random();
    now_file = &files[below(n)];
    void *bytes;
    if (posix_memalign(&bytes, 16, now_file->size) != 0) return 2;
    memcpy(bytes, now_file->bytes, now_file->size);
    size_t size = mutate(now_file, bytes);
    if (size < now_file->size) { /* exactly as large as it claims, so that the sanitizer sees every byte past it */
      void *shorter;
      if (posix_memalign(&shorter, 16, size ? size : 1) != 0) return 2;
      memcpy(shorter, bytes, size);
      free(bytes);
      bytes = shorter;
    }
    if (save) {
      FILE *f = fopen(save, "wb");
      if (f) {
        fwrite(bytes, 1, size, f);
        fclose(f);
      }
    }
    now_start = cpu_seconds();
    now_seconds = 0;
    run_end end = run_model(bytes, size);
    double seconds = cpu_seconds() - now_start;
    free(bytes);
    if (seconds > slowest) slowest = seconds;
    if (end < RUN_ENDS) ends[end]++;
    if (verbose) printf("%llu %s: %d, %.3f s\n", (unsigned long long)now_index, now_file->path, (int)end, seconds);
  }
  alarm(0);
  printf(
      "%llu inputs of %zu models: %llu refused, %llu not prepared, %llu too much work, %llu failed in invoke, "
      "%llu answered; slowest %.2f s\n",
      (unsigned long long)(stop - start), n, (unsigned long long)ends[RUN_REFUSED],
      (unsigned long long)ends[RUN_NOT_PREPARED], (unsigned long long)ends[RUN_TOO_MUCH_WORK],
      (unsigned long long)ends[RUN_FAILED], (unsigned long long)ends[RUN_ANSWERED], slowest);
  for (size_t k = 0; k < n; k++) {
    free(files[k].bytes);
    free(files[k].places);
    free(files[k].values);
  }
  free(files);
  return 0;
}
