import { expect, test } from 'vitest';

import { StateMismatch, type VersionedState } from '../state.js';
import { RandomStreams } from './random-streams.js';

test('the same name gives the same stream', () => {
  const streams = new RandomStreams(5);
  expect(streams.stream('init')).toBe(streams.stream('init'));
});

test('drawing more from one stream leaves the others as they were', () => {
  const quiet = new RandomStreams(5);
  const busy = new RandomStreams(5);
  for (let index = 0; index < 10; index += 1) busy.stream('augmentation').normal();
  expect(busy.stream('shuffle').uniform()).toBe(quiet.stream('shuffle').uniform());
});

test('all streams are put back, also those handed out before or after', () => {
  const saved = new RandomStreams(5);
  saved.stream('a').uniform();
  saved.stream('b').normal();
  const state: VersionedState = JSON.parse(JSON.stringify(saved.state()));
  const expected = ['a', 'b', 'c'].map((name) => saved.stream(name).normal());

  const resumed = new RandomStreams(5);
  const held = resumed.stream('a');
  resumed.stream('c').uniform();
  resumed.restore(state);
  expect(['a', 'b', 'c'].map((name) => resumed.stream(name).normal())).toEqual(expected);
  expect(resumed.stream('a')).toBe(held);
});

test('the state of another seed is refused with both seeds', () => {
  const streams = new RandomStreams(5);
  streams.stream('a').uniform();
  const before = streams.state();
  const other = new RandomStreams(6);
  other.stream('a');
  expect(() => streams.restore(other.state())).toThrow(StateMismatch);
  expect(() => streams.restore(other.state())).toThrow('is of seed 6, but this run has seed 5');
  expect(streams.state()).toEqual(before);
});

test('a state with one bad stream changes none', () => {
  const streams = new RandomStreams(5);
  streams.stream('a').uniform();
  streams.stream('b').uniform();
  const before = streams.state();
  const a = new RandomStreams(5).stream('a').state();
  const bad = { version: 1 as const, seed: 5, streams: { a, b: { ...a } } };
  expect(() => streams.restore(bad)).toThrow(StateMismatch);
  expect(streams.state()).toEqual(before);
});

test('a name may be any text', () => {
  const streams = new RandomStreams(5);
  const draws = ['__proto__', 'constructor', '', 'ü/\u{1f600}'].map((name) => streams.stream(name).uniform());
  const again = new RandomStreams(5);
  const saved: VersionedState = JSON.parse(JSON.stringify(streams.state()));
  again.restore(saved);
  expect(new Set(draws).size).toBe(4);
  expect(again.stream('__proto__').uniform()).toBe(streams.stream('__proto__').uniform());
});

test.each([-1, 1.5, Number.NaN, 2 ** 53])('seed %s is refused', (seed) => {
  expect(() => new RandomStreams(seed)).toThrow(RangeError);
});
