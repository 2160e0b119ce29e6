"""Writes ops/*.safetensors: what PyTorch, NumPy and mpmath say of each op, its gradients included.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy mpmath safetensors
    /tmp/venv/bin/python make_op_goldens.py

Made with torch 2.13.0+cpu, numpy 2.4.6, mpmath 1.3.0 and safetensors 0.8.0.
"""
import pathlib
import warnings

import torch

from op_goldens.elementwise import elementwise
from op_goldens.indexing import indexing
from op_goldens.networks import networks
from op_goldens.reductions import reductions
from op_goldens.shapes import shapes

TOPICS = (elementwise, reductions, shapes, indexing, networks)

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent / 'ops'
    folder.mkdir(exist_ok=True)
    for make in TOPICS:
        topic = make()
        print(topic.name, topic.save(folder), 'cases')
        (folder / f'{topic.name}.safetensors').chmod(0o644)
