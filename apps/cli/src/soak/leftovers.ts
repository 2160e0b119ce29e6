import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@longrun/client';
import { childrenOf, membersOf } from '@longrun/platform/processes';
import type { LocalStack } from '../stack/stack.js';
import { askRedis } from './chaos.js';

/** What is left in the queue and on the workers after all experiments have ended, once it had time to go; nothing when all is as it must be. */
export async function leftovers(stack: LocalStack, client: Client): Promise<string[]> {
  for (let look = 1; ; look += 1) {
    const left = [...(await inQueues(stack)), ...(await onWorkers(stack, client))];
    if (left.length === 0 || look === LOOKS) return left;
    await sleep(1_000);
  }
}

/** What the processes with these numbers, all of which have been stopped, have left behind. */
export async function processesLeft(state: string, pids: Iterable<number>): Promise<string[]> {
  const left: string[] = [];
  for (const pid of pids) {
    const members = await membersOf(pid);
    if (members.length > 0) left.push(`of process ${pid} there still run ${members.join(', ')}`);
  }
  for (const folder of await readdir(state)) {
    if (!folder.startsWith('worker-gpu-')) continue;
    // A worker that was killed leaves its own to the next one.
    const names = (await readdir(join(state, folder))).filter((name) => /^(?:exp_|trainer-)/.test(name));
    if (names.length > 0) left.push(`${folder} still has ${names.join(', ')}`);
  }
  return left;
}

async function inQueues({ redisUrl }: LocalStack): Promise<string[]> {
  const left: string[] = [];
  for (const [list, command] of Object.entries({
    prioritized: 'ZCARD',
    active: 'LLEN',
    wait: 'LLEN',
    delayed: 'ZCARD',
  })) {
    const key = `{longrun}:experiments:${list}`;
    const count = await askRedis(redisUrl, `${command} ${key}`);
    if (count !== '0') left.push(`${key} holds ${count} jobs`);
  }
  return left;
}

async function onWorkers(stack: LocalStack, client: Client): Promise<string[]> {
  const left = (await client.workers.list()).items
    .filter(({ alive, attempts }) => alive && attempts.length > 0)
    .map(({ id, attempts }) => `worker ${id} still runs ${attempts.map((attempt) => attempt.id).join(', ')}`);
  for (const name of ['worker-gpu', 'worker-gpu-2'] as const) {
    const { pid } = stack.service(name);
    if (pid === undefined) left.push(`${name} does not run`);
    // One waits for the next attempt.
    else if ((await childrenOf(pid)).length > 1) left.push(`${name} still has a trainer`);
  }
  return left;
}

const LOOKS = 60;
