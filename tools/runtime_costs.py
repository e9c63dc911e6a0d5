"""What the runtime costs around the kernels, beside LiteRT: python -m samara.tools.runtime_costs TABLE [MODEL…]

    load      a fresh process: CPU time from `Interpreter(path)` to the first answer read, of the first answer in it,
              and of the import; peak memory above that of Python with numpy; repacked bytes over those of the constants
    cache     load without a weight cache, by its first process (which writes it) and by a later one; "plan" is load
              without the first answer; private memory beside another such process; a run, packs in memory and mapped
    threads   one thread and two, in turns
    calls     an operator more in a chain of 64; invoke(), set_tensor() and get_tensor() of a one-operator model

Figures are the best of --rounds rounds that take turns, so that a busy machine disturbs all engines alike. Modules are
imported from a common cache of bytecode. Linux.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from .common import table

ENGINES = ("samara", "litert")
WORKER = os.path.join(os.path.dirname(__file__), "_costs_worker.py")


class Worker:
    """An engine with a model loaded; `costs` are those of loading."""

    def __init__(self, engine: str, model: str, threads: int, cache: str, *more: str) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, WORKER, engine, model, str(threads), *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**environment, "PYTHONPYCACHEPREFIX": cache},
        )  # fmt: skip
        self.costs: dict[str, float] = json.loads(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            last = self._process.stderr.read().strip().splitlines()[-1:] or ["no message"]
            raise click.ClickException(last[0])
        return line

    def run(self, seconds: float) -> float:
        """The median of that many seconds of runs."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def stop(self) -> None:
        self._process.communicate()


def constant_bytes(path: str) -> int:
    from samara.interpreter import _native

    model = _native.Model.open(path)
    graphs = range(model.n_subgraphs)
    return sum(model.tensor(g, i).constant_bytes for g in graphs for i in range(model.subgraph(g).n_tensors))


def load_table(models: Sequence[str], rounds: int, cache: str) -> str:
    rows: list[tuple[str, ...]] = []
    for model in models:
        best: dict[tuple[str, str], float] = {}
        for _ in range(rounds):
            for engine in ENGINES:
                worker = Worker(engine, model, 1, cache)
                worker.stop()
                for cost, value in worker.costs.items():
                    best[engine, cost] = min(value, best.get((engine, cost), value))
        ours, theirs = ({c: v for (e, c), v in best.items() if e == engine} for engine in ENGINES)
        times = [f"{of[cost] * 1e3:.2f}" for cost in ("import", "first", "load") for of in (ours, theirs)]
        rows.append(
            (os.path.basename(model), *times, f"{ours['load'] / theirs['load']:.2f}", f"{ours['rss'] / 1e6:.1f}",
             f"{theirs['rss'] / 1e6:.1f}", f"{ours['rss'] / theirs['rss']:.2f}",
             f"{ours['packed'] / max(constant_bytes(model), 1):.2f}")
        )  # fmt: skip
    head = ("model", "import ms", "LiteRT", "first ms", "LiteRT", "load ms", "LiteRT", "ratio", "RSS MB", "LiteRT",
            "ratio", "packed")  # fmt: skip
    return table(rows, head, "l" + 11 * "r")


def cache_table(models: Sequence[str], rounds: int, cache: str) -> str:
    rows: list[tuple[str, ...]] = []
    ways = ("without", "first", "later")
    for model in models:
        best: dict[tuple[str, str], float] = {}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                file = os.path.join(folder, "net.cache")
                workers = {w: Worker("samara", model, 1, cache, *([file] if w != "without" else [])) for w in ways}
                another = Worker("samara", model, 1, cache, file)  # a page of one process alone counts as private
                for way in ways:
                    for cost, value in {**workers[way].costs, "run": workers[way].run(0.05)}.items():
                        best[way, cost] = min(value, best.get((way, cost), value))
                for cost, value in another.costs.items():
                    best["later", cost] = min(value, best["later", cost])
                for worker in (*workers.values(), another):
                    worker.stop()
        load = [f"{best[way, 'load'] * 1e3:.2f}" for way in ways]
        plan = [f"{(best[way, 'load'] - best[way, 'first']) * 1e3:.2f}" for way in ways]
        private = [f"{best[way, 'private'] / 1e6:.1f}" for way in ("without", "later")]
        runs = [f"{best[way, 'run'] * 1e6:.0f}" for way in ("without", "later")]
        rows.append((os.path.basename(model), *load, *plan, *private, *runs))
    head = ("model", "load ms", *ways[1:], "plan ms", *ways[1:], "private MB", "later", "run us", "later")
    return table(rows, head, "l" + 10 * "r")


def threads_table(models: Sequence[str], rounds: int, cache: str) -> str:
    rows = []
    for model in models:
        workers = {(e, t): Worker(e, model, t, cache) for e in ENGINES for t in (1, 2)}
        best = dict.fromkeys(workers, float("inf"))
        for _ in range(rounds):
            for key, worker in workers.items():
                best[key] = min(best[key], worker.run(0.03))
        for worker in workers.values():
            worker.stop()
        (one, two), (their_one, their_two) = ([best[e, t] * 1e6 for t in (1, 2)] for e in ENGINES)
        rows.append(
            (os.path.basename(model), f"{one:.1f}", f"{two:.1f}", f"{two / one:.2f}", f"{their_one:.1f}",
             f"{their_two:.1f}", f"{their_two / their_one:.2f}", f"{their_one / one:.2f}", f"{their_two / two:.2f}")
        )  # fmt: skip
    head = ("model", "1T us", "2T us", "2T/1T", "LiteRT 1T", "2T", "2T/1T", "ratio 1T", "ratio 2T")
    return table(rows, head, "lrrrrrrrr")


def chain(operator: str, length: int) -> bytes:
    """A model of `length` operators on 8 floats, each reading the one before."""
    from samara.converter import schema

    tensors = [schema.Tensor(name=f"t{i}", shape=[1, 8], type="FLOAT32", has_rank=True) for i in range(length + 1)]
    buffers = [schema.Buffer()]
    constants: list[int] = []
    if operator == "ADD":
        buffers.append(schema.Buffer(data=np.ones(8, np.float32).view(np.uint8)))
        tensors.append(schema.Tensor(name="one", shape=[1, 8], type="FLOAT32", buffer=1, has_rank=True))
        constants = [length + 1]
    operators = [schema.Operator(opcode_index=0, inputs=[i, *constants], outputs=[i + 1]) for i in range(length)]
    for node in operators:
        schema.set_options(node, operator, {})
    graph = schema.SubGraph(tensors=tensors, operators=operators, inputs=[0], outputs=[length], name="main")
    codes = [schema.OperatorCode(builtin_code=operator, version=1)]
    return schema.encode(schema.Model(version=3, subgraphs=[graph], buffers=buffers, operator_codes=codes))


def calls_table(rounds: int) -> str:
    import samara

    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRT
    except ImportError:
        LiteRT = None
    value = np.zeros((1, 8), np.float32)
    calls = ("i.invoke()", "i.set_tensor(x, value)", "i.get_tensor(y)")
    rows: list[tuple[str, ...]] = []
    for operator in ("RELU", "ADD"):
        best: dict[tuple[str, str], float] = {}
        names: list[dict[str, Any]] = []
        for engine, kind in (("samara", samara.Interpreter), ("litert", LiteRT)):
            for length in (1, 64):
                if kind is None:
                    continue
                i = kind(model_content=chain(operator, length))
                i.allocate_tensors()
                i.invoke()
                x, y = i.get_input_details()[0]["index"], i.get_output_details()[0]["index"]
                i.set_tensor(x, value)
                i.get_tensor(y)
                names.append({"i": i, "x": x, "y": y, "value": value, "key": f"{engine} {length}"})
        for _ in range(rounds):
            for name in names:
                for call in calls:
                    nanoseconds = timeit.timeit(call, globals=name, number=5000) / 5000 * 1e9
                    key = (name["key"], call)
                    best[key] = min(nanoseconds, best.get(key, nanoseconds))
        for engine in ("samara", "litert"):
            if (f"{engine} 1", calls[0]) not in best:
                continue
            one, many = (best[f"{engine} {n}", calls[0]] for n in (1, 64))
            per_operator = (many - one) / 63
            rest = (one, one - per_operator, *(best[f"{engine} 1", call] for call in calls[1:]))
            rows.append((operator, engine, f"{per_operator:.1f}", *(f"{v:.0f}" for v in rest)))
    head = ("operator", "engine", "ns each", "invoke of one", "above C", "set_tensor", "get_tensor")
    return table(rows, head, "llrrrrr")


@click.command()
@click.argument("what", type=click.Choice(["load", "cache", "threads", "calls"]))
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1), help="Turns of every engine.")
def command(what: str, models: tuple[str, ...], rounds: int) -> None:
    """Print one TABLE: load, cache, threads or calls."""
    if what != "calls" and not models:
        raise click.UsageError("name at least one MODEL")
    with tempfile.TemporaryDirectory() as cache:
        if what == "calls":
            click.echo(calls_table(rounds))
            return
        for engine in ENGINES if what != "cache" else ENGINES[:1]:  # fills the cache
            Worker(engine, models[0], 1, cache).stop()
        click.echo({"load": load_table, "cache": cache_table, "threads": threads_table}[what](models, rounds, cache))


if __name__ == "__main__":
    command()
