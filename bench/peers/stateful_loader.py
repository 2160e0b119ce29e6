"""torchdata's side of `npm run bench -- serialization`: a shuffled StatefulDataLoader, its state, and going on from it.

Reads requests from stdin, a JSON line each, and answers with one JSON line: {"do": "resume", "batch": N} builds a loader, loads the
state that another had after batch N, and takes the first batch: {"seconds": ...}; {"do": "state", "batches": N} takes the state after each
of N batches: {"bytes": ..., "seconds": of the states, "rest": of the batches}.
"""

import argparse
import json
import pickle
import sys
import time
from importlib.metadata import version

import torch
from torchdata.stateful_dataloader import StatefulDataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--examples", type=int, required=True)
parser.add_argument("--batch-size", type=int, required=True)
args = parser.parse_args()


class Indices(torch.utils.data.Dataset):
    def __len__(self):
        return args.examples

    def __getitem__(self, index):
        return index

    def __getitems__(self, indices):
        return indices


def loader():
    order = torch.Generator()
    order.manual_seed(1)
    return StatefulDataLoader(Indices(), batch_size=args.batch_size, shuffle=True, generator=order)


begun = loader()
batches = iter(begun)
next(batches)
first = begun.state_dict()


def resume(batch):
    # The state after a batch differs from that after the first in its counts alone: they are set, and the batches before it not taken.
    state = pickle.loads(pickle.dumps(first))
    state["_num_yielded"] = state["_sampler_iter_yielded"] = batch
    sampler = state["_sampler_iter_state"]
    sampler["samples_yielded"] = sampler["sampler_iter_state"]["yielded"] = batch * args.batch_size
    begin = time.perf_counter()
    resumed = loader()
    resumed.load_state_dict(state)
    next(iter(resumed))
    return {"seconds": time.perf_counter() - begin}


def states(count):
    global batches
    in_states = in_batches = 0.0
    for _ in range(count):
        begin = time.perf_counter()
        if next(batches, None) is None:
            # A look with few examples comes to the end of its epoch.
            batches = iter(begun)
            next(batches)
        delivered = time.perf_counter()
        state = begun.state_dict()
        in_states += time.perf_counter() - delivered
        in_batches += delivered - begin
    return {"bytes": len(pickle.dumps(state)), "seconds": in_states, "rest": in_batches}


print(json.dumps({"ready": True, "torchdata": version("torchdata"), "torch": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    answer = resume(request["batch"]) if request["do"] == "resume" else states(request["batches"])
    print(json.dumps(answer), flush=True)
