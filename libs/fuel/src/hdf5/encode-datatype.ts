import { dtypeBytes, type DType } from '@longrun/serialization';

// Datatype messages, version 1, as h5py writes them: class and version in the first byte, class bits in the next three, the size, then properties.

/** The datatype of the elements of an array. */
export function elementType(dtype: DType): Buffer {
  if (dtype === 'bool') return booleanType();
  if (dtype === 'float32') return floatType(4, [0x20, 31], [23, 8, 0, 23], 127);
  if (dtype === 'float64') return floatType(8, [0x20, 63], [52, 11, 0, 52], 1023);
  return integerType(dtypeBytes(dtype), !dtype.startsWith('uint'));
}

/** Sequences of elements of another type. */
export function sequenceType(base: Buffer): Buffer {
  return Buffer.concat([datatypeHead(0x19, 0, 16), base]);
}

/** Text of so many bytes, padded with NULs. */
export function textType(size: number): Buffer {
  return datatypeHead(0x13, 0x01, size);
}

/** Little-endian. */
export function integerType(size: number, signed = true): Buffer {
  const precision = Buffer.alloc(4);
  precision.writeUInt16LE(size * 8, 2);
  return Buffer.concat([datatypeHead(0x10, signed ? 0x08 : 0, size), precision]);
}

export function objectReferenceType(): Buffer {
  return datatypeHead(0x17, 0x00, 8);
}

/** NumPy's bool as h5py writes it: an enumeration over int8. */
export function booleanType(): Buffer {
  const names = [padded('FALSE'), padded('TRUE')];
  return Buffer.concat([datatypeHead(0x18, 2, 1), integerType(1), ...names, Buffer.from([0, 1])]);
}

export function compoundType(members: readonly (readonly [name: string, type: Buffer, size: number])[]): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, type, size] of members) {
    const head = Buffer.alloc(32); // offset in the row, then a dimensionality of none
    head.writeUInt32LE(offset);
    parts.push(padded(name), head, type);
    offset += size;
  }
  return Buffer.concat([datatypeHead(0x16, members.length, offset), ...parts]);
}

/** A name that ends with a NUL, filled up to a multiple of 8. */
export function padded(value: string): Buffer {
  const bytes = Buffer.alloc((Buffer.byteLength(value) + 8) & ~7);
  bytes.write(value);
  return bytes;
}

/** @param bits whether the first bit of the mantissa is implied, and where the sign is; then place and size of exponent and mantissa, in bits */
function floatType(
  size: number,
  bits: readonly [number, number],
  fields: readonly [number, number, number, number],
  bias: number,
): Buffer {
  const properties = Buffer.alloc(12);
  properties.writeUInt16LE(size * 8, 2);
  properties.set(fields, 4);
  properties.writeUInt32LE(bias, 8);
  return Buffer.concat([datatypeHead(0x11, bits[0] | (bits[1] << 8), size), properties]);
}

function datatypeHead(classAndVersion: number, bits: number, size: number): Buffer {
  const head = Buffer.alloc(8);
  head[0] = classAndVersion;
  head.writeUIntLE(bits, 1, 3);
  head.writeUInt32LE(size, 4);
  return head;
}
