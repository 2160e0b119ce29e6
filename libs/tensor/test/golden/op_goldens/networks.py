"""Goldens of the ops of neural networks: costs, convolution, pooling, normalization."""
import numpy
import torch
from torch.nn import functional

from .golden import FLOATS, Topic, grid


def networks():
    topic = Topic('networks')
    for dtype in FLOATS:
        costs(topic, dtype)
        convolutions(topic, dtype)
        pools(topic, dtype)
        normalizations(topic, dtype)
    return topic


def costs(topic, dtype):
    logits = grid((4, 3)).astype(dtype)
    labels = numpy.array([0, 2, 1, 2])
    probabilities = torch.softmax(torch.tensor(logits), -1).numpy()
    taken = lambda x, at: torch.take_along_dim(x, at.unsqueeze(-1), -1).squeeze(-1)
    topic.add('categoricalCrossEntropy', 'labels', [probabilities, labels], lambda p, at: -torch.log(taken(p, at)))
    topic.add('categoricalCrossEntropy', 'empty', [probabilities[:0], labels[:0]], lambda p, at: -torch.log(taken(p, at)))
    targets = torch.softmax(torch.tensor(grid((4, 3), offset=1)), -1).numpy().astype(dtype)
    distributions = lambda p, t: -(t * torch.log(p)).sum(-1)
    topic.add('categoricalCrossEntropy of distributions', 'rows', [probabilities, targets], distributions)
    softmax = lambda x, at: functional.cross_entropy(x, at, reduction='none')
    tails = numpy.array([[0, 120, -5], [-200, 200, 0], [1000, 0, 0]], dtype)
    topic.add('softmaxCrossEntropy', 'rows', [logits, labels], softmax, scale=1)
    topic.add('softmaxCrossEntropy', 'tails', [tails, labels[:3]], softmax, scale=1)
    topic.add('softmaxCrossEntropy', 'empty', [logits[:0], labels[:0]], softmax)
    # Theano rewrote it: cross-entropy of probabilities that come from a softmax.
    topic.add('categoricalCrossEntropy of softmax', 'rows', [logits, labels], softmax, scale=1)
    topic.add('categoricalCrossEntropy of softmax', 'tails', [tails, labels[:3]], softmax, scale=1)
    p = numpy.array([1e-30, 1e-5, 0.25, 0.5, 0.75, 0.96875], dtype)
    t = numpy.array([1, 0, 0.25, 1, 0, 0.5], dtype)
    binary = lambda p, t: -(t * torch.log(p) + (1 - t) * torch.log1p(-p))
    topic.add('binaryCrossEntropy', 'values', [p, t], binary, scale=1)
    topic.add('binaryCrossEntropy', 'broadcast', [p[2:].reshape(2, 2), t[2:3]], binary, scale=4)
    x = numpy.array([-86, -30, -3, 0.25, 4, 30, 86], dtype)
    t = numpy.array([1, 0, 0.25, 1, 0, 0.5, 1], dtype)
    of_logits = lambda x, t: functional.binary_cross_entropy_with_logits(x, t, reduction='none')
    topic.add('binaryCrossEntropy of logistic', 'tails', [x, t], of_logits, scale=1)


def convolutions(topic, dtype):
    # image, filters, border (rows and columns), strides, dilation, groups, whether filters are flipped
    cases = [
        ((1, 1, 5, 6), (2, 1, 3, 3), 'valid', (1, 1), (1, 1), 1, False),
        ((2, 3, 5, 6), (4, 3, 3, 2), 'valid', (1, 1), (1, 1), 1, False),
        ((2, 3, 5, 6), (4, 3, 3, 2), 'valid', (1, 1), (1, 1), 1, True),
        ((2, 2, 5, 6), (3, 2, 3, 3), 'half', (1, 1), (1, 1), 1, False),
        ((2, 2, 4, 5), (3, 2, 3, 2), 'full', (1, 1), (1, 1), 1, True),
        ((2, 2, 7, 8), (3, 2, 3, 3), (2, 1), (2, 3), (1, 1), 1, False),
        ((1, 2, 8, 9), (2, 2, 3, 2), (1, 0), (1, 2), (2, 3), 1, True),
        ((2, 4, 5, 5), (6, 2, 3, 3), 'half', (1, 1), (1, 1), 2, False),
        ((1, 3, 5, 5), (3, 1, 3, 3), (1, 1), (2, 2), (1, 1), 3, True),
        ((0, 2, 5, 5), (3, 2, 3, 3), 'valid', (1, 1), (1, 1), 1, False),
        ((1, 1, 1, 1), (1, 1, 1, 1), 'valid', (1, 1), (1, 1), 1, False),
        ((2, 2, 6, 6), (3, 2, 2, 2), 'valid', (3, 3), (1, 1), 1, False),
    ]
    for image, filters, border, strides, dilation, groups, flipped in cases:
        reach = [(size - 1) * apart + 1 for size, apart in zip(filters[2:], dilation)]
        padding = {'valid': (0, 0), 'half': tuple(size // 2 for size in reach), 'full': tuple(size - 1 for size in reach)}.get(border, border)
        compute = lambda x, w: functional.conv2d(x, w.flip(2, 3) if flipped else w, None, strides, padding, dilation, groups)
        parameters = {'border': border, 'strides': strides, 'dilation': dilation, 'groups': groups, 'flipFilters': flipped}
        name = f'{image} {filters} {border} strides {strides} dilation {dilation} groups {groups}{" flipped" if flipped else ""}'
        topic.add('conv2d', name, [grid(image).astype(dtype), grid(filters, offset=1).astype(dtype)], compute, parameters=parameters, scale='terms')
    # image, filters (in, out / groups, rows, columns), padding, strides, dilation, output padding, groups
    cases = [
        ((2, 3, 4, 4), (3, 2, 3, 3), (0, 0), (1, 1), (1, 1), (0, 0), 1),
        ((1, 2, 3, 4), (2, 3, 3, 2), (1, 0), (2, 3), (1, 1), (1, 0), 1),
        ((2, 2, 3, 3), (2, 1, 3, 3), (1, 1), (2, 2), (1, 1), (1, 1), 2),
        ((1, 2, 4, 4), (2, 2, 2, 2), (0, 0), (1, 1), (2, 2), (0, 0), 1),
        ((0, 3, 4, 4), (3, 2, 3, 3), (0, 0), (1, 1), (1, 1), (0, 0), 1),
    ]
    for image, filters, padding, strides, dilation, extra, groups in cases:
        compute = lambda x, w: functional.conv_transpose2d(x, w, None, strides, padding, extra, groups, dilation)
        parameters = {'padding': padding, 'strides': strides, 'dilation': dilation, 'outputPadding': extra, 'groups': groups}
        name = f'{image} {filters} padding {padding} strides {strides} dilation {dilation} groups {groups}'
        topic.add('conv2dTranspose', name, [grid(image).astype(dtype), grid(filters, offset=1).astype(dtype)], compute, parameters=parameters, scale='terms')


def pools(topic, dtype):
    # image, size, strides, padding, whether what does not fill a window is ignored
    cases = [
        ((1, 1, 4, 4), (2, 2), (2, 2), (0, 0), True),
        ((2, 3, 5, 6), (2, 3), (2, 3), (0, 0), True),
        ((2, 3, 5, 7), (2, 3), (2, 3), (0, 0), False),
        ((2, 2, 5, 6), (3, 2), (1, 1), (0, 0), True),
        ((2, 2, 5, 6), (3, 3), (2, 2), (1, 1), True),
        ((0, 2, 4, 4), (2, 2), (2, 2), (0, 0), True),
        ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0), True),
    ]
    for image, size, strides, padding, ignored in cases:
        x = grid(image).astype(dtype)
        parameters = {'size': size, 'strides': strides, 'padding': padding, 'ignoreBorder': ignored}
        name = f'{image} {size} strides {strides} padding {padding}{"" if ignored else " with border"}'
        compute = lambda x: functional.max_pool2d(x, size, strides, padding, 1, not ignored)
        topic.add('maxPool2d', name, [x], compute, parameters=parameters, scale=2)
        for counted in (True, False):
            if padding == (0, 0) and not counted:
                continue
            compute = lambda x: functional.avg_pool2d(x, size, strides, padding, not ignored, counted)
            known = {**parameters, 'countPadding': counted}
            topic.add('averagePool2d', f'{name}{"" if counted else " not counted"}', [x], compute, parameters=known, scale='terms')
    special = numpy.array([[[[numpy.nan, 1, -numpy.inf, -numpy.inf], [2, 3, -numpy.inf, -numpy.inf]]]], dtype)
    parameters = {'size': (2, 2), 'strides': (2, 2), 'padding': (0, 0), 'ignoreBorder': True}
    topic.add('maxPool2d', 'specials', [special], lambda x: functional.max_pool2d(x, 2), parameters=parameters, gradients=False)


def normalizations(topic, dtype):
    epsilon = 1e-3
    for shape in [(4, 3), (2, 3, 2, 2), (0, 3), (1, 1)]:
        axes = tuple(axis for axis in range(len(shape)) if axis != 1)
        parameters = {'axes': axes, 'epsilon': epsilon}
        channel = [size if axis == 1 else 1 for axis, size in enumerate(shape)]
        x, gamma, beta = grid(shape).astype(dtype), grid(channel, 0.5, 1.5, offset=1).astype(dtype), grid(channel, offset=2).astype(dtype)
        mean, variance = grid(channel, -1, 1).astype(dtype), grid(channel, 0.5, 2).astype(dtype)
        given = lambda x, gamma, beta, mean, variance: (x - mean) * gamma / torch.sqrt(variance + epsilon) + beta
        topic.add('batchNormalization', f'{shape}', [x, gamma, beta, mean, variance], given, parameters=parameters, scale=16)
        if shape[0] > 1:
            batch = lambda x, gamma, beta: given(x, gamma, beta, x.mean(axes, True), x.var(axes, correction=0, keepdim=True))
            topic.add('batchNormalization of the batch', f'{shape}', [x, gamma, beta], batch, parameters=parameters, scale=16)
    for shape in [(4, 3), (2, 3, 4), (0, 3), (5,)]:
        gamma, beta = grid(shape[-1:], 0.5, 1.5, offset=1).astype(dtype), grid(shape[-1:], offset=2).astype(dtype)
        compute = lambda x, gamma, beta: functional.layer_norm(x, shape[-1:], gamma, beta, epsilon)
        topic.add('layerNormalization', f'{shape}', [grid(shape).astype(dtype), gamma, beta], compute, parameters={'epsilon': epsilon}, scale=16)
