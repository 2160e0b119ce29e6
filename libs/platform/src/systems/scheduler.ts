import {
  askedEngine,
  DatasetSpec,
  datasetsOf,
  Kind,
  programKey,
  type ResolvedDataset,
  type ResolvedExperiment,
  writtenDatasetSpec,
} from '@longrun/contracts';
import { faultPoint, type ObjectStore } from '@longrun/serialization';
import type { Redis } from 'ioredis';
import { type RawBuilder, sql } from 'kysely';
import type { z } from 'zod';

import { NotLeader } from '../controller/leadership.js';
import { datasetResult, leasePrefix } from '../life/outcome.js';
import { datasetStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { JobQueue } from '../queue/job-queue.js';
import { assignRanks } from '../queue/places.js';
import { knownWorkers, presentEngines, threadLimit } from '../record/known-workers.js';
import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import { settingOf, settingsOf } from '../record/hyperparameter-settings.js';
import { Troubles } from './troubles.js';
import { workersToAvoid } from './workers-to-avoid.js';

export interface SchedulerOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly queues: Readonly<Record<Kind, JobQueue>>;
  readonly redis: Redis;
  readonly store: ObjectStore;
  /** Jobs in a queue at most, for each set of engines that a worker has. */
  readonly window: number;
  readonly warn: Warn;
}

/**
 * Puts what may run next into the queues: by priority, then by the time of submission, which a preempted experiment
 * keeps. An experiment waits until all its datasets are ready, some worker has the threads for it and one that takes jobs the engine, and
 * fails when one of the datasets failed.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  /** Of those that cannot be put into the queue. */
  readonly #troubles = new Troubles();
  #closed = false;
  #wanted = false;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Something has changed: looks what may run now, soon. */
  kick(): void {
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when everything that was to be looked at has been. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Waits for the pass that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    // So that a kick within a transaction's own callback sees it committed, and many kicks make one pass.
    await Promise.resolve();
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      try {
        await this.#pass();
      } catch (error) {
        if (!this.#closed)
          this.#options.warn(`Scheduling failed: ${String(error)}; it is tried again with the next look`);
      }
    }
    this.#running = null;
  }

  async #pass(): Promise<void> {
    await this.#failWithoutDataset();
    // Without a queue no fences are issued: a pass follows when Redis is back.
    if (this.#options.redis.status === 'ready') for (const kind of Kind.options) await this.#fill(kind);
    await this.#wakeForBackoff();
  }

  /** Experiments that wait for a dataset which has failed will wait for ever. */
  async #failWithoutDataset(): Promise<void> {
    const doomed = await this.#options.record.db
      .selectFrom('lives as dataset')
      .innerJoin('experimentDatasets as used', 'used.datasetId', 'dataset.id')
      .innerJoin('datasets', 'datasets.id', 'dataset.id')
      .distinctOn('used.id')
      .select(['used.id', 'datasets.name', 'dataset.reason', 'dataset.message'])
      .where('dataset.kind', '=', 'dataset')
      .where('dataset.phase', '=', 'ended')
      .where('dataset.reason', '!=', 'succeeded')
      .where(stillWaits)
      .orderBy('used.id')
      .orderBy('used.role')
      .execute();
    for (const { id, name, reason, message } of doomed) {
      await this.#options.writer.write(async (lives) => {
        const life = await lives.find(id);
        if (life === undefined || life.row.phase !== 'queued') return;
        const why = message === null ? (reason ?? 'failed') : message;
        life.endWith({ reason: 'dataset_unavailable', message: `Dataset ${name} failed (${reason}): ${why}` });
      });
    }
  }

  async #fill(kind: Kind): Promise<void> {
    const candidates = await this.#candidates(kind);
    const avoided = await workersToAvoid(
      this.#options.record.db,
      kind,
      candidates.map(({ id }) => id),
    );
    await this.#redirect(kind, candidates, avoided);
    const ranks = assignRanks(candidates.map((candidate) => candidate.queueRank));
    for (const [index, candidate] of candidates.entries()) {
      const rank = ranks[index];
      if (rank === undefined || this.#closed) return;
      await this.#place(kind, candidate, rank, avoided.get(candidate.id) ?? []);
    }
  }

  /** Workers come and go: whom a job in the queue is to avoid, and whether it can, is looked at again with each pass. */
  async #redirect(
    kind: Kind,
    candidates: readonly Candidate[],
    avoided: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> {
    for (const { id, fence, enqueued } of candidates) {
      const avoid = avoided.get(id);
      if (enqueued && avoid !== undefined) await this.#options.queues[kind].avoid({ id, fence }, avoid);
    }
  }

  /** One that cannot be put into the queue keeps nobody else waiting. */
  async #place(kind: Kind, candidate: Candidate, rank: number, avoid: readonly string[]): Promise<void> {
    try {
      if (!candidate.enqueued) await this.#enqueue(kind, candidate.id, rank, avoid);
      else if (candidate.queueRank !== rank) await this.#rerank(kind, candidate, rank);
      this.#troubles.over(candidate.id);
    } catch (error) {
      if (error instanceof NotLeader || this.#closed) throw error;
      const sentence = String(error);
      if (this.#troubles.isNew(candidate.id, sentence))
        this.#options.warn(`${candidate.id} cannot be put into the queue: ${sentence}; it is tried with each look`);
    }
  }

  /**
   * The first of those that have a job or may have one, in the order in which they are to run: as many for each worker as the queue may hold, lest
   * those of one engine leave nothing to workers that have another.
   */
  async #candidates(kind: Kind): Promise<Candidate[]> {
    const { db } = this.#options.record;
    const candidates = db
      .selectFrom('lives')
      .select(['lives.id', 'lives.fence', 'lives.enqueued', 'lives.queueRank', 'lives.priority', 'lives.place'])
      .where('lives.kind', '=', kind)
      .where('lives.phase', '=', 'queued')
      .where('lives.ending', 'is', null)
      .where('lives.reopening', '=', false)
      .where((where) => where.or([where('lives.notBefore', 'is', null), where('lives.notBefore', '<=', new Date())]))
      .where(datasetsReady)
      .orderBy('lives.priority', 'desc')
      .orderBy('lives.place')
      .limit(this.#options.window);
    if (kind === 'dataset') return candidates.execute();
    const workers = await knownWorkers(db);
    const able = candidates.where(hasProgram).where(asksForAtMost(threadLimit(workers)));
    const found = new Map<string, Candidate>();
    for (const engines of workers.readyEngines)
      for (const candidate of await able.where(asksForOneOf(presentEngines(engines))).execute())
        found.set(candidate.id, candidate);
    return [...found.values()].toSorted((a, b) => b.priority - a.priority || a.place - b.place);
  }

  async #enqueue(kind: Kind, id: string, rank: number, avoid: readonly string[]): Promise<void> {
    const { engine } = await writeSpecification(this.#options.record, this.#options.store, kind, id);
    await faultPoint('enqueue.specified');
    const fence = await this.#options.writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life === undefined || life.row.phase !== 'queued' || life.row.enqueued) return null;
      if (life.row.ending !== null || life.row.reopening) return null;
      return life.enqueue(rank, new Date());
    });
    if (fence === null) return;
    await faultPoint('enqueue.recorded');
    await this.#options.queues[kind].add({ id, fence, engine, avoid }, rank);
    await faultPoint('enqueue.queued');
  }

  async #rerank(kind: Kind, candidate: Candidate, rank: number): Promise<void> {
    const { id, fence } = candidate;
    const stillThere = await this.#options.writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life?.row.enqueued !== true || life.row.fence !== fence) return false;
      life.rank(rank);
      return true;
    });
    if (stillThere) await this.#options.queues[kind].rerank({ id, fence }, rank);
  }

  async #wakeForBackoff(): Promise<void> {
    clearTimeout(this.#timer);
    const next = await this.#options.record.db
      .selectFrom('lives')
      .select((select) => select.fn.min('notBefore').as('at'))
      .where('phase', '=', 'queued')
      .where('notBefore', '>', new Date())
      .executeTakeFirst();
    if (next?.at == null || this.#closed) return;
    const delayMs = Math.min(Math.max(next.at.getTime() - Date.now() + 1, 1), 60_000);
    this.#timer = setTimeout(() => this.kick(), delayMs);
  }
}

/** All datasets of the one in `lives` are ready: looked up one by one, in order, until there are enough. */
const datasetsReady = sql<boolean>`(
  select coalesce(bool_and((select dataset.reason from lives dataset where dataset.id = used.dataset_id)
    is not distinct from 'succeeded'), true)
  from experiment_datasets used where used.id = lives.id)`;

/** What was submitted before programs were published waits for one of its name. */
const hasProgram = sql<boolean>`(
  select experiments.program_sha256 is not null from experiments where experiments.id = lives.id)`;

/** What no known worker has the threads for keeps nobody from its place in the queue. */
function asksForAtMost(threads: number): RawBuilder<boolean> {
  return sql<boolean>`(
    select coalesce((experiments.spec -> 'resources' ->> 'threads')::integer <= ${threads}, true) from experiments where experiments.id = lives.id)`;
}

/** Nor does what asks for an engine that is none of these. */
function asksForOneOf(engines: readonly string[] | null): RawBuilder<boolean> {
  if (engines === null) return sql<boolean>`true`;
  return sql<boolean>`(
    select coalesce(
      nullif(concat_ws('/', experiments.spec -> 'resources' ->> 'engine', experiments.spec -> 'resources' ->> 'provider'), '')
        = any(${engines}::text[]),
      true)
    from experiments where experiments.id = lives.id)`;
}

/** The experiment in `used` waits. Looked up from its dataset: the other way round, all that wait would be looked through. */
const stillWaits = sql<boolean>`(
  select lives.phase = 'queued' and lives.ending is null from lives where lives.id = used.id)`;

interface Candidate {
  readonly id: string;
  readonly fence: number;
  readonly enqueued: boolean;
  readonly queueRank: number | null;
  readonly priority: number;
  readonly place: number;
}

/**
 * Writes `spec.json` below the lease's prefix: all that a worker has to know. The same again when it is there. Returns what it asks of the
 * engines of a worker.
 */
export async function writeSpecification(
  record: PlatformRecord,
  store: ObjectStore,
  kind: Kind,
  id: string,
): Promise<{ readonly engine: string | undefined }> {
  const specification = kind === 'experiment' ? await resolveExperiment(record, id) : await resolveDataset(record, id);
  await store.put(`${leasePrefix(kind, id)}/spec.json`, Buffer.from(JSON.stringify(specification, null, 2)));
  return { engine: 'datasets' in specification ? askedEngine(specification.spec.resources) : undefined };
}

async function resolveExperiment(record: PlatformRecord, id: string): Promise<ResolvedExperiment> {
  const experiment = await record.db
    .selectFrom('experiments')
    .innerJoin('lives', 'lives.id', 'experiments.id')
    .innerJoin('programs', 'programs.sha256', 'experiments.programSha256')
    .select(['experiments.spec', 'programs.sha256', 'programs.sizeBytes', 'programs.libraries', 'lives.progressStep'])
    .where('experiments.id', '=', id)
    .executeTakeFirstOrThrow();
  const rows = await record.db
    .selectFrom('experimentDatasets as used')
    .innerJoin('lives', 'lives.id', 'used.datasetId')
    .select(['used.role', 'lives.id', 'lives.phase', 'lives.reason', 'lives.result'])
    .where('used.id', '=', id)
    .execute();
  const datasets = Object.keys(datasetsOf(experiment.spec)).map((role) => {
    const dataset = rows.find((row) => row.role === role);
    if (dataset === undefined) throw new Error(`Experiment ${id} has no dataset of the role ${role} in the record`);
    if (dataset.result === null || !('fileKey' in dataset.result)) {
      throw new Error(
        `Dataset ${dataset.id} of experiment ${id} has no file; it is ${datasetStatus(dataset.phase, dataset.reason)}`,
      );
    }
    const { fileKey, sha256, sizeBytes } = dataset.result;
    return [role, { id: dataset.id, fileKey, sha256, sizeBytes }] as const;
  });
  const trainedMs = await ranBefore(record, id);
  const settings = await settingsOf(record.db, id);
  const { spec, sha256, sizeBytes, libraries, progressStep: checkpointStep } = experiment;
  const program = { fileKey: programKey(sha256), sha256, sizeBytes, libraries };
  return {
    version: 3,
    id,
    spec,
    program,
    datasets: Object.fromEntries(datasets),
    trainedMs,
    checkpointStep,
    settings: settings.map(settingOf),
  };
}

/** How long the attempts that have ended ran, since it was last retried, in ms. One that did not say its end ran until it was last heard of: it may be missed late. */
async function ranBefore(record: PlatformRecord, id: string): Promise<number> {
  const attempts = await record.db
    .selectFrom('attempts')
    .innerJoin('lives', 'lives.id', 'attempts.id')
    .select(['attempts.startedAt', 'attempts.endedAt', 'attempts.lastHeardAt', 'attempts.saidEnd'])
    .where('attempts.id', '=', id)
    .where('attempts.status', '=', 'ended')
    .whereRef('attempts.fence', '>', 'lives.budgetFence')
    .execute();
  return attempts.reduce((sum, { startedAt, endedAt, lastHeardAt, saidEnd }) => {
    const until = saidEnd ? endedAt : lastHeardAt;
    return startedAt === null || until === null ? sum : sum + Math.max(0, until.getTime() - startedAt.getTime());
  }, 0);
}

async function resolveDataset(record: PlatformRecord, id: string): Promise<z.input<typeof ResolvedDataset>> {
  const { spec, forced, predecessor, result } = await record.db
    .selectFrom('datasets')
    .leftJoin('lives', 'lives.id', 'datasets.predecessor')
    .select(['datasets.spec', 'datasets.forced', 'datasets.predecessor', 'lives.result'])
    .where('datasets.id', '=', id)
    .executeTakeFirstOrThrow();
  const made = datasetResult(result);
  const compared = forced || predecessor === null || made === null ? null : { id: predecessor, result: made };
  return {
    version: 1,
    id,
    spec: writtenDatasetSpec(DatasetSpec.parse(spec)),
    ranMs: await ranBefore(record, id),
    predecessor: compared,
  };
}
