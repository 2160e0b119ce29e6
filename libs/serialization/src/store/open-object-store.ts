import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { FileStore } from './file-store.js';
import { maskedUrl } from './masked-url.js';
import { type ObjectStore, type OperationOptions, StoreUnfit } from './object-store.js';
import { s3Location, type S3Options } from './s3/s3-location.js';
import type { S3Store } from './s3/s3-store.js';
import { WatchedStore } from './watched-store.js';

export interface OpenStoreOptions extends OperationOptions {
  /** How long an operation may move nothing before it is given up, in ms. Default: that of {@link WatchedStore}. */
  readonly silentMs?: number | undefined;
  /** How the server of an `s3:` store is spoken to, where its URL does not say. */
  readonly s3?: S3Options | undefined;
  /** Told what the store does otherwise than usual and why, a sentence at a time. Default: nobody is. */
  readonly onNote?: (sentence: string) => void;
}

/**
 * Opens the object store at a URL: `file:///absolute/folder`, or `file:relative/folder` as seen from the working directory, which is made
 * if it is not there; or `s3://bucket/prefix`, on another server than that of AWS `s3://bucket/prefix?endpoint=http://host:port`. The
 * store has proved that it serves, and no operation of it is waited for without end.
 *
 * @throws StoreUnfit for one that cannot serve, Error for another kind of URL.
 */
export async function openObjectStore(url: string, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  const { silentMs, onNote, signal } = options;
  const store = new WatchedStore(await storeAt(url, options), { silentMs });
  for (const note of (await store.probe({ signal })).notes) onNote?.(note);
  // It serves all the same, and whoever opens it next sweeps again.
  await store.sweep({ signal }).catch(() => signal?.throwIfAborted());
  return store;
}

/**
 * Opens the object store at a URL to read it: nothing is made, tried or swept there, so that no right to write is needed, and what it holds
 * stays as it is. No operation is waited for without end.
 *
 * @throws StoreUnfit for a folder that is not there or cannot be read, and for a server that cannot be asked; Error for another kind of URL.
 * Whether a bucket is there, and may be read, shows when it is read.
 */
export async function openObjectStoreToRead(url: string, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  const store = await storeAt(url, options);
  if (store instanceof FileStore) await checkReadable(store.url);
  else await store.probeReading({ signal: options.signal });
  return new WatchedStore(store, { silentMs: options.silentMs });
}

async function checkReadable(url: string): Promise<void> {
  try {
    await access(`${fileURLToPath(url)}${path.sep}.`, constants.R_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnfit(`object store ${url}: there is no folder that can be read (${reason}); check the URL`, {
      cause: error,
    });
  }
}

async function storeAt(url: string, { s3 }: OpenStoreOptions): Promise<FileStore | S3Store> {
  const scheme = /^([a-z][a-z0-9+.-]*):/iu.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'file':
      return new FileStore(folderOf(url));
    case 's3': {
      const location = s3Location(url, s3);
      // The AWS SDK takes a while to load, for those only who need it.
      const { S3Store } = await import('./s3/s3-store.js');
      return new S3Store(location);
    }
    default:
      throw new Error(
        `object store ${JSON.stringify(maskedUrl(url))}: give a folder, as file:///var/lib/longrun/objects, or a bucket, as s3://bucket/prefix`,
      );
  }
}

function folderOf(url: string): string {
  const rest = url.slice('file:'.length);
  if (/%(?![0-9a-f]{2})/iu.test(rest)) {
    throw new Error(`object store ${url}: a % that is part of the folder's name is written %25 in a URL`);
  }
  if (rest.startsWith('//')) return fileURLToPath(url);
  // new URL() would turn a relative path into one from the root.
  const folder = decodeURIComponent(rest);
  if (folder === '') throw new Error(`object store ${url}: the folder is missing; give one, as file:./objects`);
  return path.resolve(folder);
}
