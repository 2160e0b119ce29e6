"""Writes attention.json: attention, and recurrent networks with it, by PyTorch in float64, with gradients.

The formulas are those of Bahdanau et al. (2015), written out.

Run: python make-attention.py > attention.json    (made with torch 2.13.0)
"""

import json

import torch

torch.set_num_threads(1)
TIME, BATCH, DIM, ATTENDED, WIDTH, MATCH = 3, 3, 2, 4, 3, 5
generator = torch.Generator().manual_seed(7)


def drawn(*shape, scale=0.7):
    # As float32 holds it, so that both sides start from the same numbers.
    values = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    return values.float().double().requires_grad_()


def listed(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def golden(outputs, leaves):
    """Outputs and the gradients of a cost in which each element has a weight of its own."""
    cost = 0
    for output in outputs.values():
        weights = torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape) / 10 - 1
        cost = cost + (weights * output).sum()
    found = torch.autograd.grad(cost, list(leaves.values()), allow_unused=True)
    gradients = {name: gradient for name, gradient in zip(leaves, found) if gradient is not None}
    return {'outputs': listed(outputs), 'gradients': listed(gradients)}


def glimpse(energies, attended, mask):
    if mask is not None:
        # The second example has nothing to see at all.
        allowed = energies.masked_fill(mask == 0, float('-inf'))
        weights = torch.nan_to_num(torch.softmax(allowed.masked_fill((mask == 0).all(0), 0.0), 0)) * (mask != 0)
    else:
        weights = torch.softmax(energies, 0)
    averages = torch.einsum('ab,abd->bd', weights, attended)
    return {'weighted_averages': averages, 'weights': weights.T}


def content(parameters, prefix, states, attended, mask):
    def of(path):
        return parameters[f'{prefix}/{path}']

    match = attended @ of('preprocess.W') + of('preprocess.b')
    for name, state in states.items():
        match = match + state @ of(f'state_trans/transform_{name}.W')
    return glimpse((torch.tanh(match) @ of('energy_comp/linear.W'))[..., 0], attended, mask)


def attention_parameters(prefix, states):
    shapes = {f'state_trans/transform_{name}.W': (size, MATCH) for name, size in states.items()}
    shapes |= {'preprocess.W': (WIDTH, MATCH), 'preprocess.b': (MATCH,), 'energy_comp/linear.W': (MATCH, 1)}
    return {f'{prefix}/{name}': drawn(*shape) for name, shape in shapes.items()}


def described(tensors):
    return {'values': listed(tensors), 'shapes': {name: list(tensor.shape) for name, tensor in tensors.items()}}


MASK = torch.tensor([[1, 0, 1], [1, 0, 0], [1, 0, 1], [0, 0, 1]], dtype=torch.float64)


def content_case():
    parameters = attention_parameters('/sequencecontentattention', {'states': DIM, 'others': 4})
    given = {'attended': drawn(ATTENDED, BATCH, WIDTH), 'states': drawn(BATCH, DIM), 'others': drawn(BATCH, 4)}
    states = {name: given[name] for name in ('states', 'others')}
    return {
        'parameters': described(parameters),
        'given': described(given),
        'cases': {
            name: golden(
                content(parameters, '/sequencecontentattention', states, given['attended'], mask),
                {**parameters, **given},
            )
            for name, mask in {'plain': None, 'masked': MASK}.items()
        },
    }


def recurrent_case():
    """A gated network, to both of whose inputs a glimpse is added, with masks of steps and of what is attended to."""
    prefix = '/attentionrecurrent'
    parameters = {
        f'{prefix}/gatedrecurrent.state_to_state': drawn(DIM, DIM),
        f'{prefix}/gatedrecurrent.state_to_gates': drawn(DIM, 2 * DIM),
        f'{prefix}/gatedrecurrent.initial_state': drawn(DIM),
        f'{prefix}/distribute/fork_inputs.W': drawn(WIDTH, DIM),
        f'{prefix}/distribute/fork_gate_inputs.W': drawn(WIDTH, 2 * DIM),
        **attention_parameters(f'{prefix}/sequencecontentattention', {'states': DIM}),
    }
    given = {
        'inputs': drawn(TIME, BATCH, DIM),
        'gate_inputs': drawn(TIME, BATCH, 2 * DIM),
        'attended': drawn(ATTENDED, BATCH, WIDTH),
    }
    step_mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 1]], dtype=torch.float64)

    def of(path):
        return parameters[f'{prefix}/{path}']

    def run(mask, attended_mask):
        states = of('gatedrecurrent.initial_state').expand(BATCH, DIM)
        collected = []
        for time in range(TIME):
            glimpses = content(
                parameters, f'{prefix}/sequencecontentattention', {'states': states}, given['attended'], attended_mask
            )
            seen = glimpses['weighted_averages']
            inputs = given['inputs'][time] + seen @ of('distribute/fork_inputs.W')
            gate_inputs = given['gate_inputs'][time] + seen @ of('distribute/fork_gate_inputs.W')
            gates = torch.sigmoid(states @ of('gatedrecurrent.state_to_gates') + gate_inputs)
            update, reset = gates.split(DIM, -1)
            candidates = torch.tanh((states * reset) @ of('gatedrecurrent.state_to_state') + inputs)
            following = candidates * update + states * (1 - update)
            if mask is not None:
                keep = mask[time][:, None]
                following = keep * following + (1 - keep) * states
            states = following
            collected.append({'states': states, **glimpses})
        return {name: torch.stack([one[name] for one in collected]) for name in collected[0]}

    return {
        'parameters': described(parameters),
        'given': described(given),
        'mask': step_mask.flatten().tolist(),
        'cases': {
            'plain': golden(run(None, None), {**parameters, **given}),
            'masked': golden(run(step_mask, MASK), {**parameters, **given}),
        },
    }


print(json.dumps({
    'torch': torch.__version__,
    'attendedMask': MASK.flatten().tolist(),
    'content': content_case(),
    'recurrent': recurrent_case(),
}, indent=1))
