import type { NdArray } from '@longrun/serialization';

import type { Variable } from '../src/index.js';
import { madeTogether } from '../src/graph/origin.js';
import { isBeyondLimits, type TestedEngine } from './engines.js';

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

/** What came of trials. */
export interface Verdicts {
  /** Names of the trials whose results were judged: all but those that need what the engine says it has not. */
  readonly judged: readonly string[];
  readonly misfits: readonly Misfit[];
}

/**
 * Runs trials on an engine, `atOnce` of them as one function, which is several times as fast as one by one. Where that fails,
 * they are run one by one, so that it is told which of them cannot be built or run, and why.
 */
export async function verdictsOf(
  engine: TestedEngine,
  proposals: readonly Proposal[],
  atOnce: number,
): Promise<Verdicts> {
  const [judged, misfits]: [string[], Misfit[]] = [[], []];
  for (let start = 0; start < proposals.length; start += atOnce) {
    const group = proposals.slice(start, start + atOnce);
    const verdicts = await runTogether(engine, group).catch((error: unknown) =>
      atOnce > 1 ? verdictsOf(engine, group, 1) : failed(engine, group, error),
    );
    judged.push(...verdicts.judged);
    misfits.push(...verdicts.misfits);
  }
  return { judged, misfits };
}

async function runTogether(engine: TestedEngine, proposals: readonly Proposal[]): Promise<Verdicts> {
  const trials = madeTogether(() => proposals.map((proposal) => ({ name: proposal.name, ...proposal.build() })));
  const results = await engine.run(
    trials.flatMap(({ inputs }) => inputs),
    trials.flatMap(({ outputs }) => outputs),
    trials.flatMap(({ values }) => values),
  );
  let next = 0;
  const misfits = trials.flatMap(({ name, outputs, judge }) => {
    const own = results.slice(next, next + outputs.length);
    next += outputs.length;
    return judge(own).map((sentence) => ({ trial: name, sentence }));
  });
  return { judged: trials.map(({ name }) => name), misfits };
}

function failed(engine: TestedEngine, group: readonly Proposal[], error: unknown): Verdicts {
  if (isBeyondLimits(engine, error)) return { judged: [], misfits: [] };
  const sentence = error instanceof Error ? error.message : String(error);
  const judged = group.map(({ name }) => name);
  return { judged, misfits: judged.map((trial) => ({ trial, sentence })) };
}
