import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_HEARTBEAT_HEADER, type LiveEvent } from '@longrun/contracts';
import { afterEach, describe, expect, test } from 'vitest';
import { sendEvents } from './event-stream.js';

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Serves one source to whoever asks, and tells whether it was closed. */
async function serve(
  source: (signal: AbortSignal) => AsyncGenerator<LiveEvent, unknown, undefined>,
  shutdown: AbortSignal = new AbortController().signal,
): Promise<{ readonly port: number; readonly state: { closed: number; response?: ServerResponse } }> {
  const state: { closed: number; response?: ServerResponse } = { closed: 0 };
  async function* watched(signal: AbortSignal): AsyncGenerator<LiveEvent, unknown, undefined> {
    try {
      return yield* source(signal);
    } finally {
      state.closed += 1;
    }
  }
  server = createServer((_request, response) => {
    state.response = response;
    void sendEvents(response, watched, { heartbeatMs: 30, shutdown });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), state };
}

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function open(port: number, method = 'GET'): Promise<{ asked: ClientRequest; answer: IncomingMessage }> {
  const asked = request({ host: '127.0.0.1', port, method }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { asked, answer };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return text;
}

const line = (id: number, text: string): LiveEvent => ({
  type: 'line',
  id,
  at: '2026-01-01T00:00:00.000Z',
  data: { fence: 1, stream: 'stdout', text },
});

describe('sendEvents', () => {
  test('writes each event as id, if it has one, name and one line of data, and the end last', async () => {
    const { port, state } = await serve(async function* () {
      yield line(1, 'two\nlines');
      yield { type: 'caught-up', id: null, at: '2026-01-01T00:00:00.000Z', data: {} };
      return { status: 'succeeded' };
    });
    const { answer } = await open(port);
    expect(answer.headers[EVENT_HEARTBEAT_HEADER]).toBe('30');
    expect(await textOf(answer)).toBe(
      'retry: 2000\n\n' +
        'id: 1\nevent: line\ndata: {"type":"line","id":1,"at":"2026-01-01T00:00:00.000Z","data":{"fence":1,"stream":"stdout","text":"two\\nlines"}}\n\n' +
        'event: caught-up\ndata: {"type":"caught-up","id":null,"at":"2026-01-01T00:00:00.000Z","data":{}}\n\n' +
        'event: end\ndata: {"status":"succeeded"}\n\n',
    );
    expect(state.closed).toBe(1);
  });

  test('asks nothing of its source for a client that has gone before it begins', async () => {
    let asked = false;
    async function* source(): AsyncGenerator<LiveEvent, unknown, undefined> {
      asked = true;
      yield line(1, 'only');
      return undefined;
    }
    const options = { heartbeatMs: 30, shutdown: new AbortController().signal };
    server = createServer().listen(0, '127.0.0.1');
    const sending = async (): Promise<void> => {
      const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
      await once(response, 'close');
      await sendEvents(response, source, options);
    };
    const sent = sending();
    await once(server, 'listening');
    const client = connect(portOf(server), '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    await once(server, 'request');
    client.destroy();
    await sent;
    expect(asked).toBe(false);
  });

  test('closes its source when the client goes away while the source waits', async () => {
    const { port, state } = await serve(async function* (signal) {
      yield line(1, 'only');
      await once(signal, 'abort');
      return undefined;
    });
    const { asked, answer } = await open(port);
    await once(answer, 'data');
    expect(state.closed).toBe(0);
    asked.destroy();
    await expect.poll(() => state.closed).toBe(1);
  });

  test('asks its source for no more than a slow client takes, and closes it when that one goes away', async () => {
    let made = 0;
    let askedWhileFull = 0;
    const { port, state } = await serve(async function* () {
      for (;;) {
        made += 1;
        yield line(made, 'x'.repeat(100_000));
        if (state.response?.writableNeedDrain === true) askedWhileFull += 1;
        // Lets the server see that the socket is full.
        await sleep(0);
      }
    });
    const { asked, answer } = await open(port);
    answer.pause();
    await expect.poll(() => state.response?.writableNeedDrain).toBe(true);
    const before = made;
    answer.resume();
    await expect.poll(() => made).toBeGreaterThan(before + 100);
    expect(askedWhileFull).toBe(0);
    asked.destroy();
    await expect.poll(() => state.closed).toBe(1);
  });

  test('ends without an end when the service shuts down', async () => {
    const shutdown = new AbortController();
    const { port, state } = await serve(async function* (signal) {
      yield line(1, 'only');
      await once(signal, 'abort');
      return undefined;
    }, shutdown.signal);
    const { answer } = await open(port);
    await once(answer, 'data');
    shutdown.abort();
    expect(await textOf(answer)).not.toContain('event: end');
    expect(state.closed).toBe(1);
  });

  test('answers HEAD without asking the source', async () => {
    let asked = false;
    const { port } = await serve(async function* () {
      asked = true;
      yield line(1, 'only');
      return undefined;
    });
    const { answer } = await open(port, 'HEAD');
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await textOf(answer)).toBe('');
    expect(asked).toBe(false);
  });
});
