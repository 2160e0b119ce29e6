import { isTerminal, LiveEvent } from '@longrun/contracts';

import type { PlatformRecord } from '../record/record.js';

/** Sends an experiment's events to those who follow it: the stored ones first, then those that come. */
export class LiveEvents {
  readonly #record: PlatformRecord;
  readonly #followers = new Map<string, Set<Follower>>();

  constructor(record: PlatformRecord) {
    this.#record = record;
  }

  /** Hands an event to all who follow now. Stored events must be committed. */
  publish(id: string, event: LiveEvent): void {
    for (const follower of this.#followers.get(id) ?? []) follower.push(event);
  }

  /**
   * All events of an experiment after `afterId`, without a gap or a repetition, and progress as it comes. Ends when the
   * experiment has ended and everything was delivered, or when `signal` is aborted. One that does not exist has none.
   */
  async *subscribe(id: string, afterId: number, signal?: AbortSignal): AsyncGenerator<LiveEvent, void, undefined> {
    const follower = new Follower(signal);
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers.add(follower));
    try {
      let last = afterId;
      while (!follower.closed) {
        for await (const event of this.#stored(id, last)) {
          yield event;
          last = event.id ?? last;
        }
        if (await this.#isOver(id, last)) return;
        for await (const event of follower.live()) {
          if (event.id !== null && event.id <= last) continue;
          // Something is missing before it, or has been dropped: the record has it.
          if (event.id !== null && event.id > last + 1) break;
          yield event;
          last = event.id ?? last;
          if (event.type === 'status' && isTerminal(event.data.status)) return;
        }
      }
    } finally {
      followers.delete(follower);
      if (followers.size === 0) this.#followers.delete(id);
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const followers of this.#followers.values()) for (const follower of followers) follower.close();
  }

  async *#stored(id: string, afterId: number): AsyncGenerator<LiveEvent, void, undefined> {
    let last = afterId;
    for (;;) {
      const rows = await this.#record.db
        .selectFrom('events')
        .selectAll()
        .where('id', '=', id)
        .where('event', '>', last)
        .orderBy('event')
        .limit(pageSize)
        .execute();
      for (const row of rows) {
        last = row.event;
        yield LiveEvent.parse({ type: row.type, id: row.event, at: row.at.toISOString(), data: row.data });
      }
      if (rows.length < pageSize) return;
    }
  }

  async #isOver(id: string, last: number): Promise<boolean> {
    const life = await this.#record.db
      .selectFrom('lives')
      .select(['phase', 'lastEvent'])
      .where('id', '=', id)
      .executeTakeFirst();
    return life === undefined || (life.phase === 'ended' && last >= life.lastEvent);
  }
}

const pageSize = 500;
/** A follower who lets so many events pile up gets them from the record instead. */
const maxWaiting = 10_000;

class Follower {
  readonly #waiting: LiveEvent[] = [];
  #dropped = false;
  closed = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', () => this.close(), { once: true });
    if (signal?.aborted === true) this.closed = true;
  }

  push(event: LiveEvent): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#waiting.length = 0;
      this.#dropped = true;
    }
    this.#waiting.push(event);
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  /** Events as they come, until some were dropped or it is closed. */
  async *live(): AsyncGenerator<LiveEvent, void, undefined> {
    for (;;) {
      if (this.closed) return;
      if (this.#dropped) {
        this.#dropped = false;
        return;
      }
      const event = this.#waiting.shift();
      if (event === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else yield event;
    }
  }
}
