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

COUNT = 160
NODES = 14
SHAPES = [(), (3,), (1,), (2, 3), (3, 2), (2, 1), (1, 3), (3, 3), (2, 3, 2), (1, 3, 2), (2, 1, 3)]
LARGEST = 30
# How far from a kink or a tie a value must be, so that float32 stays on its side.
CLEAR = 1e-2


def clear(value):
    return value.numel() == 0 or value.abs().min() > CLEAR


def distinct_along(value, axes):
    flat = value.amax(axes, keepdim=True) - value
    return bool((flat[flat > 0] > CLEAR).all()) and int((flat == 0).sum()) == flat.numel() // size_of(value, axes)


def size_of(value, axes):
    return int(numpy.prod([value.shape[axis] for axis in axes]))


def broadcast(a, b):
    try:
        torch.broadcast_shapes(a.shape, b.shape)
        return True
    except RuntimeError:
        return False


# op: how many inputs, torch's, whether these inputs will do, random parameters
ELEMENTWISE = {
    'neg': (torch.neg, None),
    'tanh': (torch.tanh, None),
    'logistic': (torch.sigmoid, None),
    'softplus': (torch.nn.functional.softplus, lambda x: x.abs().max() < 15),
    'exp': (torch.exp, lambda x: x.max() < 3),
    'log': (torch.log, lambda x: x.min() > 0.1),
    'sqrt': (torch.sqrt, lambda x: x.min() > 0.1),
    'square': (torch.square, None),
    'abs': (torch.abs, clear),
    'rectifier': (torch.relu, clear),
    'identity': (lambda x: x * 1, None),
}
PAIRED = {
    'add': (torch.add, None),
    'sub': (torch.sub, None),
    'mul': (torch.mul, None),
    'div': (torch.div, lambda a, b: b.abs().min() > 0.3),
    'maximum': (torch.maximum, lambda a, b: clear(a - b)),
    'minimum': (torch.minimum, lambda a, b: clear(a - b)),
    'pow': (torch.pow, lambda a, b: a.min() > 0.3 and a.max() < 4 and b.abs().max() < 3),
}


def propose(draw, values):
    """A node that may be added, as (op, inputs, parameters, compute), or None where what was drawn does not fit."""
    kind = draw.choice(['one', 'one', 'two', 'two', 'two', 'reduce', 'move', 'move', 'dot', 'row', 'join', 'choose', 'label'])
    at = draw.randrange(len(values))
    x = values[at]
    if kind == 'one':
        op = draw.choice(sorted(ELEMENTWISE))
        compute, fits = ELEMENTWISE[op]
        return (op, [at], {}, compute) if fits is None or fits(x) else None
    other = draw.randrange(len(values))
    y = values[other]
    if kind == 'two':
        op = draw.choice(sorted(PAIRED))
        compute, fits = PAIRED[op]
        return (op, [at, other], {}, compute) if broadcast(x, y) and (fits is None or fits(x, y)) else None
    if kind == 'choose':
        if not broadcast(x, y) or not clear(x - y):
            return None
        return 'where greater', [at, other, at, other], {}, lambda a, b, c, d: torch.where(a > b, c, d)
    if kind == 'dot':
        fits = x.ndim > 0 and 0 < y.ndim < 3 and x.shape[-1] == y.shape[0]
        return ('dot', [at, other], {}, torch.matmul) if fits else None
    if x.ndim == 0:
        return None
    axis = draw.randrange(x.ndim)
    if kind == 'reduce':
        op = draw.choice(['sum', 'mean', 'max'])
        axes = sorted(draw.sample(range(x.ndim), draw.randint(1, x.ndim)))
        keepdims = draw.random() < 0.5
        if op == 'max' and not distinct_along(x, axes):
            return None
        reduce = {'sum': torch.sum, 'mean': torch.mean, 'max': torch.amax}[op]
        return op, [at], {'axis': axes, 'keepdims': keepdims}, lambda x: reduce(x, axes, keepdim=keepdims)
    if kind == 'row':
        op = draw.choice(['softmax', 'logSoftmax'])
        return op, [at], {}, lambda x: getattr(torch, 'softmax' if op == 'softmax' else 'log_softmax')(x, -1)
    if kind == 'label':
        depth = x.shape[-1]
        labels = [draw.randrange(depth) for _ in range(int(numpy.prod(x.shape[:-1])))]
        where = torch.tensor(labels).reshape(x.shape[:-1])
        parameters = {'labels': labels, 'shape': list(x.shape[:-1])}
        return 'pick constant labels', [at], parameters, lambda x: torch.take_along_dim(x, where.unsqueeze(-1), -1).squeeze(-1)
    if kind == 'join':
        rest = lambda value: [size for k, size in enumerate(value.shape) if k != axis]
        if y.ndim != x.ndim or rest(x) != rest(y):
            return None
        return 'concatenate', [at, other], {'axis': axis}, lambda *parts: torch.cat(parts, axis)
    return move(draw, at, x, axis)


def move(draw, at, x, axis):
    op = draw.choice(['transpose', 'reshape', 'slice', 'dimshuffle', 'flatten'])
    if op == 'transpose':
        axes = draw.sample(range(x.ndim), x.ndim)
        return op, [at], {'axes': axes}, lambda x: x.permute(axes)
    if op == 'reshape':
        shape = draw.choice([[-1], [1, -1], [-1, 1], [*reversed(x.shape)]])
        return op, [at], {'shape': shape}, lambda x: x.reshape(shape)
    if op == 'flatten':
        ndim = draw.randint(1, x.ndim)
        return op, [at], {'ndim': ndim}, lambda x: x.flatten(ndim - 1)
    if op == 'dimshuffle':
        if x.ndim > 2:
            return None
        order = draw.sample([*range(x.ndim), 'x'], x.ndim + 1)
        return op, [at], {'order': order}, lambda x: x.unsqueeze(x.ndim).permute([x.ndim if k == 'x' else k for k in order])
    start = draw.randrange(x.shape[axis])
    stop = draw.randint(start + 1, x.shape[axis])
    parameters = {'start': start, 'stop': stop, 'axis': axis}
    return 'slice', [at], parameters, lambda x: x.narrow(axis, start, stop - start)


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
        if node is None:
            continue
        op, positions, parameters, compute = node
        value = compute(*[values[position] for position in positions])
        if value.numel() > 60 or value.ndim > 4 or value.abs().max() > LARGEST:
            continue
        nodes.append(node)
        values.append(value)
    return inputs, nodes


def derivatives(inputs, nodes, directions, dtype):
    leaves = [torch.tensor(value, dtype=dtype, requires_grad=True) for value in inputs]
    values = list(leaves)
    for _, positions, _, compute in nodes:
        values.append(compute(*[values[position] for position in positions]))
    used = {position for _, positions, _, _ in nodes for position in positions}
    sinks = [value for at, value in enumerate(values) if at >= len(inputs) and at not in used]
    cost = sum(sink.mean() for sink in sinks)
    zeros = lambda found: [torch.zeros_like(leaf) if one is None else one for leaf, one in zip(leaves, found)]
    first = zeros(torch.autograd.grad(cost, leaves, create_graph=True, allow_unused=True))
    pushed = sum((one * torch.tensor(way, dtype=dtype)).sum() for one, way in zip(first, directions))
    second = zeros(torch.autograd.grad(pushed, leaves, allow_unused=True) if pushed.requires_grad else [None for _ in leaves])
    return [value.detach().double().numpy(force=True) for value in (cost, *first, *second)]


def main():
    tensors, graphs, seed = {}, [], 0
    while len(graphs) < COUNT:
        seed += 1
        inputs, nodes = graph(seed)
        directions = [numpy.cos(numpy.arange(value.size) + at).astype(numpy.float32).reshape(value.shape) for at, value in enumerate(inputs)]
        exact = derivatives(inputs, nodes, directions, torch.float64)
        coarse = derivatives(inputs, nodes, directions, torch.float32)
        sizes = [max(1.0, float(numpy.abs(value).max())) for value in exact]
        near = all(numpy.abs(a - b).max() <= 2e-5 * size for a, b, size in zip(exact, coarse, sizes))
        if not near or max(sizes) > 1e4:
            continue
        at = len(graphs)
        groups = {'input': inputs, 'direction': directions, 'result': exact}
        for group, members in groups.items():
            for k, member in enumerate(members):
                tensors[f'{at}.{group}.{k}'] = numpy.array(member, numpy.float64, order='C')
        listed = [{'op': op, 'inputs': positions, 'parameters': parameters} for op, positions, parameters, _ in nodes]
        graphs.append({'seed': seed, 'inputs': len(inputs), 'nodes': listed})
    path = pathlib.Path(__file__).parent / 'dags.safetensors'
    save_file(tensors, path, {'graphs': json.dumps(graphs)})
    path.chmod(0o644)
    print(len(graphs), 'graphs of', seed)


if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
