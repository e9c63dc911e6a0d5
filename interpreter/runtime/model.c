/* sam_model: opening, owning and asking.
 *
 *      bytes ──sam_verify──> flatbuffer ──sam_decode──> arrays of model.h ──sam_check_rules──> sam_model
 *
 * What is refused (SAM_INVALID_MODEL, with the place and both numbers), beyond a malformed flatbuffer:
 *   - the model: another version than 3; no buffers; no subgraphs; more operators than max_ops (SAM_LIMIT);
 *   - buffers behind the flatbuffer that pass the end of the file; metadata whose buffer does not exist;
 *   - operator codes below 0, versions below 1, CUSTOM without a name. (Codes this build does not know load: such a
 *     model can be inspected, and sam_session_create names all operators it lacks. Unused codes never matter.)
 *   - tensors: unknown type; more than 8 dimensions; a negative size; more bytes than can be addressed; a buffer that
 *     does not exist or is shorter than the shape needs (longer is fine); a variable with data; strings whose packed
 *     layout is wrong or whose number is not that of the shape; BOOL constants other than 0 and 1; data in another
 *     file (SAM_UNSUPPORTED); shape_signature below -1 (one of another rank than the shape is ignored);
 *   - quantization: unequal counts of scales and zero points; a count that is neither 1 nor the size of
 *     quantized_dimension; a zero point outside the type. With one scale the dimension is ignored; for a tensor of one
 *     dimension with as many scales it is 0, whatever the file says. Scales may be any float: operators judge them.
 *     min and max alone mean nothing. Blockwise scales and zero points must be constants of the shape of the blocks;
 *   - sparsity that does not describe the tensor (sparse constants are made dense here);
 *   - operators: opcode or tensor indices out of range; options of another operator, for operators that read options
 *     (missing options mean the defaults; custom_options on a built-in operator are ignored); an enumeration out of
 *     range; a subgraph number out of range, or calls that lead back;
 *   - the graph: a tensor used before it is computed, or without anything that computes it; a tensor written twice; an
 *     output that is a constant, a variable or an input of the graph; an input of the graph with constant data;
 *   - signatures without a key, of a subgraph that does not exist, with unnamed entries, or naming tensors that are not
 *     inputs and outputs of the subgraph.
 * Accepted though odd: data in buffer 0 (never read), bytes behind the flatbuffer, missing names, equal names, sizes of
 * 0, no operators at all, min_runtime_version from the future. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "loader.h"
#include "session.h"
#include "verify.h"

#if SAM_MAPS_FILES
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#endif

/* ---- Opening -------------------------------------------------------------------------------------------------------
 */

static void destroy(sam_model *model) {
  if (!model) return;
  sam_pack_cache_free(model->packs);
  sam_blocks_free(model->blocks);
#if SAM_MAPS_FILES
  if (model->mapped) munmap((void *)(uintptr_t)model->bytes, model->size);
#endif
  sam_free_aligned(model->owned);
  sam_free(model);
}

/* Takes over `made`, whose bytes are set; frees it on failure. */
static sam_status finish(sam_model *made, const sam_options *options, sam_model **model, sam_error *error) {
  sam_options defaults;
  sam_options_init(&defaults);
  sam_loader loader = {.model = made, .options = options ? options : &defaults, .error = error};
  loader.budget = loader.options->max_memory;
  atomic_init(&made->references, 1);
  sam_status status = sam_verify(made->bytes, made->size, &loader.root, error);
  if (!status) status = sam_decode(&loader);
  if (!status) status = sam_check_rules(&loader);
  if (!status) status = sam_pack_cache_create(made, loader.options->weight_cache, &made->packs, error);
  if (status) {
    destroy(made);
    return status;
  }
  *model = made;
  return SAM_OK;
}

static sam_status no_memory(sam_error *error, size_t size) {
  return sam_error_set(error, SAM_OUT_OF_MEMORY, -1, -1, -1, "out of memory for a model of %zu bytes", size);
}

sam_status sam_model_from_bytes(const void *data, size_t size, bool borrow, const sam_options *options,
                                sam_model **model, sam_error *error) {
  if ((!data && size) || !model)
    return sam_error_set(error, SAM_INVALID_ARGUMENT, -1, -1, -1, "%s is NULL", model ? "data" : "model");
  sam_model *made = sam_calloc(1, sizeof *made);
  if (!made) return no_memory(error, size);
  made->bytes = data;
  made->size = size;
  if (!borrow || (uintptr_t)data % 16 != 0) {
    made->owned = sam_malloc_aligned(size ? size : 1);
    if (!made->owned) {
      sam_free(made);
      return no_memory(error, size);
    }
    if (size) memcpy(made->owned, data, size);
    made->bytes = made->owned;
  }
  return finish(made, options, model, error);
}

static sam_status check_file(const struct stat *info, const char *path, sam_error *error) {
  if (S_ISDIR(info->st_mode))
    return sam_error_set(error, SAM_IO, -1, -1, -1, "\"%.300s\" is a directory, not a .tflite file", path);
  if (!S_ISREG(info->st_mode))
    return sam_error_set(error, SAM_IO, -1, -1, -1, "\"%.300s\" is not a regular file", path);
  if ((uint64_t)info->st_size > SIZE_MAX / 2)
    return sam_error_set(error, SAM_IO, -1, -1, -1, "\"%.300s\" is too large for this machine", path);
  return SAM_OK;
}

#if !SAM_MAPS_FILES

sam_status sam_model_open(const char *path, const sam_options *options, sam_model **model, sam_error *error) {
  if (!path || !model) return sam_error_set(error, SAM_INVALID_ARGUMENT, -1, -1, -1, "path or model is NULL");
  struct stat info;
  FILE *file = stat(path, &info) == 0 ? fopen(path, "rb") : NULL;
  if (!file) return sam_error_set(error, SAM_IO, -1, -1, -1, "cannot open \"%.300s\": %s", path, strerror(errno));
  sam_status status = check_file(&info, path, error);
  const size_t size = status ? 0 : (size_t)info.st_size;
  sam_model *made = sam_calloc(1, sizeof *made);
  if (!status && (!made || !(made->owned = sam_malloc_aligned(size ? size : 1)))) status = no_memory(error, size);
  if (!status && fread(made->owned, 1, size, file) != size)
    status = sam_error_set(error, SAM_IO, -1, -1, -1, "cannot read \"%.300s\": %s", path, strerror(errno));
  fclose(file);
  if (status) {
    destroy(made);
    return status;
  }
  made->bytes = made->owned;
  made->size = size;
  return finish(made, options, model, error);
}

#else

/* Of a small file every page is soon read: one call instead of a fault for each. */
static int populate(size_t bytes) {
#if defined(MAP_POPULATE)
  if (bytes <= SAM_SMALL_FILE) return MAP_POPULATE;
#endif
  (void)bytes;
  return 0;
}

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

static sam_file_stamp stamp_of(const struct stat *info) {
#if defined(__APPLE__)
  const uint64_t modified = nanoseconds(info->st_mtimespec), changed = nanoseconds(info->st_ctimespec);
#else
  const uint64_t modified = nanoseconds(info->st_mtim), changed = nanoseconds(info->st_ctim);
#endif
  const uint64_t grain = 2000000000; /* two seconds, the coarsest clock that file systems have */
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0 || nanoseconds(now) < changed + grain) return (sam_file_stamp){0};
  return (sam_file_stamp){(uint64_t)info->st_dev, (uint64_t)info->st_ino, modified, changed};
}

sam_status sam_model_open(const char *path, const sam_options *options, sam_model **model, sam_error *error) {
  if (!path || !model) return sam_error_set(error, SAM_INVALID_ARGUMENT, -1, -1, -1, "path or model is NULL");
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return sam_error_set(error, SAM_IO, -1, -1, -1, "cannot open \"%.300s\": %s", path, strerror(errno));
  struct stat info;
  sam_status status = SAM_OK;
  void *bytes = NULL;
  if (fstat(file, &info) != 0)
    status = sam_error_set(error, SAM_IO, -1, -1, -1, "cannot read \"%.300s\": %s", path, strerror(errno));
  else if ((status = check_file(&info, path, error)) == SAM_OK && info.st_size > 0) {
    bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | populate((size_t)info.st_size), file, 0);
    if (bytes == MAP_FAILED)
      status = sam_error_set(error, SAM_IO, -1, -1, -1, "cannot map \"%.300s\": %s", path, strerror(errno));
  }
  close(file);
  if (status) return status;
  size_t size = (size_t)info.st_size;
  sam_model *made = sam_calloc(1, sizeof *made);
  if (!made) {
    if (size) munmap(bytes, size);
    return no_memory(error, size);
  }
  made->bytes = bytes;
  made->size = size;
  made->mapped = size > 0;
  made->stamp = stamp_of(&info);
  return finish(made, options, model, error);
}

#endif

void sam_model_retain(sam_model *model) { atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed); }

void sam_model_free(sam_model *model) {
  if (model && atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) == 1) destroy(model);
}

/* ---- Asking --------------------------------------------------------------------------------------------------------
 */

int32_t sam_model_subgraph_count(const sam_model *model) { return model ? model->n_subgraphs : 0; }
int32_t sam_model_signature_count(const sam_model *model) { return model ? model->n_signatures : 0; }
int32_t sam_model_metadata_count(const sam_model *model) { return model ? model->n_metadata : 0; }

static const sam_subgraph *graph_of(const sam_model *model, int32_t subgraph) {
  if (!model || subgraph < 0 || subgraph >= model->n_subgraphs) return NULL;
  return &model->subgraphs[subgraph];
}

sam_status sam_model_subgraph(const sam_model *model, int32_t subgraph, sam_subgraph_info *info) {
  const sam_subgraph *graph = graph_of(model, subgraph);
  if (!graph || !info) return SAM_INVALID_ARGUMENT;
  *info = (sam_subgraph_info){.name = graph->name,
                              .n_tensors = graph->n_tensors,
                              .n_nodes = graph->n_nodes,
                              .n_inputs = graph->n_inputs,
                              .n_outputs = graph->n_outputs,
                              .inputs = graph->inputs,
                              .outputs = graph->outputs};
  return SAM_OK;
}

sam_status sam_model_tensor(const sam_model *model, int32_t subgraph, int32_t tensor, sam_tensor_info *info) {
  const sam_subgraph *graph = graph_of(model, subgraph);
  if (!graph || !info || tensor < 0 || tensor >= graph->n_tensors) return SAM_INVALID_ARGUMENT;
  const sam_file_tensor *t = &graph->tensors[tensor];
  bool constant = (t->view.flags & SAM_TENSOR_KNOWN) != 0;
  *info = (sam_tensor_info){.name = t->view.name,
                            .type = t->view.type,
                            .rank = t->view.rank,
                            .shape = t->view.dims,
                            .signature_rank = t->signature_rank,
                            .shape_signature = t->signature,
                            .constant = constant,
                            .variable = (t->view.flags & SAM_TENSOR_VARIABLE) != 0,
                            .sparse = t->sparse,
                            .data = constant ? t->view.data : NULL,
                            .data_bytes = constant ? t->view.bytes : 0,
                            .n_scales = t->quant.count,
                            .scales = t->quant.scale,
                            .zero_points = t->quant.zero_point,
                            .quantized_dimension = t->quant.axis,
                            .block_size = t->quant.block_size,
                            .block_scales_tensor = t->block_scales_tensor};
  return SAM_OK;
}

sam_status sam_model_node(const sam_model *model, int32_t subgraph, int32_t node, sam_node_info *info) {
  const sam_subgraph *graph = graph_of(model, subgraph);
  if (!graph || !info || node < 0 || node >= graph->n_nodes) return SAM_INVALID_ARGUMENT;
  const sam_file_node *n = &graph->nodes[node];
  *info = (sam_node_info){.op = n->name,
                          .builtin_code = n->code,
                          .custom = n->custom,
                          .supported = n->op && n->version <= n->op->max_version,
                          .version = n->version,
                          .n_inputs = n->n_inputs,
                          .n_outputs = n->n_outputs,
                          .n_intermediates = n->n_intermediates,
                          .inputs = n->inputs,
                          .outputs = n->outputs,
                          .intermediates = n->intermediates};
  return SAM_OK;
}

sam_status sam_model_signature(const sam_model *model, int32_t signature, sam_signature_info *info) {
  if (!model || !info || signature < 0 || signature >= model->n_signatures) return SAM_INVALID_ARGUMENT;
  *info = model->signatures[signature];
  return SAM_OK;
}

sam_status sam_model_weight_cache(const sam_model *model, sam_weight_cache_info *info) {
  if (!model || !info) return SAM_INVALID_ARGUMENT;
  sam_pack_cache_info(model->packs, info);
  return SAM_OK;
}

sam_status sam_model_metadata(const sam_model *model, int32_t i, sam_metadata_info *info) {
  if (!model || !info || i < 0 || i >= model->n_metadata) return SAM_INVALID_ARGUMENT;
  *info = model->metadata[i];
  return SAM_OK;
}
