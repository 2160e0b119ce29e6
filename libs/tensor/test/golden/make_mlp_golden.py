"""Writes mlp.json: what PyTorch says of the network in ../mlp.ts, in float64.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python make_mlp_golden.py

Made with torch 2.13.0+cpu and numpy 2.4.6.
"""
import json
import pathlib

import numpy
import torch


def numbers(count, seed):
    """The same floats in [-0.5, 0.5) as `numbers` of ../mlp.ts: exact in float32 and in every language."""
    index = numpy.arange(count, dtype=numpy.uint64)
    mixed = (index * 2654435761 + seed * 40503 + 12345) % 2**32
    mixed = (mixed ^ (mixed >> numpy.uint64(13))) * 1274126177 % 2**32
    return (mixed >> numpy.uint64(12)).astype(numpy.float64) / 2**20 - 0.5


def network(dims):
    parameters = []
    for layer in range(len(dims) - 1):
        n_in, n_out = dims[layer], dims[layer + 1]
        scale = 2.0 ** -numpy.floor(numpy.log2(numpy.sqrt(n_in)) - 1)
        parameters.append(numbers(n_in * n_out, 10 + layer).reshape(n_in, n_out) * scale)
        parameters.append(numbers(n_out, 20 + layer) * 0.25)
    return [torch.tensor(parameter, requires_grad=True) for parameter in parameters]


def batch(dims, size, seed):
    features = torch.tensor(numbers(size * dims[0], 30 + seed).reshape(size, dims[0]) + 0.5)
    targets = torch.tensor(numpy.floor((numbers(size, 40 + seed) + 0.5) * dims[-1]).astype(numpy.int64))
    return features, targets


def evaluate(parameters, features, targets):
    hidden = features
    for layer in range(len(parameters) // 2):
        hidden = hidden @ parameters[2 * layer] + parameters[2 * layer + 1]
        if layer < len(parameters) // 2 - 1:
            hidden = torch.relu(hidden)
    cost = torch.nn.functional.cross_entropy(hidden, targets)
    return cost, (hidden.argmax(1) != targets).double().mean()


def projections(tensor):
    """A few sums of all elements with pseudo-random weights, which no wrong element leaves unchanged."""
    flat = tensor.detach().numpy().ravel()
    return [float(flat @ numbers(flat.size, 100 + k)) for k in range(3)] + [float(numpy.sqrt(flat @ flat))]


def gradients(dims, size):
    parameters = network(dims)
    cost, error = evaluate(parameters, *batch(dims, size, 0))
    cost.backward()
    return {
        'dims': dims,
        'batchSize': size,
        'cost': cost.item(),
        'misclassificationRate': error.item(),
        'gradients': [projections(parameter.grad) for parameter in parameters],
    }


def torch_adam(dims, size, steps):
    """torch.optim.Adam; with an epsilon as small as this, where it enters makes no difference."""
    parameters = network(dims)
    optimizer = torch.optim.Adam(parameters, lr=0.002, betas=(0.9, 0.999), eps=1e-14)
    costs = []
    for step in range(steps):
        optimizer.zero_grad()
        cost, _ = evaluate(parameters, *batch(dims, size, step))
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    return {'dims': dims, 'batchSize': size, 'epsilon': 1e-14, 'costs': costs,
            'parameters': [parameter.detach().numpy().ravel().tolist() for parameter in parameters]}


def blocks_adam(dims, size, steps, epsilon):
    """Adam as Blocks writes it: epsilon added to the square root of the variance, which is not corrected for bias."""
    parameters = network(dims)
    means = [numpy.zeros(parameter.shape) for parameter in parameters]
    variances = [numpy.zeros(parameter.shape) for parameter in parameters]
    costs = []
    for step in range(steps):
        cost, _ = evaluate(parameters, *batch(dims, size, step))
        found = torch.autograd.grad(cost, parameters)
        rate = 0.002 * numpy.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        for at, gradient in enumerate(found):
            gradient = gradient.numpy()
            means[at] = 0.9 * means[at] + 0.1 * gradient
            variances[at] = 0.999 * variances[at] + 0.001 * gradient**2
            with torch.no_grad():
                parameters[at] -= torch.tensor(rate * means[at] / (numpy.sqrt(variances[at]) + epsilon))
        costs.append(cost.item())
    return {'dims': dims, 'batchSize': size, 'epsilon': epsilon, 'costs': costs,
            'parameters': [parameter.detach().numpy().ravel().tolist() for parameter in parameters]}


SMALL = [12, 8, 8, 5]
golden = {
    'madeWith': f'torch {torch.__version__}, numpy {numpy.__version__}',
    'gradients': [gradients(SMALL, 16), gradients(SMALL, 1), gradients([784, 500, 500, 10], 128)],
    'adam': [torch_adam(SMALL, 16, 3), blocks_adam(SMALL, 16, 3, 1e-3)],
}
pathlib.Path(__file__).with_name('mlp.json').write_text(json.dumps(golden) + '\n')
