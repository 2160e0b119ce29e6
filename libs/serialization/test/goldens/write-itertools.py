"""Writes itertools.jsonl: what CPython's iterators give, and how many items they have drawn from each source after each step.

Run: python3 write-itertools.py > itertools.jsonl

A line is a case: the row of the inventory, the call by its name in TypeScript, its arguments, its sources, what it gave, the number of steps
taken (steps after the last item gave the end), and the items drawn from each source: before the first step, after it, and so on.
With `actions`, each step is one of them, and gave an item or null for the end. `tee`: which iterator is asked. `groupBy`: `n`, the next group;
`g`, the next item of the group given last; `s`, that of the one before.
"""
import io
import itertools
import json
import operator
import random

MOST_ITEMS = 9
ENDS = 2
CASES = 80

draw = random.Random(20150805)


class Counted:
    def __init__(self, items):
        self.items = iter(items)
        self.drawn = 0

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        self.drawn += 1
        return item


class IterableLengthMismatch(ValueError):
    pass


class equizip:
    """As picklable_itertools.extras has it: zip_longest with a sentinel, which goes on after the error."""

    def __init__(self, *sources):
        self.none = object()
        self.rows = itertools.zip_longest(*sources, fillvalue=self.none)

    def __iter__(self):
        return self

    def __next__(self):
        row = next(self.rows)
        if self.none in row:
            raise IterableLengthMismatch
        return row


def interleave(sources):
    """As the documentation of toolz has it."""
    iterators = list(map(iter, sources))
    while iterators:
        left = []
        for iterator in iterators:
            try:
                item = next(iterator)
            except StopIteration:
                continue
            yield item
            left.append(iterator)
        iterators = left


def round_robin(*sources):
    """The recipe of the documentation of itertools."""
    active = len(sources)
    nexts = itertools.cycle(iter(it).__next__ for it in sources)
    while active:
        try:
            for following in nexts:
                yield following()
        except StopIteration:
            active -= 1
            nexts = itertools.cycle(itertools.islice(nexts, active))


def batched(source, count):
    """The recipe of the documentation of Python 3.12."""
    iterator = iter(source)
    while batch := tuple(itertools.islice(iterator, count)):
        yield batch


def partition(count, source, *pad):
    """As toolz has it."""
    sources = [iter(source)] * count
    return itertools.zip_longest(*sources, fillvalue=pad[0]) if pad else zip(*sources)


def lines(text):
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="\n")


FUNCTIONS = {
    "odd": lambda x: x % 2,
    "small": lambda x: int(x < 3),
    "third": lambda x: x // 3,
    "minus": operator.neg,
    "add": operator.add,
    "times": operator.mul,
    "larger": max,
    "sum": lambda *items: sum(items),
    None: None,
}


def numbers(longest=6, largest=5):
    return [draw.randint(0, largest) for _ in range(draw.randint(0, longest))]


def data():
    return draw.choice([numbers(), "".join(draw.choices("abc", k=draw.randint(0, 6)))])


def several(least=0, most=3):
    return [numbers() for _ in range(draw.randint(least, most))]


def tuples(width):
    return [[draw.randint(0, 5) for _ in range(width)] for _ in range(draw.randint(0, 5))]


def function(*names):
    return draw.choice(names)


def bounds():
    stop = draw.choice([None, *range(9)])
    start = draw.choice([None, *range(7)])
    return draw.choice([[stop], [start, stop], [start, stop, draw.choice([None, 1, 2, 3])]])


def range_bounds():
    start, stop, step = draw.randint(-9, 9), draw.randint(-9, 9), draw.choice([-4, -3, -1, 1, 2, 5])
    return draw.choice([[stop], [start, stop], [start, stop, step]])


def text():
    return "".join(draw.choices(["\n", "a", "bc", "\r\n", "é", "𝄞", "\r"], k=draw.randint(0, 8)))


# name: row, how arguments and sources are drawn, how CPython is called
CALLS = {
    "partition": ("3-02", lambda: ([draw.randint(1, 4), *draw.choice([[], [9]])], [data()]), lambda a, s: partition(a[0], *s, *a[1:])),
    "partitionAll": ("3-03", lambda: ([draw.randint(1, 4)], [data()]), lambda a, s: batched(*s, *a)),
    "equizip": ("3-06", lambda: ([], draw.choice([several(2), several(2), [data()] * draw.randint(0, 3)])), lambda a, s: equizip(*s)),
    "interleave": ("3-07", lambda: ([], several()), lambda a, s: interleave(s)),
    "roundRobin": ("3-08", lambda: ([], several()), lambda a, s: round_robin(*s)),
    "filter": ("3-10", lambda: ([function("odd", "small", None)], [numbers(9)]), lambda a, s: filter(FUNCTIONS[a[0]], *s)),
    "filterFalse": ("3-11", lambda: ([function("odd", "small", None)], [numbers(9)]), lambda a, s: itertools.filterfalse(FUNCTIONS[a[0]], *s)),
    "takeWhile": ("3-12", lambda: ([function("odd", "small")], [numbers(9)]), lambda a, s: itertools.takewhile(FUNCTIONS[a[0]], *s)),
    "dropWhile": ("3-13", lambda: ([function("odd", "small")], [numbers(9)]), lambda a, s: itertools.dropwhile(FUNCTIONS[a[0]], *s)),
    "groupBy": ("3-14", lambda: ([function("third", "odd", None)], [numbers(9)]), lambda a, s: itertools.groupby(*s, FUNCTIONS[a[0]])),
    "iterate": ("3-15", lambda: ([], [data()]), lambda a, s: iter(*s)),
    "lines": ("3-17", lambda: ([text()], []), lambda a, s: lines(*a)),
    "map": ("3-19", lambda: draw.choice([(["minus"], [numbers()]), (["sum"], several(1)), ([None], several(1))]),
            lambda a, s: map(FUNCTIONS[a[0]] or (lambda *items: items), *s)),
    "starMap": ("3-20", lambda: (["sum"], [tuples(draw.randint(1, 3))]), lambda a, s: itertools.starmap(FUNCTIONS[a[0]], *s)),
    "zip": ("3-21", lambda: ([], several()), lambda a, s: zip(*s)),
    "zipLongest": ("3-22", lambda: ([9], several()), lambda a, s: itertools.zip_longest(*s, fillvalue=a[0])),
    "permutations": ("3-24", lambda: (draw.choice([[], [draw.randint(0, 4)]]), [numbers(4)]), lambda a, s: itertools.permutations(*s, *a)),
    "combinationsWithReplacement": ("3-26", lambda: ([draw.randint(0, 3)], [numbers(4)]), lambda a, s: itertools.combinations_with_replacement(*s, *a)),
    "combinations": ("3-27", lambda: ([draw.randint(0, 4)], [numbers(5)]), lambda a, s: itertools.combinations(*s, *a)),
    "product": ("3-28", lambda: ([draw.choice([1, 1, 0, 2])], [numbers(3) for _ in range(draw.randint(0, 3))]), lambda a, s: itertools.product(*s, repeat=a[0])),
    "range": ("3-29", lambda: (range_bounds(), []), lambda a, s: iter(range(*a))),
    "repeat": ("3-30", lambda: ([draw.randint(0, 5), *draw.choice([[], [draw.randint(0, 4)]])], []), lambda a, s: itertools.repeat(*a)),
    "chain": ("3-31", lambda: ([], several()), lambda a, s: itertools.chain(*s)),
    "chain.fromIterable": ("3-31", lambda: ([], [several(0, 4)]), lambda a, s: itertools.chain.from_iterable(*s)),
    "compress": ("3-32", lambda: ([], [numbers(), numbers(6, 1)]), lambda a, s: itertools.compress(*s)),
    "count": ("3-33", lambda: (draw.choice([[], [draw.randint(-3, 3)], [draw.choice([0.5, -1.25, 3]), draw.choice([0.1, -2, 1e-9])]]), []), lambda a, s: itertools.count(*a)),
    "cycle": ("3-34", lambda: ([], [data()]), lambda a, s: itertools.cycle(*s)),
    "accumulate": ("3-35", lambda: (draw.choice([[], ["times"], ["larger", 2], ["add", 0]]), [numbers()]),
                   lambda a, s: itertools.accumulate(*s, *(FUNCTIONS[name] for name in a[:1]), initial=a[1] if a[1:] else None)),
    "islice": ("3-36", lambda: (bounds(), [numbers(9)]), lambda a, s: itertools.islice(*s, *a)),
    "tee": ("3-39", lambda: ([draw.randint(1, 3)], [numbers()]), lambda a, s: itertools.tee(*s, *a)),
    "batched": ("new", lambda: ([draw.randint(1, 4)], [data()]), lambda a, s: batched(*s, *a)),
    "pairwise": ("new", lambda: ([], [data()]), lambda a, s: itertools.pairwise(*s)),
}


def give(iterator):
    try:
        return next(iterator)
    except StopIteration:
        return None


def tee_steps(iterators):
    for _ in range(draw.randint(1, 14)):
        which = draw.randrange(len(iterators))
        yield str(which), lambda: give(iterators[which])


def group_steps(groups):
    given = [iter(()), iter(())]

    def following():
        step = give(groups)
        if step is None:
            return None
        given.append(step[1])
        return step[0]

    for _ in range(draw.randint(1, 14)):
        action = draw.choice("nggs")
        yield action, following if action == "n" else lambda: give(given[-1 if action == "g" else -2])


def plain_steps(iterator, out):
    items = ends = 0
    while items < MOST_ITEMS and ends < ENDS:
        try:
            out.append(next(iterator))
            items += 1
        except StopIteration:
            ends += 1
        except IterableLengthMismatch:
            out.append("IterableLengthMismatch")
            items += 1
        yield


def case(call):
    row, pick, build = CALLS[call]
    args, sources = pick()
    counted = [Counted(source) for source in sources]
    built = build(args, counted)
    drawn = [source.drawn for source in counted]
    record = {"row": row, "call": call, "args": args, "sources": sources}
    out, steps = [], 0
    if call in ("tee", "groupBy"):
        record["actions"] = ""
        for action, step in (tee_steps if call == "tee" else group_steps)(built):
            record["actions"] += action
            out.append(step())
            drawn += [source.drawn for source in counted]
            steps += 1
    else:
        for _ in plain_steps(built, out):
            drawn += [source.drawn for source in counted]
            steps += 1
    return {**record, "out": out, "steps": steps, "drawn": drawn}


for call in CALLS:
    seen = set()
    for _ in range(CASES):
        line = json.dumps(case(call), separators=(",", ":"), ensure_ascii=False)
        if line not in seen:
            print(line)
        seen.add(line)
