import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { namingDisk } from '../disk-error.js';
import { makeFolder, syncFile, syncFolder } from '../durable-file.js';
import type { ObjectReading } from '../store/object-store.js';
import type { Manifest } from './manifest.js';
import { downloadFile, downloadFiles } from './stored-files.js';

/** Nothing was written, as something is there already or there is nothing to write. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

/**
 * Copies the files of a checkpoint to a folder, which appears with all of them, each compared with what was committed, or not at all. The folder
 * must be empty or not there yet; its parents are made.
 *
 * @throws ExportRefused, CorruptBlob: nothing is left
 */
export async function exportFiles(store: ObjectReading, manifest: Manifest, folder: string): Promise<void> {
  const target = path.resolve(folder);
  if (await isTaken(target)) throw refusal(folder, 'is there already and is not an empty folder; give another one');
  await placed(target, async (temporary) => {
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
 * @throws ExportRefused, CorruptBlob: nothing is left
 */
export async function exportFile(store: ObjectReading, manifest: Manifest, name: string, to: string): Promise<void> {
  const file = manifest.files.find((each) => each.name === name);
  if (file === undefined) {
    const names = manifest.files.map((each) => each.name).join(', ') || 'none';
    throw refusal(name, `is no file of this checkpoint, which has ${names}`);
  }
  const target = path.resolve(to);
  if ((await stat(target).catch(absent)) !== undefined) throw refusal(to, 'is there already; give another path');
  await placed(target, async (temporary) => {
    await downloadFile(store, file, temporary);
    await syncFile(temporary);
  });
}

/** Makes something under another name beside `target`, and gives it that name when it is done. */
async function placed(target: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(target);
  await makeFolder(parent);
  const temporary = path.join(parent, `.${path.basename(target)}.${randomUUID()}.tmp`);
  try {
    await make(temporary);
    await rename(temporary, target);
    await syncFolder(parent);
  } catch (error) {
    throw namingDisk(`${target} could not be written`, error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
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

const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);
