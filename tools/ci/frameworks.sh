#!/bin/bash
# The converter beside the frameworks its sources come from: networks of torch through ONNX, layers and networks of Keras.
# Their packages are too large for the test extra, and without them these tests skip.
#
#   SAMARA_TORCH   what pip installs for torch; any build for the CPU does
source "$(dirname "$0")/lib.sh"
need_python -e ".[test]" "${SAMARA_TORCH:-torch==2.13.0}" keras scikit-learn
say "frameworks: converter and quantizer"
# The files that ask for one of them; lane test has run the others.
mapfile -t files < <(grep -rlE '"(torch|keras|sklearn)[".]' --include='test_*.py' tests)
KERAS_BACKEND=torch python -m pytest -n "$JOBS" "${files[@]}" "$@"
