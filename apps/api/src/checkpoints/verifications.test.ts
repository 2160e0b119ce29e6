import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_HEARTBEAT_HEADER } from '@longrun/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Refusal, refusal } from '../problems/refusal.js';
import { untilGone } from '../files/until-gone.js';
import { Verifications } from './verifications.js';

/** A verification that the test ends. */
interface Held {
  readonly gone: AbortSignal;
  find(): void;
  refuse(): void;
  end(): void;
}

let server: Server;
let url: string;
let held: Held[];
let onHeld: () => void;

beforeEach(async () => {
  held = [];
  onHeld = () => undefined;
  const verifications = new Verifications(10);
  server = createServer((_request, response) => {
    void untilGone(response, async (gone) => {
      await verifications.send(response, async (onFound) => {
        await new Promise<void>((resolve, reject) => {
          gone.addEventListener('abort', () => reject(new Error('the client has left')));
          const refuse = (): void => reject(refusal('not-found', []));
          held.push({ gone, find: onFound, refuse, end: resolve });
          onHeld();
        });
        return { ok: true };
      });
    }).catch((error: unknown) => {
      response.statusCode = error instanceof Refusal ? error.status : 500;
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen');
  url = `http://127.0.0.1:${address.port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('one that takes long sends blanks, which JSON allows, and then what it found', async () => {
  const asked = fetch(url);
  await untilHeld(1);
  held[0]?.find();
  const answer = await asked;
  // They have come, or there would be no answer yet.
  expect(answer.headers.get(EVENT_HEARTBEAT_HEADER)).toBe('10');
  held[0]?.end();
  const text = await answer.text();
  expect(text).toMatch(/^\n+\{/);
  expect(JSON.parse(text)).toEqual({ ok: true });
});

test('one that is refused before what it asks for was found has a status, however long that took', async () => {
  const asked = fetch(url);
  await untilHeld(1);
  await sleep(50);
  held[0]?.refuse();
  expect((await asked).status).toBe(404);
});

test('two may be under way; when one has ended there is room for another', async () => {
  const both = [fetch(url), fetch(url)];
  await untilHeld(2);
  expect((await fetch(url)).status).toBe(503);
  held[0]?.end();
  await Promise.race(both.map(async (answer) => (await answer).text()));
  const third = fetch(url);
  await untilHeld(3);
  for (const each of held) each.end();
  for (const answer of await Promise.all([...both, third])) expect(answer.status).toBe(200);
});

test('one whose client has left is told so, and makes room', async () => {
  for (let round = 1; round <= 3; round += 1) {
    const leave = new AbortController();
    const asked = fetch(url, { signal: leave.signal })
      .then((answer) => answer.text())
      .catch((error: unknown) => error);
    await untilHeld(round);
    const gone = held[round - 1]?.gone;
    if (gone === undefined) throw new Error('None is held');
    const told = once(gone, 'abort');
    leave.abort();
    await told;
    expect(await asked).toMatchObject({ name: 'AbortError' });
  }
});

async function untilHeld(count: number): Promise<void> {
  while (held.length < count) await new Promise<void>((resolve) => (onHeld = resolve));
}
