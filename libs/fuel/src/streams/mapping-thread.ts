import { parentPort, workerData } from 'node:worker_threads';

import { BufferRing } from './buffer-ring.js';
import { buildMapping } from './build-stream.js';
import type { Place } from './delivery.js';
import { buffersOf, movableColumns, type SentColumns } from './movable.js';
import type { StreamFactory } from './thread-protocol.js';

/** What is to be mapped. */
export interface ToMap extends Place {
  readonly columns: SentColumns;
  /** The memory of what it mapped before, as far as that was released. */
  readonly released: readonly ArrayBuffer[];
}

/** What came of it, in the order in which it was asked for. */
export interface Mapped {
  /** Null: it failed, or did not. Whoever waits finds out by mapping it there. */
  readonly columns: SentColumns | null;
  /** The memory of what was mapped. */
  readonly released: readonly ArrayBuffer[];
}

/** The work of a thread that maps batches for another one, see `ParallelMapping`. @internal */
export async function serveMapping(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('serveMapping: this is no thread');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what ParallelMapping gives it
  const mapping = await buildMapping(workerData as StreamFactory);
  const ring = new BufferRing();
  const map = async ({ columns, epoch, index, released }: ToMap): Promise<void> => {
    for (const buffer of released) ring.give(buffer);
    try {
      const mapped = movableColumns(await mapping(new Map(columns), { epoch, index }), ring.take);
      const message: Mapped = { columns: mapped.columns, released: buffersOf(columns) };
      port.postMessage(message, [...mapped.buffers, ...message.released]);
    } catch {
      const message: Mapped = { columns: null, released: [] };
      port.postMessage(message, []);
    }
  };
  let last = Promise.resolve();
  port.on('message', (message: ToMap) => {
    const before = last;
    last = before.then(() => map(message));
  });
}
