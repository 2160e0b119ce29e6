import { createHash } from 'node:crypto';
import path from 'node:path';

import { makeFolder, type WrittenFile } from '../durable-file.js';
import { ObjectAbsent, type ObjectReading, type OperationOptions } from '../store/object-store.js';
import { firstWhole } from './first-whole.js';
import type { LocalFiles } from './local-files.js';
import { blobKeysOf, type Manifest, type ManifestFile } from './manifest.js';

/** No blob of a file is whole. */
export class CorruptBlob extends Error {
  override readonly name = 'CorruptBlob';
}

/**
 * Brings the files of a checkpoint to a folder, each from what is local, or else from whichever of its blobs is whole. Answers how many came
 * from the store. @throws CorruptBlob
 */
export async function downloadFiles(
  store: ObjectReading,
  manifest: Manifest,
  folder: string,
  local?: LocalFiles,
): Promise<number> {
  await makeFolder(path.resolve(folder));
  let downloaded = 0;
  for (const file of manifest.files) {
    const target = path.join(folder, file.name);
    if ((await local?.place(file, target)) === true) continue;
    await downloadFile(store, file, target);
    downloaded += 1;
  }
  return downloaded;
}

/** Copies a file of a checkpoint from whichever of its blobs is whole. Where none is, what lies at `target` is damaged. @throws CorruptBlob */
export async function downloadFile(store: ObjectReading, file: ManifestFile, target: string): Promise<void> {
  const copy = async (key: string): Promise<string> => whole(file, key, await store.download(key, target));
  await firstWhole(blobKeysOf(file), copy, CorruptBlob);
}

/** The key of a blob of a file that has just been read and is whole. @throws CorruptBlob */
export async function wholeBlobKey(store: ObjectReading, file: ManifestFile): Promise<string> {
  return firstWhole(blobKeysOf(file), async (key) => whole(file, key, await hashObject(store, key)), CorruptBlob);
}

/** What is wrong with a blob of a file, as a sentence without its full stop, or undefined; by all of its bytes. */
export async function damageOfBlob(store: ObjectReading, file: ManifestFile, key: string): Promise<string | undefined> {
  return wrongWith(file, key, await hashObject(store, key));
}

/** SHA-256 and size of an object by its bytes: what a store has noted of it may be older than its damage. Undefined if there is none. */
export async function hashObject(
  store: ObjectReading,
  key: string,
  options: OperationOptions = {},
): Promise<WrittenFile | undefined> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const piece of store.openRead(key, options)) {
      hash.update(piece);
      sizeBytes += piece.byteLength;
    }
  } catch (error) {
    if (error instanceof ObjectAbsent) return undefined;
    throw error;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

function whole(file: ManifestFile, key: string, got: WrittenFile | undefined): string {
  const reason = wrongWith(file, key, got);
  if (reason !== undefined) throw new CorruptBlob(reason);
  return key;
}

function wrongWith(
  { name, sha256, sizeBytes }: ManifestFile,
  key: string,
  got: WrittenFile | undefined,
): string | undefined {
  if (got === undefined) return `file ${name} is missing: there is no object ${key}`;
  if (got.sizeBytes !== sizeBytes)
    return `file ${name} has ${got.sizeBytes} bytes but ${sizeBytes} were committed (object ${key})`;
  if (got.sha256 !== sha256)
    return `file ${name} has SHA-256 ${got.sha256} but ${sha256} was committed (object ${key}): its bytes have changed`;
  return undefined;
}
