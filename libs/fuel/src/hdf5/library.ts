import type * as H5Wasm from 'h5wasm/node';

/** The HDF5 library as h5wasm gives it, compiled to WebAssembly and working on real files. */
export type Hdf5Library = typeof H5Wasm;

/** Loads the library; 4 MB of WebAssembly, so at the first use rather than at import. */
export function hdf5Library(): Promise<Hdf5Library> {
  loading ??= load();
  return loading;
}

/** The innermost cause in an error stack that HDF5 printed, as `file signature not found`. */
export function hdf5Problem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const causes = [...text.matchAll(/#\d+: .* in \w+\(\): (.*)/g)];
  return causes.at(-1)?.[1]?.trim() ?? text.split('\n', 1)[0] ?? text;
}

let loading: Promise<Hdf5Library> | undefined;

async function load(): Promise<Hdf5Library> {
  const library = await import('h5wasm/node');
  const module = await library.ready;
  // Without it, errors are printed and passed over.
  module.activate_throwing_error_handler();
  return library;
}
