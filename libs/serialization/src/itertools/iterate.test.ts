import { expect, test } from 'vitest';

import { NewerState, StateMismatch } from '../state.js';
import { count } from './count.js';
import { iterate } from './iterate.js';

test('3-15 arrays, typed arrays, strings, sets and maps have a position', () => {
  expect([...iterate([1, undefined, 3])]).toEqual([1, undefined, 3]);
  expect([...iterate(Float32Array.of(0.5, 2))]).toEqual([0.5, 2]);
  expect([...iterate('a𝄞b')]).toEqual(['a', '𝄞', 'b']);
  expect([...iterate(new Set(['x', 'y']))]).toEqual(['x', 'y']);
  expect([...iterate(new Map([['k', 1]]))]).toEqual([['k', 1]]);
});

test('3-15 an iterator with a state is itself', () => {
  const numbers = count();
  expect(iterate(numbers)).toBe(numbers);
});

test('3-15 a loop that is left is gone on from', () => {
  const letters = iterate('abcd');
  for (const letter of letters) if (letter === 'b') break;
  expect([...letters]).toEqual(['c', 'd']);
});

test('3-15 a generator is refused, since its position cannot be saved', () => {
  function* numbers() {
    yield 1;
  }
  expect(() => iterate(numbers() as unknown as number[])).toThrow(
    'iterate: a position in [object Generator] cannot be saved; give an array',
  );
  expect(() => iterate(undefined as unknown as number[])).toThrow('[object Undefined]');
});

test('3-15 items that are added or removed after the beginning are not iterated over', () => {
  const items = [1, 2];
  const iterator = iterate(items);
  iterator.next();
  items.push(3);
  expect([...iterator]).toEqual([2]);
});

test('3-15 a state of other data, of another kind, or of a version to come is refused, and changes nothing', () => {
  const iterator = iterate([1, 2, 3]);
  iterator.next();
  const saved = iterator.state();

  for (const wrong of [
    { ...saved, length: 4 },
    { ...saved, position: 4 },
    { ...saved, position: -1 },
    { ...saved, kind: 'cycle' },
    { version: 1 },
  ]) {
    expect(() => iterator.restore(wrong)).toThrow(StateMismatch);
  }
  expect(() => iterator.restore({ ...saved, version: 2 })).toThrow(NewerState);
  expect(() => iterate([1, 2]).restore(saved)).toThrow(
    'iterate: the saved state is at 1 of 3 items, but there are 2; iterate over the same data as when it was saved',
  );
  expect(iterator.state()).toEqual(saved);
});
