import type { Transaction } from 'kysely';

import { run } from '../record/bulk.js';
import type { Channel } from '../record/notices.js';
import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import type { Life } from './life.js';
import type { LiveNotice } from './live-notice.js';
import { Lives } from './lives.js';

export interface LifeWriterOptions {
  /** Called first in each transaction: throws when this process may not write, or no longer. */
  readonly guard?: (transaction: Transaction<Tables>) => Promise<void>;
}

/** Changes lives, each time in one transaction. What came of it all processes hear from the record, once it is committed. */
export class LifeWriter {
  readonly #record: PlatformRecord;
  readonly #options: LifeWriterOptions;

  constructor(record: PlatformRecord, options: LifeWriterOptions = {}) {
    this.#record = record;
    this.#options = options;
  }

  /** Runs `work` in a transaction; again, if the database says that it collided. It must have no other effects. */
  async write<T>(work: (lives: Lives) => Promise<T>): Promise<T> {
    return this.#record.transact(async (transaction) => {
      await this.#options.guard?.(transaction);
      const unit = new Lives(transaction);
      const value = await work(unit);
      await unit.save();
      const notices = unit.all().flatMap(noticesOf);
      if (notices.length > 0) await run(transaction, NOTIFY_TEXT, JSON.stringify(notices));
      return value;
    });
  }
}

/** What all processes are to hear of a life. Equal notices of a transaction are sent once. */
function noticesOf({ row, changes }: Life): { channel: Channel; payload: string }[] {
  const notices: { channel: Channel; payload: string }[] = [];
  if (changes.events.length > 0 || changes.entries.length > 0 || changes.progress !== null) {
    const live: LiveNotice = { id: row.id, last: row.lastEvent, progress: changes.progress };
    notices.push({ channel: 'longrun_live', payload: JSON.stringify(live) });
  }
  if (changes.moved) notices.push({ channel: 'longrun_moved', payload: '' });
  if (changes.moved && row.ending !== null) notices.push({ channel: 'longrun_decided', payload: row.id });
  return notices;
}

const NOTIFY_TEXT = `select pg_notify(n.channel, n.payload)
  from (select distinct channel, payload from json_to_recordset($1::json) as _(channel text, payload text)) n`;
