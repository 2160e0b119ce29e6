import { attributesOf, textsOf, type AttributeMessage } from './attribute-message.js';
import { GlobalHeap, ELEMENT_BYTES } from './global-heap.js';
import { headerMessages, type HeaderMessage, type OpenFile } from './object-header.js';

/**
 * The dimension scales that are attached to the first axis of a dataset: by the names that they have as scales, `shapes` and
 * `shape_labels` among them, an object reference to each.
 *
 * @throws RangeError for references that are damaged
 */
export function firstAxisScales(messages: readonly HeaderMessage[], file: OpenFile): ReadonlyMap<string, Uint8Array> {
  const list = attributesOf(messages).get('DIMENSION_LIST');
  const scales = new Map<string, Uint8Array>();
  for (const reference of list === undefined ? [] : referencesOf(list, file)) {
    const address = Number(reference.readBigUInt64LE());
    const name = attributesOf(headerMessages(file.descriptor, file.base, address)).get('NAME');
    const [text] = (name === undefined ? null : textsOf(name, file)) ?? [];
    if (text !== undefined) scales.set(text, Uint8Array.from(reference));
  }
  return scales;
}

/** Whether a dataset says that it is a scale, and of what. Readers go by the dataset that it is attached to, HDF5's own tools by this. */
export function isAttachedScale(messages: readonly HeaderMessage[]): boolean {
  const attributes = attributesOf(messages);
  return attributes.get('CLASS')?.bytes.toString('latin1') === 'DIMENSION_SCALE\0' && attributes.has('REFERENCE_LIST');
}

function referencesOf({ type, bytes }: AttributeMessage, file: OpenFile): Buffer[] {
  if (type.class !== 'variable-length' || type.base.class !== 'reference' || type.base.of !== 'object')
    throw new RangeError('the dimension scales of an axis are no list of object references');
  const references = new GlobalHeap(file).bytesOf(bytes.subarray(0, ELEMENT_BYTES), REFERENCE_BYTES);
  return Array.from({ length: references.length / REFERENCE_BYTES }, (_, i) =>
    references.subarray(i * REFERENCE_BYTES, (i + 1) * REFERENCE_BYTES),
  );
}

const REFERENCE_BYTES = 8;
