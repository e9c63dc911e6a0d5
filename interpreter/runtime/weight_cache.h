/* The weight cache: the repacked weights of one model in a file, which other processes map instead of packing.
 *
 *      header, directory, packs: each where the one before ends, rounded up to 64 bytes; 256 bytes behind the last
 *
 * Nothing in a pack is an address. What a pack was made from is named by its place in the model file. The header says for
 * what the packs are: this build of the kernels, these instructions, a model of this size and content. A file that
 * differs in any of it is as good as none, and is made anew. The content of a model is its hash; but a model file that has
 * not been touched since (sam_file_stamp) need not be read to know it.
 *
 * Nothing of a file is believed: header and directory carry their hash, and the directory must be exactly the one that
 * we would write for packs of these sizes; a pack is hashed before it is handed out the first time. So a file that was
 * written in part, or damaged, costs time and nothing else. Against somebody who forges the hashes too: packs hold
 * numbers, which can give wrong results and nothing worse, as what an operator uses as an index it checks itself (fit.c).
 *
 * A file is written under another name and then renamed. Who has mapped the old one keeps it. As mapped files do, it
 * must not be shortened in place while a process uses it. */
#ifndef SAM_RUNTIME_WEIGHT_CACHE_H
#define SAM_RUNTIME_WEIGHT_CACHE_H

#include "hash.h"
#include "model.h"

#define SAM_CACHE_MAGIC "SAMPACKS" /* at the beginning, and again in the last 8 bytes */

typedef struct sam_cache_header {
  char magic[8];
  uint32_t byte_order, format;
  char packing[64];  /* the build: a hash of the kernels' sources */
  uint32_t features; /* SAM_CPU_... in use */
  uint32_t packs;
  uint64_t model_bytes;
  sam_file_stamp stamp; /* of the model when it was hashed */
  sam_hash model;
  uint64_t file_bytes;
  sam_hash directory;
  sam_hash self; /* of all above */
} sam_cache_header;

/* Of the directory, which is sorted by the first three. */
typedef struct sam_cache_entry {
  uint64_t source, variant, bytes;
  uint64_t place; /* in the file */
  sam_hash hash;
} sam_cache_entry;

struct sam_cache_file;

/* One pack. The order of these three is that of the directory. */
typedef struct sam_cache_pack {
  uint64_t source; /* offset in the model file */
  uint64_t variant, bytes;
  const void *data;
} sam_cache_pack;

/* Reads the file at `path`, if there is one that fits. SAM_IO when the path is that of something else. */
sam_status sam_cache_file_open(const char *path, const sam_model *model, struct sam_cache_file **file, sam_error *error);
void sam_cache_file_close(struct sam_cache_file *file);
const char *sam_cache_file_path(const struct sam_cache_file *file);
/* The pack, sound; NULL if the file does not have it. */
const void *sam_cache_file_find(struct sam_cache_file *file, uint64_t source, uint64_t variant, uint64_t bytes);
/* The i-th pack of the file, of which only the place has been checked; false past the end. */
bool sam_cache_file_pack(const struct sam_cache_file *file, size_t i, sam_cache_pack *pack);
/* Whether the file was written when the model was too young for a stamp, which it now could have. */
bool sam_cache_file_lacks_stamp(const struct sam_cache_file *file);
/* Puts a file with these packs in the place of the one at the path; sorts them. The open one stays as it is.
 * `*written`: its bytes. False, with the reason in `problem`, if that cannot be done. */
bool sam_cache_file_write(struct sam_cache_file *file, sam_cache_pack *packs, size_t n, uint64_t *written,
                          char *problem, size_t problem_bytes);

#endif
