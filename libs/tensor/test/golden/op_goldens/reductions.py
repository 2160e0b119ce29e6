"""Goldens of reductions, products, sums along an axis, sorting."""
import numpy
import torch

from .elementwise import INTEGERS
from .golden import FLOATS, Topic, grid

# shape, axis, keepdims
REDUCED = [
    ((), None, False),
    ((1,), None, False),
    ((4,), 0, True),
    ((2, 3), None, False),
    ((2, 3), 0, False),
    ((2, 3), [-1], True),
    ((2, 1, 3), [0, 2], False),
    ((2, 1, 3), [0, 2], True),
    ((1, 1), [1], False),
    ((3, 0), [0], False),
    ((2, 3), [], False),
]
# Over nothing: only where there is a value for it.
EMPTY = [((0,), None, False), ((2, 0), [1], False), ((2, 0), [1], True), ((0, 3), None, True)]
SPECIAL_ROWS = [
    [numpy.nan, 1, 2],
    [1, numpy.nan, numpy.inf],
    [numpy.inf, 1, -2],
    [-numpy.inf, 1, 2],
    [numpy.inf, -numpy.inf, 0],
    [-numpy.inf, -numpy.inf, -numpy.inf],
    [numpy.inf, numpy.inf, 1],
    [0, -0.0, 0],
    [1e-45, 3e-45, 1e-40],
    [3e38, 1, 2],
]


def axes_of(x, axis):
    if axis is None:
        return list(range(x.ndim))
    return [axis] if isinstance(axis, int) else list(axis)


def along(reduce):
    """A reduction over several axes at once, of one that takes (x, axes, keepdims) and at least one axis."""
    return lambda axis, keepdims: lambda x: reduce(x, axes_of(x, axis), keepdims) if axes_of(x, axis) else x * 1


def one_by_one(reduce):
    """A reduction over several axes, of one that takes one axis."""

    def compute(x, axes, keepdims):
        for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
            x = reduce(x, axis, keepdims)
        return x

    return along(compute)


def flags(reduce):
    return lambda axis, keepdims: lambda x: reduce(x, tuple(axes_of(x, axis)), keepdim=keepdims) if axes_of(x, axis) else x


REDUCTIONS = {
    'sum': (along(lambda x, axes, keepdims: x.sum(axes, keepdim=keepdims)), 'terms'),
    'mean': (along(lambda x, axes, keepdims: x.mean(axes, keepdim=keepdims)), 'terms'),
    'prod': (one_by_one(lambda x, axis, keepdims: x.prod(axis, keepdim=keepdims)), None),
    'max': (along(lambda x, axes, keepdims: x.amax(axes, keepdim=keepdims)), None),
    'min': (along(lambda x, axes, keepdims: x.amin(axes, keepdim=keepdims)), None),
    'logsumexp': (along(lambda x, axes, keepdims: torch.logsumexp(x, axes, keepdim=keepdims)), 4),
    'variance': (along(lambda x, axes, keepdims: x.var(axes, correction=0, keepdim=keepdims)), 16),
    'std': (along(lambda x, axes, keepdims: x.var(axes, correction=0, keepdim=keepdims).sqrt()), 16),
    'norm': (along(lambda x, axes, keepdims: x.square().sum(axes, keepdim=keepdims).sqrt()), 4),
}
WITHOUT_AXES = ('variance', 'std', 'norm', 'logsumexp')


def reductions():
    topic = Topic('reductions')
    for op, (over, scale) in REDUCTIONS.items():
        reduction(topic, op, over, scale)
    norms(topic)
    positions(topic)
    boolean(topic)
    integers(topic)
    products(topic)
    orders(topic)
    rows(topic)
    return topic


def reduction(topic, op, over, scale):
    for dtype in FLOATS:
        for shape, axis, keepdims in [*REDUCED, *(EMPTY if op not in ('max', 'min') else [])]:
            if op in WITHOUT_AXES and (axis == [] or shape == ()):
                continue
            count = int(numpy.prod([shape[one] for one in (axis or [])] if axis is not None else shape))
            # Of one value the deviation is 0, where its gradient has none.
            gradients = not (op == 'std' and count < 2)
            parameters = {'keepdims': keepdims, **({} if axis is None else {'axis': axis})}
            value = grid(shape, -2.0, 2.0).astype(dtype)
            name = f'{shape} over {axis}{", kept" if keepdims else ""}'
            topic.add(op, name, [value], over(axis, keepdims), parameters=parameters, gradients=gradients, scale=scale)
        special = numpy.array(SPECIAL_ROWS, dtype)
        if op in ('variance', 'std', 'norm'):
            special = special[:-1]  # Its square is beyond float32.
        last = {'axis': -1, 'keepdims': False}
        # What is below the root of the smallest number vanishes when it is squared.
        least = 1e-12 if op in ('std', 'norm') else 1e-36
        topic.add(op, 'specials', [special], over(-1, False), parameters=last, gradients=False, scale=least)
    if op == 'logsumexp':
        for dtype in FLOATS:
            x = numpy.array([[0, 120.5], [-500, -500], [1000, 999], [-80, 80]], dtype)
            # torch's own gradient is exp(x - output), in which the rounding of a large output counts.
            largest = lambda x: x.detach().amax(-1, keepdim=True)
            compute = lambda x: (x - largest(x)).exp().sum(-1).log() + largest(x).squeeze(-1)
            topic.add(op, 'large', [x], compute, parameters={'axis': -1, 'keepdims': False})
    if op == 'prod':
        for dtype in FLOATS:
            x = numpy.array([[0, 2, 3], [0, 0, 3], [1, 2, 4]], dtype)
            topic.add(op, 'zeros', [x], over(-1, False), parameters={'axis': -1, 'keepdims': False})


def norms(topic):
    """The norm of several tensors together."""
    for dtype in FLOATS:
        for shapes in [[(2, 3), (3,)], [()], [(0,), (2,)], [(4,), (2, 1), ()]]:
            parts = [grid(shape, offset=at).astype(dtype) for at, shape in enumerate(shapes)]
            compute = lambda *given: sum((part.square().sum() for part in given), torch.tensor(0.0)).sqrt()
            topic.add('l2Norm', f'{shapes}', parts, compute)


def positions(topic):
    for op, compute in {'argmax': numpy.argmax, 'argmin': numpy.argmin}.items():
        for dtype in (*FLOATS, 'int32', 'int64'):
            for shape, axis, keepdims in [((4,), 0, False), ((2, 3), -1, True), ((2, 3), 0, False), ((0, 3), 1, False)]:
                value = (grid(shape) * 8).astype(dtype)
                at(topic, op, compute, f'{shape} over {axis}', value, axis, keepdims)
            at(topic, op, compute, 'ties', numpy.array([[1, 3, 3], [0, 0, 0], [2, 1, 1]], dtype), 1, False)
        for dtype in FLOATS:
            at(topic, op, compute, 'specials', numpy.array(SPECIAL_ROWS, dtype), 1, False)


def at(topic, op, compute, name, value, axis, keepdims):
    # NumPy's, which of NaNs gives the first.
    found = torch.tensor(compute(value, axis=axis, keepdims=keepdims))
    topic.add(op, name, [value], lambda x: found, parameters={'axis': axis, 'keepdims': keepdims}, gradients=False)


def boolean(topic):
    for op, compute in {'any': torch.any, 'all': torch.all}.items():
        over = flags(compute)
        for shape, axis, keepdims in [*REDUCED[1:-1], *EMPTY]:
            value = (grid(shape) > 0.5).reshape(shape)
            parameters = {'keepdims': keepdims, **({} if axis is None else {'axis': axis})}
            topic.add(op, f'{shape} over {axis}{", kept" if keepdims else ""}', [value], over(axis, keepdims), parameters=parameters)


def integers(topic):
    wide = {'sum': torch.sum, 'prod': torch.prod}
    for dtype, (values, _) in INTEGERS.items():
        value = numpy.array([values[:5], values[1:6]], dtype)
        for op in ('max', 'min'):
            reduce = (lambda x: x.amax(1)) if op == 'max' else (lambda x: x.amin(1))
            topic.add(op, 'integers', [value], reduce, parameters={'axis': 1, 'keepdims': False})
        for op, compute in wide.items():
            topic.add(op, 'integers', [value[:, :4]], lambda x: compute(x, 1), parameters={'axis': 1, 'keepdims': False})
    value = numpy.array([[True, False, True], [False, False, False]])
    topic.add('sum', 'flags', [value], lambda x: x.sum(1), parameters={'axis': 1, 'keepdims': False})


def products(topic):
    for dtype in FLOATS:
        make = lambda shape, offset: grid(shape, offset=offset).astype(dtype)
        pairs = {
            'dot': [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 4, 3), (3, 2)), ((2, 4, 3), (3,))],
            'matmul': [((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 5)), ((3,), (2, 3, 4))],
            'batchedDot': [((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (1, 3, 1)), ((0, 2, 3), (0, 3, 4)), ((2, 0, 3), (2, 3, 4))],
        }
        pairs['dot'] += [((2, 0), (0, 3)), ((0, 2), (2, 3)), ((2, 3), (3, 0)), ((0,), (0,)), ((1, 1), (1, 1)), ((0, 2, 3), (3, 2))]
        pairs['matmul'] += [((2, 2, 0), (2, 0, 3)), ((0, 2, 2), (0, 2, 3)), ((1, 1, 1), (1, 1, 1)), ((2, 3, 4), (4,))]
        for op, shapes in pairs.items():
            for first, second in shapes:
                topic.add(op, f'{first} {second}', [make(first, 0), make(second, 1)], torch.matmul, scale='terms')
        special = numpy.array([[1, numpy.nan], [numpy.inf, 0], [2, 3]], dtype)
        topic.add('dot', 'specials', [special, make((2, 2), 1)], torch.matmul, gradients=False, scale='terms')
        for first, second, axes in [
            ((2, 3, 4), (3, 4, 5), 2),
            ((2, 3), (4, 5), 0),
            ((2, 3, 4), (4, 3, 2), [[1, 0], [1, 2]]),
            ((2, 3), (3, 2), [[1], [0]]),
            ((2, 0), (0, 3), 1),
        ]:
            compute = lambda a, b: torch.tensordot(a, b, dims=axes)
            topic.add('tensordot', f'{first} {second} {axes}', [make(first, 0), make(second, 1)], compute, parameters={'axes': axes}, scale='terms')
        for first, second in [((3,), (4,)), ((1,), (1,)), ((0,), (2,))]:
            topic.add('outer', f'{first} {second}', [make(first, 0), make(second, 1)], torch.outer, scale='terms')


def orders(topic):
    for dtype in (*FLOATS, 'int32', 'int64'):
        for shape, axis in [((5,), 0), ((2, 4), -1), ((4, 2), 0), ((0,), 0), ((1, 1), 1)]:
            value = (grid(shape) * 8).astype(dtype)
            name = f'{shape} along {axis}'
            topic.add('sort', name, [value], lambda x: torch.sort(x, dim=axis, stable=True)[0], parameters={'axis': axis})
            topic.add('argsort', name, [value], lambda x: torch.sort(x, dim=axis, stable=True)[1], parameters={'axis': axis})
            topic.add('cumsum', name, [value], lambda x: torch.cumsum(x, axis), parameters={'axis': axis}, scale='terms')
        for shape, axis in [((5,), 0), ((2, 4), -1), ((4, 2), 0), ((0,), 0), ((1, 1), 1)]:
            value = (grid(shape) * 2).astype(dtype)
            compute = lambda x: torch.cumprod(x, axis)
            topic.add('cumprod', f'{shape} along {axis}', [value], compute, parameters={'axis': axis}, scale=32)
        for shape, axis, k in [((5,), 0, 2), ((2, 4), -1, 3), ((4, 2), 0, 1), ((3,), 0, 3)]:
            value = (grid(shape) * 8).astype(dtype)
            topic.add('topK', f'{k} of {shape} along {axis}', [value], lambda x: tuple(torch.topk(x, k, axis)), parameters={'k': k, 'axis': axis})
    for dtype in FLOATS:
        special = numpy.array([[2, numpy.nan, -numpy.inf, numpy.inf, 0, -1]], dtype)
        topic.add('sort', 'specials', [special], lambda x: torch.sort(x, dim=-1, stable=True)[0], parameters={'axis': -1}, gradients=False)
        topic.add('argsort', 'specials', [special], lambda x: torch.sort(x, dim=-1, stable=True)[1], parameters={'axis': -1})
        ties = numpy.array([3, 1, 3, 1, 2], dtype)
        topic.add('argsort', 'ties', [ties], lambda x: torch.sort(x, dim=-1, stable=True)[1], parameters={'axis': -1})


def rows(topic):
    """What works along the last axis."""
    for dtype in FLOATS:
        for op, compute in {'softmax': torch.softmax, 'logSoftmax': torch.log_softmax}.items():
            for shape in [(4,), (2, 3), (2, 1, 3), (0, 3), (2, 0), (1, 1)]:
                topic.add(op, f'{shape}', [grid(shape).astype(dtype)], lambda x: compute(x, -1), scale=1)
            tails = numpy.array([[0, 120], [-1000, 1000], [-80, 0], [5, 5.5], [1e30, -1e30]], dtype)
            topic.add(op, 'tails', [tails], lambda x: compute(x, -1), ulps=256 if op == 'softmax' else None)
            topic.add(op, 'specials', [numpy.array(SPECIAL_ROWS, dtype)], lambda x: compute(x, -1), gradients=False)
        tails = numpy.array([[0, 120], [-200, 200], [-80, 0], [5, 5.5]], dtype)
        topic.add('log of softmax', 'tails', [tails], lambda x: torch.log_softmax(x, -1))
