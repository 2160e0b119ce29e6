"""PyTorch's side of `npm run bench -- serialization`: a training whose state is saved by DCP's async_save, with the stager of 2.9.

`--by thread` writes in a thread of this process, `--by process` in one of its own, which gets the staged state in shared memory and needs
a process group, of this process alone. The copy is staged beside the training, which waits for it before the optimizer writes.

Reads requests from stdin, a JSON line each: {"steps": N, "path": ...} trains for N steps, takes a snapshot, and trains on until it is
written. Answers with one JSON line of milliseconds: {"undisturbed": [...], "blocked": ..., "disturbed": [...], "saved": ...}.
"""

import argparse
import json
import logging
import shutil
import sys
import tempfile
import time
import warnings

import torch
import torch.distributed
import torch.distributed.checkpoint as checkpoint
from torch.distributed.checkpoint.staging import DefaultStager, StagingOptions
from torch.distributed.checkpoint.state_dict import get_state_dict
from torch.distributed.checkpoint.state_dict_saver import AsyncCheckpointerType

# The process that writes begins with this module, and would tell of each request.
logging.disable(logging.INFO)


def now():
    return 1_000 * time.perf_counter()


class Training:
    def __init__(self, args):
        # The writer has no need of a hint that there is no process group.
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        torch.set_num_threads(args.threads)
        torch.manual_seed(1)
        self.by_process = args.by == "process"
        if self.by_process:
            self.rendezvous = tempfile.NamedTemporaryFile()
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{self.rendezvous.name}", rank=0, world_size=1
            )
        layers = [torch.nn.Linear(args.width, args.width) for _ in range(args.layers)]
        between = [[layer, torch.nn.ReLU()] for layer in layers[:-1]]
        self.model = torch.nn.Sequential(*(module for pair in between for module in pair), layers[-1])
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        self.cost_of = torch.nn.CrossEntropyLoss()
        self.features = torch.randn(8, args.batch_size, args.width)
        self.targets = torch.arange(8 * args.batch_size).remainder(args.width).reshape(8, args.batch_size)
        options = StagingOptions(
            use_pinned_memory=False,
            use_shared_memory=self.by_process,
            use_async_staging=True,
            use_non_blocking_copy=False,
        )
        self.stager = DefaultStager(options)
        self.steps = 0

    def step(self, staged=None):
        """Returns for how long the optimizer had to wait for the copy."""
        at = self.steps % len(self.features)
        self.steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        cost = self.cost_of(self.model(self.features[at]), self.targets[at])
        cost.backward()
        begin = now()
        if staged is not None:
            staged.result()
        waited = now() - begin
        self.optimizer.step()
        cost.item()
        return waited

    def snapshot(self, path):
        model, optimizer = get_state_dict(self.model, self.optimizer)
        kind = AsyncCheckpointerType.PROCESS if self.by_process else AsyncCheckpointerType.THREAD
        return checkpoint.async_save(
            {"model": model, "optimizer": optimizer},
            checkpoint_id=path,
            async_stager=self.stager,
            async_checkpointer_type=kind,
            no_dist=not self.by_process,
        )

    def round(self, steps, path):
        times = []
        ended = now()

        def timed_step(staged=None):
            nonlocal ended
            waited = self.step(staged)
            times.append(now() - ended)
            ended += times[-1]
            return waited

        for _ in range(steps):
            timed_step()
        undisturbed, times = times, []
        called = ended
        response = self.snapshot(path)
        written = []
        response.upload_completion.add_done_callback(lambda _: written.append(now()))
        blocked = now() - called
        blocked += timed_step(response.staging_completion)
        while not written:
            timed_step()
        response.upload_completion.result()
        shutil.rmtree(path)
        return {"undisturbed": undisturbed, "blocked": blocked, "disturbed": times, "saved": written[0] - called}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--by", choices=["thread", "process"], required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    training = Training(args)
    print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(training.round(request["steps"], request["path"])), flush=True)


# Not in the process that writes.
if __name__ == "__main__":
    main()
