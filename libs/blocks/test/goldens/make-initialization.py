"""Writes initialization.json: what NumPy draws for the schemes by the formulas of the original, and what PyTorch makes of shapes.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python make-initialization.py

Made with numpy 2.4.6 and torch 2.13.0+cpu.
"""
import json
import pathlib

import numpy
import torch
from torch.nn import init

SEED = 1234


def q(rng, size):
    matrix, upper = numpy.linalg.qr(rng.randn(size, size))
    return matrix * numpy.sign(numpy.diag(upper))


def orthogonal(rng, shape, scale=1):
    if shape[0] == shape[1]:
        return q(rng, shape[0]) * scale
    first, second = q(rng, shape[0]), q(rng, shape[1])
    between = min(shape)
    return numpy.dot(first[:, :between], second[:between, :]) * scale


def uniform(rng, shape, mean, width):
    return rng.uniform(mean - width / 2, mean + width / 2, size=shape)


def sparse(rng, shape, count, places):
    weights = numpy.zeros(shape)
    values = rng.normal(0, 1, size=(shape[0], count))
    for row in range(shape[0]):
        weights[row, places.choice(shape[1], count, replace=False)] = values[row]
    return weights


def sparse_nd(rng, places):
    """Of filters (2, 3, 2, 2), by the axes 0 and 2: 3 values for each."""
    flat = sparse(rng, (4, 6), 3, places)
    return flat.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3)


def scheme(draw):
    return numpy.asarray(draw(numpy.random.RandomState(SEED))).ravel().tolist()


def bricks():
    """What each parameter is where bricks draw in turn from one generator: children first, biases before weights."""
    rng = numpy.random.RandomState(SEED)
    normal = lambda *shape: rng.normal(0, 0.1, size=shape)
    parameters = {}

    def put(name, value):
        parameters[name] = value.ravel().tolist()

    for layer, (rows, columns) in enumerate([(3, 4), (4, 2)]):
        put(f"/mlp/linear_{layer}.b", normal(columns))
        put(f"/mlp/linear_{layer}.W", normal(rows, columns))
    put("/convolutional.b", normal(2))
    put("/convolutional.W", normal(2, 3, 2, 2))
    put("/lookuptable.W", normal(5, 2))
    put("/lstm.W_state", normal(2, 8))
    for gate in ["in", "forget", "out"]:
        put(f"/lstm.W_cell_to_{gate}", normal(2))
    put("/gatedrecurrent.state_to_state", orthogonal(rng, (3, 3)))
    put("/gatedrecurrent.state_to_gates", numpy.hstack([orthogonal(rng, (3, 3)), orthogonal(rng, (3, 3))]))
    return parameters


def fans():
    cases = []
    # Of a matrix of the original and of ours, (in, out), PyTorch has the transpose.
    for shape in [(7, 5), (1, 9), (6, 3, 2, 2), (4, 8, 5), (2, 3, 3, 5)]:
        tensor = torch.empty(shape[::-1] if len(shape) == 2 else shape)
        fan_in, fan_out = init._calculate_fan_in_and_fan_out(tensor)

        # By what PyTorch really draws, beside what it draws of a standard deviation, or bounds, of 1.
        def ratio(fill, unit, **options):
            torch.manual_seed(0)
            drawn = fill(tensor.clone(), **options)
            torch.manual_seed(0)
            return float((drawn.double() / unit(tensor.clone()).double()).median())

        def std(fill, **options):
            return ratio(fill, lambda empty: empty.normal_(0, 1), **options)

        def bound(fill, **options):
            return ratio(fill, lambda empty: empty.uniform_(-1, 1), **options)

        cases.append(
            {
                "shape": shape,
                "fanIn": fan_in,
                "fanOut": fan_out,
                "glorotStd": std(init.xavier_normal_, gain=1.5),
                "glorotBound": bound(init.xavier_uniform_, gain=1.5),
                "heStd": std(init.kaiming_normal_, nonlinearity="relu"),
                "heStdOut": std(init.kaiming_normal_, mode="fan_out", nonlinearity="linear"),
                "heBound": bound(init.kaiming_uniform_, nonlinearity="relu"),
            }
        )
    return cases


golden = {
    "schemes": {
        "gaussian": scheme(lambda rng: rng.normal(0.5, 2, size=(3, 5))),
        "uniform": scheme(lambda rng: uniform(rng, (3, 5), 1, 3)),
        "uniformStd": scheme(lambda rng: uniform(rng, (3, 5), 0, numpy.sqrt(12) * 0.5)),
        "square": scheme(lambda rng: orthogonal(rng, (6, 6), 0.5)),
        "tall": scheme(lambda rng: orthogonal(rng, (5, 3))),
        "wide": scheme(lambda rng: orthogonal(rng, (3, 5))),
        "sparse": scheme(lambda rng: sparse(rng, (4, 7), 3, numpy.random.RandomState(7))),
        "sparseND": scheme(lambda rng: sparse_nd(rng, numpy.random.RandomState(7))),
        "permutation": scheme(lambda rng: numpy.eye(6)[rng.permutation(6)]),
    },
    "bricks": bricks(),
    "fans": fans(),
}
path = pathlib.Path(__file__).with_name("initialization.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
