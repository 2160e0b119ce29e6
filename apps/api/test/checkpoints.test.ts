import { createHash } from 'node:crypto';
import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointVerification, StoredCheckpointList, StoredCheckpointView } from '@longrun/contracts';
import { openObjectStore } from '@longrun/serialization';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { problemErrorsOf, problemFaultsOf } from './problem.js';
import { Service } from './service.js';
import { parameters, StoredExperiment } from './stored-experiment.js';

let service: Service;
let experiment: StoredExperiment;
beforeAll(async () => {
  service = await Service.start();
  await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(201);
});
afterAll(() => service.close());
beforeEach(async () => {
  experiment = await StoredExperiment.begin(service);
});
afterEach(() => experiment.end());

const pathOf = (rest = ''): string => `/v1/experiments/${experiment.id}/checkpoints${rest}`;
const PARAMETERS = '/files/parameters.safetensors';

describe('which checkpoints there are', () => {
  test('they are listed newest first, with their files', async () => {
    for (const step of [100, 200]) await experiment.commit(step);
    const answer = await service.get(pathOf()).expect(200);
    const list = StoredCheckpointList.parse(answer.body);
    expect(list).toMatchObject({ fence: 3, holder: 'by-hand', outcome: null, log: null });
    expect(list.items.map(({ name, damage }) => ({ name, damage }))).toEqual([
      { name: '200-3', damage: null },
      { name: '100-3', damage: null },
    ]);
    const bytes = parameters(200);
    expect(list.items[0]).toMatchObject({ step: 200, fence: 3, logRows: 2 });
    expect(list.items[0]?.files?.[0]).toEqual({
      name: 'parameters.safetensors',
      sha256: sha256Of(bytes),
      sizeBytes: bytes.byteLength,
    });
  });

  test('an experiment that has never begun has none, and an unknown one is not found', async () => {
    const id = await StoredExperiment.submit(service);
    const answer = await service.get(`/v1/experiments/${id}/checkpoints`).expect(200);
    expect(answer.body).toEqual({ fence: null, holder: null, outcome: null, log: null, items: [] });
    const unknown = `exp_${'0'.repeat(32)}`;
    for (const rest of ['', '/latest', `/latest${PARAMETERS}`]) {
      const refused = await service.get(`/v1/experiments/${unknown}/checkpoints${rest}`);
      expect(problemFaultsOf(refused, 'not-found')).toMatchObject([{ code: 'not-found', facts: { id: unknown } }]);
    }
  });

  test('a damaged manifest is said in the list, and refuses its checkpoint', async () => {
    for (const step of [100, 200]) await experiment.commit(step);
    await flipBit(`experiments/${experiment.id}/checkpoints/100-3.json`);
    const { items } = StoredCheckpointList.parse((await service.get(pathOf()).expect(200)).body);
    expect(items).toMatchObject([
      { name: '200-3', damage: null },
      { name: '100-3', step: 100, fence: 3, damage: expect.stringContaining('its bytes have changed'), files: null },
    ]);
    const [error] = problemErrorsOf(await service.get(pathOf('/100')), 'unreadable');
    expect(error?.detail).toContain('checkpoints/100-3.json');
  });

  test('one is found by its step, its name or as the latest; for another the refusal says which there are', async () => {
    for (const step of [100, 200]) await experiment.commit(step);
    for (const [which, name] of Object.entries({ '100': '100-3', '200-3': '200-3', latest: '200-3' })) {
      const view = StoredCheckpointView.parse((await service.get(pathOf(`/${which}`)).expect(200)).body);
      expect(view).toMatchObject({
        name,
        environment: { engine: 'reference' },
        tensors: [{ file: 'parameters.safetensors', tensors: [{ name: '/mlp.W', dtype: 'float32', shape: [2, 1] }] }],
      });
    }
    for (const rest of ['/150', `/150${PARAMETERS}`]) {
      const facts = { experiment: experiment.id, checkpoint: '150', known: ['200-3', '100-3'] };
      expect(problemFaultsOf(await service.get(pathOf(rest)), 'not-found')).toMatchObject([
        { pointer: 'checkpoint', code: 'checkpoint-unknown', facts },
      ]);
    }
    problemFaultsOf(await service.post(pathOf('/150/verify')), 'not-found');
    problemFaultsOf(await service.get(pathOf('/newest')), 'not-found');
  });

  test('what a newer build has written, and a damaged head, are told apart', async () => {
    await experiment.commit(100);
    const head = `experiments/${experiment.id}/head.json`;
    const store = await openObjectStore(service.objectsUrl);
    const replaceHead = async (text: string): Promise<void> => {
      const value = await store.readRegister(head);
      await store.compareAndSet(head, value?.version ?? null, Buffer.from(text));
    };
    await replaceHead('{"version":99}');
    expect(problemFaultsOf(await service.get(pathOf()), 'unreadable')).toMatchObject([{ code: 'written-by-newer' }]);
    await replaceHead('broken');
    expect(problemFaultsOf(await service.get(pathOf()), 'unreadable')).toMatchObject([{ code: 'head-damaged' }]);
  });

  test('a store that cannot be asked is no damage: 503', async () => {
    await experiment.commit(100);
    const folder = join(service.stateFolder, 'objects', 'experiments', experiment.id);
    await rename(folder, `${folder}.away`);
    // Nobody can follow it.
    await symlink(folder, folder);
    for (const answer of [await service.get(pathOf()), await service.post(pathOf('/verify'))]) {
      const faults = problemFaultsOf(answer, 'unavailable');
      expect(faults).toMatchObject([{ code: 'part-silent', facts: { part: 'objects' } }]);
      expect(faults[0]?.detail).toContain('ELOOP');
    }
    await rm(folder);
    await rename(`${folder}.away`, folder);
    await service.get(pathOf('/100')).expect(200);
  });
});

describe('a file', () => {
  test('comes with its length and its SHA-256, and in ranges', async () => {
    await experiment.commit(100);
    const bytes = parameters(100);
    const tag = `"${sha256Of(bytes)}"`;
    const facts = {
      etag: tag,
      'repr-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
      'accept-ranges': 'bytes',
    };
    const whole = await service.get(pathOf(`/100${PARAMETERS}`)).expect(200);
    expect(whole.headers).toMatchObject({ ...facts, 'content-length': String(bytes.byteLength) });
    expect(whole.body).toEqual(bytes);

    const part = await service
      .get(pathOf(`/latest${PARAMETERS}`))
      .set('Range', 'bytes=8-15')
      .expect(206);
    expect(part.headers).toMatchObject({ ...facts, 'content-range': `bytes 8-15/${bytes.byteLength}` });
    expect(part.body).toEqual(bytes.subarray(8, 16));

    const same = service.get(pathOf(`/100${PARAMETERS}`)).set({ Range: 'bytes=8-', 'If-Range': tag });
    expect((await same.expect(206)).body).toEqual(bytes.subarray(8));
    const other = service.get(pathOf(`/100${PARAMETERS}`)).set({ Range: 'bytes=8-', 'If-Range': '"another"' });
    expect((await other.expect(200)).body).toEqual(bytes);
    await service
      .get(pathOf(`/100${PARAMETERS}`))
      .set('If-None-Match', tag)
      .expect(304);

    const outside = await service.get(pathOf(`/100${PARAMETERS}`)).set('Range', `bytes=${bytes.byteLength}-`);
    problemErrorsOf(outside, 'range-not-satisfiable');
    expect(outside.headers['content-range']).toBe(`bytes */${bytes.byteLength}`);
  });

  test('is looked at without its bytes by HEAD', async () => {
    await experiment.commit(100);
    // A range is of a GET (RFC 9110, section 14.2).
    for (const range of [{}, { range: 'bytes=0-3' }, { range: 'bytes=999999-' }]) {
      const headers = { ...bearer(), ...range };
      const answer = await fetch(`${service.url}${pathOf(`/100${PARAMETERS}`)}`, { method: 'HEAD', headers });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-length')).toBe(String(parameters(100).byteLength));
    }
  });

  test('is for those who have the token', async () => {
    await experiment.commit(100);
    await service
      .raw()
      .get(pathOf(`/100${PARAMETERS}`))
      .expect(401);
  });

  test('that there is none of is refused with the names of those that there are', async () => {
    await experiment.commit(100);
    for (const name of ['optimizer.json', '..%2Fhead.json']) {
      const [fault] = problemFaultsOf(await service.get(pathOf(`/100/files/${name}`)), 'not-found');
      expect(fault).toMatchObject({ code: 'file-unknown', facts: { known: ['parameters.safetensors', 'state.json'] } });
    }
  });

  test('that is kept once has no second copy, and is not damaged for that', async () => {
    await experiment.commit(100);
    const answer = await service.get(pathOf(`/100${PARAMETERS}?copy=2`));
    const facts = { checkpoint: '100-3', name: 'parameters.safetensors' };
    expect(problemFaultsOf(answer, 'not-found')).toMatchObject([{ pointer: 'copy', code: 'copy-unknown', facts }]);
  });

  test('that is damaged is refused by its name, or cut off where bytes have gone already', async () => {
    const [parametersFile, state] = (await experiment.commit(100, 1_000_000)).files;
    await flipBit(state?.blobKey);
    const [error] = problemErrorsOf(await service.get(pathOf('/100/files/state.json')), 'unreadable');
    expect(error?.detail).toContain('file state.json has SHA-256');

    await flipBit(parametersFile?.blobKey);
    const logged = service.log.length;
    const answer = await fetch(`${service.url}${pathOf(`/100${PARAMETERS}`)}`, { headers: bearer() });
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
    expect(service.log.slice(logged)).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('parameters.safetensors') }),
    );

    await rm(objectFile(parametersFile?.blobKey));
    const [missing] = problemErrorsOf(await service.get(pathOf(`/100${PARAMETERS}`)), 'unreadable');
    expect(missing?.detail).toContain('file parameters.safetensors cannot be read: there is no object');
  });

  test('that is kept twice is had from the copy that is whole', async () => {
    const alone = await StoredExperiment.begin(service, { keepLast: 1 });
    const [file] = (await alone.commit(100)).files;
    const path = `/v1/experiments/${alone.id}/checkpoints/100${PARAMETERS}`;
    await rm(objectFile(file?.blobKey));
    expect((await service.get(path).expect(200)).body).toEqual(parameters(100));
    problemErrorsOf(await service.get(`${path}?copy=1`), 'unreadable');
    expect((await service.get(`${path}?copy=2`).expect(200)).body).toEqual(parameters(100));
    await alone.end();
  });
});

describe('verification', () => {
  test('reads every byte, of one checkpoint or of all', async () => {
    const { files } = await experiment.commit(100);
    await experiment.commit(200);
    const whole = CheckpointVerification.parse((await service.post(pathOf('/verify')).expect(200)).body);
    expect(whole).toMatchObject({ ok: true, checkpoints: [{ name: '200-3' }, { name: '100-3' }] });
    const key = files[1]?.blobKey;
    await flipBit(key);
    for (const rest of ['/verify', '/100/verify']) {
      const { ok, checkpoints } = CheckpointVerification.parse((await service.post(pathOf(rest)).expect(200)).body);
      expect(ok).toBe(false);
      expect(checkpoints.at(-1)).toMatchObject({ name: '100-3', damage: [{ what: 'file', key, isLost: true }] });
    }
    const latest = await service.post(pathOf('/latest/verify')).expect(200);
    expect(latest.body).toMatchObject({ ok: true, checkpoints: [{ name: '200-3', step: 200, damage: [] }] });
  });
});

describe('a checkpoint that is held', () => {
  test('stays while it is pinned, whatever is committed after it', async () => {
    for (const step of [100, 200]) await experiment.commit(step);
    const pinned = await service.put(pathOf('/100/pin')).expect(200);
    expect(pinned.body).toMatchObject({ name: '100-3', holds: [{ name: 'pin', until: null }] });
    for (const step of [300, 400, 500, 600]) await experiment.commit(step);
    expect(await namesNow()).toContain('100-3');
    expect(await namesNow()).not.toContain('200-3');
    const unpinned = await service.delete(pathOf('/100/pin')).expect(200);
    expect(unpinned.body).toMatchObject({ name: '100-3', holds: [] });
    await experiment.commit(700);
    expect(await namesNow()).not.toContain('100-3');
    problemFaultsOf(await service.put(pathOf('/100/pin')), 'not-found');
  });

  test('is unpinned by its step, also where a newer one of that step lies beside it', async () => {
    await experiment.commit(100);
    await service.put(pathOf('/100/pin')).expect(200);
    await experiment.commit(100);
    expect(await namesNow()).toEqual([expect.stringMatching(/^100-3-\d+$/), '100-3']);
    const unpinned = await service.delete(pathOf('/100/pin')).expect(200);
    expect(unpinned.body).toMatchObject({ name: '100-3', holds: [] });
    const { items } = StoredCheckpointList.parse((await service.get(pathOf()).expect(200)).body);
    expect(items.flatMap(({ holds }) => holds)).toEqual([]);
  });

  test('stays while a file of it is downloaded slowly, and goes after that', async () => {
    const alone = await StoredExperiment.begin(service, { keepLast: 1 });
    const path = `/v1/experiments/${alone.id}/checkpoints`;
    // More than the buffers between the two ends take.
    const elements = 10_000_000;
    await alone.commit(100, elements);
    const answer = await fetch(`${service.url}${path}/100${PARAMETERS}`, { headers: bearer() });
    const reader = answer.body?.getReader();
    await reader?.read();
    for (const step of [200, 300]) await alone.commit(step);
    const { items } = StoredCheckpointList.parse((await service.get(path).expect(200)).body);
    expect(items).toMatchObject([
      { name: '300-3', holds: [] },
      {
        name: '100-3',
        holds: [{ name: expect.stringMatching(/^download [0-9a-f-]{36}$/), until: expect.any(String) }],
      },
    ]);
    await service.get(`${path}/100/files/state.json`).expect(200);
    let sizeBytes = 0;
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      sizeBytes += next.value.byteLength;
    expect(sizeBytes).toBeGreaterThan(30_000_000);
    await untilReleased(path);
    await alone.commit(400);
    expect((await service.get(`${path}/100`)).status).toBe(404);
    await alone.end();
  });

  test('is downloaded by forty at once, each of whom has all of it and lets go of it', async () => {
    const elements = 1_100_000;
    await experiment.commit(100, elements);
    const expected = sha256Of(parameters(100, elements));
    const got = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const answer = await fetch(`${service.url}${pathOf(`/100${PARAMETERS}`)}`, { headers: bearer() });
        return { status: answer.status, sha256: sha256Of(Buffer.from(await answer.arrayBuffer())) };
      }),
    );
    expect(got).toEqual(got.map(() => ({ status: 200, sha256: expected })));
    await untilReleased(pathOf());
  });

  test('is not held by more than a thousand at once: the next is refused with what to do, and what is small is given', async () => {
    const { files } = await experiment.commit(100, 2_000_000);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const put = await experiment.withHolds(Array.from({ length: 1_000 }, (_, at) => ({ name: `fork ${at}`, until })));
    expect(put).toBe(1_000);
    const facts = { experiment: experiment.id, checkpoint: '100-3', holds: 1_000 };
    const refused = await service.get(pathOf(`/100${PARAMETERS}`));
    expect(problemFaultsOf(refused, 'conflict')[0]).toMatchObject({
      code: 'too-many-holds',
      facts,
      remedy: expect.stringContaining('again when some'),
    });
    expect(problemFaultsOf(await service.put(pathOf('/100/pin')), 'conflict')).toMatchObject([
      { pointer: 'checkpoint', code: 'too-many-holds', facts: { ...facts, checkpoint: '100' } },
    ]);
    await service.get(pathOf('/100/files/state.json')).expect(200);
    const part = service.get(pathOf(`/100${PARAMETERS}`)).set('Range', 'bytes=0-7');
    expect((await part.expect(206)).headers['content-range']).toBe(`bytes 0-7/${files[0]?.sizeBytes}`);
  });

  test('is let go when whoever downloads it leaves', async () => {
    await experiment.commit(100, 10_000_000);
    const leave = new AbortController();
    const options = { headers: bearer(), signal: leave.signal };
    const answer = await fetch(`${service.url}${pathOf(`/100${PARAMETERS}`)}`, options);
    expect(answer.status).toBe(200);
    expect((await service.get(pathOf()).expect(200)).body).toMatchObject({ items: [{ holds: [{}] }] });
    leave.abort();
    await untilReleased(pathOf());
  });
});

async function namesNow(): Promise<readonly string[]> {
  return StoredCheckpointList.parse((await service.get(pathOf()).expect(200)).body).items.map(({ name }) => name);
}

async function untilReleased(path: string): Promise<void> {
  await expect
    .poll(async () => {
      const { items } = StoredCheckpointList.parse((await service.get(path).expect(200)).body);
      return items.flatMap(({ holds }) => holds);
    })
    .toEqual([]);
}

function bearer(): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${service.token}` };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function objectFile(key = 'none'): string {
  return join(service.stateFolder, 'objects', key);
}

async function flipBit(key: string | undefined): Promise<void> {
  const bytes = await readFile(objectFile(key));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(objectFile(key), bytes);
}
