import { beginOurs } from './training.js';

const PROCESSES = 5;
const CALLS = 10_000;

/** What compiling and calling took, in each of some processes. */
export interface Compiled {
  /** The training step, compiled as the first thing that its process does with an engine; ms. */
  readonly first: number[];
  /** Its graph built and compiled once more by the same process; ms. */
  readonly again: number[];
  /** The median of the calls of a function from a scalar to a scalar; us. */
  readonly emptyCall: number[];
}

/** Processes one after the other, as a worker starts them. */
export async function compiling(start: string): Promise<Compiled> {
  const compiled: Compiled = { first: [], again: [], emptyCall: [] };
  for (let count = 0; count < PROCESSES; count += 1) {
    const { contestant, hello } = await beginOurs(start, { threads: 2, isTuned: true });
    try {
      compiled.first.push(Number(hello['compileMs']));
      compiled.again.push((await contestant.ask({ do: 'compile' }))['ms'] ?? Number.NaN);
      compiled.emptyCall.push((await contestant.ask({ do: 'call', calls: CALLS }))['us'] ?? Number.NaN);
    } finally {
      contestant.stop();
    }
  }
  return compiled;
}
