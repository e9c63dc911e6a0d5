/* Reading a flatbuffer: the descriptions that schema_gen.c fills in, and accessors for verified bytes.
 *
 * A table starts with an int32 that leads back to its vtable; the vtable holds, for each slot, where in the table the
 * field lies (0: absent, the default counts). Vectors and strings are a uint32 count and the elements; references are
 * uint32 offsets forward from where they stand. verify.c proves all of that once; the accessors below trust it.
 *
 *      table ── int32 ──> vtable: [bytes of vtable][bytes of table][slot 0][slot 1]…
 *        ├─ scalar            here
 *        └─ uint32 ─────────> string | vector | table
 */
#ifndef SAM_RUNTIME_FLATBUFFER_H
#define SAM_RUNTIME_FLATBUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef enum sam_field_kind {
  SAM_FIELD_SCALAR,
  SAM_FIELD_STRING,
  SAM_FIELD_VECTOR, /* of scalars */
  SAM_FIELD_TABLE,
  SAM_FIELD_TABLES, /* vector of tables */
  SAM_FIELD_TAG,    /* uint8 that selects the member of the union in the next slot */
  SAM_FIELD_UNION
} sam_field_kind;

typedef enum sam_wire {
  SAM_WIRE_BOOL,
  SAM_WIRE_I8,
  SAM_WIRE_U8,
  SAM_WIRE_I16,
  SAM_WIRE_U16,
  SAM_WIRE_I32,
  SAM_WIRE_U32,
  SAM_WIRE_I64,
  SAM_WIRE_U64,
  SAM_WIRE_F32
} sam_wire;

typedef struct sam_schema_field {
  const char *name;
  uint8_t kind;       /* sam_field_kind */
  uint8_t wire;       /* sam_wire of the scalar or of the vector's elements */
  int16_t target;     /* table of TABLE and TABLES, union of TAG and UNION; else -1 */
  int16_t enum_count; /* > 0: an enumeration with values 0..enum_count-1 */
  uint16_t offset;    /* options only: place in the struct of samara/options.h */
  int32_t fallback;   /* value of an absent scalar (0 for every float) */
} sam_schema_field;

typedef struct sam_schema_table {
  const char *name;
  const sam_schema_field *fields; /* by slot */
  int32_t n_fields;
} sam_schema_table;

typedef struct sam_schema_union {
  const char *name;
  const int16_t *members; /* table by tag; -1 for tag 0 and for members this schema gives no table */
  int32_t n_members;
} sam_schema_union;

typedef struct sam_schema_options {
  const char *name; /* of the table */
  int16_t table;    /* -1: none */
  uint16_t size;    /* of the struct; 0: the table has no fields */
} sam_schema_options;

#endif
