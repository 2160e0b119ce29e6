import type { Worker } from 'node:worker_threads';

/**
 * What a thread runs: a function of this library, as the module that its `workerData` names has the library. A file would have to lie beside each bundle.
 *
 * @param serve name of the function, an export of the library
 * @param library the path of that export. Default: all of the library
 */
export function threadCode(serve: string, library = '@longrun/fuel'): URL {
  const code = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
const library = createRequire(workerData.module).resolve(${JSON.stringify(library)});
const { ${serve} } = await import(pathToFileURL(library));
await ${serve}();
`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/**
 * Calls `then` once a thread has ended, and says so where nobody wanted it: what it did is done without it from then on, and takes longer.
 *
 * @param what it was there for: `ParallelMapping: batches are mapped`
 */
export function onEnd(worker: Worker, what: string, isWanted: () => boolean, then: () => void): void {
  let reason = '';
  worker.on('error', (error) => (reason = `, ${String(error)}`));
  worker.on('exit', (code) => {
    if (!isWanted()) process.emitWarning(`${what} without a thread, as it has ended (exit code ${code}${reason})`);
    then();
  });
}
