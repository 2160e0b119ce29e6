import { setTimeout as pause } from 'node:timers/promises';

import { WorkerReport } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import { isConnectionError, type Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { parseJson } from '../redis/parse-json.js';
import { ObservedTime } from '@longrun/serialization/observed-time';
import type { GoneWorker } from './write-off.js';

export interface ConnectionsOptions {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  /** Told of each worker whose process has ended; again, until it resolves to true. */
  readonly onGone: (gone: GoneWorker) => Promise<boolean>;
  /** Pause between two looks, in milliseconds. Default 250. */
  readonly lookEveryMs?: number;
  /** A connection that is closed for so long does not come back, in milliseconds. Default 1000. */
  readonly graceMs?: number;
  readonly warn: Warn;
}

/** A process of a worker, as it reported itself, and its connection. */
interface Watched {
  report: WorkerReport;
  /** Its connection was there in the term of the present connection of ours. */
  isSeen: boolean;
  /** Since when its connection is closed, by the time that was observed. */
  closedAt: number | null;
  /** Its beat after the connection was seen to be closed. */
  beat: number | null;
}

/**
 * Watches the connections that workers hold to Redis. The system closes those of a process that ends, at once and whatever ends
 * it: a connection that was there, is closed, and is not followed by another is evidence that needs no patience. Evidence is only
 * what was seen over one connection of our own to one and the same Redis. A process that stands still keeps its connection, and
 * one that goes on reporting itself has not ended.
 */
export class Connections {
  readonly #options: Required<ConnectionsOptions>;
  readonly #watched = new Map<string, Watched>();
  readonly #stop = new AbortController();
  readonly #observed: ObservedTime;
  readonly #forget = (): void => this.#begin();
  #runId: string | null = null;
  #isRefused = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ConnectionsOptions) {
    this.#options = { lookEveryMs: 250, graceMs: 1_000, ...options };
    const { lookEveryMs, graceMs } = this.#options;
    this.#observed = new ObservedTime({ mostPerLookMs: Math.min(2 * lookEveryMs, graceMs / 2) });
  }

  start(): void {
    this.#options.redis.on('close', this.#forget);
    this.#running = this.#run();
  }

  /** Waits for the look that is under way. */
  async close(): Promise<void> {
    this.#options.redis.off('close', this.#forget);
    this.#stop.abort();
    await this.#running;
  }

  /** Takes note of the workers that have reported themselves: of all that there are. */
  know(reports: readonly WorkerReport[]): void {
    for (const report of reports) {
      if (report.connection === undefined) continue;
      const watched = this.#watched.get(report.connection);
      if (watched !== undefined) watched.report = report;
      else this.#watched.set(report.connection, { report, isSeen: false, closedAt: null, beat: null });
    }
    const known = new Set(reports.map(({ connection }) => connection));
    // What was never seen and is not reported any more will not be seen.
    for (const [connection, { isSeen }] of this.#watched)
      if (!isSeen && !known.has(connection)) this.#watched.delete(connection);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#begin();
        if (!this.#stop.signal.aborted && !(error instanceof Error && isConnectionError(error))) this.#refused(error);
      }
      await pause(this.#options.lookEveryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { redis, keys, graceMs } = this.#options;
    if (redis.status !== 'ready' || this.#watched.size === 0) return;
    const asked = [...this.#watched];
    this.#runId ??= await this.#runIdNow();
    const counts = await redis.pubsub('NUMSUB', ...asked.map(([connection]) => keys.connection(connection)));
    this.#observed.looked();
    this.#isRefused = false;
    const closed: [string, Watched][] = [];
    for (const [index, [connection, watched]] of asked.entries()) {
      if (Number(counts[2 * index + 1]) > 0) Object.assign(watched, { isSeen: true, closedAt: null, beat: null });
      else if (watched.isSeen) closed.push([connection, watched]);
    }
    for (const [connection, watched] of closed) {
      if (watched.closedAt === null) watched.closedAt = this.#observed.ms;
      else watched.beat ??= await this.#beatNow(watched);
      if (this.#observed.ms - watched.closedAt >= graceMs) await this.#judge(connection, watched);
    }
  }

  async #judge(connection: string, watched: Watched): Promise<void> {
    const { redis, keys } = this.#options;
    const { workerId } = watched.report;
    // Another Redis in its place knows nothing of connections to this one.
    if ((await this.#runIdNow()) !== this.#runId) return this.#begin();
    const last = await this.#reportOf(workerId);
    const isReplaced = last !== undefined && last.connection !== connection;
    if (!isReplaced && last !== undefined && last.beat !== watched.beat) {
      Object.assign(watched, { isSeen: false, closedAt: null, beat: null });
      return;
    }
    // Ours was closed while Redis answered.
    if (!watched.isSeen) return;
    const { attempts } = isReplaced ? watched.report : (last ?? watched.report);
    if (!(await this.#tell({ workerId, attempts, isReplaced }))) return;
    this.#watched.delete(connection);
    if (!isReplaced && last !== undefined) await redis.hdel(keys.workers, workerId);
  }

  /** Evidence is kept until what follows from it is done. */
  async #tell(gone: GoneWorker): Promise<boolean> {
    try {
      return await this.#options.onGone(gone);
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#options.warn(`What ${gone.workerId} left could not be given up: ${String(error)}; trying again`);
      return false;
    }
  }

  async #reportOf(workerId: string): Promise<WorkerReport | undefined> {
    const text = await this.#options.redis.hget(this.#options.keys.workers, workerId);
    return text === null ? undefined : WorkerReport.safeParse(parseJson(text)).data;
  }

  async #beatNow({ report }: Watched): Promise<number> {
    return (await this.#reportOf(report.workerId))?.beat ?? report.beat;
  }

  /** Names this start of this Redis; empty where it may not be asked for. */
  async #runIdNow(): Promise<string> {
    const text = await this.#options.redis.info('server').catch(() => '');
    return /^run_id:(\w+)/m.exec(text)?.[1] ?? '';
  }

  /** What was seen before is no evidence any more. */
  #begin(): void {
    this.#runId = null;
    this.#observed.interrupted();
    for (const watched of this.#watched.values()) Object.assign(watched, { isSeen: false, closedAt: null, beat: null });
  }

  #refused(error: unknown): void {
    if (!this.#isRefused)
      this.#options.warn(
        `Redis does not say which workers are connected: ${String(error)}; one that dies is noticed by its silence, later`,
      );
    this.#isRefused = true;
  }
}
