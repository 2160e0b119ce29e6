import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

import { RedisKeys } from '../src/redis/keys.js';
import { until } from '../src/testing/index.js';
import type { World } from './world.js';

/** Does something with the queue of experiments itself, beside those who take jobs from it. */
export async function withQueue(world: World, use: (queue: Queue, keys: RedisKeys) => Promise<void>): Promise<void> {
  const connection = new Redis(world.redis.url, { maxRetriesPerRequest: null });
  const keys = new RedisKeys(world.prefix);
  const queue = new Queue(keys.queue('experiment'), { connection, prefix: keys.queuePrefix });
  try {
    await use(queue, keys);
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

/** Waits until workers have come upon the job of an attempt so often, if only to leave it to others. */
export async function comeUpon(world: World, id: string, fence: number, times: number): Promise<void> {
  await withQueue(world, async (queue, keys) => {
    await until(async () => ((await queue.getJob(keys.job(id, fence)))?.attemptsStarted ?? 0) >= times);
  });
}
