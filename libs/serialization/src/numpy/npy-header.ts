import { type DType, dtypeBytes } from '../ndarray.js';
import { shown } from '../shown.js';

/** What the header of a `.npy` array says. */
export interface NpyHeader {
  readonly dtype: DType;
  /** Elements lie most significant byte first. */
  readonly bigEndian: boolean;
  /** The first axis varies fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes of the elements. */
  readonly dataBytes: number;
}

/** A file is not a `.npy` or `.npz` file, or has what is not read. The message names the file and says what is wrong with it. */
export class InvalidNumpyFile extends Error {
  override readonly name = 'InvalidNumpyFile';
}

/** Bytes before the length of the header: the magic and two of version. */
export const NPY_PREFIX_BYTES = 8;

/** NumPy's own have some 100 bytes and it refuses to read more than 10,000. */
export const MAX_NPY_HEADER_BYTES = 65_536;

/** Checks the magic and the version, and answers how many bytes the length of the header has. @throws InvalidNumpyFile */
export function lengthBytesOf(where: string, prefix: Uint8Array): number {
  if (prefix.byteLength < NPY_PREFIX_BYTES || !MAGIC.equals(prefix.subarray(0, MAGIC.byteLength))) {
    throw new InvalidNumpyFile(`${where}: this is no .npy array, which starts with \\x93NUMPY`);
  }
  const [major = 0, minor = 0] = prefix.subarray(MAGIC.byteLength);
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InvalidNumpyFile(`${where}: .npy version ${major}.${minor}; this build reads 1.0, 2.0 and 3.0`);
  }
  return major === 1 ? 2 : 4;
}

/**
 * Reads the text of a `.npy` header, the literal of a Python dict, without evaluating it
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 *
 * @throws InvalidNumpyFile
 */
export function parseNpyHeader(where: string, text: string): NpyHeader {
  const { descr, fortranOrder, shape } = fieldsOf(where, text);
  const { dtype, bigEndian } = dtypeOf(where, descr);
  const dataBytes = shape.reduce((product, dimension) => product * dimension, dtypeBytes(dtype));
  if (!Number.isSafeInteger(dataBytes)) {
    throw new InvalidNumpyFile(`${where}: shape ${shown(shape)} has more bytes than a file can; the file is corrupt`);
  }
  return { dtype, bigEndian, fortranOrder, shape, dataBytes };
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

interface Fields {
  descr: string;
  fortranOrder: boolean;
  shape: readonly number[];
}

// One pair of the dict: a text, True or False, a tuple of integers (Python 2 writes 3L), or the start of a list.
const PAIR =
  /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])(?<text>[^'"\\]*)\3|(?<flag>True|False)|\((?<tuple>[\dL,\s]*)\)|(?<list>\[))\s*(?:,|(?=\}))/y;

function fieldsOf(where: string, text: string): Fields {
  const fields: Partial<Fields> = {};
  const corrupt = new InvalidNumpyFile(
    `${where}: the header ${shown(text)} is not that of a .npy array, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`,
  );
  const dict = /^\s*\{(?<pairs>[^]*\})\s*$/.exec(text)?.groups?.['pairs'];
  if (dict === undefined) throw corrupt;
  PAIR.lastIndex = 0;
  let end = 0;
  for (let pair = PAIR.exec(dict); pair !== null; pair = PAIR.exec(dict)) {
    end = PAIR.lastIndex;
    const key = pair[2];
    const { text: value, flag, tuple } = pair.groups ?? {};
    if (key === 'descr' && value !== undefined) fields.descr = value;
    else if (key === 'fortran_order' && flag !== undefined) fields.fortranOrder = flag === 'True';
    else if (key === 'shape' && tuple !== undefined) fields.shape = shapeOf(where, tuple);
    else throw corrupt;
  }
  const { descr, fortranOrder, shape } = fields;
  if (descr === undefined && /\{\s*.descr.\s*:\s*\[/.test(text)) {
    throw new InvalidNumpyFile(`${where}: a structured array; save each of its fields as an array of its own`);
  }
  if (dict.slice(end).trim() !== '}' || descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw corrupt;
  }
  return { descr, fortranOrder, shape };
}

function shapeOf(where: string, tuple: string): number[] {
  const texts = tuple.split(',').map((text) => text.trim());
  if (texts.at(-1) === '') texts.pop();
  return texts.map((text) => {
    const dimension = /^\d+L?$/.test(text) ? Number.parseInt(text, 10) : NaN;
    if (Number.isSafeInteger(dimension)) return dimension;
    throw new InvalidNumpyFile(
      `${where}: shape (${shown(tuple).slice(1, -1)}) is no tuple of integers; the file is corrupt`,
    );
  });
}

const DTYPES: Readonly<Record<string, DType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  f4: 'float32',
  f8: 'float64',
};

function dtypeOf(where: string, descr: string): { readonly dtype: DType; readonly bigEndian: boolean } {
  const [, order, name = ''] = /^([<>|])(\w+)$/.exec(descr) ?? [];
  if (name === 'O') {
    throw new InvalidNumpyFile(
      `${where}: an array of Python objects, which are pickled; nothing is unpickled here: save it as numbers, with array.astype('float32')`,
    );
  }
  const dtype = Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined;
  if (dtype === undefined || (order === '|' && dtypeBytes(dtype) > 1)) {
    throw new InvalidNumpyFile(
      `${where}: dtype ${shown(descr)}; this build reads ${Object.values(DTYPES).join(', ')}: convert it with array.astype`,
    );
  }
  return { dtype, bigEndian: order === '>' };
}
