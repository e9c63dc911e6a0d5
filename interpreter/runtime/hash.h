/* A hash of contents: tells files apart that differ by chance. It is no defence against somebody who wants two to be
 * alike. */
#ifndef SAM_RUNTIME_HASH_H
#define SAM_RUNTIME_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct sam_hash {
  uint64_t a, b;
} sam_hash;

/* `seed`: the hash of what lies before, or zeros. */
sam_hash sam_hash_of(const void *data, size_t bytes, sam_hash seed);

#endif
