/* All memory of the runtime goes through here, so that a test can make the n-th allocation fail. */
#ifndef SAM_RUNTIME_ALLOC_H
#define SAM_RUNTIME_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *sam_malloc(size_t bytes);
void *sam_calloc(size_t count, size_t size); /* NULL on overflow too */
void sam_free(void *memory);
/* 64-byte aligned; freed by sam_free_aligned only. */
void *sam_malloc_aligned(size_t bytes);
void sam_free_aligned(void *memory);

/* Zeroed memory for one large thing, 64-byte aligned. It costs memory only where it is touched. The first `dense` bytes
 * are those that will be touched for certain: they come in huge pages where the system has some, the rest of them all
 * at once, as a fault for every 4 KiB is what loading a model would spend most of its time on. */
void *sam_map(size_t bytes, size_t dense);
void sam_unmap(void *memory, size_t bytes); /* the same `bytes` */
/* Tells the system that this part of a mapped file is about to be read, or will hardly be read again. Hints. */
void sam_file_ahead(const void *data, size_t bytes);
void sam_file_done(const void *data, size_t bytes);

/* Whether files can be mapped. */
#if defined(_WIN32) || defined(__wasm__)
#define SAM_MAPS_FILES 0
#else
#define SAM_MAPS_FILES 1
#endif

/* Many small arrays that are freed at once: `blocks` starts as NULL. Zeroed, 16-byte aligned; a valid pointer for 0. */
struct sam_block;
void *sam_block_alloc(struct sam_block **blocks, size_t bytes);
void sam_blocks_free(struct sam_block *blocks);

/* For tests: the allocation after `countdown` more fails, once; negative: none does. */
void sam_alloc_fail_after(int64_t countdown);
/* Whether one has failed since then. */
bool sam_alloc_has_failed(void);

#endif
