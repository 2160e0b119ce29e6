import { encodeNumber, type Json, type LogRow, storableText } from '@longrun/contracts';
import type { LogRow as TrainingLogRow, LogValue } from '@longrun/blocks';

/** A row of the training log as it crosses processes: numbers that JSON does not have by their names, texts that a database can store. */
export function encodeRow(row: Readonly<TrainingLogRow>): LogRow {
  return Object.fromEntries(Object.entries(row).map(([record, value]) => [record, encode(value)]));
}

function encode(value: LogValue): Json {
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'string') return storableText(value);
  return isList(value) ? value.map(encode) : value;
}

function isList(value: LogValue): value is readonly LogValue[] {
  return Array.isArray(value);
}
