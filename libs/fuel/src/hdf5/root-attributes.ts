import { CorruptInput } from '../errors.js';
import { attributesOf, textsOf, type AttributeMessage } from './attribute-message.js';
import { libraryDatatype } from './library-datatype.js';
import { hasOtherAttributes } from './object-header.js';
import type { OpenHdf5 } from './open-hdf5.js';
import { decodeSplitRows, type SplitRow } from './split-rows.js';

/**
 * The rows of the `split` attribute of a file.
 *
 * @throws CorruptInput when there is none, or one that is not Fuel's
 */
export function splitRowsOf(file: OpenHdf5): SplitRow[] {
  if (!file.module.get_attribute_names(file.id, '/').includes('split')) {
    throw new CorruptInput(file.path, 'has no split attribute, so it is not a Fuel dataset; convert it anew');
  }
  const attribute = attributesOf(file.messages('/')).get('split') ?? splitByLibrary(file);
  try {
    return decodeSplitRows(attribute, file);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CorruptInput(file.path, `has a split attribute that is not Fuel's: ${error.message}; convert it anew`, {
      cause: error,
    });
  }
}

/** The attributes of the root group of a file that are one text each, in the order of their names. */
export function textAttributesOf(file: OpenHdf5): Record<string, string> {
  const messages = file.messages('/');
  const entries = [...attributesOf(messages)].flatMap(([name, attribute]): [string, string][] => {
    const [text, ...more] = textsOf(attribute, file) ?? [];
    return text === undefined || more.length > 0 || attribute.shape.length > 0 ? [] : [[name, text]];
  });
  if (hasOtherAttributes(messages)) entries.push(...otherTexts(file));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those that are not in the header. */
function otherTexts({ module, id, file }: OpenHdf5): [string, string][] {
  return module.get_attribute_names(id, '/').flatMap((name): [string, string][] => {
    if (name === 'split') return [];
    const metadata = module.get_attribute_metadata(id, '/', name);
    if (metadata.type !== module.H5T_class_t.H5T_STRING.value) return [];
    if (metadata.size * metadata.total_size > LARGEST_ATTRIBUTE) return [];
    const value = file.get_attribute(name, true);
    return typeof value === 'string' ? [[name, value]] : [];
  });
}

function splitByLibrary(file: OpenHdf5): AttributeMessage {
  const { module, id } = file;
  const metadata = module.get_attribute_metadata(id, '/', 'split');
  const sizeBytes = metadata.size * metadata.total_size;
  if (sizeBytes > LARGEST_ATTRIBUTE) throw new RangeError(`the split attribute has ${sizeBytes} bytes`);
  const type = libraryDatatype(metadata, module.H5T_class_t);
  const bytes = file.inWasm(sizeBytes, (pointer) => module.get_attribute_data(id, '/', 'split', pointer));
  return { name: 'split', type, shape: metadata.shape ?? [], bytes: Buffer.from(bytes.buffer) };
}

const LARGEST_ATTRIBUTE = 1 << 26;
