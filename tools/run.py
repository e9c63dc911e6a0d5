"""`samara run MODEL FILE…`: data in, answers out.

samara run net.tflite cat.bmp --labels labels.txt
samara run net.tflite --input image=cat.bmp --input size=size.npy --output out.npz
"""

from __future__ import annotations

import os
import time
from typing import Any

import click
import numpy as np
from samara.converter import data
from samara.converter.data import shape_text
from samara.interpreter.model import Signature, TensorSpec

import samara

from . import metadata
from .common import (
    Failure,
    arithmetic_options,
    force_option,
    json_option,
    note,
    numbers,
    parse_shapes,
    print_json,
    refuse_overwrite,
    table,
    verbosity_options,
    warnings_as_notes,
    weight_cache_option,
)

Array = data.Array


def read_labels(labels: str | None, model: str, advice: metadata.Advice | None) -> list[str]:
    """The label file the user names, or the one packed into the model."""
    if labels is not None:
        if not os.path.isfile(labels):
            raise Failure(f"'{labels}' is not a file; --labels takes a text file with one label per line")
        with open(labels, encoding="utf-8", errors="replace") as file:
            return metadata.labels(file.read())
    for output in advice.outputs if advice else ():
        for name in output.label_files:
            packed = metadata.associated_file(model, name)
            if packed is not None:
                return metadata.labels(packed.decode("utf-8", "replace"))
    return []


def _sources(
    signature: Signature, inputs: tuple[str, ...], files: tuple[str, ...]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Input name -> file from the --input options, and the files that the one remaining input takes in turn."""
    names = [spec.name for spec in signature.inputs]
    given: dict[str, str] = {}
    for text in inputs:
        name, equals, path = text.partition("=")
        if not equals or (name not in names and os.path.exists(text)):
            if len(names) != 1 and not text.endswith(".npz"):
                raise Failure(
                    f"--input {text}: say which input, e.g. --input {names[0]}={text}; has: {', '.join(names)}"
                )
            if text.endswith(".npz") and len(names) != 1:
                given.update({n: text for n in names if n not in given})
                continue
            name, path = names[0], text
        elif name not in names:
            # The tensor's own name in the file is as good as the signature's.
            alias = signature._by_name.get(name)
            if alias is None:
                raise Failure(f"--input {text}: the model has no input '{name}'; it has: {', '.join(names)}")
            name = alias.name
        given[name] = path
    rest = [name for name in names if name not in given]
    if files and len(rest) != 1:
        raise Failure(
            f"FILE names data for one input, {len(rest)} are without: {', '.join(rest) or 'none'}; use --input"
        )
    return given, files


def top_answers(values: Array, spec: TensorSpec, labels: list[str], top: int) -> list[dict[str, Any]]:
    """The highest scores of a classification, best first."""
    scores = data.dequantize(values, spec).reshape(-1)
    order = np.argsort(-scores.astype(np.float64), kind="stable")[:top]
    return [{"index": int(i), "label": labels[i] if i < len(labels) else "", "score": float(scores[i])} for i in order]


def _is_scores(values: Array) -> bool:
    return values.dtype.kind in "fiu" and values.size > 1 and values.size == values.shape[-1] if values.ndim else False


def _summary(values: Array, spec: TensorSpec) -> str:
    head = f"{spec.name}  {values.dtype} {shape_text(values.shape)}"
    if not values.size:
        return f"{head}: empty"
    if values.dtype.kind not in "fiub":
        return f"{head}: {values.reshape(-1)[:8].tolist()}"
    real = data.dequantize(values, spec)
    flat = real.reshape(-1)
    shown = " ".join(f"{v:.6g}" for v in flat[:8].tolist()) + (" …" if flat.size > 8 else "")
    if flat.size <= 8:
        return f"{head}: {shown}"
    return f"{head}: {shown}  (min {flat.min():.6g}, max {flat.max():.6g}, mean {flat.mean(dtype=np.float64):.6g})"


def _save(path: str, results: list[dict[str, Array]]) -> None:
    """One run: its outputs by name. Several: each output with the runs stacked along a new first axis."""
    names = list(results[0])
    arrays = {n: results[0][n] if len(results) == 1 else np.stack([r[n] for r in results]) for n in names}
    arrays = {n: a.astype("S") if a.dtype == object else a for n, a in arrays.items()}
    temporary = f"{path}.part"
    with open(temporary, "wb") as file:
        if path.endswith(".npy"):
            np.save(file, arrays[names[0]], allow_pickle=False)
        else:
            named: dict[str, Any] = dict(arrays)
            np.savez(file, **named)
    os.replace(temporary, path)


@click.command()
@click.argument("model")
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.option("--input", "inputs", multiple=True, metavar="NAME=FILE", help="Data of an input; repeat for more.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME:1x224x224x3", help="Give an input another shape.")
@click.option("--signature", help="Which entry point to run; default: the main graph.")
@click.option("--labels", metavar="FILE", help="One label per line; default: the labels packed into the model.")
@click.option("--top", default=5, show_default=True, type=click.IntRange(1), help="How many best answers to print.")
@click.option("--output", "-o", metavar="FILE", help="Write the outputs as they are to an .npz (or .npy) file.")
@click.option("--mean", callback=numbers, metavar="M[,M…]", help="Subtracted from pixels (float inputs: 127.5).")
@click.option("--std", callback=numbers, metavar="S[,S…]", help="Divides pixels after that (float inputs: 127.5).")
@click.option("--seed", type=int, help="Fill the inputs that got no file with random data of this seed.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads; same results.")
@click.option("--device", help="Where to run: cpu (default), or another back end.")
@weight_cache_option
@arithmetic_options
@json_option
@force_option
@verbosity_options
def command(
    model: str,
    files: tuple[str, ...],
    inputs: tuple[str, ...],
    shapes: tuple[str, ...],
    signature: str | None,
    labels: str | None,
    top: int,
    output: str | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    seed: int | None,
    threads: int,
    device: str | None,
    weight_cache: str | None,
    allow_fp16: bool,
    no_winograd: bool,
    as_json: bool,
    force: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Run MODEL once for each FILE (or once with the --input files) and print its answers.

    Files: pictures (resized to the input; needs Pillow), .npy, .npz, or raw bytes. A uint8 input takes the pixels, an
    int8 input the pixels minus 128, a float input (pixel - mean) / std with 127.5 and 127.5 unless --mean and --std or
    the model's metadata say otherwise.
    """
    if output is not None:
        refuse_overwrite(output, force)
    with warnings_as_notes(quiet, RuntimeWarning):
        loaded = samara.load(
            model,
            threads=threads,
            device=device,
            weight_cache=weight_cache,
            allow_fp16=allow_fp16,
            no_winograd=no_winograd,
        )
        run: Signature = loaded._main
    if signature is not None:
        if signature not in loaded.signatures:
            raise Failure(f"the model has no signature '{signature}'; it has: {', '.join(loaded.signatures) or 'none'}")
        run = loaded.signatures[signature]
    advice = metadata.read(loaded.metadata)
    words = read_labels(labels, model, advice)
    given, each = _sources(run, inputs, files)
    sizes = parse_shapes(shapes, [spec.name for spec in run.inputs])
    rng = np.random.default_rng(seed)

    def value(place: int, spec: TensorSpec, path: str | None) -> Array:
        shape = sizes.get(spec.name) or tuple(max(d, 1) for d in spec.shape)
        if path is None:
            if seed is None:
                raise Failure(f"input '{spec.name}' got no data; pass --input {spec.name}=FILE (or --seed for random)")
            return data.random(spec, shape, rng)
        told = advice.inputs[place] if advice and place < len(advice.inputs) else None
        m = mean or (told.mean if told else ()) or None
        s = std or (told.std if told else ()) or None
        return data.from_file(path, spec, shape, m, s)

    results: list[dict[str, Array]] = []
    report: list[dict[str, Any]] = []
    for file in each or (None,):
        paths = {spec.name: given.get(spec.name, file) for spec in run.inputs}
        values = {spec.name: value(i, spec, paths[spec.name]) for i, spec in enumerate(run.inputs)}
        begin = time.perf_counter()
        answer = run(values) if values else run()
        elapsed = time.perf_counter() - begin
        outputs: dict[str, Array] = answer if isinstance(answer, dict) else {run.outputs[0].name: answer}
        results.append(outputs)
        entries = []
        for spec in run.outputs:
            array = outputs[spec.name]
            entry: dict[str, Any] = {
                "name": spec.name,
                "shape": list(array.shape),
                "dtype": str(array.dtype),
                "scale": spec.scale,
                "zero_point": spec.zero_point,
            }
            if _is_scores(array):
                entry["top"] = top_answers(array, spec, words, top)
            if array.size <= 1000:
                entry["values"] = array.tolist() if array.dtype.kind != "c" else [str(v) for v in array.reshape(-1)]
            entries.append(entry)
        report.append({"files": paths, "milliseconds": elapsed * 1e3, "outputs": entries})
        if not as_json:
            _print(run, outputs, entries, words, file if len(each) > 1 else None)
            note(f"{elapsed * 1e3:.2f} ms (the first run includes planning)", quiet or not verbose)
    sizes_out = {n: r.size for n, r in results[0].items()}
    if words and not any(abs(len(words) - n) <= 1 for n in sizes_out.values()):
        note(f"note: {len(words)} labels, but the outputs have {list(sizes_out.values())} values", quiet)
    if output is not None:
        if output.endswith(".npy") and len(results[0]) != 1:
            raise Failure(f"an .npy file holds one array, the model has {len(results[0])} outputs; write an .npz")
        _save(output, results)
        note(f"wrote {output}", quiet)
    if as_json:
        print_json("samara.run/1", {"model": model, "signature": signature, "runs": report})


def _print(
    run: Signature, outputs: dict[str, Array], entries: list[dict[str, Any]], words: list[str], file: str | None
) -> None:
    if file is not None:
        click.echo(f"{file}:")
    for spec, entry in zip(run.outputs, entries, strict=True):
        if "top" in entry and words:
            rows = [(f"{a['score']:.4f}", a["index"], a["label"]) for a in entry["top"]]
            click.echo(table(rows, right="rrl"))
        else:
            click.echo(_summary(outputs[spec.name], spec))
            if "top" in entry and len(entry.get("values", [])) != 0 and outputs[spec.name].size > 8:
                click.echo(table([(f"{a['score']:.4f}", a["index"]) for a in entry["top"]], right="rr"))
