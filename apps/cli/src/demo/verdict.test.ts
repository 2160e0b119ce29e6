import { ExperimentSpec, type ExperimentView } from '@longrun/contracts';
import { expect, test } from 'vitest';

import type { MemoryRole } from './peak-memory.js';
import type { Fault, RunRecord } from './run.js';
import { disturbedFaults, logFaults, memoryFaults, memoryLimits, undisturbedFaults } from './verdict.js';

const rows = [
  { step: 1, row: { cost: 0.5, time_train_total: 3 } },
  { step: 2, row: { cost: 'NaN' } },
];
const reference = run({ sha: 'a'.repeat(64), reasons: ['succeeded'] });
const killed = run({
  sha: 'a'.repeat(64),
  reasons: ['worker_lost', 'preempted', 'succeeded'],
  faults: [fault('SIGKILL'), fault('SIGTERM')],
});

test('a run that was hit twice while it trained and ends with the same bytes passes', () => {
  expect(undisturbedFaults(reference)).toEqual([]);
  expect(disturbedFaults(killed, reference)).toEqual([]);
});

test.each([
  ['other parameters', { ...killed, view: { ...killed.view, result: { ...result('b'.repeat(64)) } } }, 'differ'],
  ['no result', { ...killed, view: { ...killed.view, result: null } }, 'differ'],
  ['a fault that was never sent', { ...killed, faults: [fault('SIGKILL')] }, 'SIGTERM was never sent'],
  [
    'a fault between two epochs',
    { ...killed, faults: [{ ...fault('SIGKILL'), stepInEpoch: 0 }, fault('SIGTERM')] },
    'did not hit training',
  ],
  [
    'a fault without a successor',
    { ...killed, faults: [fault('SIGKILL'), unresumed('SIGTERM')] },
    'did not hit training',
  ],
  [
    'a kill that nobody noticed',
    run({ sha: 'a'.repeat(64), reasons: ['preempted', 'succeeded'], faults: killed.faults }),
    'worker_lost',
  ],
  ['a lost log row', { ...killed, rows: rows.slice(0, 1) }, '1 of 2 log rows differ, the first at step 2'],
  ['a log row too many', { ...killed, rows: [...rows, { step: 3, row: {} }] }, 'the first at step 3: none undisturbed'],
  [
    'another value',
    { ...killed, rows: [{ step: 1, row: { cost: 0.4 } }, ...rows.slice(1)] },
    '{"cost":0.5} undisturbed',
  ],
  ['a failure', { ...killed, view: { ...killed.view, status: 'failed' as const } }, 'ended as failed'],
])('%s does not pass', (_what, disturbed, complaint) => {
  expect(disturbedFaults(disturbed, reference).join('\n')).toContain(complaint);
});

test('the clock on the wall and the order of records make no difference; a log without rows proves nothing', () => {
  const other = [
    { step: 2, row: { cost: 'NaN' } },
    { step: 1, row: { time_train_total: 9, cost: 0.5 } },
  ];
  expect(logFaults(other, rows)).toEqual([]);
  expect(logFaults([], [])).toHaveLength(1);
});

test('a reference that was disturbed is no reference', () => {
  expect(undisturbedFaults(run({ sha: 'a'.repeat(64), reasons: ['worker_lost', 'succeeded'] }))).toHaveLength(1);
});

test('a process above its limit, or never seen, does not pass', () => {
  const faults = (peaks: readonly (readonly [MemoryRole, number])[], engine?: string): string[] =>
    memoryFaults(new Map(peaks), memoryLimits(engine));
  const api = ['api', 600e6] as const;
  expect(faults([['trainer', 400e6], api])).toEqual([]);
  expect(faults([['trainer', 501e6], api])).toEqual(['trainer took 501 MB at its peak; its limit is 500 MB']);
  expect(faults([['trainer', 400e6]])).toEqual(['the peak memory of api was never seen']);
  expect(faults([['trainer', 999e6], api], 'tfjs')).toEqual([]);
  expect(faults([['trainer', 1001e6], api], 'tfjs')).toHaveLength(1);
});

function run({
  sha,
  reasons,
  faults = [],
}: {
  sha: string;
  reasons: readonly string[];
  faults?: readonly Fault[];
}): RunRecord {
  const view: Partial<ExperimentView> = {
    spec: ExperimentSpec.parse({ program: 'mlp', dataset: 'd' }),
    status: 'succeeded',
    reason: 'succeeded',
    message: null,
    result: result(sha),
    attempts: reasons.map((reason, at) => ({ fence: at + 1, reason })) as ExperimentView['attempts'],
  };
  return { view: view as ExperimentView, rows, faults, totalMs: 1, stepsRunAgain: 0 };
}

function result(parametersSha256: string): NonNullable<ExperimentView['result']> {
  return { parametersSha256, lastRow: {} };
}

function fault(signal: Fault['signal']): Fault {
  return { ...unresumed(signal), resumedFromStep: 100, lostMs: 1 };
}

function unresumed(signal: Fault['signal']): Fault {
  return { signal, atStep: 100, sentAtStep: 101, stepInEpoch: 101, stepsPerEpoch: 469, sentAt: '', pid: 1 };
}
