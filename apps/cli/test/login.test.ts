import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { problemType } from '@longrun/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { Terminal } from '../src/output/terminal.js';
import { run } from '../src/program.js';
import type { Surroundings } from '../src/surroundings.js';
import type { Finished } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';

const TOKEN = 'the-token-of-this-server';
const OTHER = 'the-token-of-the-other-one';

let home: string;
let file: string;
/** Two servers, each with a token of its own. */
let servers: readonly [HttpServer, HttpServer];
const asked: string[] = [];

beforeAll(async () => {
  const serving = async (token: string): Promise<HttpServer> =>
    await serve((request, response) => {
      asked.push(`${request.headers.host} ${request.headers.authorization}`);
      if (request.headers.authorization === `Bearer ${token}`) {
        const page = { items: [], nextCursor: null, counts: null };
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
      }
      const errors = [
        { pointer: 'Authorization', code: 'token-wrong', facts: {}, detail: 'Wrong.', remedy: 'Mend it.' },
      ];
      const problem = { type: problemType('unauthenticated'), title: 'No', status: 401, detail: 'Wrong.', errors };
      return response.writeHead(401, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
  servers = [await serving(TOKEN), await serving(OTHER)];
});
afterAll(() => servers.forEach((server) => server.close()));

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'longrun-login-'));
  file = join(home, 'longrun', 'hosts.json');
  asked.length = 0;
});
afterEach(() => rm(home, { recursive: true }));

test('a login is verified and kept for its user alone, and the last one is who commands talk to', async () => {
  const [one, other] = servers;
  const told = await logIn(one, TOKEN);
  expect(told).toMatchObject({
    code: 0,
    stdout: `logged in to ${one.url}; the token is kept in ${file}\n`,
    stderr: '',
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, 'longrun'))).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ version: 1, hosts: [{ url: one.url, token: TOKEN }] });

  await logIn(other, OTHER);
  const words = await longrun('status');
  expect(words).toMatchObject({
    code: 0,
    stdout: `${other.url}, the last login; token: ${file}\nIt answers, and takes the token.\n`,
  });
  // Each server gets its own token.
  expect(await longrun('ls', '--server', `${one.url}/`)).toMatchObject({ code: 0 });
  expect(await longrun('ls')).toMatchObject({ code: 0 });

  expect(await longrun('logout')).toMatchObject({ code: 0, stderr: expect.stringContaining(`now that to ${one.url}`) });
  expect((await longrun('status')).stdout).toContain(one.url);
  expect(await longrun('logout', other.url)).toMatchObject({ code: 1, stderr: expect.stringContaining(one.url) });
  expect(await longrun('logout', one.url)).toMatchObject({ code: 0 });
  expect(await longrun('status')).toMatchObject({ code: 1, stderr: expect.stringContaining('longrun login URL') });
});

test('two logins at once are both kept', async () => {
  const [one, other] = servers;
  const both = await Promise.all([logIn(one, TOKEN), logIn(other, OTHER), logIn(one, TOKEN)]);
  expect(both.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    version: 1,
    hosts: expect.arrayContaining([
      { url: one.url, token: TOKEN },
      { url: other.url, token: OTHER },
    ]) as unknown,
  });
});

test('a token that the server refuses is not kept, and none is ever shown', async () => {
  const refused = await logIn(servers[0], OTHER);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('longrun login URL') });
  expect(refused.stderr).not.toContain(OTHER);
  const broken = await logIn(servers[0], 'kein Schlüssel');
  expect(broken).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('is no token') });
  expect(broken.stderr).not.toContain('kein');
  const secret = await longrun('login', 'https://user:hunter22@gpu.lab', '--with-token');
  expect(secret).toMatchObject({ code: 2, stderr: expect.stringContaining('holds a name or a password') });
  expect(secret.stderr).not.toContain('hunter22');
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('variables count for more than a login, and their token is for no other server than theirs', async () => {
  const [one, other] = servers;
  await logIn(one, TOKEN);
  const environment = { LONGRUN_URL: other.url, LONGRUN_TOKEN: OTHER };
  expect(await longrunWith({ environment }, 'status')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${other.url}, as LONGRUN_URL says; token: LONGRUN_TOKEN`),
  });
  asked.length = 0;
  expect(await longrunWith({ environment }, 'ls', '--server', one.url)).toMatchObject({ code: 0 });
  expect(asked).toEqual([`${new URL(one.url).host} Bearer ${TOKEN}`]);
  expect(await longrunWith({ environment }, 'ls', '--server', 'http://127.0.0.1:1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('longrun login http://127.0.0.1:1'),
  });
  const again = await longrunWith({ environment, input: Readable.from([TOKEN]) }, 'login', one.url, '--with-token');
  expect(again.stderr).toContain(`commands here talk to ${other.url}, as LONGRUN_URL says`);
});

test('a state folder that is named is not forgotten for a login', async () => {
  await logIn(servers[0], TOKEN);
  for (const words of [['--state', home], []]) {
    const environment = words.length === 0 ? { LONGRUN_STATE: home } : {};
    const told = await longrunWith({ environment }, 'ls', ...words);
    expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining(`no Longrun API runs on ${home}`) });
  }
});

test('what was kept is not trusted once others can read it, or it is something else', async () => {
  await logIn(servers[0], TOKEN);
  await chmod(file, 0o640);
  expect(await longrun('ls')).toMatchObject({ code: 1, stderr: expect.stringContaining(`others can read ${file}`) });
  await chmod(file, 0o600);
  await writeFile(file, `{"version": 1, "hosts": [{"url": "${servers[0].url}", "token": "short"}]}`);
  const told = await longrun('ls');
  expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining('delete it and log in again') });
  expect(told.stderr).not.toContain('short');
});

test('at a terminal the token is asked for and not echoed', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const told = longrunWith({ input }, 'login', servers[0].url);
  // With a slip that is taken back.
  input.write(`${TOKEN}x\u007F\r`);
  expect(await told).toMatchObject({ code: 0, stderr: expect.stringMatching(/^The token of .*:\n$/) });
  expect(await longrun('login', servers[0].url)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--with-token < FILE'),
  });
});

test('a process reads the token from its stdin', async () => {
  const bin = fileURLToPath(new URL('../bin/longrun.js', import.meta.url));
  const child = spawn(process.execPath, [bin, 'login', servers[0].url, '--with-token'], {
    cwd: home,
    env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: home },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(`${TOKEN}\n`);
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(await readFile(file, 'utf8')).toContain(TOKEN);
});

async function logIn(server: HttpServer, token: string): Promise<Finished> {
  return await longrunWith({ input: Readable.from([`${token}\n`]) }, 'login', server.url, '--with-token');
}

async function longrun(...words: string[]): Promise<Finished> {
  return await longrunWith({}, ...words);
}

async function longrunWith(given: Partial<Surroundings>, ...words: string[]): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  const terminal = new Terminal({
    writeResult: (text) => (stdout += text),
    writeRemark: (text) => (stderr += text),
  });
  const environment = { XDG_CONFIG_HOME: home, ...given.environment };
  const code = await run(words, { terminal, input: Readable.from([]), ...given, environment });
  return { code, stdout, stderr };
}
