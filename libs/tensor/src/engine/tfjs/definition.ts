import type { EngineDefinition, ProviderDefinition } from '../engine.js';
import { environmentHere } from '../numeric-environment.js';
import { lowerings } from './lowerings/index.js';
import { hostOps, refusalOf } from './lowerings/lowering.js';
import { PROVIDERS, tfjsProvider, versionOf, whyUnavailable } from './packages.js';

/** TensorFlow.js: op by op, on TensorFlow where its native package is installed, else in plain JavaScript. */
export const tfjs: EngineDefinition = {
  name: 'tfjs',
  providers: PROVIDERS.map((name): ProviderDefinition => ({
    name,
    hasSeveralDevices: name === 'cuda',
    unavailable: () => whyUnavailable(name),
  })),
  unavailable: () => undefined,
  environment: ({ provider, threads }) =>
    environmentHere({
      engine: 'tfjs',
      engineVersion: versionOf(tfjsProvider(provider)),
      provider,
      // JavaScript has one.
      threads: provider === 'cpu' ? 1 : threads,
    }),
  supports: (op, dtypes) => refusalOf(lowerings, op, dtypes),
  narrowed: new Set(['int64', 'uint32']),
  hostOps: hostOps(lowerings),
  // As int32 they would wrap at another width.
  hostDtypes: new Set(['int8', 'int16', 'int64', 'uint8', 'uint16', 'uint32']),
  async compile(graph, target) {
    const { compileTfjs } = await import('./tfjs-engine.js');
    return compileTfjs(graph, target);
  },
};
