import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  Checkpoint,
  newestWholeSnapshot,
  Outputs,
  Reporting,
  restoreSnapshot,
  saveSnapshot,
  type DatasetFile,
  type ExperimentProgram,
} from '@longrun/blocks';
import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { expect } from 'vitest';

/** What is trained, and when it dies. */
export interface Killed {
  readonly params: unknown;
  readonly datasets: Readonly<Record<string, DatasetFile>>;
  /** Batches between two checkpoints. Default 4. */
  readonly everyBatches?: number;
  /** The batch after which its process is killed, which has no checkpoint. Default 11. */
  readonly killAt?: number;
}

/** All that a run has written: the rows of its log by step, and the SHA-256 of its parameters, of what else training writes, and of each output. */
export interface Written {
  readonly rows: ReadonlyMap<number, unknown>;
  readonly files: ReadonlyMap<string, string>;
}

/** What a program writes that is trained in one go, and what it writes when the process is killed by SIGKILL and another one goes on. */
export async function undisturbedAndKilled(
  program: ExperimentProgram,
  killed: Killed,
  folder: string,
): Promise<readonly [undisturbed: Written, killed: Written]> {
  const [whole, broken] = [await mkdtemp(path.join(folder, 'whole-')), await mkdtemp(path.join(folder, 'broken-'))];
  const undisturbed = await trainedToEnd(program, killed, whole);
  const before = await rowsUntilDeath(program, killed, broken);
  const rest = await trainedToEnd(program, killed, broken);
  for (const [step, row] of rest.rows) {
    // What was done again after the checkpoint.
    if (before.has(step)) expect({ step, row }).toEqual({ step, row: before.get(step) });
  }
  return [undisturbed, { rows: new Map([...before, ...rest.rows]), files: rest.files }];
}

const SEED = 3;

/** Trains from the newest checkpoint in the folder, if there is one. */
async function trainedToEnd(
  program: ExperimentProgram,
  { params, datasets, everyBatches = 4 }: Killed,
  folder: string,
): Promise<Written> {
  const checkpoints = path.join(folder, 'checkpoints');
  const rows = new Map<number, unknown>();
  const mainLoop = await program.build({
    params,
    seed: SEED,
    random: new RandomStreams(SEED),
    datasets,
    target: computeTarget({ threads: 1 }),
    extensions: () => [
      new Reporting({ onLogRow: (step, row) => rows.set(step, asJson(row)) }),
      new Checkpoint({ folder: checkpoints, everyNBatches: everyBatches, logRecord: null }),
    ],
    outputs: await Outputs.open(path.join(folder, 'outputs')),
  });
  const { whole } = await newestWholeSnapshot(checkpoints);
  if (whole !== undefined) await restoreSnapshot(mainLoop, whole);
  expect(await mainLoop.run()).toBe('finished');
  const { files } = await saveSnapshot(mainLoop, path.join(folder, 'end'));
  const hashes = files
    .filter(({ name }) => name !== 'state.json')
    .map(({ name, sha256 = '' }) => [name, sha256] as const);
  return { rows, files: new Map(hashes) };
}

async function rowsUntilDeath(
  program: ExperimentProgram,
  { params, datasets, everyBatches = 4, killAt = 11 }: Killed,
  folder: string,
): Promise<ReadonlyMap<number, unknown>> {
  const rows = path.join(folder, 'rows.jsonl');
  const assignment = {
    program: fileURLToPath(new URL(`../dist/programs/${program.name}.js`, import.meta.url)),
    params,
    seed: SEED,
    datasets,
    rows,
    outputs: path.join(folder, 'outputs'),
    checkpoints: path.join(folder, 'checkpoints'),
    everyBatches,
    killAt,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(assignment)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal]: unknown[] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  const lines = (await readFile(rows, 'utf8')).trim().split('\n');
  const written = new Map(lines.map((line) => JSON.parse(line) as [number, unknown]));
  expect(Math.max(...written.keys())).toBe(killAt - 1);
  return written;
}

const CHILD = fileURLToPath(new URL('children/killed-training.mjs', import.meta.url));

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
