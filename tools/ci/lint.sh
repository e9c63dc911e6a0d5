#!/bin/bash
# Style: ruff, mypy (strict), and shell syntax.
source "$(dirname "$0")/lib.sh"
need_python ruff mypy numpy click flatbuffers
say "ruff"
ruff check .
say "mypy"
mypy
say "shell scripts"
for script in .ci/run tools/ci/*.sh; do bash -n "$script"; done
