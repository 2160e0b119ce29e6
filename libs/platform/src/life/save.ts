import type { Transaction } from 'kysely';

import { assignments, columnList, type ColumnTypes, recordset, run } from '../record/bulk.js';
import type { AttemptRow, CheckpointRow, ExperimentRow, LifeRow, Tables } from '../record/tables.js';
import type { Life } from './life.js';
import { experimentStatus } from './transitions.js';

/** Writes the rows of lives: what can change of them. */
export async function saveLives(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  await run(transaction, livesText, JSON.stringify(lives.map(({ row }) => row)));
}

/** Writes where experiments stand that moved, for those who list them. */
export async function saveListed(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const moved = lives.filter(({ row, changes }) => row.kind === 'experiment' && changes.moved);
  const listed = moved.map(({ row: { id, phase, reason, endedAt } }) => ({
    id,
    status: experimentStatus(phase, reason),
    endedAt,
  }));
  if (listed.length > 0) await run(transaction, listedText, JSON.stringify(listed));
}

/** Writes the attempts that changed. */
export async function saveAttempts(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const attempts = lives.flatMap(({ changes }) => [...changes.attempts]);
  if (attempts.length > 0) await run(transaction, attemptsText, JSON.stringify(attempts));
}

/** Stores live events. */
export async function saveEvents(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const events = lives.flatMap(({ row, changes }) =>
    changes.events.map(({ id, type, at, data }) => ({ id: row.id, event: id, type, at, data })),
  );
  if (events.length > 0) await run(transaction, eventsText, JSON.stringify(events));
}

/** Notes at which steps hyperparameters were set. */
export async function saveSettings(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const settings = lives.flatMap(({ row, changes }) => changes.settings.map((one) => ({ id: row.id, ...one })));
  if (settings.length > 0) await run(transaction, settingsText, JSON.stringify(settings));
}

/** Notes checkpoints that were committed. */
export async function saveCheckpoints(transaction: Transaction<Tables>, lives: readonly Life[]): Promise<void> {
  const checkpoints = lives.flatMap(({ row, changes }) => changes.checkpoints.map((one) => ({ id: row.id, ...one })));
  if (checkpoints.length > 0) await run(transaction, checkpointsText, JSON.stringify(checkpoints));
}

const lifeColumns = {
  priority: 'integer',
  phase: 'text',
  reason: 'text',
  message: 'text',
  result: 'jsonb',
  ending: 'jsonb',
  fence: 'integer',
  enqueued: 'boolean',
  queueRank: 'integer',
  notBefore: 'timestamptz',
  failures: 'integer',
  preemptions: 'integer',
  losses: 'integer',
  refusals: 'integer',
  progressStep: 'bigint',
  cancelRequested: 'boolean',
  pauseRequested: 'boolean',
  budgetFence: 'integer',
  reopening: 'boolean',
  progress: 'jsonb',
  nonFinite: 'jsonb',
  lastEvent: 'bigint',
  logGapTo: 'bigint',
  logCompleteTo: 'bigint',
  outcomeFence: 'integer',
  startedAt: 'timestamptz',
  endedAt: 'timestamptz',
  deletedAt: 'timestamptz',
  removing: 'boolean',
} satisfies Partial<ColumnTypes<keyof LifeRow>>;

const listedColumns = { status: 'text', endedAt: 'timestamptz' } satisfies Partial<ColumnTypes<keyof ExperimentRow>>;

const attemptColumns = {
  status: 'text',
  workerId: 'text',
  enqueuedAt: 'timestamptz',
  startedAt: 'timestamptz',
  endedAt: 'timestamptz',
  reason: 'text',
  message: 'text',
  startStep: 'bigint',
  lastStep: 'bigint',
  stepsRun: 'bigint',
  peakMemoryBytes: 'bigint',
  engine: 'text',
  environment: 'jsonb',
  libraries: 'jsonb',
  restoredFrom: 'text',
  rejectedCheckpoints: 'jsonb',
  hyperparameters: 'jsonb',
  lastSeq: 'bigint',
  lastHeardAt: 'timestamptz',
  saidEnd: 'boolean',
  smallChunks: 'integer',
  preemptRequested: 'boolean',
} satisfies ColumnTypes<Exclude<keyof AttemptRow, 'id' | 'fence'>>;

const attemptKey = { id: 'text', fence: 'integer' };

const eventColumns = { id: 'text', event: 'bigint', type: 'text', at: 'timestamptz', data: 'jsonb' };

const checkpointColumns = {
  id: 'text',
  fence: 'integer',
  step: 'bigint',
  sizeBytes: 'bigint',
  at: 'timestamptz',
} satisfies ColumnTypes<keyof CheckpointRow>;

const settingColumns = { id: 'text', number: 'integer', step: 'bigint' };

const livesText = `update lives set ${assignments(lifeColumns, 'r')}
  from ${recordset('$1', 'r', { id: 'text', ...lifeColumns })} where lives.id = r.id`;

const listedText = `update experiments e set ${assignments(listedColumns, 'r')}
  from ${recordset('$1', 'r', { id: 'text', ...listedColumns })}
  where e.id = r.id and (e.status, e.ended_at) is distinct from (r.status, r.ended_at)`;

const attemptsText = `insert into attempts (${columnList({ ...attemptKey, ...attemptColumns })})
  select ${columnList({ ...attemptKey, ...attemptColumns }, 'r')}
  from ${recordset('$1', 'r', { ...attemptKey, ...attemptColumns })}
  on conflict (id, fence) do update set ${assignments(attemptColumns, 'excluded')}`;

const eventsText = `insert into events (${columnList(eventColumns)})
  select ${columnList(eventColumns, 'r')} from ${recordset('$1', 'r', eventColumns)}`;

const settingsText = `update hyperparameter_settings s set step = r.step
  from ${recordset('$1', 'r', settingColumns)} where s.id = r.id and s.number = r.number`;

const checkpointsText = `insert into checkpoints (${columnList(checkpointColumns)})
  select ${columnList(checkpointColumns, 'r')} from ${recordset('$1', 'r', checkpointColumns)}
  on conflict (id, step, fence) do nothing`;
