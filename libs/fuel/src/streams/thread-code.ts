/**
 * What a thread runs: a function of this library, as the module that its `workerData` names has the library. A file would have to lie beside each bundle.
 *
 * @param serve name of the function, an export of the library
 */
export function threadCode(serve: string): URL {
  const code = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
const library = createRequire(workerData.module).resolve('@longrun/fuel');
const { ${serve} } = await import(pathToFileURL(library));
await ${serve}();
`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
