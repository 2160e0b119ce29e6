import { readPieces } from '../durable-file.js';
import { decodeLogEntry, type LogEntry, linesOf } from './log-entry.js';

/** Log rows in a local file: a line `{"step":100,"row":{…}}` for each (see `encodeLogEntry`). */
export interface LogFile {
  readonly path: string;
  /** Only rows of this step and later ones. Default: all. */
  readonly fromStep?: number | undefined;
  /** Only rows of earlier steps than this. Default: all. */
  readonly beforeStep?: number | undefined;
}

/** The entries of files in their order, each with its line, as many at a time as were read at once. @throws RangeError if a line is no entry */
export async function* readLogFiles(
  files: readonly LogFile[],
): AsyncGenerator<readonly (LogEntry & { readonly line: string })[]> {
  for (const { path, fromStep = 0, beforeStep = Infinity } of files) {
    for await (const lines of linesOf(readPieces(path))) {
      const entries = lines
        .map((line) => ({ line, ...decodeLogEntry(line) }))
        .filter(({ step }) => step >= fromStep && step < beforeStep);
      if (entries.length > 0) yield entries;
    }
  }
}
