import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import type { EngineDefinition, ProviderDefinition } from '../engine.js';
import type { EnginePrograms } from '../engine-program.js';
import type { OpName } from '../../ops/op-name.js';
import { environmentOf } from './environment.js';
import { lowerings } from './lowerings/index.js';
import type { OnnxLowerings } from './lowerings/lowering.js';
import { rewritten } from './rewritten.js';

const LOWERINGS: ReadonlyMap<string, OnnxLowerings[OpName]> = new Map(Object.entries(lowerings));

const cpu: ProviderDefinition = { name: 'cpu', hasSeveralDevices: false, unavailable: () => undefined };

const webgpu: ProviderDefinition = {
  name: 'webgpu',
  hasSeveralDevices: false,
  unavailable: () =>
    process.platform === 'linux' && !hasGraphicsDevice() && !namesVulkanDriver()
      ? 'this machine has no graphics device (/dev/dri/render*, /dev/nvidia0), and VK_DRIVER_FILES names no driver without one'
      : undefined,
};

const cuda: ProviderDefinition = {
  name: 'cuda',
  hasSeveralDevices: true,
  unavailable() {
    const library = path.join(binaries(), 'libonnxruntime_providers_cuda.so');
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'onnxruntime-node has it on Linux x64 only';
    if (!existsSync(library)) {
      return `${library} is missing, which onnxruntime-node fetches when it is installed with ONNXRUNTIME_NODE_INSTALL=cuda12`;
    }
    return existsSync('/dev/nvidia0') ? undefined : 'this machine has no NVIDIA device (/dev/nvidia0)';
  },
};

/** ONNX Runtime: the whole graph as one ONNX model. */
export const onnxruntime: EngineDefinition = {
  name: 'onnxruntime',
  providers: [cpu, webgpu, cuda],
  unavailable() {
    try {
      binaries();
      return undefined;
    } catch {
      return 'onnxruntime-node is not installed';
    }
  },
  environment: environmentOf,
  supports({ name }, dtypes) {
    const lowering = LOWERINGS.get(name);
    if (lowering === undefined) return 'engine/onnxruntime/lowerings has no such op';
    if (lowering === 'host') return 'it has no kernel for the op';
    return typeof lowering === 'function' ? undefined : lowering.refuses(dtypes);
  },
  fusion: { providers: new Set([cpu.name]), rewrites: rewritten },
  hostOps: new Set([...LOWERINGS].filter(([, lowering]) => lowering === 'host').map(([name]) => name)),
  async compile(graph, target) {
    const { compileOnnxruntime } = await import('./onnxruntime-engine.js');
    return compileOnnxruntime(graph, target);
  },
};

/** Of the processor. */
export const onnxruntimePrograms: EnginePrograms = {
  async load() {
    await import('./onnxruntime-engine.js');
  },
  async lower(graph) {
    const { lowerOnnxruntime } = await import('./onnxruntime-engine.js');
    return lowerOnnxruntime(graph);
  },
  async open(name, program, target, graphOf) {
    const { openLowered } = await import('./onnxruntime-engine.js');
    return await openLowered(name, program, target, graphOf);
  },
};

/** Node's own, which remembers where it has found a package: each function that is compiled asks. */
const requirePackage = createRequire(import.meta.url);

/** The folder of the package's libraries for this platform. @throws Error where the package is not installed */
function binaries(): string {
  const manifest = requirePackage.resolve('onnxruntime-node/package.json');
  return path.join(path.dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
}

function hasGraphicsDevice(): boolean {
  if (existsSync('/dev/nvidia0')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('render'));
}

/** Vulkan's loader takes the drivers that they name, and no others: one that computes on the processor may be among them. */
function namesVulkanDriver(): boolean {
  return [process.env.VK_DRIVER_FILES, process.env.VK_ICD_FILENAMES].some(
    (files) => files !== undefined && files !== '',
  );
}
