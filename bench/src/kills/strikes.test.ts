import { FAULT_POINTS, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { Strikes } from './strikes.js';

test('the same stream draws the same strikes, and another one others', () => {
  const draw = (seed: number): unknown[] => {
    const strikes = new Strikes(new RandomStreams(seed).stream('run 1'));
    return Array.from({ length: 50 }, () => strikes.next());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('both kinds come at any moment, and at each point of the steps of an attempt', () => {
  const strikes = new Strikes(new RandomStreams(1).stream('run 1'));
  const drawn = Array.from({ length: 1_000 }, () => strikes.next());
  // A run ends with an outcome: nobody hands its lease back.
  const steps = Object.keys(FAULT_POINTS).filter((point) => /^(?:lease|commit|keep-log)\./u.test(point));
  const points = steps.filter((point) => point !== 'lease.released');
  for (const kind of ['kill', 'stop']) {
    const some = drawn.filter(({ what, point }) => what === kind && point === undefined);
    expect(Math.min(...some.map(({ moment }) => moment.part))).toBeLessThan(0.1);
    expect(Math.max(...some.map(({ moment }) => moment.part))).toBeGreaterThan(0.9);
    expect(new Set(some.map(({ moment }) => moment.commits))).toEqual(new Set([0, 1, 2, 3, 4]));
  }
  expect(new Set(drawn.flatMap(({ point }) => point?.name ?? []))).toEqual(
    new Set([...points, 'outcome.decided', 'outcome.in-head']),
  );
});
