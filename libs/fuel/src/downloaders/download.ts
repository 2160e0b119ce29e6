import { createHash, randomUUID } from 'node:crypto';
import { access, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashFile, makeFolder, writeDurably } from '@longrun/serialization';
import type { FileProgress, PublishedFiles, RequiredFile } from '../converters/converter.js';
import { CorruptInput, DownloadFailed } from '../errors.js';

/** How files are downloaded. */
export interface DownloadOptions {
  /**
   * Where files lie from before, and where people put them; it is only read. Of what is there with a right checksum the folder gets a
   * link. Default: the folder itself.
   */
  readonly keptFolder?: string | undefined;
  /** Called as bytes come in. Default: nobody is told. */
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Stops the download; it then throws the signal's reason and leaves no half a file. */
  readonly signal?: AbortSignal | undefined;
  /** How often each address is tried, at least 1. Default 3. */
  readonly attempts?: number;
  /** Wait before the second attempt, doubled before each further one. Default 1000. */
  readonly retryDelayMs?: number;
  /** An attempt is given up when nothing comes for so long. Default 30000. */
  readonly idleTimeoutMs?: number;
}

/**
 * Downloads the files that a converter needs into a folder, which is made if need be (Fuel: `fuel-download`). A file that is
 * there already with a right checksum is left as it is; each of the others appears complete and checked, or not at all.
 *
 * @returns the paths of the files, in the order of the list
 * @throws CorruptInput when an address gives a file with another checksum, and no other address the right one
 * @throws DownloadFailed when no address gives it; the message says why, and how to go on without a network
 */
export async function download(
  dataset: PublishedFiles,
  folder: string,
  options: DownloadOptions = {},
): Promise<readonly string[]> {
  await makeFolder(folder);
  const paths: string[] = [];
  for (const file of dataset.requiredFiles) {
    const path = join(folder, file.name);
    const kept = join(options.keptFolder ?? folder, file.name);
    // What cannot be read there is downloaded, unless it stands in the way of that.
    const isKept = await isThere(kept, file).catch((error: unknown) => {
      if (kept === path) throw error;
      return false;
    });
    if (!isKept) await downloadFile(dataset.name, file, { path, kept }, options);
    else if (kept !== path) await link(kept, path);
    paths.push(path);
  }
  return paths;
}

async function isThere(path: string, file: RequiredFile): Promise<boolean> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists || file.sha256 === undefined) return exists;
  const { sha256 } = await hashFile(path);
  return sha256 === file.sha256 || sha256 === file.repackedSha256;
}

/** Makes a link, in the place of what is there. */
async function link(target: string, path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await symlink(target, temporary);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Where a file is written to, and where it is looked for the next time. */
interface Place {
  readonly path: string;
  readonly kept: string;
}

async function downloadFile(
  dataset: string,
  file: RequiredFile,
  { path, kept }: Place,
  options: DownloadOptions,
): Promise<void> {
  const { attempts = 3, retryDelayMs = 1000, signal } = options;
  const failures: string[] = [];
  let corrupt: CorruptInput | undefined;
  for (const url of file.urls) {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (attempt > 1) await sleep(retryDelayMs * 2 ** (attempt - 2), undefined, signal && { signal });
      try {
        await writeDurably(path, checked(file, kept, url, options));
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof CorruptInput) corrupt = error;
        else if (isLocal(error)) throw error;
        const last = attempt === attempts || error instanceof Refused;
        if (!last) continue;
        failures.push(`${url}: ${reasonOf(error)} (${attempt} ${attempt === 1 ? 'attempt' : 'attempts'})`);
        break;
      }
    }
  }
  if (corrupt !== undefined) throw corrupt;
  const checksum = file.sha256 === undefined ? '' : `, whose sha256 is ${file.sha256}`;
  throw new DownloadFailed(
    `${dataset}: ${file.name} could not be downloaded. ${failures.join('; ')}. ` +
      `Where there is no network, put the file${checksum}, at ${kept}`,
    file.name,
  );
}

/** The address answered that it will not give the file: asking again does not help. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/** The bytes from an address. Ends with an error unless they have the right checksum, so that they do not become a file. */
async function* checked(
  file: RequiredFile,
  path: string,
  url: string,
  { onProgress, signal, idleTimeoutMs = 30_000 }: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const idle = new AbortController();
  const giveUp = (): void => idle.abort(new Error(`nothing came for ${idleTimeoutMs} ms`));
  let timer = setTimeout(giveUp, idleTimeoutMs);
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]),
    });
    if (!response.ok) {
      const message = `the answer was ${response.status} ${response.statusText}`;
      await response.body?.cancel();
      const temporary = response.status >= 500 || response.status === 408 || response.status === 429;
      throw temporary ? new Error(message) : new Refused(message);
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const totalBytes =
      Number.isSafeInteger(length) && response.headers.get('content-encoding') === null ? length : null;
    const hash = createHash('sha256');
    let doneBytes = 0;
    for await (const bytes of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, idleTimeoutMs);
      hash.update(bytes);
      yield bytes;
      doneBytes += bytes.byteLength;
      onProgress?.({ file: file.name, doneBytes, totalBytes });
    }
    const sha256 = hash.digest('hex');
    if (file.sha256 === undefined || sha256 === file.sha256) return;
    throw new CorruptInput(
      path,
      `was downloaded from ${url} with ${doneBytes} bytes of sha256 ${sha256}, but ${file.sha256} is expected; ` +
        'the address gives another file now, or something on the way changed it. Nothing was kept; get the file elsewhere',
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Errors of this machine's disk are not the network's: trying again elsewhere does not help. */
function isLocal(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed" and hides the reason.
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
