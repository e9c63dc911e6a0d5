"""Reads handwritten digits with one model or several, and says how large and how right they are.

    python classify.py digits.keras digits.tflite

The accuracy is of the 360 held-out digits in heldout.npz. The pictures in images/, enlarged ones of these, are read
too: each is named after what it shows.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import samara

HERE = Path(__file__).resolve().parent
LABELS = (HERE / "labels.txt").read_text().split()


def answers(model, images: np.ndarray) -> np.ndarray:
    """The class of each image; images are [n, 8, 8, 1] from 0 to 255."""
    (spec,) = model.inputs
    x = images.astype(np.float32) / 255
    if spec.scale is not None:
        x = np.clip(np.round(x / spec.scale) + spec.zero_point, -128, 127).astype(spec.dtype)
    return np.array([model(image[None]).argmax() for image in x])


with np.load(HERE / "heldout.npz") as file:
    digits, truth = file["images"], file["labels"]
pictures = [Image.open(HERE / "images" / f"{name}.png").resize((8, 8)) for name in LABELS]
pictures = np.stack([np.asarray(picture.convert("L"))[..., None] for picture in pictures])

for path in sys.argv[1:]:
    model = samara.load(path) if path.endswith(".tflite") else samara.convert(path)
    right = (answers(model, digits) == truth).mean()
    read = " ".join(LABELS[i] for i in answers(model, pictures))
    print(f"{path}: {os.path.getsize(path):,} bytes, {right:.1%} of {len(truth)} digits right; the pictures: {read}")
