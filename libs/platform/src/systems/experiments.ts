import {
  type ExperimentList,
  type ExperimentSpec,
  type ExperimentView,
  isTerminal,
  jsonPointer,
  type LiveEvent,
  type ProblemError,
  type StoredLogRow,
} from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { LiveEvents } from '../life/live-events.js';
import type { Lives } from '../life/lives.js';
import { readLogRows } from '../life/series.js';
import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { ProgramCatalog } from '../program-catalog.js';
import type { PlatformRecord } from '../record/record.js';
import type { ExperimentRow, LifeRow } from '../record/tables.js';
import type { RedisKeys } from '../redis/keys.js';
import { conflict, notFound, unprocessable } from '../request-refused.js';
import { publishCommand } from '../worker/commands.js';
import type { Endings } from './endings.js';
import { giveOneOf } from './near-names.js';
import { cutPage, type PageOptions, placeBelow } from './pages.js';
import { begin, findByKey, isDuplicate, newId, rememberKey, requestSha256, type SubmitOptions } from './submission.js';
import { attemptView, checkpointView, experimentSummary } from './views.js';

export interface ExperimentsOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly endings: Endings;
  readonly live: LiveEvents;
  readonly programs: ProgramCatalog;
  readonly redis: Redis;
  readonly keys: RedisKeys;
}

/** An experiment, and whether this request made it or one before. */
export interface SubmittedExperiment {
  readonly experiment: ExperimentView;
  readonly created: boolean;
}

/** What users do with experiments. Every method that refuses throws `RequestRefused`. */
export class Experiments {
  readonly #options: ExperimentsOptions;

  constructor(options: ExperimentsOptions) {
    this.#options = options;
  }

  /**
   * Queues an experiment. Refused: a program, parameters or dataset that cannot be (422), an idempotency key that was
   * used with another body (409).
   */
  async submit(spec: ExperimentSpec, options: SubmitOptions = {}): Promise<SubmittedExperiment> {
    const sha256 = requestSha256(spec);
    const key = options.idempotencyKey;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const made = await this.#options.writer.write(async (lives) => {
          const before = key === undefined ? undefined : await findByKey(lives.transaction, 'experiment', key, sha256);
          if (before !== undefined) return { id: before, created: false };
          const id = await this.#create(lives, spec);
          if (key !== undefined) await rememberKey(lives.transaction, 'experiment', key, sha256, id);
          return { id, created: true };
        });
        return { experiment: await this.get(made.id), created: made.created };
      } catch (error) {
        // Two requests with one key at once: the second look finds what the other has made.
        if (!isDuplicate(error) || attempt >= 3) throw error;
      }
    }
  }

  /** One experiment with its attempts and checkpoints. Refused when there is none with this id (404). */
  async get(id: string): Promise<ExperimentView> {
    const { db } = this.#options.record;
    const row = await this.#select().where('lives.id', '=', id).executeTakeFirst();
    if (row === undefined) throw notFound('experiment', id);
    const attempts = await db.selectFrom('attempts').selectAll().where('id', '=', id).orderBy('fence').execute();
    const checkpoints = await db
      .selectFrom('checkpoints')
      .selectAll()
      .where('id', '=', id)
      .orderBy('step', 'desc')
      .orderBy('fence', 'desc')
      .limit(100)
      .execute();
    return {
      ...summaryOf(row),
      attempts: attempts.map(attemptView),
      checkpoints: checkpoints.map(checkpointView),
    };
  }

  /** One page of experiments, newest first. */
  async list(options: PageOptions = {}): Promise<ExperimentList> {
    const limit = options.limit ?? 50;
    const below = placeBelow(options.cursor);
    let query = this.#select()
      .orderBy('lives.place', 'desc')
      .limit(limit + 1);
    if (below !== undefined) query = query.where('lives.place', '<', below);
    const { rows, nextCursor } = cutPage(await query.execute(), limit);
    return { items: rows.map(summaryOf), nextCursor };
  }

  /**
   * Cancels an experiment. One that waits is cancelled when this returns; one that runs is told to stop, and told again
   * until it does: `cancelRequested` says so meanwhile. Refused when it has ended (409) or is unknown (404).
   */
  async cancel(id: string): Promise<ExperimentView> {
    const { writer, endings, redis, keys } = this.#options;
    const life = await writer.write(async (lives) => {
      const found = await lives.find(id);
      if (found === undefined || found.row.kind !== 'experiment') throw notFound('experiment', id);
      const status = experimentStatus(found.row.phase, found.row.reason);
      if (isTerminal(status)) throw conflict(`Experiment ${id} has ended already: it ${said(status)}`);
      found.requestCancel();
      return { fence: found.row.fence, enqueued: found.row.enqueued, decided: found.row.ending !== null };
    });
    if (life.decided) await endings.settle(id);
    else if (!life.enqueued || !(await endings.cancelUnclaimed('experiment', id, life.fence))) {
      const command = { type: 'cancel', kind: 'experiment', id, fence: life.fence } as const;
      // Without Redis the reconciler says it later.
      if (redis.status === 'ready') await publishCommand(redis, keys, command);
    }
    return this.get(id);
  }

  /**
   * All events of an experiment after `afterId` (0: from the beginning), then those that come, without a gap or a
   * repetition; progress, which has no id, as it comes. Ends when the experiment has ended and all was delivered, when
   * `signal` is aborted, or when the platform closes. Ask `get` first whether it exists: an unknown id has no events.
   */
  subscribe(id: string, afterId = 0, signal?: AbortSignal): AsyncIterable<LiveEvent> {
    return this.#options.live.subscribe(id, afterId, signal);
  }

  /** Rows of the training log by step, at most `limit` (default 1000) from `fromStep` (default 0) on. */
  async logRows(id: string, options: { fromStep?: number; limit?: number } = {}): Promise<StoredLogRow[]> {
    return readLogRows(this.#options.record.db, id, options);
  }

  async #create(lives: Lives, spec: ExperimentSpec): Promise<string> {
    const { errors, params } = this.#checkProgram(spec);
    const dataset = await this.#findDataset(lives, spec.dataset);
    if (typeof dataset !== 'string') errors.push(dataset);
    if (errors.length > 0 || typeof dataset !== 'string') throw unprocessable(errors);
    const id = newId('experiment');
    await begin(lives, { id, kind: 'experiment', priority: spec.priority, retry: spec.retry });
    await lives.transaction
      .insertInto('experiments')
      .values({
        id,
        name: spec.name ?? spec.program,
        spec: JSON.stringify({ ...spec, params }),
        datasetId: dataset,
      })
      .execute();
    return id;
  }

  #checkProgram(spec: ExperimentSpec): { errors: ProblemError[]; params: unknown } {
    const { programs } = this.#options;
    if (!programs.has(spec.program)) {
      const remedy = giveOneOf(spec.program, programs.names(), 'put a program into the folder of programs');
      return {
        errors: [{ pointer: '/program', detail: `there is no program ${JSON.stringify(spec.program)}`, remedy }],
        params: spec.params,
      };
    }
    const verdict = programs.validate(spec.program, spec.params);
    if (verdict.ok) return { errors: [], params: verdict.params };
    return {
      errors: verdict.errors.map(({ path, message, remedy }) => ({
        pointer: jsonPointer(path, '/params'),
        detail: message,
        remedy: remedy ?? `correct it; program ${spec.program} says what it takes`,
      })),
      params: spec.params,
    };
  }

  /** Id of the dataset that a name or an id means, or what is wrong with it. */
  async #findDataset(lives: Lives, nameOrId: string): Promise<string | ProblemError> {
    const pointer = '/dataset';
    const rows = await lives.transaction
      .selectFrom('datasets')
      .innerJoin('lives', 'lives.id', 'datasets.id')
      .select(['datasets.id', 'datasets.current', 'lives.message'])
      .where((where) => where.or([where('datasets.id', '=', nameOrId), where('datasets.name', '=', nameOrId)]))
      .orderBy('lives.place', 'desc')
      .execute();
    const usable = rows.find((row) => row.current);
    if (usable !== undefined) return usable.id;
    const failed = rows[0];
    if (failed !== undefined) {
      const detail = `dataset ${nameOrId} failed${failed.message === null ? '' : `: ${failed.message}`}`;
      return { pointer, detail, remedy: 'put right what is said there and submit the dataset again' };
    }
    const known = await lives.transaction.selectFrom('datasets').select('name').where('current', '=', true).execute();
    const names = known.map((row) => row.name);
    const remedy = giveOneOf(nameOrId, names, 'there is none yet: submit one with POST /v1/datasets');
    return { pointer, detail: `there is no dataset ${JSON.stringify(nameOrId)}`, remedy };
  }

  #select() {
    return (
      this.#options.record.db
        .selectFrom('lives')
        .innerJoin('experiments', 'experiments.id', 'lives.id')
        .innerJoin('lives as dataset', 'dataset.id', 'experiments.datasetId')
        .selectAll('lives')
        .select(['experiments.name', 'experiments.spec', 'experiments.datasetId', 'dataset.phase as datasetPhase'])
        // The index on places begins with it.
        .where('lives.kind', '=', 'experiment')
    );
  }
}

function summaryOf(
  row: LifeRow & ExperimentRow & { datasetPhase: LifeRow['phase'] },
): ReturnType<typeof experimentSummary> {
  return experimentSummary(row, row, row.datasetPhase);
}

function said(status: string): string {
  return status === 'cancelled' ? 'was cancelled' : status;
}
