import { setTimeout as pause } from 'node:timers/promises';

import { hasEngine, retryPolicy, type WorkerEvent } from '@longrun/contracts';
import { faultPoint } from '@longrun/serialization';
import type { Redis } from 'ioredis';

import type { Verdict } from '../life/life.js';
import type { Lives } from '../life/lives.js';
import { applyEvent } from '../life/worker-events.js';
import type { LifeWriter } from '../life/writer.js';
import { askedEngines } from '../record/asked-engines.js';
import type { PlatformRecord } from '../record/record.js';
import { disconnectRedis, type Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { type Envelope, readEnvelope } from './envelope-reader.js';
import { lookMsFor, ObservedTime } from '@longrun/serialization/observed-time';
import { isAfter, nextStreamId } from './stream-id.js';
import { readyWorkers } from './workers-to-avoid.js';

export interface EventIngesterOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  /** A connection of its own: it blocks. */
  readonly blockingRedis: Redis;
  readonly redis: Redis;
  readonly keys: RedisKeys;
  /** Resolves when what may run is in the queue. */
  readonly scheduled: () => Promise<void>;
  /** Silence of this length will decide something, in milliseconds. */
  readonly patienceMs: number;
  readonly warn: Warn;
}

/** How many events met which fate since the start. */
export type IngestCounts = Readonly<Record<Verdict | 'malformed', number>>;

export const noEvents: IngestCounts = { taken: 0, duplicate: 0, gap: 0, refused: 0, malformed: 0 };

/**
 * Takes workers' events from the Redis stream into the record. The cursor moves in the transaction that holds the
 * effects, every event is taken once and in order per attempt, and those of written-off attempts are refused.
 */
export class EventIngester {
  readonly #options: EventIngesterOptions;
  readonly #counts = { ...noEvents };
  readonly #lookMs: number;
  /** Runs while all that workers send is known as it arrives. */
  readonly #listened: ObservedTime;
  /** When something was last heard of an attempt, by that clock. */
  readonly #heard = new Map<string, number>();
  readonly #stop = new AbortController();
  /** Everything up to here was taken. */
  #cursor = '0-0';
  /** The cursor that the record has; undefined before it has one. */
  #saved: string | undefined;
  /** Since when everything that arrives is taken in at once, by that clock; null while Redis or the record is away. */
  #flowingSince: number | null = null;
  #advanced: (() => void)[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: EventIngesterOptions) {
    this.#options = options;
    this.#lookMs = lookMsFor(options.patienceMs);
    this.#listened = new ObservedTime({ mostPerLookMs: this.#lookMs });
    // The read that waits does not fail: ioredis sends it again when the connection is back.
    options.blockingRedis.on('close', () => this.#interrupted());
  }

  get counts(): IngestCounts {
    return { ...this.#counts };
  }

  /** True while events flow in. */
  get isFlowing(): boolean {
    return this.#flowingSince !== null;
  }

  /** Begins where the record left off. */
  async start(): Promise<void> {
    await this.#readCursor();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    // The blocking read ends with its connection.
    disconnectRedis(this.#options.blockingRedis);
    await this.#running;
  }

  /**
   * For how long nothing was heard of an attempt although it would have been: time in which Redis, the record or this
   * process was away, stood still or was behind does not count. 0 while events do not flow.
   */
  silenceMs(id: string, fence: number): number {
    if (this.#flowingSince === null) return 0;
    return this.#listened.ms - Math.max(this.#flowingSince, this.#heard.get(attemptKey(id, fence)) ?? 0);
  }

  /** Counts as a sign of life: silence is measured from now. */
  hear(id: string, fence: number): void {
    this.#heard.set(attemptKey(id, fence), this.#listened.ms);
  }

  /** Waits until everything that is in the stream now has been taken; false when that cannot be said. */
  async catchUp(): Promise<boolean> {
    const newest = await this.#options.redis.xrevrange(this.#options.keys.events, '+', '-', 'COUNT', 1);
    const target = newest[0]?.[0];
    if (target === undefined) return this.isFlowing;
    // Also before the first events have come in: who starts late has most to take. Given up only where nothing moves.
    for (let waits = 0; isAfter(target, this.#cursor) && waits < 100 && !this.#stop.signal.aborted; waits += 1) {
      const before = this.#cursor;
      await Promise.race([new Promise<void>((resolve) => this.#advanced.push(resolve)), pause(50)]);
      if (this.#cursor !== before) waits = 0;
    }
    return this.isFlowing && !isAfter(target, this.#cursor);
  }

  async #run(): Promise<void> {
    const { blockingRedis, keys, warn } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        const reply = await blockingRedis.xread(
          'COUNT',
          BATCH_SIZE,
          'BLOCK',
          this.#lookMs,
          'STREAMS',
          keys.events,
          this.#cursor,
        );
        const entries = reply?.[0]?.[1] ?? [];
        const isAll = entries.length < BATCH_SIZE;
        if (isAll) this.#listened.looked();
        else this.#listened.interrupted();
        if (entries.length > 0) await faultPoint('ingest.read');
        if (entries.length > 0) await this.#take(entries.map(([streamId, fields]) => readEntry(streamId, fields)));
        else await this.#rewindIfRebuilt();
        if (isAll) this.#flowingSince ??= this.#listened.ms;
        // A transaction costs as much as a hundred events: those that come one by one are taken together.
        if (entries.length > 0 && isAll) await pause(GATHER_MS, undefined, { signal: this.#stop.signal });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#interrupted();
        warn(`Events cannot be taken in: ${String(error)}; trying again`);
        if (error instanceof CursorMoved) await this.#readCursor().catch(() => undefined);
        await pause(500, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /** What arrives now is not known as it arrives. */
  #interrupted(): void {
    this.#flowingSince = null;
    this.#listened.interrupted();
  }

  /** Takes a batch; when the database refuses it, one by one, and what it still refuses without its effects. */
  async #take(entries: readonly Entry[]): Promise<void> {
    try {
      await this.#takeTogether(entries, true);
    } catch (error) {
      if (entries.length === 1 && isDataError(error)) {
        this.#counts.malformed += 1;
        this.#options.warn(`An event could not be stored and was skipped: ${String(error)}`);
        await this.#takeTogether(entries, false);
      } else if (isDataError(error)) {
        for (const entry of entries) await this.#take([entry]);
      } else {
        throw error;
      }
    }
  }

  async #takeTogether(entries: readonly Entry[], withEffects: boolean): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const envelopes = entries.flatMap((entry) => (entry.envelope === undefined ? [] : [entry.envelope]));
    const verdicts: Verdict[] = [];
    const acknowledgements = new Map<string, string>();
    let saved = false;
    await this.#options.writer.write(async (lives) => {
      verdicts.length = 0;
      acknowledgements.clear();
      const ids = [...new Set(envelopes.map((envelope) => envelope.id))];
      const loaded = await lives.load(ids, [...new Set(envelopes.map((envelope) => envelope.fence))]);
      const ready = await readyForOthers(lives, envelopes);
      for (const envelope of envelopes) {
        const life = loaded.get(envelope.id);
        const verdict = life?.row.kind === envelope.kind ? life.judge(envelope.fence, envelope.seq) : 'refused';
        verdicts.push(verdict);
        if (verdict === 'taken' && life !== undefined) {
          const at = new Date(envelope.at);
          if (withEffects && envelope.event !== undefined)
            applyEvent(life, envelope.fence, envelope.event, at, ready.get(envelope.id));
          life.took(envelope.fence, envelope.seq, at);
        }
        const acknowledged = verdict === 'refused' ? 'refused' : life?.attempts.get(envelope.fence)?.lastSeq;
        const key = this.#options.keys.acknowledgement(envelope.id, envelope.fence);
        acknowledgements.set(key, String(acknowledged ?? 0));
      }
      saved = lives.all().some(({ changes }) => changes.touched);
      if (saved) await this.#saveCursor(lives, last.streamId);
      await faultPoint('ingest.applied');
    });
    await faultPoint('ingest.committed');
    this.#cursor = last.streamId;
    if (saved) this.#saved = last.streamId;
    this.#count(envelopes, verdicts);
    for (const resolve of this.#advanced.splice(0)) resolve();
    if (envelopes.some(({ event }, index) => verdicts[index] === 'taken' && endsAttempt(event))) await this.#giveBack();
    await this.#acknowledge(acknowledgements);
  }

  #count(envelopes: readonly Envelope[], verdicts: readonly Verdict[]): void {
    for (const [index, verdict] of verdicts.entries()) {
      const envelope = envelopes[index];
      if (envelope === undefined) continue;
      this.#counts[verdict] += 1;
      if (verdict !== 'refused') this.hear(envelope.id, envelope.fence);
      if (envelope.event === undefined) {
        this.#counts.malformed += 1;
        this.#options.warn(`An event of ${envelope.id} that this build cannot read was skipped`);
      }
    }
    this.#forgetOld();
  }

  /** Attempts that ended long ago need no entry; those that run have a young one. */
  #forgetOld(): void {
    if (this.#heard.size < 10_000) return;
    const anHourAgo = this.#listened.ms - 3_600_000;
    for (const [key, heardAt] of this.#heard) if (heardAt < anHourAgo) this.#heard.delete(key);
  }

  async #readCursor(): Promise<void> {
    const row = await this.#options.record.db
      .selectFrom('ingestCursors')
      .select('cursor')
      .where('stream', '=', this.#options.keys.events)
      .executeTakeFirst();
    this.#saved = row?.cursor;
    this.#cursor = this.#saved ?? '0-0';
  }

  /** Throws when another process has moved the cursor: it takes the events, and has taken these. */
  async #saveCursor(lives: Lives, cursor: string): Promise<void> {
    const stream = this.#options.keys.events;
    const result =
      this.#saved === undefined
        ? await lives.transaction
            .insertInto('ingestCursors')
            .values({ stream, cursor })
            .onConflict((conflict) => conflict.column('stream').doNothing())
            .executeTakeFirst()
        : await lives.transaction
            .updateTable('ingestCursors')
            .set({ cursor })
            .where('stream', '=', stream)
            .where('cursor', '=', this.#saved)
            .executeTakeFirst();
    const moved = 'numUpdatedRows' in result ? result.numUpdatedRows : result.numInsertedOrUpdatedRows;
    if (moved !== 1n) throw new CursorMoved(this.#saved);
  }

  /**
   * A worker takes its next job when the end of its last attempt is acknowledged: what it gave back has to be in the queue
   * by then, or it would lose its turn. A store or a Redis that hangs stops nothing here.
   */
  async #giveBack(): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stop.signal]);
    await Promise.race([
      this.#options.scheduled(),
      pause(GIVE_BACK_WITHIN_MS, undefined, { signal }).catch(() => undefined),
    ]);
    over.abort();
  }

  /** Only after the commit: what was acknowledged is never sent again. */
  async #acknowledge(acknowledgements: ReadonlyMap<string, string>): Promise<void> {
    const pipeline = this.#options.redis.pipeline();
    for (const [key, value] of acknowledgements) pipeline.set(key, value, 'EX', ACKNOWLEDGEMENT_SECONDS);
    pipeline.xtrim(this.#options.keys.events, 'MINID', nextStreamId(this.#cursor));
    await pipeline.exec();
  }

  /**
   * A Redis that lost its data and whose clock stands behind numbers new entries below the cursor. Everything taken is
   * trimmed, so that an old number in the stream can only be such a one.
   */
  async #rewindIfRebuilt(): Promise<void> {
    const oldest = await this.#options.redis.xrange(this.#options.keys.events, '-', '+', 'COUNT', 1);
    const oldestId = oldest[0]?.[0];
    if (oldestId !== undefined && !isAfter(oldestId, this.#cursor)) this.#cursor = '0-0';
  }
}

const BATCH_SIZE = 2000;
const GIVE_BACK_WITHIN_MS = 5_000;
const GATHER_MS = 20;
const ACKNOWLEDGEMENT_SECONDS = 7 * 24 * 3600;

interface Entry {
  readonly streamId: string;
  /** Undefined when it is not even an envelope. */
  readonly envelope: Envelope | undefined;
}

function readEntry(streamId: string, fields: readonly string[]): Entry {
  return { streamId, envelope: readEnvelope(fields[fields.indexOf('e') + 1] ?? '') };
}

/** The cursor in the record is not where this process left it. */
class CursorMoved extends Error {
  constructor(saved: string | undefined) {
    super(`another process takes events in: the cursor is no longer at ${saved ?? 'the beginning'}`);
    this.name = 'CursorMoved';
  }
}

/** The workers that are ready for what an attempt asks for, by its id: of those attempts that end so that they matter. */
async function readyForOthers(
  { transaction }: Lives,
  envelopes: readonly Envelope[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const ending = envelopes.filter(
    ({ event }) =>
      event !== undefined && 'reason' in event && retryPolicy[event.reason].workers?.onlyElsewhere === true,
  );
  const asked = await askedEngines(
    transaction,
    ending.map(({ id }) => id),
  );
  const ready = new Map<string, readonly string[]>();
  for (const kind of new Set(ending.map((envelope) => envelope.kind))) {
    const workers = await readyWorkers(transaction, kind);
    for (const { id } of ending.filter((envelope) => envelope.kind === kind)) {
      const able = workers.filter(({ engines }) => hasEngine(engines, asked.get(id)));
      ready.set(
        id,
        able.map((worker) => worker.id),
      );
    }
  }
  return ready;
}

function endsAttempt(event: WorkerEvent | undefined): boolean {
  return event?.type === 'attempt_ended' || event?.type === 'dataset_ended';
}

function attemptKey(id: string, fence: number): string {
  return `${id}.${fence}`;
}

/** The database refuses what it was given (SQLSTATE class 22 or 23), and will again. */
function isDataError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
}
