/* Generated from interpreter/schema/tflite.fbs by `python3 tools/gen_schema.py`. Do not edit. */
#include "schema_gen.h"

#include <stddef.h>

#include "samara/options.h"
#include "samara/types.h"

/* clang-format off */

_Static_assert(SAM_FLOAT32 == 0, "sam_type differs from the schema");
_Static_assert(SAM_FLOAT16 == 1, "sam_type differs from the schema");
_Static_assert(SAM_INT32 == 2, "sam_type differs from the schema");
_Static_assert(SAM_UINT8 == 3, "sam_type differs from the schema");
_Static_assert(SAM_INT64 == 4, "sam_type differs from the schema");
_Static_assert(SAM_STRING == 5, "sam_type differs from the schema");
_Static_assert(SAM_BOOL == 6, "sam_type differs from the schema");
_Static_assert(SAM_INT16 == 7, "sam_type differs from the schema");
_Static_assert(SAM_COMPLEX64 == 8, "sam_type differs from the schema");
_Static_assert(SAM_INT8 == 9, "sam_type differs from the schema");
_Static_assert(SAM_FLOAT64 == 10, "sam_type differs from the schema");
_Static_assert(SAM_COMPLEX128 == 11, "sam_type differs from the schema");
_Static_assert(SAM_UINT64 == 12, "sam_type differs from the schema");
_Static_assert(SAM_RESOURCE == 13, "sam_type differs from the schema");
_Static_assert(SAM_VARIANT == 14, "sam_type differs from the schema");
_Static_assert(SAM_UINT32 == 15, "sam_type differs from the schema");
_Static_assert(SAM_UINT16 == 16, "sam_type differs from the schema");
_Static_assert(SAM_INT4 == 17, "sam_type differs from the schema");
_Static_assert(SAM_BFLOAT16 == 18, "sam_type differs from the schema");
_Static_assert(SAM_INT2 == 19, "sam_type differs from the schema");
_Static_assert(SAM_UINT4 == 20, "sam_type differs from the schema");
_Static_assert(SAM_FLOAT8_E4M3FN == 21, "sam_type differs from the schema");
_Static_assert(SAM_FLOAT8_E5M2 == 22, "sam_type differs from the schema");
_Static_assert(SAM_TYPE_COUNT == 23, "sam_type differs from the schema");

static const sam_schema_field model_fields[] = {
  {"version", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
  {"operator_codes", SAM_FIELD_TABLES, SAM_WIRE_U8, 1, 0, 0, 0},
  {"subgraphs", SAM_FIELD_TABLES, SAM_WIRE_U8, 2, 0, 0, 0},
  {"description", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"buffers", SAM_FIELD_TABLES, SAM_WIRE_U8, 15, 0, 0, 0},
  {"metadata_buffer", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"metadata", SAM_FIELD_TABLES, SAM_WIRE_U8, 18, 0, 0, 0},
  {"signature_defs", SAM_FIELD_TABLES, SAM_WIRE_U8, 20, 0, 0, 0},
  {"external_buffer_groups", SAM_FIELD_TABLES, SAM_WIRE_U8, 16, 0, 0, 0},
  {"external_buffers", SAM_FIELD_TABLES, SAM_WIRE_U8, 17, 0, 0, 0},
};

static const sam_schema_field operator_code_fields[] = {
  {"deprecated_builtin_code", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 0, 0, 0},
  {"custom_code", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"version", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 1},
  {"builtin_code", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 210, 0, 0},
};

static const sam_schema_field sub_graph_fields[] = {
  {"tensors", SAM_FIELD_TABLES, SAM_WIRE_U8, 3, 0, 0, 0},
  {"inputs", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"outputs", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"operators", SAM_FIELD_TABLES, SAM_WIRE_U8, 14, 0, 0, 0},
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"debug_metadata_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, -1},
};

static const sam_schema_field tensor_fields[] = {
  {"shape", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, 0, 0},
  {"buffer", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"quantization", SAM_FIELD_TABLE, SAM_WIRE_U8, 4, 0, 0, 0},
  {"is_variable", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, 0, 0},
  {"sparsity", SAM_FIELD_TABLE, SAM_WIRE_U8, 8, 0, 0, 0},
  {"shape_signature", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"has_rank", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, 0, 0},
  {"variant_tensors", SAM_FIELD_TABLES, SAM_WIRE_U8, 13, 0, 0, 0},
  {"external_buffer", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
};

static const sam_schema_field quantization_parameters_fields[] = {
  {"min", SAM_FIELD_VECTOR, SAM_WIRE_F32, -1, 0, 0, 0},
  {"max", SAM_FIELD_VECTOR, SAM_WIRE_F32, -1, 0, 0, 0},
  {"scale", SAM_FIELD_VECTOR, SAM_WIRE_F32, -1, 0, 0, 0},
  {"zero_point", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, 0, 0},
  {"details_type", SAM_FIELD_TAG, SAM_WIRE_U8, 0, 0, 0, 0},
  {"details", SAM_FIELD_UNION, SAM_WIRE_U8, 0, 0, 0, 0},
  {"quantized_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
};

static const sam_schema_field custom_quantization_fields[] = {
  {"custom", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, 0, 0},
};

static const sam_schema_field blockwise_quantization_fields[] = {
  {"scales", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"zero_points", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"block_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"block_shape", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
};

static const sam_schema_field multi_axis_quantization_fields[] = {
  {"scales", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"zero_points", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"block_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"quantized_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
};

static const sam_schema_field sparsity_parameters_fields[] = {
  {"traversal_order", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"block_map", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"dim_metadata", SAM_FIELD_TABLES, SAM_WIRE_U8, 9, 0, 0, 0},
};

static const sam_schema_field dimension_metadata_fields[] = {
  {"format", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, 0, 0},
  {"dense_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"array_segments_type", SAM_FIELD_TAG, SAM_WIRE_U8, 1, 0, 0, 0},
  {"array_segments", SAM_FIELD_UNION, SAM_WIRE_U8, 1, 0, 0, 0},
  {"array_indices_type", SAM_FIELD_TAG, SAM_WIRE_U8, 1, 0, 0, 0},
  {"array_indices", SAM_FIELD_UNION, SAM_WIRE_U8, 1, 0, 0, 0},
};

static const sam_schema_field int32_vector_fields[] = {
  {"values", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
};

static const sam_schema_field uint16_vector_fields[] = {
  {"values", SAM_FIELD_VECTOR, SAM_WIRE_U16, -1, 0, 0, 0},
};

static const sam_schema_field uint8_vector_fields[] = {
  {"values", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, 0, 0},
};

static const sam_schema_field variant_sub_type_fields[] = {
  {"shape", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, 0, 0},
  {"has_rank", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, 0, 0},
};

static const sam_schema_field operator_fields[] = {
  {"opcode_index", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
  {"inputs", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"outputs", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"builtin_options_type", SAM_FIELD_TAG, SAM_WIRE_U8, 2, 0, 0, 0},
  {"builtin_options", SAM_FIELD_UNION, SAM_WIRE_U8, 2, 0, 0, 0},
  {"custom_options", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, 0, 0},
  {"custom_options_format", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 1, 0, 0},
  {"mutating_variable_inputs", SAM_FIELD_VECTOR, SAM_WIRE_BOOL, -1, 0, 0, 0},
  {"intermediates", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, 0, 0},
  {"large_custom_options_offset", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
  {"large_custom_options_size", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
  {"builtin_options_2_type", SAM_FIELD_TAG, SAM_WIRE_U8, 3, 0, 0, 0},
  {"builtin_options_2", SAM_FIELD_UNION, SAM_WIRE_U8, 3, 0, 0, 0},
  {"debug_metadata_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, 0, -1},
};

static const sam_schema_field buffer_fields[] = {
  {"data", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, 0, 0},
  {"offset", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
  {"size", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
};

static const sam_schema_field external_buffer_group_fields[] = {
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
};

static const sam_schema_field external_buffer_fields[] = {
  {"id", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
  {"group", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
  {"offset", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
  {"length", SAM_FIELD_SCALAR, SAM_WIRE_U64, -1, 0, 0, 0},
  {"packing", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
};

static const sam_schema_field metadata_fields[] = {
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"buffer", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
};

static const sam_schema_field tensor_map_fields[] = {
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"tensor_index", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
};

static const sam_schema_field signature_def_fields[] = {
  {"inputs", SAM_FIELD_TABLES, SAM_WIRE_U8, 19, 0, 0, 0},
  {"outputs", SAM_FIELD_TABLES, SAM_WIRE_U8, 19, 0, 0, 0},
  {"signature_key", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"deprecated_tag", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, 0, 0},
  {"subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, 0, 0},
};

static const sam_schema_field stablehlo_gather_options_fields[] = {
  {"offset_dims", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_gather_options, offset_dims), 0},
  {"collapsed_slice_dims", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_gather_options, collapsed_slice_dims), 0},
  {"start_index_map", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_gather_options, start_index_map), 0},
  {"index_vector_dim", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_gather_options, index_vector_dim), 0},
  {"slice_sizes", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_gather_options, slice_sizes), 0},
  {"indices_are_sorted", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_gather_options, indices_are_sorted), 0},
};

static const sam_schema_field stablehlo_transpose_options_fields[] = {
  {"permutation", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_transpose_options, permutation), 0},
};

static const sam_schema_field stablehlo_dot_general_options_fields[] = {
  {"lhs_batching_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_dot_general_options, lhs_batching_dimensions), 0},
  {"rhs_batching_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_dot_general_options, rhs_batching_dimensions), 0},
  {"lhs_contracting_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_dot_general_options, lhs_contracting_dimensions), 0},
  {"rhs_contracting_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_dot_general_options, rhs_contracting_dimensions), 0},
  {"precision_config", SAM_FIELD_VECTOR, SAM_WIRE_U32, -1, 3, offsetof(sam_stablehlo_dot_general_options, precision_config), 0},
};

static const sam_schema_field stablehlo_reduce_window_options_fields[] = {
  {"window_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_window_options, window_dimensions), 0},
  {"window_strides", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_window_options, window_strides), 0},
  {"base_dilations", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_window_options, base_dilations), 0},
  {"window_dilations", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_window_options, window_dilations), 0},
  {"padding", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_window_options, padding), 0},
  {"body_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_reduce_window_options, body_subgraph_index), 0},
};

static const sam_schema_field stablehlo_while_options_fields[] = {
  {"cond_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_while_options, cond_subgraph_index), 0},
  {"body_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_while_options, body_subgraph_index), 0},
};

static const sam_schema_field stablehlo_sort_options_fields[] = {
  {"dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_sort_options, dimension), 0},
  {"is_stable", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_sort_options, is_stable), 0},
  {"comparator_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_sort_options, comparator_subgraph_index), 0},
};

static const sam_schema_field stablehlo_concatenate_options_fields[] = {
  {"dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_concatenate_options, dimension), 0},
};

static const sam_schema_field stablehlo_broadcast_in_dim_options_fields[] = {
  {"broadcast_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_broadcast_in_dim_options, broadcast_dimensions), 0},
};

static const sam_schema_field stablehlo_compare_options_fields[] = {
  {"comparison_direction", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 6, offsetof(sam_stablehlo_compare_options, comparison_direction), 0},
  {"compare_type", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 5, offsetof(sam_stablehlo_compare_options, compare_type), 0},
};

static const sam_schema_field stablehlo_dynamic_slice_options_fields[] = {
  {"slice_sizes", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_dynamic_slice_options, slice_sizes), 0},
};

static const sam_schema_field stablehlo_pad_options_fields[] = {
  {"edge_padding_low", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_pad_options, edge_padding_low), 0},
  {"edge_padding_high", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_pad_options, edge_padding_high), 0},
  {"interior_padding", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_pad_options, interior_padding), 0},
};

static const sam_schema_field stablehlo_iota_options_fields[] = {
  {"iota_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_iota_options, iota_dimension), 0},
};

static const sam_schema_field stablehlo_custom_call_options_fields[] = {
  {"call_target_name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, offsetof(sam_stablehlo_custom_call_options, call_target_name), 0},
  {"has_side_effect", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_custom_call_options, has_side_effect), 0},
  {"backend_config", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, offsetof(sam_stablehlo_custom_call_options, backend_config), 0},
  {"api_version", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_custom_call_options, api_version), 0},
  {"called_computations", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_custom_call_options, called_computations), 0},
  {"custom_attributes", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, offsetof(sam_stablehlo_custom_call_options, custom_attributes), 0},
};

static const sam_schema_field stablehlo_reduce_options_fields[] = {
  {"dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_reduce_options, dimensions), 0},
  {"body_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_reduce_options, body_subgraph_index), 0},
};

static const sam_schema_field stablehlo_slice_options_fields[] = {
  {"start_indices", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_slice_options, start_indices), 0},
  {"limit_indices", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_slice_options, limit_indices), 0},
  {"strides", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_slice_options, strides), 0},
};

static const sam_schema_field stablehlo_convolution_options_fields[] = {
  {"window_strides", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, window_strides), 0},
  {"padding", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, padding), 0},
  {"lhs_dilation", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, lhs_dilation), 0},
  {"rhs_dilation", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, rhs_dilation), 0},
  {"window_reversal", SAM_FIELD_VECTOR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_convolution_options, window_reversal), 0},
  {"input_batch_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, input_batch_dimension), 0},
  {"input_feature_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, input_feature_dimension), 0},
  {"input_spatial_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, input_spatial_dimensions), 0},
  {"kernel_input_feature_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, kernel_input_feature_dimension), 0},
  {"kernel_output_feature_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, kernel_output_feature_dimension), 0},
  {"kernel_spatial_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, kernel_spatial_dimensions), 0},
  {"output_batch_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, output_batch_dimension), 0},
  {"output_feature_dimension", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, output_feature_dimension), 0},
  {"output_spatial_dimensions", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, output_spatial_dimensions), 0},
  {"feature_group_count", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, feature_group_count), 0},
  {"batch_group_count", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_convolution_options, batch_group_count), 0},
  {"precision_config", SAM_FIELD_VECTOR, SAM_WIRE_U32, -1, 3, offsetof(sam_stablehlo_convolution_options, precision_config), 0},
};

static const sam_schema_field stablehlo_scatter_options_fields[] = {
  {"indices_are_sorted", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_scatter_options, indices_are_sorted), 0},
  {"update_window_dims", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_scatter_options, update_window_dims), 0},
  {"inserted_window_dims", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_scatter_options, inserted_window_dims), 0},
  {"scatter_dims_to_operand_dims", SAM_FIELD_VECTOR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_scatter_options, scatter_dims_to_operand_dims), 0},
  {"index_vector_dim", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_stablehlo_scatter_options, index_vector_dim), 0},
  {"unique_indices", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_stablehlo_scatter_options, unique_indices), 0},
  {"update_computation_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_scatter_options, update_computation_subgraph_index), 0},
};

static const sam_schema_field stablehlo_case_options_fields[] = {
  {"branch_subgraph_indices", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_case_options, branch_subgraph_indices), 0},
};

static const sam_schema_field stablehlo_rng_bit_generator_options_fields[] = {
  {"algorithm", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 3, offsetof(sam_stablehlo_rng_bit_generator_options, algorithm), 0},
};

static const sam_schema_field conv_2d_options_fields[] = {
  {"padding", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_conv_2d_options, padding), 0},
  {"stride_w", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_2d_options, stride_w), 0},
  {"stride_h", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_2d_options, stride_h), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_conv_2d_options, fused_activation_function), 0},
  {"dilation_w_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_2d_options, dilation_w_factor), 1},
  {"dilation_h_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_2d_options, dilation_h_factor), 1},
  {"quantized_bias_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_conv_2d_options, quantized_bias_type), 0},
};

static const sam_schema_field conv_3d_options_fields[] = {
  {"padding", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_conv_3d_options, padding), 0},
  {"stride_d", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, stride_d), 0},
  {"stride_w", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, stride_w), 0},
  {"stride_h", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, stride_h), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_conv_3d_options, fused_activation_function), 0},
  {"dilation_d_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, dilation_d_factor), 1},
  {"dilation_w_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, dilation_w_factor), 1},
  {"dilation_h_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_conv_3d_options, dilation_h_factor), 1},
};

static const sam_schema_field pool_2d_options_fields[] = {
  {"padding", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_pool_2d_options, padding), 0},
  {"stride_w", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pool_2d_options, stride_w), 0},
  {"stride_h", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pool_2d_options, stride_h), 0},
  {"filter_width", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pool_2d_options, filter_width), 0},
  {"filter_height", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pool_2d_options, filter_height), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_pool_2d_options, fused_activation_function), 0},
};

static const sam_schema_field depthwise_conv_2d_options_fields[] = {
  {"padding", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_depthwise_conv_2d_options, padding), 0},
  {"stride_w", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depthwise_conv_2d_options, stride_w), 0},
  {"stride_h", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depthwise_conv_2d_options, stride_h), 0},
  {"depth_multiplier", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depthwise_conv_2d_options, depth_multiplier), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_depthwise_conv_2d_options, fused_activation_function), 0},
  {"dilation_w_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depthwise_conv_2d_options, dilation_w_factor), 1},
  {"dilation_h_factor", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depthwise_conv_2d_options, dilation_h_factor), 1},
};

static const sam_schema_field concat_embeddings_options_fields[] = {
  {"num_channels", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_concat_embeddings_options, num_channels), 0},
  {"num_columns_per_channel", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_concat_embeddings_options, num_columns_per_channel), 0},
  {"embedding_dim_per_channel", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_concat_embeddings_options, embedding_dim_per_channel), 0},
};

static const sam_schema_field lsh_projection_options_fields[] = {
  {"type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 3, offsetof(sam_lsh_projection_options, type), 0},
};

static const sam_schema_field svdf_options_fields[] = {
  {"rank", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_svdf_options, rank), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_svdf_options, fused_activation_function), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_svdf_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field rnn_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_rnn_options, fused_activation_function), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_rnn_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field sequence_rnn_options_fields[] = {
  {"time_major", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_sequence_rnn_options, time_major), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_sequence_rnn_options, fused_activation_function), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_sequence_rnn_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field bidirectional_sequence_rnn_options_fields[] = {
  {"time_major", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_rnn_options, time_major), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_bidirectional_sequence_rnn_options, fused_activation_function), 0},
  {"merge_outputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_rnn_options, merge_outputs), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_rnn_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field fully_connected_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_fully_connected_options, fused_activation_function), 0},
  {"weights_format", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_fully_connected_options, weights_format), 0},
  {"keep_num_dims", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_fully_connected_options, keep_num_dims), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_fully_connected_options, asymmetric_quantize_inputs), 0},
  {"quantized_bias_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_fully_connected_options, quantized_bias_type), 0},
  {"quant_spec", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, offsetof(sam_fully_connected_options, quant_spec), 0},
};

static const sam_schema_field softmax_options_fields[] = {
  {"beta", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_softmax_options, beta), 0},
};

static const sam_schema_field concatenation_options_fields[] = {
  {"axis", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_concatenation_options, axis), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_concatenation_options, fused_activation_function), 0},
};

static const sam_schema_field add_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_add_options, fused_activation_function), 0},
  {"pot_scale_int16", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_add_options, pot_scale_int16), 1},
};

static const sam_schema_field mul_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_mul_options, fused_activation_function), 0},
};

static const sam_schema_field l2_norm_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_l2_norm_options, fused_activation_function), 0},
};

static const sam_schema_field local_response_normalization_options_fields[] = {
  {"radius", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_local_response_normalization_options, radius), 0},
  {"bias", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_local_response_normalization_options, bias), 0},
  {"alpha", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_local_response_normalization_options, alpha), 0},
  {"beta", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_local_response_normalization_options, beta), 0},
};

static const sam_schema_field lstm_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_lstm_options, fused_activation_function), 0},
  {"cell_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_lstm_options, cell_clip), 0},
  {"proj_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_lstm_options, proj_clip), 0},
  {"kernel_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_lstm_options, kernel_type), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_lstm_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field unidirectional_sequence_lstm_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_unidirectional_sequence_lstm_options, fused_activation_function), 0},
  {"cell_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_unidirectional_sequence_lstm_options, cell_clip), 0},
  {"proj_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_unidirectional_sequence_lstm_options, proj_clip), 0},
  {"time_major", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_unidirectional_sequence_lstm_options, time_major), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_unidirectional_sequence_lstm_options, asymmetric_quantize_inputs), 0},
  {"diagonal_recurrent_tensors", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_unidirectional_sequence_lstm_options, diagonal_recurrent_tensors), 0},
};

static const sam_schema_field bidirectional_sequence_lstm_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_bidirectional_sequence_lstm_options, fused_activation_function), 0},
  {"cell_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_bidirectional_sequence_lstm_options, cell_clip), 0},
  {"proj_clip", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_bidirectional_sequence_lstm_options, proj_clip), 0},
  {"merge_outputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_lstm_options, merge_outputs), 0},
  {"time_major", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_lstm_options, time_major), 1},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_bidirectional_sequence_lstm_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field resize_bilinear_options_fields[] = {
  {"new_height", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_resize_bilinear_options, new_height), 0},
  {"new_width", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_resize_bilinear_options, new_width), 0},
  {"align_corners", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_resize_bilinear_options, align_corners), 0},
  {"half_pixel_centers", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_resize_bilinear_options, half_pixel_centers), 0},
};

static const sam_schema_field resize_nearest_neighbor_options_fields[] = {
  {"align_corners", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_resize_nearest_neighbor_options, align_corners), 0},
  {"half_pixel_centers", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_resize_nearest_neighbor_options, half_pixel_centers), 0},
};

static const sam_schema_field call_options_fields[] = {
  {"subgraph", SAM_FIELD_SCALAR, SAM_WIRE_U32, -1, 0, offsetof(sam_call_options, subgraph), 0},
};

static const sam_schema_field reshape_options_fields[] = {
  {"new_shape", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_reshape_options, new_shape), 0},
};

static const sam_schema_field skip_gram_options_fields[] = {
  {"ngram_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_skip_gram_options, ngram_size), 0},
  {"max_skip_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_skip_gram_options, max_skip_size), 0},
  {"include_all_ngrams", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_skip_gram_options, include_all_ngrams), 0},
};

static const sam_schema_field space_to_depth_options_fields[] = {
  {"block_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_space_to_depth_options, block_size), 0},
};

static const sam_schema_field depth_to_space_options_fields[] = {
  {"block_size", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_depth_to_space_options, block_size), 0},
};

static const sam_schema_field sub_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_sub_options, fused_activation_function), 0},
  {"pot_scale_int16", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_sub_options, pot_scale_int16), 1},
};

static const sam_schema_field div_options_fields[] = {
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_div_options, fused_activation_function), 0},
};

static const sam_schema_field embedding_lookup_sparse_options_fields[] = {
  {"combiner", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 3, offsetof(sam_embedding_lookup_sparse_options, combiner), 0},
};

static const sam_schema_field gather_options_fields[] = {
  {"axis", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_gather_options, axis), 0},
  {"batch_dims", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_gather_options, batch_dims), 0},
};

static const sam_schema_field reducer_options_fields[] = {
  {"keep_dims", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_reducer_options, keep_dims), 0},
};

static const sam_schema_field squeeze_options_fields[] = {
  {"squeeze_dims", SAM_FIELD_VECTOR, SAM_WIRE_I32, -1, 0, offsetof(sam_squeeze_options, squeeze_dims), 0},
};

static const sam_schema_field split_options_fields[] = {
  {"num_splits", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_split_options, num_splits), 0},
};

static const sam_schema_field split_v_options_fields[] = {
  {"num_splits", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_split_v_options, num_splits), 0},
};

static const sam_schema_field strided_slice_options_fields[] = {
  {"begin_mask", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_strided_slice_options, begin_mask), 0},
  {"end_mask", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_strided_slice_options, end_mask), 0},
  {"ellipsis_mask", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_strided_slice_options, ellipsis_mask), 0},
  {"new_axis_mask", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_strided_slice_options, new_axis_mask), 0},
  {"shrink_axis_mask", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_strided_slice_options, shrink_axis_mask), 0},
  {"offset", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_strided_slice_options, offset), 0},
};

static const sam_schema_field cast_options_fields[] = {
  {"in_data_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_cast_options, in_data_type), 0},
  {"out_data_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_cast_options, out_data_type), 0},
};

static const sam_schema_field arg_max_options_fields[] = {
  {"output_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_arg_max_options, output_type), 0},
};

static const sam_schema_field arg_min_options_fields[] = {
  {"output_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_arg_min_options, output_type), 0},
};

static const sam_schema_field transpose_conv_options_fields[] = {
  {"padding", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_transpose_conv_options, padding), 0},
  {"stride_w", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_transpose_conv_options, stride_w), 0},
  {"stride_h", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_transpose_conv_options, stride_h), 0},
  {"fused_activation_function", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 6, offsetof(sam_transpose_conv_options, fused_activation_function), 0},
  {"quantized_bias_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_transpose_conv_options, quantized_bias_type), 0},
};

static const sam_schema_field sparse_to_dense_options_fields[] = {
  {"validate_indices", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_sparse_to_dense_options, validate_indices), 0},
};

static const sam_schema_field shape_options_fields[] = {
  {"out_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_shape_options, out_type), 0},
};

static const sam_schema_field fake_quant_options_fields[] = {
  {"min", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_fake_quant_options, min), 0},
  {"max", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_fake_quant_options, max), 0},
  {"num_bits", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_fake_quant_options, num_bits), 0},
  {"narrow_range", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_fake_quant_options, narrow_range), 0},
};

static const sam_schema_field pack_options_fields[] = {
  {"values_count", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pack_options, values_count), 0},
  {"axis", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_pack_options, axis), 0},
};

static const sam_schema_field one_hot_options_fields[] = {
  {"axis", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_one_hot_options, axis), 0},
};

static const sam_schema_field unpack_options_fields[] = {
  {"num", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_unpack_options, num), 0},
  {"axis", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_unpack_options, axis), 0},
};

static const sam_schema_field leaky_relu_options_fields[] = {
  {"alpha", SAM_FIELD_SCALAR, SAM_WIRE_F32, -1, 0, offsetof(sam_leaky_relu_options, alpha), 0},
};

static const sam_schema_field mirror_pad_options_fields[] = {
  {"mode", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 2, offsetof(sam_mirror_pad_options, mode), 0},
};

static const sam_schema_field unique_options_fields[] = {
  {"idx_out_type", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_unique_options, idx_out_type), 2},
};

static const sam_schema_field reverse_sequence_options_fields[] = {
  {"seq_dim", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_reverse_sequence_options, seq_dim), 0},
  {"batch_dim", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_reverse_sequence_options, batch_dim), 0},
};

static const sam_schema_field if_options_fields[] = {
  {"then_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_if_options, then_subgraph_index), 0},
  {"else_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_if_options, else_subgraph_index), 0},
};

static const sam_schema_field call_once_options_fields[] = {
  {"init_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_call_once_options, init_subgraph_index), 0},
};

static const sam_schema_field while_options_fields[] = {
  {"cond_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_while_options, cond_subgraph_index), 0},
  {"body_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_while_options, body_subgraph_index), 0},
};

static const sam_schema_field batch_mat_mul_options_fields[] = {
  {"adj_x", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_batch_mat_mul_options, adj_x), 0},
  {"adj_y", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_batch_mat_mul_options, adj_y), 0},
  {"asymmetric_quantize_inputs", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_batch_mat_mul_options, asymmetric_quantize_inputs), 0},
};

static const sam_schema_field cumsum_options_fields[] = {
  {"exclusive", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_cumsum_options, exclusive), 0},
  {"reverse", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_cumsum_options, reverse), 0},
};

static const sam_schema_field hashtable_options_fields[] = {
  {"table_id", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_hashtable_options, table_id), 0},
  {"key_dtype", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_hashtable_options, key_dtype), 0},
  {"value_dtype", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 23, offsetof(sam_hashtable_options, value_dtype), 0},
};

static const sam_schema_field var_handle_options_fields[] = {
  {"container", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, offsetof(sam_var_handle_options, container), 0},
  {"shared_name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, offsetof(sam_var_handle_options, shared_name), 0},
};

static const sam_schema_field random_options_fields[] = {
  {"seed", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_random_options, seed), 0},
  {"seed2", SAM_FIELD_SCALAR, SAM_WIRE_I64, -1, 0, offsetof(sam_random_options, seed2), 0},
};

static const sam_schema_field bucketize_options_fields[] = {
  {"boundaries", SAM_FIELD_VECTOR, SAM_WIRE_F32, -1, 0, offsetof(sam_bucketize_options, boundaries), 0},
};

static const sam_schema_field gelu_options_fields[] = {
  {"approximate", SAM_FIELD_SCALAR, SAM_WIRE_BOOL, -1, 0, offsetof(sam_gelu_options, approximate), 0},
};

static const sam_schema_field reduce_window_options_fields[] = {
  {"reduce_function", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 7, offsetof(sam_reduce_window_options, reduce_function), 0},
};

static const sam_schema_field stablehlo_composite_options_fields[] = {
  {"name", SAM_FIELD_STRING, SAM_WIRE_U8, -1, 0, offsetof(sam_stablehlo_composite_options, name), 0},
  {"decomposition_subgraph_index", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_composite_options, decomposition_subgraph_index), 0},
  {"composite_attributes", SAM_FIELD_VECTOR, SAM_WIRE_U8, -1, 0, offsetof(sam_stablehlo_composite_options, composite_attributes), 0},
  {"composite_attributes_format", SAM_FIELD_SCALAR, SAM_WIRE_I8, -1, 1, offsetof(sam_stablehlo_composite_options, composite_attributes_format), 0},
  {"version", SAM_FIELD_SCALAR, SAM_WIRE_I32, -1, 0, offsetof(sam_stablehlo_composite_options, version), 0},
};

const sam_schema_table sam_schema_tables[SAM_TABLE_COUNT] = {
  {"Model", model_fields, 10},
  {"OperatorCode", operator_code_fields, 4},
  {"SubGraph", sub_graph_fields, 6},
  {"Tensor", tensor_fields, 11},
  {"QuantizationParameters", quantization_parameters_fields, 7},
  {"CustomQuantization", custom_quantization_fields, 1},
  {"BlockwiseQuantization", blockwise_quantization_fields, 4},
  {"MultiAxisQuantization", multi_axis_quantization_fields, 4},
  {"SparsityParameters", sparsity_parameters_fields, 3},
  {"DimensionMetadata", dimension_metadata_fields, 6},
  {"Int32Vector", int32_vector_fields, 1},
  {"Uint16Vector", uint16_vector_fields, 1},
  {"Uint8Vector", uint8_vector_fields, 1},
  {"VariantSubType", variant_sub_type_fields, 3},
  {"Operator", operator_fields, 14},
  {"Buffer", buffer_fields, 3},
  {"ExternalBufferGroup", external_buffer_group_fields, 1},
  {"ExternalBuffer", external_buffer_fields, 5},
  {"Metadata", metadata_fields, 2},
  {"TensorMap", tensor_map_fields, 2},
  {"SignatureDef", signature_def_fields, 5},
  {"StablehloGatherOptions", stablehlo_gather_options_fields, 6},
  {"StablehloTransposeOptions", stablehlo_transpose_options_fields, 1},
  {"StablehloDotGeneralOptions", stablehlo_dot_general_options_fields, 5},
  {"StablehloReduceWindowOptions", stablehlo_reduce_window_options_fields, 6},
  {"StablehloWhileOptions", stablehlo_while_options_fields, 2},
  {"StablehloSortOptions", stablehlo_sort_options_fields, 3},
  {"StablehloConcatenateOptions", stablehlo_concatenate_options_fields, 1},
  {"StablehloBroadcastInDimOptions", stablehlo_broadcast_in_dim_options_fields, 1},
  {"StablehloCompareOptions", stablehlo_compare_options_fields, 2},
  {"StablehloDynamicSliceOptions", stablehlo_dynamic_slice_options_fields, 1},
  {"StablehloPadOptions", stablehlo_pad_options_fields, 3},
  {"StablehloIotaOptions", stablehlo_iota_options_fields, 1},
  {"StablehloCustomCallOptions", stablehlo_custom_call_options_fields, 6},
  {"StablehloReduceOptions", stablehlo_reduce_options_fields, 2},
  {"StablehloSliceOptions", stablehlo_slice_options_fields, 3},
  {"StablehloConvolutionOptions", stablehlo_convolution_options_fields, 17},
  {"StablehloScatterOptions", stablehlo_scatter_options_fields, 7},
  {"StablehloCaseOptions", stablehlo_case_options_fields, 1},
  {"StablehloRngBitGeneratorOptions", stablehlo_rng_bit_generator_options_fields, 1},
  {"Conv2DOptions", conv_2d_options_fields, 7},
  {"Conv3DOptions", conv_3d_options_fields, 8},
  {"Pool2DOptions", pool_2d_options_fields, 6},
  {"DepthwiseConv2DOptions", depthwise_conv_2d_options_fields, 7},
  {"ConcatEmbeddingsOptions", concat_embeddings_options_fields, 3},
  {"LSHProjectionOptions", lsh_projection_options_fields, 1},
  {"SVDFOptions", svdf_options_fields, 3},
  {"RNNOptions", rnn_options_fields, 2},
  {"SequenceRNNOptions", sequence_rnn_options_fields, 3},
  {"BidirectionalSequenceRNNOptions", bidirectional_sequence_rnn_options_fields, 4},
  {"FullyConnectedOptions", fully_connected_options_fields, 6},
  {"SoftmaxOptions", softmax_options_fields, 1},
  {"ConcatenationOptions", concatenation_options_fields, 2},
  {"AddOptions", add_options_fields, 2},
  {"MulOptions", mul_options_fields, 1},
  {"L2NormOptions", l2_norm_options_fields, 1},
  {"LocalResponseNormalizationOptions", local_response_normalization_options_fields, 4},
  {"LSTMOptions", lstm_options_fields, 5},
  {"UnidirectionalSequenceLSTMOptions", unidirectional_sequence_lstm_options_fields, 6},
  {"BidirectionalSequenceLSTMOptions", bidirectional_sequence_lstm_options_fields, 6},
  {"ResizeBilinearOptions", resize_bilinear_options_fields, 4},
  {"ResizeNearestNeighborOptions", resize_nearest_neighbor_options_fields, 2},
  {"CallOptions", call_options_fields, 1},
  {"PadOptions", NULL, 0},
  {"PadV2Options", NULL, 0},
  {"ReshapeOptions", reshape_options_fields, 1},
  {"SpaceToBatchNDOptions", NULL, 0},
  {"BatchToSpaceNDOptions", NULL, 0},
  {"SkipGramOptions", skip_gram_options_fields, 3},
  {"SpaceToDepthOptions", space_to_depth_options_fields, 1},
  {"DepthToSpaceOptions", depth_to_space_options_fields, 1},
  {"SubOptions", sub_options_fields, 2},
  {"DivOptions", div_options_fields, 1},
  {"TopKV2Options", NULL, 0},
  {"EmbeddingLookupSparseOptions", embedding_lookup_sparse_options_fields, 1},
  {"GatherOptions", gather_options_fields, 2},
  {"TransposeOptions", NULL, 0},
  {"ExpOptions", NULL, 0},
  {"CosOptions", NULL, 0},
  {"ReducerOptions", reducer_options_fields, 1},
  {"SqueezeOptions", squeeze_options_fields, 1},
  {"SplitOptions", split_options_fields, 1},
  {"SplitVOptions", split_v_options_fields, 1},
  {"StridedSliceOptions", strided_slice_options_fields, 6},
  {"LogSoftmaxOptions", NULL, 0},
  {"CastOptions", cast_options_fields, 2},
  {"DequantizeOptions", NULL, 0},
  {"MaximumMinimumOptions", NULL, 0},
  {"TileOptions", NULL, 0},
  {"ArgMaxOptions", arg_max_options_fields, 1},
  {"ArgMinOptions", arg_min_options_fields, 1},
  {"GreaterOptions", NULL, 0},
  {"GreaterEqualOptions", NULL, 0},
  {"LessOptions", NULL, 0},
  {"LessEqualOptions", NULL, 0},
  {"NegOptions", NULL, 0},
  {"SelectOptions", NULL, 0},
  {"SliceOptions", NULL, 0},
  {"TransposeConvOptions", transpose_conv_options_fields, 5},
  {"ExpandDimsOptions", NULL, 0},
  {"SparseToDenseOptions", sparse_to_dense_options_fields, 1},
  {"EqualOptions", NULL, 0},
  {"NotEqualOptions", NULL, 0},
  {"ShapeOptions", shape_options_fields, 1},
  {"RankOptions", NULL, 0},
  {"PowOptions", NULL, 0},
  {"FakeQuantOptions", fake_quant_options_fields, 4},
  {"PackOptions", pack_options_fields, 2},
  {"LogicalOrOptions", NULL, 0},
  {"OneHotOptions", one_hot_options_fields, 1},
  {"AbsOptions", NULL, 0},
  {"HardSwishOptions", NULL, 0},
  {"LogicalAndOptions", NULL, 0},
  {"LogicalNotOptions", NULL, 0},
  {"UnpackOptions", unpack_options_fields, 2},
  {"FloorDivOptions", NULL, 0},
  {"SquareOptions", NULL, 0},
  {"ZerosLikeOptions", NULL, 0},
  {"FillOptions", NULL, 0},
  {"FloorModOptions", NULL, 0},
  {"RangeOptions", NULL, 0},
  {"LeakyReluOptions", leaky_relu_options_fields, 1},
  {"SquaredDifferenceOptions", NULL, 0},
  {"MirrorPadOptions", mirror_pad_options_fields, 1},
  {"UniqueOptions", unique_options_fields, 1},
  {"ReverseV2Options", NULL, 0},
  {"AddNOptions", NULL, 0},
  {"GatherNdOptions", NULL, 0},
  {"WhereOptions", NULL, 0},
  {"ReverseSequenceOptions", reverse_sequence_options_fields, 2},
  {"MatrixDiagOptions", NULL, 0},
  {"QuantizeOptions", NULL, 0},
  {"MatrixSetDiagOptions", NULL, 0},
  {"IfOptions", if_options_fields, 2},
  {"CallOnceOptions", call_once_options_fields, 1},
  {"WhileOptions", while_options_fields, 2},
  {"NonMaxSuppressionV4Options", NULL, 0},
  {"NonMaxSuppressionV5Options", NULL, 0},
  {"ScatterNdOptions", NULL, 0},
  {"SelectV2Options", NULL, 0},
  {"DensifyOptions", NULL, 0},
  {"SegmentSumOptions", NULL, 0},
  {"BatchMatMulOptions", batch_mat_mul_options_fields, 3},
  {"CumsumOptions", cumsum_options_fields, 2},
  {"BroadcastToOptions", NULL, 0},
  {"Rfft2dOptions", NULL, 0},
  {"HashtableOptions", hashtable_options_fields, 3},
  {"HashtableFindOptions", NULL, 0},
  {"HashtableImportOptions", NULL, 0},
  {"HashtableSizeOptions", NULL, 0},
  {"VarHandleOptions", var_handle_options_fields, 2},
  {"ReadVariableOptions", NULL, 0},
  {"AssignVariableOptions", NULL, 0},
  {"RandomOptions", random_options_fields, 2},
  {"BucketizeOptions", bucketize_options_fields, 1},
  {"GeluOptions", gelu_options_fields, 1},
  {"DynamicUpdateSliceOptions", NULL, 0},
  {"UnsortedSegmentProdOptions", NULL, 0},
  {"UnsortedSegmentMaxOptions", NULL, 0},
  {"UnsortedSegmentSumOptions", NULL, 0},
  {"ATan2Options", NULL, 0},
  {"UnsortedSegmentMinOptions", NULL, 0},
  {"SignOptions", NULL, 0},
  {"BitcastOptions", NULL, 0},
  {"BitwiseXorOptions", NULL, 0},
  {"RightShiftOptions", NULL, 0},
  {"DilateOptions", NULL, 0},
  {"ReduceWindowOptions", reduce_window_options_fields, 1},
  {"StableHLOCompositeOptions", stablehlo_composite_options_fields, 5},
  {"StablehloShiftLeftOptions", NULL, 0},
};

static const int16_t quantization_details_members[] = {-1,
  5, /* CustomQuantization */
  6, /* BlockwiseQuantization */
  7, /* MultiAxisQuantization */
};

static const int16_t sparse_index_vector_members[] = {-1,
  10, /* Int32Vector */
  11, /* Uint16Vector */
  12, /* Uint8Vector */
};

static const int16_t builtin_members[] = {-1,
  40, /* Conv2DOptions */
  43, /* DepthwiseConv2DOptions */
  44, /* ConcatEmbeddingsOptions */
  45, /* LSHProjectionOptions */
  42, /* Pool2DOptions */
  46, /* SVDFOptions */
  47, /* RNNOptions */
  50, /* FullyConnectedOptions */
  51, /* SoftmaxOptions */
  52, /* ConcatenationOptions */
  53, /* AddOptions */
  55, /* L2NormOptions */
  56, /* LocalResponseNormalizationOptions */
  57, /* LSTMOptions */
  60, /* ResizeBilinearOptions */
  62, /* CallOptions */
  65, /* ReshapeOptions */
  68, /* SkipGramOptions */
  69, /* SpaceToDepthOptions */
  74, /* EmbeddingLookupSparseOptions */
  54, /* MulOptions */
  63, /* PadOptions */
  75, /* GatherOptions */
  67, /* BatchToSpaceNDOptions */
  66, /* SpaceToBatchNDOptions */
  76, /* TransposeOptions */
  79, /* ReducerOptions */
  71, /* SubOptions */
  72, /* DivOptions */
  80, /* SqueezeOptions */
  48, /* SequenceRNNOptions */
  83, /* StridedSliceOptions */
  77, /* ExpOptions */
  73, /* TopKV2Options */
  81, /* SplitOptions */
  84, /* LogSoftmaxOptions */
  85, /* CastOptions */
  86, /* DequantizeOptions */
  87, /* MaximumMinimumOptions */
  89, /* ArgMaxOptions */
  93, /* LessOptions */
  95, /* NegOptions */
  64, /* PadV2Options */
  91, /* GreaterOptions */
  92, /* GreaterEqualOptions */
  94, /* LessEqualOptions */
  96, /* SelectOptions */
  97, /* SliceOptions */
  98, /* TransposeConvOptions */
  100, /* SparseToDenseOptions */
  88, /* TileOptions */
  99, /* ExpandDimsOptions */
  101, /* EqualOptions */
  102, /* NotEqualOptions */
  103, /* ShapeOptions */
  105, /* PowOptions */
  90, /* ArgMinOptions */
  106, /* FakeQuantOptions */
  107, /* PackOptions */
  108, /* LogicalOrOptions */
  109, /* OneHotOptions */
  112, /* LogicalAndOptions */
  113, /* LogicalNotOptions */
  114, /* UnpackOptions */
  115, /* FloorDivOptions */
  116, /* SquareOptions */
  117, /* ZerosLikeOptions */
  118, /* FillOptions */
  59, /* BidirectionalSequenceLSTMOptions */
  49, /* BidirectionalSequenceRNNOptions */
  58, /* UnidirectionalSequenceLSTMOptions */
  119, /* FloorModOptions */
  120, /* RangeOptions */
  61, /* ResizeNearestNeighborOptions */
  121, /* LeakyReluOptions */
  122, /* SquaredDifferenceOptions */
  123, /* MirrorPadOptions */
  110, /* AbsOptions */
  82, /* SplitVOptions */
  124, /* UniqueOptions */
  125, /* ReverseV2Options */
  126, /* AddNOptions */
  127, /* GatherNdOptions */
  78, /* CosOptions */
  128, /* WhereOptions */
  104, /* RankOptions */
  129, /* ReverseSequenceOptions */
  130, /* MatrixDiagOptions */
  131, /* QuantizeOptions */
  132, /* MatrixSetDiagOptions */
  111, /* HardSwishOptions */
  133, /* IfOptions */
  135, /* WhileOptions */
  70, /* DepthToSpaceOptions */
  136, /* NonMaxSuppressionV4Options */
  137, /* NonMaxSuppressionV5Options */
  138, /* ScatterNdOptions */
  139, /* SelectV2Options */
  140, /* DensifyOptions */
  141, /* SegmentSumOptions */
  142, /* BatchMatMulOptions */
  143, /* CumsumOptions */
  134, /* CallOnceOptions */
  144, /* BroadcastToOptions */
  145, /* Rfft2dOptions */
  41, /* Conv3DOptions */
  146, /* HashtableOptions */
  147, /* HashtableFindOptions */
  148, /* HashtableImportOptions */
  149, /* HashtableSizeOptions */
  150, /* VarHandleOptions */
  151, /* ReadVariableOptions */
  152, /* AssignVariableOptions */
  153, /* RandomOptions */
  154, /* BucketizeOptions */
  155, /* GeluOptions */
  156, /* DynamicUpdateSliceOptions */
  157, /* UnsortedSegmentProdOptions */
  158, /* UnsortedSegmentMaxOptions */
  161, /* UnsortedSegmentMinOptions */
  159, /* UnsortedSegmentSumOptions */
  160, /* ATan2Options */
  162, /* SignOptions */
  163, /* BitcastOptions */
  164, /* BitwiseXorOptions */
  165, /* RightShiftOptions */
};

static const int16_t builtin_options2_members[] = {-1,
  27, /* StablehloConcatenateOptions */
  28, /* StablehloBroadcastInDimOptions */
  35, /* StablehloSliceOptions */
  36, /* StablehloConvolutionOptions */
  33, /* StablehloCustomCallOptions */
  34, /* StablehloReduceOptions */
  37, /* StablehloScatterOptions */
  29, /* StablehloCompareOptions */
  30, /* StablehloDynamicSliceOptions */
  31, /* StablehloPadOptions */
  32, /* StablehloIotaOptions */
  23, /* StablehloDotGeneralOptions */
  24, /* StablehloReduceWindowOptions */
  26, /* StablehloSortOptions */
  25, /* StablehloWhileOptions */
  21, /* StablehloGatherOptions */
  22, /* StablehloTransposeOptions */
  166, /* DilateOptions */
  39, /* StablehloRngBitGeneratorOptions */
  167, /* ReduceWindowOptions */
  168, /* StableHLOCompositeOptions */
  169, /* StablehloShiftLeftOptions */
  38, /* StablehloCaseOptions */
};

const sam_schema_union sam_schema_unions[SAM_UNION_COUNT] = {
  {"QuantizationDetails", quantization_details_members, 4},
  {"SparseIndexVector", sparse_index_vector_members, 4},
  {"BuiltinOptions", builtin_members, 127},
  {"BuiltinOptions2", builtin_options2_members, 24},
};

const sam_schema_options sam_schema_options_of[SAM_OPTIONS_COUNT] = {
  {"", -1, 0},
  {"Conv2DOptions", 40, sizeof(sam_conv_2d_options)},
  {"DepthwiseConv2DOptions", 43, sizeof(sam_depthwise_conv_2d_options)},
  {"ConcatEmbeddingsOptions", 44, sizeof(sam_concat_embeddings_options)},
  {"LSHProjectionOptions", 45, sizeof(sam_lsh_projection_options)},
  {"Pool2DOptions", 42, sizeof(sam_pool_2d_options)},
  {"SVDFOptions", 46, sizeof(sam_svdf_options)},
  {"RNNOptions", 47, sizeof(sam_rnn_options)},
  {"FullyConnectedOptions", 50, sizeof(sam_fully_connected_options)},
  {"SoftmaxOptions", 51, sizeof(sam_softmax_options)},
  {"ConcatenationOptions", 52, sizeof(sam_concatenation_options)},
  {"AddOptions", 53, sizeof(sam_add_options)},
  {"L2NormOptions", 55, sizeof(sam_l2_norm_options)},
  {"LocalResponseNormalizationOptions", 56, sizeof(sam_local_response_normalization_options)},
  {"LSTMOptions", 57, sizeof(sam_lstm_options)},
  {"ResizeBilinearOptions", 60, sizeof(sam_resize_bilinear_options)},
  {"CallOptions", 62, sizeof(sam_call_options)},
  {"ReshapeOptions", 65, sizeof(sam_reshape_options)},
  {"SkipGramOptions", 68, sizeof(sam_skip_gram_options)},
  {"SpaceToDepthOptions", 69, sizeof(sam_space_to_depth_options)},
  {"EmbeddingLookupSparseOptions", 74, sizeof(sam_embedding_lookup_sparse_options)},
  {"MulOptions", 54, sizeof(sam_mul_options)},
  {"PadOptions", 63, 0},
  {"GatherOptions", 75, sizeof(sam_gather_options)},
  {"BatchToSpaceNDOptions", 67, 0},
  {"SpaceToBatchNDOptions", 66, 0},
  {"TransposeOptions", 76, 0},
  {"ReducerOptions", 79, sizeof(sam_reducer_options)},
  {"SubOptions", 71, sizeof(sam_sub_options)},
  {"DivOptions", 72, sizeof(sam_div_options)},
  {"SqueezeOptions", 80, sizeof(sam_squeeze_options)},
  {"SequenceRNNOptions", 48, sizeof(sam_sequence_rnn_options)},
  {"StridedSliceOptions", 83, sizeof(sam_strided_slice_options)},
  {"ExpOptions", 77, 0},
  {"TopKV2Options", 73, 0},
  {"SplitOptions", 81, sizeof(sam_split_options)},
  {"LogSoftmaxOptions", 84, 0},
  {"CastOptions", 85, sizeof(sam_cast_options)},
  {"DequantizeOptions", 86, 0},
  {"MaximumMinimumOptions", 87, 0},
  {"ArgMaxOptions", 89, sizeof(sam_arg_max_options)},
  {"LessOptions", 93, 0},
  {"NegOptions", 95, 0},
  {"PadV2Options", 64, 0},
  {"GreaterOptions", 91, 0},
  {"GreaterEqualOptions", 92, 0},
  {"LessEqualOptions", 94, 0},
  {"SelectOptions", 96, 0},
  {"SliceOptions", 97, 0},
  {"TransposeConvOptions", 98, sizeof(sam_transpose_conv_options)},
  {"SparseToDenseOptions", 100, sizeof(sam_sparse_to_dense_options)},
  {"TileOptions", 88, 0},
  {"ExpandDimsOptions", 99, 0},
  {"EqualOptions", 101, 0},
  {"NotEqualOptions", 102, 0},
  {"ShapeOptions", 103, sizeof(sam_shape_options)},
  {"PowOptions", 105, 0},
  {"ArgMinOptions", 90, sizeof(sam_arg_min_options)},
  {"FakeQuantOptions", 106, sizeof(sam_fake_quant_options)},
  {"PackOptions", 107, sizeof(sam_pack_options)},
  {"LogicalOrOptions", 108, 0},
  {"OneHotOptions", 109, sizeof(sam_one_hot_options)},
  {"LogicalAndOptions", 112, 0},
  {"LogicalNotOptions", 113, 0},
  {"UnpackOptions", 114, sizeof(sam_unpack_options)},
  {"FloorDivOptions", 115, 0},
  {"SquareOptions", 116, 0},
  {"ZerosLikeOptions", 117, 0},
  {"FillOptions", 118, 0},
  {"BidirectionalSequenceLSTMOptions", 59, sizeof(sam_bidirectional_sequence_lstm_options)},
  {"BidirectionalSequenceRNNOptions", 49, sizeof(sam_bidirectional_sequence_rnn_options)},
  {"UnidirectionalSequenceLSTMOptions", 58, sizeof(sam_unidirectional_sequence_lstm_options)},
  {"FloorModOptions", 119, 0},
  {"RangeOptions", 120, 0},
  {"ResizeNearestNeighborOptions", 61, sizeof(sam_resize_nearest_neighbor_options)},
  {"LeakyReluOptions", 121, sizeof(sam_leaky_relu_options)},
  {"SquaredDifferenceOptions", 122, 0},
  {"MirrorPadOptions", 123, sizeof(sam_mirror_pad_options)},
  {"AbsOptions", 110, 0},
  {"SplitVOptions", 82, sizeof(sam_split_v_options)},
  {"UniqueOptions", 124, sizeof(sam_unique_options)},
  {"ReverseV2Options", 125, 0},
  {"AddNOptions", 126, 0},
  {"GatherNdOptions", 127, 0},
  {"CosOptions", 78, 0},
  {"WhereOptions", 128, 0},
  {"RankOptions", 104, 0},
  {"ReverseSequenceOptions", 129, sizeof(sam_reverse_sequence_options)},
  {"MatrixDiagOptions", 130, 0},
  {"QuantizeOptions", 131, 0},
  {"MatrixSetDiagOptions", 132, 0},
  {"HardSwishOptions", 111, 0},
  {"IfOptions", 133, sizeof(sam_if_options)},
  {"WhileOptions", 135, sizeof(sam_while_options)},
  {"DepthToSpaceOptions", 70, sizeof(sam_depth_to_space_options)},
  {"NonMaxSuppressionV4Options", 136, 0},
  {"NonMaxSuppressionV5Options", 137, 0},
  {"ScatterNdOptions", 138, 0},
  {"SelectV2Options", 139, 0},
  {"DensifyOptions", 140, 0},
  {"SegmentSumOptions", 141, 0},
  {"BatchMatMulOptions", 142, sizeof(sam_batch_mat_mul_options)},
  {"CumsumOptions", 143, sizeof(sam_cumsum_options)},
  {"CallOnceOptions", 134, sizeof(sam_call_once_options)},
  {"BroadcastToOptions", 144, 0},
  {"Rfft2dOptions", 145, 0},
  {"Conv3DOptions", 41, sizeof(sam_conv_3d_options)},
  {"HashtableOptions", 146, sizeof(sam_hashtable_options)},
  {"HashtableFindOptions", 147, 0},
  {"HashtableImportOptions", 148, 0},
  {"HashtableSizeOptions", 149, 0},
  {"VarHandleOptions", 150, sizeof(sam_var_handle_options)},
  {"ReadVariableOptions", 151, 0},
  {"AssignVariableOptions", 152, 0},
  {"RandomOptions", 153, sizeof(sam_random_options)},
  {"BucketizeOptions", 154, sizeof(sam_bucketize_options)},
  {"GeluOptions", 155, sizeof(sam_gelu_options)},
  {"DynamicUpdateSliceOptions", 156, 0},
  {"UnsortedSegmentProdOptions", 157, 0},
  {"UnsortedSegmentMaxOptions", 158, 0},
  {"UnsortedSegmentMinOptions", 161, 0},
  {"UnsortedSegmentSumOptions", 159, 0},
  {"ATan2Options", 160, 0},
  {"SignOptions", 162, 0},
  {"BitcastOptions", 163, 0},
  {"BitwiseXorOptions", 164, 0},
  {"RightShiftOptions", 165, 0},
  {"StablehloConcatenateOptions", 27, sizeof(sam_stablehlo_concatenate_options)},
  {"StablehloBroadcastInDimOptions", 28, sizeof(sam_stablehlo_broadcast_in_dim_options)},
  {"StablehloSliceOptions", 35, sizeof(sam_stablehlo_slice_options)},
  {"StablehloConvolutionOptions", 36, sizeof(sam_stablehlo_convolution_options)},
  {"StablehloCustomCallOptions", 33, sizeof(sam_stablehlo_custom_call_options)},
  {"StablehloReduceOptions", 34, sizeof(sam_stablehlo_reduce_options)},
  {"StablehloScatterOptions", 37, sizeof(sam_stablehlo_scatter_options)},
  {"StablehloCompareOptions", 29, sizeof(sam_stablehlo_compare_options)},
  {"StablehloDynamicSliceOptions", 30, sizeof(sam_stablehlo_dynamic_slice_options)},
  {"StablehloPadOptions", 31, sizeof(sam_stablehlo_pad_options)},
  {"StablehloIotaOptions", 32, sizeof(sam_stablehlo_iota_options)},
  {"StablehloDotGeneralOptions", 23, sizeof(sam_stablehlo_dot_general_options)},
  {"StablehloReduceWindowOptions", 24, sizeof(sam_stablehlo_reduce_window_options)},
  {"StablehloSortOptions", 26, sizeof(sam_stablehlo_sort_options)},
  {"StablehloWhileOptions", 25, sizeof(sam_stablehlo_while_options)},
  {"StablehloGatherOptions", 21, sizeof(sam_stablehlo_gather_options)},
  {"StablehloTransposeOptions", 22, sizeof(sam_stablehlo_transpose_options)},
  {"DilateOptions", 166, 0},
  {"StablehloRngBitGeneratorOptions", 39, sizeof(sam_stablehlo_rng_bit_generator_options)},
  {"ReduceWindowOptions", 167, sizeof(sam_reduce_window_options)},
  {"StableHLOCompositeOptions", 168, sizeof(sam_stablehlo_composite_options)},
  {"StablehloShiftLeftOptions", 169, 0},
  {"StablehloCaseOptions", 38, sizeof(sam_stablehlo_case_options)},
};

const char *const sam_schema_builtin_names[SAM_BUILTIN_COUNT] = {
  "ADD",
  "AVERAGE_POOL_2D",
  "CONCATENATION",
  "CONV_2D",
  "DEPTHWISE_CONV_2D",
  "DEPTH_TO_SPACE",
  "DEQUANTIZE",
  "EMBEDDING_LOOKUP",
  "FLOOR",
  "FULLY_CONNECTED",
  "HASHTABLE_LOOKUP",
  "L2_NORMALIZATION",
  "L2_POOL_2D",
  "LOCAL_RESPONSE_NORMALIZATION",
  "LOGISTIC",
  "LSH_PROJECTION",
  "LSTM",
  "MAX_POOL_2D",
  "MUL",
  "RELU",
  "RELU_N1_TO_1",
  "RELU6",
  "RESHAPE",
  "RESIZE_BILINEAR",
  "RNN",
  "SOFTMAX",
  "SPACE_TO_DEPTH",
  "SVDF",
  "TANH",
  "CONCAT_EMBEDDINGS",
  "SKIP_GRAM",
  "CALL",
  "CUSTOM",
  "EMBEDDING_LOOKUP_SPARSE",
  "PAD",
  "UNIDIRECTIONAL_SEQUENCE_RNN",
  "GATHER",
  "BATCH_TO_SPACE_ND",
  "SPACE_TO_BATCH_ND",
  "TRANSPOSE",
  "MEAN",
  "SUB",
  "DIV",
  "SQUEEZE",
  "UNIDIRECTIONAL_SEQUENCE_LSTM",
  "STRIDED_SLICE",
  "BIDIRECTIONAL_SEQUENCE_RNN",
  "EXP",
  "TOPK_V2",
  "SPLIT",
  "LOG_SOFTMAX",
  "DELEGATE",
  "BIDIRECTIONAL_SEQUENCE_LSTM",
  "CAST",
  "PRELU",
  "MAXIMUM",
  "ARG_MAX",
  "MINIMUM",
  "LESS",
  "NEG",
  "PADV2",
  "GREATER",
  "GREATER_EQUAL",
  "LESS_EQUAL",
  "SELECT",
  "SLICE",
  "SIN",
  "TRANSPOSE_CONV",
  "SPARSE_TO_DENSE",
  "TILE",
  "EXPAND_DIMS",
  "EQUAL",
  "NOT_EQUAL",
  "LOG",
  "SUM",
  "SQRT",
  "RSQRT",
  "SHAPE",
  "POW",
  "ARG_MIN",
  "FAKE_QUANT",
  "REDUCE_PROD",
  "REDUCE_MAX",
  "PACK",
  "LOGICAL_OR",
  "ONE_HOT",
  "LOGICAL_AND",
  "LOGICAL_NOT",
  "UNPACK",
  "REDUCE_MIN",
  "FLOOR_DIV",
  "REDUCE_ANY",
  "SQUARE",
  "ZEROS_LIKE",
  "FILL",
  "FLOOR_MOD",
  "RANGE",
  "RESIZE_NEAREST_NEIGHBOR",
  "LEAKY_RELU",
  "SQUARED_DIFFERENCE",
  "MIRROR_PAD",
  "ABS",
  "SPLIT_V",
  "UNIQUE",
  "CEIL",
  "REVERSE_V2",
  "ADD_N",
  "GATHER_ND",
  "COS",
  "WHERE",
  "RANK",
  "ELU",
  "REVERSE_SEQUENCE",
  "MATRIX_DIAG",
  "QUANTIZE",
  "MATRIX_SET_DIAG",
  "ROUND",
  "HARD_SWISH",
  "IF",
  "WHILE",
  "NON_MAX_SUPPRESSION_V4",
  "NON_MAX_SUPPRESSION_V5",
  "SCATTER_ND",
  "SELECT_V2",
  "DENSIFY",
  "SEGMENT_SUM",
  "BATCH_MATMUL",
  "PLACEHOLDER_FOR_GREATER_OP_CODES",
  "CUMSUM",
  "CALL_ONCE",
  "BROADCAST_TO",
  "RFFT2D",
  "CONV_3D",
  "IMAG",
  "REAL",
  "COMPLEX_ABS",
  "HASHTABLE",
  "HASHTABLE_FIND",
  "HASHTABLE_IMPORT",
  "HASHTABLE_SIZE",
  "REDUCE_ALL",
  "CONV_3D_TRANSPOSE",
  "VAR_HANDLE",
  "READ_VARIABLE",
  "ASSIGN_VARIABLE",
  "BROADCAST_ARGS",
  "RANDOM_STANDARD_NORMAL",
  "BUCKETIZE",
  "RANDOM_UNIFORM",
  "MULTINOMIAL",
  "GELU",
  "DYNAMIC_UPDATE_SLICE",
  "RELU_0_TO_1",
  "UNSORTED_SEGMENT_PROD",
  "UNSORTED_SEGMENT_MAX",
  "UNSORTED_SEGMENT_SUM",
  "ATAN2",
  "UNSORTED_SEGMENT_MIN",
  "SIGN",
  "BITCAST",
  "BITWISE_XOR",
  "RIGHT_SHIFT",
  "STABLEHLO_LOGISTIC",
  "STABLEHLO_ADD",
  "STABLEHLO_DIVIDE",
  "STABLEHLO_MULTIPLY",
  "STABLEHLO_MAXIMUM",
  "STABLEHLO_RESHAPE",
  "STABLEHLO_CLAMP",
  "STABLEHLO_CONCATENATE",
  "STABLEHLO_BROADCAST_IN_DIM",
  "STABLEHLO_CONVOLUTION",
  "STABLEHLO_SLICE",
  "STABLEHLO_CUSTOM_CALL",
  "STABLEHLO_REDUCE",
  "STABLEHLO_ABS",
  "STABLEHLO_AND",
  "STABLEHLO_COSINE",
  "STABLEHLO_EXPONENTIAL",
  "STABLEHLO_FLOOR",
  "STABLEHLO_LOG",
  "STABLEHLO_MINIMUM",
  "STABLEHLO_NEGATE",
  "STABLEHLO_OR",
  "STABLEHLO_POWER",
  "STABLEHLO_REMAINDER",
  "STABLEHLO_RSQRT",
  "STABLEHLO_SELECT",
  "STABLEHLO_SUBTRACT",
  "STABLEHLO_TANH",
  "STABLEHLO_SCATTER",
  "STABLEHLO_COMPARE",
  "STABLEHLO_CONVERT",
  "STABLEHLO_DYNAMIC_SLICE",
  "STABLEHLO_DYNAMIC_UPDATE_SLICE",
  "STABLEHLO_PAD",
  "STABLEHLO_IOTA",
  "STABLEHLO_DOT_GENERAL",
  "STABLEHLO_REDUCE_WINDOW",
  "STABLEHLO_SORT",
  "STABLEHLO_WHILE",
  "STABLEHLO_GATHER",
  "STABLEHLO_TRANSPOSE",
  "DILATE",
  "STABLEHLO_RNG_BIT_GENERATOR",
  "REDUCE_WINDOW",
  "STABLEHLO_COMPOSITE",
  "STABLEHLO_SHIFT_LEFT",
  "STABLEHLO_CBRT",
  "STABLEHLO_CASE",
};

const char *const sam_schema_type_names[SAM_TYPE_COUNT] = {
  "FLOAT32",
  "FLOAT16",
  "INT32",
  "UINT8",
  "INT64",
  "STRING",
  "BOOL",
  "INT16",
  "COMPLEX64",
  "INT8",
  "FLOAT64",
  "COMPLEX128",
  "UINT64",
  "RESOURCE",
  "VARIANT",
  "UINT32",
  "UINT16",
  "INT4",
  "BFLOAT16",
  "INT2",
  "UINT4",
  "FLOAT8_E4M3FN",
  "FLOAT8_E5M2",
};

/* clang-format on */
