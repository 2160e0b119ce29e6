"""Goldens of the elementwise ops: shapes that broadcast, tails, specials, integers."""
import mpmath
import numpy
import torch
from mpmath import mpf

from .golden import FLOATS, Topic, grid, specials

SHAPES = [(), (1,), (0,), (2, 0, 3), (1, 1), (4,), (2, 3), (2, 1, 3)]
PAIRS = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3, 1), (1, 4)),
    ((), (2, 2)),
    ((0, 3), (1, 3)),
    ((2, 0), (1, 1)),
    ((1,), (1,)),
    ((2, 1, 3), (4, 1)),
]
INTEGERS = {
    'int32': ([0, 1, -1, 7, -8, 2**31 - 1, -(2**31)], [3, -3, 2, -2, 5, 1, -1]),
    'int64': ([0, 1, -1, 7, -8, 2**52, -(2**52)], [3, -3, 2, -2, 5, 1, -1]),
    'uint8': ([0, 1, 2, 7, 8, 128, 255], [3, 4, 2, 5, 9, 1, 255]),
}


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def normal_cdf(x):
    return mpmath.ncdf(max(min(x, mpf(1e4)), mpf(-1e4)))


def normal_pdf(x):
    return mpmath.npdf(x)


def sign(x):
    return mpf(0 if x == 0 else 1 if x > 0 else -1)


def in_domain(low, high, count=12):
    return lambda: grid((count,), low, high, (high - low) / 64)


def points(*values):
    return lambda: numpy.array(values)


# name: torch, (value, derivative), points where the op is smooth, its tails among them
UNARY = {
    'exp': (torch.exp, (mpmath.exp, mpmath.exp), points(-80, -30.5, -5, -1, -1e-4, 1e-6, 0.5, 1, 3, 20.25, 60, 85)),
    'expm1': (
        torch.expm1,
        (mpmath.expm1, mpmath.exp),
        points(-80, -20, -2, -0.5, -1e-3, -1e-10, 1e-10, 1e-5, 0.25, 2, 20, 80),
    ),
    'log': (torch.log, (mpmath.log, lambda x: 1 / x), points(1e-38, 1e-20, 1e-3, 0.25, 0.99, 1.01, 2, 10, 1e5, 1e20, 1e38)),
    'log1p': (
        torch.log1p,
        (mpmath.log1p, lambda x: 1 / (1 + x)),
        points(-0.999, -0.5, -1e-3, -1e-10, 1e-30, 1e-10, 1e-5, 0.25, 2, 20, 1e10, 1e38),
    ),
    'sqrt': (
        torch.sqrt,
        (mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x))),
        points(1e-38, 1e-20, 1e-3, 0.25, 0.99, 2, 10, 1e5, 1e20, 1e38),
    ),
    'square': (torch.square, (lambda x: x * x, lambda x: 2 * x), points(-1e18, -30, -1.5, -1e-3, 1e-18, 0.0, 0.5, 7, 1e15)),
    'neg': (torch.neg, None, in_domain(-3, 3)),
    'abs': (torch.abs, None, points(-1e38, -30, -1.5, -1e-38, 0.0, 1e-38, 0.5, 7, 1e38)),
    'sign': (lambda x: torch.where(torch.isnan(x), x, torch.sign(x)), None, points(-1e38, -30, -1.5, -1e-38, 0.0, 1e-38, 0.5, 7, 1e38)),
    'floor': (torch.floor, None, points(-1e10, -2.5, -1.25, -0.5, 0.25, 0.5, 1.5, 1.75, 2.5, 16777215, 1e10)),
    'ceil': (torch.ceil, None, points(-1e10, -2.5, -1.25, -0.5, 0.25, 0.5, 1.5, 1.75, 2.5, 16777215, 1e10)),
    'round': (torch.round, None, points(-1e10, -2.5, -1.5, -0.5, 0.25, 0.5, 1.5, 1.75, 2.5, 3.5, 16777215, 1e10)),
    'sin': (torch.sin, (mpmath.sin, mpmath.cos), points(-20, -3, -1.25, -1e-3, 1e-20, 0.5, 1, 2, 3, 6.5, 50)),
    'cos': (torch.cos, (mpmath.cos, lambda x: -mpmath.sin(x)), points(-20, -3, -1.25, -1e-3, 1e-20, 0.5, 1, 2, 3, 6.5, 50)),
    'tanh': (
        torch.tanh,
        (mpmath.tanh, lambda x: 1 - mpmath.tanh(x) ** 2),
        points(-50, -9, -3, -0.7, -1e-3, -1e-20, 1e-30, 1e-8, 0.1, 0.5, 2, 8, 12, 50),
    ),
    'logistic': (
        torch.sigmoid,
        (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
        points(-86, -60, -30, -18.5, -18, -16, -3, -1e-3, 0.0, 0.25, 2, 8, 16, 17, 18.5, 30, 86),
    ),
    'softplus': (
        torch.nn.Softplus(threshold=500),
        (lambda x: mpmath.log1p(mpmath.exp(x)), sigmoid),
        points(-86, -60, -30, -18.5, -16, -3, -1e-3, 0.0, 0.25, 2, 8, 16, 30, 86, 600),
    ),
    'softsign': (
        torch.nn.functional.softsign,
        (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
        points(-1e18, -30, -1.5, -1e-3, -1e-20, 1e-30, 0.5, 7, 1e15),
    ),
    'erf': (
        torch.erf,
        (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
        points(-9, -4, -2, -0.5, -1e-3, -1e-20, 1e-30, 0.25, 1, 3, 6, 9),
    ),
    'gelu': (
        torch.nn.functional.gelu,
        (lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_pdf(x)),
        points(-4, -2, -0.5, -1e-3, -1e-20, 1e-30, 0.25, 1, 3, 6, 9, 50),
    ),
    'elu': (
        torch.nn.functional.elu,
        (lambda x: x if x > 0 else mpmath.expm1(x), lambda x: mpf(1) if x > 0 else mpmath.exp(x)),
        points(-50, -9, -3, -0.7, -1e-3, -1e-20, 1e-30, 1e-8, 0.5, 12, 1e10),
    ),
    'hardSigmoid': (
        # Theano's, whose slope is 0.2.
        lambda x: torch.clamp(0.2 * x + 0.5, 0, 1),
        None,
        points(-1e10, -3, -2.25, -1.5, -1e-3, 1e-20, 0.25, 2, 2.75, 1e10),
    ),
    'rectifier': (torch.relu, None, points(-1e38, -30, -1e-38, 1e-38, 0.5, 7, 1e38)),
    'identity': (lambda x: x * 1, None, points(-1e38, -30, -1e-38, 0.0, 1e-38, 0.5, 7, 1e38)),
    'isnan': (torch.isnan, None, points(-1e38, 0, 1)),
    'isinf': (torch.isinf, None, points(-1e38, 0, 1)),
    'isfinite': (torch.isfinite, None, points(-1e38, 0, 1)),
}
# Their derivative is the difference of numbers near 1, which only a longer way round keeps exact.
DIFFERENCES = {'tanh': 1, 'gelu': 1, 'sin': 1, 'cos': 1}

BINARY = {
    'add': torch.add,
    'sub': torch.sub,
    'mul': torch.mul,
    'div': torch.div,
    'maximum': torch.maximum,
    'minimum': torch.minimum,
    'mod': torch.remainder,
    'floorDiv': lambda a, b: torch.div(a, b, rounding_mode='floor'),
    'eq': torch.eq,
    'neq': torch.ne,
    'lt': torch.lt,
    'le': torch.le,
    'gt': torch.gt,
    'ge': torch.ge,
}


def elementwise():
    topic = Topic('elementwise')
    unary(topic)
    binary(topic)
    powers(topic)
    choices(topic)
    logic(topic)
    casts(topic)
    stable_forms(topic)
    return topic


def unary(topic):
    for op, (compute, exact, where) in UNARY.items():
        for dtype in FLOATS:
            scale = DIFFERENCES.get(op)
            x = where().astype(dtype)
            topic.add(op, 'values', [x], compute, exact=exact, scale=scale)
            positive = op in ('log', 'sqrt')
            for shape in SHAPES:
                value = grid(shape, 0.25 if positive else -2.0, 3.0).astype(dtype)
                topic.add(op, f'shape {shape}', [value], compute, exact=exact, scale=scale)
            # The rational functions by which tanh is computed lose digits below the smallest normal number.
            ulps = 64 if op == 'tanh' else None
            # Those of gelu are x times the sum of 1 and a number near -1.
            size = 1 if op == 'gelu' else None
            topic.add(op, 'specials', [specials(dtype)], compute, exact=exact, gradients=False, ulps=ulps, scale=size)
            if exact is not None:
                far_away(topic, op, compute, exact, dtype)
    for op in ('neg', 'abs', 'sign', 'square', 'identity', 'rectifier'):
        for dtype, (values, _) in INTEGERS.items():
            if dtype == 'uint8' and op == 'sign':
                continue
            topic.add(op, 'integers', [numpy.array(values[:5], dtype)], UNARY[op][0])


def far_away(topic, op, compute, exact, dtype):
    """Gradients at infinities and at the largest numbers, wherever torch has some."""
    x = numpy.array([numpy.inf, -numpy.inf, 1e30, -1e30, 0.0], dtype)
    usable = []
    for value in x:
        point = torch.tensor([float(value)], dtype=torch.float64, requires_grad=True)
        output = compute(point)
        (gradient,) = torch.autograd.grad(output.sum(), [point])
        if not torch.isnan(output).any() and not torch.isnan(gradient).any() and op not in ('sin', 'cos'):
            usable.append(value)
    if usable:
        topic.add(op, 'far away', [numpy.array(usable, dtype)], compute, exact=exact, scale=DIFFERENCES.get(op))


def binary(topic):
    for op, compute in BINARY.items():
        for dtype in FLOATS:
            for first, second in PAIRS:
                a, b = grid(first, offset=0).astype(dtype), grid(second, offset=1).astype(dtype)
                # The gradients of what is broadcast are sums.
                scale = 'terms' if op in ('add', 'sub', 'mul') else 4
                topic.add(op, f'shapes {first} {second}', [a, b], compute, scale=scale)
            values = specials(dtype)
            if op in ('mod', 'floorDiv'):
                values = numpy.array([numpy.nan, -7.5, 7.5, 0.25, -0.25, 1e-30, 3], dtype)
            topic.add(op, 'specials', [values, values[:, None]], compute, gradients=False)
        for dtype, (a, b) in INTEGERS.items():
            if op == 'div':
                continue
            left, right = numpy.array(a, dtype), numpy.array(b, dtype)
            # The quotient of the least number and -1 is out of range.
            keep = slice(0, 5) if op in ('mod', 'floorDiv') else slice(None)
            topic.add(op, 'integers', [left[keep], right[keep]], compute)
            topic.add(op, 'integers crossed', [left[keep], right[keep][:, None]], compute)
    for op in ('eq', 'neq'):
        flags = numpy.array([True, False])
        topic.add(op, 'flags', [flags, flags[:, None]], BINARY[op])


def powers(topic):
    for dtype in FLOATS:
        for first, second in PAIRS:
            a, b = grid(first, 0.25, 3.0).astype(dtype), grid(second, -2.0, 2.0, offset=1).astype(dtype)
            topic.add('pow', f'shapes {first} {second}', [a, b], torch.pow, scale=16)
        values = specials(dtype)
        topic.add('pow', 'specials', [values, values[:, None]], torch.pow, gradients=False)
        bases = numpy.array([0, 0, 0, 0, 1, 2, 2.5], dtype)
        exponents = numpy.array([0, 1, 2, 3, 0, 0, 2], dtype)
        topic.add('pow', 'zeros', [bases, exponents], torch.pow)
        fixed = lambda exponent: (lambda x: torch.pow(x, exponent))
        bases = numpy.array([-3, -1.5, 0, 0.5, 2], dtype)
        for exponent in (0, 1, 2, 3):
            topic.add('pow of a number', f'{exponent}', [bases], fixed(exponent), parameters={'exponent': exponent})
        for exponent in (0.5, -0.5, -1, -2, 1.5):
            x = numpy.array([1e-3, 0.25, 1.5, 10], dtype)
            topic.add('pow of a number', f'{exponent}', [x], fixed(exponent), parameters={'exponent': exponent})


def choices(topic):
    flags = numpy.array([[True, False, True], [False, False, True]])
    for dtype in (*FLOATS, 'int32', 'int64', 'uint8', 'bool'):
        for condition, first, second in [
            (flags, (2, 3), (2, 3)),
            (flags, (3,), ()),
            (flags[:1], (2, 1), (1, 3)),
            (flags[:0], (1, 3), (3,)),
            (numpy.array(True), (2,), (2,)),
        ]:
            a, b = grid(first) * 8, grid(second, offset=1) * 8
            if dtype in ('uint8', 'bool'):
                a, b = numpy.abs(a) % 2, numpy.abs(b) % 2
            a, b = numpy.asarray(a).astype(dtype), numpy.asarray(b).astype(dtype)
            topic.add('where', f'{condition.shape} {dtype} {first} {second}', [condition, a, b], torch.where)
    for dtype in FLOATS:
        # What is not chosen leaves no trace, in the value or in the gradients.
        x = specials(dtype)
        topic.add('where', f'{dtype} specials not chosen', [numpy.isnan(x), numpy.ones_like(x), x], torch.where)
        bounds = {'min': -1.0, 'max': 1.5}
        clip = lambda x: torch.clamp(x, -1.0, 1.5)
        for shape in SHAPES:
            topic.add('clip', f'shape {shape}', [grid(shape).astype(dtype)], clip, parameters=bounds)
        topic.add('clip', 'specials', [x], clip, parameters=bounds, gradients=False)
        leaky = lambda x: torch.nn.functional.leaky_relu(x, 0.25)
        for shape in SHAPES:
            topic.add('leakyRectifier', f'shape {shape}', [grid(shape).astype(dtype)], leaky, parameters={'alpha': 0.25})
        topic.add('leakyRectifier', 'specials', [x], leaky, parameters={'alpha': 0.25}, gradients=False)
    for dtype, (values, _) in INTEGERS.items():
        topic.add('clip', 'integers', [numpy.array(values, dtype)], lambda x: torch.clamp(x, 1, 7), parameters={'min': 1, 'max': 7})


def logic(topic):
    flags = numpy.array([True, False, True, False])
    for op, compute in {'and': torch.logical_and, 'or': torch.logical_or, 'xor': torch.logical_xor}.items():
        topic.add(op, 'crossed', [flags, flags[:2, None]], compute)
        topic.add(op, 'empty', [flags[:0], flags[:1]], compute)
    topic.add('not', 'flags', [flags.reshape(2, 2)], torch.logical_not)
    topic.add('not', 'empty', [flags[:0]], torch.logical_not)
    bitwise = {'bitAnd': torch.bitwise_and, 'bitOr': torch.bitwise_or, 'bitXor': torch.bitwise_xor}
    for dtype, (a, b) in INTEGERS.items():
        left, right = numpy.array(a, dtype), numpy.array(b, dtype)
        for op, compute in bitwise.items():
            topic.add(op, 'crossed', [left, right[:, None]], compute)
            topic.add(op, 'empty', [left[:0], right[:1]], compute)
        topic.add('bitNot', 'values', [left], torch.bitwise_not)
        counts = numpy.array([0, 1, 3, 7], dtype)
        topic.add('leftShift', 'crossed', [left[:5], counts[:, None]], torch.bitwise_left_shift)
        topic.add('rightShift', 'crossed', [left, counts[:, None]], torch.bitwise_right_shift)
    for dtype in FLOATS:
        a = numpy.array([1, 1, 1, 0, 1e10, numpy.nan, numpy.inf, numpy.inf, 2], dtype)
        b = numpy.array([1.000001, 1.001, 1, 1e-9, 1.000001e10, numpy.nan, numpy.inf, -numpy.inf, numpy.inf], dtype)
        topic.add('isclose', 'values', [a, b], torch.isclose)


def casts(topic):
    sources = {
        'float32': [-2.75, -0.5, 0, 0.5, 3.25, 100.5],
        'float64': [-2.75, -0.5, 0, 0.5, 3.25, 100.5],
        'int32': [-3, 0, 1, 7, 100],
        'int64': [-3, 0, 1, 7, 100],
        'uint8': [0, 1, 7, 100, 255],
        'bool': [0, 1],
    }
    for source, values in sources.items():
        for target in sources:
            if source == target or (target == 'uint8' and source != 'bool'):
                continue
            cast_case(topic, numpy.array(values).astype(source), f'to {target} from', target)
    for source in FLOATS:
        cast_case(topic, numpy.zeros((2, 0), source), 'empty to int64 from', 'int64')
        cast_case(topic, specials(source), 'specials to bool from', 'bool')
    with numpy.errstate(over='ignore', under='ignore'):
        cast_case(topic, specials('float64'), 'specials to float32 from', 'float32')
    cast_case(topic, specials('float32'), 'specials to float64 from', 'float64')


def cast_case(topic, value, name, target):
    # Through NumPy, for torch would be handed the float64 that stands for a float32.
    topic.add('cast', name, [value], lambda x: x, parameters={'dtype': target}, gradients=False)
    with numpy.errstate(all='ignore'):
        topic.cases[-1]['outputs'] = [topic.keep(value.astype(target))]


def stable_forms(topic):
    """Forms that Theano rewrote, whose plain computation loses everything in the tails."""
    tails = [-86, -60, -30, -18.5, -3, -0.25, 0.5, 4, 18.5, 30, 60, 86]
    for dtype in FLOATS:
        x = numpy.array(tails, dtype)
        logistic = (lambda x: -mpmath.log1p(mpmath.exp(-x)), lambda x: sigmoid(-x))
        complement = (lambda x: sigmoid(-x), lambda x: -sigmoid(x) * sigmoid(-x))
        log_complement = (lambda x: -mpmath.log1p(mpmath.exp(x)), lambda x: -sigmoid(x))
        topic.add('log of logistic', 'tails', [x], torch.nn.functional.logsigmoid, exact=logistic)
        topic.add('one minus logistic', 'tails', [x], lambda x: torch.sigmoid(-x), exact=complement)
        topic.add('log of one minus logistic', 'tails', [x], lambda x: torch.nn.functional.logsigmoid(-x), exact=log_complement)
