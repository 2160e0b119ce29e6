import { nameOf, textOf, type Datatype } from './datatype.js';
import { decodeDatatype } from './decode-datatype.js';
import { decodeDataspace, MESSAGE, readAt, type HeaderMessage } from './object-header.js';

/** An attribute as its message in an object header holds it. */
export interface AttributeMessage {
  readonly name: string;
  readonly type: Datatype;
  readonly shape: readonly number[];
  /** The elements, as they are in the file. */
  readonly bytes: Buffer;
}

/**
 * Decodes an attribute message (HDF5 file format specification, version 3.0, section IV.A.2.m). Null when its type lies elsewhere
 * in the file, as a committed datatype does.
 *
 * @throws RangeError for a message that is not whole
 */
function decodeAttribute(content: Buffer): AttributeMessage | null {
  const [version = 0, flags = 0] = content;
  if (version < 1 || version > 3) throw new RangeError(`an attribute has version ${version}, this build reads 1 to 3`);
  if (version > 1 && (flags & 3) !== 0) return null;
  const [nameBytes, typeBytes, spaceBytes] = [2, 4, 6].map((at) => content.readUInt16LE(at));
  let at = version === 3 ? 9 : 8;
  const part = (length = 0): Buffer => {
    if (at + length > content.length) throw new RangeError('an attribute ends before it is whole');
    const start = at;
    at += version === 1 ? (length + 7) & ~7 : length;
    return content.subarray(start, start + length);
  };
  const name = part(nameBytes).toString('utf8').replace(/\0.*$/s, '');
  const type = decodeDatatype(part(typeBytes));
  const shape = decodeDataspace(part(spaceBytes)) ?? [0];
  const elements = shape.reduce((product, size) => product * size, 1);
  return { name, type, shape, bytes: part(elements * type.size) };
}

/** The attributes that a header holds, by name. Others lie elsewhere, where the library finds them: all together, or one of more than 64 KB. */
export function attributesOf(messages: readonly HeaderMessage[]): ReadonlyMap<string, AttributeMessage> {
  const attributes = new Map<string, AttributeMessage>();
  for (const { type, content, shared } of messages) {
    if (type !== MESSAGE.attribute || shared) continue;
    const attribute = decodeAttribute(content);
    if (attribute !== null) attributes.set(attribute.name, attribute);
  }
  return attributes;
}

/** Where what lies outside of a header is found. */
export interface OpenFile {
  readonly descriptor: number;
  /** Address that all others count from. */
  readonly base: number;
}

/** The text of an element. @throws TypeError for an element that is none */
export function textValue(type: Datatype, bytes: Buffer, { descriptor, base }: OpenFile): string {
  if (type.class === 'text') return textOf(type.padding, bytes);
  if (type.class !== 'variable-length text') throw new TypeError(`it is ${nameOf(type)} and no text`);
  return textOf('null-terminated', variableLengthBytes(descriptor, base, bytes));
}

/** The texts that are the elements of an attribute; null where they are no texts. */
export function textsOf({ type, shape, bytes }: AttributeMessage, file: OpenFile): string[] | null {
  if (type.class !== 'text' && type.class !== 'variable-length text') return null;
  const count = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, i) =>
    textValue(type, bytes.subarray(i * type.size, (i + 1) * type.size), file),
  );
}

/** The bytes of an element of variable length, from the global heap that its 16 bytes point into. */
function variableLengthBytes(descriptor: number, base: number, element: Buffer): Buffer {
  const length = element.readUInt32LE(0);
  const address = Number(element.readBigUInt64LE(4));
  const index = element.readUInt32LE(12);
  if (length === 0) return Buffer.alloc(0);
  const head = readAt(descriptor, base + address, 16);
  if (head.toString('latin1', 0, 4) !== 'GCOL') throw new RangeError(`there is no global heap at ${address}`);
  const sizeBytes = Number(head.readBigUInt64LE(8));
  if (sizeBytes > LARGEST_HEAP) throw new RangeError(`the global heap at ${address} has ${sizeBytes} bytes`);
  const heap = readAt(descriptor, base + address, sizeBytes);
  for (let at = 16; at + 16 <= heap.length;) {
    const objectBytes = Number(heap.readBigUInt64LE(at + 8));
    if (heap.readUInt16LE(at) === index && length <= objectBytes && at + 16 + length <= heap.length)
      return heap.subarray(at + 16, at + 16 + length);
    at += 16 + ((objectBytes + 7) & ~7);
    if (objectBytes === 0 || objectBytes > sizeBytes) break;
  }
  throw new RangeError(`the global heap at ${address} has no object ${index} of ${length} bytes`);
}

const LARGEST_HEAP = 1 << 26;
