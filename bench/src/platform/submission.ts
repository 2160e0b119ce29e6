import { Agent } from 'node:http';
import { ApiProcess } from './api-process.js';
import { post, publishMlp } from './api-requests.js';
import type { Servers } from './servers.js';
import type { Took } from './service-protocol.js';

const CLIENTS = 50;
/** Submissions in one measurement; one more before all to warm up. */
const PER_ROUND = 500;
const ROUNDS = 5;

/** One measurement. */
export interface Submitted {
  /** Milliseconds that each took, from the request to the whole answer. */
  readonly latencies: readonly number[];
  /** What they cost the API. */
  readonly took: Took;
}

/**
 * Submissions over HTTP, of as many clients at once with a connection each and an idempotency key for each experiment, while the
 * scheduler of the same process does its work.
 */
export async function submission(servers: Servers): Promise<Submitted[]> {
  const api = await ApiProcess.start(servers);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  try {
    await publishMlp(api.url);
    await post(agent, new URL('/v1/datasets', api.url), { name: 'digits', converter: 'mnist' });
    const all: Submitted[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const submitted = await submitMany(agent, api);
      if (round > 0) all.push(submitted);
    }
    return all;
  } finally {
    agent.destroy();
    await api.stop();
  }
}

async function submitMany(agent: Agent, api: ApiProcess): Promise<Submitted> {
  const experiments = new URL('/v1/experiments', api.url);
  const latencies: number[] = [];
  const cpuBefore = api.cpuSeconds();
  const before = performance.now();
  let begun = 0;
  const client = async (): Promise<void> => {
    while (begun < PER_ROUND) {
      begun += 1;
      const from = performance.now();
      await post(agent, experiments, { program: 'mlp', dataset: 'digits' });
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const wallSeconds = (performance.now() - before) / 1000;
  return { latencies, took: { count: PER_ROUND, cpuSeconds: api.cpuSeconds() - cpuBefore, wallSeconds } };
}
