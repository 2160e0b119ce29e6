"""Writes the .npy, .npz and Blocks checkpoint files that npz-file.test.ts and blocks-parameters.test.ts read.

Made with NumPy 2.4.6:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6
    /tmp/venv/bin/python write-numpy.py

blocks-checkpoint.tar is written as blocks.serialization.dump does it (Blocks 0.2): with `_taradd`, and names with `|` for `/`. What is
pickled in its member `_pkl` creates a file when it is unpickled: nobody may.
"""
import os
import pickle
import tarfile
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MATRIX = np.arange(24).reshape(2, 3, 4)


def at(name):
    return os.path.join(HERE, name)


every = {
    "float32": np.array([[0.5, -1.25, 3e-40], [1e38, -0.0, np.pi]], dtype="<f4"),
    "float64": np.array([np.e, 1e-310, -1e308], dtype="<f8"),
    "int8": np.array([-128, 0, 127], dtype="i1"),
    "int16": np.array([[-32768], [32767]], dtype="<i2"),
    "int32": np.array([-(2**31), 2**31 - 1], dtype="<i4"),
    "int64": np.array([-(2**63), 2**63 - 1, 2**53 + 1], dtype="<i8"),
    "uint8": np.array([0, 255], dtype="u1"),
    "uint16": np.array([0, 65535], dtype="<u2"),
    "uint32": np.array([0, 2**32 - 1], dtype="<u4"),
    "bool": np.array([True, False, True]),
    "scalar": np.array(7, dtype="<i8"),
    "empty": np.zeros((0, 3), dtype="<f4"),
    "big-endian": np.array([1.5, -2.25, 1e300], dtype=">f8"),
    "big-endian int16": np.array([1, -2], dtype=">i2"),
    "fortran": np.asfortranarray(MATRIX.astype("<i4")),
    "fortran big-endian": np.asfortranarray(MATRIX.astype(">f4")),
    "ü 中": np.array([1], dtype="u1"),
}
np.savez(at("every-dtype.npz"), **every)
np.savez_compressed(at("compressed.npz"), zeros=np.zeros((1000, 50), dtype="<f4"), **every)
np.save(at("matrix.npy"), MATRIX.astype("<f8"))
with open(at("version-2.npy"), "wb") as file:
    np.lib.format.write_array(file, MATRIX.astype("<f4"), version=(2, 0))
np.savez(at("pickled.npz"), good=np.zeros(2), bad=np.array([{"a": 1}, None], dtype=object))


class Trap:
    def __reduce__(self):
        return (open, (os.path.join(tempfile.gettempdir(), "unpickled-by-longrun"), "w"))


def taradd(func, tar_file, name):
    with tempfile.NamedTemporaryFile("wb", delete=False) as temp_file:
        func(temp_file)
        temp_file.close()
        tar_file.add(temp_file.name, arcname=name, filter=unowned)
        os.remove(temp_file.name)


def unowned(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def dump(path, parameters, format, *added):
    with open(path, "wb") as file:
        tar_file = tarfile.TarFile(fileobj=file, mode="w", format=format)
        if parameters:
            taradd(lambda f: np.savez(f, **{name.replace("/", "|"): value for name, value in parameters.items()}), tar_file, "_parameters")
        taradd(lambda f: pickle.dump(Trap(), f, protocol=2), tar_file, "_pkl")
        for name in added:  # as add_to_dump
            taradd(lambda f: pickle.dump(Trap(), f, protocol=2), tar_file, name)
        tar_file.close()


parameters = {
    "/mlp/linear_0.W": np.arange(6, dtype="<f4").reshape(2, 3) / 4,
    "/mlp/linear_0.b": np.array([-1.5, 0.25, 3.0], dtype="<f4"),
    "/mlp/linear-1.W": np.asfortranarray(np.arange(6, dtype="<f8").reshape(3, 2)),
    "parameter_2": np.array(3, dtype="<i8"),
}
dump(at("blocks-checkpoint.tar"), parameters, tarfile.GNU_FORMAT)
dump(at("blocks-checkpoint-pax.tar"), parameters, tarfile.PAX_FORMAT)
# A name of more than 100 bytes has a block of its own, which differs between the formats.
dump(at("blocks-no-parameters.tar"), {}, tarfile.GNU_FORMAT, "added_" + "x" * 104)
dump(at("blocks-no-parameters-pax.tar"), {}, tarfile.PAX_FORMAT, "added_" + "x" * 104)
