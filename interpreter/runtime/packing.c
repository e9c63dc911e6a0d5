/* Repacked weights, made once per model and shared by its sessions. Keyed by where the weights lie and how they are
 * laid out; an open hash table under one mutex (taken in prepare only). */
#include <pthread.h>
#include <string.h>

#include "session.h"

typedef struct pack {
  const void *source;
  uint64_t variant;
  size_t bytes;
  void *data;
} pack;

struct sam_pack_cache {
  pthread_mutex_t mutex;
  pack *table;
  size_t count, capacity; /* capacity is a power of two, or 0 */
  uint64_t bytes;
};

struct sam_pack_cache *sam_pack_cache_create(void) {
  struct sam_pack_cache *cache = sam_calloc(1, sizeof *cache);
  if (cache) pthread_mutex_init(&cache->mutex, NULL);
  return cache;
}

void sam_pack_cache_free(struct sam_pack_cache *cache) {
  if (!cache) return;
  for (size_t i = 0; i < cache->capacity; i++) sam_free_aligned(cache->table[i].data);
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

const void *sam_pack_cache_get(struct sam_pack_cache *cache, const void *source, uint64_t variant, size_t bytes,
                               sam_pack_fn fill, const void *arg) {
  const void *result = NULL;
  pthread_mutex_lock(&cache->mutex);
  if (cache->count * 2 < cache->capacity || grow(cache)) {
    pack *entry = find(cache->table, cache->capacity, source, variant, bytes);
    if (!entry->data) {
      void *data = sam_malloc_aligned(bytes ? bytes : 1);
      if (data) {
        fill(data, arg);
        *entry = (pack){source, variant, bytes, data};
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
