"""The side of h5py, torchdata and PIL of `npm run bench -- fuel`.

Reads requests from stdin, a JSON line each, and answers with one JSON line. {"do": "make", "folder": F} writes F/contiguous.hdf5, F/chunked.hdf5 and
F/gzip.hdf5, each with a source `features`, and, with PIL, F/images/*.jpg. {"do": "sequential", "path": P} goes through all rows in batches; {"do": "random", "path": P,
"batches": N, "seed": S} reads N batches of random rows by fancy indexing; {"do": "load", "batches": N} takes N shuffled batches of a StatefulDataLoader over rows in
memory, with a state after each; {"do": "images", "folder": F} decodes and crops all images: each answers {"seconds": ..., "batches": ...}.
"""

import argparse
import json
import os
import sys
import time

import h5py
import numpy
import torch
from torchdata.stateful_dataloader import StatefulDataLoader

try:
    from PIL import Image
except ImportError:
    Image = None

parser = argparse.ArgumentParser()
for name in ("rows", "width", "batch-size", "images", "side", "window"):
    parser.add_argument(f"--{name}", type=int, required=True)
args = parser.parse_args()
torch.set_num_threads(2)


class Rows(torch.utils.data.Dataset):
    def __init__(self):
        self.rows = torch.from_numpy(numpy.random.RandomState(1).randint(0, 256, (args.rows, args.width)).astype("uint8"))

    def __len__(self):
        return args.rows

    def __getitem__(self, index):
        return self.rows[index]

    # The faster form: a batch at a time.
    def __getitems__(self, indices):
        return self.rows[torch.as_tensor(indices)]


class Images(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        self.random = numpy.random.RandomState(1)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = numpy.asarray(Image.open(self.paths[index]).convert("RGB"))
        top, left = self.random.randint(0, args.side - args.window + 1, 2)
        window = image[top : top + args.window, left : left + args.window]
        return torch.from_numpy(numpy.ascontiguousarray(window.transpose(2, 0, 1)))


def make(folder):
    rows = numpy.random.RandomState(2).randint(0, 256, (args.rows, args.width)).astype("uint8")
    # Some of it can be packed, as of images.
    rows[:, ::2] = 0
    chunks = (64, args.width)
    for name, options in {
        "contiguous": {},
        "chunked": {"chunks": chunks},
        "gzip": {"chunks": chunks, "compression": "gzip"},
    }.items():
        with h5py.File(os.path.join(folder, f"{name}.hdf5"), "w") as file:
            file.create_dataset("features", data=rows, **options)
            split = numpy.empty(1, dtype=[("split", "S5"), ("source", "S8"), ("start", "<i8"), ("stop", "<i8"),
                                          ("indices", h5py.special_dtype(ref=h5py.Reference)), ("available", "?"), ("comment", "S1")])
            split[0] = (b"train", b"features", 0, args.rows, h5py.Reference(), True, b".")
            file.attrs["split"] = split
    if Image is not None:
        os.mkdir(os.path.join(folder, "images"))
        y, x = numpy.mgrid[0 : args.side, 0 : args.side]
        for index in range(args.images):
            waves = [numpy.sin(y / (9 + index % 7) + channel) + numpy.cos(x / (11 + index % 5)) for channel in range(3)]
            noise = numpy.random.RandomState(index).normal(0, 6, (args.side, args.side, 3))
            pixels = (127 + 60 * numpy.stack(waves, axis=2) + noise).clip(0, 255).astype("uint8")
            Image.fromarray(pixels).save(os.path.join(folder, "images", f"{index:05}.jpg"), quality=90)
    return {"seconds": 0, "batches": 0, "images": 0 if Image is None else args.images}


def sequential(path):
    with h5py.File(path, "r") as file:
        features = file["features"]
        total = 0
        begin = time.perf_counter()
        for start in range(0, args.rows, args.batch_size):
            total += int(features[start : start + args.batch_size][0, 1])
        return {"seconds": time.perf_counter() - begin, "batches": -(-args.rows // args.batch_size)}


def random(path, batches, seed):
    order = numpy.random.RandomState(seed)
    wanted = [numpy.sort(order.choice(args.rows, args.batch_size, replace=False)) for _ in range(batches)]
    with h5py.File(path, "r", rdcc_nbytes=1 << 29) as file:
        features = file["features"]
        for rows in wanted[: batches // 4]:
            features[rows]
        begin = time.perf_counter()
        for rows in wanted:
            features[rows]
        return {"seconds": time.perf_counter() - begin, "batches": batches}


rows_in_memory = None


def load(batches):
    global rows_in_memory
    rows_in_memory = rows_in_memory or Rows()
    order = torch.Generator()
    order.manual_seed(1)
    loader = StatefulDataLoader(rows_in_memory, batch_size=args.batch_size, shuffle=True, generator=order, collate_fn=lambda batch: batch)
    given = iter(loader)
    next(given)
    loader.state_dict()
    begin = time.perf_counter()
    for _ in range(batches):
        next(given)
        loader.state_dict()
    return {"seconds": time.perf_counter() - begin, "batches": batches}


def images(folder):
    loader = torch.utils.data.DataLoader(Images(os.path.join(folder, "images")), batch_size=args.batch_size, num_workers=2)
    begin = time.perf_counter()
    count = sum(1 for _ in loader)
    return {"seconds": time.perf_counter() - begin, "batches": count}


if __name__ == "__main__":
    print(json.dumps({"ready": True, "h5py": h5py.__version__, "torch": torch.__version__}), flush=True)
    work = {"make": make, "sequential": sequential, "random": random, "load": load, "images": images}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(work[request.pop("do")](**request)), flush=True)
