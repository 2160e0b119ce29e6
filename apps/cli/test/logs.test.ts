import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@longrun/client';
import { EVENT_HEARTBEAT_HEADER, type LiveEvent } from '@longrun/contracts';
import { afterEach, expect, test } from 'vitest';

import { logs } from '../src/commands/logs.js';
import { Terminal } from '../src/output/terminal.js';
import { type HttpServer, serve } from './http-server.js';
import { AT, experiment } from './views.js';

const { id } = experiment;
/** Longer than any silence that could be taken for the end. */
const SILENCE_MS = 1_500;

let server: HttpServer | undefined;
afterEach(() => server?.close());

test('what has happened so far is printed whole, however long the API takes for its first event and between two', async () => {
  const printed = await logsOf(async (response) => {
    await sleep(SILENCE_MS);
    response.write(frame(row(1)));
    await sleep(SILENCE_MS);
    response.write(frame(row(2)));
    response.write(frame({ type: 'caught-up', id: null, at: AT, data: {} }));
    // It goes on: what comes is no business of this command.
    response.write(frame(row(3)));
  });
  expect(printed.code).toBe(0);
  expect(printed.lines.map((line) => (JSON.parse(line) as LiveEvent).id)).toEqual([1, 2]);
});

test('one that has ended is printed to its end', async () => {
  const data = { status: 'succeeded', reason: 'succeeded', message: null, result: null } as const;
  const printed = await logsOf((response) => {
    response.write(frame(row(1)));
    response.end(frame({ type: 'status', id: 2, at: AT, data }));
  });
  expect(printed.lines).toHaveLength(2);
});

test('an attempt says with which other libraries it goes on', async () => {
  const data = {
    fence: 2,
    workerId: 'gpu-1',
    startStep: 100,
    engine: 'reference',
    restoredFrom: 'checkpoints/100-1.json',
    environmentChanged: [],
    librariesChanged: [{ name: '@longrun/blocks', version: '0.2.0', was: '0.1.0' }],
    rejectedCheckpoints: [],
  };
  const printed = await logsOf(
    (response) => {
      response.write(frame({ type: 'attempt_started', id: 1, at: AT, data }));
      response.write(frame({ type: 'caught-up', id: null, at: AT, data: {} }));
    },
    { json: false },
  );
  expect(printed.lines.join('\n')).toContain('\n  goes on with @longrun/blocks 0.2.0, was 0.1.0');
});

test('the stack of an error is printed where its attempt has ended, and not again with each status', async () => {
  const message = 'Error: /mlp.apply: input has shape (batch, 784)\n    at MLP.applied (index.js:359:11)';
  const ended = { fence: 1, reason: 'program_error', message, step: 0, stepsRun: 0, peakMemoryBytes: null } as const;
  const queued = { status: 'queued', reason: null, message, result: null } as const;
  const printed = await logsOf(
    (response) => {
      response.write(frame({ type: 'attempt_ended', id: 1, at: AT, data: ended }));
      response.write(frame({ type: 'status', id: 2, at: AT, data: queued }));
      response.write(frame({ type: 'caught-up', id: null, at: AT, data: {} }));
    },
    { json: false },
  );
  expect(printed.lines).toEqual([
    `attempt 1 ended: program_error at step 0: ${message}`,
    'queued: Error: /mlp.apply: input has shape (batch, 784)',
  ]);
});

test.each([
  ['is closed', (response: ServerResponse) => response.end(), 'it was closed'],
  ['is cut', (response: ServerResponse) => response.destroy(), 'UND_ERR_SOCKET'],
])('a stream that %s before all has come is an error, whatever was printed', async (_how, breakOff, why) => {
  const printing = logsOf(async (response) => {
    response.write(frame(row(1)));
    await sleep(100);
    breakOff(response);
  });
  await expect(printing).rejects.toThrow(
    /the event stream of the API at http:\S+ broke off before its end \(.*try again/,
  );
  await expect(printing).rejects.toThrow(why);
});

test('a stream that misses the heartbeats which its server has announced is dead, however patient TCP is', async () => {
  const printing = logsOf((response) => response.write(frame(row(1))), { headers: { [EVENT_HEARTBEAT_HEADER]: '50' } });
  await expect(printing).rejects.toThrow('nothing came for 200 ms');
});

async function logsOf(
  send: (response: ServerResponse) => unknown,
  { headers = {}, json = true }: { headers?: Readonly<Record<string, string>>; json?: boolean } = {},
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  server = await serve((request, response) => {
    if (request.url?.endsWith('/events') === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
      response.flushHeaders();
      void send(response);
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(experiment));
    }
  });
  const lines: string[] = [];
  const terminal = new Terminal({
    writeResult: (line) => void lines.push(line.trimEnd()),
    writeRemark: () => undefined,
  });
  const client = new Client({ url: server.url, token: 'a-token-of-this-test' });
  return { code: await logs(client, terminal, id, { follow: false, json }), lines };
}

function row(step: number): LiveEvent {
  return { type: 'log_row', id: step, at: AT, data: { fence: 1, step, row: { cost: 1 / step } } };
}

function frame(event: LiveEvent): string {
  return `${event.id === null ? '' : `id: ${event.id}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
