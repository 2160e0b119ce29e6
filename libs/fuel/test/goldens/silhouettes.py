"""MATLAB files as caltech101_silhouettes has them, with few examples: `python silhouettes.py`, with SciPy 1.x.

Pixel k of example n of the split that begins with example `first` is whether (n + first) * 5 + k * 3 is less than 3 modulo 7; its label is
n + first + 1. `silhouettes-16.mat` is compressed, with labels of doubles and a cell array beside them; `silhouettes-28.mat` is not.
"""

import numpy
from scipy.io import savemat


def split(first, count, size):
    examples = numpy.arange(first, first + count)[:, None]
    pixels = numpy.arange(size * size)[None, :]
    data = ((examples * 5 + pixels * 3) % 7 < 3).astype(numpy.uint8)
    return data, (examples + 1).astype(numpy.float64 if size == 16 else numpy.uint8)


for size in (16, 28):
    arrays = {"classnames": numpy.array([["accordion", "airplanes"]], dtype=object)}
    first = 0
    for name, count in (("train", 3), ("val", 2), ("test", 1)):
        arrays[f"{name}_data"], arrays[f"{name}_labels"] = split(first, count, size)
        first += count
    savemat(f"silhouettes-{size}.mat", arrays, do_compression=size == 16)
