import type { ExperimentOrigin, Kind, RetryBudget } from '@longrun/contracts';
import { v7 as uuid } from 'uuid';

import { columnList, type ColumnTypes, recordset, run } from '../record/bulk.js';
import { sha256OfJson } from '../record/hash.js';
import type { LifeRow } from '../record/tables.js';
import { Life } from './life.js';
import type { Lives } from './lives.js';

/** What a life begins with. */
export interface NewLife {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** As it is stored. */
  readonly spec: unknown;
  readonly priority: number;
  readonly retry: RetryBudget;
  /** The checkpoint of another experiment that it begins from; null for none. */
  readonly origin: ExperimentOrigin | null;
}

/** A new id; ids sort by the time at which they were made. */
export function newId(kind: Kind): string {
  return `${kind === 'experiment' ? 'exp' : 'ds'}_${uuid().replaceAll('-', '')}`;
}

/** Makes a life, queued, and answers its row. */
export async function begin(lives: Lives, life: NewLife): Promise<LifeRow> {
  const rowOf = await beginMany(lives, [life]);
  return rowOf(life.id);
}

/** Makes lives, queued, in this order; the function that it answers has their rows by id. */
export async function beginMany(lives: Lives, news: readonly NewLife[]): Promise<(id: string) => LifeRow> {
  const begun = new Map<string, LifeRow>();
  const rowOf = (id: string): LifeRow => {
    const row = begun.get(id);
    if (row === undefined) throw new Error(`The record did not answer the row of ${id}`);
    return row;
  };
  if (news.length === 0) return rowOf;
  const submittedAt = new Date();
  const values = news.map(({ id, kind, priority, retry, origin }) => ({
    id,
    kind,
    priority,
    retry,
    phase: 'queued',
    submittedAt,
    progressStep: origin?.step ?? 0,
    reopening: origin !== null,
  }));
  const { rows } = await run<LifeRow>(lives.transaction, beginText, JSON.stringify(values));
  for (const row of rows) begun.set(row.id, row);
  for (const { id, name, spec, origin } of news) {
    const life = new Life(rowOf(id), []);
    const from = origin === null ? {} : { from: origin };
    life.submitted({ name, specSha256: sha256OfJson(spec), ...from }, submittedAt);
    lives.add(life);
  }
  return rowOf;
}

const columns = {
  id: 'text',
  kind: 'text',
  priority: 'integer',
  retry: 'jsonb',
  phase: 'text',
  submittedAt: 'timestamptz',
  progressStep: 'bigint',
  reopening: 'boolean',
} satisfies Partial<ColumnTypes<keyof LifeRow>>;

const beginText = `insert into lives (${columnList(columns)})
  select ${columnList(columns, 'r')} from ${recordset('$1', 'r', columns)} returning *`;
