/* What the runtime costs without Python: opening a file, planning a session, the first answer, and every answer after.
 *
 *     bench_runtime [-1] MODEL...   pin it: taskset -c 1 bench_runtime net.tflite; -1: the first round only
 *
 * Opens each model several times; times are of the first and of the fastest round. "packed" and "weights" are the bytes
 * of repacked weights and of the constants of the file. */
#include <time.h>

#include "samara.h"
#include "test.h"

enum { ROUNDS = 5 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* not wall time: other processes do not count */
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t constant_bytes(const sam_model *model) {
  uint64_t bytes = 0;
  for (int32_t g = 0; g < sam_model_subgraph_count(model); g++) {
    sam_subgraph_info graph;
    if (sam_model_subgraph(model, g, &graph) != SAM_OK) return bytes;
    for (int32_t t = 0; t < graph.n_tensors; t++) {
      sam_tensor_info info;
      if (sam_model_tensor(model, g, t, &info) == SAM_OK) bytes += info.data_bytes;
    }
  }
  return bytes;
}

/* Best seconds of one invoke. */
static double steady(sam_session *session, sam_error *error) {
  double best = 1e9, once = now();
  if (sam_session_invoke(session, error) != SAM_OK) return -1;
  once = now() - once;
  int repeats = once > 1e-3 ? 1 : (int)(1e-3 / (once + 1e-9)) + 1;
  for (int round = 0; round < 20; round++) {
    double begin = now();
    for (int i = 0; i < repeats; i++)
      if (sam_session_invoke(session, error) != SAM_OK) return -1;
    double each = (now() - begin) / repeats;
    best = each < best ? each : best;
  }
  return best;
}

typedef struct cost {
  double open, plan, answer;
} cost;

static sam_status once(const char *path, cost *c, double *steady_seconds, sam_memory_info *memory, uint64_t *weights,
                       sam_error *error) {
  sam_model *model;
  sam_session *session = NULL;
  double begin = now();
  sam_status status = sam_model_open(path, NULL, &model, error);
  if (status != SAM_OK) return status;
  c->open = now() - begin;
  status = sam_session_create(model, 0, NULL, &session, error);
  c->plan = now() - begin - c->open;
  if (status == SAM_OK) status = sam_session_invoke(session, error);
  c->answer = now() - begin - c->open - c->plan;
  if (status == SAM_OK) {
    if (steady_seconds) *steady_seconds = steady(session, error);
    sam_session_memory(session, memory);
    *weights = constant_bytes(model);
  }
  sam_session_free(session);
  sam_model_free(model);
  return status;
}

static double least(double a, double b) { return a < b ? a : b; }

int main(int argc, char **argv) {
  const bool first_only = argc > 1 && strcmp(argv[1], "-1") == 0;
  const int rounds = first_only ? 0 : ROUNDS;
  printf("%-40s %25s %25s %10s %10s %10s\n", "model", "first: open plan run ms", "best: open plan run ms", "invoke us",
         "packed", "weights");
  for (int i = first_only ? 2 : 1; i < argc; i++) {
    sam_error error = {.message = ""};
    cost first, best;
    sam_memory_info memory;
    uint64_t weights;
    double seconds = 0;
    sam_status status = once(argv[i], &first, NULL, &memory, &weights, &error);
    best = first;
    for (int round = 0; round < rounds && status == SAM_OK; round++) {
      cost c;
      status = once(argv[i], &c, round == rounds - 1 ? &seconds : NULL, &memory, &weights, &error);
      best = (cost){least(c.open, best.open), least(c.plan, best.plan), least(c.answer, best.answer)};
    }
    const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
    if (status != SAM_OK)
      printf("%-40s %s\n", name, error.message);
    else
      printf("%-40s %9.2f %7.2f %7.2f %9.2f %7.2f %7.2f %10.2f %10llu %10llu\n", name, first.open * 1e3,
             first.plan * 1e3, first.answer * 1e3, best.open * 1e3, best.plan * 1e3, best.answer * 1e3, seconds * 1e6,
             (unsigned long long)memory.packed, (unsigned long long)weights);
  }
  return 0;
}
