import type { NdArray } from '@longrun/serialization';

import type { Variable } from '../src/index.js';
import type { TestedEngine } from './engines.js';

/** A graph, what it is fed, and how its results are judged. */
export interface Trial {
  readonly inputs: readonly Variable[];
  readonly values: readonly NdArray[];
  readonly outputs: readonly Variable[];
  /** What is wrong with the results, a sentence each; they come in the order of `outputs`. */
  readonly judge: (results: readonly NdArray[]) => readonly string[];
}

/** A trial that is yet to be built, which may fail. */
export interface Proposal {
  readonly name: string;
  readonly build: () => Trial;
}

/** Something that is wrong with a trial. */
export interface Misfit {
  readonly trial: string;
  readonly sentence: string;
}

/**
 * Runs trials on an engine, `atOnce` of them as one function, which is several times as fast as one by one. Where that fails,
 * they are run one by one, so that it is told which of them cannot be built or run, and why.
 */
export async function misfitsOf(
  engine: TestedEngine,
  proposals: readonly Proposal[],
  atOnce: number,
): Promise<readonly Misfit[]> {
  const misfits: Misfit[] = [];
  for (let start = 0; start < proposals.length; start += atOnce) {
    const group = proposals.slice(start, start + atOnce);
    try {
      misfits.push(...(await runTogether(engine, group)));
    } catch (error) {
      if (atOnce > 1) misfits.push(...(await misfitsOf(engine, group, 1)));
      else misfits.push(...group.map(({ name }) => ({ trial: name, sentence: sentenceOf(error) })));
    }
  }
  return misfits;
}

async function runTogether(engine: TestedEngine, proposals: readonly Proposal[]): Promise<Misfit[]> {
  const trials = proposals.map((proposal) => ({ name: proposal.name, ...proposal.build() }));
  const results = await engine.run(
    trials.flatMap(({ inputs }) => inputs),
    trials.flatMap(({ outputs }) => outputs),
    trials.flatMap(({ values }) => values),
  );
  let next = 0;
  return trials.flatMap(({ name, outputs, judge }) => {
    const own = results.slice(next, next + outputs.length);
    next += outputs.length;
    return judge(own).map((sentence) => ({ trial: name, sentence }));
  });
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
