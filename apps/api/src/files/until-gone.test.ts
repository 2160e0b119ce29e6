import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { untilGone } from './until-gone.js';

const server = createServer();
let client: Socket;
beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  client.destroy();
  server.removeAllListeners('request');
  await new Promise((resolve) => server.close(resolve));
});

test('a client is gone also where a write finds that first', async () => {
  let found: unknown;
  const answered = new Promise<void>((resolve, reject) => {
    server.on('request', (_request, response) => {
      const work = async (gone: AbortSignal): Promise<void> => {
        client.resetAndDestroy();
        try {
          await new Promise<void>((written, failed) =>
            response.write('what nobody takes', (error) => (error instanceof Error ? failed(error) : written())),
          );
        } catch (error) {
          found = { error, wasSaid: gone.aborted };
          throw error;
        }
      };
      untilGone(response, work).then(resolve, reject);
    });
  });
  client = connect(port(), '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await answered;
  expect(found).toMatchObject({ error: { syscall: 'write' }, wasSaid: false });
});

test('what fails while the client is there is thrown', async () => {
  const answered = new Promise<void>((resolve, reject) => {
    server.on('request', (_request, response) => {
      untilGone(response, async () => Promise.reject(new Error('the disk failed'))).then(resolve, reject);
    });
  });
  client = connect(port(), '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await expect(answered).rejects.toThrow('the disk failed');
});

function port(): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`the server listens at ${String(address)}`);
  return address.port;
}
