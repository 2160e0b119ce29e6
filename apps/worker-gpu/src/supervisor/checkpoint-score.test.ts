import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@longrun/contracts';
import { encodeLogEntry, type LogFile } from '@longrun/serialization';
import { expect, onTestFinished, test } from 'vitest';
import { scoresIn } from './checkpoint-score.js';

const RECORD = 'valid_cost';

test('a checkpoint is as good as the last value up to its step, whatever else is logged', async () => {
  const rows = await rowsOf([3, 0.7], [5, 0.5], [6, 'x'], [6, null], [7, 0.6], [8, [1]]);
  expect(await scoresIn(rows, { record: RECORD, step: 10, stepBefore: 0 })).toEqual({ score: 0.6 });
  expect(await scoresIn(rows, { record: 'another', step: 10, stepBefore: 0 })).toEqual({});
});

test('what was measured at a checkpoint is logged after it, and is its own', async () => {
  const rows = await rowsOf([10, 0.4], [12, 0.9]);
  expect(await scoresIn(rows, { record: RECORD, step: 20, stepBefore: 10 })).toEqual({
    score: 0.9,
    scoreBefore: { step: 10, score: 0.4 },
  });
  expect(await scoresIn(await rowsOf([10, 0.4]), { record: RECORD, step: 20, stepBefore: 10 })).toEqual({
    scoreBefore: { step: 10, score: 0.4 },
  });
});

test('what was measured before training is not that of the first checkpoint', async () => {
  expect(await scoresIn(await rowsOf([0, 0.9]), { record: RECORD, step: 10, stepBefore: 0 })).toEqual({
    scoreBefore: { step: 0, score: 0.9 },
  });
});

test('what was measured at the last step is that of the last checkpoint, also where it takes the place of one of that step', async () => {
  expect(await scoresIn(await rowsOf([20, 0.3]), { record: RECORD, step: 20, stepBefore: 10 })).toEqual({ score: 0.3 });
  expect(await scoresIn(await rowsOf([20, 0.3]), { record: RECORD, step: 20, stepBefore: 20 })).toEqual({ score: 0.3 });
});

test('what is no finite number is said as it is', async () => {
  expect(await scoresIn(await rowsOf([3, 0.7], [5, 'NaN']), { record: RECORD, step: 10, stepBefore: 0 })).toEqual({
    score: Number.NaN,
  });
});

async function rowsOf(...rows: readonly (readonly [number, Json])[]): Promise<readonly LogFile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'score-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const path = join(folder, 'rows.ndjson');
  await writeFile(
    path,
    rows.map(([step, value]) => encodeLogEntry({ step, row: { [RECORD]: value, cost: 1 } })).join(''),
  );
  return [{ path }];
}
