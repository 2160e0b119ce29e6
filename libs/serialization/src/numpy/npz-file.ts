import type { NdArray } from '../ndarray.js';
import { type BytesSource, openRanged, type RangedBytes } from '../ranged-bytes.js';
import { type TensorFacts, TensorAbsent } from '../safetensors/safetensors-file.js';
import { shown } from '../shown.js';
import type { RowBlocks, StreamedTensor } from '../safetensors/streamed-tensor.js';
import { NpyArray } from './npy-array.js';
import { InvalidNumpyFile } from './npy-header.js';
import { type ZipMember, zipMembers } from './zip-members.js';

export interface NpzOptions {
  /** The most bytes that a compressed array may have once it is inflated, for it may be a thousand times as large. Default 4 GiB */
  readonly mostInflatedBytes?: number | undefined;
}

/** Opens a `.npz` file of `numpy.savez` or `numpy.savez_compressed` and reads the headers of its arrays. @throws InvalidNumpyFile */
export async function openNpz(source: BytesSource, options: NpzOptions = {}): Promise<NpzFile> {
  return NpzFile.open(await openRanged(source, InvalidNumpyFile), options);
}

/** All arrays of a `.npz` file by name. @throws InvalidNumpyFile */
export async function readNpz(source: BytesSource, options: NpzOptions = {}): Promise<Map<string, NdArray>> {
  const file = await openNpz(source, options);
  try {
    return await file.readAll();
  } finally {
    await file.close();
  }
}

/** The array of a `.npy` file. @throws InvalidNumpyFile */
export async function readNpy(source: BytesSource): Promise<NdArray> {
  const bytes = await openRanged(source, InvalidNumpyFile);
  try {
    const { where, sizeBytes } = bytes;
    const array = await NpyArray.open({ where, sizeBytes, present: true, pieces: () => bytes.pieces(0, sizeBytes) });
    return await array.read();
  } finally {
    await bytes.close();
  }
}

/**
 * An open `.npz` file: names, dtypes and shapes of its arrays, each read when it is asked for, in row-major order and checked against its
 * checksum. Close it.
 */
export class NpzFile {
  /** Names the file in errors. */
  readonly where: string;
  /** The arrays by name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  readonly #bytes: RangedBytes;
  readonly #arrays: ReadonlyMap<string, NpyArray>;

  private constructor(bytes: RangedBytes, arrays: ReadonlyMap<string, NpyArray>) {
    this.where = bytes.where;
    this.#bytes = bytes;
    this.#arrays = arrays;
    this.tensors = new Map([...arrays].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  }

  /**
   * Takes over the bytes, and closes them where they are not those of such a file.
   *
   * @param nameOf the name that an array is given here. Default: its own
   */
  static async open(
    bytes: RangedBytes,
    { mostInflatedBytes = DEFAULT_INFLATED_BYTES }: NpzOptions,
    nameOf: (name: string) => string = (name) => name,
  ): Promise<NpzFile> {
    try {
      const arrays = new Map<string, NpyArray>();
      for (const member of await zipMembers(bytes)) {
        const name = nameOf(arrayName(bytes, member, mostInflatedBytes));
        if (arrays.has(name))
          throw bytes.invalid(`there are two arrays ${shown(name)}; it is unclear which one is meant`);
        const where = `${bytes.where}: array ${shown(name)}`;
        arrays.set(
          name,
          await NpyArray.open({ ...member, pieces: () => member.pieces(), where, present: !member.deflated }),
        );
      }
      return new NpzFile(bytes, arrays);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  /** One array. @throws TensorAbsent, InvalidNumpyFile */
  async read(name: string): Promise<NdArray> {
    return this.#array(name).read();
  }

  /** All arrays by name. @throws InvalidNumpyFile */
  async readAll(): Promise<Map<string, NdArray>> {
    const tensors = new Map<string, NdArray>();
    for (const name of this.tensors.keys()) tensors.set(name, await this.read(name));
    return tensors;
  }

  /**
   * One array a block of rows at a time; one in Fortran order is read whole for it.
   *
   * @throws TensorAbsent, InvalidNumpyFile; RangeError for rows that there are not, and for a scalar
   */
  async *blocks(name: string, options: RowBlocks = {}): AsyncGenerator<NdArray> {
    yield* this.#array(name).blocks(options);
  }

  /** One array to be written elsewhere, not read before. A scalar has no rows: {@link read} it. @throws TensorAbsent */
  streamed(name: string): StreamedTensor {
    const { dtype, shape } = this.#array(name);
    return { dtype, shape, blocks: () => this.blocks(name) };
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }

  #array(name: string): NpyArray {
    const array = this.#arrays.get(name);
    if (array !== undefined) return array;
    throw TensorAbsent.of(this.where, name, [...this.#arrays.keys()]);
  }
}

const DEFAULT_INFLATED_BYTES = 4 * 2 ** 30;

const SUFFIX = '.npy';

function arrayName(bytes: RangedBytes, { name, sizeBytes, deflated }: ZipMember, mostInflatedBytes: number): string {
  if (!name.endsWith(SUFFIX)) {
    throw bytes.invalid(`member ${shown(name)} is no ${SUFFIX} array; numpy.savez writes nothing else`);
  }
  if (deflated && sizeBytes > mostInflatedBytes) {
    throw bytes.invalid(
      `member ${shown(name)} has ${sizeBytes} bytes once it is inflated, more than the ${mostInflatedBytes} of mostInflatedBytes; raise it if you trust the file`,
    );
  }
  return name.slice(0, -SUFFIX.length);
}
