import type { RequestListener } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';
import { experiment, summary } from './views.js';

const TOKEN = 'a-token-of-sixteen-or-more';
/** Where nothing listens. */
const NOWHERE = { LONGRUN_URL: 'http://127.0.0.1:4', LONGRUN_TOKEN: TOKEN };

const DEEP = `params.x=${'['.repeat(50_000)}`;
const LONG = `${'a.'.repeat(19_999)}a=1`;

const servers: HttpServer[] = [];
let folder: string;
let longrun: CommandLine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-wrong-'));
  longrun = new CommandLine(join(folder, 'state'));
  await mkdir(longrun.state);
  await writeFile(join(folder, 'wrong.yaml'), 'program: mlp\nsede: 3\n');
  await writeFile(join(folder, 'wrong.ts'), 'export default\n=;');
  for (const name of ['My_Net.ts', 'fine.ts']) await writeFile(join(folder, name), 'export default 1;');
  await writeFile(join(folder, 'deep.yaml'), `program: mlp\nparams: ${'['.repeat(100_000)}\n`);
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

test.each([
  ['a spec', NOWHERE, ['submit', 'wrong.yaml'], 'not a valid experiment spec'],
  ['a spec that is not there', NOWHERE, ['submit', 'absent.yaml'], 'cannot be read'],
  [
    'a program that is not there',
    NOWHERE,
    ['submit', 'absent.ts'],
    'absent.ts is not there; give the file or the folder',
  ],
  ['a program with a fault', NOWHERE, ['programs', 'publish', 'wrong.ts'], 'cannot be bundled: wrong.ts:2:1: '],
  [
    'the name of a program',
    NOWHERE,
    ['submit', 'My_Net.ts'],
    'a program cannot be called "My_Net"; name it by 1 to 100',
  ],
  ['a program without a dataset', NOWHERE, ['submit', 'fine.ts'], 'fine.ts is not a valid experiment spec'],
  [
    'the name of a program for a spec',
    NOWHERE,
    ['submit', 'wrong.yaml', '--program-name', 'x'],
    'leave --program-name out',
  ],
  ['a parameter', NOWHERE, ['submit', 'fine.ts', '--dataset', 'tiny', '-p', 'epochs'], 'give a path and a value'],
  ['an override', NOWHERE, ['submit', 'wrong.yaml', '--set', 'seed'], 'give a path and a value'],
  ['a spec that nests too deep', NOWHERE, ['submit', 'deep.yaml'], 'nests deeper than 256 levels'],
  [
    'an override of a list that nests too deep',
    NOWHERE,
    ['submit', 'wrong.yaml', '--set', DEEP],
    'nests deeper than 256 levels',
  ],
  ['an override of too many keys', NOWHERE, ['submit', 'wrong.yaml', '--set', LONG], 'the path has 20000 keys'],
  ['a state folder that is a file', {}, ['up', '--state', 'wrong.yaml'], 'cannot be a state folder (E'],
  ['a state folder below a file', {}, ['demo', '--state', 'wrong.yaml/state.yaml'], 'cannot be a state folder (E'],
  ['a state folder where none can be made', {}, ['up', '--state', '/sys/longrun'], 'cannot be a state folder (E'],
  ['S3 without a URL', {}, ['up', '--s3'], 'option --s3 needs a URL. Give one, such as s3://bucket/prefix; '],
  ['a URL of something else', {}, ['demo', '--s3', 'https://a/b'], 'https://a/b is no URL of a bucket. Give one, '],
  ['an option', NOWHERE, ['ls', '--limt', '3'], "unknown option '--limt'"],
  ['an idempotency key', NOWHERE, ['submit', 'wrong.yaml', '--idempotency-key', 'schlüssel'], 'visible ASCII'],
  ['an empty id', NOWHERE, ['cancel', ''], 'Give an id'],
  ['an id of which only the cut is left', NOWHERE, ['show', '…'], 'Give an id'],
  ['an id of blanks', NOWHERE, ['logs', '-f', '  '], 'Give an id'],
  ['an empty id of a worker to drain', NOWHERE, ['workers', 'drain', ''], 'Give an id'],
  ['an empty id of a worker to release', NOWHERE, ['workers', 'release', ''], 'Give an id'],
  ['an address without a scheme', { LONGRUN_URL: 'gpu:4000' }, ['ls'], 'LONGRUN_URL: is not a URL'],
  ['an address with a password', { LONGRUN_URL: 'http://me:hunter2@gpu' }, ['ls'], 'LONGRUN_URL: holds'],
  ['an address with a query', { LONGRUN_URL: 'http://gpu/?x=1' }, ['ls'], 'LONGRUN_URL: has a part after'],
  ['a token', { ...NOWHERE, LONGRUN_TOKEN: 'ein Schlüssel für alle' }, ['ls'], 'LONGRUN_TOKEN: the token must'],
] as const)('%s that is not written right is told in a sentence, with exit code 2', async (_what, env, words, says) => {
  const given = words.map((word: string) => (/\.(?:yaml|ts)$/.test(word) ? join(folder, word) : word));
  const { code, stdout, stderr } = await longrun.runWith(env, ...given);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/^ +at |hunter2/m);

  const asJson = await longrun.runWith(env, ...given, '--json');
  expect(asJson).toMatchObject({ code: 2, stdout: '' });
  const { error }: { error: { message: string } } = JSON.parse(asJson.stderr);
  expect(error.message).toContain(says);
  expect(error.message).not.toMatch(/^ +at |^\w*Error|^error:/m);
});

test('a token file that holds no token is told in a sentence, without what is in it', async () => {
  const state = join(folder, 'damaged');
  await mkdir(state);
  await writeFile(join(state, 'api.json'), JSON.stringify({ url: 'http://127.0.0.1:4', pid: 1 }));
  await writeFile(join(state, 'token'), 'geheimer Schlüssel\nin zwei Zeilen\n');
  const { code, stderr } = await new CommandLine(state).run('ls');
  expect(code).toBe(2);
  expect(stderr).toContain(`${join(state, 'token')} holds no token`);
  expect(stderr).not.toMatch(/geheim|^ +at /m);
});

test('what is written right and fails has exit code 1, and as JSON each field with its remedy', async () => {
  expect(await longrun.runWith(NOWHERE, 'ls')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ECONNREFUSED'),
  });
  const invalid = await longrun.runWith(NOWHERE, 'submit', join(folder, 'wrong.yaml'), '--json');
  expect(JSON.parse(invalid.stderr)).toEqual({
    error: {
      message: expect.stringContaining('is not a valid experiment spec'),
      errors: expect.arrayContaining([
        {
          place: expect.stringContaining('sede'),
          detail: expect.any(String),
          remedy: expect.stringContaining('"seed"'),
        },
      ]),
    },
  });
});

test('an API that is served below a path is asked below it', async () => {
  const asked: (string | undefined)[] = [];
  const url = await serving((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"nextCursor":null,"counts":null}');
  });
  for (const slash of ['', '/']) {
    const LONGRUN_URL = `${url}/lab/longrun${slash}`;
    expect(await longrun.runWith({ LONGRUN_URL, LONGRUN_TOKEN: TOKEN }, 'ls')).toMatchObject({ code: 0 });
  }
  expect(asked).toEqual(Array(2).fill('/lab/longrun/v1/experiments?limit=200'));
});

test.each(['e', 'exp', 'exp_', 'exp_a', 'exp_aaa…', 'aaa'])(
  '`cancel %s` cancels nothing: the beginning of an id has at least 4 characters of its own',
  async (text) => {
    const asked: (string | undefined)[] = [];
    const LONGRUN_URL = await serving((request, response) => {
      asked.push(request.method);
      const items = request.url?.startsWith('/v1/experiments?id=') === true ? [summary] : [];
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(request.method === 'GET' ? { items, nextCursor: null, counts: null } : experiment));
    });
    const surroundings = { LONGRUN_URL, LONGRUN_TOKEN: TOKEN };
    const refused = await longrun.runWith(surroundings, 'cancel', text);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('at least 4 characters after `exp_`') });
    expect(asked).not.toContain('POST');

    expect(await longrun.runWith(surroundings, 'cancel', 'exp_aaaa')).toMatchObject({ code: 0 });
    expect(await longrun.runWith(surroundings, 'cancel', 'aaaa')).toMatchObject({ code: 0 });
    expect(asked).toContain('POST');
  },
);

const PRINTING = ['logs', experiment.id];
const FOLLOWING = ['logs', '-f', experiment.id];

test.each([
  ['a page', 'text/html', '<!doctype html>', [['ls'], ['workers'], ['show', experiment.id], PRINTING, FOLLOWING]],
  ['other JSON', 'application/json', '{}', [['ls'], ['workers'], ['show', experiment.id], PRINTING, FOLLOWING]],
  ['other events', 'text/event-stream', 'event: status\ndata: {}\n\n', [PRINTING, FOLLOWING]],
  ['events of no JSON', 'text/event-stream', 'event: status\ndata: up\n\n', [PRINTING, FOLLOWING]],
  ['an event without an end', 'text/event-stream', `data: ${'x'.repeat(17 * 2 ** 20)}`, [PRINTING, FOLLOWING]],
] as const)(
  'what answers with %s is no Longrun API, which is told in a sentence',
  async (_what, type, body, commands) => {
    const LONGRUN_URL = await serving((_request, response) =>
      response.writeHead(200, { 'content-type': type }).end(body),
    );
    for (const words of commands) {
      const told = await longrun.runWith({ LONGRUN_URL, LONGRUN_TOKEN: TOKEN }, ...words);
      expect({ words, ...told }).toEqual({
        words,
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^longrun: [^\n]*\n$/),
      });
      expect(told.stderr).toContain(`${LONGRUN_URL} answered, but not as a Longrun API of this version`);
      expect(told.stderr).toContain('; `longrun status` says why it is asked\n');

      const asJson = await longrun.runWith({ LONGRUN_URL, LONGRUN_TOKEN: TOKEN }, ...words, '--json');
      expect(JSON.parse(asJson.stderr)).toEqual({
        error: { message: expect.stringMatching(/^http[^\n]*not as a Longrun API/), errors: [] },
      });
    }
  },
);

test('the exit codes stand in the help', async () => {
  expect((await longrun.run('--help')).stdout).toMatch(/Exit codes:[^]*2 .*not written right[^]*130 .*Ctrl\+C/);
});

/** The address of a server that answers so. */
async function serving(answer: RequestListener): Promise<string> {
  const server = await serve(answer);
  servers.push(server);
  return server.url;
}
