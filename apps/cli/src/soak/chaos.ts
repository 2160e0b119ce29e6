import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { childrenOf, sendSignal } from '@longrun/platform/processes';
import type { LocalStack, ServiceName } from '../stack/stack.js';
import type { Disaster, Disasters, Victim } from './disasters.js';

/** A disaster that was done. */
export interface Done {
  readonly at: string;
  readonly disaster: Disaster;
  /** The process that it was done to; null where there was none to do it to. */
  readonly pid: number | null;
}

/** Does disasters to a stack, as they are drawn, until the signal is aborted; what it has stopped goes on then. */
export async function doDisasters(
  stack: LocalStack,
  disasters: Disasters,
  { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: (done: Done) => void },
): Promise<void> {
  const stopped = new Set<Promise<void>>();
  while (!signal.aborted) {
    const { afterMs, disaster } = disasters.draw();
    await sleep(afterMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const at = new Date().toISOString();
    const pid = disaster.kind === 'flush' ? pidOf(stack, 'redis') : await pidOfVictim(stack, disaster.victim);
    if (pid !== undefined) {
      if (disaster.kind === 'flush') await askRedis(stack.redisUrl, 'FLUSHALL').catch(() => undefined);
      else sendSignal(pid, disaster.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    }
    if (pid !== undefined && disaster.kind === 'stop') {
      const awake = sleep(disaster.forMs, undefined, { signal })
        .catch(() => undefined)
        .then(() => sendSignal(pid, 'SIGCONT'))
        .finally(() => stopped.delete(awake));
      stopped.add(awake);
    }
    onDone({ at, disaster, pid: pid ?? null });
  }
  await Promise.all(stopped);
}

/** What Redis answers to a command of a line; undefined when it answers an error. */
export async function askRedis(redisUrl: string, command: string): Promise<string | undefined> {
  const { hostname, port, password } = new URL(redisUrl);
  return await new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host: hostname, port: Number(port), timeout: 5_000 });
    socket.once('error', reject);
    socket.once('timeout', () => socket.destroy(new Error(`Redis did not answer ${command} within 5 s`)));
    socket.once('close', () => reject(new Error(`Redis hung up on ${command}`)));
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
      const [, line] = answer.split('\r\n');
      if (answer.split('\r\n').length <= 2) return;
      resolve(line?.startsWith('-') === true ? undefined : line?.slice(1));
      socket.destroy();
    });
    socket.write(`AUTH ${password}\r\n${command}\r\n`);
  });
}

/** The trainer of a worker is the one child that it has. */
async function pidOfVictim(stack: LocalStack, victim: Victim): Promise<number | undefined> {
  if (victim !== 'trainer' && victim !== 'trainer-2') return pidOf(stack, victim);
  const worker = pidOf(stack, victim === 'trainer' ? 'worker-gpu' : 'worker-gpu-2');
  return worker === undefined ? undefined : (await childrenOf(worker))[0];
}

function pidOf(stack: LocalStack, name: ServiceName): number | undefined {
  return stack.service(name).pid;
}
