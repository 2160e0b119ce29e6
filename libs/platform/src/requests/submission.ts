import { createHash } from 'node:crypto';

import type { Kind, RetryBudget } from '@longrun/contracts';
import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';

import type { Lives } from '../life/lives.js';
import type { LifeWriter } from '../life/writer.js';
import type { Tables } from '../record/tables.js';
import { refused } from './request-refused.js';

/** How a request is submitted. */
export interface SubmitOptions {
  /**
   * The same key with the same spec answers what was made the first time; with another spec it is refused.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What a request has made, or one before it. */
export interface Made {
  readonly id: string;
  readonly created: boolean;
}

/** What is submitted: as which kind of life, under which idempotency key, if any. */
export interface Submission {
  readonly kind: Kind;
  readonly key: string | undefined;
  readonly body: unknown;
}

/**
 * Submits a request once, in one transaction with its idempotency key, however often and however simultaneously it comes.
 * Refused: a key that was used for another body.
 *
 * @param create makes it, or finds what an equal request has made; gets the SHA-256 of the body
 */
export async function submitOnce(
  writer: LifeWriter,
  { kind, key, body }: Submission,
  create: (lives: Lives, sha256: string) => Promise<Made>,
): Promise<Made> {
  const sha256 = requestSha256(body);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writer.write(async (lives) => {
        const before = key === undefined ? undefined : await findByKey(lives.transaction, kind, key, sha256);
        if (before !== undefined) return { id: before, created: false };
        const made = await create(lives, sha256);
        if (key !== undefined) await rememberKey(lives.transaction, kind, key, sha256, made.id);
        return made;
      });
    } catch (error) {
      // Two requests with one key or for one name at once: the second look finds what the other has made.
      if (!isDuplicate(error) || attempt >= 3) throw error;
    }
  }
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
async function findByKey(
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
  throw refused('conflict', [
    { path: [], parameter: 'idempotencyKey', code: 'key-reused', facts: { key, by: row.id } },
  ]);
}

/** Remembers what a key has made. Fails on the key's uniqueness when another request was faster. */
async function rememberKey(
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

/** What a life begins with. */
export interface NewLife {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** As it is stored. */
  readonly spec: unknown;
  readonly priority: number;
  readonly retry: RetryBudget;
}

/** Makes a life, queued. */
export async function begin(lives: Lives, life: NewLife): Promise<void> {
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
  const submitted = { name: life.name, specSha256: requestSha256(life.spec) };
  (await lives.find(life.id))?.submitted(submitted, submittedAt);
}

/** True when the database refused a row because of a unique index: somebody else made it meanwhile. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
