import { setTimeout as pause } from 'node:timers/promises';

import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import { readEventPage } from './event-page.js';
import type { Follower } from './follower.js';
import type { LiveNotice } from './live-notice.js';

/** The end of an experiment's events, read once for all who follow it in this process. */
export class Tail {
  readonly followers = new Set<Follower>();
  readonly id: string;
  readonly #record: PlatformRecord;
  readonly #warn: Warn;
  #position = -1;
  #known = -1;
  #reading = false;

  constructor(record: PlatformRecord, id: string, warn: Warn) {
    this.id = id;
    this.#record = record;
    this.#warn = warn;
  }

  /** Up to this event everything has been handed to the followers that were there; -1 before it begins. */
  get position(): number {
    return this.#position;
  }

  /** A follower has read everything up to `position`: from there on it is handed what comes. Nothing if it has begun. */
  begin(position: number): void {
    if (this.#position >= 0) return;
    this.#position = position;
    void this.#read();
  }

  /** There are events up to `last`, and progress perhaps. */
  hear(last: number, progress: LiveNotice['progress']): void {
    if (progress !== null) {
      const event = { type: 'progress', id: null, ...progress } as const;
      for (const follower of this.followers) follower.push({ from: -1, to: -1, events: [event], rowBytes: 0 });
    }
    this.#known = Math.max(this.#known, last);
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#reading || this.#position < 0) return;
    this.#reading = true;
    while (this.#known > this.#position && this.followers.size > 0) {
      try {
        const page = await readEventPage(this.#record.db, this.id, this.#position);
        if (page === undefined || page.reached === this.#position) break;
        const { events, rowBytes, reached: to } = page;
        const batch = { from: this.#position, to, events, rowBytes };
        this.#position = page.reached;
        for (const follower of this.followers) follower.push(batch);
      } catch (error) {
        this.#warn(`Events of ${this.id} cannot be read: ${String(error)}; trying again`);
        await pause(500, undefined, { ref: false });
      }
    }
    this.#reading = false;
  }
}
