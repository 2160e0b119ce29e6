"""Writes training.safetensors: cost, gradients and new parameters of one training step of small networks, by PyTorch in float64.

    /tmp/venv/bin/python make_training_goldens.py

See make_op_goldens.py for what it needs. Tensors are named `<network>.<kind>.<name>`: kind is `input`, `parameter`, or, of the parameter
of that name, `gradient`, `average` and `variance` (the moments that Adam starts from), or `updated` (the
parameter after a step of Adam); `<network>.cost` is the cost. What is fed is exact in float32. Each function below is the
definition of its network; matrices are (in, out), as in Blocks.
"""
import pathlib

import numpy
import torch
from safetensors.numpy import save_file
from torch.nn import functional

RATE = 0.05
STEPS_BEFORE = 2


class Network:
    """Inputs and parameters of a network, drawn from a seed of its own."""

    def __init__(self, seed):
        self.numbers = numpy.random.default_rng(seed)
        self.inputs, self.parameters = {}, {}

    def input(self, name, *shape):
        self.inputs[name] = self.draw(shape, 1.0)
        return torch.tensor(self.inputs[name])

    def labels(self, name, count, *shape):
        self.inputs[name] = self.numbers.integers(0, count, shape)
        return torch.tensor(self.inputs[name])

    def parameter(self, name, *shape, scale=0.5):
        self.parameters[name] = torch.tensor(self.draw(shape, scale), requires_grad=True)
        return self.parameters[name]

    def draw(self, shape, scale, center=0.0):
        return (self.numbers.uniform(-1, 1, shape) * scale + center).astype(numpy.float32).astype(numpy.float64)

    def moments(self):
        """Average and variance of a gradient for each parameter; the variances are well above 0, where a step of Adam is ill-conditioned."""
        draw = lambda parameter: (self.draw(parameter.shape, 0.05), self.draw(parameter.shape, 0.004, center=0.006))
        return [tuple(map(torch.tensor, draw(parameter))) for parameter in self.parameters.values()]


def after_adam(parameters, gradients, moments):
    """The parameters after the step of Adam that follows STEPS_BEFORE others, with its default betas and epsilon."""
    updated = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.Adam(updated, lr=RATE)
    for parameter, gradient, (average, variance) in zip(updated, gradients, moments):
        parameter.grad = gradient
        step = torch.tensor(float(STEPS_BEFORE))
        optimizer.state[parameter] = {'step': step, 'exp_avg': average.clone(), 'exp_avg_sq': variance.clone()}
    optimizer.step()
    return updated


def convolution(net):
    """Two convolutions (no flipping, valid, then half with strides) and a linear layer on the mean over places."""
    x, labels = net.input('x', 3, 2, 8, 7), net.labels('labels', 4, 3)
    hidden = torch.tanh(functional.conv2d(x, net.parameter('W1', 5, 2, 3, 3)) + net.parameter('b1', 5)[:, None, None])
    hidden = functional.conv2d(hidden, net.parameter('W2', 4, 5, 3, 3), stride=2, padding=1)
    hidden = torch.relu(hidden + net.parameter('b2', 4)[:, None, None])
    return functional.cross_entropy(hidden.mean((2, 3)) @ net.parameter('W3', 4, 4) + net.parameter('b3', 4), labels)


def pooling(net):
    """Convolution, max pooling 2 x 2, convolution, average pooling 2 x 2 that ignores the border, linear."""
    x, labels = net.input('x', 2, 1, 12, 11), net.labels('labels', 3, 2)
    hidden = functional.max_pool2d(torch.tanh(functional.conv2d(x, net.parameter('W1', 3, 1, 3, 3))), 2)
    hidden = functional.avg_pool2d(torch.tanh(functional.conv2d(hidden, net.parameter('W2', 4, 3, 2, 2))), 2)
    return functional.cross_entropy(hidden.flatten(1) @ net.parameter('W3', hidden.flatten(1).shape[1], 3), labels)


def lstm(net):
    """An LSTM as Blocks': gates in the order in, forget, cells, out, with peepholes; (time, batch, dim), a mask per step."""
    time, batch, dim, classes = 5, 3, 4, 3
    x, labels = net.input('x', time, batch, 2), net.labels('labels', classes, batch)
    net.inputs['mask'] = numpy.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 0, 0]], numpy.float64)
    mask = torch.tensor(net.inputs['mask'])
    w_in, bias = net.parameter('W_input', 2, 4 * dim), net.parameter('b', 4 * dim)
    w_state = net.parameter('W_state', dim, 4 * dim)
    peep_in, peep_forget, peep_out = (net.parameter(name, dim) for name in ('W_cell_to_in', 'W_cell_to_forget', 'W_cell_to_out'))
    state, cells = net.parameter('initial_state', dim).expand(batch, dim), net.parameter('initial_cells', dim).expand(batch, dim)
    for step in range(time):
        into, forget, new, out = (x[step] @ w_in + bias + state @ w_state).split(dim, 1)
        into, forget = torch.sigmoid(into + cells * peep_in), torch.sigmoid(forget + cells * peep_forget)
        next_cells = forget * cells + into * torch.tanh(new)
        next_state = torch.sigmoid(out + next_cells * peep_out) * torch.tanh(next_cells)
        keep = mask[step][:, None]
        state, cells = keep * next_state + (1 - keep) * state, keep * next_cells + (1 - keep) * cells
    return functional.cross_entropy(state @ net.parameter('W_output', dim, classes), labels)


def gru_with_attention(net):
    """A GRU decoder that attends, by Bahdanau's energies v . tanh(W_state s + W_attended h), to a masked sequence."""
    source, time, batch, dim, classes = 4, 3, 2, 3, 5
    attended, labels = net.input('attended', source, batch, 4), net.labels('labels', classes, time, batch)
    net.inputs['mask'] = numpy.array([[1, 1], [1, 1], [1, 1], [1, 0]], numpy.float64)
    mask = torch.tensor(net.inputs['mask'])
    embedding, preprocessed = net.parameter('embedding', classes, 3), attended @ net.parameter('W_attended', 4, 6)
    w_query, v = net.parameter('W_query', dim, 6), net.parameter('v', 6)
    w_input, w_context = net.parameter('W_input', 3, 3 * dim), net.parameter('W_context', 4, 3 * dim)
    w_gates, w_state, w_output = net.parameter('W_gates', dim, 2 * dim), net.parameter('W_state', dim, dim), net.parameter('W_output', dim, classes)
    state, previous, cost = torch.zeros(batch, dim, dtype=torch.float64), torch.zeros(batch, dtype=torch.int64), 0.0
    for step in range(time):
        energies = torch.tanh(preprocessed + state @ w_query) @ v
        weights = torch.exp(energies - energies.amax(0)) * mask
        weights = weights / weights.sum(0)
        glimpse = (weights[:, :, None] * attended).sum(0)
        update_in, reset_in, new_in = (embedding[previous] @ w_input + glimpse @ w_context).split(dim, 1)
        update_state, reset_state = (state @ w_gates).split(dim, 1)
        update, reset = torch.sigmoid(update_in + update_state), torch.sigmoid(reset_in + reset_state)
        new = torch.tanh(new_in + (state * reset) @ w_state)
        state = update * new + (1 - update) * state
        cost = cost + functional.cross_entropy(state @ w_output, labels[step])
        previous = labels[step]
    return cost / time


def embedding(net):
    """The mean of the embeddings of four words each, one of them twice, and a linear layer."""
    words, labels = net.labels('words', 6, 5, 4), net.labels('labels', 3, 5)
    hidden = net.parameter('W_embedding', 6, 4)[words].mean(1)
    return functional.cross_entropy(hidden @ net.parameter('W', 4, 3) + net.parameter('b', 3), labels)


def transformer(net):
    """A model of the next word: two blocks, normalized before, of causal attention of two heads that does not look at padding, and gelu."""
    batch, time, dim, heads, words = 3, 5, 6, 2, 7
    ids, labels = net.labels('words', words, batch, time), net.labels('labels', words, batch, time)
    net.inputs['mask'] = numpy.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], numpy.float64)
    mask = torch.tensor(net.inputs['mask'])
    angles = torch.arange(time, dtype=torch.float64)[:, None] / 10000 ** (2 * torch.arange(dim // 2, dtype=torch.float64) / dim)
    hidden = net.parameter('W_embedding', words, dim)[ids] + torch.cat([torch.sin(angles), torch.cos(angles)], 1)
    norm = lambda x, name: functional.layer_norm(x, (dim,), net.parameter(f'{name}_gain', dim), net.parameter(f'{name}_bias', dim), 1e-5)
    apart = lambda x: x.reshape(batch, time, heads, dim // heads).transpose(1, 2)
    seen = torch.ones(time, time).tril().bool() & (mask > 0)[:, None, None, :]
    for block in ('block1', 'block2'):
        query, key, value = (norm(hidden, f'{block}_norm1') @ net.parameter(f'{block}_W_qkv', dim, 3 * dim)).split(dim, 2)
        scores = apart(query) @ apart(key).transpose(2, 3) / numpy.sqrt(dim // heads)
        mixed = torch.softmax(scores.masked_fill(~seen, -1e9), -1) @ apart(value)
        hidden = hidden + mixed.transpose(1, 2).reshape(batch, time, dim) @ net.parameter(f'{block}_W_mixed', dim, dim)
        up = norm(hidden, f'{block}_norm2') @ net.parameter(f'{block}_W_up', dim, 4 * dim) + net.parameter(f'{block}_b_up', 4 * dim)
        down = functional.gelu(up) @ net.parameter(f'{block}_W_down', 4 * dim, dim) + net.parameter(f'{block}_b_down', dim)
        hidden = hidden + down
    logits = norm(hidden, 'norm') @ net.parameter('W_output', dim, words)
    costs = functional.cross_entropy(logits.transpose(1, 2), labels, reduction='none')
    return (costs * mask).sum() / mask.sum()


NETWORKS = {
    'convolution': convolution,
    'pooling': pooling,
    'lstm': lstm,
    'gru with attention': gru_with_attention,
    'embedding': embedding,
    'transformer': transformer,
}


def main():
    tensors = {}
    for seed, (name, define) in enumerate(NETWORKS.items()):
        net = Network(seed)
        cost = define(net)
        parameters = list(net.parameters.values())
        gradients = torch.autograd.grad(cost, parameters)
        keep = lambda kind, key, value: tensors.update({f'{name}.{kind}.{key}': numpy.array(value, order='C')})
        for key, value in net.inputs.items():
            keep('input', key, value)
        moments = net.moments()
        updated = after_adam(parameters, gradients, moments)
        for key, value, gradient, (average, variance), new in zip(net.parameters, parameters, gradients, moments, updated):
            kinds = {'parameter': value.detach(), 'gradient': gradient, 'average': average, 'variance': variance, 'updated': new}
            for kind, tensor in kinds.items():
                keep(kind, key, tensor.numpy())
        tensors[f'{name}.cost'] = numpy.array(cost.item())
        print(name, cost.item(), max(float(gradient.abs().max()) for gradient in gradients))
    path = pathlib.Path(__file__).parent / 'training.safetensors'
    save_file(tensors, path)
    path.chmod(0o644)


if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
