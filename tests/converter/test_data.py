"""Samples from every kind of source, and one sentence for everything that is wrong with them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samara.converter.data import Pixels, samples
from samara.interpreter.model import TensorSpec

import samara

F32 = np.dtype(np.float32)
X = TensorSpec("x", (1, 4, 3), F32, None, 0, 0)
OPEN = TensorSpec("x", (-1, 4, 3), F32, None, 0, 0)
IDS = TensorSpec("ids", (1, 5), np.dtype(np.int32), None, 0, 1)
PHOTO = TensorSpec("photo", (1, 6, 5, 3), F32, None, 0, 0)
DATA = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


def drawn(source: Any, *specs: TensorSpec) -> list[dict[str, np.ndarray]]:
    return list(samples(source, specs or (X,)))


@pytest.mark.parametrize("spec", [X, OPEN])
@pytest.mark.parametrize(
    "source",
    [
        DATA,
        DATA[:, None],
        {"x": DATA},
        list(DATA),
        [{"x": v} for v in DATA],
        [(v,) for v in DATA],
        [[v[None]] for v in DATA],
        "iterator",
        lambda: (v.tolist() for v in DATA),
        DATA.astype(np.float64),
        DATA.astype(np.uint8),
    ],
    ids=["array", "batches", "mapping", "list", "dicts", "tuples", "lists", "iterator", "function", "double", "bytes"],
)
def test_sources(source: Any, spec: TensorSpec) -> None:
    found = drawn(iter(DATA) if isinstance(source, str) else source, spec)
    assert [set(s) for s in found] == [{"x"}, {"x"}]
    for sample, want in zip(found, DATA, strict=True):
        assert sample["x"].dtype == np.float32
        assert np.array_equal(sample["x"], want[None])


def test_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DATA)
    np.savez_compressed(tmp_path / "named.npz", x=DATA, ids=np.zeros((2, 5), np.int64), labels=np.zeros(2))
    np.savez(tmp_path / "only.npz", whatever=DATA)
    for name in ("a.npy", "only.npz"):
        assert len(drawn(tmp_path / name)) == 2
    both = drawn(str(tmp_path / "named.npz"), X, IDS)
    assert both[1]["ids"].dtype == np.int32 and np.array_equal(both[1]["x"], DATA[1:])
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    for i, v in enumerate(DATA):
        np.savez(folder / f"{i}.npz", x=v, ids=np.full(5, i))
    (folder / "notes.txt").write_text("not data")
    assert [int(s["ids"][0, 0]) for s in drawn(tmp_path / "folder", X, IDS)] == [0, 1]


@pytest.mark.parametrize("first", [False, True])
def test_pictures(tmp_path: Path, first: bool) -> None:
    image = pytest.importorskip("PIL.Image")
    for i in range(3):
        image.new("RGB", (20, 12), (10 * i, 100, 200)).save(tmp_path / f"{i}.png")
    spec = PHOTO._replace(shape=(-1, 3, 6, 5)) if first else PHOTO
    found = drawn(tmp_path, spec)
    assert [s["photo"].shape for s in found] == [(1, *spec.shape[1:])] * 3
    channels = found[1]["photo"][0].mean((1, 2) if first else (0, 1))
    assert np.allclose(channels, (np.array([10, 100, 200]) - 127.5) / 127.5)
    (scaled, *_) = drawn(Pixels(tmp_path, (0.0,), (255.0,)), spec)
    assert np.isclose(scaled["photo"].max(), 200 / 255)


BAD = [
    (np.zeros((3, 4, 2), np.float32), "has shape 1x4x2, input 'x' takes 1x4x3"),
    (np.zeros((4, 3), np.float32), "the first axis counts the samples"),
    ({"y": DATA}, "has no array 'x'; it has: y"),
    ([{"y": DATA[0]}], "sample 0 has no array 'x'"),
    ([DATA[0], DATA[0] * np.nan], "sample 1: 12 of 12 values of input 'x' are NaN or infinite"),
    ([np.full((4, 3), np.inf)], "are NaN or infinite"),
    ([DATA[0].astype(complex)], "holds complex128, input 'x' takes float32"),
    ([["a"] * 3] * 4, "input 'x' takes float32"),
    ([None], "is NoneType, not numbers"),
    ([[[1], [1, 2]]], "is no array"),
    ([(DATA[0], DATA[0])], "has 2 arrays, the model takes 'x'"),
    ([], "has no samples"),
    (iter(()), "has no samples"),
    (np.zeros((0, 4, 3), np.float32), "has no samples"),
    (7, "not int"),
    (b"abc", "not bytes"),
]


@pytest.mark.parametrize(("source", "words"), BAD, ids=[words[:25] for _, words in BAD])
def test_refusals(source: Any, words: str) -> None:
    with pytest.raises(samara.ArgumentError) as error:
        drawn(source)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_refusals_of_integers_and_open_sizes() -> None:
    with pytest.raises(samara.ArgumentError, match=r"ids.*takes int32"):
        drawn([np.zeros(5)], IDS)
    with pytest.raises(samara.ArgumentError, match="values from 0 to 4294967296 do not fit"):
        drawn([np.array([0, 0, 0, 0, 2**32])], IDS)
    with pytest.raises(samara.ArgumentError, match="different numbers of samples: 2 for 'x', 3 for 'ids'"):
        drawn({"x": DATA, "ids": np.zeros((3, 5), np.int32)}, X, IDS)
    with pytest.raises(samara.ArgumentError, match="is one array, the model takes"):
        drawn(DATA, X, IDS)
    with pytest.raises(samara.ArgumentError, match="empty"):
        drawn([np.zeros((0, 3), np.float32)], TensorSpec("x", (-1, 3), F32, None, 0, 0))


def test_refusals_of_files(tmp_path: Path) -> None:
    with pytest.raises(samara.FileError, match="does not exist"):
        drawn(tmp_path / "none.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(samara.ArgumentError, match="has no pictures"):
        drawn(tmp_path / "empty")
    (tmp_path / "m.onnx").write_bytes(b"x")
    with pytest.raises(samara.ArgumentError, match="is a model, not data"):
        drawn(tmp_path / "m.onnx")
    for name in ("a.npy", "a.npz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 not really" if name == "a.npz" else b"\x93NUMPY\x01")
        with pytest.raises(samara.ArgumentError, match="cannot be read as numpy data"):
            drawn(tmp_path / name)


class _Bomb:
    def __reduce__(self) -> Any:
        return (Path("executed").write_text, ("yes",))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bomb.npy").write_bytes(pickle.dumps(_Bomb()))
    np.save("objects.npy", np.array([_Bomb()], object), allow_pickle=True)
    np.savez("objects.npz", x=np.array([_Bomb()], object))
    for name in ("bomb.npy", "objects.npy", "objects.npz"):
        with pytest.raises(samara.ArgumentError, match="cannot be read"):
            drawn(name)
    assert not Path("executed").exists()
