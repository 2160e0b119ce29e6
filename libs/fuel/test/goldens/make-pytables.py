"""Makes pytables.hdf5 as PyTables would: run it with PyTables (`tables`) and NumPy."""
import os

import numpy
import tables

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytables.hdf5")
with tables.open_file(path, mode="w") as file:
    group = file.create_group("/", "Data")
    file.create_carray(group, "X", obj=numpy.arange(40, dtype="float32").reshape(10, 4), chunkshape=(3, 4), filters=tables.Filters(5, "zlib"))
    array = file.create_earray(group, "y", tables.UInt8Atom(), (0, 1))
    array.append(numpy.arange(10, dtype="uint8")[:, None])
    file.create_array(group, "short", obj=numpy.arange(4))
    other = file.create_group("/", "Test")
    file.create_array(other, "X", obj=-numpy.ones((2, 4), "float32"))
