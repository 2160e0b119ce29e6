import { nameOf, textOf, type Datatype } from './datatype.js';
import { decodeDatatype } from './decode-datatype.js';
import { GlobalHeap } from './global-heap.js';
import { decodeDataspace, MESSAGE, type HeaderMessage, type OpenFile } from './object-header.js';

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

/** The text of an element. @throws TypeError for an element that is none */
export function textValue(type: Datatype, bytes: Buffer, file: OpenFile): string {
  if (type.class === 'text') return textOf(type.padding, bytes);
  if (type.class !== 'variable-length text') throw new TypeError(`it is ${nameOf(type)} and no text`);
  return textOf('null-terminated', new GlobalHeap(file).bytesOf(bytes));
}

/** The texts that are the elements of an attribute; null where they are no texts. */
export function textsOf({ type, shape, bytes }: AttributeMessage, file: OpenFile): string[] | null {
  if (type.class !== 'text' && type.class !== 'variable-length text') return null;
  const count = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, i) =>
    textValue(type, bytes.subarray(i * type.size, (i + 1) * type.size), file),
  );
}
