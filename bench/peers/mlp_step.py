"""PyTorch's side of `npm run bench -- mlp-step`: the same network, data, batches and log line, as its users write it.

Reads commands from stdin: a number N runs N steps and answers with one JSON line {"seconds": ..., "cost": ...}.
"""

import argparse
import json
import sys
import time

import h5py
import numpy
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--dataset", required=True, help="Fashion-MNIST in Fuel's HDF5 layout")
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--batch-size", type=int, required=True)
parser.add_argument("--learning-rate", type=float, required=True)
parser.add_argument("--fused", action="store_true", help="Adam's fused CPU kernel instead of its default")
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(1)

with h5py.File(args.dataset, "r") as file:
    features = torch.from_numpy(file["features"][:60000].reshape(60000, -1))
    targets = torch.from_numpy(file["targets"][:60000].reshape(-1).astype(numpy.int64))

model = torch.nn.Sequential(
    torch.nn.Linear(784, 500),
    torch.nn.ReLU(),
    torch.nn.Linear(500, 500),
    torch.nn.ReLU(),
    torch.nn.Linear(500, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate, fused=args.fused or None)
cost_of = torch.nn.CrossEntropyLoss()


def batches():
    while True:
        order = torch.randperm(len(features))
        for start in range(0, len(order), args.batch_size):
            rows = order[start : start + args.batch_size]
            yield features[rows].float().div_(255), targets[rows]


def step(stream):
    x, y = next(stream)
    optimizer.zero_grad(set_to_none=True)
    cost = cost_of(model(x), y)
    cost.backward()
    optimizer.step()
    return cost.item()


stream = batches()
log = []
print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    for _ in range(int(line)):
        log.append({"step": len(log) + 1, "training_cost": step(stream)})
    print(json.dumps({"seconds": time.perf_counter() - begin, "cost": log[-1]["training_cost"]}), flush=True)
