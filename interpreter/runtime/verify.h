/* Proof that bytes are a well-formed flatbuffer of our schema. */
#ifndef SAM_RUNTIME_VERIFY_H
#define SAM_RUNTIME_VERIFY_H

#include "samara.h"

/* After SAM_OK every accessor of flatbuffer.h is safe on everything reachable from the root table, and `*root` is that
 * table. `bytes` may be anything; the error says what a file of another format is and what to do with it. */
sam_status sam_verify(const uint8_t *bytes, size_t size, const uint8_t **root, sam_error *error);

#endif
