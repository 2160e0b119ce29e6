import { expect, test } from 'vitest';

import { checkIdentity, StateKind } from './state-kind.js';
import { NewerState, StateMismatch, type VersionedState } from './state.js';

const renamed = {
  from: 1,
  migrate: ({ epoch, ...rest }: VersionedState) => ({ ...rest, version: 2, fence: epoch ?? 0 }),
};
const named = { from: 2, migrate: (state: VersionedState) => ({ ...state, version: 3, kind: 'Counter' }) };
const COUNTER = new StateKind('Counter', { version: 3, migrations: [named, renamed], namedSince: 3 });

test('a state of each earlier version is brought to the present one, step by step', () => {
  const present = { version: 3, kind: 'Counter', fence: 7 };
  const first = { version: 1, epoch: 7 };

  expect(COUNTER.head).toEqual({ version: 3, kind: 'Counter' });
  expect(COUNTER.read(first)).toEqual(present);
  expect(first).toEqual({ version: 1, epoch: 7 });
  expect(COUNTER.read({ version: 2, fence: 7 })).toEqual(present);
  expect(COUNTER.read(present)).toBe(present);
});

test('a state from the future is refused as such', () => {
  const restore = (): unknown => COUNTER.read({ version: 4, kind: 'Counter' });

  expect(restore).toThrow(NewerState);
  expect(restore).toThrow(
    'Counter: saved state has version 4, this build reads 1..3; it was written by a newer build, go on with that one',
  );
});

test('a state of another kind is refused, naming both, whatever its version', () => {
  for (const version of [1, 3, 9]) {
    const restore = (): unknown => COUNTER.read({ version, kind: 'Timer' });
    expect(restore).toThrow(StateMismatch);
    expect(restore).not.toThrow(NewerState);
    expect(restore).toThrow(
      'Counter: the saved state is that of "Timer"; build it of the same parts in the same order',
    );
  }
  expect(() => COUNTER.read({ version: 3, kind: 'Timer' }, 'Train')).toThrow(
    'Train: the saved state is that of "Timer", not of "Counter"; build it',
  );
  expect(() => COUNTER.read({ version: 3 })).toThrow('Counter: the saved state is that of null; build it');
});

test('a version that is none is refused', () => {
  for (const version of [0, -1, 1.5, Number.NaN]) {
    expect(() => COUNTER.read({ version, kind: 'Counter' })).toThrow(StateMismatch);
  }
});

test('a migration that is missing, there twice, or leads nowhere is an error when the kind is made', () => {
  const make = (version: number, froms: readonly number[]) => () =>
    new StateKind('Counter', { version, migrations: froms.map((from) => ({ from, migrate: (state) => state })) });

  expect(make(3, [2])).toThrow('Counter: there is no migration from version 1 to 2; add it');
  expect(make(2, [1, 1])).toThrow('Counter: two migrations are from version 1; keep one');
  expect(make(2, [1, 2])).toThrow('Counter: a migration is from version 2, but only those before 2 need one');
  expect(make(0, [])).toThrow('Counter: version is 0; give a whole number of at least 1');
});

test('a migration that gives another version than the next is an error when it is used', () => {
  const skipping = { from: 1, migrate: (state: VersionedState) => ({ ...state, version: 3 }) };
  const kind = new StateKind('Counter', { version: 3, migrations: [skipping, named] });

  expect(() => kind.read({ version: 1, kind: 'Counter' })).toThrow(
    'Counter: the migration from version 1 gave version 3; let it give version 2',
  );
  expect(() => kind.read({ version: 1, kind: 'Counter' })).not.toThrow(StateMismatch);
});

test('the state of another thing of the kind is refused, naming both; the order of keys does not matter', () => {
  const check = (saved: VersionedState[string]) => (): void =>
    checkIdentity('Counter', { version: 1, of: saved }, 'of', { seed: 1, size: 2 }, 'use the same seed');

  expect(check({ size: 2, seed: 1 })).not.toThrow();
  expect(check(null)).not.toThrow();
  expect(check({ seed: 2, size: 2 })).toThrow(StateMismatch);
  expect(check({ seed: 2, size: 2 })).toThrow(
    'Counter: the state was saved with the of {"seed":2,"size":2}, but this one has {"seed":1,"size":2}; use the same seed',
  );
  expect(() => checkIdentity('Counter', { version: 1 }, 'of', 1, 'use the same seed')).toThrow(StateMismatch);
});

test('the example of the README', () => {
  const counter = new StateKind('Counter', {
    version: 2,
    migrations: [{ from: 1, migrate: (state) => ({ ...state, version: 2, of: null }) }],
  });

  expect(counter.read({ version: 1, kind: 'Counter', at: 3 })).toEqual({
    version: 2,
    kind: 'Counter',
    at: 3,
    of: null,
  });
  expect(() => counter.read({ version: 3, kind: 'Counter', at: 3 })).toThrow(NewerState);
  expect(() => counter.read({ version: 1, kind: 'Timer', at: 3 })).toThrow(StateMismatch);
});
