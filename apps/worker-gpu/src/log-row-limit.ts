import { type Json, type LogRow, MAX_LOG_ROW_BYTES } from '@longrun/contracts';

/** A log row that is no larger than it may be. */
export interface LimitedRow {
  readonly row: LogRow;
  /** Names of the records in whose place a text says what was left out; none for a row that is as it was. */
  readonly leftOut: readonly string[];
}

/** The row itself or, if it is larger than {@link MAX_LOG_ROW_BYTES} as JSON, one in which its largest records are left out. */
export function limitRow(row: LogRow): LimitedRow {
  let sizeBytes = jsonBytes(row);
  if (sizeBytes <= MAX_LOG_ROW_BYTES) return { row, leftOut: [] };
  const sizes = Object.entries(row).map(([name, value]) => ({ name, valueBytes: jsonBytes(value) }));
  const notices = new Map<string, string>();
  for (const { name, valueBytes } of sizes.toSorted((one, other) => other.valueBytes - one.valueBytes)) {
    const notice = noticeOf(valueBytes);
    if (sizeBytes <= MAX_LOG_ROW_BYTES || valueBytes <= jsonBytes(notice)) break;
    sizeBytes += jsonBytes(notice) - valueBytes;
    notices.set(name, notice);
  }
  // Its records are too many, or their names too long.
  if (sizeBytes > MAX_LOG_ROW_BYTES) return { row: { longrun: noticeOf(jsonBytes(row)) }, leftOut: ['all records'] };
  const limited = Object.entries(row).map(([name, value]): [string, Json] => [name, notices.get(name) ?? value]);
  return { row: Object.fromEntries(limited), leftOut: [...notices.keys()] };
}

/** What to say, once, of rows from which something was left out. */
export function leftOutLine(leftOut: readonly string[]): string {
  const names = leftOut.slice(0, SHOWN_NAMES).map((name) => name.slice(0, SHOWN_CHARACTERS));
  const more = leftOut.length > SHOWN_NAMES ? ` and ${leftOut.length - SHOWN_NAMES} more` : '';
  return (
    `[longrun] A log row has at most ${MAX_LOG_ROW_BYTES} bytes as JSON, and this one was larger: ${names.join(', ')}${more} left out. ` +
    'Log numbers and short texts, such as a summary, and write what is large to a file. This is said once'
  );
}

const SHOWN_NAMES = 5;
const SHOWN_CHARACTERS = 80;

function noticeOf(sizeBytes: number): string {
  return `[longrun] left out: ${sizeBytes} bytes, at most ${MAX_LOG_ROW_BYTES} per row`;
}

function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
