import { StringDecoder } from 'node:string_decoder';

import type { Json } from '../state.js';

/** A row of a training log. A step may come in several. */
export interface LogEntry {
  /** Batches done when it was written. */
  readonly step: number;
  /** Values by record name. */
  readonly row: Readonly<Record<string, Json>>;
}

/** The line that says an entry in a log file, with its end. */
export function encodeLogEntry({ step, row }: LogEntry): string {
  return `${JSON.stringify({ step, row })}\n`;
}

/** The entry that a line says. @throws RangeError if the line is something else */
export function decodeLogEntry(line: string): LogEntry {
  const value = parse(line);
  if (isObject(value)) {
    const { step, row } = value;
    if (typeof step === 'number' && Number.isSafeInteger(step) && step >= 0 && isObject(row)) return { step, row };
  }
  const shown = line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
  throw new RangeError(`log line ${JSON.stringify(shown)} is no entry; give {"step":<integer of 0 or more>,"row":{…}}`);
}

/** The lines of a text, without their ends, as many at a time as a chunk completes. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  rest += decoder.end();
  if (rest !== '') yield [rest];
}

const SHOWN_CHARACTERS = 100;

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
