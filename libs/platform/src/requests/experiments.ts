import {
  type ExperimentList,
  type ExperimentSpec,
  type ExperimentView,
  type FaultOf,
  isTerminal,
  type JsonObject,
  type LiveEvent,
  type StoredLogRow,
} from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { LiveEvents } from '../life/live-events.js';
import type { Lives } from '../life/lives.js';
import { readLogRows } from '../life/series.js';
import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { ExperimentRow, LifeRow } from '../record/tables.js';
import type { RedisKeys } from '../redis/keys.js';
import type { Endings } from '../systems/endings.js';
import { publishCommand } from '../worker/commands.js';
import { notFound, readLife } from './life-reading.js';
import { nameUnknown } from './names.js';
import { type PageOptions, readPage } from './pages.js';
import type { ProgramCatalog } from './program-catalog.js';
import { refused } from './request-refused.js';
import { begin, newId, submitOnce, type SubmitOptions } from './submission.js';
import { checkpointView, experimentSummary } from './views.js';

type SpecFault = FaultOf<'invalid-request'>;

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
   * Queues an experiment. Refused: a program, parameters or dataset that cannot be, an idempotency key that was used for
   * another spec.
   */
  async submit(spec: ExperimentSpec, options: SubmitOptions = {}): Promise<SubmittedExperiment> {
    const made = await submitOnce(
      this.#options.writer,
      { kind: 'experiment', key: options.idempotencyKey, body: spec },
      async (lives) => ({ id: await this.#create(lives, spec), created: true }),
    );
    return { experiment: await this.get(made.id), created: made.created };
  }

  /** One experiment with its attempts and checkpoints. Refused when there is none with this id. */
  async get(id: string): Promise<ExperimentView> {
    const { record } = this.#options;
    const row = await this.#select().where('lives.id', '=', id).executeTakeFirst();
    const experiment = await readLife(record, { what: 'experiment', id }, row, summaryOf);
    const checkpoints = await record.db
      .selectFrom('checkpoints')
      .selectAll()
      .where('id', '=', id)
      .orderBy('step', 'desc')
      .orderBy('fence', 'desc')
      .limit(100)
      .execute();
    return { ...experiment, checkpoints: checkpoints.map(checkpointView) };
  }

  /** One page of experiments, newest first. */
  async list(options: PageOptions = {}): Promise<ExperimentList> {
    const rowsBelow = (place: number, limit: number) =>
      this.#select().where('lives.place', '<', place).orderBy('lives.place', 'desc').limit(limit).execute();
    return readPage(options, rowsBelow, summaryOf);
  }

  /**
   * Cancels an experiment. One that waits is cancelled when this returns; one that runs is told to stop, and told again
   * until it does: `cancelRequested` says so meanwhile. Refused when it has ended or is unknown.
   */
  async cancel(id: string): Promise<ExperimentView> {
    const { writer, endings, redis, keys } = this.#options;
    const life = await writer.write(async (lives) => {
      const found = await lives.find(id);
      if (found === undefined || found.row.kind !== 'experiment') throw notFound('experiment', id);
      const status = experimentStatus(found.row.phase, found.row.reason);
      if (isTerminal(status)) {
        const facts = { what: 'experiment', id, status } as const;
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'ended-already', facts }]);
      }
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
    const program = this.#checkProgram(spec);
    const dataset = await this.#findDataset(lives, spec.dataset);
    if (!program.ok || typeof dataset !== 'string') {
      const faults = [...(program.ok ? [] : program.faults), ...(typeof dataset === 'string' ? [] : [dataset])];
      throw refused('invalid-request', faults);
    }
    const id = newId('experiment');
    await begin(lives, { id, kind: 'experiment', priority: spec.priority, retry: spec.retry });
    await lives.transaction
      .insertInto('experiments')
      .values({
        id,
        name: spec.name ?? spec.program,
        spec: JSON.stringify({ ...spec, params: program.params }),
        datasetId: dataset,
      })
      .execute();
    return id;
  }

  #checkProgram(spec: ExperimentSpec): { ok: true; params: JsonObject } | { ok: false; faults: SpecFault[] } {
    const { programs } = this.#options;
    if (!programs.has(spec.program)) {
      return { ok: false, faults: [nameUnknown('program', spec.program, programs.names())] };
    }
    const verdict = programs.validate(spec.program, spec.params);
    if (verdict.ok) return { ok: true, params: verdict.value };
    return { ok: false, faults: verdict.faults.map((fault) => ({ ...fault, path: ['params', ...fault.path] })) };
  }

  /** Id of the dataset that a name or an id means, or what is wrong with it. */
  async #findDataset(lives: Lives, nameOrId: string): Promise<string | SpecFault> {
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
      const facts = { dataset: nameOrId, message: failed.message };
      return { path: ['dataset'], code: 'dataset-failed', facts };
    }
    const known = await lives.transaction.selectFrom('datasets').select('name').where('current', '=', true).execute();
    return nameUnknown(
      'dataset',
      nameOrId,
      known.map((row) => row.name),
    );
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
