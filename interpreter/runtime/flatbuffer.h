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

/* ---- Verified bytes ------------------------------------------------------------------------------------------------
 * A table is the address of its first byte. An absent field reads as its fallback, as NULL, or as an empty vector. */

typedef struct sam_fb_vector {
  const uint8_t *data; /* first element; NULL if absent */
  uint32_t count;
} sam_fb_vector;

static inline uint16_t sam_fb_load16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t sam_fb_load32(const uint8_t *p) {
  return sam_fb_load16(p) | (uint32_t)sam_fb_load16(p + 2) << 16;
}
static inline uint64_t sam_fb_load64(const uint8_t *p) {
  return sam_fb_load32(p) | (uint64_t)sam_fb_load32(p + 4) << 32;
}

/* Where the field of `slot` lies; NULL if the file leaves it out. */
static inline const uint8_t *sam_fb_field(const uint8_t *table, int slot) {
  const uint8_t *vtable = table - (int32_t)sam_fb_load32(table);
  if (4 + 2 * slot + 2 > sam_fb_load16(vtable)) return NULL;
  uint16_t offset = sam_fb_load16(vtable + 4 + 2 * slot);
  return offset ? table + offset : NULL;
}
static inline int32_t sam_fb_i8(const uint8_t *table, int slot, int32_t fallback) {
  const uint8_t *p = sam_fb_field(table, slot);
  return p ? (int8_t)*p : fallback;
}
static inline uint32_t sam_fb_u8(const uint8_t *table, int slot) {
  const uint8_t *p = sam_fb_field(table, slot);
  return p ? *p : 0;
}
static inline int32_t sam_fb_i32(const uint8_t *table, int slot, int32_t fallback) {
  const uint8_t *p = sam_fb_field(table, slot);
  return p ? (int32_t)sam_fb_load32(p) : fallback;
}
static inline uint32_t sam_fb_u32(const uint8_t *table, int slot) { return (uint32_t)sam_fb_i32(table, slot, 0); }
static inline uint64_t sam_fb_u64(const uint8_t *table, int slot) {
  const uint8_t *p = sam_fb_field(table, slot);
  return p ? sam_fb_load64(p) : 0;
}
/* The table, string (its count) or vector (its count) a field refers to. */
static inline const uint8_t *sam_fb_target(const uint8_t *table, int slot) {
  const uint8_t *p = sam_fb_field(table, slot);
  return p ? p + sam_fb_load32(p) : NULL;
}
static inline const char *sam_fb_string(const uint8_t *table, int slot) {
  const uint8_t *p = sam_fb_target(table, slot);
  return p ? (const char *)p + 4 : NULL;
}
static inline sam_fb_vector sam_fb_vector_of(const uint8_t *table, int slot) {
  const uint8_t *p = sam_fb_target(table, slot);
  sam_fb_vector vector = {p ? p + 4 : NULL, p ? sam_fb_load32(p) : 0};
  return vector;
}
static inline const uint8_t *sam_fb_table_at(sam_fb_vector vector, uint32_t i) {
  const uint8_t *p = vector.data + 4 * (size_t)i;
  return p + sam_fb_load32(p);
}
static inline int32_t sam_fb_i32_at(sam_fb_vector vector, uint32_t i) {
  return (int32_t)sam_fb_load32(vector.data + 4 * (size_t)i);
}

#endif
