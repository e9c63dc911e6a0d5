"""The .tflite codec: bytes <-> plain objects, driven by `interpreter/schema/tflite.fbs` alone.

    model = schema.decode(data)                         # -> schema.Model
    for op in model.subgraphs[0].operators:
        print(model.op_name(op), op.builtin_options)    # CONV_2D Conv2DOptions(padding=SAME, stride_w=2, stride_h=2)
    data = schema.encode(model)

Every table of the format is a class of this module (`schema.Tensor`, `schema.Conv2DOptions(stride_h=2,
padding="SAME")`), every enumeration an IntEnum (`schema.TensorType.INT8`). They are made from the .fbs file the first
time one of them is asked for; importing this module reads nothing.

    in the file                     in Python
    scalar, enum                    int, float, bool, IntEnum member (an int if the number is not in the enum)
    string                          str (bytes that are no UTF-8 survive as surrogates)
    vector of numbers               numpy array, read-only view of the input where it can be
    vector of tables                list
    union                           an instance of one of its tables; its tag is implied
    absent                          the default, or None

Three rules of the format are settled here and nowhere else: `OperatorCode.builtin_code` is always the effective code
(the byte field beside it is derived); `Buffer.data` and `Operator.custom_options` hold their bytes wherever in the
file these lie; data of buffers is 16-byte aligned.
"""

from __future__ import annotations

import enum
import os
import re
import struct
import warnings
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..interpreter.errors import ModelError
from . import appended
from .elements import decode_flexbuffer, encode_flexbuffer, numpy_dtype, pack, tensor_type, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ModelError", "Table", "Unknown", "UnknownFieldWarning", "decode", "decode_flexbuffer", "encode",
    "encode_flexbuffer", "numpy_dtype", "op_name", "options_name", "pack", "set_options", "tables", "tensor_type",
    "unpack",
]  # fmt: skip

IDENTIFIER = b"TFL3"
INLINE_LIMIT = 0x7FFF0000
"""A flatbuffer's offsets reach 2 GB; a model above this many bytes keeps its constants behind the flatbuffer."""

LARGE = 1 << 14
"""Bytes from which on data is copied into the file only when that is made."""

_SCHEMA_FILE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interpreter/schema/tflite.fbs"
)
_SCALARS = {
    "bool": "?", "byte": "b", "ubyte": "B", "short": "h", "ushort": "H", "int": "i", "int32": "i", "uint": "I",
    "long": "q", "ulong": "Q", "float": "f", "double": "d",
}  # fmt: skip

# Operators whose options table does not carry their own name. For all others `options_name` finds it by name.
_OPTIONS = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_ANY": "ReducerOptions",
    "REDUCE_ALL": "ReducerOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "RANDOM_STANDARD_NORMAL": "RandomOptions",
    "RANDOM_UNIFORM": "RandomOptions",
    "MULTINOMIAL": "RandomOptions",
}


class Unknown(NamedTuple):
    """Something a file says that this schema does not know; encoding the decoded model would lose it."""

    table: str
    slot: int
    where: str
    """A path from the model, e.g. `subgraphs[0].tensors[3]`."""
    what: str
    """"field", or "union member 9" / "enum value 40" of a field that is known."""


class UnknownFieldWarning(UserWarning):
    """A decoded file holds fields, union members or enum values that this schema does not know."""


class _Field(NamedTuple):
    name: str
    slot: int
    kind: str  # "scalar", "enum", "string", "table", "union", "numbers", "tables"
    default: Any = None
    packer: Any = None  # struct.Struct of a scalar
    dtype: Any = None  # numpy dtype of a vector's elements
    type: Any = None  # the IntEnum, the table class, or the union's {tag: class}
    align: int = 4


class Table:
    """Base of every table. Keyword arguments are the schema's fields; enums may be given by name."""

    _fields: dict[str, _Field] = {}
    _by_slot: dict[int, _Field] = {}

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        field = self._fields.get(name)
        if field is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self._fields)}")
        if field.kind == "enum" and isinstance(value, str):
            try:
                value = field.type[value]
            except KeyError:
                raise ValueError(f"{type(self).__name__}.{name}: {value!r} is not in {field.type.__name__}") from None
        elif field.kind == "numbers" and value is not None and not isinstance(value, np.ndarray):
            if isinstance(value, (bytes, bytearray, memoryview)):
                value = np.frombuffer(value, field.dtype)
            else:
                value = np.array(value, field.dtype)
        self.__dict__[name] = value

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = []
        for name, field in self._fields.items():
            value = getattr(self, name)
            if value is field.default or (field.kind in ("scalar", "enum") and value == field.default):
                continue
            if isinstance(value, np.ndarray):
                text = f"<{value.size} x {value.dtype}>" if value.size > 16 else str(value.tolist())
            elif isinstance(value, list):
                text = f"[{len(value)} x {type(value[0]).__name__}]" if value else "[]"
            else:
                text = value.name if isinstance(value, enum.Enum) else repr(value)
            parts.append(f"{name}={text}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if a is None or b is None:
            return False
        a, b = np.asarray(a), np.asarray(b)
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return bool(a == b)


class _ModelMethods(Table):
    appended: np.ndarray | None = None
    """The ZIP archive that follows the model in its file (see appended.py), or None."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "appended":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return bool(super().__eq__(other)) and _same(self.appended, getattr(other, "appended", None))

    def op_name(self, operator: Table) -> str:
        """The operator's name: "CONV_2D", or the custom code of a custom operator."""
        code = self.operator_codes[operator.opcode_index]
        if code.builtin_code == 32 and code.custom_code is not None:
            return str(code.custom_code)
        return op_name(code.builtin_code)

    def op_version(self, operator: Table) -> int:
        return int(self.operator_codes[operator.opcode_index].version)

    def data(self, tensor: Table) -> np.ndarray | None:
        """The constant bytes of a tensor, or None if it has none."""
        data = self.buffers[tensor.buffer].data if tensor.buffer else None
        return None if data is None or not data.size else data

    def array(self, tensor: Table) -> np.ndarray | None:
        """The constant of a tensor as a typed array (see `unpack`), or None if it has none."""
        data = self.data(tensor)
        shape = () if tensor.shape is None else tuple(tensor.shape.tolist())
        return None if data is None else unpack(data, tensor.type, shape)


_METHODS: dict[str, type[Table]] = {"Model": _ModelMethods}


# ---- The schema file -> classes ----


def _parse(text: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The three kinds of declaration, each name -> what its body says."""
    enums: dict[str, Any] = {}
    unions: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    text = re.sub(r"//[^\n]*", "", text)
    for kind, name, base, body in re.findall(r"\b(enum|union|table)\s+(\w+)(?:\s*:\s*(\w+))?\s*\{([^}]*)\}", text):
        if kind == "table":
            tables[name] = re.findall(r"(\w+)\s*:\s*(\[?\w+\]?)(?:\s*=\s*([\w.+-]+))?\s*\(([^)]*)\)\s*;", body)
        else:
            values = [(member, int(value)) for member, value in re.findall(r"(\w+)\s*=\s*(-?\d+)", body)]
            (enums if kind == "enum" else unions)[name] = (base, values)
    return enums, unions, tables


def _field(
    row: tuple[str, str, str, str], enums: dict[str, Any], unions: dict[str, Any], made: dict[str, Any]
) -> _Field:
    name, kind, default, notes = row
    match = re.search(r"\bid:\s*(\d+)", notes)
    if match is None:
        raise ValueError(f"tflite.fbs: field {name} has no id")
    slot = int(match[1])
    match = re.search(r"\bforce_align:\s*(\d+)", notes)
    align = int(match[1]) if match else 4
    if kind.startswith("["):
        kind = kind[1:-1]
        base = _SCALARS.get(enums[kind][0] if kind in enums else kind)
        if base is None:
            return _Field(name, slot, "tables", type=made[kind])
        dtype = np.dtype(base).newbyteorder("<")
        return _Field(name, slot, "numbers", dtype=dtype, align=max(align, dtype.itemsize))
    if kind == "string":
        return _Field(name, slot, "string")
    if kind in unions:
        return _Field(name, slot, "union", type={tag: made[member] for member, tag in unions[kind][1]})
    if kind in enums:
        members = made[kind]
        value = members[default] if default else members(0)
        return _Field(name, slot, "enum", value, struct.Struct("<" + _SCALARS[enums[kind][0]]), type=members)
    if kind in _SCALARS:
        zero: Any = False if kind == "bool" else 0.0 if kind in ("float", "double") else 0
        value = zero if not default else default == "true" if kind == "bool" else type(zero)(default)
        return _Field(name, slot, "scalar", value, struct.Struct("<" + _SCALARS[kind]))
    return _Field(name, slot, "table", type=made[kind])


_made: dict[str, Any] = {}


def _load() -> dict[str, Any]:
    """Makes the classes, once, and puts them among this module's names."""
    if _made:
        return _made
    with open(_SCHEMA_FILE, encoding="utf-8") as file:
        enums, unions, tables = _parse(file.read())
    made: dict[str, Any] = {}
    for name, (_, values) in enums.items():
        made[name] = enum.IntEnum(name, values, module=__name__)
    for name in tables:
        made[name] = type(name, (_METHODS.get(name, Table),), {"__module__": __name__, "__qualname__": name})
    for name, rows in tables.items():
        fields = sorted((_field(row, enums, unions, made) for row in rows), key=lambda f: f.slot)
        cls = made[name]
        cls._fields = {f.name: f for f in fields}
        cls._by_slot = {f.slot: f for f in fields}
        cls._by_slot.update({f.slot - 1: f for f in fields if f.kind == "union"})
        for f in fields:
            setattr(cls, f.name, f.default)
    made["UNIONS"] = {name: [member for member, _ in values] for name, (_, values) in unions.items()}
    globals().update(made)
    _made.update(made)
    return _made


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return _load()[name]
    except KeyError:
        raise AttributeError(f"the .tflite schema has no {name!r}") from None


def tables() -> dict[str, type[Table]]:
    """Every table class by name."""
    return {name: cls for name, cls in _load().items() if isinstance(cls, type) and issubclass(cls, Table)}


# ---- Operators ----


def op_name(code: int) -> str:
    """ "CONV_2D" of a builtin operator code; "BUILTIN_500" of one the schema does not know."""
    try:
        return str(_load()["BuiltinOperator"](code).name)
    except ValueError:
        return f"BUILTIN_{int(code)}"


_options_by_key: dict[str, tuple[str, str]] = {}


def options_name(op: str) -> str | None:
    """The options table an operator takes ("ADD" -> "AddOptions"); None if it takes none."""
    member = _options_member(op)
    return member and member[0]


def _options_member(op: str) -> tuple[str, str] | None:
    """(options table, union field of Operator) of an operator."""
    if not _options_by_key:
        for union, field in (("BuiltinOptions", "builtin_options"), ("BuiltinOptions2", "builtin_options_2")):
            for table in _load()["UNIONS"][union]:
                _options_by_key[table.lower()] = (table, field)
    key = _OPTIONS.get(op, op.replace("_", "") + "Options")
    return _options_by_key.get(key.lower())


def set_options(operator: Table, op: str, options: Mapping[str, Any] | Table | None) -> None:
    """Puts `options` (fields by name, or a table) into the union member that operator `op` takes."""
    member = _options_member(op)
    if member is None:
        if options:
            raise ValueError(f"{op} takes no options, got {options!r}")
        return
    if options is None or not isinstance(options, Table):
        options = _load()[member[0]](**(options or {}))
    if type(options).__name__ != member[0]:
        raise ValueError(f"{op} takes {member[0]}, not {type(options).__name__}")
    setattr(operator, member[1], options)


# ---- Decoding ----


def decode(data: bytes | bytearray | memoryview | np.ndarray, report: list[Unknown] | None = None) -> Any:
    """A whole file -> `schema.Model`.

    The arrays of the result are views of `data`: keep it unchanged. What the schema does not know is appended to
    `report`, or warned about (`UnknownFieldWarning`) if there is none. Bytes that are no model raise `ModelError`.
    """
    view = np.frombuffer(data, np.uint8)
    view.flags.writeable = False
    unknown: list[Unknown] = []
    try:
        model = _Reader(view, unknown).model()
        model.appended = appended.split(view)
    except (struct.error, IndexError, OverflowError, MemoryError) as error:
        raise ModelError(f"not a well-formed model: {error}") from None
    if report is not None:
        report.extend(unknown)
    elif unknown:
        first = unknown[0]
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        warnings.warn(
            f"the model uses a newer format: {first.table} slot {first.slot} ({first.what}) at "
            f"{first.where or 'the root'}{more}; encoding it again would lose that",
            UnknownFieldWarning,
            stacklevel=2,
        )
    return model


class _Reader:
    """Reads one file. Positions are file offsets; every one is checked against the end before it is used.

    The schema has no recursive table, so depth is bounded by it. Breadth is bounded by a budget of tables: a hostile
    file could let thousands of vectors share the same elements, and would otherwise grow without limit.
    """

    u16 = struct.Struct("<H").unpack_from
    u32 = struct.Struct("<I").unpack_from
    i32 = struct.Struct("<i").unpack_from

    def __init__(self, view: np.ndarray, unknown: list[Unknown]) -> None:
        self.view = view
        self.bytes = view.data
        self.size = view.size
        self.unknown = unknown
        self.budget = min(1000 + self.size // 4, 4_000_000)
        self.strings: dict[int, str] = {}
        self.numbers: dict[tuple[int, str], np.ndarray] = {}
        self.vtables: dict[int, list[tuple[int, int]]] = {}

    def model(self) -> Any:
        if self.size < 8:
            raise ModelError(f"not a .tflite model: {self.size} bytes are too few")
        found = bytes(self.bytes[4:8])
        if found != IDENTIFIER:
            raise ModelError(f"not a .tflite model: identifier {found!r} instead of {IDENTIFIER!r}")
        model = self.table(_load()["Model"], self.u32(self.bytes, 0)[0], None)
        for i, code in enumerate(model.operator_codes or ()):
            effective = max(int(code.builtin_code), code.deprecated_builtin_code)
            if effective != code.builtin_code:
                path = (None, "operator_codes", i)
                code.builtin_code = self.member(_load()["BuiltinOperator"], effective, "OperatorCode", 0, path)
            code.__dict__.pop("deprecated_builtin_code", None)
        for i, buffer in enumerate(model.buffers or ()):
            if buffer.offset > 1 and buffer.size > 1:
                buffer.data = self.outside(buffer.offset, buffer.size, f"buffer {i}")
                buffer.offset = buffer.size = 0
        for subgraph in model.subgraphs or ():
            for i, op in enumerate(subgraph.operators or ()):
                if op.large_custom_options_offset > 1 and op.large_custom_options_size > 1:
                    op.custom_options = self.outside(
                        op.large_custom_options_offset, op.large_custom_options_size, f"custom options of operator {i}"
                    )
                    op.large_custom_options_offset = op.large_custom_options_size = 0
        return model

    def outside(self, offset: int, size: int, what: str) -> np.ndarray:
        if offset + size > self.size:
            raise ModelError(f"{what}: {size} bytes at {offset} pass the end of the file ({self.size} bytes)")
        return self.view[offset : offset + size]

    def member(self, members: Any, number: int, table: str, slot: int, path: Any) -> Any:
        try:
            return members(number)
        except ValueError:
            self.unknown.append(Unknown(table, slot, _where(path), f"enum value {number}"))
            return number

    def vtable(self, position: int) -> list[tuple[int, int]]:
        """The (slot, offset from the table) pairs that are present."""
        found = self.vtables.get(position)
        if found is None:
            if position < 0 or position + 4 > self.size:
                raise ModelError(f"vtable at {position} lies outside the file")
            size = self.u16(self.bytes, position)[0]
            if size < 4 or size & 1 or position + size > self.size:
                raise ModelError(f"vtable at {position} has the impossible size {size}")
            entries = struct.unpack_from(f"<{size // 2 - 2}H", self.bytes, position + 4)
            found = [(slot, offset) for slot, offset in enumerate(entries) if offset]
            self.vtables[position] = found
        return found

    def target(self, position: int) -> int:
        found = position + self.u32(self.bytes, position)[0]
        if not position < found <= self.size - 4:
            raise ModelError(f"offset at {position} leads out of the file")
        return int(found)

    def table(self, cls: type[Table], position: int, path: Any) -> Any:
        self.budget -= 1
        if self.budget < 0:
            raise ModelError("the file refers to the same tables over and over; that is no honest model")
        if position > self.size - 4:
            raise ModelError(f"{cls.__name__} at {position} lies outside the file")
        made = cls.__new__(cls)
        values = made.__dict__
        present = self.vtable(position - self.i32(self.bytes, position)[0])
        by_slot = cls._by_slot
        tags: dict[int, int] = {}
        for slot, offset in present:
            field = by_slot.get(slot)
            at = position + offset
            if field is None:
                self.unknown.append(Unknown(cls.__name__, slot, _where(path), "field"))
            elif field.kind == "scalar":
                values[field.name] = field.packer.unpack_from(self.bytes, at)[0]
            elif field.kind == "enum":
                number = field.packer.unpack_from(self.bytes, at)[0]
                values[field.name] = self.member(field.type, number, cls.__name__, slot, path)
            elif field.kind == "string":
                values[field.name] = self.string(self.target(at))
            elif field.kind == "numbers":
                values[field.name] = self.vector(field, self.target(at))
            elif field.kind == "table":
                values[field.name] = self.table(field.type, self.target(at), (path, field.name, None))
            elif field.kind == "tables":
                values[field.name] = self.vector_of_tables(field, self.target(at), path)
            elif slot != field.slot:
                tags[field.slot] = self.bytes[at]
            elif tags.get(slot):
                member = field.type.get(tags[slot])
                if member is not None:
                    values[field.name] = self.table(member, self.target(at), (path, field.name, None))
                else:
                    what = f"union member {tags[slot]}"
                    self.unknown.append(Unknown(cls.__name__, slot, _where(path), what))
        return made

    def length(self, position: int, element: int) -> int:
        count = self.u32(self.bytes, position)[0]
        if position + 4 + count * element > self.size:
            raise ModelError(f"vector at {position} of {count} elements passes the end of the file")
        return int(count)

    def string(self, position: int) -> str:
        found = self.strings.get(position)
        if found is None:
            data = self.bytes[position + 4 : position + 4 + self.length(position, 1)]
            found = self.strings[position] = str(data, "utf-8", "surrogateescape")
        return found

    def vector(self, field: _Field, position: int) -> np.ndarray:
        key = (position, field.dtype.str)
        found = self.numbers.get(key)
        if found is None:
            count = self.length(position, field.dtype.itemsize)
            data = self.view[position + 4 : position + 4 + count * field.dtype.itemsize]
            found = data != 0 if field.dtype == np.bool_ else data.view(field.dtype)
            self.numbers[key] = found
        return found

    def vector_of_tables(self, field: _Field, position: int, path: Any) -> list[Any]:
        first = position + 4
        count = self.length(position, 4)
        if count > self.budget:
            raise ModelError(f"vector at {position} holds {count} tables, more than the file has room for")
        where = (path, field.name)
        return [self.table(field.type, self.target(first + 4 * i), (*where, i)) for i in range(count)]


def _where(path: Any) -> str:
    parts: list[str] = []
    while path is not None:
        path, name, index = path
        parts.append(name if index is None else f"{name}[{index}]")
    return ".".join(reversed(parts))


# ---- Encoding ----


def encode(model: Any, *, inline_limit: int = INLINE_LIMIT) -> bytes:
    """`schema.Model` -> a whole file.

    If the flatbuffer would be larger than `inline_limit` bytes, the data of buffers and custom options follow behind
    it, 16-byte aligned, found by Buffer.offset and size.
    """
    if not isinstance(model, _load()["Model"]):
        raise TypeError(f"encode takes a schema.Model, not {type(model).__name__}")
    inside = sum(len(b.data) for b in model.buffers or () if b.data is not None)
    writer = _Writer(outside=inside > inline_limit)
    writer.model(model)
    if not writer.outside and writer.size > inline_limit:
        writer = _Writer(outside=True)
        writer.model(model)
    for position, blob in writer.later:
        writer.pad(16)
        writer.patches.append(("<QQ", position, (writer.size, blob.size)))
        writer.write(blob.data)
    if model.appended is not None:
        archive = appended.move(model.appended, writer.size)
        if archive is not None:
            writer.write(archive.data)
    return writer.finish()


class _Writer:
    """Writes one file front to back: a table first, with room for its offsets, then what they lead to.

    Offsets only lead forward, so strings and short vectors, which are written once each however often they occur,
    wait in a pool until the tables are out. The buffers with the constants come last.
    """

    def __init__(self, *, outside: bool) -> None:
        # Large data is put in when the file is made, so a model is in memory twice at most: as arrays and as file.
        self.small = bytearray()  # everything else, in order
        self.large: list[tuple[int, int, memoryview]] = []  # (size of `small` then, position in the file, data)
        self.size = 0
        self.patches: list[tuple[str, int, tuple[int, ...]]] = []  # struct format, position, numbers
        self.outside = outside
        self.later: list[tuple[int, np.ndarray]] = []  # (position of the u64 pair offset, size; bytes)
        self.vtables: dict[bytes, int] = {}
        self.pool: dict[tuple[int, int, bytes], list[int]] = {}  # (align, count, bytes) -> positions of offsets to it

    def model(self, model: Table) -> None:
        self.write(bytes(4) + IDENTIFIER)
        self.link(0, self.table(model))
        self.flush()
        self.pad(4)

    def write(self, data: Any) -> None:
        """Appends bytes, or a buffer of them, which must stay as it is until `finish`."""
        if len(data) < LARGE:
            self.small += data
        else:
            self.large.append((len(self.small), self.size, memoryview(data)))
        self.size += len(data)

    def finish(self) -> bytes:
        starts = [position for _, position, _ in self.large]
        before = [0, *(position + len(data) - cut for cut, position, data in self.large)]  # bytes of large data
        for form, position, numbers in self.patches:
            struct.pack_into(form, self.small, position - before[bisect_right(starts, position)], *numbers)
        if not self.large:
            return bytes(self.small)
        parts, done = [], 0
        with memoryview(self.small) as small:
            for cut, _, data in self.large:
                parts += [small[done:cut], data]
                done = cut
            parts.append(small[done:])
            whole = b"".join(parts)
            for part in parts:
                part.release()
        return whole

    def flush(self) -> None:
        for (align, count, data), positions in self.pool.items():
            start = self.vector(align, count, data)
            for at in positions:
                self.link(at, start)
        self.pool.clear()

    def pad(self, align: int, after: int = 0) -> None:
        """Appends zeros until the position `after` bytes on is aligned."""
        missing = -(self.size + after) % align
        if missing:
            self.write(bytes(missing))

    def link(self, at: int, target: int) -> None:
        if target - at > 0x7FFFFFFF:
            raise ModelError("the model is too large for a flatbuffer")
        self.patches.append(("<I", at, (target - at,)))

    def table(self, table: Table) -> int:
        blob = self.move_outside(table) if self.outside else None
        rows: list[tuple[int, int, Any, Any]] = []  # size, slot, packed bytes, (field, value) behind an offset
        for field in table._fields.values():
            value = table.__dict__.get(field.name, field.default)
            if field.kind in ("scalar", "enum"):
                if field.name == "builtin_code":
                    value = max(int(value), table.deprecated_builtin_code)
                elif field.name == "deprecated_builtin_code":
                    value = min(max(int(value), int(table.builtin_code)), 127)
                try:
                    data = field.packer.pack(value)
                except (struct.error, TypeError) as error:
                    raise ModelError(f"{type(table).__name__}.{field.name}: {value!r}: {error}") from None
                if data != field.packer.pack(field.default) or (blob is not None and field.name in blob[1]):
                    rows.append((len(data), field.slot, data, None))
            elif value is not None and not (blob is not None and field.name == blob[2]):
                if field.kind == "union":
                    tag = next((tag for tag, cls in field.type.items() if cls is type(value)), 0)
                    if not tag:
                        raise ModelError(f"{type(table).__name__}.{field.name} cannot hold {type(value).__name__}")
                    rows.append((1, field.slot - 1, bytes([tag]), None))
                rows.append((4, field.slot, b"\0\0\0\0", (field, value)))
        rows.sort(key=lambda row: (-row[0], row[1]))
        # Wide fields lie right behind the leading soffset, so nothing between the fields needs padding.
        offsets: dict[int, int] = {}
        end = 4
        for size, slot, _, _ in rows:
            offsets[slot] = end
            end += size
        slots = max(offsets, default=-1) + 1
        vtable = struct.pack(f"<{slots + 2}H", 4 + 2 * slots, end, *(offsets.get(slot, 0) for slot in range(slots)))
        known = self.vtables.get(vtable)
        if known is None:
            self.pad(2)
            known = self.vtables[vtable] = self.size
            self.write(vtable)
        self.pad(8 if rows and rows[0][0] == 8 else 4, after=4)
        start = self.size
        self.write(b"".join([struct.pack("<i", start - known), *(row[2] for row in rows)]))
        if blob is not None:
            self.later.append((start + offsets[table._fields[blob[1][0]].slot], blob[0]))
        children = [(start + offsets[slot], *child) for _, slot, _, child in rows if child is not None]
        for at, field, value in sorted(children, key=lambda child: child[1].name == "buffers"):
            self.child(at, type(table).__name__, field, value)
        return start

    def move_outside(self, table: Table) -> tuple[np.ndarray, tuple[str, str], str] | None:
        """The bytes to put behind the flatbuffer, the two fields that will lead there, the field they come from."""
        if type(table).__name__ == "Buffer":
            names, source = ("offset", "size"), "data"
        elif type(table).__name__ == "Operator":
            names, source = ("large_custom_options_offset", "large_custom_options_size"), "custom_options"
        else:
            return None
        data = getattr(table, source)
        if data is None or data.size < 2:  # an outside size of 0 or 1 means "not outside"
            return None
        return np.ascontiguousarray(data), names, source

    def child(self, at: int, owner: str, field: _Field, value: Any) -> None:
        """Writes what the offset at `at` leads to."""
        if field.kind == "string":
            data = value.encode("utf-8", "surrogateescape")
            self.pool.setdefault((4, len(data), data + b"\0"), []).append(at)
        elif field.kind == "numbers":
            value = np.asarray(value)
            if value.ndim != 1:
                raise ModelError(f"{owner}.{field.name}: an array of shape {value.shape} instead of a vector")
            value = np.ascontiguousarray(value.astype(field.dtype, casting="same_kind", copy=False))
            if field.align < 16:
                self.pool.setdefault((field.align, value.size, value.tobytes()), []).append(at)
            else:
                self.link(at, self.vector(field.align, value.size, value))
        elif field.kind == "tables":
            if field.name == "buffers":
                self.flush()
            self.pad(4)
            start = self.size
            self.link(at, start)
            self.write(struct.pack("<I", len(value)) + bytes(4 * len(value)))
            for i, element in enumerate(value):
                if type(element) is not field.type:
                    raise ModelError(
                        f"{owner}.{field.name}[{i}] is {type(element).__name__}, not {field.type.__name__}"
                    )
                self.link(start + 4 + 4 * i, self.table(element))
        else:
            if field.kind == "table" and type(value) is not field.type:
                raise ModelError(f"{owner}.{field.name} cannot hold {type(value).__name__}")
            self.link(at, self.table(value))

    def vector(self, align: int, count: int, data: Any) -> int:
        self.pad(max(align, 4), after=4)
        start = self.size
        self.write(struct.pack("<I", count))
        if len(data):
            self.write(memoryview(data).cast("B"))
        return start
