import type { IncomingMessage } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from '@longrun/client';
import { until } from '@longrun/platform/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { submit } from '../src/commands/submit.js';
import { Terminal } from '../src/output/terminal.js';
import { CommandLine } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';
import { experiment } from './views.js';

const TOKEN = 'a-token-of-sixteen-or-more';

let folder: string;
let file: string;
let server: HttpServer;
/** What was submitted by then, under which key. */
let keys: unknown[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-unanswered-'));
  file = join(folder, 'spec.yaml');
  await writeFile(file, 'program: mlp\ndataset: tiny\n');
  keys = [];
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** Those of a command line that has none. */
const OPTIONS = {
  set: [],
  param: [],
  dataset: [],
  programName: undefined,
  follow: false,
  dryRun: false,
  json: false,
  idempotencyKey: undefined,
};

test('a submission that is not answered is sent again with the same key, which is said', async () => {
  server = await serve((request, response) => {
    receive(request);
    if (keys.length === 1) return;
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(experiment));
  });
  let said = '';
  const write = (text: string): void => void (said += text);
  // The first is late however patient the client is; of the others one comes in time.
  const client = new Client({ url: server.url, token: TOKEN, timeoutMs: 500 });
  const terminal = new Terminal({ writeResult: write, writeRemark: write });
  expect(await submit(() => Promise.resolve(client), terminal, file, OPTIONS)).toBe(0);
  expect(keys.length).toBeGreaterThan(1);
  expect(new Set(keys).size).toBe(1);
  expect(said).toContain(`${server.url} was sent the request and has not answered for 0.5 s; it may have done`);
  expect(said).toContain(`asking again with its idempotency key ${String(keys[0])}`);
  expect(said).toContain(experiment.id);
});

test('one that may have been recorded by an API that then goes is told so, with the key that submits it once', async () => {
  server = await serve((request) => {
    receive(request);
    server.close();
  });
  const told = await new CommandLine(folder).runWith({ LONGRUN_URL: server.url, LONGRUN_TOKEN: TOKEN }, 'submit', file);
  expect(keys).toHaveLength(1);
  expect(told).toMatchObject({ code: 1, stdout: '' });
  expect(told.stderr).toMatch(/broke before its answer had come[^]*\nlongrun: no Longrun API answers.*ECONNREFUSED/);
  expect(told.stderr).toContain(
    `whether it was recorded is not known: see \`longrun ls\`, or submit it again with --idempotency-key ${String(keys[0])}`,
  );
});

test('one that nobody tells the fate of is not asked for without end', async () => {
  server = await serve((request, response) => {
    receive(request);
    response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
  });
  const client = new Client({ url: server.url, token: TOKEN });
  const terminal = new Terminal({ writeResult: () => {}, writeRemark: () => {} });
  await expect(submit(() => Promise.resolve(client), terminal, file, { ...OPTIONS, json: true })).rejects.toThrow(
    '--idempotency-key',
  );
  expect(keys.length).toBeGreaterThan(1);
  expect(new Set(keys).size).toBe(1);
});

test.each([
  ['in words', [], (stderr: string) => stderr],
  ['as JSON', ['--json'], (stderr: string) => String(JSON.parse(stderr).error.message)],
])('Ctrl+C before the answer says that it may have been recorded, %s', async (_how, words, messageOf) => {
  server = await serve(receive);
  const environment = { LONGRUN_URL: server.url, LONGRUN_TOKEN: TOKEN };
  const command = new CommandLine(folder, { environment }).start('submit', file, ...words);
  await until(() => keys.length === 1);
  command.signal('SIGINT');
  expect(await command.ended()).toBe(130);
  expect(messageOf(command.stderr)).toContain(`--idempotency-key ${String(keys[0])}`);
});

test('a request of another kind that is not answered is no reason to start an API', async () => {
  server = await serve(receive);
  const client = new Client({ url: server.url, token: TOKEN, timeoutMs: 50 });
  await expect(client.experiments.get(experiment.id)).rejects.toThrow(
    'has not answered for 0.05 s; it may have much to do',
  );
  await expect(client.experiments.act(experiment.id, 'cancel')).rejects.toThrow('it may have done all the same');
});

function receive(request: IncomingMessage): void {
  keys.push(request.headers['idempotency-key']);
}
