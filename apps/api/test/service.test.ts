import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { problemKinds, readValue } from '@longrun/contracts';
import { until } from '@longrun/platform/testing';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeRoutes } from '../src/openapi/document.js';
import { examples } from '../src/openapi/examples.js';
import { openEvents } from './events-of.js';
import { problemErrorsOf, problemFaultsOf } from './problem.js';
import { type LogLine, Service } from './service.js';

let service: Service;
beforeAll(async () => {
  // What is there but slow is not to be taken for what is away.
  service = await Service.start({ LONGRUN_PROBE_TIMEOUT_MS: '20000' }, ['layers', 'faulty']);
});
afterAll(() => service.close());

describe('the token', () => {
  const protectedPaths = ['/v1/experiments', '/v1/datasets', '/v1/programs', '/v1/nothing', '/metrics', '/Health/live'];

  test.each(protectedPaths)('is needed for %s', async (path) => {
    const answer = await service.raw().get(path);
    const [error] = problemErrorsOf(answer, 'unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="longrun"');
    expect(error).toMatchObject({ pointer: 'Authorization', detail: 'The Authorization header is missing.' });
    expect(error?.remedy).toContain('the content of the file "token" in its state folder');
    expect(error?.remedy).toContain('LONGRUN_TOKEN');
  });

  test.each(['Bearer', 'Basic dXNlcjpwYXNz', 'Token abc', 'Bearer two words'])('is not in "%s"', async (header) => {
    const answer = await service.raw().get('/v1/experiments').set('Authorization', header);
    expect(problemErrorsOf(answer, 'unauthenticated')[0]?.detail).toBe(
      'The Authorization header is not of the form "Bearer TOKEN".',
    );
  });

  test('must be the right one, to its last character', async () => {
    const last = service.token.endsWith('A') ? 'B' : 'A';
    for (const wrong of [
      `${service.token.slice(0, -1)}${last}`,
      service.token.slice(0, -1),
      `${service.token}A`,
      'x',
    ]) {
      const answer = await service.raw().get('/v1/experiments').set('Authorization', `Bearer ${wrong}`);
      expect(problemErrorsOf(answer, 'unauthenticated')[0]?.detail).toBe('The token is not the one of this API.');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="longrun", error="invalid_token"');
      expect(answer.text).not.toContain(service.token);
    }
    await service.raw().get('/v1/experiments').set('Authorization', `bearer ${service.token}`).expect(200);
  });

  test('is looked at before the body', async () => {
    const answer = await service.raw().post('/v1/experiments').set('Content-Type', 'text/plain').send('{');
    problemErrorsOf(answer, 'unauthenticated');
  });

  test('is needed for other methods on public paths', async () => {
    problemErrorsOf(await service.raw().post('/health/live'), 'unauthenticated');
  });

  test('signs a browser in, and out: pages of the API need it no more, those of others have nothing of it', async () => {
    problemErrorsOf(await service.raw().post('/v1/session'), 'unauthenticated');
    const entered = await service.post('/v1/session').expect(204);
    const [cookie = ''] = entered.get('Set-Cookie')?.[0]?.split(';') ?? [];
    const list = () => service.raw().get('/v1/experiments').set('Cookie', cookie);
    await list().set('Sec-Fetch-Site', 'same-origin').expect(200);
    problemErrorsOf(await list().set('Sec-Fetch-Site', 'same-site'), 'unauthenticated');
    // Whoever says a token is known by that.
    problemErrorsOf(await list().set('Authorization', 'Bearer x'), 'unauthenticated');
    const submitting = service.raw().post('/v1/experiments').set('Cookie', cookie).set('Origin', 'http://127.0.0.1:1');
    problemErrorsOf(await submitting.send({}), 'unauthenticated');
    const left = await service.raw().delete('/v1/session').set('Cookie', cookie).set('Sec-Fetch-Site', 'same-origin');
    expect(left.get('Set-Cookie')?.[0]).toMatch(/^longrun-\w+=; Path=\/; Max-Age=0;/);
  });

  test('comes from LONGRUN_TOKEN when that is set, and no file is made', async () => {
    const token = 'a-token-of-my-own';
    const other = await Service.start({ LONGRUN_TOKEN: token }, []);
    try {
      await other.raw().get('/v1/programs').set('Authorization', `Bearer ${token}`).expect(200);
      await expect(readFile(join(other.stateFolder, 'token'))).rejects.toThrow('ENOENT');
    } finally {
      await other.close();
    }
  });
});

describe('health', () => {
  test('is told to anybody', async () => {
    expect((await service.raw().get('/health/live').expect(200)).body).toEqual({ status: 'alive' });
    expect((await whenReady()).body).toEqual({
      status: 'ready',
      checks: ['record', 'redis', 'objects', 'controller', 'events'].map((name) => ({ name, ok: true })),
    });
  });

  test('is asked for by strangers without anything being written for them', async () => {
    await whenReady();
    const { redis } = service;
    const begun = performance.now();
    const marks = new Set<string>();
    const sets = await redis.calls('set');
    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => await service.raw().get('/health/ready')),
      );
      for (const { status } of answers) expect([200, 503]).toContain(status);
      marks.add(await readFile(join(service.stateFolder, 'objects', 'health', 'api'), 'utf8'));
    }
    // However slow the machine is: as often as it asks by itself.
    const passedMs = performance.now() - begun;
    expect(marks.size).toBeLessThan(10 + passedMs / 10_000);
    expect((await redis.calls('set')) - sets).toBeLessThan(200 + passedMs / 250);
  });

  test('says that Redis is away, and that it is back', async () => {
    await service.redis.stopServing();
    const answer = await whenUnready('redis');
    const away = problemErrorsOf(answer, 'unavailable').find(({ pointer }) => pointer === 'redis');
    expect(away?.remedy).toContain('REDIS_URL');
    expect(answer.headers['retry-after']).toBe('5');
    await service.raw().get('/health/live').expect(200);
    // The record is there: submissions are taken, the queue is a hint.
    await service.post('/v1/datasets', { name: 'offline', converter: 'mnist' }).expect(201);
    await service.redis.restart();
    await whenReady();
  });

  test('says that the object store takes no bytes', async () => {
    const objects = join(service.stateFolder, 'objects', 'health');
    await whenReady();
    await rm(objects, { recursive: true });
    await writeFile(objects, 'a file where a folder has to be');
    await whenUnready('objects');
    await rm(objects);
    await whenReady();
  });
});

describe('a program that is broken', () => {
  test('is said to be to whoever submits it, with its own words and no stack', async () => {
    await service.post('/v1/datasets', { name: 'some', converter: 'mnist' }).expect(201);
    const body = { program: 'faulty', params: { path: 'x' }, dataset: 'some' };
    const answer = await service.post('/v1/experiments', body).expect(422);
    expect(problemErrorsOf(answer, 'invalid-request')).toMatchObject([
      {
        pointer: '/program',
        detail: 'The program "faulty" cannot check its parameters: Error: ENOENT: /place/x.',
      },
    ]);
    expect(answer.text).not.toMatch(/\bat\b.*\.[jt]s/);
  });
});

describe('the log', () => {
  test('has one line for each request, without its query and secrets', async () => {
    const before = service.log.length;
    await service.get('/v1/experiments?limit=7').expect(200);
    // What was asked before may be written down only now.
    const lines = () => requestsSince(before, '/v1/experiments').filter(({ fields: { method } }) => method === 'GET');
    await until(() => lines().length > 0);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({
      level: 'log',
      message: 'request',
      fields: { method: 'GET', path: '/v1/experiments', status: 200 },
    });
    expect(JSON.stringify(service.log)).not.toContain(service.token);
  });

  test('grows little by what strangers ask, and counts what has no line', async () => {
    const before = service.log.length;
    const begun = performance.now();
    const lines = () => requestsSince(before, '/v1/xxx');
    // The first may count those of before.
    const leftOut = () =>
      lines()
        .slice(1)
        .reduce((sum, { fields }) => sum + Number(fields['leftOut'] ?? 0), 0);
    const path = `/v1/${'x'.repeat(10_000)}`;
    let asked = 0;
    await until(async () => {
      asked += 20;
      await Promise.all(Array.from({ length: 20 }, () => service.raw().get(path).expect(401)));
      return leftOut() > 0;
    });
    // However slow the machine is: a hundred at once, and one for each second.
    expect(lines().length).toBeLessThanOrEqual(101 + (performance.now() - begun) / 1_000);
    expect(leftOut()).toBeLessThan(asked);
    expect(Math.max(...lines().map(({ fields }) => String(fields['path']).length))).toBe(500);
    // Those who bear the token have a line each.
    const known = service.log.length;
    await service.get('/v1/experiments').expect(200);
    await until(() => service.log.slice(known).some(({ fields }) => fields['path'] === '/v1/experiments'));
  });
});

describe('programs', () => {
  const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
  /** Says what it takes without a library. */
  const small = (description: string): string =>
    `export default { name: 'small', description: '${description}', params: ${SCHEMA}, parseParams: (params) => params, build() {} };`;
  const SCHEMA = `{ _zod: { def: { type: 'any' } } }`;

  test('are published under a name, whose newest they are, and named by their hashes', async () => {
    const [first, second] = [small('one'), small('two')];
    for (const [text, status] of [
      [first, 201],
      [second, 201],
      [second, 200],
    ] as const) {
      const answer = await service.publish('small', sha256Of(text), text).expect(status);
      expect(answer.headers['location']).toBe(`/v1/programs/small@${sha256Of(text)}`);
    }
    const { body } = await service.get('/v1/programs/small').expect(200);
    expect(body).toMatchObject({
      name: 'small',
      description: 'two',
      sha256: sha256Of(second),
      sizeBytes: second.length,
    });
    const older = await service.get(`/v1/programs/small@${sha256Of(first).slice(0, 6)}`).expect(200);
    expect(older.body).toMatchObject({ description: 'one' });
    const all = await service.get('/v1/programs?name=small&limit=1').expect(200);
    expect(all.body).toMatchObject({ items: [{ description: 'two' }], nextCursor: expect.any(String) as unknown });
    problemErrorsOf(await service.get('/v1/programs/smaller'), 'not-found');
    problemErrorsOf(await service.get('/v1/programs/small@12'), 'invalid-parameter');
  });

  test.each([
    [
      'throws',
      'throw new Error("a comma is missing");',
      /^The module cannot be published as hostile: Error: a comma is missing\.$/,
    ],
    ['ends its process', 'process.exit(3);', /its process ended with exit code 3/],
    [
      'prints without end and throws',
      'for (let i = 0; i < 1e5; i += 1) console.log("x".repeat(100)); throw new Error("y");',
      /Error: y/,
    ],
    [
      'allocates without end',
      'for (const kept = []; ;) kept.push(Buffer.alloc(2 ** 26, 1));',
      /more than 1024 MiB of memory/,
    ],
    ['is no program', 'export default 7;', /is not a program: make defineExperiment/],
    ['is no JavaScript', 'a b c', /SyntaxError/],
    ['imports another package', "import 'express';", /Cannot find package 'express'/],
    [
      'has a schema that throws',
      small('x').replace(SCHEMA, "{ get _zod() { throw new Error('no schema'); } }"),
      /no schema/,
    ],
  ])('that are hostile are refused and not kept: one that %s', async (_how, text, says) => {
    const answer = await service.publish('hostile', sha256Of(text), text);
    const [error] = problemFaultsOf(answer, 'invalid-request');
    expect(error).toMatchObject({ code: 'module-broken', detail: expect.stringMatching(says) as unknown });
    problemErrorsOf(await service.get('/v1/programs/hostile'), 'not-found');
  });

  test('whose bytes, hash, name or type are not right are refused before anything is run', async () => {
    const text = small('x');
    const sha256 = sha256Of(text);
    const altered = await service.publish('small', '0'.repeat(64), text);
    expect(problemFaultsOf(altered, 'invalid-request')).toMatchObject([
      { code: 'module-altered', facts: { found: sha256 } },
    ]);
    const empty = await service.put(`/v1/programs/${sha256}?name=small`).set('Content-Type', 'text/javascript');
    expect(problemErrorsOf(empty, 'invalid-request')[0]?.detail).toContain('the body is empty');
    const json = await service.put(`/v1/programs/${sha256}?name=small`).send({});
    expect(problemFaultsOf(json, 'unsupported-media-type')).toMatchObject([
      { code: 'module-type-unsupported', remedy: 'Send a module with the header "Content-Type: text/javascript".' },
    ]);
    const large = await service.publish('small', sha256, Buffer.alloc(16 * 2 ** 20 + 1, 'x'));
    expect(problemFaultsOf(large, 'body-too-large')).toMatchObject([
      { code: 'module-too-large', facts: { limitBytes: 16 * 2 ** 20 } },
    ]);
    for (const [path, at] of [
      [`/v1/programs/${sha256}?name=Small`, 'name'],
      [`/v1/programs/${sha256}`, 'name'],
      ['/v1/programs/abc?name=small', 'program'],
    ]) {
      const answer = await service
        .put(path ?? '')
        .set('Content-Type', 'text/javascript')
        .send(text);
      expect(problemErrorsOf(answer, 'invalid-parameter')).toMatchObject([{ pointer: at }]);
    }
  });

  test('are listed with the schemas of their params', async () => {
    const { body } = await service.get('/v1/programs').expect(200);
    expect(body).toMatchObject({
      nextCursor: null,
      items: [
        { name: 'small' },
        { name: 'faulty' },
        {
          name: 'layers',
          description: 'A stack of layers.',
          params: {
            type: 'object',
            properties: { batchSize: { type: 'integer', minimum: 1, default: 128 } },
            required: ['dims', 'activations'],
            additionalProperties: false,
          },
        },
      ],
    });
  });
});

describe('the dashboard', () => {
  test('while it is not built, the page says how to build it', async () => {
    const answer = await service.raw().get('/').expect(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.text).toContain('npm run build');
  });

  test('once built, its files are served without the token, and nothing else is', async () => {
    const folder = join(service.stateFolder, 'dashboard');
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>built</title>');
    await writeFile(join(folder, 'assets', 'index-abc123.js'), 'export {}');
    await writeFile(join(folder, '.env'), 'SECRET=1');

    const page = await service.raw().get('/').expect(200);
    expect(page.text).toContain('built');
    expect(page.headers['cache-control']).toBe('no-cache');
    const policy = page.headers['content-security-policy'];
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    const script = await service.raw().get('/assets/index-abc123.js').expect(200);
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');

    for (const path of ['/.env', '/../token', '/%2e%2e/token', '/assets/..%2f..%2ftoken', '/token']) {
      problemErrorsOf(await service.raw().get(path), 'unauthenticated');
    }
  });
});

test('the type of a problem leads to a page that says what it means and what to do, for every kind', async () => {
  for (const [kind, { title, faults }] of Object.entries(problemKinds)) {
    const { text, type } = await service.raw().get(`/problems/${kind}`).expect(200);
    expect(type).toBe('text/plain');
    expect(text).toContain(title);
    for (const part of ['What it means\n', 'What to do\n', ...Object.keys(faults)]) expect(text).toContain(part);
  }
  const refused = await service.raw().get('/problems/none').expect(404);
  expect(refused.body).toMatchObject({ type: '/problems/unknown-route' });
  await service.raw().get(String(refused.body.type)).expect(200);
});

describe('the OpenAPI document', () => {
  let made: unknown;
  let document: z.infer<typeof Description>;

  beforeAll(async () => {
    made = JSON.parse(JSON.stringify(await describeRoutes()));
    document = Description.parse(made);
  });

  test('is served to anybody, is that of the repository, and needs nothing started to be made', async () => {
    const served: unknown = (await service.raw().get('/openapi.json').expect(200)).body;
    const committed: unknown = JSON.parse(
      await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
    );
    // If this fails, run: npm run openapi -w @longrun/api
    expect(committed).toEqual(served);
    expect(made).toEqual(served);
  });

  test('is clean under the rules that Redocly recommends', async () => {
    const file = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));
    const config = await createConfig({ extends: ['recommended'] });
    const found = await lintFromString({ source: await readFile(file, 'utf8'), absoluteRef: file, config });
    expect(found.map(({ ruleId, message, location: [at] }) => `${ruleId}: ${message} ${at?.pointer}`)).toEqual([]);
  });

  test('describes every route with its token, its problems, and schemas that exist', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
    );
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'post /v1/experiments',
      'get /v1/experiments',
      'post /v1/experiments/dry-run',
      'post /v1/experiments/{id}/reproduce',
      'get /v1/experiments/{id}/comparison',
      'get /v1/experiments/export',
      'get /v1/experiments/{id}',
      'patch /v1/experiments/{id}',
      'delete /v1/experiments/{id}',
      'post /v1/experiments/{id}/cancel',
      'get /v1/experiments/{id}/events',
      'get /v1/experiments/{id}/log',
      'get /v1/experiments/{id}/metrics',
      'get /v1/experiments/{id}/metrics/{name}',
      'get /v1/metrics/{name}',
      'post /v1/experiments/{id}/preempt',
      'post /v1/experiments/{id}/pause',
      'post /v1/experiments/{id}/resume',
      'post /v1/experiments/{id}/set',
      'post /v1/experiments/{id}/retry',
      'get /v1/experiments/{id}/checkpoints',
      'post /v1/experiments/{id}/checkpoints/verify',
      'get /v1/experiments/{id}/checkpoints/{checkpoint}',
      'post /v1/experiments/{id}/checkpoints/{checkpoint}/verify',
      'put /v1/experiments/{id}/checkpoints/{checkpoint}/pin',
      'delete /v1/experiments/{id}/checkpoints/{checkpoint}/pin',
      'get /v1/experiments/{id}/checkpoints/{checkpoint}/files/{name}',
      'get /v1/experiments/{id}/parameters',
      'get /v1/experiments/{id}/outputs',
      'get /v1/experiments/{id}/outputs/{name}',
      'post /v1/datasets',
      'get /v1/datasets',
      'post /v1/datasets/dry-run',
      'get /v1/datasets/{idOrName}',
      'delete /v1/datasets/{idOrName}',
      'get /v1/datasets/{idOrName}/file',
      'post /v1/datasets/{idOrName}/rebuild',
      'post /v1/datasets/{idOrName}/cancel',
      'get /v1/workers',
      'post /v1/workers/{id}/drain',
      'post /v1/workers/{id}/release',
      'get /v1/programs',
      'put /v1/programs/{program}',
      'get /v1/programs/{program}',
      'post /v1/session',
      'get /v1/session',
      'delete /v1/session',
      'get /health/live',
      'get /health/ready',
      'get /openapi.json',
      'get /problems/{kind}',
    ]);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);

    for (const { path, security, responses, parameters } of operations) {
      const isPublic = !path.startsWith('/v1');
      // Without a word of their own, routes need what the document says: the token.
      expect({ path, security }).toEqual({ path, security: isPublic ? [] : undefined });
      const statuses = Object.keys(responses);
      const wanted = isPublic ? ['500'] : ['401', '500'];
      expect({ path, statuses }).toEqual({ path, statuses: expect.arrayContaining(wanted) as unknown });
      expect(statuses.some((status) => status.startsWith('2'))).toBe(true);
      const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(names).toEqual(Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name));
    }

    const problems = operations.flatMap(({ responses }) =>
      Object.entries(responses).filter(([status]) => Number(status) >= 400),
    );
    expect(problems.length).toBeGreaterThan(40);
    for (const [, { content }] of problems) {
      expect(content).toEqual({ 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } });
    }

    const submissions = operations.filter(({ operationId }) => operationId.startsWith('submit'));
    expect(submissions).toHaveLength(2);
    for (const { parameters, requestBody } of submissions) {
      expect(parameters.map(({ name }) => name)).toEqual(['Idempotency-Key']);
      expect(requestBody?.content['application/json']).toBeDefined();
    }

    const references = Array.from(
      JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g),
      ([, id]) => id ?? '',
    );
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((id) => !Object.hasOwn(document.components.schemas, id))).toEqual([]);
    // What has a default may be left out of a request and is there in an answer.
    expect(document.components.schemas['ExperimentSpecInput']?.required).toEqual(['program']);
    expect(document.components.schemas['ExperimentSpec']?.required).toContain('seed');
  });

  test('says of every component, property and parameter what it is', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ place: `${method} ${path}`, ...operation })),
    );
    const parameters = operations.flatMap(({ place, parameters: own }) =>
      own.map(({ name, description }) => ({ place: `${place} ${name}`, schema: { description } })),
    );
    const bodies = operations.flatMap(({ place, requestBody, responses }) =>
      [requestBody, ...Object.values(responses)].flatMap((body) =>
        Object.values(body?.content ?? {}).flatMap(({ schema }) => propertiesIn(schema, place)),
      ),
    );
    const components = Object.entries(document.components.schemas).flatMap(([id, schema]) => [
      { place: id, schema },
      ...propertiesIn(schema, id),
    ]);
    const described = [...parameters, ...bodies, ...components];
    expect(described.length).toBeGreaterThan(600);
    expect(described.filter(({ schema }) => !isDescribed(schema)).map(({ place }) => place)).toEqual([]);
  });

  test('has examples of what people write, and its own schemas take them', () => {
    for (const { schema, values } of examples) {
      for (const value of values) expect(readValue(schema, value)).toMatchObject({ ok: true });
    }
    const written = ['ExperimentSpecInput', 'DatasetSpecInput', 'Problem', 'ExperimentView', 'DatasetView'];
    for (const id of written) expect(document.components.schemas[id]?.['examples']).toBeInstanceOf(Array);
    // A component that is said again with words of its own stays a reference.
    expect(document.components.schemas['ExperimentView']?.['properties']).toMatchObject({
      spec: { $ref: '#/components/schemas/ExperimentSpec', description: expect.any(String) as unknown },
    });
  });
});

interface Described {
  readonly place: string;
  readonly schema: unknown;
}

/** Every property in a schema, however deep, with where it is. */
function propertiesIn(schema: unknown, place: string): Described[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inside]: [string, unknown]) => {
    if (key === 'examples' || key === 'default') return [];
    if (key !== 'properties') return propertiesIn(inside, place);
    return Object.entries(z.record(z.string(), z.unknown()).parse(inside)).flatMap(([name, property]) => [
      { place: `${place}.${name}`, schema: property },
      ...propertiesIn(property, `${place}.${name}`),
    ]);
  });
}

/** By itself, or as nothing but a reference to a component. */
function isDescribed(schema: unknown): boolean {
  return (
    z.looseObject({ description: z.string().min(1) }).safeParse(schema).success ||
    z.strictObject({ $ref: z.string() }).safeParse(schema).success
  );
}

/** What an OpenAPI document of ours must look like, as far as it matters here. */
const Content = z.record(z.string(), z.strictObject({ schema: z.looseObject({}) }));
const Description = z.object({
  openapi: z.literal('3.1.0'),
  security: z.tuple([z.strictObject({ token: z.tuple([]) })]),
  paths: z.record(
    z.string(),
    z.record(
      z.string().regex(/^(?:get|post|put|patch|delete)$/),
      z.object({
        operationId: z.string().min(1),
        summary: z.string().min(1),
        description: z.string().min(1),
        security: z.array(z.unknown()).optional(),
        parameters: z
          .array(
            z.looseObject({
              name: z.string(),
              in: z.enum(['path', 'query', 'header']),
              description: z.string().optional(),
              schema: z.looseObject({}),
            }),
          )
          .default([]),
        requestBody: z.object({ content: Content }).optional(),
        responses: z.record(
          z.string().regex(/^[2-5]\d\d$/),
          // One without a body has none.
          z.object({ description: z.string().min(1), content: Content.optional() }),
        ),
      }),
    ),
  ),
  components: z.object({
    securitySchemes: z.object({ token: z.looseObject({ type: z.literal('http'), scheme: z.literal('bearer') }) }),
    schemas: z.record(z.string(), z.looseObject({ required: z.array(z.string()).optional() })),
  }),
});

describe('closing', () => {
  test('ends event streams, without an end that is not true, and withdraws the announcement', async () => {
    const other = await Service.start();
    const { post, stateFolder } = { post: other.post.bind(other), stateFolder: other.stateFolder };
    await post('/v1/datasets', { name: 'fashion', converter: 'mnist' }).expect(201);
    const submitted = await post('/v1/experiments', {
      program: 'layers',
      params: { dims: [1, 2], activations: ['tanh'] },
      dataset: 'fashion',
    }).expect(201);
    const announced = JSON.parse(await readFile(join(stateFolder, 'api.json'), 'utf8'));
    expect(announced).toEqual({ url: other.url, pid: process.pid });

    const { frames } = await openEvents(other, `/v1/experiments/${submitted.body.id}/events`);
    const events: (string | undefined)[] = [];
    let closing: Promise<void> | undefined;
    for await (const frame of frames) {
      if (frame.event !== undefined) events.push(frame.event);
      if (frame.event === 'caught-up') closing ??= other.api.close();
    }
    await closing;
    expect(events).toEqual(['status', 'caught-up']);
    await expect(readFile(join(stateFolder, 'api.json'))).rejects.toThrow('ENOENT');
    await expect(fetch(other.url)).rejects.toThrow('fetch failed');
    await other.close();
  });
});

/** The first answer to say that this part, and no other, is away. */
async function whenUnready(part: string): Promise<Response> {
  for (;;) {
    const answer = await service.raw().get('/health/ready');
    if (answer.status === 503 && problemErrorsOf(answer, 'unavailable').some(({ pointer }) => pointer === part))
      return answer;
  }
}

/** The first answer to say that all is well: who has just started, or found its Redis again, is not ready yet. */
async function whenReady(): Promise<Response> {
  let answer = await service.raw().get('/health/ready');
  await until(
    async () => {
      if (answer.status !== 200) answer = await service.raw().get('/health/ready');
      return answer.status === 200;
    },
    () => answer.text,
  );
  return answer;
}

/** The lines of requests whose path begins so, without the first so many lines of the log. */
function requestsSince(before: number, path: string): LogLine[] {
  return service.log
    .slice(before)
    .filter(({ message, fields }) => message === 'request' && String(fields['path']).startsWith(path));
}
