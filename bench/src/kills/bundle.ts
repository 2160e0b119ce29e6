import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { checkout } from '../report.js';

/** They have files beside them that they look for: WebAssembly. */
const WITH_FILES = /^h5wasm/u;

/** Bundles what an attempt runs, which starts in a third of the time then; answers where it is. */
export async function bundleWorker(): Promise<string> {
  const built = join(checkout, 'bench/dist');
  const folder = join(built, 'bundle');
  const bundle = await rolldown({
    input: join(built, 'kills/worker.js'),
    platform: 'node',
    external: WITH_FILES,
    logLevel: 'silent',
  });
  await bundle.write({ dir: folder, cleanDir: true, entryFileNames: '[name].js', keepNames: true });
  await bundle.close();
  return join(folder, 'worker.js');
}
