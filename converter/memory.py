"""Freed memory back to the system: what the C library keeps of it counts as the process's own."""

from __future__ import annotations

import ctypes
import gc
import sys


def release() -> None:
    """Between two steps that need much: collects what is garbage and has the allocator return its free pages.

    glibc keeps what is freed below its newest block; elsewhere there is nothing to do.
    """
    gc.collect()  # nodes and tensors refer to each other
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(ctypes.c_size_t(0))
