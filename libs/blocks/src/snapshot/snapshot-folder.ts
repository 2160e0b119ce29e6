import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { ConfigurationError } from '@longrun/fuel';
import { hashFile, makeFolder, syncFolder } from '@longrun/serialization';

import { config } from '../configuration/config.js';
import type { SnapshotSource } from '../main-loop/training-context.js';
import { copyOfMember, SUMS, sumsIn, writeMember, writeSums, type SnapshotMember } from './snapshot-members.js';
import {
  readSnapshotState,
  SNAPSHOT_FILES,
  type SnapshotWriting,
  writeSnapshot,
  type WrittenSnapshot,
  type WrittenSnapshotFile,
} from './snapshot.js';

/** A snapshot that is complete in a folder of its own. */
export interface FinishedSnapshot extends WrittenSnapshot {
  readonly folder: string;
}

/** How a snapshot is saved. */
export interface SnapshotSaving extends SnapshotWriting {
  /** What is in it besides, by name: see `loadFromSnapshot`. Default nothing. */
  readonly members?: ReadonlyMap<string, SnapshotMember>;
}

/** Where {@link saveSnapshot} puts the snapshot of the present step: `step-000000000100`, or `step-000000000100-final`. */
export function snapshotFolder(mainLoop: SnapshotSource, parent: string): string {
  const { iterationsDone, trainingFinished } = mainLoop.status;
  // Zeros, so that the names sort as the steps do.
  const step = String(iterationsDone).padStart(12, '0');
  return path.join(path.resolve(parent), `step-${step}${trainingFinished ? '-final' : ''}`);
}

/**
 * Saves a snapshot in a folder of its own in `parent`, where it appears complete and, unless it is handed over, on disk, or not at all.
 * One of the same step is replaced: whenever the process may be killed, one of the two is there, whole. Unless it is handed over it has the hashes of its files, in `SHA256SUMS`, which {@link newestWholeSnapshot} looks at.
 *
 * As with `writeSnapshot`, the state is taken before this function first yields.
 */
export async function saveSnapshot(
  mainLoop: SnapshotSource,
  parent: string,
  { members = new Map(), ...writing }: SnapshotSaving = {},
): Promise<FinishedSnapshot> {
  const folder = snapshotFolder(mainLoop, parent);
  const partial = partialFolder(folder);
  const taken = [...members].map(([name, member]) => [name, copyOfMember(member)] as const);
  const written = await writeSnapshot(mainLoop, partial, writing);
  const files = [...written.files];
  for (const [name, member] of taken) files.push(await writeMember(partial, name, member));
  if (writing.isHandedOver !== true) await writeSums(partial, new Map(files.map(sumOf)));
  await putInPlace(partial, folder, { isLasting: writing.isHandedOver !== true });
  return { ...written, folder, files: files.map((file) => ({ ...file, path: path.join(folder, file.name) })) };
}

/** The newest snapshot that {@link saveSnapshot} left in a folder; undefined when there is none. */
export async function newestSnapshot(parent: string): Promise<string | undefined> {
  return (await snapshotsIn(parent))[0];
}

/** The snapshots that training with the log of this uuid has left beside `newest`, before it; the oldest first. */
export async function snapshotsOfLog(uuid: string, newest: string): Promise<string[]> {
  const earlier = (await snapshotsIn(path.dirname(newest))).toReversed().filter((folder) => folder < newest);
  const logs = await Promise.all(
    earlier.map(async (folder) => {
      // One that cannot be read may be anybody's.
      const state = await readSnapshotState(folder).catch(() => undefined);
      return state === undefined ? undefined : new Map(Object.entries(state['log'] ?? {})).get('uuid');
    }),
  );
  return earlier.filter((_, at) => logs[at] === uuid);
}

/** A snapshot that is not as it was saved. */
export interface DamagedSnapshot {
  readonly folder: string;
  /** What is wrong with which file, in a clause. */
  readonly reason: string;
}

/** The newest snapshot in a folder all of whose files are as {@link saveSnapshot} wrote them, if there is one, and the newer ones that are not. */
export async function newestWholeSnapshot(
  parent: string,
): Promise<{ readonly whole: string | undefined; readonly damaged: readonly DamagedSnapshot[] }> {
  const damaged: DamagedSnapshot[] = [];
  for (const folder of await snapshotsIn(parent)) {
    const reason = await damageIn(folder);
    if (reason === undefined) return { whole: folder, damaged };
    damaged.push({ folder, reason });
  }
  return { whole: undefined, damaged };
}

/**
 * Gives a snapshot that was made its place. One that has it is moved beside it before and removed afterwards, so that at each moment one of the two is among {@link snapshotsIn}.
 *
 * @param options.isLasting whether the new one is to be on disk before the old one is removed
 */
async function putInPlace(
  partial: string,
  folder: string,
  { isLasting }: { readonly isLasting: boolean },
): Promise<void> {
  const parent = path.dirname(folder);
  await makeFolder(parent);
  const isThere = (await present(async () => await stat(folder))) !== undefined;
  if (isThere) {
    await removeReplaced(parent);
    await rename(folder, folder + REPLACED);
  }
  try {
    await rename(partial, folder);
  } catch (error) {
    if (isThere) await rename(folder + REPLACED, folder);
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    throw new ConfigurationError(
      `temp_dir, ${config.tempDir}, is on another disk than ${folder}, so that a snapshot cannot appear there at once; name a folder on that disk, or none`,
      { cause: error },
    );
  }
  if (isLasting) await syncFolder(parent);
  await removeReplaced(parent);
}

/** Removes snapshots that others have replaced, also those that were left by a process that was killed meanwhile. */
async function removeReplaced(parent: string): Promise<void> {
  const folders = new Set(await snapshotsIn(parent));
  for (const folder of folders) {
    if (folders.has(folder + REPLACED)) await rm(folder + REPLACED, { recursive: true, force: true });
  }
}

/** Ends the name of a snapshot while another one takes its place. */
const REPLACED = '.replaced';

/** Where a snapshot is made: beside its place, or where the configuration says. One that a killed process has left is used again. */
function partialFolder(folder: string): string {
  const { tempDir } = config;
  const name = path.basename(folder);
  if (tempDir === null) return path.join(path.dirname(folder), `.${name}.partial`);
  const place = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return path.join(tempDir, `${name}-${place}.partial`);
}

function sumOf({ name, sha256 }: WrittenSnapshotFile): readonly [string, string] {
  if (sha256 === undefined) throw new Error(`snapshot: ${name} was written without its hash`);
  return [name, sha256];
}

async function damageIn(folder: string): Promise<string | undefined> {
  const sums = await present(async () => await readFile(path.join(folder, SUMS), 'utf8'));
  if (sums === undefined) return `${SUMS} is missing`;
  const noted = sumsIn(sums);
  for (const name of Object.values(SNAPSHOT_FILES)) if (!noted.has(name)) return `${SUMS} does not have ${name}`;
  for (const [name, sha256] of noted) {
    const file = await present(async () => await hashFile(path.join(folder, name)));
    if (file === undefined) return `${name} is missing`;
    if (file.sha256 !== sha256) return `${name} is not as it was written`;
  }
  return undefined;
}

/** Undefined where there is no such file. */
async function present<T>(read: () => Promise<T>): Promise<T | undefined> {
  return await read().catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The newest first; behind each the one that it replaces. */
async function snapshotsIn(parent: string): Promise<string[]> {
  const names = (await present(async () => await readdir(parent))) ?? [];
  return names
    .flatMap((name) => {
      const of = SNAPSHOT_NAME.exec(name)?.[1];
      return of === undefined ? [] : [{ name, of }];
    })
    .toSorted((a, b) => (a.of === b.of ? a.name.length - b.name.length : a.of < b.of ? 1 : -1))
    .map(({ name }) => path.join(parent, name));
}

const SNAPSHOT_NAME = /^(step-\d+(?:-final)?)(?:\.replaced)?$/;
