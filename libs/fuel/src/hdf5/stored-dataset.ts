import type { FileHandle } from 'node:fs/promises';
import { dtypeBytes, type DType } from '@longrun/serialization';
import { elementType, sequenceType, textType } from './encode-datatype.js';
import { ELEMENT_BYTES } from './global-heap.js';
import type { Spool } from './spool.js';

/** A dataset as it is put into a file: the library makes it without rows, and with a type that it knows. */
export interface StoredDataset {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: StoredType;
  /** What the axes mean, of as many as are known. */
  readonly axisLabels: readonly string[];
  /** The source whose first axis it is a dimension scale of, and the name that it has as one. */
  readonly scale?: { readonly of: string; readonly name: 'shapes' | 'shape_labels' };
  /** What its elements point into; it is put before them. */
  readonly heap?: Spool;
  /** Puts the elements at a position. */
  readonly move: (file: FileHandle, position: number, heapPosition: number) => Promise<void>;
}

/** The type of the elements of a dataset that is written. */
export interface StoredType {
  /** What the library makes the dataset of; null for a compound, whose description has room for any other here. */
  readonly placeholder: string | null;
  /** The datatype message that takes its place; null where it is right. */
  readonly message: Buffer | null;
  readonly sizeBytes: number;
  readonly isSequence: boolean;
}

/** Elements of arrays. */
export function arrayType(dtype: DType): StoredType {
  const placeholder = dtype === 'bool' ? null : DTYPES[dtype];
  const message = placeholder === null ? elementType(dtype) : null;
  return { placeholder, message, sizeBytes: dtypeBytes(dtype), isSequence: false };
}

/** Sequences of elements of arrays, one in a row. */
export function rowsType(dtype: DType): StoredType {
  return { placeholder: null, message: sequenceType(elementType(dtype)), sizeBytes: ELEMENT_BYTES, isSequence: true };
}

/** Texts of so many bytes. */
export function labelType(sizeBytes: number): StoredType {
  return { placeholder: `A${sizeBytes}`, message: textType(sizeBytes), sizeBytes, isSequence: false };
}

const DTYPES: Readonly<Record<Exclude<DType, 'bool'>, string>> = {
  float32: '<f',
  float64: '<d',
  int8: '<b',
  int16: '<h',
  int32: '<i',
  int64: '<q',
  uint8: '<B',
  uint16: '<H',
  uint32: '<I',
};
