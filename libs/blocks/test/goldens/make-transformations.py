"""Writes transformations.json: training with penalties, products with a Hessian and averages of parameters by PyTorch, in float64.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch
    /tmp/venv/bin/python make-transformations.py

Made with torch 2.13.0+cpu.
"""
import json
import pathlib

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_swa_avg_fn

SHAPES = [(3, 4), (4,), (4, 2), (2,)]
STEPS = 4


def values(shape, seed):
    count = 1
    for size in shape:
        count *= size
    return torch.sin(torch.arange(count, dtype=torch.float64) * 1.3 + seed).reshape(shape)


class Network(torch.nn.Module):
    """An MLP (3, 4, 2) with tanh."""

    def __init__(self):
        super().__init__()
        self.parts = torch.nn.ParameterList([values(shape, seed) for seed, shape in enumerate(SHAPES)])

    def forward(self, x):
        return cost(x, *self.parts)


def cost(x, w0, b0, w1, b1):
    return ((torch.tanh(x @ w0 + b0) @ w1 + b1) ** 2).mean()


def flat(tensors):
    return [tensor.detach().ravel().tolist() for tensor in tensors]


def trained(step_cost, average=None, **options):
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, **options)
    averaged = None if average is None else AveragedModel(network, avg_fn=average)
    for step in range(STEPS):
        optimizer.zero_grad()
        step_cost(network, values((5, 3), step)).backward()
        optimizer.step()
        if averaged is not None:
            averaged.update_parameters(network)
    return flat((network if averaged is None else averaged.module).parts)


def with_l1(network, x):
    return network(x) + 0.01 * sum(network.parts[at].abs().sum() for at in (0, 2))


def hessian():
    """Of the two weights together, the biases constant."""
    w0, b0, w1, b1 = [values(shape, seed) for seed, shape in enumerate(SHAPES)]
    vectors = (values(SHAPES[0], 5), values(SHAPES[2], 6))
    _, product = torch.autograd.functional.vhp(
        lambda first, second: cost(values((5, 3), 0), first, b0, second, b1), (w0, w1), vectors
    )
    return flat(product)


golden = {
    # Weight decay is of all parameters; its rate is twice the strength of the penalty.
    "l2": trained(lambda network, x: network(x), weight_decay=0.1),
    "l1OfWeights": trained(with_l1),
    "movingAverage": trained(lambda network, x: network(x), average=get_ema_avg_fn(0.7)),
    "mean": trained(lambda network, x: network(x), average=get_swa_avg_fn()),
    "hessianTimesVectors": hessian(),
}
path = pathlib.Path(__file__).with_name("transformations.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
