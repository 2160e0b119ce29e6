import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { DatasetView } from '@longrun/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, problemErrorsOf, problemFaultsOf } from './problem.js';
import { Service } from './service.js';

// Other suites may share the machine's cores.
let service: Service;
beforeAll(async () => {
  service = await Service.start({ LONGRUN_BODY_LIMIT_BYTES: '20000' }, ['layers', 'faulty']);
  await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(201);
});
afterAll(() => service.close(), 60_000);

const spec = {
  program: 'layers',
  params: { dims: [784, 500, 10], activations: ['tanh', 'softmax'] },
  dataset: 'fashion',
};

describe('an experiment spec', () => {
  test('with an unknown key is refused, and the nearest known one is named', async () => {
    const answer = await service.post('/v1/experiments', { ...spec, sed: 7, checkpoint: { everyBatch: 10 } });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/checkpoint/everyBatch',
        detail: '"everyBatch" is not a key that is known in "checkpoint".',
        remedy:
          'Did you mean "everyBatches"? Rename or remove it. Known keys: everyBatches, keepLast, keepEvery, keepBest, onAllDamaged.',
      },
      {
        pointer: '/sed',
        detail: '"sed" is not a key that is known in the body.',
        remedy:
          'Did you mean "seed"? Rename or remove it. Known keys: name, program, params, dataset, datasets, environment, secrets, seed, from, checkpoint, retry, resources, limits, onNonFinite, priority, notes, tags.',
      },
    ]);
  });

  test('with a negative batch size is refused by the schema of its program', async () => {
    const answer = await service.post('/v1/experiments', { ...spec, params: { ...spec.params, batchSize: -128 } });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/params/batchSize',
        detail: '"batchSize" is -128; it must be at least 1.',
        remedy: 'Give a number of at least 1.',
      },
    ]);
  });

  test('with a wrong layer count is refused by the rule of its program', async () => {
    const answer = await service.post('/v1/experiments', {
      ...spec,
      params: { dims: [784, 10], activations: ['tanh', 'tanh', 'softmax'] },
    });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/params/dims',
        detail: '"dims" is [784,10]: dims has 2 entries but there are 3 activations.',
        remedy: 'Give activations.length + 1 dims.',
      },
    ]);
  });

  test('with unknown and misspelled params is refused with all of them', async () => {
    const answer = await service.post('/v1/experiments', {
      ...spec,
      params: { ...spec.params, activations: ['tan', 'softmax'], batch_size: 3 },
    });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/params/activations/0',
        detail: 'Entry 0 of "activations" is "tan", which is not one of the values it can have.',
        remedy: 'Did you mean "tanh"? Give one of "tanh", "logistic", "rectifier", "softmax".',
      },
      {
        pointer: '/params/batch_size',
        detail: '"batch_size" is not a key that is known in "params".',
        remedy:
          'Did you mean "batchSize"? Rename or remove it. Known keys: dims, activations, batchSize, learningRate.',
      },
    ]);
  });

  test('carries codes and facts, from which clients can word it themselves', async () => {
    const answer = await service.post('/v1/experiments', {
      ...spec,
      program: 'layers',
      params: { ...spec.params, batchSize: -128, batch_size: 3 },
      dataset: 'fasion',
    });
    expect(
      problemFaultsOf(answer, 'invalid-request').map(({ pointer, code, facts }) => ({ pointer, code, facts })),
    ).toEqual([
      {
        pointer: '/params/batchSize',
        code: 'out-of-range',
        facts: { value: '-128', measure: 'number', size: null, relation: 'at least', bound: 1, says: null },
      },
      {
        pointer: '/params/batch_size',
        code: 'unknown-key',
        facts: {
          key: 'batch_size',
          known: ['dims', 'activations', 'batchSize', 'learningRate'],
          nearest: 'batchSize',
        },
      },
      {
        pointer: '/dataset',
        code: 'name-unknown',
        facts: { what: 'dataset', name: 'fasion', near: ['fashion'], others: 0 },
      },
    ]);
  });

  test('with more faults than anybody reads is refused with the first of them, and the others are counted', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`, 1]));
    const answer = await service.post('/v1/experiments', { ...spec, ...many });
    expect(problemErrorsOf(answer, 'invalid-request').at(-1)).toEqual({
      pointer: '',
      detail: 'There are 980 more faults.',
      remedy: 'Mend those above and send it again to see the others.',
    });
  });

  test('with an unknown program and an unknown dataset is refused with both, and names those that there are', async () => {
    const answer = await service.post('/v1/experiments', { ...spec, program: 'layer', dataset: 'fasion' });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      { pointer: '/program', detail: 'There is no program "layer".', remedy: 'Give one of layers, faulty.' },
      { pointer: '/dataset', detail: 'There is no dataset "fasion".', remedy: 'Give one of fashion.' },
    ]);
  });

  test('with an unknown dataset of a role, or both ways to name datasets, is refused at that place', async () => {
    const { dataset, ...rest } = spec;
    const unknown = await service.post('/v1/experiments', { ...rest, datasets: { train: dataset, valid: 'fasion' } });
    expect(problemErrorsOf(unknown, 'invalid-request')).toEqual([
      { pointer: '/datasets/valid', detail: 'There is no dataset "fasion".', remedy: 'Give one of fashion.' },
    ]);
    const both = await service.post('/v1/experiments', { ...spec, datasets: { train: dataset } });
    expect(problemErrorsOf(both, 'invalid-request')).toEqual([
      {
        pointer: '/dataset',
        detail: '"dataset" is "fashion": `datasets` is given too, and `dataset` is short for `datasets: { train: … }`.',
        remedy: 'Remove it, or give all datasets in `datasets`.',
      },
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'with the key %s is refused like any other unknown key',
    async (key) => {
      const answer = await service
        .post('/v1/experiments')
        .set('Content-Type', 'application/json')
        .send(`{"program": "layers", "dataset": "fashion", "${key}": {}}`);
      expect(problemErrorsOf(answer, 'invalid-request')[0]?.pointer).toBe(`/${key}`);
    },
  );

  test('that names a program like a property of every object is refused', async () => {
    const answer = await service.post('/v1/experiments', { ...spec, program: 'constructor' });
    expect(problemErrorsOf(answer, 'invalid-request')[0]?.pointer).toBe('/program');
  });

  test('with text that cannot be stored is refused', async () => {
    const answer = await service.post('/v1/experiments', { ...spec, name: 'a\u0000b', notes: '\ud800' });
    const errors = problemErrorsOf(answer, 'invalid-request');
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/name', '/notes']);
    expect(errors[0]?.remedy).toBe('Remove it.');
  });

  test('with a name, a tag or notes in which something cannot be seen is refused at each place', async () => {
    const answer = await service.post('/v1/experiments', {
      ...spec,
      name: 'a\u001b[2Jb',
      tags: ['fine', 'a\u202eb', 'na\ufffdve'],
      notes: 'one\n\ttwo\rthree',
    });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/name',
        detail: String.raw`"name" is "a\u001b[2Jb": U+001B is in it, which cannot be seen.`,
        remedy: 'Remove it.',
      },
      {
        pointer: '/tags/1',
        detail: expect.stringContaining('U+202E is in it, which cannot be seen') as unknown,
        remedy: 'Remove it.',
      },
      {
        pointer: '/tags/2',
        detail: expect.stringContaining('U+FFFD is in it, which stands for text that was decoded wrongly') as unknown,
        remedy: 'Send it in UTF-8.',
      },
      {
        pointer: '/notes',
        detail: expect.stringContaining('a character that cannot be seen is in it') as unknown,
        remedy: 'Remove it.',
      },
    ]);
  });

  test('with a reason to drain that was decoded wrongly is refused', async () => {
    const answer = await service.post('/v1/workers/gpu-1/drain', { reason: 'caf\uFFFD' });
    expect(problemErrorsOf(answer, 'invalid-request')).toMatchObject([
      { pointer: '/reason', remedy: 'Send it in UTF-8.' },
    ]);
  });

  test('that was refused leaves nothing behind', async () => {
    expect((await service.get('/v1/experiments').expect(200)).body).toMatchObject({ items: [], nextCursor: null });
  });
});

describe('a dataset spec', () => {
  test('with an unknown converter is refused, and names those that there are', async () => {
    const answer = await service.post('/v1/datasets', { name: 'x', converter: 'fashion' });
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      {
        pointer: '/converter',
        detail: 'There is no converter "fashion".',
        remedy: expect.stringContaining('fashion-mnist') as unknown,
      },
    ]);
  });

  test('with params that its converter has not is refused, with what it has', async () => {
    const outlines = { name: 'x', converter: 'caltech101_silhouettes', params: { size: 20, sise: 16 } };
    const answer = await service.post('/v1/datasets', outlines);
    expect(problemErrorsOf(answer, 'invalid-request')).toEqual([
      { pointer: '/params/size', detail: expect.stringContaining('20') as unknown, remedy: 'Give one of 16, 28.' },
      {
        pointer: '/params/sise',
        detail: '"sise" is not a key that is known in "params".',
        remedy: 'Did you mean "size"? Rename or remove it. Known keys: size.',
      },
    ]);
  });

  test('with a folder that leads elsewhere is refused', async () => {
    const answer = await service.post('/v1/datasets', {
      name: 'x',
      converter: 'mnist',
      source: { folder: '../../etc' },
    });
    expect(problemErrorsOf(answer, 'invalid-request')[0]).toMatchObject({
      pointer: '/source/folder',
      detail: '"folder" is "../../etc": it would lead out of the folder of raw files.',
      remedy: 'Give a relative path below that folder, without `..`.',
    });
  });

  test('with the name of another dataset is in conflict', async () => {
    const answer = await service.post('/v1/datasets', { name: 'fashion', converter: 'mnist' });
    const [error] = problemErrorsOf(answer, 'conflict');
    expect(error).toMatchObject({ pointer: '/name', remedy: 'Choose another name, or use that dataset.' });
    expect(error?.detail).toMatch(/^"name" is "fashion", which is taken by ds_[0-9a-f]{32}\.$/);
  });
});

describe('a body', () => {
  test('that is not JSON is refused with the line and column where it breaks', async () => {
    const answer = await service
      .post('/v1/experiments')
      .set('Content-Type', 'application/json')
      .send('{\n  "program": "layers",\n  "dataset": "fashion",\n}');
    expect(problemErrorsOf(answer, 'malformed-json')).toEqual([
      {
        pointer: '',
        detail: 'The JSON breaks at line 4, column 1: Expected a key in double quotes, but found "}".',
        remedy: 'Remove the comma before it.',
      },
    ]);
    expect(problemFaultsOf(answer, 'malformed-json')).toMatchObject([
      { code: 'json-broken', facts: { line: 4, column: 1 } },
    ]);
  });

  test('that is missing is refused', async () => {
    expect(problemErrorsOf(await service.post('/v1/experiments'), 'malformed-json')[0]?.detail).toBe(
      'The body is empty.',
    );
  });

  test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/yaml'], ['application/jsonp']])(
    'of type %s is refused',
    async (type) => {
      const answer = await service.post('/v1/experiments').set('Content-Type', type).send(JSON.stringify(spec));
      expect(problemErrorsOf(answer, 'unsupported-media-type')).toEqual([
        {
          pointer: 'Content-Type',
          detail: `The body is said to be "${type}".`,
          remedy: 'Send JSON with the header "Content-Type: application/json".',
        },
      ]);
    },
  );

  test('in an unknown encoding or character set is refused', async () => {
    const strange = await service
      .post('/v1/experiments')
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'lzma')
      .send(JSON.stringify(spec));
    expect(problemErrorsOf(strange, 'unsupported-media-type')[0]?.pointer).toBe('Content-Encoding');
    const klingon = await service
      .post('/v1/experiments')
      .set('Content-Type', 'application/json; charset=klingon')
      .send(JSON.stringify(spec));
    expect(problemErrorsOf(klingon, 'unsupported-media-type')[0]?.pointer).toBe('Content-Type');
  });

  test('that is too large is refused, also when it only becomes so by unpacking', async () => {
    const large = { ...spec, notes: 'x'.repeat(30_000) };
    const expected = [
      {
        pointer: 'Content-Length',
        detail: 'The body is larger than the 20000 bytes that are accepted.',
        remedy: 'Send less, or start the API with a larger LONGRUN_BODY_LIMIT_BYTES.',
      },
    ];
    expect(problemErrorsOf(await service.post('/v1/experiments', large), 'body-too-large')).toEqual(expected);
    const packed = gzipSync(JSON.stringify(large));
    expect(packed.length).toBeLessThan(1000);
    expect(problemErrorsOf(await sendPacked('/v1/experiments', packed), 'body-too-large')).toEqual(expected);
  });

  test('may be packed', async () => {
    const packed = gzipSync(JSON.stringify({ name: 'fashion', converter: 'fashion-mnist' }));
    expect(await sendPacked('/v1/datasets', packed)).toMatchObject({ status: 200 });
  });
});

async function sendPacked(path: string, body: Uint8Array<ArrayBuffer>): Promise<Answer> {
  const answer = await fetch(new URL(path, service.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${service.token}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    },
    body,
  });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}

describe('a parameter', () => {
  test.each([
    ['/v1/experiments?limit=0', 'limit', '"limit" is "0"; it must be at least 1.', 'Give a number of at least 1.'],
    ['/v1/datasets?limit=1000', 'limit', '"limit" is "1000"; it must be at most 200.', 'Give a number of at most 200.'],
    ['/v1/experiments?limit=ten', 'limit', '"limit" is "ten", which is not a number.', 'Give an integer.'],
    ['/v1/experiments?limit=1&limit=2', 'limit', '"limit" is ["1","2"], which is not a number.', 'Give an integer.'],
    [
      '/v1/experiments?cursor=yesterday',
      'cursor',
      'The cursor "yesterday" is none that a list has answered.',
      'Give the nextCursor of a page, or leave it out.',
    ],
    [
      '/v1/datasets?page=2',
      'page',
      '"page" is not a key that is known in the query.',
      'Remove it. Known keys: cursor, limit, exactName, id.',
    ],
    [
      `/v1/experiments/${'exp_'.padEnd(36, '0')}/log?limit=5001`,
      'limit',
      '"limit" is "5001"; it must be at most 5000.',
      'Give a number of at most 5000.',
    ],
    [
      `/v1/experiments/${'exp_'.padEnd(36, '0')}/events?after=-1`,
      'after',
      '"after" is "-1"; it must be at least 0.',
      'Give a number of at least 0.',
    ],
    [
      '/v1/experiments/mine',
      'id',
      '"id" is "mine": that is not an experiment id.',
      'Give one such as exp_0193…: exp_ and 32 hexadecimal digits.',
    ],
  ])('%s is refused', async (path, pointer, detail, remedy) => {
    expect(problemErrorsOf(await service.get(path), 'invalid-parameter')).toEqual([{ pointer, detail, remedy }]);
  });

  test('Last-Event-ID that is no id is refused', async () => {
    const answer = await service.get(`/v1/experiments/${'exp_'.padEnd(36, '0')}/events`).set('Last-Event-ID', 'abc');
    expect(problemErrorsOf(answer, 'invalid-parameter')[0]?.pointer).toBe('Last-Event-ID');
  });

  test.each(['two words', 'x'.repeat(256), 'ä'])('Idempotency-Key %j is refused', async (key) => {
    const answer = await service
      .post('/v1/experiments', spec)
      .set('Idempotency-Key', Buffer.from(key).toString('latin1'));
    expect(problemErrorsOf(answer, 'invalid-parameter')).toMatchObject([
      { pointer: 'Idempotency-Key', remedy: 'Give one key of 1 to 255 visible ASCII characters, such as a UUID.' },
    ]);
  });

  test('Idempotency-Key that was used for another body is in conflict', async () => {
    const key = randomUUID();
    const twice = service.post('/v1/datasets', { name: 'twice', converter: 'mnist' }).set('Idempotency-Key', key);
    const { id } = DatasetView.parse((await twice.expect(201)).body);
    const answer = await service
      .post('/v1/datasets', { name: 'thrice', converter: 'mnist' })
      .set('Idempotency-Key', key);
    expect(problemFaultsOf(answer, 'conflict')).toEqual([
      {
        pointer: 'Idempotency-Key',
        code: 'key-reused',
        facts: { key, by: id },
        detail: `The idempotency key "${key}" was used for another request, which made ${id}.`,
        remedy: 'Use a new key for a new request.',
      },
    ]);
  });
});

describe('what does not exist', () => {
  const unknown = 'exp_'.padEnd(36, '0');
  test.each([
    ['GET', `/v1/experiments/${unknown}`],
    ['POST', `/v1/experiments/${unknown}/cancel`],
    ['GET', `/v1/experiments/${unknown}/events`],
    ['GET', `/v1/experiments/${unknown}/log`],
    ['GET', '/v1/datasets/nothing'],
    ['GET', '/v1/datasets/ds_00000000000000000000000000000000'],
  ])('%s %s is not found', async (method, path) => {
    const answer = await (method === 'GET' ? service.get(path) : service.post(path));
    const [error] = problemErrorsOf(answer, 'not-found');
    expect(error?.detail).toMatch(/^There is no (experiment|dataset) ".+"\.$/);
    expect(error?.remedy).toBe('List them to see which there are.');
  });

  test.each(['/v1', '/v1/experiment', '/v2/experiments', '/v1/experiments/a/b/c', '/favicon', '/..%2f..%2fetc/passwd'])(
    'the route %s is not served',
    async (path) => {
      const [error] = problemErrorsOf(await service.get(path), 'unknown-route');
      expect(error).toEqual({
        pointer: '',
        detail: `Nothing is served at GET ${path}.`,
        remedy: 'See /openapi.json for what is.',
      });
    },
  );

  test('a method that a route does not have is said to be so, with those it has', async () => {
    const answer = await service.raw().delete('/v1/experiments').set('Authorization', `Bearer ${service.token}`);
    expect(problemErrorsOf(answer, 'method-not-allowed')).toEqual([
      {
        pointer: '',
        detail: 'DELETE is not served at /v1/experiments.',
        remedy: 'Use POST or GET, or see /openapi.json.',
      },
    ]);
    expect(answer.headers['allow']).toBe('POST, GET');
  });
});

describe('HTTP itself', () => {
  test('a path with a broken percent-escape is refused', async () => {
    expect(problemErrorsOf(await service.get('/v1/datasets/%zz'), 'bad-request')[0]?.detail).toContain(
      'cannot be read',
    );
  });

  test('what is no HTTP is answered with a problem document', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write('HELO there\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
    expect(answer).toContain('"type":"/problems/bad-request"');
  });
});
