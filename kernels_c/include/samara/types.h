/* Samara: words every layer shares: status codes, element types, limits.
 *
 * Part of the public interface (samara.h includes it). C99 and C++. */
#ifndef SAMARA_TYPES_H
#define SAMARA_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- cdef begin --- */

/* What a call answers. Everything but SAM_OK fills the caller's sam_error with one sentence. */
typedef enum sam_status {
  SAM_OK = 0,
  SAM_INVALID_MODEL = 1,    /* the bytes are not a well-formed model */
  SAM_UNSUPPORTED = 2,      /* well-formed, but uses an operator, type or version this build lacks */
  SAM_INVALID_ARGUMENT = 3, /* the caller passed a wrong index, name, shape, type or size */
  SAM_OUT_OF_MEMORY = 4,    /* malloc failed */
  SAM_LIMIT = 5,            /* a limit of sam_options (max_memory, max_ops, depth) would be passed */
  SAM_DATA = 6,             /* a value met while running is impossible: a gather index out of range, … */
  SAM_CANCELLED = 7,        /* sam_session_cancel was called */
  SAM_IO = 8,               /* a file could not be opened, mapped or read */
  SAM_DEVICE = 9,           /* the requested device or back end is not available */
  SAM_STATE = 10,           /* called at the wrong time: invoke before prepare, … */
  SAM_INTERNAL = 11         /* a defect of Samara itself */
} sam_status;

/* Element types; the numbers are those of the file format. */
typedef enum sam_type {
  SAM_FLOAT32 = 0,
  SAM_FLOAT16 = 1,
  SAM_INT32 = 2,
  SAM_UINT8 = 3,
  SAM_INT64 = 4,
  SAM_STRING = 5, /* packed: int32 count, count+1 int32 byte offsets, bytes */
  SAM_BOOL = 6,   /* one byte, 0 or 1 */
  SAM_INT16 = 7,
  SAM_COMPLEX64 = 8,
  SAM_INT8 = 9,
  SAM_FLOAT64 = 10,
  SAM_COMPLEX128 = 11,
  SAM_UINT64 = 12,
  SAM_RESOURCE = 13,
  SAM_VARIANT = 14,
  SAM_UINT32 = 15,
  SAM_UINT16 = 16,
  SAM_INT4 = 17, /* two in a byte, low nibble first */
  SAM_BFLOAT16 = 18,
  SAM_INT2 = 19, /* four in a byte, low bits first */
  SAM_UINT4 = 20,
  SAM_FLOAT8_E4M3FN = 21,
  SAM_FLOAT8_E5M2 = 22,
  SAM_TYPE_COUNT = 23
} sam_type;

/* --- cdef end --- */

#define SAM_MAX_RANK 8

/* "FLOAT32", …; "?" for a number that is no type. */
const char *sam_type_name(sam_type type);
/* Bits of one element (4 for INT4); 0 for STRING, RESOURCE, VARIANT, whose size the type does not tell. */
int sam_type_bits(sam_type type);

#ifdef __cplusplus
}
#endif
#endif
