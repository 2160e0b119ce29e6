import { createHash, randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OutputList } from '@longrun/contracts';
import { openObjectStore } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HandWorker } from './hand-worker.js';
import { problemErrorsOf, problemFaultsOf } from './problem.js';
import { Service } from './service.js';
import { parameters, StoredExperiment } from './stored-experiment.js';

let service: Service;
let converter: HandWorker;
beforeAll(async () => {
  service = await Service.start();
  converter = await HandWorker.start(service, 'dataset');
});
afterAll(async () => {
  await converter.stop();
  await service.close();
});

describe('a dataset', () => {
  const bytes = randomBytes(3_000_000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const fileKey = `datasets/files/${sha256}.hdf5`;
  beforeAll(async () => {
    await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(201);
    const job = await converter.job();
    await putFile();
    const description = { sources: [], splits: { train: 3 }, attributes: {} };
    job.end('succeeded', { fileKey, sha256, sizeBytes: bytes.byteLength, description, identity: null, sameAs: null });
    while ((await service.get('/v1/datasets/fashion')).body.status !== 'ready') await sleep(20);
  });

  async function putFile(): Promise<void> {
    const store = await openObjectStore(service.objectsUrl);
    await store.put(fileKey, bytes);
  }

  test('has a file, whole and in ranges, under the SHA-256 of its bytes', async () => {
    const whole = await service.get('/v1/datasets/fashion/file').buffer().expect(200);
    // Compared value by value it would take a minute.
    expect(Buffer.compare(whole.body, bytes)).toBe(0);
    expect(whole.headers).toMatchObject({
      etag: `"${sha256}"`,
      'content-length': String(bytes.byteLength),
      'content-disposition': 'attachment; filename="fashion.hdf5"',
    });
    const part = await service.get('/v1/datasets/fashion/file').set('Range', 'bytes=-5').expect(206);
    expect(part.body).toEqual(bytes.subarray(-5));
    await service.get('/v1/datasets/fashion/file').set('If-None-Match', `"${sha256}"`).expect(304);
  });

  test('that is not ready has none, nor one that there is not', async () => {
    await service.post('/v1/datasets', { name: 'coming', converter: 'mnist' }).expect(201);
    const [fault] = problemFaultsOf(await service.get('/v1/datasets/coming/file'), 'conflict');
    expect(fault).toMatchObject({ code: 'not-ready', facts: { dataset: 'coming' } });
    problemFaultsOf(await service.get('/v1/datasets/nothing/file'), 'not-found');
    (await converter.job()).end('dataset_corrupt');
  });

  test('whose file is gone, cut short or changed says so', async () => {
    const onDisk = join(service.stateFolder, 'objects', fileKey);
    await writeFile(onDisk, bytes.subarray(1));
    const [cut] = problemErrorsOf(await service.get('/v1/datasets/fashion/file'), 'unreadable');
    expect(cut?.detail).toContain(`has ${bytes.byteLength - 1} bytes but ${bytes.byteLength} were put there`);
    await writeFile(onDisk, Buffer.alloc(bytes.byteLength));
    await expect(service.get('/v1/datasets/fashion/file').buffer()).rejects.toThrow(/aborted|hang up/);
    await rm(onDisk);
    const [gone] = problemErrorsOf(await service.get('/v1/datasets/fashion/file'), 'unreadable');
    expect(gone?.detail).toContain(`there is no object ${fileKey}`);
    await putFile();
    await service.get('/v1/datasets/fashion/file').buffer().expect(200);
  });
});

describe('what an experiment has made:', () => {
  let experiment: StoredExperiment;
  beforeEach(async () => {
    experiment = await StoredExperiment.begin(service);
  });
  afterEach(() => experiment.end());

  test('parameters are those of its newest checkpoint, or of the one that is named', async () => {
    for (const step of [100, 200]) await experiment.commit(step);
    const path = `/v1/experiments/${experiment.id}/parameters`;
    for (const [query, step] of [
      ['', 200],
      ['?checkpoint=latest', 200],
      ['?checkpoint=100', 100],
      ['?checkpoint=100-3', 100],
    ] as const) {
      const answer = await service.get(`${path}${query}`).expect(200);
      expect(answer.body).toEqual(parameters(step));
      expect(answer.headers['content-disposition']).toBe('attachment; filename="parameters.safetensors"');
    }
    const part = await service.get(path).set('Range', 'bytes=0-7').expect(206);
    expect(part.body).toEqual(parameters(200).subarray(0, 8));
  });

  test('parameters are not there before its first checkpoint, and at no other step', async () => {
    const path = `/v1/experiments/${experiment.id}/parameters`;
    expect(problemFaultsOf(await service.get(path), 'not-found')).toMatchObject([{ code: 'checkpoint-unknown' }]);
    await experiment.commit(100);
    const [fault] = problemFaultsOf(await service.get(`${path}?checkpoint=7`), 'not-found');
    expect(fault).toMatchObject({ code: 'checkpoint-unknown', facts: { checkpoint: '7', known: ['100-3'] } });
    problemErrorsOf(await service.get(`${path}?step=100`), 'invalid-parameter');
    problemFaultsOf(await service.get(`/v1/experiments/exp_${'0'.repeat(32)}/parameters`), 'not-found');
  });

  test('outputs are listed, and each has its bytes, as of the newest checkpoint or another one', async () => {
    const path = `/v1/experiments/${experiment.id}/outputs`;
    await experiment.commit(100, 2, { 'epochs.csv': 'one', 'notes.txt': 'first' });
    await experiment.commit(200, 2, { 'epochs.csv': 'one\ntwo' });
    const newest = OutputList.parse((await service.get(path).expect(200)).body);
    expect(newest).toMatchObject({ checkpoint: '200-3', step: 200, items: [{ name: 'epochs.csv', sizeBytes: 7 }] });
    const earlier = OutputList.parse((await service.get(`${path}?checkpoint=100`).expect(200)).body);
    expect(earlier.items.map(({ name }) => name)).toEqual(['epochs.csv', 'notes.txt']);

    const file = await service.get(`${path}/epochs.csv`).buffer().expect(200);
    expect(String(file.body)).toBe('one\ntwo');
    expect(file.headers).toMatchObject({
      etag: `"${newest.items[0]?.sha256}"`,
      'content-disposition': 'attachment; filename="epochs.csv"',
    });
    expect(String((await service.get(`${path}/notes.txt?checkpoint=100-3`).buffer().expect(200)).body)).toBe('first');
    const [fault] = problemFaultsOf(await service.get(`${path}/notes.txt`), 'not-found');
    expect(fault).toMatchObject({ code: 'file-unknown' });
    expect(fault?.facts).toEqual({ checkpoint: '200-3', name: 'notes.txt', known: ['epochs.csv'] });
    // A file of the checkpoint that is no output.
    problemFaultsOf(await service.get(`${path}/state.json`), 'not-found');
  });
});
