import type { NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect } from 'vitest';

import { grad, isFloat, sum, type Variable } from '../src/index.js';
import { madeTogether } from '../src/graph/origin.js';
import { BEYOND_LIMITS, ENGINES, runWithinLimits } from './engines.js';
import { expectClose, inputFor, present, shownType, type Build, type Knowledge } from './op-laws.js';
import type { Trial } from './trials.js';

/** What all engines are to agree on. */
export interface Agreement extends AgreementOptions {
  readonly build: Build;
  readonly values: readonly NdArray[];
}

/** How far engines are to agree. */
export interface AgreementOptions {
  /** Whether the gradients of float inputs are to agree too. Default false. */
  readonly gradients?: boolean;
  /** As of {@link expectClose}. */
  readonly tolerance?: number;
}

/**
 * The law that every engine computes the same: dtype, shape and values of the results, and of the gradients of float inputs where
 * `gradients` is set, with sizes known and unknown; those of a single input are unknown even where they are 1, as in a batch of 1.
 */
export async function expectEnginesAgree(
  build: Build,
  values: readonly NdArray[],
  options: AgreementOptions = {},
): Promise<void> {
  await expectEnginesAgreeOnAll([{ build, values, ...options }]);
}

/** The law for several things, as one function of each engine: several times as fast as one by one. */
export async function expectEnginesAgreeOnAll(agreements: readonly Agreement[]): Promise<void> {
  await expectLaw({ agreements });
}

/** The law for so many values that are drawn, likewise. */
export async function expectEnginesAgreeOn<T>(
  values: fc.Arbitrary<T>,
  count: number,
  agreementOf: (value: T) => Agreement,
): Promise<void> {
  await expectLaw(drawn(values, count, agreementOf));
}

/** What the law is tried on. */
export interface Law {
  readonly agreements: readonly Agreement[];
  /** Where it fails: tries them one by one, and fails with the smallest that does. */
  readonly shrunk?: () => Promise<void>;
}

/** What is drawn for it. */
export function drawn<T>(values: fc.Arbitrary<T>, count: number, agreementOf: (value: T) => Agreement): Law {
  const [seed] = fc.sample(fc.integer(), 1);
  const runs = { seed: present(seed), numRuns: count };
  const alone = async (value: T): Promise<void> => await expectEnginesAgreeOnAll([agreementOf(value)]);
  return {
    agreements: fc.sample(values, runs).map(agreementOf),
    shrunk: async () => await fc.assert(fc.asyncProperty(values, alone), runs),
  };
}

/**
 * The law for several things, which are run as one function of each engine as soon as it is asked for one of them, and are judged each
 * by its own results. Where that function cannot be made or run, each is tried by itself, so that it is told which it is for.
 */
export function together(laws: () => Readonly<Record<string, Law>>): (name: string) => Promise<void> {
  let tried: Promise<ReadonlyMap<string, () => Promise<void>>> | undefined;
  return async (name) => {
    tried ??= allTried(laws());
    await present((await tried).get(name))();
  };
}

async function allTried(laws: Readonly<Record<string, Law>>): Promise<ReadonlyMap<string, () => Promise<void>>> {
  const verdicts = new Map<string, () => Promise<void>>();
  const named = Object.entries(laws);
  // What an engine has no float64 for, it refuses together with all that is beside it.
  for (const group of [named.filter(([, law]) => isWide(law)), named.filter(([, law]) => !isWide(law))]) {
    const checks = await checksOf(group.flatMap(([, law]) => law.agreements)).catch(() => undefined);
    let next = 0;
    for (const [name, law] of group) {
      const own = checks?.slice(next, next + law.agreements.length);
      next += law.agreements.length;
      verdicts.set(name, async () => await expectLaw(law, own));
    }
  }
  return verdicts;
}

async function expectLaw(law: Law, checks?: readonly (() => void)[]): Promise<void> {
  try {
    for (const check of checks ?? (await checksOf(law.agreements))) check();
  } catch (error) {
    await law.shrunk?.();
    throw error;
  }
}

function isWide({ agreements }: Law): boolean {
  return agreements.some(({ values }) => values.some(({ dtype }) => dtype === 'float64'));
}

const [REFERENCE] = ENGINES;
const OTHERS = ENGINES.filter(({ name }) => !name.startsWith('reference'));

/** Runs them as one function of each engine; of each, what throws unless its own results are right. */
async function checksOf(agreements: readonly Agreement[]): Promise<(() => void)[]> {
  const trials = madeTogether(() => agreements.map(trialsOf));
  const expected = shared(trials, await present(REFERENCE).run(...partsOf(trials.flat())));
  const found: { readonly engine: string; readonly results: readonly (readonly NdArray[] | undefined)[] }[] = [];
  for (const engine of OTHERS) {
    const all = await runWithinLimits(engine, ...partsOf(trials.flat()));
    const results: (readonly NdArray[] | undefined)[] = all === BEYOND_LIMITS ? [] : shared(trials, all);
    if (all === BEYOND_LIMITS && trials.length > 1 && !isWide({ agreements })) {
      for (const own of trials) {
        const some = await runWithinLimits(engine, ...partsOf(own));
        results.push(some === BEYOND_LIMITS ? undefined : some);
      }
    }
    found.push({ engine: engine.name, results });
  }
  return agreements.map(({ tolerance }, position) => () => {
    const outputs = present(trials[position]).flatMap((trial) => trial.outputs);
    for (const { engine, results } of found) {
      for (const [at, result] of (results[position] ?? []).entries()) {
        expectClose(result, present(expected[position]?.[at]), tolerance, engine);
        expectAsSaid(result, present(outputs[at]), engine);
      }
    }
  });
}

type Run = Pick<Trial, 'inputs' | 'values' | 'outputs'>;

function trialsOf({ build, values, gradients = false }: Agreement): Run[] {
  const known: readonly Knowledge[] = values.length === 1 ? ['all sizes', 'nothing'] : ['all sizes', 'ones'];
  return known.map((knowledge) => {
    const inputs = values.map((value, at) => inputFor(value, at, knowledge));
    const output = build(...inputs);
    const wrt = gradients ? inputs.filter((input) => isFloat(input.dtype)) : [];
    const derived = wrt.length === 0 ? [] : grad(sum(output), wrt, { disconnectedInputs: 'zero' });
    return { inputs, values, outputs: [output, ...derived] };
  });
}

function partsOf(runs: readonly Run[]): [inputs: Variable[], outputs: Variable[], values: NdArray[]] {
  return [
    runs.flatMap(({ inputs }) => inputs),
    runs.flatMap(({ outputs }) => outputs),
    runs.flatMap(({ values }) => values),
  ];
}

/** The results of each. */
function shared(trials: readonly (readonly Run[])[], results: readonly NdArray[]): NdArray[][] {
  let next = 0;
  return trials.map((runs) => {
    const count = runs.reduce((sum_, { outputs }) => sum_ + outputs.length, 0);
    next += count;
    return results.slice(next - count, next);
  });
}

function expectAsSaid(result: NdArray, said: Variable, engine: string): void {
  const fits = said.shape.every((dim, axis) => dim === null || dim === result.shape[axis]);
  if (said.dtype === result.dtype && fits) return;
  expect.fail(`${engine} gives ${shownType(result)} where the type is ${shownType(said)}`);
}
