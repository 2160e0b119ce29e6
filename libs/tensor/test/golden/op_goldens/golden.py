"""What a golden is, and the file that holds those of one topic.

A case is one application of an op: its inputs, its parameters, its outputs, and the gradients of its float inputs for given
gradients of its float outputs. Values are computed in float64 from the inputs as they are stored, and rounded once to the dtype
of the case: they are what an engine should come near to, whatever it rounds on its way.
"""
import hashlib
import json

import mpmath
import numpy
import torch
from safetensors.numpy import save_file

FLOATS = ('float32', 'float64')
mpmath.mp.prec = 200


class Topic:
    """The cases of one file."""

    def __init__(self, name):
        self.name = name
        self.cases = []
        self.tensors = {}
        self.names = {}
        self.ids = set()

    def add(self, op, case, inputs, compute, *, parameters=None, gradients=True, scale=None, exact=None, ulps=None):
        """Adds a case.

        compute: from torch tensors (float64 for floats) to one or to several.
        gradients: False where they are not compared: at kinks, ties and specials.
        scale: how large rounding errors may be judged to be where terms cancel. 'terms' says that the op is linear in each
            input, and takes what it gives for the absolute values; a number is taken as it is.
        exact: (value, derivative) of one element, from and to mpmath numbers, for what torch rounds too coarsely.
        ulps: how many units in the last place of the result, or of the scale where that is larger, an engine may be off; of
            float64 more than of float32, because torch is off too. Default 4 and 16.
        """
        parameters = parameters or {}
        inputs = [numpy.asarray(value) for value in inputs]
        floats = [value.dtype.name for value in inputs if value.dtype.name in FLOATS]
        dtype = floats[0] if floats else parameters.get('dtype', 'float64')
        name = f'{case} {inputs[0].dtype.name}' if inputs else case
        assert (op, name) not in self.ids, f'{op}: {name} twice'
        self.ids.add((op, name))
        found = evaluate(compute, inputs, dtype, gradients)
        if exact is not None:
            replace_exact(found, inputs[0], exact, dtype)
        entry = {
            'op': op,
            'name': name,
            'parameters': parameters,
            'inputs': [self.keep(value) for value in inputs],
            'outputs': [self.keep(value) for value in found['outputs']],
            'ulps': ulps or (4 if dtype == 'float32' else 16),
        }
        if found['gradients'] is not None:
            entry['outputGradients'] = [value if value is None else self.keep(value) for value in found['outputGradients']]
            entry['gradients'] = [value if value is None else self.keep(value) for value in found['gradients']]
        if scale == 'terms':
            sizes = evaluate(compute, [absolute(value) for value in inputs], dtype, gradients, absolute_gradients=True)
            entry['scales'] = [self.keep(absolute(value)) for value in sizes['outputs']]
            if sizes['gradients'] is not None:
                entry['gradientScales'] = [
                    value if value is None else self.keep(absolute(value)) for value in sizes['gradients']
                ]
        elif scale is not None:
            entry['scale'] = scale
        self.cases.append(entry)

    def keep(self, value):
        """The name of a stored array; equal ones are stored once."""
        value = numpy.ascontiguousarray(value).reshape(numpy.shape(value))
        if value.dtype.name in FLOATS:
            value = numpy.where(numpy.isnan(value), numpy.array(numpy.nan, value.dtype), value)
        key = hashlib.sha256(repr((value.dtype.name, value.shape)).encode() + value.tobytes()).hexdigest()
        if key not in self.names:
            self.names[key] = f't{len(self.names)}'
            self.tensors[self.names[key]] = value
        return self.names[key]

    def save(self, folder):
        save_file(self.tensors, folder / f'{self.name}.safetensors', {'cases': json.dumps(self.cases)})
        return len(self.cases)


def evaluate(compute, inputs, dtype, gradients, absolute_gradients=False):
    wide = [wide_tensor(value) for value in inputs]
    outputs = compute(*wide)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    result = {'outputs': [rounded(output, dtype) for output in outputs], 'gradients': None, 'outputGradients': None}
    wrt = [value for value in wide if value.requires_grad]
    roots = [output for output in outputs if output.requires_grad]
    if not gradients or not wrt or not roots:
        return result
    weights = [weights_for(output, at, dtype) if output.requires_grad else None for at, output in enumerate(outputs)]
    seeds = [torch.tensor(weight.astype(numpy.float64)) for weight in weights if weight is not None]
    found = iter(
        torch.autograd.grad(roots, wrt, [seed.abs() if absolute_gradients else seed for seed in seeds], allow_unused=True)
    )
    result['outputGradients'] = weights
    result['gradients'] = []
    for value in wide:
        gradient = next(found) if value.requires_grad else None
        result['gradients'].append(None if gradient is None else rounded(gradient, dtype))
    return result


def wide_tensor(value):
    if value.dtype.name in FLOATS:
        return torch.tensor(value.astype(numpy.float64), requires_grad=True)
    return torch.tensor(value)


def rounded(tensor, dtype):
    value = tensor.detach().numpy()
    with numpy.errstate(over='ignore'):
        return value.astype(dtype) if value.dtype == numpy.float64 else value


def absolute(value):
    return numpy.abs(value) if value.dtype.name in FLOATS else value


def weights_for(output, at, dtype):
    """The gradients handed to an output: all different, none near 0."""
    count = output.numel()
    weights = numpy.cos(numpy.arange(count) * 1.7 + 0.3 + at)
    return numpy.where(numpy.abs(weights) < 0.1, 0.5, weights).astype(dtype).reshape(tuple(output.shape))


def replace_exact(found, x, exact, dtype):
    """Puts correctly rounded values in the place of torch's, after checking that torch is near."""
    value, derivative = exact
    output = found['outputs'][0]
    gradient = found['gradients'][0] if found['gradients'] is not None else None
    weights = found['outputGradients'][0] if gradient is not None else None
    for at in numpy.ndindex(x.shape):
        if not numpy.isfinite(x[at]):
            continue
        point = mpmath.mpf(float(x[at]))
        if not numpy.isnan(output[at]):
            output[at] = checked(lambda: value(point), output[at], dtype)
        if gradient is not None and not numpy.isnan(gradient[at]):
            weight = mpmath.mpf(float(weights[at]))
            gradient[at] = checked(lambda: derivative(point) * weight, gradient[at], dtype)


def checked(exact, approximate, dtype):
    try:
        value = float(exact())
    except (ZeroDivisionError, ValueError):
        return approximate  # A pole, of which mpmath has no value.
    with numpy.errstate(over='ignore'):
        result = numpy.array(value).astype(dtype)[()]
    near = numpy.isclose(float(result), float(approximate), rtol=1e-5, atol=1e-6) or not numpy.isfinite(result)
    assert near, f'{result} is not near {approximate}'
    return result


def grid(shape, start=-2.0, stop=2.0, step=0.0625, offset=0):
    """Different values in a scrambled order, exact in float32: multiples of `step`, shifted away from 0 and from one another."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    room = int((stop - start) / step)
    order = (numpy.arange(count) * 37 + 11 + offset * 17) % max(room, 1)
    return (start + step * order + step / 4 * (1 + offset % 3)).reshape(shape)


def specials(dtype):
    """NaN, infinities, zeros, the smallest and the largest, and some that are none of these."""
    info = numpy.finfo(dtype)
    values = [numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, float(info.max), float(-info.max)]
    values += [float(info.tiny), float(-info.tiny), float(info.smallest_subnormal) * 5, float(info.tiny) / 3]
    return numpy.array(values, dtype)
