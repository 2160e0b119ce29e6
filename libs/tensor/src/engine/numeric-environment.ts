import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';

import { graphicsDevices } from './graphics-devices.js';

/** What the bits of a run depend on (law 8): they repeat wherever all of this is equal. A JSON object, which an interface is not to the compiler. */
export type NumericEnvironment = {
  readonly engine: string;
  /** Version of the package that computes: onnxruntime-node's, or this one's. */
  readonly engineVersion: string;
  /** Provider of the engine. Which one of several equal devices it was makes no difference. */
  readonly provider: string;
  readonly threads: number;
  readonly cpuModel: string;
  /** The vector extensions by which numeric libraries choose their kernels, space-separated; empty where the system does not tell. */
  readonly instructionSet: string;
  /** Platform and architecture: `linux-x64`. */
  readonly platform: string;
  /** The graphics processors and their driver (see `graphicsDevices`), where the provider is not the processor. */
  readonly graphics?: string;
  /** Node's version: `Math.exp` and its like differ between versions of V8. */
  readonly node: string;
};

/** The environment of an engine in this process: what the engine says of itself, and what is known of the machine. */
export function environmentHere(
  engine: Pick<NumericEnvironment, 'engine' | 'engineVersion' | 'provider' | 'threads'>,
): NumericEnvironment {
  return {
    ...engine,
    ...(ON_GRAPHICS.has(engine.provider) ? { graphics: graphicsDevices() } : {}),
    ...(machine ??= machineHere()),
  };
}

/** Asked for with each function that is compiled, and the same for as long as a process lives: to read it takes as long as a small function. */
let machine: ReturnType<typeof machineHere> | undefined;

function machineHere(): Pick<NumericEnvironment, 'cpuModel' | 'instructionSet' | 'platform' | 'node'> {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    instructionSet: instructionSet(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  };
}

/** Names of providers. */
const ON_GRAPHICS: ReadonlySet<string> = new Set(['cuda', 'webgpu']);

/** The version in a package.json, as the module `from` (its `import.meta.url`) finds it. */
export function packageVersion(specifier: string, from: string): string {
  const key = `${from} ${specifier}`;
  const known = VERSIONS.get(key);
  if (known !== undefined) return known;
  const found: unknown = createRequire(from)(specifier);
  const version = typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown';
  VERSIONS.set(key, version);
  return version;
}

/** Those that were asked for: a function that is compiled asks again. */
const VERSIONS = new Map<string, string>();

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
