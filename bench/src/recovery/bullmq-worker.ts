import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';

/**
 * The peer's worker: a plain BullMQ worker on its default settings, whose job works through short steps and says on
 * stdout when it begins. Arguments: the queue's name, the port of Redis.
 */
const [queue = '', port = ''] = process.argv.slice(2);

const worker = new Worker(
  queue,
  async () => {
    console.log(JSON.stringify({ began: Date.now() }));
    for (;;) await sleep(10);
  },
  { connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null } },
);
await worker.waitUntilReady();
console.log(JSON.stringify({ ready: true }));
