/* Load + prepare + invoke on bytes that may be anything, with small limits. Shared by the libFuzzer target and the
 * mutation driver. */
#ifndef SAMARA_RUN_MODEL_H
#define SAMARA_RUN_MODEL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "samara.h"

typedef enum run_end { RUN_REFUSED, RUN_NOT_PREPARED, RUN_TOO_MUCH_WORK, RUN_FAILED, RUN_ANSWERED, RUN_ENDS } run_end;

/* The session being run, so that the timer can cancel it: endless loops of the model itself are fair. */
static _Atomic(sam_session *) run_session;

static void run_cancel(int number) {
  (void)number;
  sam_session *session = atomic_load(&run_session);
  if (session) sam_session_cancel(session);
}

/* From now on `seconds` of processor time until what runs is cancelled, then a quarter for each that follows. */
static void run_timer(long seconds) {
  const struct itimerval timer = {.it_value = {.tv_sec = seconds}, .it_interval = {.tv_usec = seconds ? 250000 : 0}};
  signal(SIGVTALRM, run_cancel);
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

/* Huge but honest work is no hang: a plan of more multiply-adds, or of more bytes than this and a half, is not run. */
static uint64_t run_max_macs = 20000000;

/* Processor time for a model, then its runs are cancelled. */
enum { RUN_SECONDS = 4 };

/* Strings "", "a", "", "a", … in the packed form of types.h. */
static size_t run_strings(uint8_t *bytes, uint64_t n) {
  int32_t end = (int32_t)(4 * (n + 2)), count = (int32_t)n;
  memcpy(bytes, &count, 4);
  memcpy(bytes + 4, &end, 4);
  for (uint64_t i = 0; i < n; i++) {
    if (i % 2) bytes[end++] = 'a';
    memcpy(bytes + 8 + 4 * i, &end, 4);
  }
  return (size_t)end;
}

/* Inputs get small repeating values: valid for every type, and useful as indices too. */
static void run_fill(sam_session *session, int32_t tensor) {
  sam_tensor_view view;
  uint64_t n = 1, most = UINT64_C(1) << 28;
  if (sam_session_tensor(session, tensor, &view, NULL) || view.bytes > most) return;
  for (int32_t i = 0; i < view.rank && n <= most; i++) n *= (uint64_t)view.shape[i];
  if (view.type == SAM_STRING && n > most / 8) return;
  uint8_t *bytes = malloc((size_t)(view.type == SAM_STRING ? 8 * n : view.bytes) + 8);
  if (!bytes) return;
  size_t size = view.type == SAM_STRING ? run_strings(bytes, n) : (size_t)view.bytes;
  const size_t width = view.type == SAM_INT32 || view.type == SAM_FLOAT32 ? 4 : view.type == SAM_INT64 ? 8 : 1;
  for (uint64_t i = 0; view.type != SAM_STRING && i < size; i++)
    bytes[i] = width == 1 ? (uint8_t)(i % 7 == 0) : (uint8_t)(i % width == 0 && i / width % 2);
  for (uint64_t i = 0; view.type == SAM_FLOAT32 && i + 4 <= size; i += 4) {
    float value = (float)((i / 4) % 17) * 0.125f - 1.0f;
    memcpy(bytes + i, &value, 4);
  }
  sam_session_write(session, tensor, bytes, size, NULL);
  free(bytes);
}

static run_end run_subgraph(sam_model *model, int32_t subgraph, const sam_options *options) {
  sam_session *session;
  sam_error error;
  if (sam_session_create(model, subgraph, options, &session, &error)) return RUN_NOT_PREPARED;
  run_end end = RUN_NOT_PREPARED;
  if (sam_session_prepare(session, &error) == SAM_OK) {
    uint64_t macs = 0, bytes = 0;
    for (int32_t i = 0; i < sam_session_step_count(session); i++) {
      sam_step_info step;
      if (sam_session_step(session, i, &step)) continue;
      macs += step.macs;
      bytes += step.bytes;
    }
    end = RUN_TOO_MUCH_WORK;
    if (macs < run_max_macs && bytes < run_max_macs * 3 / 2) {
      for (int32_t i = 0; sam_session_input(session, i) >= 0; i++) run_fill(session, sam_session_input(session, i));
      atomic_store(&run_session, session);
      end = sam_session_invoke(session, &error) ? RUN_FAILED : RUN_ANSWERED;
      if (end == RUN_ANSWERED) end = sam_session_invoke(session, &error) ? RUN_FAILED : RUN_ANSWERED;
      atomic_store(&run_session, NULL);
      unsigned sum = 0;
      for (int32_t i = 0; end == RUN_ANSWERED && sam_session_output(session, i) >= 0; i++) {
        sam_tensor_view view;
        if (sam_session_tensor(session, sam_session_output(session, i), &view, NULL) || !view.data) continue;
        for (uint64_t k = 0; k < view.bytes; k++) sum += ((const uint8_t *)view.data)[k]; /* all of it is readable */
      }
      if (sum == 0xFFFFFFFFu) abort();
    }
  }
  sam_session_free(session);
  return end;
}

/* `data` is 16-byte aligned. Answers how far the main subgraph came; the first few others are run too. */
static run_end run_model(const uint8_t *data, size_t size) {
  sam_options options;
  sam_options_init(&options);
  options.max_memory = UINT64_C(256) << 20;
  options.max_ops = 10000;
  sam_model *model;
  sam_error error;
  memset(&error, 0xFF, sizeof error);
  if (sam_model_from_bytes(data, size, true, &options, &model, &error)) {
    if (!memchr(error.message, 0, sizeof error.message) || !error.message[0]) abort(); /* every refusal has a reason */
    return RUN_REFUSED;
  }
  run_end end = RUN_ENDS;
  int32_t n = sam_model_subgraph_count(model);
  run_timer(RUN_SECONDS);
  for (int32_t i = 0; i < n && i < 4; i++) {
    run_end this_end = run_subgraph(model, i, &options);
    if (i == 0) end = this_end;
  }
  run_timer(0);
  sam_model_free(model);
  return end;
}

#endif
