"""PyTorch's side of the language models of `npm run bench -- blocks`: the networks of examples/src/programs/language-model.ts as its users write them.

Trains from our initial parameters on our batches in our order, all of which lie in a folder, and evaluates on our test pieces as often as we do. Answers one JSON line
{"costs": [...], "perplexities": [...]}: of the test pieces, before the first epoch and after each.
"""

import json
import math
import pathlib
import sys

import numpy
import torch
from safetensors.torch import load_file
from torch.nn import functional

folder = pathlib.Path(sys.argv[1])
settings = json.loads((folder / "settings.json").read_text())
dim, layers, heads, length = (settings[name] for name in ("dim", "layers", "heads", "length"))
torch.set_num_threads(settings["threads"])
weights = {
    name: torch.nn.Parameter(value.clone())
    for name, value in load_file(folder / "parameters.safetensors").items()
}


def pieces(name):
    rows = numpy.fromfile(folder / name, dtype=numpy.uint8).reshape(-1, length + 1)
    return torch.from_numpy(rows.astype(numpy.int64))


def linear(name, x):
    return x @ weights[f"/{name}.W"] + weights[f"/{name}.b"]


def lstm(name, inputs):
    """With peepholes (Graves, 2013), for which PyTorch has no layer of its own; inputs (time, batch, 4 * dim)."""
    batch = inputs.shape[1]
    state = weights[f"/{name}.initial_state"].expand(batch, dim)
    cell = weights[f"/{name}.initial_cells"].expand(batch, dim)
    to_in, to_forget, to_out = (weights[f"/{name}.W_cell_to_{gate}"] for gate in ("in", "forget", "out"))
    states = []
    for row in inputs:
        enter, forget, candidate, out = (state @ weights[f"/{name}.W_state"] + row).chunk(4, dim=-1)
        kept = torch.sigmoid(forget + cell * to_forget) * cell
        cell = kept + torch.sigmoid(enter + cell * to_in) * torch.tanh(candidate)
        state = torch.sigmoid(out + cell * to_out) * torch.tanh(cell)
        states.append(state)
    return torch.stack(states)


def normalized(name, x):
    return functional.layer_norm(x, (dim,), weights[f"/{name}.scale"], weights[f"/{name}.shift"])


def attention(name, x):
    batch, time, _ = x.shape
    query, key, value = (
        linear(f"{name}/{part}", x).reshape(batch, time, heads, dim // heads).transpose(1, 2)
        for part in ("query", "key", "value")
    )
    read = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return linear(f"{name}/output", read.transpose(1, 2).reshape(batch, time, dim))


def positions(time):
    half = dim // 2
    rates = torch.exp(torch.arange(half) * (-math.log(10_000) / half))
    angles = torch.arange(time)[:, None] * rates
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def logits(given):
    x = weights["/embedding.W"][given]
    if settings["network"] == "lstm":
        x = x.transpose(0, 1)
        for layer in range(layers):
            x = lstm(f"lstm_{layer}", linear(f"gates_{layer}", x))
        x = x.transpose(0, 1)
    else:
        x = x + positions(given.shape[1])
        for block in (f"block_{layer}" for layer in range(layers)):
            x = x + attention(f"{block}/attention", normalized(f"{block}/attention_norm", x))
            hidden = functional.gelu(linear(f"{block}/mlp/linear_0", normalized(f"{block}/mlp_norm", x)))
            x = x + linear(f"{block}/mlp/linear_1", hidden)
        x = normalized("norm", x)
    return linear("readout", x)


def cost_of(text):
    return functional.cross_entropy(logits(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())


def test_cost():
    with torch.no_grad():
        total = sum(cost_of(text).item() * len(text) for text in test.split(settings["batchSize"]))
    return total / len(test)


train, test = pieces("train.bin"), pieces("test.bin")
optimizer = torch.optim.Adam(weights.values(), lr=settings["learningRate"])
costs = [test_cost()]
for epoch in train.split(len(train) // settings["epochs"]):
    for text in epoch.split(settings["batchSize"]):
        optimizer.zero_grad(set_to_none=True)
        cost_of(text).backward()
        optimizer.step()
    costs.append(test_cost())
print(json.dumps({"torch": torch.__version__, "costs": costs, "perplexities": [math.exp(cost) for cost in costs]}))
