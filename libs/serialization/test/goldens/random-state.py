"""Writes random-state.json: what random-state.test.ts expects of a million draws by each method.

Run: python3 random-state.py, with NumPy 1.26.4 on glibc

Draws are hashed as float64. NumPy takes the logarithm of normal numbers from the C library, whose last bit is not always rounded
correctly and differs between its versions and processors. So the normal numbers are counted out here once more, from the uniform
ones of the same seed and with logarithms that are rounded correctly, and the list of those that NumPy has otherwise, by how many units in
the last place, is written beside NumPy's own hash.
"""

import decimal
import hashlib
import json
import pathlib

import numpy as np

COUNT = 1_000_000
WEIGHTS = [0.1, 0, 0.25, 0.05, 0.6]
SEEDS = {"1": 1, "20151201": 20151201, "4294967295": 2**32 - 1, "[1]": [1], "[1,2,3,4]": [1, 2, 3, 4]}
METHODS = {
    "randomSample": lambda r: r.random_sample(COUNT),
    "uniform": lambda r: r.uniform(-3.5, 11, COUNT),
    "randint": lambda r: r.randint(0, 10, COUNT),
    "randintOneBit": lambda r: r.randint(2, size=COUNT),
    "randintWide": lambda r: r.randint(-5, 2**40 + 3, COUNT),
    "randintWord": lambda r: r.randint(0, 2**32, COUNT),
    "randomIntegers": lambda r: r.random_integers(-7, 99, COUNT),
    "binomialFew": lambda r: r.binomial(20, 0.3, COUNT),
    "binomialRare": lambda r: r.binomial(100_000, 0.0001, COUNT),
    "binomialMany": lambda r: r.binomial(1000, 0.4, COUNT),
    "binomialMost": lambda r: r.binomial(10_000, 0.7, COUNT),
    "bytes": lambda r: np.frombuffer(r.bytes(COUNT), np.uint8),
    "shuffle": lambda r: shuffled(r, COUNT),
    "permutation": lambda r: r.permutation(COUNT),
    "choice": lambda r: r.choice(12_345, COUNT),
    "choiceWeighted": lambda r: r.choice(5, COUNT, p=WEIGHTS),
    "choiceWithoutReplacement": lambda r: r.choice(COUNT, 1000, replace=False),
}
# All methods for these seeds, for the others the quick ones.
FOR_ALL_METHODS = ["1", "[1,2,3,4]"]
QUICK = ["randomSample", "randint"]


def shuffled(random, count):
    items = np.arange(count)
    random.shuffle(items)
    return items


def summary(draws):
    draws = np.asarray(draws, "<f8")
    return {"first": draws[:5].tolist(), "sha256": hashlib.sha256(draws.tobytes()).hexdigest()}


def logarithm(x):
    wide = np.log(x.astype(np.longdouble))
    rounded = wide.astype(np.float64)
    unit = np.spacing(np.abs(rounded)).astype(np.longdouble)
    doubtful = np.abs(np.abs(wide - rounded) / unit - 0.5) < 2.0**-8
    decimal.getcontext().prec = 50
    for index in np.flatnonzero(doubtful):
        rounded[index] = float(decimal.Decimal(float(x[index])).ln())
    return rounded


def normal(seed):
    uniform = np.random.RandomState(seed).random_sample(4 * COUNT).reshape(-1, 2)
    x, y = (2.0 * uniform - 1.0).T
    square = x * x + y * y
    inside = (square < 1.0) & (square != 0.0)
    x, y, square = x[inside], y[inside], square[inside]
    scale = np.sqrt(-2.0 * logarithm(square) / square)
    return np.stack([scale * y, scale * x], 1).ravel()[:COUNT]


def normal_summary(seed):
    theirs = np.random.RandomState(seed).standard_normal(COUNT)
    units = (theirs.view(np.int64) - normal(seed).view(np.int64))
    differing = np.flatnonzero(units)
    return {
        **summary(theirs),
        "differing": [[int(index), int(units[index])] for index in differing],
        "affine": summary(np.random.RandomState(seed).normal(3, 0.1, 5))["first"],
    }


def rare(seed):
    """Few draws each, in a row: odd counts, and what draws nothing."""
    r = np.random.RandomState(seed)
    draws = [r.binomial(0, 0.5), r.binomial(10, 0), r.binomial(10, 1), r.randint(7, 8), r.random_sample()]
    draws += list(r.bytes(7)) + [r.randint(-(2**52), 2**52), r.uniform(), r.normal(), r.random_integers(6)]
    draws += r.choice(5, 4, replace=False, p=WEIGHTS).tolist() + r.choice(3, 2).tolist() + r.permutation(3).tolist()
    return [float(number) for number in draws + [r.randn(), r.rand()]]


def state(seed):
    r = np.random.RandomState(seed)
    r.standard_normal(1001)
    _, words, position, has_gauss, gauss = r.get_state()
    digest = hashlib.sha256(words.astype("<u4").tobytes()).hexdigest()
    return {"sha256": digest, "position": int(position), "hasGauss": bool(has_gauss), "gauss": float(gauss)}


def logarithms(count):
    uniform = np.random.RandomState(7).random_sample(2 * count)
    x = np.concatenate([uniform[:count], 1 - uniform[count:] * 2.0**-12, uniform[:100] * 2.0**-90])
    return hashlib.sha256(logarithm(x).tobytes()).hexdigest()


golden = {
    name: {method: summary(draw(np.random.RandomState(seed))) for method, draw in METHODS.items()
           if name in FOR_ALL_METHODS or method in QUICK}
    for name, seed in SEEDS.items()
}
for name in FOR_ALL_METHODS:
    golden[name]["normal"] = normal_summary(SEEDS[name])
json.dump(
    {"draws": golden, "rare": rare(3), "state": state(1), "logarithms": logarithms(20_000)},
    open(pathlib.Path(__file__).with_suffix(".json"), "w"),
)
