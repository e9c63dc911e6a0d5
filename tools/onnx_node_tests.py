"""ONNX's own node tests against the front end: python -m samara.tools.onnx_node_tests [-v] [PATTERN]

Every case whose operators all exist in the front end is converted, run, and compared. Operands that the format wants as
constants (axes, shapes, pads, weights of a recurrent layer) are graph inputs in these cases: a case that is refused for
that is tried again with all its inputs but the first as initializers, and counted under "frozen".

Prints passed/total; `-v` every failure. Exits 1 if a case fails that is not in KNOWN.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

KNOWN = {
    r"FLOAT8|FLOAT4|INT2|INT4|_e4m3|_e5m2|_int4|_uint4|_int2|_uint2|_float4|E8M0": "the format has no type for it",
    r"_string": "strings are not converted",
    r"_3d_|pool_3d|pool_3d_|not_[234]d|convtranspose_3d": "pictures of three dimensions, or an opset before 7",
    r"tf_crop_and_resize|resize_.*antialias": "this kind of Resize is not converted",
    r"scales_(cubic|linear)_align_corners": "scales no whole number of pixels; onnxruntime and we round the size first",
    r"training": "training is not converted",
    r"scatter.*_(max|min|mul)": "the operator of the format adds",
    r"argmax_2d_precomputed|max_pool.*indices": "indices of maxima are not converted",
    r"einsum_batch_diagonal": "diagonals are not converted",
    r"uint64": "CAST has no uint64",
    r"range_int32_type_negative": "a Range whose ends become known while running has no shape before",
    r"test_if$": "control flow is not converted",
}
"""Pattern of cases' names -> why they cannot pass."""


class Outcome(NamedTuple):
    name: str
    state: str  # "passed", "frozen", "known", "failed" or "skipped"
    reason: str


def cases() -> list[Any]:
    """The node cases of the installed onnx package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        return sorted(collect_testcases(None), key=lambda case: str(case.name))


def operators(proto: Any) -> set[str]:
    names = set()
    for graph in (proto.graph, *proto.functions):
        for node in graph.node:
            names.add(node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}")
    return names


def reason_of(name: str) -> str | None:
    return next((why for pattern, why in KNOWN.items() if re.search(pattern, name)), None)


def run_model(proto: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    import samara

    from ..converter.export import to_bytes
    from ..converter.frontends.onnx import load

    model = load(proto)
    names = [i.name for i in proto.graph.input]
    given = dict(zip(names, inputs, strict=False))
    fixed = {t.name: given[t.name] for t in model.main.inputs}
    data = to_bytes(model)
    interpreter = samara.Interpreter(model_content=data)
    details = interpreter.get_input_details()
    for detail in details:
        value = fixed[detail["name"]]
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail in details:
        value = fixed[detail["name"]]
        narrow = value.dtype.name == "bfloat16"  # given as its bits
        interpreter.set_tensor(detail["index"], value.view(np.uint16) if narrow else value.astype(detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def frozen(proto: Any, inputs: list[np.ndarray]) -> Any:
    """All inputs but the first as initializers."""
    from onnx import numpy_helper

    made = type(proto)()
    made.CopyFrom(proto)
    for info, value in list(zip(proto.graph.input, arrays(inputs), strict=False))[1:]:
        made.graph.initializer.append(numpy_helper.from_array(value, info.name))
    return made


def arrays(values: Any) -> list[np.ndarray]:
    from onnx import TensorProto, numpy_helper

    return [np.asarray(numpy_helper.to_array(v) if isinstance(v, TensorProto) else v) for v in values]


def check(case: Any, rtol: float, atol: float) -> str:
    """The first way in which a case differs; "" if it passes."""
    for inputs, expected in case.data_sets:
        inputs, expected = arrays(inputs), arrays(expected)
        found = run_model(case.model, list(inputs))
        if len(found) != len(expected):
            return f"has {len(found)} outputs, expected {len(expected)}"
        for i, (got, want) in enumerate(zip(found, expected, strict=True)):
            if want.dtype.name == "bfloat16" and got.dtype == np.uint16:
                got = got.view(want.dtype)
            if got.shape != want.shape:
                return f"output {i} has shape {got.shape}, expected {want.shape}"
            if want.dtype.kind in "fV":
                near = 2**-6 if want.dtype.name == "bfloat16" else rtol  # eight bits of fraction
                ok = np.allclose(got.astype(np.float64), want.astype(np.float64), near, atol, equal_nan=True)
            else:
                ok = np.array_equal(got, want.astype(got.dtype)) and got.dtype == want.dtype
            if not ok:
                with np.errstate(all="ignore"):
                    worst = np.abs(got.astype(np.float64) - want.astype(np.float64)).max(initial=0)
                return f"output {i} differs by {worst:.3g} ({got.dtype} for {want.dtype})"
    return ""


def run(pattern: str = "") -> Iterator[Outcome]:
    import samara

    from ..converter.frontends.onnx import operators as known

    for case in cases():
        if pattern and pattern not in case.name:
            continue
        missing = operators(case.model) - known() - {"If"}
        types = {i.type.WhichOneof("value") for i in (*case.model.graph.input, *case.model.graph.output)}
        if missing or types - {"tensor_type"} or not case.data_sets:
            yield Outcome(case.name, "skipped", ", ".join(sorted(missing)) or "no tensors")
            continue
        state, reason = "passed", ""
        try:
            reason = check(case, 1e-3, 1e-5)
        except samara.SamaraError as error:
            state, reason = "frozen", str(error)
            try:
                case = dataclasses.replace(case, model=frozen(case.model, case.data_sets[0][0]))
                reason = check(case, 1e-3, 1e-5)
            except samara.SamaraError as again:
                reason = str(again)
            except Exception as again:
                reason = f"DEFECT {type(again).__name__}: {again}"
        except Exception as error:
            reason = f"DEFECT {type(error).__name__}: {error}"
        if not reason:
            yield Outcome(case.name, state, "")
        elif (why := reason_of(case.name)) is not None:
            yield Outcome(case.name, "known", why)
        else:
            yield Outcome(case.name, "failed", reason)


def main(arguments: list[str]) -> int:
    verbose = "-v" in arguments
    pattern = next((a for a in arguments if not a.startswith("-")), "")
    count: dict[str, int] = {}
    for outcome in run(pattern):
        count[outcome.state] = count.get(outcome.state, 0) + 1
        if outcome.state == "failed" or (verbose and outcome.state in ("known", "skipped")):
            print(f"{outcome.state:8} {outcome.name}: {outcome.reason.splitlines()[0] if outcome.reason else ''}")
    passed = count.get("passed", 0) + count.get("frozen", 0)
    total = sum(count.values()) - count.get("skipped", 0)
    print(
        f"{passed}/{total} node tests passed ({count.get('frozen', 0)} with operands frozen), {count.get('known', 0)} "
        f"cannot, {count.get('failed', 0)} failed; {count.get('skipped', 0)} have operators that are not supported"
    )
    return 1 if count.get("failed") else 0


if __name__ == "__main__":
    os.environ.setdefault("ONNX_ML", "1")
    sys.exit(main(sys.argv[1:]))
