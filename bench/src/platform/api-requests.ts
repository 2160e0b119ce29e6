import { randomUUID } from 'node:crypto';
import { type Agent, get, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LiveEvent } from '@longrun/contracts';
import { bundleProgram } from '@longrun/platform/programs';
import { z } from 'zod';
import { checkout } from '../report.js';
import { TOKEN } from './api-process.js';

/** Posts JSON under an idempotency key of its own; resolves with the id in the answer, which must be 201. */
export function post(agent: Agent, url: URL, body: unknown): Promise<string> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'idempotency-key': randomUUID(),
  };
  return new Promise<string>((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (answer += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 201) resolve(Answer.parse(JSON.parse(answer)).id);
        else reject(new Error(`POST ${url.pathname} answered ${response.statusCode}: ${answer}`));
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

/** Publishes the program of the example. */
export async function publishMlp(api: URL | string): Promise<void> {
  const { sha256, module } = await bundleProgram(join(checkout, 'examples/src/programs/mlp.ts'));
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/javascript' };
  const url = new URL(`/v1/programs/${sha256}?name=mlp`, api);
  const answer = await fetch(url, { method: 'PUT', headers, body: Uint8Array.from(module) });
  if (!answer.ok) throw new Error(`PUT ${url.pathname} answered ${answer.status}: ${await answer.text()}`);
}

/** Waits until what is there has a job for a worker. */
export async function enqueued(url: URL): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (;;) {
    const { attempts } = WithAttempts.parse(await (await fetch(url, { headers })).json());
    if (attempts.length > 0) return;
    await pause(20);
  }
}

/** Opens an event stream, and resolves when it has caught up; each event is told. */
export function follow(agent: Agent, url: URL, onEvent: (event: LiveEvent) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const opened = get(url, { agent, headers: { authorization: `Bearer ${TOKEN}` } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url.pathname} answered ${response.statusCode}`));
      let text = '';
      response.setEncoding('utf8');
      // The end of the measurement cuts it.
      response.on('error', () => undefined);
      response.on('data', (chunk: string) => {
        const frames = (text + chunk).split('\n\n');
        text = frames.pop() ?? '';
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1];
          if (data === undefined) continue;
          const event = LiveEvent.parse(JSON.parse(data));
          onEvent(event);
          if (event.type === 'caught-up') resolve();
        }
      });
    });
    opened.on('error', reject);
  });
}

const Answer = z.object({ id: z.string() });
const WithAttempts = z.object({ attempts: z.array(z.unknown()) });
