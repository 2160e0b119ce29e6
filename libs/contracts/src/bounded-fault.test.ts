import { expect, test } from 'vitest';

import { begunText, boundedFault } from './bounded-fault.js';
import { isFault } from './fault.js';

const LARGE = 700_000;

test.each(['x', '"', '\0', 'é', '語', '😀', '\uD800'])(
  'a text of many %j is cut between two characters',
  (character) => {
    const begun = begunText(character.repeat(LARGE), 100);
    expect(begun).toMatch(/\.\.\.$/);
    expect(Array.from(begun.slice(0, -3)).every((one) => one === character)).toBe(true);
    const bytes = new TextEncoder().encode(JSON.stringify(begun)).length - 2;
    expect(bytes).toBeLessThanOrEqual(100);
    expect(bytes).toBeGreaterThan(90);
  },
);

test('a text that is within its bound stays', () => {
  expect(begunText('x'.repeat(100), 100)).toBe('x'.repeat(100));
});

test('whatever a fault says, it is short, has its form, and begins and ends where it did', () => {
  const long = 'x'.repeat(LARGE);
  const words = Array.from({ length: 10_000 }, (_, index) => `word${index}`);
  const path = ['params', ...Array.from({ length: 60 }, () => '/'.repeat(254)), 'list', 7];
  const fault = {
    path,
    code: 'unknown-word',
    facts: { value: long, allowed: words, nearest: long, says: long },
  } as const;
  const bounded = boundedFault(fault);
  expect(JSON.stringify(bounded).length).toBeLessThan(12_000);
  expect(isFault(bounded)).toBe(true);
  expect(bounded.path[0]).toBe('params');
  expect(bounded.path.slice(-3)).toEqual(['...', 'list', 7]);
  expect(bounded.facts.allowed[0]).toBe('word0');
  expect(bounded.facts.allowed.at(-1)).toBe('…');
  expect(boundedFault(bounded)).toEqual(bounded);
});
