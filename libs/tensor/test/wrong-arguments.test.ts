import { expect, test } from 'vitest';

import { shown } from '../src/graph/arguments.js';
import * as tensor from '../src/index.js';
import * as ops from '../src/ops/index.js';
import { CALLS, GRAPH_CALLS } from './valid-calls.js';

/** What a program without types may hand over in place of anything. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  1.5,
  -1e9,
  'x',
  true,
  10n,
  Symbol('x'),
  {},
  { axis: Number.NaN },
  [],
  [undefined],
  [[tensor.vector('y')]],
  [tensor.vector('y')],
  () => undefined,
  new Map([[1, 2]]),
];

/** Words of JavaScript itself, or of code that was not told that it could be handed this. */
const RAW =
  /cannot read prop|is not iterable|is not a function|cannot convert|cannot destructure|cannot mix|cannot serialize|serialize a|there is no entry|circular|undefined \(reading|invalid array length|reduce of empty/iu;

const FUNCTIONS = Object.entries(ops).filter(
  ([name, value]) => typeof value === 'function' && !name.endsWith('Op'),
) as [name: string, (...given: unknown[]) => unknown][];

/** What a call throws, undefined where it throws nothing. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The calls with one argument, or one option of it, replaced by each wrong one. */
function* wrongCalls(valid: readonly unknown[]): Generator<{ given: readonly unknown[]; isRefused: boolean }> {
  for (const [position, argument] of valid.entries()) {
    for (const wrong of WRONG) {
      yield {
        given: valid.with(position, wrong),
        // A number serves in place of some variables.
        isRefused: argument instanceof tensor.Variable && typeof wrong !== 'number',
      };
      if (typeof argument !== 'object' || argument === null || Object.getPrototypeOf(argument) !== Object.prototype) {
        continue;
      }
      for (const option of Object.keys(argument)) {
        yield { given: valid.with(position, { ...argument, [option]: wrong }), isRefused: false };
      }
    }
  }
}

/** Who else may say it: what the function hands on to another as it is. */
const SAID_BY: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['scalar', 'vector', 'matrix', 'iscalar', 'ivector', 'imatrix', 'lvector', 'lmatrix'].map((name) => [
      name,
      ['tensor: '],
    ]),
  ),
  ancestors: ['toposort: '],
  hessianTimesVector: ['grad: ', 'mul: '],
  jacobian: ['grad: '],
  rOp: ['grad: '],
  randomState: ['RandomKey: '],
  scanCheckpoints: ['scan: '],
  shared: ['Shared variable `shared` '],
};

/** Runs each, and says of those that do not end as they should which they were. */
function faultsOf(name: string, apply: (...given: unknown[]) => unknown, valid: readonly unknown[]): string[] {
  return [...wrongCalls(valid)].flatMap(({ given, isRefused }) => {
    const error = thrownBy(() => apply(...given));
    if (error === undefined)
      return isRefused && !(name === 'grad' && given[0] === null) ? [`${shownCall(name, given)} passes`] : [];
    if (!(error instanceof Error)) return [`${shownCall(name, given)} throws no error`];
    const isOurs = [`${name}: `, ...(SAID_BY[name] ?? [])].some((who) => error.message.startsWith(who));
    return isOurs && !RAW.test(error.message) ? [] : [`${shownCall(name, given)}: ${error.message}`];
  });
}

function shownCall(name: string, given: readonly unknown[]): string {
  return `${name}(${given.map(shown).join(', ')})`;
}

test('every op has a valid call here', () => {
  expect(Object.keys(CALLS).toSorted()).toEqual(expect.arrayContaining(FUNCTIONS.map(([name]) => name).toSorted()));
  for (const [name, apply] of FUNCTIONS) expect(() => apply(...(CALLS[name] ?? []))).not.toThrow();
});

test.each(FUNCTIONS)('%s says of each wrong argument what it is and what it takes', (name, apply) => {
  expect(faultsOf(name, apply, CALLS[name] ?? [])).toEqual([]);
});

test.each(Object.entries(GRAPH_CALLS))('%s, too, says of each wrong argument what it is', (name, valid) => {
  const [, apply] = Object.entries(tensor).find(([exported]) => exported === name) ?? [];
  if (typeof apply !== 'function') throw new Error(`${name} is not exported`);
  const call = (...given: unknown[]): unknown => Reflect.apply(apply, undefined, given);
  expect(() => call(...valid)).not.toThrow();
  expect(faultsOf(name, call, valid)).toEqual([]);
});

test('compile says of each wrong option what it is', async () => {
  const [x, s] = [tensor.vector('x'), tensor.shared(1, 's')];
  const valid = [
    {
      name: 'compile',
      inputs: [x],
      outputs: [tensor.neg(x)],
      updates: [[s, s]],
      givens: new Map([[x, x]]),
      onUnusedInput: 'raise',
      engine: 'reference',
    },
  ];
  const faults: string[] = [];
  for (const { given } of wrongCalls(valid)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as each is said of what is thrown
    const error = await Reflect.apply(tensor.compile, undefined, given).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const isOurs = error instanceof Error && /^(compile|function|There is no engine)\b/u.test(error.message);
    if (error !== undefined && (!isOurs || RAW.test(error.message)))
      faults.push(`${shownCall('compile', given)}: ${String(error)}`);
  }
  expect(faults).toEqual([]);
});
