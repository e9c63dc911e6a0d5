#include "backend.h"

#include <string.h>


static sam_status cpu_create(sam_session *session, void **state, sam_error *error) {
  (void)session;
  (void)error;
  *state = NULL;
  return SAM_OK;
}
static void cpu_destroy(void *state) { (void)state; }
static void *cpu_alloc(void *state, size_t bytes) {
  (void)state;
  return sam_malloc_aligned(bytes);
}
static void cpu_free(void *state, void *memory) {
  (void)state;
  sam_free_aligned(memory);
}
static sam_status cpu_upload(void *state, void *device, const void *host, size_t bytes) {
  (void)state;
  if (device != host && bytes) memcpy(device, host, bytes);
  return SAM_OK;
}
static bool cpu_supports(void *state, const sam_step *step) {
  (void)state;
  (void)step; /* prepare has the last word on types */
  return true;
}
static sam_status cpu_prepare(void *state, sam_session *session, sam_segment segment, sam_error *error) {
  (void)state;
  (void)session;
  (void)segment;
  (void)error;
  return SAM_OK;
}

static sam_status cancelled(sam_session *session, const sam_step *step, const char *where, sam_error *error) {
  atomic_store(&session->cancel, false);
  return sam_error_set(error, SAM_CANCELLED, step->subgraph, step->node.index, -1, "cancelled %s node %d %s", where,
                       (int)step->node.index, step->source->name);
}

static sam_status cpu_run(void *state, sam_session *session, sam_segment segment, sam_error *error) {
  (void)state;
  sam_run run;
  sam_run_init(&run, session, error, true);
  const bool profile = session->options.profile;
  for (int32_t i = segment.begin; i < segment.end; i++) {
    sam_step *step = &session->steps[i];
    if (!sam_step_leads(step)) continue;
    if (atomic_load_explicit(&session->cancel, memory_order_relaxed)) return cancelled(session, step, "before", error);
    run.step = step;
    run.ctx.node = &step->node;
    uint64_t start = profile ? sam_now_ns() : 0;
    if (step->late) SAM_TRY(sam_plan_late(&run, step));
    SAM_TRY(step->node.eval(&run.ctx, &step->node));
    if (run.cut) return cancelled(session, step, "in", error);
    if (profile) {
      step->ns += sam_now_ns() - start;
      step->calls++;
    }
  }
  return SAM_OK;
}

const sam_backend sam_backend_cpu = {.name = "cpu",
                                     .create = cpu_create,
                                     .destroy = cpu_destroy,
                                     .alloc = cpu_alloc,
                                     .free = cpu_free,
                                     .upload = cpu_upload,
                                     .download = cpu_upload,
                                     .supports = cpu_supports,
                                     .prepare = cpu_prepare,
                                     .run = cpu_run};

static const sam_backend *const backends[] = {&sam_backend_cpu};

sam_status sam_backend_find(const char *name, const sam_backend **backend, sam_error *error) {
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
    if (name && strcmp(name, backends[i]->name) != 0) continue;
    *backend = backends[i];
    return SAM_OK;
  }
  return sam_error_set(error, SAM_DEVICE, -1, -1, -1, "device \"%s\" is not available; this build has: cpu", name);
}
