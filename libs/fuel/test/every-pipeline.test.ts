import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { assertResumable, type VersionedState } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as fuel from '../src/index.js';
import { buildStream } from '../src/streams/build-stream.js';
import {
  closeAll,
  COLUMNS,
  DATASETS,
  ONE_BILLION_WORD,
  pipeline,
  SCHEMES,
  STREAMS,
  TEXT,
} from './children/every-pipeline.mjs';

const module = new URL('children/every-pipeline.mjs', import.meta.url).href;
const ITERABLE = ['IterableDataset', 'OneBillionWord', 'TextFile'];
const schemes = Object.keys(SCHEMES);
const transformers = Object.keys(STREAMS);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-every-'));
  await fuel.writeH5Dataset(join(folder, 'all.hdf5'), async (writer) => {
    await writer.append(COLUMNS);
    return { all: Object.fromEntries(Object.keys(COLUMNS).map((source) => [source, { start: 0, stop: 3 }])) };
  });
  await writeFile(join(folder, 'text'), TEXT);
  await mkdir(join(folder, dirname(ONE_BILLION_WORD)), { recursive: true });
  await writeFile(join(folder, ONE_BILLION_WORD), TEXT);
});
afterAll(async () => {
  await closeAll();
  await rm(folder, { recursive: true });
});

/** The classes that this library exports, by name. */
const classes = Object.entries(fuel).filter(
  ([, value]) => typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value)),
);

/** Those of a kind, but for the ones that are there to be extended. */
function exported(base: { readonly prototype: object }): string[] {
  const abstract = [
    'Dataset',
    'DataStream',
    'Transformer',
    'SourcewiseTransformer',
    'ImageTransformer',
    'RandomImageTransformer',
  ];
  const found = classes.filter(
    ([, value]) => value === base || (value as { prototype: object }).prototype instanceof (base as never),
  );
  return found
    .map(([name]) => name)
    .filter((name) => !abstract.includes(name))
    .toSorted();
}

test('no dataset, scheme or transformer is left out of what is resumed here', () => {
  expect(Object.keys(DATASETS)).toEqual(exported(fuel.Dataset));
  expect(schemes).toEqual(
    classes
      .map(([name]) => name)
      .filter((name) => name.endsWith('Scheme'))
      .toSorted(),
  );
  // What reads by a thread has a test of its own below.
  expect([...Object.keys(STREAMS), 'ThreadStream'].toSorted()).toEqual(exported(fuel.DataStream));
});

/** Asserts that a pipeline resumes exactly, and is no empty one. */
async function assertResumes(dataset: string, scheme: string | null, transformer: string): Promise<void> {
  const name = `${transformer} around ${scheme ?? 'the examples'} of ${dataset}`;
  const build = () => pipeline({ dataset, scheme, transformer, folder });
  const stream = await build();
  try {
    expect(await stream.next()).toBeDefined();
    await assertResumable(build, { steps: 5 });
  } catch (error) {
    throw new Error(name, { cause: error });
  } finally {
    await stream.close();
  }
}

// Every pair of a transformer and a scheme, over one dataset after the other: so that every pair with a dataset comes, too.
const indexed: Record<string, Set<string>> = {};
test.each(transformers)('%s resumes exactly, by every scheme, around every dataset', async (transformer) => {
  const kind = STREAMS[transformer]?.kind ?? 'numbers';
  const fitting = Object.keys(DATASETS).filter((name) => DATASETS[name]?.kinds[kind] !== undefined);
  const byScheme = fitting.filter((name) => !ITERABLE.includes(name));
  for (const [at, scheme] of schemes.entries()) {
    const dataset = byScheme[(at + transformers.indexOf(transformer)) % byScheme.length] ?? '';
    (indexed[dataset] ??= new Set()).add(scheme);
    await assertResumes(dataset, scheme, transformer);
  }
  for (const dataset of fitting.filter((name) => ITERABLE.includes(name)))
    await assertResumes(dataset, null, transformer);
});

test('every scheme was gone by over every dataset that has indices', () => {
  const all = Object.keys(DATASETS).filter((name) => !ITERABLE.includes(name));
  expect(Object.fromEntries(all.map((name) => [name, [...(indexed[name] ?? [])].toSorted()]))).toEqual(
    Object.fromEntries(all.map((name) => [name, schemes])),
  );
});

test('a pipeline resumes exactly through threads, whose number changes at every state', async () => {
  const execArgv: string[] = [];
  const built = (threads: number) => buildStream({ module, factory: 'long', argument: { threads, execArgv } });
  const course: unknown[] = [];
  const stream = await built(0);
  let state: VersionedState = stream.state();
  for (let epoch = 0; epoch < 2; epoch += 1) {
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) course.push(told(batch));
    await stream.nextEpoch();
  }

  const argument = { threads: 2, execArgv };
  const readers = [
    await fuel.ThreadStream.start({ module, factory: 'long', argument, execArgv, ahead: 3 }),
    await built(0),
    await built(3),
    new fuel.Prefetch(await built(1), 2),
  ];
  const given: unknown[] = [];
  for (let turn = 0; given.length < course.length; turn += 1) {
    const reader = readers[turn % readers.length] ?? stream;
    reader.restore(state);
    const batch = await reader.next();
    if (batch === undefined) await reader.nextEpoch();
    else given.push(told(batch));
    state = JSON.parse(JSON.stringify(reader.state())) as VersionedState;
  }

  expect(given).toEqual(course);
  for (const each of [stream, ...readers]) await each.close();
});

function told(batch: fuel.Delivery): unknown {
  return [[...batch.columns], batch.epoch, batch.index, batch.state()];
}
