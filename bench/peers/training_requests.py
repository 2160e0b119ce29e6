"""How a peer trains on request, as the benchmarks of steps ask for it."""

import json
import sys
import time

import torch


def serve(step, batches):
    """Says that it is ready; then reads requests from stdin, a JSON line each, {"do": "train", "steps": N}, goes through the batches
    again and again, and answers with one JSON line {"seconds": ..., "cost": ...}."""
    steps = 0
    print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        begin = time.perf_counter()
        for _ in range(request["steps"]):
            cost = step(*batches[steps % len(batches)])
            steps += 1
        print(json.dumps({"seconds": time.perf_counter() - begin, "cost": cost}), flush=True)
