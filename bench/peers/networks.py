"""PyTorch's side of `npm run bench -- networks`: the same networks from the same parameters, on the same batches in the same order.

Reads requests from stdin, a JSON line each, {"do": "train", "steps": N}, and answers with one JSON line {"seconds": ..., "cost": ...}.
"""

import argparse

import torch
from safetensors.torch import load_file
from torch.nn import functional

from training_requests import serve

parser = argparse.ArgumentParser()
parser.add_argument("--network", required=True)
parser.add_argument("--variant", required=True, help="default, channels_last, fused or sparse")
parser.add_argument("--start", required=True, help="safetensors file of parameters, and of inputs of all batches")
parser.add_argument("--threads", type=int, required=True)
args = parser.parse_args()

torch.set_num_threads(args.threads)
start = load_file(args.start)


def filled(module, **values):
    """Takes the values of its parameters, which it may have transposed."""
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(value)
    return module


def linear(weights, bias=None):
    made = torch.nn.Linear(*weights.shape, bias=bias is not None)
    return filled(made, weight=weights.T, **({} if bias is None else {"bias": bias}))


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = filled(torch.nn.Conv2d(1, 20, 5), weight=start["W1"], bias=start["b1"])
        self.second = filled(torch.nn.Conv2d(20, 50, 5), weight=start["W2"], bias=start["b2"])
        self.hidden, self.output = linear(start["W3"], start["b3"]), linear(start["W4"], start["b4"])

    def forward(self, images, labels):
        x = functional.max_pool2d(functional.relu(self.first(images)), 2)
        x = functional.max_pool2d(functional.relu(self.second(x)), 2)
        return functional.cross_entropy(self.output(functional.relu(self.hidden(x.flatten(1)))), labels)


class Lstm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        words, dim = start["embedding"].shape
        self.embedding = filled(torch.nn.Embedding(words, dim), weight=start["embedding"])
        self.lstm = torch.nn.LSTM(dim, dim)
        filled(self.lstm, weight_ih_l0=start["W_input"].T, weight_hh_l0=start["W_state"].T)
        filled(self.lstm, bias_ih_l0=start["b"], bias_hh_l0=torch.zeros_like(start["b"]))
        # The other bias is trained: two would be trained twice as fast.
        self.lstm.bias_hh_l0.requires_grad_(False)
        self.output = linear(start["W_output"], start["b_output"])

    def forward(self, words, following):
        logits = self.output(self.lstm(self.embedding(words))[0])
        return functional.cross_entropy(logits.flatten(0, 1), following.flatten())


class Gru(torch.nn.Module):
    def __init__(self):
        super().__init__()
        words, dim = start["embedding"].shape
        self.embedding = filled(torch.nn.Embedding(words, dim), weight=start["embedding"])
        self.reader, self.writer = torch.nn.GRU(dim, dim), torch.nn.GRUCell(2 * dim, dim)
        for module, prefix, suffix in ((self.reader, "read", "_l0"), (self.writer, "write", "")):
            values = {f"weight_ih{suffix}": start[f"{prefix}_W_input"].T, f"weight_hh{suffix}": start[f"{prefix}_W_state"].T}
            values |= {f"bias_ih{suffix}": start[f"{prefix}_b_input"], f"bias_hh{suffix}": start[f"{prefix}_b_state"]}
            filled(module, **values)
        self.keys, self.query = linear(start["W_attended"]), linear(start["W_query"])
        self.v = torch.nn.Parameter(start["v"].clone())
        self.output = linear(start["W_output"])

    def forward(self, source, target):
        attended = self.reader(self.embedding(source))[0]
        keys = self.keys(attended)
        embedded = self.embedding(torch.cat([torch.zeros_like(target[:1]), target[:-1]]))
        state, states = torch.zeros_like(attended[0]), []
        for word in embedded:
            weights = torch.softmax(torch.tanh(keys + self.query(state)) @ self.v, 0)
            glimpse = (weights[:, :, None] * attended).sum(0)
            state = self.writer(torch.cat([word, glimpse], 1), state)
            states.append(state)
        return functional.cross_entropy(self.output(torch.stack(states)).flatten(0, 1), target.flatten())


class Transformer(torch.nn.Module):
    def __init__(self, heads=8):
        super().__init__()
        words, self.dim = start["embedding"].shape
        self.heads = heads
        self.embedding = filled(torch.nn.Embedding(words, self.dim), weight=start["embedding"])
        self.positions = torch.nn.Parameter(start["positions"].clone())
        layers = range(sum(name.startswith("W_qkv") for name in start))
        self.qkv = torch.nn.ModuleList(linear(start[f"W_qkv_{layer}"]) for layer in layers)
        self.mixed = torch.nn.ModuleList(linear(start[f"W_mixed_{layer}"]) for layer in layers)
        self.up = torch.nn.ModuleList(linear(start[f"W_up_{layer}"], start[f"b_up_{layer}"]) for layer in layers)
        self.down = torch.nn.ModuleList(linear(start[f"W_down_{layer}"], start[f"b_down_{layer}"]) for layer in layers)
        self.output = linear(start["W_output"])

    def forward(self, words, following):
        batch, steps = words.shape
        norm = lambda x: functional.layer_norm(x, (self.dim,))
        apart = lambda x: x.view(batch, steps, self.heads, self.dim // self.heads).transpose(1, 2)
        hidden = self.embedding(words) + self.positions
        for qkv, mixed, up, down in zip(self.qkv, self.mixed, self.up, self.down):
            query, key, value = map(apart, qkv(norm(hidden)).split(self.dim, 2))
            attention = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            hidden = hidden + mixed(attention.transpose(1, 2).reshape(batch, steps, self.dim))
            hidden = hidden + down(functional.gelu(up(norm(hidden))))
        return functional.cross_entropy(self.output(norm(hidden)).flatten(0, 1), following.flatten())


class Embedding(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(*start["table"].shape, sparse=args.variant == "sparse")
        filled(self.table, weight=start["table"])

    def forward(self, words, wanted):
        return functional.mse_loss(self.table(words), wanted)


def sgd(rate, **options):
    return lambda parameters: torch.optim.SGD(parameters, lr=rate, **options)


def adam_w(parameters):
    return torch.optim.AdamW(parameters, lr=0.0003, eps=1e-8, weight_decay=0.01, fused=args.variant == "fused" or None)


NETWORKS = {
    "lenet": (LeNet, ("images", "labels"), sgd(0.01, momentum=0.9)),
    "lstm": (Lstm, ("words", "next"), sgd(0.1)),
    "lstm_projected": (Lstm, ("words", "next"), sgd(0.1)),
    "gru": (Gru, ("source", "target"), sgd(0.1)),
    "transformer": (Transformer, ("words", "next"), adam_w),
    "embedding": (Embedding, ("words", "wanted"), sgd(100)),
}

make, inputs, optimizer_of = NETWORKS[args.network]
network = make()
batches = [tuple(values) for values in zip(*(start[name].unbind() for name in inputs))]
if args.variant == "channels_last":
    network = network.to(memory_format=torch.channels_last)
    batches = [(first.to(memory_format=torch.channels_last), *others) for first, *others in batches]
optimizer = optimizer_of([parameter for parameter in network.parameters() if parameter.requires_grad])


def step(*batch):
    optimizer.zero_grad(set_to_none=True)
    cost = network(*batch)
    cost.backward()
    optimizer.step()
    return cost.item()


serve(step, batches)
