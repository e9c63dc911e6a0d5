"""What layout leaves behind: transposes that move no bytes are reshapes, and reshapes meet each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rewrite import any_, const, decline, op, rule
from .canonicalize import reshape_of_reshape, reshape_to_itself
from .common import ints
from .layout import moves_nothing

x, p = any_("x"), const("p")


@rule(op.TRANSPOSE(x, p))
def transpose_of_ones(g: Any, x: Any, p: Any, node: Any) -> Any:
    perm, shape = ints(p) or [], node.output.shape
    if x.shape is None or shape is None or shape.count(-1) > 1 or sorted(perm) != list(range(len(x.shape))):
        return decline("the shape is not known")
    if not moves_nothing(x.shape, perm):
        return decline("moves bytes")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


RULES = [transpose_of_ones, reshape_of_reshape, reshape_to_itself]
