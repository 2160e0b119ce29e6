"""Writes scans.safetensors: graphs around random scans, and PyTorch's values, first and second derivatives of them in float64.

    /tmp/venv/bin/python make_scan_goldens.py

See make_op_goldens.py for what it needs. A graph is a list of nodes: {op, inputs, parameters}, {scan} or {ifElse}; random_scans.py says
what those are, and what positions mean. Its outputs are the values that no node takes, its cost is the sum of the squares of
those of them that `costs` has. Second derivatives are those of the sum over the inputs of floats of (gradient * direction). Sizes of the
inputs that are null in `shapes` are not told to the engines. As with the other random graphs, what float32 cannot tell is left out.
"""
import json
import pathlib
import random

import numpy
import torch
from safetensors.numpy import save_file

from random_graphs import Unfit, derivatives, near
from random_scans import Scope, random_taps, scan_with_body

COUNT = 72
SHAPES = [(), (2,), (3,), (2, 3), (3, 2), (1, 3)]


class Inputs:
    """The inputs of a graph: exact in float32, and int64."""

    def __init__(self, numbers, knows):
        self.numbers, self.knows = numbers, knows
        self.values, self.shapes = [], []

    def add(self, value, is_sequence=False):
        unknown = {'all': lambda axis: False, 'lengths': lambda axis: is_sequence and axis == 0, 'ranks': lambda axis: True}[self.knows]
        self.values.append(value)
        self.shapes.append([None if size != 1 and unknown(axis) else size for axis, size in enumerate(value.shape)])
        return len(self.values) - 1

    def floats(self, *shape, is_sequence=False):
        value = self.numbers.uniform(-1.5, 1.5, shape)
        return self.add(numpy.asarray(value, numpy.float32).astype(numpy.float64), is_sequence)

    def labels(self, *shape):
        return self.add(self.numbers.integers(0, 3, shape), is_sequence=True)


def graph(seed):
    """Inputs, and nodes of which the first is a scan of them."""
    draw = random.Random(seed)
    knows = draw.choice(['all', 'all', 'lengths', 'ranks'])
    inputs = Inputs(numpy.random.default_rng(seed), knows)
    count, row, state = draw.choice([0, 1, 2, 3, 3, 4, 5]), draw.choice(SHAPES), draw.choice(SHAPES)
    state = row if draw.random() < 0.6 else state
    if knows != 'all' and count == 1:
        count = 2
    sequences, states, constants = [], [], []
    has_steps = draw.random() < 0.25
    for _ in range(draw.choice([0, 1, 1, 2, 2, 3])):
        taps = random_taps(draw, [-2, -1, 0, 1, 2], plain=0.5)
        rows = count + max(0, *taps) - min(0, *taps) + (draw.randint(0, 2) if has_steps else 0)
        is_integer = draw.random() < 0.15
        shape = (rows, *row) if draw.random() < 0.8 else (rows,)
        sequences.append([inputs.labels(*shape[:2]) if is_integer else inputs.floats(*shape, is_sequence=True), taps])
    for _ in range(draw.choice([0 if sequences else 1, 1, 1, 2, 3])):
        taps = [-1] if draw.random() < 0.5 else draw.sample([-1, -2, -3], draw.randint(1, 2))
        longest = -min(taps)
        first = [] if longest == 1 else [longest]
        is_integer = draw.random() < 0.12
        shared = [position for position, others in states if others == taps and not is_integer and inputs.values[position].ndim > 0]
        if shared and draw.random() < 0.3:
            states.append([shared[0], taps])
        else:
            states.append([inputs.labels(*first) if is_integer else inputs.floats(*first, *state), taps])
    for _ in range(draw.randint(0, 2)):
        constants.append(inputs.floats(*draw.choice([row, state, ()])))
    inputs.floats(3, state[-1] if state else 3)
    steps = None
    if has_steps or not sequences:
        steps = count if draw.random() < 0.5 else {'input': inputs.add(numpy.array(count))}

    values = [torch.tensor(value) for value in inputs.values]
    pool = [at for at, value in enumerate(values) if value.is_floating_point() and value.numel() > 0]
    scope = Scope(draw, values, pool, 0, knows == 'all' and not isinstance(steps, dict))
    scope.add(scan_with_body(scope, sequences, states, constants, steps))
    scope.grow(draw.randint(1, 3))
    return draw, inputs, scope.nodes


def outputs_of(inputs, nodes):
    """The positions of what no node takes, bodies and branches included, and the positions of floats among them."""
    used = set()

    def use(listed):
        for node in listed:
            if 'op' in node:
                used.update(node['inputs'])
            elif 'ifElse' in node:
                used.add(node['ifElse']['condition'])
                for branch in node['ifElse']['branches']:
                    use(branch['nodes'])
                    used.update(branch['outputs'])
            else:
                scan = node['scan']
                used.update(sequence['input'] for sequence in scan['sequences'])
                used.update(state['initial'] for state in scan['states'] if state)
                used.update(scan['nonSequences'])
                use(scan['nodes'])
                used.update(scan['outputs'])

    values = [torch.tensor(value) for value in inputs.values]
    start, taken = len(values), []
    for node in nodes:
        used.clear()
        use([node.listed()])
        taken += [position for position in used if position < len(values)]
        values.extend(node.run(values))
    outputs = [position for position in range(start, len(values)) if position not in taken]
    return outputs, [position for position in outputs if values[position].is_floating_point()]


def direction(shape, at):
    """As the test has it: exact, and another one for each input."""
    return ((numpy.arange(int(numpy.prod(shape))) * 5 + at * 3) % 11 - 5.0).reshape(shape) / 4


def results(inputs, nodes, outputs, costs, dtype):
    values = [torch.tensor(value) for value in inputs.values]
    values = [value.to(dtype).requires_grad_() if value.is_floating_point() else value for value in values]
    leaves = [(at, value) for at, value in enumerate(values) if value.is_floating_point()]
    for node in nodes:
        values.extend(node.run(values))
    cost = sum((values[position] ** 2).sum() for position in costs)
    directions = [direction(leaf.shape, at) for at, leaf in leaves]
    found = [cost, *[values[position] for position in outputs], *derivatives(cost, [leaf for _, leaf in leaves], directions)]
    return [value.detach().numpy(force=True) for value in found]


def golden(seed):
    """The graph of a seed, its inputs and results, or Unfit."""
    draw, inputs, nodes = graph(seed)
    outputs, floats = outputs_of(inputs, nodes)
    costs = [position for position in floats if draw.random() < 0.8]
    if not costs:
        raise Unfit
    exact, coarse = (results(inputs, nodes, outputs, costs, dtype) for dtype in (torch.float64, torch.float32))
    if not near(exact, coarse):
        raise Unfit
    listed = {'seed': seed, 'shapes': inputs.shapes, 'nodes': [node.listed() for node in nodes], 'outputs': outputs, 'costs': costs}
    return listed, {'input': inputs.values, 'result': exact}


def main():
    tensors, graphs, seed = {}, [], 0
    while len(graphs) < COUNT:
        seed += 1
        try:
            listed, groups = golden(seed)
        except Unfit:
            continue
        for group, members in groups.items():
            for k, member in enumerate(members):
                tensors[f'{len(graphs)}.{group}.{k}'] = numpy.array(member, order='C')
        graphs.append(listed)
    path = pathlib.Path(__file__).parent / 'scans.safetensors'
    save_file(tensors, path, {'graphs': json.dumps(graphs, separators=(',', ':'))})
    path.chmod(0o644)
    print(len(graphs), 'graphs of', seed)


if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
