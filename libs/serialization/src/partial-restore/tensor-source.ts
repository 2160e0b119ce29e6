import { openBlocksParameters } from '../blocks-checkpoint/blocks-parameters.js';
import type { NdArray } from '../ndarray.js';
import { openNpz } from '../numpy/npz-file.js';
import { type BytesSource, openRanged } from '../ranged-bytes.js';
import { openSafetensors, TensorAbsent, type TensorFacts } from '../safetensors/safetensors-file.js';
import { type RowBlocks, rowBlocks, rowsIn } from '../safetensors/streamed-tensor.js';

/** Tensors by name, each of which is read when it is asked for: a `SafetensorsFile`, an `NpzFile`, or what is in memory. */
export interface TensorSource {
  /** Names it in errors. */
  readonly where: string;
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  /** All of one. @throws TensorAbsent */
  read(name: string): Promise<NdArray>;
  /** One a block of rows at a time. @throws TensorAbsent; RangeError for rows that there are not, and for a scalar */
  blocks(name: string, options?: RowBlocks): AsyncIterable<NdArray>;
}

/** A file that is open. Close it. */
export interface TensorFile extends TensorSource {
  close(): Promise<void>;
}

/** A file is none of those that tensors are read from. */
export class UnknownTensorFile extends Error {
  override readonly name = 'UnknownTensorFile';
}

/**
 * Opens a file or object that is safetensors, such as `parameters.safetensors` of a checkpoint, a `.npz` file, or the tar file of a checkpoint of
 * Blocks. Its first bytes say which; its name does not matter.
 *
 * @throws UnknownTensorFile; InvalidSafetensors, InvalidNumpyFile, InvalidBlocksCheckpoint for one that is damaged
 */
export async function openTensors(source: BytesSource): Promise<TensorFile> {
  const bytes = await openRanged(source, UnknownTensorFile);
  try {
    const start = await bytes.take(0, Math.min(TAR_HEADER_BYTES, bytes.sizeBytes));
    const has = (text: string, place: number): boolean => start.toString('latin1', place, place + text.length) === text;
    if (has('PK\x03\x04', 0) || has('PK\x05\x06', 0)) return await openNpz(source);
    if (has('ustar', 257)) return await openBlocksParameters(source);
    if (has('{', 8)) return await openSafetensors(source);
    throw bytes.invalid(
      'this is no safetensors, .npz or tar file; write what is to be read with safetensors, numpy.savez or blocks.serialization.dump',
    );
  } finally {
    await bytes.close();
  }
}

/** Arrays in memory as a source. They are not copied: do not write to them before they were read. */
export function tensorsInMemory(arrays: ReadonlyMap<string, NdArray>, where = 'what is in memory'): TensorSource {
  const arrayOf = (name: string): NdArray => {
    const array = arrays.get(name);
    if (array !== undefined) return array;
    throw TensorAbsent.of(where, name, [...arrays.keys()]);
  };
  return {
    where,
    tensors: new Map([...arrays].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    read: async (name) => arrayOf(name),
    async *blocks(name, options = {}) {
      const array = arrayOf(name);
      for (const [start, stop] of rowBlocks(name, array, options)) yield rowsIn(array, start, stop);
    },
  };
}

const TAR_HEADER_BYTES = 512;
