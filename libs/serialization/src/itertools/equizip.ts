import type { StatefulIterator } from '../state.js';
import { DONE, given, OverSources } from './itertool.js';
import { iterateAll, type Sources } from './iterate.js';

/** Sources that should be equally long are not. */
export class IterableLengthMismatch extends Error {
  override readonly name = 'IterableLengthMismatch';
}

/**
 * Lists of one item of each source (picklable-itertools: `equizip`).
 *
 * State: those of the sources.
 *
 * @throws IterableLengthMismatch instead of the end when some sources have ended and others have not
 */
export function equizip<A extends readonly unknown[]>(...sources: Sources<A>): StatefulIterator<A> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row has an item of each source
  return new Equizip(iterateAll(sources)) as StatefulIterator<unknown> as StatefulIterator<A>;
}

class Equizip extends OverSources<readonly unknown[]> {
  constructor(sources: readonly StatefulIterator<unknown>[]) {
    super('equizip', sources);
  }

  protected advance(): IteratorResult<readonly unknown[], undefined> {
    const steps = this.sources.map((source) => source.next());
    const ended = steps.flatMap((step, index) => (step.done ? [index] : []));
    if (ended.length === steps.length) return DONE;
    if (ended.length === 0) return given(steps.map((step) => step.value));
    throw new IterableLengthMismatch(
      `equizip: of ${steps.length} sources, counted from 0, ${ended.join(', ')} ended before the others; ` +
        'give sources of one length, or take zip or zipLongest',
    );
  }
}
