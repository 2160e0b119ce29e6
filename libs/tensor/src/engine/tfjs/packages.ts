import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** One of the packages by which TensorFlow.js computes. */
export interface TfjsPackage {
  readonly name: string;
  /** TensorFlow.js' own name of what computes in it. */
  readonly backend: 'tensorflow' | 'cpu';
}

/** All providers, in the order in which they are preferred: from the fastest to the one that runs everywhere. */
export const PROVIDERS = ['cuda', 'tensorflow', 'cpu'] as const;

/** A provider of the engine `tfjs`: TensorFlow on a GPU, TensorFlow on the processor, or plain JavaScript. */
export type TfjsProvider = (typeof PROVIDERS)[number];

/** By provider. */
export const PACKAGES: Readonly<Record<TfjsProvider, TfjsPackage>> = {
  cuda: { name: '@tensorflow/tfjs-node-gpu', backend: 'tensorflow' },
  tensorflow: { name: '@tensorflow/tfjs-node', backend: 'tensorflow' },
  cpu: { name: '@tensorflow/tfjs-backend-cpu', backend: 'cpu' },
};

/** The provider of that name. @throws Error where this engine has none */
export function tfjsProvider(name: string): TfjsProvider {
  const provider = PROVIDERS.find((candidate) => candidate === name);
  if (provider !== undefined) return provider;
  throw new Error(`TensorFlow.js has no provider ${name}; there are ${PROVIDERS.join(', ')}`);
}

/** Why a provider cannot be used on this machine with `node`, its version of Node; undefined when it can. Loads nothing. */
export function whyUnavailable(provider: TfjsProvider, node = process.versions.node): string | undefined {
  const { name, backend } = PACKAGES[provider];
  // They call functions that Node 23 has not, so nobody is told to install them there.
  if (backend === 'tensorflow' && Number.parseInt(node, 10) >= 23) {
    return `${name} runs on Node 22 and older, and this is ${node}`;
  }
  if (!isInstalled(name)) return `${name} is not installed; where it can be, \`npm run setup:tensorflow\` does so`;
  if (backend === 'cpu') return undefined;
  const binding = path.join(folderOf(name), 'lib');
  const isBuilt = existsSync(binding) && readdirSync(binding).some((folder) => hasBinding(path.join(binding, folder)));
  if (!isBuilt) return `the native part of ${name} was not built; \`npm run setup:tensorflow\` does so`;
  if (provider === 'cuda' && !existsSync('/dev/nvidiactl')) {
    return 'this machine has no NVIDIA device (/dev/nvidiactl)';
  }
  return undefined;
}

/** Version of the package, and of the TensorFlow that it was built against where that is not the one that comes with it. */
export function versionOf(provider: TfjsProvider): string {
  const { name } = PACKAGES[provider];
  const manifest: unknown = requirePackage(`${name}/package.json`);
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw new Error(`${name}/package.json has no version; install the package again`);
  }
  // `npm run setup:tensorflow -- --wheel` writes it.
  const note = path.join(folderOf(name), 'deps', 'tensorflow-version');
  const version = String(manifest.version);
  return existsSync(note) ? `${version} on TensorFlow ${readFileSync(note, 'utf8').trim()}` : version;
}

/** Node's own `require`: the packages are CommonJS, and which of them there are is known at run time only. */
export const requirePackage = createRequire(import.meta.url);

function isInstalled(name: string): boolean {
  try {
    folderOf(name);
    return true;
  } catch {
    return false;
  }
}

function folderOf(name: string): string {
  return path.dirname(requirePackage.resolve(`${name}/package.json`));
}

function hasBinding(folder: string): boolean {
  return existsSync(path.join(folder, 'tfjs_binding.node'));
}
