import type { LiveEvent } from '@longrun/contracts';
import type { Transaction } from 'kysely';

import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import { Lives } from './lives.js';

/** What a committed transaction means for others. */
export interface Committed {
  /** For those who follow an experiment. */
  readonly live: readonly { readonly id: string; readonly event: LiveEvent }[];
  /** Something stands elsewhere than before: there may be something to schedule. */
  readonly moved: boolean;
  /** Lives whose end is decided: their leases are to be sealed. */
  readonly decided: readonly string[];
}

/** Changes lives, each time in one transaction, and tells what came of it when it is committed. */
export class LifeWriter {
  readonly #record: PlatformRecord;
  readonly #onCommitted: (committed: Committed) => void;
  readonly #guard: ((transaction: Transaction<Tables>) => Promise<void>) | undefined;

  /** @param guard called first in each transaction; what it throws undoes it */
  constructor(
    record: PlatformRecord,
    onCommitted: (committed: Committed) => void,
    guard?: (transaction: Transaction<Tables>) => Promise<void>,
  ) {
    this.#record = record;
    this.#onCommitted = onCommitted;
    this.#guard = guard;
  }

  /** Runs `work` in a transaction; again, if the database says that it collided. It must have no other effects. */
  async write<T>(work: (lives: Lives) => Promise<T>): Promise<T> {
    const { result, lives } = await this.#record.transact(async (transaction) => {
      await this.#guard?.(transaction);
      const unit = new Lives(transaction);
      const value = await work(unit);
      await unit.save();
      return { result: value, lives: unit.all() };
    });
    this.#onCommitted({
      live: lives.flatMap((life) => [...life.events, ...life.ephemeral].map((event) => ({ id: life.row.id, event }))),
      moved: lives.some((life) => life.moved),
      decided: lives.filter((life) => life.moved && life.row.ending !== null).map((life) => life.row.id),
    });
    return result;
  }
}
