import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { LiveEvent } from '@longrun/contracts';
import { expect, test } from 'vitest';

import { ApiUnreachable } from './api-errors.js';
import { Client } from './client.js';

const AT = '2026-01-01T00:00:00.000Z';
const status = (id: number, value: 'queued' | 'running' | 'succeeded'): LiveEvent => ({
  type: 'status',
  id,
  at: AT,
  data: { status: value, reason: null, message: null, result: null },
});

test('an experiment is followed through connections that break: each event once, from the last one seen', async () => {
  const asked: (string | undefined)[] = [];
  const connections = [[status(1, 'queued'), status(2, 'running')], [], [status(3, 'succeeded')]];
  const server = createServer((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    const events = connections[asked.length - 1] ?? [];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = events.map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    // In the middle of an event, which is not given out.
    response.write(`${text.join('')}id: 9\nevent: status\ndata: {`, () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new Client({ url, token: 'a-token-of-this-test' });
    const causes: unknown[] = [];
    const seen: LiveEvent[] = [];
    const onDisconnect = (cause: unknown): void => void causes.push(cause);
    for await (const event of client.experiments.follow('exp_1', { reconnectMs: 1, onDisconnect })) seen.push(event);
    expect(seen.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(asked).toEqual([undefined, '2', '2']);
    expect(causes).toHaveLength(2);
    expect(causes.every((cause) => cause instanceof ApiUnreachable && cause.how === 'broken-off')).toBe(true);
  } finally {
    server.close();
  }
});

test('what cannot be sent is no failure of the network', async () => {
  const client = new Client({ url: 'http://127.0.0.1:9', token: 'a-token-of-this-test' });
  await expect(client.experiments.submit({ program: 'mlp', dataset: 'x', seed: Number.NaN })).rejects.toThrow(
    RangeError,
  );
  const other = new Client({ url: 'http://127.0.0.1:9', token: 'ein-Schlüssel-☃-mit-Schnee' });
  await expect(other.workers.list()).rejects.not.toThrow(ApiUnreachable);
});
