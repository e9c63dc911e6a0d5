#include "weight_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "common/cpu.h"
#include "packing_id.h" /* made by the build: SAM_PACKING_ID, a hash of kernels_c */
#include "status.h"
#include "ukernels/ukernels.h"

#if !SAM_MAPS_FILES

sam_status sam_cache_file_open(const char *path, const sam_model *model, struct sam_cache_file **file,
                               sam_error *error) {
  (void)model, (void)file;
  return sam_error_set(error, SAM_UNSUPPORTED, -1, -1, -1,
                       "weight_cache is \"%.300s\"; this build cannot map weights from a file on this system", path);
}
/* So there is never a file: */
void sam_cache_file_close(struct sam_cache_file *file) { (void)file; }
const char *sam_cache_file_path(const struct sam_cache_file *file) { return (void)file, ""; }
const void *sam_cache_file_find(struct sam_cache_file *file, uint64_t source, uint64_t variant, uint64_t bytes) {
  return (void)file, (void)source, (void)variant, (void)bytes, NULL;
}
bool sam_cache_file_pack(const struct sam_cache_file *file, size_t i, sam_cache_pack *pack) {
  return (void)file, (void)i, (void)pack, false;
}
bool sam_cache_file_lacks_stamp(const struct sam_cache_file *file) { return (void)file, false; }
bool sam_cache_file_write(struct sam_cache_file *file, sam_cache_pack *packs, size_t n, uint64_t *written,
                          char *problem, size_t problem_bytes) {
  (void)file, (void)packs, (void)n, (void)written;
  if (problem_bytes) *problem = 0;
  return false;
}

#else
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 1, ALIGNMENT = 64, SLACK = 256 /* vector loads may pass the end */ };
enum { ORDER_MARK = 0x01020304, RUN = 4 << 20 /* of the model, mapped at a time */ };

static const char magic[8] = SAM_CACHE_MAGIC;

_Static_assert(sizeof(sam_cache_header) == 184 && sizeof(sam_cache_entry) == 48 &&
                   sizeof SAM_PACKING_ID == sizeof((sam_cache_header *)0)->packing + 1,
               "no padding");

struct sam_cache_file {
  char *path;
  const sam_model *model;
  sam_cache_header wanted; /* what a file that fits says up to `model`, except for `packs` and `stamp` */
  bool hashed;             /* wanted.model is known */
  bool lacks_stamp;
  const char *map; /* NULL: no file that fits */
  size_t size;
  const sam_cache_entry *entries;
  uint32_t n;
};

static uint64_t rounded(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int compare(const sam_cache_pack *a, uint64_t source, uint64_t variant, uint64_t bytes) {
  if (a->source != source) return a->source < source ? -1 : 1;
  if (a->variant != variant) return a->variant < variant ? -1 : 1;
  return a->bytes < bytes ? -1 : a->bytes > bytes;
}

static sam_cache_pack pack_at(const struct sam_cache_file *file, uint32_t i) {
  const sam_cache_entry *e = &file->entries[i];
  return (sam_cache_pack){e->source, e->variant, e->bytes, file->map + e->place};
}

/* The hash of the model. Its pages leave memory again: packs take the place of most. */
static sam_hash hash_of_model(const sam_model *model) {
  sam_hash hash = {0, 0};
  for (size_t at = 0; at < model->size; at += RUN) {
    const size_t run = model->size - at < RUN ? model->size - at : RUN;
    const bool returns = model->mapped && model->size > RUN;
    if (returns) sam_file_ahead(model->bytes + at, run);
    hash = sam_hash_of(model->bytes + at, run, hash);
    if (returns) sam_file_done(model->bytes + at, run);
  }
  return hash;
}

static sam_hash model_hash(struct sam_cache_file *file) {
  if (!file->hashed) file->wanted.model = hash_of_model(file->model);
  file->hashed = true;
  return file->wanted.model;
}

static sam_hash hash_of_header(const sam_cache_header *h) {
  return sam_hash_of(h, offsetof(sam_cache_header, self), (sam_hash){0, 0});
}

static bool same(sam_hash x, sam_hash y) { return x.a == y.a && x.b == y.b; }

static bool has_stamp(const sam_cache_header *h) { return h->stamp.changed != 0; }

/* Whether file->map holds what we would have written. */
static bool fits(struct sam_cache_file *file) {
  sam_cache_header h;
  if (file->size < sizeof h + SLACK) return false;
  memcpy(&h, file->map, sizeof h);
  sam_cache_header wanted = file->wanted;
  wanted.packs = h.packs;
  if (memcmp(&h, &wanted, offsetof(sam_cache_header, stamp)) != 0 || !same(h.self, hash_of_header(&h))) return false;
  if (h.file_bytes != file->size || h.packs > (file->size - sizeof h - SLACK) / sizeof(sam_cache_entry)) return false;
  file->n = h.packs;
  file->entries = (const sam_cache_entry *)(const void *)(file->map + sizeof h);
  if (!same(h.directory, sam_hash_of(file->entries, file->n * sizeof(sam_cache_entry), (sam_hash){0, 0}))) return false;
  uint64_t place = rounded(sizeof h + file->n * sizeof(sam_cache_entry));
  for (uint32_t i = 0; i < file->n; i++) {
    const sam_cache_entry *e = &file->entries[i];
    if (e->place != place || place > file->size - SLACK || e->bytes > file->size - SLACK - place) return false;
    if (e->source >= h.model_bytes) return false;
    if (i) {
      const sam_cache_pack before = pack_at(file, i - 1);
      if (compare(&before, e->source, e->variant, e->bytes) >= 0) return false;
    }
    place = rounded(place + e->bytes);
  }
  if (place + SLACK != file->size) return false;
  if (has_stamp(&wanted) && memcmp(&h.stamp, &wanted.stamp, sizeof h.stamp) == 0) {
    file->wanted.model = h.model;
    file->hashed = true;
    return true;
  }
  file->lacks_stamp = !has_stamp(&h) && has_stamp(&wanted);
  return same(h.model, model_hash(file));
}

bool sam_cache_file_lacks_stamp(const struct sam_cache_file *file) { return file->map && file->lacks_stamp; }

const char *sam_cache_file_path(const struct sam_cache_file *file) { return file->path; }

bool sam_cache_file_pack(const struct sam_cache_file *file, size_t i, sam_cache_pack *pack) {
  if (i >= file->n) return false;
  *pack = pack_at(file, (uint32_t)i);
  return true;
}

const void *sam_cache_file_find(struct sam_cache_file *file, uint64_t source, uint64_t variant, uint64_t bytes) {
  uint32_t begin = 0, end = file->n;
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    const sam_cache_pack p = pack_at(file, middle);
    const int order = compare(&p, source, variant, bytes);
    if (order == 0) {
      sam_file_ahead(p.data, (size_t)bytes);
      return same(file->entries[middle].hash, sam_hash_of(p.data, (size_t)bytes, (sam_hash){0, 0})) ? p.data : NULL;
    }
    if (order < 0)
      begin = middle + 1;
    else
      end = middle;
  }
  return NULL;
}

/* ---- Reading ---------------------------------------------------------------------------------------------------- */

static void unmap(struct sam_cache_file *file) {
  if (file->map) munmap((void *)(uintptr_t)file->map, file->size);
  file->map = NULL;
  file->n = 0;
}

void sam_cache_file_close(struct sam_cache_file *file) {
  if (!file) return;
  unmap(file);
  sam_free(file->path);
  sam_free(file);
}

/* Whether a file may be replaced: a weight cache at either end, or zeros, which a power failure can leave of one. */
static bool is_ours(const char *map, size_t size) {
  if (size < ALIGNMENT) return memcmp(map, magic, size < sizeof magic ? size : sizeof magic) == 0;
  const bool zeros = map[0] == 0 && memcmp(map, map + 1, size - 1) == 0;
  return zeros || memcmp(map, magic, sizeof magic) == 0 || memcmp(map + size - sizeof magic, magic, sizeof magic) == 0;
}

static sam_status map_file(struct sam_cache_file *file, sam_error *error) {
  const int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    if (errno == ENOENT) return SAM_OK;
    return sam_error_set(error, SAM_IO, -1, -1, -1, "cannot open the weight cache \"%.300s\": %s", file->path,
                         strerror(errno));
  }
  struct stat info;
  sam_status status = SAM_OK;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = sam_error_set(error, SAM_IO, -1, -1, -1, "the weight cache \"%.300s\" is no regular file", file->path);
  } else if (info.st_size > 0 && (uint64_t)info.st_size <= SIZE_MAX / 2) {
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) {
      status = sam_error_set(error, SAM_IO, -1, -1, -1, "cannot map the weight cache \"%.300s\": %s", file->path,
                             strerror(errno));
    } else {
      file->map = map;
      file->size = (size_t)info.st_size;
      if (!is_ours(map, file->size))
        status = sam_error_set(error, SAM_IO, -1, -1, -1,
                               "\"%.300s\" is no weight cache and would be overwritten; name another file or delete it",
                               file->path);
    }
  }
  close(descriptor);
  return status;
}

sam_status sam_cache_file_open(const char *path, const sam_model *model, struct sam_cache_file **result,
                               sam_error *error) {
  struct sam_cache_file *file = sam_calloc(1, sizeof *file);
  char *copy = sam_malloc(strlen(path) + 1);
  if (!file || !copy) {
    sam_free(file);
    sam_free(copy);
    return sam_error_set(error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for the weight cache");
  }
  file->path = strcpy(copy, path);
  file->model = model;
  sam_status status = map_file(file, error);
  if (status) {
    sam_cache_file_close(file);
    return status;
  }
  file->wanted = (sam_cache_header){.byte_order = ORDER_MARK,
                                    .format = FORMAT,
                                    .features = sam_isa_features(),
                                    .model_bytes = model->size,
                                    .stamp = model->stamp};
  memcpy(file->wanted.magic, magic, sizeof magic);
  memcpy(file->wanted.packing, SAM_PACKING_ID, sizeof file->wanted.packing);
  if (file->map && !fits(file)) unmap(file);
  *result = file;
  return SAM_OK;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b) {
  const sam_cache_pack *y = b;
  return compare(a, y->source, y->variant, y->bytes);
}

static bool write_packs(FILE *out, sam_cache_header *h, const sam_cache_pack *packs, sam_cache_entry *entries) {
  static const char zeros[SLACK];
  const sam_hash none = {0, 0};
  const uint64_t begin = sizeof *h + h->packs * sizeof *entries;
  uint64_t place = rounded(begin);
  for (uint32_t i = 0; i < h->packs; i++) {
    const sam_cache_pack *p = &packs[i];
    entries[i] =
        (sam_cache_entry){p->source, p->variant, p->bytes, place, sam_hash_of(p->data, (size_t)p->bytes, none)};
    place = rounded(place + p->bytes);
  }
  h->file_bytes = place + SLACK;
  h->directory = sam_hash_of(entries, h->packs * sizeof *entries, none);
  h->self = hash_of_header(h);
  if (fwrite(h, sizeof *h, 1, out) != 1) return false;
  if (fwrite(entries, sizeof *entries, h->packs, out) != h->packs) return false;
  uint64_t at = begin;
  for (uint32_t i = 0; i < h->packs; i++) {
    const size_t gap = (size_t)(entries[i].place - at), bytes = (size_t)entries[i].bytes;
    if (fwrite(zeros, 1, gap, out) != gap || fwrite(packs[i].data, 1, bytes, out) != bytes) return false;
    at = entries[i].place + bytes;
  }
  const size_t rest = (size_t)(h->file_bytes - at - sizeof magic); /* at most ALIGNMENT - 1 + SLACK - 8 */
  const size_t first = rest < SLACK ? rest : SLACK;
  return fwrite(zeros, 1, first, out) == first && fwrite(zeros, 1, rest - first, out) == rest - first &&
         fwrite(magic, sizeof magic, 1, out) == 1;
}

/* Opens a file that nobody else has, beside `path`; its name in `name`. */
static FILE *create_beside(const char *path, char *name, size_t bytes) {
  int descriptor = -1;
  for (int i = 0; i < 100 && descriptor < 0; i++) { /* other processes may have our number in other containers */
    snprintf(name, bytes, "%s.%ld-%d.tmp", path, (long)getpid(), i);
    descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) break;
  }
  if (descriptor < 0) return NULL;
  FILE *out = fdopen(descriptor, "wb");
  if (out) return out;
  close(descriptor);
  unlink(name);
  return NULL;
}

bool sam_cache_file_write(struct sam_cache_file *file, sam_cache_pack *packs, size_t n, uint64_t *written,
                          char *problem, size_t problem_bytes) {
  const size_t name_bytes = strlen(file->path) + 64;
  char *name = sam_malloc(name_bytes);
  sam_cache_entry *entries = sam_calloc(n, sizeof *entries);
  int reason = ENOMEM;
  file->lacks_stamp = false;
  model_hash(file);
  sam_cache_header h = file->wanted;
  h.packs = (uint32_t)n;
  if (name && entries && n <= INT32_MAX) {
    qsort(packs, n, sizeof *packs, by_key);
    FILE *out = create_beside(file->path, name, name_bytes);
    reason = errno;
    if (out) {
      errno = 0;
      const bool whole = write_packs(out, &h, packs, entries);
      reason = whole ? 0 : errno ? errno : EIO;
      if (fclose(out) != 0 && !reason) reason = errno ? errno : EIO;
      if (!reason && rename(name, file->path) != 0) reason = errno;
      if (reason) unlink(name);
    }
  }
  sam_free(name);
  sam_free(entries);
  if (reason)
    snprintf(
        problem, problem_bytes,
        "cannot write the weight cache \"%.300s\": %s; name a file that can be written (the weights stay in memory)",
        file->path, strerror(reason));
  else
    *written = h.file_bytes;
  return !reason;
}

#endif
