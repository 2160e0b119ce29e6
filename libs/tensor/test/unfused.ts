import { onTestFinished } from 'vitest';

import { compile, engineNamed, registerEngine, type CompiledFunction, type CompileOptions } from '../src/index.js';

let made = 0;

/** Compiles for ONNX Runtime without kernels of our own: what kernels compute must have the bits of what this computes. */
export async function compileUnfused(options: CompileOptions): Promise<CompiledFunction> {
  made += 1;
  const { fusion: _, ...engine } = engineNamed('onnxruntime');
  const name = `onnxruntime-unfused-${made}`;
  onTestFinished(registerEngine({ ...engine, name }));
  return await compile({ ...options, engine: name });
}

/** The bits of float32, of which all NaN are one. */
export function bitsOf(data: ArrayLike<number | bigint>): Uint32Array {
  const floats = Float32Array.from(data, Number);
  return new Uint32Array(floats.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer);
}
