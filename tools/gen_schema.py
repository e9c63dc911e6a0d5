#!/usr/bin/env python3
"""Writes the C side of the file format from `interpreter/schema/tflite.fbs`.

    tflite.fbs ──> kernels_c/include/samara/options.h    what operators see: option structs, enumerations
               ──> interpreter/runtime/schema_gen.h/.c   what the loader sees: slots, tables, unions, operator codes

The kernels' header knows no file format: plain structs with plain fields. The runtime's pair describes every field of
every table (slot, wire type, target, default, place in the option struct), so verification and decoding are two
loops over data. Plain Python without dependencies. (No dataclasses: they import `inspect`, which next to this file is
the command of that name.)

    python3 tools/gen_schema.py            writes the three files
    python3 tools/gen_schema.py --check    exits 1 and names the files that are stale
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "interpreter" / "schema" / "tflite.fbs"
OPTIONS_H = ROOT / "kernels_c" / "include" / "samara" / "options.h"
SCHEMA_H = ROOT / "interpreter" / "runtime" / "schema_gen.h"
SCHEMA_C = ROOT / "interpreter" / "runtime" / "schema_gen.c"

BANNER = "Generated from interpreter/schema/tflite.fbs by `python3 tools/gen_schema.py`. Do not edit."

# fbs scalar -> (wire name, C type of the decoded field)
SCALARS = {
    "bool": ("BOOL", "bool"),
    "byte": ("I8", "int32_t"),
    "ubyte": ("U8", "int32_t"),
    "short": ("I16", "int32_t"),
    "ushort": ("U16", "int32_t"),
    "int": ("I32", "int32_t"),
    "int32": ("I32", "int32_t"),
    "uint": ("U32", "uint32_t"),
    "long": ("I64", "int64_t"),
    "ulong": ("U64", "uint64_t"),
    "float": ("F32", "float"),
}
# wire name of the elements -> C struct of a decoded vector
VECTORS = {"I32": "sam_ints", "U32": "sam_ints", "I64": "sam_longs", "F32": "sam_floats", "U8": "sam_bytes",
           "BOOL": "sam_bytes"}  # fmt: skip
OPTION_UNIONS = ("BuiltinOptions", "BuiltinOptions2")
# Enumerations that kernels do not see here: sam_type is written by hand in types.h, the others are the file's own.
HIDDEN_ENUMS = ("TensorType", "BuiltinOperator", "CustomOptionsFormat", "DimensionType")
SHORT_ENUMS = {"ActivationFunctionType": "ACTIVATION"}


class Enum(NamedTuple):
    name: str
    base: str
    values: list[tuple[str, int]]


class Field(NamedTuple):
    name: str
    type: str
    id: int
    default: str | None


class Table(NamedTuple):
    name: str
    fields: list[Field]


class Schema(NamedTuple):
    enums: dict[str, Enum]
    unions: dict[str, Enum]
    tables: dict[str, Table]


def parse(text: str) -> Schema:
    """Reads the part of the fbs grammar that our schema uses, and refuses the rest."""
    schema = Schema({}, {}, {})
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"(namespace|file_identifier|file_extension|root_type)\s+[^;]+;", "", text)
    position = 0
    block = re.compile(r"\s*(enum|union|table)\s+(\w+)\s*(?::\s*(\w+))?\s*\{([^}]*)\}")
    while text[position:].strip():
        match = block.match(text, position)
        if not match:
            raise SystemExit(f"{SOURCE}: cannot read {text[position : position + 60].strip()!r}")
        kind, name, base, body = match.groups()
        position = match.end()
        if kind == "table":
            schema.tables[name] = Table(name, [parse_field(name, line) for line in body.split(";") if line.strip()])
        else:
            enum = Enum(name, base or "ubyte", [])
            for item in (part.strip() for part in body.split(",") if part.strip()):
                key, value = (part.strip() for part in item.split("="))
                enum.values.append((key, int(value)))
            (schema.enums if kind == "enum" else schema.unions)[name] = enum
    return schema


def parse_field(table: str, line: str) -> Field:
    match = re.fullmatch(r"\s*(\w+)\s*:\s*(\[?\w+\]?)\s*(?:=\s*([^\s(]+))?\s*\(([^)]*)\)\s*", line)
    if not match:
        raise SystemExit(f"{SOURCE}: table {table}: cannot read field {line.strip()!r}")
    name, type_, default, attributes = match.groups()
    pairs = {part.split(":")[0].strip(): (part.split(":") + ["1"])[1].strip() for part in attributes.split(",")}
    return Field(name, type_, int(pairs["id"]), default)


def snake(name: str) -> str:
    """Conv2DOptions -> conv_2d, UnidirectionalSequenceLSTMOptions -> unidirectional_sequence_lstm."""
    name = name.removesuffix("Options").replace("StableHLO", "Stablehlo").replace("ATan2", "Atan2")
    words = re.findall(
        r"\d+D(?![a-z])|[A-Z]+(?=\d+D(?![a-z]))|V\d+|[A-Z][a-z]+(?!\d+D)\d*[a-z]*|[A-Z][a-z]+"
        r"|[A-Z]+?\d*(?=[A-Z][a-z]|V\d)|[A-Z]+\d*",
        name,
    )
    if "".join(words) != name:
        raise SystemExit(f"cannot split {name!r} into words: {words}")
    return "_".join(words).lower()


def enum_prefix(enum: Enum) -> str:
    return "SAM_" + SHORT_ENUMS.get(enum.name, snake(enum.name).upper())


def enum_constants(enum: Enum) -> list[tuple[str, int]]:
    """Names without a repeated prefix, contiguous from 0 (the decoder checks `value < count`)."""
    if [value for _, value in enum.values] != list(range(len(enum.values))):
        raise SystemExit(f"enum {enum.name} is not contiguous from 0")
    prefix = enum_prefix(enum)
    repeated = prefix.removeprefix("SAM_") + "_"
    return [(f"{prefix}_{name.removeprefix(repeated).upper()}", value) for name, value in enum.values]


def option_tables(schema: Schema) -> list[str]:
    """Names of the option tables in the order of their kinds, which start at 1."""
    return [name for union in OPTION_UNIONS for name, _ in schema.unions[union].values]


def field_c_type(schema: Schema, item: Field) -> str:
    base = item.type.strip("[]")
    if base == "string":
        return "const char *"
    wire, c_type = wire_of(schema, base)
    if item.type.startswith("["):
        return VECTORS[wire]
    return "int32_t" if base in schema.enums else c_type


def wire_of(schema: Schema, name: str) -> tuple[str, str]:
    return SCALARS[schema.enums[name].base if name in schema.enums else name]


def write_options_h(schema: Schema) -> str:
    out = [
        f"""/* {BANNER}
 *
 * Options of the operators as plain structs. The loader fills them from the file: missing fields have their defaults,
 * values of enumerations are in range, vectors and strings are valid memory for the life of the model (strings are
 * never NULL). Nothing else is checked: a stride may be any int32. Tables without fields have a kind but no struct. */
#ifndef SAMARA_OPTIONS_H
#define SAMARA_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */

typedef struct sam_ints {{ const int32_t *data; int32_t count; }} sam_ints;
typedef struct sam_longs {{ const int64_t *data; int32_t count; }} sam_longs;
typedef struct sam_floats {{ const float *data; int32_t count; }} sam_floats;
typedef struct sam_bytes {{ const uint8_t *data; int32_t count; }} sam_bytes;
"""
    ]
    for enum in schema.enums.values():
        if enum.name in HIDDEN_ENUMS:
            continue
        out.append("enum {")
        out += [f"  {name} = {value}," for name, value in enum_constants(enum)]
        out.append("};\n")
    out.append("/* sam_op.options: which struct an operator reads. */\nenum {\n  SAM_OPTIONS_NONE = 0,")
    names = option_tables(schema)
    out += [f"  SAM_OPTIONS_{snake(name).upper()} = {i + 1}," for i, name in enumerate(names)]
    out.append(f"  SAM_OPTIONS_COUNT = {len(names) + 1}\n}};\n")
    for name in names:
        table = schema.tables.get(name)
        if table is None or not table.fields:
            continue
        c_name = f"sam_{snake(name)}_options"
        out.append(f"typedef struct {c_name} {{")
        for item in table.fields:
            c_type = field_c_type(schema, item)
            notes = []
            if item.type in schema.enums:
                enum = schema.enums[item.type]
                notes.append("sam_type" if enum.name == "TensorType" else f"{enum_prefix(enum)}_…")
            if item.default is not None and item.default not in ("0", "false"):
                notes.append(f"default {item.default}")
            note = f" /* {', '.join(notes)} */" if notes else ""
            out.append(f"  {c_type}{'' if c_type.endswith('*') else ' '}{item.name};{note}")
        out.append(f"}} {c_name};\n")
    out.append("/* clang-format on */\n\n#endif\n")
    return "\n".join(out)


def write_schema_h(schema: Schema) -> str:
    out = [
        f"""/* {BANNER}
 *
 * The file format as the loader needs it: slots of the vtables, tables and unions to verify against, operator codes.
 * The types of the descriptions are in flatbuffer.h. */
#ifndef SAM_RUNTIME_SCHEMA_GEN_H
#define SAM_RUNTIME_SCHEMA_GEN_H

#include "flatbuffer.h"

/* clang-format off */
"""
    ]
    out.append("/* Index of each table in sam_schema_tables. */\nenum {")
    out += [f"  SAM_TABLE_{table_key(name)} = {i}," for i, name in enumerate(schema.tables)]
    out.append(f"  SAM_TABLE_COUNT = {len(schema.tables)}\n}};\n")
    out.append("/* Slots of the tables that are decoded by hand. A union's tag has slot (value) - 1. */\nenum {")
    options = set(option_tables(schema))
    for table in schema.tables.values():
        if table.name not in options:
            out += [f"  SAM_SLOT_{table_key(table.name)}_{item.name.upper()} = {item.id}," for item in table.fields]
    out.append("};\n")
    out.append("enum {")
    out += [f"  SAM_UNION_{table_key(name)} = {i}," for i, name in enumerate(union_names(schema))]
    out.append(f"  SAM_UNION_COUNT = {len(schema.unions)}\n}};\n")
    for name, union in schema.unions.items():
        if name not in OPTION_UNIONS:
            out.append("enum {")
            out += [f"  SAM_{snake(name).upper()}_{snake(key).upper()} = {value}," for key, value in union.values]
            out.append("};\n")
    first = len(schema.unions["BuiltinOptions"].values)
    out.append(f"""/* Kind of options (samara/options.h) of a tag: BuiltinOptions first, then BuiltinOptions2. */
#define SAM_OPTIONS_KIND(tag) (tag)
#define SAM_OPTIONS_2_KIND(tag) ((tag) + {first})
""")
    out.append("enum {")
    out += [f"  SAM_DIMENSION_{name} = {value}," for name, value in schema.enums["DimensionType"].values]
    out.append("};\n")
    out.append("/* Codes of the built-in operators. */\nenum {")
    codes = schema.enums["BuiltinOperator"].values
    out += [f"  SAM_BUILTIN_{name} = {value}," for name, value in codes]
    out.append(f"  SAM_BUILTIN_COUNT = {len(codes)}\n}};\n")
    out.append("""extern const sam_schema_table sam_schema_tables[SAM_TABLE_COUNT];
extern const sam_schema_union sam_schema_unions[SAM_UNION_COUNT];
/* By kind; [0] and kinds whose table has no fields describe an empty struct. */
extern const sam_schema_options sam_schema_options_of[];
extern const char *const sam_schema_builtin_names[SAM_BUILTIN_COUNT];
extern const char *const sam_schema_type_names[];

/* clang-format on */

#endif
""")
    return "\n".join(out)


def union_names(schema: Schema) -> list[str]:
    return list(schema.unions)


def table_key(name: str) -> str:
    return snake(name).upper() + ("_OPTIONS" if name.endswith("Options") else "")


def write_schema_c(schema: Schema) -> str:
    out = [
        f"""/* {BANNER} */
#include "schema_gen.h"

#include <stddef.h>

#include "samara/options.h"
#include "samara/types.h"

/* clang-format off */
"""
    ]
    types = schema.enums["TensorType"].values
    out += [f'_Static_assert(SAM_{name} == {value}, "sam_type differs from the schema");' for name, value in types]
    out.append(f'_Static_assert(SAM_TYPE_COUNT == {len(types)}, "sam_type differs from the schema");\n')
    options = set(option_tables(schema))
    for table in schema.tables.values():
        rows = field_rows(schema, table, table.name in options)
        if rows:
            out.append(f"static const sam_schema_field {snake_table(table.name)}_fields[] = {{")
            out += rows
            out.append("};\n")
    out.append("const sam_schema_table sam_schema_tables[SAM_TABLE_COUNT] = {")
    for table in schema.tables.values():
        n = max((item.id for item in table.fields), default=-1) + 1
        fields = f"{snake_table(table.name)}_fields" if n else "NULL"
        out.append(f'  {{"{table.name}", {fields}, {n}}},')
    out.append("};\n")
    tables = list(schema.tables)
    for name, union in schema.unions.items():
        out.append(f"static const int16_t {snake(name)}_members[] = {{-1,")
        out += [f"  {tables.index(key) if key in tables else -1}, /* {key} */" for key, _ in union.values]
        out.append("};\n")
    out.append("const sam_schema_union sam_schema_unions[SAM_UNION_COUNT] = {")
    for name, union in schema.unions.items():
        if [value for _, value in union.values] != list(range(1, len(union.values) + 1)):
            raise SystemExit(f"union {name} is not contiguous from 1")
        out.append(f'  {{"{name}", {snake(name)}_members, {len(union.values) + 1}}},')
    out.append("};\n")
    out.append('const sam_schema_options sam_schema_options_of[SAM_OPTIONS_COUNT] = {\n  {"", -1, 0},')
    for name in option_tables(schema):
        index = tables.index(name) if name in tables else -1
        has_fields = index >= 0 and schema.tables[name].fields
        size = f"sizeof(sam_{snake(name)}_options)" if has_fields else "0"
        out.append(f'  {{"{name}", {index}, {size}}},')
    out.append("};\n")
    out.append("const char *const sam_schema_builtin_names[SAM_BUILTIN_COUNT] = {")
    out += [f'  "{name}",' for name, _ in schema.enums["BuiltinOperator"].values]
    out.append("};\n")
    out.append("const char *const sam_schema_type_names[SAM_TYPE_COUNT] = {")
    out += [f'  "{name}",' for name, _ in types]
    out.append("};\n\n/* clang-format on */\n")
    return "\n".join(out)


def snake_table(name: str) -> str:
    return table_key(name).lower()


def field_rows(schema: Schema, table: Table, is_options: bool) -> list[str]:
    """One row for each slot of the vtable, tags included: name, kind, wire, target, enum count, offset, default."""
    tables, unions = list(schema.tables), union_names(schema)
    slots: dict[int, str] = {}
    for item in table.fields:
        base, vector = item.type.strip("[]"), item.type.startswith("[")
        offset = f"offsetof(sam_{snake(table.name)}_options, {item.name})" if is_options else "0"
        kind, wire, target, count, default = "SCALAR", "U8", -1, 0, "0"
        if base in schema.unions and not vector:
            kind, target = "UNION", unions.index(base)
            slots[item.id - 1] = f'  {{"{item.name}_type", SAM_FIELD_TAG, SAM_WIRE_U8, {target}, 0, 0, 0}},'
        elif base in schema.tables:
            kind, target = ("TABLES" if vector else "TABLE"), tables.index(base)
        elif base == "string" and not vector:
            kind = "STRING"
        else:
            kind, wire = ("VECTOR" if vector else "SCALAR"), wire_of(schema, base)[0]
            if base in schema.enums:
                count = len(schema.enums[base].values)
            default = default_value(schema, item)
        head = f'"{item.name}", SAM_FIELD_{kind}, SAM_WIRE_{wire}'
        slots[item.id] = f"  {{{head}, {target}, {count}, {offset}, {default}}},"
    if sorted(slots) != list(range(len(slots))):
        raise SystemExit(f"table {table.name}: ids {sorted(slots)} are not contiguous from 0")
    return [slots[i] for i in sorted(slots)]


def default_value(schema: Schema, item: Field) -> str:
    if item.default is None:
        return "0"
    if item.type in schema.enums:
        return str(dict(schema.enums[item.type].values)[item.default])
    if item.type == "float" and float(item.default) != 0:
        raise SystemExit(f"field {item.name}: only 0 is a possible default of a float")
    return {"true": "1", "false": "0"}.get(item.default, item.default)


def main(arguments: list[str]) -> int:
    schema = parse(SOURCE.read_text(encoding="utf-8"))
    files = {OPTIONS_H: write_options_h(schema), SCHEMA_H: write_schema_h(schema), SCHEMA_C: write_schema_c(schema)}
    stale = [path for path, text in files.items()
             if not path.exists() or path.read_text(encoding="utf-8") != text]  # fmt: skip
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run python3 tools/gen_schema.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(files[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
