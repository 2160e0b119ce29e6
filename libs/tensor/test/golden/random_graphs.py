"""Random nodes for random graphs, and what is taken of a graph: make_dag_goldens.py and make_scan_goldens.py are made of them."""
import numpy
import torch

LARGEST = 30
# How far from a kink or a tie a value must be, so that float32 stays on its side.
CLEAR = 1e-2


class Unfit(Exception):
    """Values that a node is not to be given: engines would come to other results for rounding alone."""


class OpNode:
    """An op of the values at some positions, which is Unfit for those that `fits` refuses, in whichever step of a scan they come."""

    def __init__(self, op, inputs, parameters, compute, fits=None):
        self.op, self.inputs, self.parameters, self.compute, self.fits = op, inputs, parameters, compute, fits

    def run(self, values):
        given = [values[position] for position in self.inputs]
        if self.fits is not None and not self.fits(*given):
            raise Unfit
        result = self.compute(*given)
        if result.numel() > 0 and result.abs().max() > LARGEST:
            raise Unfit
        return [result]

    def listed(self):
        return {'op': self.op, 'inputs': self.inputs, 'parameters': self.parameters}


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


# op: torch's, and whether these inputs will do
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
    """A node that may be added, or None where what was drawn does not fit."""
    kind = draw.choice(['one', 'one', 'two', 'two', 'two', 'reduce', 'move', 'move', 'dot', 'row', 'join', 'choose', 'label'])
    at = draw.randrange(len(values))
    x = values[at]
    if kind == 'one':
        op = draw.choice(sorted(ELEMENTWISE))
        return OpNode(op, [at], {}, *ELEMENTWISE[op])
    other = draw.randrange(len(values))
    y = values[other]
    if kind == 'two':
        op = draw.choice(sorted(PAIRED))
        return OpNode(op, [at, other], {}, *PAIRED[op]) if broadcast(x, y) else None
    if kind == 'choose':
        compute = lambda a, b, c, d: torch.where(a > b, c, d)
        fits = lambda a, b, *rest: clear(a - b)
        return OpNode('where greater', [at, other, at, other], {}, compute, fits) if broadcast(x, y) else None
    if kind == 'dot':
        fits = x.ndim > 0 and 0 < y.ndim < 3 and x.shape[-1] == y.shape[0]
        return OpNode('dot', [at, other], {}, torch.matmul) if fits else None
    if x.ndim == 0:
        return None
    axis = draw.randrange(x.ndim)
    if kind == 'reduce':
        op = draw.choice(['sum', 'mean', 'max'])
        axes = sorted(draw.sample(range(x.ndim), draw.randint(1, x.ndim)))
        keepdims = draw.random() < 0.5
        reduce = {'sum': torch.sum, 'mean': torch.mean, 'max': torch.amax}[op]
        fits = (lambda x: distinct_along(x, axes)) if op == 'max' else None
        return OpNode(op, [at], {'axis': axes, 'keepdims': keepdims}, lambda x: reduce(x, axes, keepdim=keepdims), fits)
    if kind == 'row':
        op = draw.choice(['softmax', 'logSoftmax'])
        return OpNode(op, [at], {}, lambda x: getattr(torch, 'softmax' if op == 'softmax' else 'log_softmax')(x, -1))
    if kind == 'label':
        depth = x.shape[-1]
        labels = [draw.randrange(depth) for _ in range(int(numpy.prod(x.shape[:-1])))]
        where = torch.tensor(labels).reshape(x.shape[:-1])
        parameters = {'labels': labels, 'shape': list(x.shape[:-1])}
        return OpNode('pick constant labels', [at], parameters, lambda x: pick(x, where))
    if kind == 'join':
        rest = lambda value: [size for k, size in enumerate(value.shape) if k != axis]
        if y.ndim != x.ndim or rest(x) != rest(y):
            return None
        return OpNode('concatenate', [at, other], {'axis': axis}, lambda *parts: torch.cat(parts, axis))
    return move(draw, at, x, axis)


def pick(x, labels):
    return torch.take_along_dim(x, labels.unsqueeze(-1), -1).squeeze(-1)


def move(draw, at, x, axis):
    op = draw.choice(['transpose', 'reshape', 'slice', 'dimshuffle', 'flatten'])
    if op == 'transpose':
        axes = draw.sample(range(x.ndim), x.ndim)
        return OpNode(op, [at], {'axes': axes}, lambda x: x.permute(axes))
    if op == 'reshape':
        shape = draw.choice([[-1], [1, -1], [-1, 1], [*reversed(x.shape)]])
        return OpNode(op, [at], {'shape': shape}, lambda x: x.reshape(shape))
    if op == 'flatten':
        ndim = draw.randint(1, x.ndim)
        return OpNode(op, [at], {'ndim': ndim}, lambda x: x.flatten(ndim - 1))
    if op == 'dimshuffle':
        if x.ndim > 2:
            return None
        order = draw.sample([*range(x.ndim), 'x'], x.ndim + 1)
        compute = lambda x: x.unsqueeze(x.ndim).permute([x.ndim if k == 'x' else k for k in order])
        return OpNode(op, [at], {'order': order}, compute)
    start = draw.randrange(x.shape[axis])
    stop = draw.randint(start + 1, x.shape[axis])
    parameters = {'start': start, 'stop': stop, 'axis': axis}
    return OpNode('slice', [at], parameters, lambda x: x.narrow(axis, start, stop - start))


def derivatives(cost, leaves, directions):
    """The gradients of a cost, and those of the sum over the leaves of (gradient * direction)."""
    zeros = lambda found: [torch.zeros_like(leaf) if one is None else one for leaf, one in zip(leaves, found)]
    of = lambda value, **options: torch.autograd.grad(value, leaves, allow_unused=True, **options)
    first = zeros(of(cost, create_graph=True) if cost.requires_grad else [None for _ in leaves])
    pushed = sum((one * torch.tensor(way, dtype=one.dtype)).sum() for one, way in zip(first, directions))
    second = zeros(of(pushed) if pushed.requires_grad else [None for _ in leaves])
    return [*first, *second]


def near(exact, coarse):
    """Whether float32 comes near to float64: only such a graph can every engine be held to."""
    sizes = [max([1.0, *numpy.abs(value).flat]) for value in exact]
    close = all((numpy.abs(a - b) <= 2e-5 * size).all() for a, b, size in zip(exact, coarse, sizes))
    return bool(close and max(sizes) <= 1e4)
