"""Seeds for the fuzzer: `python tests/fuzz/seeds.py FOLDER` writes the models of the operators' tests to FOLDER/seeds,
one for each operator and choice of types, and to FOLDER/odd the same with empty tensors of enormous other sizes, where
loops that count to a product of sizes hang or overflow. A size is replaced wherever the model has it, so that the
shapes still fit one another.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "ops")]

import harness  # noqa: E402
from samara.converter import schema  # noqa: E402

HUGE = (2**31 - 1, 2**22)
LARGEST_FILE = 40_000


def cases() -> Iterator[harness.Case]:
    """The first case of each operator with these types of operands."""
    seen = set()
    for path in sorted((TESTS / "ops").glob("test_*.py")):
        for value in vars(importlib.import_module(path.stem)).values():
            for case in value if isinstance(value, (list, tuple)) else ():
                if not isinstance(case, harness.Case):
                    continue
                kinds = tuple(spec and (spec.dtype, spec.kind) for spec in case.inputs)
                if (case.op, kinds) not in seen:
                    seen.add((case.op, kinds))
                    yield case


def odd(data: bytes) -> Iterator[bytes]:
    """The model with one size 0 and another one huge, in up to six ways."""
    shapes = [t.shape for t in schema.decode(data).subgraphs[0].tensors if t.shape is not None]
    sizes = sorted({int(size) for shape in shapes for size in shape})
    pairs = [(a, b) for a in sizes for b in sizes if a != b][:6]
    for i, (zero, large) in enumerate(pairs):
        model = schema.decode(data)
        new = {zero: 0, large: HUGE[i % len(HUGE)]}
        for tensor in model.subgraphs[0].tensors:
            if tensor.shape is not None:
                tensor.shape = [new.get(int(size), int(size)) for size in tensor.shape]
        yield schema.encode(model)


def main(folder: Path) -> None:
    for name in ("seeds", "odd"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i, case in enumerate(cases()):
        try:
            data, _ = harness.build(case)
        except (ValueError, KeyError):  # a case that is refused when it is written has no model
            continue
        if len(data) > LARGEST_FILE:
            continue
        (folder / "seeds" / f"{i:04}-{case.op}.tflite").write_bytes(data)
        for k, model in enumerate(odd(data)):
            (folder / "odd" / f"{i:04}-{k}-{case.op}.tflite").write_bytes(model)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
