import type { JsonObject } from '@longrun/contracts';
import type { Transaction } from 'kysely';

import type { Tables } from './tables.js';

/** A change that somebody has made. */
export interface Change {
  /** Who: an owner, or {@link CONTROLLER}. */
  readonly actor: string;
  /** What was done: `submit`, `cancel`, `drain`, `publish`. */
  readonly action: string;
  /** Id of the experiment, dataset or worker, or name of the program. */
  readonly subject: string;
  /** What of it was changed, before and after; null where there was nothing. */
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
}

/** Who asks for what users ask for, until there are users. */
export const USER = 'default';
/** Who decides what the platform decides by itself. */
export const CONTROLLER = 'controller';

/** Notes changes in the transaction that makes them. */
export async function audit(transaction: Transaction<Tables>, ...changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await transaction
    .insertInto('audit')
    .values(
      changes.map(({ before, after, ...change }) => ({
        ...change,
        before: before === null ? null : JSON.stringify(before),
        after: after === null ? null : JSON.stringify(after),
      })),
    )
    .execute();
}
