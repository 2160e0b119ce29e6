import { type LogEntry, chunksOf } from '../record/log-chunk.js';
import { insertChunks } from '../record/log-store.js';
import { openRecord, type RecordLocation } from '../record/record.js';
import { crowd } from './many-experiments.js';

/** Fills a record at a place with experiments that have logged a `loss` at so many steps each, and closes it. Answers their ids. */
export async function fillLogs(
  location: RecordLocation,
  { experiments, steps }: { readonly experiments: number; readonly steps: number },
): Promise<string[]> {
  const record = await openRecord(location);
  try {
    await crowd(record.db, { ended: experiments, queued: 0, running: 0 });
    const ids = Array.from({ length: experiments }, (_, index) => `exp_${(index + 1).toString(16).padStart(32, '0')}`);
    for (const [run, id] of ids.entries()) {
      const entries = Array.from({ length: steps }, (_, step): LogEntry => {
        const loss = 1 / (1 + step / 100) + Math.sin(step * (run + 1)) / 50;
        return { event: step + 2, fence: 1, step, time: step, row: { loss } };
      });
      await record.transact((transaction) =>
        insertChunks(
          transaction,
          chunksOf(entries).map((chunk) => ({ id, chunk })),
        ),
      );
    }
    return ids;
  } finally {
    await record.close();
  }
}
