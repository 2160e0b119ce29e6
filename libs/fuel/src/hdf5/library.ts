import { fstatSync } from 'node:fs';
import type * as H5Wasm from 'h5wasm/node';

/** The HDF5 library as h5wasm gives it, compiled to WebAssembly and working on real files. */
export type Hdf5Library = typeof H5Wasm;

/** Loads the library; 4 MB of WebAssembly, so at the first use rather than at import. */
export async function hdf5Library(): Promise<Hdf5Library> {
  return (await instance()).library;
}

/** The library for one file that is read. */
export interface LibraryUse {
  readonly library: Hdf5Library;
  /** Says that the file has been closed. */
  readonly end: () => void;
}

/**
 * The library for reading a file. It takes a file for the one that it has open by its place on the disk alone, and keeps one open on which it
 * has failed: so one that was written over meanwhile gets another instance, rather than what the library remembers of the bytes before.
 */
export async function libraryFor(descriptor: number): Promise<LibraryUse> {
  const place = placeOf(descriptor);
  const { size, mtimeNs } = fstatSync(descriptor, { bigint: true });
  const version = `${size}/${mtimeNs}`;
  let { library, files } = await instance();
  if ((files.get(place)?.version ?? version) !== version) {
    loading = undefined;
    ({ library, files } = await instance());
  }
  const file = files.get(place) ?? { version, users: 0 };
  file.users += 1;
  files.set(place, file);
  const end = (): void => {
    file.users -= 1;
    if (file.users === 0 && !openFiles(library).includes(place)) files.delete(place);
  };
  return { library, end };
}

/** Has the library loaded before it is needed. */
export async function loadHdf5(): Promise<void> {
  await hdf5Library();
}

/**
 * The innermost cause of an error of the library, as `file signature not found`.
 *
 * A damaged file can crash the library rather than make it say what is wrong. It then answers nothing but errors, so the next
 * file gets a new one.
 */
export function hdf5Problem(error: unknown): string {
  if (error instanceof Error && error.name === 'RuntimeError') loading = undefined;
  const text = error instanceof Error ? error.message : String(error);
  const causes = [...text.matchAll(/#\d+: .* in \w+\(\): (.*)/g)];
  return causes.at(-1)?.[1]?.trim() ?? text.split('\n', 1)[0] ?? text;
}

interface Instance {
  readonly library: Hdf5Library;
  /** The files that it has open, by their places on the disk. */
  readonly files: Map<string, { readonly version: string; users: number }>;
}

let loading: Promise<Instance> | undefined;
let loaded = 0;

/** Device and inode, by which the library knows a file. */
function placeOf(descriptor: number): string {
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return `${dev}/${ino}`;
}

/** The places of all files that the library has open. */
function openFiles({ Module: module }: Hdf5Library): string[] {
  const streams: unknown = Reflect.get(module.FS, 'streams');
  if (!Array.isArray(streams)) throw new Error('h5wasm: its files cannot be listed; this build fits version 0.10.3');
  return streams.flatMap((stream: unknown) => (isOpen(stream) ? [placeOf(stream.nfd)] : []));
}

function isOpen(stream: unknown): stream is { readonly nfd: number } {
  return typeof stream === 'object' && stream !== null && 'nfd' in stream && typeof stream.nfd === 'number';
}

function instance(): Promise<Instance> {
  loading ??= load().then(
    (library) => ({ library, files: new Map() }),
    (error: unknown) => {
      // What was missing may be there the next time.
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

async function load(): Promise<Hdf5Library> {
  loaded += 1;
  // A module is evaluated once for each URL; evaluating it anew makes another instance of the WebAssembly.
  const again = (): Promise<Hdf5Library> => import(`${import.meta.resolve('h5wasm/node')}?instance=${loaded}`);
  const library = await (loaded === 1 ? import('h5wasm/node') : again());
  const module = await library.ready;
  // Without it, errors are printed and passed over.
  module.activate_throwing_error_handler();
  return library;
}
