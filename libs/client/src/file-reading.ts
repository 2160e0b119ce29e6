import { type ApiConnection, isRedirect } from './api-connection.js';
import { openAtStore } from './store-reading.js';

/** Reads files that an API has. Every method throws as those of {@link ApiConnection}. */
export class FileReading {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** What is said of the file at a path. */
  async facts(path: string, signal?: AbortSignal): Promise<FileFacts> {
    const { answer, close } = await this.#connection.open(path, { method: 'HEAD', signal }, 'answer');
    close();
    return this.#factsOf(answer);
  }

  /**
   * Opens the file at a path, from a byte to before another, to be read as it comes: from the object store, where the API says that it is to be fetched there,
   * and then nobody has compared it with its SHA-256. Close it.
   *
   * @throws StoreUnreachable of that
   */
  async open(path: string, { start, end, sha256, signal }: FileRange): Promise<OpenFile> {
    const range = `bytes=${start}-${end === undefined ? '' : end - 1}`;
    const headers = {
      accept: 'application/octet-stream',
      range,
      ...(sha256 !== undefined && { 'if-range': `"${sha256}"` }),
    };
    const { answer, bytes, close } = await this.#connection.open(path, { headers, signal, redirect: 'manual' }, 'file');
    try {
      if (isRedirect(answer)) {
        close();
        return await this.#openElsewhere(answer, range, signal);
      }
      const facts = this.#factsOf(answer);
      // Of other bytes than were meant all come.
      if (answer.status === 206 || (sha256 !== undefined && facts.sha256 !== sha256)) return { ...facts, bytes, close };
      throw this.#connection.notLongrun(`a range of a file was asked for, and the status is ${answer.status}`);
    } catch (error) {
      close();
      throw error;
    }
  }

  async #openElsewhere(redirect: Response, range: string, signal: AbortSignal | undefined): Promise<OpenFile> {
    const location = redirect.headers.get('location');
    // What stands before an API may answer with another place, too, and pages are told of none.
    if (location === null || !URL.canParse(location) || shaOf(redirect) === undefined) {
      throw this.#connection.notLongrun(
        'a file was asked for, and what came names another place, but not where its object store has the file; give the last address of the API itself, ' +
          'and in a page let a link fetch the file',
      );
    }
    const { answer, bytes, close } = await openAtStore({ location, range, apiUrl: this.#connection.url, signal });
    try {
      // The bytes are those of the store, but what they are to be the API has said.
      const facts = this.#factsOf(answer, redirect);
      if (answer.status === 206) return { ...facts, bytes, close };
      throw this.#connection.notLongrun(
        `a range of a file was asked for, and the status of its store is ${answer.status}`,
      );
    } catch (error) {
      close();
      throw error;
    }
  }

  #factsOf(answer: Response, announced = answer): FileFacts {
    const sha256 = shaOf(announced);
    const sizeBytes =
      /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? answer.headers.get('content-length');
    if (sha256 !== undefined && sizeBytes !== null) return { sha256, sizeBytes: Number(sizeBytes) };
    throw this.#connection.notLongrun('a file was asked for, and what came says neither its SHA-256 nor its size');
  }
}

function shaOf(answer: Response): string | undefined {
  return /^"([0-9a-f]{64})"$/.exec(answer.headers.get('etag') ?? '')?.[1];
}

/** What the API says of a file. */
export interface FileFacts {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Which bytes of a file are asked for. */
export interface FileRange {
  readonly start: number;
  /** Default: its end. */
  readonly end?: number | undefined;
  /** Of the whole file; where it is another one by now, all of that comes. Default: of whichever it is. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that is being read. */
export interface OpenFile extends FileFacts {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly close: () => void;
}
