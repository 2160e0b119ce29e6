import { assertNever, dtypeBytes, type DType } from '@longrun/serialization';

/** A datatype as an HDF5 file describes it: everything that its bytes depend on. Sizes and offsets are in bytes, or in bits where said. */
export type Datatype =
  | (Fixed & { readonly class: 'integer' | 'bitfield'; readonly signed: boolean })
  | (Fixed & { readonly class: 'float'; readonly layout: FloatLayout })
  | { readonly class: 'text'; readonly size: number; readonly padding: TextPadding }
  | { readonly class: 'variable-length text'; readonly size: number }
  | { readonly class: 'variable-length'; readonly size: number; readonly base: Datatype }
  | { readonly class: 'reference'; readonly size: number; readonly of: 'object' | 'other' }
  | { readonly class: 'enumeration'; readonly size: number; readonly base: Datatype; readonly members: EnumMembers }
  | { readonly class: 'compound'; readonly size: number; readonly members: readonly Member[] }
  | { readonly class: 'array'; readonly size: number; readonly base: Datatype; readonly shape: readonly number[] }
  | { readonly class: 'other'; readonly size: number; readonly name: string };

/** A member of a compound, and where it lies in a row. */
export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly type: Datatype;
}

/** The names of an enumeration, each with its value as it is stored. */
export type EnumMembers = ReadonlyMap<string, Buffer>;

/** What is at the end of a text that is shorter than its field, in the order of HDF5's numbers. */
export const TEXT_PADDINGS = ['null-terminated', 'null-padded', 'space-padded'] as const;
export type TextPadding = (typeof TEXT_PADDINGS)[number];

interface Fixed {
  readonly size: number;
  readonly order: 'little' | 'big' | 'VAX';
  /** First bit of the number within its bytes, and how many bits it has. */
  readonly offset: number;
  readonly precision: number;
}

// Positions and sizes in bits.
interface FloatLayout {
  readonly sign: number;
  readonly exponent: number;
  readonly exponentSize: number;
  readonly mantissa: number;
  readonly mantissaSize: number;
  readonly bias: number;
  /** True when the first bit of the mantissa, always one, is not stored. */
  readonly implied: boolean;
}

/** The dtype of an array of such elements; null when arrays cannot hold them as they are. */
export function dtypeOf(type: Datatype): DType | null {
  switch (type.class) {
    case 'integer': {
      if (!isWhole(type) || type.size > 8) return null;
      const name = `${type.signed ? 'int' : 'uint'}${type.precision}`;
      return INTEGERS.find((dtype) => dtype === name) ?? null;
    }
    case 'float':
      return knownFloat(type)?.dtype ?? null;
    case 'enumeration':
      return isBoolean(type) ? 'bool' : null;
    default:
      return null;
  }
}

/** The dtype of the values of a ragged column of such elements, each of them a row: of sequences, and of text as uint8. Null for others. */
export function raggedDtypeOf(type: Datatype): DType | null {
  if (type.class === 'variable-length') return dtypeOf(type.base);
  return type.class === 'text' || type.class === 'variable-length text' ? 'uint8' : null;
}

/** True when the bytes of an element are in a file as they are in memory. */
export function isAsInMemory(type: Datatype): boolean {
  const dtype = dtypeOf(type);
  if (dtype === null) return false;
  return dtypeBytes(dtype) === 1 || ('order' in type && type.order === 'little');
}

/** The name of a type, for a reader who may never have seen its bits: `uint64`, `float16`, `24-bit integer in 4 bytes`, `text of 5 bytes`. */
export function nameOf(type: Datatype): string {
  switch (type.class) {
    case 'integer':
    case 'bitfield': {
      const kind = type.class === 'bitfield' ? 'bitfield' : type.signed ? 'int' : 'uint';
      if (isWhole(type)) return `${kind}${type.precision}`;
      const where = type.offset === 0 ? '' : ` from bit ${type.offset} on`;
      return `${type.signed ? '' : 'unsigned '}${type.precision}-bit ${type.class} in ${type.size} bytes${where}`;
    }
    case 'float': {
      const known = knownFloat(type);
      if (known !== undefined) return known.name;
      const order = type.order === 'VAX' ? 'in the order of the VAX' : 'not of IEEE 754';
      return `${type.precision}-bit float in ${type.size} bytes, ${order}`;
    }
    case 'text':
      return `text of ${type.size} bytes`;
    case 'variable-length text':
      return 'text of variable length';
    case 'variable-length':
      return `variable-length ${nameOf(type.base)}`;
    case 'reference':
      return `${type.of === 'object' ? 'object' : 'region'} reference`;
    case 'enumeration':
      return isBoolean(type) ? 'bool' : `enumeration of ${nameOf(type.base)}`;
    case 'compound':
      return `compound of ${type.members.map(({ name }) => name).join(', ')}`;
    case 'array':
      return `array (${type.shape.join(', ')}) of ${nameOf(type.base)}`;
    case 'other':
      return type.name;
    default:
      return assertNever(type);
  }
}

/** The integer in the bytes of an element, which may be an array of one. @throws TypeError for any other type */
export function integerOf(type: Datatype, bytes: Buffer): number {
  if (type.class === 'array' && type.shape.every((size) => size === 1)) return integerOf(type.base, bytes);
  if (type.class === 'enumeration') return integerOf(type.base, bytes);
  const value = wholeNumber(type, bytes);
  if (value === undefined) throw new TypeError(`it is ${nameOf(type)} and no whole number`);
  if (Number.isSafeInteger(Number(value))) return Number(value);
  throw new TypeError(`its value is ${value}, which is no whole number below 2^53`);
}

/** The text in the bytes of an element of fixed length, without what it is padded with. */
export function textOf(padding: TextPadding, bytes: Buffer): string {
  return bytes.toString('utf8', 0, textEnd(padding, bytes));
}

/** Where a text ends and its padding begins. */
export function textEnd(padding: TextPadding, bytes: Buffer): number {
  if (padding !== 'space-padded') {
    const end = bytes.indexOf(0);
    return end === -1 ? bytes.length : end;
  }
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end -= 1;
  return end;
}

const LAYOUT_KEYS = ['sign', 'exponent', 'exponentSize', 'mantissa', 'mantissaSize', 'bias', 'implied'] as const;

const INTEGERS = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'] as const;

interface KnownFloat {
  readonly name: string;
  /** Null when arrays have no such elements. */
  readonly dtype: DType | null;
  readonly size: number;
  readonly layout: FloatLayout;
}

const FLOATS: readonly KnownFloat[] = [
  { name: 'float16', dtype: null, size: 2, layout: float(5, 10, 15) },
  { name: 'bfloat16', dtype: null, size: 2, layout: float(8, 7, 127) },
  { name: 'float32', dtype: 'float32', size: 4, layout: float(8, 23, 127) },
  { name: 'float64', dtype: 'float64', size: 8, layout: float(11, 52, 1023) },
];

function float(exponentSize: number, mantissaSize: number, bias: number): FloatLayout {
  const sign = exponentSize + mantissaSize;
  return { sign, exponent: mantissaSize, exponentSize, mantissa: 0, mantissaSize, bias, implied: true };
}

function knownFloat(type: Extract<Datatype, { class: 'float' }>): KnownFloat | undefined {
  if (!isWhole(type)) return undefined;
  return FLOATS.find(({ size, layout }) => size === type.size && isSame(layout, type.layout));
}

function isSame(a: FloatLayout, b: FloatLayout): boolean {
  return LAYOUT_KEYS.every((key) => a[key] === b[key]);
}

/** True when all the bits of all the bytes are the number. */
function isWhole({ size, order, offset, precision }: Fixed): boolean {
  return order !== 'VAX' && offset === 0 && precision === 8 * size;
}

/** NumPy's bool as h5py writes it. */
function isBoolean({ base, members }: Extract<Datatype, { class: 'enumeration' }>): boolean {
  const byte = base.class === 'integer' && base.size === 1 && isWhole(base);
  return byte && members.size === 2 && members.get('FALSE')?.[0] === 0 && members.get('TRUE')?.[0] === 1;
}

function wholeNumber(type: Datatype, bytes: Buffer): bigint | number | undefined {
  if (type.class === 'float') {
    const dtype = dtypeOf(type);
    if (dtype === null) return undefined;
    const value =
      dtype === 'float32'
        ? type.order === 'little'
          ? bytes.readFloatLE()
          : bytes.readFloatBE()
        : type.order === 'little'
          ? bytes.readDoubleLE()
          : bytes.readDoubleBE();
    return Number.isInteger(value) ? value : undefined;
  }
  if (type.class !== 'integer' || !isWhole(type) || type.size > 8) return undefined;
  const ordered = type.order === 'little' ? Buffer.from(bytes.toReversed()) : bytes;
  const value = BigInt(`0x${ordered.toString('hex', 0, type.size)}`);
  return type.signed ? BigInt.asIntN(8 * type.size, value) : value;
}
