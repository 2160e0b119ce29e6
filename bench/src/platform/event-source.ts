import type { EventEnvelope, WorkerEvent } from '@longrun/contracts';
import { Redis } from 'ioredis';

/** Puts workers' events into the stream from which the platform takes them. */
export class EventSource {
  readonly #redis: Redis;
  readonly #seqs = new Map<string, number>();

  constructor(redisUrl: string) {
    this.#redis = new Redis(redisUrl);
  }

  /** Events of the first attempt at a life, in the order given. */
  async send(kind: EventEnvelope['kind'], id: string, events: readonly WorkerEvent[]): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const event of events) {
      const seq = (this.#seqs.get(id) ?? 0) + 1;
      this.#seqs.set(id, seq);
      const envelope: EventEnvelope = { kind, id, fence: 1, seq, at: new Date().toISOString(), event };
      pipeline.xadd('longrun:events', '*', 'e', JSON.stringify(envelope));
    }
    await pipeline.exec();
  }

  close(): void {
    this.#redis.disconnect();
  }
}
