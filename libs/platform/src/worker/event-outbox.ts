import { setTimeout as pause } from 'node:timers/promises';

import { type EventEnvelope, isEphemeral, type Kind, type WorkerEvent } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';

export interface EventOutboxOptions {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly kind: Kind;
  readonly id: string;
  readonly fence: number;
  readonly warn: Warn;
  /** Pause between two looks whether the record has taken what was sent. Default 250. */
  readonly checkEveryMs?: number;
  /** Events sent and not yet taken, at most. Default 1000. */
  readonly window?: number;
  /** Lines kept while Redis is away; the oldest beyond it are dropped, and their number is said. Default 10,000. */
  readonly maxWaitingLines?: number;
}

/**
 * The events of one attempt on their way to the record.
 *
 * Every event that is kept gets there once and in order, even if Redis loses all it has: what the record has not
 * acknowledged is held here and sent again. Ephemeral events (heartbeat, progress) are sent once, or not at all while
 * Redis is away.
 */
export class EventOutbox {
  readonly #options: Required<EventOutboxOptions>;
  readonly #refused = new AbortController();
  readonly #closed = new AbortController();
  /** In order; those with a seq were sent at least once and stand before those without. */
  readonly #pending: Pending[] = [];
  #lastSeq = 0;
  /** The line that says how many were dropped. */
  #notice: Pending | undefined;
  #droppedLines = 0;
  #wake = new AbortController();
  #turns: { readonly done: () => boolean; readonly resolve: () => void }[] = [];
  readonly #running: Promise<void>;

  constructor(options: EventOutboxOptions) {
    this.#options = { checkEveryMs: 250, window: 1000, maxWaitingLines: 10_000, ...options };
    this.#running = this.#run();
  }

  /** Aborted when the record refuses this attempt's events: a later fence was issued and this attempt is written off. */
  get refused(): AbortSignal {
    return this.#refused.signal;
  }

  /** Takes an event; never waits and never throws. */
  send(event: WorkerEvent): void {
    if (this.#closed.signal.aborted) return;
    const at = new Date().toISOString();
    if (isEphemeral(event)) {
      this.#sendOnce(event, at);
      return;
    }
    this.#pending.push({ seq: 0, at, event, streamId: null });
    this.#boundLines();
    this.#wake.abort();
  }

  /**
   * Waits until everything that was given to `send` is in Redis (`sent`), or taken by the record (`acknowledged`).
   * Returns false when `timeoutMs` passed before. Await `sent` before a checkpoint is committed, so that no log row up
   * to it can be lost with this process.
   */
  async flush(until: 'sent' | 'acknowledged', timeoutMs: number): Promise<boolean> {
    const last = this.#pending.at(-1);
    if (last === undefined) return true;
    const done = (): boolean => !this.#pending.includes(last) || (until === 'sent' && last.streamId !== null);
    this.#wake.abort();
    const reached = new Promise<void>((resolve) => this.#turns.push({ done, resolve }));
    const timer = new AbortController();
    await Promise.race([reached, pause(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    return done();
  }

  /** Stops sending. What is not acknowledged is dropped: call `flush` before. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      this.#wake = new AbortController();
      let troubled = this.#options.redis.status !== 'ready';
      try {
        await this.#transmit();
        await this.#takeAcknowledgement();
      } catch (error) {
        if (this.#closed.signal.aborted) break;
        troubled = true;
        this.#options.warn(`Events of ${this.#options.id}: ${String(error)}; they are kept and sent again`);
      }
      this.#turns = this.#turns.filter((turn) => {
        if (turn.done()) turn.resolve();
        return !turn.done();
      });
      const unsent = this.#pending.some((pending) => pending.streamId === null);
      if (unsent && !troubled && this.#inFlight() < this.#options.window) continue;
      const waitMs = this.#pending.length > 0 ? this.#options.checkEveryMs : 60_000;
      await pause(waitMs, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    }
  }

  async #transmit(): Promise<void> {
    const { redis, keys, window } = this.#options;
    if (redis.status !== 'ready') return;
    const batch = this.#pending.slice(0, window).filter((pending) => pending.streamId === null);
    if (batch.length === 0) return;
    const pipeline = redis.pipeline();
    for (const pending of batch) {
      if (pending.seq === 0) pending.seq = ++this.#lastSeq;
      pipeline.xadd(keys.events, ...streamLimit, '*', 'e', this.#envelope(pending.seq, pending.at, pending.event));
    }
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, pending] of batch.entries()) {
      const [error, streamId] = replies[index] ?? [new Error('no reply'), null];
      if (error !== null) throw error;
      pending.streamId = String(streamId);
    }
  }

  async #takeAcknowledgement(): Promise<void> {
    const oldest = this.#pending[0];
    if (oldest?.streamId == null || this.#options.redis.status !== 'ready') return;
    if (await this.#dropAcknowledged()) return;
    const { redis, keys } = this.#options;
    const stillThere = await redis.xrange(keys.events, oldest.streamId, oldest.streamId);
    if (stillThere.length > 0) return;
    // Taken between the two looks, or lost.
    if (await this.#dropAcknowledged()) return;
    for (const pending of this.#pending) pending.streamId = null;
    this.#wake.abort();
  }

  /** True when the oldest event went. */
  async #dropAcknowledged(): Promise<boolean> {
    const { redis, keys, id, fence } = this.#options;
    const answer = await redis.get(keys.acknowledgement(id, fence));
    if (answer === null) return false;
    if (answer === 'refused') {
      this.#pending.length = 0;
      this.#refused.abort(
        new Error(`The record refuses events of ${id} under fence ${fence}: a later fence was issued`),
      );
      return true;
    }
    const taken = Number(answer);
    const before = this.#pending.length;
    while (this.#pending[0] !== undefined && this.#pending[0].seq > 0 && this.#pending[0].seq <= taken)
      this.#pending.shift();
    return this.#pending.length < before;
  }

  #sendOnce(event: WorkerEvent, at: string): void {
    const { redis, keys } = this.#options;
    if (redis.status !== 'ready') return;
    redis.xadd(keys.events, ...streamLimit, '*', 'e', this.#envelope(0, at, event)).catch(() => undefined);
  }

  #envelope(seq: number, at: string, event: WorkerEvent): string {
    const { kind, id, fence } = this.#options;
    return JSON.stringify({ kind, id, fence, seq, at, event } satisfies EventEnvelope);
  }

  #inFlight(): number {
    return this.#pending.filter((pending) => pending.streamId !== null).length;
  }

  /** Only events without a number can be dropped: the record takes no gaps. */
  #boundLines(): void {
    const { maxWaitingLines } = this.#options;
    if (this.#pending.length <= maxWaitingLines) return;
    const line = this.#pending.find(
      (pending) => pending.seq === 0 && pending.event.type === 'line' && pending !== this.#notice,
    );
    if (line === undefined) return;
    if (this.#notice?.seq === 0) {
      this.#pending.splice(this.#pending.indexOf(line), 1);
    } else {
      this.#notice = line;
      this.#droppedLines = 0;
    }
    this.#droppedLines += 1;
    const text = `[${this.#droppedLines} lines were dropped here while Redis was away]`;
    this.#notice.event = { type: 'line', stream: 'stderr', text };
  }
}

interface Pending {
  /** 0 until it is sent for the first time. */
  seq: number;
  readonly at: string;
  event: WorkerEvent;
  /** Where it lies in the stream; null when it is to be sent. */
  streamId: string | null;
}

/** Bounds the memory of a Redis whose record is away; what is cut off is sent again. */
const streamLimit = ['MAXLEN', '~', 500_000] as const;
