import {
  InvalidSafetensors,
  makeFolder,
  readSafetensors,
  StateMismatch,
  writeDurably,
  writeSafetensors,
  type VersionedState,
} from '@longrun/serialization';
import type { NumericEnvironment } from '@longrun/tensor';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import type { MainLoop } from '../main-loop.js';

/** A file of a snapshot. */
export interface WrittenSnapshotFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A snapshot on disk. */
export interface WrittenSnapshot {
  /** Batches done. */
  readonly step: number;
  /** state.json, parameters.safetensors, algorithm.safetensors. */
  readonly files: readonly WrittenSnapshotFile[];
  readonly environment: NumericEnvironment;
}

/** Names of the files of a snapshot. */
export const SNAPSHOT_FILES = {
  /** JSON: where training is. */
  state: 'state.json',
  /** What is saved with the model. Equal values make equal bytes: its hash says whether two models are the same. */
  parameters: 'parameters.safetensors',
  /** What the algorithm remembers. */
  algorithm: 'algorithm.safetensors',
} as const;

/**
 * Writes all that is needed to go on from where `mainLoop` is to files in `folder`, which is made.
 *
 * The state is taken before this function first yields; steps done while it writes do not matter. To be called at a step
 * boundary, or while the main loop is not running.
 */
export async function writeSnapshot(mainLoop: MainLoop, folder: string): Promise<WrittenSnapshot> {
  const step = mainLoop.status.iterationsDone;
  const { environment } = mainLoop;
  const document = { version: 1, step, environment, mainLoop: mainLoop.state() };
  const text = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  const { parameters, algorithm } = mainLoop.arrays();

  await makeFolder(folder);
  const at = (name: string): string => path.join(folder, name);
  const written = [
    { name: SNAPSHOT_FILES.parameters, ...(await writeSafetensors(at(SNAPSHOT_FILES.parameters), parameters)) },
    { name: SNAPSHOT_FILES.algorithm, ...(await writeSafetensors(at(SNAPSHOT_FILES.algorithm), algorithm)) },
    { name: SNAPSHOT_FILES.state, ...(await writeDurably(at(SNAPSHOT_FILES.state), [text])) },
  ];
  const files = written.map(({ name, sha256, sizeBytes }) => ({ name, path: at(name), sha256, sizeBytes }));
  return { step, files, environment };
}

/** What {@link restoreSnapshot} found. */
export interface RestoredSnapshot {
  /** Batches done. */
  readonly step: number;
  /**
   * In what the numeric environment differs from that of the snapshot: `threads: 2 -> 1`. Unless it is empty, the last bits of
   * what follows may differ from those of an undisturbed run.
   */
  readonly environmentChanged: readonly string[];
}

/**
 * Takes a main loop that was built by the same program to where a snapshot was.
 *
 * @throws StateMismatch when the snapshot is damaged, of a newer version, or of another program or other params
 */
export async function restoreSnapshot(mainLoop: MainLoop, folder: string): Promise<RestoredSnapshot> {
  const document = await readState(path.join(folder, SNAPSHOT_FILES.state));
  const [parameters, algorithm] = await Promise.all(
    [SNAPSHOT_FILES.parameters, SNAPSHOT_FILES.algorithm].map((name) => readArrays(path.join(folder, name))),
  );
  if (parameters === undefined || algorithm === undefined) throw new StateMismatch(`${folder}: arrays are missing`);
  mainLoop.restore({ state: document.mainLoop, parameters, algorithm });
  return { step: document.step, environmentChanged: differences(document.environment, mainLoop.environment) };
}

const SUPPORTED_VERSION = 1;

const StateDocument = z.object({
  version: z.number().int().min(1).max(SUPPORTED_VERSION),
  step: z.number().int().nonnegative(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  mainLoop: z.object({ version: z.number().int() }).catchall(z.json()),
});

type ReadState = z.infer<typeof StateDocument> & { readonly mainLoop: VersionedState };

async function readState(file: string): Promise<ReadState> {
  const text = await readFile(file, 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StateMismatch(`${file} is not JSON; use an older snapshot`, { cause: error });
  }
  const parsed = StateDocument.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new StateMismatch(
    `${file} is not a state that this build reads (versions 1..${SUPPORTED_VERSION}): ${z.prettifyError(parsed.error)}`,
  );
}

async function readArrays(file: string): Promise<Awaited<ReturnType<typeof readSafetensors>>['tensors']> {
  try {
    return (await readSafetensors(file)).tensors;
  } catch (error) {
    if (!(error instanceof InvalidSafetensors)) throw error;
    throw new StateMismatch(`${error.message}; use an older snapshot`, { cause: error });
  }
}

function differences(
  then: Readonly<Record<string, string | number>>,
  now: Readonly<Record<string, string | number>>,
): string[] {
  return [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((key) => then[key] !== now[key])
    .map((key) => `${key}: ${then[key] ?? 'unknown'} -> ${now[key] ?? 'unknown'}`);
}
