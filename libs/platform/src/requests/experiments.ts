import {
  type ExperimentList,
  type ExperimentSpec,
  type ExperimentView,
  type FaultOf,
  firstFaults,
  isTerminal,
  type JsonObject,
  labelFaults,
  type LiveEvent,
  type StoredLogRow,
} from '@longrun/contracts';
import type { Redis } from 'ioredis';
import { sql, type Transaction } from 'kysely';

import type { LiveEvents } from '../life/live-events.js';
import { beginMany, newId, type NewLife } from '../life/begin.js';
import type { Lives } from '../life/lives.js';
import { readLogRows } from '../life/series.js';
import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import { type KnownWorkers, knownWorkers, RecentlyKnownWorkers, threadLimit } from '../record/known-workers.js';
import type { PlatformRecord } from '../record/record.js';
import type { ExperimentRow, LifeRow, Tables } from '../record/tables.js';
import type { RedisKeys } from '../redis/keys.js';
import type { Endings } from '../systems/endings.js';
import { publishCommand } from '../worker/commands.js';
import { notFound, readLife } from './life-reading.js';
import { NamedDatasets } from './named-datasets.js';
import { nameUnknown } from './names.js';
import { type PageOptions, readPage } from './pages.js';
import type { ProgramCatalog } from './program-catalog.js';
import { refused, type RequestRefused } from './request-refused.js';
import { type Made, type Submission, Submissions, type SubmitOptions } from './submissions.js';
import { checkpointView, type DatasetInRole, experimentSummary } from './views.js';

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
  readonly #submissions: Submissions<ExperimentSpec, ExperimentView>;
  readonly #workers = new RecentlyKnownWorkers();

  constructor(options: ExperimentsOptions) {
    this.#options = options;
    this.#submissions = new Submissions(options.writer, 'experiment', (lives, all) => this.#make(lives, all));
  }

  /**
   * Queues an experiment. Refused: a program, parameters or dataset that cannot be, more threads than any known worker has, an
   * idempotency key that was used for another spec.
   */
  async submit(spec: ExperimentSpec, options: SubmitOptions = {}): Promise<SubmittedExperiment> {
    const { id, view } = await this.#submissions.submit(spec, options);
    return { experiment: view ?? (await this.get(id)), created: view !== undefined };
  }

  /** One experiment with its attempts and checkpoints. Refused when there is none with this id. */
  async get(id: string): Promise<ExperimentView> {
    const { record } = this.#options;
    const row = await this.#select().where('lives.id', '=', id).executeTakeFirst();
    const workers = await this.#workers.read(record.db);
    const experiment = await readLife(record, { what: 'experiment', id }, row, (found) => summaryOf(found, workers));
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
    const workers = await this.#workers.read(this.#options.record.db);
    return readPage(options, rowsBelow, (row) => summaryOf(row, workers));
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

  /** Makes experiments whose program and datasets are there, and refuses the others. */
  async #make(
    lives: Lives,
    submissions: readonly Submission<ExperimentSpec>[],
  ): Promise<(Made<ExperimentView> | Error)[]> {
    const specs = submissions.map(({ body }) => body);
    const datasets = await NamedDatasets.find(lives.transaction, specs);
    const known = await this.#workers.read(lives.transaction);
    const limit = await readRefusalLimit(lives.transaction, specs, known);
    const checked = specs.map((spec) => this.#checkOrError(spec, datasets, limit));
    const made = checked.flatMap((experiment) => (experiment instanceof Error ? [] : experiment));
    const rowOf = await beginMany(lives, made);
    if (made.length > 0) await insert(lives.transaction, made);
    return checked.map((experiment) =>
      experiment instanceof Error
        ? experiment
        : { id: experiment.id, view: newView(experiment, rowOf(experiment.id), known) },
    );
  }

  /** The schema of a program is its author's: what it throws concerns this request only. */
  #checkOrError(spec: ExperimentSpec, named: NamedDatasets, threads: number | null): NewExperiment | Error {
    try {
      return this.#check(spec, named, threads);
    } catch (error) {
      return error instanceof Error
        ? error
        : new Error(`Program ${spec.program} threw ${String(error)} when its parameters were checked`);
    }
  }

  #check(spec: ExperimentSpec, named: NamedDatasets, mostThreads: number | null): NewExperiment | RequestRefused {
    const program = this.#checkProgram(spec);
    const datasets = named.of(spec);
    const other = [...labelFaults(spec), ...threadFaults(spec, mostThreads)];
    if (!program.ok || !datasets.ok || other.length > 0) {
      return refused(
        'invalid-request',
        firstFaults([...(program.ok ? [] : program.faults), ...(datasets.ok ? [] : datasets.faults), ...other]),
      );
    }
    const { name = spec.program, priority, retry } = spec;
    const stored = { ...spec, params: program.params };
    return {
      id: newId('experiment'),
      kind: 'experiment',
      name,
      spec: stored,
      priority,
      retry,
      datasets: datasets.found,
    };
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

  #select() {
    return (
      this.#options.record.db
        .selectFrom('lives')
        .innerJoin('experiments', 'experiments.id', 'lives.id')
        .selectAll('lives')
        .select(['experiments.name', 'experiments.spec', datasetsInRoles.as('datasets')])
        // The index on places begins with it.
        .where('lives.kind', '=', 'experiment')
    );
  }
}

/**
 * The datasets of the experiment in `lives`: for each row that is answered. Subselects by key, and not a join, so that a record whose
 * tables were never analyzed has no plan but the lookups.
 */
const datasetsInRoles = sql<DatasetInRole[]>`(
  select coalesce(json_agg(json_build_object('role', used.role, 'id', used.dataset_id, 'phase',
    (select dataset.phase from lives dataset where dataset.id = used.dataset_id)) order by used.role), '[]')
  from experiment_datasets used where used.id = lives.id)`;

/** An experiment that can be made. */
interface NewExperiment extends NewLife {
  readonly spec: ExperimentSpec;
  readonly datasets: readonly DatasetInRole[];
}

async function insert(transaction: Transaction<Tables>, experiments: readonly NewExperiment[]): Promise<void> {
  await transaction
    .insertInto('experiments')
    .values(experiments.map(({ id, name, spec }) => ({ id, name, spec: JSON.stringify(spec) })))
    .execute();
  await transaction
    .insertInto('experimentDatasets')
    .values(
      experiments.flatMap(({ id, datasets }) =>
        datasets.map((dataset) => ({ id, role: dataset.role, datasetId: dataset.id })),
      ),
    )
    .execute();
}

/** Threads beyond which specs are refused, by what is known now; null where none is. */
async function readRefusalLimit(
  transaction: Transaction<Tables>,
  specs: readonly ExperimentSpec[],
  known: KnownWorkers,
): Promise<number | null> {
  if (specs.every(({ resources }) => resources.threads <= threadLimit(known))) return null;
  const now = await knownWorkers(transaction);
  // While none is alive, one of any size may come.
  return now.alive ? threadLimit(now) : null;
}

function threadFaults({ resources }: ExperimentSpec, limit: number | null): SpecFault[] {
  if (limit === null || resources.threads <= limit) return [];
  const facts = { threads: resources.threads, most: limit };
  return [{ path: ['resources', 'threads'], code: 'threads-unavailable', facts }];
}

function newView({ id, name, spec, datasets }: NewExperiment, row: LifeRow, workers: KnownWorkers): ExperimentView {
  return { ...experimentSummary(row, { id, name, spec }, datasets, workers), attempts: [], checkpoints: [] };
}

function summaryOf(
  row: LifeRow & ExperimentRow & { readonly datasets: readonly DatasetInRole[] },
  workers: KnownWorkers,
): ReturnType<typeof experimentSummary> {
  return experimentSummary(row, row, row.datasets, workers);
}
