import { sizeOf } from '@longrun/serialization';
import { CorruptInput, UnsuitableDataset } from '../errors.js';
import { attributesOf, textsOf } from './attribute-message.js';
import { ChunkCache } from './chunk-cache.js';
import { chunkIndexOf } from './chunk-index.js';
import { dtypeOf, isAsInMemory, raggedDtypeOf } from './datatype.js';
import { decodeDatatype } from './decode-datatype.js';
import { firstAxisScales } from './dimension-scales.js';
import { readable, type H5Source } from './h5-source.js';
import {
  contiguousExtent,
  decodeDataspace,
  hasOtherAttributes,
  MESSAGE,
  messageContent,
  type HeaderMessage,
} from './object-header.js';
import type { OpenHdf5 } from './open-hdf5.js';
import { readerOf } from './reader-of.js';
import { isVariable, sourceProblem } from './source-problem.js';

/**
 * What is known about a dataset of the root group without reading its data.
 *
 * @throws CorruptInput when there is none of this name
 */
export function describeSource(file: OpenHdf5, name: string): H5Source {
  const path = `/${name}`;
  const { module, id, base } = file;
  checkLink(file, name, path);
  const messages = file.messages(path);
  const content = messageContent(file.descriptor, base, messages, MESSAGE.datatype);
  const dataspace = messageContent(file.descriptor, base, messages, MESSAGE.dataspace);
  if (content === undefined || dataspace === undefined) {
    throw new UnsuitableDataset(
      `${file.path}: the description of ${name} is shared in a way that this build does not read; write the file anew with h5repack`,
    );
  }
  const type = decodeDatatype(content);
  const shape = decodeDataspace(dataspace) ?? [0];
  const simple = dtypeOf(type);
  const dtype = simple ?? raggedDtypeOf(type);
  const ragged = simple === null && dtype !== null;
  // The library describes simple types only without a fault, so that it is not asked about others.
  const metadata = simple === null && type.class !== 'text' ? null : module.get_dataset_metadata(id, path);
  const isOutside = metadata?.virtual_sources !== undefined || messages.some((m) => m.type === MESSAGE.externalFiles);
  const extent = isAsInMemory(type) || ragged ? contiguousExtent(messages, base) : undefined;
  const chunkIndex = isVariable(type) && !isOutside ? chunkIndexOf(messages, shape[0] ?? 0) : undefined;
  const filters = chunkIndex?.filters ?? (metadata?.chunks == null ? [] : module.get_dataset_filters(id, path));
  const chunks = chunkIndex === undefined ? (metadata?.chunks ?? null) : [chunkIndex.chunkRows];
  const layout = {
    shape,
    elementBytes: type.size,
    chunks,
    filtered: filters.length > 0 || (chunkIndex?.address ?? null) !== null,
  };
  const isFound = extent !== undefined || chunkIndex !== undefined;
  const problem = sourceProblem({ name, type, filters, isOutside, isFound, ...layout });
  if (problem === null && extent !== undefined && extent.sizeBytes < sizeOf(shape) * type.size) {
    throw new CorruptInput(
      file.path,
      `has ${extent.sizeBytes} bytes of ${name}, whose shape (${shape.join(', ')}) takes ${sizeOf(shape) * type.size}; the file is damaged, get or convert it anew`,
    );
  }
  const labels = axisLabelsOf(file, path, messages);
  // A row of a ragged source has at least one axis, which the dataset does not know.
  const axisLabels = [...shape, ...(ragged ? [0] : [])].map(
    (_, axis) => (axis < shape.length ? labels[axis] : null) ?? '',
  );
  const source = { name, dtype, type, ragged, shapes: null, problem, axisLabels, extent, chunkIndex, ...layout };
  return ragged && type.class === 'variable-length' ? withShapes(file, source, path, messages) : source;
}

/** Where the link of a name leads, before the library follows it. */
function checkLink({ path: filePath, module, id }: OpenHdf5, name: string, path: string): void {
  const absent = new CorruptInput(filePath, `has no dataset ${name}; name one that it has, or convert it anew`);
  let filename: string | undefined;
  try {
    ({ filename } = module.get_external_link(id, path));
  } catch (error) {
    // So it is called of what lies below a group; of others the type is none.
    throw String(error).includes("doesn't exist") ? absent : error;
  }
  if (filename !== undefined) {
    throw new UnsuitableDataset(
      `${filePath}: ${name} is a link to the file ${filename}, and a dataset is one file; copy what it links to into this one`,
    );
  }
  if (module.get_type(id, path) !== module.H5G_DATASET) throw absent;
}

/** What the axes mean. Read here as far as it can be: on a damaged heap of texts the library never ends. */
function axisLabelsOf(file: OpenHdf5, path: string, messages: readonly HeaderMessage[]): readonly (string | null)[] {
  const attribute = attributesOf(messages).get('DIMENSION_LABELS');
  if (attribute !== undefined) return textsOf(attribute, file) ?? [];
  return hasOtherAttributes(messages) ? file.module.get_dimension_labels(file.id, path) : [];
}

/** What the scales `shapes` and `shape_labels` of its first axis say about the rows of a source. */
function withShapes(file: OpenHdf5, source: H5Source, path: string, messages: readonly HeaderMessage[]): H5Source {
  const { module, id } = file;
  const scales = new Map<string, string>();
  if (hasOtherAttributes(messages)) {
    for (const scale of module.get_attached_scales(id, path, 0))
      scales.set(module.get_scale_name(id, scale) ?? '', scale);
  } else {
    for (const [scale, reference] of firstAxisScales(messages, file))
      scales.set(scale, module.get_referenced_name(id, reference, true));
  }
  const nameOf = (scale: string): string | null => scales.get(scale)?.replace(/^\//, '') ?? null;
  const shapesName = nameOf('shapes');
  if (shapesName === null) return source;
  const shapes = describeSource(file, shapesName);
  const [rows = 0, axes] = shapes.shape;
  const isList = axes !== undefined && shapes.dtype !== null && !shapes.dtype.startsWith('float');
  if (!isList || rows < (source.shape[0] ?? 0)) {
    throw new CorruptInput(
      file.path,
      `has shapes of the rows of ${source.name} in ${shapesName} that are not one list of whole numbers for each row; convert it anew`,
    );
  }
  const labelsName = nameOf('shape_labels');
  const labels = labelsName === null ? [] : textsIn(file, labelsName);
  return {
    ...source,
    shapes,
    axisLabels: [source.axisLabels[0] ?? '', ...Array.from({ length: axes }, (_, axis) => labels[axis] ?? '')],
  };
}

/** The rows of a source of text. */
function textsIn(file: OpenHdf5, name: string): string[] {
  const source = readable(file.path, describeSource(file, name));
  if (!source.ragged || source.type.class === 'variable-length') return [];
  const reader = readerOf(file, source, new ChunkCache(0));
  return Array.from({ length: source.shape[0] ?? 0 }, (_, row) =>
    Buffer.from(reader.read(row).data.buffer).toString('utf8'),
  );
}
