import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mnist } from '@longrun/fuel';
import { type Disk, smallDisk, until } from '@longrun/platform/testing';
import { Isolation } from '@longrun/platform/worker';
import { hashFile } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeIdxFiles } from './idx.js';
import { CHECKOUT, type LocalWorker, type LocalWorkerOptions, World } from './world.js';

const isRoot = process.geteuid?.() === 0;

let world: World;
/** Has what is published. */
let server: Server;
let answer: (path: string) => Promise<Uint8Array | undefined>;
let requests: string[];
/** The converter of MNIST, of small files on that server, in a process. */
let toy: Pick<LocalWorkerOptions, 'converters' | 'converterScript'>;
let published: string[];
const workers: LocalWorker[] = [];

beforeAll(async () => {
  world = await World.begin();
  const folder = join(world.folder, 'published');
  await writeIdxFiles(folder);
  published = (await readdir(folder)).toSorted();
  server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    void answer(path).then((bytes) => (bytes === undefined ? response.writeHead(404).end() : response.end(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const { port } = address;
  const requiredFiles = await Promise.all(
    published.map(async (name) => {
      const { sha256 } = await hashFile(join(folder, name));
      return { name, sha256, urls: [`http://127.0.0.1:${port}/${name}`] };
    }),
  );
  const converterScript = join(world.childrenFolder, 'toy.mjs');
  await mkdir(world.childrenFolder);
  await writeFile(
    converterScript,
    `import { converters } from ${urlOf('libs', 'fuel', 'dist', 'bundle', 'index.js')};
    converters.set('toy', { ...converters.get('mnist'), name: 'toy', requiredFiles: () => ${JSON.stringify(requiredFiles)} });
    await import(${urlOf('apps', 'fuel-preproc', 'dist', 'converter.js')});`,
  );
  toy = {
    converterScript,
    converters: new Map([['toy', { params: mnist.params, requiredFiles: () => requiredFiles }]]),
  };
});

beforeEach(() => {
  requests = [];
  answer = async (path) => await readFile(join(world.folder, 'published', path));
});

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await rm(world.rawFolder, { recursive: true });
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await world.end();
});

async function localWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const worker = await world.localWorker({ ...toy, ...options });
  workers.push(worker);
  return worker;
}

/** What keeps the converters of one worker from those of another, as each worker that is root has it. */
async function isolationOf(uid: number): Promise<Isolation> {
  await mkdir(world.rawFolder, { recursive: true });
  const code = [CHECKOUT, world.rawFolder, world.childrenFolder];
  const user = isRoot ? { uid, gid: uid } : 'worker';
  return await Isolation.find({ user, stateFolder: world.folder, code });
}

test('what was downloaded is kept for the converters of any worker, and is none of theirs', async () => {
  await localWorker({ workerId: 'first', isolation: await isolationOf(1_800_000_001) });
  expect(await world.whenEnded(await world.ask({ name: 'downloaded', converter: 'toy' }))).toMatchObject({
    status: 'ready',
  });
  const kept = join(world.rawFolder, 'toy');
  expect((await readdir(kept)).toSorted()).toEqual(published);
  for (const path of [kept, ...published.map((name) => join(kept, name))])
    expect((await stat(path)).uid).toBe(process.geteuid?.());
  const files = published.map((name) => `/${name}`);
  // On a busy machine one may be asked for again.
  expect([...new Set(requests)].toSorted()).toEqual(files);

  requests = [];
  await workers.pop()?.stop();
  await localWorker({ workerId: 'second', isolation: await isolationOf(1_800_000_002) });
  for (const source of [{ folder: 'toy' }, { download: true } as const]) {
    const name = `again-${Object.keys(source)[0]}`;
    expect(await world.whenEnded(await world.ask({ name, converter: 'toy', source }))).toMatchObject({
      status: 'ready',
    });
  }
  expect(requests).toEqual([]);
});

test('two workers that download the same do not hurt each other', async () => {
  for (const [workerId, uid] of [
    ['left', 1_800_000_001],
    ['right', 1_800_000_002],
  ] as const)
    await localWorker({ workerId, isolation: await isolationOf(uid) });
  const sendFile = answer;
  answer = async (path) => {
    // Neither gets a file before both are at it.
    await until(() => requests.length >= 2);
    return await sendFile(path);
  };
  const ids = [
    await world.ask({ name: 'left', converter: 'toy' }),
    await world.ask({ name: 'right', converter: 'toy' }),
  ];
  for (const id of ids) {
    const { status, attempts } = await world.whenEnded(id);
    expect(status).toBe('ready');
    expect(attempts.map(({ reason }) => reason)).toEqual(['succeeded']);
  }
  expect(requests.length).toBeGreaterThan(published.length);
  expect((await readdir(join(world.rawFolder, 'toy'))).toSorted()).toEqual(published);
});

test('what was downloaded before a download failed is kept; a person can add the rest where the message says', async () => {
  await localWorker({ workerId: 'hopeful' });
  const sendFile = answer;
  const missing = published.at(-1) ?? '';
  answer = async (path) => (path.endsWith(missing) ? undefined : await sendFile(path));
  const failed = await world.whenEnded(await world.ask({ name: 'hopeful', converter: 'toy' }));
  expect(failed).toMatchObject({ status: 'failed', reason: 'dataset_unavailable' });
  expect(failed.message).toContain(`at ${join(world.rawFolder, 'toy', missing)}`);

  requests = [];
  answer = sendFile;
  expect(await world.whenEnded(await world.ask({ name: 'hopeful', converter: 'toy' }))).toMatchObject({
    status: 'ready',
  });
  expect([...new Set(requests)]).toEqual([`/${missing}`]);
});

test('a disk of raw files that keeps nothing costs a download, and no dataset', async () => {
  const disk: Disk = smallDisk(join(world.rawFolder, 'disk'), 'toy');
  try {
    const worker = await localWorker({ workerId: 'cramped', rawFolder: disk.folder });
    disk.break();
    const { status, attempts } = await world.whenEnded(await world.ask({ name: 'cramped', converter: 'toy' }));
    expect(status).toBe('ready');
    expect(attempts.map(({ reason }) => reason)).toEqual(['succeeded']);
    // The fault fired.
    expect(worker.lines.join('\n')).toMatch(new RegExp(`cannot keep .* in ${disk.folder}/toy.*(${disk.fault.source})`));
  } finally {
    disk.end();
  }
});

test.runIf(isRoot)('(needs root) a folder that no converter downloads to is not given away', async () => {
  const folder = join(world.rawFolder, 'speech');
  await mkdir(folder, { recursive: true });
  await chown(folder, 1234, 1234);
  await localWorker({ workerId: 'asked' });
  const ended = await world.whenEnded(await world.ask({ name: 'speech', converter: 'speech' }));
  expect(ended).toMatchObject({ status: 'failed', reason: 'invalid_params' });
  expect(await stat(folder)).toMatchObject({ uid: 1234, gid: 1234 });
});

function urlOf(...path: readonly string[]): string {
  return JSON.stringify(pathToFileURL(join(CHECKOUT, ...path)).href);
}
