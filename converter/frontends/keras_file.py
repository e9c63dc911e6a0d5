"""What lies in the files Keras writes: the configuration of a model, and its weights layer by layer.

    with opened("net.keras") as source:     or .h5, .hdf5, or the bytes of one
        source.config                       {"class_name": "Functional", "config": {...}}
        source.weights                      of the whole model: a `Weights`, read from the file piece by piece

A `.keras` archive is a zip of config.json, metadata.json and model.weights.h5; the latter has a group for each layer,
called after its class (`layers/conv2d_1/vars/0`). A legacy file is HDF5: the configuration is an attribute, and the
weights of a layer are a list under the layer's name (`weight_names`), those of a model inside it included.

Nothing is taken on trust: sizes are checked before anything is allocated, links that leave the file are refused, and
every number of the file is read as a number.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...interpreter.errors import FileError, ModelError, SamaraError

CONFIG_LIMIT = 1 << 28
"""Bytes a configuration may have."""

RATIO = 200
"""Times a compressed part may grow beyond FREE bytes."""

FREE = 1 << 26

GROUPS, DEPTH = 1 << 18, 200
"""Groups of weights, and how many may lie inside each other."""

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
WEIGHTS_ONLY = "it holds weights only; save the whole model with model.save()"


class Source(NamedTuple):
    config: dict[str, Any]
    version: tuple[int, ...]  # of the Keras that wrote it
    weights: Weights


@contextlib.contextmanager
def opened(source: Any) -> Iterator[Source]:
    """Opens a path or bytes. Raises FileError, ModelError, and ModuleNotFoundError where h5py is missing."""
    h5py = _package()
    with contextlib.ExitStack() as stack:
        try:
            if isinstance(source, (str, os.PathLike)):
                data: Any = stack.enter_context(Path(source).open("rb"))
            elif isinstance(source, (bytes, bytearray, memoryview)):
                data = stack.enter_context(io.BytesIO(source))
            else:
                raise TypeError(f"a Keras model is a path or bytes, not {type(source).__name__}")
            head = data.read(8)
            size = data.seek(0, os.SEEK_END)
            data.seek(0)
        except OSError as error:
            raise FileError(f"cannot read {os.fspath(source)!r}: {error.strerror or error}") from None
        if head == HDF5_MAGIC:
            with _guarded():
                _check_heaps(data)
                found = _legacy(stack.enter_context(h5py.File(data, "r")), size)
        elif head[:2] == b"PK":
            config, version, weights = _archive(data)
            with _guarded():
                _check_heaps(weights)
                file = stack.enter_context(h5py.File(weights, "r"))
                found = Source(config, version, ArchiveWeights(Tree(Store(file, weights.seek(0, os.SEEK_END)))))
        else:
            raise ModelError("not a Keras model: it is neither a zip archive (.keras) nor HDF5 (.h5)")
        yield found


def _package() -> Any:
    try:
        import h5py
    except ImportError:
        raise ModuleNotFoundError(
            "reading Keras models needs the package h5py; install it with: pip install samara[keras]"
        ) from None
    return h5py


# ---- The zip ----

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, OverflowError)


def _archive(data: Any) -> tuple[dict[str, Any], tuple[int, ...], Any]:
    """The configuration, the version of Keras, and the weights as a file."""
    try:
        with zipfile.ZipFile(data) as archive:
            names = archive.namelist()
            for name in names:
                if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
                    raise ModelError(f"the archive has the member {name!r}, which leads out of it")
            if len(set(names)) != len(names):
                raise ModelError("the archive has two members of the same name")
            if "config.json" not in names:
                raise ModelError("the archive has no config.json, so it is no Keras model; save it with model.save()")
            config = _json(_member(archive, "config.json"), "config.json")
            meta = _json(_member(archive, "metadata.json"), "metadata.json") if "metadata.json" in names else {}
            if "model.weights.h5" in names:
                weights = _member_file(archive, data, "model.weights.h5")
            elif any(name.endswith(".npz") or "model.weights" in name for name in names):
                raise ModelError(
                    "the weights of the archive are not model.weights.h5; save the model in one .keras file"
                )
            else:
                raise ModelError("the archive has no model.weights.h5")
    except (*_ZIP_ERRORS, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"the archive is damaged or cut short ({error})") from None
    version = _version(meta.get("keras_version") if isinstance(meta, dict) else None, (3,))
    return _whole(config), version, weights


def _member_file(archive: zipfile.ZipFile, data: Any, name: str) -> Any:
    """A member as a file; what is stored as it is, is not copied."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        return io.BytesIO(_member(archive, name))
    with archive.open(info) as member:
        while member.read(1 << 16):  # checks the sum
            pass
    data.seek(info.header_offset)
    header = data.read(30)  # the names behind it may differ from those in the directory
    start = info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return _Part(data, start, info.file_size)


class _Part(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        self.file, self.start, self.size = file, start, size
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = max(offset + (0, self.at, self.size)[whence], 0)
        return self.at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = max(min(len(view), self.size - self.at), 0)
        self.file.seek(self.start + self.at)
        count: int = self.file.readinto(view[:wanted])
        self.at += count
        return count


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    limit = CONFIG_LIMIT if name.endswith(".json") else max(FREE, info.compress_size * RATIO)
    if info.file_size > limit:
        raise ModelError(f"{name} of the archive would have {info.file_size} bytes; the limit is {limit}")
    with archive.open(info) as member:
        data = member.read(info.file_size)
        if len(data) != info.file_size or member.read(1):
            raise ModelError(f"{name} of the archive has another size than the archive says")
    return data


def _json(data: bytes | str, what: str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ModelError(f"{what} is nested too deeply") from None
    except (ValueError, UnicodeError) as error:
        raise ModelError(f"{what} is not JSON: {error}") from None


def _whole(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise ModelError("the configuration describes no model: it lacks class_name or config")
    return config


def _version(text: Any, otherwise: tuple[int, ...]) -> tuple[int, ...]:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else otherwise


# ---- HDF5 ----


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    """Whatever h5py says against a file is one sentence."""
    try:
        yield
    except SamaraError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        text = " ".join(str(error).split())
        raise ModelError(f"the HDF5 data is damaged or cut short ({text})") from None


def _check_heaps(file: Any) -> None:
    """Refuses collections of texts in which an entry has no size: the HDF5 library never comes to their end."""
    begin, tail, steps = 0, b"", 0
    file.seek(0)
    starts = []
    while block := file.read(1 << 20):
        text = tail + block
        starts += [begin - len(tail) + found.start() for found in re.finditer(b"GCOL\x01", text)]
        begin, tail = begin + len(block), text[-4:]
    for start in starts:
        file.seek(start + 8)
        size = int.from_bytes(file.read(8), "little")
        heap = file.read(min(max(size - 16, 0), FREE))
        at = 0
        while at + 16 <= len(heap):
            number, count = (
                int.from_bytes(heap[at : at + 2], "little"),
                int.from_bytes(heap[at + 8 : at + 16], "little"),
            )
            step = count if number == 0 else 16 + (count + 7) // 8 * 8
            steps += 1
            if step == 0 or steps > 1 << 22:
                raise ModelError("the HDF5 data is damaged (an entry of its heap has no size)")
            at += step
    file.seek(0)


def _legacy(file: Any, size: int) -> Source:
    store = Store(file, size)
    text = store.attribute(file, "model_config")
    if text is None:
        known = "layer_names" in file.attrs or "layers" in file or "_layer_checkpoint_dependencies" in file
        raise ModelError("the file has no model_config: " + (WEIGHTS_ONLY if known else "it is no Keras model"))
    if not isinstance(text, (bytes, str)):
        raise ModelError("the attribute model_config is not a text")
    if len(text) > CONFIG_LIMIT:
        raise ModelError(f"model_config has {len(text)} bytes; the limit is {CONFIG_LIMIT}")
    config = _whole(_json(text, "model_config"))
    if store.group("model_weights") is None:
        raise ModelError("the file has no group model_weights; save the whole model with model.save()")
    version = _version(store.attribute(file, "keras_version"), (2, 0))
    return Source(config, version, LegacyModel(store))


class Store:
    """The groups and datasets of an HDF5 file, checked."""

    def __init__(self, file: Any, size: int) -> None:
        self.file = file
        self.size = size
        self.total = 0
        self.groups: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        """What lies at a path, or None; every step must be a hard link."""
        import h5py

        if path in self.groups:
            return self.groups[path]
        above, _, name = path.rpartition("/")
        here = self.get(above) if above else self.file
        if not isinstance(here, h5py.Group) or name in ("", "."):
            return None
        links, key = here.id.links, name.encode("utf-8", "surrogateescape")
        if not links.exists(key):
            return None
        if links.get_info(key).type != h5py.h5l.TYPE_HARD:
            raise ModelError(f"{path!r} of the file is a link to elsewhere; save the model again")
        found = here[name]
        if isinstance(found, h5py.Group):
            self.groups[path] = found
        return found

    def group(self, path: str) -> Any:
        import h5py

        found = self.get(path)
        return found if isinstance(found, h5py.Group) else None

    def attribute(self, holder: Any, name: str) -> Any:
        """An attribute, or None; it cannot be larger than the file."""
        if name not in holder.attrs:
            return None
        found = holder.attrs.get_id(name)
        size = math.prod(found.shape or ()) * found.dtype.itemsize
        if size > max(self.size, 1 << 16):
            raise ModelError(f"the attribute {name} would have {size} bytes, and the file has {self.size}")
        return holder.attrs[name]

    def names(self, path: str, attribute: str) -> list[str] | None:
        """A list of names in an attribute of a group; long lists are cut into several: name0, name1, …"""
        group = self.group(path)
        if group is None:
            return None
        parts = [self.attribute(group, attribute)] if attribute in group.attrs else []
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(self.attribute(group, f"{attribute}{len(parts)}"))
        if not parts:
            return None
        found = []
        for part in parts:
            for name in np.asarray(part).reshape(-1).tolist():
                if not isinstance(name, (bytes, str)):
                    raise ModelError(f"{attribute} of {path!r} is not a list of names")
                found.append(name.decode("utf-8", "replace") if isinstance(name, bytes) else name)
        return found

    def weight(self, path: str) -> Stored | None:
        """A dataset of numbers, still to be read; None if there is none."""
        import h5py

        found = self.get(path)
        if not isinstance(found, h5py.Dataset):
            return None
        if found.is_virtual or found.external:
            raise ModelError(f"the weight {path!r} lies in another file; save the model again")
        if found.dtype.kind not in "fiub" or found.dtype.itemsize > 8 or found.shape is None:
            raise ModelError(f"the weight {path!r} has element type {found.dtype}")
        count, stored = found.nbytes, found.id.get_storage_size()
        self.total += count
        if stored > self.size or count > max(FREE, stored * RATIO) or self.total > max(16 * FREE, self.size * RATIO):
            raise ModelError(f"the weight {path!r} would have {count} bytes, and the file has {self.size}")
        return Stored(found, self.attribute(found, "dtype") in ("bfloat16", b"bfloat16"))


class Stored(NamedTuple):
    """A weight in the file."""

    dataset: Any
    bfloat16: bool

    def read(self) -> np.ndarray:
        """As float32, or as integers."""
        with _guarded():
            value = self.dataset[()]
        if self.bfloat16 and value.dtype == np.uint16:
            value = (value.astype(np.uint32) << 16).view(np.float32)
        if value.dtype.kind == "f":
            with np.errstate(over="ignore"):
                value = np.asarray(value, np.float32)
        return np.asarray(value)


# ---- Weights of a layer ----


def snake_case(name: str) -> str:
    """A class name as archives write it: BatchNormalization is batch_normalization, PReLU is p_re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class Weights:
    """The weights of one layer or model. `take` gives them in the order in which Keras makes them."""

    def take(self, count: int, at: str = "") -> list[np.ndarray]:
        """The next `count` weights; in an archive those of the part of the layer that `at` names."""
        raise NotImplementedError

    def left(self, at: str = "") -> int:
        """How many have not been taken."""
        raise NotImplementedError

    def inside(self, at: str) -> Weights:
        """Those of a layer inside this one."""
        raise NotImplementedError

    def layers(self, layers: Sequence[tuple[str, str]]) -> list[Weights]:
        """Those of the layers of a model, given as (class, name)."""
        raise NotImplementedError

    def rewind(self) -> None:
        """The layer is called once more: the same weights again."""


class ArchiveWeights(Weights):
    """Those at a path of an archive."""

    def __init__(self, tree: Tree, path: str = "") -> None:
        self.tree = tree
        self.path = path
        self.taken: dict[str, int] = {}

    def inside(self, at: str) -> ArchiveWeights:
        return ArchiveWeights(self.tree, f"{self.path}/{at}" if self.path else at)

    def rewind(self) -> None:
        self.taken.clear()

    def _all(self, at: str) -> list[Stored]:
        return self.tree.values.get(self.inside(at).path if at else self.path, [])

    def left(self, at: str = "") -> int:
        return len(self._all(at)) - self.taken.get(at, 0)

    def take(self, count: int, at: str = "") -> list[np.ndarray]:
        found, start = self._all(at), self.taken.get(at, 0)
        if len(found) < start + count:
            raise ModelError(f"the file has {len(found)} weights at {self.inside(at).path!r}, the layer needs more")
        self.taken[at] = start + count
        return [stored.read() for stored in found[start : start + count]]

    def layers(self, layers: Sequence[tuple[str, str]]) -> list[Weights]:
        head = f"{self.path}/" if self.path else ""
        before_3 = "_layer_checkpoint_dependencies"
        place = before_3 if f"{head}{before_3}" in self.tree.groups else "layers"
        used: dict[str, int] = {}
        found: list[Weights] = []
        for kind, name in layers:
            stem = snake_case(kind)
            used[stem] = used.get(stem, -1) + 1
            path = f"{head}{place}/{stem}" + (f"_{used[stem]}" if used[stem] else "")
            if path not in self.tree.values:  # shared with a model that comes before
                path = self.tree.place_of(name) or path
            found.append(ArchiveWeights(self.tree, path))
        return found


class Tree:
    """All weights of an archive."""

    def __init__(self, store: Store) -> None:
        import h5py

        self.groups: set[str] = set()
        self.values: dict[str, list[Stored]] = {}  # path of a layer -> its own weights
        self.store = store
        self.named: list[tuple[str, Any]] = []  # path of a layer and the group that says its name
        self.by_name: dict[str, str] | None = None  # "" where several layers have a name
        waiting = [""]
        while waiting:
            path = waiting.pop()
            self.groups.add(path)
            if path.count("/") > DEPTH or len(self.groups) > GROUPS:
                raise ModelError(f"the weights have more than {GROUPS} groups, or more than {DEPTH} inside each other")
            group = store.file if not path else store.group(path)
            for name in group:
                inner = f"{path}/{name}" if path else name
                found = store.get(inner)
                if isinstance(found, h5py.Group):
                    if name == "vars":
                        self._variables(store, path, found)
                    elif path or not name.startswith("optimizer"):
                        waiting.append(inner)

    def _variables(self, store: Store, path: str, group: Any) -> None:
        found: list[Stored] = []
        head = f"{path}/vars" if path else "vars"
        while (value := store.weight(f"{head}/{len(found)}")) is not None:
            found.append(value)
        if len(found) != len(group):
            raise ModelError(f"the weights at {head!r} are not numbered from 0 to {len(group) - 1}")
        self.values[path] = found
        self.named.append((path, group))

    def place_of(self, name: str) -> str | None:
        """The path of the only layer of this name. Names are read when one is asked for, which is seldom."""
        if self.by_name is None:
            self.by_name = {}
            for path, group in self.named:
                with _guarded():
                    own = self.store.attribute(group, "name")
                if isinstance(own, str):
                    self.by_name[own] = "" if own in self.by_name else path
        return self.by_name.get(name) or None


class LegacyWeights(Weights):
    """A list of (name, value)."""

    def __init__(self, entries: Sequence[tuple[str, Stored]]) -> None:
        self.entries = list(entries)
        self.next = 0

    def rewind(self) -> None:
        self.next = 0

    def left(self, at: str = "") -> int:
        return len(self.entries) - self.next

    def take(self, count: int, at: str = "") -> list[np.ndarray]:
        found = self.entries[self.next : self.next + count]
        if len(found) < count:
            raise ModelError(f"the file has {len(self.entries)} weights for it, the layer needs more")
        self.next += count
        return [stored.read() for _, stored in found]

    def inside(self, at: str) -> Weights:
        return self

    def layers(self, layers: Sequence[tuple[str, str]]) -> list[Weights]:
        """By name: a model lists what can be trained first, whichever layer it is of."""
        titles = [title.split("/") for title, _ in self.entries]
        holders: dict[str, list[int]] = {}
        for i, parts in enumerate(titles):
            for part in dict.fromkeys(parts[:-1]):
                holders.setdefault(part, []).append(i)
        found: list[Weights] = []
        for _, name in layers:
            wanted = name.split("/")
            mine = []
            for i in holders.get(wanted[0], ()):
                parts = titles[i][:-1]
                at = next((k for k in range(len(parts)) if parts[k : k + len(wanted)] == wanted), None)
                if at is not None:
                    mine.append(("/".join(titles[i][at + len(wanted) :]), self.entries[i][1]))
            found.append(LegacyWeights(mine))
        return found


class LegacyModel(LegacyWeights):
    """A legacy file as a whole: a list for each layer of the model."""

    def __init__(self, store: Store) -> None:
        super().__init__([])
        self.lists: dict[str, LegacyWeights] = {}
        names = store.names("model_weights", "layer_names")
        for name in names if names is not None else list(store.group("model_weights")):
            path = f"model_weights/{name}"
            entries = []
            for title in store.names(path, "weight_names") or []:
                value = store.weight(f"{path}/{title}")
                if value is None:
                    raise ModelError(f"the weight {title!r} of layer {name!r} is missing in the file")
                entries.append((title, value))
            self.lists[name] = LegacyWeights(entries)

    def layers(self, layers: Sequence[tuple[str, str]]) -> list[Weights]:
        return [self.lists.get(name) or LegacyWeights(()) for _, name in layers]
