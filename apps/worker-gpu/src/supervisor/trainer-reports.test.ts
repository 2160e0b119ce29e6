import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerEvent } from '@longrun/contracts';
import type { Attempt } from '@longrun/platform/worker';
import { acquireLease, openObjectStore } from '@longrun/serialization';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogSpool } from './log-spool.js';
import { SnapshotFollower } from './snapshot-follower.js';
import { TrainerReports } from './trainer-reports.js';

let folder: string;
let sent: WorkerEvent[];
let reports: TrainerReports;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-reports-'));
  const store = await openObjectStore(`file:${join(folder, 'objects')}`);
  sent = [];
  const attempt: Pick<Attempt, 'workerId' | 'lease' | 'send' | 'report'> = {
    workerId: 'worker',
    lease: await acquireLease(store, 'experiments/exp_1', { fence: 1, holder: 'worker' }),
    send: (event) => void sent.push(event),
    report: () => {},
  };
  reports = new TrainerReports({
    attempt,
    restored: { manifest: undefined, rejected: [] },
    libraries: { '@longrun/blocks': '1.0.0' },
    spool: new LogSpool(join(folder, 'log')),
    follower: new SnapshotFollower(folder, store),
    pid: () => undefined,
    onSnapshot: () => {},
  });
});

afterEach(async () => {
  reports.close();
  await rm(folder, { recursive: true });
});

const ofType = (type: WorkerEvent['type']): WorkerEvent[] => sent.filter((event) => event.type === type);
const lines = (): string[] => sent.flatMap((event) => (event.type === 'line' ? [event.text] : []));

test.each([
  ['started', { type: 'started', startStep: 0, engine: 'none', environment: {} }, 'attempt_started', 'it started'],
  [
    'a cost is not finite',
    { type: 'non_finite', step: 1, record: 'cost', value: 'NaN' },
    'non_finite',
    'a cost is not finite',
  ],
] as const)('a trainer says once what is always kept: %s', (_, message, type, said) => {
  for (let time = 0; time < 5_000; time += 1) reports.hear(message);
  expect(ofType(type)).toHaveLength(1);
  expect(lines().length).toBeLessThan(4_000);
  expect(lines().at(-1)).toContain(`ignored: it has said before that ${said}`);
});

test('of messages that are ignored no more is said than a trainer may print', () => {
  for (let time = 0; time < 5_000; time += 1) reports.hear({ type: 'nonsense' });
  expect(lines()[0]).toContain('A message of the trainer was ignored');
  expect(lines().length).toBeLessThan(4_000);
});

test('why a message is ignored is said shortly, however much is wrong with it', () => {
  const files = Array.from({ length: 1_000 }, () => ({ name: '../..', sha256: 'none', sizeBytes: -1 }));
  reports.hear({ type: 'snapshot', name: 'step-7', step: 7, environment: {}, final: false, files });
  expect(lines().join('').length).toBeLessThan(3_000);
});

test.each(['log_row', 'finished', 'nonsense'])('a message that nests too deep is ignored (%s)', (type) => {
  const nested = JSON.parse('['.repeat(6_000) + ']'.repeat(6_000)) as unknown;
  const row = { cost: nested };
  reports.hear({ type, step: 7, row, lastRow: row, parametersFile: 'parameters.safetensors' });
  expect(lines()).toEqual(['[longrun] A message of the trainer was ignored: it nests too deep; keep it flatter']);
  expect(sent).toHaveLength(1);
});
