import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, expect, test } from 'vitest';

import {
  accumulate,
  batched,
  chain,
  combinations,
  combinationsWithReplacement,
  compress,
  count,
  cycle,
  dropWhile,
  equizip,
  filter,
  filterFalse,
  groupBy,
  interleave,
  IterableLengthMismatch,
  islice,
  iterate,
  lines,
  map,
  pairwise,
  partition,
  partitionAll,
  permutations,
  product,
  range,
  repeat,
  roundRobin,
  starMap,
  takeWhile,
  tee,
  zip,
  zipLongest,
  type StatefulIterator,
  type VersionedState,
} from '../src/index.js';

/** A line of goldens/itertools.jsonl; write-itertools.py says what it is. */
interface Golden {
  readonly row: string;
  readonly call: string;
  readonly args: readonly never[];
  readonly sources: readonly (string | readonly never[])[];
  readonly actions?: string;
  readonly out: readonly unknown[];
  readonly steps: number;
  readonly drawn: readonly number[];
}

const goldens: readonly Golden[] = readFileSync(new URL('goldens/itertools.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

const calls = new Set(goldens.map(({ row, call }) => `${row} ${call}`));

test.each([...calls])('%s gives and draws at each step what CPython does, after a cut at any step too', (name) => {
  const cases = goldens.filter(({ row, call }) => `${row} ${call}` === name);
  const faults = cases.flatMap((golden) => faultsOf(golden));

  expect(faults.slice(0, 3)).toEqual([]);
});

test('3-05 IterableLengthMismatch is thrown in the cases of equizip', () => {
  expect(goldens.filter(({ out }) => out.includes('IterableLengthMismatch')).length).toBeGreaterThan(10);
});

const folder = mkdtempSync(join(tmpdir(), 'itertools-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** One step after the other, and what they leave of the sources. */
interface Run {
  step(action: string): unknown;
  drawn(): readonly unknown[];
  state(): readonly VersionedState[];
  restore(states: readonly VersionedState[]): void;
}

function faultsOf(golden: Golden): unknown[] {
  const expected = expectedOf(golden);
  const uncut = begin(golden);
  const faults: unknown[] = isDeepStrictEqual(uncut.drawn(), expected[0]?.drawn)
    ? []
    : [{ golden, fault: 'construction' }];
  for (let at = 0; at < expected.length; at += 1) {
    const text = JSON.stringify(uncut.state());
    const cut = begin(golden);
    cut.restore(JSON.parse(text));
    if (JSON.stringify(cut.state()) !== text) faults.push({ golden, at, fault: 'state', text });
    for (let step = at + 1; step < expected.length; step += 1) {
      const came = take(cut, expected[step]?.action ?? '');
      if (!isDeepStrictEqual(came, expected[step])) faults.push({ golden, at, step, came, expected: expected[step] });
    }
    if (at + 1 === expected.length) break;
    const came = take(uncut, expected[at + 1]?.action ?? '');
    if (!isDeepStrictEqual(came, expected[at + 1]))
      faults.push({ golden, step: at + 1, came, expected: expected[at + 1] });
  }
  return faults;
}

interface Taken {
  readonly action: string;
  readonly result: unknown;
  readonly drawn: readonly unknown[];
}

function expectedOf({ actions, sources, out, steps, drawn }: Golden): readonly Taken[] {
  return Array.from({ length: steps + 1 }, (_, step) => ({
    action: step === 0 ? '' : (actions?.[step - 1] ?? 'next'),
    result: step === 0 || step > out.length ? null : out[step - 1],
    drawn: drawn.slice(step * sources.length, (step + 1) * sources.length),
  }));
}

function take(run: Run, action: string): Taken {
  return { action, result: run.step(action), drawn: run.drawn() };
}

function begin(golden: Golden): Run {
  const sources = golden.sources.map((source) => iterate<never>(source as readonly never[]));
  return { ...runOf(golden, sources), drawn: () => sources.map((source) => source.state()['position']) };
}

function runOf({ call, args }: Golden, sources: readonly StatefulIterator<never>[]): Omit<Run, 'drawn'> {
  const [source = iterate<never>([])] = sources;
  if (call === 'tee') {
    const iterators = tee(source, args[0]);
    return {
      step: (action) => itemOf(iterators[Number(action)]),
      state: () => iterators.map((iterator) => iterator.state()),
      restore: (states) => states.forEach((state, index) => iterators[index]?.restore(state)),
    };
  }
  if (call === 'groupBy') {
    const groups = groupBy<never, unknown>(source, functionOf(args[0] ?? '') ?? ((item) => item));
    let given: readonly (StatefulIterator<never> | undefined)[] = [];
    return {
      step(action) {
        if (action !== 'n') return itemOf(given[action === 'g' ? 0 : 1]);
        const step = groups.next();
        if (step.done) return null;
        given = [step.value[1], ...given];
        return step.value[0];
      },
      state: () => [groups.state()],
      restore([state]) {
        if (state) groups.restore(state);
        given = [groups.present?.[1]];
      },
    };
  }
  const iterator = CALLS[call]?.(args, sources, source);
  if (iterator === undefined) throw new Error(`the test does not know ${call}`);
  return {
    step() {
      try {
        return itemOf(iterator);
      } catch (error) {
        if (error instanceof IterableLengthMismatch) return error.name;
        throw error;
      }
    },
    state: () => [iterator.state()],
    restore: ([state]) => state && iterator.restore(state),
  };
}

/** Null at the end. */
function itemOf(iterator: StatefulIterator<unknown> | undefined): unknown {
  const step = iterator?.next() ?? { done: true };
  return step.done ? null : step.value;
}

function functionOf(name: string): ((...items: readonly number[]) => number) | null {
  const [byName] = [FUNCTIONS[name]];
  return byName ?? null;
}

const FUNCTIONS: Readonly<Record<string, (...items: readonly number[]) => number>> = {
  odd: (x = 0) => x % 2,
  small: (x = 0) => Number(x < 3),
  third: (x = 0) => Math.floor(x / 3),
  // Python's integers have no -0.
  minus: (x = 0) => 0 - x,
  add: (x = 0, y = 0) => x + y,
  times: (x = 0, y = 0) => x * y,
  larger: (x = 0, y = 0) => Math.max(x, y),
  sum: (...items) => items.reduce((total, item) => total + item, 0),
};

type Call = (
  args: readonly never[],
  sources: readonly StatefulIterator<never>[],
  source: StatefulIterator<never>,
) => StatefulIterator<unknown>;

const CALLS: Readonly<Record<string, Call>> = {
  accumulate: ([name, initial], _, source) => {
    const func = functionOf(name ?? 'add') ?? Math.max;
    return initial === undefined
      ? accumulate<number>(source, func)
      : accumulate<number, number>(source, func, { initial });
  },
  batched: ([size], _, source) => batched(source, size ?? 0),
  chain: (_, sources) => chain(...sources),
  'chain.fromIterable': (_, __, source) => chain.fromIterable(source),
  combinations: ([length], _, source) => combinations(source, length ?? 0),
  combinationsWithReplacement: ([length], _, source) => combinationsWithReplacement(source, length ?? 0),
  compress: (_, [source, selectors]) => compress(source ?? [], selectors ?? []),
  count: (args) => count(...args),
  cycle: (_, __, source) => cycle(source),
  dropWhile: ([name], _, source) => dropWhile(functionOf(name ?? '') ?? Boolean, source),
  equizip: (_, sources) => equizip(...sources),
  filter: ([name], _, source) => filter(functionOf(name ?? ''), source),
  filterFalse: ([name], _, source) => filterFalse(functionOf(name ?? ''), source),
  interleave: (_, sources) => interleave(sources),
  islice: (args, _, source) => islice(source, ...(args as unknown as [number])),
  iterate: (_, __, source) => iterate(source),
  lines: ([text]) => {
    const path = join(folder, Buffer.from(text ?? '').toString('hex') || 'empty');
    writeFileSync(path, text ?? '');
    return lines(path);
  },
  map: ([name], sources) => map(functionOf(name ?? '') as null, ...sources),
  pairwise: (_, __, source) => pairwise(source),
  partition: ([size, ...pad], _, source) => partition(size ?? 0, source, pad.length > 0 ? { pad: pad[0] } : undefined),
  partitionAll: ([size], _, source) => partitionAll(size ?? 0, source),
  permutations: ([length], _, source) => permutations(source, length),
  product: ([times], sources) => product(sources, { repeat: times ?? 1 }),
  range: (args) => iterate<number>(range(...(args as unknown as [number]))),
  repeat: ([value, times]) => repeat(value, times),
  roundRobin: (_, sources) => roundRobin(...sources),
  starMap: ([name], _, source) => starMap<readonly number[], number>(functionOf(name ?? '') ?? Math.max, source),
  takeWhile: ([name], _, source) => takeWhile(functionOf(name ?? '') ?? Boolean, source),
  zip: (_, sources) => zip(...sources),
  zipLongest: ([fillValue], sources) => zipLongest(sources, { fillValue: fillValue ?? null }),
};
