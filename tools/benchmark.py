"""`samara benchmark MODEL...`: latency and memory, beside other engines when wished.

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
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from . import _bench_report as bench_report
from .common import (
    REGRESSION,
    Failure,
    Progress,
    arithmetic_options,
    force_option,
    json_option,
    note,
    print_json,
    refuse_overwrite,
    verbosity_options,
    weight_cache_option,
)

PEERS = ("litert", "onnxruntime", "openvino")


class _Engine:
    """One worker process."""

    def __init__(self, name: str, model: str, threads: int, cpus: list[int], seed: int, **more: Any) -> None:
        self.name = name
        self.times: list[float] = []
        self.rounds: list[float] = []
        self.last: dict[str, Any] = {}
        order = {"engine": name, "model": model, "threads": threads, "cpus": cpus, "seed": seed, **more}
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
        seconds = self._ask(f"run {runs}")["seconds"]
        self.times += seconds
        self.rounds.append(float(np.median(seconds)))

    def finish(self) -> dict[str, Any]:
        self.last = last = self._ask("end")
        self._process.wait(10)
        times = np.array(self.times)
        return {
            "engine": self.name,
            "version": self.start["version"],
            "init_ms": self.start["init"] * 1e3,
            "first_ms": self.start["first"] * 1e3,
            "runs": len(times),
            "best_us": min(self.rounds) * 1e6,
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
    """The file a peer runs: the .tflite itself where it can, else the .onnx beside it; or what was named."""
    stem = os.path.splitext(os.path.basename(model))[0]
    path = models.get(peer, os.path.dirname(model) if peer == "onnxruntime" else model)
    if os.path.isdir(path) or not path:
        path = os.path.join(path, stem + (".onnx" if peer == "onnxruntime" else ".tflite"))
    if not os.path.isfile(path):
        raise Failure(f"{peer}: '{path}' is not there; name its model by --peer-model {peer}=FILE")
    return path


def _take_turns(
    engines: list[_Engine], runs: int, max_secs: float, progress: Progress, give_up: Callable[[_Engine, Failure], None]
) -> None:
    chunk = {e.name: max(1, min(runs, int(0.05 / max(e.start["first"] / 2, 1e-7)))) for e in engines}
    begin = time.monotonic()
    while min(len(e.times) for e in engines) < runs:
        if time.monotonic() - begin > max_secs and all(e.times for e in engines):
            break
        for engine in list(engines):
            left = runs - len(engine.times)
            if left > 0:
                try:
                    engine.run(min(left, chunk[engine.name]))
                except Failure as failure:
                    give_up(engine, failure)
        progress.show(f"{min(len(e.times) for e in engines)} of {runs} runs")


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
    lenient: bool = False,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures samara and the peers in turns: one entry per engine, samara first, and samara's operators.

    Each engine gets at least `runs` runs, unless `max_secs` of measuring, all engines together, pass before. `lenient`:
    a peer that fails has an entry with "error" instead of times. "best_ratio": the fastest peer's time over ours.
    `options`: more arguments of samara.Interpreter.
    """
    cpus = _choose_cpus(threads)
    engines: list[_Engine] = []
    failed: list[dict[str, Any]] = []
    progress = Progress(quiet)

    def give_up(engine: _Engine | str, failure: Failure) -> None:
        name = engine if isinstance(engine, str) else engine.name
        if not lenient or name == "samara":
            raise failure
        failed.append({"engine": name, "error": str(failure).removeprefix(f"{name}: ").splitlines()[0]})
        if not isinstance(engine, str):
            engines.remove(engine)
            engine.stop()

    try:
        own = {"profile": profile, **(options or {})}
        engines.append(_Engine("samara", model, threads, cpus, seed, options=own))
        for peer in peers:
            try:
                path = _peer_model(peer, model, peer_models or {})
                engines.append(_Engine(peer, path, threads, cpus, seed))
            except Failure as failure:
                give_up(peer, failure)
        for engine in list(engines):
            try:
                engine.warm_up(warmup)
            except Failure as failure:
                give_up(engine, failure)
        _take_turns(engines, runs, max_secs, progress, give_up)
        results = [engine.finish() for engine in engines]
        for result in results:
            result["ratio"] = result["best_us"] / results[0]["best_us"]
        return {
            "model": model,
            "type": engines[0].start["type"],
            "best_ratio": min((r["ratio"] for r in results[1:]), default=None),
            "engines": results + failed,
            "profile": engines[0].last.get("profile", []),
            "peaks": engines[0].last.get("peaks"),
        }
    finally:
        progress.done()
        for engine in engines:
            engine.stop()


def _expand(paths: list[str]) -> list[str]:
    """The model files; of a folder, every .tflite in it."""
    models = []
    for path in paths:
        inside = sorted(n for n in os.listdir(path) if n.endswith(".tflite")) if os.path.isdir(path) else None
        if inside == []:
            raise Failure(f"'{path}' has no .tflite file in it")
        if not os.path.exists(path):
            raise Failure(f"'{path}' does not exist")
        models += [os.path.join(path, n) for n in inside] if inside else [path]
    return models


def _named(peer_models: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for text in peer_models:
        peer, equals, file = text.partition("=")
        if not equals or peer not in PEERS:
            raise Failure(f"--peer-model {text}: write PEER=FILE with a peer of {', '.join(PEERS)}")
        named[peer] = file
    return named


def _percent(_: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        return float(value.rstrip("%")) / 100
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a percentage like 5%") from None


@click.command()
@click.argument("paths", metavar="MODEL...", nargs=-1)
@click.option("--graph", hidden=True, help="MODEL, as benchmark_model spells it.")
@click.option("--threads", "--num_threads", default=1, show_default=True, type=click.IntRange(1), help="Threads.")
@click.option("--runs", "--num_runs", default=100, show_default=True, type=click.IntRange(1), help="Runs to time.")
@click.option("--warmup", "--warmup_runs", default=5, show_default=True, type=click.IntRange(0), help="Runs before.")
@click.option(
    "--max-secs", "--max_secs", default=20.0, show_default=True, help="Stop measuring a model after this long."
)
@click.option("--profile", "--enable_op_profiling", is_flag=True, help="Every operator beside the machine's limits.")
@click.option("--peers", metavar="A,B", help=f"Engines to compare with: {', '.join(PEERS)}.")
@click.option(
    "--peer-model", "peer_models", multiple=True, metavar="PEER=FILE", help="The model a peer runs, or a folder."
)
@click.option("--seed", default=0, show_default=True, help="Of the random input data.")
@click.option("--csv", "csv_path", metavar="FILE", help="Write the times of all engines as a table.")
@click.option("--baseline", metavar="FILE", help="An earlier --json report; exit 7 when slower.")
@click.option("--tolerance", default="5%", show_default=True, callback=_percent, help="How much slower is accepted.")
@weight_cache_option
@arithmetic_options
@json_option
@force_option
@verbosity_options
def command(
    paths: tuple[str, ...],
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
    weight_cache: str | None,
    allow_fp16: bool,
    no_winograd: bool,
    as_json: bool,
    force: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Measure MODEL: time to load, first run, latency distribution, peak memory; with --peers, other engines as well.

    "ratio" is an engine's time over samara's, each the least of its rounds' medians: above 1, samara is faster. Peers
    are named onnxruntime (needs an .onnx of the same name beside MODEL or in the folder of --peer-model), openvino and
    litert. Several models, or a folder, make one table with geometric means; a peer that cannot run a model has a dash,
    a model that samara cannot run is named and left out, and the exit status tells.
    """
    models = _expand([*paths, *([graph] if graph else [])])
    if not models:
        raise click.UsageError("Missing argument 'MODEL...'.")
    wanted = [p.strip() for p in peers.split(",") if p.strip()] if peers else []
    for peer in wanted:
        if peer not in PEERS:
            raise Failure(f"--peers {peer}: is none of {', '.join(PEERS)}")
    if csv_path is not None:
        refuse_overwrite(csv_path, force)
    named, many = _named(peer_models), len(models) > 1
    if many and weight_cache is not None:
        raise Failure(f"--weight-cache is a file for one model; {len(models)} were named")
    options = {"weight_cache": weight_cache, "allow_fp16": allow_fp16, "no_winograd": no_winograd}
    reports: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for model in models:
        try:
            report = measure(
                model,
                wanted,
                threads,
                runs,
                warmup,
                max_secs,
                seed,
                profile,
                named,
                quiet,
                many,
                options,
            )
        except Failure as failure:
            if not many:
                raise
            failed.append({"model": model, "error": str(failure).splitlines()[0], "code": failure.code})
            note(f"{os.path.basename(model)}: {failed[-1]['error']}")
            continue
        reports.append(report)
        for engine in report["engines"]:
            if "error" in engine:
                note(f"{os.path.basename(model)}: {engine['engine']}: {engine['error']}", quiet)
        if many and not as_json:
            note(bench_report.models([report], wanted).splitlines()[1], quiet)
    slower = bench_report.regressions(reports, baseline, tolerance) if baseline is not None else []
    if not reports:
        raise Failure(f"none of {len(models)} models runs")
    if csv_path is not None:
        rows = [{"model": r["model"], **e} for r in reports for e in r["engines"] if "error" not in e]
        with open(csv_path, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if as_json:
        content = {
            "threads": threads, "models": reports, "failed": failed, "summary": bench_report.summarize(reports)
        }  # fmt: skip
        print_json("samara.benchmark/2", content | {"regressions": slower})
    else:
        for report in reports if profile or not many else []:
            click.echo(("\n" + report["model"] + "\n" if many else "") + bench_report.engines(
                [e for e in report["engines"] if "error" not in e]))  # fmt: skip
            if profile:
                click.echo("\n" + bench_report.profile(report["profile"], report["peaks"]))
        if many:
            click.echo(bench_report.models(reports, wanted))
        for sentence in slower:
            note(sentence)
    if failed:
        sys.exit(max(f["code"] for f in failed))
    if slower:
        sys.exit(REGRESSION)
