import { createHash } from 'node:crypto';

import type { Kind, RetryBudget } from '@longrun/contracts';
import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';

import type { Lives } from '../life/lives.js';
import type { Tables } from '../record/tables.js';
import { conflict } from '../request-refused.js';

/** How a request is submitted. */
export interface SubmitOptions {
  /**
   * The `Idempotency-Key` header. The same key with the same body answers what was made the first time; with another
   * body it is refused (409).
   */
  readonly idempotencyKey?: string | undefined;
}

/** A new id; ids sort by the time at which they were made. */
export function newId(kind: Kind): string {
  return `${kind === 'experiment' ? 'exp' : 'ds'}_${uuid().replaceAll('-', '')}`;
}

/** SHA-256 of a value's JSON with sorted keys: equal for equal requests. */
export function requestSha256(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value, (_key, inner: unknown) => sorted(inner)))
    .digest('hex');
}

/** What the key has made before; undefined when it is new. Refuses the key with another body. */
export async function findByKey(
  transaction: Transaction<Tables>,
  kind: Kind,
  key: string,
  sha256: string,
): Promise<string | undefined> {
  const row = await transaction
    .selectFrom('idempotencyKeys')
    .select(['id', 'requestSha256'])
    .where('kind', '=', kind)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row === undefined || row.requestSha256 === sha256) return row?.id;
  throw conflict(`Idempotency-Key ${JSON.stringify(key)} was used for another request, which made ${row.id}`, [
    { pointer: 'Idempotency-Key', detail: 'was used with another body', remedy: 'use a new key for a new request' },
  ]);
}

/** Remembers what a key has made. Fails on the key's uniqueness when another request was faster. */
export async function rememberKey(
  transaction: Transaction<Tables>,
  kind: Kind,
  key: string,
  sha256: string,
  id: string,
): Promise<void> {
  await transaction
    .insertInto('idempotencyKeys')
    .values({ kind, key, requestSha256: sha256, id, at: new Date() })
    .execute();
}

/** Makes a life, queued. */
export async function begin(
  lives: Lives,
  life: { readonly id: string; readonly kind: Kind; readonly priority: number; readonly retry: RetryBudget },
): Promise<void> {
  const submittedAt = new Date();
  await lives.transaction
    .insertInto('lives')
    .values({
      id: life.id,
      kind: life.kind,
      priority: life.priority,
      retry: JSON.stringify(life.retry),
      phase: 'queued',
      submittedAt,
    })
    .execute();
  (await lives.find(life.id))?.submitted(submittedAt);
}

/** True when the database refused a row because of a unique index: somebody else made it meanwhile. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
