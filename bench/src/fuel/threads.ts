import { setTimeout as pause } from 'node:timers/promises';
import { DatasetStream, IndexableDataset, ShuffledScheme, ThreadStream } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { z } from 'zod';

const BATCHES = 200;

/** What a thread reads. */
const Argument = z.object({ rows: z.int(), width: z.int(), batchSize: z.int() });

/** Shuffled batches of rows in memory, as a thread makes them. */
export function rowsStream(argument: unknown): DatasetStream {
  const { rows, width, batchSize } = Argument.parse(argument);
  const dataset = new IndexableDataset({ features: ndarray('uint8', [rows, width]) });
  return new DatasetStream(
    dataset,
    new ShuffledScheme(rows, batchSize, { random: new RandomStreams(1).stream('order') }),
  );
}

/** Milliseconds that taking a batch takes of the thread that uses it, where the other one is ahead. */
export async function takingFromThread(argument: z.infer<typeof Argument>): Promise<number[]> {
  const stream = await ThreadStream.start({ module: import.meta.url, factory: 'rowsStream', argument });
  const took: number[] = [];
  for (let count = 0; count < BATCHES; count += 1) {
    await pause(3);
    const begunAt = performance.now();
    const batch = await stream.next();
    if (batch === undefined) await stream.nextEpoch();
    else {
      took.push(performance.now() - begunAt);
      batch.release();
    }
  }
  await stream.close();
  return took;
}
