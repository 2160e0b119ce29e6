"""Writes sequence-generators.json: costs of given sequences by PyTorch in float64, with gradients.

Run: python make-sequence-generators.py > sequence-generators.json    (made with torch 2.13.0)
"""

import json

import torch

torch.set_num_threads(1)
TIME, BATCH, DIM, ATTENDED, WIDTH, MATCH, TOKENS, FED = 4, 3, 2, 5, 3, 4, 6, 3
generator = torch.Generator().manual_seed(11)
OUTPUTS = torch.tensor([[1, 5, 0], [2, 0, 3], [4, 4, 3], [0, 2, 1]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 0, 1], [1, 0, 0]], dtype=torch.float64)
ATTENDED_MASK = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=torch.float64)


def drawn(*shape, scale=0.7):
    # As float32 holds it, so that both sides start from the same numbers.
    values = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    return values.float().double().requires_grad_()


def listed(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def described(tensors):
    return {'values': listed(tensors), 'shapes': {name: list(tensor.shape) for name, tensor in tensors.items()}}


def transition_parameters(prefix):
    return {
        f'{prefix}.state_to_state': drawn(DIM, DIM),
        f'{prefix}.state_to_gates': drawn(DIM, 2 * DIM),
        f'{prefix}.initial_state': drawn(DIM),
    }


def gated(of, states, inputs, gate_inputs):
    update, reset = torch.sigmoid(states @ of('state_to_gates') + gate_inputs).split(DIM, -1)
    candidates = torch.tanh((states * reset) @ of('state_to_state') + inputs)
    return candidates * update + states * (1 - update)


def attended_to(of, states, attended, mask):
    match = attended @ of('preprocess.W') + of('preprocess.b') + states @ of('state_trans/transform_states.W')
    energies = (torch.tanh(match) @ of('energy_comp/linear.W'))[..., 0]
    weights = torch.softmax(energies.masked_fill(mask == 0, float('-inf')), 0)
    return torch.einsum('ab,abd->bd', weights, attended)


def case(parameters, given, step):
    """Costs of OUTPUTS: `step` takes states, the output before and this output, and gives a readout and the next states."""
    states = next(value for name, value in parameters.items() if name.endswith('initial_state')).expand(BATCH, DIM)
    costs = []
    before = torch.full((BATCH,), INITIAL)
    for time in range(TIME):
        readout, following = step(states, before, OUTPUTS[time])
        log_probabilities = torch.log_softmax(readout, -1)
        costs.append(-log_probabilities[torch.arange(BATCH), OUTPUTS[time]] * MASK[time])
        keep = MASK[time][:, None]
        states = keep * following + (1 - keep) * states
        before = OUTPUTS[time]
    costs = torch.stack(costs)
    cost = costs.sum(0).mean()
    leaves = {**parameters, **given}
    found = torch.autograd.grad(cost, list(leaves.values()))
    return {
        'parameters': described(parameters),
        'given': described(given),
        'costs': costs.detach().flatten().tolist(),
        'perElement': (costs.sum() / MASK.sum()).item(),
        'case': {'outputs': {'cost': [cost.item()]}, 'gradients': listed(dict(zip(leaves, found)))},
    }


INITIAL = 2


def plain():
    """Readout of states and feedback, by way of a layer in between; no attention."""
    root = '/sequencegenerator'
    transition = f'{root}/with_fake_attention/gatedrecurrent'
    parameters = {
        **transition_parameters(transition),
        f'{root}/readout/merge/transform_states.W': drawn(DIM, 5),
        f'{root}/readout/merge/transform_feedback.W': drawn(FED, 5),
        f'{root}/readout/post_merge/linear.W': drawn(5, TOKENS),
        f'{root}/readout/post_merge/linear.b': drawn(TOKENS),
        f'{root}/readout/lookupfeedback/lookuptable.W': drawn(TOKENS, FED),
        f'{root}/fork/fork_inputs.W': drawn(FED, DIM),
        f'{root}/fork/fork_inputs.b': drawn(DIM),
        f'{root}/fork/fork_gate_inputs.W': drawn(FED, 2 * DIM),
        f'{root}/fork/fork_gate_inputs.b': drawn(2 * DIM),
    }

    def of(path):
        return parameters[f'{root}/{path}']

    def step(states, before, output):
        table = of('readout/lookupfeedback/lookuptable.W')
        merged = states @ of('readout/merge/transform_states.W') + table[before] @ of('readout/merge/transform_feedback.W')
        readout = torch.tanh(merged) @ of('readout/post_merge/linear.W') + of('readout/post_merge/linear.b')
        fed = table[output]
        inputs = fed @ of('fork/fork_inputs.W') + of('fork/fork_inputs.b')
        gate_inputs = fed @ of('fork/fork_gate_inputs.W') + of('fork/fork_gate_inputs.b')
        return readout, gated(lambda name: parameters[f'{transition}.{name}'], states, inputs, gate_inputs)

    return case(parameters, {}, step)


def attending():
    """Readout of states and glimpses; outputs are fed back by an embedding before the fork."""
    root = '/sequencegenerator'
    transition = f'{root}/att_trans/gatedrecurrent'
    attention = f'{root}/att_trans/sequencecontentattention'
    parameters = {
        **transition_parameters(transition),
        f'{attention}/state_trans/transform_states.W': drawn(DIM, MATCH),
        f'{attention}/preprocess.W': drawn(WIDTH, MATCH),
        f'{attention}/preprocess.b': drawn(MATCH),
        f'{attention}/energy_comp/linear.W': drawn(MATCH, 1),
        f'{root}/att_trans/distribute/fork_inputs.W': drawn(WIDTH, DIM),
        f'{root}/att_trans/distribute/fork_gate_inputs.W': drawn(WIDTH, 2 * DIM),
        f'{root}/softmaxreadout/merge/transform_states.W': drawn(DIM, TOKENS),
        f'{root}/softmaxreadout/merge/transform_weighted_averages.W': drawn(WIDTH, TOKENS),
        f'{root}/softmaxreadout/bias.b': drawn(TOKENS),
        f'{root}/feedback/embedding.W': drawn(TOKENS, FED),
        f'{root}/feedback/fork_inputs.W': drawn(FED, DIM),
        f'{root}/feedback/fork_inputs.b': drawn(DIM),
        f'{root}/feedback/fork_gate_inputs.W': drawn(FED, 2 * DIM),
        f'{root}/feedback/fork_gate_inputs.b': drawn(2 * DIM),
    }
    given = {'attended': drawn(ATTENDED, BATCH, WIDTH)}

    def of(path):
        return parameters[f'{root}/{path}']

    def step(states, before, output):
        seen = attended_to(lambda name: parameters[f'{attention}/{name}'], states, given['attended'], ATTENDED_MASK)
        readout = (
            states @ of('softmaxreadout/merge/transform_states.W')
            + seen @ of('softmaxreadout/merge/transform_weighted_averages.W')
            + of('softmaxreadout/bias.b')
        )
        fed = of('feedback/embedding.W')[output]
        inputs = fed @ of('feedback/fork_inputs.W') + of('feedback/fork_inputs.b')
        gate_inputs = fed @ of('feedback/fork_gate_inputs.W') + of('feedback/fork_gate_inputs.b')
        inputs = inputs + seen @ of('att_trans/distribute/fork_inputs.W')
        gate_inputs = gate_inputs + seen @ of('att_trans/distribute/fork_gate_inputs.W')
        return readout, gated(lambda name: parameters[f'{transition}.{name}'], states, inputs, gate_inputs)

    return case(parameters, given, step)


print(json.dumps({
    'torch': torch.__version__,
    'outputs': OUTPUTS.flatten().tolist(),
    'mask': MASK.flatten().tolist(),
    'attendedMask': ATTENDED_MASK.flatten().tolist(),
    'plain': plain(),
    'attending': attending(),
}))
