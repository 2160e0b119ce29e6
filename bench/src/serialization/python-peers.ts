import { join } from 'node:path';
import { Contestant } from '../contestant.js';
import { pythonRemedy, pythonWith } from '../python.js';
import { checkout } from '../report.js';
import { BATCH_SIZE } from './examples.js';
import { TENSORS } from './big-snapshots.js';
import { TRAINED } from './saved-network.js';

/** A peer in Python, or the lack of it. */
export interface PythonPeer {
  /** Undefined where the machine has no Python with what it needs. */
  readonly contestant?: Contestant;
  /** For a row: who does the same and how, or that it is missing. */
  readonly named: (how: string) => string;
  /** Why it is, and what to do. */
  readonly missing?: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Saves and loads safetensors files of so many bytes. */
export async function tensorsPeer(bytes: number): Promise<PythonPeer> {
  const args = ['--bytes', String(bytes), '--tensors', String(TENSORS)];
  return await peer('safetensors', ['safetensors', 'numpy'], 'safetensors_file.py', args);
}

/** Goes through so many examples with a StatefulDataLoader. */
export async function loaderPeer(examples: number): Promise<PythonPeer> {
  const args = ['--examples', String(examples), '--batch-size', String(BATCH_SIZE)];
  return await peer('torchdata', ['torchdata', 'torch'], 'stateful_loader.py', args);
}

/** Trainings that DCP saves, by how it writes; with the environment variables of ours. */
export async function trainingPeers(
  width: number,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, PythonPeer>> {
  const settings = { width, layers: TRAINED.layers, 'batch-size': TRAINED.batchSize, threads: TRAINED.threads };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const started = new Map<string, PythonPeer>();
  for (const by of ['thread', 'process']) {
    started.set(by, await peer('torch', ['torch'], 'async_save.py', ['--by', by, ...args], env));
  }
  return started;
}

async function peer(
  name: string,
  modules: readonly string[],
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PythonPeer> {
  const python = pythonWith(modules);
  if (python === undefined) {
    const missing = `Python's ${name}, as there is no Python with ${modules.join(' and ')}: ${pythonRemedy(modules)}`;
    return { named: () => `no peer: ${name} of Python is missing`, missing, versions: {} };
  }
  const { contestant, hello } = await Contestant.start(
    name,
    python,
    [join(checkout, 'bench/peers', script), ...args],
    env,
  );
  return {
    contestant,
    named: (how) => `peer: ${name} of Python, ${how}`,
    versions: { [name]: String(hello[name]) },
  };
}
