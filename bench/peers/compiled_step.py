"""PyTorch's side of `npm run bench -- tensor`: the same network from the same parameters, on the same batches in the same order.

Reads requests from stdin, a JSON line each, {"do": "train", "steps": N}, and answers with one JSON line {"seconds": ..., "cost": ...}.
"""

import argparse

import torch
from safetensors.torch import load_file

from training_requests import serve

parser = argparse.ArgumentParser()
parser.add_argument("--start", required=True, help="safetensors file of parameters and examples")
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--batch-size", type=int, required=True)
parser.add_argument("--learning-rate", type=float, required=True)
parser.add_argument("--epsilon", type=float, required=True)
parser.add_argument("--fused", action="store_true", help="Adam's fused CPU kernel instead of its default")
args = parser.parse_args()

torch.set_num_threads(args.threads)
start = load_file(args.start)


def linear(layer):
    weights = start[f"W{layer}"]
    made = torch.nn.Linear(*weights.shape)
    with torch.no_grad():
        made.weight.copy_(weights.T)
        made.bias.copy_(start[f"b{layer}"])
    return made


model = torch.nn.Sequential(linear(0), torch.nn.ReLU(), linear(1), torch.nn.ReLU(), linear(2))
optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate, eps=args.epsilon, fused=args.fused or None)
cost_of = torch.nn.CrossEntropyLoss()
batches = [
    (features.clone(), labels.clone())
    for features, labels in zip(start["features"].split(args.batch_size), start["labels"].split(args.batch_size))
]


def step(features, labels):
    optimizer.zero_grad(set_to_none=True)
    cost = cost_of(model(features), labels)
    cost.backward()
    optimizer.step()
    return cost.item()


serve(step, batches)
