import { computeTarget, type ComputeOptions } from './compute-target.js';
import { engineNamed } from './engine-registry.js';
import type { NumericEnvironment } from './numeric-environment.js';

/** The numeric environment that a function compiled here for this target would run in. Loads no engine. */
export function environment(options: ComputeOptions = {}): NumericEnvironment {
  const target = computeTarget(options);
  return engineNamed(target.engine).environment(target);
}
