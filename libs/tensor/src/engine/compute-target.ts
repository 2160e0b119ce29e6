import { engineNamed, providerNamed } from './engine-registry.js';
import type { ComputeTarget, EngineDefinition, ProviderDefinition } from './engine.js';

/** A target of which parts are left out. */
export interface ComputeOptions {
  /** Default 'onnxruntime'. */
  readonly engine?: string | undefined;
  /** Default the first of the engine that can be used on this machine: `cpu` of ONNX Runtime. */
  readonly provider?: string | undefined;
  /** Default 0. */
  readonly device?: number | undefined;
  /** Threads within one op; fixed for an experiment, as results may differ in the last bits with it. Default 2. */
  readonly threads?: number | undefined;
}

/**
 * The target with every default filled in. That its provider can be used here is found out by `compile`.
 *
 * @throws EngineUnavailable for an unknown engine or provider, saying which there are; RangeError for a device or a number of threads
 * that is none
 */
export function computeTarget(options: ComputeOptions = {}): ComputeTarget {
  const { device = 0, threads = 2 } = options;
  const engine = engineNamed(options.engine ?? 'onnxruntime');
  const provider = options.provider === undefined ? defaultProvider(engine) : providerNamed(engine, options.provider);
  if (!Number.isInteger(device) || device < 0) {
    throw new RangeError(`device is ${device}; give an integer of 0 or more`);
  }
  if (device > 0 && !provider.hasSeveralDevices) {
    throw new RangeError(`device is ${device}, but ${provider.name} of ${engine.name} is one device; leave it out`);
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`threads is ${threads}; give an integer of 1 or more`);
  }
  return { engine: engine.name, provider: provider.name, device, threads };
}

function defaultProvider({ name, providers }: EngineDefinition): ProviderDefinition {
  const provider = providers.find((candidate) => candidate.unavailable() === undefined) ?? providers[0];
  if (provider === undefined) throw new Error(`Engine ${name} has no providers`);
  return provider;
}
