import {
  type ExperimentChange,
  type ExperimentSpec,
  type ExperimentView,
  type FaultOf,
  type JsonObject,
  labelFaults,
  MAX_TAGS,
} from '@longrun/contracts';
import { type Head, HeadDamaged, type ObjectStore, readHead } from '@longrun/serialization';
import type { Redis } from 'ioredis';

import { leasePrefix } from '../life/outcome.js';
import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { RedisKeys } from '../redis/keys.js';
import type { Endings } from '../systems/endings.js';
import { publishCommand } from '../worker/commands.js';
import { AskedStore } from './asked-store.js';
import { deleteExperiment } from './delete-experiment.js';
import type { Experiments } from './experiments.js';
import { checkGoesOn } from './goes-on.js';
import { findLife } from './life-reading.js';
import { refused } from './request-refused.js';

export interface VerbsOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly writer: LifeWriter;
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly endings: Endings;
  readonly experiments: Experiments;
}

/** What users have done with experiments that are there. Every method but the last answers the experiment, and each refuses by throwing `RequestRefused`. */
export class Verbs {
  readonly #options: VerbsOptions;

  constructor(options: VerbsOptions) {
    this.#options = options;
  }

  /**
   * Has the attempt that runs checkpoint and give its machine back, as if it were preempted; the next one goes on from there, at the place
   * in the queue that the experiment had. The worker is told until it obeys. Refused when it does not run, comes to its end, or has no
   * preemption left in its budget. Said again of the same attempt it changes nothing.
   */
  async preempt(id: string): Promise<ExperimentView> {
    const { writer } = this.#options;
    const fence = await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      checkGoesOn(life);
      const { phase, reason, fence: current, preemptions, retry } = life.row;
      if (phase !== 'running') {
        const facts = { experiment: id, status: experimentStatus(phase, reason) };
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'not-running', facts }]);
      }
      const limit = retry.maxPreemptions;
      if (limit !== null && preemptions >= limit) {
        const facts = { experiment: id, preemptions, limit };
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'preemptions-spent', facts }]);
      }
      life.requestPreempt();
      return current;
    });
    await this.#tell('preempt', id, fence);
    return this.#options.experiments.get(id);
  }

  /**
   * Has an experiment checkpoint, give its machine back, and wait until it is resumed. One that waits is paused when this returns; the worker of
   * one that runs is told until it obeys: `pauseRequested` says so meanwhile. Refused when it has ended or comes to its end. One that is paused
   * stays so.
   */
  async pause(id: string): Promise<ExperimentView> {
    const { writer, endings, experiments } = this.#options;
    const { isPending, enqueued, fence } = await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      checkGoesOn(life);
      life.requestPause(new Date());
      return { isPending: life.row.pauseRequested, enqueued: life.row.enqueued, fence: life.row.fence };
    });
    if (isPending && !(enqueued && (await endings.takeBack(id, fence)))) await this.#tell('pause', id, fence);
    return experiments.get(id);
  }

  /**
   * Queues an experiment again that is paused, at the place that it had; one that is only to be paused goes on. Refused when it has ended or
   * comes to its end. One that was never paused stays as it is.
   */
  async resume(id: string): Promise<ExperimentView> {
    const { writer, experiments } = this.#options;
    await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      checkGoesOn(life);
      life.resume(new Date());
    });
    return experiments.get(id);
  }

  /**
   * Queues an experiment that has failed or was cancelled again, with new budgets of failures, preemptions and time. It goes on from its newest
   * checkpoint, or begins from the seed where it has none; its earlier attempts stay on the record, and nobody who ran one can write any more.
   * Refused when it has not ended, or has succeeded: so of two at once one is.
   */
  async retry(id: string): Promise<ExperimentView> {
    const { writer, record, endings, experiments } = this.#options;
    for (let isDone = false; !isDone;) {
      const seen = await record.db.selectFrom('lives').select('endedAt').where('id', '=', id).executeTakeFirst();
      const head = await this.#head(id);
      isDone = await writer.write(async (lives) => {
        const life = await findLife(lives, 'experiment', id);
        const { phase, reason, endedAt } = life.row;
        if (phase !== 'ended' || reason === 'succeeded') {
          const facts = { experiment: id, status: experimentStatus(phase, reason) };
          throw refused('conflict', [{ path: [], parameter: 'id', code: 'not-failed', facts }]);
        }
        // Else the head that was read may be that of before.
        if (endedAt?.getTime() !== seen?.endedAt?.getTime()) return false;
        life.retry(head?.fence ?? 0, new Date());
        return true;
      });
    }
    // It is queued by now: what fails here the reconciler does.
    await endings.reopen(id).catch(() => undefined);
    return experiments.get(id);
  }

  /**
   * Changes notes, tags or priority, in the record and in the spec that is shown; nothing that is computed depends on them. Refused: texts that
   * cannot be seen, more tags than an experiment may have.
   */
  async change(id: string, change: ExperimentChange): Promise<ExperimentView> {
    const { writer, experiments } = this.#options;
    await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      const { spec } = await lives.transaction
        .selectFrom('experiments')
        .select('spec')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const changed = changedSpec(spec, change);
      const keys = CHANGEABLE.filter((key) => JSON.stringify(spec[key]) !== JSON.stringify(changed[key]));
      if (keys.length === 0) return;
      const valuesOf = (of: ExperimentSpec): JsonObject =>
        Object.fromEntries(keys.map((key) => [key, of[key] ?? null]));
      life.changed(valuesOf(spec), valuesOf(changed), changed.priority);
      await lives.transaction
        .updateTable('experiments')
        .set({ spec: JSON.stringify(changed) })
        .where('id', '=', id)
        .execute();
    });
    return experiments.get(id);
  }

  /** Deletes an experiment, see {@link deleteExperiment}. */
  async delete(id: string): Promise<void> {
    await deleteExperiment(this.#options, id);
  }

  async #head(id: string): Promise<Head | undefined> {
    try {
      return await readHead(new AskedStore(this.#options.store), leasePrefix('experiment', id));
    } catch (error) {
      if (!(error instanceof HeadDamaged)) throw error;
      const facts = { experiment: id, says: error.message };
      throw refused('unreadable', [{ path: [], code: 'head-damaged', facts }]);
    }
  }

  async #tell(type: 'preempt' | 'pause', id: string, fence: number): Promise<void> {
    const { redis, keys } = this.#options;
    // Without Redis the reconciler says it later.
    if (redis.status === 'ready') await publishCommand(redis, keys, { type, kind: 'experiment', id, fence });
  }
}

const CHANGEABLE = ['notes', 'tags', 'priority'] as const;

/** A spec with what is changed of it. Refused: see {@link Verbs.change}. */
function changedSpec(spec: ExperimentSpec, change: ExperimentChange): ExperimentSpec {
  const { notes = spec.notes, priority = spec.priority, addTags = [], removeTags = [] } = change;
  const all = new Set([...(change.tags ?? spec.tags ?? []), ...addTags]);
  const tags = [...all].filter((tag) => !removeTags.includes(tag));
  const faults: FaultOf<'invalid-request'>[] = [
    ...labelFaults({ notes: change.notes, tags: change.tags }),
    ...labelFaults({ tags: addTags }).map((fault) => ({ ...fault, path: ['addTags', ...fault.path.slice(1)] })),
  ];
  if (tags.length > MAX_TAGS) {
    const facts = { value: null, measure: 'entries', size: tags.length, relation: 'at most', bound: MAX_TAGS } as const;
    faults.push({ path: ['tags'], code: 'out-of-range', facts: { ...facts, says: null } });
  }
  if (faults.length > 0) throw refused('invalid-request', faults);
  const { notes: _notes, tags: _tags, ...rest } = spec;
  return { ...rest, priority, ...(notes !== undefined && notes !== '' && { notes }), ...(tags.length > 0 && { tags }) };
}
