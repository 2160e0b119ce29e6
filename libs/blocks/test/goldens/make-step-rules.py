"""Writes step-rules.json: parameters after each of some steps, by PyTorch where it has the rule, else by the papers' formulas in NumPy; float64.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python make-step-rules.py

Made with torch 2.13.0+cpu and numpy 2.4.6.
"""
import json
import pathlib

import numpy as np
import torch

STEPS = 7
START = {'W': np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]), 'b': np.array([0.1, -0.2, 0.3])}


def gradients(step):
    """Other ones for each step: some large, some small, one of them 0 at first."""
    grads = {name: np.sin(np.arange(value.size) * 1.7 + step * 0.9).reshape(value.shape) for name, value in START.items()}
    grads['W'] *= 3 if step % 3 == 1 else 0.1
    if step == 0:
        grads['b'][1] = 0
    return grads


def by_torch(make, every=1, frozen=None):
    """frozen has the steps at which a parameter has no gradient, by name."""
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in START.items()}
    optimizer = make(parameters.values())
    trace = []
    sums = {name: np.zeros_like(value) for name, value in START.items()}
    for step in range(STEPS):
        for name, gradient in gradients(step).items():
            sums[name] += gradient
        if (step + 1) % every == 0:
            for name, parameter in parameters.items():
                is_frozen = step in (frozen or {}).get(name, ())
                parameter.grad = None if is_frozen else torch.tensor(sums[name] / every)
                sums[name] = np.zeros_like(START[name])
            optimizer.step()
        trace.append({name: parameter.detach().numpy().ravel().tolist() for name, parameter in parameters.items()})
    return trace


def by_numpy(rule):
    """rule(parameters, gradients, memory, t) gives the new parameters; t counts from 0."""
    parameters = {name: value.copy() for name, value in START.items()}
    memory = {name: {} for name in START}
    trace = []
    for step in range(STEPS):
        parameters = rule(parameters, gradients(step), memory, step)
        trace.append({name: value.ravel().tolist() for name, value in parameters.items()})
    return trace


def each(step_of):
    def rule(parameters, grads, memory, t):
        return {name: value - step_of(value, grads[name], memory[name], t) for name, value in parameters.items()}

    return rule


def rms_prop(value, g, memory, t):
    memory['ms'] = 0.8 * memory.get('ms', 0) + 0.2 * g**2
    return 0.05 * g / np.maximum(np.sqrt(memory['ms']), 1 / 10)


def lion(value, g, memory, t):
    mean = memory.get('mean', np.zeros_like(g))
    memory['mean'] = 0.98 * mean + 0.02 * g
    return 0.01 * (np.sign(0.9 * mean + 0.1 * g) + 0.1 * value)


def step_clipping(parameters, grads, memory, t):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    factor = min(1, 2 / norm)
    return {name: value - factor * grads[name] for name, value in parameters.items()}


def variable_clipping(parameters, grads, memory, t):
    clipped = {}
    for name, value in parameters.items():
        new = value - 0.3 * grads[name]
        if name == 'W':
            norms = np.sqrt((new**2).sum(axis=0, keepdims=True))
            new = new * np.where(norms > 1.5, 1.5 / norms, 1)
        clipped[name] = new
    return clipped


def lookahead(value, g, memory, t):
    memory.setdefault('slow', value.copy())
    fast = value - 0.3 * g
    if (t + 1) % 3 == 0:
        memory['slow'] = memory['slow'] + 0.5 * (fast - memory['slow'])
        fast = memory['slow']
    return value - fast


def warm_cosine(t):
    if t < 3:
        return min((t + 1) / 3, 1)
    return 0.1 + 0.9 * (1 + np.cos(np.pi * min((t - 3) / 4, 1))) / 2


optim = torch.optim
TRACES = {
    'AdaDelta': by_torch(lambda p: optim.Adadelta(p, lr=1, rho=0.9, eps=1e-4)),
    'AdaGrad': by_torch(lambda p: optim.Adagrad(p, lr=0.1, eps=1e-3)),
    'AdamW': by_torch(lambda p: optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    'AMSGrad': by_torch(lambda p: optim.Adam(p, lr=0.05, betas=(0.5, 0.6), eps=1e-6, amsgrad=True)),
    'NesterovMomentum': by_torch(lambda p: optim.SGD(p, lr=0.1, momentum=0.7, nesterov=True)),
    'GradientAccumulation': by_torch(lambda p: optim.AdamW(p, lr=0.05, weight_decay=0), every=3),
    'GradualFreezing': by_torch(
        lambda p: optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
        frozen={'W': range(3), 'b': range(2, 4)},
    ),
    'RMSProp': by_numpy(each(rms_prop)),
    'Lion': by_numpy(each(lion)),
    'StepClipping': by_numpy(step_clipping),
    'VariableClipping': by_numpy(variable_clipping),
    'Lookahead': by_numpy(each(lookahead)),
    'Schedule': by_numpy(each(lambda value, g, memory, t: 0.3 * warm_cosine(t) * g)),
}

if __name__ == '__main__':
    document = {
        'start': {name: {'shape': list(value.shape), 'values': value.ravel().tolist()} for name, value in START.items()},
        'gradients': [{name: g.ravel().tolist() for name, g in gradients(step).items()} for step in range(STEPS)],
        'traces': TRACES,
    }
    path = pathlib.Path(__file__).with_name('step-rules.json')
    path.write_text(json.dumps(document, indent=1) + '\n')
