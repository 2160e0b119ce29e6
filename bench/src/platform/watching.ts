import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { LiveEvent } from '@longrun/contracts';
import { ApiProcess, TOKEN } from './api-process.js';
import { enqueued, post } from './api-requests.js';
import { conversion, rowsFrom, started } from './attempt-events.js';
import { EventSource } from './event-source.js';
import type { Servers } from './servers.js';

const WATCHERS = 300;
const EXPERIMENTS = 20;
/** So often every experiment logs a row. */
const EVERY_MS = 500;
const ROUNDS = 60;

/** What came of the events that all watchers were to get. */
export interface Watched {
  /** Milliseconds from the moment at which a worker sent an event until a watcher had it, for each event and watcher. */
  readonly latencies: readonly number[];
  /** How many there were to be. */
  readonly expected: number;
}

/**
 * Two replicas of the API and a controller, each a process of its own; on each replica half of 300 watchers, each with a socket of its own, of twenty
 * experiments that log a row twice a second.
 */
export async function watching(servers: Servers): Promise<Watched> {
  const controller = await ApiProcess.start(servers, { name: 'controller', role: 'controller' });
  const replicas = [
    await ApiProcess.start(servers, { name: 'api-1', role: 'api' }),
    await ApiProcess.start(servers, { name: 'api-2', role: 'api' }),
  ];
  const source = new EventSource(servers.redisUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  try {
    const ids = await runningExperiments(agent, source, replicas[0]);
    const sentAt = new Map<string, number>();
    const latencies: number[] = [];
    await Promise.all(
      Array.from({ length: WATCHERS }, (_, index) => {
        const { url } = at(replicas, index);
        const id = at(ids, index >> 1);
        return watch(agent, new URL(`/v1/experiments/${id}/events`, url), (step) => {
          const before = sentAt.get(`${id} ${step}`);
          if (before !== undefined) latencies.push(performance.now() - before);
        });
      }),
    );
    for (let step = 1; step <= ROUNDS; step += 1) {
      const next = pause(EVERY_MS);
      for (const id of ids) {
        sentAt.set(`${id} ${step}`, performance.now());
        await source.send('experiment', id, rowsFrom(step, step + 1));
      }
      await next;
    }
    const expected = WATCHERS * ROUNDS;
    for (let waited = 0; latencies.length < expected && waited < 10_000; waited += 50) await pause(50);
    return { latencies, expected };
  } finally {
    source.close();
    agent.destroy();
    for (const api of [...replicas, controller]) await api.stop();
  }
}

/** Experiments of which each has an attempt that runs. */
async function runningExperiments(
  agent: Agent,
  source: EventSource,
  { url }: ApiProcess = missing(),
): Promise<string[]> {
  const dataset = await post(agent, new URL('/v1/datasets', url), { name: 'digits', converter: 'mnist' });
  await enqueued(new URL(`/v1/datasets/${dataset}`, url));
  await source.send('dataset', dataset, conversion());
  const ids: string[] = [];
  for (let index = 0; index < EXPERIMENTS; index += 1) {
    ids.push(await post(agent, new URL('/v1/experiments', url), { program: 'mlp', dataset: 'digits' }));
  }
  for (const id of ids) {
    await enqueued(new URL(`/v1/experiments/${id}`, url));
    await source.send('experiment', id, [started]);
  }
  return ids;
}

/** Opens an event stream, and resolves when it has caught up; the step of each log row from then on is told. */
function watch(agent: Agent, url: URL, onRow: (step: number) => void): Promise<void> {
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
          if (event.type === 'caught-up') resolve();
          else if (event.type === 'log_row') onRow(event.data.step);
        }
      });
    });
    opened.on('error', reject);
  });
}

function at<T>(all: readonly T[], index: number): T {
  return all[index % all.length] ?? missing();
}

function missing(): never {
  throw new Error('There is none');
}
