import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openObjectStore } from '@longrun/serialization';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { rowsOf } from '../src/kills/benchmark.js';
import { writeExamples } from '../src/kills/examples.js';
import { Life, type LifeFacts, type LifeOptions } from '../src/kills/life.js';
import { Quota } from '../src/kills/quota.js';
import { soak } from '../src/kills/soak.js';
import type { Strike } from '../src/kills/strikes.js';

const KILLS = 4;
const PROGRAM = join(import.meta.dirname, '../dist/kills/worker.js');
const FLAWED = join(import.meta.dirname, 'children/flawed.mjs');

/** The run is over before. */
const NEVER = { commits: Infinity, part: 0 };

let folder: string;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kills-'));
  url = pathToFileURL(join(folder, 'objects')).href;
  onTestFinished(() => rm(folder, { recursive: true }));
});

test('processes that are killed at random have together done what an undisturbed one does', async () => {
  const lives = await soak({
    url,
    environment: {},
    program: PROGRAM,
    folder,
    kills: KILLS,
    seed: 1,
    failed: new AbortController(),
  });
  expect(rowsOf(lives, KILLS).filter(({ met }) => !met)).toEqual([]);
  const kills = lives.flatMap(({ hits }) => hits).filter(({ what }) => what === 'kill');
  expect(kills).toHaveLength(KILLS);
  expect(new Set(kills.map(({ place }) => place)).size).toBeGreaterThan(1);
});

test.each([
  ['lease.read', 1],
  ['commit.blobs-written', 2],
  ['commit.head-swapped', 2],
] as const)(
  'a process that is stopped at %s until another has its lease commits nothing more',
  async (name, passage) => {
    const life = await live({ program: PROGRAM, strikes: [at('stop', name, passage)] });
    expect(life.hits).toMatchObject([{ what: 'stop', point: name }]);
    expect(life.attempts).toBe(2);
    expect(rowsOf([life], 0).filter(({ met }) => !met)).toEqual([]);
  },
);

test.each([
  { flaw: 'stale', finds: { lost: 0, repeated: 7 } },
  { flaw: 'forgetful', finds: { lost: 1, repeated: 0 } },
  { flaw: 'unseeded', finds: { lost: 0, repeated: 0 } },
])('training that is resumed $flaw is found', async ({ flaw, finds }) => {
  const strikes = [at('kill', 'commit.head-swapped', 2)];
  const life = await live({ program: FLAWED, environment: { FLAW: flaw }, strikes });
  expect(life.hits).toHaveLength(1);
  expect(life).toMatchObject(finds);
  expect(life.changed).toBeGreaterThan(0);
  expect(rowsOf([life], 1).filter(({ met }) => !met).length).toBeGreaterThan(0);
});

/** A life to which these strikes are done, in turn. */
async function live(
  options: Pick<LifeOptions, 'program'> & {
    readonly environment?: LifeOptions['environment'];
    readonly strikes: readonly Strike[];
  },
): Promise<LifeFacts> {
  const { program, environment = {}, strikes } = options;
  const dataset = join(folder, 'examples.hdf5');
  await writeExamples(dataset);
  const store = await openObjectStore(url);
  const left = [...strikes];
  const next = (): Strike => left.shift() ?? { what: 'kill', moment: NEVER };
  const script = { next, moment: () => NEVER };
  const quota = new Quota(strikes.length);
  return await new Life({ store, environment, program, dataset, folder, number: 1, strikes: script, quota }).live();
}

function at(what: Strike['what'], name: NonNullable<Strike['point']>['name'], passage: number): Strike {
  return { what, moment: { commits: 0, part: 0 }, point: { name, passage } };
}
