import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, problemErrorsOf, problemFaultsOf } from './problem.js';
import { Service } from './service.js';

// Other suites may share the machine's cores.
let service: Service;
beforeAll(async () => {
  service = await Service.start({}, ['layers', 'faulty']);
  await service.post('/v1/datasets', { name: 'fashion', converter: 'fashion-mnist' }).expect(201);
});
afterAll(() => service.close(), 60_000);

const spec = { program: 'layers', params: { dims: [784, 10], activations: ['softmax'] }, dataset: 'fashion' };

describe('the refusal of a body of a megabyte', () => {
  /** Each is hard on something that reads it, or says what is wrong with it. */
  const large: readonly [what: string, body: string, kind: 'invalid-request' | 'body-too-large'][] = [
    ['that is one key', `{"${'k'.repeat(990_000)}": 1}`, 'body-too-large'],
    [
      'with a long key above many faults',
      inParams(`{"${'k'.repeat(980_000)}": [${list(600, '1e999')}]}`),
      'body-too-large',
    ],
    ['with many unknown keys', `{${list(70_000, (index) => `"key${index}": 1`)}}`, 'body-too-large'],
    ['with many entries that are wrong', inParams(`[${list(160_000, '1e999')}]`), 'body-too-large'],
    ['with many entries that its program refuses', inParams(list(240_000, '"x"'), 'dims'), 'body-too-large'],
    ['with many containers', inParams(`[${list(300_000, '[]')}, 1e999]`), 'body-too-large'],
    ['that nests deep', inParams('['.repeat(490_000) + ']'.repeat(490_000)), 'body-too-large'],
    [
      'with as many wrong values as are accepted',
      inParams(`[${list(9_000, `"\\u0000${'x'.repeat(90)}"`)}]`),
      'invalid-request',
    ],
    [
      'with as many entries that its program refuses as are accepted',
      inParams(list(9_000, '"x"'), 'dims'),
      'invalid-request',
    ],
    [
      'with as many unknown keys as are accepted',
      `{${list(9_000, (index) => `"${'k'.repeat(90)}${index}": 1`)}}`,
      'invalid-request',
    ],
    [
      'with as many roles as are accepted',
      `{"datasets": {${list(9_000, (index) => `"R${index}": 1`)}}}`,
      'invalid-request',
    ],
    [
      'with a long text in each place',
      JSON.stringify({ ...spec, seed: 'x'.repeat(490_000), retry: 'x'.repeat(490_000) }),
      'invalid-request',
    ],
    [
      'with a fault below each of many levels',
      inParams(`${'["\\u0000", '.repeat(60)}"${'x'.repeat(980_000)}"${']'.repeat(60)}`),
      'invalid-request',
    ],
    ['with many faults below a long path', inParams(below('k'.repeat(254))), 'invalid-request'],
    ['with many faults below a path of what a pointer escapes', inParams(below('/'.repeat(254))), 'invalid-request'],
    [
      'whose program quotes it in each of its faults',
      JSON.stringify({ ...spec, program: 'faulty', params: { quoted: 'x'.repeat(300_000) } }),
      'invalid-request',
    ],
  ];

  test.each(large)('%s is short, and lists at most 20 faults and a count', async (_what, body, kind) => {
    const answer = await send('/v1/experiments', Buffer.from(body));
    expect(problemErrorsOf(answer, kind).length).toBeLessThanOrEqual(21);
    expect(answer.text.length).toBeLessThan(50_000);
  });

  test('names the limit that was passed, and where', async () => {
    const answer = await send('/v1/experiments', Buffer.from(`{\n"params": ${'['.repeat(9000)}${']'.repeat(9000)}}`));
    expect(problemFaultsOf(answer, 'body-too-large')).toEqual([
      {
        pointer: '',
        code: 'json-too-large',
        facts: { measure: 'levels', limit: 64, line: 2 },
        detail: 'In line 2 the JSON of the body comes to have more than the 64 levels that are accepted.',
        remedy: 'Keep within 64 levels; what is larger belongs into a dataset.',
      },
    ]);
  });

  function inParams(value: string, key = 'x'): string {
    return `{"program": "layers", "dataset": "fashion", "params": {"activations": [], "${key}": ${key === 'dims' ? `[${value}]` : value}}}`;
  }

  /** Many wrong values, in the innermost of as many objects as are accepted. */
  function below(key: string): string {
    return `${`{"${key}": `.repeat(60)}[${list(30, '"\\u0000"')}]${'}'.repeat(60)}`;
  }

  function list(count: number, one: string | ((index: number) => string)): string {
    return Array.from({ length: count }, (_, index) => (typeof one === 'string' ? one : one(index))).join(', ');
  }
});

describe('a small body that unpacks to 200 MB', () => {
  const zeros = Buffer.alloc(200_000_000);
  test.each([
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['gzip', Buffer.concat(Array.from({ length: 20 }, () => gzipSync(zeros.subarray(0, 10_000_000))))],
  ])('by %s is refused as too large, and never unpacked as a whole', async (encoding, packed) => {
    expect(packed.length).toBeLessThan(300_000);
    const before = process.memoryUsage().arrayBuffers;
    let peak = before;
    const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 1);
    const answer = await send('/v1/experiments', packed, { 'content-encoding': encoding });
    clearInterval(sampling);
    expect(problemErrorsOf(answer, 'body-too-large')).toHaveLength(1);
    expect(peak - before).toBeLessThan(50_000_000);
  });
});

describe('a body that is not in UTF-8', () => {
  const text = JSON.stringify({ ...spec, name: 'naïve', notes: 'größer' }, null, 2);
  test.each([
    ['ISO-8859-1 or Windows-1252', 13, Buffer.from(text, 'latin1')],
    ['UTF-16', 1, Buffer.from(text, 'utf16le')],
    ['UTF-16', 1, Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16', 1, Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('is refused as %s, and nothing of it is stored', async (likely, line, body) => {
    const answer = await send('/v1/experiments', body);
    const [fault] = problemFaultsOf(answer, 'malformed-json');
    expect(fault).toMatchObject({ code: 'text-undecodable', facts: { likely, line } });
    expect(fault?.detail).toContain(likely);
    expect((await service.get('/v1/experiments').expect(200)).body).toMatchObject({ items: [], nextCursor: null });
  });

  test('by its own words is refused before it is read', async () => {
    const headers = { 'content-type': 'application/json; charset=ISO-8859-1' };
    const answer = await send('/v1/experiments', Buffer.from(text, 'latin1'), headers);
    expect(problemErrorsOf(answer, 'unsupported-media-type')).toEqual([
      {
        pointer: 'Content-Type',
        detail: 'The body cannot be decoded: it is said to be in "ISO-8859-1", and JSON is in UTF-8.',
        remedy: 'Send JSON in UTF-8, plain or packed with gzip, deflate or br.',
      },
    ]);
  });

  test('does not keep one that is from being read, with or without its mark', async () => {
    for (const mark of ['', '\uFEFF']) {
      const headers = { 'content-type': 'application/json; charset="UTF-8"' };
      const body = JSON.stringify({ name: 'fashion', converter: 'fashion-mnist' });
      expect(await send('/v1/datasets', Buffer.from(`${mark}${body}`), headers)).toMatchObject({ status: 200 });
    }
  });
});

async function send(
  path: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(new URL(path, service.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}
