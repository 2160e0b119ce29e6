import { setFlagsFromString } from 'node:v8';

import { PGlite } from '@electric-sql/pglite';

/** Opens the PGlite database in a folder. What it takes of CPU and memory counts at each start, for it runs in the API's process. */
export async function openPglite(folder: string): Promise<PGlite> {
  // Holds for all WebAssembly that this process loads from now on.
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  return PGlite.create(folder, {
    startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`],
  });
}

/**
 * How much a function runs before V8 optimizes it, in bytes executed. On its default, 1.8 MB in Node 20 and 13 MB later, V8 optimizes
 * so much of what runs at a start only that this is a quarter of its CPU.
 */
const TIERING_BUDGET = 50_000_000;

/** By default 128 MB, which PGlite fills at once. What it has read the operating system keeps as well. */
const SHARED_BUFFERS = '32MB';
