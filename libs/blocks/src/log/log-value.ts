import { StateMismatch, type Json } from '@longrun/serialization';

/** What can be written to the log. */
export type LogValue = null | boolean | number | string | readonly LogValue[];

/** The records of one time, by name. */
export interface LogRow {
  [record: string]: LogValue;
}

/** A log value as JSON, which has neither NaN nor infinities: they become `{ "float": "NaN" }`. */
export function encodeLogValue(value: LogValue): Json {
  if (typeof value === 'number' && !isPlain(value)) return { float: Object.is(value, -0) ? '-0' : String(value) };
  return isList(value) ? value.map(encodeLogValue) : value;
}

/** The inverse of {@link encodeLogValue}. */
export function decodeLogValue(value: Json): LogValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isJsonList(value)) return value.map(decodeLogValue);
  if (typeof value['float'] === 'string') return Number(value['float']);
  throw new StateMismatch(`TrainingLog: ${JSON.stringify(value)} is not a log value; the checkpoint is damaged`);
}

/** The elements of an array in row-major order as a log value: a number for a scalar, a list for a vector, lists of lists. */
export function nested(shape: readonly number[], elements: readonly number[]): LogValue {
  const nest = (axis: number, start: number): LogValue => {
    const size = shape[axis];
    if (size === undefined) return elements[start] ?? Number.NaN;
    const stride = shape.slice(axis + 1).reduce((product, dimension) => product * dimension, 1);
    return Array.from({ length: size }, (_, at) => nest(axis + 1, start + at * stride));
  };
  return nest(0, 0);
}

function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function isList(value: LogValue): value is readonly LogValue[] {
  return Array.isArray(value);
}

function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
