import { type PythonPeer, pythonPeer } from '../python-peer.js';
import { BATCH_SIZE } from './examples.js';
import { TENSORS } from './big-snapshots.js';
import { TRAINED } from './saved-network.js';

/** Saves and loads safetensors files of so many bytes. */
export async function tensorsPeer(bytes: number): Promise<PythonPeer> {
  const args = ['--bytes', String(bytes), '--tensors', String(TENSORS)];
  return await pythonPeer('safetensors', ['safetensors', 'numpy'], 'safetensors_file.py', args);
}

/** Goes through so many examples with a StatefulDataLoader. */
export async function loaderPeer(examples: number): Promise<PythonPeer> {
  const args = ['--examples', String(examples), '--batch-size', String(BATCH_SIZE)];
  return await pythonPeer('torchdata', ['torchdata', 'torch'], 'stateful_loader.py', args);
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
    started.set(by, await pythonPeer('torch', ['torch'], 'async_save.py', ['--by', by, ...args], env));
  }
  return started;
}
