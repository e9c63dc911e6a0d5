"""STABLEHLO_COMPOSITE: an operator that stands for a subgraph."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, tensor
from samara.converter import schema

import samara


def model(inner: int = 1, composites: int = 1, shape: tuple[int, ...] = (2, 3)) -> bytes:
    """x -> composite -> y, as often as wished; the composite is x * x + 1. `inner` is the subgraph it names."""

    def place(name: str, buffer: int = 0) -> schema.Tensor:
        size = shape if not buffer else ()
        return schema.Tensor(name=name, type="FLOAT32", shape=list(size), buffer=buffer, has_rank=True)

    calls = []
    for i in range(composites):
        call = schema.Operator(opcode_index=0, inputs=[i], outputs=[i + 1])
        options = {"name": "test.square_plus_one", "decomposition_subgraph_index": inner}
        options["composite_attributes"] = schema.encode_flexbuffer({})
        schema.set_options(call, "STABLEHLO_COMPOSITE", options)
        calls.append(call)
    steps = [schema.Operator(opcode_index=1, inputs=[0, 0], outputs=[1])]
    steps.append(schema.Operator(opcode_index=2, inputs=[1, 2], outputs=[3]))
    schema.set_options(steps[0], "MUL", {})
    schema.set_options(steps[1], "ADD", {})
    one = schema.Buffer(data=np.float32([1]).tobytes())
    main = schema.SubGraph(
        tensors=[place(f"t{i}") for i in range(composites + 1)], inputs=[0], outputs=[composites], operators=calls
    )
    body = schema.SubGraph(
        tensors=[place("x"), place("xx"), place("one", 1), place("y")], inputs=[0], outputs=[3], operators=steps
    )
    codes = [schema.OperatorCode(builtin_code=name) for name in ("STABLEHLO_COMPOSITE", "MUL", "ADD")]
    return bytes(
        schema.encode(
            schema.Model(version=3, operator_codes=codes, buffers=[schema.Buffer(), one], subgraphs=[main, body])
        )
    )


def times(n: int):
    def oracle(values):
        x = values[0]
        for _ in range(n):
            x = x * x + np.float32(1)
        return [x]

    return oracle


IN, OUT = [tensor("float32", (2, 3), low=-1, high=1)], [tensor("float32", (2, 3))]
CASES = [
    Case("composite", "STABLEHLO_COMPOSITE", IN, OUT, model=model()),
    Case("three composites", "STABLEHLO_COMPOSITE", IN, OUT, model=model(composites=3), oracle=times(3)),
    Case("resized", "STABLEHLO_COMPOSITE", IN, OUT, model=model(), resize={0: (5, 3)}, oracle=times(1)),
    Case("names itself", "STABLEHLO_COMPOSITE", IN, OUT, model=model(inner=0), error="subgraph"),
    Case("no such subgraph", "STABLEHLO_COMPOSITE", IN, OUT, model=model(inner=7), error="subgraph"),
    Case("negative subgraph", "STABLEHLO_COMPOSITE", IN, OUT, model=model(inner=-1), error="subgraph"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_composite(case):
    check(case)


def test_the_decomposition_runs_alone():
    interpreter = samara.Interpreter(model_content=model())
    assert interpreter.num_subgraphs() == 2
    assert [d["name"] for d in interpreter.get_tensor_details(1)] == ["x", "xx", "one", "y"]
