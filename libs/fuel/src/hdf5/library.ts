import type * as H5Wasm from 'h5wasm/node';

/** The HDF5 library as h5wasm gives it, compiled to WebAssembly and working on real files. */
export type Hdf5Library = typeof H5Wasm;

/** Loads the library; 4 MB of WebAssembly, so at the first use rather than at import. */
export function hdf5Library(): Promise<Hdf5Library> {
  loading ??= load().catch((error: unknown) => {
    // What was missing may be there the next time.
    loading = undefined;
    throw error;
  });
  return loading;
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

let loading: Promise<Hdf5Library> | undefined;
let loaded = 0;

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
