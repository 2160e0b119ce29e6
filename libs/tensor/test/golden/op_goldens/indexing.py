"""Goldens of slices, indices, and what is written at them."""
import numpy
import torch

from .golden import FLOATS, Topic
from .shapes import DTYPES, values


def indexing():
    topic = Topic('indexing')
    slices(topic)
    indices(topic)
    writes(topic)
    return topic


def sliced(x, axis, start, stop, step):
    where = numpy.arange(x.shape[axis])[slice(start, stop, step)].copy()
    return torch.index_select(x, axis, torch.tensor(where, dtype=torch.int64))


def slices(topic):
    plain = [((5,), 1, 4, 0), ((3, 4), 0, 2, 1), ((3, 4), 2, 9, 0), ((2, 3), 3, 5, -1), ((0, 3), 0, 0, 0), ((2, 0), 1, 2, 0), ((1, 1), 0, 1, 1)]
    stepped = [
        ((7,), 1, 6, 2, 0),
        ((7,), None, None, -1, 0),
        ((7,), -3, None, 1, 0),
        ((7,), None, -2, 1, 0),
        ((7,), 5, 1, -2, 0),
        ((3, 5), -1, -6, -2, 1),
        ((3, 5), None, None, 3, -1),
        ((3, 5), 4, 1, 1, 1),
        ((0, 2), None, None, -1, 0),
        ((3, 5), -100, 100, 1, 1),
    ]
    for dtype in DTYPES:
        for shape, start, stop, axis in plain:
            compute = lambda x: sliced(x, axis, start, stop, 1)
            parameters = {'start': start, 'stop': stop, 'axis': axis}
            topic.add('slice', f'{shape} {start}:{stop} along {axis}', [values(shape, dtype)], compute, parameters=parameters)
        for shape, start, stop, step, axis in stepped:
            compute = lambda x: sliced(x, axis, start, stop, step)
            parameters = {'start': start, 'stop': stop, 'step': step, 'axis': axis}
            topic.add('slice with steps', f'{shape} {start}:{stop}:{step} along {axis}', [values(shape, dtype)], compute, parameters=parameters)
        for shape, at, axis in [((5,), 0, 0), ((3, 4), -1, 1), ((3, 4), 2, 0), ((1,), 0, 0), ((2, 0), 1, 0)]:
            compute = lambda x: x.select(axis, at)
            topic.add('index', f'{shape} {at} along {axis}', [values(shape, dtype)], compute, parameters={'index': at, 'axis': axis})


def int64(entries):
    return numpy.array(entries, numpy.int64)


def indices(topic):
    for dtype in DTYPES:
        for shape, where, axis in [
            ((5,), [0, 4, 4, -1], 0),
            ((3, 4), [[0, 2], [1, 1]], 0),
            ((3, 4), [3, 0, 0], 1),
            ((3, 4), 1, -1),
            ((3, 4), [], 0),
            ((2, 0), [1, 1], 0),
            ((1,), [0], 0),
        ]:
            compute = lambda x, at: take(x, at, axis)
            inputs = [values(shape, dtype), int64(where)]
            topic.add('take', f'{shape} {where} along {axis}', inputs, compute, parameters={'axis': axis}, scale='terms')
        for shape, where, axis in [((2, 3), [[0, 2], [1, 0]], 1), ((3, 2), [[0, 2], [1, 2]], 0), ((4,), [3, 3, 0], 0)]:
            compute = lambda x, at: torch.take_along_dim(x, at, axis)
            inputs = [values(shape, dtype), int64(where)]
            topic.add('takeAlongAxis', f'{shape} {where} along {axis}', inputs, compute, parameters={'axis': axis}, scale='terms')
        for shape, where, axis in [((2, 3), [[0, 2], [1, 0]], 1), ((3, 2), [[0, -1], [1, 0]], 0), ((4,), [3, 0], 0), ((2, 0), [[], []], 1), ((2, 3), [[0], [-1]], -1)]:
            at = int64(where)
            inputs = [values(shape, dtype), at, values(at.shape, dtype, 1)]
            for mode, put in (('set', torch.scatter), ('add', torch.scatter_add)):
                if mode == 'add' and dtype == 'bool':
                    continue
                compute = lambda x, at, value: put(x, axis, at % max(x.shape[axis], 1), value)
                parameters = {'axis': axis, 'mode': mode}
                topic.add('putAlongAxis', f'{shape} {where} along {axis}, {mode}', inputs, compute, parameters=parameters, scale='terms')
        for shape, rows, columns in [((3, 4), [0, 2, 2], [1, 3, 3]), ((3, 4), [[0], [1]], [[0, -1]]), ((3, 4), [], []), ((2, 3, 2), [1, 0], [-1, 2])]:
            compute = lambda x, first, second: x[first, second]
            inputs = [values(shape, dtype), int64(rows), int64(columns)]
            topic.add('advancedIndex', f'{shape} {rows} {columns}', inputs, compute, scale='terms')
        for shape, labels in [((2, 3), [0, 2]), ((2, 3), [-1, 1]), ((2, 2, 3), [[0, 1], [2, 2]]), ((0, 3), []), ((1, 1), [0]), ((4,), 2)]:
            compute = lambda x, at: torch.take_along_dim(x, (at % x.shape[-1]).unsqueeze(-1), -1).squeeze(-1)
            topic.add('pick', f'{shape} {labels}', [values(shape, dtype), int64(labels)], compute)
    for labels, depth in [([0, 2, 1], 3), ([[0], [1]], 2), (1, 3), ([], 3), ([0, 0], 1), ([-1, 5, 3], 4)]:
        compute = lambda at: (torch.arange(depth) == torch.where(at < 0, at + depth, at).unsqueeze(-1)).to(torch.float32)
        topic.add('oneHot', f'{labels} of {depth}', [int64(labels)], compute, parameters={'depth': depth})


def take(x, at, axis):
    axis = axis % x.ndim
    flat = at.reshape(-1) % max(x.shape[axis], 1)
    return torch.index_select(x, axis, flat).reshape(*x.shape[:axis], *at.shape, *x.shape[axis + 1 :])


def writes(topic):
    for dtype in DTYPES[:-1]:
        for shape, part, start, stop, step, axis in [
            ((5,), (2,), 1, 3, 1, 0),
            ((3, 4), (3, 2), 1, 4, 2, 1),
            ((3, 4), (), 0, 2, 1, 0),
            ((3, 4), (4,), 0, 1, 1, 0),
            ((4,), (4,), None, None, -1, 0),
            ((3, 4), (0, 4), 2, 2, 1, 0),
        ]:
            parameters = {'start': start, 'stop': stop, 'step': step, 'axis': axis}
            inputs = [values(shape, dtype), values(part, dtype, 1)]
            for op, accumulate in (('setSubtensor', False), ('incSubtensor', True)):
                compute = lambda x, value: write(x, value, axis, numpy.arange(shape[axis])[slice(start, stop, step)].copy(), accumulate)
                topic.add(op, f'{shape} {part} {start}:{stop}:{step} along {axis}', inputs, compute, parameters=parameters, scale='terms')
        # Each index once, for of a place that is written twice it is not said which one stays.
        for shape, part, where in [((4,), (2,), [3, 0]), ((3, 2), (2, 2), [0, -1]), ((3, 2), (2,), [1, 2]), ((3,), (0,), [])]:
            inputs = [values(shape, dtype), values(part, dtype, 1), int64(where)]
            compute = lambda x, value, at: write(x, value, 0, at % x.shape[0], False)
            topic.add('setSubtensor at indices', f'{shape} {part} {where}', inputs, compute, scale='terms')
        for shape, part, where in [((4,), (3,), [3, 0, 3]), ((3, 2), (3, 2), [0, -1, 2]), ((3, 2), (2,), [1, 1]), ((3,), (0,), []), ((2, 2), (), [1])]:
            inputs = [values(shape, dtype), values(part, dtype, 1), int64(where)]
            compute = lambda x, value, at: write(x, value, 0, at % x.shape[0], True)
            topic.add('incSubtensor at indices', f'{shape} {part} {where}', inputs, compute, scale='terms')
        for shape, part, where, axis in [((4,), (3,), [3, 0, 3], 0), ((3, 2), (3, 4), [0, 1, 1, 0], 1), ((2, 3), (0, 3), [], 0), ((1,), (2,), [0, 0], 0)]:
            inputs = [values(shape, dtype), int64(where), values(part, dtype, 1)]
            compute = lambda x, at, value: torch.index_add(x, axis, at, value)
            topic.add('scatterAdd', f'{shape} {part} {where} along {axis}', inputs, compute, parameters={'axis': axis}, scale='terms')


def write(x, value, axis, where, accumulate):
    where = torch.as_tensor(where, dtype=torch.int64)
    shape = [len(where) if at == axis % x.ndim else size for at, size in enumerate(x.shape)]
    value = torch.broadcast_to(value, shape)
    return torch.index_add(x, axis, where, value) if accumulate else torch.index_copy(x, axis, where, value)
