import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetIdentity, JsonObject } from '@longrun/contracts';
import { checkPresent, type Converter, type FileProgress } from '@longrun/fuel';
import { readPieces } from '@longrun/serialization';

/** A raw file is not what it was when the conversion began. */
export class InputChanged extends Error {
  override readonly name = 'InputChanged';
}

/** The raw files that a converter is about to read. */
export class RawInputs {
  /** What a dataset of them is made of. */
  readonly identity: DatasetIdentity;
  readonly #files: readonly RawFile[];

  private constructor(identity: DatasetIdentity, files: readonly RawFile[]) {
    this.identity = identity;
    this.#files = files;
  }

  /**
   * Reads and hashes the files that a converter needs.
   *
   * @param params as its schema reads them   *
   * @throws MissingInput listing those that are not there; InputChanged
   */
  static async read(
    converter: Pick<Converter, 'name' | 'version' | 'requiredFiles'>,
    params: JsonObject,
    folder: string,
    onProgress: (progress: FileProgress) => void,
  ): Promise<RawInputs> {
    const { name: called, version } = converter;
    const requiredFiles = converter.requiredFiles(params);
    await checkPresent({ name: called, requiredFiles }, folder);
    const files: RawFile[] = [];
    for (const { name } of requiredFiles) files.push(await readFile(join(folder, name), name, onProgress));
    const inputs = files.map(({ input }) => input);
    return new RawInputs({ converter: called, converterVersion: version, params, inputs }, files);
  }

  /** @throws InputChanged when a file has other bytes than were hashed, or was written to since: nobody knows what was read of it */
  async checkUnchanged(): Promise<void> {
    for (const { path, input, found } of this.#files) {
      const now = await stat(path, { bigint: true }).catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw changed(path);
        throw error;
      });
      if (MARKS.every((mark) => now[mark] === found[mark])) continue;
      const isWritten = now.dev === found.dev && now.ino === found.ino && now.mtimeNs !== found.mtimeNs;
      // Another file with the same bytes may be in its place, as another worker has kept what it has downloaded.
      if (isWritten || (await readFile(path, input.name)).input.sha256 !== input.sha256) throw changed(path);
    }
  }
}

interface RawFile {
  readonly path: string;
  readonly input: DatasetIdentity['inputs'][number];
  /** As it was before it was read. */
  readonly found: BigIntStats;
}

/** What of a file's status is other once somebody has written to it or put another one in its place. */
const MARKS = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const;

async function readFile(path: string, name: string, onProgress?: (progress: FileProgress) => void): Promise<RawFile> {
  const file = await open(path);
  try {
    const found = await file.stat({ bigint: true });
    const totalBytes = Number(found.size);
    const hash = createHash('sha256');
    let doneBytes = 0;
    // One that grows is never read to its end.
    for await (const piece of readPieces(file, totalBytes)) {
      hash.update(piece);
      doneBytes += piece.byteLength;
      onProgress?.({ file: path, doneBytes, totalBytes });
    }
    if (doneBytes !== totalBytes) throw changed(path);
    return { path, input: { name, sizeBytes: totalBytes, sha256: hash.digest('hex') }, found };
  } finally {
    await file.close();
  }
}

function changed(path: string): InputChanged {
  return new InputChanged(
    `${path} was changed while it was converted; leave the raw files as they are until their dataset is ready`,
  );
}
