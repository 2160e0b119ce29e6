import { onTestFinished } from 'vitest';

import { compile, engineNamed, registerEngine, type CompiledFunction, type CompileOptions } from '../src/index.js';
import type { FusionRules } from '../src/engine/engine.js';

let made = 0;

/** Compiles for ONNX Runtime without kernels of our own: what kernels compute must have the bits of what this computes. */
export async function compileUnfused(options: CompileOptions): Promise<CompiledFunction> {
  return await compileBy(() => undefined, options);
}

/** Compiles for ONNX Runtime with kernels that take the longer way with denormals, or do not, whatever processor this is. */
export async function compileFused(options: CompileOptions, isCareful: boolean): Promise<CompiledFunction> {
  return await compileBy((rules) => rules && { ...rules, isCareful }, options);
}

async function compileBy(
  rulesOf: (rules: FusionRules | undefined) => FusionRules | undefined,
  options: CompileOptions,
): Promise<CompiledFunction> {
  made += 1;
  const { fusion, ...engine } = engineNamed('onnxruntime');
  const rules = rulesOf(fusion);
  const name = `onnxruntime-${made}`;
  onTestFinished(registerEngine({ ...engine, name, ...(rules && { fusion: rules }) }));
  return await compile({ ...options, engine: name });
}

/** The bits of float32, of which all NaN are one. */
export function bitsOf(data: ArrayLike<number | bigint>): Uint32Array {
  const floats = Float32Array.from(data, Number);
  return new Uint32Array(floats.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer);
}
