import { setTimeout as pause } from 'node:timers/promises';

import { isEphemeral, type Kind, type WorkerEvent } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { EventBacklog, type WaitingEvent } from './event-backlog.js';
import { Fifo } from './fifo.js';
import { type Pressure, PressureGauge } from './pressure.js';

export interface EventOutboxOptions {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly kind: Kind;
  readonly id: string;
  readonly fence: number;
  readonly warn: Warn;
  /** Pause between two looks whether the record has taken what was sent. Default 250. */
  readonly checkEveryMs?: number;
  /** Events sent and not yet taken, at most. Default 1000; and no more than a quarter of `maxPendingBytes`. */
  readonly window?: number;
  /**
   * Memory that events not yet taken may fill. Beyond it the oldest log rows that were not sent are left to the
   * checkpoints' log, then the oldest lines are dropped; both is said in their place. Others are always kept. Default 16 MiB.
   */
  readonly maxPendingBytes?: number;
  /** When the record has taken nothing for so long, those who make events need not wait for it. Default 5000. */
  readonly stillAfterMs?: number;
}

/**
 * The events of one attempt on their way to the record.
 *
 * Every event that is kept gets there once and in order, even if Redis loses all it has: what the record has not
 * acknowledged is held here and sent again. Ephemeral events (heartbeat, progress) are sent once, or not at all while
 * Redis is away. What is held is bounded in bytes, and no operation costs more for there being more of it.
 */
export class EventOutbox {
  readonly #options: Required<EventOutboxOptions>;
  readonly #refused = new AbortController();
  readonly #closed = new AbortController();
  readonly #pressure: PressureGauge;
  readonly #backlog = new EventBacklog();
  /** Sent at least once, and not yet taken: their numbers follow one another. */
  readonly #numbered = new Fifo<NumberedEvent>();
  #numberedBytes = 0;
  /** So many of the numbered ones, from the first on, lie in the stream as far as we know; the others are to be sent. */
  #inStream = 0;
  #lastSeq = 0;
  #lastOrder = 0;
  #ephemeralUnderWay = 0;
  #trouble = '';
  #wake = new AbortController();
  readonly #turns = new Set<Turn>();
  readonly #running: Promise<void>;

  constructor(options: EventOutboxOptions) {
    const defaults = { checkEveryMs: 250, window: 1000, maxPendingBytes: 16 * 2 ** 20, stillAfterMs: 5_000 };
    this.#options = { ...defaults, ...options };
    const { maxPendingBytes, stillAfterMs } = this.#options;
    this.#pressure = new PressureGauge({
      highBytes: maxPendingBytes / 2,
      lowBytes: maxPendingBytes / 4,
      stillAfterMs,
    });
    this.#running = this.#run();
  }

  /** Aborted when the record refuses this attempt's events: a later fence was issued and this attempt is written off. */
  get refused(): AbortSignal {
    return this.#refused.signal;
  }

  /** Whether those who make events should wait. */
  get pressure(): Pressure {
    return this.#pressure;
  }

  /** Memory that events not yet taken fill. */
  get pendingBytes(): number {
    return this.#numberedBytes + this.#backlog.sizeBytes;
  }

  /** Takes an event; never waits and never throws. */
  send(event: WorkerEvent): void {
    if (this.#closed.signal.aborted || this.#refused.signal.aborted) return;
    const at = new Date().toISOString();
    if (isEphemeral(event)) {
      this.#sendOnce(at, JSON.stringify(event));
      return;
    }
    this.#lastOrder += 1;
    this.#backlog.push(this.#lastOrder, at, event);
    while (this.pendingBytes > this.#options.maxPendingBytes && this.#backlog.shed());
    this.#pressure.measure(this.pendingBytes);
    this.#wake.abort();
  }

  /**
   * Waits until everything that was given to `send` is in Redis (`sent`), or taken by the record (`acknowledged`).
   * Returns false when `timeoutMs` passed or the outbox was closed before.
   */
  async flush(until: Turn['until'], timeoutMs: number): Promise<boolean> {
    const last = this.#lastOrder;
    if (this.#isDone(until, last)) return true;
    this.#wake.abort();
    let turn: Turn | undefined;
    const reached = new Promise<void>((resolve) => this.#turns.add((turn = { until, last, resolve })));
    const timer = new AbortController();
    await Promise.race([reached, pause(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    if (turn !== undefined) this.#turns.delete(turn);
    return this.#isDone(until, last);
  }

  /** Stops sending. What is not acknowledged is dropped: call `flush` before. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#pressure.stopped();
    this.#wake.abort();
    for (const turn of this.#turns) turn.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const closed = this.#closed.signal;
    while (!closed.aborted) {
      this.#wake = new AbortController();
      const moved = await this.#look();
      for (const turn of this.#turns) if (this.#isDone(turn.until, turn.last)) turn.resolve();
      const isTroubled = moved === undefined;
      if (!isTroubled && this.#hasMore()) continue;
      const { checkEveryMs } = this.#options;
      // What waits for room need not wait long for it while it flows.
      const isHurried = this.#pressure.moves && this.#backlog.oldestOrder !== undefined;
      const waitMs = this.pendingBytes === 0 ? 60_000 : isHurried ? checkEveryMs / 10 : checkEveryMs;
      // In trouble nothing is hurried, however much is given meanwhile.
      const signal = isTroubled ? closed : this.#wake.signal;
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Sends what may be sent, and looks what was taken. True when something was; undefined when Redis does not serve. */
  async #look(): Promise<boolean | undefined> {
    try {
      if (this.#options.redis.status !== 'ready') {
        this.#pressure.stopped();
        return undefined;
      }
      await this.#transmit();
      const moved = await this.#takeAcknowledgement();
      if (moved) this.#pressure.moved(this.pendingBytes);
      this.#trouble = '';
      return moved;
    } catch (error) {
      this.#pressure.stopped();
      const trouble = String(error);
      if (!this.#closed.signal.aborted && trouble !== this.#trouble)
        this.#options.warn(`Events of ${this.#options.id}: ${trouble}; they are kept and sent again`);
      this.#trouble = trouble;
      return undefined;
    }
  }

  async #transmit(): Promise<void> {
    const { redis, keys } = this.#options;
    while (this.#hasRoom()) {
      const event = this.#backlog.take();
      if (event === undefined) break;
      this.#lastSeq += 1;
      this.#numbered.push({ ...event, seq: this.#lastSeq, streamId: '' });
      this.#numberedBytes += event.sizeBytes;
    }
    if (this.#inStream === this.#numbered.length) return;
    this.#pressure.sent();
    const batch: NumberedEvent[] = [];
    const pipeline = redis.pipeline();
    for (let index = this.#inStream; index < this.#numbered.length; index += 1) {
      const event = this.#numbered.at(index);
      if (event === undefined) break;
      batch.push(event);
      pipeline.xadd(keys.events, ...streamLimit, '*', 'e', this.#envelope(event.seq, event.at, event.json));
    }
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, event] of batch.entries()) {
      const [error, streamId] = replies[index] ?? [new Error('no reply'), null];
      if (error !== null) throw error;
      event.streamId = String(streamId);
      this.#inStream += 1;
    }
  }

  /** True when the record has taken something since the last look. */
  async #takeAcknowledgement(): Promise<boolean> {
    const oldest = this.#numbered.first;
    if (oldest === undefined || this.#inStream === 0) return false;
    if (await this.#dropAcknowledged()) return true;
    const { redis, keys } = this.#options;
    const stillThere = await redis.xrange(keys.events, oldest.streamId, oldest.streamId);
    if (stillThere.length > 0) return false;
    // Taken between the two looks, or lost.
    if (await this.#dropAcknowledged()) return true;
    this.#inStream = 0;
    this.#wake.abort();
    return false;
  }

  /** True when the oldest event went. */
  async #dropAcknowledged(): Promise<boolean> {
    const { redis, keys, id, fence } = this.#options;
    const answer = await redis.get(keys.acknowledgement(id, fence));
    if (answer === null) return false;
    if (answer === 'refused') {
      this.#refuse();
      return true;
    }
    const taken = Number(answer);
    const before = this.#numbered.length;
    for (let first = this.#numbered.first; first !== undefined && first.seq <= taken; first = this.#numbered.first) {
      this.#numbered.shift();
      this.#numberedBytes -= first.sizeBytes;
    }
    const gone = before - this.#numbered.length;
    this.#inStream = Math.max(0, this.#inStream - gone);
    return gone > 0;
  }

  #refuse(): void {
    const { id, fence } = this.#options;
    this.#backlog.clear();
    this.#numbered.clear();
    this.#numberedBytes = 0;
    this.#inStream = 0;
    this.#refused.abort(new Error(`The record refuses events of ${id} under fence ${fence}: a later fence was issued`));
    this.#pressure.stopped();
  }

  #sendOnce(at: string, json: string): void {
    const { redis, keys } = this.#options;
    if (redis.status !== 'ready' || this.#ephemeralUnderWay >= MAX_EPHEMERAL_UNDER_WAY) return;
    this.#ephemeralUnderWay += 1;
    redis
      .xadd(keys.events, ...streamLimit, '*', 'e', this.#envelope(0, at, json))
      .catch(() => undefined)
      .finally(() => (this.#ephemeralUnderWay -= 1));
  }

  /** An `EventEnvelope` as JSON. */
  #envelope(seq: number, at: string, json: string): string {
    const { kind, id, fence } = this.#options;
    return `${JSON.stringify({ kind, id, fence, seq, at }).slice(0, -1)},"event":${json}}`;
  }

  /** Whether another event may be given a number, after which it cannot be left out any more. */
  #hasRoom(): boolean {
    const { window, maxPendingBytes } = this.#options;
    if (this.#numbered.length === 0) return true;
    return this.#numbered.length < window && this.#numberedBytes < maxPendingBytes / 4;
  }

  /** Whether there is something that could be sent at once. */
  #hasMore(): boolean {
    return this.#inStream < this.#numbered.length || (this.#backlog.oldestOrder !== undefined && this.#hasRoom());
  }

  #isDone(until: Turn['until'], last: number): boolean {
    const first = until === 'sent' ? this.#numbered.at(this.#inStream) : this.#numbered.first;
    return (first?.order ?? this.#backlog.oldestOrder ?? Infinity) > last;
  }
}

interface NumberedEvent extends WaitingEvent {
  readonly seq: number;
  /** Where it lies in the stream, if it does. */
  streamId: string;
}

/** Somebody who waits for everything up to `last`. */
interface Turn {
  readonly until: 'sent' | 'acknowledged';
  readonly last: number;
  readonly resolve: () => void;
}

/** Bounds the memory of a Redis whose record is away; what is cut off is sent again. */
const streamLimit = ['MAXLEN', '~', 500_000] as const;
/** Of a Redis that takes commands and does not answer, the newest signs of life are not asked to wait in memory. */
const MAX_EPHEMERAL_UNDER_WAY = 64;
