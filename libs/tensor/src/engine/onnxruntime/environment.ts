import type { ComputeTarget } from '../engine.js';
import { environmentHere, packageVersion, type NumericEnvironment } from '../numeric-environment.js';

/** What the bits of ONNX Runtime depend on, and which kernels its optimizer takes. */
export function environmentOf({ provider, threads }: Pick<ComputeTarget, 'provider' | 'threads'>): NumericEnvironment {
  return environmentHere({
    engine: 'onnxruntime',
    engineVersion: packageVersion('onnxruntime-node/package.json', import.meta.url),
    provider,
    threads,
  });
}
