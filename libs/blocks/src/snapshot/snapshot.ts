import {
  hashFile,
  InvalidSafetensors,
  makeFolder,
  readSafetensors,
  StateKind,
  StateMismatch,
  safetensorsChunks,
  writeDurably,
  writeWhole,
  type VersionedState,
} from '@longrun/serialization';
import type { NumericEnvironment } from '@longrun/tensor';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import type { MainLoop } from '../main-loop/main-loop.js';
import type { SnapshotSource } from '../main-loop/training-context.js';
import type { MainLoopRestoring } from '../main-loop/main-loop-contents.js';
import { MAIN_LOOP } from '../main-loop/training-state.js';
import { elementsOf } from './named-arrays.js';
import { OUTPUT_NAME, OUTPUT_PREFIX, type SavedOutput } from '../outputs/outputs.js';

/** A file of a snapshot. */
export interface WrittenSnapshotFile {
  readonly name: string;
  readonly path: string;
  /** Not of one that is handed over, but for its outputs. */
  readonly sha256?: string;
  readonly sizeBytes: number;
}

/** How a snapshot is written. */
export interface SnapshotWriting {
  /** Another process, that makes a checkpoint of it, takes the hashes of its files and waits for the disk: neither is done here. Default false. */
  readonly isHandedOver?: boolean | undefined;
  /**
   * Told, after each piece of a file that is handed over, where it lies as yet and how many of its first bytes are written and stay as they
   * are: the other process may read them meanwhile. Default: nobody is.
   */
  readonly onWritten?: ((file: string, sizeBytes: number) => void) | undefined;
}

/** A snapshot on disk. */
export interface WrittenSnapshot {
  /** Batches done. */
  readonly step: number;
  /** state.json, parameters.safetensors, algorithm.safetensors, and `output.<name>` for each output. */
  readonly files: readonly WrittenSnapshotFile[];
  readonly environment: NumericEnvironment;
}

/** Names of the files that every snapshot has. */
export const SNAPSHOT_FILES = {
  /** JSON: where training is. */
  state: 'state.json',
  /** What is saved with the model. Equal values make equal bytes: its hash says whether two models are the same. */
  parameters: 'parameters.safetensors',
  /** All else that training writes, such as what the algorithm remembers. */
  algorithm: 'algorithm.safetensors',
} as const;

/**
 * Writes all that is needed to go on from where `mainLoop` is to files in `folder`, which is made.
 *
 * The state is taken before this function first yields; steps done while it writes do not matter. To be called at a step
 * boundary, or while the main loop is not running.
 *
 * @throws Error naming a variable that an unfinished run is updating, such as one that an extension did not await
 */
export async function writeSnapshot(
  mainLoop: SnapshotSource,
  folder: string,
  { isHandedOver = false, onWritten }: SnapshotWriting = {},
): Promise<WrittenSnapshot> {
  const step = mainLoop.status.iterationsDone;
  const { environment } = mainLoop;
  const state = mainLoop.state();
  const arrays = mainLoop.pinnedArrays();
  const captured = mainLoop.outputs?.capture() ?? [];

  const files: WrittenSnapshotFile[] = [];
  const write = async <T extends Pick<WrittenSnapshotFile, 'sha256' | 'sizeBytes'>>(
    name: string,
    written: (target: string) => Promise<T>,
  ): Promise<T> => {
    const target = path.join(folder, name);
    const file = await written(target);
    files.push({ name, path: target, ...file });
    return file;
  };
  const place = async (
    target: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<Pick<WrittenSnapshotFile, 'sha256' | 'sizeBytes'>> =>
    isHandedOver
      ? { sizeBytes: await writeWhole(target, chunks, { onWritten, areLasting: true }) }
      : writeDurably(target, chunks);
  try {
    await makeFolder(folder);
    const moved = (): void => mainLoop.moved();
    for (const group of ['parameters', 'algorithm'] as const) {
      const elements = await elementsOf(arrays[group]);
      await write(SNAPSHOT_FILES[group], (target) => place(target, safetensorsChunks(elements, {}, moved)));
    }
    const outputs: z.infer<typeof OutputEntry>[] = [];
    for (const output of captured) {
      moved();
      const { name } = output;
      outputs.push({ name, ...(await write(OUTPUT_PREFIX + name, (target) => output.copyTo(target))) });
    }
    const document = { ...SNAPSHOT.head, step, environment, mainLoop: state, outputs };
    const text = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
    await write(SNAPSHOT_FILES.state, (target) => place(target, [text]));
  } finally {
    for (const output of captured) output.close();
    await arrays.release();
  }
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
 * Takes a main loop that was built by the same program to where a snapshot was, its outputs included: they become those that there
 * were at that step, and no others. (A snapshot of version 1 knows of no outputs, and leaves them as they are.)
 *
 * @throws StateMismatch when the snapshot is damaged, of a newer version, or of another program or other params
 */
export async function restoreSnapshot(
  mainLoop: MainLoop,
  folder: string,
  options: MainLoopRestoring = {},
): Promise<RestoredSnapshot> {
  const document = await readState(path.join(folder, SNAPSHOT_FILES.state));
  const [parameters, algorithm] = await Promise.all(
    [SNAPSHOT_FILES.parameters, SNAPSHOT_FILES.algorithm].map((name) => readArrays(path.join(folder, name))),
  );
  if (parameters === undefined || algorithm === undefined) throw new StateMismatch(`${folder}: arrays are missing`);
  const outputs = await savedOutputs(document, folder);
  if (outputs.length > 0 && mainLoop.outputs === undefined) {
    throw new StateMismatch(
      `${folder} has outputs (${outputs.map(({ name }) => name).join(', ')}) but the main loop was given none to put them back to; ` +
        'give it new MainLoop({ outputs })',
    );
  }
  mainLoop.restore({ state: document.mainLoop, parameters, algorithm }, options);
  if (document.outputs !== null) await mainLoop.outputs?.restore(outputs);
  return { step: document.step, environmentChanged: differences(document.environment, mainLoop.environment) };
}

/** What a snapshot's main loop was, but for its arrays. @throws StateMismatch when it is damaged or of a newer version */
export async function readSnapshotState(folder: string): Promise<VersionedState> {
  const { mainLoop } = await readState(path.join(folder, SNAPSHOT_FILES.state));
  return MAIN_LOOP.read(mainLoop);
}

const SNAPSHOT = new StateKind('Snapshot', {
  version: 3,
  namedSince: 3,
  migrations: [
    // The first version knew of no outputs.
    { from: 1, migrate: (state) => ({ ...state, version: 2, outputs: null }) },
    { from: 2, migrate: (state) => ({ ...state, version: 3, kind: 'Snapshot' }) },
  ],
});

const OutputEntry = z.object({
  name: z.string().regex(OUTPUT_NAME),
  sha256: z.string(),
  sizeBytes: z.int().nonnegative(),
});

const Versioned = z.object({ version: z.number() }).catchall(z.json());

const StateDocument = z.object({
  step: z.number().int().nonnegative(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  mainLoop: z.object({ version: z.number().int() }).catchall(z.json()),
  outputs: z.array(OutputEntry).nullable(),
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
  const versioned = Versioned.safeParse(json);
  if (!versioned.success) {
    throw new StateMismatch(
      `${file} is no state of a snapshot: ${z.prettifyError(versioned.error)}; use an older snapshot`,
    );
  }
  const parsed = StateDocument.safeParse(SNAPSHOT.read(versioned.data, file));
  if (parsed.success) return parsed.data;
  throw new StateMismatch(
    `${file} has another form than its version says: ${z.prettifyError(parsed.error)}; use an older snapshot`,
  );
}

/** The outputs of a snapshot, once their bytes are found to be whole. */
async function savedOutputs({ outputs }: ReadState, folder: string): Promise<SavedOutput[]> {
  const saved: SavedOutput[] = [];
  for (const { name, sha256, sizeBytes } of outputs ?? []) {
    const file = path.join(folder, OUTPUT_PREFIX + name);
    const found = await hashFile(file);
    if (found.sha256 !== sha256) {
      throw new StateMismatch(`${file} has SHA-256 ${found.sha256} but ${sha256} was written; use an older snapshot`);
    }
    saved.push({ name, path: file, sizeBytes });
  }
  return saved;
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
