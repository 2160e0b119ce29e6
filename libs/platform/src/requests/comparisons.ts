import {
  type AttemptView,
  CHECKPOINT_FILES,
  type ExperimentComparison,
  type ExperimentView,
  isTerminal,
  isWallClock,
  type Json,
  type StoredLogRow,
} from '@longrun/contracts';
import {
  canonicalJson,
  CheckpointAbsent,
  CheckpointReader,
  compareCheckpoints,
  type Manifest,
  type ObjectStore,
} from '@longrun/serialization';

import { leasePrefix } from '../life/outcome.js';
import { rowsByStep } from '../life/series.js';
import type { PlatformRecord } from '../record/record.js';
import { AskedStore } from './asked-store.js';
import { refusalFor } from './checkpoints.js';
import type { Experiments } from './experiments.js';
import { absence } from './life-reading.js';
import type { LongReading } from './long-reading.js';
import { refused } from './request-refused.js';

export interface ComparisonsOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
  readonly experiments: Experiments;
}

type Differences = NonNullable<ExperimentComparison['differences']>;

/** Compares what experiments have left, as it is stored. */
export class Comparisons {
  readonly #options: ComparisonsOptions;

  constructor(options: ComparisonsOptions) {
    this.#options = options;
  }

  /**
   * How the logs, final parameters and outputs of two experiments compare. Parameters are read only where their hashes differ and the logs do not.
   *
   * @throws RequestRefused for an experiment that there is not, and where the last checkpoint of one that has succeeded cannot be read; ObjectsUnreachable
   */
  async compare(id: string, other: string, { signal, onFound }: LongReading): Promise<ExperimentComparison> {
    const { experiments, record } = this.#options;
    const a = await experiments.get(id);
    const isThere = await record.db.selectFrom('experiments').select('id').where('id', '=', other).executeTakeFirst();
    if (isThere === undefined) throw refused('not-found', [await absence(record.db, 'experiment', other, 'with')]);
    const b = await experiments.get(other);
    onFound?.();
    const haveEnded = isTerminal(a.status) && isTerminal(b.status);
    const differences = haveEnded ? await this.#differences(a, b, signal) : null;
    const environment = environmentDifferences(a.attempts, b.attempts);
    return { a: compared(a), b: compared(b), verdict: verdictOn(a, b, differences), differences, environment };
  }

  async #differences(a: ExperimentView, b: ExperimentView, signal: AbortSignal): Promise<Differences> {
    const { rows, log } = await this.#compareLogs(a.id, b.id, signal);
    const store = new AskedStore(this.#options.store, signal);
    const [inA, inB] = [await lastCheckpoint(store, a), await lastCheckpoint(store, b)];
    const outputs = differingOutputs(inA, inB);
    const isOfParameters = log === null && a.result?.parametersSha256 !== b.result?.parametersSha256;
    if (!isOfParameters || inA === undefined || inB === undefined) return { rows, log, parameters: [], outputs };
    try {
      return { rows, log, parameters: await differingParameters(store, inA, inB), outputs };
    } catch (error) {
      throw refusalFor(error, a.id, LATEST);
    }
  }

  /** How many rows were compared, and where the first difference is, by step and then by name. */
  async #compareLogs(a: string, b: string, signal: AbortSignal): Promise<Pick<Differences, 'rows' | 'log'>> {
    const { db } = this.#options.record;
    const [ofA, ofB] = [comparedRows(db, a), comparedRows(db, b)];
    try {
      for (let rows = 0; ; rows += 1) {
        signal.throwIfAborted();
        const [inA, inB] = [await ofA.next(), await ofB.next()];
        if (inA.done === true && inB.done === true) return { rows, log: null };
        const log = firstDifference(inA.value ?? END, inB.value ?? END);
        if (log !== null) return { rows, log };
      }
    } finally {
      await ofA.return(undefined);
      await ofB.return(undefined);
    }
  }
}

const LATEST = 'latest';

/** What stands for the row after the last one. */
const END: StoredLogRow = { step: Infinity, row: {} };

/** The rows of a log without what the clock on the wall says; of a step at which nothing else was logged there is none. */
async function* comparedRows(db: PlatformRecord['db'], id: string): AsyncGenerator<StoredLogRow, undefined, undefined> {
  for await (const { step, row } of rowsByStep(db, id)) {
    const records = Object.entries(row).filter(([name]) => !isWallClock(name));
    if (records.length > 0) yield { step, row: Object.fromEntries(records) };
  }
}

/** Where two rows differ that are the next of their logs. */
function firstDifference(a: StoredLogRow, b: StoredLogRow): Differences['log'] {
  const step = Math.min(a.step, b.step);
  const [inA, inB] = [a.step === step ? a.row : {}, b.step === step ? b.row : {}];
  for (const record of [...new Set([...Object.keys(inA), ...Object.keys(inB)])].toSorted()) {
    const [ofA, ofB] = [inA[record], inB[record]];
    if (ofA !== undefined && ofB !== undefined && canonicalJson(ofA) === canonicalJson(ofB)) continue;
    return { step, record, ...(ofA !== undefined && { a: ofA }), ...(ofB !== undefined && { b: ofB }) };
  }
  return null;
}

/** The last checkpoint of an experiment that has ended; undefined where there is none of one that has not succeeded. */
async function lastCheckpoint(store: ObjectStore, { id, status }: ExperimentView): Promise<Manifest | undefined> {
  try {
    return await new CheckpointReader(store, leasePrefix('experiment', id)).read(
      LATEST,
      async ({ manifest }) => manifest,
    );
  } catch (error) {
    if (error instanceof CheckpointAbsent && status !== 'succeeded') return undefined;
    throw refusalFor(error, id, LATEST);
  }
}

function differingOutputs(a: Manifest | undefined, b: Manifest | undefined): Differences['outputs'] {
  const [inA, inB] = [outputsOf(a), outputsOf(b)];
  return [...new Set([...inA.keys(), ...inB.keys()])]
    .toSorted()
    .map((name) => ({ name, a: inA.get(name) ?? null, b: inB.get(name) ?? null }))
    .filter((output) => output.a !== output.b);
}

/** The SHA-256 of what a program has written, by name. */
function outputsOf(manifest: Manifest | undefined): ReadonlyMap<string, string> {
  const { outputPrefix } = CHECKPOINT_FILES;
  const files = manifest?.files.filter(({ name }) => name.startsWith(outputPrefix)) ?? [];
  return new Map(files.map(({ name, sha256 }) => [name.slice(outputPrefix.length), sha256]));
}

/** Names of the parameters that are not the same in two checkpoints. */
async function differingParameters(store: ObjectStore, a: Manifest, b: Manifest): Promise<string[]> {
  const { files } = await compareCheckpoints(store, withParameters(a), withParameters(b));
  const tensors = files.flatMap((file) => file.tensors ?? []);
  return tensors.filter(({ kind }) => kind !== 'equal').map(({ name }) => name);
}

function withParameters(manifest: Manifest): Manifest {
  return { ...manifest, files: manifest.files.filter(({ name }) => name === CHECKPOINT_FILES.parameters) };
}

function verdictOn(
  a: ExperimentView,
  b: ExperimentView,
  differences: Differences | null,
): ExperimentComparison['verdict'] {
  if (differences === null) return 'undecided';
  const isEqual =
    differences.log === null &&
    differences.outputs.length === 0 &&
    a.result?.parametersSha256 === b.result?.parametersSha256;
  if (!isEqual) return 'different';
  return a.status === 'succeeded' && b.status === 'succeeded' ? 'identical' : 'incomparable';
}

function compared({ id, name, status, result }: ExperimentView): ExperimentComparison['a'] {
  return { id, name, status, parametersSha256: result?.parametersSha256 ?? null };
}

/** In what the environments and libraries differ in which the attempts of two experiments ran. */
function environmentDifferences(
  a: readonly AttemptView[],
  b: readonly AttemptView[],
): ExperimentComparison['environment'] {
  const [inA, inB] = [valuesIn(a), valuesIn(b)];
  return [...new Set([...inA.keys(), ...inB.keys()])]
    .toSorted()
    .map((name) => ({ name, a: inA.get(name) ?? [], b: inB.get(name) ?? [] }))
    .filter((entry) => canonicalJson(entry.a) !== canonicalJson(entry.b));
}

/** The values of each entry in the attempts that have begun, each once. */
function valuesIn(attempts: readonly AttemptView[]): ReadonlyMap<string, Json[]> {
  const values = new Map<string, Json[]>();
  for (const { environment, libraries } of attempts) {
    for (const [name, value] of [environment, libraries].flatMap((entries) => Object.entries(entries ?? {}))) {
      const known = values.get(name) ?? [];
      values.set(name, known);
      if (!known.includes(value)) known.push(value);
    }
  }
  return values;
}
