import type { NdArray } from '../ndarray.js';
import { InvalidSafetensors } from '../safetensors/header.js';
import { openSafetensors, type SafetensorsFile, type TensorFacts } from '../safetensors/safetensors-file.js';
import { rawBytes } from '../safetensors/tensor-bytes.js';
import type { Json } from '../state.js';
import { ObjectAbsent, type ObjectReading } from '../store/object-store.js';
import type { Manifest, ManifestFile } from './manifest.js';
import { isTensorFile } from './stored-tensors.js';
import { wholeBlobKey } from './stored-files.js';

/** How a tensor of a name differs from that of another checkpoint. */
export type TensorComparison =
  | { readonly name: string; readonly kind: 'only-a' | 'only-b'; readonly facts: TensorFacts }
  | { readonly name: string; readonly kind: 'retyped'; readonly a: TensorFacts; readonly b: TensorFacts }
  | { readonly name: string; readonly kind: 'equal' }
  | {
      readonly name: string;
      readonly kind: 'changed';
      /** How many elements have other bits. */
      readonly elements: number;
      /** Of those whose difference is a finite number; 0 where only a sign of zero differs. */
      readonly maxAbsDifference: number;
      /** How many differ by no finite number: one of the two is NaN or infinite. */
      readonly nonFinite: number;
    };

/** How a value in a JSON file differs; what is not there is undefined. */
export interface ValueComparison {
  /** The keys and indices to it: `mainLoop.status.epochsDone`. */
  readonly path: string;
  readonly a: Json | undefined;
  readonly b: Json | undefined;
}

/** How a file differs. */
export interface FileComparison {
  readonly name: string;
  readonly kind: 'only-a' | 'only-b' | 'equal' | 'changed';
  /** Of a changed tensor file. */
  readonly tensors?: readonly TensorComparison[];
  /** Of a changed JSON file. */
  readonly values?: readonly ValueComparison[];
  /** Why what is in a changed file was not compared. */
  readonly reason?: string;
}

/** How two checkpoints differ. */
export interface Comparison {
  /** By name. */
  readonly files: readonly FileComparison[];
}

/**
 * Compares the files of two checkpoints of one store. Tensors are read a block at a time, and only those of files that have changed; each of these
 * is compared with what was committed first, so that no damage is taken for a difference.
 *
 * @throws CorruptBlob
 */
export async function compareCheckpoints(store: ObjectReading, a: Manifest, b: Manifest): Promise<Comparison> {
  const [ofA, ofB] = [byName(a.files), byName(b.files)];
  const files: FileComparison[] = [];
  for (const name of new Set([...ofA.keys(), ...ofB.keys()])) {
    const [inA, inB] = [ofA.get(name), ofB.get(name)];
    if (inA === undefined) files.push({ name, kind: 'only-b' });
    else if (inB === undefined) files.push({ name, kind: 'only-a' });
    else if (inA.sha256 === inB.sha256) files.push({ name, kind: 'equal' });
    else files.push(await changedFile(store, inA, inB));
  }
  return { files };
}

/** The values of two JSON documents that differ, by their paths. */
export function differingValues(a: Json | undefined, b: Json | undefined, path = ''): ValueComparison[] {
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) {
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ path, a, b }];
  }
  const [inA, inB] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...inA.keys(), ...inB.keys()])].flatMap((key) =>
    differingValues(inA.get(key), inB.get(key), path === '' ? key : `${path}.${key}`),
  );
}

async function changedFile(store: ObjectReading, a: ManifestFile, b: ManifestFile): Promise<FileComparison> {
  const { name } = a;
  const [keyA, keyB] = [await wholeBlobKey(store, a), await wholeBlobKey(store, b)];
  try {
    if (isTensorFile(a)) return { name, kind: 'changed', tensors: await changedTensors(store, keyA, keyB) };
    if (!name.endsWith('.json')) return { name, kind: 'changed' };
    return { name, kind: 'changed', values: differingValues(await jsonAt(store, keyA), await jsonAt(store, keyB)) };
  } catch (error) {
    if (!(error instanceof InvalidSafetensors || error instanceof SyntaxError)) throw error;
    return { name, kind: 'changed', reason: error.message };
  }
}

async function changedTensors(store: ObjectReading, keyA: string, keyB: string): Promise<TensorComparison[]> {
  const a = await openSafetensors({ store, key: keyA });
  const b = await openSafetensors({ store, key: keyB });
  const compared: TensorComparison[] = [];
  for (const name of new Set([...a.tensors.keys(), ...b.tensors.keys()])) {
    const [inA, inB] = [a.tensors.get(name), b.tensors.get(name)];
    if (inA === undefined && inB !== undefined) compared.push({ name, kind: 'only-b', facts: inB });
    else if (inB === undefined && inA !== undefined) compared.push({ name, kind: 'only-a', facts: inA });
    else if (inA !== undefined && inB !== undefined) {
      const isSame = inA.dtype === inB.dtype && JSON.stringify(inA.shape) === JSON.stringify(inB.shape);
      compared.push(isSame ? await sameKind(name, inA, a, b) : { name, kind: 'retyped', a: inA, b: inB });
    }
  }
  return compared;
}

/** Compares two tensors of one dtype and shape. */
async function sameKind(
  name: string,
  { shape }: TensorFacts,
  a: SafetensorsFile,
  b: SafetensorsFile,
): Promise<TensorComparison> {
  const found = { elements: 0, maxAbsDifference: 0, nonFinite: 0 };
  if (shape.length === 0) addDifferences(found, await a.read(name), await b.read(name));
  else {
    const others = b.blocks(name);
    for await (const block of a.blocks(name)) {
      const other = await others.next();
      // Of one dtype and shape both come in the same blocks.
      if (other.done !== true) addDifferences(found, block, other.value);
    }
  }
  return found.elements === 0 ? { name, kind: 'equal' } : { name, kind: 'changed', ...found };
}

interface Differences {
  elements: number;
  maxAbsDifference: number;
  nonFinite: number;
}

function addDifferences(found: Differences, a: NdArray, b: NdArray): void {
  const [bytesA, bytesB] = [rawBytes(a), rawBytes(b)];
  if (Buffer.compare(bytesA, bytesB) === 0) return;
  const width = a.data.BYTES_PER_ELEMENT;
  for (let index = 0; index < a.data.length; index += 1) {
    if (!differsAt(bytesA, bytesB, index * width, width)) continue;
    found.elements += 1;
    const difference = distance(a.data[index], b.data[index]);
    if (Number.isFinite(difference)) found.maxAbsDifference = Math.max(found.maxAbsDifference, difference);
    else found.nonFinite += 1;
  }
}

function differsAt(a: Uint8Array, b: Uint8Array, start: number, width: number): boolean {
  for (let at = start; at < start + width; at += 1) if (a[at] !== b[at]) return true;
  return false;
}

function distance(a: number | bigint | undefined, b: number | bigint | undefined): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return Number(a < b ? b - a : a - b);
  return Math.abs(Number(a) - Number(b));
}

async function jsonAt(store: ObjectReading, key: string): Promise<Json> {
  const bytes = await store.get(key);
  if (bytes === undefined) throw new ObjectAbsent(`object ${key} is not there any more`);
  return JSON.parse(Buffer.from(bytes).toString());
}

function isContainer(value: Json | undefined): value is Exclude<Json, string | number | boolean | null> {
  return typeof value === 'object' && value !== null;
}

function byName(files: readonly ManifestFile[]): ReadonlyMap<string, ManifestFile> {
  return new Map(files.map((file) => [file.name, file]));
}
