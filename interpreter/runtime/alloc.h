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

/* Many small arrays that are freed at once: `blocks` starts as NULL. Zeroed, 16-byte aligned; a valid pointer for 0. */
struct sam_block;
void *sam_block_alloc(struct sam_block **blocks, size_t bytes);
void sam_blocks_free(struct sam_block *blocks);

/* For tests: the allocation after `countdown` more fails, once; negative: none does. */
void sam_alloc_fail_after(int64_t countdown);
/* Whether one has failed since then. */
bool sam_alloc_has_failed(void);

#endif
