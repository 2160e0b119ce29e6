"""Writes transformer.json: attention and a layer of a transformer by PyTorch, in float64, with gradients.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch
    /tmp/venv/bin/python make-transformer.py

Made with torch 2.13.0+cpu.
"""
import json
import pathlib

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
BATCH, TIME, DIM, HEADS, HIDDEN = 2, 5, 8, 2, 12


def values(shape, seed, scale=1.0):
    count = 1
    for size in shape:
        count *= size
    return (scale * torch.sin(torch.arange(count) * 1.3 + seed)).reshape(shape)


# Under the names that our parameters have; matrices as (inputs, outputs).
SHAPES = {
    'attention.query': (DIM, DIM),
    'attention.key': (DIM, DIM),
    'attention.value': (DIM, DIM),
    'attention.output': (DIM, DIM),
    'mlp.linear_0': (DIM, HIDDEN),
    'mlp.linear_1': (HIDDEN, DIM),
}
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def layer(pre_norm):
    block = torch.nn.TransformerEncoderLayer(
        DIM, HEADS, HIDDEN, dropout=0.0, activation='gelu', batch_first=True, norm_first=pre_norm
    )
    weights = {name: values(shape, at, 0.4) for at, (name, shape) in enumerate(SHAPES.items())}
    biases = {name: values((shape[1],), 10 + at, 0.1) for at, (name, shape) in enumerate(SHAPES.items())}
    with torch.no_grad():
        block.self_attn.in_proj_weight.copy_(torch.cat([weights[f'attention.{n}'].T for n in ('query', 'key', 'value')]))
        block.self_attn.in_proj_bias.copy_(torch.cat([biases[f'attention.{n}'] for n in ('query', 'key', 'value')]))
        block.self_attn.out_proj.weight.copy_(weights['attention.output'].T)
        block.self_attn.out_proj.bias.copy_(biases['attention.output'])
        for linear, name in ((block.linear1, 'mlp.linear_0'), (block.linear2, 'mlp.linear_1')):
            linear.weight.copy_(weights[name].T)
            linear.bias.copy_(biases[name])
        for norm, seed in ((block.norm1, 20), (block.norm2, 22)):
            norm.weight.copy_(1 + values((DIM,), seed, 0.2))
            norm.bias.copy_(values((DIM,), seed + 1, 0.2))
    return block


def case(pre_norm, causal, masked):
    block = layer(pre_norm)
    x = values((BATCH, TIME, DIM), 30).requires_grad_()
    how = {}
    if masked:
        how['src_key_padding_mask'] = MASK == 0
    if causal:
        how['src_mask'] = torch.triu(torch.ones(TIME, TIME, dtype=torch.bool), 1)
    output = block(x, **how)
    weighting = values((BATCH, TIME, DIM), 31)
    wanted = [x, block.linear1.weight, block.self_attn.out_proj.weight, block.norm1.weight]
    gradients = torch.autograd.grad((output * weighting).sum(), wanted)
    return {
        'preNorm': pre_norm,
        'causal': causal,
        'masked': masked,
        'output': output.detach().ravel().tolist(),
        'gradients': {
            'input': gradients[0].ravel().tolist(),
            'mlp.linear_0.W': gradients[1].T.ravel().tolist(),
            'attention.output.W': gradients[2].T.ravel().tolist(),
            'attention_norm.scale': gradients[3].ravel().tolist(),
        },
    }


if __name__ == '__main__':
    cases = [case(pre, causal, masked) for pre in (True, False) for causal in (False, True) for masked in (False, True)]
    path = pathlib.Path(__file__).with_name('transformer.json')
    document = {'shapes': {name: list(shape) for name, shape in SHAPES.items()}, 'mask': MASK.tolist(), 'cases': cases}
    path.write_text(json.dumps(document) + '\n')
