import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiProcess } from './api-process.js';
import { enqueued, follow, post, publishMlp } from './api-requests.js';
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
        return follow(agent, new URL(`/v1/experiments/${id}/events`, url), (event) => {
          const before = event.type === 'log_row' ? sentAt.get(`${id} ${event.data.step}`) : undefined;
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
  await publishMlp(url);
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

function at<T>(all: readonly T[], index: number): T {
  return all[index % all.length] ?? missing();
}

function missing(): never {
  throw new Error('There is none');
}
