import { expect, test } from 'vitest';
import { LineLimit } from './line-limit.js';

test('lines beyond the rate are left out, and their number is said', () => {
  let nowMs = 0;
  const limit = new LineLimit({ burst: 3, perSecond: 1, now: () => nowMs });
  expect(['a', 'b', 'c', 'd', 'e'].flatMap((line) => limit.pass(line))).toEqual(['a', 'b', 'c']);
  nowMs = 1000;
  const [notice, line, ...more] = limit.pass('f');
  expect(notice).toContain('left out here: 2,');
  expect([line, ...more]).toEqual(['f']);
  expect(limit.rest()).toEqual([]);
});

test('what was left out at the end is said too', () => {
  const limit = new LineLimit({ burst: 1, perSecond: 1, now: () => 0 });
  limit.pass('a');
  limit.pass('b');
  expect(limit.rest()[0]).toContain('left out here: 1,');
  expect(limit.rest()).toEqual([]);
});
