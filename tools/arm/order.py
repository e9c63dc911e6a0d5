"""Searches an order of a loop's instructions that takes fewer cycles, with llvm-mca as the judge.

    tools/ci/arm64.sh c
    python tools/arm/order.py dwconv_neon.c fives_by_1 --turn dwconv_neon_5x5.inc TURN_BY_1 --seconds 600
    python tools/arm/order.py dwconv_neon.c u8_beyond_by_1 --turn dwconv_neon_3x3.inc TURN_BY_1 --less PATTERN

The loop is read from the compiler's assembly, as mca.py finds it. What depends on each other stays in order; vector
registers are given out anew for every order, but a sum stays in its register; what ld1 loads into several, what comes
into the loop and what leaves it keep theirs. Stores keep their order; loads may pass them, since inputs and results
of the kernels do not overlap.

The search is annealing: in each of some orders an instruction or a few move at random, and the best of them is kept if
it is better, or by a chance that falls with the time. Better: the mean over the cores of the cycles as a multiple of
those in the beginning; a core that becomes slower counts three times (but --loose). The best order is printed as
assembly, or, if the loop is a macro of an .inc file with one word an instruction, as words of that macro (--turn). For
each --less the loop is judged without the instructions that match, too: turns of uint8 without what flips sign bits are
those of int8.
"""

import argparse
import math
import random
import re
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import mca  # type: ignore[import-not-found]

CORES = {"a53": ("cortex-a53", 3), "a55": ("cortex-a55", 3), "a72": ("cortex-a72", 6), "a76": ("neoverse-n1", 6)}
IN_ORDER = ("a53", "a55")
TIED = re.compile(r"(smlal|umlal|smlsl|sadalp|uadalp|sdot|udot|smmla|fmla|mla|bif|bit|bsl|ins|\w+n2)\b|\w+mlal2\b")
# Of what is no sum, sources and the result may share a register by chance.
APART = re.compile(r"(\w+mull2?|[us]addl2?)\b")
VECTOR = re.compile(r"\b[vqdsh](\d+)\b")


@dataclass
class Instruction:
    """Vector registers by number; everything else (general registers, flags, memory) by name."""

    text: str
    reads: set[int]
    writes: set[int]
    uses: set[str]
    sets: set[str]
    several: bool  # loads into consecutive registers
    tied: bool  # a register that it reads and writes holds one value


def parse(text: str) -> Instruction:
    name, _, rest = text.partition("\t") if "\t" in text else text.partition(" ")
    rest = rest.strip()
    operands = [o.strip() for o in re.findall(r"\{[^}]*\}|\[[^\]]*\]!?|[^,\s][^,]*", rest)]
    vectors = [{int(n) for n in VECTOR.findall(o)} for o in operands]
    # A register list `{v0.4s - v3.4s}` is written with a dash or with commas.
    for at, o in enumerate(operands):
        if o.startswith("{") and "-" in o:
            first, last = sorted(vectors[at])
            vectors[at] = set(range(first, last + 1))
    general = [set(re.findall(r"\b[xw]\d+\b|\bsp\b", o)) for o in operands]
    general = [{"x" + g[1:] if g[0] == "w" else g for g in names} for names in general]
    reads, writes, uses, sets = set[int](), set[int](), set[str](), set[str]()
    store = name.startswith("st")
    for at, o in enumerate(operands):
        address = o.startswith("[")
        target = (at == 0 or (name == "ldp" and at == 1)) and not store and not name.startswith(("cmp", "tst"))
        (writes if target else reads).update(vectors[at])
        (sets if target and not address else uses).update(general[at])
        if address and (o.endswith("!") or at + 1 < len(operands)):
            sets.update(general[at])
    if operands and TIED.match(name):
        reads |= vectors[0]
    if store:
        sets.add("memory")
    if name.startswith(("subs", "adds", "cmp", "tst", "ands")):
        sets.add("flags")
    if name.startswith(("b.", "cs", "cc")):
        uses.add("flags")
    return Instruction(text, reads, writes, uses, sets, len(writes) > 1, not APART.match(name))


def in_register(names: dict[int, int], m: re.Match[str]) -> str:
    return f"{m[0][0]}{names.get(int(m[1]), int(m[1]))}"


class Loop:
    """Instructions, what must come before what, and the values that registers hold."""

    def __init__(self, lines: list[str]):
        self.code = [parse(line) for line in lines]
        n = len(self.code)
        self.before: list[set[int]] = [set() for _ in range(n)]  # instructions that must come first
        self.read: list[dict[int, int]] = [{} for _ in range(n)]  # of an instruction: register -> value
        self.written: list[dict[int, int]] = [{} for _ in range(n)]
        self.home: dict[int, int] = {}  # value -> the register it must have
        self.first: list[int] = []  # value -> the register it had
        self.users: list[set[int]] = []  # value -> instructions that write or read it
        self.leaves: set[int] = set()
        written = set[int]().union(*(i.writes for i in self.code))
        self.fixed = set[int]().union(*(i.reads for i in self.code)) - written  # the same in all turns
        self.entry = dict[int, int]()  # register -> value that comes in
        now = dict[int, int]()
        last: dict[str, tuple[int, set[int]]] = {}
        writer: dict[int, int] = {}
        touched: dict[int, set[int]] = {}
        for at, i in enumerate(self.code):
            for r in i.reads - self.fixed:
                if r not in now:
                    now[r] = self.entry[r] = self.new(r, True)
                v = now[r]
                if v in writer:
                    self.before[at].add(writer[v])
                touched.setdefault(v, set()).add(at)
                self.read[at][r] = v
            for r in i.writes:
                if r in i.reads and i.tied:  # the same value goes on: behind all that read it before
                    v = now[r]
                    self.before[at] |= touched[v] - {at}
                else:
                    v = now[r] = self.new(r, i.several)
                    touched[v] = set()
                writer[v] = at
                touched[v].add(at)
                self.written[at][r] = v
            for v in {*self.read[at].values(), *self.written[at].values()}:
                self.users[v].add(at)
            for name in i.uses | i.sets:
                wrote, read = last.get(name, (-1, set()))
                if name in i.sets:
                    self.before[at] |= read | ({wrote} if wrote >= 0 else set())
                    last[name] = (at, set())
                else:
                    if wrote >= 0:
                        self.before[at].add(wrote)
                    read.add(at)
                    last[name] = (wrote, read)
            self.before[at].discard(at)
        for r, v in now.items():
            if r in self.entry:  # read in the next turn
                self.home[v] = r
                self.leaves.add(v)
        if re.match(mca.BRANCH, self.code[-1].text):
            self.before[-1] |= set(range(n - 1))
        self.after: list[set[int]] = [set() for _ in range(n)]
        for at, first in enumerate(self.before):
            for f in first:
                self.after[f].add(at)
        self.free = [r for r in range(32) if r not in self.fixed and r in written]

    def new(self, register: int, home: bool) -> int:
        self.users.append(set())
        self.first.append(register)
        if home:
            self.home[len(self.users) - 1] = register
        return len(self.users) - 1

    def registers(self, order: list[int]) -> list[int] | None:
        """The register of every value in this order; None if they do not suffice."""
        place = [0] * len(order)
        for p, at in enumerate(order):
            place[at] = p
        comes = set(self.entry.values())
        spans = []
        for v, users in enumerate(self.users):
            places = [place[at] for at in users]
            start = -1 if v in comes else min(places)
            end = len(order) if v in self.leaves else max(places)
            spans.append((start, end, v))
        spans.sort()
        homes: dict[int, list[tuple[int, int]]] = {}
        for start, end, v in spans:
            if v in self.home:
                for s, e in homes.setdefault(self.home[v], []):
                    if start < e and s < end:
                        return None
                homes[self.home[v]].append((start, end))
        busy = dict.fromkeys(self.free, -1)  # until when
        result = [0] * len(spans)
        for start, end, v in spans:
            if v in self.home:
                r = self.home[v]
            else:
                # An instruction reads before it writes: a register may be given on where it was read last.
                able = [
                    r
                    for r, until in busy.items()
                    if until <= start and not any(start < e and s < end for s, e in homes.get(r, ()))
                ]
                if not able:
                    return None
                r = self.first[v] if self.first[v] in able else max(able, key=lambda r: busy[r])
            busy[r] = max(busy[r], end)
            result[v] = r
        return result

    def renamed(self, at: int, registers: list[int]) -> tuple[dict[int, int], dict[int, int]]:
        """Of an instruction: old registers to new ones, of its first operand and of the others."""
        read = {r: registers[v] for r, v in self.read[at].items()}
        written = {r: registers[v] for r, v in self.written[at].items()}
        return written or read, written if self.code[at].several else read

    def text(self, order: list[int], registers: list[int]) -> list[str]:
        result = []
        for at in order:
            first, others = self.renamed(at, registers)
            text = VECTOR.sub(partial(in_register, first), self.code[at].text, 1)
            head, comma, tail = text.partition(",")
            result.append(head + comma + VECTOR.sub(partial(in_register, others), tail))
        return result

    def moved(self, order: list[int], times: int) -> list[int]:
        """Some instructions elsewhere, or in each other's place: of one kind, which cores in order do not mind."""
        order = order[:]
        for _ in range(times):
            p = random.randrange(len(order) - 1)
            at, reach = order[p], random.choice((2, 8, 40))
            if random.random() < 0.5:
                kind = self.kind(at)
                near = range(max(0, p - reach), min(len(order) - 1, p + reach + 1))
                if others := [q for q in near if q != p and self.kind(order[q]) == kind]:
                    low, high = sorted((p, random.choice(others)))
                    between = order[low + 1 : high]
                    first, second = order[low], order[high]
                    if not (
                        self.before[second].intersection(between, (first,)) or self.after[first].intersection(between)
                    ):
                        order[low], order[high] = second, first
                continue
            low, high = p, p
            while low > 0 and order[low - 1] not in self.before[at]:
                low -= 1
            while high + 1 < len(order) and order[high + 1] not in self.after[at]:
                high += 1
            to = random.randint(max(low, p - reach), min(high, p + reach))
            order.insert(to, order.pop(p))
        return order

    def kind(self, at: int) -> str:
        return self.code[at].text.split()[0].removesuffix("2")


def judge(core: str, bodies: list[list[str]]) -> list[float]:
    """Cycles of a turn of each body."""
    name, times = CORES[core]
    text = "\n".join(f"# LLVM-MCA-BEGIN\n{chr(10).join(body)}\n# LLVM-MCA-END" for body in bodies)
    tool = [mca.TOOL, "-march=aarch64", f"-mcpu={name}", "-mattr=+dotprod", f"-iterations={times}"]
    done = subprocess.run(
        [*tool, "--all-views=0", "--summary-view"], input=text, capture_output=True, text=True, check=True
    )
    return [int(cycles) / times for cycles in re.findall(r"Total Cycles:\s+(\d+)", done.stdout)]


class Search:
    def __init__(self, loop: Loop, cores: dict[str, float], less: list[re.Pattern[str]], strict: bool):
        self.loop, self.cores, self.strict = loop, cores, strict
        self.variants = [None, *less]
        self.order = list(range(len(loop.code)))
        self.start: dict[tuple[str, int], float] = {}
        self.cost, self.cycles = math.inf, dict[tuple[str, int], float]()

    def judged(self, orders: list[list[int]], limit: float) -> list[tuple[float, dict[tuple[str, int], float]]]:
        """Cost and cycles of each; orders that cost more than the limit are not judged to the end."""
        texts: list[list[str] | None] = []
        for order in orders:
            registers = self.loop.registers(order)
            texts.append(None if registers is None else self.loop.text(order, registers))
        costs = [0.0 if t else math.inf for t in texts]
        cycles: list[dict[tuple[str, int], float]] = [{} for _ in orders]
        total = sum(self.cores.values()) * len(self.variants)
        for core in sorted(self.cores, key=lambda core: core not in IN_ORDER):
            for n, without in enumerate(self.variants):
                left = [k for k, cost in enumerate(costs) if cost < limit]
                if not left:
                    continue
                bodies = [[t for t in texts[k] or () if not (without and without.match(t))] for k in left]
                for k, c in zip(left, judge(core, bodies), strict=True):
                    was = self.start.setdefault((core, n), c)
                    cycles[k][core, n] = c
                    gain = c / was - 1
                    costs[k] += self.cores[core] / total * gain * (3 if gain > 0 and self.strict else 1)
        return list(zip(costs, cycles, strict=True))

    def run(self, seconds: float, heat: float, batch: int) -> None:
        begun = time.monotonic()
        ((self.cost, self.cycles),) = self.judged([self.order], math.inf)
        order, cost, tried = self.order, self.cost, 0
        self.report(0, 0)
        while (gone := time.monotonic() - begun) < seconds:
            hot = heat * (1 - gone / seconds) ** 2
            orders = [self.loop.moved(order, random.choice((1, 1, 1, 2, 3))) for _ in range(batch)]
            limit = cost + 5 * hot + 1e-9
            judged = [(*found, new) for found, new in zip(self.judged(orders, limit), orders, strict=True)]
            new_cost, cycles, new = min(judged, key=lambda found: (found[0], random.random()))
            if new_cost <= cost or (hot > 0 and random.random() < math.exp((cost - new_cost) / hot)):
                order, cost = new, new_cost
                if cost < self.cost - 1e-6:
                    self.order, self.cost, self.cycles = order, cost, cycles
                    self.report(gone, tried)
            tried += batch

    def report(self, gone: float, tried: int) -> None:
        cells = [f"{core}{'-' * n} {c:.1f}" for (core, n), c in self.cycles.items()]
        print(f"# {gone:.0f} s, {tried} orders: {self.cost:+.4f}", ", ".join(cells), flush=True)


def words_of(path: Path, macro: str) -> list[str]:
    """The words of a macro's body."""
    text = path.read_text()
    body = re.search(rf"#define {macro}\s*((?:[^\n]*\\\n)*[^\n]*)", text)
    if not body:
        raise SystemExit(f"{path.name}: no {macro}")
    return re.findall(r"\w+(?:\([^)]*\))?", body[1].replace("\\\n", " "))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="e.g. dwconv_neon.c; or assembly, .s")
    parser.add_argument("function", nargs="?", help="whose inner loop")
    parser.add_argument("--loop", type=int, default=0, metavar="N", help="the Nth largest of that function")
    parser.add_argument("--turn", nargs=2, metavar=("INC", "MACRO"), help="the loop is this macro of ukernels/")
    parser.add_argument("--less", type=re.compile, action="append", default=[], metavar="PATTERN", help="see above")
    parser.add_argument("--cores", default="a53,a55,a72,a76", help="with weights: a53=2,a72")
    parser.add_argument("--loose", action="store_true", help="a core may become slower")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--heat", type=float, default=0.0005, help="loss that is taken at first, of 1")
    parser.add_argument("--batch", type=int, default=24, help="orders judged at once")
    parser.add_argument("--build", type=Path, default=mca.ROOT / "build/ci/arm64")
    args = parser.parse_args()
    if args.file.endswith(".s"):
        body = [line.strip() for line in Path(args.file).read_text().splitlines() if line.strip()]
    else:
        lines = mca.assembly(args.file, mca.commands_of(args.build))
        bodies = [body for function, body in mca.inner_loops(lines) if function == args.function]
        body = sorted(bodies, key=len, reverse=True)[args.loop]
    loop = Loop(body)
    cores = {name: float(weight or 1) for name, _, weight in (c.partition("=") for c in args.cores.split(","))}
    search = Search(loop, cores, args.less, not args.loose)
    search.run(args.seconds, args.heat, args.batch)
    registers = loop.registers(search.order)
    assert registers
    if not args.turn:
        print("\n".join(loop.text(search.order, registers)))
        return
    words = words_of(mca.ROOT / "kernels_c/ukernels" / args.turn[0], args.turn[1])
    print(" ".join(renamed_words(loop, search.order, registers, words)))


def renamed_words(loop: Loop, order: list[int], registers: list[int], words: list[str]) -> list[str]:
    """The macro's words in the new order. An argument is a register if the instruction names it as one."""
    if len(words) != len(loop.code) - 1:  # the branch has no word
        raise SystemExit(f"the macro has {len(words)} words, the loop {len(loop.code) - 1} instructions and a branch")
    result = []
    for at in order[:-1]:
        name, _, rest = words[at].partition("(")
        arguments = [a.strip() for a in rest.rstrip(")").split(",")] if rest else []
        first, others = loop.renamed(at, registers)
        for k, a in enumerate(arguments[: len(VECTOR.findall(loop.code[at].text))]):
            names = others if k else first
            if a.isdigit():
                arguments[k] = str(names.get(int(a), int(a)))
        result.append(f"{name}({', '.join(arguments)})" if arguments else name)
    return result


if __name__ == "__main__":
    main()
