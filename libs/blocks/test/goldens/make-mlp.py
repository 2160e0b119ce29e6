"""Makes mlp.json: an MLP's cost, gradients and optimizer steps by PyTorch, in float64.

Run: python make-mlp.py > mlp.json    (made with torch 2.13.0)
"""

import json

import torch

torch.manual_seed(3)
DIMS = [4, 5, 6, 3]


def weights():
    generator = torch.Generator().manual_seed(11)
    parameters = {}
    for layer, (rows, columns) in enumerate(zip(DIMS[:-1], DIMS[1:])):
        for name, shape in ('W', (rows, columns)), ('b', (columns,)):
            values = 0.6 * torch.randn(shape, generator=generator, dtype=torch.float64)
            # As float32 holds it, so that both sides start from the same numbers.
            parameters[f'/mlp/linear_{layer}.{name}'] = values.float().double().requires_grad_()
    return parameters


def logits(parameters, features):
    hidden = torch.relu(features @ parameters['/mlp/linear_0.W'] + parameters['/mlp/linear_0.b'])
    hidden = torch.tanh(hidden @ parameters['/mlp/linear_1.W'] + parameters['/mlp/linear_1.b'])
    return hidden @ parameters['/mlp/linear_2.W'] + parameters['/mlp/linear_2.b']


def listed(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


features = torch.randn((7, DIMS[0]), dtype=torch.float64).float().double()
targets = torch.tensor([0, 2, 1, 1, 0, 2, 2])


def train(make_optimizer, steps):
    parameters = weights()
    optimizer = make_optimizer(parameters.values())
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits(parameters, features), targets).backward()
        optimizer.step()
    return listed(parameters)


parameters = weights()
output = logits(parameters, features)
cost = torch.nn.functional.cross_entropy(output, targets)
cost.backward()

print(json.dumps({
    'torch': torch.__version__,
    'dims': DIMS,
    'features': features.flatten().tolist(),
    'targets': targets.tolist(),
    'parameters': listed(parameters),
    'probabilities': torch.softmax(output, 1).flatten().tolist(),
    'costs': torch.nn.functional.cross_entropy(output, targets, reduction='none').tolist(),
    'cost': cost.item(),
    'misclassificationRate': (output.argmax(1) != targets).double().mean().item(),
    'gradients': listed({name: parameter.grad for name, parameter in parameters.items()}),
    'gradientNorm': torch.sqrt(sum((parameter.grad ** 2).sum() for parameter in parameters.values())).item(),
    'sgd': train(lambda p: torch.optim.SGD(p, lr=0.1), 1),
    'momentum': train(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 4),
    'adam': train(lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95)), 4),
}, indent=1))
