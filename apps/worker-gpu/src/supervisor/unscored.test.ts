import type { LogRow } from '@longrun/contracts';
import type { LogPart } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { unscoredText } from './unscored.js';

test('a record that was never logged is said with those that were, the likest of them first', async () => {
  const log = logOf([1, { cost: 1 }], [30, { cost: 0.5, test_cost: 0.4 }], [31, { cost: 0.5 }]);
  expect(await unscoredText('test_csot', log)).toBe(
    'checkpoint.keepBest.record is "test_csot", which was never logged up to step 31: no checkpoint is kept as one of the best. ' +
      'Logged were "test_cost", "cost". Did you mean "test_cost"?',
  );
  expect(await unscoredText('accuracy', logOf([1, { cost: 1 }]))).toMatch(/Logged were "cost"\.$/);
  expect(await unscoredText('accuracy', logOf())).toMatch(/never logged up to step 0: .* Nothing was logged\.$/);
});

test('one that never was a finite number is said to be that', async () => {
  const log = logOf([1, { cost: 'NaN' }], [2, { cost: 'Infinity' }], [3, { cost: [1] }]);
  expect(await unscoredText('cost', log)).toMatch(
    /"cost", which was logged, but never as a finite number, up to step 3/,
  );
});

test('of a log that has it, or a part of which is lost, there is nothing to say', async () => {
  expect(await unscoredText('cost', logOf([1, { loss: 1 }], [2, { cost: 0 }]))).toBeUndefined();
  const hash = '0'.repeat(64);
  const lost = {
    firstStep: 1,
    lastStep: 2,
    rows: 2,
    textBytes: 9,
    sizeBytes: 9,
    sha256: hash,
    keys: ['a', 'b'],
  } as const;
  const parts: LogPart[] = [{ entries: [{ step: 1, row: { loss: 1 } }] }, { lost, reason: 'both copies are damaged' }];
  expect(await unscoredText('cost', fromParts(parts))).toBeUndefined();
});

test('whatever a program calls its records, it is short and shows what cannot be seen', async () => {
  const rows = Array.from({ length: 500 }, (_, at): LogRow => ({
    [`record ${at} ${'x'.repeat(5_000)}`]: at,
    'a\u001B[2J': 1,
  }));
  const text = await unscoredText('cost', logOf(...rows.map((row, at) => [at, row] as const)));
  expect(text?.length).toBeLessThan(4_000);
  expect(text).toMatch(/ and 481 more\.$/);
  expect(text).not.toContain('\u001B');
});

function logOf(...rows: readonly (readonly [number, LogRow])[]): AsyncIterable<LogPart> {
  return fromParts(rows.map(([step, row]) => ({ entries: [{ step, row }] })));
}

async function* fromParts(parts: readonly LogPart[]): AsyncGenerator<LogPart> {
  yield* parts;
}
