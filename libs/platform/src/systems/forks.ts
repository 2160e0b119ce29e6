import type { ExperimentOrigin } from '@longrun/contracts';
import {
  CheckpointAbsent,
  CorruptBlob,
  CorruptManifest,
  FORK_FENCE,
  forkCheckpoint,
  HeadDamaged,
  type ObjectStore,
} from '@longrun/serialization';

import { releaseOrigin } from '../life/origin-hold.js';
import { leasePrefix } from '../life/outcome.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import { BackgroundWork } from './background-work.js';
import { type Endings, HOLDER } from './endings.js';
import type { LogCompletion } from './log-completion.js';

export interface ForksOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
  readonly logs: LogCompletion;
  readonly endings: Endings;
  readonly warn: Warn;
}

/**
 * Gives experiments that begin from a checkpoint of another one a copy of their own, and the rows of the log before it; only then a job of
 * them can be claimed. In the background, as it may take long. What a crash interrupts is done again from its beginning.
 */
export class Forks {
  readonly #options: ForksOptions;
  readonly #work: BackgroundWork<Forked>;

  constructor(options: ForksOptions) {
    this.#options = options;
    this.#work = new BackgroundWork({
      work: async (forked, signal) => await this.#fork(forked, signal),
      what: ({ id }) => `Copying the checkpoint that ${id} begins from`,
      warn: options.warn,
    });
  }

  /** Begins with those that nobody is at. */
  async look(): Promise<void> {
    const waiting = await this.#options.record.db
      .selectFrom('lives')
      .innerJoin('experiments', 'experiments.id', 'lives.id')
      .select(['lives.id', 'experiments.origin', 'experiments.programSha256'])
      .where('lives.reopening', '=', true)
      .where('lives.phase', '!=', 'ended')
      .where('lives.ending', 'is', null)
      .where('experiments.origin', 'is not', null)
      .orderBy('lives.place')
      .execute();
    this.#work.begin(
      waiting.flatMap(({ id, origin, programSha256 }) =>
        origin === null || programSha256 === null ? [] : [{ id, origin, programSha256 }],
      ),
    );
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    await this.#work.close();
  }

  async #fork({ id, origin, programSha256 }: Forked, signal: AbortSignal): Promise<void> {
    const { store, logs, endings, writer } = this.#options;
    const prefix = leasePrefix('experiment', id);
    try {
      const losses = await forkCheckpoint(store, prefix, {
        fromPrefix: leasePrefix('experiment', origin.experiment),
        origin,
        programSha256,
        holder: HOLDER,
        signal,
      });
      if (losses.length > 0)
        await writer.write(async (lives) => {
          const life = await lives.find(id);
          for (const loss of losses)
            life?.printed(FORK_FENCE, { stream: 'stderr', text: `[longrun] ${loss}` }, new Date());
        });
    } catch (error) {
      if (!DAMAGE.some((kind) => error instanceof kind)) throw error;
      await this.#end(id, origin, error);
      return;
    }
    await logs.begin(id);
    await releaseOrigin(store, origin, id);
    await endings.reopen(id);
  }

  /** Nobody can go on from it: it ends before its first attempt. */
  async #end(id: string, origin: ExperimentOrigin, error: unknown): Promise<void> {
    const { writer, endings } = this.#options;
    const { experiment, step } = origin;
    const why = error instanceof Error ? error.message : String(error);
    const message = `The checkpoint of step ${step} of ${experiment}, which it was to go on from, cannot be read: ${why}. Submit it with another one.`;
    await writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life !== undefined && life.row.phase !== 'ended') life.endWith({ reason: 'checkpoint_unreadable', message });
    });
    await endings.settle(id);
  }
}

/** An experiment that begins from a checkpoint of another one. */
interface Forked {
  readonly id: string;
  readonly origin: ExperimentOrigin;
  readonly programSha256: string;
}

/** What no other try will mend. */
const DAMAGE = [CheckpointAbsent, CorruptBlob, CorruptManifest, HeadDamaged] as const;
