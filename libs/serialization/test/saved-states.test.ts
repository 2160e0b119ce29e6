import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import {
  batched,
  count,
  cycle,
  islice,
  randomAt,
  RandomState,
  RandomStreams,
  StateMismatch,
  zip,
  type Stateful,
  type VersionedState,
} from '../src/index.js';

interface SavedStates {
  /** `rest` is what the build that wrote the state gave after it. */
  readonly states: readonly {
    readonly kind: string;
    readonly at: number;
    readonly state: VersionedState;
    readonly rest: readonly unknown[];
  }[];
}

const { states }: SavedStates = JSON.parse(
  readFileSync(new URL('fixtures/states-version-1.json', import.meta.url), 'utf8'),
);

interface Drawn {
  readonly of: Stateful;
  readonly draw: () => unknown;
}

const KINDS: Readonly<Record<string, () => Drawn>> = {
  RandomState: () => {
    const random = new RandomState(3);
    return { of: random, draw: () => random.normal() };
  },
  RandomStreams: () => {
    const streams = new RandomStreams(3);
    const [a, b] = [streams.stream('a'), streams.stream('b')];
    return { of: streams, draw: () => [a.uniform(), b.normal()] };
  },
  RandomStream: () => {
    const stream = new RandomStreams(3).stream('a');
    return { of: stream, draw: () => stream.normal() };
  },
  RandomAt: () => {
    const random = randomAt(3, { epoch: 1, index: 2, stage: 'crop' });
    return { of: random, draw: () => random.normal() };
  },
  itertools: () => {
    const rows = batched(zip(cycle(['a', 'b', 'c']), islice(count(5, 2), 20)), 2);
    return { of: rows, draw: () => rows.next() };
  },
};

function built(kind: string): Drawn {
  const make = KINDS[kind];
  if (make === undefined) throw new Error(`there is a state of ${kind}, which this test cannot build`);
  return make();
}

describe('a state that the first build wrote', () => {
  test.each(states)('is gone on from exactly: $kind, after $at', ({ kind, state, rest }) => {
    const { of, draw } = built(kind);
    of.restore(state);

    expect(JSON.parse(JSON.stringify(rest.map(draw)))).toEqual(rest);
  });
});

test('random numbers refuse the state of others, naming both kinds', () => {
  const kinds = ['RandomState', 'RandomStreams', 'RandomStream', 'RandomAt'];
  for (const own of kinds) {
    for (const other of kinds.filter((kind) => kind !== own)) {
      const { of } = built(own);
      const before = of.state();
      const restore = (): void => of.restore(built(other).of.state());
      expect(restore).toThrow(StateMismatch);
      expect(restore).toThrow(own);
      expect(restore).toThrow(`the saved state is that of "${other}"`);
      expect(of.state()).toEqual(before);
    }
  }
});
