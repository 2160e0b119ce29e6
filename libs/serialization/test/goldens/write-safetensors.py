"""Writes the safetensors files that safetensors.test.ts reads, and compares its own with, byte by byte.

Made with safetensors 0.8.0 and NumPy 2.4.6:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install safetensors==0.8.0 numpy==2.4.6
    /tmp/venv/bin/python write-safetensors.py

With a path as argument it instead reads that file and prints its tensors and metadata as JSON.
"""
import json
import os
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], framework="np") as file:
        tensors = {}
        for name in file.keys():
            array = file.get_tensor(name)
            tensors[name] = {"dtype": str(array.dtype), "shape": list(array.shape), "data": array.ravel().tolist()}
        print(json.dumps({"tensors": tensors, "metadata": file.metadata()}))
    sys.exit()

save_file(
    {
        "/mlp/linear_0.W": np.array([[0.5, -1.25, 3e-40], [1e38, -0.0, np.pi]], dtype=np.float32),
        "/mlp/linear_0.b": np.array([1.0, 2.0, 3.0], dtype=np.float32),
        "float64": np.array([np.e, 1e-310, -1e308], dtype=np.float64),
        "int8": np.array([-128, 0, 127], dtype=np.int8),
        "int16": np.array([[-32768], [32767]], dtype=np.int16),
        "int32": np.array([-(2**31), 2**31 - 1], dtype=np.int32),
        "int64": np.array([-(2**63), 2**63 - 1, 2**53 + 1], dtype=np.int64),
        "uint8": np.array([0, 255], dtype=np.uint8),
        "uint16": np.array([0, 65535], dtype=np.uint16),
        "uint32": np.array([0, 2**32 - 1], dtype=np.uint32),
        "bool": np.array([True, False, True], dtype=np.bool_),
        "scalar": np.array(7, dtype=np.int64),
        "empty": np.zeros((0, 3), dtype=np.float32),
        'quote " backslash \\ tab \t ü 中 \U0001f600': np.array([1], dtype=np.uint8),
        "\uffff": np.array([2], dtype=np.uint8),
    },
    os.path.join(HERE, "every-dtype.safetensors"),
    metadata={"format": "np"},
)
save_file({"W": np.arange(12, dtype=np.float32).reshape(3, 4)}, os.path.join(HERE, "plain.safetensors"))
save_file({}, os.path.join(HERE, "no-tensors.safetensors"))
