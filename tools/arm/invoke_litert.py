"""`invoke_litert.py MODEL N`: what invoke.c does, for LiteRT. Runs in the ARM64 Python under QEMU."""

import gc
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
for detail in interpreter.get_input_details():
    random = np.random.default_rng(0).integers(0, 256, detail["shape"])
    value = (random - 128) / 128 if detail["dtype"] == np.float32 else random.astype(np.uint8).view(detail["dtype"])
    interpreter.set_tensor(detail["index"], value.astype(detail["dtype"]))
gc.disable()
for _ in range(int(sys.argv[2])):
    interpreter.invoke()
