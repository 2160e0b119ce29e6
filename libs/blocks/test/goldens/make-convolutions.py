"""Writes convolutions.json: outputs and gradients of convolutions and poolings by PyTorch, in float64.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python make-convolutions.py

Made with torch 2.13.0+cpu.
"""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.set_num_threads(1)


def values(shape, seed):
    count = 1
    for size in shape:
        count *= size
    return torch.sin(torch.arange(count, dtype=torch.float64) * 1.3 + seed).reshape(shape).requires_grad_()


def flipped(W):
    """The original convolves; PyTorch correlates."""
    return W.flip((2, 3))


def case(kind, options, x_shape, W_shape, b_shape, compute):
    x = values(x_shape, 0)
    W = None if W_shape is None else values(W_shape, 1)
    b = None if b_shape is None else values(b_shape, 2)
    output = compute(x, W, b)
    weights = values(tuple(output.shape), 3).detach()
    wanted = [one for one in (x, W, b) if one is not None]
    gradients = torch.autograd.grad((output * weights).sum(), wanted)
    return {
        'kind': kind,
        'options': options,
        'input': list(x_shape),
        'W': None if W is None else list(W_shape),
        'b': None if b is None else list(b_shape),
        'shape': list(output.shape),
        'output': output.detach().ravel().tolist(),
        'gradients': [gradient.ravel().tolist() for gradient in gradients],
    }


def conv(options, x_shape, b_shape=None, **how):
    rows, columns = options['filterSize']
    groups = options.get('numGroups', 1)
    W_shape = (options['numFilters'], options['numChannels'] // groups, rows, columns)
    tied = options.get('tiedBiases', True)
    b_shape = b_shape or (options['numFilters'],)

    def compute(x, W, b):
        output = F.conv2d(x, flipped(W), groups=groups, **how)
        return output + (b[None, :, None, None] if tied else b[None])

    return case('Convolutional', options, x_shape, W_shape, b_shape, compute)


def transposed(options, x_shape, **how):
    rows, columns = options['filterSize']
    W_shape = (options['numChannels'], options['numFilters'], rows, columns)

    def compute(x, W, b):
        return F.conv_transpose2d(x, flipped(W), bias=b, **how)

    return case('ConvolutionalTranspose', options, x_shape, W_shape, (options['numFilters'],), compute)


def pool(kind, options, x_shape, compute):
    return case(kind, options, x_shape, None, None, lambda x, W, b: compute(x))


BASE = {'numFilters': 4, 'numChannels': 2, 'filterSize': [3, 2]}
CASES = [
    conv(BASE, (2, 2, 5, 6)),
    conv({**BASE, 'borderMode': 'full'}, (2, 2, 4, 5), padding=(2, 1)),
    conv({**BASE, 'borderMode': 'half', 'filterSize': [3, 5]}, (1, 2, 5, 6), padding=(1, 2)),
    conv({**BASE, 'borderMode': [1, 2], 'step': [2, 3]}, (2, 2, 6, 7), padding=(1, 2), stride=(2, 3)),
    conv({**BASE, 'dilation': 2}, (1, 2, 7, 6), dilation=2),
    conv({**BASE, 'numGroups': 2}, (2, 2, 5, 4)),
    conv({**BASE, 'tiedBiases': False, 'imageSize': [5, 4]}, (2, 2, 5, 4), b_shape=(4, 3, 3)),
    transposed(BASE, (2, 2, 3, 4)),
    transposed({**BASE, 'step': 2, 'borderMode': [1, 0], 'unusedEdge': [1, 0]}, (2, 2, 3, 4), stride=2, padding=(1, 0), output_padding=(1, 0)),
    transposed({**BASE, 'step': 2, 'originalImageSize': [8, 8], 'imageSize': [3, 4]}, (1, 2, 3, 4), stride=2, output_padding=(1, 0)),
    pool('MaxPooling', {'poolingSize': [2, 3]}, (2, 2, 5, 7), lambda x: F.max_pool2d(x, (2, 3))),
    pool('MaxPooling', {'poolingSize': 3, 'step': 2, 'padding': 1}, (1, 2, 6, 5), lambda x: F.max_pool2d(x, 3, 2, 1)),
    pool('MaxPooling', {'poolingSize': 2, 'ignoreBorder': False}, (1, 1, 5, 3), lambda x: F.max_pool2d(x, 2, ceil_mode=True)),
    pool('AveragePooling', {'poolingSize': [2, 1]}, (2, 2, 5, 3), lambda x: F.avg_pool2d(x, (2, 1))),
    pool(
        'AveragePooling',
        {'poolingSize': 3, 'step': 2, 'padding': 1},
        (1, 2, 5, 6),
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    ),
    pool(
        'AveragePooling',
        {'poolingSize': 3, 'step': 2, 'padding': 1, 'includePadding': True},
        (1, 2, 5, 6),
        lambda x: F.avg_pool2d(x, 3, 2, 1),
    ),
]


if __name__ == '__main__':
    path = pathlib.Path(__file__).with_name('convolutions.json')
    path.write_text(json.dumps(CASES) + '\n')
