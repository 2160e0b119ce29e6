import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';

import type { EngineName } from './engine.js';

/** What the bits of a run depend on (law 8): they repeat wherever all of this is equal. JSON-able. */
export interface NumericEnvironment {
  readonly engine: EngineName;
  /** Version of the package that computes: onnxruntime-node's, or this one's. */
  readonly engineVersion: string;
  /** Execution provider of the engine. */
  readonly provider: string;
  readonly threads: number;
  readonly cpuModel: string;
  /** The vector extensions by which numeric libraries choose their kernels, space-separated; empty where the system does not tell. */
  readonly instructionSet: string;
  /** Platform and architecture: `linux-x64`. */
  readonly platform: string;
  /** Node's version: `Math.exp` and its like differ between versions of V8. */
  readonly node: string;
  readonly [key: string]: string | number;
}

/** The numeric environment that a function compiled here with these settings would run in. Loads no engine. */
export function environment(engine: EngineName, threads: number): NumericEnvironment {
  return {
    engine,
    engineVersion: packageVersion(engine === 'onnxruntime' ? 'onnxruntime-node/package.json' : '../../package.json'),
    provider: 'cpu',
    threads,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    instructionSet: instructionSet(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  };
}

function packageVersion(specifier: string): string {
  const found: unknown = createRequire(import.meta.url)(specifier);
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown';
}

const VECTOR_EXTENSION = /^(sse4_[12]|avx.*|fma|f16c|amx.*|asimd.*|sve.*|i8mm|bf16)$/;

function instructionSet(): string {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? '';
  return flags
    .split(/\s+/)
    .filter((flag) => VECTOR_EXTENSION.test(flag))
    .toSorted()
    .join(' ');
}
