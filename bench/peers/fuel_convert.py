"""The original Fuel's side of `npm run bench -- fuel`: its `convert_mnist` on raw files of MNIST's form.

FUEL_SOURCE names a folder with the packages `fuel` (mila-iqia/fuel) and `picklable_itertools`; what they import has to be there too. Reads requests from stdin, a JSON line
each: {"from": FOLDER, "to": FOLDER}, and answers {"seconds": ..., "batches": 1}.
"""

import collections
import collections.abc
import json
import os
import sys
import time
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
try:
    import pkg_resources
except ImportError:
    # It asks there for its own version.
    sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    sys.modules["pkg_resources"].DistributionNotFound = LookupError
    sys.modules["pkg_resources"].get_distribution = lambda name: (_ for _ in ()).throw(LookupError(name))
import fuel

# The other converters import what this one does not need.
converters = types.ModuleType("fuel.converters")
converters.__path__ = [os.path.join(os.environ["FUEL_SOURCE"], "fuel", "converters")]
sys.modules["fuel.converters"] = converters
from fuel.converters.mnist import convert_mnist

print(json.dumps({"ready": True, "fuel": "0.2", "h5py": h5py.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    begin = time.perf_counter()
    convert_mnist(request["from"], request["to"], output_filename="fuel.hdf5")
    print(json.dumps({"seconds": time.perf_counter() - begin, "batches": 1}), flush=True)
