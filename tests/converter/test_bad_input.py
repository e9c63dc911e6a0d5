"""Hostile files through the whole path: one sentence, no output, nothing executed."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from cli_driver import Cli, write

h5py = pytest.importorskip("h5py")
DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits.keras"


def archive(change: object = None, *, name: str = "", config: object = None) -> bytes:
    """digits.keras with its config changed by a function, with one member more, or with another config."""
    out = io.BytesIO()
    with zipfile.ZipFile(DIGITS) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == "config.json":
                described = json.loads(content) if config is None else config
                if callable(change):
                    change(described)
                content = json.dumps(described).encode()
            target.writestr(member, content)
        if name:
            target.writestr(name, b"echo owned")
    return out.getvalue()


def a_lambda(config: dict) -> None:
    layer = config["config"]["layers"][1]
    layer["class_name"] = "Lambda"
    layer["config"] = {"name": "evil", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAA=="}}}


def a_module(config: dict) -> None:
    layer = config["config"]["layers"][1]
    layer.update(module="os", class_name="system", registered_name="system")


def hdf5(**attributes: object) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_group("model_weights")
        for name, value in attributes.items():
            file.attrs[name] = value
    return out.getvalue()


def endless_heap() -> bytes:
    """A heap whose free object has no size: the HDF5 library would never come back."""
    data = bytearray(hdf5(model_config="{}", layer_names=np.array(["a", "b"], dtype=h5py.string_dtype())))
    at = data.index(b"GCOL")
    end, here = at + int.from_bytes(data[at + 8 : at + 16], "little"), at + 16
    while here < end and data[here : here + 2] != b"\0\0":
        here += 16 + -(-int.from_bytes(data[here + 8 : here + 16], "little") // 8) * 8
    data[here + 8 : here + 16] = bytes(8)
    return bytes(data)


FILES = {
    "traversal.keras": (lambda: archive(name="../../evil.sh"), 5, "leads out of it"),
    "lambda.keras": (lambda: archive(a_lambda), 3, "Lambda"),
    "module.keras": (lambda: archive(a_module), 3, "system"),
    "empty.keras": (lambda: archive(config={}), 5, "describes no model"),
    "cut.keras": (lambda: archive()[:5000], 5, "damaged zip"),
    "weights.h5": (lambda: hdf5(layer_names=["a"]), 5, "has no model_config"),
    "text.h5": (lambda: hdf5(model_config="{"), 5, "not JSON"),
    "endless.h5": (endless_heap, 5, "has no size"),
}


@pytest.mark.parametrize("name", FILES)
def test_hostile_files(cli: Cli, tmp_path: Path, name: str) -> None:
    make, code, words = FILES[name]
    cli.refuses(code, words, "convert", write(tmp_path / name, make()), "-o", tmp_path / "out.tflite")
    assert os.listdir(tmp_path) == [name]
