import { ServicePart } from '@longrun/contracts';
import type { Platform } from '@longrun/platform';
import type { ObjectStore } from '@longrun/serialization';

/** How one thing that the API needs is doing. */
export interface Check {
  readonly name: ServicePart;
  readonly ok: boolean;
  /** What it says itself when it is not. */
  readonly why: string | null;
}

/** Asks everything that the API cannot serve without. */
export class Probes {
  readonly #platform: Platform;
  readonly #store: ObjectStore;
  readonly #timeoutMs: number;

  /** @param timeoutMs what has not answered by then counts as failed. */
  constructor(platform: Platform, store: ObjectStore, timeoutMs: number) {
    this.#platform = platform;
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  /** One check for each dependency. Never rejects. */
  async check(): Promise<readonly Check[]> {
    // Checkpoints need a store that takes bytes; one that only gives them is of no use.
    const written = this.#store.put('health/api', new TextEncoder().encode(new Date().toISOString()));
    const [health, objects] = await Promise.all([
      settledWithin(this.#platform.health(this.#timeoutMs), this.#timeoutMs),
      settledWithin(
        written.then(() => true),
        this.#timeoutMs,
      ),
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
}

/** What the work resolves to; undefined when it fails or is late. */
async function settledWithin<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
