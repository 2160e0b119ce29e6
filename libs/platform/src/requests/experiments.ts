import {
  datasetsOf,
  type ExperimentDryRun,
  type ExperimentExport,
  type ExperimentList,
  type ExperimentSpec,
  type ExperimentView,
  type LiveEvent,
  type LogPage,
} from '@longrun/contracts';
import type { ObjectStore } from '@longrun/serialization';
import type { Transaction } from 'kysely';

import type { LiveEvents } from '../life/live-events.js';
import { beginMany, newId } from '../life/begin.js';
import type { Lives } from '../life/lives.js';
import { type LogRange, readLogPage } from '../life/series.js';
import { type KnownWorkers, RecentlyKnownWorkers } from '../record/known-workers.js';
import type { PlatformRecord } from '../record/record.js';
import type { LifeRow, Tables } from '../record/tables.js';
import { settingsOf } from '../record/hyperparameter-settings.js';
import { type CancelOptions, cancelLife } from './cancel-life.js';
import { datasetsInRoles } from './datasets-in-roles.js';
import { exportExperiments, type ExportOptions } from './experiment-export.js';
import { type ListOptions, listExperiments } from './experiment-list.js';
import { absent, readLife, thoseThere } from './life-reading.js';
import { NamedDatasets } from './named-datasets.js';
import {
  type Checked,
  insertExperiments,
  type NewExperiment,
  newExperiment,
  type ProgramVerdict,
  copySettings,
  readWorkersToRefuseBy,
  withOriginIn,
} from './new-experiment.js';
import { ProgramBroken, type ProgramHost } from './program-host.js';
import type { Programs } from './programs.js';
import { NO_ORIGIN, Origins, type OriginVerdict } from './origins.js';
import { refused, RequestRefused } from './request-refused.js';
import { type Made, type Submission, Submissions, type SubmitOptions } from './submissions.js';
import { checkpointView, experimentView, idsByRole, settingView } from './views.js';

export interface ExperimentsOptions extends CancelOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly live: LiveEvents;
  readonly programs: Programs;
  readonly host: ProgramHost;
}

/** An experiment, and whether this request made it or one before. */
export interface SubmittedExperiment {
  readonly experiment: ExperimentView;
  readonly created: boolean;
}

/** What users do with experiments. Every method that refuses throws `RequestRefused`. */
export class Experiments {
  readonly #options: ExperimentsOptions;
  readonly #submissions: Submissions<Checked, ExperimentView>;
  readonly #origins: Origins;
  readonly #workers = new RecentlyKnownWorkers();

  constructor(options: ExperimentsOptions) {
    this.#options = options;
    this.#origins = new Origins(options.record, options.store);
    this.#submissions = new Submissions(
      options.writer,
      'experiment',
      (lives, all) => this.#make(lives, all),
      ({ spec, reproduces }) => (reproduces === null ? spec : { reproduces }),
    );
  }

  /**
   * Queues an experiment. One that goes on from a checkpoint of another waits until it has a copy of that. Refused: a checkpoint that is not there, a program, datasets or
   * seed that are not those of that experiment, unless they may differ; a program, parameters or dataset that cannot be, more threads than any known worker has, an engine that none has, an
   * idempotency key that was used for another spec.
   */
  async submit(spec: ExperimentSpec, options: SubmitOptions = {}): Promise<SubmittedExperiment> {
    // Before it joins others in a transaction: a program may take its time.
    const program = await this.#checkProgram(spec);
    const verdict = await this.#hold(spec);
    return await this.#submit({ spec, datasets: datasetsOf(spec), program, verdict, reproduces: null }, options);
  }

  /**
   * Queues an experiment that is the same as another one, once more: of the same module, parameters, seed and datasets, whatever their names mean by now, from
   * the same checkpoint where that one began from one, and without its notes and tags. Refused: an unknown experiment, one whose module is not
   * known, a checkpoint that is not there any more, and as {@link submit} refuses the spec of that experiment.
   */
  async reproduce(id: string, options: SubmitOptions = {}): Promise<SubmittedExperiment> {
    const original = await this.#select().where('lives.id', '=', id).executeTakeFirst();
    if (original === undefined) throw await absent(this.#options.record.db, 'experiment', id);
    const { program: name, programSha256: sha256, origin } = original;
    if (sha256 === null)
      throw refused('conflict', [{ path: [], code: 'program-unrecorded', facts: { experiment: id, program: name } }]);
    const { notes: _notes, tags: _tags, from, ...rest } = original.spec;
    const spec =
      origin === null
        ? rest
        : { ...rest, from: { allow: [], ...from, experiment: origin.experiment, step: origin.step } };
    const verdict = origin === null ? NO_ORIGIN : await this.#origins.holdAgain(id, origin, newId('experiment'));
    const program = { ok: true, params: spec.params, name, sha256 } as const;
    return await this.#submit(
      { spec, datasets: idsByRole(original.datasets), program, verdict, reproduces: id },
      options,
    );
  }

  /** What {@link submit} would record, without recording anything. Refused as that would be. */
  async dryRun(spec: ExperimentSpec): Promise<ExperimentDryRun> {
    const program = await this.#checkProgram(spec);
    const verdict = await this.#hold(spec);
    try {
      const body = { spec, datasets: datasetsOf(spec), program, verdict, reproduces: null };
      const { checked } = await this.#options.record.transact((transaction) => this.#check(transaction, [body]));
      const [experiment] = checked;
      if (experiment === undefined) throw new Error('Nothing was said of an experiment');
      if (experiment instanceof Error) throw experiment;
      const { name, spec: stored, origin, datasets, programSha256 } = experiment;
      return { name, spec: stored, from: origin, datasets: idsByRole(datasets), programSha256 };
    } finally {
      if (verdict.ok && verdict.origin !== null) await this.#origins.release(verdict.origin);
    }
  }

  /** The checkpoint that it is to go on from, if any, held for it. */
  async #hold({ from }: ExperimentSpec): Promise<OriginVerdict> {
    return from === undefined ? NO_ORIGIN : await this.#origins.hold(from, newId('experiment'));
  }

  /** Lets go of the checkpoint that it was to go on from, where it was not made. */
  async #submit(checked: Checked, options: SubmitOptions): Promise<SubmittedExperiment> {
    const origin = checked.verdict.ok ? checked.verdict.origin : null;
    try {
      const { id, view } = await this.#submissions.submit(checked, options);
      if (origin !== null && id !== origin.heldBy) await this.#origins.release(origin);
      return { experiment: view ?? (await this.get(id)), created: view !== undefined };
    } catch (error) {
      // Of any other error nobody knows whether it was made.
      if (origin !== null && error instanceof RequestRefused) await this.#origins.release(origin);
      throw error;
    }
  }

  /** One experiment with its attempts and checkpoints. Refused when there is none with this id. */
  async get(id: string): Promise<ExperimentView> {
    const { record } = this.#options;
    const row = await this.#select().where('lives.id', '=', id).executeTakeFirst();
    const workers = await this.#workers.read(record.db);
    const experiment = await readLife(record, { what: 'experiment', id }, row, (found) =>
      experimentView(found, found, found.datasets, workers),
    );
    const checkpoints = await record.db
      .selectFrom('checkpoints')
      .selectAll()
      .where('id', '=', id)
      .orderBy('step', 'desc')
      .orderBy('fence', 'desc')
      .limit(100)
      .execute();
    const settings = await settingsOf(record.db, id);
    return { ...experiment, checkpoints: checkpoints.map(checkpointView), settings: settings.map(settingView) };
  }

  /** One page of the experiments that fit a query, see {@link listExperiments}. */
  async list(options: ListOptions = {}): Promise<ExperimentList> {
    const { db } = this.#options.record;
    return listExperiments(db, options, await this.#workers.read(db));
  }

  /** One page of the experiments that fit a query with their specs and metrics, see {@link exportExperiments}. */
  async exportPage(options: ExportOptions = {}): Promise<ExperimentExport> {
    const { db } = this.#options.record;
    return exportExperiments(db, options, await this.#workers.read(db));
  }

  /**
   * Cancels an experiment. One that waits is cancelled when this returns; one that runs is told to stop, and told again
   * until it does: `cancelRequested` says so meanwhile. Refused when it has ended or is unknown.
   */
  async cancel(id: string): Promise<ExperimentView> {
    await cancelLife(this.#options, { kind: 'experiment', id });
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

  /** Rows of the training log by step, see {@link readLogPage}. Refused when there is no experiment with this id. */
  async logPage(id: string, range: LogRange = {}): Promise<LogPage> {
    const { db } = this.#options.record;
    const known = await db.selectFrom('experiments').select('id').where('id', '=', id).executeTakeFirst();
    if (known === undefined) throw await absent(db, 'experiment', id);
    return readLogPage(db, id, range);
  }

  /** Makes experiments whose program and datasets are there, and refuses the others. */
  async #make(lives: Lives, submissions: readonly Submission<Checked>[]): Promise<(Made<ExperimentView> | Error)[]> {
    const { checked, known } = await this.#check(
      lives.transaction,
      submissions.map(({ body }) => body),
    );
    const made = checked.flatMap((experiment) => (experiment instanceof Error ? [] : experiment));
    const rowOf = await beginMany(lives, made);
    if (made.length > 0) await insertExperiments(lives.transaction, made, rowOf);
    await copySettings(lives.transaction, made);
    return checked.map((experiment) =>
      experiment instanceof Error
        ? experiment
        : { id: experiment.id, view: newView(experiment, rowOf(experiment.id), known) },
    );
  }

  /** The experiment of each, or why there cannot be one, as the record stands in a transaction; and the workers that it knows of. */
  async #check(
    transaction: Transaction<Tables>,
    bodies: readonly Checked[],
  ): Promise<{ checked: readonly (NewExperiment | RequestRefused)[]; known: KnownWorkers }> {
    const specs = bodies.map(({ spec }) => spec);
    const datasets = await NamedDatasets.find(
      transaction,
      bodies.map((body) => body.datasets),
    );
    const known = await this.#workers.read(transaction);
    const workers = await readWorkersToRefuseBy(transaction, specs, known);
    const origins = bodies.flatMap(({ verdict }) => (verdict.ok ? (verdict.origin?.experiment ?? []) : []));
    const there = await thoseThere(transaction, [...new Set(origins)]);
    const checked = bodies.map((body) => newExperiment(withOriginIn(there, body), datasets, workers));
    return { checked, known };
  }

  /** Which program it is now, and what that says to the parameters. */
  async #checkProgram({ program: reference, params }: ExperimentSpec): Promise<ProgramVerdict> {
    const { programs, host } = this.#options;
    const resolved = await programs.resolve(reference);
    if (!resolved.ok) return { ok: false, faults: [resolved.fault] };
    const { program } = resolved;
    try {
      const verdict = await host.validate(programs.moduleOf(program), params);
      if (verdict.ok) return { ok: true, params: verdict.value, name: program.name, sha256: program.sha256 };
      return { ok: false, faults: verdict.faults.map((fault) => ({ ...fault, path: ['params', ...fault.path] })) };
    } catch (error) {
      if (!(error instanceof ProgramBroken)) throw error;
      const facts = { program: reference, says: error.message };
      return { ok: false, faults: [{ path: ['program'], code: 'program-broken', facts }] };
    }
  }

  #select() {
    return (
      this.#options.record.db
        .selectFrom('lives')
        .innerJoin('experiments', 'experiments.id', 'lives.id')
        .selectAll('lives')
        .select([
          'experiments.name',
          'experiments.spec',
          'experiments.program',
          'experiments.programSha256',
          'experiments.origin',
          'experiments.reproduces',
        ])
        .select(datasetsInRoles.as('datasets'))
        // The index on places begins with it.
        .where('lives.kind', '=', 'experiment')
    );
  }
}

function newView(experiment: NewExperiment, row: LifeRow, workers: KnownWorkers): ExperimentView {
  return {
    ...experimentView(row, experiment, experiment.datasets, workers),
    attempts: [],
    checkpoints: [],
    settings: [],
  };
}
