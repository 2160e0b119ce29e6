import type { EngineDefinition } from '../engine.js';
import { compileOnHost } from '../host-executable.js';
import { environmentHere, packageVersion } from '../numeric-environment.js';

/** Plain loops in float64, op by op: the arbiter of the other engines. Always one thread. */
export const reference: EngineDefinition = {
  name: 'reference',
  providers: [{ name: 'cpu', hasSeveralDevices: false, unavailable: () => undefined }],
  unavailable: () => undefined,
  environment: ({ provider }) =>
    environmentHere({
      engine: 'reference',
      engineVersion: packageVersion('../../../package.json', import.meta.url),
      provider,
      threads: 1,
    }),
  supports: () => undefined,
  compile: async (graph) => compileOnHost(graph, { rounding: 'results', on: 'engine' }),
};
