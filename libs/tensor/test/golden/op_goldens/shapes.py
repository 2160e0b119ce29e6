"""Goldens of the ops that move elements: shapes, joins, slices, indices."""
import numpy
import torch

from .golden import FLOATS, Topic, grid, specials

DTYPES = (*FLOATS, 'int32', 'int64', 'uint8', 'bool')


def values(shape, dtype, offset=0):
    value = grid(shape, offset=offset)
    return (value > 0 if dtype == 'bool' else numpy.abs(value * 16) if dtype == 'uint8' else value * 16).astype(dtype)


def shapes():
    topic = Topic('shapes')
    moves(topic)
    repeats(topic)
    joins(topic)
    creators(topic)
    return topic


def moves(topic):
    cases = {
        'reshape': [
            ((2, 3), {'shape': [3, 2]}),
            ((2, 3), {'shape': [-1]}),
            ((6,), {'shape': [1, -1, 2]}),
            ((1,), {'shape': []}),
            ((), {'shape': [1, 1]}),
            ((0, 3), {'shape': [3, 0]}),
            ((0, 3), {'shape': [0]}),
        ],
        'flatten': [((2, 3), {'ndim': 1}), ((2, 1, 3), {'ndim': 2}), ((), None), ((0, 3), {'ndim': 1}), ((4,), {'ndim': 1})],
        'transpose': [
            ((2, 3), {'axes': [1, 0]}),
            ((2, 1, 3), {'axes': [2, 0, 1]}),
            ((2, 3, 1, 2), {'axes': [3, 1, 0, 2]}),
            ((0, 3), {'axes': [1, 0]}),
            ((4,), {'axes': [0]}),
            ((2, 1, 2, 1, 3, 2), {'axes': [5, 3, 1, 0, 2, 4]}),
        ],
        'dimshuffle': [
            ((3,), {'order': ['x', 0]}),
            ((2, 3), {'order': [1, 'x', 0]}),
            ((2, 1), {'order': [0]}),
            ((1, 1), {'order': []}),
            ((), {'order': ['x', 'x']}),
            ((0, 1, 2), {'order': [2, 0]}),
        ],
        'expandDims': [((2, 3), {'axis': 0}), ((2, 3), {'axis': -1}), ((), {'axis': 0}), ((0,), {'axis': 1}), ((2, 3), {'axis': 1})],
        'squeeze': [((2, 1, 3), {'axis': 1}), ((1, 1), {'axis': -1}), ((1, 0), {'axis': 0}), ((1,), {'axis': 0})],
        'broadcastTo': [
            ((3,), {'shape': [2, 3]}),
            ((2, 1), {'shape': [2, 3]}),
            ((), {'shape': [2, 2]}),
            ((1, 3), {'shape': [0, 3]}),
            ((1,), {'shape': [1]}),
        ],
        'roll': [((5,), {'shift': 2, 'axis': 0}), ((2, 3), {'shift': -1, 'axis': 1}), ((2, 3), {'shift': 7, 'axis': -1}), ((0,), {'shift': 1, 'axis': 0})],
        'flip': [((5,), {'axis': 0}), ((2, 3), {'axis': 1}), ((2, 3), {'axis': -2}), ((0, 2), {'axis': 0}), ((1,), {'axis': 0})],
        'pad': [
            ((3,), {'padding': [[1, 2]], 'value': 0}),
            ((2, 3), {'padding': [[0, 1], [2, 0]], 'value': 1}),
            ((2, 0), {'padding': [[0, 0], [1, 1]], 'value': 0}),
            ((1, 1), {'padding': [[0, 0], [0, 0]], 'value': 0}),
        ],
        'tril': [((3, 3), {'offset': 0}), ((2, 4), {'offset': 1}), ((4, 2), {'offset': -1}), ((0, 2), {'offset': 0})],
        'triu': [((3, 3), {'offset': 0}), ((2, 4), {'offset': 1}), ((4, 2), {'offset': -1}), ((0, 2), {'offset': 0})],
        'diag': [((3,), {'offset': 0}), ((2,), {'offset': 1}), ((3, 3), {'offset': 0}), ((2, 4), {'offset': 1}), ((3, 2), {'offset': -1}), ((1, 1), {'offset': 0})],
        'zerosLike': [((2, 3), None), ((), None), ((0, 2), None)],
        'onesLike': [((2, 3), None), ((), None), ((0, 2), None)],
    }
    computes = {
        'reshape': lambda x, shape: x.reshape(shape),
        'flatten': lambda x, ndim=1: x.reshape(*x.shape[: ndim - 1], int(numpy.prod(x.shape[ndim - 1 :]))),
        'transpose': lambda x, axes: x.permute(axes),
        'dimshuffle': dimshuffle,
        'expandDims': lambda x, axis: x.unsqueeze(axis),
        'squeeze': lambda x, axis: x.squeeze(axis),
        'broadcastTo': lambda x, shape: x.broadcast_to(shape),
        'roll': lambda x, shift, axis: torch.roll(x, shift, axis),
        'flip': lambda x, axis: torch.flip(x, [axis]),
        'pad': lambda x, padding, value: torch.nn.functional.pad(x, [one for pair in padding[::-1] for one in pair], value=value),
        'tril': lambda x, offset: torch.tril(x, offset),
        'triu': lambda x, offset: torch.triu(x, offset),
        'diag': lambda x, offset: torch.diag(x, offset),
        'zerosLike': torch.zeros_like,
        'onesLike': torch.ones_like,
    }
    for op, compute in computes.items():
        for dtype in DTYPES:
            for shape, parameters in cases[op]:
                # Flags are padded with flags.
                known = {**(parameters or {}), **({'value': bool(parameters['value'])} if op == 'pad' and dtype == 'bool' else {})}
                apply = lambda x: compute(x, **known)
                topic.add(op, f'{shape} {known}', [values(shape, dtype)], apply, parameters=known, scale='terms')
    for dtype in FLOATS:
        for mode in ('edge', 'reflect'):
            for shape, padding in [((4,), [[2, 1]]), ((3, 4), [[0, 2], [3, 0]]), ((3, 1), [[1, 1], [0, 0]])]:
                # An array of positions, padded, says which element stands where.
                where = torch.tensor(numpy.pad(numpy.arange(int(numpy.prod(shape))).reshape(shape), padding, mode))
                compute = lambda x: x.flatten()[where]
                parameters = {'padding': padding, 'mode': mode}
                topic.add('pad with what is there', f'{shape} {padding} {mode}', [values(shape, dtype)], compute, parameters=parameters, scale='terms')
        # What is moved is not computed with.
        for op, parameters in [('reshape', {'shape': [5, 3]}), ('flip', {'axis': 0}), ('pad', {'padding': [[1, 1]], 'value': 0})]:
            apply = lambda x: computes[op](x, **parameters)
            topic.add(op, 'specials', [specials(dtype)], apply, parameters=parameters)
        for parameters in ({'offset': 0},):
            topic.add('tril', 'specials', [specials(dtype).reshape(5, 3)], torch.tril, parameters=parameters)


def dimshuffle(x, order):
    kept = [axis for axis in order if axis != 'x']
    lost = [axis for axis in range(x.ndim) if axis not in kept]
    x = x.permute([*kept, *lost]).reshape([x.shape[axis] for axis in kept])
    for at, axis in enumerate(order):
        if axis == 'x':
            x = x.unsqueeze(at)
    return x


def repeats(topic):
    for dtype in DTYPES:
        for shape, times, axis in [((3,), 2, 0), ((2, 3), 3, 1), ((2, 3), 1, -2), ((0, 2), 2, 1), ((2,), 0, 0)]:
            parameters = {'repeats': times, 'axis': axis}
            compute = lambda x: torch.repeat_interleave(x, times, axis)
            topic.add('repeat', f'{shape} {parameters}', [values(shape, dtype)], compute, parameters=parameters, scale='terms')
        for shape, times in [((3,), [2]), ((2, 3), [3, 2]), ((3,), [2, 1]), ((0, 2), [2, 2]), ((2, 1), [1, 3])]:
            compute = lambda x: torch.tile(x, times)
            topic.add('tile', f'{shape} {times}', [values(shape, dtype)], compute, parameters={'repeats': times}, scale='terms')
        for first, second in [((2, 3), (2, 3)), ((2, 3), ()), ((2, 3), (1, 3)), ((0, 3), (3,)), ((1,), (1,))]:
            compute = lambda like, value: torch.broadcast_to(value, like.shape)
            inputs = [values(first, dtype), values(second, dtype, 1)]
            topic.add('fill', f'{first} {second}', inputs, compute, scale='terms')


def joins(topic):
    for dtype in DTYPES:
        for parts, axis in [([(2, 3), (1, 3)], 0), ([(2, 3), (2, 1), (2, 2)], 1), ([(0,), (3,)], -1), ([(2, 0), (2, 0)], 1), ([(2,)], 0), ([(2, 1, 3), (2, 2, 3)], -2)]:
            inputs = [values(shape, dtype, at) for at, shape in enumerate(parts)]
            compute = lambda *given: torch.cat(given, axis)
            topic.add('concatenate', f'{parts} along {axis}', inputs, compute, parameters={'axis': axis})
        for count, shape, axis in [(2, (3,), 0), (3, (2, 3), -1), (2, (), 0), (1, (2,), 1), (2, (0, 2), 1)]:
            inputs = [values(shape, dtype, at) for at in range(count)]
            compute = lambda *given: torch.stack(given, axis)
            topic.add('stack', f'{count} of {shape} along {axis}', inputs, compute, parameters={'axis': axis})
        for shape, sizes, axis in [((5,), [2, 3], 0), ((2, 4), [1, 0, 3], 1), ((4, 2), [4], 0), ((2, 3), [1, 1, 1], -1)]:
            compute = lambda x: torch.split(x, sizes, axis)
            topic.add('split', f'{shape} {sizes} along {axis}', [values(shape, dtype)], compute, parameters={'sizes': sizes, 'axis': axis})


def creators(topic):
    for dtype in DTYPES[:-1]:
        for start, stop, step in [(0, 5, 1), (2, 9, 3), (5, 0, -2), (3, 3, 1)]:
            if dtype == 'uint8' and step < 0:
                continue
            found = torch.tensor(numpy.arange(start, stop, step).astype(dtype))
            topic.add('arange', f'{dtype} {start} {stop} {step}', [], lambda: found, parameters={'start': start, 'stop': stop, 'step': step, 'dtype': dtype})
        for rows, columns, offset in [(3, 3, 0), (2, 4, 1), (4, 2, -1), (0, 2, 0), (1, 1, 0)]:
            found = torch.tensor(numpy.eye(rows, columns, offset).astype(dtype))
            topic.add('eye', f'{dtype} {rows} {columns} {offset}', [], lambda: found, parameters={'rows': rows, 'columns': columns, 'offset': offset, 'dtype': dtype})
        for op, make in {'zeros': numpy.zeros, 'ones': numpy.ones}.items():
            for shape in [(), (2, 3), (0, 2)]:
                found = torch.tensor(make(shape, dtype))
                topic.add(op, f'{dtype} {shape}', [], lambda: found, parameters={'shape': list(shape), 'dtype': dtype})
