import { isTerminal, type LiveEvent } from '@longrun/contracts';

import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import { readEventPage } from './event-page.js';
import { Follower } from './follower.js';
import { LiveNotice } from './live-notice.js';
import { Tail } from './tail.js';

/**
 * Sends an experiment's events to those who follow it: the stored ones first, then those that come, whichever process
 * commits them. However many follow one experiment, what comes is read once.
 */
export class LiveEvents {
  readonly #record: PlatformRecord;
  readonly #warn: Warn;
  readonly #tails = new Map<string, Tail>();
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;

  /** @param lookEveryMs pause between two looks for notices that were lost. */
  constructor(record: PlatformRecord, warn: Warn, lookEveryMs = 5_000) {
    this.#record = record;
    this.#warn = warn;
    this.#unsubscribe = record.notices.on('longrun_live', (payload) => this.#hear(payload));
    this.#timer = setInterval(() => void this.#look(), lookEveryMs).unref();
  }

  /**
   * All events of an experiment after `afterId`, by ascending ids, without a gap or a repetition, log rows that are
   * superseded left out; `caught-up` once, where what had happened before is over; and progress as it comes. Ends when the
   * experiment has ended and everything was delivered, or when `signal` is aborted. One that does not exist has none.
   */
  async *subscribe(id: string, afterId: number, signal?: AbortSignal): AsyncGenerator<LiveEvent, void, undefined> {
    const follower = new Follower(signal);
    const tail = this.#tails.get(id) ?? new Tail(this.#record, id, this.#warn);
    this.#tails.set(id, tail);
    tail.followers.add(follower);
    try {
      yield* this.#follow(tail, follower, afterId);
    } finally {
      tail.followers.delete(follower);
      if (tail.followers.size === 0 && this.#tails.get(id) === tail) this.#tails.delete(id);
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
    for (const tail of this.#tails.values()) for (const follower of tail.followers) follower.close();
  }

  async *#follow(tail: Tail, follower: Follower, afterId: number): AsyncGenerator<LiveEvent, void, undefined> {
    let cursor = afterId;
    /** Id of the last event that had happened when the follower came; null once it was told that it has them all. */
    let past: number | null | undefined;
    while (!follower.closed) {
      const page = await readEventPage(this.#record.db, tail.id, cursor);
      if (page === undefined) return;
      if (past === undefined) past = page.lastEvent;
      for (const event of page.events) {
        if (follower.closed) return;
        if (past !== null && event.id > past) {
          past = null;
          yield caughtUp();
        }
        yield event;
        cursor = event.id;
      }
      cursor = Math.max(cursor, page.reached);
      if (past !== null && cursor >= past) {
        past = null;
        yield caughtUp();
      }
      if (cursor < page.lastEvent) continue;
      if (page.phase === 'ended') return;
      tail.begin(page.lastEvent);
      if (tail.position > cursor) continue;
      for await (const { from, to, events } of follower.live()) {
        // Something is missing before it, or has been dropped: the record has it.
        if (from > cursor) break;
        let over = false;
        for (const event of events) {
          over ||= event.type === 'status' && isTerminal(event.data.status);
          if (event.id === null || event.id > cursor) yield event;
        }
        cursor = Math.max(cursor, to);
        // The record knows whether anything follows the end.
        if (over) break;
      }
    }
  }

  #hear(payload: string | null): void {
    if (payload === null) {
      void this.#look();
      return;
    }
    const { id, last, progress } = LiveNotice.parse(JSON.parse(payload));
    this.#tails.get(id)?.hear(last, progress);
  }

  /** Looks whether there is more than was said. */
  async #look(): Promise<void> {
    const ids = [...this.#tails.keys()];
    if (ids.length === 0) return;
    try {
      const lives = await this.#record.db
        .selectFrom('lives')
        .select(['id', 'lastEvent'])
        .where('id', 'in', ids)
        .execute();
      for (const { id, lastEvent } of lives) this.#tails.get(id)?.hear(lastEvent, null);
    } catch (error) {
      this.#warn(`Looking for events failed: ${String(error)}; trying again`);
    }
  }
}

function caughtUp(): LiveEvent {
  return { type: 'caught-up', id: null, at: new Date().toISOString(), data: {} };
}
