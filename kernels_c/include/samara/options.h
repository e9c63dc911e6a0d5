/* Generated from interpreter/schema/tflite.fbs by `python3 tools/gen_schema.py`. Do not edit.
 *
 * Options of the operators as plain structs. The loader fills them from the file: missing fields have their defaults,
 * values of enumerations are in range, vectors and strings are valid memory for the life of the model (strings are
 * never NULL). Nothing else is checked: a stride may be any int32. Tables without fields have a kind but no struct. */
#ifndef SAMARA_OPTIONS_H
#define SAMARA_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */

typedef struct sam_ints { const int32_t *data; int32_t count; } sam_ints;
typedef struct sam_longs { const int64_t *data; int32_t count; } sam_longs;
typedef struct sam_floats { const float *data; int32_t count; } sam_floats;
typedef struct sam_bytes { const uint8_t *data; int32_t count; } sam_bytes;

enum {
  SAM_STABLEHLO_PRECISION_CONFIG_DEFAULT = 0,
  SAM_STABLEHLO_PRECISION_CONFIG_HIGH = 1,
  SAM_STABLEHLO_PRECISION_CONFIG_HIGHEST = 2,
};

enum {
  SAM_STABLEHLO_COMPARISON_DIRECTION_EQ = 0,
  SAM_STABLEHLO_COMPARISON_DIRECTION_NE = 1,
  SAM_STABLEHLO_COMPARISON_DIRECTION_GE = 2,
  SAM_STABLEHLO_COMPARISON_DIRECTION_GT = 3,
  SAM_STABLEHLO_COMPARISON_DIRECTION_LE = 4,
  SAM_STABLEHLO_COMPARISON_DIRECTION_LT = 5,
};

enum {
  SAM_STABLEHLO_COMPARISON_TYPE_NOTYPE = 0,
  SAM_STABLEHLO_COMPARISON_TYPE_FLOAT = 1,
  SAM_STABLEHLO_COMPARISON_TYPE_FLOAT_TOTAL_ORDER = 2,
  SAM_STABLEHLO_COMPARISON_TYPE_SIGNED = 3,
  SAM_STABLEHLO_COMPARISON_TYPE_UNSIGNED = 4,
};

enum {
  SAM_RNG_ALGORITHM_DEFAULT = 0,
  SAM_RNG_ALGORITHM_PHILOX = 1,
  SAM_RNG_ALGORITHM_THREEFRY = 2,
};

enum {
  SAM_PADDING_SAME = 0,
  SAM_PADDING_VALID = 1,
};

enum {
  SAM_ACTIVATION_NONE = 0,
  SAM_ACTIVATION_RELU = 1,
  SAM_ACTIVATION_RELU_N1_TO_1 = 2,
  SAM_ACTIVATION_RELU6 = 3,
  SAM_ACTIVATION_TANH = 4,
  SAM_ACTIVATION_SIGN_BIT = 5,
};

enum {
  SAM_LSH_PROJECTION_TYPE_UNKNOWN = 0,
  SAM_LSH_PROJECTION_TYPE_SPARSE = 1,
  SAM_LSH_PROJECTION_TYPE_DENSE = 2,
};

enum {
  SAM_FULLY_CONNECTED_OPTIONS_WEIGHTS_FORMAT_DEFAULT = 0,
  SAM_FULLY_CONNECTED_OPTIONS_WEIGHTS_FORMAT_SHUFFLED4X16INT8 = 1,
};

enum {
  SAM_LSTM_KERNEL_TYPE_FULL = 0,
  SAM_LSTM_KERNEL_TYPE_BASIC = 1,
};

enum {
  SAM_COMBINER_TYPE_SUM = 0,
  SAM_COMBINER_TYPE_MEAN = 1,
  SAM_COMBINER_TYPE_SQRTN = 2,
};

enum {
  SAM_MIRROR_PAD_MODE_REFLECT = 0,
  SAM_MIRROR_PAD_MODE_SYMMETRIC = 1,
};

enum {
  SAM_REDUCE_WINDOW_FUNCTION_UNSUPPORTED = 0,
  SAM_REDUCE_WINDOW_FUNCTION_ADD = 1,
  SAM_REDUCE_WINDOW_FUNCTION_MUL = 2,
  SAM_REDUCE_WINDOW_FUNCTION_MINIMUM = 3,
  SAM_REDUCE_WINDOW_FUNCTION_MAXIMUM = 4,
  SAM_REDUCE_WINDOW_FUNCTION_ALL = 5,
  SAM_REDUCE_WINDOW_FUNCTION_ANY = 6,
};

/* sam_op.options: which struct an operator reads. */
enum {
  SAM_OPTIONS_NONE = 0,
  SAM_OPTIONS_CONV_2D = 1,
  SAM_OPTIONS_DEPTHWISE_CONV_2D = 2,
  SAM_OPTIONS_CONCAT_EMBEDDINGS = 3,
  SAM_OPTIONS_LSH_PROJECTION = 4,
  SAM_OPTIONS_POOL_2D = 5,
  SAM_OPTIONS_SVDF = 6,
  SAM_OPTIONS_RNN = 7,
  SAM_OPTIONS_FULLY_CONNECTED = 8,
  SAM_OPTIONS_SOFTMAX = 9,
  SAM_OPTIONS_CONCATENATION = 10,
  SAM_OPTIONS_ADD = 11,
  SAM_OPTIONS_L2_NORM = 12,
  SAM_OPTIONS_LOCAL_RESPONSE_NORMALIZATION = 13,
  SAM_OPTIONS_LSTM = 14,
  SAM_OPTIONS_RESIZE_BILINEAR = 15,
  SAM_OPTIONS_CALL = 16,
  SAM_OPTIONS_RESHAPE = 17,
  SAM_OPTIONS_SKIP_GRAM = 18,
  SAM_OPTIONS_SPACE_TO_DEPTH = 19,
  SAM_OPTIONS_EMBEDDING_LOOKUP_SPARSE = 20,
  SAM_OPTIONS_MUL = 21,
  SAM_OPTIONS_PAD = 22,
  SAM_OPTIONS_GATHER = 23,
  SAM_OPTIONS_BATCH_TO_SPACE_ND = 24,
  SAM_OPTIONS_SPACE_TO_BATCH_ND = 25,
  SAM_OPTIONS_TRANSPOSE = 26,
  SAM_OPTIONS_REDUCER = 27,
  SAM_OPTIONS_SUB = 28,
  SAM_OPTIONS_DIV = 29,
  SAM_OPTIONS_SQUEEZE = 30,
  SAM_OPTIONS_SEQUENCE_RNN = 31,
  SAM_OPTIONS_STRIDED_SLICE = 32,
  SAM_OPTIONS_EXP = 33,
  SAM_OPTIONS_TOP_K_V2 = 34,
  SAM_OPTIONS_SPLIT = 35,
  SAM_OPTIONS_LOG_SOFTMAX = 36,
  SAM_OPTIONS_CAST = 37,
  SAM_OPTIONS_DEQUANTIZE = 38,
  SAM_OPTIONS_MAXIMUM_MINIMUM = 39,
  SAM_OPTIONS_ARG_MAX = 40,
  SAM_OPTIONS_LESS = 41,
  SAM_OPTIONS_NEG = 42,
  SAM_OPTIONS_PAD_V2 = 43,
  SAM_OPTIONS_GREATER = 44,
  SAM_OPTIONS_GREATER_EQUAL = 45,
  SAM_OPTIONS_LESS_EQUAL = 46,
  SAM_OPTIONS_SELECT = 47,
  SAM_OPTIONS_SLICE = 48,
  SAM_OPTIONS_TRANSPOSE_CONV = 49,
  SAM_OPTIONS_SPARSE_TO_DENSE = 50,
  SAM_OPTIONS_TILE = 51,
  SAM_OPTIONS_EXPAND_DIMS = 52,
  SAM_OPTIONS_EQUAL = 53,
  SAM_OPTIONS_NOT_EQUAL = 54,
  SAM_OPTIONS_SHAPE = 55,
  SAM_OPTIONS_POW = 56,
  SAM_OPTIONS_ARG_MIN = 57,
  SAM_OPTIONS_FAKE_QUANT = 58,
  SAM_OPTIONS_PACK = 59,
  SAM_OPTIONS_LOGICAL_OR = 60,
  SAM_OPTIONS_ONE_HOT = 61,
  SAM_OPTIONS_LOGICAL_AND = 62,
  SAM_OPTIONS_LOGICAL_NOT = 63,
  SAM_OPTIONS_UNPACK = 64,
  SAM_OPTIONS_FLOOR_DIV = 65,
  SAM_OPTIONS_SQUARE = 66,
  SAM_OPTIONS_ZEROS_LIKE = 67,
  SAM_OPTIONS_FILL = 68,
  SAM_OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM = 69,
  SAM_OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN = 70,
  SAM_OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM = 71,
  SAM_OPTIONS_FLOOR_MOD = 72,
  SAM_OPTIONS_RANGE = 73,
  SAM_OPTIONS_RESIZE_NEAREST_NEIGHBOR = 74,
  SAM_OPTIONS_LEAKY_RELU = 75,
  SAM_OPTIONS_SQUARED_DIFFERENCE = 76,
  SAM_OPTIONS_MIRROR_PAD = 77,
  SAM_OPTIONS_ABS = 78,
  SAM_OPTIONS_SPLIT_V = 79,
  SAM_OPTIONS_UNIQUE = 80,
  SAM_OPTIONS_REVERSE_V2 = 81,
  SAM_OPTIONS_ADD_N = 82,
  SAM_OPTIONS_GATHER_ND = 83,
  SAM_OPTIONS_COS = 84,
  SAM_OPTIONS_WHERE = 85,
  SAM_OPTIONS_RANK = 86,
  SAM_OPTIONS_REVERSE_SEQUENCE = 87,
  SAM_OPTIONS_MATRIX_DIAG = 88,
  SAM_OPTIONS_QUANTIZE = 89,
  SAM_OPTIONS_MATRIX_SET_DIAG = 90,
  SAM_OPTIONS_HARD_SWISH = 91,
  SAM_OPTIONS_IF = 92,
  SAM_OPTIONS_WHILE = 93,
  SAM_OPTIONS_DEPTH_TO_SPACE = 94,
  SAM_OPTIONS_NON_MAX_SUPPRESSION_V4 = 95,
  SAM_OPTIONS_NON_MAX_SUPPRESSION_V5 = 96,
  SAM_OPTIONS_SCATTER_ND = 97,
  SAM_OPTIONS_SELECT_V2 = 98,
  SAM_OPTIONS_DENSIFY = 99,
  SAM_OPTIONS_SEGMENT_SUM = 100,
  SAM_OPTIONS_BATCH_MAT_MUL = 101,
  SAM_OPTIONS_CUMSUM = 102,
  SAM_OPTIONS_CALL_ONCE = 103,
  SAM_OPTIONS_BROADCAST_TO = 104,
  SAM_OPTIONS_RFFT2D = 105,
  SAM_OPTIONS_CONV_3D = 106,
  SAM_OPTIONS_HASHTABLE = 107,
  SAM_OPTIONS_HASHTABLE_FIND = 108,
  SAM_OPTIONS_HASHTABLE_IMPORT = 109,
  SAM_OPTIONS_HASHTABLE_SIZE = 110,
  SAM_OPTIONS_VAR_HANDLE = 111,
  SAM_OPTIONS_READ_VARIABLE = 112,
  SAM_OPTIONS_ASSIGN_VARIABLE = 113,
  SAM_OPTIONS_RANDOM = 114,
  SAM_OPTIONS_BUCKETIZE = 115,
  SAM_OPTIONS_GELU = 116,
  SAM_OPTIONS_DYNAMIC_UPDATE_SLICE = 117,
  SAM_OPTIONS_UNSORTED_SEGMENT_PROD = 118,
  SAM_OPTIONS_UNSORTED_SEGMENT_MAX = 119,
  SAM_OPTIONS_UNSORTED_SEGMENT_MIN = 120,
  SAM_OPTIONS_UNSORTED_SEGMENT_SUM = 121,
  SAM_OPTIONS_ATAN2 = 122,
  SAM_OPTIONS_SIGN = 123,
  SAM_OPTIONS_BITCAST = 124,
  SAM_OPTIONS_BITWISE_XOR = 125,
  SAM_OPTIONS_RIGHT_SHIFT = 126,
  SAM_OPTIONS_STABLEHLO_CONCATENATE = 127,
  SAM_OPTIONS_STABLEHLO_BROADCAST_IN_DIM = 128,
  SAM_OPTIONS_STABLEHLO_SLICE = 129,
  SAM_OPTIONS_STABLEHLO_CONVOLUTION = 130,
  SAM_OPTIONS_STABLEHLO_CUSTOM_CALL = 131,
  SAM_OPTIONS_STABLEHLO_REDUCE = 132,
  SAM_OPTIONS_STABLEHLO_SCATTER = 133,
  SAM_OPTIONS_STABLEHLO_COMPARE = 134,
  SAM_OPTIONS_STABLEHLO_DYNAMIC_SLICE = 135,
  SAM_OPTIONS_STABLEHLO_PAD = 136,
  SAM_OPTIONS_STABLEHLO_IOTA = 137,
  SAM_OPTIONS_STABLEHLO_DOT_GENERAL = 138,
  SAM_OPTIONS_STABLEHLO_REDUCE_WINDOW = 139,
  SAM_OPTIONS_STABLEHLO_SORT = 140,
  SAM_OPTIONS_STABLEHLO_WHILE = 141,
  SAM_OPTIONS_STABLEHLO_GATHER = 142,
  SAM_OPTIONS_STABLEHLO_TRANSPOSE = 143,
  SAM_OPTIONS_DILATE = 144,
  SAM_OPTIONS_STABLEHLO_RNG_BIT_GENERATOR = 145,
  SAM_OPTIONS_REDUCE_WINDOW = 146,
  SAM_OPTIONS_STABLEHLO_COMPOSITE = 147,
  SAM_OPTIONS_STABLEHLO_SHIFT_LEFT = 148,
  SAM_OPTIONS_STABLEHLO_CASE = 149,
  SAM_OPTIONS_COUNT = 150
};

typedef struct sam_conv_2d_options {
  int32_t padding; /* SAM_PADDING_… */
  int32_t stride_w;
  int32_t stride_h;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  int32_t dilation_w_factor; /* default 1 */
  int32_t dilation_h_factor; /* default 1 */
  int32_t quantized_bias_type; /* sam_type */
} sam_conv_2d_options;

typedef struct sam_depthwise_conv_2d_options {
  int32_t padding; /* SAM_PADDING_… */
  int32_t stride_w;
  int32_t stride_h;
  int32_t depth_multiplier;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  int32_t dilation_w_factor; /* default 1 */
  int32_t dilation_h_factor; /* default 1 */
} sam_depthwise_conv_2d_options;

typedef struct sam_concat_embeddings_options {
  int32_t num_channels;
  sam_ints num_columns_per_channel;
  sam_ints embedding_dim_per_channel;
} sam_concat_embeddings_options;

typedef struct sam_lsh_projection_options {
  int32_t type; /* SAM_LSH_PROJECTION_TYPE_… */
} sam_lsh_projection_options;

typedef struct sam_pool_2d_options {
  int32_t padding; /* SAM_PADDING_… */
  int32_t stride_w;
  int32_t stride_h;
  int32_t filter_width;
  int32_t filter_height;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
} sam_pool_2d_options;

typedef struct sam_svdf_options {
  int32_t rank;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool asymmetric_quantize_inputs;
} sam_svdf_options;

typedef struct sam_rnn_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool asymmetric_quantize_inputs;
} sam_rnn_options;

typedef struct sam_fully_connected_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  int32_t weights_format; /* SAM_FULLY_CONNECTED_OPTIONS_WEIGHTS_FORMAT_…, default DEFAULT */
  bool keep_num_dims;
  bool asymmetric_quantize_inputs;
  int32_t quantized_bias_type; /* sam_type */
  sam_bytes quant_spec;
} sam_fully_connected_options;

typedef struct sam_softmax_options {
  float beta;
} sam_softmax_options;

typedef struct sam_concatenation_options {
  int32_t axis;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
} sam_concatenation_options;

typedef struct sam_add_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool pot_scale_int16; /* default true */
} sam_add_options;

typedef struct sam_l2_norm_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
} sam_l2_norm_options;

typedef struct sam_local_response_normalization_options {
  int32_t radius;
  float bias;
  float alpha;
  float beta;
} sam_local_response_normalization_options;

typedef struct sam_lstm_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  float cell_clip;
  float proj_clip;
  int32_t kernel_type; /* SAM_LSTM_KERNEL_TYPE_…, default FULL */
  bool asymmetric_quantize_inputs;
} sam_lstm_options;

typedef struct sam_resize_bilinear_options {
  int32_t new_height;
  int32_t new_width;
  bool align_corners;
  bool half_pixel_centers;
} sam_resize_bilinear_options;

typedef struct sam_call_options {
  uint32_t subgraph;
} sam_call_options;

typedef struct sam_reshape_options {
  sam_ints new_shape;
} sam_reshape_options;

typedef struct sam_skip_gram_options {
  int32_t ngram_size;
  int32_t max_skip_size;
  bool include_all_ngrams;
} sam_skip_gram_options;

typedef struct sam_space_to_depth_options {
  int32_t block_size;
} sam_space_to_depth_options;

typedef struct sam_embedding_lookup_sparse_options {
  int32_t combiner; /* SAM_COMBINER_TYPE_… */
} sam_embedding_lookup_sparse_options;

typedef struct sam_mul_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
} sam_mul_options;

typedef struct sam_gather_options {
  int32_t axis;
  int32_t batch_dims;
} sam_gather_options;

typedef struct sam_reducer_options {
  bool keep_dims;
} sam_reducer_options;

typedef struct sam_sub_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool pot_scale_int16; /* default true */
} sam_sub_options;

typedef struct sam_div_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
} sam_div_options;

typedef struct sam_squeeze_options {
  sam_ints squeeze_dims;
} sam_squeeze_options;

typedef struct sam_sequence_rnn_options {
  bool time_major;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool asymmetric_quantize_inputs;
} sam_sequence_rnn_options;

typedef struct sam_strided_slice_options {
  int32_t begin_mask;
  int32_t end_mask;
  int32_t ellipsis_mask;
  int32_t new_axis_mask;
  int32_t shrink_axis_mask;
  bool offset;
} sam_strided_slice_options;

typedef struct sam_split_options {
  int32_t num_splits;
} sam_split_options;

typedef struct sam_cast_options {
  int32_t in_data_type; /* sam_type */
  int32_t out_data_type; /* sam_type */
} sam_cast_options;

typedef struct sam_arg_max_options {
  int32_t output_type; /* sam_type */
} sam_arg_max_options;

typedef struct sam_transpose_conv_options {
  int32_t padding; /* SAM_PADDING_… */
  int32_t stride_w;
  int32_t stride_h;
  int32_t fused_activation_function; /* SAM_ACTIVATION_…, default NONE */
  int32_t quantized_bias_type; /* sam_type */
} sam_transpose_conv_options;

typedef struct sam_sparse_to_dense_options {
  bool validate_indices;
} sam_sparse_to_dense_options;

typedef struct sam_shape_options {
  int32_t out_type; /* sam_type */
} sam_shape_options;

typedef struct sam_arg_min_options {
  int32_t output_type; /* sam_type */
} sam_arg_min_options;

typedef struct sam_fake_quant_options {
  float min;
  float max;
  int32_t num_bits;
  bool narrow_range;
} sam_fake_quant_options;

typedef struct sam_pack_options {
  int32_t values_count;
  int32_t axis;
} sam_pack_options;

typedef struct sam_one_hot_options {
  int32_t axis;
} sam_one_hot_options;

typedef struct sam_unpack_options {
  int32_t num;
  int32_t axis;
} sam_unpack_options;

typedef struct sam_bidirectional_sequence_lstm_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  float cell_clip;
  float proj_clip;
  bool merge_outputs;
  bool time_major; /* default true */
  bool asymmetric_quantize_inputs;
} sam_bidirectional_sequence_lstm_options;

typedef struct sam_bidirectional_sequence_rnn_options {
  bool time_major;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  bool merge_outputs;
  bool asymmetric_quantize_inputs;
} sam_bidirectional_sequence_rnn_options;

typedef struct sam_unidirectional_sequence_lstm_options {
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  float cell_clip;
  float proj_clip;
  bool time_major;
  bool asymmetric_quantize_inputs;
  bool diagonal_recurrent_tensors;
} sam_unidirectional_sequence_lstm_options;

typedef struct sam_resize_nearest_neighbor_options {
  bool align_corners;
  bool half_pixel_centers;
} sam_resize_nearest_neighbor_options;

typedef struct sam_leaky_relu_options {
  float alpha;
} sam_leaky_relu_options;

typedef struct sam_mirror_pad_options {
  int32_t mode; /* SAM_MIRROR_PAD_MODE_… */
} sam_mirror_pad_options;

typedef struct sam_split_v_options {
  int32_t num_splits;
} sam_split_v_options;

typedef struct sam_unique_options {
  int32_t idx_out_type; /* sam_type, default INT32 */
} sam_unique_options;

typedef struct sam_reverse_sequence_options {
  int32_t seq_dim;
  int32_t batch_dim;
} sam_reverse_sequence_options;

typedef struct sam_if_options {
  int32_t then_subgraph_index;
  int32_t else_subgraph_index;
} sam_if_options;

typedef struct sam_while_options {
  int32_t cond_subgraph_index;
  int32_t body_subgraph_index;
} sam_while_options;

typedef struct sam_depth_to_space_options {
  int32_t block_size;
} sam_depth_to_space_options;

typedef struct sam_batch_mat_mul_options {
  bool adj_x;
  bool adj_y;
  bool asymmetric_quantize_inputs;
} sam_batch_mat_mul_options;

typedef struct sam_cumsum_options {
  bool exclusive;
  bool reverse;
} sam_cumsum_options;

typedef struct sam_call_once_options {
  int32_t init_subgraph_index;
} sam_call_once_options;

typedef struct sam_conv_3d_options {
  int32_t padding; /* SAM_PADDING_… */
  int32_t stride_d;
  int32_t stride_w;
  int32_t stride_h;
  int32_t fused_activation_function; /* SAM_ACTIVATION_… */
  int32_t dilation_d_factor; /* default 1 */
  int32_t dilation_w_factor; /* default 1 */
  int32_t dilation_h_factor; /* default 1 */
} sam_conv_3d_options;

typedef struct sam_hashtable_options {
  int32_t table_id;
  int32_t key_dtype; /* sam_type */
  int32_t value_dtype; /* sam_type */
} sam_hashtable_options;

typedef struct sam_var_handle_options {
  const char *container;
  const char *shared_name;
} sam_var_handle_options;

typedef struct sam_random_options {
  int64_t seed;
  int64_t seed2;
} sam_random_options;

typedef struct sam_bucketize_options {
  sam_floats boundaries;
} sam_bucketize_options;

typedef struct sam_gelu_options {
  bool approximate;
} sam_gelu_options;

typedef struct sam_stablehlo_concatenate_options {
  int64_t dimension;
} sam_stablehlo_concatenate_options;

typedef struct sam_stablehlo_broadcast_in_dim_options {
  sam_longs broadcast_dimensions;
} sam_stablehlo_broadcast_in_dim_options;

typedef struct sam_stablehlo_slice_options {
  sam_longs start_indices;
  sam_longs limit_indices;
  sam_longs strides;
} sam_stablehlo_slice_options;

typedef struct sam_stablehlo_convolution_options {
  sam_longs window_strides;
  sam_longs padding;
  sam_longs lhs_dilation;
  sam_longs rhs_dilation;
  sam_bytes window_reversal;
  int64_t input_batch_dimension;
  int64_t input_feature_dimension;
  sam_longs input_spatial_dimensions;
  int64_t kernel_input_feature_dimension;
  int64_t kernel_output_feature_dimension;
  sam_longs kernel_spatial_dimensions;
  int64_t output_batch_dimension;
  int64_t output_feature_dimension;
  sam_longs output_spatial_dimensions;
  int64_t feature_group_count;
  int64_t batch_group_count;
  sam_ints precision_config;
} sam_stablehlo_convolution_options;

typedef struct sam_stablehlo_custom_call_options {
  const char *call_target_name;
  bool has_side_effect;
  const char *backend_config;
  int32_t api_version;
  sam_ints called_computations;
  sam_bytes custom_attributes;
} sam_stablehlo_custom_call_options;

typedef struct sam_stablehlo_reduce_options {
  sam_longs dimensions;
  int32_t body_subgraph_index;
} sam_stablehlo_reduce_options;

typedef struct sam_stablehlo_scatter_options {
  bool indices_are_sorted;
  sam_longs update_window_dims;
  sam_longs inserted_window_dims;
  sam_longs scatter_dims_to_operand_dims;
  int64_t index_vector_dim;
  bool unique_indices;
  int32_t update_computation_subgraph_index;
} sam_stablehlo_scatter_options;

typedef struct sam_stablehlo_compare_options {
  int32_t comparison_direction; /* SAM_STABLEHLO_COMPARISON_DIRECTION_… */
  int32_t compare_type; /* SAM_STABLEHLO_COMPARISON_TYPE_… */
} sam_stablehlo_compare_options;

typedef struct sam_stablehlo_dynamic_slice_options {
  sam_longs slice_sizes;
} sam_stablehlo_dynamic_slice_options;

typedef struct sam_stablehlo_pad_options {
  sam_longs edge_padding_low;
  sam_longs edge_padding_high;
  sam_longs interior_padding;
} sam_stablehlo_pad_options;

typedef struct sam_stablehlo_iota_options {
  int64_t iota_dimension;
} sam_stablehlo_iota_options;

typedef struct sam_stablehlo_dot_general_options {
  sam_longs lhs_batching_dimensions;
  sam_longs rhs_batching_dimensions;
  sam_longs lhs_contracting_dimensions;
  sam_longs rhs_contracting_dimensions;
  sam_ints precision_config;
} sam_stablehlo_dot_general_options;

typedef struct sam_stablehlo_reduce_window_options {
  sam_longs window_dimensions;
  sam_longs window_strides;
  sam_longs base_dilations;
  sam_longs window_dilations;
  sam_longs padding;
  int32_t body_subgraph_index;
} sam_stablehlo_reduce_window_options;

typedef struct sam_stablehlo_sort_options {
  int64_t dimension;
  bool is_stable;
  int32_t comparator_subgraph_index;
} sam_stablehlo_sort_options;

typedef struct sam_stablehlo_while_options {
  int32_t cond_subgraph_index;
  int32_t body_subgraph_index;
} sam_stablehlo_while_options;

typedef struct sam_stablehlo_gather_options {
  sam_longs offset_dims;
  sam_longs collapsed_slice_dims;
  sam_longs start_index_map;
  int64_t index_vector_dim;
  sam_longs slice_sizes;
  bool indices_are_sorted;
} sam_stablehlo_gather_options;

typedef struct sam_stablehlo_transpose_options {
  sam_longs permutation;
} sam_stablehlo_transpose_options;

typedef struct sam_stablehlo_rng_bit_generator_options {
  int32_t algorithm; /* SAM_RNG_ALGORITHM_… */
} sam_stablehlo_rng_bit_generator_options;

typedef struct sam_reduce_window_options {
  int32_t reduce_function; /* SAM_REDUCE_WINDOW_FUNCTION_… */
} sam_reduce_window_options;

typedef struct sam_stablehlo_composite_options {
  const char *name;
  int32_t decomposition_subgraph_index;
  sam_bytes composite_attributes;
  int32_t composite_attributes_format; /* SAM_CUSTOM_OPTIONS_FORMAT_… */
  int32_t version;
} sam_stablehlo_composite_options;

typedef struct sam_stablehlo_case_options {
  sam_ints branch_subgraph_indices;
} sam_stablehlo_case_options;

/* clang-format on */

#endif
