import { parentPort, workerData } from 'node:worker_threads';

import { buildMapping } from './build-stream.js';
import type { Place } from './delivery.js';
import { movableColumns, type SentColumns } from './movable.js';
import type { StreamFactory } from './thread-protocol.js';

/** What is to be mapped. */
export interface ToMap extends Place {
  readonly columns: SentColumns;
}

/** What came of it, in the order in which it was asked for; null: it failed, or did not. Whoever waits finds out by mapping it there. */
export type Mapped = SentColumns | null;

/** The work of a thread that maps batches for another one, see `ParallelMapping`. @internal */
export async function serveMapping(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('serveMapping: this is no thread');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what ParallelMapping gives it
  const mapping = await buildMapping(workerData as StreamFactory);
  const map = async ({ columns, epoch, index }: ToMap): Promise<void> => {
    try {
      const mapped = movableColumns(await mapping(new Map(columns), { epoch, index }));
      port.postMessage(mapped.columns, mapped.buffers);
    } catch {
      port.postMessage(null, []);
    }
  };
  let last = Promise.resolve();
  port.on('message', (message: ToMap) => {
    const before = last;
    last = before.then(() => map(message));
  });
}
