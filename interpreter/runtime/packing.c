/* Repacked weights, made once per model and shared by its sessions. Keyed by where the weights lie and how they are
 * laid out; an open hash table under one mutex (taken in prepare only).
 *
 * They lie one after the other in one region, which is address space only until they are written: about as many bytes
 * as the file has will be. What does not fit gets memory of its own. Packs of a weight cache lie in its mapped file. */
#include <string.h>

#include "mutex.h"
#include "session.h"
#include "weight_cache.h"

enum { LEAST_REGION = 64 << 10 };

typedef struct pack {
  const void *source;
  uint64_t variant;
  size_t bytes;
  const void *data;
  enum { IN_REGION, OWN, MAPPED } where;
  bool lasting; /* may go into a file: the source lies in the model's bytes */
} pack;

struct sam_pack_cache {
  sam_mutex mutex;
  pack *table;
  size_t count, capacity; /* capacity is a power of two, or 0 */
  uint64_t bytes;
  size_t expected;
  char *region; /* NULL until it is needed, and where there is none */
  size_t region_bytes, region_used;
  const sam_model *model;
  struct sam_cache_file *file; /* NULL: no weight cache */
  bool stale;                  /* packs were made that the file does not have */
  uint64_t mapped, written;    /* bytes: of packs in use that lie in the file, of the file this process wrote */
  char problem[512];           /* why the file could not be written; then it is not tried again */
};

sam_status sam_pack_cache_create(const sam_model *model, const char *path, struct sam_pack_cache **result,
                                 sam_error *error) {
  struct sam_pack_cache *cache = sam_calloc(1, sizeof *cache);
  if (!cache) return sam_error_set(error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for the model");
  sam_mutex_init(&cache->mutex);
  cache->model = model;
  if (model->size >= LEAST_REGION && model->size <= SIZE_MAX / 8) cache->expected = model->size;
  const sam_status status = path ? sam_cache_file_open(path, model, &cache->file, error) : SAM_OK;
  if (status == SAM_OK)
    *result = cache;
  else
    sam_pack_cache_free(cache);
  return status;
}

void sam_pack_cache_free(struct sam_pack_cache *cache) {
  if (!cache) return;
  for (size_t i = 0; i < cache->capacity; i++)
    if (cache->table[i].where == OWN) sam_free_aligned((void *)(uintptr_t)cache->table[i].data);
  sam_cache_file_close(cache->file);
  if (cache->region) sam_unmap(cache->region, cache->region_bytes);
  sam_free(cache->table);
  sam_mutex_destroy(&cache->mutex);
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

static void *place(struct sam_pack_cache *cache, size_t bytes, pack *entry) {
  if (cache->expected && !cache->region) {
    cache->region_bytes = 2 * cache->expected; /* padding, and layouts that repeat weights */
    cache->region = sam_map(cache->region_bytes, cache->expected);
    if (!cache->region) cache->expected = 0;
  }
  const bool own = !cache->region || bytes > cache->region_bytes - cache->region_used;
  entry->where = own ? OWN : IN_REGION;
  if (own) { /* as empty as the region: gaps that nobody fills are the same in every file, and show no old memory */
    void *alone = sam_malloc_aligned(bytes ? bytes : 1);
    return alone ? memset(alone, 0, bytes) : NULL;
  }
  void *data = cache->region + cache->region_used;
  cache->region_used += (bytes + 63) / 64 * 64;
  if (cache->region_used > cache->region_bytes) cache->region_used = cache->region_bytes;
  return data;
}

/* Where the source lies in the model file. */
static uint64_t offset_of(const struct sam_pack_cache *cache, const void *source) {
  return (uint64_t)((uintptr_t)source - (uintptr_t)cache->model->bytes);
}

static const void *from_file(const struct sam_pack_cache *cache, pack *entry) {
  if (!cache->file || !entry->lasting) return NULL;
  entry->where = MAPPED;
  return sam_cache_file_find(cache->file, offset_of(cache, entry->source), entry->variant, entry->bytes);
}

const void *sam_pack_cache_get(struct sam_pack_cache *cache, const void *source, uint64_t variant, size_t bytes,
                               bool lasting, sam_pack_fn fill, const void *arg) {
  const void *result = NULL;
  sam_mutex_lock(&cache->mutex);
  if (cache->count * 2 < cache->capacity || grow(cache)) {
    pack *entry = find(cache->table, cache->capacity, source, variant, bytes);
    if (!entry->data) {
      pack made = {.source = source, .variant = variant, .bytes = bytes};
      made.lasting = lasting && offset_of(cache, source) < cache->model->size;
      made.data = from_file(cache, &made);
      if (made.data) {
        cache->mapped += bytes;
      } else {
        void *data = place(cache, bytes, &made);
        if (data) fill(data, arg);
        made.data = data;
        cache->stale |= made.lasting;
      }
      if (made.data) {
        *entry = made;
        cache->count++;
        cache->bytes += bytes;
      }
    }
    result = entry->data;
  }
  sam_mutex_unlock(&cache->mutex);
  return result;
}

/* All packs that may last: those in use, and those of the file that nobody asked for so far, if they are sound and the
 * file stays within MOST times the model. NULL: out of memory. */
static sam_cache_pack *lasting_packs(struct sam_pack_cache *cache, size_t *n) {
  enum { MOST = 4 };
  sam_cache_pack p;
  size_t most = cache->count;
  while (sam_cache_file_pack(cache->file, most - cache->count, &p)) most++;
  sam_cache_pack *packs = sam_calloc(most, sizeof *packs);
  if (!packs) return NULL;
  uint64_t bytes = 0;
  *n = 0;
  for (size_t i = 0; i < cache->capacity; i++) {
    const pack *e = &cache->table[i];
    if (!e->data || !e->lasting) continue;
    packs[(*n)++] = (sam_cache_pack){offset_of(cache, e->source), e->variant, e->bytes, e->data};
    bytes += e->bytes;
  }
  for (size_t i = 0; sam_cache_file_pack(cache->file, i, &p); i++) {
    const void *source = cache->model->bytes + p.source;
    if (find(cache->table, cache->capacity, source, p.variant, (size_t)p.bytes)->data) continue;
    if (bytes + p.bytes > MOST * (uint64_t)cache->model->size) continue;
    if (!sam_cache_file_find(cache->file, p.source, p.variant, p.bytes)) continue;
    packs[(*n)++] = p;
    bytes += p.bytes;
  }
  return packs;
}

void sam_pack_cache_store(struct sam_pack_cache *cache) {
  if (!cache->file) return;
  sam_mutex_lock(&cache->mutex);
  if ((cache->stale || sam_cache_file_lacks_stamp(cache->file)) && !*cache->problem) {
    size_t n;
    sam_cache_pack *packs = lasting_packs(cache, &n);
    if (packs) sam_cache_file_write(cache->file, packs, n, &cache->written, cache->problem, sizeof cache->problem);
    if (!cache->stale) *cache->problem = 0; /* only a stamp is missing: not worth a word */
    cache->stale = cache->stale && !packs;
    sam_free(packs);
  }
  sam_mutex_unlock(&cache->mutex);
}

void sam_pack_cache_info(struct sam_pack_cache *cache, sam_weight_cache_info *info) {
  sam_mutex_lock(&cache->mutex);
  *info = (sam_weight_cache_info){.path = cache->file ? sam_cache_file_path(cache->file) : NULL,
                                  .mapped = cache->mapped,
                                  .packed = cache->bytes - cache->mapped,
                                  .written = cache->written,
                                  .problem = *cache->problem ? cache->problem : NULL};
  sam_mutex_unlock(&cache->mutex);
}

uint64_t sam_pack_cache_bytes(struct sam_pack_cache *cache) {
  sam_mutex_lock(&cache->mutex);
  uint64_t bytes = cache->bytes;
  sam_mutex_unlock(&cache->mutex);
  return bytes;
}
