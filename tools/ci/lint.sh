#!/bin/bash
# Style: ruff, mypy (strict), and shell syntax.
source "$(dirname "$0")/lib.sh"
need_python ruff mypy numpy click flatbuffers
say "ruff"
ruff check .
say "mypy"
# The packages lie in folders of their own; links show mypy the package they are installed as.
types=$BUILD/types/samara
mkdir -p "$types"
ln -sfn "$ROOT"/samara/* "$ROOT"/{converter,interpreter,tools} "$types/"
MYPYPATH=$BUILD/types mypy -p samara
say "shell scripts"
for script in .ci/run tools/ci/*.sh tools/arm/*.sh; do bash -n "$script"; done
