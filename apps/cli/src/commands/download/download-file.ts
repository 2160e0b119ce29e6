import { createHash, type Hash } from 'node:crypto';
import { constants, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import type { Client } from '@longrun/client';
import { hashFile, isDiskFull, makeFolder, ObjectAbsent, readPieces, syncFolder } from '@longrun/serialization';

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
 * the SHA-256 in it, and is what the next call goes on from. Where it is already nothing is fetched. Several calls may do so at once.
 *
 * @throws DownloadFailed where something else is at `target`, it does not fit there, it is not there any more, or what came is not the file
 */
export async function downloadFile(
  client: Client,
  wanted: WantedFile,
  target: string,
): Promise<{ readonly fetchedBytes: number }> {
  const whole = path.resolve(target);
  const part = `${whole}.${wanted.sha256.slice(0, 12)}.part`;
  try {
    if (await isThere(whole, wanted, target)) return { fetchedBytes: 0 };
    await makeFolder(path.dirname(whole));
    const fetchedBytes = await fetchRest(client, wanted, part);
    await place(part, { whole, wanted, target });
    await syncFolder(path.dirname(whole));
    return { fetchedBytes };
  } catch (error) {
    const isOfDisk = error instanceof Error && 'syscall' in error;
    if (!isOfDisk) throw error;
    const remedy = isDiskFull(error) ? 'free some room there' : 'put that right';
    throw new DownloadFailed(
      `${target} cannot be written (${error.message}); ${remedy} or give another file by -o: what has come is kept, and is gone on from`,
      { cause: error },
    );
  }
}

/** Gives it its name, where no other call has done so meanwhile. @throws DownloadFailed where other bytes are there by now */
async function place(
  part: string,
  { whole, wanted, target }: { readonly whole: string; readonly wanted: WantedFile; readonly target: string },
): Promise<void> {
  if (await isThere(whole, wanted, target)) return rm(part, { force: true });
  await rename(part, whole).catch(async (error: unknown) => {
    if (!(await isThere(whole, wanted, target))) throw error;
  });
}

/** @throws DownloadFailed where other bytes are there */
async function isThere(whole: string, { sha256 }: WantedFile, target: string): Promise<boolean> {
  const facts = await stat(whole).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (facts === undefined) return false;
  if (facts.isFile() && (await hashFile(whole)).sha256 === sha256) return true;
  throw new DownloadFailed(
    `${target} is there already${facts.isFile() ? ' and has other bytes' : ' and is no file'}; give another one by -o`,
  );
}

/** Each byte is written at its own place in the file: of two calls at once both write the same there. */
async function fetchRest(client: Client, { path: from, sha256, sizeBytes }: WantedFile, part: string): Promise<number> {
  const handle = await open(part, constants.O_RDWR | constants.O_CREAT);
  try {
    const hash = createHash('sha256');
    const begun = await hashedSoFar(handle, sizeBytes, hash);
    let end = begun;
    for await (const piece of new ApiObjects(client).openRead(from, { range: { start: begun, end: sizeBytes } })) {
      for (let done = 0; done < piece.byteLength;) {
        const { bytesWritten } = await handle.write(piece, done, piece.byteLength - done, end + done);
        done += bytesWritten;
      }
      hash.update(piece);
      end += piece.byteLength;
    }
    const found = hash.digest('hex');
    if (found !== sha256) {
      await rm(part, { force: true });
      throw new DownloadFailed(
        `what came has SHA-256 ${found} but the API has announced ${sha256}, and it was removed; run it again: where it is so again, it is damaged there`,
      );
    }
    await handle.sync();
    return sizeBytes - begun;
  } catch (error) {
    if (!(error instanceof ObjectAbsent)) throw error;
    throw new DownloadFailed(`${error.message}: it was removed meanwhile; run it again for what is there now`, {
      cause: error,
    });
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
