import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type CheckpointStore,
  encodeLogEntry,
  encodeSafetensors,
  type Lease,
  type Manifest,
  ndarray,
} from '@longrun/serialization';

/** Where and what a test commits. */
export interface CommitOptions {
  readonly lease: Lease;
  readonly checkpoints: CheckpointStore;
  /** For snapshots. */
  readonly folder: string;
  /** Of its only tensor, in which all but the first element are 1. Default 2. */
  readonly elements?: number | undefined;
  /** The text of the output `table.csv`. Default: there is none. */
  readonly table?: string | undefined;
}

/** Commits a checkpoint of parameters, a state and a log in which its step stands. */
export async function commitCheckpoint(
  step: number,
  { lease, checkpoints, folder, elements, table }: CommitOptions,
): Promise<Manifest> {
  const contents = {
    'parameters.safetensors': parametersAt(step, elements),
    'state.json': JSON.stringify({ version: 1, loop: { step } }),
    ...(table !== undefined && { 'output.table.csv': table }),
  };
  const at = join(folder, String(step));
  await mkdir(at, { recursive: true });
  for (const [name, content] of Object.entries(contents)) await writeFile(join(at, name), content);
  const log = join(at, 'log.ndjson');
  await writeFile(log, encodeLogEntry({ step, row: { cost: 1 } }));
  const manifest = await checkpoints.commit(lease, {
    step,
    files: Object.keys(contents).map((name) => ({ name, path: join(at, name) })),
    environment: { engine: 'reference' },
    log: [{ path: log }],
  });
  await checkpoints.settled();
  return manifest;
}

/** The bytes of `parameters.safetensors` of a step. */
export function parametersAt(step: number, elements = 2): Uint8Array {
  const values = new Float32Array(elements).fill(1);
  values[0] = step;
  return encodeSafetensors(new Map([['/mlp.W', ndarray('float32', [elements, 1], values)]]));
}
