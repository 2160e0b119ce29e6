"""Makes recurrent.json: outputs and gradients of recurrent bricks by PyTorch, in float64.

The formulas are written out, with peepholes and in Blocks' order of gates; where PyTorch has the same network, it is asked as well.

Run: python make-recurrent.py > recurrent.json    (made with torch 2.13.0)
"""

import json

import torch

TIME, BATCH, DIM = 4, 3, 2
generator = torch.Generator().manual_seed(5)


def drawn(*shape, scale=0.7):
    # As float32 holds it, so that both sides start from the same numbers.
    values = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    return values.float().double().requires_grad_()


def simple(parameters, row, state):
    return {'states': torch.tanh(row['inputs'] + state['states'] @ parameters['W'])}


def lstm(parameters, row, state):
    into, forget, cell, out = (state['states'] @ parameters['W_state'] + row['inputs']).split(DIM, -1)
    cells = torch.sigmoid(forget + state['cells'] * parameters['W_cell_to_forget']) * state['cells'] + torch.sigmoid(
        into + state['cells'] * parameters['W_cell_to_in']
    ) * torch.tanh(cell)
    return {'states': torch.sigmoid(out + cells * parameters['W_cell_to_out']) * torch.tanh(cells), 'cells': cells}


def gated(parameters, row, state):
    gates = torch.sigmoid(state['states'] @ parameters['state_to_gates'] + row['gate_inputs'])
    update, reset = gates.split(DIM, -1)
    candidates = torch.tanh((state['states'] * reset) @ parameters['state_to_state'] + row['inputs'])
    return {'states': candidates * update + state['states'] * (1 - update)}


def run(step, parameters, sequences, initial, mask=None, reverse=False):
    state = {name: parameters[of].expand(BATCH, DIM) for name, of in initial.items()}
    collected = []
    for time in reversed(range(TIME)) if reverse else range(TIME):
        after = step(parameters, {name: rows[time] for name, rows in sequences.items()}, state)
        if mask is not None:
            keep = mask[time][:, None]
            after = {name: keep * value + (1 - keep) * state[name] for name, value in after.items()}
        state = after
        collected.append(state)
    if reverse:
        collected.reverse()
    return {name: torch.stack([one[name] for one in collected]) for name in initial}


def listed(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def golden(step, parameters, sequences, initial):
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]], dtype=torch.float64)
    cases = {}
    for name, options in {
        'plain': {},
        'masked': {'mask': mask},
        'reverse': {'reverse': True},
        'both': {'mask': mask, 'reverse': True},
    }.items():
        outputs = run(step, parameters, sequences, initial, **options)
        weights = torch.arange(TIME * BATCH * DIM, dtype=torch.float64).reshape(TIME, BATCH, DIM) / 10 - 1
        leaves = {**parameters, **sequences}
        cost = sum((weights * output).sum() for output in outputs.values())
        gradients = torch.autograd.grad(cost, list(leaves.values()))
        cases[name] = {'outputs': listed(outputs), 'gradients': listed(dict(zip(leaves, gradients)))}
    return {
        'parameters': listed(parameters),
        'shapes': {name: list(value.shape) for name, value in parameters.items()},
        'sequences': listed(sequences),
        'mask': mask.flatten().tolist(),
        'cases': cases,
    }


def stack():
    """A simple network below a gated one, which takes what linear transformations make of the states below, and inputs of its own."""
    parameters = {
        '/recurrentstack/first.W': drawn(DIM, DIM),
        '/recurrentstack/first.initial_state': drawn(DIM),
        '/recurrentstack/second.state_to_state': drawn(DIM, DIM),
        '/recurrentstack/second.state_to_gates': drawn(DIM, 2 * DIM),
        '/recurrentstack/second.initial_state': drawn(DIM),
        '/recurrentstack/fork_1/fork_inputs.W': drawn(DIM, DIM),
        '/recurrentstack/fork_1/fork_inputs.b': drawn(DIM),
        '/recurrentstack/fork_1/fork_gate_inputs.W': drawn(DIM, 2 * DIM),
        '/recurrentstack/fork_1/fork_gate_inputs.b': drawn(2 * DIM),
    }
    sequences = {
        'inputs': drawn(TIME, BATCH, DIM),
        'inputs#1': drawn(TIME, BATCH, DIM),
        'gate_inputs#1': drawn(TIME, BATCH, 2 * DIM),
    }

    def of(brick):
        prefix = f'/recurrentstack/{brick}.'
        return {name[len(prefix):]: value for name, value in parameters.items() if name.startswith(prefix)}

    def run_stack(mask, skip):
        initial = {'states': 'initial_state'}
        below = run(simple, of('first'), {'inputs': sequences['inputs']}, initial, mask)['states']
        made = {}
        for name in 'inputs', 'gate_inputs':
            fork = of(f'fork_1/fork_{name}')
            made[name] = below @ fork['W'] + fork['b'] + (sequences[f'{name}#1'] if skip else 0)
        return {'states': below, 'states#1': run(gated, of('second'), made, initial, mask)['states']}

    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]], dtype=torch.float64)
    return {
        'parameters': listed(parameters),
        'shapes': {name: list(value.shape) for name, value in parameters.items()},
        'sequences': listed(sequences),
        'mask': mask.flatten().tolist(),
        'plain': listed(run_stack(mask, skip=False)),
        'skip': listed(run_stack(mask, skip=True)),
        'plainGradients': gradients(run_stack(mask, skip=False), {**parameters, **sequences}),
        'skipGradients': gradients(run_stack(mask, skip=True), {**parameters, **sequences}),
    }


def gradients(outputs, leaves):
    """Of a cost in which each element has a weight of its own."""
    cost = 0
    for output in outputs.values():
        weights = torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape) / 10 - 1
        cost = cost + (weights * output).sum()
    found = torch.autograd.grad(cost, list(leaves.values()), allow_unused=True)
    return listed({name: gradient for name, gradient in zip(leaves, found) if gradient is not None})


def bidirectional():
    parameters = {
        f'/bidirectional/{direction}.{name}': drawn(*shape)
        for direction in ('forward', 'backward')
        for name, shape in {'state_to_state': (DIM, DIM), 'state_to_gates': (DIM, 2 * DIM), 'initial_state': (DIM,)}.items()
    }
    sequences = {'inputs': drawn(TIME, BATCH, DIM), 'gate_inputs': drawn(TIME, BATCH, 2 * DIM)}
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]], dtype=torch.float64)
    both = []
    for direction in 'forward', 'backward':
        prefix = f'/bidirectional/{direction}.'
        own = {name[len(prefix):]: value for name, value in parameters.items() if name.startswith(prefix)}
        states = run(gated, own, sequences, {'states': 'initial_state'}, mask, reverse=direction == 'backward')
        both.append(states['states'])
    outputs = {'states': torch.cat(both, -1)}
    return {
        'parameters': listed(parameters),
        'shapes': {name: list(value.shape) for name, value in parameters.items()},
        'sequences': listed(sequences),
        'mask': mask.flatten().tolist(),
        'outputs': listed(outputs),
        'gradients': gradients(outputs, {**parameters, **sequences}),
    }


def as_torch_has_it():
    """The formulas, without peepholes, agree with what PyTorch computes by itself."""
    rows = drawn(TIME, BATCH, DIM)
    network = torch.nn.RNN(DIM, DIM, bias=False).double()
    network.weight_ih_l0.data = torch.eye(DIM, dtype=torch.float64)
    parameters = {'W': network.weight_hh_l0.T, 'initial_state': torch.zeros(DIM, dtype=torch.float64)}
    ours = run(simple, parameters, {'inputs': rows}, {'states': 'initial_state'})
    torch.testing.assert_close(ours['states'], network(rows)[0])

    rows = drawn(TIME, BATCH, 4 * DIM)
    network = torch.nn.LSTM(4 * DIM, DIM, bias=False).double()
    network.weight_ih_l0.data = torch.eye(4 * DIM, dtype=torch.float64)
    zero = torch.zeros(DIM, dtype=torch.float64)
    parameters = {'W_state': network.weight_hh_l0.T, 'initial_state': zero, 'initial_cells': zero}
    parameters |= {f'W_cell_to_{gate}': zero for gate in ('in', 'forget', 'out')}
    ours = run(lstm, parameters, {'inputs': rows}, {'states': 'initial_state', 'cells': 'initial_cells'})
    torch.testing.assert_close(ours['states'], network(rows)[0])


as_torch_has_it()
print(json.dumps({
    'torch': torch.__version__,
    'time': TIME,
    'batch': BATCH,
    'dim': DIM,
    'simple': golden(
        simple,
        {'W': drawn(DIM, DIM), 'initial_state': drawn(DIM)},
        {'inputs': drawn(TIME, BATCH, DIM)},
        {'states': 'initial_state'},
    ),
    'lstm': golden(
        lstm,
        {
            'W_state': drawn(DIM, 4 * DIM),
            'W_cell_to_in': drawn(DIM),
            'W_cell_to_forget': drawn(DIM),
            'W_cell_to_out': drawn(DIM),
            'initial_state': drawn(DIM),
            'initial_cells': drawn(DIM),
        },
        {'inputs': drawn(TIME, BATCH, 4 * DIM)},
        {'states': 'initial_state', 'cells': 'initial_cells'},
    ),
    'gated': golden(
        gated,
        {'state_to_state': drawn(DIM, DIM), 'state_to_gates': drawn(DIM, 2 * DIM), 'initial_state': drawn(DIM)},
        {'inputs': drawn(TIME, BATCH, DIM), 'gate_inputs': drawn(TIME, BATCH, 2 * DIM)},
        {'states': 'initial_state'},
    ),
    'stack': stack(),
    'bidirectional': bidirectional(),
}, indent=1))
