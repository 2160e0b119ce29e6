"""The original Fuel's and h5py's side of `fuel-corpus.test.ts`.

FUEL_SOURCE names a folder with the packages `fuel` (mila-iqia/fuel) and `picklable_itertools`; what they import has to be there too.

usage: fuel_corpus.py write FOLDER    writes files of every layout, and raw files with what the original's converters make of them
       fuel_corpus.py tell FOLDER     prints what the original reads of each HDF5 file: of each split and source the dtype, the shapes of the
                                      rows and a SHA-256 of their bytes, little-endian, and the axis labels
"""

import collections
import collections.abc
import hashlib
import functools
import io
import json
import os
import pickle
import shutil
import sys
import tarfile
import types
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, os.environ["FUEL_SOURCE"])
# It was written for a Python and a NumPy of 2015.
for name in ("Mapping", "MutableMapping", "Iterable", "Sequence", "Callable", "MutableSequence", "Iterator"):
    setattr(collections, name, getattr(collections.abc, name))

import h5py
import numpy

for name, type_ in (("bool", bool), ("int", int), ("float", float), ("object", object)):
    if not hasattr(numpy, name):
        setattr(numpy, name, type_)
numpy.loadtxt = functools.partial(numpy.loadtxt, encoding="bytes")
try:
    import pkg_resources
except ImportError:
    # It asks there for its own version.
    sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    sys.modules["pkg_resources"].DistributionNotFound = LookupError
    sys.modules["pkg_resources"].get_distribution = lambda name: (_ for _ in ()).throw(LookupError(name))
import fuel
from fuel.datasets.hdf5 import H5PYDataset

# The other converters import what these do not need.
converters = types.ModuleType("fuel.converters")
converters.__path__ = [os.path.join(os.environ["FUEL_SOURCE"], "fuel", "converters")]
sys.modules["fuel.converters"] = converters
from fuel.converters import adult, base, cifar100, iris

EXAMPLES = 23
REFERENCE = h5py.special_dtype(ref=h5py.Reference)
DTYPES = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool")


def counted(shape, dtype):
    """Numbers that differ, negative ones among them."""
    numbers = (numpy.arange(numpy.prod(shape, dtype=int)) * 37) % 251
    if numpy.dtype(dtype).kind in "if":
        numbers = numbers - 125
    return numbers.reshape(shape).astype(dtype)


def split_scalars(h5file, splits):
    """The attribute with scalar members, as h5py and NumPy of 2015 wrote it: (split, source, start, stop, indices, comment)."""
    array = numpy.zeros(
        len(splits),
        dtype=[
            ("split", "S8"), ("source", "S16"), ("start", "<i8"), ("stop", "<i8"), ("indices", REFERENCE),
            ("available", "?"), ("comment", "S12"),
        ],
    )
    for i, (which, source, start, stop, indices, available, comment) in enumerate(splits):
        array[i] = (which.encode(), source.encode(), start, stop, indices, available, comment.encode())
    h5file.attrs["split"] = array


def whole(h5file, sources):
    split_scalars(h5file, [("all", source, 0, EXAMPLES, h5py.Reference(), True, ".") for source in sorted(sources)])


def filled(path):
    """By the original's own writer, with the numbers of `split` as its NumPy spells them, and stamped as `fuel-convert` does."""
    with h5py.File(path, "w") as f:
        features = counted((EXAMPLES, 1, 3, 2), "uint8")
        targets = counted((EXAMPLES, 1), "int16")
        base.fill_hdf5_file(
            f,
            (
                ("train", "features", features[:15]),
                ("train", "targets", targets[:15], "a comment"),
                ("test", "features", features[15:]),
            ),
        )
        for source, labels in (("features", "batch channel height width"), ("targets", "batch index")):
            for axis, label in enumerate(labels.split()):
                f[source].dims[axis].label = label
        f.attrs["h5py_interface_version"] = H5PYDataset.interface_version.encode()
        f.attrs["fuel_convert_version"] = b"0.2"
        f.attrs["fuel_convert_command"] = b"fuel-convert corpus"


def referred(path):
    """Splits by lists of rows."""
    with h5py.File(path, "w") as f:
        f["features"] = counted((EXAMPLES, 4), "float32")
        f["targets"] = counted((EXAMPLES,), "uint8")
        f["odd"] = numpy.arange(1, EXAMPLES, 2)
        split_scalars(
            f,
            [
                ("odd", "features", -1, -1, f["odd"].ref, True, "every other"),
                ("odd", "targets", -1, -1, f["odd"].ref, True, "."),
                ("some", "features", 3, 9, h5py.Reference(), True, "."),
                ("some", "targets", 0, 0, h5py.Reference(), False, "."),
            ],
        )


def layouts(path, **options):
    """Every way in which HDF5 keeps numbers."""
    with h5py.File(path, "w", **options) as f:
        numbers = counted((EXAMPLES, 5, 3), "int32")
        kinds = {
            "chunked": {"chunks": (4, 2, 3)},
            "gzip": {"chunks": (4, 2, 3), "compression": "gzip"},
            "shuffled": {"chunks": (4, 5, 3), "compression": "gzip", "shuffle": True},
            "summed": {"chunks": (7, 5, 1), "fletcher32": True},
            "resizable": {"maxshape": (None, 5, 3)},
            "scaled": {"chunks": (4, 5, 3), "scaleoffset": 0},
        }
        if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
            kinds["szip"] = {"chunks": (8, 5, 3), "compression": "szip"}
        for source, kind in kinds.items():
            f.create_dataset(source, data=numbers, **kind)
        for dtype in DTYPES:
            f[dtype] = counted((EXAMPLES, 2), dtype)
            if numpy.dtype(dtype).itemsize > 1:
                big = numpy.dtype(dtype).newbyteorder(">")
                f.create_dataset("big_" + dtype, data=counted((EXAMPLES, 2), dtype), dtype=big)
        whole(f, [source for source in f])


def ragged(path, **options):
    """Rows of several shapes, as Fuel's documentation has them; and in chunks where the file's format has the index that is read."""
    with h5py.File(path, "w", **options) as f:
        shapes = numpy.array([((i * 5) % 7, 1 + i % 3) for i in range(EXAMPLES)])
        sources = []
        for dtype, storage in (
            ("uint8", {}), ("float32", {}), ("int64", {}),
            ("uint16", {"maxshape": (None,)}), ("int16", {"chunks": (5,), "compression": "gzip", "shuffle": True}),
        ):
            if storage and options.get("libver") == "latest":
                continue
            source = f.create_dataset("r_" + dtype, (EXAMPLES,), dtype=h5py.special_dtype(vlen=numpy.dtype(dtype)), **storage)
            for i, shape in enumerate(shapes):
                source[i] = (counted(shape, dtype) + i).astype(dtype).flatten()
            scale = f.create_dataset(dtype + "_shapes", data=shapes.astype("int32"))
            labels = f.create_dataset(dtype + "_shape_labels", data=numpy.array([b"height", b"width"]))
            for dataset, name in ((scale, "shapes"), (labels, "shape_labels")):
                dataset.make_scale(name)
                source.dims[0].attach_scale(dataset)
            source.dims[0].label = "batch"
            sources.append("r_" + dtype)
        flat = f.create_dataset("encoded", (EXAMPLES,), dtype=h5py.special_dtype(vlen=numpy.dtype("uint8")))
        for i in range(EXAMPLES):
            flat[i] = counted((i * 311 % 5000,), "uint8")
        whole(f, sources + ["encoded"])


def raw_adult(folder):
    """Two files of the census, in which each value of the words is in both, but for one country."""
    words = ["State-gov Private", "Bachelors Masters 11th", "Divorced Never-married", "Sales Tech-support", "Wife Husband", "White Black", "Male Female"]
    for name, count, end in (("adult.data", 40, ""), ("adult.test", 30, ".")):
        with open(os.path.join(folder, name), "w") as f:
            f.write("|1x3 Cross validator\n" if end else "")
            for i in range(count):
                w = [word.split()[(i // (j + 1)) % len(word.split())] for j, word in enumerate(words)]
                country = ("Cuba Haiti Peru" if end else "Cuba Haiti Peru Vietnam").split()
                fields = [17 + i, w[0], 1000 + i * i, w[1], i % 16, w[2], w[3], w[4], w[5], w[6], 10 * i, i % 5, 40, country[i % len(country)]]
                fields[1] = "?" if i == 7 else fields[1]
                f.write(", ".join(str(field) for field in fields) + (", >50K" if i % 3 == 0 else ", <=50K") + end + "\n")
            f.write("\n")


def raw_cifar100(folder):
    """The version for Python, which the original reads, and the binary one, which Longrun does, of the same images."""
    with tarfile.open(os.path.join(folder, "cifar-100-python.tar.gz"), "w:gz") as python, tarfile.open(
        os.path.join(folder, "cifar-100-binary.tar.gz"), "w:gz"
    ) as binary:
        for split, count in (("train", 5), ("test", 3)):
            images = counted((count, 3072), "uint8") + len(split)
            coarse = [(i * 7) % 20 for i in range(count)]
            fine = [(i * 31) % 100 for i in range(count)]
            pickled = pickle.dumps({"data": images, "coarse_labels": coarse, "fine_labels": fine}, protocol=2)
            labels = numpy.array([coarse, fine], dtype="uint8").T
            for archive, path, content in (
                (python, "cifar-100-python/" + split, pickled),
                (binary, "cifar-100-binary/%s.bin" % split, numpy.concatenate([labels, images], axis=1).tobytes()),
            ):
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def write(folder):
    os.makedirs(os.path.join(folder, "raw"))
    os.makedirs(os.path.join(folder, "converted"))
    raw = os.path.join(folder, "raw")
    path = lambda name: os.path.join(folder, name + ".hdf5")
    filled(path("filled"))
    referred(path("referred"))
    layouts(path("layouts"))
    layouts(path("layouts-latest"), libver="latest")
    layouts(path("layouts-user-block"), userblock_size=1024)
    ragged(path("ragged"), libver="earliest")
    ragged(path("ragged-latest"), libver="latest")
    raw_adult(raw)
    raw_cifar100(raw)
    with open(os.path.join(raw, "iris.data"), "w") as f:
        names = ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
        for i in range(150):
            f.write("%.1f,%.1f,%.1f,%.1f,%s\n" % (4 + i / 50, 2 + i % 7 / 5, 1 + i / 30, i % 25 / 10, names[i // 50]))
    # Without an order, the columns of its words differ from run to run.
    adult.set = lambda values: sorted(set(values))
    converted = os.path.join(folder, "converted")
    adult.convert_adult(raw, converted)
    cifar100.convert_cifar100(raw, converted)
    iris.convert_iris(raw, converted)


def told(rows):
    digest = hashlib.sha256()
    shapes = []
    dtype = None
    for row in rows:
        row = numpy.asarray(row)
        dtype = str(row.dtype.newbyteorder("="))
        shapes.append(list(row.shape))
        digest.update(numpy.ascontiguousarray(row.astype(row.dtype.newbyteorder("<"))).tobytes())
    return {"dtype": dtype, "shapes": shapes, "sha256": digest.hexdigest()}


def named(labels):
    """Without labels where none of the axes has one: a ragged source of Longrun has an axis more, as its rows have a shape."""
    return [label or "" for label in labels] if any(labels) else []


def with_scalars(path):
    """A copy whose splits have numbers: what the original writes today are arrays of one, by which it cannot count itself any more."""
    copy = path + ".scalars"
    shutil.copy(path, copy)
    with h5py.File(copy, "a") as f:
        rows = f.attrs["split"]
        names = rows.dtype.names
        scalars = numpy.zeros(len(rows), dtype=[(n, rows.dtype[n].base) for n in names])
        for n in names:
            scalars[n] = rows[n].reshape(len(rows))
        f.attrs["split"] = scalars
    return copy


def tell(folder):
    files = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".hdf5"):
            continue
        path = os.path.join(folder, name)
        with h5py.File(path, "r") as f:
            splits = sorted(H5PYDataset.get_all_splits(f))
            is_scalar = f.attrs["split"].dtype["start"].shape == ()
        if not is_scalar:
            path = with_scalars(path)
        files[name] = {}
        for split in splits:
            dataset = H5PYDataset(path, which_sets=(split,))
            handle = dataset.open()
            columns = dataset.get_data(handle, slice(0, dataset.num_examples))
            labels = dataset.axis_labels or {}
            files[name][split] = {
                source: dict(told(column), axisLabels=named(labels.get(source, ())))
                for source, column in zip(dataset.sources, columns)
            }
            dataset.close(handle)
    print(json.dumps(files))


{"write": write, "tell": tell}[sys.argv[1]](sys.argv[2])
