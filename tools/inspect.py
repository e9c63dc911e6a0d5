"""`samara inspect MODEL`: what a model holds, and what running it takes."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import click
from samara.converter.data import shape_text
from samara.interpreter import _native
from samara.interpreter.errors import SamaraError
from samara.interpreter.source import open_path

from . import metadata
from .common import bytes_text, count_text, json_option, print_json, table, verbosity_options


def _tensor(info: _native.TensorInfo) -> dict[str, Any]:
    return {
        "index": info.id,
        "name": info.name,
        "type": _native.TYPES[info.type],
        "shape": info.shape,
        "shape_signature": info.signature or info.shape,
        "constant_bytes": info.constant_bytes if info.constant else None,
        "variable": info.variable,
        "sparse": info.sparse,
        "scales": info.scales,
        "zero_points": info.zero_points,
        "quantized_dimension": info.axis,
        "block_size": info.block_size,
    }


def _subgraph(model: _native.Model, index: int) -> dict[str, Any]:
    info = model.subgraph(index)
    tensors = [model.tensor(index, i) for i in range(info.n_tensors)]
    nodes = [model.node(index, i) for i in range(info.n_nodes)]
    return {
        "index": index,
        "name": info.name,
        "inputs": info.inputs,
        "outputs": info.outputs,
        "tensors": [_tensor(t) for t in tensors],
        "operators": [
            {
                "index": n.id,
                "op": n.op,
                "version": n.version,
                "custom": n.custom,
                "supported": n.supported,
                "inputs": n.inputs,
                "outputs": n.outputs,
                "intermediates": n.intermediates,
            }
            for n in nodes
        ],
    }


def _plan(model: _native.Model, index: int) -> dict[str, Any]:
    """The session's memory and steps; or why there is none."""
    try:
        session = _native.Session(model, index)
        session.prepare()
    except SamaraError as error:
        return {"index": index, "error": str(error)}
    steps = session.steps()
    placed = []
    for i in range(model.subgraph(index).n_tensors):
        view = session.view(i)
        if view.offset >= 0 and view.bytes:
            placed.append({"tensor": i, "offset": view.offset, "bytes": view.bytes})
    return {
        "index": index,
        "memory": session.memory(),
        "macs": sum(s.macs for s in steps),
        "steps": [{"node": s.node, "op": s.op, "name": s.name, "macs": s.macs, "bytes": s.bytes} for s in steps],
        "arena": sorted(placed, key=lambda p: (p["offset"], p["tensor"])),
    }


def examine(path: str) -> dict[str, Any]:
    """Everything `inspect` shows, as plain data."""
    model = open_path(path, _native.Options())
    subgraphs = [_subgraph(model, i) for i in range(model.n_subgraphs)]
    plans = [_plan(model, i) for i in range(model.n_subgraphs)]
    described = model.metadata()
    advice = metadata.read(described)
    operators: Counter[str] = Counter(op["op"] for s in subgraphs for op in s["operators"])
    unsupported = sorted({op["op"] for s in subgraphs for op in s["operators"] if not op["supported"]})
    return {
        "model": path,
        "bytes": os.path.getsize(path),
        "constant_bytes": sum(t["constant_bytes"] or 0 for s in subgraphs for t in s["tensors"]),
        "operator_counts": dict(operators.most_common()),
        "unsupported": unsupported,
        "signatures": [
            {"key": s.key, "subgraph": s.subgraph, "inputs": s.inputs, "outputs": s.outputs} for s in model.signatures()
        ],
        "metadata": [{"name": name, "bytes": len(data)} for name, data in described.items()],
        "title": advice.name if advice else "",
        "min_runtime_version": described.get("min_runtime_version", b"").rstrip(b"\0").decode("ascii", "replace"),
        "subgraphs": subgraphs,
        "plans": plans,
    }


def _quantization(t: dict[str, Any]) -> str:
    scales = t["scales"]
    if t["block_size"]:
        return f"blocks of {t['block_size']}"
    if len(scales) == 1:
        return f"{scales[0]:.6g} * (q - {t['zero_points'][0]})" if t["zero_points"][0] else f"{scales[0]:.6g} * q"
    return f"{len(scales)} scales along axis {t['quantized_dimension']}" if scales else ""


def _line(t: dict[str, Any]) -> tuple[Any, ...]:
    return t["index"], t["name"] or "-", t["type"], shape_text(t["shape_signature"]), _quantization(t)


def _print_subgraph(s: dict[str, Any], plan: dict[str, Any], single: bool, verbose: int) -> None:
    tensors = s["tensors"]
    if not single:
        click.echo(f"\nsubgraph {s['index']}{' ' + s['name'] if s['name'] else ''}")
    for side in ("inputs", "outputs"):
        click.echo(f"{side}:")
        click.echo("  " + table([_line(tensors[i]) for i in s[side]], right="r").replace("\n", "\n  "))
    if verbose:
        click.echo("operators:")
        macs = {step["node"]: step["macs"] for step in plan.get("steps", [])}
        rows = []
        for op in s["operators"]:
            ins = " ".join("-" if i < 0 else f"{i}" for i in op["inputs"])
            outs = " ".join(f"{i}:{shape_text(tensors[i]['shape'])}" for i in op["outputs"])
            name = op["op"] + ("" if op["supported"] else " (unsupported)")
            count = macs.get(op["index"], 0)
            rows.append((op["index"], name, ins, "->", outs, f"{count_text(count)} MAC" if count else ""))
        click.echo("  " + table(rows, right="r").replace("\n", "\n  "))
    if verbose > 1:
        click.echo("tensors:")
        offsets = {p["tensor"]: p for p in plan.get("arena", [])}
        rows = []
        for t in tensors:
            where = ""
            if t["constant_bytes"] is not None:
                where = f"constant, {bytes_text(t['constant_bytes'])}"
            elif t["variable"]:
                where = "variable"
            elif t["index"] in offsets:
                where = f"arena {offsets[t['index']]['offset']} + {offsets[t['index']]['bytes']}"
            rows.append((*_line(t), where))
        click.echo("  " + table(rows, right="r").replace("\n", "\n  "))
    if "error" in plan:
        click.echo(f"cannot run: {plan['error']}")
        return
    memory = plan["memory"]
    steps = f"{len(plan['steps'])} step{'s' * (len(plan['steps']) != 1)}"
    click.echo(
        f"plan: {steps}, {count_text(plan['macs'])} MAC; arena {bytes_text(memory['arena'])}, "
        f"persistent {bytes_text(memory['persistent'])}, packed weights {bytes_text(memory['packed'])}"
    )


@click.command()
@click.argument("model")
@json_option
@verbosity_options
def command(model: str, as_json: bool, quiet: bool, verbose: int) -> None:
    """Show the subgraphs, operators, tensors, signatures, metadata and the memory plan of MODEL.

    -v lists the operators, -vv the tensors too.
    """
    found = examine(model)
    if as_json:
        print_json("samara.inspect/1", found)
        return
    click.echo(f"{model}: {bytes_text(found['bytes'])}, constants {bytes_text(found['constant_bytes'])}")
    if found["title"]:
        click.echo(f"title: {found['title']}")
    if found["min_runtime_version"]:
        click.echo(f"made for LiteRT {found['min_runtime_version']} or newer")
    for s in found["signatures"]:
        click.echo(f'signature "{s["key"]}": ({", ".join(s["inputs"])}) -> ({", ".join(s["outputs"])})')
    if found["metadata"]:
        click.echo("metadata: " + ", ".join(f"{m['name']} ({bytes_text(m['bytes'])})" for m in found["metadata"]))
    counts = ", ".join(f"{op} {n}" for op, n in found["operator_counts"].items())
    click.echo(f"operators: {sum(found['operator_counts'].values())}: {counts}")
    if found["unsupported"]:
        click.echo(f"unsupported here: {', '.join(found['unsupported'])}")
    for s, plan in zip(found["subgraphs"], found["plans"], strict=True):
        _print_subgraph(s, plan, len(found["subgraphs"]) == 1, verbose)
