"""`samara benchmark MODEL`: latency and memory, beside other engines when wished.

Every engine runs in a process of its own, pinned to the same processors, and the engines take turns in short rounds, so
that a slow minute of the machine hits all of them. This process only keeps the clock of turns:

    parent ── "run 50" ──> samara    ── times ──>
           ── "run 50" ──> litert    ── times ──>      … until --runs or --max-secs
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from typing import Any

import click
import numpy as np

from .common import (
    REGRESSION,
    Failure,
    Progress,
    bytes_text,
    count_text,
    force_option,
    json_option,
    note,
    print_json,
    refuse_overwrite,
    table,
    verbosity_options,
)

PEERS = ("litert", "onnxruntime", "openvino")


class _Engine:
    """One worker process."""

    def __init__(self, name: str, model: str, threads: int, cpus: list[int], seed: int, profile: bool) -> None:
        self.name = name
        self.times: list[float] = []
        self.profile: list[dict[str, Any]] = []
        order = {"engine": name, "model": model, "threads": threads, "cpus": cpus, "seed": seed, "profile": profile}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samara.tools._bench_worker", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.start = self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                if "error" in answer:
                    raise Failure(f"{self.name}: {answer['error']}", answer["code"])
                return answer
        assert self._process.stderr is not None
        last = self._process.stderr.read().strip().splitlines()[-1:] or ["no message"]
        raise Failure(f"{self.name}: the process ended with status {self._process.wait()}: {last[0]}", 1)

    def _ask(self, order: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self._read()

    def warm_up(self, runs: int) -> None:
        if runs:
            self._ask(f"run {runs}")

    def run(self, runs: int) -> None:
        self.times += self._ask(f"run {runs}")["seconds"]

    def finish(self) -> dict[str, Any]:
        last = self._ask("end")
        self._process.wait(10)
        self.profile = last.get("profile", [])
        times = np.array(self.times)
        return {
            "engine": self.name,
            "version": self.start["version"],
            "init_ms": self.start["init"] * 1e3,
            "first_ms": self.start["first"] * 1e3,
            "runs": len(times),
            "min_us": times.min() * 1e6,
            "median_us": float(np.median(times)) * 1e6,
            "mean_us": times.mean() * 1e6,
            "p90_us": float(np.percentile(times, 90)) * 1e6,
            "p99_us": float(np.percentile(times, 99)) * 1e6,
            "std_us": times.std() * 1e6,
            "peak_rss_bytes": last["peak_rss"],
            "model_rss_bytes": last["peak_rss"] - self.start["base_rss"],
        }

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _choose_cpus(threads: int) -> list[int]:
    """The processors to pin to: the last ones this process may use, which the system uses least."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    usable = sorted(os.sched_getaffinity(0))
    return usable[-threads:] if threads <= len(usable) else []


def _peer_model(peer: str, model: str, models: dict[str, str]) -> str:
    """The file a peer runs: the .tflite itself where it can, else the .onnx beside it or the one named."""
    if peer in models:
        path = models[peer]
    elif peer == "onnxruntime":
        path = os.path.splitext(model)[0] + ".onnx"
    else:
        path = model
    if not os.path.isfile(path):
        raise Failure(f"{peer}: '{path}' is not there; name its model by --peer-model {peer}=FILE")
    return path


def measure(
    model: str,
    peers: list[str],
    threads: int = 1,
    runs: int = 50,
    warmup: int = 5,
    max_secs: float = 10.0,
    seed: int = 0,
    profile: bool = False,
    peer_models: dict[str, str] | None = None,
    quiet: bool = True,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measures samara and the peers in turns. Answers one entry per engine, and samara's profile.

    Each engine gets at least `runs` runs, unless `max_secs` of measuring, all engines together, pass before.
    """
    cpus = _choose_cpus(threads)
    engines: list[_Engine] = []
    progress = Progress(quiet)
    try:
        engines.append(_Engine("samara", model, threads, cpus, seed, profile))
        for peer in peers:
            path = _peer_model(peer, model, peer_models or {})
            engines.append(_Engine(peer, path, threads, cpus, seed, False))
        for engine in engines:
            engine.warm_up(warmup)
        chunk = {e.name: max(1, min(runs, int(0.05 / max(e.start["first"] / 2, 1e-7)))) for e in engines}
        begin = time.monotonic()
        while min(len(e.times) for e in engines) < runs:
            if time.monotonic() - begin > max_secs and all(e.times for e in engines):
                break
            for engine in engines:
                left = runs - len(engine.times)
                if left > 0:
                    engine.run(min(left, chunk[engine.name]))
            done = min(len(e.times) for e in engines)
            progress.show(f"{done} of {runs} runs")
        results = [engine.finish() for engine in engines]
        for result in results:
            result["ratio"] = result["median_us"] / results[0]["median_us"]
        return results, engines[0].profile
    finally:
        progress.done()
        for engine in engines:
            engine.stop()


def _print_profile(steps: list[dict[str, Any]]) -> None:
    total = sum(s["us"] for s in steps) or 1.0
    rows, sum_percent = [], 0.0
    for s in sorted(steps, key=lambda s: -s["us"]):
        percent = 100 * s["us"] / total
        sum_percent += percent
        rate = f"{s['macs'] / s['us'] / 1e3:.1f}" if s["macs"] and s["us"] else ""
        macs = count_text(s["macs"]) if s["macs"] else ""
        rows.append(
            (s["node"], s["op"], f"{s['us']:.1f}", f"{percent:.1f}", f"{sum_percent:.1f}", macs, rate,
             bytes_text(s["bytes"]), s["name"][:48])
        )  # fmt: skip
    head = ("node", "operator", "us", "%", "sum %", "MAC", "GMAC/s", "touched", "output")
    click.echo("\n" + table(rows, head, "rlrrrrrrl"))


def _compare(results: list[dict[str, Any]], baseline: str, tolerance: float) -> list[str]:
    """Sentences for every engine-independent regression against an earlier --json report."""
    try:
        with open(baseline, encoding="utf-8") as file:
            earlier = json.load(file)
        before = next(e for e in earlier["engines"] if e["engine"] == "samara")["median_us"]
    except (OSError, ValueError, KeyError, StopIteration, TypeError) as error:
        raise Failure(f"'{baseline}' is not a report of `samara benchmark --json`: {error}") from None
    now = results[0]["median_us"]
    if now > before * (1 + tolerance):
        return [
            f"regression: median {now:.1f} us, {100 * (now / before - 1):.1f} % above the {before:.1f} us of {baseline}"
        ]
    return []


def _percent(_: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        return float(value.rstrip("%")) / 100
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a percentage like 5%") from None


@click.command()
@click.argument("model", required=False)
@click.option("--graph", hidden=True, help="MODEL, as benchmark_model spells it.")
@click.option("--threads", "--num_threads", default=1, show_default=True, type=click.IntRange(1), help="Threads.")
@click.option("--runs", "--num_runs", default=100, show_default=True, type=click.IntRange(1), help="Runs to time.")
@click.option("--warmup", "--warmup_runs", default=5, show_default=True, type=click.IntRange(0), help="Runs before.")
@click.option("--max-secs", "--max_secs", default=20.0, show_default=True, help="Stop measuring after this long.")
@click.option("--profile", "--enable_op_profiling", is_flag=True, help="Time every operator too.")
@click.option("--peers", metavar="A,B", help=f"Engines to compare with: {', '.join(PEERS)}.")
@click.option("--peer-model", "peer_models", multiple=True, metavar="PEER=FILE", help="The model a peer runs.")
@click.option("--seed", default=0, show_default=True, help="Of the random input data.")
@click.option("--csv", "csv_path", metavar="FILE", help="Write the times of all engines as a table.")
@click.option("--baseline", metavar="FILE", help="An earlier --json report; exit 7 when slower.")
@click.option("--tolerance", default="5%", show_default=True, callback=_percent, help="How much slower is accepted.")
@json_option
@force_option
@verbosity_options
def command(
    model: str | None,
    graph: str | None,
    threads: int,
    runs: int,
    warmup: int,
    max_secs: float,
    profile: bool,
    peers: str | None,
    peer_models: tuple[str, ...],
    seed: int,
    csv_path: str | None,
    baseline: str | None,
    tolerance: float,
    as_json: bool,
    force: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Measure MODEL: time to load, first run, latency distribution, peak memory; with --peers, other engines as well.

    "ratio" is an engine's median over samara's: above 1, samara is faster. Peers are named onnxruntime (needs an .onnx
    beside MODEL or --peer-model), openvino and litert.
    """
    path = model or graph
    if path is None:
        raise click.UsageError("Missing argument 'MODEL'.")
    wanted = [p.strip() for p in peers.split(",") if p.strip()] if peers else []
    for peer in wanted:
        if peer not in PEERS:
            raise Failure(f"--peers {peer}: is none of {', '.join(PEERS)}")
    named = {}
    for text in peer_models:
        peer, equals, file = text.partition("=")
        if not equals or peer not in PEERS:
            raise Failure(f"--peer-model {text}: write PEER=FILE with a peer of {', '.join(PEERS)}")
        named[peer] = file
    if csv_path is not None:
        refuse_overwrite(csv_path, force)
    if os.path.isdir(path) or not os.path.exists(path):
        kind = "is a directory, not a model file" if os.path.isdir(path) else "does not exist"
        raise Failure(f"'{path}' {kind}")
    results, steps = measure(path, wanted, threads, runs, warmup, max_secs, seed, profile, named, quiet)
    slower = _compare(results, baseline, tolerance) if baseline is not None else []
    if csv_path is not None:
        with open(csv_path, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(results[0]))
            writer.writeheader()
            writer.writerows(results)
    if as_json:
        content = {"model": path, "threads": threads, "engines": results, "profile": steps, "regressions": slower}
        print_json("samara.benchmark/1", content)
    else:
        rows = [
            (r["engine"], r["version"], f"{r['init_ms']:.2f}", f"{r['first_ms']:.2f}", f"{r['min_us']:.1f}",
             f"{r['median_us']:.1f}", f"{r['p90_us']:.1f}", f"{r['p99_us']:.1f}", f"{r['std_us']:.1f}", r["runs"],
             bytes_text(r["peak_rss_bytes"]), f"{r['ratio']:.2f}")
            for r in results
        ]  # fmt: skip
        head = ("engine", "version", "init ms", "first ms", "min us", "median", "p90", "p99", "std", "runs",
                "peak RSS", "ratio")  # fmt: skip
        click.echo(table(rows, head, "llrrrrrrrrrr"))
        if profile:
            _print_profile(steps)
        for sentence in slower:
            note(sentence)
    if slower:
        sys.exit(REGRESSION)
