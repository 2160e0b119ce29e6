import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  cast,
  constant,
  dot,
  grad,
  isFloat,
  isWithinScan,
  logistic,
  mul,
  pick,
  scan,
  sub,
  sum,
  tanh,
  vector,
  type Variable,
} from '../index.js';
import {
  array,
  expectClose,
  expectGradientsRight,
  inputFor,
  present,
  spread,
  type Knowledge,
} from '../../test/op-laws.js';
import { ENGINES, widest, type TestedEngine } from '../../test/engines.js';
import { madeTogether } from '../graph/origin.js';
import { unrolled } from '../../test/unrolled.js';

type Scan = typeof scan;

const REFERENCE = present(ENGINES.find(({ name }) => name === 'reference'));

/** A recurrence, written once and built by `scan` or by unrolling it. */
interface Recurrence {
  readonly rule: string;
  readonly build: (through: Scan, inputs: Variable[]) => readonly Variable[];
  readonly values: (steps: number) => NdArray[];
  /** Fewest rows that it takes. Default 1. */
  readonly shortest?: number;
}

const recurrences: Recurrence[] = [
  {
    rule: 'a recurrent layer',
    build: (through, [x, h0, W, U]) =>
      through((row, h) => tanh(add(dot(row, present(W)), dot(present(h), present(U)))), {
        sequences: [present(x)],
        outputsInfo: [present(h0)],
      }),
    values: (steps) => [
      spread([steps, 2, 3], -1, 1),
      spread([2, 4], -1, 1, 1),
      spread([3, 4], -1, 1, 2),
      spread([4, 4], -1, 1, 3),
    ],
  },
  {
    rule: 'a map over two sequences, without states',
    build: (through, [x, y, c]) =>
      through((a, b, k) => [mul(add(a, present(k)), b), tanh(a)], {
        sequences: [present(x), present(y)],
        nonSequences: [present(c)],
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([steps, 2], -1, 1, 1), spread([2], -1, 1, 2)],
  },
  {
    rule: 'powers: a number of steps and no sequence',
    build: (through, [a, h0]) => through((h) => mul(h, present(a)), { outputsInfo: [present(h0)], nSteps: 3 }),
    values: () => [spread([2], 0.5, 1.5), spread([2], -1, 1, 1)],
  },
  {
    rule: 'a state with several taps',
    build: (through, [x, first, a]) =>
      through((row, older, newer) => add(row, sub(mul(older, present(a)), tanh(newer))), {
        sequences: [present(x)],
        outputsInfo: [{ initial: present(first), taps: [-3, -1] }],
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([3, 2], -1, 1, 1), spread([2], -1, 1, 2)],
  },
  {
    rule: 'a sequence with several taps',
    build: (through, [x, h0]) =>
      through((before, here, after, h) => tanh(add(mul(before, here), sub(after, h))), {
        sequences: [{ input: present(x), taps: [-1, 0, 2] }],
        outputsInfo: [present(h0)],
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([2], -1, 1, 1)],
    shortest: 4,
  },
  {
    rule: 'backwards',
    build: (through, [x, y, h0]) =>
      through((row, next, h) => [tanh(add(mul(row, h), next)), mul(row, h)], {
        sequences: [present(x), { input: present(y), taps: [0, 1] }]
          .slice(0, 1)
          .concat([{ input: present(y), taps: [1] }]),
        outputsInfo: [present(h0), null],
        goBackwards: true,
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([steps + 1, 2], -1, 1, 1), spread([2], -1, 1, 2)],
  },
  {
    rule: 'several states and outputs: an LSTM of which the cells are not looked at',
    build: (through, [x, h0, c0, U]) => {
      const [h, , gates] = through(
        (row, state, cell) => {
          const gate = logistic(add(row, dot(present(state), present(U))));
          const next = add(mul(gate, present(cell)), mul(sub(1, gate), tanh(row)));
          return [mul(gate, tanh(next)), next, gate];
        },
        { sequences: [present(x)], outputsInfo: [present(h0), present(c0), null] },
      );
      return [present(h), present(gates)];
    },
    values: (steps) => [
      spread([steps, 2, 3], -1, 1),
      spread([2, 3], -1, 1, 1),
      spread([2, 3], -1, 1, 2),
      spread([3, 3], -1, 1, 3),
    ],
  },
  {
    rule: 'integers among the sequences and the states',
    build: (through, [labels, table, h0]) =>
      through(
        (label, h, count) => [
          tanh(add(mul(h, pick(present(table), label)), cast(present(count), present(h).dtype))),
          add(present(count), 2),
        ],
        { sequences: [present(labels)], outputsInfo: [present(h0), constant(1, 'int64')] },
      ),
    values: (steps) => [
      array(
        'int64',
        [steps, 2],
        Array.from({ length: steps * 2 }, (_, at) => at % 3),
      ),
      spread([2, 3], -1, 1),
      spread([2], -1, 1, 1),
    ],
  },
  {
    rule: 'states that a step forgets, hands on or swaps',
    build: (through, [x, a0, b0, c0]) =>
      through((row, a, b) => [present(b), a, mul(row, a), tanh(row)], {
        sequences: [present(x)],
        outputsInfo: [present(a0), present(b0), null, present(c0)],
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([2], -1, 1, 1), spread([2], -1, 1, 2), spread([2], -1, 1, 3)],
  },
  {
    rule: 'a scan within a scan, which uses the state of the outer one',
    build: (through, [x, h0, a]) =>
      through(
        (row, h) => {
          const [inner] = through((element, g) => tanh(add(mul(element, present(g)), mul(present(a), h))), {
            sequences: [row],
            outputsInfo: [h],
          });
          return sum(present(inner), { axis: 0 });
        },
        { sequences: [present(x)], outputsInfo: [present(h0)] },
      ),
    values: (steps) => [spread([steps, 3, 2], -1, 1), spread([2], -1, 1, 1), spread([2], -1, 1, 2)],
  },
  {
    rule: 'fewer steps than rows',
    build: (through, [x, h0]) =>
      through((row, h) => tanh(mul(row, h)), { sequences: [present(x)], outputsInfo: [present(h0)], nSteps: 1 }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([2], -1, 1, 1)],
  },
  {
    rule: 'fewer steps than rows, backwards',
    build: (through, [x, h0]) =>
      through((row, h) => tanh(mul(row, h)), {
        sequences: [present(x)],
        outputsInfo: [present(h0)],
        nSteps: 1,
        goBackwards: true,
      }),
    values: (steps) => [spread([steps, 2], -1, 1), spread([2], -1, 1, 1)],
  },
];

/** The results for each of `feeds`, of functions that know of the sizes what `knowledge` says of the first. */
async function results(
  engine: TestedEngine,
  build: (inputs: Variable[]) => readonly Variable[],
  feeds: readonly (readonly NdArray[])[],
  knowledge: Knowledge,
): Promise<NdArray[][]> {
  const fed = feeds.map((values) => values.map((value) => widest(engine, value)));
  const { inputs, outputs } = madeTogether(() => {
    const given = present(fed[0]).map((value, at) => inputFor(value, at, knowledge));
    return { inputs: given, outputs: build(given) };
  });
  return await engine.runEach(inputs, outputs, fed);
}

function weighted(outputs: readonly Variable[]): Variable {
  return outputs
    .map((output, at) => sum(mul(tanh(mul(output, 0.7 + at / 3)), 1 + at)))
    .reduce((total, term) => add(total, term));
}

/** Outputs, their gradients, and the gradients of those. */
function withDerivatives(outputs: readonly Variable[], inputs: readonly Variable[]): Variable[] {
  const wrt = inputs.filter(({ dtype }) => isFloat(dtype));
  const options = { disconnectedInputs: 'zero' } as const;
  const floats = outputs.filter(({ dtype }) => isFloat(dtype));
  const first = grad(weighted(floats), wrt, options);
  return [...outputs, ...first, ...grad(weighted(first), wrt, options)];
}

describe.each(recurrences)('1.T-04 scan: $rule', ({ build, values, shortest = 1 }) => {
  test('is what unrolling it gives, with first and second derivatives, on every engine and whatever the types know', async () => {
    const through =
      (way: Scan) =>
      (inputs: Variable[]): Variable[] =>
        withDerivatives(build(way, inputs), inputs);
    const [long, short] = [values(5), values(shortest)];
    const expected = [
      ...(await results(REFERENCE, through(unrolled), [long], 'all sizes')),
      ...(await results(REFERENCE, through(unrolled), [short], 'all sizes')),
    ];
    for (const engine of ENGINES) {
      const found = [
        ...(await results(engine, through(scan), [long, short], 'ones')),
        ...(await results(engine, through(scan), [long], 'all sizes')),
      ];
      for (const [position, actual] of found.entries()) {
        const wanted = present(expected[position % 2]);
        expect(actual).toHaveLength(wanted.length);
        for (const [at, result] of actual.entries()) {
          expectClose(result, widest(engine, present(wanted[at])), engine.widest === 'float32' ? 1e-4 : 1e-10);
        }
      }
    }
  });

  test('has the gradients of finite differences', async () => {
    await expectGradientsRight((...inputs) => weighted(build(scan, inputs)), values(5));
  });
});

test('taps may be an object of any class, whose fields it computes', () => {
  const x = vector('x');
  const delayed = new (class {
    get input(): Variable {
      return x;
    }
    get initial(): Variable {
      return x;
    }
    get taps(): number[] {
      return [-1];
    }
  })();
  const [total] = scan((row, state) => add(row, state), { sequences: [delayed], outputsInfo: [delayed] });
  // A vector after each step.
  expect(present(total).ndim).toBe(2);
});

test('a step knows that it is made for a scan, also one within another, and what follows knows that it is not', () => {
  const seen: boolean[] = [];
  const look = (row: Variable): Variable => {
    seen.push(isWithinScan());
    return row;
  };
  const rows = vector('rows');
  scan((row) => add(look(row), sum(scan(look, { sequences: [rows] })[0] ?? row)), { sequences: [rows] });
  expect(() =>
    scan(
      () => {
        throw new Error('no step');
      },
      { sequences: [rows] },
    ),
  ).toThrow('no step');
  look(rows);
  expect(seen).toEqual([true, true, false]);
});
