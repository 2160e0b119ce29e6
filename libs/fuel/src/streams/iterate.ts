import type { DataStream } from './data-stream.js';
import type { Delivery } from './delivery.js';

/** The batches left in the present epoch, for `for await` (Fuel: `get_epoch_iterator`). */
export async function* remainingBatches(stream: DataStream): AsyncGenerator<Delivery, void, undefined> {
  for (;;) {
    const batch = await stream.next();
    if (batch === undefined) return;
    yield batch;
  }
}

/**
 * The epochs of a stream without end, each as its batches: what is left of the present one first (Fuel: `iterate_epochs`). The next
 * epoch starts when it is asked for, whether or not all batches of the one before were taken.
 */
export async function* iterateEpochs(
  stream: DataStream,
): AsyncGenerator<AsyncGenerator<Delivery, void, undefined>, never, undefined> {
  for (;;) {
    yield remainingBatches(stream);
    await stream.nextEpoch();
  }
}
