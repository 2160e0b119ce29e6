import type { Client } from '@longrun/client';
import type { WorkerView } from '@longrun/contracts';

import { ago, size } from '../output/amounts.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';

interface Output {
  readonly json: boolean;
}

/** Lists workers, the last one seen first. */
export async function listWorkers(client: Client, terminal: Terminal, { json }: Output): Promise<void> {
  const { items } = await client.workers.list();
  if (json) return terminal.printJson(items, 2);
  if (items.length === 0) return terminal.say('There are no workers yet; `longrun up` starts one of each kind.');
  const rows = items.map((worker) => [
    worker.id,
    worker.kind,
    statusText(worker, terminal),
    worker.attempts.map(({ id }) => id).join(', '),
    worker.devices.map(({ type, name }) => (name === '' ? type : `${type} ${name}`)).join(', '),
    String(worker.threads),
    size(worker.memoryBytes),
    ago(worker.lastSeenAt),
  ]);
  terminal.print(
    table(['ID', 'TAKES', 'STATUS', 'RUNS', 'DEVICES', 'THREADS', 'MEMORY', 'SEEN'], rows, {
      right: ['THREADS', 'MEMORY'],
      width: terminal.resultColumns,
    }),
  );
}

/** Has a worker finish what it runs and take nothing more. */
export async function drainWorker(
  client: Client,
  terminal: Terminal,
  id: string,
  options: Output & { readonly reason: string | undefined },
): Promise<void> {
  const worker = await client.workers.drain(id, options.reason);
  if (options.json) return terminal.printJson(worker, 2);
  const runs = worker.attempts.length === 0 ? '' : `; it still runs ${worker.attempts.map((one) => one.id).join(', ')}`;
  terminal.print(`${worker.id}  ${statusText(worker, terminal)}${runs}`);
}

/** Lets a worker take jobs again. */
export async function releaseWorker(client: Client, terminal: Terminal, id: string, { json }: Output): Promise<void> {
  const worker = await client.workers.release(id);
  if (json) return terminal.printJson(worker, 2);
  terminal.print(`${worker.id}  ${statusText(worker, terminal)}`);
}

function statusText({ alive, status, statusReason }: WorkerView, terminal: Terminal): string {
  if (!alive) return terminal.style('dim', 'gone');
  const because = statusReason === null ? '' : ` (${statusReason})`;
  return terminal.style(status === 'ready' ? 'green' : 'yellow', `${status}${because}`);
}
