import type { Kind } from '@longrun/contracts';

import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { Endings } from './endings.js';
import type { EventIngester } from './event-ingester.js';

export interface WriteOffOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly endings: Endings;
  readonly ingester: EventIngester;
}

/** A worker whose process has ended. */
export interface GoneWorker {
  readonly workerId: string;
  /** What it ran, as far as it had told. */
  readonly attempts: readonly { readonly id: string; readonly fence: number }[];
  /** Another process goes by its name now: only what it had told of is its own. */
  readonly isReplaced: boolean;
}

/** Gives up attempts whose workers have gone. What a worker committed and told before counts. */
export class WriteOff {
  readonly #options: WriteOffOptions;

  constructor(options: WriteOffOptions) {
    this.#options = options;
  }

  /** Gives up one attempt, unless it has ended or another one follows it already. */
  async attempt(kind: Kind, id: string, fence: number, why: (workerId: string) => string): Promise<void> {
    const { endings, writer } = this.#options;
    const head = await endings.head(kind, id);
    if (await endings.adopt(kind, id, head)) return;
    await writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life === undefined || life.row.phase !== 'running' || life.row.fence !== fence) return;
      if (head?.fence === fence) life.heldBy(fence, head.holder);
      const workerId = life.attempts.get(fence)?.workerId ?? 'the worker';
      life.writeOff({ reason: 'worker_lost', message: why(workerId) }, new Date());
    });
  }

  /**
   * Gives up what a worker ran. False when it cannot be said yet what that is, because events do not flow: then nothing was given
   * up, and it is to be asked for again.
   */
  async worker({ workerId, attempts, isReplaced }: GoneWorker): Promise<boolean> {
    const { ingester, record } = this.#options;
    if (!(await ingester.catchUp())) return false;
    const running = await record.db
      .selectFrom('lives')
      .innerJoin('attempts', (join) =>
        join.onRef('attempts.id', '=', 'lives.id').onRef('attempts.fence', '=', 'lives.fence'),
      )
      .select(['lives.id', 'lives.kind', 'lives.fence', 'attempts.workerId'])
      .where('lives.phase', '=', 'running')
      .where('lives.ending', 'is', null)
      .execute();
    const lost = running.filter(
      (one) =>
        attempts.some(({ id, fence }) => id === one.id && fence === one.fence) ||
        (!isReplaced && one.workerId === workerId),
    );
    for (const { id, kind, fence } of lost) {
      await this.attempt(
        kind,
        id,
        fence,
        () => `The process of ${workerId} has ended: its connection to Redis was closed, and it did not come back`,
      );
    }
    return true;
  }
}
