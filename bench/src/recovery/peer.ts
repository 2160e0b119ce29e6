import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RedisServer } from '@longrun/platform/testing';
import { Queue } from 'bullmq';
import { z } from 'zod';
import { checkout } from '../report.js';

/**
 * How long a job of plain BullMQ, on its default settings, lies still when its worker gets SIGKILL while another idle worker
 * waits beside it: milliseconds from the signal to the job's second beginning, `count` times, all at once, since they only wait.
 */
export async function stalledJobRecovery(count: number): Promise<number[]> {
  const redis = await RedisServer.start();
  try {
    return await Promise.all(Array.from({ length: count }, (_, index) => oneRecovery(`stalled-${index}`, redis.port)));
  } finally {
    await redis.stop();
  }
}

async function oneRecovery(name: string, port: number): Promise<number> {
  const queue = new Queue(name, { connection: { host: '127.0.0.1', port } });
  const first = startWorker(name, port);
  let second: Lines | undefined;
  try {
    await first.until('ready');
    await queue.add('work', {});
    await first.until('began');
    second = startWorker(name, port);
    await second.until('ready');
    const killedAt = Date.now();
    first.child.kill('SIGKILL');
    return (await second.until('began')) - killedAt;
  } finally {
    first.child.kill('SIGKILL');
    second?.child.kill('SIGKILL');
    await queue.close();
  }
}

interface Lines {
  readonly child: ChildProcess;
  /** Waits for the JSON line that has this field; resolves to the field as a number. */
  until(field: string): Promise<number>;
}

function startWorker(queue: string, port: number): Lines {
  const entry = join(checkout, 'bench/dist/recovery/bullmq-worker.js');
  const child = spawn(process.execPath, [entry, queue, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async until(field) {
      for (;;) {
        const line = await lines.next();
        if (line.done === true) throw new Error(`the BullMQ worker of ${queue} ended before it said '${field}'`);
        const message = z.record(z.string(), z.unknown()).parse(JSON.parse(line.value));
        if (field in message) return Number(message[field]);
      }
    },
  };
}
