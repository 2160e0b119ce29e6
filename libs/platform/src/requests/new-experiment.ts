import { type ExperimentSpec, type FaultOf, firstFaults, type JsonObject, labelFaults } from '@longrun/contracts';
import { sql, type Transaction } from 'kysely';

import { newId, type NewLife } from '../life/begin.js';
import { experimentStatus } from '../life/transitions.js';
import { insertTags } from '../record/experiment-tags.js';
import { type KnownWorkers, knownWorkers, missingEngine, threadLimit } from '../record/known-workers.js';
import type { LifeRow, Tables } from '../record/tables.js';
import type { DatasetInRole } from './datasets-in-roles.js';
import type { NamedDatasets } from './named-datasets.js';
import { originOf, originUnknown, type OriginVerdict } from './origins.js';
import { refused, type RequestRefused } from './request-refused.js';

type SpecFault = FaultOf<'invalid-request'>;

/** The program of a spec, and what it said to the parameters. */
export type ProgramVerdict =
  | { readonly ok: true; readonly params: JsonObject; readonly name: string; readonly sha256: string }
  | { readonly ok: false; readonly faults: readonly SpecFault[] };

/** A spec, and what was found of it before the transaction in which it is submitted. */
export interface Checked {
  readonly spec: ExperimentSpec;
  /** Names or ids of its datasets, by role. */
  readonly datasets: Readonly<Record<string, string>>;
  readonly program: ProgramVerdict;
  readonly verdict: OriginVerdict;
  /** Id of the experiment that it is the same as, once more; null where it is submitted by itself. */
  readonly reproduces: string | null;
}

/** What was checked, but that the experiment which it goes on from was deleted since, if it is not among those that are there. */
export function withOriginIn(there: ReadonlySet<string>, checked: Checked): Checked {
  const { verdict } = checked;
  const experiment = verdict.ok ? verdict.origin?.experiment : undefined;
  if (experiment === undefined || there.has(experiment)) return checked;
  return { ...checked, verdict: { ok: false, faults: [originUnknown(experiment)] } };
}

/** The experiment of a spec, or why there cannot be one. */
export function newExperiment(
  { spec, datasets: references, program, verdict, reproduces }: Checked,
  named: NamedDatasets,
  workers: KnownWorkers | null,
): NewExperiment | RequestRefused {
  const datasets = named.of(references, spec.datasets === undefined);
  const other = [
    ...labelFaults(spec),
    ...(workers === null ? [] : [...threadFaults(spec, workers), ...engineFaults(spec, workers)]),
  ];
  if (!program.ok || !datasets.ok || !verdict.ok || other.length > 0) {
    const faults = [program, datasets, verdict].flatMap((each) => (each.ok ? [] : each.faults));
    return refused('invalid-request', firstFaults([...faults, ...other]));
  }
  const from = verdict.origin === null ? null : originOf(spec, verdict.origin, program, datasets.found);
  if (from !== null && from.faults.length > 0) return refused('invalid-request', firstFaults([...from.faults]));
  const { name = program.name, priority, retry } = spec;
  const stored = { ...spec, params: program.params };
  return {
    id: verdict.origin?.heldBy ?? newId('experiment'),
    kind: 'experiment',
    name,
    spec: stored,
    program: program.name,
    programSha256: program.sha256,
    priority,
    retry,
    origin: from?.origin ?? null,
    reproduces,
    datasets: datasets.found,
  };
}

/** An experiment that can be made. */
export interface NewExperiment extends NewLife {
  readonly spec: ExperimentSpec;
  readonly reproduces: string | null;
  /** Its name. */
  readonly program: string;
  readonly programSha256: string;
  readonly datasets: readonly DatasetInRole[];
}

/** Writes experiments into the record, whose lives are there. */
export async function insertExperiments(
  transaction: Transaction<Tables>,
  experiments: readonly NewExperiment[],
  rowOf: (id: string) => LifeRow,
): Promise<void> {
  await transaction
    .insertInto('experiments')
    .values(
      experiments.map(({ id, name, spec, program, programSha256, origin, reproduces }) => {
        const { place, owner, project, phase, reason, endedAt } = rowOf(id);
        const status = experimentStatus(phase, reason);
        const text = JSON.stringify(spec);
        const from = origin === null ? null : JSON.stringify(origin);
        const listed = { place, owner, project, status, endedAt };
        return { id, name, spec: text, program, programSha256, origin: from, reproduces, ...listed };
      }),
    )
    .execute();
  await insertTags(
    transaction,
    experiments.map(({ id, spec }) => ({ place: rowOf(id).place, tags: spec.tags })),
  );
  const inRoles = experiments.flatMap(({ id, datasets }) =>
    datasets.map((dataset) => ({ id, role: dataset.role, datasetId: dataset.id })),
  );
  if (inRoles.length > 0) await transaction.insertInto('experimentDatasets').values(inRoles).execute();
}

/** Has what reproduces another experiment set the hyperparameters that were set of that, at the same steps. */
export async function copySettings(
  transaction: Transaction<Tables>,
  experiments: readonly Pick<NewExperiment, 'id' | 'reproduces'>[],
): Promise<void> {
  for (const { id, reproduces } of experiments) {
    if (reproduces === null) continue;
    await transaction
      .insertInto('hyperparameterSettings')
      .columns(['id', 'number', 'hyperparameters', 'at', 'step'])
      .expression((builder) =>
        builder
          .selectFrom('hyperparameterSettings')
          .select([sql.lit(id).as('id'), 'number', 'hyperparameters', sql<Date>`now()`.as('at'), 'step'])
          .where('id', '=', reproduces)
          // What was asked for and came too late had no effect.
          .where('step', 'is not', null),
      )
      .execute();
  }
}

/** The workers by which specs are refused that ask for more than they have, as they are known now; null where none is refused. */
export async function readWorkersToRefuseBy(
  transaction: Transaction<Tables>,
  specs: readonly ExperimentSpec[],
  known: KnownWorkers,
): Promise<KnownWorkers | null> {
  if (specs.every((spec) => [...threadFaults(spec, known), ...engineFaults(spec, known)].length === 0)) return null;
  const now = await knownWorkers(transaction);
  // While none is alive, one of any kind may come.
  return now.alive ? now : null;
}

function threadFaults({ resources }: ExperimentSpec, workers: KnownWorkers): SpecFault[] {
  const limit = threadLimit(workers);
  if (resources.threads <= limit) return [];
  const facts = { threads: resources.threads, most: limit };
  return [{ path: ['resources', 'threads'], code: 'threads-unavailable', facts }];
}

function engineFaults({ resources }: ExperimentSpec, workers: KnownWorkers): SpecFault[] {
  const facts = missingEngine(workers.engines, resources);
  if (facts === undefined) return [];
  return [{ path: ['resources', facts.provider === null ? 'engine' : 'provider'], code: 'engine-unavailable', facts }];
}
