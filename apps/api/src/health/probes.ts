import { setTimeout as sleep } from 'node:timers/promises';
import { ServicePart } from '@longrun/contracts';
import type { Platform } from '@longrun/platform';
import { within } from '@longrun/platform/processes';
import type { ObjectStore } from '@longrun/serialization';

/** How one thing that the API needs is doing. */
export interface Check {
  readonly name: ServicePart;
  readonly ok: boolean;
  /** What it says itself when it is not. */
  readonly why: string | null;
}

/** How often everything is asked. */
export interface ProbeTimings {
  /** What has not answered by then counts as failed. */
  readonly timeoutMs: number;
  /** Pause between two rounds while all is well, in milliseconds. Default 1000. */
  readonly pauseMs?: number;
  /** The same while something is not. Default 250. */
  readonly troubledPauseMs?: number;
  /** A store that took bytes is believed for so long, in milliseconds. Default 10 000. */
  readonly believedMs?: number;
}

/**
 * Asks everything that the API cannot serve without, round after round and of its own accord: whoever wants to know hears of the
 * last round, and however many ask, nothing is written for them.
 */
export class Probes {
  readonly #platform: Pick<Platform, 'health'>;
  readonly #store: Pick<ObjectStore, 'put'>;
  readonly #timings: Required<ProbeTimings>;
  readonly #end = new AbortController();
  readonly #rounds: Promise<void>;
  #latest: Promise<readonly Check[]>;
  #write: Promise<boolean> | undefined;
  #tookBytesAt = Number.NEGATIVE_INFINITY;

  /** Begins with the first round. */
  constructor(platform: Pick<Platform, 'health'>, store: Pick<ObjectStore, 'put'>, timings: ProbeTimings) {
    this.#platform = platform;
    this.#store = store;
    this.#timings = { pauseMs: 1_000, troubledPauseMs: 250, believedMs: 10_000, ...timings };
    this.#latest = this.#ask();
    this.#rounds = this.#goRound();
  }

  /** One check for each dependency, as the last round found them; waits only for the first. Never rejects. */
  latest(): Promise<readonly Check[]> {
    return this.#latest;
  }

  /** Ends with the round that is under way. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#rounds;
  }

  async #goRound(): Promise<void> {
    for (let round = this.#latest; ; round = this.#ask()) {
      const checks = await round;
      this.#latest = round;
      const { pauseMs, troubledPauseMs } = this.#timings;
      const pause = checks.every(({ ok }) => ok) ? pauseMs : troubledPauseMs;
      await sleep(pause, undefined, { signal: this.#end.signal }).catch(() => undefined);
      if (this.#end.signal.aborted) return;
    }
  }

  async #ask(): Promise<readonly Check[]> {
    const { timeoutMs } = this.#timings;
    const [health, objects] = await Promise.all([
      within(
        timeoutMs,
        this.#platform.health(timeoutMs).catch(() => undefined),
      ),
      within(timeoutMs, this.#takesBytes()),
    ]);
    const ok: Readonly<Record<ServicePart, boolean>> = {
      record: health?.record ?? false,
      redis: health?.redis.usable ?? false,
      objects: objects ?? false,
      controller: health?.controller ?? false,
      events: health?.events ?? false,
    };
    const saidByRedis = health === undefined || health.redis.usable ? null : health.redis.sentence;
    return ServicePart.options.map((name) => ({ name, ok: ok[name], why: name === 'redis' ? saidByRedis : null }));
  }

  /** Checkpoints need a store that takes bytes; one that only gives them is of no use. One write at a time, however long it takes. */
  #takesBytes(): Promise<boolean> {
    if (performance.now() - this.#tookBytesAt < this.#timings.believedMs) return Promise.resolve(true);
    this.#write ??= this.#store
      .put('health/api', new TextEncoder().encode(new Date().toISOString()))
      .then(
        () => {
          this.#tookBytesAt = performance.now();
          return true;
        },
        () => false,
      )
      .finally(() => (this.#write = undefined));
    return this.#write;
  }
}
