import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequiredFile } from '@longrun/fuel';
import { HandoverRefused, type Isolation, openHandedOver } from '@longrun/platform/worker';
import { makeFolder, readPieces, writeDurably } from '@longrun/serialization';

export interface KeptDownloadsOptions {
  /** Where they are kept, absolute; made when there is something to keep. */
  readonly folder: string;
  /** What the converter needs. Those without a checksum are not kept: nobody can say what they are. */
  readonly requiredFiles: readonly RequiredFile[];
  readonly isolation: Pick<Isolation, 'share'>;
  /** Told what could not be kept, a sentence. */
  readonly report: (sentence: string) => void;
}

/**
 * What was downloaded for one converter, among the raw files, so that the next conversion finds it. A disk that does not keep it costs
 * that one a download, and nothing else.
 */
export class KeptDownloads {
  readonly #options: KeptDownloadsOptions;

  constructor(options: KeptDownloadsOptions) {
    this.#options = options;
  }

  /** Lets a converter read what is kept. */
  async share(): Promise<void> {
    const { folder, isolation } = this.#options;
    await this.#trying(`lets no converter read ${folder}`, async () => {
      await isolation.share(folder).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
    });
  }

  /**
   * Keeps the files that a converter, which has gone, has left in a folder below its own, as far as they are what is published.
   *
   * @param workFolder The converter's own folder
   * @param name That of the folder below it
   * @param signal Aborted, no more is kept
   */
  async keep(workFolder: string, name: string, signal: AbortSignal): Promise<void> {
    for (const file of this.#options.requiredFiles) {
      if (signal.aborted) return;
      const downloaded = await handedOver(workFolder, name, file.name);
      if (downloaded === undefined || file.sha256 === undefined) continue;
      try {
        await this.#keep(downloaded, { name: file.name, sha256: file.sha256 }, signal);
      } finally {
        await downloaded.close();
      }
    }
  }

  async #keep(downloaded: FileHandle, file: { name: string; sha256: string }, signal: AbortSignal): Promise<void> {
    const { folder } = this.#options;
    await this.#trying(`cannot keep ${file.name} in ${folder}, so that it will be downloaded again`, async () => {
      await makeFolder(folder);
      await writeDurably(join(folder, file.name), checked(downloaded, file, signal));
      await this.share();
    });
  }

  async #trying(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#options.report(`The worker ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The bytes of a file. Ends with an error unless they have the right checksum, so that they do not become a file. */
async function* checked(
  handle: FileHandle,
  { name, sha256 }: { readonly name: string; readonly sha256: string },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size, blocks } = await handle.stat();
  const hash = createHash('sha256');
  // A file of holes has no end that anybody would see; one that was downloaded has all its bytes on the disk.
  for await (const piece of readPieces(handle, Math.min(size, blocks * BLOCK_BYTES))) {
    signal.throwIfAborted();
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new Error(`what was handed over as ${name} has the sha256 ${found}, not ${sha256}`);
}

/** As `stat` counts. */
const BLOCK_BYTES = 512;

/** Undefined where there is no file of its own: it was not downloaded, or a link leads to one that is kept. */
async function handedOver(workFolder: string, ...names: [string, string]): Promise<FileHandle | undefined> {
  try {
    return await openHandedOver(workFolder, ...names);
  } catch (error) {
    if (error instanceof HandoverRefused) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
