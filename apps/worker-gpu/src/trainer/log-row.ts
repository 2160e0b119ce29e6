import { encodeNumber, type Json, type LogRow, storableText } from '@longrun/contracts';
import type { LogRow as TrainingLogRow, LogValue } from '@longrun/blocks';
import { leftOutLine, limitRow } from '../log-row-limit.js';

let isLimitSaid = false;

/**
 * A row of the training log as it crosses processes: numbers that JSON does not have by their names, texts that a database can
 * store, and in place of what is too large a text that says so. The first time anything is left out, stderr says what to do.
 */
export function encodeRow(row: Readonly<TrainingLogRow>): LogRow {
  const encoded = Object.fromEntries(Object.entries(row).map(([record, value]) => [record, encode(value)]));
  const { row: limited, leftOut } = limitRow(encoded);
  if (leftOut.length > 0 && !isLimitSaid) {
    isLimitSaid = true;
    process.stderr.write(`${leftOutLine(leftOut)}\n`);
  }
  return limited;
}

function encode(value: LogValue): Json {
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'string') return storableText(value);
  return isList(value) ? value.map(encode) : value;
}

function isList(value: LogValue): value is readonly LogValue[] {
  return Array.isArray(value);
}
