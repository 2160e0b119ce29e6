import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  Checkpoint,
  newestSnapshot,
  Outputs,
  restoreSnapshot,
  TrainingExtension,
  type MainLoop,
  type Output,
} from '../src/index.js';
import { tinyExperiment } from './tiny-experiment.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-outputs-law-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** 6 batches an epoch, 3 epochs. */
const STEPS = 18;

/** Writes as programs do: adds lines, replaces a table, makes a picture for each epoch, removes an old one. */
class Writing extends TrainingExtension {
  readonly #outputs: Outputs;
  readonly #lines: Output;

  constructor(outputs: Outputs) {
    super();
    this.#outputs = outputs;
    this.#lines = outputs.output('lines.txt');
    // As a program does when it is built, again and again.
    this.#lines.append('step cost\n');
  }

  override afterBatch(): void {
    const { log, status } = this.mainLoop;
    const { iterationsDone } = status;
    this.#lines.append(`${iterationsDone} ${String(log.currentRow['batch_cost'])}\n`);
    if (iterationsDone % 4 === 0) this.#outputs.output('table.csv').write(`only,${iterationsDone}\n`);
  }

  override afterEpoch(): void {
    const { epochsDone } = this.mainLoop.status;
    this.#outputs.output(`picture-${epochsDone}.bin`).write(Uint8Array.of(epochsDone, 0, 255));
    if (epochsDone === 3) this.#outputs.output('picture-1.bin').remove();
  }

  override afterTraining(): void {
    this.#lines.append('the end\n');
  }
}

/** Ends a run as a killed process would: at once, without a snapshot. */
class KilledAt extends TrainingExtension {
  readonly #step: number;
  constructor(step: number) {
    super();
    this.#step = step;
  }
  override afterBatch(): void {
    if (this.mainLoop.status.iterationsDone >= this.#step) throw new Error('killed');
  }
}

/** Trains to the end, with kills; every run has a working folder of its own unless `inPlace`. */
async function written(kills: readonly number[], every: number, inPlace: boolean): Promise<Record<string, string>> {
  const home = await mkdtemp(path.join(folder, 'run-'));
  const snapshots = path.join(home, 'snapshots');
  const working = (run: number): string => path.join(home, inPlace ? 'outputs' : `outputs-${run}`);
  const build = async (run: number, killedAt?: number): Promise<MainLoop> => {
    const outputs = await Outputs.open(working(run));
    const mainLoop = tinyExperiment({
      outputs,
      extensions: [
        new Checkpoint({ folder: snapshots, everyNBatches: every, logRecord: null, keepLast: 2 }),
        new Writing(outputs),
        ...(killedAt === undefined ? [] : [new KilledAt(killedAt)]),
      ],
    });
    const newest = await newestSnapshot(snapshots);
    if (newest !== undefined) await restoreSnapshot(mainLoop, newest);
    return mainLoop;
  };
  for (const [run, kill] of kills.entries()) {
    await expect((await build(run, kill)).run()).rejects.toThrow('killed');
    fired += 1;
  }
  const last = await build(kills.length);
  expect(await last.run()).toBe('finished');
  expect(last.status.iterationsDone).toBe(STEPS);
  const files = (await readdir(working(kills.length))).filter((name) => !name.startsWith('.')).toSorted();
  expect(files).toEqual(last.outputs?.names);
  const final = (await newestSnapshot(snapshots)) ?? '';
  const contents: Record<string, string> = {};
  for (const name of files) {
    contents[name] = await readFile(path.join(working(kills.length), name), 'latin1');
    expect(await readFile(path.join(final, `output.${name}`), 'latin1')).toBe(contents[name]);
  }
  return contents;
}

let fired = 0;

test('killed at any step, however often, a run leaves the bytes of one that was not', async () => {
  const undisturbed = await written([], 5, false);
  expect(Object.keys(undisturbed)).toEqual(['lines.txt', 'picture-2.bin', 'picture-3.bin', 'table.csv']);
  expect(undisturbed['lines.txt']?.split('\n')).toHaveLength(STEPS + 3);
  const kills = fc
    .array(fc.integer({ min: 1, max: STEPS }), { minLength: 1, maxLength: 4 })
    .map((list) => list.toSorted((a, b) => a - b));

  await fc.assert(
    fc.asyncProperty(kills, fc.integer({ min: 1, max: 7 }), fc.boolean(), async (list, every, inPlace) => {
      expect(await written(list, every, inPlace)).toEqual(undisturbed);
    }),
    { numRuns: 25, seed: 3 },
  );
  expect(fired).toBeGreaterThan(25);
});
