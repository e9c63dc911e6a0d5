/* Filling the caller's error. */
#ifndef SAM_RUNTIME_STATUS_H
#define SAM_RUNTIME_STATUS_H

#include "samara.h"

/* Writes one sentence into `error` (NULL: nowhere) and answers `status`. Indices that do not apply are -1. */
#if defined(__GNUC__)
__attribute__((format(printf, 6, 7)))
#endif
sam_status sam_error_set(sam_error *error, sam_status status, int32_t subgraph, int32_t node, int32_t tensor,
                         const char *format, ...);

#endif
