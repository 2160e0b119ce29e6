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

test('few lines that are long count by their bytes', () => {
  let nowMs = 0;
  const limit = new LineLimit({ burstBytes: 100, bytesPerSecond: 10, now: () => nowMs });
  const line = 'é'.repeat(20);
  expect([line, line, line, 'ok'].flatMap((text) => limit.pass(text))).toEqual([
    line,
    line,
    expect.stringContaining('left out here: 1,'),
    'ok',
  ]);
  nowMs = 1000;
  expect(limit.pass(line)).toEqual([]);
  nowMs = 4000;
  expect(limit.pass(line)).toEqual([expect.stringContaining('left out here: 1,'), line]);
});

test('a line longer than all that may pass at once passes when nothing else did', () => {
  let nowMs = 0;
  const limit = new LineLimit({ burstBytes: 10, bytesPerSecond: 10, now: () => nowMs });
  expect(limit.pass('x'.repeat(20))).toHaveLength(1);
  nowMs = 1000;
  expect(limit.pass('y')).toEqual([]);
  nowMs = 2000;
  expect(limit.pass('z')).toHaveLength(2);
});
