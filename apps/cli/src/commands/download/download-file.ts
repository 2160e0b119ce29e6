import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { hashFile, makeFolder, readPieces, syncFolder } from '@longrun/serialization';

import type { Client } from '../../client.js';
import { ApiObjects } from '../checkpoint/api-objects.js';

/** A file that an API has. */
export interface WantedFile {
  /** Its path there. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A file could not be fetched to where it was to be. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed';
}

/**
 * Fetches a file to `target`, where it appears whole and compared with its SHA-256. Until then what has come lies beside it, under a name that has
 * the SHA-256 in it, and is what the next call goes on from. Where it is already nothing is fetched.
 *
 * @throws DownloadFailed where something else is at `target`, it does not fit there, or what came is not the file
 */
export async function downloadFile(
  client: Client,
  wanted: WantedFile,
  target: string,
): Promise<{ readonly fetchedBytes: number }> {
  const { sha256 } = wanted;
  const whole = path.resolve(target);
  if (await isThere(whole, wanted, target)) return { fetchedBytes: 0 };
  const part = `${whole}.${sha256.slice(0, 12)}.part`;
  try {
    await makeFolder(path.dirname(whole));
    const fetchedBytes = await fetchRest(client, wanted, part);
    await rename(part, whole);
    await syncFolder(path.dirname(whole));
    return { fetchedBytes };
  } catch (error) {
    const isOfDisk = error instanceof Error && 'syscall' in error;
    if (!isOfDisk) throw error;
    throw new DownloadFailed(
      `${target} cannot be written (${error.message}); free some room there or give another file by -o: what has come is kept, and is gone on from`,
      { cause: error },
    );
  }
}

/** @throws DownloadFailed where other bytes are there */
async function isThere(whole: string, { sha256 }: WantedFile, target: string): Promise<boolean> {
  const handle = await open(whole, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    const isFile = (await handle.stat()).isFile();
    if (isFile && (await hashFile(handle)).sha256 === sha256) return true;
    throw new DownloadFailed(
      `${target} is there already${isFile ? ' and has other bytes' : ' and is no file'}; give another one by -o`,
    );
  } finally {
    await handle.close();
  }
}

async function fetchRest(client: Client, { path: from, sha256, sizeBytes }: WantedFile, part: string): Promise<number> {
  const handle = await open(part, 'a+');
  try {
    const hash = createHash('sha256');
    const begun = await hashedSoFar(handle, sizeBytes, hash);
    for await (const piece of new ApiObjects(client).openRead(from, { range: { start: begun, end: sizeBytes } })) {
      await handle.appendFile(piece);
      hash.update(piece);
    }
    const found = hash.digest('hex');
    if (found !== sha256) {
      await rm(part, { force: true });
      throw new DownloadFailed(
        `what came has SHA-256 ${found} but the API has announced ${sha256}, and it was removed; run it again`,
      );
    }
    await handle.sync();
    return sizeBytes - begun;
  } finally {
    await handle.close();
  }
}

/** How many bytes are there from an earlier call; more than the file has are none of it. */
async function hashedSoFar(handle: FileHandle, sizeBytes: number, hash: Hash): Promise<number> {
  const { size } = await handle.stat();
  if (size > sizeBytes) await handle.truncate(0);
  let read = 0;
  for await (const piece of readPieces(handle, sizeBytes)) {
    hash.update(piece);
    read += piece.byteLength;
  }
  return read;
}
