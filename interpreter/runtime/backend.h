/* A back end runs segments of the plan on one kind of device. The CPU is one of them, so the seam is used by everyone.
 *
 * The session asks `supports` for each step, cuts the plan into runs of consecutive steps of one back end, and moves
 * tensors between device memory and the host where a segment ends (upload, download; for the CPU both are nothing).
 * A back end that lives in a module of its own exports `const sam_backend *sam_backend_entry(void)`. */
#ifndef SAM_RUNTIME_BACKEND_H
#define SAM_RUNTIME_BACKEND_H

#include "session.h"

typedef struct sam_backend {
  const char *name; /* "cpu" */
  sam_status (*create)(sam_session *session, void **state, sam_error *error);
  void (*destroy)(void *state);
  void *(*alloc)(void *state, size_t bytes); /* device memory, 64-byte aligned; NULL when there is no more */
  void (*free)(void *state, void *memory);
  sam_status (*upload)(void *state, void *device, const void *host, size_t bytes);
  sam_status (*download)(void *state, void *host, const void *device, size_t bytes);
  bool (*supports)(void *state, const sam_step *step);
  /* Prepares steps [begin, end) as one unit: a captured graph, a compiled kernel. */
  sam_status (*prepare)(void *state, sam_session *session, sam_segment segment, sam_error *error);
  sam_status (*run)(void *state, sam_session *session, sam_segment segment, sam_error *error);
} sam_backend;

extern const sam_backend sam_backend_cpu;

/* By name, NULL meaning "cpu"; SAM_DEVICE with the names there are when it is none of them. */
sam_status sam_backend_find(const char *name, const sam_backend **backend, sam_error *error);

#endif
