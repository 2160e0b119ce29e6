import { ApiProblem, type Client, isPassing, Reconnection } from '@longrun/client';
import {
  type ByteRange,
  ObjectAbsent,
  type ObjectFacts,
  type ObjectReading,
  type OperationOptions,
  type ReadOptions,
  type TransferOptions,
  writeDurably,
  type WrittenFile,
} from '@longrun/serialization';

import { CheckpointFailed } from './checkpoint-errors.js';

/** How often in a row a connection may break without having brought a byte. */
const MOST_BREAKS = 3;

/** The files of checkpoints that an API gives, each by its path there. A connection that breaks is made again for what has not come yet. */
export class ApiObjects implements ObjectReading {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  get url(): string {
    return this.#client.url;
  }

  async head(path: string, { signal }: OperationOptions = {}): Promise<ObjectFacts | undefined> {
    try {
      const { sizeBytes, sha256 } = await this.#client.files.facts(path, signal);
      return { sizeBytes, sha256 };
    } catch (error) {
      if (isAnswered(error, 404)) return undefined;
      throw error;
    }
  }

  async get(path: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.openRead(path, options)) pieces.push(piece);
    } catch (error) {
      if (error instanceof ObjectAbsent) return undefined;
      throw error;
    }
    return Buffer.concat(pieces);
  }

  async *openRead(path: string, { range, signal }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const reconnection = new Reconnection(signal === undefined ? {} : { signal });
    let { start, end }: ByteRange = range ?? { start: 0 };
    let sha256: string | undefined;
    for (let breaks = 0; end === undefined || start < end;) {
      try {
        const file = await this.#client.files.open(path, { start, end, sha256, signal });
        try {
          if (sha256 !== undefined && file.sha256 !== sha256) {
            throw new CheckpointFailed(`${path} is another file than it was when the connection broke; try again`);
          }
          ({ sha256 } = file);
          end = Math.min(end ?? Infinity, file.sizeBytes);
          for await (const piece of file.bytes) {
            start += piece.byteLength;
            breaks = 0;
            reconnection.serves();
            yield piece;
          }
        } finally {
          file.close();
        }
      } catch (error) {
        if (isAnswered(error, 404)) throw new ObjectAbsent(`${path} is not there any more`, { cause: error });
        // An empty file has no range.
        if (isAnswered(error, 416)) return;
        breaks += 1;
        if (!isPassing(error) || breaks > MOST_BREAKS) throw error;
        await reconnection.pause(error);
      }
    }
  }

  async download(path: string, target: string, options: TransferOptions = {}): Promise<WrittenFile | undefined> {
    try {
      return await writeDurably(target, this.openRead(path, options));
    } catch (error) {
      if (error instanceof ObjectAbsent) return undefined;
      throw error;
    }
  }
}

function isAnswered(error: unknown, status: number): boolean {
  return error instanceof ApiProblem && error.problem.status === status;
}
