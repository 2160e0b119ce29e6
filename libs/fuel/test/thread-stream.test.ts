import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { assertResumable, StateMismatch, type Json, type VersionedState } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { ParallelMapping, Prefetch, ThreadStream, type DataStream } from '../src/index.js';
import { buildStream } from '../src/streams/build-stream.js';
import { temporaryFolder } from './folder.js';

const module = new URL('children/threaded.mjs', import.meta.url).href;
/** As a program has it: of the libraries as they are built, which tests read from their sources otherwise. */
const thread = { module, execArgv: [] };
const factories: readonly (readonly [factory: string, argument: Json])[] = [
  ['images', { count: 23, size: 5 }],
  ['ragged', null],
];

/** All of some epochs, and the state after each batch. */
async function course(stream: DataStream, epochs: number): Promise<readonly unknown[]> {
  const given: unknown[] = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next())
      given.push([[...batch.columns], batch.epoch, batch.index, batch.state()]);
    given.push(await stream.next(), stream.state());
    await stream.nextEpoch();
    given.push(stream.state());
  }
  return given;
}

test.each(factories)(
  '2.5-20: what a thread reads ahead, and its states, are those of the stream: %s',
  async (factory, argument) => {
    const alone = await course(await buildStream({ module, factory, argument }), 3);
    for (const ahead of [1, 3]) {
      const threaded = await ThreadStream.start({ ...thread, factory, argument, ahead });
      expect(await course(threaded, 3)).toEqual(alone);
      expect(String(threaded)).toMatch(/^ThreadStream\(ahead \d\) ← /);
      await threaded.close();
      expect(await course(new Prefetch(await buildStream({ module, factory, argument }), ahead), 3)).toEqual(alone);
    }
  },
);

test.each(factories)('a run goes on with a thread, without one, and with one again: %s', async (factory, argument) => {
  const build = [
    () => ThreadStream.start({ ...thread, factory, argument, ahead: 2 }),
    () => buildStream({ module, factory, argument }),
    async () => new Prefetch(await buildStream({ module, factory, argument }), 2),
  ];
  const alone = await course(await buildStream({ module, factory, argument }), 2);
  const given: unknown[] = [];
  let state: VersionedState | undefined;
  for (let turn = 0, epochs = 0; epochs < 2; turn += 1) {
    const stream = await build[turn % 3]?.();
    if (stream === undefined) throw new Error('there is no stream');
    if (state !== undefined) stream.restore(state);
    const batch = await stream.next();
    if (batch === undefined) {
      given.push(batch, stream.state());
      await stream.nextEpoch();
      epochs += 1;
    } else given.push([[...batch.columns], batch.epoch, batch.index, batch.state()]);
    state = JSON.parse(JSON.stringify(stream.state())) as VersionedState;
    if (batch === undefined) given.push(stream.state());
    await stream.close();
  }
  expect(given).toEqual(alone);
});

test('Prefetch resumes exactly', async () => {
  const streams: DataStream[] = [];
  for (let i = 0; i < 200; i += 1) streams.push(await buildStream({ module, factory: 'ragged', argument: null }));
  await assertResumable(() => new Prefetch(streams.pop() as DataStream, 3), { epochs: 2 });
});

test('an epoch that is left in the middle, and a state that is restored while batches are read ahead, leave nothing behind', async () => {
  const argument = { count: 40, size: 2 };
  const plain = await buildStream({ module, factory: 'images', argument });
  const streams = [
    await ThreadStream.start({ ...thread, factory: 'images', argument, ahead: 6 }),
    new Prefetch(await buildStream({ module, factory: 'images', argument }), 6),
  ];
  for (const stream of [plain, ...streams]) {
    await stream.next();
    await stream.next();
    await stream.nextEpoch();
  }
  const second = await plain.next();
  const later = plain.state();
  await plain.next();
  const fourth = await plain.next();
  for (const stream of streams) {
    expect((await stream.next())?.columns).toEqual(second?.columns);
    await stream.next();
    const both = await Promise.all([stream.next(), stream.next()]);
    expect(both[0]?.columns).toEqual(fourth?.columns);
    expect(both[1]?.index).toBe(3);
    stream.restore(later);
    await stream.next();
    expect((await stream.next())?.columns).toEqual(fourth?.columns);
    await stream.close();
    await expect(stream.next()).rejects.toThrow(/closed/);
  }
});

test('a state of another stream is refused at once where nothing is read, and else with the next batch', async () => {
  const argument = { count: 40, size: 2 };
  const threaded = await ThreadStream.start({ ...thread, factory: 'images', argument });
  const ahead = new Prefetch(await buildStream({ module, factory: 'images', argument }));
  const state = threaded.state();
  const other = { ...state, kind: 'Other' };
  expect(() => ahead.restore(other)).toThrow(StateMismatch);
  for (const stream of [threaded, ahead]) await stream.next();

  expect(() => threaded.restore(other)).toThrow(StateMismatch);
  expect((await threaded.next())?.index).toBe(1);
  ahead.restore(other);
  await expect(ahead.next()).rejects.toThrow(StateMismatch);
  ahead.restore(state);
  expect((await ahead.next())?.index).toBe(0);
  for (const stream of [threaded, ahead]) await stream.close();
});

test('no more is read ahead than is said, and what cannot be read fails as it would without a thread', async () => {
  const log = path.join(await temporaryFolder(), 'read');
  const stream = await ThreadStream.start({
    ...thread,
    factory: 'images',
    argument: { count: 100, size: 1, broken: 5, log },
    ahead: 3,
  });
  await stream.next();
  await expect.poll(() => readFileSync(log, 'utf8').length).toBe(4);
  await stream.next();
  await expect.poll(() => readFileSync(log, 'utf8').length).toBe(5);
  await stream.next();
  await stream.next();
  // The fifth that the thread has read is the first that is read here.
  expect((await stream.next())?.index).toBe(4);
  expect((await stream.next())?.index).toBe(5);
  await stream.close();

  const broken = await ThreadStream.start({ ...thread, factory: 'images', argument: { count: 9, size: 1, broken: 1 } });
  const before = broken.state();
  await expect(broken.next()).rejects.toThrow(new RangeError('batch 1 is broken'));
  expect(broken.state()).toEqual(before);
  expect((await broken.next())?.index).toBe(0);
  await broken.close();
});

test('what several threads map is the same with any number of them, which may change', async () => {
  const numbers = () => buildStream({ module, factory: 'images', argument: { count: 46, size: 2 } });
  const mapped = async (threads: number): Promise<ParallelMapping> =>
    await ParallelMapping.start(await numbers(), { ...thread, factory: 'adding', argument: { seed: 3 }, threads });
  const alone = await course(await mapped(0), 2);
  for (const threads of [1, 3]) {
    const stream = await mapped(threads);
    expect(await course(stream, 2)).toEqual(alone);
    await stream.close();
  }

  let state: VersionedState | undefined;
  const given: unknown[] = [];
  for (const threads of [2, 0, 3, 1]) {
    const stream = await mapped(threads);
    if (state !== undefined) stream.restore(state);
    for (let count = 0; count < 4; count += 1) {
      const batch = await stream.next();
      given.push([[...(batch?.columns ?? [])], batch?.epoch, batch?.index, batch?.state()]);
    }
    state = stream.state();
    await stream.close();
  }
  expect(given).toEqual(alone.slice(0, 16));
});

test('an epoch that is left while threads map it leaves nothing behind, and what they cannot map fails here', async () => {
  const argument = { count: 40, size: 2 };
  const start = async (threads: number, more: object = {}) =>
    await ParallelMapping.start(await buildStream({ module, factory: 'images', argument }), {
      ...thread,
      factory: 'adding',
      argument: { seed: 3, ...more },
      threads,
    });
  const [plain, threaded] = [await start(0), await start(2)];
  for (const stream of [plain, threaded]) {
    await stream.next();
    await stream.nextEpoch();
  }
  expect((await threaded.next())?.columns).toEqual((await plain.next())?.columns);
  expect(() =>
    threaded.restore({ ...threaded.state(), mapping: { factory: 'adding', argument: { seed: 4 } } }),
  ).toThrow(StateMismatch);
  expect((await threaded.next())?.columns).toEqual((await plain.next())?.columns);
  await threaded.close();

  const broken = await start(2, { broken: 2 });
  await broken.next();
  const before = broken.state();
  await expect(broken.next()).rejects.toThrow(new RangeError('batch 1 is broken'));
  expect(broken.state()).toEqual(before);
  await expect(broken.next()).rejects.toThrow('batch 1 is broken');
  await broken.close();
});

test('a process whose options no thread can be given, as the limit of memory of a trainer, has threads, and ends with one ahead', async () => {
  const argument = { count: 40, size: 2 };
  const script = `
    import { ThreadStream } from '@longrun/fuel';
    const stream = await ThreadStream.start(${JSON.stringify({ module, factory: 'images', argument })});
    console.log(String((await stream.next()).index));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--max-old-space-size=300', '--input-type=module', '--eval', script],
    { cwd: import.meta.dirname, timeout: 60_000 },
  );
  expect(stdout).toBe('0\n');
});

test('a thread that ends itself is said to have, and what it did is done without it', async () => {
  const warned: string[] = [];
  const hear = (warning: Error): void => void warned.push(warning.message);
  process.on('warning', hear);
  const numbers = () => buildStream({ module, factory: 'images', argument: { count: 12, size: 2 } });
  const stream = await ParallelMapping.start(await numbers(), {
    ...thread,
    factory: 'ending',
    argument: null,
    threads: 1,
  });
  const plain = await numbers();

  for (let count = 0; count < 6; count += 1)
    expect((await stream.next())?.columns).toEqual((await plain.next())?.columns);
  await stream.close();
  process.off('warning', hear);
  expect(warned).toEqual(['ParallelMapping: batches are mapped without a thread, as it has ended (exit code 7)']);
});

test('what makes no stream is refused by its name', async () => {
  await expect(ThreadStream.start({ ...thread, factory: 'gone', argument: null })).rejects.toThrow(
    /exports no function gone; export the one/,
  );
  await expect(ThreadStream.start({ ...thread, factory: 'NUMBER', argument: null })).rejects.toThrow(
    /exports no function NUMBER/,
  );
  await expect(ThreadStream.start({ ...thread, factory: 'nothing', argument: null })).rejects.toThrow(
    /nothing of .* gives no stream/,
  );
  await expect(ThreadStream.start({ ...thread, factory: 'ragged', argument: null, ahead: 0 })).rejects.toThrow(
    /ahead is 0; give a whole number from 1/,
  );
});
