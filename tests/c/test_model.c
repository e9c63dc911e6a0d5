/* Loading: what a good model says, what is said about bad ones, and that no byte anywhere can do harm. */
#include "samara.h"
#include "test.h"
#include "tiny_model.h"

static sam_status load(const tiny *t, sam_model **model, sam_error *error) {
  memset(error, 0xFF, sizeof *error);
  return sam_model_from_bytes(t->bytes, t->size, true, NULL, model, error);
}

/* The model must be refused with these words. */
static void refused(const tiny *t, const char *words) {
  sam_model *model = NULL;
  sam_error error;
  sam_status status = load(t, &model, &error);
  EXPECT(status == SAM_INVALID_MODEL);
  if (status == SAM_OK) {
    printf("accepted, though \"%s\" was expected\n", words);
    sam_model_free(model);
  } else if (!strstr(error.message, words)) {
    printf("expected \"%s\", got \"%s\"\n", words, error.message);
    EXPECT(false);
  }
}

static void accepted(const tiny *t, const char *what) {
  sam_model *model = NULL;
  sam_error error;
  if (load(t, &model, &error)) {
    printf("%s: %s\n", what, error.message);
    EXPECT(false);
    return;
  }
  EXPECT(true);
  sam_model_free(model);
}

static void test_questions(void) {
  tiny t;
  tiny_build(&t);
  sam_model *model;
  sam_error error;
  if (load(&t, &model, &error)) {
    printf("%s\n", error.message);
    EXPECT(false);
    return;
  }
  EXPECT_EQ(sam_model_subgraph_count(model), 1);
  EXPECT_EQ(sam_model_signature_count(model), 1);
  EXPECT_EQ(sam_model_metadata_count(model), 1);
  sam_subgraph_info graph;
  EXPECT_EQ(sam_model_subgraph(model, 0, &graph), SAM_OK);
  EXPECT(strcmp(graph.name, "main") == 0 && graph.n_tensors == 3 && graph.n_nodes == 1);
  EXPECT(graph.n_inputs == 1 && graph.inputs[0] == 0 && graph.n_outputs == 1 && graph.outputs[0] == 2);
  sam_tensor_info tensor;
  EXPECT_EQ(sam_model_tensor(model, 0, 1, &tensor), SAM_OK);
  EXPECT(strcmp(tensor.name, "c") == 0 && tensor.type == SAM_FLOAT32 && tensor.rank == 2 && tensor.shape[1] == 4);
  EXPECT(tensor.constant && tensor.data_bytes == 16 && ((const float *)tensor.data)[2] == 3);
  EXPECT(tensor.n_scales == 4 && tensor.scales[1] == 0.25f && tensor.zero_points[3] == 3);
  EXPECT_EQ(tensor.quantized_dimension, 1);
  sam_node_info node;
  EXPECT_EQ(sam_model_node(model, 0, 0, &node), SAM_OK);
  EXPECT(strcmp(node.op, "ADD") == 0 && !node.custom && node.n_inputs == 2 && node.inputs[1] == 1);
  sam_signature_info signature;
  EXPECT_EQ(sam_model_signature(model, 0, &signature), SAM_OK);
  EXPECT(strcmp(signature.key, "serve") == 0 && strcmp(signature.output_names[0], "sum") == 0);
  EXPECT(signature.outputs[0] == 2 && signature.subgraph == 0);
  sam_metadata_info metadata;
  EXPECT_EQ(sam_model_metadata(model, 0, &metadata), SAM_OK);
  EXPECT(metadata.bytes == 5 && memcmp(metadata.data, "1.0.0", 5) == 0);
  EXPECT_EQ(sam_model_subgraph(model, 1, &graph), SAM_INVALID_ARGUMENT);
  EXPECT_EQ(sam_model_tensor(model, 0, 3, &tensor), SAM_INVALID_ARGUMENT);
  EXPECT_EQ(sam_model_tensor(model, 0, -1, &tensor), SAM_INVALID_ARGUMENT);
  EXPECT_EQ(sam_model_node(model, -1, 0, &node), SAM_INVALID_ARGUMENT);
  EXPECT_EQ(sam_model_signature(model, 1, &signature), SAM_INVALID_ARGUMENT);
  EXPECT_EQ(sam_model_metadata(model, 1, &metadata), SAM_INVALID_ARGUMENT);
  sam_model_free(model);
  sam_model_free(NULL);
}

/* Borrowed bytes at an odd address are copied; so are bytes that need not live on. */
static void test_copies(void) {
  tiny t;
  tiny_build(&t);
  uint8_t *odd = malloc(t.size + 3);
  memcpy(odd + 3, t.bytes, t.size);
  for (int borrow = 0; borrow < 2; borrow++) {
    sam_model *model;
    sam_tensor_info tensor;
    EXPECT_EQ(sam_model_from_bytes(odd + 3, t.size, borrow == 1, NULL, &model, NULL), SAM_OK);
    EXPECT_EQ(sam_model_tensor(model, 0, 1, &tensor), SAM_OK);
    EXPECT_EQ((uintptr_t)tensor.data % 16, 0);
    sam_model_free(model);
  }
  free(odd);
}

#define CHANGE(statement, words) \
  do {                           \
    tiny_build(&t);              \
    statement;                   \
    refused(&t, words);          \
  } while (0)
#define HARMLESS(statement)   \
  do {                        \
    tiny_build(&t);           \
    statement;                \
    accepted(&t, #statement); \
  } while (0)

static void test_meaning(void) {
  tiny t;
  CHANGE(tiny_number(&t, t.model, SAM_SLOT_MODEL_VERSION, 4), "schema version 4");
  CHANGE(tiny_set32(&t, t.node_inputs, 9), "node 0 ADD \"y\": input 0 is tensor 9, but the subgraph has 3 tensors");
  CHANGE(tiny_set32(&t, t.node_outputs, 0), "output 0 is tensor 0, which is an input of the graph");
  CHANGE(tiny_set32(&t, t.node_outputs, 1), "output 0 is the constant tensor 1");
  CHANGE(tiny_set32(&t, t.node_inputs, 2), "input 0 is tensor 2, its own output");
  CHANGE(tiny_number(&t, t.node, SAM_SLOT_OPERATOR_OPCODE_INDEX, 5), "opcode_index is 5");
  CHANGE(tiny_number(&t, t.opcode, SAM_SLOT_OPERATOR_CODE_VERSION, 0), "version 0");
  CHANGE(tiny_number(&t, t.opcode, SAM_SLOT_OPERATOR_CODE_BUILTIN_CODE, SAM_BUILTIN_CUSTOM), "no custom_code");
  CHANGE(tiny_number(&t, t.tensors[1], SAM_SLOT_TENSOR_BUFFER, 9),
         "tensor 1 \"c\": buffer index 9, but the model has 3 buffers");
  CHANGE(tiny_number(&t, t.tensors[1], SAM_SLOT_TENSOR_BUFFER, 2), "the shape needs 16 bytes, but buffer 2 has 5");
  CHANGE(t.bytes[tiny_field(&t, t.tensors[1], SAM_SLOT_TENSOR_TYPE)] = 40, "type 40 is unknown");
  CHANGE(t.bytes[tiny_field(&t, t.tensors[1], SAM_SLOT_TENSOR_IS_VARIABLE)] = 1,
         "a variable cannot have constant data");
  CHANGE(tiny_set32(&t, t.shape, UINT32_MAX), "dimension 0 of the shape is -1");
  CHANGE(tiny_set32(&t, t.shape, 1 << 30), sizeof(size_t) == 4 ? "more elements than a memory can hold" : "the shape needs");
  CHANGE(tiny_number(&t, t.quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_QUANTIZED_DIMENSION, 7),
         "quantized_dimension is 7, but the tensor has 2 dimensions");
  CHANGE(tiny_number(&t, t.quantization, SAM_SLOT_QUANTIZATION_PARAMETERS_QUANTIZED_DIMENSION, 0),
         "4 scales for dimension 0 of size 1");
  CHANGE(tiny_set32(&t, t.scales - 4, 3), "3 scales but 4 zero points");
  CHANGE(tiny_set32(&t, t.zero_points + 4, 1), "zero point 4294967296 is outside the range of FLOAT32");
  CHANGE(t.bytes[tiny_field(&t, t.node, SAM_SLOT_OPERATOR_BUILTIN_OPTIONS - 1)] = 21, "MulOptions, must be AddOptions");
  CHANGE(tiny_number(&t, t.metadata, SAM_SLOT_METADATA_BUFFER, 3),
         "metadata 0 \"min_runtime_version\": buffer index 3, but the model has 3 buffers");
  CHANGE(tiny_number(&t, t.signature, SAM_SLOT_SIGNATURE_DEF_SUBGRAPH_INDEX, 1), "subgraph 1, but the model has 1");
  CHANGE(tiny_number(&t, t.maps[0], SAM_SLOT_TENSOR_MAP_TENSOR_INDEX, 3), "input \"term\" is tensor 3");
  CHANGE(tiny_number(&t, t.maps[1], SAM_SLOT_TENSOR_MAP_TENSOR_INDEX, 0),
         "output \"sum\" is tensor 0, which is no output");
  CHANGE(tiny_set32(&t, t.inputs, 1), "it is input 0 of the graph, but has constant data");
  CHANGE(tiny_set32(&t, t.outputs, 77), "output 0 is tensor 77");
  HARMLESS(tiny_number(&t, t.opcode, SAM_SLOT_OPERATOR_CODE_BUILTIN_CODE, 500));
  HARMLESS(tiny_number(&t, t.opcode, SAM_SLOT_OPERATOR_CODE_VERSION, 99));
  HARMLESS(t.bytes[tiny_field(&t, t.node, SAM_SLOT_OPERATOR_BUILTIN_OPTIONS - 1)] = 0);
  HARMLESS(tiny_set32(&t, t.scales, 0x7FC00000)); /* NaN: operators judge scales */
  HARMLESS(t.size += 100);
}

static void sniffed(const char *bytes, size_t size, const char *words) {
  sam_model *model;
  sam_error error;
  sam_status status = sam_model_from_bytes(bytes, size, false, NULL, &model, &error);
  EXPECT(status == SAM_INVALID_MODEL);
  if (status && !strstr(error.message, words)) {
    printf("expected \"%s\", got \"%s\"\n", words, error.message);
    EXPECT(false);
  }
}

static void test_other_formats(void) {
#define SNIFFED(text, words) sniffed(text, sizeof(text) - 1, words)
  SNIFFED("", "empty");
  SNIFFED("\x08\x07\x12\x07pytorch", "ONNX");
  SNIFFED("\x08\x01\x12\x99\x01", "SavedModel");
  SNIFFED("PK\x03\x04................................config.json", "Keras");
  SNIFFED("PK\x03\x04................................net/data.pkl", "PyTorch");
  SNIFFED("PK\x03\x04................................", "zip");
  SNIFFED("\x89HDF\r\n\x1a\n........", "HDF5");
  SNIFFED("hello, world", "text");
  SNIFFED("{\"format\": \"layers-model\"}", "JSON");
  SNIFFED("version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
  SNIFFED("\x01\x02\x03", "3 bytes");
  SNIFFED("\x1c\0\0\0XXXX\0\0\0\0\0\0\0\0", "not \"TFL3\"");
}

static void test_files(void) {
  sam_model *model;
  sam_error error;
  EXPECT_EQ(sam_model_open("/nowhere/at/all.tflite", NULL, &model, &error), SAM_IO);
  EXPECT(strstr(error.message, "/nowhere/at/all.tflite"));
  EXPECT_EQ(sam_model_open(SAMARA_SOURCE_DIR, NULL, &model, &error), SAM_IO);
  EXPECT(strstr(error.message, "directory"));
  EXPECT_EQ(sam_model_open(SAMARA_SOURCE_DIR "/CMakeLists.txt", NULL, &model, &error), SAM_INVALID_MODEL);
  EXPECT(strstr(error.message, "text"));
  EXPECT_EQ(sam_model_open(SAMARA_SOURCE_DIR "/examples/digits/digits_int8.tflite", NULL, &model, &error), SAM_OK);
  sam_model_free(model);
}

static void test_limits(void) {
  tiny t;
  tiny_build(&t);
  sam_options options;
  sam_model *model;
  sam_error error;
  sam_options_init(&options);
  options.max_ops = 0;
  EXPECT_EQ(sam_model_from_bytes(t.bytes, t.size, true, &options, &model, &error), SAM_LIMIT);
  sam_options_init(&options);
  options.max_memory = 100;
  EXPECT_EQ(sam_model_from_bytes(t.bytes, t.size, true, &options, &model, &error), SAM_LIMIT);
}

/* Every length, and every byte with several values; memory is exactly as large as the file. */
static void test_damage(void) {
  tiny t;
  tiny_build(&t);
  int loaded = 0;
  for (size_t size = 0; size < t.size; size++) {
    uint8_t *bytes = malloc(size + 1);
    memcpy(bytes, t.bytes, size);
    sam_model *model;
    if (sam_model_from_bytes(bytes, size, true, NULL, &model, NULL) == SAM_OK) {
      sam_model_free(model);
      loaded++;
    }
    free(bytes);
  }
  EXPECT(loaded <= 4); /* at most the padding at the end */
  static const uint8_t values[] = {0, 1, 4, 0x7F, 0x80, 0xFF};
  for (size_t at = 0; at < t.size; at++) {
    for (size_t i = 0; i < sizeof values; i++) {
      uint8_t old = t.bytes[at];
      t.bytes[at] = values[i];
      sam_model *model = NULL;
      sam_error error;
      sam_status status = load(&t, &model, &error);
      if (status == SAM_OK) sam_model_free(model);
      if (status != SAM_OK && (error.status != status || !error.message[0])) EXPECT(false);
      t.bytes[at] = old;
    }
  }
  accepted(&t, "the model as it was");
}

int main(void) {
  test_questions();
  test_copies();
  test_meaning();
  test_other_formats();
  test_files();
  test_limits();
  test_damage();
  return test_result();
}
