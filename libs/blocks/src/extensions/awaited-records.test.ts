import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { StopAt } from '../../test/stop-at.js';
import { collectWarnings } from '../../test/warnings.js';
import { Outputs } from '../outputs/outputs.js';
import { restoreSnapshot, writeSnapshot } from '../snapshot/snapshot.js';
import { MockMainLoop } from '../testing/mock-main-loop.js';
import { EarlyStopping } from './early-stopping.js';
import { EpochTable } from './epoch-table.js';
import { FinishAfter } from './finish-after.js';
import { Plot } from './plot.js';
import { TrackTheBest } from './track-the-best.js';
import { TrainingExtension } from './training-extension.js';

/** Batches of an epoch. */
const EPOCH = 2;
const THERE = 'there are test_cost, batch_cost.';

/** Logs as monitoring does. */
class Written extends TrainingExtension {
  override beforeEpoch(): void {
    if (this.mainLoop.status.epochsDone === 0) this.afterEpoch();
  }
  override afterBatch(): void {
    this.mainLoop.log.currentRow['batch_cost'] = 1;
  }
  override afterEpoch(): void {
    this.mainLoop.log.currentRow['test_cost'] = 1;
  }
}

function training(...extensions: readonly TrainingExtension[]): MockMainLoop {
  return new MockMainLoop({ extensions: [new Written(), ...extensions, new FinishAfter({ afterNEpochs: 3 })] });
}

let folder = '';
let outputs: Outputs;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-records-'));
  outputs = await Outputs.open(path.join(folder, 'outputs'));
});
afterAll(() => rm(folder, { recursive: true }));
const warnings = collectWarnings();

test.each<readonly [string, () => TrainingExtension, readonly string[]]>([
  [
    'EarlyStopping',
    () => new EarlyStopping({ recordName: 'test_cots', epochs: 1 }),
    [
      `TrackTheBest goes by the record test_cots, which is not in the log by the end of the first epoch; ${THERE} Did you mean test_cost?`,
      `FinishIfNoImprovementAfter goes by the record test_cots_best_so_far, which is not in the log by the end of the first epoch; ${THERE}`,
    ],
  ],
  [
    'EpochTable',
    () => new EpochTable(outputs.output('epochs.csv'), ['batch_cost', 'test_error', 'valid_cost']),
    [
      `EpochTable goes by the records test_error, valid_cost, which are not in the log by the end of the first epoch; ${THERE}`,
    ],
  ],
  [
    'Plot',
    () => new Plot({ documentName: 'tiny', channels: [['test_cost'], ['loss']], output: outputs.output('plot.svg') }),
    [`Plot goes by the record loss, which is not in the log by the end of the first epoch; ${THERE}`],
  ],
])('a record that never comes is warned of, once, with those that there are: %s', async (_, make, expected) => {
  await training(make()).run();
  expect(await warnings()).toEqual(expected);
});

test.each<readonly [string, number, readonly string[]]>([
  ['in the first epoch', 1, ['other']],
  ['at its end', EPOCH, ['other']],
  ['after it', EPOCH + 1, []],
])('training that goes on %s warns where nobody has, and of nothing that was there before', async (_, cut, missing) => {
  const build = (): TrainingExtension[] => [
    new TrackTheBest({ recordName: 'test_cost' }),
    new TrackTheBest({ recordName: 'other' }),
  ];
  const first = training(...build(), new StopAt(cut));
  expect(await first.run()).toBe('stopped');
  const before = [...(await warnings())];
  const snapshot = path.join(folder, `cut-${cut}`);
  await writeSnapshot(first, snapshot);
  const successor = training(...build());
  await restoreSnapshot(successor, snapshot);
  await successor.run();
  const after = (await warnings()).slice(before.length);

  expect(before).toHaveLength(1 - missing.length);
  expect(after.map((text) => /the record (\w+),/.exec(text)?.[1])).toEqual(missing);
});
