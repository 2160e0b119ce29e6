"""Writes dags.safetensors: random graphs of ops, and PyTorch's values, first and second derivatives of them in float64.

    /tmp/venv/bin/python make_dag_goldens.py

See make_op_goldens.py for what it needs. A graph is a list of nodes {op, inputs, parameters}, an input being the position of a
graph input or, from there on, of an earlier node. Its cost is the sum of the means of the nodes that no other uses. The second
derivatives are those of the sum over the inputs of (gradient * direction). Inputs are exact in float32, and a graph is taken
only where torch's own float32 comes near to its float64, so that every engine can be held to it.
"""
import json
import pathlib
import random

import numpy
import torch
from safetensors.numpy import save_file

from random_graphs import Unfit, derivatives, near, propose

COUNT = 160
NODES = 14
SHAPES = [(), (3,), (1,), (2, 3), (3, 2), (2, 1), (1, 3), (3, 3), (2, 3, 2), (1, 3, 2), (2, 1, 3)]


def graph(seed):
    draw = random.Random(seed)
    numbers = numpy.random.default_rng(seed)
    shapes = draw.sample(SHAPES, draw.randint(2, 4))
    inputs = [numbers.uniform(-2, 2, shape).astype(numpy.float32).astype(numpy.float64) for shape in shapes]
    values = [torch.tensor(value) for value in inputs]
    nodes = []
    for _ in range(1000):
        if len(nodes) == NODES:
            break
        node = propose(draw, values)
        try:
            value = None if node is None else node.run(values)[0]
        except Unfit:
            continue
        if value is None or value.numel() > 60 or value.ndim > 4:
            continue
        nodes.append(node)
        values.append(value)
    return inputs, nodes


def results(inputs, nodes, directions, dtype):
    leaves = [torch.tensor(value, dtype=dtype, requires_grad=True) for value in inputs]
    values = list(leaves)
    for node in nodes:
        values.extend(node.run(values))
    used = {position for node in nodes for position in node.inputs}
    sinks = [value for at, value in enumerate(values) if at >= len(inputs) and at not in used]
    cost = sum(sink.mean() for sink in sinks)
    return [value.detach().double().numpy(force=True) for value in (cost, *derivatives(cost, leaves, directions))]


def main():
    tensors, graphs, seed = {}, [], 0
    while len(graphs) < COUNT:
        seed += 1
        inputs, nodes = graph(seed)
        directions = [numpy.cos(numpy.arange(value.size) + at).astype(numpy.float32).reshape(value.shape) for at, value in enumerate(inputs)]
        exact, coarse = (results(inputs, nodes, directions, dtype) for dtype in (torch.float64, torch.float32))
        if not near(exact, coarse):
            continue
        at = len(graphs)
        groups = {'input': inputs, 'direction': directions, 'result': exact}
        for group, members in groups.items():
            for k, member in enumerate(members):
                tensors[f'{at}.{group}.{k}'] = numpy.array(member, numpy.float64, order='C')
        graphs.append({'seed': seed, 'inputs': len(inputs), 'nodes': [node.listed() for node in nodes]})
    path = pathlib.Path(__file__).parent / 'dags.safetensors'
    save_file(tensors, path, {'graphs': json.dumps(graphs)})
    path.chmod(0o644)
    print(len(graphs), 'graphs of', seed)


if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
