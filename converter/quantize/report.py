"""What quantization did: one row a node, and the ranges it chose."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A node of the source: what it became, and why it stayed where it did."""

    node: str
    op: str
    became: str  # "int8", "int16", "int8 weights", "float16 weights", "float32", or "" for what holds no real numbers
    reason: str = ""


@dataclass
class Report:
    """`entries` in running order; `ranges`: tensor -> (least, greatest) real number it can store; `notes` in words."""

    recipe: str
    samples: int = 0
    entries: list[Entry] = field(default_factory=list)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """How many nodes compute with the integers (or halves) of the recipe."""
        return sum(1 for e in self.entries if e.became not in ("float32", ""))

    @property
    def kept(self) -> list[Entry]:
        """The nodes that compute in float32."""
        return [e for e in self.entries if e.became == "float32"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "recipe": self.recipe,
            "samples": self.samples,
            "changed": self.changed,
            "kept": len(self.kept),
            "nodes": [asdict(e) for e in self.entries],
            "ranges": {name: list(pair) for name, pair in self.ranges.items()},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        real = self.changed + len(self.kept)
        lines = [f"{self.recipe}: {self.changed} of {real} operators that compute with real numbers changed"]
        if self.samples:
            lines[0] += f", calibrated on {self.samples} samples"
        stayed = [e for e in self.entries if e.reason]
        for (became, reason), count in Counter((e.became, e.reason) for e in stayed).most_common():
            names = [f"{e.op} {e.node}" for e in stayed if (e.became, e.reason) == (became, reason)]
            more = f" and {count - 3} more" if count > 3 else ""
            lines.append(f"  {became}: {', '.join(names[:3])}{more}: {reason}")
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])
