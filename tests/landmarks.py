"""How far samara is ahead of its peers, beside the marks it was built for, from reports of `samara benchmark`:

    samara benchmark MODELS --peers litert,onnxruntime,openvino --json > one.json     (again for further runs)
    python tests/landmarks.py one.json [MORE.json ...] [--without openvino]

A ratio is the fastest peer's least time over samara's least time of all reports; "in each" shows what single reports
say, as a busy machine moves them. Exits 1 when a mark is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

TWO_THREADS = 0.9  # all marks, with two threads
MEANS = {"all models": 1.5, "int8 and uint8": 2.0, "float32": 1.0}
LEAST = 0.95
LANDMARKS = {  # the name of a model, at one thread
    "mobilenet_v3s_int8": 2.5,
    "transformer6_int8": 1.5,
    "mobilenet_v2_1.0_224_quant": 2.0,
    "lstm128_int8": 3.0,
    "vww_int8": 2.0,
    "kws_int8": 2.0,
    "keras_lstm_mnist_ptq": 10.0,
    "mobilenet_v2_int8": 1.3,
    "resnet50_f32": 0.95,
    "resnet50_int8": 1.0,
}

Times = dict[str, dict[str, float]]  # of a report: microseconds by model and engine


def times_of(report: dict[str, Any], without: set[str]) -> Times:
    return {
        Path(model["model"]).stem: {
            engine["engine"]: engine["best_us"]
            for engine in model["engines"]
            if "best_us" in engine and engine["engine"] not in without
        }
        for model in report["models"]
    }


def least(reports: list[Times]) -> Times:
    result: Times = {}
    for report in reports:
        for model, engines in report.items():
            for engine, us in engines.items():
                best = result.setdefault(model, {})
                best[engine] = min(us, best.get(engine, math.inf))
    return result


def ratio(engines: dict[str, float]) -> float | None:
    peers = [us for engine, us in engines.items() if engine != "samara"]
    return min(peers) / engines["samara"] if peers and "samara" in engines else None


def landmark_of(model: str) -> float | None:
    """By the end of the file's name, so that a prefix may tell files of one name apart."""
    names = [name for name in LANDMARKS if model == name or model.endswith("_" + name)]
    return LANDMARKS[max(names, key=len)] if names else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--without", action="append", default=[], metavar="PEER")
    words = parser.parse_args()
    documents = [json.loads(path.read_text()) for path in words.reports]
    threads = {document["threads"] for document in documents}
    if len(threads) != 1:
        parser.error(f"reports of {' and '.join(map(str, sorted(threads)))} threads do not go together")
    one = threads == {1}
    factor = 1.0 if one else TWO_THREADS
    types = {Path(model["model"]).stem: model["type"] for document in documents for model in document["models"]}
    reports = [times_of(document, set(words.without)) for document in documents]
    missed = 0

    def line(name: str, value: float, mark: float | None, each: str = "") -> None:
        nonlocal missed
        verdict = "" if mark is None else f"{'' if value >= mark else 'MISSED '}(mark {mark:.2f})"
        missed += mark is not None and value < mark
        print(f"{name:44} {value:6.2f}  {verdict:20} {each}".rstrip())

    groups: dict[str, list[float]] = {name: [] for name in MEANS}
    for model, engines in sorted(least(reports).items()):
        value = ratio(engines)
        if value is None:
            print(f"{model:44}      -  no peer ran it")
            continue
        group = "float32" if types[model] == "float32" else "int8 and uint8"
        groups[group].append(value)
        groups["all models"].append(value)
        singles = [single for report in reports if (single := ratio(report.get(model, {}))) is not None]
        landmark = landmark_of(model) if one else None
        each = f"in each: {' '.join(f'{single:.2f}' for single in singles)}" if len(singles) > 1 else ""
        line(model, value, landmark or LEAST * factor, each)
    print()
    for name, ratios in groups.items():
        if ratios:
            line(f"geometric mean, {name} ({len(ratios)})", statistics.geometric_mean(ratios), MEANS[name] * factor)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
