import type { TrainerMessage } from '@longrun/contracts';
import type { FinishedSnapshot } from '@longrun/blocks';
import { environment } from '@longrun/tensor';
import { expect, test } from 'vitest';
import { SnapshotHandover } from './snapshot-handover.js';

function snapshotOf(step: number): FinishedSnapshot {
  return { step, folder: `step-${step}`, files: [], environment: environment({ engine: 'reference', threads: 1 }) };
}

test('training waits for the third snapshot before the first is committed, not for the second', async () => {
  const told: TrainerMessage[] = [];
  const handover = new SnapshotHandover((message) => told.push(message));
  await handover.handOver(snapshotOf(1));
  let secondDone = false;
  const second = handover.handOver(snapshotOf(2)).then(() => (secondDone = true));
  await new Promise(setImmediate);
  expect(told.map((message) => message.type === 'snapshot' && message.step)).toEqual([1, 2]);
  expect(secondDone).toBe(false);

  await handover.committed('step-1');
  await second;
  expect(secondDone).toBe(true);
});

test('training that is about to stop waits for no commit', async () => {
  const handover = new SnapshotHandover(() => {});
  await handover.handOver(snapshotOf(1));
  const second = handover.handOver(snapshotOf(2));
  handover.release();
  await second;
  await handover.handOver(snapshotOf(3));
});
