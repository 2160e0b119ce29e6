import { dtypeOf, nameOf, raggedDtypeOf, type Datatype } from './datatype.js';
import { unknownFilters, type Filter } from './filters.js';
import type { StoredLayout } from './tiles.js';

/** What a file says about a source. */
export interface SourceFacts extends StoredLayout {
  readonly name: string;
  readonly type: Datatype;
  readonly filters: readonly Filter[];
  /** True when its data are in other files. */
  readonly isOutside: boolean;
  /** True when the elements are found without the library: they lie in one piece, or in chunks with a known index. */
  readonly isFound: boolean;
}

/** Why a source cannot be read, and what to do, as the rest of a sentence; null when it can. */
export function sourceProblem({ name, type, filters, isOutside, isFound, ...layout }: SourceFacts): string | null {
  return (
    typeProblem(type, layout.shape) ??
    (isOutside ? OUTSIDE : null) ??
    (isFound ? null : scatteredProblem(type, name, layout.shape)) ??
    filterProblem(filters, name, !isVariable(type)) ??
    sizeProblem(layout, name)
  );
}

const LARGEST_CHUNK = 1 << 28;
// An example that is larger is a mistake in the file rather than data.
const LARGEST_ROW = 2 ** 31;
const READABLE = 'float32, float64, int8, int16, int32, int64, uint8, uint16, uint32 and bool';
const OUTSIDE =
  'its data are in other files (external or virtual), and a dataset is one file; copy them into this one, as with h5py';

/** Whether elements of a type only say where they are, which the library may never find when they are damaged. */
export function isVariable(type: Datatype): boolean {
  return type.class === 'variable-length' || type.class === 'variable-length text';
}

function typeProblem(type: Datatype, shape: readonly number[]): string | null {
  if (dtypeOf(type) !== null) return null;
  if (raggedDtypeOf(type) === null)
    return `its elements are ${nameOf(type)}, and those that can be read are ${READABLE}, also in sequences, and text; write it as one of them`;
  const isOneInRow = shape.slice(1).every((size) => size === 1);
  if (shape.length <= 1 || (type.class === 'text' && isOneInRow)) return null;
  return `its elements are ${nameOf(type)}, several in a row, as its shape is (${shape.join(', ')}), and can be read with one in a row; write each column as a source of its own`;
}

/** Where the library alone finds the elements. */
function scatteredProblem(type: Datatype, name: string, [rows = 0]: readonly number[]): string | null {
  if (!isVariable(type) || rows === 0) return null;
  return `its elements are ${nameOf(type)}, and are in chunks with an index of HDF5 1.10 and later, where those in chunks as h5py writes them by default, or in one piece, can be read; write it anew with h5repack -l ${name}:CONTI`;
}

function filterProblem(filters: readonly Filter[], name: string, byLibrary: boolean): string | null {
  const unknown = unknownFilters(filters, byLibrary);
  if (unknown === null) return null;
  return `its chunks went through ${unknown}, which this build does not have; write it anew with h5repack -f ${name}:GZIP=4`;
}

function sizeProblem({ shape, elementBytes, chunks, filtered }: StoredLayout, name: string): string | null {
  if (shape.length === 0) return 'it is a scalar, without examples; write it with a first axis';
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, elementBytes);
  const rowBytes = product(shape.slice(1));
  if (rowBytes > LARGEST_ROW || product(shape) > Number.MAX_SAFE_INTEGER)
    return `one example of it takes ${rowBytes} bytes, and those up to ${LARGEST_ROW} can be read; write it in smaller ones`;
  const chunkBytes = product(chunks ?? [0]);
  if (!filtered || chunkBytes <= LARGEST_CHUNK) return null;
  const smaller = chunks?.map((size, axis) => (axis === 0 ? 1 : size)).join('x');
  return `its chunks take ${chunkBytes} bytes, and compressed ones up to ${LARGEST_CHUNK} can be read; write it anew with h5repack -l ${name}:CHUNK=${smaller}`;
}
