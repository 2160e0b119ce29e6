"""Writes batch-normalization.json: outputs and gradients of batch normalization by PyTorch, in float64.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch
    /tmp/venv/bin/python make-batch-normalization.py

Made with torch 2.13.0+cpu.
"""
import json
import pathlib

import torch
from torch.nn import functional as F

EPSILON = 1e-2


def values(shape, seed):
    count = 1
    for size in shape:
        count *= size
    return torch.sin(torch.arange(count, dtype=torch.float64) * 1.3 + seed).reshape(shape).requires_grad_()


def case(name, shape):
    channels = shape[1]
    x, scale, shift = values(shape, 0), values((channels,), 1), values((channels,), 2)
    trained = F.batch_norm(x, None, None, scale, shift, training=True, eps=EPSILON)
    weights = values(shape, 3).detach()
    gradients = torch.autograd.grad((trained * weights).sum(), [x, scale, shift])
    # PyTorch has a running variance, to which it adds epsilon; the original has a running standard deviation.
    mean, stdev = values((channels,), 4).detach(), values((channels,), 5).detach().abs() + 0.5
    evaluated = F.batch_norm(x, mean, stdev**2, scale, shift, training=False, eps=0)
    axes = [0, *range(2, len(shape))]
    return {
        'name': name,
        'shape': list(shape),
        'trained': trained.detach().ravel().tolist(),
        'gradients': [gradient.ravel().tolist() for gradient in gradients],
        'evaluated': evaluated.detach().ravel().tolist(),
        'mean': x.detach().mean(axes).tolist(),
        'stdev': (x.detach().var(axes, unbiased=False) + EPSILON).sqrt().tolist(),
    }


if __name__ == '__main__':
    path = pathlib.Path(__file__).with_name('batch-normalization.json')
    path.write_text(json.dumps([case('BatchNormalization', (5, 3)), case('SpatialBatchNormalization', (2, 3, 4, 2))]) + '\n')
