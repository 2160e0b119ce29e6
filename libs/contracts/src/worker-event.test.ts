import { expect, test } from 'vitest';

import { LiveEvent } from './live-event.js';
import { EventEnvelope, isEphemeral, type WorkerEvent } from './worker-event.js';

const events: WorkerEvent[] = [
  {
    type: 'attempt_started',
    workerId: 'w',
    startStep: 0,
    engine: 'reference',
    environment: null,
    rejectedCheckpoints: [],
  },
  { type: 'heartbeat', step: 3 },
  { type: 'progress', step: 3, epoch: 0, stepsPerSecond: 0.5 },
  { type: 'log_row', step: 3, row: { cost: 'NaN' } },
  { type: 'line', stream: 'stderr', text: '' },
  { type: 'checkpoint_committed', step: 3, sizeBytes: 1 },
  { type: 'attempt_ended', reason: 'preempted', step: 3, stepsRun: 3, peakMemoryBytes: 0 },
  { type: 'dataset_started', workerId: 'w' },
  { type: 'dataset_heartbeat' },
  { type: 'dataset_progress', phase: 'converting', what: 'features', done: 1, unit: 'examples' },
  { type: 'dataset_ended', reason: 'dataset_corrupt', message: 'bad magic', peakMemoryBytes: 0 },
];

test('every event survives the way through JSON', () => {
  for (const event of events) {
    const envelope = { kind: 'experiment', id: 'exp_1', fence: 1, seq: 0, at: '2026-01-01T00:00:00.000Z', event };
    expect(EventEnvelope.parse(JSON.parse(JSON.stringify(envelope)))).toEqual(envelope);
  }
});

test('only signs of life and progress may be lost', () => {
  expect(events.filter(isEphemeral).map(({ type }) => type)).toEqual([
    'heartbeat',
    'progress',
    'dataset_heartbeat',
    'dataset_progress',
  ]);
});

test('a live event has an id unless it is progress', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const progress = { type: 'progress', at, data: { step: 1, epoch: 0, stepsPerSecond: 1 } };
  const line = { type: 'line', at, data: { fence: 1, stream: 'stdout', text: 'x' } };
  expect(LiveEvent.safeParse({ ...progress, id: null }).success).toBe(true);
  expect(LiveEvent.safeParse({ ...progress, id: 1 }).success).toBe(false);
  expect(LiveEvent.safeParse({ ...line, id: 1 }).success).toBe(true);
  expect(LiveEvent.safeParse({ ...line, id: null }).success).toBe(false);
});
