import type { RequestListener } from 'node:http';

import { Client } from '@longrun/client';
import type { LiveEvent } from '@longrun/contracts';
import { until } from '@longrun/platform/testing';
import { afterEach, expect, test } from 'vitest';

import { logs } from '../src/commands/logs.js';
import { Terminal } from '../src/output/terminal.js';
import { type HttpServer, serve } from './http-server.js';
import { AT, dataset, experiment } from './views.js';

let server: HttpServer | undefined;
afterEach(() => server?.close());

test.each([
  ['followed', 'succeeded', true, 0],
  ['followed', 'failed', true, 3],
  ['printed', 'succeeded', false, 0],
  ['printed', 'cancelled', false, 4],
] as const)(
  'an experiment that is %s to its end has %s, also when the API is gone right after',
  async (_how, status, follow, code) => {
    const data = { status, reason: null, message: null, result: null };
    const end: LiveEvent = { type: 'status', id: 1, at: AT, data };
    const shown = await logsOf(experiment.id, follow, (request, response) => {
      if (request.url?.endsWith('/events') !== true) return request.socket.destroy();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.end(`id: 1\nevent: status\ndata: ${JSON.stringify(end)}\n\n`);
    });
    expect(shown).toMatchObject({ code, said: [] });
  },
);

test('a dataset is followed through an API that is away', async () => {
  const answers = ['converting', 'away', 'away', 'ready'] as const;
  let asked = 0;
  const shown = await logsOf(dataset.id, true, (request, response) => {
    const status = answers[asked];
    asked += 1;
    if (status === undefined || status === 'away') return request.socket.destroy();
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...dataset, status }));
  });
  expect(shown).toEqual({
    code: 0,
    printed: [expect.stringContaining('converting'), expect.stringContaining('ready')],
    said: [expect.stringMatching(/lost the API at http.*; trying again/), expect.stringContaining('connected again')],
  });
});

test('Ctrl+C ends what follows a dataset while the API hangs', async () => {
  let asked = 0;
  const following = logsOf(dataset.id, true, () => (asked += 1));
  await until(() => asked === 1);
  process.emit('SIGINT', 'SIGINT');
  expect(await following).toEqual({
    code: 130,
    printed: [],
    said: [expect.stringContaining(`${dataset.id} goes on.`)],
  });
});

async function logsOf(
  id: string,
  follow: boolean,
  answer: RequestListener,
): Promise<{ readonly code: number; readonly printed: readonly string[]; readonly said: readonly string[] }> {
  server = await serve(answer);
  const printed: string[] = [];
  const said: string[] = [];
  const terminal = new Terminal({
    writeResult: (line) => void printed.push(line.trimEnd()),
    writeRemark: (line) => void said.push(line.trimEnd()),
  });
  // No answer is late.
  const client = new Client({ url: server.url, token: 'a-token-of-this-test', timeoutMs: 2 ** 31 - 1 });
  return { code: await logs(client, terminal, id, { follow, json: false }), printed, said };
}
