"""Random scans and choices: nodes with graphs of their own, and what they do, step by step, in PyTorch.

Such a graph may use all values around it: its positions count those first, then its arguments, then the values of its nodes.
"""
import torch

from random_graphs import OpNode, Unfit, broadcast, pick, propose

LARGEST_SIZE = 60


def results_of(nodes, outputs, values):
    values = list(values)
    for node in nodes:
        values.extend(node.run(values))
    return [values[position] for position in outputs]


class ScanNode:
    """Theano's scan: sequences are [position, taps], states, one for each output, the same or None; steps an integer, a position or None."""

    def __init__(self, sequences, states, constants, steps, backward, truncate, nodes, outputs, samples):
        self.sequences, self.states, self.constants, self.steps = sequences, states, constants, steps
        self.backward, self.truncate, self.nodes, self.outputs = backward, truncate, nodes, outputs
        self.samples = samples
        self.inputs = [position for position, _ in sequences + [state for state in states if state]] + constants

    def run(self, values):
        steps = int(values[self.steps['input']]) if isinstance(self.steps, dict) else self.steps
        rows = [rows_of(values[position], taps, steps, self.backward) for position, taps in self.sequences]
        steps = len(rows[0]) if steps is None else steps
        # What is before the last steps is constant where gradients are truncated.
        first = 0 if self.truncate is None else max(0, steps - self.truncate)
        cut = lambda value, step: value.detach() if step < first else value
        histories = [[cut(value, 0) for value in first_values(values, state)] for state in self.states]
        collected = [[] for _ in self.outputs]
        for step in range(steps):
            arguments = [row for sequence in rows for row in sequence[step]]
            arguments += [history[tap] for history, state in zip(histories, self.states) if state for tap in state[1]]
            arguments += [values[position] for position in self.constants]
            for at, value in enumerate(results_of(self.nodes, self.outputs, values + arguments)):
                histories[at].append(cut(value, step))
                collected[at].append(cut(value, step))
        float_type = next(value.dtype for value in values if value.is_floating_point())
        empty = lambda like: torch.zeros((0, *like.shape), dtype=float_type if like.is_floating_point() else like.dtype)
        return [torch.stack(found) if found else empty(like) for found, like in zip(collected, self.samples)]

    def listed(self):
        return {
            'scan': {
                'sequences': [{'input': position, 'taps': taps} for position, taps in self.sequences],
                'states': [state and {'initial': state[0], 'taps': state[1]} for state in self.states],
                'nonSequences': self.constants,
                'nSteps': self.steps,
                'goBackwards': self.backward,
                'truncateGradient': self.truncate,
                'nodes': [node.listed() for node in self.nodes],
                'outputs': self.outputs,
            }
        }


def rows_of(x, taps, steps, backward):
    """What each step sees of a sequence: the rows at the taps around its own, of which the first steps are used, or the last ones."""
    here = range(-min(0, *taps), x.shape[0] - max(0, *taps))
    if steps is not None:
        here = here[len(here) - steps:] if backward else here[:steps]
    return [[x[at + tap] for tap in taps] for at in (reversed(here) if backward else here)]


def first_values(values, state):
    if state is None:
        return []
    position, taps = state
    return [values[position]] if min(taps) == -1 else list(values[position])


class ChoiceNode:
    """Theano's ifelse, of whether the sum of a value is above a limit; branches are (nodes, outputs)."""

    def __init__(self, condition, above, branches):
        self.condition, self.above, self.branches = condition, above, branches
        self.inputs = [condition]

    def run(self, values):
        over = float(values[self.condition].detach().sum()) - self.above
        if abs(over) < 0.05:
            raise Unfit
        return results_of(*self.branches[0 if over > 0 else 1], values)

    def listed(self):
        branches = [{'nodes': [node.listed() for node in nodes], 'outputs': outputs} for nodes, outputs in self.branches]
        return {'ifElse': {'condition': self.condition, 'above': self.above, 'branches': branches}}


class Scope:
    """A graph that grows: the values of a first step in it, and the positions of those that further nodes are made of."""

    def __init__(self, draw, values, pool, depth, stretches):
        self.draw, self.values, self.pool, self.depth, self.stretches = draw, list(values), list(pool), depth, stretches
        self.nodes = []

    def inside(self, arguments=(), pool=None):
        return Scope(self.draw, [*self.values, *arguments], self.pool if pool is None else pool, self.depth + 1, self.stretches)

    def add(self, node):
        results = node.run(self.values)
        if any(value.numel() > LARGEST_SIZE or value.ndim > 4 for value in results):
            raise Unfit
        start = len(self.values)
        self.values.extend(results)
        self.nodes.append(node)
        self.pool.extend(start + k for k, value in enumerate(results) if value.is_floating_point() and value.numel() > 0)
        return start

    def fit(self, a, b):
        """Whether two values go together: where sizes are unknown, an axis of 1 is not known to be one that broadcasts."""
        if not broadcast(a, b):
            return False
        return self.stretches or all(m == n for m, n in zip(reversed(a.shape), reversed(b.shape)))

    def grow(self, count):
        goal = len(self.nodes) + count
        for _ in range(300):
            if len(self.nodes) >= goal:
                return
            kinds = {random_op: 12, random_choice: 1 if self.depth < 3 else 0, random_scan: 1.5 if self.depth < 2 else 0}
            [make] = self.draw.choices(list(kinds), kinds.values())
            try:
                self.add(make(self))
            except Unfit:
                continue
        raise Unfit


def random_op(scope):
    node = propose(scope.draw, [scope.values[position] for position in scope.pool])
    if node is None:
        raise Unfit
    node.inputs = [scope.pool[at] for at in node.inputs]
    if len(node.inputs) > 1 and node.op not in ('dot', 'concatenate'):
        if not scope.fit(*[scope.values[position] for position in node.inputs[:2]]):
            raise Unfit
    return node


def random_choice(scope):
    draw = scope.draw
    condition = draw.choice(scope.pool)
    above = float(scope.values[condition].sum()) + draw.choice([-1, 1]) * draw.uniform(0.1, 1.0)
    first, second = scope.inside(), scope.inside()
    first.grow(draw.randint(1, 3))
    second.grow(draw.randint(0, 2))
    outputs = draw.sample(first.pool[-4:], draw.randint(1, min(2, len(first.pool))))
    others = [like(second, first.values[position].shape) for position in outputs]
    return ChoiceNode(condition, round(above, 3), [(first.nodes, outputs), (second.nodes, others)])


def like(scope, shape, base=None):
    """The position of a value of a shape, made of one that has it already, `base`, where that is given."""
    draw = scope.draw
    same = [position for position in scope.pool if scope.values[position].shape == shape and position != base]
    if base is None and not same:
        raise Unfit
    if same and draw.random() < 0.4 or base is None:
        found = draw.choice(same)
    else:
        fitting = [
            position
            for position in scope.pool
            if scope.fit(scope.values[position], scope.values[base])
            and torch.broadcast_shapes(scope.values[position].shape, shape) == shape
        ]
        other = draw.choice(fitting or [base])
        op = draw.choice(['add', 'sub', 'mul'])
        compute = {'add': torch.add, 'sub': torch.sub, 'mul': torch.mul}[op]
        found = scope.add(OpNode(op, draw.sample([base, other], 2), {}, compute))
    return scope.add(OpNode('tanh', [found], {}, torch.tanh)) if draw.random() < 0.6 else found


def random_scan(scope):
    """A scan over values that are there."""
    draw, values = scope.draw, scope.values
    sequences, states = [], []
    long = [position for position in scope.pool if values[position].ndim > 0 and values[position].shape[0] <= 5]
    if long and draw.random() < 0.8:
        leading = draw.choice(long)
        rows = values[leading].shape[0]
        taps = random_taps(draw, [-1, 0, 1] if rows > 2 else [0])
        equal = [position for position in long if values[position].shape[0] == rows]
        sequences = [[position, taps] for position in {leading, *draw.sample(equal, draw.randint(1, min(2, len(equal))))}]
    for position in draw.sample(scope.pool, min(len(scope.pool), draw.randint(0 if sequences else 1, 2))):
        shape = values[position].shape
        tapped = len(shape) > 0 and shape[0] in (2, 3) and draw.random() < 0.3
        states.append([position, [-shape[0], *draw.sample([-1], draw.randint(0, 1))] if tapped else [-1]])
    steps = None if sequences and draw.random() < 0.85 else draw.randint(1, 2)
    if sequences and steps is not None and any(len(rows_of(values[at], taps, None, False)) < steps for at, taps in sequences):
        raise Unfit
    constants = draw.sample(scope.pool, draw.randint(0, 1))
    return scan_with_body(scope, sequences, states, constants, steps)


def random_taps(draw, offered, plain=0.6):
    return [0] if draw.random() < plain else draw.sample(offered, draw.randint(1, min(3, len(offered))))


def scan_with_body(scope, sequences, states, constants, steps):
    draw = scope.draw
    arguments = [row for position, taps in sequences for row in sample_rows(scope.values[position], taps)]
    arguments += [first_values(scope.values, state)[tap] for state in states for tap in state[1]]
    arguments += [scope.values[position] for position in constants]
    start = len(scope.values)
    is_float = lambda at: arguments[at].is_floating_point()
    body = scope.inside(arguments, [start + at for at in range(len(arguments)) if is_float(at)])
    body.pool += draw.sample(scope.pool, min(len(scope.pool), 0 if len(body.pool) > 2 else 2))
    own = start + sum(len(taps) for _, taps in sequences)
    for at in range(len(arguments)):
        if not is_float(at):
            body.add(use_of_integers(body, start + at, start + at >= own))
    body.grow(draw.randint(2, 4))

    outputs = []
    for state in states:
        newest = own + draw.randrange(len(state[1]))
        outputs.append((state, next_state(body, newest, [own, start + len(arguments)])))
        own += len(state[1])
    for _ in range(draw.randint(0 if outputs else 1, 2)):
        position = draw.choice(body.pool[-4:] if draw.random() < 0.7 else range(start, len(body.values)))
        outputs.insert(draw.randint(0, len(outputs)), (None, position))
    positions = [position for _, position in outputs]
    return ScanNode(
        sequences,
        [state for state, _ in outputs],
        constants,
        steps,
        draw.random() < 0.25,
        draw.randint(1, 3) if draw.random() < 0.2 else None,
        body.nodes,
        positions,
        [body.values[position].detach() for position in positions],
    )


def sample_rows(x, taps):
    """The rows of a first step; of no rows at all, what one might be."""
    rows = rows_of(x, taps, None, False)
    return rows[0] if rows else [torch.full(x.shape[1:], 0.5 + tap / 4).to(x.dtype) for tap in taps]


def next_state(body, before, states):
    value = body.values[before]
    if not value.is_floating_point():
        return body.add(OpNode('count on', [before], {}, lambda n: n + 1))
    if body.draw.random() < 0.15:
        # Handed on from another state, or kept.
        return body.draw.choice([at for at in range(*states) if body.values[at].shape == value.shape and body.values[at].dtype == value.dtype])
    return like(body, value.shape, before)


def use_of_integers(body, at, is_count):
    draw, value = body.draw, body.values[at]
    floats = [position for position, x in enumerate(body.values) if x.is_floating_point() and x.ndim > 0 and x.numel() > 0]
    if is_count:
        return OpNode('times count', [draw.choice(body.pool), at], {}, lambda x, n: x * n)
    rows = [position for position in floats if body.values[position].shape[-1] > 2 and body.values[position].shape[:-1] == value.shape]
    if rows and draw.random() < 0.5:
        return OpNode('pick', [draw.choice(rows), at], {}, pick)
    tables = [position for position in floats if body.values[position].shape[0] > 2]
    if not tables:
        raise Unfit
    return OpNode('take', [draw.choice(tables), at], {'axis': 0}, lambda x, indices: x[indices])
