"""What `samara benchmark` says: tables of engines, of operators beside the roofline, of models beside the peers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

from .common import Failure, bytes_text, count_text, table


def engines(results: Sequence[dict[str, Any]]) -> str:
    rows = [
        (r["engine"], r["version"], f"{r['init_ms']:.2f}", f"{r['first_ms']:.2f}", f"{r['min_us']:.1f}",
         f"{r['median_us']:.1f}", f"{r['p90_us']:.1f}", f"{r['p99_us']:.1f}", f"{r['std_us']:.1f}", r["runs"],
         bytes_text(r["peak_rss_bytes"]), bytes_text(r["model_rss_bytes"]), f"{r['ratio']:.2f}")
        for r in results
    ]  # fmt: skip
    head = ("engine", "version", "init ms", "first ms", "min us", "median", "p90", "p99", "std", "runs",
            "peak RSS", "grown", "ratio")  # fmt: skip
    return table(rows, head, "llrrrrrrrrrrr")


def bound_us(step: dict[str, Any], peaks: dict[str, Any]) -> float:
    """The least time the machine needs for a step: arithmetic at the measured peak, or its bytes through the caches."""
    peak: float = peaks["gmacs"].get(step["kind"], 0.0) if step["macs"] else 0.0
    moving: float = step["bytes"] / peaks["gbytes"] / 1e3
    return max(step["macs"] / peak / 1e3 if peak else 0.0, moving)


def profile(steps: Sequence[dict[str, Any]], peaks: dict[str, Any]) -> str:
    """Every operator beside the roofline: what of the multiplication peak it reaches, and of its bound."""
    total = sum(s["us"] for s in steps) or 1.0
    rows, so_far, least = [], 0.0, 0.0
    for s in sorted(steps, key=lambda s: -s["us"]):
        percent, us = 100 * s["us"] / total, s["us"] or 1e-9
        so_far += percent
        bound = bound_us(s, peaks)
        least += bound
        rate = s["macs"] / us / 1e3
        peak = peaks["gmacs"].get(s["kind"])
        rows.append(
            (s["node"], s["op"], s["kind"], f"{us:.1f}", f"{percent:.1f}", f"{so_far:.1f}",
             count_text(s["macs"]) if s["macs"] else "", f"{rate:.1f}" if s["macs"] else "",
             f"{100 * rate / peak:.0f}" if s["macs"] and peak else "", bytes_text(s["bytes"]),
             f"{s['bytes'] / us / 1e3:.1f}", f"{100 * bound / us:.0f}", s["name"][:40])
        )  # fmt: skip
    head = ("node", "operator", "type", "us", "%", "sum %", "MAC", "GMAC/s", "% of peak", "touched", "GB/s",
            "% of bound", "output")  # fmt: skip
    rates = ", ".join(f"{kind} {rate:.1f} GMAC/s" for kind, rate in peaks["gmacs"].items())
    return (
        table(rows, head, "rllrrrrrrrrrl")
        + f"\n{total:.1f} us in operators; the bound is {least:.1f} us ({100 * least / total:.0f} %). Measured peak, "
        f"{peaks['threads']} thread{'s' if peaks['threads'] > 1 else ''}: {rates}; {peaks['gbytes']:.1f} GB/s."
    )


def geometric_mean(values: Iterable[float]) -> float | None:
    logs = [math.log(v) for v in values if v > 0]
    return math.exp(sum(logs) / len(logs)) if logs else None


def summarize(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Geometric means of the best peer's time over ours: all models, those of 8 bits, those of floats."""
    groups = {
        "all": reports,
        "int8 and uint8": [r for r in reports if r["type"] in ("int8", "uint8")],
        "float32": [r for r in reports if r["type"] == "float32"],
    }
    ratios = {name: [r["best_ratio"] for r in group if r["best_ratio"]] for name, group in groups.items()}
    return {
        name: {"models": len(values), "geomean": geometric_mean(values), "least": min(values)}
        for name, values in ratios.items()
        if values
    }


def models(reports: Sequence[dict[str, Any]], peers: Sequence[str]) -> str:
    """One line a model: microseconds of every engine, the best peer over ours; then the geometric means."""
    rows = []
    for r in reports:
        times = {e["engine"]: e["best_us"] for e in r["engines"] if "best_us" in e}
        memory = {e["engine"]: e["peak_rss_bytes"] / 2**20 for e in r["engines"] if "best_us" in e}
        loads = {e["engine"]: e["init_ms"] + e["first_ms"] for e in r["engines"] if "best_us" in e}
        rows.append(
            [os.path.basename(r["model"]).removesuffix(".tflite"), r["type"], f"{times['samara']:.1f}"]
            + [f"{times[p]:.1f}" if p in times else "-" for p in peers]
            + ([f"{r['best_ratio']:.2f}" if r["best_ratio"] else "-"] if peers else [])
            + [" / ".join(f"{loads[e]:.1f}" if e in loads else "-" for e in ("samara", *peers))]
            + [" / ".join(f"{memory[e]:.0f}" if e in memory else "-" for e in ("samara", *peers))]
        )
    head = ["model", "type", "samara us", *peers, *(["best/samara"] if peers else []), "load ms", "peak MiB"]
    text = table(rows, head, "ll" + "r" * (1 + len(peers) + bool(peers)) + "ll")
    for name, group in summarize(reports).items():
        text += (
            f"\n{name}: geometric mean of best peer / samara {group['geomean']:.2f} over {group['models']} models, "
            f"least {group['least']:.2f}"
        )
    return text


def _times(path: str) -> dict[str, float]:
    """Our time of every model in an earlier --json report."""
    try:
        with open(path, encoding="utf-8") as file:
            earlier = json.load(file)
        return {
            os.path.basename(m["model"]): next(e["best_us"] for e in m["engines"] if e["engine"] == "samara")
            for m in earlier["models"]
        }
    except (OSError, ValueError, KeyError, StopIteration, TypeError) as error:
        raise Failure(f"'{path}' is not a report of `samara benchmark --json`: {error!r}") from None


def regressions(reports: Sequence[dict[str, Any]], baseline: str, tolerance: float) -> list[str]:
    """A sentence for every model that is slower than in an earlier report by more than `tolerance` (0.05: 5 %)."""
    before, sentences = _times(baseline), []
    for report in reports:
        name = os.path.basename(report["model"])
        if name not in before:
            raise Failure(f"'{baseline}' has no model {name}; it has: {', '.join(before)}")
        now, then = report["engines"][0]["best_us"], before[name]
        if now > then * (1 + tolerance):
            more = 100 * (now / then - 1)
            sentences.append(f"regression: {name}: {now:.1f} us, {more:.1f} % above the {then:.1f} us of {baseline}")
    return sentences
