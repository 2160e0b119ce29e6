import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { StateMismatch } from '@longrun/serialization';
import sqlite from 'node-sqlite3-wasm';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { restoreSnapshot, SQLiteLog, writeSnapshot, type MainLoop } from '../src/index.js';
import { StopAt } from './stop-at.js';
import { tinyExperiment } from './tiny-experiment.js';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'log-resume-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows are written at once, so that those after a checkpoint are in the file. */
function experiment(database: string, ...stops: readonly number[]): MainLoop {
  const extensions = stops.map((step) => new StopAt(step));
  return tinyExperiment({ epochs: 2, log: new SQLiteLog({ database, flushEveryMs: 0 }), extensions });
}

/** All that a file has of all logs. */
function contents(file: string): Record<'entries' | 'status', readonly unknown[]> {
  const database = new sqlite.Database(file);
  try {
    database.exec('pragma locking_mode = exclusive');
    return {
      entries: database.all('select time, "key", value from entries order by time, "key"'),
      status: database.all('select "key", value from status order by "key"'),
    };
  } finally {
    database.close();
  }
}

/** The file that training leaves which was killed `lost` steps after a checkpoint at `step`, and went on from it. */
async function killed(file: string, step: number, lost: number): Promise<void> {
  const first = experiment(file, step, step + lost);
  await first.run();
  const snapshot = join(folder, `snapshot-${step}-${lost}`);
  await writeSnapshot(first, snapshot);
  // What comes after it is lost with the process, but for what it had written to the log.
  if (lost > 0) await first.run();
  const successor = experiment(file, step + 1);
  await restoreSnapshot(successor, snapshot);
  await successor.run();
  const times = contents(file).entries.map((entry) => Number(Reflect.get(Object(entry), 'time')));
  expect(Math.max(...times)).toBeLessThanOrEqual(step + 1);
  expect(await successor.run()).toBe('finished');
}

test('a log in a file is, after a kill at any batch, that of an undisturbed run: no entry is there twice, and none is missing', async () => {
  const undisturbed = join(folder, 'undisturbed.sqlite');
  await experiment(undisturbed).run();
  const expected = contents(undisturbed);
  expect(expected.entries.length).toBeGreaterThan(15);

  for (const [step, lost] of [
    [1, 0],
    [4, 3],
    [6, 2],
  ] as const) {
    const file = join(folder, `killed-${step}.sqlite`);
    await killed(file, step, lost);
    expect(contents(file)).toEqual(expected);
  }
});

test('training does not go on where the file has not the entries that were there', async () => {
  const mainLoop = experiment(join(folder, 'there.sqlite'), 5);
  await mainLoop.run();
  await writeSnapshot(mainLoop, join(folder, 'elsewhere'));
  const successor = experiment(join(folder, 'here.sqlite'));
  await restoreSnapshot(successor, join(folder, 'elsewhere'));

  const failure = successor.run();
  await expect(failure).rejects.toThrow(StateMismatch);
  await expect(failure).rejects.toThrow(
    /here\.sqlite has 0 of the \d+ entries of the log [0-9a-f]{32} up to step 5; copy the file/,
  );
});

test('another run that goes on from a checkpoint has a log of its own, whose parent is that of the checkpoint', async () => {
  const file = join(folder, 'forked.sqlite');
  const parent = experiment(file, 5);
  await parent.run();
  await writeSnapshot(parent, join(folder, 'fork'));
  await parent.run();
  const before = contents(file).entries;
  const fork = experiment(file);
  await restoreSnapshot(fork, join(folder, 'fork'), { fork: { otherDatasets: false } });
  await fork.run();

  expect(fork.log.uuid).not.toBe(parent.log.uuid);
  expect(fork.status).toMatchObject({ resumedFrom: parent.log.uuid, resumedAt: 5 });
  expect(contents(file).entries).toEqual(expect.arrayContaining([...before]));
  expect(fork.log.row(4)).toEqual(parent.log.row(4));
});
