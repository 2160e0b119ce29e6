import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { sha256Of } from '../src/sha256.js';
import { InvalidKey } from '../src/store/object-key.js';
import {
  ContentMismatch,
  ObjectAbsent,
  type ObjectBody,
  ObjectExists,
  type ObjectStore,
  PreconditionFailed,
} from '../src/store/object-store.js';

/** A kind of store, for the contract that all of them keep. */
export interface StoreKind {
  /** An empty store. `another` is one on the same objects, as of another process. */
  readonly open: () => Promise<{ readonly store: ObjectStore; readonly another: ObjectStore }>;
  /** Of an object that moves in several pieces, and on the way back, too. */
  readonly largeBytes: number;
}

/** What `ObjectStore` promises, as tests of the file that calls this. */
export function testContract({ open: openEmpty, largeBytes }: StoreKind): void {
  let folder: string;
  let store: ObjectStore;
  let another: ObjectStore;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'store-contract-'));
    ({ store, another } = await openEmpty());
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('what was put is there, for all, and a second put replaces it', async () => {
    await store.put('a/b', text('one'));
    expect(await another.get('a/b')).toEqual(text('one'));
    await another.put('a/b', text('two'));
    expect(await store.get('a/b')).toEqual(text('two'));
  });

  test('put answers what was written', async () => {
    expect(await store.put('a', text('one'))).toEqual({ sha256: sha256Of(text('one')), sizeBytes: 3 });
  });

  test('an absent object is undefined, or an error where it is read in pieces', async () => {
    await store.put('a/b', text('x'));
    for (const key of ['c', 'a', 'a/b/c', 'a/c']) {
      expect(await store.get(key)).toBeUndefined();
      expect(await store.get(key, { range: { start: 1, end: 2 } })).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
      expect(await store.download(key, path.join(folder, 'target'))).toBeUndefined();
      await expect(piecesOf(store, key)).rejects.toThrow(ObjectAbsent);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('an empty object is an object', async () => {
    await store.put('empty', new Uint8Array(0));
    expect(await store.get('empty')).toEqual(new Uint8Array(0));
    expect(await store.head('empty')).toMatchObject({ sizeBytes: 0 });
    expect(await store.download('empty', path.join(folder, 'x'))).toMatchObject({ sizeBytes: 0 });
    expect(await piecesOf(store, 'empty')).toEqual(Buffer.alloc(0));
  });

  test('a large object comes back as it was, from a file, a handle or a stream, and tells again and again that it moves', async () => {
    const source = path.join(folder, 'source');
    const bytes = randomBytes(largeBytes);
    await writeFile(source, bytes);
    const written = { sha256: sha256Of(bytes), sizeBytes: largeBytes };
    const handle = await open(source);
    const bodies: Record<string, ObjectBody> = {
      path: { path: source },
      handle: { handle },
      stream: { stream: inPieces(bytes, 700_001) },
    };
    for (const [key, body] of Object.entries(bodies)) {
      const put = counter();
      expect(await store.put(key, body, { onMoved: put.count, expected: written })).toEqual(written);
      expect(put.counted).toBeGreaterThan(1);
      expect((await store.head(key))?.sizeBytes).toBe(largeBytes);
      expect([undefined, written.sha256]).toContain((await store.head(key))?.sha256);
    }
    await handle.close();
    const target = path.join(folder, 'target');
    await writeFile(target, 'old');
    const fetched = counter();
    expect(await store.download('stream', target, { onMoved: fetched.count })).toEqual(written);
    expect(fetched.counted).toBeGreaterThan(1);
    expect(sha256Of(await readFile(target))).toBe(written.sha256);
    expect(sha256Of(await piecesOf(store, 'path'))).toBe(written.sha256);
    expect((await readdir(folder)).toSorted()).toEqual(['source', 'target']);
  });

  test('of a file that never ends no more is put than is wanted', async () => {
    expect(await store.put('zeros', { path: '/dev/zero', mostBytes: 1_500_000 })).toMatchObject({
      sizeBytes: 1_500_000,
    });
    expect(Buffer.alloc(1_500_000).equals((await store.get('zeros')) ?? text(''))).toBe(true);
  });

  test('a range is a part, and what would lie behind the end is left out', async () => {
    await store.put('x', text('0123456789'));
    for (const [start, end, part] of [
      [0, 4, '0123'],
      [3, 4, '3'],
      [4, undefined, '456789'],
      [7, 100, '789'],
      [10, 20, ''],
      [30, 40, ''],
      [5, 5, ''],
    ] as const) {
      expect(await store.get('x', { range: { start, end } })).toEqual(text(part));
      expect((await piecesOf(store, 'x', { start, end })).toString()).toBe(part);
    }
  });

  test('a body that fails, or is not what was expected, writes nothing', async () => {
    await store.put('x', text('old'));
    const short = path.join(folder, 'short');
    await writeFile(short, 'new');
    const sha256 = sha256Of(text('new'));
    const refused: readonly (readonly [ObjectBody, object])[] = [
      [text('new'), { sizeBytes: 4 }],
      [text('new'), { sha256: sha256Of(text('other')) }],
      [{ path: short }, { sizeBytes: 4, sha256 }],
      [{ stream: inPieces(Buffer.alloc(largeBytes), 1 << 20) }, { sizeBytes: largeBytes, sha256 }],
      [{ stream: endless() }, { sizeBytes: 100_000 }],
    ];
    for (const [body, expected] of refused) {
      await expect(store.put('x', body, { expected })).rejects.toThrow(ContentMismatch);
      await expect(store.put('y', body, { expected, ifAbsent: true })).rejects.toThrow(ContentMismatch);
    }
    await expect(store.put('x', { path: path.join(folder, 'absent') })).rejects.toThrow('ENOENT');
    await expect(store.put('x', { stream: failing(largeBytes) })).rejects.toThrow('the stream has failed');
    expect(await store.get('x')).toEqual(text('old'));
    expect(await keys(store, '')).toEqual(['x']);
    expect(await store.put('x', { path: short }, { expected: { sizeBytes: 3, sha256 } })).toMatchObject({ sha256 });
  });

  test('ifAbsent refuses to replace, also what is large, and of many that put at once one wins', async () => {
    await store.put('x', text('one'), { ifAbsent: true });
    await expect(another.put('x', text('two'), { ifAbsent: true })).rejects.toThrow(ObjectExists);
    await expect(
      another.put('x', { stream: inPieces(Buffer.alloc(largeBytes), 1 << 20) }, { ifAbsent: true }),
    ).rejects.toThrow(ObjectExists);
    expect(await store.get('x')).toEqual(text('one'));

    const racing = Array.from({ length: 10 }, (_, index) =>
      [store, another][index % 2]?.put('race', text(`racer ${index}`), { ifAbsent: true }).then(() => index),
    );
    const results = await Promise.allSettled(racing);
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(lost.filter((reason) => !(reason instanceof ObjectExists))).toEqual([]);
    expect(await store.get('race')).toEqual(text(`racer ${won[0]}`));
  });

  test('a reader beside a writer sees one whole value or another', async () => {
    const values = ['a', 'b', 'c'].map((letter) => Buffer.alloc(1 << 18, letter));
    const writing = (async () => {
      for (let round = 0; round < 15; round += 1) await another.put('x', values[round % 3] ?? text(''));
      return 'done';
    })();
    const seen = new Set<string>();
    while ((await Promise.race([writing, store.get('x').then(note)])) !== 'done');
    expect([...seen]).toEqual(['whole']);

    function note(bytes: Uint8Array | undefined): void {
      if (bytes !== undefined) seen.add(values.some((value) => value.equals(bytes)) ? 'whole' : 'torn');
    }
  });

  test('list gives what starts with the prefix, and registers once, with the size of their value', async () => {
    for (const key of ['a/b/1', 'a/b/22', 'a/bc', 'd/a/b/1']) await store.put(key, text(key));
    await store.compareAndSet('a/b/head.json', null, text('12345'));
    expect(await keys(store, 'a/b')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json', 'a/bc']);
    expect(await keys(store, 'a/b/')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json']);
    expect(await keys(store, 'a/b/2')).toEqual(['a/b/22']);
    expect(await keys(another, '')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json', 'a/bc', 'd/a/b/1']);
    expect(await keys(store, 'absent/')).toEqual([]);
    for await (const listed of store.list('a/b/h')) expect(listed).toEqual({ key: 'a/b/head.json', sizeBytes: 5 });
    for await (const listed of store.list('a/b/2')) expect(listed).toEqual({ key: 'a/b/22', sizeBytes: 6 });
  });

  test('delete removes objects and registers, and does not mind what is absent', async () => {
    await store.put('a/x', text('x'));
    await store.compareAndSet('a/head.json', null, text('x'));
    await store.delete([]);
    await store.delete(['a/x', 'a/absent', 'b/absent', 'a', 'a/head.json']);
    expect(await keys(store, '')).toEqual([]);
    expect(await store.readRegister('a/head.json')).toBeUndefined();
  });

  test.each(['../x', '/etc/passwd', 'a/../../x', '.tmp/x', 'x~', ''])('no method takes the key %j', async (key) => {
    for (const attempt of [
      () => store.get(key),
      () => store.head(key),
      () => piecesOf(store, key),
      () => store.put(key, text('y')),
      () => store.download(key, path.join(folder, 'y')),
      () => store.downloadUrl(key, { validMs: 1_000 }),
      () => store.readRegister(key),
      () => store.compareAndSet(key, null, text('y')),
      () => store.delete([key]),
    ]) {
      await expect(attempt()).rejects.toThrow(InvalidKey);
    }
    expect(await keys(store, '')).toEqual([]);
  });

  test('list cannot leave the store', async () => {
    await expect(keys(store, '../')).rejects.toThrow(InvalidKey);
    await expect(keys(store, '/etc/')).rejects.toThrow(InvalidKey);
  });

  test('a register is set only under the version that was read', async () => {
    expect(await store.readRegister('r')).toBeUndefined();
    const first = await store.compareAndSet('r', null, text('1'));
    await expect(another.compareAndSet('r', null, text('x'))).rejects.toThrow(PreconditionFailed);
    const second = await another.compareAndSet('r', first, text('2'));
    await expect(store.compareAndSet('r', first, text('x'))).rejects.toThrow('register r is no longer at version');
    expect(await store.readRegister('r')).toEqual({ bytes: text('2'), version: second });
    expect(second).not.toBe(first);
  });

  test('setting the same bytes gives a new version, and no version comes again', async () => {
    const versions: string[] = [];
    for (const value of ['1', '1', '2', '1', '1']) {
      versions.push(await store.compareAndSet('r', versions.at(-1) ?? null, text(value)));
    }
    expect(new Set(versions).size).toBe(5);
    for (const old of versions.slice(0, -1)) {
      await expect(store.compareAndSet('r', old, text('x'))).rejects.toThrow(PreconditionFailed);
    }
    expect(await store.readRegister('r')).toEqual({ bytes: text('1'), version: versions[4] });
  });

  test('a version of a register that was removed sets nothing', async () => {
    const first = await store.compareAndSet('r', null, text('1'));
    await store.delete(['r']);
    await expect(store.compareAndSet('r', first, text('2'))).rejects.toThrow(PreconditionFailed);
    expect(await store.readRegister('r')).toBeUndefined();
  });

  test('of twenty that set a register at once, round after round, none is lost and none counted twice', async () => {
    const valueOf = async (by: ObjectStore): Promise<{ names: string[]; version: string | null }> => {
      const current = await by.readRegister('names');
      const names = Buffer.from(current?.bytes ?? []).toString();
      return { names: names === '' ? [] : names.split(' '), version: current?.version ?? null };
    };
    const add = async (by: ObjectStore, name: string): Promise<void> => {
      for (;;) {
        const { names, version } = await valueOf(by);
        // Of those that lost an answer while many others were set.
        if (names.includes(name)) return;
        try {
          await by.compareAndSet('names', version, text([...names, name].join(' ')));
          return;
        } catch (error) {
          const isUntold = error instanceof Error && error.message.endsWith('cannot be told; read it again');
          if (!(error instanceof PreconditionFailed) && !isUntold) throw error;
        }
      }
    };
    const names = Array.from({ length: 20 }, (_, index) => `writer-${index}`);
    await Promise.all(names.map((name, index) => add(index % 2 === 0 ? store : another, name)));
    expect((await valueOf(store)).names.toSorted()).toEqual(names.toSorted());
  });

  test('a signal that was aborted ends every operation with its reason, and nothing is written', async () => {
    await store.put('x', text('old'));
    const reason = new Error('the worker ends');
    const signal = AbortSignal.abort(reason);
    for (const attempt of [
      () => store.get('x', { signal }),
      () => store.head('x', { signal }),
      () => store.openRead('x', { signal }).next(),
      () => store.put('x', text('y'), { signal }),
      () => store.download('x', path.join(folder, 'y'), { signal }),
      () => store.downloadUrl('x', { validMs: 1_000, signal }),
      () => store.readRegister('r', { signal }),
      () => store.compareAndSet('r', null, text('y'), { signal }),
      () => store.list('', { signal })[Symbol.asyncIterator]().next(),
      () => store.delete(['x'], { signal }),
      () => store.probe({ signal }),
      () => store.sweep({ signal }),
    ]) {
      await expect(attempt()).rejects.toBe(reason);
    }
    expect(await store.get('x')).toEqual(text('old'));
    expect(await store.readRegister('r')).toBeUndefined();
  });

  test('a put that is given up on the way leaves what was there', async () => {
    await store.put('x', text('old'));
    const leaving = new AbortController();
    const reason = new Error('the worker ends');
    const stream = (async function* () {
      yield* inPieces(Buffer.alloc(largeBytes), 1 << 20);
      leaving.abort(reason);
      yield text('more');
    })();
    await expect(store.put('x', { stream }, { signal: leaving.signal })).rejects.toBe(reason);
    expect(await another.get('x')).toEqual(text('old'));
    expect(await keys(store, '')).toEqual(['x']);
  });

  test('what it proves of itself leaves nothing, nor does it take what is being written for left behind', async () => {
    let swept: number | undefined;
    const stream = (async function* () {
      yield text('half');
      await store.probe();
      swept = await another.sweep();
      yield text(' and half');
    })();
    await store.put('x', { stream });
    expect(swept).toBe(0);
    expect(Buffer.from((await store.get('x')) ?? []).toString()).toBe('half and half');
    expect(await keys(store, '')).toEqual(['x']);
  });

  test('a file that shrinks while it is put is not taken for whole', async () => {
    const source = path.join(folder, 'source');
    const bytes = randomBytes(largeBytes);
    await writeFile(source, bytes);
    const expected = { sizeBytes: largeBytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    await truncate(source, largeBytes - 1);
    await expect(store.put('x', { path: source }, { expected })).rejects.toThrow(ContentMismatch);
    expect(await store.get('x')).toBeUndefined();
  });
}

function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value));
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const listed: string[] = [];
  for await (const { key } of store.list(prefix)) listed.push(key);
  return listed.toSorted();
}

async function piecesOf(
  store: ObjectStore,
  key: string,
  range?: { readonly start: number; readonly end?: number | undefined },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.openRead(key, { range })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(30_000);
}

async function* failing(afterBytes: number): AsyncGenerator<Uint8Array> {
  yield* inPieces(Buffer.alloc(afterBytes), 1 << 20);
  throw new Error('the stream has failed');
}

function counter(): { counted: number; count: () => void } {
  const counting = { counted: 0, count: (): void => void (counting.counted += 1) };
  return counting;
}
