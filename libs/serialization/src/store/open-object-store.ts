import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { FileStore } from './file-store.js';
import type { ObjectStore } from './object-store.js';

/**
 * Opens the object store at a URL: `file:///absolute/folder`, or `file:relative/folder` as seen from the working directory. The
 * folder is made if it is not there.
 *
 * @throws Error for another kind of URL, or for a folder that cannot serve.
 */
export async function openObjectStore(url: string): Promise<ObjectStore> {
  const scheme = /^([a-z][a-z0-9+.-]*):/iu.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'file':
      return FileStore.open(folderOf(url));
    case 's3':
      throw new Error(`object store ${url}: s3: is not built yet; give a folder, as file:///var/lib/longrun/objects`);
    default:
      throw new Error(`object store ${JSON.stringify(url)}: give a folder, as file:///var/lib/longrun/objects`);
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
