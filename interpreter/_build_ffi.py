"""Writes the C source of the extension module `samara.interpreter._samara` (cffi, API mode, limited API).

The declarations are not repeated here: they are the regions between `cdef begin` and `cdef end` of the public headers,
with comments and `SAM_API` removed. The few internal functions that the tests need are listed below and are not part
of the public interface.

    python interpreter/_build_ffi.py OUT.c     writes the source; cmake/Python.cmake compiles it and links the library
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cffi import FFI

MODULE = "samara.interpreter._samara"
ROOT = Path(__file__).resolve().parent.parent
HEADERS = [ROOT / "kernels_c/include/samara/types.h", ROOT / "interpreter/include/samara.h"]

INTERNAL = """
_Bool sam_isa_force(const char *level);
"""

_REGION = re.compile(r"/\* --- cdef begin --- \*/(.*?)/\* --- cdef end --- \*/", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def declarations() -> str:
    """The C declarations that Python sees."""
    parts = []
    for header in HEADERS:
        regions = _REGION.findall(header.read_text(encoding="utf-8"))
        if not regions:
            raise SystemExit(f"{header}: no cdef region")
        parts += [_COMMENT.sub("", region).replace("SAM_API ", "") for region in regions]
    return "\n".join(parts) + INTERNAL


def make_ffi() -> FFI:
    ffi = FFI()
    ffi.cdef(declarations())
    return ffi


def emit(path: str) -> None:
    """Writes the module's C source to `path`."""
    ffi = make_ffi()
    ffi.set_source(MODULE, f'#include "samara.h"\n{INTERNAL}')
    ffi.emit_c_code(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    emit(sys.argv[1])
