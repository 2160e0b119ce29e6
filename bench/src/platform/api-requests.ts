import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
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

/** Waits until what is there has a job for a worker. */
export async function enqueued(url: URL): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (;;) {
    const { attempts } = WithAttempts.parse(await (await fetch(url, { headers })).json());
    if (attempts.length > 0) return;
    await pause(20);
  }
}

const Answer = z.object({ id: z.string() });
const WithAttempts = z.object({ attempts: z.array(z.unknown()) });
