"""Safetensors' side of `npm run bench -- serialization`: a file saved to the disk, and loaded with its bytes checked.

Reads requests from stdin, a JSON line each, and answers with one JSON line {"seconds": ...}: {"do": "save", "path": ...} saves
tensors of `--bytes` in all; {"do": "load", "path": ...} loads all tensors of a file and takes the SHA-256 of it.
"""

import argparse
import hashlib
import json
import os
import sys
import time

import numpy
import safetensors
from safetensors.numpy import load_file, save_file

parser = argparse.ArgumentParser()
parser.add_argument("--bytes", type=int, required=True)
parser.add_argument("--tensors", type=int, required=True)
args = parser.parse_args()

random = numpy.random.default_rng(1)
length = args.bytes // args.tensors // 4
tensors = {f"layer_{i}.W": random.random(length, dtype=numpy.float32) for i in range(args.tensors)}


def save(path):
    save_file(tensors, path)
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def load(path):
    loaded = load_file(path)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return loaded, digest


print(json.dumps({"ready": True, "safetensors": safetensors.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    work = {"save": save, "load": load}[request["do"]]
    begin = time.perf_counter()
    done = work(request["path"])
    seconds = time.perf_counter() - begin
    del done
    print(json.dumps({"seconds": seconds}), flush=True)
