import type { ExperimentOrigin, ExperimentSpec, FaultOf, From } from '@longrun/contracts';
import { CheckpointAbsent, CheckpointReader, holdCheckpoint, type ObjectStore } from '@longrun/serialization';

import { holdOf, releaseOrigin } from '../life/origin-hold.js';
import { leasePrefix } from '../life/outcome.js';
import type { PlatformRecord } from '../record/record.js';
import { AskedStore } from './asked-store.js';
import { refusalFor } from './checkpoints.js';
import { refused } from './request-refused.js';
import type { DatasetInRole } from './datasets-in-roles.js';

type SpecFault = FaultOf<'invalid-request'>;

/** A checkpoint that an experiment is to go on from, and what the experiment that has it was submitted with. */
export interface Origin extends Omit<ExperimentOrigin, 'changed'> {
  /** Id of the experiment that is to go on from it, and holds it. */
  readonly heldBy: string;
  readonly programSha256: string | null;
  readonly seed: number;
  readonly datasets: readonly Pick<DatasetInRole, 'role' | 'id' | 'name'>[];
}

export type OriginVerdict =
  | { readonly ok: true; readonly origin: Origin | null }
  | { readonly ok: false; readonly faults: readonly SpecFault[] };

/** What is said of an experiment that begins at its beginning. */
export const NO_ORIGIN: OriginVerdict = { ok: true, origin: null };

/** The checkpoints that experiments are to go on from. */
export class Origins {
  readonly #record: PlatformRecord;
  readonly #store: ObjectStore;

  constructor(record: PlatformRecord, store: ObjectStore) {
    this.#record = record;
    this.#store = store;
  }

  /**
   * Finds the checkpoint that `heldBy` is to go on from, and holds it for that, so that nobody removes it before `heldBy` has a copy of its own. The
   * hold ends by itself after some weeks, should nobody release it.
   *
   * @throws RequestRefused for one that cannot be read, or that too many hold; ObjectsUnreachable
   */
  async hold({ experiment, step }: From, heldBy: string): Promise<OriginVerdict> {
    return await this.#hold({ experiment, step, sha256: undefined }, heldBy);
  }

  /**
   * Holds the very checkpoint that an experiment began from for another one that does.
   *
   * @throws RequestRefused where it is not there any more; as {@link hold} besides
   */
  async holdAgain(id: string, origin: ExperimentOrigin, heldBy: string): Promise<OriginVerdict> {
    const verdict = await this.#hold(origin, heldBy);
    if (verdict.ok) return verdict;
    const { experiment, step } = origin;
    throw refused('conflict', [{ path: [], code: 'origin-gone', facts: { experiment: id, origin: experiment, step } }]);
  }

  /** @param which.sha256 Of the manifest. Undefined: whichever the step has */
  async #hold(
    { experiment, step, sha256: wanted }: Pick<From, 'experiment' | 'step'> & { readonly sha256: string | undefined },
    heldBy: string,
  ): Promise<OriginVerdict> {
    const parent = await this.#record.db
      .selectFrom('experiments')
      .select(['spec', 'programSha256'])
      .where('id', '=', experiment)
      .executeTakeFirst();
    if (parent === undefined) return { ok: false, faults: [originUnknown(experiment)] };
    const datasets = await this.#record.db
      .selectFrom('experimentDatasets as used')
      .innerJoin('datasets', 'datasets.id', 'used.datasetId')
      .select(['used.role', 'datasets.id', 'datasets.name'])
      .where('used.id', '=', experiment)
      .execute();
    const { programSha256, spec } = parent;
    const which = step === undefined ? 'latest' : String(step);
    const store = new AskedStore(this.#store);
    try {
      const reader = new CheckpointReader(store, leasePrefix('experiment', experiment));
      const held = await reader.read(await nameOf(reader, which, wanted), async ({ entry: { manifestKey } }) =>
        holdCheckpoint(store, reader.prefix, manifestKey, holdOf(heldBy)),
      );
      const { step: found, sha256 } = held;
      return {
        ok: true,
        origin: { experiment, step: found, sha256, heldBy, programSha256, seed: spec.seed, datasets },
      };
    } catch (error) {
      if (!(error instanceof CheckpointAbsent)) throw refusalFor(error, experiment, which);
      const facts = { experiment, checkpoint: which, known: [...error.known] };
      const path = step === undefined ? ['from'] : ['from', 'step'];
      return { ok: false, faults: [{ path, code: 'checkpoint-unknown', facts }] };
    }
  }

  /** Lets go of a checkpoint from which nobody goes on after all. Never fails: what is not released ends by itself. */
  async release({ experiment, sha256, heldBy }: Origin): Promise<void> {
    await releaseOrigin(new AskedStore(this.#store), { experiment, sha256 }, heldBy).catch(() => undefined);
  }
}

/** The name of the checkpoint whose manifest has a SHA-256; where none is wanted, what it was asked for by. @throws CheckpointAbsent */
async function nameOf(reader: CheckpointReader, which: string, sha256: string | undefined): Promise<string> {
  if (sha256 === undefined) return which;
  const { checkpoints } = await reader.list();
  const found = checkpoints.find(({ entry }) => entry.sha256 === sha256);
  if (found !== undefined) return found.name;
  throw new CheckpointAbsent(
    `${reader.prefix} has no checkpoint ${which} with SHA-256 ${sha256} any more`,
    checkpoints.map(({ name }) => name),
  );
}

/** Whether a spec may go on from a checkpoint: its program, datasets and seed are those that made it, or may differ. */
export function originOf(
  { from, seed }: ExperimentSpec,
  origin: Origin,
  program: { readonly name: string; readonly sha256: string },
  datasets: readonly DatasetInRole[],
): { readonly origin: ExperimentOrigin; readonly faults: readonly SpecFault[] } {
  const { experiment, step, sha256 } = origin;
  const differences = [
    ['program', origin.programSha256 ?? 'unknown', program.sha256],
    ['datasets', textOf(origin.datasets), textOf(datasets)],
  ] as const;
  const changed = differences.filter(([, there, here]) => there !== here);
  const unwanted = changed.filter(([what]) => from?.allow.includes(what) !== true);
  const faults = unwanted.map(([what, there, here]) => originDiffers(experiment, what, there, here));
  if (seed !== origin.seed) faults.push(originDiffers(experiment, 'seed', String(origin.seed), String(seed)));
  return { origin: { experiment, step, sha256, changed: changed.map(([what]) => what) }, faults };
}

/** The experiment that another one is to go on from is not there. */
export function originUnknown(experiment: string): SpecFault {
  return { path: ['from', 'experiment'], code: 'origin-unknown', facts: { experiment } };
}

function originDiffers(
  experiment: string,
  what: 'program' | 'datasets' | 'seed',
  there: string,
  here: string,
): SpecFault {
  const path = what === 'seed' ? ['seed'] : ['from', 'allow'];
  return { path, code: 'origin-differs', facts: { experiment, what, there, here } };
}

function textOf(datasets: Origin['datasets']): string {
  return datasets
    .map(({ role, id, name }) => `${role}: ${name} (${id})`)
    .toSorted()
    .join(', ');
}
