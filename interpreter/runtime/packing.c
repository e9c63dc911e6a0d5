/* Repacked weights, made once per model and shared by its sessions. Keyed by where the weights lie and how they are
 * laid out; an open hash table under one mutex (taken in prepare only).
 *
 * They lie one after the other in one region, which is address space only until they are written: about as many bytes
 * as the file has will be. What does not fit gets memory of its own. */
#include <pthread.h>
#include <string.h>

#include "session.h"

enum { LEAST_REGION = 64 << 10 };

typedef struct pack {
  const void *source;
  uint64_t variant;
  size_t bytes;
  void *data;
  bool own; /* not in the region */
} pack;

struct sam_pack_cache {
  pthread_mutex_t mutex;
  pack *table;
  size_t count, capacity; /* capacity is a power of two, or 0 */
  uint64_t bytes;
  size_t expected;
  char *region; /* NULL until it is needed, and where there is none */
  size_t region_bytes, region_used;
};

struct sam_pack_cache *sam_pack_cache_create(size_t expected) {
  struct sam_pack_cache *cache = sam_calloc(1, sizeof *cache);
  if (!cache) return NULL;
  pthread_mutex_init(&cache->mutex, NULL);
  if (expected >= LEAST_REGION && expected <= SIZE_MAX / 8) cache->expected = expected;
  return cache;
}

void sam_pack_cache_free(struct sam_pack_cache *cache) {
  if (!cache) return;
  for (size_t i = 0; i < cache->capacity; i++)
    if (cache->table[i].own) sam_free_aligned(cache->table[i].data);
  if (cache->region) sam_unmap(cache->region, cache->region_bytes);
  sam_free(cache->table);
  pthread_mutex_destroy(&cache->mutex);
  sam_free(cache);
}

static pack *find(pack *table, size_t capacity, const void *source, uint64_t variant, size_t bytes) {
  uint64_t hash = ((uint64_t)(uintptr_t)source ^ variant * 0x9E3779B97F4A7C15u ^ bytes) * 0xD6E8FEB86659FD93u;
  size_t i = (size_t)(hash >> 20) & (capacity - 1);
  while (table[i].data && !(table[i].source == source && table[i].variant == variant && table[i].bytes == bytes))
    i = (i + 1) & (capacity - 1);
  return &table[i];
}

static bool grow(struct sam_pack_cache *cache) {
  size_t capacity = cache->capacity ? cache->capacity * 2 : 64;
  pack *table = sam_calloc(capacity, sizeof *table);
  if (!table) return false;
  for (size_t i = 0; i < cache->capacity; i++) {
    const pack *old = &cache->table[i];
    if (old->data) *find(table, capacity, old->source, old->variant, old->bytes) = *old;
  }
  sam_free(cache->table);
  cache->table = table;
  cache->capacity = capacity;
  return true;
}

static void *place(struct sam_pack_cache *cache, size_t bytes, bool *own) {
  if (cache->expected && !cache->region) {
    cache->region_bytes = 2 * cache->expected; /* padding, and layouts that repeat weights */
    cache->region = sam_map(cache->region_bytes, cache->expected);
    if (!cache->region) cache->expected = 0;
  }
  *own = !cache->region || bytes > cache->region_bytes - cache->region_used;
  if (*own) return sam_malloc_aligned(bytes ? bytes : 1);
  void *data = cache->region + cache->region_used;
  cache->region_used += (bytes + 63) / 64 * 64;
  if (cache->region_used > cache->region_bytes) cache->region_used = cache->region_bytes;
  return data;
}

const void *sam_pack_cache_get(struct sam_pack_cache *cache, const void *source, uint64_t variant, size_t bytes,
                               sam_pack_fn fill, const void *arg) {
  const void *result = NULL;
  pthread_mutex_lock(&cache->mutex);
  if (cache->count * 2 < cache->capacity || grow(cache)) {
    pack *entry = find(cache->table, cache->capacity, source, variant, bytes);
    if (!entry->data) {
      bool own;
      void *data = place(cache, bytes, &own);
      if (data) {
        fill(data, arg);
        *entry = (pack){source, variant, bytes, data, own};
        cache->count++;
        cache->bytes += bytes;
      }
    }
    result = entry->data;
  }
  pthread_mutex_unlock(&cache->mutex);
  return result;
}

uint64_t sam_pack_cache_bytes(struct sam_pack_cache *cache) {
  pthread_mutex_lock(&cache->mutex);
  uint64_t bytes = cache->bytes;
  pthread_mutex_unlock(&cache->mutex);
  return bytes;
}
