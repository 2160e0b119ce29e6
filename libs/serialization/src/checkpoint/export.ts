import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';

import { DiskFailed, isDiskFull } from '../disk-error.js';
import { makeFolder, syncFile, syncFolder } from '../durable-file.js';
import type { ObjectReading } from '../store/object-store.js';
import type { Manifest, ManifestFile } from './manifest.js';
import { downloadFile, downloadFiles } from './stored-files.js';

/** Nothing was written, as something is there already or there is nothing to write. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

/** A copy could not be written where it was to be. Nothing of it is left there. */
export class ExportFailed extends Error {
  override readonly name = 'ExportFailed';
}

/**
 * Copies the files of a checkpoint to a folder, which appears with all of them, each compared with what was committed, or not at all. The folder
 * must be empty or not there yet; its parents are made.
 *
 * @throws ExportRefused, ExportFailed, CorruptBlob: nothing is left
 */
export async function exportFiles(store: ObjectReading, manifest: Manifest, folder: string): Promise<void> {
  const target = path.resolve(folder);
  if (await isTaken(target)) throw refusal(folder, 'is there already and is not an empty folder; give another one');
  await placed(target, manifest.files, async (temporary) => {
    await downloadFiles(store, manifest, temporary);
    for (const { name } of manifest.files) await syncFile(path.join(temporary, name));
    await syncFolder(temporary);
  }).catch((error: unknown) => {
    // Another has put something there meanwhile.
    if (TAKEN.has(codeOf(error))) throw refusal(folder, 'is no empty folder any more; give another one');
    throw error;
  });
}

/**
 * Copies one file of a checkpoint, compared with what was committed, to a path where nothing is yet. It appears complete or not at all.
 *
 * @throws ExportRefused, ExportFailed, CorruptBlob: nothing is left
 */
export async function exportFile(store: ObjectReading, manifest: Manifest, name: string, to: string): Promise<void> {
  const file = manifest.files.find((each) => each.name === name);
  if (file === undefined) {
    const names = manifest.files.map((each) => each.name).join(', ') || 'none';
    throw refusal(name, `is no file of this checkpoint, which has ${names}`);
  }
  const target = path.resolve(to);
  if ((await stat(target).catch(absent)) !== undefined) throw refusal(to, 'is there already; give another path');
  await placed(target, [file], async (temporary) => {
    await downloadFile(store, file, temporary);
    await syncFile(temporary);
  });
}

/** Makes something of these files under another name beside `target`, and gives it that name when it is done. */
async function placed(
  target: string,
  files: readonly ManifestFile[],
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const parent = path.dirname(target);
  // Not longer than any name that a file may have.
  const temporary = path.join(parent, `.${randomUUID()}.tmp`);
  try {
    await makeFolder(parent);
    await make(temporary);
    await rename(temporary, target);
    await syncFolder(parent);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw (await unwritten(target, files, error)) ?? error;
  }
}

/** What is said of a disk that does not take the files; undefined for what is not the disk's, or says itself where it was. */
async function unwritten(
  target: string,
  files: readonly ManifestFile[],
  error: unknown,
): Promise<ExportFailed | undefined> {
  if (!(error instanceof Error)) return undefined;
  if (isDiskFull(error)) {
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    const free = await statfs(path.dirname(target)).then(
      ({ bavail, bsize }) => ` and ${bavail * bsize} are free`,
      () => '',
    );
    const reason = error instanceof DiskFailed ? error.reason : error.message;
    return new ExportFailed(
      `there is no room for ${target}: ${sizeBytes} bytes are needed${free} (${reason}); free some there or give another place; nothing of it was left`,
      { cause: error },
    );
  }
  const isOfWriting = 'syscall' in error && WRITING.has(String(error.syscall)) && !('path' in error);
  if (!isOfWriting) return undefined;
  return new ExportFailed(
    `${target} cannot be written (${error.message}); give another place; nothing of it was left`,
    { cause: error },
  );
}

async function isTaken(target: string): Promise<boolean> {
  const found = await stat(target).catch(absent);
  if (found === undefined) return false;
  return !found.isDirectory() || (await readdir(target)).length > 0;
}

function refusal(what: string, reason: string): ExportRefused {
  return new ExportRefused(`${what} ${reason}`);
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Calls on an open file, whose errors have no path. */
const WRITING: ReadonlySet<string> = new Set(['write', 'fsync', 'close']);
const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);
