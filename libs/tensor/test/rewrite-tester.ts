import type { NdArray } from '@longrun/serialization';
import { expect } from 'vitest';

import { toposort, type Variable } from '../src/index.js';
import { compileOnHost } from '../src/engine/host-executable.js';
import { compileOnnxruntime } from '../src/engine/onnxruntime/onnxruntime-engine.js';
import type { Rewrite } from '../src/rewrite/rewrite.js';
import { rewritten } from '../src/rewrite/rewritten.js';
import { array, present } from './op-laws.js';
import { misfit } from './ulps.js';

/** A graph that a rewrite is tried on. */
export interface RewriteCase {
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  /** What the engines are fed. Default: {@link HARD} to each input. */
  readonly values?: readonly NdArray[];
  /** The ops that are left, in order. */
  readonly ops: readonly string[];
  /** How often it fires, 1 or more. Default once. */
  readonly times?: number;
  /** How far values may be from those of the graph as it was, in units in the last place. Default: not at all. */
  readonly ulps?: number;
}

const HARD_NUMBERS = [Number.NaN, Infinity, -Infinity, -0, 0, 1e-40, -1e-40, 1.5, -2.25, 3e38, 0.1, 7];

/** Numbers that rules of arithmetic are wrong for, as a matrix of float32 (rows, columns). */
export function hard(rows: number, columns: number): NdArray {
  const numbers = Array.from({ length: rows * columns }, (_, k) => HARD_NUMBERS[k % HARD_NUMBERS.length] ?? 0);
  return array('float32', [rows, columns], numbers);
}

/** The rewrite fires so often and leaves these ops, and both engines then give what they gave before. */
export async function expectRewrite(rewrite: Rewrite, tried: RewriteCase): Promise<readonly Variable[]> {
  const { inputs, outputs, values = inputs.map(() => hard(3, 4)), ops, times = 1, ulps = 0 } = tried;
  const { outputs: after, history } = rewritten(outputs, { inputs, stages: [[rewrite]] });
  expect(opsOf(after)).toEqual(ops);
  expect(history.fired).toEqual(new Map([[rewrite.name, times]]));
  await expectSameValues(inputs, outputs, after, values, ulps);
  return after;
}

/** What a rewrite matches stays as it is, for this reason. */
export function expectRefusal(
  rewrite: Rewrite,
  outputs: readonly Variable[],
  reason: string,
  inputs: readonly Variable[] = [],
): void {
  const { outputs: after, history } = rewritten(outputs, { inputs, stages: [[rewrite]] });
  expect(after).toEqual(outputs);
  expect(history.entries.map(({ refused }) => refused)).toContain(reason);
}

/** The rewrite neither fires nor refuses. */
export function expectUntouched(rewrite: Rewrite, outputs: readonly Variable[], inputs: readonly Variable[]): void {
  const { outputs: after, history } = rewritten(outputs, { inputs, stages: [[rewrite]] });
  expect(after).toEqual(outputs);
  expect(history.entries).toEqual([]);
}

/** Both engines give of two graphs the same, as they are written: rewritten by nothing else. */
export async function expectSameValues(
  inputs: readonly Variable[],
  before: readonly Variable[],
  after: readonly Variable[],
  values: readonly NdArray[],
  ulps = 0,
): Promise<void> {
  for (const run of [onReference, onOnnxruntime]) {
    const [expected, actual] = [await run(inputs, before, values), await run(inputs, after, values)];
    for (const [position, value] of actual.entries()) {
      // This tells zeros apart by their sign.
      if (ulps === 0) expect(value).toEqual(expected[position]);
      expect({ engine: run.name, position, misfit: misfit(value, present(expected[position]), { ulps }) }).toEqual({
        engine: run.name,
        position,
        misfit: undefined,
      });
    }
  }
}

export function opsOf(outputs: readonly Variable[]): string[] {
  return toposort(outputs, { inside: true }).map((node) => node.op.name);
}

type Run = (
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  values: readonly NdArray[],
) => Promise<NdArray[]>;

const onReference: Run = async (inputs, outputs, values) => {
  const unique = [...new Set(outputs)];
  const executable = compileOnHost({ name: 'f', inputs, outputs: unique }, { rounding: 'results', on: 'engine' });
  const results = await Promise.all((await executable.run(values)).map((result) => result.take()));
  return outputs.map((output) => present(results[unique.indexOf(output)]));
};

const onOnnxruntime: Run = async (inputs, outputs, values) => {
  const unique = [...new Set(outputs)];
  const target = { engine: 'onnxruntime', provider: 'cpu', device: 0, threads: 1 };
  const executable = await compileOnnxruntime({ name: 'f', inputs, outputs: unique }, target);
  const results = await Promise.all((await executable.run(values)).map((result) => result.take()));
  await executable.dispose();
  return outputs.map((output) => present(results[unique.indexOf(output)]));
};
